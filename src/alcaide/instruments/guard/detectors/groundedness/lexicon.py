"""What is known of English words beside their spelling: how rare, near which others, opposed to which.

Made by tools/guard/build_lexicon.py from GloVe vectors (PDDL 1.0) and WordNet (its licence is in LICENSE.wordnet
beside this file). Words of other languages are unknown here and count as rare; they are compared by spelling alone.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

RELATIONS = ("same", "wider", "opposite", "sister")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The most frequent words, most frequent first; a word's place is its number.

    `vectors` are of unit length to within their rounding. `related[name]` holds, per word, where its related words
    begin in the second array.
    """

    index: dict[str, int]
    vectors: Floats
    lemma: Ints
    related: dict[str, tuple[Ints, Ints]]

    def number(self, word: str, base: str) -> int:
        """The number of a word, or of its stem where the word itself is unknown; -1 where neither is known."""
        found = self.index.get(word, -1)
        return found if found >= 0 else self.index.get(base, -1)

    def rarities(self, numbers: Ints) -> list[float]:
        """From about 0.3 for the most frequent words to 1 for those beyond the lexicon (Zipf: rank ~ 1/frequency)."""
        rare = np.minimum(1.0, 0.1 * np.log(30.0 + np.maximum(numbers, 0)) - 0.05)
        found: list[float] = np.where(numbers < 0, 1.0, rare).tolist()
        return found

    def rarity(self, number: int) -> float:
        """`rarities` of one word."""
        return self.rarities(np.array([number], dtype=np.int32))[0]

    def pairs(self, relation: str, numbers: Ints) -> tuple[npt.NDArray[np.intp], Ints]:
        """The words that stand in a relation to several: which of them, and the other word's number."""
        start, tail = self.related[relation]
        lemma = self.lemma[numbers]
        begin, count = start[lemma], start[lemma + 1] - start[lemma]
        heads = np.repeat(np.arange(len(numbers)), count)
        within = np.arange(len(heads)) - np.repeat(np.cumsum(count) - count, count)
        return heads, tail[np.repeat(begin, count) + within]

    def tails(self, relation: str, number: int) -> Ints:
        """The words that stand in a relation to one word."""
        start, tail = self.related[relation]
        lemma = int(self.lemma[number])
        return tail[int(start[lemma]) : int(start[lemma + 1])]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon that ships with the package."""
    packed = resources.files(__package__).joinpath("lexicon.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        words = bytes(arrays["words"]).decode().split("\n")
        vectors = arrays["vectors"].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        related = {
            name: (arrays[f"{name}_start"].astype(np.int32), arrays[f"{name}_tail"].astype(np.int32))
            for name in RELATIONS
        }
        lemma = arrays["lemma"].astype(np.int32)
    return Lexicon({word: at for at, word in enumerate(words)}, vectors, lemma, related)
