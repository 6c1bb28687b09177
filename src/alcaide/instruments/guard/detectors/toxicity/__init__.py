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
    """The detector. `threshold` is a probability; absent, the one chosen on held-out sources."""

    threshold: float | None = None
    name: str = "toxicity"
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    def configured(self, options: dict[str, Any]) -> Toxicity:
        """With `threshold` (0 to 1) from a policy."""
        return replace(self, threshold=threshold_option(self.name, options, self.threshold))

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Score every window of a few sentences; report those at or above the threshold."""
        model = trained(__name__)
        limit = model.threshold if self.threshold is None else self.threshold
        score, stretches = looked(layer, model, limit)
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
