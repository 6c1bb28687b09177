"""Personal data in a text: one entity a span, each with how sure the detector is and why.

    1. Hits of the shared pattern pass: labels with their values, web addresses, special categories, spelt-out e-mail.
    2. The block's own marks, found in whole-array steps: clusters of digits, `@`, colons. Only there regular
       expressions, checksums and numbering plans are asked.
    3. The learned tagger: names of persons, places and organisations, postal addresses.
    4. What overlaps is settled: the containing kind first, then the surer, then the longer.

A text without any of these marks costs a few array steps. Everything is linear in the text: windows are bounded, a
long text is read in blocks that overlap, and findings are capped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data import contact, dates, labelled, network, special
from alcaide.instruments.guard.detectors.personal_data.candidate import (
    Candidate,
    addresses_cut,
    without_overlaps,
)
from alcaide.instruments.guard.detectors.personal_data.identifiers import COUNTRIES
from alcaide.instruments.guard.detectors.personal_data.labels import class_of
from alcaide.instruments.guard.detectors.personal_data.numbers import numbers
from alcaide.instruments.guard.detectors.personal_data.reading import Reading
from alcaide.instruments.guard.detectors.personal_data.tagger.model import tag
from alcaide.instruments.guard.detectors.personal_data.tokens import Where
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Span
from alcaide.kernel.errors import InvalidInput

_BLOCK = 1 << 16
"""Characters looked at together: arrays of this size stay in a core's second-level cache."""
_BEHIND, _AHEAD = 256, 512
"""How far a block looks beyond its own characters, so that nothing is cut at its edge."""

FINDINGS = 5000
"""A layer with more entities than this is a register, and known as one by then."""

TAXONOMY = ("owasp-llm:2025/LLM02",)
_SPECIAL = frozenset(
    {
        "MEDICAL_CONDITION",
        "RELIGION",
        "SEXUAL_ORIENTATION",
        "POLITICAL_OPINION",
        "TRADE_UNION_MEMBERSHIP",
        "ETHNICITY",
    }
)

_PATTERNS: tuple[Pattern, ...] = (
    contact.OBFUSCATED,
    network.URL,
    dates.DAYS,
    dates.CLOCK,
    *labelled.PATTERNS,
    *special.PATTERNS,
)
_SPECIAL_RULES = frozenset(pattern.rule for pattern in special.PATTERNS)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The detector `personal-data`, with its options.

    Attributes:
        threshold: least score of a finding that is reported.
        countries: country packs to look in, ISO 3166-1 alpha-2; none named means all.
        home: countries that texts are known to concern, believed on less; `Context.countries` adds to them.
        entities: kinds to report; none named means all.
        without: kinds not to report.
        names: whether to run the tagger.
    """

    threshold: float = 0.5
    countries: frozenset[str] = frozenset()
    home: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    names: bool = True

    @property
    def name(self) -> str:
        """How policies call it."""
        return "personal-data"

    @property
    def version(self) -> str:
        """Changes with every change of what it finds."""
        return "1.0.0"

    @property
    def patterns(self) -> Sequence[Pattern]:
        """What it wants found in the shared pass."""
        return _PATTERNS

    @property
    def reads_guesses(self) -> bool:
        """Leet, rot13 and the like spell sentences, not names and numbers."""
        return False

    @staticmethod
    def label_of(label: str) -> str | None:
        """The class under which a category, or an annotated set's own label, is compared; None for not at all."""
        return class_of(label)

    def configured(self, options: dict[str, Any]) -> PersonalData:
        """The detector with a policy's options."""
        changes: dict[str, Any] = {}
        for option, value in options.items():
            match option:
                case "threshold":
                    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
                        raise InvalidInput(
                            f"option `threshold` of `personal-data` is `{value}`; give a number above 0 and at most 1"
                        )
                    changes[option] = float(value)
                case "names":
                    if not isinstance(value, bool):
                        raise InvalidInput(
                            f"option `names` of `personal-data` is `{value}`; give true or false"
                        )
                    changes[option] = value
                case "countries" | "home":
                    changes[option] = _countries(option, value)
                case "entities" | "without":
                    changes[option] = frozenset(_words(option, value))
                case _:
                    raise InvalidInput(
                        f"`personal-data` has no option `{option}`; it has threshold, countries, home, entities, "
                        "without and names"
                    )
        return replace(self, **changes)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        """Every entity of a layer at or above the threshold."""
        candidates = list(_of_hits(hits, layer))
        named = frozenset(country.upper() for country in context.countries)
        where = Where(self.countries, self.home | named | self.countries)
        for start, reading in blocks(layer):
            for one in self._of_block(reading, where):
                candidates.append(
                    replace(one, start=one.start + start, end=one.end + start) if start else one
                )
                if len(candidates) > 4 * FINDINGS:
                    break
        if not candidates:
            return NOTHING
        chosen = [one for one in candidates if self._wanted(one.entity)]
        score = max((one.score for one in chosen if one.level != "note"), default=0.0)
        chosen = addresses_cut([one for one in chosen if one.score >= self.threshold], layer.text)
        kept = without_overlaps(chosen)
        return Examination(tuple(self._finding(one, layer) for one in kept[:FINDINGS]), score)

    def _wanted(self, entity: str) -> bool:
        return (not self.entities or entity in self.entities) and entity not in self.without

    def _of_block(self, reading: Reading, where: Where) -> Iterator[Candidate]:
        yield from numbers(reading, where)
        if "@" in reading.text:
            yield from contact.emails(reading)
            for at in reading.handles:
                one = labelled.handle(reading.lower, at)
                if one is not None:
                    yield one
        if reading.colons:
            yield from network.colon_addresses(reading)
        if self.names:
            yield from tag(reading)

    def _finding(self, one: Candidate, layer: Layer) -> Finding:
        span = layer.span(one.start, one.end)
        return Finding(
            detector=self.name,
            rule=f"{self.name}/{one.rule}",
            category=one.entity,
            span=span,
            score=one.score,
            level=one.level,
            message=f"{one.reason[0].upper()}{one.reason[1:]}.",
            where=layer.passage.where,
            layers=layer.path,
            layer_span=Span(one.start, one.end) if layer.path else span,
            taxonomy=(*TAXONOMY, special.ARTICLE_9) if one.entity in _SPECIAL else TAXONOMY,
            entity=one.entity,
            evidence=one.evidence,
        )


def _of_hits(hits: Iterable[Hit], layer: Layer) -> Iterator[Candidate]:
    for hit in hits:
        match hit.rule:
            case "email-obfuscated":
                one = contact.obfuscated_email(hit, layer.lower)
            case "url":
                one = network.url(hit, layer.lower)
            case "weekday":
                one = dates.weekday(hit)
            case "clock":
                one = dates.clock(hit)
            case rule if rule in _SPECIAL_RULES:
                one = special.special(hit)
            case _:
                one = labelled.labelled(hit, layer.text, layer.lower)
        if one is not None:
            yield one


def blocks(layer: Layer) -> Iterator[tuple[int, Reading]]:
    """The layer in pieces, each with the offset it starts at. Neighbours overlap, so that an entity is whole in one."""
    text, lower = layer.text, layer.lower
    if len(text) <= _BLOCK + _AHEAD:
        yield 0, Reading(text, lower)
        return
    for start in range(0, len(text), _BLOCK):
        low, high = max(0, start - _BEHIND), min(len(text), start + _BLOCK + _AHEAD)
        yield low, Reading(text[low:high], lower[low:high])


def _words(option: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise InvalidInput(f"option `{option}` of `personal-data` is `{value}`; give a list of words")
    return [one.upper() for one in value]


def _countries(option: str, value: Any) -> frozenset[str]:
    words = _words(option, value)
    unknown = [one for one in words if one not in COUNTRIES]
    if unknown:
        raise InvalidInput(
            f"option `{option}` of `personal-data` names `{unknown[0]}`, for which there is no country pack; "
            f"there are {', '.join(sorted(COUNTRIES))}"
        )
    return frozenset(words)
