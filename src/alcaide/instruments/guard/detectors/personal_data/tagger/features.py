"""What the tagger sees of a text: words, the gaps between them, and what each word is known as, as arrays.

Every hash of a word, a prefix or a suffix comes out of one running sum over the text (a polynomial hash whose powers
can be divided out again, since an odd number has an inverse modulo 2⁶⁴), so that the cost per word does not depend on
how many such hashes are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.personal_data.reading import Reading, letters

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]

# ── Characters ───────────────────────────────────────────────────────────────────────────────────────────────────

OTHER, LETTER, UPPER, DIGIT, SPACE, NEWLINE, COMMA, PERIOD, COLON, DASH, APOSTROPHE, OPENING, CLOSING, QUOTE, SLASH, AT = range(16)

_GROUPS: tuple[tuple[int, str], ...] = (
    (SPACE, " \t\u00a0\u2002\u2003\u2009\u202f\u3000"),
    (NEWLINE, "\n\r\u2028\u2029"),
    (COMMA, ",;"),
    (PERIOD, ".!?…"),
    (COLON, ":="),
    (DASH, "-\u2010\u2011\u2012\u2013\u2014"),
    (APOSTROPHE, "'\u2019`\u00b4"),
    (OPENING, "([{<"),
    (CLOSING, ")]}>"),
    (QUOTE, "\"\u201c\u201d\u201e\u00ab\u00bb*"),
    (SLASH, "/\\|"),
    (AT, "@#_&+~$%"),
)


@lru_cache(maxsize=1)
def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(0x10000, dtype=np.uint8)
    kinds[letters()] = LETTER
    for code in range(0x10000):
        if kinds[code] and chr(code) != chr(code).lower():
            kinds[code] = UPPER
    kinds[48:58] = DIGIT
    for kind, members in _GROUPS:
        kinds[[ord(one) for one in members]] = kind
    return kinds


@lru_cache(maxsize=1)
def _wordlike() -> npt.NDArray[np.bool_]:
    kinds = _kinds()
    return (kinds >= LETTER) & (kinds <= DIGIT)


# ── Hashes ───────────────────────────────────────────────────────────────────────────────────────────────────────

_PRIME = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_PRIME, -1, 1 << 64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)  # the finaliser of MurmurHash3 (public domain)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)


@lru_cache(maxsize=1)
def _powers() -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse, for the longest block."""
    size = 1 << 17
    up = np.full(size, _PRIME, dtype=np.uint64)
    down = np.full(size, _INVERSE, dtype=np.uint64)
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


def mixed(hashes: Hashes) -> Hashes:
    """Bits of a hash spread over all of it."""
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes = hashes * _MIX
    hashes = hashes ^ (hashes >> np.uint64(29))
    return hashes


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────

GIVEN, SURNAME, PLACE, ORGANISATION, STREET, JOB, TITLE, NATIONALITY, COMMON, NOT_NAME, CUE = (1 << bit for bit in range(11))

LISTS: tuple[tuple[str, int], ...] = (
    ("given", GIVEN),
    ("surnames", SURNAME),
    ("places", PLACE),
    ("organisations", ORGANISATION),
    ("streets", STREET),
    ("jobs", JOB),
    ("titles", TITLE),
    ("nationalities", NATIONALITY),
    ("common", COMMON),
    ("not_names", NOT_NAME),
    ("cues", CUE),
)

_BITS = 17


def words_of(name: str) -> list[str]:
    """The words of one list: each part of what `_` joins is a word."""
    text = (resources.files(__package__).parent / "lists" / f"{name}.txt").read_text("utf-8")  # type: ignore[attr-defined]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return " ".join(lines).replace("_", " ").replace("-", " ").replace("'", " ").split()


@lru_cache(maxsize=1)
def _known() -> npt.NDArray[np.uint16]:
    """Which lists a word is in, as a Bloom filter with two probes: a stranger is taken for a member once in 100."""
    table = np.zeros(1 << _BITS, dtype=np.uint16)
    for name, flag in LISTS:
        words = words_of(name)
        if name == "nationalities":
            words = words + [word + "s" for word in words]
        if not words:
            continue
        text = " ".join(dict.fromkeys(words))
        hashes = Words(Reading(text, text)).hashes
        for probe in _probes(hashes):
            table[probe] |= np.uint16(flag)
    return table


def _probes(hashes: Hashes) -> tuple[Hashes, Hashes]:
    shift = np.uint64(64 - _BITS)
    return hashes >> shift, (hashes * _MIX_2) >> shift


class Words:
    """The words of a block: where they are, how they are written, what is between them."""

    def __init__(self, reading: Reading) -> None:
        codes = reading.codes
        self.kinds = _kinds()[codes]
        wordlike = _wordlike()[codes]
        borders = np.flatnonzero(wordlike[1:] != wordlike[:-1]) + 1
        if wordlike.size and wordlike[0]:
            borders = np.concatenate(([0], borders))
        if wordlike.size and wordlike[-1]:
            borders = np.concatenate((borders, [wordlike.size]))
        self.starts: Indices = borders[0::2]
        self.ends: Indices = borders[1::2]
        up, self._down = _powers()
        self._sum = np.empty(codes.size + 1, dtype=np.uint64)
        self._sum[0] = 0
        np.cumsum(reading.lower_codes * up[: codes.size], out=self._sum[1:])
        self.hashes = self.hash(self.starts, self.ends)

    @property
    def count(self) -> int:
        """How many words."""
        return int(self.starts.size)

    def hash(self, starts: Indices, ends: Indices) -> Hashes:
        """Hashes of the lower-case text from each start to each end."""
        return mixed((self._sum[ends] - self._sum[starts]) * self._down[starts])


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of each word by itself, padded by `PAD` on both sides."""

    words: Hashes
    shapes: npt.NDArray[np.uint64]
    flags: npt.NDArray[np.uint64]
    gaps: npt.NDArray[np.uint64]
    labels: Hashes
    candidates: Indices


PAD = 3
"""How far the tagger looks to each side, in words."""
_SHAPES = 24


def looks(reading: Reading, words: Words) -> Looks | None:
    """What the tagger needs of a block; None if no word in it could be a name's or an address's."""
    if not words.count:
        return None
    kinds, starts, ends = words.kinds, words.starts, words.ends
    table = _known()
    first, second = _probes(words.hashes)
    flags = table[first] & table[second]
    head, tail = kinds[starts], kinds[ends - 1]
    lengths = ends - starts
    titled = head == UPPER
    numeric = (head == DIGIT) & (tail == DIGIT)
    known = (flags & np.uint16(GIVEN | SURNAME | PLACE | NATIONALITY)) != 0
    common = (flags & np.uint16(COMMON | NOT_NAME)) != 0
    named = (flags & np.uint16(GIVEN | PLACE | NATIONALITY | SURNAME)) != 0
    before = np.empty(words.count, dtype=np.uint8)  # the last mark before each word
    before[0] = NEWLINE
    before[1:] = kinds[starts[1:] - 1]
    seeds = (titled & ~common) | (known & ~common & ~numeric)
    # A common word in capitals may still be a name ("Will", "Grace") unless a sentence or a line begins with it.
    seeds |= titled & named & ((flags & np.uint16(GIVEN | PLACE | NATIONALITY)) != 0) & ((flags & np.uint16(NOT_NAME)) == 0)
    cue = (flags & np.uint16(CUE | TITLE)) != 0
    seeds[1:] |= cue[:-1] & ~common[1:]
    seeds &= lengths < 40
    if not seeds.any():
        return None
    near = seeds.copy()
    near[1:] |= seeds[:-1]
    near[:-1] |= seeds[1:]
    near[2:] |= seeds[:-2]
    near[:-2] |= seeds[2:]
    candidates = np.flatnonzero(near)

    last = kinds.size - 1
    second_kind = kinds[np.minimum(starts + 1, last)]
    shapes = np.where(titled, 1, 0)
    shapes = np.where(titled & (lengths == 1), 2, shapes)
    shapes = np.where(titled & (lengths > 1) & (second_kind == UPPER) & (tail == UPPER), 3, shapes)
    shapes = np.where(numeric, 5 + np.minimum(lengths, 7), shapes)
    shapes = np.where((head == DIGIT) != (tail == DIGIT), 4, shapes)
    shapes = np.where((shapes == 0) & (lengths <= 2), 14, shapes)

    # The gap on a word's left: its first and last mark and whether it is more than one.
    gap_first = np.empty(words.count + 1, dtype=np.uint64)
    gap_first[0] = NEWLINE * 16 + NEWLINE
    between = kinds[ends[:-1]].astype(np.uint64)
    closing = kinds[starts[1:] - 1].astype(np.uint64)
    size = np.minimum(starts[1:] - ends[:-1], 3).astype(np.uint64)
    gap_first[1:-1] = (between * np.uint64(16) + closing) * np.uint64(4) + size
    gap_first[-1] = NEWLINE * 16 + NEWLINE + 1

    # The word before the nearest colon on the same line: `Name: …`, `Address: …`.
    place = np.arange(words.count)
    colon = np.zeros(words.count, dtype=np.intp)
    is_colon = np.zeros(words.count, dtype=bool)
    is_colon[1:] = between == COLON
    newline = np.zeros(words.count, dtype=bool)
    newline[1:] = (closing == NEWLINE) | (between == NEWLINE)
    colon = np.maximum.accumulate(np.where(is_colon, place, 0))
    line = np.maximum.accumulate(np.where(newline, place, 0))
    labelled = (colon > 0) & (colon >= line)
    labels = np.where(labelled, words.hashes[np.maximum(colon - 1, 0)], np.uint64(7))
    labels = labels + np.minimum(place - colon, 5).astype(np.uint64) * np.uint64(0)

    hashes = np.where(numeric, shapes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), words.hashes)
    return Looks(
        _padded(hashes, 3), _padded(shapes.astype(np.uint64), 20), _padded(flags.astype(np.uint64), 0),
        np.concatenate((np.full(PAD, 999, dtype=np.uint64), gap_first, np.full(PAD, 999, dtype=np.uint64))),
        labels, candidates,
    )  # fmt: skip


def _padded(values: npt.NDArray[np.uint64], filler: int) -> npt.NDArray[np.uint64]:
    fill = np.full(PAD, filler, dtype=np.uint64)
    return np.concatenate((fill, values, fill))


# ── Features ─────────────────────────────────────────────────────────────────────────────────────────────────────

FEATURES = 34
HASH_BITS = 16


@lru_cache(maxsize=1)
def _salts() -> Hashes:
    return mixed(np.arange(1, FEATURES + 1, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93))[:, None]


def features(words: Words, seen: Looks) -> npt.NDArray[np.intp]:
    """Rows of the weight table, one a feature and candidate: `[FEATURES, candidates]`."""
    at = seen.candidates
    i = at + PAD
    w, s, f, g = seen.words, seen.shapes, seen.flags, seen.gaps
    starts, ends = words.starts[at], words.ends[at]
    w0, wl, wr, wll, wrr = w[i], w[i - 1], w[i + 1], w[i - 2], w[i + 2]
    s0, sl, sr, sll, srr = s[i], s[i - 1], s[i + 1], s[i - 2], s[i + 2]
    f0, fl, fr, fll, frr = f[i], f[i - 1], f[i + 1], f[i - 2], f[i + 2]
    gl, gr = g[i], g[i + 1]
    gll, grr = g[i - 1], g[i + 2]
    prefix2 = words.hash(starts, np.minimum(starts + 2, ends))
    prefix3 = words.hash(starts, np.minimum(starts + 3, ends))
    suffix2 = words.hash(np.maximum(ends - 2, starts), ends)
    suffix3 = words.hash(np.maximum(ends - 3, starts), ends)
    suffix4 = words.hash(np.maximum(ends - 4, starts), ends)
    label = seen.labels[at]
    numeric = s0 >= 5
    numeric &= s0 < 14
    for part in (prefix2, prefix3, suffix2, suffix3, suffix4):
        part[numeric] = 1
    a, b, c = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
    cased = s0 * a
    rows: list[Any] = [
        w0,
        w0 ^ cased,
        wl ^ (gl * a),
        wr ^ (gr * a),
        wll ^ (s0 * b),
        wrr ^ (s0 * b),
        wl ^ (w0 * a),
        wr ^ (w0 * b),
        (wll * a) ^ wl ^ (s0 * c),
        (wrr * a) ^ wr ^ (s0 * c),
        wl ^ cased ^ (f0 * c),
        wr ^ cased ^ (f0 * c),
        prefix2 ^ cased,
        prefix3 ^ cased,
        suffix2 ^ cased,
        suffix3 ^ cased,
        suffix4 ^ cased,
        f0 * a ^ s0 * b,
        f0 * a ^ fl * b ^ s0 * c ^ sl,
        f0 * a ^ fr * b ^ s0 * c ^ sr,
        f0 * a ^ gl * b ^ gr * c,
        (sl * a) ^ (s0 * b) ^ (sr * c),
        (sll * a) ^ (sl * b) ^ (s0 * c) ^ (gl << np.uint64(20)),
        (srr * a) ^ (sr * b) ^ (s0 * c) ^ (gr << np.uint64(20)),
        (gl * a) ^ (gr * b) ^ (s0 * c),
        label ^ cased,
        label ^ (f0 * b),
        (fl * a) ^ (fr * b) ^ (f0 * c),
        (fll * a) ^ (fl * b) ^ (gl * c),
        (frr * a) ^ (fr * b) ^ (gr * c),
        suffix3 ^ (fl * a) ^ (sl * b),
        suffix3 ^ (fr * a) ^ (sr * b),
        (gll * a) ^ (gl * b) ^ (sl * c) ^ s0,
        (grr * a) ^ (gr * b) ^ (sr * c) ^ s0,
    ]  # fmt: skip
    stacked = mixed((np.array(rows) + _salts()) * _MIX_2)
    return (stacked >> np.uint64(64 - HASH_BITS)).astype(np.intp)
