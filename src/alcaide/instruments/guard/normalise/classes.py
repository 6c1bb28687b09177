"""What kind of character each byte of a text is, looked up once for everything that asks."""

from __future__ import annotations

from functools import lru_cache

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer

BASE64, CODES, MORSE, LETTER, DIGIT, GAP, LEET, CONTROL = (1 << bit for bit in range(8))

_LARGE = 8192
"""Bytes from which on arrays are quicker than searching in translated bytes: 2 ns a byte against 8, and 5 µs a call."""

Mask = npt.NDArray[np.bool_]


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    for bit, members in (
        (BASE64, _LETTERS + b"0123456789+/=_-"),
        (CODES, b"0123456789abcdefABCDEF \n\t,:;xX\\-"),
        (MORSE, b".-/| \n"),
        (LETTER, _LETTERS),
        (DIGIT, b"0123456789"),
        (GAP, b" \t\n.-_*~|/"),
        (LEET, b"013457@$!|+"),
        (CONTROL, _CONTROLS),
    ):
        table[np.frombuffer(members, dtype=np.uint8)] |= np.uint8(bit)
    return table


def kinds(layer: Layer) -> npt.NDArray[np.uint8]:
    """The classes of every byte of the layer's `octets`, as bits."""
    known = layer.notes.get("kinds")
    if known is None:
        known = layer.notes["kinds"] = _table().take(layer.octet_array)
    assert isinstance(known, np.ndarray)
    return known


_PLAIN = b"abcdefghijklmnopqrstuvwxyz ,.'"


def rest(layer: Layer) -> bytes:
    """What is left of the layer's `octets` without letters of ASCII, blanks, commas, periods and apostrophes.

    Of prose that is a thirtieth, so that a question about signs costs next to nothing; letters that nothing asks
    about in this way need not be told apart.
    """
    known = layer.notes.get("rest")
    if not isinstance(known, bytes):
        known = layer.notes["rest"] = layer.octets.translate(None, _PLAIN)
    return known


_CONTINUATION = bytes(range(0x80, 0xC0))


def _shape(members: bytes, others: bytes = b"") -> bytes:
    """A translation to `x` for members, `o` for others, and space for the rest."""
    table = bytearray(b" " * 256)
    for octet in members:
        table[octet] = ord("x")
    for octet in others:
        table[octet] = ord("o")
    return bytes(table)


_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE64_SHAPE = _shape(_LETTERS + b"0123456789+/=_-")
_CODES_SHAPE = _shape(b"0123456789abcdefABCDEF \n\t,:;xX\\-")
_LEET = b"013457@$!|+"
_DIGITS = b"0123456789"
_LEET_SHAPE = _shape(_LETTERS, _LEET)
_SIXTEEN, _THIRTY_TWO = b"x" * 16, b"x" * 32
_APART_SHAPE = _shape(bytes(set(range(256)) - set(b" \t\n.-_*~|/")))
_CONTROLS = bytes(octet for octet in (*range(32), 127) if octet not in b"\t\n\r\x1b")


def has_base64_run(layer: Layer) -> bool:
    """Whether 16 characters of base64's alphabet stand in a row."""
    if len(layer.octets) < _LARGE:
        return _SIXTEEN in layer.octets.translate(_BASE64_SHAPE)
    return _holds_run(kinds(layer), BASE64, 16)


def has_codes_run(layer: Layer) -> bool:
    """Whether 32 characters stand in a row that numbers and their separators are written in; eight are digits."""
    left = rest(layer)
    if len(left) - len(left.translate(None, _DIGITS)) < 8:
        return False
    if len(layer.octets) < _LARGE:
        return _THIRTY_TWO in layer.octets.translate(_CODES_SHAPE)
    return _holds_run(kinds(layer), CODES, 32)


def letters_apart(layer: Layer) -> list[int]:
    """Characters at which a run of single characters between gaps may begin, in order; empty for most texts."""
    if len(layer.octets) < _LARGE:
        shape = layer.octets.translate(_APART_SHAPE, _CONTINUATION if not layer.ascii else b"")
        # Two single letters beside each other are rare; only then the whole run is looked for.
        if b" x x " not in shape and b"  x  " not in shape and shape[:4] != b"x x ":
            return []
        if b" x x x x" not in b" " + shape and b"  x  x  x " not in shape and b"  x   x   x " not in shape:
            return []
    gap = (kinds(layer) & GAP) != 0
    if not layer.ascii:
        # In characters rather than bytes: what continues a character is no character.
        gap = gap[(layer.octet_array & 0xC0) != 0x80]
    # A run may begin with the text: as if a gap stood before it.
    gap = np.concatenate(([True], gap))
    if len(gap) < 12:
        return []
    alone = gap[:-2] & ~gap[1:-1] & gap[2:]
    close = np.flatnonzero(alone[:-4] & alone[2:-2] & alone[4:])
    spread = gap[:-11] & gap[1:-10] & ~gap[2:-9] & gap[3:-8] & gap[4:-7]
    wide = np.flatnonzero(
        spread & ((~gap[5:-6] & gap[6:-5] & gap[7:-4]) | (gap[5:-6] & ~gap[6:-5] & gap[7:-4] & gap[8:-3]))
    )
    return sorted({*close.tolist(), *(wide + 1).tolist()})


def leet_words(layer: Layer) -> int:
    """How often a figure or sign stands between two letters."""
    left = rest(layer)
    if len(left) == len(left.translate(None, _LEET)):
        return 0
    if len(layer.octets) < _LARGE:
        return layer.octets.translate(_LEET_SHAPE).count(b"xox")
    of = kinds(layer)
    letter = (of & LETTER) != 0
    return int(np.count_nonzero(letter[:-2] & ((of[1:-1] & LEET) != 0) & letter[2:]))


def has_controls(layer: Layer) -> bool:
    """Whether there are control characters other than white space and escape."""
    left = rest(layer)
    return len(left.translate(None, _CONTROLS)) != len(left)


def _holds_run(of: npt.NDArray[np.uint8], kind: int, length: int) -> bool:
    held = of & np.uint8(kind)
    reach = 1
    while reach < length:
        held = held[:-reach] & held[reach:]
        reach *= 2
    return bool(np.count_nonzero(held))


def runs(mask: Mask, shortest: int) -> list[tuple[int, int]]:
    """Start and end of every run of True of at least `shortest`, a power of two.

    Shifted copies are laid over each other, doubling each time: after log2 steps a True says that `shortest` follow.
    """
    reach = 1
    held = mask
    while reach < shortest:
        if len(held) <= reach:
            return []
        held = held[:-reach] & held[reach:]
        reach *= 2
    if not np.count_nonzero(held):
        return []
    edges = np.flatnonzero(np.diff(held.view(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return [(int(start), int(last) + shortest - 1) for start, last in edges.tolist()]


_ROT13 = (
    b"gur ",
    b"lbh",
    b"vtaber",
    b"vafgehpg",
    b"flfgrz",
    b"cebzcg",
    b"cerivbhf",
    b"cyrnfr",
    b"erirny",
    b"jvgubhg",
    b"ehyrf",
    b"erfgevpg",
    b"fnsrgl",
    b"vtabevreg",
    b"nyyr ",
)
_REVERSED = (
    b"eht ",
    b" uoy",
    b"erongi",
    b"snoitcurtsni",
    b"tpmorp",
    b"metsys",
    b"laever",
    b"suoiverp",
    b"tuohtiw",
    b"selur",
    b"tcirtser",
    b"ytefas",
    b" ella",
)
_SIGNS = (*_ROT13, *_REVERSED)


@lru_cache(maxsize=1)
def _signs() -> ahocorasick_rs.BytesAhoCorasick:
    return ahocorasick_rs.BytesAhoCorasick(_SIGNS, matchkind=ahocorasick_rs.MatchKind.LeftmostFirst)


def signs(layer: Layer) -> tuple[int, int]:
    """How many different words of rot13 and of reversed English a layer holds.

    Only the first megabyte is asked: a guess about how a text is written needs no more.
    """
    known = layer.notes.get("signs")
    if isinstance(known, tuple):
        return known
    found = {sign for sign, _, _ in _signs().find_matches_as_indexes(layer.octets[: 1 << 20])}
    rotated = sum(sign < len(_ROT13) for sign in found)
    layer.notes["signs"] = counted = (rotated, len(found) - rotated)
    return counted
