"""The literals of the text protocol: numbers and strings, each on a line."""

from __future__ import annotations

import re
from typing import Any

from alcaide.instruments.scan.formats.pickle.values import Unknown
from alcaide.instruments.scan.patterns import regex


def index(line: bytes) -> int:
    """A memo number in the text protocol."""
    index = int(line)
    if index < 0:
        raise ValueError("negative")
    return index


def int_(line: bytes) -> Any:
    """INT: a number in any base, or a truth value of protocol 1."""
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > 4_000:
        return Unknown("a very large number")
    try:
        return int(line, 0)
    except ValueError:
        # Octal as Python 2 wrote it.
        return int(line, 8)


def long(line: bytes) -> Any:
    """LONG: a number, with the `L` of Python 2."""
    if len(line) > 4_000:
        return Unknown("a very large number")
    return int(line[:-1] if line[-1:] == b"L" else line, 0)


def string(line: bytes) -> str:
    """STRING: a quoted literal of Python 2 with its escapes."""
    line = line.strip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise ValueError("not quoted")
    if b"\\" not in line:
        return line[1:-1].decode("latin-1")
    return unescaped(line[1:-1]).decode("latin-1")


_ESCAPE = regex(rb"\\(x[0-9A-Fa-f]{2}|[0-7]{1,3}|[\s\S])")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"\\": b"\\", b"'": b"'", b'"': b'"', b"a": b"\a",
            b"b": b"\b", b"f": b"\f", b"v": b"\v", b"\n": b""}  # fmt: skip


def unescaped(raw: bytes) -> bytes:
    """The escapes of a byte-string literal, undone."""

    def one(found: re.Match[bytes]) -> bytes:
        code = found.group(1)
        if code[:1] == b"x" and len(code) == 3:
            return bytes([int(code[1:], 16)])
        if code.isdigit():
            return bytes([int(code, 8) & 0xFF])
        return _ESCAPED.get(code, b"\\" + code)

    return _ESCAPE.sub(one, raw)


def float_(line: bytes) -> float:
    """FLOAT: a number as `repr` writes it."""
    return float(line)


_UNICODE_ESCAPE = regex(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


def unicode(line: bytes) -> str:
    """UNICODE: Latin-1 with escapes of code points."""
    text = line.decode("latin-1")
    if "\\" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        code = int(found.group(1) or found.group(2), 16)
        if code > 0x10FFFF:
            raise ValueError("no such character")
        return chr(code)

    return _UNICODE_ESCAPE.sub(one, text)
