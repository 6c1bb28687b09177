"""What a requirement is asked about, and the answer with all it was drawn from. Values; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.policy.requirement import Requirement
from alcaide.kernel.policy.verdict import Passed, Verdict, as_json, unite_leaves


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """A subject as it stands now. `digest` is SHA-256 hex, or None where nobody has recorded one."""

    name: str
    digest: str | None
    kind: str = ""
    tags: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question is asked about: one subject, and what it is made of at this moment."""

    this: SubjectRef
    components: tuple[SubjectRef, ...] = ()


@dataclass(frozen=True, slots=True)
class LeafSays:
    """What one statement contributed: its leaf, kind, time, and its own verdict."""

    index: int
    predicate_type: str
    at: datetime | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person's word, with an end, that a requirement need not be met for now."""

    index: int
    requirement: str
    component: str | None
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubjectExplanation:
    """The answer for one subject, with the statements it was drawn from, the deciding ones first."""

    name: str
    digest: str | None
    verdict: Verdict
    leaves: tuple[LeafSays, ...]
    waived: Waiver | None = None

    @property
    def counts_as(self) -> Verdict:
        return counting(self.verdict, self.waived)

    @property
    def outcome(self) -> str:
        return outcome_word(self.verdict, self.waived)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to one requirement. `verdict` is what the evidence says; `counts_as` honours waivers."""

    requirement: Requirement
    verdict: Verdict
    counts_as: Verdict
    subjects: tuple[SubjectExplanation, ...]
    waived: Waiver | None = None

    @property
    def outcome(self) -> Literal["passed", "failed", "unknown", "waived"]:
        if isinstance(self.counts_as, Passed) and not isinstance(self.verdict, Passed):
            return "waived"
        return self.counts_as.outcome

    @property
    def reason(self) -> str:
        """One line: why not passed, or by whom it is waived and until when."""
        if self.outcome != "waived":
            return self.counts_as.reason
        waivers = self.waivers
        said = "; ".join(
            dict.fromkeys(f"waived by {w.by} until {w.until:%Y-%m-%d}: {w.reason}" for w in waivers)
        )
        return f"{said} (without the waiver: {self.verdict.outcome}, {self.verdict.reason})"

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """Every waiver this answer rests on."""
        if self.outcome != "waived":
            return ()
        return (self.waived,) if self.waived else tuple(s.waived for s in self.subjects if s.waived)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.requirement.id,
            "title": self.requirement.title,
            "why": self.requirement.why,
            "outcome": self.outcome,
            "reason": self.reason,
            "stood_on": list(self.counts_as.stood_on),
            "verdict": as_json(self.verdict),
            "waivers": [_waiver_json(waiver) for waiver in self.waivers],
            "subjects": [
                {
                    "name": subject.name,
                    "digest": subject.digest,
                    "outcome": subject.outcome,
                    "reason": subject.verdict.reason,
                    "stood_on": list(subject.counts_as.stood_on),
                    "leaves": [
                        {
                            "index": leaf.index,
                            "predicate_type": leaf.predicate_type,
                            "at": rfc3339(leaf.at) if leaf.at else None,
                            **{k: v for k, v in as_json(leaf.verdict).items() if k != "stood_on"},
                        }
                        for leaf in subject.leaves
                    ],
                }
                for subject in self.subjects
            ],
        }


def counting(verdict: Verdict, waiver: Waiver | None) -> Verdict:
    """What a verdict counts as beside a waiver: Passed, on both their leaves, and otherwise itself."""
    if waiver is None or isinstance(verdict, Passed):
        return verdict
    return Passed(unite_leaves([verdict, Passed((waiver.index,))]))


def outcome_word(verdict: Verdict, waiver: Waiver | None) -> str:
    """The outcome as people read it: `waived` where a waiver stands in for evidence."""
    return "waived" if waiver is not None and not isinstance(verdict, Passed) else verdict.outcome


def _waiver_json(waiver: Waiver) -> dict[str, Any]:
    return {
        "leaf": waiver.index,
        "component": waiver.component,
        "until": rfc3339(waiver.until),
        "by": waiver.by,
        "reason": waiver.reason,
    }
