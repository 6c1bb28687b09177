"""One detector tried on labelled rows: the real guard, with a policy that uses that detector alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from alcaide.instruments.guard.evaluate import Evaluation, Row, evaluated
from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.model import Context, Direction
from alcaide.instruments.guard.policy import SCHEMA, GuardPolicy, Use
from alcaide.instruments.guard.registry import BUILT_IN, GuardDetector
from alcaide.kernel.errors import InvalidInput

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `unanswered` counts rows on which the detector was Unknown; they are in no figure."""

    detector: str
    version: str
    threshold: float
    rows: int
    unanswered: int
    evaluation: Evaluation


def tried(
    name: str,
    rows: Iterable[Row],
    *,
    direction: Direction = "in",
    threshold: float | None = None,
    draws: int = 1000,
    detectors: tuple[GuardDetector, ...] = BUILT_IN,
    progress: Progress | None = None,
) -> Trial:
    """Run detector `name` over rows, one after another, and fold its scores into figures.

    `threshold` is the detector's own, or 0.5, unless given. Raises InvalidInput where there is no such detector or no
    row it could answer.
    """
    guard = Guard(
        GuardPolicy(SCHEMA, f"trial of {name}", {name: Use()}, ()),
        detectors=detectors,
    )
    if name not in guard.detectors:
        raise InvalidInput(f"there is no detector `{name}`; run `alcaide guard detectors` to see them all")
    scores: list[float] = []
    labels: list[bool] = []
    seconds: list[float] = []
    sizes: list[int] = []
    expected: list[tuple[tuple[int, int, str], ...]] = []
    found: list[tuple[tuple[int, int, str], ...]] = []
    # A detector of several kinds says how its own names and those of an annotated set are compared; None is not
    # counted on either side. For any other a span is a span.
    label_of: Callable[[str], str | None] = getattr(guard.detector(name), "label_of", lambda _: "")
    unanswered = 0
    for number, row in enumerate(rows, start=1):
        text, context = _asked(row, direction)
        began = perf_counter()
        report = guard.check(text, context=context)
        spent = perf_counter() - began
        if progress is not None:
            progress(number)
        if any(one.detector == name for one in report.unknown) or name not in report.scores:
            unanswered += 1
            continue
        scores.append(report.scores[name])
        labels.append(row.label)
        seconds.append(spent)
        sizes.append(len(text.encode("utf-8", "replace")))
        expected.append(_labelled(row.spans, label_of))
        found.append(
            _labelled(
                ((one.span.start, one.span.end, one.category) for one in report.findings if not one.layers),
                label_of,
            )
        )
    if not scores:
        raise InvalidInput(
            f"`{name}` could answer none of {unanswered} rows; see which context it needs in docs/guard"
        )
    cut = getattr(guard.detector(name), "threshold", 0.5) if threshold is None else threshold
    return Trial(
        detector=name,
        version=guard.detectors[name],
        threshold=cut,
        rows=len(scores) + unanswered,
        unanswered=unanswered,
        evaluation=evaluated(
            np.asarray(scores),
            np.asarray(labels, dtype=bool),
            threshold=cut,
            draws=draws,
            timing=(np.asarray(seconds), np.asarray(sizes)),
            spans=(expected, found) if any(expected) else None,
        ),
    )


def _labelled(
    spans: Iterable[tuple[int, int, str]], label_of: Callable[[str], str | None]
) -> tuple[tuple[int, int, str], ...]:
    return tuple((start, end, label) for start, end, kind in spans if (label := label_of(kind)) is not None)


def _asked(row: Row, direction: Direction) -> tuple[str, Context]:
    text = row.text if row.response is None else row.response
    if row.context is None and row.question is None:
        return text, Context(direction=direction)
    return text, Context(
        direction="out",
        system_prompt=row.context,
        sources=(row.context,) if row.context else (),
        question=row.question,
    )
