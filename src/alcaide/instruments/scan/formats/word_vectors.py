"""Word vectors: fastText's binaries and the binary and text of word2vec. Words and numbers, and nothing that runs.

Checked is that the counts at the start are true: loaders in C++ reserve memory by them, and what lies after the last
vector is carried along unseen. A file of gigabytes is checked by its size, and read word by word only while it is
small.

Sources: `fastText` 0.9 (`dictionary.cc`, `densematrix.cc`, `quantmatrix.cc`, `productquantizer.cc`); word2vec.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.cursor import Cursor
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_FASTTEXT = b"\xba\x16\x4f\x2f"
"""793712314, little-endian."""
_WALKED = 300_000
"""Words that are read one by one; a longer list is checked by its size and its first words."""
_LONGEST_WORD = 1 << 16

TRAILING = Rule(
    "word-vectors/trailing-bytes",
    Level.MEDIUM,
    "bytes after the last vector",
    "No loader reads them; they are there for something else.",
    "Find out what they are (they are listed as a part of their own), or have the vectors saved anew.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)


def _after(source: Source, at: int, context: Context) -> None:
    if at < source.size and source.read(at, 64).strip(b"\n\r\0 "):
        context.find(
            TRAILING, f"{source.size - at:,} bytes follow the vectors", offset=at, size=source.size - at
        )
        context.child(f"after-{at}", Window(source, at))


# ── fastText ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sniff_fasttext(glance: Glance) -> bool:
    return glance.head[:4] == _FASTTEXT


def _examine_fasttext(source: Source, context: Context) -> None:
    cursor = Cursor(source, context.tick, 4)
    version = cursor.number("i")
    if not 1 <= version <= 12:
        raise Malformed(f"it says it is of version {version:,}; 1 to 12 are known", 4)
    dimensions = cursor.number("i")
    cursor.skip(4 * 11 + 8)
    size, words, labels = cursor.number("i"), cursor.number("i"), cursor.number("i")
    cursor.skip(8)
    pruned = cursor.number("q")
    # A word takes its own bytes, a zero, a count of 8 and a kind of 1.
    if size < 0 or words < 0 or labels < 0 or size > cursor.left // 10:
        raise Malformed(f"it says it has {size:,} words, more than there are bytes for", 60)
    for _ in range(size):
        _skip_word(source, cursor, b"\0")
        cursor.skip(9)
    if pruned > cursor.left // 8:
        raise Malformed(f"it says it has {pruned:,} pruned words, more than there are bytes for", cursor.at)
    cursor.skip(8 * max(0, pruned))
    quantised = cursor.number("B")
    _matrix(cursor, quantised)
    quantised_output = cursor.number("B")
    _matrix(cursor, quantised and quantised_output)
    context.fact(library="fasttext", words=words, labels=labels, dimensions=dimensions)
    _after(source, cursor.at, context)


def _skip_word(source: Source, cursor: Cursor, end: bytes) -> None:
    """Step over a word and the sign that ends it."""
    length = min(512, cursor.left)
    while True:
        found = cursor.take(length).find(end)
        if found >= 0:
            cursor.at -= length - found - 1
            return
        if length < 512 or cursor.at > source.size - 1:
            raise Malformed("a word has no end", cursor.at)
        length = min(_LONGEST_WORD, cursor.left)


def _matrix(cursor: Cursor, quantised: int) -> None:
    if not quantised:
        rows, columns = cursor.number("q"), cursor.number("q")
        _room(cursor, rows, columns, 4)
        cursor.skip(rows * columns * 4)
        return
    normalised = cursor.number("B")
    rows, columns, codes = cursor.number("q"), cursor.number("q"), cursor.number("i")
    _room(cursor, rows, 1, 1)
    _room(cursor, max(0, codes), 1, 1)
    cursor.skip(codes)
    _quantiser(cursor)
    if normalised:
        cursor.skip(rows)
        _quantiser(cursor)


def _quantiser(cursor: Cursor) -> None:
    dimensions = cursor.number("i")
    cursor.skip(12)
    _room(cursor, dimensions, 256, 4)
    cursor.skip(dimensions * 256 * 4)


def _room(cursor: Cursor, rows: int, columns: int, width: int) -> None:
    if rows < 0 or columns < 0 or rows * columns * width > cursor.left:
        raise Malformed(
            f"a table of {rows:,} × {columns:,} ought to follow, more than there are bytes for", cursor.at
        )


# ── word2vec ────────────────────────────────────────────────────────────────────────────────────────────────────────

_COUNTS = regex(rb"(\d{1,10}) (\d{1,5})\r?\n")


def _counts(head: bytes) -> tuple[int, int, int] | None:
    """(words, dimensions, where the first word begins)."""
    if not head[:1].isdigit():
        return None
    match = _COUNTS.match(head)
    return None if match is None else (int(match[1]), int(match[2]), match.end())


def _sniff_word2vec(glance: Glance) -> bool:
    counts = _counts(glance.head)
    if counts is None or not counts[1]:
        return False
    _, dimensions, start = counts
    first = glance.head[start : start + 4096]
    if glance.text is not None:
        line = first.split(b"\n", 1)[0].split()
        return len(line) == dimensions + 1 if b"\n" in first else glance.lower_name.endswith((".vec", ".w2v"))
    space = first.find(b" ")
    return 0 < space < 512 and b"\n" not in first[1:space]


def _examine_word2vec(source: Source, context: Context) -> None:
    counts = _counts(source.read(0, 32))
    if counts is None:
        raise Malformed("it has no counts", 0)
    words, dimensions, start = counts
    context.fact(library="word2vec", words=words, dimensions=dimensions)
    piece = source.read(start, 1 << 16)
    if b"\0" not in piece and _is_text(piece):
        if words * (dimensions * 2 + 2) > source.size:
            raise Malformed(f"it says it has {words:,} words, more than there are bytes for", 0)
        return
    if words * (dimensions * 4 + 2) > source.size - start:
        raise Malformed(f"it says it has {words:,} words, more than there are bytes for", 0)
    cursor = Cursor(source, context.tick, start)
    for _ in range(min(words, _WALKED)):
        _skip_word(source, cursor, b" ")
        cursor.skip(dimensions * 4)
    if words <= _WALKED:
        _after(source, cursor.at, context)


def _is_text(piece: bytes) -> bool:
    try:
        piece[: piece.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


FORMATS = (
    Format("fasttext", "fastText model", _sniff_fasttext, _examine_fasttext, (TRAILING,)),
    Format("word2vec", "word vectors (word2vec)", _sniff_word2vec, _examine_word2vec, (TRAILING,)),
)
