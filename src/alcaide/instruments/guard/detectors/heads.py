"""A learned head as a detector uses it: the stretches of a text that it objects to, each with a probability.

Shared by the detectors whose weights tools/guard/train_output.py makes. The n-grams of a layer are hashed once for
all heads (`learned.ngrams`), so that another head costs one look-up per n-gram.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear, model_file, ngrams
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput

STRETCHES = 20
"""Stretches told of one layer; a text that has more has been understood."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A head with what was chosen on held-out scores: its calibration, its threshold and its window.

    `classes` has a row of word weights for each of `names`; it is asked only about what is reported.
    """

    head: linear.Head
    chunks: int
    slope: float
    intercept: float
    threshold: float
    names: tuple[str, ...]
    classes: npt.NDArray[np.int8]
    class_bias: npt.NDArray[np.float32]

    def probability(self, score: float) -> float:
        """A window's score as a probability."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.slope * score + self.intercept))))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters `start` to `end` of a layer, how likely they are what the head looks for, and of which category."""

    start: int
    end: int
    probability: float
    category: str
    words: tuple[str, ...]


@lru_cache(maxsize=8)
def trained(package: str) -> Trained:
    """The head that ships in a detector's package."""
    model = model_file.packaged(package, "weights.npz")
    header = model.header
    return Trained(
        linear.Head(tuple(header["groups"]), model.arrays["table"], float(header["scale"])),
        int(header["window"]),
        float(header["calibration"]["slope"]),
        float(header["calibration"]["intercept"]),
        model.threshold("report"),
        tuple(header["classes"]),
        model.arrays["classes"],
        model.arrays["class_bias"],
    )


def looked(layer: Layer, model: Trained, threshold: float) -> tuple[float, list[Stretch]]:
    """The highest probability of any window, and the windows at or above the threshold, none overlapping another."""
    reading = linear.read(layer, model.head)
    most = linear.highest(reading, model.head, model.chunks)
    if most is None:
        return 0.0, []
    highest = model.probability(most)
    if highest < threshold:
        return highest, []
    scores = linear.windows(reading, model.head, model.chunks)
    found: list[Stretch] = []
    order = np.argsort(-scores, kind="stable")
    last = len(reading.sums)
    taken = np.zeros(len(scores), dtype=np.bool_)
    for at in order[: 50 * STRETCHES].tolist():
        chance = model.probability(float(scores[at]))
        if chance < threshold or len(found) == STRETCHES:
            break
        if taken[at]:
            continue
        taken[max(0, at - model.chunks + 1) : at + model.chunks] = True
        window = linear.Window(
            int(reading.starts[at]), int(reading.stops[min(at + model.chunks, last) - 1]), float(scores[at])
        )
        start, end = layer.character(window.start), layer.character(window.stop)
        found.append(
            Stretch(
                start,
                end,
                chance,
                _category(layer, model, window),
                linear.contributing(layer, model.head, window),
            )
        )
    return highest, sorted(found, key=lambda one: one.start)


def _category(layer: Layer, model: Trained, window: linear.Window) -> str:
    total = model.class_bias.astype(np.float64)
    mask = model.classes.shape[1] - 1
    for block in ngrams.blocks(layer):
        if block.stop <= window.start or block.start >= window.stop or not block.words:
            continue
        begins, _ = block.word_places()
        low, high = np.searchsorted(begins, (window.start, window.stop))
        ids = np.unique(block.ids("w1")[low:high] & mask)
        total += model.classes[:, ids].sum(axis=1)
    return model.names[int(total.argmax())]


def threshold_option(name: str, options: dict[str, Any]) -> float | None:
    """The policy's `threshold`, None where it has none.

    Raises InvalidInput for anything but a number from 0 to 1, and for any other option.
    """
    found: float | None = None
    for key, value in options.items():
        if key != "threshold":
            raise InvalidInput(f"`{name}` has no option `{key}`; it takes `threshold`")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InvalidInput(
                f"option `threshold` of `{name}` cannot be `{value}`; give a number from 0 to 1"
            )
        found = float(value)
    return found


@dataclass(frozen=True, slots=True)
class HeadDetector:
    """A detector that is one head: what it reports is a stretch, its category, and the words that spoke for it.

    Attributes:
        name: of the detector.
        package: where its weights lie.
        messages: what is said of each category.
        otherwise: what is said of a category that has no message.
        given: the policy's threshold; absent, the one chosen on held-out sources holds.
    """

    name: str
    package: str
    messages: Mapping[str, str]
    otherwise: str
    given: float | None = None
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    @property
    def threshold(self) -> float:
        """The probability from which a window is reported."""
        return trained(self.package).threshold if self.given is None else self.given

    def configured(self, options: dict[str, Any]) -> HeadDetector:
        """With `threshold` (0 to 1) from a policy."""
        given = threshold_option(self.name, options)
        return self if given is None else replace(self, given=given)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Score every window of a few sentences; report those at or above the threshold."""
        score, stretches = looked(layer, trained(self.package), self.threshold)
        findings = tuple(
            Finding(
                self.name,
                f"{self.name}/{one.category}",
                one.category,
                layer.span(one.start, one.end),
                round(one.probability, 4),
                "warning",
                self.messages.get(one.category, self.otherwise),
                where=layer.passage.where,
                evidence={"words": list(one.words)},
            )
            for one in stretches
        )
        return Examination(findings, score)
