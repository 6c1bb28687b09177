"""National identifiers, by country pack; `recognise` says what a written number may be."""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

import ahocorasick_rs

from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate
from alcaide.instruments.guard.detectors.personal_data.identifiers.americas import AMERICAS
from alcaide.instruments.guard.detectors.personal_data.identifiers.asia_pacific import ASIA_PACIFIC
from alcaide.instruments.guard.detectors.personal_data.identifiers.europe_north_east import EUROPE_NORTH_EAST
from alcaide.instruments.guard.detectors.personal_data.identifiers.europe_south_west import EUROPE_SOUTH_WEST
from alcaide.instruments.guard.detectors.personal_data.identifiers.model import Identifier

IDENTIFIERS: tuple[Identifier, ...] = (*AMERICAS, *EUROPE_SOUTH_WEST, *EUROPE_NORTH_EAST, *ASIA_PACIFIC)
COUNTRIES = frozenset(one.country for one in IDENTIFIERS)

BEFORE, AFTER = 72, 28
"""How far from a number a word still speaks of it: a label stands before it, seldom after."""

_SHAPE = str.maketrans(string.digits + string.ascii_letters, "9" * 10 + "A" * 52)
_SEPARATORS = str.maketrans("", "", " -./+()|")

_MATCHING_COUNTRY = 0.25
"""What knowing that a text concerns a number's country adds to its score: about halves the doubt."""


def shape_of(written: str) -> str:
    """`AB 12-3` becomes `AA 99-9`."""
    return written.translate(_SHAPE)


@lru_cache(maxsize=64)
def pack(countries: frozenset[str]) -> dict[str, tuple[Identifier, ...]]:
    """Identifiers by shape. An empty set of countries means all; `EU` stands for what its members share."""
    by_shape: dict[str, list[Identifier]] = defaultdict(list)
    for one in IDENTIFIERS:
        if not countries or one.country in countries or (one.country == "EU" and countries & _EUROPEAN):
            for shape in one.shapes:
                by_shape[shape].append(one)
    return {shape: tuple(ones) for shape, ones in by_shape.items()}


LONGEST = max(len(shape) for one in IDENTIFIERS for shape in one.shapes)
"""Characters of the longest identifier, as it is written."""
_EUROPEAN = frozenset(one.country for one in (*EUROPE_SOUTH_WEST, *EUROPE_NORTH_EAST))


@lru_cache(maxsize=1024)
def _spoken(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words, as words: `tin` is not in `meeting`."""
    parts = []
    for word in sorted(words, key=len, reverse=True):
        head = r"\b" if word[0].isalnum() else ""
        tail = r"\b" if word[-1].isalnum() and len(word) <= 5 else ""
        parts.append(head + re.escape(word) + tail)
    return re.compile("|".join(parts))


@lru_cache(maxsize=1)
def _words() -> tuple[ahocorasick_rs.AhoCorasick, tuple[str, ...]]:
    """All words that any identifier goes by, looked for at once."""
    words = tuple(sorted({word for one in IDENTIFIERS for word in one.words}))
    return ahocorasick_rs.AhoCorasick(words, matchkind=ahocorasick_rs.MatchKind.Standard), words


def _said(before: str, after: str) -> set[str]:
    """Which of all identifiers' words stand before or after a number, be it within others."""
    automaton, words = _words()
    beside = f"{before}\n{after}"
    return {words[found] for found, _, _ in automaton.find_matches_as_indexes(beside, overlapping=True)}


def recognise(
    written: str,
    around: tuple[str, str],
    start: int,
    countries: frozenset[str],
    preferred: frozenset[str],
    *,
    least: float = 0.0,
) -> Iterable[Candidate]:
    """What the number `written` may be, given the lower-case text before and after it.

    `preferred` are the countries that the text is known to concern: their identifiers are believed on less. What
    scores below `least` is left out.
    """
    if len(written) > LONGEST:
        return
    shape = shape_of(written)
    ones = pack(countries).get(shape)
    if not ones:
        return
    compact = written.translate(_SEPARATORS).upper()
    before, after = around
    said = _said(before, after)
    formatted = len(compact) != len(written)
    for one in ones:
        word = None
        if said and not said.isdisjoint(one.words):
            word = _spoken(one.words).search(before) or _spoken(one.words).search(after)
        if word is None:
            if one.needs_word:
                continue
            score = one.formatted if formatted else one.plain
            if one.country in preferred:
                score = min(0.97, score + _MATCHING_COUNTRY)
            # Asked before the check, which is what takes time.
            if round(score, 4) < least or not (one.check is None or one.check(compact)):
                continue
            holds = True
        else:
            holds = one.check is None or one.check(compact)
            score = (0.9 if one.check is None else 0.98) if holds else one.unchecked
            if one.check is None and one.country in preferred:
                score += 0.05  # ahead of the number that could be any country's
            # The nearest word decides between identifiers of one shape that were all spoken of.
            nearest = _last(_spoken(one.words), before)
            score -= 0.0005 * min(BEFORE, len(before) - nearest)
            if round(score, 4) < least:
                continue
        yield Candidate(
            start,
            start + len(written),
            one.entity,
            one.entity.lower().replace("_", "-"),
            round(score, 4),
            _reason(one, holds, word is not None),
            one.level,
            evidence={"country": one.country, "checksum": _outcome(one, holds), "named": word is not None},
        )


def _last(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end


def _outcome(one: Identifier, holds: bool) -> str:
    if one.check is None:
        return "none"
    return "holds" if holds else "fails"


def _reason(one: Identifier, holds: bool, named: bool) -> str:
    said = f"looks like a {one.name}" if not named else f"is spoken of as a {one.name}"
    if one.check is None:
        return f"{said} and has its format"
    return f"{said} and its check digits hold" if holds else f"{said}, though its check digits do not hold"
