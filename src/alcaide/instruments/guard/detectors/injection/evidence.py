"""What the learned heads say of a text, as a short row of numbers for the combination that comes after them.

Two heads read every window. *attack* was trained on attacks against harmless texts of all kinds. *request* tells
what people ask of an assistant from what stands in documents: in a prompt a request is what one expects, in a table
or a mail it is the sign that somebody speaks to the model from there. So what counts of the second head is contrast:
one stretch that asks, among others that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear
from alcaide.instruments.guard.learned.linear import Head, Reading, Window

SIZES: Final = (2, 4, 16)
"""Windows in chunks of 64 bytes: a sentence, a paragraph, a page."""

FEW: Final = 64
"""Texts of up to this many chunks, 4 kB, are most texts: where their windows lie is worked out once."""

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


def gathered(layer: Layer, attack: Head, request: Head, biases: tuple[float, float]) -> Evidence | None:
    """What the heads say of a layer; None for one without text. `biases` are the heads' intercepts."""
    reading, asked = linear.read_all(layer, (attack, request))
    chunks = len(reading.sums)
    if not chunks:
        return None
    # Both heads at once: cumulative sums, and every window from their differences.
    sums = np.zeros((3, chunks + 1))
    np.add.accumulate(reading.sums, out=sums[0, 1:])
    np.add.accumulate(asked.sums, out=sums[1, 1:])
    np.add.accumulate(reading.sizes, out=sums[2, 1:])
    scales, offsets = _columns(attack.scale, request.scale, *biases)
    begins, ends, borders = _windows(chunks) if chunks <= FEW else _all_windows(chunks)
    over = sums.take(ends, axis=1)
    over -= sums.take(begins, axis=1)
    scores = over[:2] * scales
    scores /= np.sqrt(over[2])
    scores += offsets
    # From here on lists: a dozen questions to a few dozen windows each.
    attacks, requests = scores.tolist()
    a2, a4, a16, a_whole = [attacks[low:high] for low, high in borders]
    r2, r4, _, r_whole = [requests[low:high] for low, high in borders]
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
            log2(max(8.0, float(sums[2, -1]))),
        )
    )
    return Evidence(values, _window(reading, best, a4[best]), _window(asked, most, r4[most]))


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
