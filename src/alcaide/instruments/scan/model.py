"""What a scan says: rules, findings, what lies inside what, and the outcome of it all.

None of these is a dataclass, nor is anything else that a scan loads before its first file: writing and compiling a
dataclass's methods takes a millisecond at every start, which is what looking at two files takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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


class Rule(NamedTuple):
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


_NO_DETAIL: Mapping[str, Any] = {}


class Finding(NamedTuple):
    """One problem, where it is, and what would happen."""

    rule: str
    level: Level
    message: str
    """One sentence for a person: what would happen, with the names that matter in backticks."""
    place: str = ""
    """The way from the scanned file to the part that has it: `data.pkl`, `a.zip/b.tar`; "" is the file itself."""
    offset: int | None = None
    """Bytes from the start of that part, where one byte can be named."""
    detail: Mapping[str, Any] = _NO_DETAIL
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


class _Fields:
    """What is shown and compared by its fields."""

    __slots__: tuple[str, ...] = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Node(_Fields):
    """A thing that was looked at: the scanned file, or something that lies inside it."""

    __slots__ = ("children", "facts", "formats", "left_out", "name", "size")

    def __init__(
        self,
        name: str,
        size: int,
        formats: list[str] | None = None,
        facts: dict[str, Any] | None = None,
        children: list[Node] | None = None,
        left_out: int = 0,
    ) -> None:
        self.name = name
        """Its own name: the last step of the way to it."""
        self.size = size
        self.formats = [] if formats is None else formats
        """Every format its content is: more than one for a polyglot, none where nothing was recognised."""
        self.facts = {} if facts is None else facts
        """What the formats' readers say about it: declared library, number of tensors, calls made. JSON values only."""
        self.children = [] if children is None else children
        self.left_out = left_out
        """Children that were looked at and had nothing to say, and are not listed, to keep a report readable."""

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, top first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class Artifact(_Fields):
    """One scanned file: what is in it, and what is wrong with it."""

    __slots__ = ("findings", "looked_beside", "node", "path", "seconds", "sha256")

    def __init__(
        self,
        path: str,
        node: Node,
        findings: list[Finding] | None = None,
        sha256: str | None = None,
        seconds: float = 0.0,
        looked_beside: bool = False,
    ) -> None:
        self.path = path
        """As the caller named it: relative to the scanned folder, with `/`; or the file's name."""
        self.node = node
        self.findings = [] if findings is None else findings
        self.sha256 = sha256
        """Hex, where digests were asked for and the file could be read to its end."""
        self.seconds = seconds
        self.looked_beside = looked_beside
        """Whether its neighbours were asked for: then what was found holds only beside the same ones."""

    def outcome(self, fail_on: Level = Level.MEDIUM) -> Outcome:
        """Failed at a finding of `fail_on` or worse; else unknown if a part was not looked at; else passed."""
        return outcome_of(self.findings, fail_on)


class ScanReport(_Fields):
    """What one scan found, over all files."""

    __slots__ = ("_edition", "artifacts", "fail_on", "left_out", "policy", "seconds")

    def __init__(
        self,
        artifacts: list[Artifact] | None = None,
        edition: str | Callable[[], str] = "",
        policy: str = "",
        fail_on: Level = Level.MEDIUM,
        left_out: list[str] | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.artifacts = [] if artifacts is None else artifacts
        self._edition = edition
        self.policy = policy
        """Digest of the policy in force, or "" for the one that ships."""
        self.fail_on = fail_on
        self.left_out = [] if left_out is None else left_out
        """Folders that were skipped: version control's own."""
        self.seconds = seconds

    @property
    def edition(self) -> str:
        """Names the rules and lists the scan stood on; the same edition finds the same in the same bytes.

        Asked for when it is first wanted: to digest all rules takes as long as to look at fifty files.
        """
        if not isinstance(self._edition, str):
            self._edition = self._edition()
        return self._edition

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
