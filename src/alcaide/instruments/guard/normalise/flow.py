"""Words that were pushed apart, read as one sentence again: by blanks, line breaks, emphasis, empty tags, pictures.

A pattern that asks for one blank between two words sees nothing of `ignore   all`, `ignore_all` or `**ignore** 🙂 all`,
and a model reads them all alike. Where most gaps of a text are odd like that, one reading has plain blanks instead.
"""

from __future__ import annotations

import re
from typing import Final

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.normalise import classes
from alcaide.instruments.guard.normalise.edits import Edits, edited

LEAST: Final = 4
"""Odd gaps from which on they are no accident."""
SHARE: Final = 0.4
"""Part of all gaps that has to be odd: indented code, tables and verse stay below."""
LOOKED_AT: Final = 20_000
"""Characters that decide; the whole text is then read the same way."""

_SIGNS = r"[^\w\s!-/:-@\[-`{-~\u00a0-\u02ff\u2010-\u2027\u3000-\u303f\uff00-\uffef]"  # emoji, arrows, boxes
_BETWEEN = rf"(?:[ \t*_~`]|\r?\n|<[^<>]{{0,40}}>|{_SIGNS}){{1,16}}"
_ODD_GAP = re.compile(rf"(?<=[^\W_])[,;:.]?{_BETWEEN}(?=[^\W_])")
_PLAIN = frozenset((" ", ", ", "; ", ": ", ". ", ",\n", ".\n", ":\n"))
_ORDINARY_GAP = re.compile(r"[^\W_][.,;:!?)\"']{0,3}[ \n]+[(\"']?[^\W_]")


def flowed(layer: Layer) -> Layer | None:
    """The text with plain blanks between its words. None if its gaps are mostly plain."""
    text, octets = layer.text, layer.octets
    if len(octets) < 16 or not _reason(octets, classes.rest(layer)):
        return None
    if not _many_odd_gaps(octets[:LOOKED_AT]):
        return None
    head = text[:LOOKED_AT]
    gaps = _ODD_GAP.findall(head)
    odd = len(gaps) - sum(map(_PLAIN.__contains__, gaps))
    if odd < LEAST:
        return None
    plain = len(_ORDINARY_GAP.findall(head))
    if odd < SHARE * (plain + odd):
        return None
    found = [match.span() for match in _ODD_GAP.finditer(text) if match.group() not in _PLAIN]
    return edited(
        layer,
        Edits([start for start, _ in found], [end for _, end in found], [" "] * len(found)),
        "flowed",
        guess=True,
    )


_SHAPE = bytes(
    ord(" ")
    if octet == ord(" ")
    else ord("x")
    if (chr(octet).isalnum() if octet < 0x80 else octet not in (0xE2, 0xF0))
    else ord(".")  # 0xE2 and 0xF0 begin arrows, boxes and emoji
    for octet in range(256)
)


def _many_odd_gaps(octets: bytes) -> bool:
    """Whether it is worth counting: gaps between words that are one blank are counted in a translation of the bytes.

    One mark of punctuation before the blank is ordinary too; anything more is taken for odd, so this errs on the side
    of counting.
    """
    shape = octets.translate(_SHAPE)
    gaps = shape.count(b"x ") + shape.count(b"x.")
    return gaps - shape.count(b"x x") - shape.count(b"x. x") >= SHARE * gaps


def _reason(octets: bytes, signs: bytes) -> bool:
    """Whether a look at a few bytes gives any: double blanks, short lines, emphasis, tags, signs beyond ASCII.

    `signs` are the octets without letters, as `classes.rest` gives them: what is not there need not be counted.
    """
    return (
        signs.count(b"\n") * 24 > len(octets)
        or signs.count(b"_") >= LEAST
        or signs.count(b"\t") >= LEAST
        or (signs.count(b"*") >= 2 * LEAST and octets.count(b"**") >= LEAST)
        or (signs.count(b">") >= LEAST and octets.count(b"> ") >= LEAST)
        or (signs.count(b"\xf0\x9f") >= LEAST and octets.count(b" \xf0\x9f") >= LEAST)
        or octets.count(b"  ") >= LEAST
    )
