"""A block of text as arrays: what every part of the detector needs, computed once, in whole-array steps.

Offsets are characters of the block. Codes above the basic multilingual plane are folded onto its last one: no letter
with case, no digit and no separator that matters here lies beyond.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import lazy

_JOINERS = " -./()\u00a0\u2010\u2011\u2012\u2013\u202f"
"""What may stand between the digits of one number."""

_DIGITS = bytes(48 <= code < 58 for code in range(256))


Cluster = tuple[int, int, bool]
"""A run of digits that joiners hold together: its start, its end, and whether a letter touches it."""

_ENOUGH = 6
"""Digits of a number that is one wherever it stands."""
_SHORT = 4096
"""Characters up to which clusters are looked at one by one: some thirty whole-array steps take longer."""
_ONE = re.compile(f"[0-9](?:[{re.escape(_JOINERS)}]{{0,2}}[0-9])*")
_COLON = 58
_CLOSE = 5
_ROOM = 4
_AT = re.compile("@")
_TIGHT = re.compile(r":(?:(?=[0-9:a-f])|\Z)")


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
    def clusters(self) -> list[Cluster]:
        """Numbers as they are written: `555-12 34` is one cluster, `5, 6` two.

        A lone short number between punctuation is a table's, not a person's: of less than six digits only those are
        here that have a letter beside them, or one character away.
        """
        if self.ascii and len(self.octets.translate(None, b"0123456789")) == len(self.octets):
            return []
        return self._few_clusters() if len(self.text) <= _SHORT else self._many_clusters()

    def _few_clusters(self) -> list[Cluster]:
        text, letter, size = self.text, _letter_octets(), len(self.text)
        found: list[Cluster] = []
        for match in _ONE.finditer(text):
            start, end = match.span()
            mixed = (start > 0 and letter[_code(text[start - 1])] == 1) or (
                end < size and letter[_code(text[end])] == 1
            )
            if (
                mixed
                or (start > 1 and (text[start - 2] == ":" or letter[_code(text[start - 2])] == 1))
                or (end + 1 < size and letter[_code(text[end + 1])] == 1)
                or (end - start >= _ENOUGH and sum(map(str.isdigit, match[0])) >= _ENOUGH)
            ):
                found.append((start, end, mixed))
        return found

    def _many_clusters(self) -> list[Cluster]:
        codes = self.codes
        if self.ascii:
            octets = self.octets.translate(_DIGITS)
            places = np.frombuffer(octets, dtype=np.bool_).nonzero()[0]
        else:
            # Unsigned arithmetic wraps, so that one comparison asks for both ends of the range.
            places = ((codes - codes.dtype.type(48)) < 10).nonzero()[0]
        if not places.size:
            return []
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
        further_before = (letter[two_before] | (two_before == _COLON)) & (starts > 1)
        further_after = letter[codes[np.minimum(ends + 1, last)]] & (ends < last)
        mixed = before | after
        wanted = np.flatnonzero(mixed | further_before | further_after | (digits >= _ENOUGH))
        return list(zip(starts[wanted].tolist(), ends[wanted].tolist(), mixed[wanted].tolist(), strict=True))

    @lazy
    def ats(self) -> list[int]:
        """Places of `@` with a word character on both sides and room for a domain before the next one."""
        if "@" not in self.text:
            return []
        if len(self.text) <= _SHORT:
            return [at for at, room in self._each_at() if room and self._word(at - 1) and self._word(at + 1)]
        codes = self.codes
        places = np.flatnonzero(codes == 64)
        _, letter = _classes()
        last = codes.size - 1
        word = letter[codes[np.maximum(places - 1, 0)]] | _is_digit(codes[np.maximum(places - 1, 0)])
        next_ = codes[np.minimum(places + 1, last)]
        room = np.diff(places, append=codes.size + 8) > _ROOM
        found: list[int] = places[word & (letter[next_] | _is_digit(next_)) & room].tolist()
        return found

    @lazy
    def handles(self) -> list[int]:
        """Places of `@` before a letter and after none: where an account's handle would begin."""
        if "@" not in self.text:
            return []
        if len(self.text) <= _SHORT:
            return [
                at
                for at, _ in self._each_at()
                if self._letter(at + 1) and not (at and (self.text[at - 1] in ".@" or self._word(at - 1)))
            ]
        codes = self.codes
        places = np.flatnonzero(codes == 64)
        _, letter = _classes()
        last = codes.size - 1
        previous = codes[np.maximum(places - 1, 0)]
        joined = (letter[previous] | _is_digit(previous) | (previous == 46) | (previous == 64)) & (places > 0)
        found: list[int] = places[~joined & letter[codes[np.minimum(places + 1, last)]]].tolist()
        return found

    def _each_at(self) -> list[tuple[int, bool]]:
        """Every `@`, and whether the next one leaves room for a domain."""
        places = [match.start() for match in _AT.finditer(self.text)]
        return [(at, next_ - at > _ROOM) for at, next_ in pairwise((*places, len(self.text) + 8))]

    def _letter(self, at: int) -> bool:
        return 0 <= at < len(self.text) and _letter_octets()[_code(self.text[at])] == 1

    def _word(self, at: int) -> bool:
        """Whether a letter or one of ASCII's digits stands there."""
        return self._letter(at) or (0 <= at < len(self.text) and "0" <= self.text[at] <= "9")

    @lazy
    def colons(self) -> list[int]:
        """Places of a colon within five characters of another, each between hexadecimal digits or colons."""
        if len(self.text) <= _SHORT:
            if self.lower.count(":") < 2:
                return []
            tight = [match.start() for match in _TIGHT.finditer(self.lower)]
            return [one for one, next_ in pairwise(tight) if next_ - one <= _CLOSE]
        if ":" not in self.text:
            return []
        codes = self.lower_codes
        places = np.flatnonzero(codes == _COLON)
        last = codes.size - 1
        places = places[_is_hexadecimal(codes[np.minimum(places + 1, last)])]
        if places.size < 2:
            return []
        found: list[int] = places[:-1][np.diff(places) <= _CLOSE].tolist()
        return found


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


def _code(letter: str) -> int:
    return min(ord(letter), 0xFFFF)


@lru_cache(maxsize=1)
def _letter_octets() -> bytes:
    """`letters`, a byte each: quicker to ask about one."""
    return letters().tobytes()


@lru_cache(maxsize=1)
def letters() -> npt.NDArray[np.bool_]:
    """Which code points are letters or combine with one."""
    import unicodedata

    return np.array([unicodedata.category(chr(code))[0] in "LM" for code in range(0x10000)], dtype=bool)
