"""Where a text holds tokens that look random, in whole-array steps.

Letters and digits of a random token follow each other in ways that written words and names do not. A table of how
likely each pair is in words (`tools/guard/train_random_tokens.py`) turns that into a number for every run of letters
and digits; runs that speak for chance are given back with the wider token around them. No step looks at a character
at a time, so a text costs a few nanoseconds a byte whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

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
BLOCK = 1 << 19
"""Characters looked at in one go: bounds memory at some megabytes whatever the text."""
SPEAKS_FOR_CHANCE = 4.0
"""Natural logarithm of the likelihood ratio from which a run is worth a look at its surroundings."""

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


SYMBOL = _symbols()
WIDE = _members(_DIGITS + _LETTERS + _LETTERS.upper() + b"+/=_-.~:")
"""What keys are made of, their inner punctuation and padding included."""


@lru_cache(maxsize=1)
def _ratio() -> tuple[npt.NDArray[np.int8], float]:
    path = resources.files("alcaide.instruments.guard.detectors.secrets").joinpath("random_tokens.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return stored["ratio"].ravel(), float(stored["scale"])


@dataclass(frozen=True, slots=True)
class Candidate:
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
    start = 0
    while start < len(octets):
        end = min(start + BLOCK, len(octets))
        if end < len(octets):
            # Not in the middle of a token, unless it is far too long to be one.
            cut = max(octets.rfind(b"\n", end - LONGEST, end), octets.rfind(b" ", end - LONGEST, end))
            end = cut + 1 if cut > start else end
        yield from _of_block(np.frombuffer(octets, dtype=np.uint8, count=end - start, offset=start), start)
        start = end


def chance(token: str) -> float:
    """By how much the letters and digits of `token` speak for chance, as of a run in a text."""
    octets = np.frombuffer(token.encode("ascii", "replace"), dtype=np.uint8)
    symbols = SYMBOL[octets]
    ratio, scale = _ratio()
    codes = np.concatenate(([0], symbols[:-1])).astype(np.int64) * 37 + symbols
    return float(ratio[codes].sum()) / scale


def _edges(mask: npt.NDArray[np.bool_]) -> tuple[Indices, Indices]:
    padded = np.empty(len(mask) + 2, dtype=np.bool_)
    padded[0] = padded[-1] = False
    padded[1:-1] = mask
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return changes[::2], changes[1::2]


def _of_block(octets: Octets, base: int) -> Iterator[Candidate]:
    symbols = SYMBOL[octets]
    starts, ends = _edges(symbols > 0)
    lengths = ends - starts
    long = (lengths >= SHORTEST) & (lengths <= LONGEST)
    starts, ends = starts[long], ends[long]
    if not len(starts):
        return
    digits = np.zeros(len(octets) + 1, dtype=np.int32)
    np.cumsum((symbols - np.uint8(1)) < 10, dtype=np.int32, out=digits[1:])
    worth = (digits[ends] > digits[starts]) | (ends - starts >= WITHOUT_DIGITS)
    worth &= digits[ends] - digits[starts] < ends - starts
    starts, ends = starts[worth], ends[worth]
    if not len(starts):
        return
    scores = _scores(symbols, starts, ends)
    likely = scores >= SPEAKS_FOR_CHANCE
    starts, ends, scores = starts[likely], ends[likely], scores[likely]
    if len(starts):
        yield from _widened(octets, starts, ends, scores, base)


def _scores(symbols: Octets, starts: Indices, ends: Indices) -> npt.NDArray[np.float64]:
    """The table's sum over each run."""
    lengths = ends - starts
    firsts = np.cumsum(lengths) - lengths
    at = np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(starts - firsts, lengths)
    codes = symbols[at].astype(np.int64)
    codes[1:] += symbols[at[1:] - 1].astype(np.int64) * 37
    codes[firsts] = symbols[starts]
    ratio, scale = _ratio()
    return np.add.reduceat(ratio[codes].astype(np.int32), firsts) / scale


def _widened(
    octets: Octets, starts: Indices, ends: Indices, scores: npt.NDArray[np.float64], base: int
) -> Iterator[Candidate]:
    wide_starts, wide_ends = _edges(WIDE[octets])
    of = np.searchsorted(wide_starts, starts, side="right") - 1
    lengths = wide_ends - wide_starts
    # Lines of a wrapped blob (an image, a certificate) follow each other with nothing but a line end between.
    gaps = wide_starts[1:] - wide_ends[:-1]
    blob = (lengths[1:] >= 56) & (lengths[:-1] >= 56) & (gaps <= 2)
    in_blob = np.zeros(len(wide_starts), dtype=np.bool_)
    in_blob[1:] |= blob
    in_blob[:-1] |= blob
    keep = (lengths[of] <= LONGEST) & ~in_blob[of]
    # The run that speaks loudest stands for its token.
    order = np.lexsort((-scores[keep], of[keep]))
    kept = np.flatnonzero(keep)[order]
    first = np.ones(len(kept), dtype=np.bool_)
    first[1:] = of[kept][1:] != of[kept][:-1]
    for index in kept[first]:
        token = of[index]
        yield Candidate(
            int(starts[index]) + base,
            int(ends[index]) + base,
            int(wide_starts[token]) + base,
            int(wide_ends[token]) + base,
            float(scores[index]),
        )
