"""What the learned heads say of a text, as a short row of numbers for the combination that comes after them.

Two heads read every window. *attack* was trained on attacks against harmless texts of all kinds. *request* tells
what people ask of an assistant from what stands in documents: in a prompt a request is what one expects, in a table
or a mail it is the sign that somebody speaks to the model from there. So what counts of the second head is contrast:
one stretch that asks, among others that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import log2, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear
from alcaide.instruments.guard.learned.linear import Pair, Reading, Window

SIZES: Final = (2, 4, 16)
"""Windows in chunks of 64 bytes: a sentence, a paragraph, a page."""

FEW: Final = 64
"""Texts of up to this many chunks, 4 kB, are most texts: where their windows lie is worked out once."""

SHORT: Final = 20
"""Chunks up to which windows are scored one by one."""

NAMES: Final = (
    "attack-sentence",
    "attack-paragraph",
    "attack-page",
    "attack-whole",
    "request-sentence",
    "request-paragraph",
    "request-whole",
    "request-contrast",
    "request-at-attack",
    "attack-contrast",
    "length",
)


Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers, in the order of `NAMES`, and the windows they come from."""

    values: npt.NDArray[np.float64]
    attack: Window
    request: Window


def gathered(layer: Layer, heads: Pair, biases: tuple[float, float]) -> Evidence | None:
    """What the heads, *attack* and *request* with their intercepts, say of a layer; None for one without text."""
    reading, asked = linear.read_both(layer, heads)
    chunks = len(reading.sums)
    if not chunks:
        return None
    scored = _of_few if chunks <= SHORT else _of_many
    attacks, requests, size = scored(reading, asked, (heads.first.scale, heads.second.scale), biases)
    # From here on lists: a dozen questions to a few dozen windows each.
    a2, a4, a16, a_whole = attacks
    r2, r4, _, r_whole = requests
    best, most = a4.index(max(a4)), r4.index(max(r4))
    calm_attack, calm_request = _quarter(a4), _quarter(r4)
    values = np.array(
        (
            max(a2),
            a4[best],
            max(a16),
            a_whole[0],
            max(r2),
            r4[most],
            r_whole[0],
            r4[most] - calm_request,
            r4[best],
            a4[best] - calm_attack,
            log2(max(8.0, size)),
        )
    )
    return Evidence(values, _window(reading, best, a4[best]), _window(asked, most, r4[most]))


Scored = tuple[list[list[float]], list[list[float]], float]
"""From either head the scores of every window, a list for each of `SIZES` and the whole; and the bytes of all."""


def _of_few(
    reading: Reading, asked: Reading, scales: tuple[float, float], biases: tuple[float, float]
) -> Scored:
    """Window by window, in the same steps as `_of_many`: with so few, a dozen calls on arrays take longer."""
    sizes = [0, *accumulate(reading.sizes.tolist())]
    both = [[0, *accumulate(one.sums.tolist())] for one in (reading, asked)]
    scores: tuple[list[list[float]], list[list[float]]] = [], []
    chunks = len(sizes) - 1
    for size in (*SIZES, chunks):
        if size >= chunks and scores[0] and len(scores[0][-1]) == 1:
            for told in scores:
                told.append(told[-1])
            continue
        reach = min(size, chunks)
        roots = [sqrt(end - begin) for begin, end in zip(sizes, sizes[reach:], strict=False)]
        for told, sums, scale, bias in zip(scores, both, scales, biases, strict=True):
            told.append(
                [
                    (end - begin) * scale / root + bias
                    for begin, end, root in zip(sums, sums[reach:], roots, strict=False)
                ]
            )
    return *scores, float(sizes[-1])


def _of_many(
    reading: Reading, asked: Reading, scales: tuple[float, float], biases: tuple[float, float]
) -> Scored:
    """Both heads at once: cumulative sums, and every window from their differences."""
    chunks = len(reading.sums)
    sums = np.zeros((3, chunks + 1))
    np.add.accumulate(reading.sums, out=sums[0, 1:])
    np.add.accumulate(asked.sums, out=sums[1, 1:])
    np.add.accumulate(reading.sizes, out=sums[2, 1:])
    factors, offsets = _columns(*scales, *biases)
    begins, ends, borders = _windows(chunks) if chunks <= FEW else _all_windows(chunks)
    over = sums.take(ends, axis=1)
    over -= sums.take(begins, axis=1)
    scores = over[:2] * factors
    scores /= np.sqrt(over[2])
    scores += offsets
    attacks, requests = scores.tolist()
    return (
        [attacks[low:high] for low, high in borders],
        [requests[low:high] for low, high in borders],
        float(sums[2, -1]),
    )


@lru_cache(maxsize=8)
def _columns(
    attack: float, request: float, attack_bias: float, request_bias: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Scales and offsets of both heads, as columns; the same for every text."""
    return np.array(((attack,), (request,))), np.array(((attack_bias,), (request_bias,)))


def _quarter(scores: list[float]) -> float:
    """The score below which a quarter of the windows lie."""
    place = len(scores) // 4
    if len(scores) <= FEW:
        return sorted(scores)[place]
    return float(np.partition(np.array(scores), place)[place])


def _all_windows(chunks: int) -> tuple[Places, Places, tuple[tuple[int, int], ...]]:
    """Where the windows of each of `SIZES`, and the whole, begin and end in cumulative sums; and each size's share."""
    begins: list[Places] = []
    ends: list[Places] = []
    borders: list[tuple[int, int]] = []
    total = 0
    for size in (*SIZES, chunks):
        fitting = min(size, chunks)
        first = np.arange(chunks - fitting + 1)
        begins.append(first)
        ends.append(first + fitting)
        borders.append((total, total + len(first)))
        total += len(first)
    return np.concatenate(begins), np.concatenate(ends), tuple(borders)


_windows = lru_cache(maxsize=FEW)(_all_windows)


def _window(reading: Reading, at: int, score: float) -> Window:
    last = min(at + SIZES[1], len(reading.sums)) - 1
    return Window(int(reading.starts[at]), int(reading.stops[last]), score)
