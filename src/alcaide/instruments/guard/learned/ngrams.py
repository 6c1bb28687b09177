"""A text as numbers: hashed n-grams of bytes and of words, each with the place it stands at.

Every head over text shares what is computed here, so it is computed once a layer and kept in `layer.notes`. There
is no Python loop over characters: a byte n-gram is read as a machine word through a view that advances one byte at
a time, a word is told by up to 24 of its bytes, and hashing is one multiplication (Knuth, TAOCP 3, §6.4).

What is hashed is a *view* of the layer in which what seldom matters is gone: letters lower-case (the layer's
`octets` are), digits all one, white space and repeated punctuation collapsed, typographic marks blanks. A script
written without spaces (Han, kana, Hangul syllables, Thai, Lao) counts every character as a word, so that word
n-grams are character n-grams there. Hashes depend on nothing but the text: the same on every machine and run.

A text is cut in blocks of `BLOCK` bytes, so that memory stays that of one block; n-grams do not cross from one block
to the next (a block is cut at a blank where there is one). Blocks are kept for texts of up to `KEPT` bytes and made
again for each head beyond that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer

Ids = npt.NDArray[np.intp]
Positions = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]
Words64 = npt.NDArray[np.uint64]

VERSION: Final = 1
"""Part of every model's recipe: weights are of use only to the hashing they were trained with."""

BLOCK: Final = 1 << 14
"""Bytes hashed at a time: what one step makes of them, eight bytes for each, then stays in a core's own cache."""

KEPT: Final = 1 << 19
"""Texts of up to this many bytes keep their blocks for the next head, at some forty bytes for each."""

BYTE_ORDERS: Final = (3, 4, 5, 6, 7)
WORD_GROUPS: Final = ("w1", "w2", "w3", "w4", "s2", "s3", "p4", "q2", "q3", "r2")
GROUPS: Final = tuple(f"c{order}" for order in BYTE_ORDERS) + WORD_GROUPS
"""Names of what can be asked for: `c5` byte 5-grams; `w1`…`w4` runs of words; `s2`, `s3` pairs of words with one or
two words between; `p4` words by their first four bytes, `q2` and `q3` runs of such, `r2` pairs with one between."""

_LITTLE: Final = sys.byteorder == "little"

# Odd constants: 2^64 / golden ratio (Knuth), and three from the SplitMix64 generator seeded with 1, made odd.
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIDDLE: Final = np.uint64(0x910A2DEC89025CC1)
_END: Final = np.uint64(0xBEEB8DA1658EEC67)
_NEXT: Final = np.uint64(0xF893A2EEFB32555F)
_SHIFT: Final = np.uint64(32)

_FOLD: Final = np.uint64(29)

_DIGIT: Final = 0x40
_DIGIT_OR_MARK: Final = 0x40
_MARK: Final = 0x3F
"""In a view every byte above 0x3F belongs to a word: 0x40 is any digit, then letters, and what UTF-8 needs for the
rest. What may be collapsed lies at 0x40 and below."""


def _view_table() -> bytes:
    table = bytearray(range(256))
    for octet in range(0x21):
        table[octet] = 0x20
    for octet in range(0x30, 0x3A):
        table[octet] = _DIGIT
    # [ \ ] ^ _ ` and { | } ~ stand between the letters in ASCII; they move below them, to where controls were.
    for place, octet in enumerate(b"[\\]^_`{|}~@", start=1):
        table[octet] = place
    for octet in range(0x41, 0x5B):  # a capital that has no lower case of the same length cannot be ASCII
        table[octet] = octet + 0x20
    table[0x7F] = 0x20
    return bytes(table)


_TABLE: Final = _view_table()
_MASKS: Final = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)
_STEM: Final = 4


CHUNK: Final = 64
"""Bytes of the view in a chunk, the unit in which heads add up: windows begin and end between chunks."""

_GRID: Final = np.arange(0, BLOCK + CHUNK, CHUNK)
_GRID.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Chunked:
    """A block's n-grams of some groups, one group after the other, cut where chunks begin.

    `ids` are the n-grams and, behind them, one that is none, `borders` the place in `ids` of each group's each chunk
    and of the end, `filled` whether that chunk has any n-gram of that group. `masked` keeps `ids` cut to a table's
    length.
    """

    ids: npt.NDArray[np.uint32]
    borders: Positions
    filled: npt.NDArray[np.bool_]
    chunks: int
    masked: dict[int, Ids] = field(default_factory=dict)

    def _places(self, length: int) -> Ids:
        places = self.masked.get(length)
        if places is None:
            places = self.masked[length] = (self.ids & np.uint32(length - 1)).astype(np.intp)
        return places

    def sums_of_two(self, pairs: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        """`sums` of two tables whose entries lie beside each other, read as one number: a row for each table."""
        both = pairs.take(self._places(len(pairs))).view(np.int8).reshape(-1, 2)
        total = np.add.reduceat(both, self.borders, axis=0, dtype=np.int64)[:-1]
        total *= self.filled[:, None]
        by_chunk: npt.NDArray[np.int64] = np.add.reduce(total.reshape(-1, self.chunks, 2), axis=0)
        return by_chunk.T

    def sums(self, table: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """For each chunk the sum of what `table` (a power of two long) holds for its n-grams."""
        total = np.add.reduceat(table.take(self._places(len(table))), self.borders, dtype=np.int64)[:-1]
        # A segment without elements is given the element that follows it.
        total *= self.filled
        by_chunk: npt.NDArray[np.int64] = np.add.reduce(total.reshape(-1, self.chunks), axis=0)
        return by_chunk


@dataclass(slots=True)
class Block:
    """Part of a layer, ready to be hashed. `start` and `stop` are offsets in the layer's `octets`.

    `ids(name)` and `positions(name)` are of one length: a number below 2^32 for every n-gram of that group, and the
    offset in `octets` of the byte it begins at, ascending. They are made when first asked for.
    """

    start: int
    stop: int
    view: Bytes
    """What is hashed, with a blank before and eight zero bytes after."""
    places: Positions
    """For each byte of the view, its offset in `octets`."""
    starts: Positions
    """Where words begin, and `ends` where they end, in the view."""
    ends: Positions
    _chunked: dict[tuple[str, ...], Chunked] = field(default_factory=dict)

    @property
    def grid(self) -> Positions:
        """Where chunks begin in the view."""
        chunks = -(-len(self.places) // CHUNK)
        return _GRID[:chunks] if chunks <= len(_GRID) else np.arange(0, len(self.places), CHUNK)

    @property
    def words(self) -> int:
        """How many words the block has."""
        return len(self.starts)

    def word_places(self) -> tuple[Positions, Positions]:
        """Where each word begins and ends, in `octets`."""
        return self.places.take(self.starts), self.places.take(self.ends - 1) + 1

    def ids(self, group: str) -> Ids:
        """The hashed n-grams of one group."""
        return (self._hashed(group, {}) >> _SHIFT).view(np.intp)

    def positions(self, group: str) -> Positions:
        """Where each n-gram of one group begins, in `octets`."""
        if group[0] == "c":
            return self.places[: max(0, len(self.places) - int(group[1:]) + 1)]
        return self.places.take(self.starts[: len(self.ids(group))])

    def chunked(self, groups: tuple[str, ...]) -> Chunked:
        """The n-grams of several groups in one array, with the borders of the chunks within it."""
        made = self._chunked.get(groups)
        if made is None:
            grid = self.grid
            counts = [self._count(group) for group in groups]
            before = [0, *accumulate(counts)]
            # All groups side by side in one array, each hashed where it stands; the last place is no n-gram's.
            hashed = np.empty(before[-1] + 1, dtype=np.uint64)
            hashed[-1] = 0
            known: dict[str, Words64] = {}
            for group, begin, end in zip(groups, before, before[1:], strict=False):
                self._hashed(group, known, hashed[begin:end])
            # A row for each group, its number of n-grams in the first column; and the end of all at the end.
            columns = np.array((counts, before[:-1]))[:, :, None]
            borders = np.empty(len(groups) * len(grid) + 1, dtype=np.intp)
            rows = borders[:-1].reshape(len(groups), len(grid))
            rows[:] = self.starts.searchsorted(grid)
            for row, group in enumerate(groups):
                if group[0] == "c":
                    rows[row] = grid
            np.minimum(rows, columns[0], out=rows)
            rows += columns[1]
            borders[-1] = before[-1]
            made = self._chunked[groups] = Chunked(
                _high(hashed).copy(), borders, borders[:-1] < borders[1:], len(grid)
            )
        return made

    def _count(self, group: str) -> int:
        """How many n-grams of a group there are."""
        if group[0] == "c":
            return max(0, len(self.places) - int(group[1:]) + 1)
        return max(0, len(self.starts) - (_RUNS[group][2] if group in _RUNS else 0))

    def _hashed(self, group: str, known: dict[str, Words64], into: Words64 | None = None) -> Words64:
        """Hashes of one group, all 64 bits of them, `into` an array of their number where one is given.

        `known` holds what was made on the way, for the next group.
        """
        hashed = known.get(group)
        if hashed is not None:
            if into is not None:
                into[:] = hashed
            return hashed
        if into is None:
            into = np.empty(self._count(group), dtype=np.uint64)
        if group[0] == "c":
            np.bitwise_and(self._eights(known)[: len(into)], _MASKS[int(group[1:])], out=into)
            into *= _GOLDEN
        elif group == "w1":
            self._whole_words(self._eights(known), into)
        elif group == "p4":
            lengths = (self.ends - self.starts).clip(max=_STEM)
            self._eights(known).take(self.starts, out=into, mode="clip")
            into &= _MASKS.take(lengths)
            into *= _GOLDEN
            _mix(into)
        else:
            left, right, distance = _RUNS[group]
            # `left[i]` followed by `right[i + distance]`.
            np.multiply(self._hashed(left, known)[: len(into)], _NEXT + np.uint64(2 * distance), out=into)
            into += self._hashed(right, known)[distance : distance + len(into)]
        known[group] = into
        return into

    def _eights(self, known: dict[str, Words64]) -> Words64:
        """For each byte of the view, it and the seven after it as one number; beyond the end all are zero."""
        eights = known.get("eights")
        if eights is None:
            seen: Words64 = np.ndarray(
                (len(self.places),), dtype=np.uint64, buffer=self.view.data, offset=1, strides=(1,)
            )
            eights = known["eights"] = seen.copy() if _LITTLE else seen.byteswap()
        return eights

    def _whole_words(self, eights: Words64, into: Words64) -> None:
        starts, ends = self.starts, self.ends
        if not len(into):
            return
        lengths = ends - starts
        # Clipped look-ups: no bytes of a word that is too short, eight of one that is long enough.
        eights.take(starts, out=into, mode="clip")
        into &= _MASKS.take(lengths, mode="clip")
        into *= _GOLDEN
        longest = int(np.maximum.reduce(lengths))
        if longest > 8:
            second = eights.take(starts + 8, mode="clip")
            lengths -= 8
            second &= _MASKS.take(lengths, mode="clip")
            second *= _MIDDLE
            into += second
        if longest > 16:
            last = eights.take(ends - 8, mode="clip")
            lengths -= 8
            lengths *= 8
            last &= _MASKS.take(lengths, mode="clip")
            last *= _END
            into += last
        _mix(into)


_RUNS: Final[dict[str, tuple[str, str, int]]] = {
    "w2": ("w1", "w1", 1),
    "w3": ("w2", "w1", 2),
    "w4": ("w3", "w1", 3),
    "s2": ("w1", "w1", 2),
    "s3": ("w1", "w1", 3),
    "q2": ("p4", "p4", 1),
    "q3": ("q2", "p4", 2),
    "r2": ("p4", "p4", 2),
}


def _high(hashed: Words64) -> npt.NDArray[np.uint32]:
    """The upper halves: the bits that a multiplication mixes best."""
    return hashed.view(np.uint32)[1::2] if _LITTLE else hashed.view(np.uint32)[::2]


def _mix(hashed: Words64) -> None:
    """Bring the high bits down and spread them again, so that sums of hashes do not line up."""
    hashed ^= hashed >> _FOLD
    hashed *= _MIDDLE


def blocks(layer: Layer) -> Iterator[Block]:
    """The layer's blocks in order; an empty text has none."""
    octets = layer.octets
    if not octets:
        return
    if len(octets) > KEPT:
        yield from _blocks(octets, layer.ascii)
        return
    kept = layer.notes.get("ngrams")
    if kept is None:
        kept = layer.notes["ngrams"] = tuple(_blocks(octets, layer.ascii))
    assert isinstance(kept, tuple)
    yield from kept


def whole(layer: Layer) -> Block | None:
    """The layer as one block, however long: what training counts on. None for an empty text."""
    return _block(layer.octets, 0, layer.ascii) if layer.octets else None


def _blocks(octets: bytes, ascii_only: bool) -> Iterator[Block]:
    size = len(octets)
    start = 0
    while start < size:
        stop = min(size, start + BLOCK)
        if stop < size:
            blank = octets.rfind(b" ", start + BLOCK // 2, stop)
            if blank > 0:
                stop = blank
            else:
                while stop > start + BLOCK - 4 and octets[stop] & 0xC0 == 0x80:
                    stop -= 1
        part = octets[start:stop]
        yield _block(part, start, ascii_only or part.isascii())
        start = stop


def _block(octets: bytes, start: int, ascii_only: bool) -> Block:
    mapped = np.frombuffer(octets.translate(_TABLE), dtype=np.uint8)
    if not ascii_only:
        mapped = _without_marks(mapped)
    # 1. Collapse repeats of anything but a letter. A digit counts as one until here.
    kept = mapped > _DIGIT_OR_MARK
    kept[0] = True
    kept[1:] |= mapped[1:] != mapped[:-1]
    places = kept.nonzero()[0]
    # One blank before and eight bytes after: every word has a byte around it, and every byte seven after it.
    view = np.zeros(len(places) + 9, dtype=np.uint8)
    body = view[1:-8]
    mapped.take(places, out=body, mode="clip")
    # 2. Find the words: a letter beside what is none is an edge, and edges alternate.
    letters = view[:-7] > _MARK
    edges = (letters[1:] != letters[:-1]).nonzero()[0]
    starts, ends = edges[::2], edges[1::2]
    if not ascii_only:
        starts, ends = _split_scripts(view, letters, starts, ends)
    places += start
    return Block(start, start + len(octets), view, places, starts, ends)


def _without_marks(mapped: Bytes) -> Bytes:
    """Blanks for what is punctuation beyond ASCII: C2 xx, E2 80–81 xx, E3 80 xx, EF BC 81–8F, EF BC 9A–A0, EF BD xx.

    Those are Latin-1's marks, general punctuation, CJK marks and the full-width forms of ASCII's (Unicode blocks
    0080, 2000, 3000, FF00); what few letters lie among them (ª, º, µ, half-width kana) are lost to the view.
    """
    mapped = mapped.copy()
    latin = (mapped[:-1] == 0xC2).nonzero()[0]
    mapped[latin] = 0x20
    mapped[latin + 1] = 0x20
    for lead, low, high in ((0xE2, 0x80, 0x81), (0xE3, 0x80, 0x80), (0xEF, 0xBC, 0xBD)):
        at = (mapped[:-2] == lead).nonzero()[0]
        second = mapped[at + 1]
        at = at[(second >= low) & (second <= high)]
        if lead == 0xEF:  # full-width digits and letters stay
            third = mapped[at + 2]
            at = at[(mapped[at + 1] != 0xBC) | (third <= 0x8F) | ((third >= 0x9A) & (third <= 0xA0))]
        for offset in range(3):
            mapped[at + offset] = 0x20
    return mapped


def _split_scripts(
    view: Bytes, letters: npt.NDArray[np.bool_], starts: Positions, ends: Positions
) -> tuple[Positions, Positions]:
    """Make every character of a script without spaces a word of its own.

    Such a character begins with E3 to ED (kana, Han, Hangul) or with E0 B8 to E0 BB (Thai, Lao) and has three bytes.
    """
    lead = view[1:-8]
    alone = (lead >= 0xE3) & (lead <= 0xED)
    alone |= (lead == 0xE0) & (view[2:-7] >= 0xB8) & (view[2:-7] <= 0xBB)
    singles = alone.nonzero()[0]
    if not len(singles):
        return starts, ends
    size = len(lead)
    begins = np.zeros(size + 1, dtype=np.bool_)
    closes = np.zeros(size + 1, dtype=np.bool_)
    begins[starts] = True
    closes[ends] = True
    after = np.minimum(singles + 3, size)
    inside = letters[1:]
    begins[singles] = True
    begins[after] |= inside[after]
    closes[after] = True
    closes[singles] |= letters[singles]
    return begins.nonzero()[0], closes.nonzero()[0]
