"""What a scan says: rules, findings, what lies inside what, and the outcome of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Level(StrEnum):
    """What would happen to whoever uses the thing."""

    CRITICAL = "critical"
    """Loading it runs code, reads or writes outside of it, or reaches the network."""
    HIGH = "high"
    """Using it after loading does."""
    MEDIUM = "medium"
    """It cannot be decided whether it does, or the format's own rules are violated."""
    LOW = "low"
    """Hygiene: worth knowing, harmful by itself to nobody."""
    UNKNOWN = "unknown"
    """It was not looked at whole: encrypted, truncated, unsupported, over budget. Never clean."""

    @property
    def rank(self) -> int:
        """4 for critical down to 1 for low; 0 for unknown, which is beside the order, not below it."""
        return _RANK[self]


_RANK = {Level.CRITICAL: 4, Level.HIGH: 3, Level.MEDIUM: 2, Level.LOW: 1, Level.UNKNOWN: 0}


class Outcome(StrEnum):
    """What a scan answers."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of problem, the same in every report.

    `id` is `<format>/<what>` in kebab-case and never changes its meaning. `title` names the problem in a few words,
    `why` says in a sentence what an attacker gains by it, `remedy` what to do. `taxonomy` holds edition-pinned
    identifiers, such as `cwe/CWE-502` or `owasp-llm:2025/LLM03`.
    """

    id: str
    level: Level
    title: str
    why: str
    remedy: str
    taxonomy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, where it is, and what would happen."""

    rule: str
    level: Level
    message: str
    """One sentence for a person: what would happen, with the names that matter in backticks."""
    place: str = ""
    """The way from the scanned file to the part that has it: `data.pkl`, `a.zip/b.tar`; "" is the file itself."""
    offset: int | None = None
    """Bytes from the start of that part, where one byte can be named."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What a program may want: `callable`, `arguments`, `member`, `operator`… JSON values only."""

    def sort_key(self) -> tuple[int, str, int, str, str]:
        """Worst first, then by place."""
        return (
            -self.level.rank,
            self.place,
            -1 if self.offset is None else self.offset,
            self.rule,
            self.message,
        )


@dataclass(slots=True)
class Node:
    """A thing that was looked at: the scanned file, or something that lies inside it."""

    name: str
    """Its own name: the last step of the way to it."""
    size: int
    formats: list[str] = field(default_factory=list)
    """Every format its content is: more than one for a polyglot, none where nothing was recognised."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the formats' readers say about it: declared library, number of tensors, calls made. JSON values only."""
    children: list[Node] = field(default_factory=list)
    left_out: int = 0
    """Children that were looked at and had nothing to say, and are not listed, to keep a report readable."""

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, top first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(slots=True)
class Artifact:
    """One scanned file: what is in it, and what is wrong with it."""

    path: str
    """As the caller named it: relative to the scanned folder, with `/`; or the file's name."""
    node: Node
    findings: list[Finding] = field(default_factory=list)
    sha256: str | None = None
    """Hex, where digests were asked for and the file could be read to its end."""
    seconds: float = 0.0
    looked_beside: bool = False
    """Whether its neighbours were asked for: then what was found holds only beside the same ones."""

    def outcome(self, fail_on: Level = Level.MEDIUM) -> Outcome:
        """Failed at a finding of `fail_on` or worse; else unknown if a part was not looked at; else passed."""
        return outcome_of(self.findings, fail_on)


@dataclass(slots=True)
class ScanReport:
    """What one scan found, over all files."""

    artifacts: list[Artifact] = field(default_factory=list)
    edition: str = ""
    """Names the rules and lists the scan stood on; the same edition finds the same in the same bytes."""
    policy: str = ""
    """Digest of the policy in force, or "" for the one that ships."""
    fail_on: Level = Level.MEDIUM
    left_out: list[str] = field(default_factory=list)
    """Folders that were skipped: version control's own."""
    seconds: float = 0.0

    @property
    def findings(self) -> list[tuple[Artifact, Finding]]:
        """All findings with the file each is in, worst first."""
        pairs = [(artifact, finding) for artifact in self.artifacts for finding in artifact.findings]
        return sorted(pairs, key=lambda pair: (pair[1].sort_key()[0], pair[0].path, pair[1].sort_key()))

    @property
    def outcome(self) -> Outcome:
        """Failed if any file failed, else unknown if any is, or if there was nothing to look at, else passed."""
        if not self.artifacts:
            return Outcome.UNKNOWN
        return outcome_of(
            (finding for artifact in self.artifacts for finding in artifact.findings), self.fail_on
        )

    def counts(self) -> dict[str, int]:
        """How many findings of each level, worst first."""
        counted = dict.fromkeys((level.value for level in Level), 0)
        for artifact in self.artifacts:
            for finding in artifact.findings:
                counted[finding.level.value] += 1
        return counted


def outcome_of(findings: Iterable[Finding], fail_on: Level) -> Outcome:
    """What a set of findings comes to; without any, passed."""
    unknown = False
    for finding in findings:
        if finding.level is Level.UNKNOWN:
            unknown = True
        elif finding.level.rank >= fail_on.rank:
            return Outcome.FAILED
    return Outcome.UNKNOWN if unknown else Outcome.PASSED
