"""How an evaluation comes out, given what was asked of it beforehand.

Left out on purpose: measuring (the guard's `trial`), and recording (`service`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alcaide.predicates.guard_evaluated import Bound, Outcome


def outcome(figures: Mapping[str, float | None], bounds: Sequence[Bound], *, unanswered: int) -> Outcome:
    """Passed only if every bound is reached and every row was answered.

    Nothing asked is `measured`, never a pass. A figure without a value has not reached its bound: rows that cannot
    support a figure must not look like a good one.
    """
    if not bounds:
        return "measured"
    reached = all(
        (value := figures.get(bound.figure)) is not None and value >= bound.at_least for bound in bounds
    )
    return "passed" if reached and not unanswered else "failed"
