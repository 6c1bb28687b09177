"""A linear head over hashed n-grams, asked about every stretch of a text at once.

A head is one table of small integers: an n-gram's hash is its place in the table, what stands there speaks for
(positive) or against (negative) the class. Summed over short *chunks* of the text and once more by
cumulative sums, every window of a few hundred bytes gets a score for the price of one look-up per n-gram, and an
attack of one line is not drowned by the pages around it.

Integers are summed exactly, so a text scores the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import ngrams

Table = npt.NDArray[np.int8]
Sums = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Head:
    """The weights of one class: the n-gram groups it looks at, and a table for all of them.

    The table's length is a power of two. `scale` turns a sum of its entries into the unit the head was trained in.
    Heads that look at the same groups share the work of arranging them.
    """

    groups: tuple[str, ...]
    table: Table
    scale: float

    def __post_init__(self) -> None:
        assert set(self.groups) <= set(ngrams.GROUPS), self.groups
        assert len(self.table) & (len(self.table) - 1) == 0, len(self.table)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two heads over the same groups that are always asked together.

    Their entries lie beside each other, so that an n-gram's two weights come with one access to memory: the tables
    are larger than a core's own cache, and waiting for them is what reading costs. A shorter table is repeated.
    """

    first: Head
    second: Head
    entries: npt.NDArray[np.int16] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.first.groups == self.second.groups
        length = max(len(self.first.table), len(self.second.table))
        tables = [np.tile(head.table, length // len(head.table)) for head in (self.first, self.second)]
        both = np.stack(tables, axis=1)
        object.__setattr__(self, "entries", both.reshape(-1).view(np.int16))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a head's table says, chunk by chunk. All arrays are of one length, the number of chunks.

    Attributes:
        sums: of the table entries of the n-grams that begin in the chunk.
        sizes: bytes of the view in it; the last chunk of a block may be short.
        starts, stops: where it lies in the layer's `octets`.
    """

    sums: Sums
    sizes: Sums
    starts: Sums
    stops: Sums


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of `octets` and its score: the head's sum over it divided by the root of its size in bytes."""

    start: int
    stop: int
    score: float


def read(layer: Layer, head: Head) -> Reading:
    """Sum a head's table over each chunk of a layer."""
    made = [block.chunked(head.groups).sums(head.table) for block in ngrams.blocks(layer)]
    sizes, begins, stops = _chunks(layer)
    return Reading(made[0] if len(made) == 1 else _joined(made), sizes, begins, stops)


def read_both(layer: Layer, pair: Pair) -> tuple[Reading, Reading]:
    """`read` for both heads of a pair."""
    made = [block.chunked(pair.first.groups).sums_of_two(pair.entries) for block in ngrams.blocks(layer)]
    sizes, begins, stops = _chunks(layer)
    first, second = made[0] if len(made) == 1 else (_joined([one[of] for one in made]) for of in (0, 1))
    return Reading(first, sizes, begins, stops), Reading(second, sizes, begins, stops)


def _joined(parts: list[Sums]) -> Sums:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _chunks(layer: Layer) -> tuple[Sums, Sums, Sums]:
    """Sizes, beginnings and ends of all chunks of a layer: the same for every head, so made once."""
    known = layer.notes.get("chunks")
    if known is None:
        placed = [_placed(block) for block in ngrams.blocks(layer)]
        known = layer.notes["chunks"] = _all_placed(placed, len(layer.octets))
    assert isinstance(known, tuple)
    return known


def _placed(block: ngrams.Block) -> tuple[Sums, Sums]:
    """The size of each chunk of a block, and where it begins."""
    grid = block.grid
    size = np.empty(len(grid), dtype=np.int64)
    size.fill(ngrams.CHUNK)
    size[-1] = len(block.places) - grid[-1]
    return size, block.places.take(grid)


def _all_placed(placed: list[tuple[Sums, Sums]], length: int) -> tuple[Sums, Sums, Sums]:
    if not placed:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    sizes, begins = (
        placed[0] if len(placed) == 1 else [np.concatenate(parts) for parts in zip(*placed, strict=True)]
    )
    stops = np.empty_like(begins)
    stops[:-1] = begins[1:]
    stops[-1] = length
    return sizes, begins, stops


def windows(reading: Reading, head: Head, chunks: int) -> npt.NDArray[np.float64]:
    """Scores of every window of `chunks` chunks; of the whole text where it is shorter. None for an empty text."""
    if not len(reading.sums):
        return np.empty(0)
    if len(reading.sums) <= FEW:
        return np.array(_one_by_one(reading, head.scale, chunks))
    if len(reading.sums) <= chunks:
        return np.array([head.scale * float(reading.sums.sum()) / float(reading.sizes.sum()) ** 0.5])
    both = np.zeros((2, len(reading.sums) + 1), dtype=np.int64)
    np.add.accumulate(reading.sums, out=both[0, 1:])
    np.add.accumulate(reading.sizes, out=both[1, 1:])
    over = both[:, chunks:] - both[:, :-chunks]
    scores: npt.NDArray[np.float64] = over[0] * head.scale
    scores /= np.sqrt(over[1])
    return scores


FEW: Final = 24
"""Chunks up to which windows are scored one by one, which then takes less than calls on arrays."""


def highest(reading: Reading, head: Head, chunks: int) -> float | None:
    """The highest of `windows`; None for an empty text."""
    if 0 < len(reading.sums) <= FEW:
        return max(_one_by_one(reading, head.scale, chunks))
    scores = windows(reading, head, chunks)
    return float(scores.max()) if len(scores) else None


def _one_by_one(reading: Reading, scale: float, chunks: int) -> list[float]:
    sums = [0, *accumulate(reading.sums.tolist())]
    sizes = [0, *accumulate(reading.sizes.tolist())]
    chunks = min(chunks, len(sizes) - 1)
    return [
        (sums[end] - sums[end - chunks]) * scale / sqrt(sizes[end] - sizes[end - chunks])
        for end in range(chunks, len(sizes))
    ]


def strongest(reading: Reading, head: Head, chunks: int) -> Window | None:
    """The window of `chunks` chunks that scores highest, the first of equals; None for an empty text."""
    scores = windows(reading, head, chunks)
    if not len(scores):
        return None
    at = int(scores.argmax())
    last = min(at + chunks, len(reading.sums)) - 1
    return Window(int(reading.starts[at]), int(reading.stops[last]), float(scores[at]))


def contributing(layer: Layer, head: Head, window: Window, *, most: int = 6) -> tuple[str, ...]:
    """The words and runs of words of a window that speak loudest for the class, loudest first."""
    found: dict[str, int] = {}
    for block in ngrams.blocks(layer):
        if block.stop <= window.start or block.start >= window.stop or not block.words:
            continue
        begins, ends = block.word_places()
        low, high = np.searchsorted(begins, (window.start, window.stop))
        for group in head.groups:
            length = _LENGTHS.get(group)
            if length is None:
                continue
            weights = head.table.take(block.ids(group)[low:high] & (len(head.table) - 1))
            for place in np.argsort(-weights.astype(np.int16), kind="stable")[:most]:
                if weights[place] <= 0:
                    break
                first = low + int(place)
                run = layer.octets[begins[first] : ends[first + length - 1]].decode("utf-8", "replace")
                found[run] = max(found.get(run, 0), int(weights[place]))
    return _told_once(sorted(found, key=lambda run: (-found[run], run)), most)


_LENGTHS: Final = {"w1": 1, "w2": 2, "w3": 3, "w4": 4, "s2": 3, "s3": 4}


def _told_once(runs: Sequence[str], most: int) -> tuple[str, ...]:
    """Leave out a run that is part of one already told."""
    kept: list[str] = []
    for run in runs:
        if not any(run in other for other in kept):
            kept.append(run)
        if len(kept) == most:
            break
    return tuple(kept)
