"""Which sentences of an answer do its sources not bear out?

Looks at answers (passages going out) when the exchange has sources or further samples of the same answer. With
neither there is nothing to compare with: nothing is said, and `lacking` says what to hand over.

The answer's score is the probability that something in it is unsupported. Every sentence that is itself more likely
unsupported than the threshold becomes a finding, and so does the number, name, date or opposite in it that gives it
away. What is *true* is not asked: a statement that the sources do not make is unsupported, however true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from alcaide.instruments.guard.detector import NOTHING, Examination
from alcaide.instruments.guard.detectors.groundedness.features import NAMES, Support, compare, is_name
from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.model import model
from alcaide.instruments.guard.detectors.groundedness.sources import Sources
from alcaide.instruments.guard.detectors.groundedness.vocabulary import FOUND
from alcaide.instruments.guard.detectors.groundedness.words import CALENDAR, Token
from alcaide.instruments.guard.model import Context, Finding, Passage, Span
from alcaide.kernel.errors import InvalidInput, TooLarge

ANSWER_CHARACTERS = 60_000
SOURCE_CHARACTERS = 4_000_000
WORK = 8_000_000_000
"""Characters of the answer times characters of the sources that are compared at most: some seconds of one core."""
SAMPLES = 20
TELLING = 0.75
"""Share of the threshold that is enough where a number, name, date or opposite gives the sentence away."""

TAXONOMY = ("owasp-llm:2025/LLM09",)


@dataclass(frozen=True, slots=True)
class Groundedness:
    """The detector. `threshold` is on a sentence's probability of being unsupported."""

    threshold: float = 0.5
    most: int = 50
    name: str = "groundedness"
    version: str = "1"

    def configured(self, options: dict[str, Any]) -> Groundedness:
        """With `threshold` (0 to 1) and `most` (findings of an answer, 1 to 1000) from a policy."""
        found = self
        for key, value in options.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if key == "threshold" and number and 0 <= value <= 1:
                found = replace(found, threshold=float(value))
            elif key == "most" and isinstance(value, int) and number and 1 <= value <= 1000:
                found = replace(found, most=value)
            elif key in ("threshold", "most"):
                raise InvalidInput(
                    f"option `{key}` of `groundedness` cannot be `{value}`; give a number "
                    f"{'from 0 to 1' if key == 'threshold' else 'from 1 to 1000'}"
                )
            else:
                raise InvalidInput(f"`groundedness` has no option `{key}`; it takes `threshold` and `most`")
        return found

    @staticmethod
    def lacking(context: Context) -> str | None:
        """What an answer cannot be checked for want of; None where it can."""
        if context.sources or context.samples:
            return None
        return (
            "needs the sources that the answer stands on, or other samples of it; give `sources` or `samples`"
        )

    def examine_exchange(self, passages: Sequence[Passage], context: Context) -> Examination:
        """Compare every answer with the sources, or with the samples where there are no sources.

        Raises TooLarge where comparing would take too long; the guard then says Unknown, never clean.
        """
        if self.lacking(context):
            return NOTHING
        answers = [one for one in passages if one.direction == "out" and one.role in (None, "assistant")]
        answers = [one for one in answers if one.kind in ("text", "message") and one.text.strip()]
        if not answers:
            return NOTHING
        _bounded(answers, context)
        findings: list[Finding] = []
        score = 0.0
        sources = tuple(text for text in context.sources if text.strip())
        prepared = Sources(sources) if sources else None
        for answer in answers:
            if prepared is not None:
                support = compare(answer.text, prepared, context.question)
                logits = model().sentences(support.rows) if len(support.rows) else np.zeros(0)
                whole = model().answer(logits) if len(logits) else 0.0
                chances = [model().chance(float(logit)) for logit in logits]
            else:
                support, chances = _agreement(answer.text, context)
                whole = max(chances, default=0.0)
            score = max(score, whole)
            findings.extend(self._findings(answer, support, chances, sampled=prepared is None))
        findings.sort(key=lambda one: -one.score)
        return Examination(tuple(findings[: self.most]), score)

    def _findings(
        self, answer: Passage, support: Support, chances: list[float], *, sampled: bool
    ) -> list[Finding]:
        found: list[Finding] = []
        against = "other samples of this answer" if sampled else "the sources"
        for line, (sentence, chance) in enumerate(zip(support.sentences, chances, strict=True)):
            told = [
                (support.tokens[at], *one)
                for at in range(sentence.low, sentence.high)
                if (one := _particular(support, at, against)) is not None
            ]
            if chance < self.threshold * (TELLING if told else 1.0):
                continue
            missing = sorted(
                {
                    answer.text[token.start : token.end]
                    for at, token in enumerate(support.tokens[sentence.low : sentence.high], sentence.low)
                    if support.anywhere[at] < FOUND
                }
            )[:8]
            found.append(
                Finding(
                    self.name,
                    f"{self.name}/sentence",
                    "unsupported",
                    Span(sentence.start, sentence.end),
                    round(chance, 4),
                    "warning",
                    f"{against} do not bear this statement out",
                    where=answer.where,
                    taxonomy=TAXONOMY,
                    evidence={
                        "not_found": missing,
                        "covered": round(float(support.rows[line][NAMES.index("soft")]), 3),
                    },
                )
            )
            found.extend(
                Finding(
                    self.name,
                    f"{self.name}/{rule}",
                    "unsupported",
                    Span(token.start, token.end),
                    round(chance, 4),
                    "warning",
                    message,
                    where=answer.where,
                    taxonomy=TAXONOMY,
                )
                for token, rule, message in told
            )
        return found


def _particular(support: Support, at: int, against: str) -> tuple[str, str] | None:
    """The rule and the message for one token that gives a sentence away; None for any other."""
    token: Token = support.tokens[at]
    value = support.anywhere[at]
    if at in support.opposed:
        return "opposite", f"{against} say the opposite of this word"
    if np.isnan(value) or value >= FOUND:
        return None
    if token.number:
        return "number", f"{against} do not state this number"
    if token.lower in CALENDAR:
        return "date", f"{against} do not state this date"
    if is_name(token, lexicon().number(token.lower, token.stem)):
        return "name", f"{against} do not mention this name"
    return None


def _bounded(answers: list[Passage], context: Context) -> None:
    length = sum(len(one.text) for one in answers)
    given = sum(map(len, context.sources)) or sum(map(len, context.samples[:SAMPLES]))
    if length > ANSWER_CHARACTERS or given > SOURCE_CHARACTERS or length * given > WORK:
        raise TooLarge(
            f"an answer of {length} characters cannot be compared with {given} characters of sources in "
            "reasonable time; check it in parts, each with the sources it stands on"
        )


def _agreement(answer: str, context: Context) -> tuple[Support, list[float]]:
    """How likely each sentence is unsupported by a further sample, averaged over the samples.

    What a model knows it says again; what it made up comes out differently each time (Manakul et al., SelfCheckGPT,
    EMNLP 2023). So each sample is taken for a source.
    """
    supports = [
        compare(answer, Sources((sample,)), context.question)
        for sample in context.samples[:SAMPLES]
        if sample.strip()
    ]
    if not supports:
        raise InvalidInput(
            "the sources, or the samples, hold no text; give the texts that the answer stands on, or leave them out"
        )
    chances = np.mean(
        [[model().chance(float(logit)) for logit in model().sentences(one.rows)] for one in supports], axis=0
    )
    best = np.fmax.reduce([one.anywhere for one in supports])
    return replace(supports[0], anywhere=best, opposed=frozenset()), [float(chance) for chance in chances]


GROUNDEDNESS = Groundedness()
