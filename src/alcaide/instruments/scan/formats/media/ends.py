"""Where a picture or a sound ends, and whether something lies behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.formats.media.rules import TRAILING
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

_LOOK = 1 << 16
_HIDDEN = regex(
    rb"PK\x03\x04|\x7fELF|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x80[\x02-\x05](?:[}\]\x95cX\x8c(])|<\?php|<script|#!/"
    rb"|\xca\xfe\xba\xbe|\x1f\x8b\x08|BZh[1-9]1AY|\xfd7zXZ|c(?:os|posix|nt|builtins|subprocess)\n|__import__"
    rb"|\bimport (?:os|sys|subprocess|socket)\b|MZ[\s\S]{58}[\s\S]{0,300}PE\0\0"
)


def after(context: Context, source: Source, end: int, what: str, *, tolerant: bool = False) -> None:
    """Judge what lies behind the end.

    Cameras and editors leave bytes there, so for the formats where that is usual (`tolerant`) only bytes that begin
    another program's format count for more than a note.

    Args:
        context: where findings go.
        source: the whole.
        end: where the format says that it ends.
        what: how to call it.
        tolerant: whether honest programs leave something there.
    """
    length = source.size - end
    if end <= 0 or length <= 0:
        return
    head = source.read(end, _LOOK)
    if not head.strip(b"\0\r\n \xff") and length <= len(head):
        return
    match = _HIDDEN.search(head)
    if match is None and tolerant:
        context.find(
            TRAILING,
            f"{length:,} bytes lie after {what}, as some cameras and editors leave them",
            level=Level.LOW,
            offset=end,
            bytes=length,
        )
        return
    context.find(TRAILING, f"{length:,} bytes lie after {what}", offset=end, bytes=length)
    if match is not None:
        start = end + match.start()
        context.child("after the end", Window(source, start))
