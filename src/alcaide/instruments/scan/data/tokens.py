"""Texts as arrays: words numbered, n-grams hashed, all documents in one run of numbers.

Words are runs of letters and digits, single characters where scripts have no spaces, and single other signs, all in
lower case. Everything after the first loop over the texts is arithmetic on whole arrays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿฀-๿]|[^\W_぀-ヿ㐀-䶿一-鿿豈-﫿฀-๿]+|[^\w\s]|_")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the input moves every bit of the output (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * _ONE
    values = (values ^ (values >> np.uint64(27))) * _TWO
    return values ^ (values >> np.uint64(31))


def words_of(text: str) -> list[str]:
    """A text's words."""
    return _WORD.findall(text.lower())


@dataclass(slots=True)
class Corpus:
    """Many texts: document `d` has the words `ids[starts[d]:starts[d + 1]]`, each an index into `vocabulary`."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    vocabulary: list[str]

    @property
    def size(self) -> int:
        """How many texts."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text."""
        found: NDArray[np.int64] = np.diff(self.starts)
        return found

    def document_of(self) -> NDArray[np.int32]:
        """For each word, the text it is in."""
        return np.repeat(np.arange(self.size, dtype=np.int32), self.lengths)


def corpus_of(texts: Sequence[str], most_words: int = 2_000) -> Corpus:
    """Number the words. Of each text the first `most_words` words are taken."""
    known: dict[str, int] = {}
    ids: list[int] = []
    starts = np.zeros(len(texts) + 1, np.int64)
    for index, text in enumerate(texts):
        found = words_of(text)
        if len(found) > most_words:
            del found[most_words:]
        ids.extend([known.setdefault(word, len(known)) for word in found])
        starts[index + 1] = len(ids)
    return Corpus(np.asarray(ids, np.int32), starts, list(known))


def stable_hashes(vocabulary: Sequence[str]) -> NDArray[np.uint64]:
    """A hash of each word that is the same in every corpus and process."""
    from hashlib import blake2b

    joined = b"".join(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest() for word in vocabulary)
    return np.frombuffer(joined, "<u8").astype(np.uint64)


def grams(
    corpus: Corpus, size: int, hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """The hashes of all n-grams of one size, and the text each is in; n-grams do not span texts."""
    documents = corpus.document_of()
    count = len(corpus.ids) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.int32)
    with np.errstate(over="ignore"):
        value = np.full(count, np.uint64(size) * _GOLDEN)
        for step in range(size):
            value = mixed(value * _GOLDEN + hashes[corpus.ids[step : step + count]])
    inside = documents[:count] == documents[size - 1 : size - 1 + count]
    return value[inside], documents[:count][inside]
