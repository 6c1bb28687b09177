"""What the tagger sees of a text: words, the gaps between them, and what each word is known as, as arrays.

Every hash of a word, a prefix or a suffix comes out of one running sum over the text (a polynomial hash whose powers
can be divided out again, since an odd number has an inverse modulo 2⁶⁴), so that the cost per word does not depend on
how many such hashes are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.personal_data.reading import Reading, letters
from alcaide.instruments.guard.layer import lazy

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]

# ── Characters ───────────────────────────────────────────────────────────────────────────────────────────────────

(
    OTHER,
    LETTER,
    UPPER,
    DIGIT,
    SPACE,
    NEWLINE,
    COMMA,
    PERIOD,
    COLON,
    DASH,
    APOSTROPHE,
    OPENING,
    CLOSING,
    QUOTE,
    SLASH,
    AT,
) = range(16)

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
    (QUOTE, '"\u201c\u201d\u201e\u00ab\u00bb*'),
    (SLASH, "/\\|"),
    (AT, "@#_&+~$%"),
)


@lru_cache(maxsize=1)
def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(0x10000, dtype=np.uint8)
    # Letters of scripts without case stay OTHER: nothing here was taught to tell their names from their words.
    for code in np.flatnonzero(letters()).tolist():
        letter = chr(code)
        if letter != letter.lower():
            kinds[code] = UPPER
        elif letter != letter.upper() or code < 0x250:
            kinds[code] = LETTER
    kinds[48:58] = DIGIT
    for kind, members in _GROUPS:
        kinds[[ord(one) for one in members]] = kind
    return kinds


@lru_cache(maxsize=1)
def _ascii_tables() -> tuple[bytes, bytes]:
    """The same two tables for bytes.translate, which is ten times as quick where it can be used."""
    return _kinds()[:256].tobytes(), _wordlike()[:256].astype(np.uint8).tobytes()


def kinds_of(reading: Reading) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The kind of every character, and whether it is part of a word, with one that is none at either end."""
    if reading.ascii:
        octets = reading.octets
        kinds, wordlike = _ascii_tables()
        return np.frombuffer(octets.translate(kinds), np.uint8), np.frombuffer(
            b"\0%b\0" % octets.translate(wordlike), np.uint8
        )
    codes = reading.codes
    within = np.zeros(len(codes) + 2, dtype=np.uint8)
    within[1:-1] = _wordlike().take(codes)
    return _kinds().take(codes), within


@lru_cache(maxsize=1)
def _wordlike() -> npt.NDArray[np.bool_]:
    kinds = _kinds()
    return ((kinds >= LETTER) & (kinds <= DIGIT)) | letters()


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
    hashes *= _MIX
    hashes ^= hashes >> np.uint64(29)
    return hashes


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────

GIVEN, SURNAME, PLACE, ORGANISATION, STREET, JOB, TITLE, NATIONALITY, COMMON, NOT_NAME, CUE = (
    1 << bit for bit in range(11)
)

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


_PACKAGE = resources.files("alcaide.instruments.guard.detectors.personal_data")


def words_of(name: str) -> list[str]:
    """The words of one list: each part of what `_` joins is a word."""
    text = (_PACKAGE / "lists" / f"{name}.txt").read_text("utf-8")
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
        for probe in _probes(Words(Reading(text, text)).raw):
            table[probe] |= np.uint16(flag)
    return table


def _probes(raw: Hashes) -> tuple[Hashes, Hashes]:
    shift = np.uint64(64 - _BITS)
    return (raw * _MIX) >> shift, (raw * _MIX_2) >> shift


class Words:
    """The words of a block: where they are, how they are written, what is between them."""

    def __init__(self, reading: Reading) -> None:
        codes = reading.codes
        self.kinds, wordlike = kinds_of(reading)
        borders = (wordlike[1:] != wordlike[:-1]).nonzero()[0]
        self.starts: Indices = borders[0::2]
        self.ends: Indices = borders[1::2]
        up, self._down = _powers()
        self._sum = np.empty(codes.size + 1, dtype=np.uint64)
        self._sum[0] = 0
        np.add.accumulate(reading.lower_codes * up[: codes.size], out=self._sum[1:])
        self.raw = self._raw(self.starts, self.ends)
        self.labelled = ":" in reading.text or "=" in reading.text
        """Whether any word may have a label before it."""

    @property
    def count(self) -> int:
        """How many words."""
        return int(self.starts.size)

    @lazy
    def hashes(self) -> Hashes:
        """Hash of each word in lower case."""
        return mixed(self.raw)

    def hash(self, starts: Indices, ends: Indices) -> Hashes:
        """Hashes of the lower-case text from each start to each end."""
        return mixed(self._raw(starts, ends))

    def hash_between(self, borders: Indices) -> Hashes:
        """`hash` from each of the first half of `borders` to its counterpart in the second."""
        sums = self._sum.take(borders)
        hashes: Hashes = sums[1] - sums[0]
        hashes *= self._down.take(borders[0])
        return mixed(hashes)

    def _raw(self, starts: Indices, ends: Indices) -> Hashes:
        hashes: Hashes = self._sum.take(ends) - self._sum.take(starts)
        hashes *= self._down.take(starts)
        return hashes


PAD = 3
"""How far the tagger looks to each side, in words."""

# What a word looks like, from its first, second and last letter and its length, is read out of one table.
LOWER, TITLED, INITIAL, CAPITALS, MIXED = range(5)
NUMBER = 5  # to 12: a number of one to eight or more digits
SHORT = 14
CASELESS = 15
_OUTSIDE = 20


@lru_cache(maxsize=1)
def _shapes() -> npt.NDArray[np.uint8]:
    """Shapes by `first | second << 4 | last << 8 | min(length, 8) << 12`."""
    code = np.arange(1 << 16)
    first, second, last, length = code & 15, code >> 4 & 15, code >> 8 & 15, code >> 12
    shape = np.where(length <= 2, SHORT, LOWER)
    upper = first == UPPER
    shape = np.where(upper, TITLED, shape)
    shape = np.where(upper & (length == 1), INITIAL, shape)
    shape = np.where(upper & (length > 1) & (second == UPPER) & (last == UPPER), CAPITALS, shape)
    shape = np.where((first == DIGIT) & (last == DIGIT), NUMBER + np.minimum(length, 8) - 1, shape)
    shape = np.where((first == DIGIT) != (last == DIGIT), MIXED, shape)
    return np.where(first == OTHER, CASELESS, shape).astype(np.uint8)


_SEED, _CUES, _COMMON = 1, 2, 4


@lru_cache(maxsize=1)
def _interest() -> npt.NDArray[np.uint8]:
    """By `flags | shape << 11`: whether a word is worth a look, makes the next one so, or is common."""
    code = np.arange(1 << 16)
    flags, shape = code & 0x7FF, code >> 11
    titled = (shape >= TITLED) & (shape <= CAPITALS)
    wordy = (shape < NUMBER) | (shape == SHORT)
    common = (flags & (COMMON | NOT_NAME)) != 0
    # A surname alone does not make a common word in small letters a name ("long", "best"), nor one in capitals.
    seed = (titled & ~common) | (wordy & ~common & ((flags & (GIVEN | SURNAME | PLACE | NATIONALITY)) != 0))
    # A common word in capitals may still be a name ("Will", "Grace").
    seed |= titled & ((flags & (GIVEN | PLACE | NATIONALITY)) != 0) & ((flags & NOT_NAME) == 0)
    cues = (flags & (CUE | TITLE)) != 0
    table: npt.NDArray[np.uint8] = (seed * _SEED + cues * _CUES + common * _COMMON).astype(np.uint8)
    return table


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of each word by itself, padded by `PAD` on both sides: its hash, shape, lists, the gap before it.

    `seeds` are the words that may be an entity's by themselves; `seen[3]` is the gap before each word.
    """

    seen: npt.NDArray[np.uint64]
    seeds: Indices
    flags: npt.NDArray[np.uint16]
    numbered: bool
    """Whether any of the words is a number."""


_FIRST_NUMBER, _NUMBER_SHAPES = np.uint8(NUMBER), np.uint8(SHORT - NUMBER)
SPACE_ALONE = np.uint64((SPACE * 16 + SPACE) * 4 + 1)


def looks(words: Words) -> Looks | None:
    """What the tagger needs of a block; None if no word in it could be a name's or an address's."""
    count = words.count
    if not count:
        return None
    kinds, starts, ends = words.kinds, words.starts, words.ends
    table = _known()
    first, second = _probes(words.raw)
    flags = table.take(first.view(np.int64)) & table.take(second.view(np.int64))
    lengths = ends - starts
    code = np.minimum(lengths, 8).astype(np.uint16)
    code <<= 4
    code |= kinds.take(ends - 1)
    code <<= 4
    code |= kinds.take(starts + 1, mode="clip")
    code <<= 4
    code |= kinds.take(starts)
    shapes = _shapes().take(code)
    place = shapes.astype(np.uint16)
    place <<= 11
    place |= flags
    interest = _interest().take(place)
    seeds = interest & _SEED
    seeds[1:] |= (interest[:-1] >> 1) & ~(interest[1:] >> 2) & 1
    places = seeds.nonzero()[0]
    if not places.size:
        return None
    seen = np.empty((4, count + 2 * PAD + 1), dtype=np.uint64)
    seen[:, :PAD] = _OUTSIDE
    seen[:, PAD + count :] = _OUTSIDE
    seen[0, PAD : PAD + count] = words.hashes
    seen[1, PAD : PAD + count] = shapes
    seen[2, PAD : PAD + count] = flags
    numbers = ((shapes - _FIRST_NUMBER) < _NUMBER_SHAPES).nonzero()[0]  # what is below wraps to far above
    if numbers.size:
        # Numbers are known by how many digits they have.
        seen[0, PAD + numbers] = shapes[numbers]
    # The gap before a word: its first and last mark, and whether it is more than one.
    gaps = kinds.take(ends[:-1]).astype(np.uint16)
    gaps <<= 4
    gaps |= kinds.take(starts[1:] - 1)
    gaps <<= 2
    gaps |= np.minimum(starts[1:] - ends[:-1], 3).astype(np.uint16)
    seen[3, PAD] = NEWLINE * 16 + NEWLINE
    seen[3, PAD + 1 : PAD + count] = gaps
    return Looks(seen, places, flags, bool(numbers.size))


_FIVE = np.arange(5)


def neighbourhood(places: Indices, count: int) -> npt.NDArray[np.bool_]:
    """Which words lie within two of some words: where an entity that holds one of them may reach."""
    near = np.zeros(count + 4, dtype=bool)
    near[places[:, None] + _FIVE] = True
    return near[2:-2]


def _labels(words: Words, gaps: npt.NDArray[np.uint64], candidates: Indices) -> Hashes | None:
    """For each of some words the word before the last colon on its line (`Name: …`); None if there is no colon."""
    if not words.labelled:
        return None
    colons = np.flatnonzero(gaps >> np.uint64(6) == COLON) + 1
    if not colons.size:
        return None
    lines = (
        np.flatnonzero((gaps >> np.uint64(6) == NEWLINE) | (gaps >> np.uint64(2) & np.uint64(15) == NEWLINE))
        + 1
    )
    colon = np.concatenate(([0], colons))[np.searchsorted(colons, candidates, "right")]
    line = np.concatenate(([0], lines))[np.searchsorted(lines, candidates, "right")]
    return np.where((colon > 0) & (colon >= line), words.hashes[np.maximum(colon - 1, 0)], np.uint64(7))


# ── Features ─────────────────────────────────────────────────────────────────────────────────────────────────────

HASH_BITS = 16
_W, _S, _F, _G = range(4)
_PREFIX_2, _PREFIX_3, _SUFFIX_2, _SUFFIX_3, _SUFFIX_4, _LABEL = range(4, 10)
_TEMPLATES: tuple[tuple[tuple[int, int], ...], ...] = (
    # Each feature joins what is known of words at offsets from the one in question.
    ((_W, 0),),
    ((_W, 0), (_S, 0)),
    ((_W, -1), (_G, 0)),
    ((_W, 1), (_G, 1)),
    ((_W, -2), (_S, 0)),
    ((_W, 2), (_S, 0)),
    ((_W, -1), (_W, 0)),
    ((_W, 1), (_W, 0)),
    ((_W, -2), (_W, -1), (_S, 0)),
    ((_W, 2), (_W, 1), (_S, 0)),
    ((_W, -1), (_S, 0), (_F, 0)),
    ((_W, 1), (_S, 0), (_F, 0)),
    ((_PREFIX_2, 0), (_S, 0)),
    ((_PREFIX_3, 0), (_S, 0)),
    ((_SUFFIX_2, 0), (_S, 0)),
    ((_SUFFIX_3, 0), (_S, 0)),
    ((_SUFFIX_4, 0), (_S, 0)),
    ((_F, 0), (_S, 0)),
    ((_F, 0), (_F, -1), (_S, 0), (_S, -1)),
    ((_F, 0), (_F, 1), (_S, 0), (_S, 1)),
    ((_F, 0), (_G, 0), (_G, 1)),
    ((_S, -1), (_S, 0), (_S, 1)),
    ((_S, -2), (_S, -1), (_S, 0), (_G, 0)),
    ((_S, 2), (_S, 1), (_S, 0), (_G, 1)),
    ((_G, 0), (_G, 1), (_S, 0)),
    ((_LABEL, 0), (_S, 0)),
    ((_LABEL, 0), (_F, 0)),
    ((_F, -1), (_F, 1), (_F, 0)),
    ((_F, -2), (_F, -1), (_G, 0)),
    ((_F, 2), (_F, 1), (_G, 1)),
    ((_SUFFIX_3, 0), (_F, -1), (_S, -1)),
    ((_SUFFIX_3, 0), (_F, 1), (_S, 1)),
    ((_G, -1), (_G, 0), (_S, -1), (_S, 0)),
    ((_G, 2), (_G, 1), (_S, 1), (_S, 0)),
)
FEATURES = len(_TEMPLATES)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the terms of all features are fetched and joined.

    Features are ordered by how many terms they have; their first terms come first, then the second ones of those that
    have one, and so on, so that each further term is joined to a contiguous end of what there is. `depths` says how
    many features have a first, a second… term. `own` are the terms that only the word itself has: they are neighbours.
    """

    rows: Indices
    offsets: Indices
    own: slice
    own_rows: Indices
    multipliers: Hashes
    depths: tuple[int, ...]
    salts: Hashes


@lru_cache(maxsize=1)
def _plan() -> _Plan:
    count = sum(map(len, _TEMPLATES))
    keys = mixed(np.arange(101, 101 + count, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93)) | np.uint64(1)
    salts = mixed(np.arange(1, FEATURES + 1, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93))
    begins = np.cumsum([0, *(len(template) for template in _TEMPLATES[:-1])])
    own = [template[0][0] >= _PREFIX_2 for template in _TEMPLATES]
    # Those with a term of their own last among features of two terms and first among those of three.
    order = sorted(
        range(FEATURES), key=lambda one: (len(_TEMPLATES[one]), own[one] == (len(_TEMPLATES[one]) == 2))
    )
    terms, multipliers, depths = [], [], []
    for depth in range(max(map(len, _TEMPLATES))):
        deep = [feature for feature in order if len(_TEMPLATES[feature]) > depth]
        terms += [_TEMPLATES[feature][depth] for feature in deep]
        multipliers += [keys[begins[feature] + depth] for feature in deep]
        depths.append(len(deep))
    rows = np.array([row for row, _ in terms])
    offsets = np.array([offset for _, offset in terms])
    from_own = np.flatnonzero(rows >= _PREFIX_2)
    begin, end = int(from_own[0]), int(from_own[-1]) + 1
    assert end - begin == len(from_own), "terms of a word's own are apart"
    return _Plan(
        np.where(rows < _PREFIX_2, rows, 0),
        offsets + PAD,
        slice(begin, end),
        rows[begin:end] - _PREFIX_2,
        np.array(multipliers)[:, None],
        tuple(depths),
        salts[order][:, None],
    )


_NUMBER, _NUMBERS = np.uint64(NUMBER), np.uint64(SHORT - NUMBER)
_HEADS = np.array([[2], [3]])
_TAILS = np.array([[2], [3], [4]])


_TOGETHER = 160
"""Words worked on at once: their terms (89 kB) stay in the first-level cache and below malloc's mmap threshold."""


def features(words: Words, seen: Looks, places: Indices) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of the weight table, one a feature and word: pieces of `[FEATURES, words]`, in the order of `places`."""
    values = seen.seen.ravel()
    width = seen.seen.shape[1]
    labels = _labels(words, seen.seen[3, PAD + 1 : PAD + words.count], places)
    for begin in range(0, places.size, _TOGETHER):
        piece = slice(begin, begin + _TOGETHER)
        yield _features(
            words, values, width, places[piece], None if labels is None else labels[piece], seen.numbered
        )


def _features(
    words: Words, values: Hashes, width: int, at: Indices, labels: Hashes | None, numbered: bool
) -> npt.NDArray[np.intp]:
    starts, ends = words.starts.take(at), words.ends.take(at)
    own = np.empty((6, at.size), dtype=np.uint64)
    borders = np.empty((2, 5, at.size), dtype=np.intp)
    borders[0, :2] = starts
    np.minimum(starts + _HEADS, ends, out=borders[1, :2])
    np.maximum(ends - _TAILS, starts, out=borders[0, 2:])
    borders[1, 2:] = ends
    own[:5] = words.hash_between(borders)
    own[5] = 7 if labels is None else labels
    if numbered:
        shapes = values.take(width + PAD + at)
        own[:5, (shapes - _NUMBER) < _NUMBERS] = 1  # unsigned: what is below wraps to far above

    plan = _plan()
    terms = np.empty((plan.multipliers.size, at.size), dtype=np.uint64)
    places = plan.rows * width
    places += plan.offsets
    values.take(places[:, None] + at, out=terms, mode="clip")
    own.take(plan.own_rows, axis=0, out=terms[plan.own], mode="clip")
    terms *= plan.multipliers
    joined = terms[:FEATURES]
    begin = FEATURES
    for depth in plan.depths[1:]:
        joined[FEATURES - depth :] ^= terms[begin : begin + depth]
        begin += depth
    joined += plan.salts
    joined = mixed(joined)
    joined *= _MIX_2
    joined >>= np.uint64(64 - HASH_BITS)
    return joined.view(np.int64)
