"""Copies: the same row twice, nearly the same text twice, and rows or texts that another set has too.

Exact copies are found over all rows by a 64-bit hash, in the engine, which spills to disk. Near copies by MinHash
(Broder 1997) over words in threes, in bands (locality-sensitive hashing), in NumPy, and every pair that is reported
was compared by its shingles, not by its sketch. Contamination is asked the way benchmarks' makers ask it: which share
of an item's word 8-grams occurs in the data.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from alcaide.instruments.scan.data.engine import as_array, quoted
from alcaide.instruments.scan.data.sources.table import ROW, Field, Table
from alcaide.instruments.scan.data.tokens import Corpus, corpus_of, grams, mixed, stable_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

SHINGLE = 3
PERMUTATIONS = 64
BANDS = 16
"""Of 4 each: a pair of similarity 0.8 shares a band with probability 0.9998, one of 0.3 with 0.12."""
GRAM = 8


@dataclass(slots=True)
class Copies:
    """Groups of rows that are the same, or nearly."""

    groups: list[list[int]] = field(default_factory=list)
    """The first groups, largest first, each with its first rows."""
    sizes: list[int] = field(default_factory=list)
    surplus: int = 0
    """Rows that would go if one of each group were kept."""
    rows: list[int] = field(default_factory=list)
    """Those rows."""
    looked: int = 0


def row_hash(fields: Sequence[Field], others: Sequence[Field]) -> str:
    """A row's content as a 64-bit number, in SQL.

    Values are compared as text, numbers of different types as floats, so that `32` and `32.0` are the same.
    """
    return (
        "hash("
        + ", ".join(
            f"{one.sql}::DOUBLE::VARCHAR"
            if one.is_number and other.is_number and one.type != other.type
            else f"{one.sql}::VARCHAR"
            for one, other in zip(fields, others, strict=True)
        )
        + ")"
    )


def exact_copies(table: Table, fields: Sequence[Field], most: int) -> Copies:
    """Rows whose values in these columns are all the same."""
    found = Copies(looked=table.rows)
    if not fields:
        return found
    engine = table.engine
    # Within one set types do not differ: numbers are hashed as they are, many times faster than as text.
    hashed = "hash(" + ", ".join(field.sql for field in fields) + ")"
    engine.run(f"CREATE TABLE row_hashes AS SELECT {hashed} AS h, {quoted(ROW)} AS r FROM {table.relation}")
    try:
        (found.surplus,) = engine.row(
            "SELECT coalesce(sum(c - 1), 0)::BIGINT FROM (SELECT count(*) AS c FROM row_hashes GROUP BY h HAVING c > 1)"
        )
        if not found.surplus:
            return found
        engine.run(
            "CREATE TABLE repeated AS SELECT h, count(*) AS c, min(r) AS first FROM row_hashes GROUP BY h HAVING c > 1"
        )
        found.rows = [
            int(row)
            for (row,) in engine.rows(
                "SELECT r FROM row_hashes JOIN repeated USING (h) WHERE r <> first ORDER BY r LIMIT ?",
                (most,),
            )
        ]
        for members, size in engine.rows(
            "SELECT list(r ORDER BY r)[1:20], any_value(c) FROM row_hashes JOIN "
            "(FROM repeated ORDER BY c DESC, first LIMIT 50) USING (h) GROUP BY h ORDER BY 2 DESC, min(r)"
        ):
            found.groups.append([int(row) for row in members])
            found.sizes.append(int(size))
        engine.run("DROP TABLE repeated")
    finally:
        engine.run("DROP TABLE row_hashes")
    return found


def shared_rows(
    table: Table, other: Table, fields: Sequence[Field], theirs: Sequence[Field], most: int
) -> Ints:
    """Row numbers of `table` whose values in these columns a row of the other set has too. Two engines, one hash."""
    mine = as_array(
        table.engine.arrays(f"SELECT {row_hash(fields, theirs)} AS h FROM {table.relation}")["h"], np.uint64
    )
    rows = as_array(table.engine.arrays(f"SELECT {quoted(ROW)} AS r FROM {table.relation}")["r"], np.int64)
    known = np.unique(
        as_array(
            other.engine.arrays(f"SELECT {row_hash(theirs, fields)} AS h FROM {other.relation}")["h"],
            np.uint64,
        )
    )
    found: Ints = rows[contained(mine, known)][:most]
    return found


def contained(values: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which values are among `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: NDArray[np.bool_] = known[at] == values
    return found


class Sketches:
    """MinHash sketches of texts, and their shingles for the check afterwards."""

    def __init__(self, texts: Sequence[str], seed: int, tick: Callable[[], None] = lambda: None) -> None:
        random = np.random.default_rng(seed)
        self._salt = random.integers(1, 1 << 63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
        self.signatures = np.full((len(texts), PERMUTATIONS), np.iinfo(np.uint32).max, np.uint32)
        self.counts = np.zeros(len(texts), np.int64)
        shingles: list[Hashes] = []
        starts = [0]
        for begin in range(0, len(texts), 20_000):
            tick()
            part, counts = shingles_of(corpus_of(texts[begin : begin + 20_000]))
            self.counts[begin : begin + len(counts)] = counts
            self._sketch(part, counts, begin)
            shingles.append(part)
            starts.append(starts[-1] + len(part))
        self.shingles = np.concatenate(shingles) if shingles else np.zeros(0, np.uint64)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])

    def _sketch(self, shingles: Hashes, counts: Ints, begin: int) -> None:
        full = np.flatnonzero(counts)
        if not len(full):
            return
        starts = np.concatenate([[0], np.cumsum(counts[full])[:-1]])
        with np.errstate(over="ignore"):
            for one in range(PERMUTATIONS):
                # Multiply-shift by an odd number, after the words were mixed: a permutation in all but proof.
                values = ((shingles * self._salt[one]) >> np.uint64(32)).astype(np.uint32)
                self.signatures[begin + full, one] = np.minimum.reduceat(values, starts)

    def similarity(self, one: int, other: int) -> float:
        """Jaccard similarity of two texts' shingles."""
        a = self.shingles[self.starts[one] : self.starts[one + 1]]
        b = self.shingles[self.starts[other] : self.starts[other + 1]]
        shared = len(np.intersect1d(a, b, assume_unique=True))
        return shared / max(1, len(a) + len(b) - shared)

    def bands(self) -> Iterator[Hashes]:
        """For each band a number per text: the same number makes two texts a candidate pair."""
        width = PERMUTATIONS // BANDS
        for band in range(BANDS):
            value = np.full(len(self.signatures), np.uint64(band + 1))
            with np.errstate(over="ignore"):
                for step in range(width):
                    value = mixed(value + self.signatures[:, band * width + step].astype(np.uint64))
            yield value


def shingles_of(corpus: Corpus) -> tuple[Hashes, Ints]:
    """The distinct shingles of each text, text after text, and how many each has. Short texts are one shingle."""
    hashes = stable_hashes(corpus.vocabulary)
    lengths = corpus.lengths
    gram, document = grams(corpus, SHINGLE, hashes)
    short = np.flatnonzero((lengths > 0) & (lengths < SHINGLE))
    if len(short):
        with np.errstate(over="ignore"):
            whole = np.array(
                [
                    mixed(np.cumsum(hashes[corpus.ids[corpus.starts[one] : corpus.starts[one + 1]]]))[-1]
                    for one in short
                ],
                np.uint64,
            )
        gram, document = np.concatenate([gram, whole]), np.concatenate([document, short.astype(np.int32)])
    order = np.lexsort((gram, document))
    gram, document = gram[order], document[order]
    fresh = np.ones(len(gram), bool)
    fresh[1:] = (gram[1:] != gram[:-1]) | (document[1:] != document[:-1])
    return gram[fresh], np.bincount(document[fresh], minlength=corpus.size)


def near_copies(
    texts: Sequence[str], rows: Ints, threshold: float, seed: int, most: int, tick: Callable[[], None]
) -> Copies:
    """Texts at least as similar as the threshold, in groups; texts of fewer than five words are left out.

    `tick` is called now and then, and ends the search by raising.
    """
    sketches = Sketches(texts, seed, tick)
    found = Copies(looked=len(texts))
    parent = np.arange(len(texts))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = int(parent[one])
        return one

    long_enough = sketches.counts >= 3
    for band in sketches.bands():
        order = np.argsort(band, kind="stable")
        order = order[long_enough[order]]
        same = band[order][1:] == band[order][:-1]
        for number, at in enumerate(np.flatnonzero(same)):
            if not number % 4096:
                tick()
            # Neighbours in the sorted bucket: each text is compared with the one before, so a bucket costs its size.
            one, other = int(order[at]), int(order[at + 1])
            a, b = root(one), root(other)
            if a != b and (
                sketches.similarity(one, other) >= threshold or sketches.similarity(a, other) >= threshold
            ):
                parent[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for one in range(len(texts)):
        if long_enough[one]:
            members.setdefault(root(one), []).append(int(rows[one]))
    groups = sorted(
        (group for group in members.values() if len(group) > 1), key=lambda group: (-len(group), group[0])
    )
    found.surplus = sum(len(group) - 1 for group in groups)
    found.rows = sorted(row for group in groups for row in group[1:])[:most]
    found.groups = [group[:20] for group in groups[:50]]
    found.sizes = [len(group) for group in groups[:1000]]
    return found


def near_shared(
    texts: Sequence[str], rows: Ints, others: Sequence[str], threshold: float, seed: int
) -> list[tuple[int, int, float]]:
    """Texts that are near copies of a text of another set: row, place in the other set, similarity."""
    sketches = Sketches([*texts, *others], seed)
    border = len(texts)
    best: dict[int, tuple[float, int]] = {}
    for band in sketches.bands():
        mine, theirs = band[:border], band[border:]
        order = np.argsort(theirs, kind="stable")
        ranked = theirs[order]
        low = np.searchsorted(ranked, mine, "left")
        high = np.searchsorted(ranked, mine, "right")
        for one in np.flatnonzero((high > low) & (sketches.counts[:border] >= 3)):
            if best.get(int(one), (0.0, 0))[0] >= 0.999:
                continue
            for at in range(low[one], min(high[one], low[one] + 5)):
                other = int(order[at])
                similarity = sketches.similarity(int(one), border + other)
                if similarity >= threshold and similarity > best.get(int(one), (0.0, 0))[0]:
                    best[int(one)] = (similarity, other)
    return [(int(rows[one]), other, similarity) for one, (similarity, other) in sorted(best.items())]


@dataclass(slots=True)
class Contamination:
    """Which items of a benchmark are in the data."""

    items: int
    """Items that are long enough to be looked for."""
    short: int
    """Items of fewer than `GRAM` words, which are not."""
    found: list[tuple[int, float]] = field(default_factory=list)
    """Item and the share of its n-grams that the data have."""
    rows: dict[int, list[int]] = field(default_factory=dict)
    """For each such item, rows of the data that hold most of it."""


class Benchmark:
    """The n-grams of a benchmark's items; feed it the data's texts, then ask."""

    def __init__(self, texts: Sequence[str]) -> None:
        corpus = corpus_of(texts)
        gram, document = grams(corpus, GRAM, stable_hashes(corpus.vocabulary))
        order = np.lexsort((gram, document))
        gram, document = gram[order], document[order]
        fresh = np.ones(len(gram), bool)
        fresh[1:] = (gram[1:] != gram[:-1]) | (document[1:] != document[:-1])
        self._gram, self._document = gram[fresh], document[fresh]
        self._known = np.unique(self._gram)
        self._seen = np.zeros(len(self._known), bool)
        self._where = np.full(len(self._known), -1, np.int64)
        self._sizes = np.bincount(self._document, minlength=corpus.size)

    def feed(self, texts: Sequence[str], rows: Sequence[int]) -> None:
        """Some of the data's texts, with their row numbers."""
        corpus = corpus_of(texts)
        gram, document = grams(corpus, GRAM, stable_hashes(corpus.vocabulary))
        hit = contained(gram, self._known)
        at = np.searchsorted(self._known, gram[hit])
        self._seen[at] = True
        self._where[at] = np.asarray(rows, np.int64)[document[hit]]

    def result(self, threshold: float) -> Contamination:
        """Items of whose n-grams at least this share was seen."""
        full = np.flatnonzero(self._sizes)
        found = Contamination(len(full), int((self._sizes == 0).sum()))
        if not len(full):
            return found
        at = np.searchsorted(self._known, self._gram)
        share = np.bincount(self._document, self._seen[at], len(self._sizes)) / np.maximum(1, self._sizes)
        for item in np.flatnonzero(share >= threshold):
            found.found.append((int(item), float(share[item])))
            where = self._where[at[self._document == item]]
            where = where[where >= 0]
            values, counts = np.unique(where, return_counts=True)
            found.rows[int(item)] = [int(row) for row in values[np.argsort(-counts, kind="stable")][:5]]
        found.found.sort(key=lambda pair: (-pair[1], pair[0]))
        return found


def plain(value: Any) -> str:
    """A value as text; "" for none."""
    return "" if value is None else str(value)
