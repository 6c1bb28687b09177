"""Which encoding a text is in, as far as its bytes show it, and a way to have it in UTF-8.

A byte order mark decides; bytes that are valid UTF-8 are UTF-8; NULs at every second place are UTF-16. What is left
is a guess among the usual encodings: the one whose text looks most like writing. A wrong guess costs accents, not
the scan: every row is still there.
"""

from __future__ import annotations

import codecs
import gzip
import unicodedata
from itertools import pairwise
from typing import IO, TYPE_CHECKING

from alcaide.instruments.scan.limits import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSES = (
    "cp1252",
    "cp1251",
    "koi8-r",
    "cp1250",
    "cp1253",
    "cp1255",
    "cp1256",
    "gb18030",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "big5",
)
_USUAL = frozenset("的一是不了人在有我他这中大来上国年月日時間東京本社名市区県年男女이다는의에를가은")


def sniff_encoding(head: bytes) -> tuple[str, bool]:
    """The encoding of a text that begins like this, and whether that is certain."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        few_bad = _bad_share(head) < 0.001 and error.start > 0
        if few_bad:
            return "utf-8", False
    else:
        return ("utf-8", True) if head.count(0) * 4 < len(head) or not head else _wide(head)
    if head.count(0) * 4 >= len(head):
        return _wide(head)
    return max(_GUESSES, key=lambda name: _likeness(head, name)), False


def _bad_share(head: bytes) -> float:
    return (
        head.decode("utf-8", "replace").count("�") / max(1, sum(byte >= 0x80 for byte in head))
        if head
        else 0.0
    )


def _wide(head: bytes) -> tuple[str, bool]:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return ("utf-16-le" if odd > even else "utf-16-be"), False


def _likeness(head: bytes, name: str) -> float:
    """How much like writing the text is, read so: letters of one script, in the order of cases that words have."""
    text = codecs.getincrementaldecoder(name)("replace").decode(head)
    foreign = [(a, b) for a, b in pairwise(text) if ord(b) >= 0x80]
    if not foreign:
        return 0.0
    score = 0.0
    for before, character in foreign:
        category = unicodedata.category(character)
        if character == "\ufffd" or category in {"Cc", "Cn", "Co"}:
            score -= 4
        elif character in _USUAL:
            score += 2
        elif category == "Ll":
            score += 1 if before.isalpha() or not before.strip() else 0.3
        elif category == "Lu":
            score += -0.6 if before.islower() else 0.5
        elif category == "Lo":
            score += 0.9 if "\u0590" <= character <= "\u06ff" or ord(character) < 0xFF00 else 0.2
        else:
            score -= 0.4
    # A multi-byte encoding makes fewer characters of the same bytes: compare per byte, not per character.
    return score / max(1, sum(byte >= 0x80 for byte in head)) + (0.02 if name == "cp1252" else 0.0)


def open_packed(path: Path, compression: str) -> IO[bytes]:
    """A file's bytes, unpacked while they are read."""
    if compression == "gzip":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if compression == "zstd":
        try:
            import zstandard
        except ImportError as error:
            raise Unsupported("a zstd file takes the package `zstandard`, which is not installed") from error
        stream: IO[bytes] = zstandard.open(path, "rb")
        return stream
    return path.open("rb")


def transcode(path: Path, into: Path, encoding: str, compression: str, most: int) -> int:
    """Write the text in UTF-8. What cannot be decoded becomes U+FFFD; answers how many there are.

    Raises:
        Unsupported: the text is longer than `most` bytes.
    """
    bad = 0
    with open_packed(path, compression) as source, into.open("wb") as target:
        for text in _decoded(source, encoding):
            bad += text.count("\ufffd")
            target.write(text.encode("utf-8", "replace"))
            if target.tell() > most:
                raise Unsupported(f"it unpacks to more than {most >> 30:,} GiB")
    return bad


def _decoded(source: IO[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while piece := source.read(1 << 20):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)
