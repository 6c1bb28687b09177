"""Toxicity: insults, hate, threats, obscenity, incitement to self-harm.

One linear head over the guard's n-grams, trained by tools/guard/train_output.py. It sees wording, not intent: it
knows many ways to quote, deny or report an insult, and will still take some of them for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.heads import looked, threshold_option, trained
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding

_MESSAGES = {
    "hate": "wording that degrades or threatens people for what they are",
    "insult": "wording that insults or demeans",
    "self-harm": "wording about harming oneself",
    "sexual": "sexually explicit wording",
    "violence": "wording that threatens or celebrates violence",
}


@dataclass(frozen=True, slots=True)
class Toxicity:
    """The detector. `given` is the policy's threshold; absent, the one chosen on held-out sources holds."""

    given: float | None = None
    name: str = "toxicity"
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    @property
    def threshold(self) -> float:
        """The probability from which a window is reported."""
        return trained(__name__).threshold if self.given is None else self.given

    def configured(self, options: dict[str, Any]) -> Toxicity:
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
                _MESSAGES.get(one.category, "abusive wording"),
                where=layer.passage.where,
                evidence={"words": list(one.words)},
            )
            for one in stretches
        )
        return Examination(findings, score)


TOXICITY = Toxicity()
