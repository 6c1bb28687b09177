"""Recognises JSON objects by what they mention, once for all formats that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.format import Glance

MOST = 16 << 20
"""Bytes of a JSON file that are searched; a longer one only in its head and tail."""

HEAVIEST = 48 << 20
"""The most that `weight` may be: then a text of up to 32 MiB and its values stay below what a reader may take."""

_ESCAPED_LETTER = regex(rb"\\u00[4-7][0-9a-fA-F]")


def weight(data: bytes) -> int:
    """Bytes that the values of a JSON text take in Python beside their letters, at most.

    `[[],[],…` takes thirty times its own length: whoever reads a stranger's JSON whole asks first, and takes no more
    than `HEAVIEST`. Measured in CPython 3.11: an empty list 56, an object of one key 184, a number or a text around
    50, a place 8.
    """
    lists, objects = data.count(b"["), data.count(b"{")
    return 64 * lists + 184 * objects + 40 * data.count(b",") + 60 * data.count(b":")


def content(glance: Glance) -> bytes:
    """The file's bytes if it can be a JSON object (its head and tail if it is long), else b""; read once."""
    known = glance.__dict__
    if "json_object" not in known:
        head = glance.head
        first = (head[3:] if head.startswith(b"\xef\xbb\xbf") else head).lstrip(b" \t\r\n")[:1]
        if first == b"{" or (not first and head[:1] in (b" ", b"\t", b"\r", b"\n")):
            if glance.size <= len(head):
                known["json_object"] = head
            elif glance.size <= MOST:
                known["json_object"] = glance.source.read(0, glance.size)
            else:
                known["json_object"] = head + glance.tail
        else:
            known["json_object"] = b""
    found: bytes = known["json_object"]
    return found


def mentions(glance: Glance, needles: tuple[bytes, ...]) -> bool:
    """Whether a JSON object mentions one of the needles, or hides letters as escapes, which nobody has a need to."""
    data = content(glance)
    if not data:
        return False
    if any(needle in data for needle in needles):
        return True
    if b"\\u00" not in data:
        return False
    known = glance.__dict__
    if "json_escapes" not in known:
        known["json_escapes"] = _ESCAPED_LETTER.search(data) is not None
    hidden: bool = known["json_escapes"]
    return hidden
