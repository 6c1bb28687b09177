"""The three answers a rule can give, and how answers combine.

A rule says `Passed`, `Failed(reason)` or `Unknown(reason)`. Each carries the leaves of the ledger it stood
on, so that a figure can be opened to its evidence. Nothing else in Alcaide counts as an answer: there is no
boolean in between, because a boolean has nowhere to put "nobody looked".

The order used to combine is Passed < Unknown < Failed:

- `all_of`: one failure fails the whole; otherwise one unknown leaves it unknown.
- `any_of`: one pass is enough; otherwise one unknown leaves it unknown, since what is not known might have
  passed.
- of nothing at all: Unknown. An empty list of requirements is not a pass.

INVARIANT: replacing an Unknown by anything never turns a combined Failed or Unknown into Passed unless the
replacement is Passed. Both functions are monotone, which is why "less evidence never helps" need only hold
for single rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Passed:
    """The question is answered with yes, by the evidence in `stood_on` (leaf indices, ascending)."""

    stood_on: tuple[int, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return "passed"

    @property
    def reason(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The question is answered with no: evidence exists and says so."""

    reason: str
    stood_on: tuple[int, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return "failed"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The question is not answered: evidence is missing, stale, unreadable, or not shown to be complete.

    Never treated as a pass. It is kept apart from Failed because the remedy differs: look, rather than
    repair.
    """

    reason: str
    stood_on: tuple[int, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return "unknown"


Verdict = Passed | Failed | Unknown

NOTHING_ASKED = "nothing was asked, and an empty list is not a pass"


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Passed only if every verdict passed. The reasons that decided are joined, their leaves united."""
    given = list(verdicts)
    if not given:
        return Unknown(NOTHING_ASKED)
    failed = [v for v in given if isinstance(v, Failed)]
    if failed:
        return Failed(join_reasons(failed), unite_leaves(failed))
    unknown = [v for v in given if isinstance(v, Unknown)]
    if unknown:
        return Unknown(join_reasons(unknown), unite_leaves(unknown))
    return Passed(unite_leaves(given))


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Passed if at least one verdict passed; Unknown rather than Failed while any of them is still open."""
    given = list(verdicts)
    if not given:
        return Unknown(NOTHING_ASKED)
    passed = [v for v in given if isinstance(v, Passed)]
    if passed:
        return Passed(unite_leaves(passed))
    unknown = [v for v in given if isinstance(v, Unknown)]
    if unknown:
        return Unknown(join_reasons(unknown), unite_leaves(unknown))
    return Failed(join_reasons(given), unite_leaves(given))


def join_reasons(verdicts: Iterable[Verdict]) -> str:
    """The distinct reasons in their first order, joined by semicolons: what a person reads on one line."""
    return "; ".join(dict.fromkeys(v.reason for v in verdicts if v.reason))


def unite_leaves(verdicts: Iterable[Verdict]) -> tuple[int, ...]:
    """Every leaf that any of the verdicts stood on, once, ascending."""
    return tuple(sorted({leaf for verdict in verdicts for leaf in verdict.stood_on}))


def as_json(verdict: Verdict) -> dict[str, object]:
    """The shape every page, command and API uses for a verdict."""
    return {"outcome": verdict.outcome, "reason": verdict.reason, "stood_on": list(verdict.stood_on)}
