"""The distinct meaningful words of an answer, each compared once with each distinct word of the sources.

What two words have in common, strongest first: the same stem (1), the same value with another unit (0.8 to 0.9), a
synonym (0.9), a wider word (0.8), a spelling that differs in its ending (0.75), a near meaning (up to 0.6). Sisters
("red", "blue") are near in meaning and yet say something else: at most 0.25; opposites nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import Floats, Lexicon, lexicon
from alcaide.instruments.guard.detectors.groundedness.sources import Ints, Sources
from alcaide.instruments.guard.detectors.groundedness.words import STOPWORDS, SYMBOLS, Token

NEAR = 0.5
"""Cosine below which two words have nothing to do with each other, as judged on the lexicon's own vectors."""

FOUND = 0.7
"""From this on a word of the answer counts as said by the sources."""

PLACES = 400
"""Places of one word that are looked at when asking what stands near what."""


@dataclass(slots=True)
class Vocabulary:
    """All arrays have one entry a word. `place` finds a word by its stem; `similar` has a column a source word.

    `best` is the largest of a word's row; `places` where in the sources it is said; `opposite` the source words
    that oppose it; `near` the cosine of the nearest source word; `sister` whether a sister stands there.
    """

    place: dict[str, int]
    stems: list[str]
    weight: list[float]
    number: Ints
    local: Ints
    similar: Floats
    best: list[float]
    near: list[float]
    sister: npt.NDArray[np.bool_]
    opposite: dict[int, list[int]]
    places: list[list[int]]


def vocabulary(tokens: list[Token], sources: Sources) -> Vocabulary:
    """Compare an answer's words with the sources'."""
    known = lexicon()
    surfaces: dict[str, str] = {}
    for token in tokens:
        if token.lower not in STOPWORDS and token.lower[0] not in SYMBOLS:
            surfaces.setdefault(token.stem, token.lower)
    stems = list(surfaces)
    number: Ints = np.array([known.number(word, base) for base, word in surfaces.items()], dtype=np.int32)
    local: Ints = np.array([sources.local.get(base, -1) for base in stems], dtype=np.int32)
    size = len(sources.stems)
    similar: Floats = np.zeros((len(stems), size), dtype=np.float32)
    near: Floats = np.zeros(len(stems), dtype=np.float32)
    sister = np.zeros(len(stems), dtype=np.bool_)
    opposite: dict[int, list[int]] = {}
    if stems and size:
        mine = np.flatnonzero(number >= 0)
        theirs = np.flatnonzero((sources.numbers >= 0) & sources.content)
        if len(mine) and len(theirs):
            cosine = known.vectors[number[mine]] @ known.vectors[sources.numbers[theirs]].T
            near[mine] = cosine.max(axis=1)
            rows, columns = _where(cosine > NEAR)
            worth = (cosine[rows, columns] - np.float32(NEAR)) * np.float32(1.2)
            similar[mine[rows], theirs[columns]] = np.minimum(worth, np.float32(0.6))
        _relate(similar, opposite, sister, number, local, sources, known)
        _spelled(similar, stems, local, sources)
    return Vocabulary(
        {base: at for at, base in enumerate(stems)},
        stems,
        known.rarities(number),
        number,
        local,
        similar,
        similar.max(axis=1).tolist() if size and stems else [0.0] * len(stems),
        near.tolist(),
        sister,
        opposite,
        _places(similar, sources) if size else [[] for _ in stems],
    )


def _where(table: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of what is true: some times quicker than `nonzero` where little is."""
    flat = np.flatnonzero(table)
    rows, columns = np.divmod(flat, table.shape[1])
    return rows, columns


def _relate(
    similar: Floats,
    opposite: dict[int, list[int]],
    sister: npt.NDArray[np.bool_],
    number: Ints,
    local: Ints,
    sources: Sources,
    known: Lexicon,
) -> None:
    """Add what WordNet says of the words that are not in the sources as they stand."""
    lost = np.flatnonzero((number >= 0) & (local < 0))
    theirs = np.flatnonzero(sources.numbers >= 0)
    if not len(lost) or not len(theirs):
        return
    column = np.full(len(known.index), -1, dtype=np.int32)
    column[known.lemma[sources.numbers[theirs]]] = theirs
    column[sources.numbers[theirs]] = theirs

    def related(relation: str) -> tuple[npt.NDArray[np.intp], Ints]:
        heads, tails = known.pairs(relation, number[lost])
        columns = column[tails]
        there = columns >= 0
        return lost[heads[there]], columns[there]

    rows, columns = related("sister")
    similar[rows, columns] = np.minimum(similar[rows, columns], np.float32(0.25))
    sister[rows] = True
    for relation, worth in (("wider", 0.8), ("same", 0.9)):
        rows, columns = related(relation)
        similar[rows, columns] = np.maximum(similar[rows, columns], np.float32(worth))
    rows, columns = related("opposite")
    similar[rows, columns] = 0.0
    for row, at in zip(rows.tolist(), columns.tolist(), strict=True):
        opposite.setdefault(row, []).append(at)


def _spelled(similar: Floats, stems: list[str], local: Ints, sources: Sources) -> None:
    """Add the same word, the same value, and spellings that differ in their ending."""
    here = np.flatnonzero(local >= 0)
    similar[here, local[here]] = 1.0
    for at in np.flatnonzero(local < 0).tolist():
        base = stems[at]
        if base[0].isdigit():
            if base in sources.values:
                similar[at] = np.maximum(similar[at], _stating(base, sources))
        elif len(base) >= 5:
            for other in sources.prefixes.get(base[:4], ()):
                shared = _shared_prefix(base, sources.stems[other])
                if shared >= 5 or shared >= 0.7 * max(len(base), len(sources.stems[other])):
                    similar[at, other] = max(similar[at, other], 0.75)


def _stating(base: str, sources: Sources) -> Floats:
    """Which source words state a value that none of them is: with a unit of its own, or in a time or date."""
    value = sources.values[base]
    found: Floats = np.zeros(len(sources.stems), dtype=np.float32)
    digits = [at for at, other in enumerate(sources.stems) if other[0].isdigit()]
    for at in digits:
        other = sources.stems[at]
        stated = sources.values.get(other)
        if (stated and value % stated == 0 and value / stated in (1e2, 1e3, 1e6, 1e9, 1e12)) or (
            (":" in other or "/" in other) and base in other.replace("/", ":").split(":")
        ):
            found[at] = 0.9
    if not found.any():
        found[digits] = 0.8
    return found


def _shared_prefix(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _places(similar: Floats, sources: Sources) -> list[list[int]]:
    """For each word, where in the sources it is said, ascending."""
    order, starts = sources.by_word
    found: list[list[int]] = [[] for _ in range(len(similar))]
    rows, columns = _where(similar >= 0.75)
    for row, at in zip(rows.tolist(), columns.tolist(), strict=True):
        if len(found[row]) < PLACES:
            found[row].extend(order[starts[at] : starts[at + 1]])
    for places in found:
        if len(places) > 1:
            places.sort()
            del places[PLACES:]
    return found
