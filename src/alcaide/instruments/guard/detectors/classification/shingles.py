"""Fingerprints of a text by winnowing: a few of its word shingles, chosen so that a copy chooses the same ones.

    1. Words are runs of letters and digits; a Chinese or Japanese character is a word of its own.
    2. Each word is hashed, all at once, from one running sum over the text.
    3. `SHINGLE` words in a row make a shingle.
    4. Of every `WINDOW` shingles in a row the smallest hash is kept (Schleimer, Wilkerson, Aiken: "Winnowing: Local
       Algorithms for Document Fingerprinting", SIGMOD 2003). So any `SHINGLE + WINDOW - 1` words copied as they are
       share at least one fingerprint with their source, whatever stands around them.

Case, punctuation, spacing and mark-up between words do not matter. Everything is whole-array arithmetic modulo 2⁶⁴.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

SHINGLE = 4
"""Words in a shingle. With one word in five changed 0.8⁴ = 41 % of shingles survive; with five words 33 %, with
three 51 %, but three-word phrases are shared by texts that have nothing to do with each other."""
WINDOW = 4
"""Shingles of which one is kept: two in five on average (2 / (WINDOW + 1))."""

BLOCK = 1 << 18
"""Characters hashed in one go; two tables of this many powers are kept."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that it has an inverse modulo 2⁶⁴."""
_PLACES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


class Shingles(NamedTuple):
    """The chosen shingles of a text: hashes, the number of their first word, and every word's extent in characters."""

    hashes: Hashes
    words: Indices
    starts: Indices
    ends: Indices


def shingles(lower: str) -> Shingles:
    """The fingerprints of a text that is in lower case already."""
    hashes, starts, ends = _words(lower)
    if len(hashes) < SHINGLE:
        return Shingles(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), starts, ends)
    count = len(hashes) - SHINGLE + 1
    combined = np.zeros(count, dtype=np.uint64)
    for place, factor in enumerate(_PLACES):
        combined += hashes[place : place + count] * np.uint64(factor)
    combined = _mixed(combined)
    chosen = _winnowed(combined)
    return Shingles(combined[chosen], chosen, starts, ends)


def _winnowed(hashes: Hashes) -> Indices:
    if len(hashes) <= WINDOW:
        return np.array([len(hashes) - 1 - int(np.argmin(hashes[::-1]))], dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, WINDOW)
    # The rightmost of equals, as the paper has it: a run of one word repeated then keeps few.
    last = WINDOW - 1 - np.argmin(windows[:, ::-1], axis=1)
    chosen = np.arange(len(windows), dtype=np.int64) + last
    fresh = np.ones(len(chosen), dtype=np.bool_)
    fresh[1:] = chosen[1:] != chosen[:-1]
    kept: Indices = chosen[fresh]
    return kept


def _words(lower: str) -> tuple[Hashes, Indices, Indices]:
    hashes, starts, ends = [], [], []
    base = 0
    while base < len(lower):
        end = min(base + BLOCK, len(lower))
        if end < len(lower):
            space = lower.rfind(" ", base, end)
            end = space + 1 if space > base else end
        block = _words_of_block(lower[base:end])
        hashes.append(block[0])
        starts.append(block[1] + base)
        ends.append(block[2] + base)
        base = end
    if not hashes:
        nothing = np.zeros(0, dtype=np.int64)
        return np.zeros(0, dtype=np.uint64), nothing, nothing
    return np.concatenate(hashes), np.concatenate(starts), np.concatenate(ends)


def _words_of_block(text: str) -> tuple[Hashes, Indices, Indices]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    word, alone = _classes(points)
    opens = word.copy()
    opens[1:] &= ~word[:-1] | alone[1:] | alone[:-1]
    closes = np.zeros(len(word) + 1, dtype=np.bool_)
    closes[1:-1] = word[:-1] & (~word[1:] | alone[1:] | alone[:-1])
    closes[-1] = word[-1]
    starts, ends = np.flatnonzero(opens), np.flatnonzero(closes)
    powers, inverses = _powers()
    running = np.zeros(len(points) + 1, dtype=np.uint64)
    np.cumsum((points.astype(np.uint64) + np.uint64(1)) * powers[: len(points)], out=running[1:])
    return _mixed((running[ends] - running[starts]) * inverses[starts]), starts, ends


def _classes(points: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which characters belong to words, and which are words by themselves."""
    low = np.minimum(points, 0x3FFF)
    table = _table()
    kinds = table[low]
    high = points >= 0x3FFF
    if high.any():
        far = points[high]
        ideograph = ((far >= 0x3FFF) & (far < 0xA000)) | ((far >= 0xF900) & (far < 0xFB00)) | (far >= 0x20000)
        other = ~ideograph & ~((far >= 0xFE00) & (far < 0xFF10)) & ~((far >= 0x1F000) & (far < 0x20000))
        kinds[high] = np.where(ideograph, 2, np.where(other, 1, 0)).astype(np.uint8)
    alone = kinds == 2
    return kinds != 0, alone


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    table = np.zeros(0x4000, dtype=np.uint8)
    for point in range(0x3FFF):
        letter = chr(point)
        if letter.isalnum() or 0x300 <= point < 0x370:
            table[point] = 2 if 0x3040 <= point < 0x3100 or point >= 0x3400 else 1
    return table


@lru_cache(maxsize=1)
def _powers() -> tuple[Hashes, Hashes]:
    inverse = np.uint64(pow(int(_BASE), -1, 1 << 64))
    tables = []
    for factor in (_BASE, inverse):
        table = np.full(BLOCK + 1, factor, dtype=np.uint64)
        table[0] = 1
        tables.append(np.multiply.accumulate(table))
    return tables[0], tables[1]


def _mixed(values: Hashes) -> Hashes:
    """Every bit of the input moves every bit of the output (the finaliser of MurmurHash3, public domain)."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))
