"""One probability that a text tries to take control of the model, with the place and the words that say so.

    1. Two learned heads score every window of the layer (`evidence.py`), signatures come from the shared pass.
    2. A first sum of these decides what is plainly harmless; for the rest a second one sees the structure of the
       strongest stretch as well (`combination.py`).
    3. Above the floor, signatures and the strongest window become findings, and the loudest words the reason.

The sums are fitted on sources that the heads behind them never saw. A probability of 0.5 is the shipped threshold:
the model card says what passes and what is caught there. A passage that a tool brought has sums of its own, since a
request is at home in a prompt and not in data.

Instructions in system and developer messages are where they belong: there only signatures count, weighed for it.
What shows only after decoding weighs more: who encodes an instruction does not want it read by people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.injection import combination, evidence, signatures
from alcaide.instruments.guard.detectors.injection.combination import Blend, Combination, Trees
from alcaide.instruments.guard.detectors.injection.evidence import Evidence
from alcaide.instruments.guard.detectors.injection.signatures import Sighting
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear, model_file
from alcaide.instruments.guard.learned.linear import Head, Pair, Window
from alcaide.instruments.guard.model import Context, Finding, Span
from alcaide.kernel.errors import InvalidInput

NAME: Final = "prompt-injection"
WEIGHTS: Final = "weights.npz"
TAXONOMY: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt-injection": ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0051"),
    "jailbreak": ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0054"),
}
SURE: Final = 0.6
"""What signatures are this sure of is not voted down: of 24,000 harmless development texts 0.1 % reach it, of those
made to look like attacks 1.3 %."""
FLOOR: Final = 0.3
"""Below this nothing is reported; the score is still given."""
DECODED: Final = 1.0
"""Added to the log-odds of what was encoded. Not learned: the training texts are in the clear."""
MOST: Final = 20
"""Findings of one layer; a text that repeats an attack a thousand times has been understood before."""
EACH: Final = 8
"""Hits of one signature that are weighed."""
_BLANK: Final = frozenset(" \n\t\r")


TREE_PARTS: Final = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class Sums:
    """The two sums for one kind of passage. Below `plain` the first has the last word.

    `below` and `above` stretch what comes out below and above the shipped threshold into log-odds.
    """

    first: Combination
    second: Blend
    plain: float
    below: float
    above: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The model: the heads *attack* and *request*, the one for the kind of attack, their intercepts, and the sums."""

    heads: Pair
    kind: Head
    biases: tuple[float, float, float]
    prompt: Sums
    data: Sums
    version: str


def weights_of(model: model_file.Model) -> Weights:
    """The weights in a model file. Raises InvalidInput for one made for other numbers than this release combines."""
    header, arrays = model.header, model.arrays
    if tuple(header["names"]) != (*combination.NAMES, *combination.STRUCTURE_NAMES):
        raise InvalidInput(
            f"model `{model.name}` {model.version} combines other numbers than this release does; train it again "
            "with `make train-guard`"
        )

    def head(name: str) -> Head:
        return Head(tuple(header["groups"]), arrays[name], float(header["heads"][name]["scale"]))

    def sums(name: str) -> Sums:
        constants = header["sums"][name]
        return Sums(
            Combination(arrays[f"{name}-first"], float(constants["first"])),
            Blend(
                Combination(arrays[f"{name}-second"], float(constants["second"])),
                Trees(
                    **{part: arrays[f"{name}-trees-{part}"] for part in TREE_PARTS},
                    base=float(constants["base"]),
                    depth=int(constants["depth"]),
                ),
            ),
            float(constants["plain"]),
            float(constants["below"]),
            float(constants["above"]),
        )

    attack, request, kind = (float(header["heads"][name]["bias"]) for name in ("attack", "request", "kind"))
    return Weights(
        heads=Pair(head("attack"), head("request")),
        kind=head("kind"),
        biases=(attack, request, kind),
        prompt=sums("prompt"),
        data=sums("data"),
        version=model.version,
    )


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The weights that come with this release."""
    return weights_of(model_file.packaged(__package__ or "", WEIGHTS))


def log_odds(layer: Layer, gathered: Evidence, seen: Sequence[Sighting], sums: Sums) -> float:
    """What the sums make of a layer: 0 is the shipped threshold."""
    values = combination.numbers(gathered, seen)
    odds = sums.first(values)
    if odds < sums.plain:
        odds = min(odds, combination.PLAINLY)
    else:
        odds = sums.second(np.concatenate((values, combination.structured(layer, gathered.attack))))
    odds *= sums.below if odds < 0 else sums.above
    known = signatures.combined(seen)
    return max(odds, math.log(known / (1 - known))) if known >= SURE else odds


@dataclass(frozen=True, slots=True)
class PromptInjection:
    """The detector `prompt-injection`. `floor` is the lowest probability that is reported."""

    floor: float = FLOOR

    @property
    def name(self) -> str:
        """`prompt-injection`."""
        return NAME

    @property
    def version(self) -> str:
        """The version of the weights."""
        return shipped().version

    @property
    def patterns(self) -> Sequence[Pattern]:
        """The signatures, for the shared pass."""
        return signatures.PATTERNS

    def configured(self, options: dict[str, Any]) -> PromptInjection:
        """With the policy's `floor`, a number from 0 to 1. Raises InvalidInput for anything else."""
        unknown = sorted(set(options) - {"floor"})
        if unknown:
            raise InvalidInput(f"`{NAME}` has no option `{unknown[0]}`; it has `floor`")
        floor = options.get("floor", self.floor)
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 1:
            raise InvalidInput(f"`{NAME}` has the floor `{floor}`; give a number from 0 to 1")
        return replace(self, floor=float(floor))

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        """The probability, and findings where it reaches the floor."""
        seen = signatures.sightings(layer, _few(hits))
        if layer.passage.trusted:
            if not seen:
                return NOTHING
            score = signatures.combined(seen)
            return Examination(signatures.findings(layer, seen, max(self.floor, signatures.SHOWN)), score)
        weights = shipped()
        gathered = evidence.gathered(layer, weights.heads, weights.biases[:2])
        if gathered is None:
            return NOTHING
        in_data = _in_data(layer)
        odds = log_odds(layer, gathered, seen, weights.data if in_data else weights.prompt)
        if layer.whole is not None:
            odds += DECODED
        score = 1 / (1 + math.exp(-max(-40.0, min(40.0, odds))))
        if score < self.floor:
            return Examination(score=score)
        return Examination(_findings(layer, weights, gathered, seen, score, in_data), score)


def _few(hits: Sequence[Hit]) -> Sequence[Hit]:
    """The first hits of each signature: a sum of evidence gains nothing from the tenth, and weighing one takes time."""
    if len(hits) <= EACH:
        return hits
    kept: dict[str, int] = {}
    few: list[Hit] = []
    for hit in hits:
        kept[hit.rule] = kept.get(hit.rule, 0) + 1
        if kept[hit.rule] <= EACH:
            few.append(hit)
    return few


def _in_data(layer: Layer) -> bool:
    """Whether the passage is something a model reads rather than somebody who may ask it something."""
    passage = layer.passage
    return passage.direction == "tool" or passage.kind in ("tool-result", "tool-description")


def _findings(
    layer: Layer,
    weights: Weights,
    gathered: Evidence,
    seen: Sequence[Sighting],
    score: float,
    in_data: bool,
) -> tuple[Finding, ...]:
    """Signatures where there are any, each no surer than the whole is; and the strongest window where none lies in it.

    The surest of the findings carries the probability of the layer, so that a policy sees it whichever it looks at.
    """
    window = gathered.request if gathered.attack.score < 0 < gathered.request.score else gathered.attack
    start, end = _trimmed(layer, window)
    told = sorted(signatures.findings(layer, seen), key=lambda one: -one.score)[:MOST]
    span = layer.span(start, end)
    overlapping = any(one.span.start < span.end and span.start < one.span.end for one in told)
    if not told or not overlapping or score > told[0].score + 0.3:
        told.insert(0, _learned(layer, weights, gathered, window, (start, end), score, in_data))
    evidence_of_all = {"indirect": in_data}
    return tuple(
        replace(
            one,
            score=score if place == 0 else min(score, one.score),
            level="error" if (score if place == 0 else min(score, one.score)) >= 0.5 else "warning",
            evidence={**one.evidence, **evidence_of_all},
        )
        for place, one in enumerate(told)
    )


def _learned(
    layer: Layer,
    weights: Weights,
    gathered: Evidence,
    window: Window,
    place: tuple[int, int],
    score: float,
    in_data: bool,
) -> Finding:
    head = weights.heads.second if window is gathered.request else weights.heads.first
    words = linear.contributing(layer, head, window)
    category = "jailbreak" if not in_data and _leans_to_jailbreak(layer, weights) else "prompt-injection"
    return Finding(
        detector=NAME,
        rule=f"{NAME}/learned",
        category=category,
        span=layer.span(*place),
        score=score,
        level="warning",
        message=_message(category, in_data, words),
        where=layer.passage.where,
        layers=layer.path,
        layer_span=Span(*place) if layer.path else None,
        taxonomy=TAXONOMY[category],
        evidence={
            "words": list(words),
            "attack": round(gathered.attack.score, 3),
            "request": round(gathered.request.score, 3),
        },
    )


def _leans_to_jailbreak(layer: Layer, weights: Weights) -> bool:
    reading = linear.read(layer, weights.kind)
    total = weights.kind.scale * float(reading.sums.sum()) / float(reading.sizes.sum()) ** 0.5
    return bool(total + weights.biases[2] > 0)


def _message(category: str, in_data: bool, words: Sequence[str]) -> str:
    if in_data:
        what = "reads like an instruction to the model inside data"
    elif category == "jailbreak":
        what = "reads like an attempt to talk the model out of its rules"
    else:
        what = "reads like an instruction that replaces the model's own"
    quoted = ", ".join(f"`{word}`" for word in words[:3])
    return f"{what}; what speaks for it most: {quoted}" if quoted else what


def _trimmed(layer: Layer, window: Window) -> tuple[int, int]:
    """The window in characters of the layer, cut back to whole words."""
    text = layer.text
    first, end = layer.character(window.start), layer.character(window.stop)
    start = first
    if start and text[start - 1] not in _BLANK:
        while start < end and text[start] not in _BLANK and start - first < 24:
            start += 1
    while start < end and text[start] in _BLANK:
        start += 1
    while end > start and text[end - 1] in _BLANK:
        end -= 1
    return (start, end) if start < end else (first, layer.character(window.stop))
