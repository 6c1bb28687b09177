"""`artifact-scanned`: a model, or any other artifact, was looked at, and this is what was found.

Nothing of it is typed in by hand: the outcome follows from the findings and from how bad fails. The edition names the
rules and lists that were applied, so that whoever has the bytes and the edition finds the same again.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.base import Predicate

Outcome = Literal["passed", "failed", "unknown"]
Level = Literal["critical", "high", "medium", "low", "unknown"]
LEVELS: tuple[Level, ...] = ("critical", "high", "medium", "low", "unknown")
"""Worst first; `unknown` is beside the order: what has it was not looked at whole."""

MAX_FINDINGS = 500
"""Findings listed; the worst come first and `findings_total` says how many there are."""


class ScanFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem, where it is, and what would happen.

    `file` is the path within what was scanned, `.` for a single file; `place` the way further in, through archives;
    `offset` bytes from the start of that part. `fingerprint` stays the same while the problem does.
    """

    rule: str
    level: Level
    message: str
    file: str
    place: str = ""
    offset: int | None = None
    fingerprint: str = ""
    taxonomy: tuple[str, ...] = ()


class ArtifactScanned(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are the artifact by its digests, as `predicates.content` has them.

    `outcome` is `failed` with a finding of `fail_on` or worse, else `unknown` if a part was not looked at or there was
    nothing to look at, else `passed`. `policy` is the digest of the policy file in force, absent for the one that
    ships. `root` is over everything that was looked at, also what lies beside the content that a folder is known by:
    the listing digest of all files, or the digest of the bytes of a single one.
    """

    TYPE: ClassVar[str] = "urn:alcaide:artifact-scanned:v1"
    TITLE: ClassVar[str] = "Artifact scanned"

    edition: str
    fail_on: Level
    outcome: Outcome
    counts: dict[str, int]
    findings: tuple[ScanFinding, ...]
    findings_total: int
    files: int
    bytes: int
    root: str
    formats: dict[str, int] = msgspec.field(default_factory=dict)
    outcome_reason: str = ""
    policy: str = ""
    left_out: tuple[str, ...] = ()
    facts: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_outcome(self.outcome, self.counts, self.fail_on, looked_at=self.files > 0)
        check_findings(self.findings, self.findings_total, self.counts)


def check_outcome(outcome: Outcome, counts: dict[str, int], fail_on: Level, *, looked_at: bool) -> None:
    """Raise InvalidInput where an outcome is better than the counts allow: nobody states a pass."""
    strange = sorted(set(counts) - set(LEVELS))
    if strange or any(count < 0 for count in counts.values()):
        raise InvalidInput(f"`counts` must count {', '.join(LEVELS)}, each from 0 on")
    if fail_on == "unknown":
        raise InvalidInput("`fail_on` must be a level; what is unknown never passes anyway")
    bad = any(counts.get(level, 0) for level in LEVELS[: LEVELS.index(fail_on) + 1])
    least = "failed" if bad else "unknown" if counts.get("unknown") or not looked_at else "passed"
    worse: tuple[Outcome, ...] = ("passed", "unknown", "failed")
    if worse.index(outcome) < worse.index(least):
        raise InvalidInput(f"`outcome` cannot be `{outcome}`: by what was found it is `{least}`")


def check_findings(findings: tuple[ScanFinding, ...], total: int, counts: dict[str, int]) -> None:
    """Raise InvalidInput where the list and the figures contradict each other."""
    if len(findings) > MAX_FINDINGS:
        raise InvalidInput(
            f"`findings` lists {len(findings)}, over the limit of {MAX_FINDINGS}; list the worst"
        )
    if total != sum(counts.values()) or len(findings) > total:
        raise InvalidInput("`findings_total` must be the sum of `counts`, and no fewer than are listed")
