"""A store of fingerprints of confidential documents: tens of millions of them, asked in microseconds.

The store is one file, read through memory mapping, of four parts: a header with the documents' names and labels, a
Bloom filter in blocks of one machine word, the fingerprints in ascending order, and for each the number of its
document. A text's fingerprints meet the filter first: one word is fetched for each, and all but about one in fifty
that are not in the store end there. Only the others are looked for in the sorted part.

What is kept of a document are hashes of a few of its shingles: the text cannot be read out of the store, but someone
who has a text can tell whether it is in there, so the store is as confidential as a list of the documents' titles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.classification.shingles import SHINGLE, Shingles, shingles
from alcaide.kernel.errors import InvalidInput

Hashes = npt.NDArray[np.uint64]
Documents = npt.NDArray[np.uint32]

COMMON = 8
"""A fingerprint that stands in more documents than this is boilerplate and says nothing of any of them."""
BITS_PER_FINGERPRINT = 12
"""Size of the filter; with three bits set in one word of 64, about 2 % of strangers pass (measured)."""
FEWEST = 5
"""Matches below which a region is coincidence: idioms, names, quoted laws."""
LEAST = 0.1
"""Share of a region's fingerprints that must match; one word in five changed leaves about 0.35."""
GAP = 40
"""Words without a match that end a region. With two thirds of a copy's fingerprints gone, 40 words hold five."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a fingerprint leads back to."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Match:
    """Characters `start` to `end` of a text, and how much of them comes from which document.

    `similarity` is the share of the region's fingerprints found in the document: 1 for a copy.
    """

    start: int
    end: int
    document: Document
    similarity: float
    matches: int

    @property
    def score(self) -> float:
        """Probability that the region was taken from the document: 0.5 at 5 or 6 matches, three in ten alike."""
        weight = 2.2 * (min(self.matches, 40) ** 0.5 - 5.5**0.5) + 3.0 * (min(self.similarity, 0.6) - 0.3)
        return 1 / (1 + exp(-weight))


class FingerprintStore:
    """Fingerprints and their documents, immutable. `storage.py` writes and opens them; nothing here touches a file."""

    def __init__(self, hashes: Hashes, of: Documents, bloom: Hashes, documents: Sequence[Document]) -> None:
        self.hashes = hashes
        self.of = of
        self.bloom = bloom
        self.documents = tuple(documents)

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of_texts(cls, texts: Iterable[tuple[Document, str]]) -> FingerprintStore:
        """A store of some documents. Raises InvalidInput for a document without four words."""
        documents: list[Document] = []
        hashes: list[Hashes] = []
        of: list[Documents] = []
        for number, (document, text) in enumerate(texts):
            found = np.unique(shingles(text.lower() if len(text.lower()) == len(text) else text).hashes)
            if not len(found):
                raise InvalidInput(
                    f"document `{document.id}` has fewer than {SHINGLE} words, too few to be recognised by; "
                    "leave it out"
                )
            documents.append(document)
            hashes.append(found)
            of.append(np.full(len(found), number, dtype=np.uint32))
        if not documents:
            raise InvalidInput("no documents were given, so there is nothing to recognise; give at least one")
        return cls.of_arrays(np.concatenate(hashes), np.concatenate(of), documents)

    @classmethod
    def of_arrays(cls, hashes: Hashes, of: Documents, documents: Sequence[Document]) -> FingerprintStore:
        """A store of fingerprints in any order; boilerplate is dropped."""
        order = np.argsort(hashes, kind="stable")
        hashes, of = hashes[order], of[order]
        fresh = np.ones(len(hashes), dtype=np.bool_)
        fresh[1:] = hashes[1:] != hashes[:-1]
        firsts = np.flatnonzero(fresh)
        counts = np.diff(np.append(firsts, len(hashes)))
        if (counts > COMMON).any():
            keep = np.repeat(counts <= COMMON, counts)
            hashes, of = hashes[keep], of[keep]
        return cls(hashes, of, _bloom(hashes), documents)

    def merged(self, other: FingerprintStore) -> FingerprintStore:
        """Both stores in one. A document that both have, by identifier, is taken from `other`, the newer."""
        newer = {document.id for document in other.documents}
        kept = [index for index, document in enumerate(self.documents) if document.id not in newer]
        number = np.full(max(len(self.documents), 1), -1, dtype=np.int64)
        number[kept] = np.arange(len(kept))
        mine = number[self.of]
        hashes = np.concatenate((self.hashes[mine >= 0], other.hashes))
        of = np.concatenate((mine[mine >= 0], other.of.astype(np.int64) + len(kept)))
        documents = [*(self.documents[index] for index in kept), *other.documents]
        return FingerprintStore.of_arrays(hashes, of.astype(np.uint32), documents)

    def match(self, lower: str) -> list[Match]:
        """Regions of a text (in lower case) that come from documents of the store, the surest first."""
        return self.matches_of(shingles(lower))

    def matches_of(self, made: Shingles) -> list[Match]:
        """`match` for a text whose fingerprints are known, so that several stores share the work."""
        if not len(made.hashes) or not len(self.hashes):
            return []
        passed = np.flatnonzero(self._may_hold(made.hashes))
        wanted = made.hashes[passed]
        first = np.searchsorted(self.hashes, wanted, side="left")
        held = np.zeros(len(wanted), dtype=np.bool_)
        inside = first < len(self.hashes)
        held[inside] = self.hashes[first[inside]] == wanted[inside]
        if np.count_nonzero(held) < FEWEST:
            return []
        passed, first, wanted = passed[held], first[held], wanted[held]
        counts = np.searchsorted(self.hashes, wanted, side="right") - first
        rows = (
            np.repeat(first, counts)
            + np.arange(int(counts.sum()))
            - np.repeat(np.cumsum(counts) - counts, counts)
        )
        documents, positions = self.of[rows], np.repeat(passed, counts)
        return self._regions(made, documents, positions)

    def _may_hold(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        words = self.bloom[_word(hashes, len(self.bloom))]
        bits = _bits(hashes)
        held: npt.NDArray[np.bool_] = (words & bits) == bits
        return held

    def _regions(self, made: Shingles, documents: Documents, positions: npt.NDArray[np.int64]) -> list[Match]:
        order = np.lexsort((positions, documents))
        documents, positions = documents[order], positions[order]
        at = made.words[positions]
        new = np.ones(len(at), dtype=np.bool_)
        new[1:] = (documents[1:] != documents[:-1]) | (at[1:] - at[:-1] > GAP)
        firsts = np.flatnonzero(new)
        lasts = np.append(firsts[1:], len(at)) - 1
        enough = lasts - firsts + 1 >= FEWEST
        found = []
        for first, last in zip(firsts[enough].tolist(), lasts[enough].tolist(), strict=True):
            matches = last - first + 1
            spanned = int(positions[last] - positions[first]) + 1
            similarity = matches / spanned
            if similarity < LEAST:
                continue
            start = int(made.starts[at[first]])
            end = int(made.ends[at[last] + SHINGLE - 1])
            found.append(Match(start, end, self.documents[int(documents[first])], similarity, matches))
        return _best(found)


def _best(found: list[Match]) -> list[Match]:
    """For each stretch of text the document that most of it comes from; copies of one document are not all told."""
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (-match.matches, -match.similarity, match.document.id)):
        if not any(match.start < other.end and other.start < match.end for other in kept[:64]):
            kept.append(match)
    return kept


def _word(hashes: Hashes, words: int) -> npt.NDArray[np.int64]:
    """The filter's word for each hash: the upper half scaled to the filter's size."""
    return ((hashes >> np.uint64(32)) * np.uint64(words) >> np.uint64(32)).astype(np.int64)


def _bits(hashes: Hashes) -> Hashes:
    one = np.uint64(1)
    six = np.uint64(63)
    bits: Hashes = (
        (one << (hashes & six))
        | (one << (hashes >> np.uint64(6) & six))
        | (one << (hashes >> np.uint64(12) & six))
    )
    return bits


def _bloom(hashes: Hashes) -> Hashes:
    words = max(1, len(hashes) * BITS_PER_FINGERPRINT // 64)
    bloom = np.zeros(words, dtype=np.uint64)
    if len(hashes):
        # Ascending hashes meet ascending words, so each word's bits lie together.
        at = _word(hashes, words)
        new = np.ones(len(at), dtype=np.bool_)
        new[1:] = at[1:] != at[:-1]
        firsts = np.flatnonzero(new)
        bloom[at[firsts]] = np.bitwise_or.reduceat(_bits(hashes), firsts)
    return bloom
