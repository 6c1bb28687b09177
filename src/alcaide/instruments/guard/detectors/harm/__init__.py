"""Harmful requests: somebody asks for what would hurt somebody.

One linear head over the guard's n-grams, trained by tools/guard/train_output.py on harmful requests and on harmless
ones that share their words ("kill a process"). A request dressed as a story or spread over several messages can
escape it; the injection detector looks for the dressing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.heads import looked, threshold_option, trained
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.model import Context, Finding, Passage

_MESSAGES = {
    "advice": "asks for individual advice of a kind that professionals are licensed to give",
    "crime": "asks for help with a crime",
    "cyber": "asks for help to break into or damage computers",
    "drugs": "asks for help with illegal drugs",
    "fraud": "asks for help to deceive somebody out of money",
    "hate": "asks for content that degrades people",
    "misinformation": "asks for content made to mislead",
    "privacy": "asks for what intrudes on somebody's privacy",
    "self-harm": "asks about harming oneself",
    "sexual": "asks for sexual content",
    "theft": "asks for help to take what belongs to others",
    "violence": "asks for help to hurt people",
    "weapons": "asks for help with weapons",
}


@dataclass(frozen=True, slots=True)
class Harm:
    """The detector. `given` is the policy's threshold; absent, the one chosen on held-out sources holds."""

    given: float | None = None
    name: str = "harm"
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    @property
    def threshold(self) -> float:
        """The probability from which a window is reported."""
        return trained(__name__).threshold if self.given is None else self.given

    def configured(self, options: dict[str, Any]) -> Harm:
        """With `threshold` (0 to 1) from a policy."""
        given = threshold_option(self.name, options)
        return self if given is None else replace(self, given=given)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Score every window of a few sentences; report those at or above the threshold."""
        score, stretches = looked(layer, trained(__name__), self.threshold)
        findings = tuple(
            Finding(
                self.name,
                f"{self.name}/{one.category}",
                one.category,
                layer.span(one.start, one.end),
                round(one.probability, 4),
                "warning",
                _MESSAGES.get(one.category, "a request for something harmful"),
                where=layer.passage.where,
                evidence={"words": list(one.words)},
            )
            for one in stretches
        )
        return Examination(findings, score)


HARM = Harm()


def harm_probability(text: str) -> float:
    """How likely a text by itself is a harmful request: for detectors that need to know what was asked."""
    score, _ = looked(as_written(Passage(text)), trained(__name__), 2.0)
    return score
