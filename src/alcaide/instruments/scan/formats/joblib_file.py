"""joblib's compressed files of before 0.10, and the arrays it wrote beside a pickle.

Today's joblib compresses with gzip, bz2, xz, lzma, lz4 or zlib, which the readers of those streams unpack; what comes
out is a pickle with arrays in the middle (see `pickle.arrays`). Before, it had a header of its own (`ZF`, the length
in hexadecimal, zlib), which is read here.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, Truncated
from alcaide.instruments.scan.source import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_MAGIC: Final = b"ZF0x"
_WIDTH: Final = 19
"""Bytes of the length: `0x` and hexadecimal digits, filled up with blanks."""


def sniff(glance: Glance) -> bool:
    """The old header, then a zlib stream."""
    return glance.head[:4] == _MAGIC and b"\x78" in glance.head[2 + _WIDTH : 4 + _WIDTH]


def examine(source: Source, context: Context) -> None:
    """Unpack it and look at what comes out."""
    head = source.read(2, _WIDTH)
    try:
        length = int(head.strip(b" L"), 16)
    except ValueError:
        raise Malformed("its length cannot be read", 2) from None
    # joblib up to 0.8.4 under Python 2 wrote one blank more.
    start = 2 + _WIDTH + (source.read(2 + _WIDTH, 1) == b" ")
    content = context.unpack(_inflate(source, start), source.size)
    if content.size != length:
        raise Malformed(f"it unpacks to {content.size:,} bytes, not to {length:,} as said", 2)
    context.child("content", content)


def _inflate(source: Source, start: int) -> Iterator[bytes]:
    """What comes out of the zlib stream."""
    inflater = zlib.decompressobj()
    try:
        for piece in chunks(source, start, 1 << 18):
            while piece and not inflater.eof:
                yield inflater.decompress(piece, 1 << 20)
                piece = inflater.unconsumed_tail
    except zlib.error:
        raise Malformed("its zlib stream is broken") from None
    if not inflater.eof:
        raise Truncated("its zlib stream ends before its end")


FORMATS = (Format("joblib", "joblib file (before 0.10)", sniff, examine),)
