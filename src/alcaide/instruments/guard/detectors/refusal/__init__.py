"""Does an answer refuse, and did it have reason to?

A refusal is no danger; too many are a product that does not work. So a refusal is a note, and a refusal of a request
that nothing speaks against (`over-refusal`) a warning. What was asked comes from the context's `question`; without
it only the refusal is told.

Told by phrases of refusal at the beginning of an answer, in eleven languages; a phrase further down is a refusal of
a part. A letter that declines an invitation is not one: a phrase must speak of helping, answering, writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.harm import harm_probability
from alcaide.instruments.guard.detectors.heads import threshold_option
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding

OPENING = 240
"""Characters within which a phrase refuses the whole: an apology and a sentence or two."""

HARMLESS = 0.35
"""Probability of harm in the request below which a refusal has no visible reason."""

QUESTION = 20_000
"""Characters of the question that are judged; what is asked stands in them."""


def _shipped() -> tuple[tuple[Pattern, ...], dict[str, float]]:
    text = resources.files(__package__).joinpath("phrases.yaml").read_text(encoding="utf-8")
    entries = yaml.load(text, Loader=yaml.CSafeLoader)
    patterns = tuple(
        Pattern(one["rule"], one["regex"], tuple(one["anchors"]), before=one.get("before", 40), after=80)
        for one in entries
    )
    return patterns, {one["rule"]: float(one["worth"]) for one in entries}


PATTERNS, _WORTH = _shipped()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The detector. `threshold` is on the probability that the answer refuses."""

    threshold: float = 0.5
    name: str = "refusal"
    version: str = "1"
    patterns: Sequence[Pattern] = PATTERNS
    reads_guesses: bool = False

    def configured(self, options: dict[str, Any]) -> Refusal:
        """With `threshold` (0 to 1) from a policy."""
        given = threshold_option(self.name, options)
        return self if given is None else replace(self, threshold=given)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        """Combine the phrases found; those of one opening sentence support each other."""
        passage = layer.passage
        if not hits or layer.path or passage.direction != "out" or passage.role not in (None, "assistant"):
            return NOTHING
        lead = len(layer.text) - len(layer.text.lstrip())
        doubt = 1.0
        rules: set[str] = set()
        for hit in hits:
            worth = _WORTH[hit.rule]
            if hit.rule in rules:
                continue
            rules.add(hit.rule)
            early = hit.start - lead <= OPENING
            doubt *= 1.0 - worth * (1.0 if early else 0.45)
        score = 1.0 - doubt
        if score < self.threshold:
            return Examination((), score)
        first = hits[0]
        whole = first.start - lead <= OPENING
        finding = Finding(
            self.name,
            f"{self.name}/{'refused' if whole else 'partly-refused'}",
            "refusal",
            layer.span(first.start, max(hit.end for hit in hits if hit.start - first.start <= OPENING)),
            round(score, 4),
            "note",
            "the answer refuses" if whole else "the answer refuses a part of what was asked",
            where=passage.where,
        )
        if not context.question:
            return Examination((finding,), score)
        harm = _harm(context.question[:QUESTION])
        if harm >= HARMLESS:
            return Examination((finding,), score)
        over = replace(
            finding,
            rule=f"{self.name}/over-refusal",
            category="over-refusal",
            score=round(score * (1.0 - harm), 4),
            level="warning",
            message="the answer refuses a request that nothing speaks against",
            evidence={"harm_of_request": round(harm, 3)},
        )
        return Examination((finding, over), score)


@lru_cache(maxsize=256)
def _harm(question: str) -> float:
    return harm_probability(question)


REFUSAL = Refusal()
