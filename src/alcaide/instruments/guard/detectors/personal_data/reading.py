"""A block of text as arrays: what every part of the detector needs, computed once, in whole-array steps.

Offsets are characters of the block. Codes above the basic multilingual plane are folded onto its last one: no letter
with case, no digit and no separator that matters here lies beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import lazy

_JOINERS = " -./()\u00a0\u2010\u2011\u2012\u2013\u202f"
"""What may stand between the digits of one number."""

Indices = npt.NDArray[np.intp]
_DIGITS = bytes(48 <= code < 58 for code in range(256))
_NOWHERE: Indices = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Runs of digits that joiners hold together: `starts`, `ends`, digits in each, whether a letter touches it."""

    starts: Indices
    ends: Indices
    digits: Indices
    mixed: npt.NDArray[np.bool_]
    near_letter: npt.NDArray[np.bool_]


_NO_CLUSTERS = Clusters(_NOWHERE, _NOWHERE, _NOWHERE, _NOWHERE.astype(bool), _NOWHERE.astype(bool))


class Reading:
    """One block. `lower` is its lower case, character for character."""

    def __init__(self, text: str, lower: str) -> None:
        self.text = text
        self.lower = lower
        self.ascii = text.isascii()

    @lazy
    def octets(self) -> bytes:
        """The text as bytes, one a character: only for a block that is all ASCII."""
        return self.text.encode("ascii")

    @lazy
    def codes(self) -> npt.NDArray[Any]:
        """Code points as written."""
        return np.frombuffer(self.octets, dtype=np.uint8) if self.ascii else _codes(self.text, False)

    @lazy
    def lower_codes(self) -> npt.NDArray[Any]:
        """Code points in lower case."""
        return _codes(self.lower, self.ascii)

    @lazy
    def clusters(self) -> Clusters:
        """Numbers as they are written: `555-12 34` is one cluster, `5, 6` two."""
        codes = self.codes
        if self.ascii:
            octets = self.octets.translate(_DIGITS)
            places = np.frombuffer(octets, dtype=np.bool_).nonzero()[0]
        else:
            # Unsigned arithmetic wraps, so that one comparison asks for both ends of the range.
            places = ((codes - codes.dtype.type(48)) < 10).nonzero()[0]
        if not places.size:
            return _NO_CLUSTERS
        gap = np.diff(places)
        joiner, letter = _classes()
        last = codes.size - 1
        first_between = joiner[codes[np.minimum(places[:-1] + 1, last)]]
        second_between = joiner[codes[np.minimum(places[:-1] + 2, last)]]
        joined = (gap == 1) | ((gap == 2) & first_between) | ((gap == 3) & first_between & second_between)
        border = np.flatnonzero(~joined)
        starts = places[np.concatenate(([0], border + 1))]
        ends = places[np.concatenate((border, [places.size - 1]))] + 1
        digits = np.diff(np.concatenate(([0], border + 1, [places.size])))
        before = letter[codes[np.maximum(starts - 1, 0)]] & (starts > 0)
        after = letter[codes[np.minimum(ends, last)]] & (ends <= last)
        two_before = codes[np.maximum(starts - 2, 0)]
        further_before = (letter[two_before] | (two_before == 58)) & (starts > 1)
        further_after = letter[codes[np.minimum(ends + 1, last)]] & (ends < last)
        mixed = before | after
        return Clusters(starts, ends, digits, mixed, mixed | further_before | further_after)

    @lazy
    def ats(self) -> Indices:
        """Places of `@` with a word character on both sides and room for a domain before the next one."""
        if "@" not in self.text:
            return _NOWHERE
        codes = self.codes
        places = np.flatnonzero(codes == 64)
        _, letter = _classes()
        last = codes.size - 1
        word = letter[codes[np.maximum(places - 1, 0)]] | _is_digit(codes[np.maximum(places - 1, 0)])
        next_ = codes[np.minimum(places + 1, last)]
        room = np.diff(places, append=codes.size + 8) > 4
        found: Indices = places[word & (letter[next_] | _is_digit(next_)) & room]
        return found

    @lazy
    def handles(self) -> Indices:
        """Places of `@` before a letter and after none: where an account's handle would begin."""
        if "@" not in self.text:
            return _NOWHERE
        codes = self.codes
        places = np.flatnonzero(codes == 64)
        _, letter = _classes()
        last = codes.size - 1
        previous = codes[np.maximum(places - 1, 0)]
        joined = (letter[previous] | _is_digit(previous) | (previous == 46) | (previous == 64)) & (places > 0)
        found: Indices = places[~joined & letter[codes[np.minimum(places + 1, last)]]]
        return found

    @lazy
    def colons(self) -> Indices:
        """Places of a colon within five characters of another, each between hexadecimal digits or colons."""
        if ":" not in self.text:
            return _NOWHERE
        codes = self.lower_codes
        places = np.flatnonzero(codes == 58)
        last = codes.size - 1
        tight = _is_hexadecimal(codes[np.minimum(places + 1, last)])
        places = places[tight]
        if places.size < 2:
            return places[:0]
        return places[:-1][np.diff(places) <= 5]


def _codes(text: str, ascii_only: bool) -> npt.NDArray[Any]:
    if ascii_only:
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    wide = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.minimum(wide, 0xFFFF).astype(np.uint16)


def _is_digit(codes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return (codes >= 48) & (codes <= 57)


def _is_hexadecimal(codes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return ((codes >= 48) & (codes <= 58)) | ((codes >= 97) & (codes <= 102))


@lru_cache(maxsize=1)
def _classes() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Joiners and letters, by code point."""
    joiner = np.zeros(0x10000, dtype=bool)
    joiner[[ord(one) for one in _JOINERS]] = True
    letter = letters()
    return joiner, letter


@lru_cache(maxsize=1)
def letters() -> npt.NDArray[np.bool_]:
    """Which code points are letters or combine with one."""
    import unicodedata

    return np.array([unicodedata.category(chr(code))[0] in "LM" for code in range(0x10000)], dtype=bool)
