"""PDF and Office documents: whether they act when they are opened."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.media.ends import after
from alcaide.instruments.scan.formats.media.rules import ACTIVE, EMBEDDED, RULES
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_PIECE = 1 << 20
_OVERLAP = 512
_MOST = 256 << 20
_STREAM = 4 << 20
_STREAMS = 2_000
_NAME = regex(rb"/([A-Za-z#][A-Za-z0-9#]{1,40})")
_OBJECTS = regex(rb"/Type\s*/ObjStm[\s\S]{0,300}?stream\r?\n")
_ACTIVE = {
    b"Launch": (Level.HIGH, "starts a program"),
    b"JavaScript": (Level.MEDIUM, "runs script"),
    b"JS": (Level.MEDIUM, "runs script"),
    b"RichMedia": (Level.MEDIUM, "plays media with script"),
    b"ImportData": (Level.MEDIUM, "reads a file"),
    b"SubmitForm": (Level.LOW, "can send a form"),
    b"GoToR": (Level.LOW, "can open another file"),
    b"XFA": (Level.LOW, "has a form with script"),
}


def _is_pdf(glance: Glance) -> bool:
    """The mark within the first kilobyte, as readers accept it."""
    at = glance.head.find(b"%PDF-", 0, 1029)
    return at == 0 or (at > 0 and b"obj" in glance.head[at : at + 2048])


def _examine_pdf(source: Source, context: Context) -> None:
    """Names of actions, in the open and in packed objects."""
    seen: set[bytes] = set()
    at = streams = 0
    last_end = -1
    while at < min(source.size, _MOST):
        context.tick(256)
        piece = source.read(at, _PIECE + _OVERLAP)
        if not piece:
            break
        _names(piece, seen)
        for match in _OBJECTS.finditer(piece):
            streams += 1
            if streams > _STREAMS:
                break
            _names(_inflated(source.read(at + match.end(), _STREAM)), seen)
        if (end := piece.rfind(b"%%EOF")) >= 0:
            last_end = at + end + 5
        at += _PIECE
    opens = bool(seen & {b"OpenAction", b"AA"})
    for name, (level, said) in _ACTIVE.items():
        if name in seen:
            raised = Level.HIGH if opens and level is Level.MEDIUM else level
            context.find(
                ACTIVE, f"it {said}{' when it is opened' if opens else ''} (`/{name.decode()}`)", level=raised
            )
    if b"EmbeddedFile" in seen:
        context.find(EMBEDDED, "a file lies inside of the document (`/EmbeddedFile`)")
    after(context, source, last_end, "the document", tolerant=True)


def _names(piece: bytes, seen: set[bytes]) -> None:
    """Names of interest; `#4a` is a letter like any other."""
    for match in _NAME.finditer(piece):
        name = match[1]
        if b"#" in name:
            name = re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), name)
        if name in _ACTIVE or name in (b"OpenAction", b"AA", b"EmbeddedFile"):
            seen.add(name)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _STREAM)
    except zlib.error:
        return b""


_MACROS = regex(rb"V\0B\0A\0|_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0|M\0a\0c\0r\0o\0s\0")


def _examine_ole(source: Source, context: Context) -> None:
    """The old Office formats: names of storages that hold macros."""
    at = 0
    while at < min(source.size, _MOST):
        context.tick(256)
        piece = source.read(at, _PIECE + _OVERLAP)
        if _MACROS.search(piece):
            context.find(ACTIVE, "it holds macros", level=Level.MEDIUM)
            return
        at += _PIECE


def _examine_rtf(source: Source, context: Context) -> None:
    if re.search(rb"\\obj(?:data|emb|ocx|update|autlink)|\\\*\\datafield", source.read(0, 8 << 20)):
        context.find(ACTIVE, "it holds an object of another program", level=Level.MEDIUM)


FORMATS = (
    Format("pdf", "PDF document", _is_pdf, _examine_pdf, RULES),
    Format("ole", "Office document (old)", Starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), _examine_ole, RULES),
    Format("rtf", "RTF document", Starts(b"{\\rt"), _examine_rtf, RULES),
)
