"""The sources of an exchange, cut into words and indexed for comparing an answer with them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.words import (
    NEGATIONS,
    STOPWORDS,
    SYMBOLS,
    stem,
    values_of,
    words_of,
)

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Sources:
    """Every distinct word (by stem) has a number; `sequence` is the sources as those numbers.

    Made once an exchange; whatever only some comparisons need is made when first asked for.
    """

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.words: list[str] = []
        for text in texts:
            self.words.extend(words_of(text))
        self.local: dict[str, int] = {}
        self.surfaces: list[str] = []
        number: dict[str, int] = {}
        for word in dict.fromkeys(self.words):
            base = stem(word)
            at = self.local.get(base)
            if at is None:
                at = self.local[base] = len(self.surfaces)
                self.surfaces.append(word)
            number[word] = at
        self.stems = list(self.local)
        self.sequence: Ints = np.array([number[word] for word in self.words], dtype=np.int32)

    @cached_property
    def values(self) -> dict[str, float]:
        """The numbers that the sources state."""
        return values_of(self.words)

    @cached_property
    def content(self) -> npt.NDArray[np.bool_]:
        """Which distinct words carry meaning of their own."""
        return np.array(
            [word not in STOPWORDS and word[0] not in SYMBOLS for word in self.surfaces], dtype=np.bool_
        )

    @cached_property
    def negative(self) -> frozenset[int]:
        """The distinct words that negate."""
        return frozenset(at for at, word in enumerate(self.surfaces) if negates(word))

    @cached_property
    def numbers(self) -> Ints:
        """Each distinct word's number in the lexicon, -1 where unknown."""
        known = lexicon()
        return np.array(
            [known.number(word, base) for word, base in zip(self.surfaces, self.stems, strict=True)],
            dtype=np.int32,
        )

    @cached_property
    def by_word(self) -> tuple[list[int], list[int]]:
        """The tokens' places, word by word, and where each word's begin."""
        order = np.argsort(self.sequence, kind="stable")
        starts = self.sequence[order].searchsorted(np.arange(len(self.stems) + 1))
        return order.tolist(), starts.tolist()

    @cached_property
    def initials(self) -> str:
        """The first letters of all words but the smallest: a name's letters stand in it where the name does."""
        return "".join([word[0] for word in self.words if word not in _SMALL])

    @cached_property
    def prefixes(self) -> dict[str, list[int]]:
        """Distinct words by their first four letters, for spellings that differ only in the ending."""
        found: dict[str, list[int]] = {}
        for at, base in enumerate(self.stems):
            if len(base) >= 5 and base[0].isalpha():
                found.setdefault(base[:4], []).append(at)
        return found

    @cached_property
    def pairs(self) -> Longs:
        """Every two neighbouring words, as one number; sorted."""
        wide = self.sequence.astype(np.int64)
        return np.sort(wide[:-1] * len(self.stems) + wide[1:])

    @cached_property
    def triples(self) -> Longs:
        """Every three neighbouring words, as one number; sorted."""
        wide = self.sequence.astype(np.int64)
        base = len(self.stems)
        return np.sort((wide[:-2] * base + wide[1:-1]) * base + wide[2:])

    @cached_property
    def _content_sequence(self) -> Longs:
        if not len(self.sequence):
            return self.sequence.astype(np.int64)
        return self.sequence[self.content[self.sequence]].astype(np.int64)

    @cached_property
    def content_pairs(self) -> Longs:
        """Neighbours once words without meaning of their own are left out."""
        wide = self._content_sequence
        return np.sort(wide[:-1] * len(self.stems) + wide[1:])

    @cached_property
    def slots(self) -> Longs:
        """Meaningful words with exactly one other between them: the frame around a slot."""
        wide = self._content_sequence
        return np.sort(wide[:-2] * len(self.stems) + wide[2:])


_SMALL = frozenset(("of", "the", "and", "for", "in"))


def negates(word: str) -> bool:
    """Whether a word turns what is said into its opposite."""
    return word in NEGATIONS or word.endswith(("n't", "n’t"))


def among(wanted: Longs, ordered: Longs) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.bool_)
    at = ordered.searchsorted(wanted)
    np.minimum(at, len(ordered) - 1, out=at)
    same: npt.NDArray[np.bool_] = ordered[at] == wanted
    return same
