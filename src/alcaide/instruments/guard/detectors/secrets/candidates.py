"""Where a text holds tokens that look random, in whole-array steps.

Letters and digits of a random token follow each other in ways that written words and names do not. A table of how
likely each pair is in words (`tools/guard/train_random_tokens.py`) turns that into a number for every run of letters
and digits; runs that speak for chance are given back with the wider token around them. No step looks at a character
at a time, so a text costs a few nanoseconds a byte whatever it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer

Octets = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

SHORTEST = 8
"""A run below eight letters and digits carries too little to tell chance from a name."""
LONGEST = 420
"""Keys end well below; what is longer is data (signed tokens have a mark of their own and are found by it)."""
WITHOUT_DIGITS = 16
"""Runs of letters alone need this length: a random key of 16 letters has no digit only once in 500 times."""
MIXED = 20
"""From this length on, digits and letters in one run are worth a look whatever the table says of their order: digits
follow digits in years as they do in hexadecimal keys."""
BLOCK = 1 << 19
"""Characters looked at in one go: bounds memory at some megabytes whatever the text."""
SMALL = 3072
"""Octets up to which one `re` pass is quicker than the fixed cost of a dozen array steps; measured."""
SPEAKS_FOR_CHANCE = 4.0
"""Natural logarithm of the likelihood ratio from which a run is worth a look at its surroundings."""

_LONG_RUN = re.compile(rb"[A-Za-z0-9]{8,}")
_LONGER_RUN = re.compile(rb"[A-Za-z]{16,}")
"""Of a text without digits: what is shorter is a word."""
_DIGITS = b"0123456789"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"


def _symbols() -> Octets:
    table = np.zeros(256, dtype=np.uint8)
    for index, octet in enumerate(_DIGITS + _LETTERS):
        table[octet] = index + 1
    for index, octet in enumerate(_LETTERS.upper()):
        table[octet] = len(_DIGITS) + index + 1
    return table


def _members(characters: bytes) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[np.frombuffer(characters, dtype=np.uint8)] = True
    return table


_SYMBOL = _symbols().tobytes()
_WIDE = _members(_DIGITS + _LETTERS + _LETTERS.upper() + b"+/=_-.~:%").tobytes()
"""What keys are made of, their inner punctuation and padding included."""
LINE = 56
"""From this length on, lines of nothing but token characters that follow each other are a wrapped blob (RFC 2045
and RFC 7468 wrap at 76 and 64)."""


@lru_cache(maxsize=1)
def _ratio() -> tuple[npt.NDArray[np.int16], tuple[int, ...], float]:
    path = resources.files("alcaide.instruments.guard.detectors.secrets").joinpath("random_tokens.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        ratio = stored["ratio"].ravel().astype(np.int16)
        return ratio, tuple(ratio.tolist()), float(stored["scale"])


class Candidate(NamedTuple):
    """A run that looks random: its own extent, that of the token around it, and by how much it speaks for chance."""

    start: int
    end: int
    wide_start: int
    wide_end: int
    chance: float


def plain(layer: Layer) -> bytes:
    """The layer's text, one byte a character, whatever is not ASCII as `?`: offsets are those of the text."""
    kept = layer.notes.get("plain")
    if not isinstance(kept, bytes):
        kept = layer.text.encode("ascii", "replace")
        layer.notes["plain"] = kept
    return kept


def candidates(octets: bytes) -> Iterator[Candidate]:
    """Tokens that look random, in order, each wide token once."""
    if len(octets) <= SMALL:
        yield from _of_small(octets)
        return
    start = 0
    while start < len(octets):
        end = min(start + BLOCK, len(octets))
        if end < len(octets):
            # Not in the middle of a token, unless it is far too long to be one.
            cut = max(octets.rfind(b"\n", end - LONGEST, end), octets.rfind(b" ", end - LONGEST, end))
            end = cut + 1 if cut > start else end
        yield from _of_block(octets if end - start == len(octets) else octets[start:end], start)
        start = end


def chance(token: str) -> float:
    """By how much the letters and digits of `token` speak for chance, as of a run in a text."""
    symbols = token.encode("ascii", "replace").translate(_SYMBOL)
    _, ratio, scale = _ratio()
    before, total = 0, 0
    for symbol in symbols:  # a token has some dozens of characters
        total += ratio[before * 37 + symbol]
        before = symbol
    return total / scale


def _edges(mask: npt.NDArray[np.bool_]) -> tuple[Indices, Indices]:
    padded = np.empty(len(mask) + 2, dtype=np.bool_)
    padded[0] = padded[-1] = False
    padded[1:-1] = mask
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return changes[::2], changes[1::2]


def _of_block(octets: bytes, base: int) -> Iterator[Candidate]:
    symbols = np.frombuffer(octets.translate(_SYMBOL), dtype=np.uint8)
    starts, ends = _edges(symbols != 0)
    lengths = ends - starts
    long = (lengths >= SHORTEST) & (lengths <= LONGEST)
    starts, ends = starts[long], ends[long]
    if not len(starts):
        return
    digits = np.zeros(len(octets) + 1, dtype=np.int32)
    np.cumsum((symbols - np.uint8(1)) < 10, dtype=np.int32, out=digits[1:])
    counts, lengths = digits[ends] - digits[starts], ends - starts
    worth = ((counts > 0) | (lengths >= WITHOUT_DIGITS)) & (counts < lengths)
    starts, ends = starts[worth], ends[worth]
    if not len(starts):
        return
    scores = _scores(symbols, starts, ends)
    counts, lengths = digits[ends] - digits[starts], ends - starts
    likely = (scores >= SPEAKS_FOR_CHANCE) | ((lengths >= MIXED) & (counts >= 2) & (lengths - counts >= 2))
    starts, ends, scores = starts[likely], ends[likely], scores[likely]
    if len(starts) * LONGEST < len(octets):
        yield from _widened_each(octets, starts.tolist(), ends.tolist(), scores.tolist(), base)
    elif len(starts):
        yield from _widened(octets, starts, ends, scores, base)


def _of_small(octets: bytes) -> Iterator[Candidate]:
    starts, ends, scores = [], [], []
    digits = len(octets.translate(None, _DIGITS)) != len(octets)
    for match in (_LONG_RUN if digits else _LONGER_RUN).finditer(octets):
        run = match[0]
        if run.isdigit() or len(run) > LONGEST or (len(run) < WITHOUT_DIGITS and run.isalpha()):
            continue
        score = chance(run.decode("ascii"))
        if score >= SPEAKS_FOR_CHANCE or (len(run) >= MIXED and not run.isalpha()):
            starts.append(match.start())
            ends.append(match.end())
            scores.append(score)
    return _widened_each(octets, starts, ends, scores, 0)


def _scores(symbols: Octets, starts: Indices, ends: Indices) -> npt.NDArray[np.float64]:
    """The table's sum over each run."""
    lengths = ends - starts
    firsts = np.cumsum(lengths) - lengths
    at = np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(starts - firsts, lengths)
    codes = symbols.take(at).astype(np.int16)
    before = symbols.take(at - 1, mode="wrap").astype(np.int16)
    before[firsts] = 0
    codes += before * np.int16(37)
    ratio, _, scale = _ratio()
    return np.add.reduceat(ratio.take(codes), firsts, dtype=np.int32) / scale


def _widened_each(
    octets: bytes, starts: list[int], ends: list[int], scores: list[float], base: int
) -> Iterator[Candidate]:
    """The token around each of a few runs, found from the run outwards."""
    best: Candidate | None = None
    for start, end, score in zip(starts, ends, scores, strict=True):
        if best is not None and start + base < best.wide_end:
            if score > best.chance:
                best = best._replace(start=start + base, end=end + base, chance=score)
            continue
        if best is not None:
            yield best
        low = max(0, start - LONGEST - 1)
        first = low + octets[low:start].translate(_WIDE).rfind(b"\0") + 1
        length = octets[end : end + LONGEST + 1].translate(_WIDE).find(b"\0")
        last = end + length if length >= 0 else min(len(octets), end + LONGEST + 1)
        best = None
        if last - first <= LONGEST and not _in_blob(octets, first, last):
            best = Candidate(start + base, end + base, first + base, last + base, score)
    if best is not None:
        yield best


def _in_blob(octets: bytes, start: int, end: int) -> bool:
    """Whether the token is a line of a wrapped blob: one like it on the line above or below."""
    if end - start < LINE:
        return False
    above = octets[max(0, start - LINE - 2) : start].rstrip(b"\r\n")[-LINE:]
    below = octets[end : end + LINE + 2].lstrip(b"\r\n")[:LINE]
    return any(len(line) == LINE and b"\0" not in line.translate(_WIDE) for line in (above, below))


def _widened(
    octets: bytes, starts: Indices, ends: Indices, scores: npt.NDArray[np.float64], base: int
) -> Iterator[Candidate]:
    """The token around each of many runs, in whole-array steps."""
    wide_starts, wide_ends = _edges(np.frombuffer(octets.translate(_WIDE), dtype=np.bool_))
    of = np.searchsorted(wide_starts, starts, side="right") - 1
    lengths = wide_ends - wide_starts
    gaps = wide_starts[1:] - wide_ends[:-1]
    blob = (lengths[1:] >= LINE) & (lengths[:-1] >= LINE) & (gaps <= 2)
    in_blob = np.zeros(len(wide_starts), dtype=np.bool_)
    in_blob[1:] |= blob
    in_blob[:-1] |= blob
    keep = (lengths[of] <= LONGEST) & ~in_blob[of]
    # The run that speaks loudest stands for its token.
    order = np.lexsort((-scores[keep], of[keep]))
    kept = np.flatnonzero(keep)[order]
    first = np.ones(len(kept), dtype=np.bool_)
    first[1:] = of[kept][1:] != of[kept][:-1]
    chosen = kept[first]
    token = of[chosen]
    rows = zip(
        (starts[chosen] + base).tolist(),
        (ends[chosen] + base).tolist(),
        (wide_starts[token] + base).tolist(),
        (wide_ends[token] + base).tolist(),
        scores[chosen].tolist(),
        strict=True,
    )
    yield from map(Candidate._make, rows)
