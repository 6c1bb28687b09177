"""How good a detector is: figures from labelled rows, with intervals, in plain numpy.

A row is one line of JSON: `text` and `label` (0 or 1), optionally `category`, `lang`, `source` and `spans`
(`[start, end, type]`, in characters). A figure that the rows cannot support (no positives, too few negatives for a
rate) is None rather than a number that looks like one.

Left out: running the detectors (`guard.py` does) and showing the figures (the command line does).
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from alcaide.kernel.errors import InvalidInput, TooLarge

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

LARGEST_FILE: Final = 2 << 30
"""Bytes of JSON read from one file, unpacked: a compressed file may not unfold into more."""
LONGEST_LINE: Final = 64 << 20
MOST_ROWS: Final = 5_000_000
MOST_SPANS: Final = 100_000

BINS: Final = 10
DRAWS: Final = 1000
"""Bootstrap draws: enough for the 2.5 and 97.5 percentiles (Efron and Tibshirani, 1993, §14.3)."""


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. `spans` are what a detector should point at; empty where nobody marked any.

    `context`, `question` and `response` are what detectors that compare need: sources or a system prompt, what was
    asked, and the answer where that is not `text` itself.
    """

    text: str
    label: bool
    category: str | None = None
    lang: str | None = None
    source: str | None = None
    spans: tuple[tuple[int, int, str], ...] = ()
    context: str | None = None
    question: str | None = None
    response: str | None = None


def rows(path: Path) -> Iterator[Row]:
    """The rows of a `.jsonl` or `.jsonl.gz` file, read as they are asked for.

    Raises InvalidInput naming the file and the line for anything that is not such a row, and TooLarge for a file,
    line or number of rows over the bounds above.
    """
    try:
        with path.open("rb") as stored:
            plain = gzip.GzipFile(fileobj=stored) if path.suffix == ".gz" else stored
            yield from parsed(plain, name=path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"`{path}` cannot be read: {error}; give a .jsonl or .jsonl.gz file") from error


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def parsed(lines: _Lines, *, name: str) -> Iterator[Row]:
    """The rows in a stream of JSON lines; `name` is what errors call it. Blank lines are passed over."""
    size = 0
    count = 0
    for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), start=1):
        size += len(line)
        if len(line) > LONGEST_LINE or size > LARGEST_FILE:
            bound = "line" if len(line) > LONGEST_LINE else "file"
            raise TooLarge(f"`{name}` line {number}: the {bound} is too long to be read; split it")
        if not line.strip():
            continue
        count += 1
        if count > MOST_ROWS:
            raise TooLarge(f"`{name}` has more than {MOST_ROWS} rows; split it")
        yield _row(line, f"`{name}` line {number}")


def _row(line: bytes, place: str) -> Row:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{place} is not JSON: {error}; write one JSON object a line") from error
    if not isinstance(fields, dict):
        raise InvalidInput(f"{place} is not a JSON object; write one object a line with `text` and `label`")
    text, label = fields.get("text"), fields.get("label")
    if not isinstance(text, str):
        raise InvalidInput(f"{place} has no `text`; give the text to look at as a string")
    # JSON's true and false are numbers to Python; both spellings are unmistakable.
    if label not in (0, 1) or isinstance(label, float):
        raise InvalidInput(
            f"{place} has the label `{label}`; give 1 for what should be found and 0 for what should not"
        )
    return Row(
        text=text.encode("utf-8", "replace").decode(),
        label=bool(label),
        category=_word(fields, "category", place),
        lang=_word(fields, "lang", place),
        source=_word(fields, "source", place),
        spans=_spans(fields.get("spans"), len(text), place),
        context=_word(fields, "context", place),
        question=_word(fields, "question", place),
        response=_word(fields, "response", place),
    )


def _word(fields: Mapping[str, Any], name: str, place: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{place} has a `{name}` that is not a string; write it in quotes or leave it out")
    return value


def _spans(value: object, length: int, place: str) -> tuple[tuple[int, int, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_SPANS:
        raise InvalidInput(f"{place} has `spans` that are not a list of [start, end, type]; write them so")
    spans: list[tuple[int, int, str]] = []
    for span in value:
        if (
            not isinstance(span, list)
            or len(span) not in (2, 3)
            or not all(isinstance(offset, int) and not isinstance(offset, bool) for offset in span[:2])
            or not all(isinstance(kind, str) for kind in span[2:])
        ):
            raise InvalidInput(f"{place} has the span `{json.dumps(span)[:80]}`; write [start, end, type]")
        start, end = span[:2]
        if not 0 <= start <= end <= length:
            raise InvalidInput(
                f"{place} has the span `{start}, {end}` in a text of {length} characters; correct it"
            )
        spans.append((start, end, span[2] if len(span) == 3 else ""))
    return tuple(spans)


def digest(path: Path) -> str:
    """sha256 of a data file as it is stored, for the record of an evaluation."""
    with path.open("rb") as stored:
        found = sha256()
        while block := stored.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def from_text(content: str, *, name: str = "rows") -> tuple[Row, ...]:
    """The rows in JSON lines held in memory."""
    return tuple(parsed(io.BytesIO(content.encode()), name=name))


# ── How well positives stand above negatives ─────────────────────────────────────────────────────────────────────


def _ordered(scores: Floats, labels: Labels) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distinct scores, highest first, with how many positives and negatives score at least that."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores, sorted_labels = scores[order], labels[order]
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    positives = np.cumsum(sorted_labels, dtype=np.int64)[last]
    return sorted_scores[last], positives, last + 1 - positives


def auroc(scores: Floats, labels: Labels) -> float | None:
    """The chance that a positive scores above a negative, ties counting half. None without both."""
    if not labels.any() or labels.all():
        return None
    _, positives, negatives = _ordered(scores, labels)
    tpr = np.concatenate(([0.0], positives / positives[-1]))
    fpr = np.concatenate(([0.0], negatives / negatives[-1]))
    return float(np.trapezoid(tpr, fpr))


def average_precision(scores: Floats, labels: Labels) -> float | None:
    """Mean precision over the positives, in order of score: Σ (Rₖ - Rₖ₋₁) Pₖ, without interpolation."""
    if not labels.any():
        return None
    _, positives, negatives = _ordered(scores, labels)
    recall = positives / positives[-1]
    precision = positives / (positives + negatives)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at(scores: Floats, labels: Labels, false_positive_rate: float) -> float | None:
    """The highest recall of any threshold that flags at most this share of the negatives.

    None without both, and where there are too few negatives for one false alarm to stay within the rate: then
    the figure would only say how the single highest negative scored.
    """
    negatives_total = int((~labels).sum())
    if not labels.any() or negatives_total * false_positive_rate < 1:
        return None
    _, positives, negatives = _ordered(scores, labels)
    within = negatives <= negatives_total * false_positive_rate + 1e-9
    return float(positives[within].max(initial=0) / positives[-1])


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Counts and rates where everything at or above `threshold` is flagged. A rate over nothing is None."""

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float | None:
        """The share of what is flagged that should be."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of what should be flagged that is."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; 0 where nothing right was flagged though there was something."""
        return _share(
            2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives
        )

    @property
    def false_positive_rate(self) -> float | None:
        """The share of what should pass that is flagged."""
        return _share(self.false_positives, self.false_positives + self.true_negatives)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def at_threshold(scores: Floats, labels: Labels, threshold: float) -> AtThreshold:
    """What a threshold makes of the scores."""
    flagged = scores >= threshold
    return AtThreshold(
        threshold,
        int((flagged & labels).sum()),
        int((flagged & ~labels).sum()),
        int((~flagged & labels).sum()),
        int((~flagged & ~labels).sum()),
    )


# ── Whether a score means what it says ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram: `low` ≤ score < `high` (the last bar includes 1)."""

    low: float
    high: float
    count: int
    mean_score: float | None
    share_positive: float | None


def reliability(scores: Floats, labels: Labels, bins: int = BINS) -> tuple[Bin, ...]:
    """Bars of equal width over [0, 1]. Scores must be probabilities."""
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    result: list[Bin] = []
    for number in range(bins):
        inside = place == number
        count = int(inside.sum())
        result.append(
            Bin(
                number / bins,
                (number + 1) / bins,
                count,
                float(scores[inside].mean()) if count else None,
                float(labels[inside].mean()) if count else None,
            )
        )
    return tuple(result)


def calibration_error(scores: Floats, labels: Labels, bins: int = BINS) -> float | None:
    """Expected calibration error (Naeini et al., 2015): the bars' gaps, weighted by how many texts they hold."""
    if not len(scores):
        return None
    gaps = (
        bar.count * abs(bar.mean_score - bar.share_positive)
        for bar in reliability(scores, labels, bins)
        if bar.mean_score is not None and bar.share_positive is not None
    )
    return float(sum(gaps) / len(scores))


# ── How sure the figures are ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval. All None where the rows cannot support it."""

    value: float | None
    low: float | None = None
    high: float | None = None


def estimated(
    figure: Callable[[Floats, Labels], float | None],
    scores: Floats,
    labels: Labels,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """A figure and its percentile bootstrap interval, positives and negatives drawn apart.

    Drawing them apart keeps the share of positives, which the rows' maker chose and chance did not.
    """
    value = figure(scores, labels)
    if value is None or draws < 1:
        return Estimate(value)
    generator = np.random.default_rng(seed)
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(~labels)
    drawn: list[float] = []
    for _ in range(draws):
        chosen = np.concatenate(
            (
                positives[generator.integers(len(positives), size=len(positives))]
                if len(positives)
                else positives,
                negatives[generator.integers(len(negatives), size=len(negatives))]
                if len(negatives)
                else negatives,
            )
        )
        again = figure(scores[chosen], labels[chosen])
        if again is not None:
            drawn.append(again)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(value, float(low), float(high))


# ── Whether it points at the right place ─────────────────────────────────────────────────────────────────────────

Spans = Sequence[tuple[int, int, str]]


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """Precision, recall and F1 over spans; None where there is nothing to divide by."""

    precision: float | None
    recall: float | None
    f1: float | None
    expected: int
    found: int


def span_figures(
    expected: Iterable[Spans], found: Iterable[Spans], *, overlap: bool = False, typed: bool = True
) -> SpanFigures:
    """Span-level figures over texts, each given as its expected and its found spans.

    Exact: a span counts if start, end and (where `typed`) type agree. `overlap`: it counts if it shares a character
    with one of the other side, so a found span cut in two is not punished and neither is one too long. A span given
    twice counts once.
    """
    expected_total = found_total = expected_hit = found_hit = 0
    for wanted, given in zip(expected, found, strict=True):
        wanted_set = {span if typed else (span[0], span[1], "") for span in wanted}
        given_set = {span if typed else (span[0], span[1], "") for span in given}
        expected_total += len(wanted_set)
        found_total += len(given_set)
        if overlap:
            expected_hit += _touched(wanted_set, given_set)
            found_hit += _touched(given_set, wanted_set)
        else:
            both = len(wanted_set & given_set)
            expected_hit += both
            found_hit += both
    precision, recall = _share(found_hit, found_total), _share(expected_hit, expected_total)
    if precision is None and recall is None:
        f1 = None
    elif not precision or not recall:
        f1 = 0.0
    else:
        f1 = 2 * precision * recall / (precision + recall)
    return SpanFigures(precision, recall, f1, expected_total, found_total)


def _touched(spans: set[tuple[int, int, str]], others: set[tuple[int, int, str]]) -> int:
    """How many spans share a character with one of the others of their type; one pass over both, sorted."""
    count = 0
    for kind in {span[2] for span in spans}:
        ours = sorted((start, end) for start, end, of in spans if of == kind)
        theirs = sorted((start, end) for start, end, of in others if of == kind)
        # The furthest end among the others that begin before a place tells whether any reaches beyond it.
        starts = np.array([start for start, _ in theirs], dtype=np.int64)
        reach = (
            np.maximum.accumulate(np.array([end for _, end in theirs], dtype=np.int64)) if theirs else starts
        )
        for start, end in ours:
            before = int(np.searchsorted(starts, end))
            count += bool(before and reach[before - 1] > start)
    return count


# ── How fast it is ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a text takes at the median and at the 99th percentile, and megabytes (10⁶ bytes) a second."""

    p50: float | None
    p99: float | None
    megabytes_per_second: float | None


def speed(seconds: Floats, sizes: npt.NDArray[np.int64]) -> Speed:
    """Speed from the time each text took and its size in bytes of UTF-8."""
    total = float(seconds.sum())
    if not len(seconds) or total <= 0:
        return Speed(None, None, None)
    p50, p99 = np.percentile(seconds, (50, 99))
    return Speed(float(p50), float(p99), float(sizes.sum()) / total / 1e6)


# ── All of it ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What some rows say of one detector."""

    positives: int
    negatives: int
    auroc: Estimate
    average_precision: Estimate
    recall_at_1_percent: Estimate
    recall_at_01_percent: Estimate
    at_threshold: AtThreshold
    calibration_error: float | None
    reliability: tuple[Bin, ...]
    speed: Speed | None = None
    spans_exact: SpanFigures | None = None
    spans_overlap: SpanFigures | None = None


def evaluated(
    scores: Floats,
    labels: Labels,
    *,
    threshold: float,
    draws: int = DRAWS,
    seed: int = 0,
    timing: tuple[Floats, npt.NDArray[np.int64]] | None = None,
    spans: tuple[Sequence[Spans], Sequence[Spans]] | None = None,
) -> Evaluation:
    """Every figure for scores in [0, 1] and labels.

    `timing` is seconds and bytes for each text, `spans` the expected and the found ones. Raises InvalidInput for
    scores that are not finite or of another length than the labels.
    """
    if scores.shape != labels.shape or scores.ndim != 1:
        raise InvalidInput(
            f"there are {len(scores)} scores for {len(labels)} labels; give one score for each label"
        )
    if not np.isfinite(scores).all():
        raise InvalidInput(
            "a score is not a finite number; a detector that cannot answer has no score to evaluate"
        )

    def estimate(figure: Callable[[Floats, Labels], float | None]) -> Estimate:
        return estimated(figure, scores, labels, draws=draws, seed=seed)

    return Evaluation(
        positives=int(labels.sum()),
        negatives=int((~labels).sum()),
        auroc=estimate(auroc),
        average_precision=estimate(average_precision),
        recall_at_1_percent=estimate(lambda s, y: recall_at(s, y, 0.01)),
        recall_at_01_percent=estimate(lambda s, y: recall_at(s, y, 0.001)),
        at_threshold=at_threshold(scores, labels, threshold),
        calibration_error=calibration_error(scores, labels),
        reliability=reliability(scores, labels),
        speed=speed(*timing) if timing else None,
        spans_exact=span_figures(*spans) if spans else None,
        spans_overlap=span_figures(*spans, overlap=True) if spans else None,
    )
