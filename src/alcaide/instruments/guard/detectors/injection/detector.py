"""One probability that a text tries to take control of the model, with the place and the words that say so.

    1. The two learned heads score every window of the layer (`evidence.py`).
    2. A small logistic combination turns them, and whether the passage is data or a prompt, into a probability.
    3. Above the floor, the strongest window becomes the span, and the loudest words the reason.

The combination and the probability are fitted on sources that the heads behind them never saw. A probability of 0.5
is the shipped threshold: the model card says what passes and what is caught there.

Instructions in system and developer messages are where they belong, so trusted passages are not looked at. What
shows only after decoding weighs more: who encodes an instruction does not want it read by people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.injection import evidence
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear, model_file
from alcaide.instruments.guard.learned.linear import Head, Window
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput

NAME: Final = "prompt-injection"
WEIGHTS: Final = "weights.npz"
TAXONOMY: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt-injection": ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0051"),
    "jailbreak": ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0054"),
}
FLOOR: Final = 0.3
"""Below this nothing is reported; the score is still given."""
DECODED: Final = 1.0
"""Added to the log-odds of what was encoded: nobody encodes a harmless sentence to a model in one prompt in three."""
_BORDER: Final = frozenset(" \n\t\r")


@dataclass(frozen=True, slots=True)
class _Weights:
    attack: Head
    request: Head
    kind: Head
    biases: tuple[float, float, float]
    mean: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    prompt: npt.NDArray[np.float64]
    data: npt.NDArray[np.float64]
    version: str


def _head(arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any], name: str) -> Head:
    described = header["heads"][name]
    return Head(tuple(described["groups"]), arrays[name], float(described["scale"]))


@lru_cache(maxsize=1)
def _weights() -> _Weights:
    model = model_file.packaged(__package__ or "", WEIGHTS)
    header, arrays = model.header, model.arrays
    heads = header["heads"]
    return _Weights(
        attack=_head(arrays, header, "attack"),
        request=_head(arrays, header, "request"),
        kind=_head(arrays, header, "kind"),
        biases=(
            float(heads["attack"]["bias"]),
            float(heads["request"]["bias"]),
            float(heads["kind"]["bias"]),
        ),
        mean=arrays["mean"],
        spread=arrays["spread"],
        prompt=arrays["prompt"],
        data=arrays["data"],
        version=model.version,
    )


@dataclass(frozen=True, slots=True)
class PromptInjection:
    """The detector `prompt-injection`. `floor` is the lowest score that is reported."""

    floor: float = FLOOR

    @property
    def name(self) -> str:
        """`prompt-injection`."""
        return NAME

    @property
    def version(self) -> str:
        """The version of the weights."""
        return _weights().version

    @property
    def patterns(self) -> Sequence[Pattern]:
        """The signatures, for the shared pass."""
        return ()

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
        """The probability, and a finding where it reaches the floor."""
        if layer.passage.trusted or not layer.text:
            return NOTHING
        weights = _weights()
        found = evidence.gathered(layer, weights.attack, weights.request, weights.biases[:2])
        if found is None:
            return NOTHING
        in_data = _in_data(layer)
        combination = weights.data if in_data else weights.prompt
        values = (found.values - weights.mean) / weights.spread
        logit = float(values @ combination[:-1] + combination[-1])
        if _decoded(layer):
            logit += DECODED
        score = 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))
        if score < self.floor:
            return Examination(score=score)
        return Examination((_finding(layer, weights, found, score, in_data),), score)


def _in_data(layer: Layer) -> bool:
    """Whether the passage is something a model reads rather than somebody who may ask it something."""
    passage = layer.passage
    return passage.direction == "tool" or passage.kind in ("tool-result", "tool-description")


def _decoded(layer: Layer) -> bool:
    return layer.whole is not None


def _finding(
    layer: Layer, weights: _Weights, found: evidence.Evidence, score: float, in_data: bool
) -> Finding:
    by_request = found.attack.score < 0 and found.request.score > 0
    window = found.request if by_request else found.attack
    start, end = _trimmed(layer, window)
    words = linear.contributing(layer, weights.request if by_request else weights.attack, window)
    category = "prompt-injection"
    if not in_data:
        leaning = linear.read(layer, weights.kind)
        size = float(leaning.sizes.sum())
        if weights.kind.scale * float(leaning.sums.sum()) / size**0.5 + weights.biases[2] > 0:
            category = "jailbreak"
    return Finding(
        detector=NAME,
        rule=f"{NAME}/learned",
        category=category,
        span=layer.span(start, end),
        score=score,
        level="error" if score >= 0.5 else "warning",
        message=_message(category, in_data, words),
        where=layer.passage.where,
        layers=layer.path,
        layer_span=None if not layer.path else layer_span(start, end),
        taxonomy=TAXONOMY[category],
        evidence={
            "words": list(words),
            "indirect": in_data,
            "attack": round(found.attack.score, 3),
            "request": round(found.request.score, 3),
        },
    )


def layer_span(start: int, end: int) -> Any:
    from alcaide.instruments.guard.model import Span

    return Span(start, end)


def _message(category: str, in_data: bool, words: Sequence[str]) -> str:
    what = {
        "jailbreak": "reads like an attempt to talk the model out of its rules",
        "prompt-injection": "reads like an instruction that replaces the model's own",
    }[category]
    if in_data:
        what = "reads like an instruction to the model inside data"
    quoted = ", ".join(f"`{word}`" for word in words[:3])
    return f"{what}; what speaks for it most: {quoted}" if quoted else what


def _trimmed(layer: Layer, window: Window) -> tuple[int, int]:
    """The window in characters of the layer, cut back to whole words."""
    text = layer.text
    start, end = layer.character(window.start), layer.character(window.stop)
    if start and text[start - 1] not in _BORDER:
        while start < end and text[start] not in _BORDER and start - layer.character(window.start) < 24:
            start += 1
    while start < end and text[start] in _BORDER:
        start += 1
    while end > start and text[end - 1] in _BORDER:
        end -= 1
    return start, end
