"""Which names marshalled Python code uses, found without unmarshalling it.

`marshal` crashes on hostile bytes and its layout changes with every Python. Names and texts are written the same way in
all of them, each with its length before it: that is enough to say what the code would reach for.
"""

from __future__ import annotations

import base64
import binascii
import keyword
from typing import NamedTuple

_SHORT = frozenset(b"zZ\xfa\xda")
"""Short ASCII texts, plain and interned, without and with the reference flag (Python 3.4 and later)."""
_LONG = frozenset(b"aAut\xe1\xc1\xf5\xf4")
"""Texts whose length takes four bytes."""
_CODE = frozenset(b"c\xe3")
_MOST = 1 << 20


class Code(NamedTuple):
    """What the bytes mention."""

    names: list[str]
    texts: list[str]


def read(data: bytes) -> Code | None:
    """Names and texts of marshalled code, or None if the bytes do not begin like some."""
    if not data or data[0] not in _CODE:
        return None
    names: dict[str, None] = {}
    texts: dict[str, None] = {}
    at = 1
    end = min(len(data), _MOST)
    while at < end and len(names) + len(texts) < 400:
        tag = data[at]
        if tag in _SHORT and at + 1 < end:
            length, start = data[at + 1], at + 2
        elif tag in _LONG and at + 5 <= end:
            length, start = int.from_bytes(data[at + 1 : at + 5], "little"), at + 5
        else:
            at += 1
            continue
        piece = data[start : start + length]
        if not 0 < length <= 4096 or len(piece) < length:
            at += 1
            continue
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError:
            at += 1
            continue
        if not all(character.isprintable() or character in "\n\t\r" for character in text):
            at += 1
            continue
        if text.isidentifier() and not keyword.iskeyword(text):
            names[text] = None
        elif text[0] != "<" or text[-1] != ">":
            texts[text] = None
        at = start + length
    return Code(list(names), list(texts))


def decode(text: str) -> bytes | None:
    """The bytes of a Keras function: base64, or text in the way the first versions wrote it."""
    try:
        return base64.b64decode(text[: 2 * _MOST].encode("ascii"), validate=False)
    except (binascii.Error, ValueError, UnicodeEncodeError):
        try:
            return text.encode("raw_unicode_escape")[:_MOST]
        except UnicodeEncodeError:
            return None
