"""Pictures: read from block to block, to find where they end."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.media.ends import after
from alcaide.instruments.scan.formats.media.rules import ACTIVE, RULES
from alcaide.instruments.scan.limits import Malformed, Truncated

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_PNG = b"\x89PNG\r\n\x1a\n"


def _examine_png(source: Source, context: Context) -> None:
    at = 8
    while True:
        context.tick(16)
        head = source.read(at, 8)
        if len(head) < 8:
            raise Truncated("it ends before its last block", at)
        length, kind = struct.unpack(">L4s", head)
        if length > 0x7FFFFFFF or not kind.isalpha():
            raise Malformed("a block that no writer makes", at)
        if at == 8 and kind == b"IHDR":
            width, height = struct.unpack(">LL", source.read(at + 8, 8).ljust(8, b"\0"))
            context.fact(width=width, height=height)
        at += 12 + length
        if kind == b"IEND":
            break
    after(context, source, at, "the picture")


def _examine_jpeg(source: Source, context: Context) -> None:
    """Segments up to the scan, then its coded bytes up to the end mark."""
    at = 2
    while True:
        context.tick(16)
        mark = source.read(at, 4)
        if len(mark) < 4:
            if mark[:2] == b"\xff\xd9":
                return
            raise Truncated("it ends before its end mark", at)
        if mark[0] != 0xFF:
            raise Malformed("a mark is missing", at)
        if mark[1] == 0xFF:
            at += 1
            continue
        if mark[1] == 0xD9:
            after(context, source, at + 2, "the picture", tolerant=True)
            return
        if 0xD0 <= mark[1] <= 0xD8 or mark[1] == 1:
            at += 2
            continue
        at += 2 + int.from_bytes(mark[2:4], "big")
        if mark[1] == 0xDA:
            at = _scan_end(source, at, context)


def _scan_end(source: Source, at: int, context: Context) -> int:
    """Where coded bytes end: at the next mark that is neither stuffing nor a restart."""
    while True:
        context.tick(64)
        piece = source.read(at, 1 << 16)
        if len(piece) < 2:
            raise Truncated("it ends before its end mark", at)
        start = 0
        while (found := piece.find(b"\xff", start)) >= 0 and found + 1 < len(piece):
            following = piece[found + 1]
            if following not in (0, 0xFF) and not 0xD0 <= following <= 0xD7:
                return at + found
            start = found + (1 if following == 0xFF else 2)
        at += len(piece) - 1


def _examine_gif(source: Source, context: Context) -> None:
    head = source.read(0, 13)
    if len(head) < 13:
        raise Truncated("it ends in its header")
    if head[6:8] == b"/*":
        context.find(ACTIVE, "its size reads as the beginning of a comment: it is a script as well", offset=6)
    at = 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)
    while True:
        context.tick(16)
        block = source.read(at, 10)
        if not block:
            raise Truncated("it ends before its end mark", at)
        if block[0] == 0x3B:
            after(context, source, at + 1, "the picture")
            return
        if block[0] == 0x21:
            at = _sub_blocks(source, at + 2, context)
        elif block[0] == 0x2C and len(block) == 10:
            at = _sub_blocks(source, at + 11 + (3 << (block[9] & 7) + 1 if block[9] & 0x80 else 0), context)
        else:
            raise Malformed("a block that no writer makes", at)


def _sub_blocks(source: Source, at: int, context: Context) -> int:
    """Behind a chain of blocks of at most 255 bytes."""
    piece, start = b"", at
    while True:
        context.tick(1)
        if at - start >= len(piece):
            start, piece = at, source.read(at, 1 << 14)
            if not piece:
                raise Truncated("it ends within a block", at)
        length = piece[at - start]
        at += 1 + length
        if length == 0:
            return at


def _examine_riff(source: Source, context: Context) -> None:
    """WebP, WAV, AVI: one length says it all."""
    head = source.read(0, 12)
    length = int.from_bytes(head[4:8], "little")
    context.fact(kind=head[8:12].decode("latin-1").strip())
    if 8 + length > source.size + 1 and length not in (0, 0xFFFFFFFF):
        # Recorders that were cut off leave such files; players play them.
        raise Truncated("it ends before the length it says")
    if length not in (0, 0xFFFFFFFF):
        after(context, source, 8 + length + length % 2, "the file", tolerant=head[8:12] != b"WEBP")


def _examine_bmp(source: Source, context: Context) -> None:
    size = int.from_bytes(source.read(2, 4), "little")
    if size > source.size:
        raise Truncated("it ends before the length it says")
    if size >= 26:
        after(context, source, size, "the picture", tolerant=True)


def _is_bmp(glance: Glance) -> bool:
    head = glance.head
    if head[:2] != b"BM" or len(head) < 26:
        return False
    return head[6:10] == b"\0\0\0\0" and head[14:18] in (
        b"\x0c\0\0\0",
        b"\x28\0\0\0",
        b"\x6c\0\0\0",
        b"\x7c\0\0\0",
    )


def _is_tiff(glance: Glance) -> bool:
    return glance.head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _is_icon(glance: Glance) -> bool:
    head = glance.head
    return (
        head[:4] in (b"\0\0\1\0", b"\0\0\2\0")
        and 0 < head[4] < 64
        and head[5] == 0
        and head[9:10] == b"\0"
        and len(head) > 22
    )


def _is_riff(glance: Glance) -> bool:
    return glance.head[:4] == b"RIFF" and len(glance.head) >= 12


def _is_netpbm(glance: Glance) -> bool:
    head = glance.head[:3]
    return (
        head[:1] == b"P"
        and head[1:2] in b"123456"
        and head[2:] in (b"\n", b" ", b"\r")
        and glance.lower_name.endswith((".ppm", ".pgm", ".pbm", ".pnm"))
    )


def _nothing(_source: Source, _context: Context) -> None:
    """Recognised; no end is marked in it."""


FORMATS = (
    Format("png", "PNG picture", Starts(_PNG), _examine_png, RULES),
    Format("jpeg", "JPEG picture", Starts(b"\xff\xd8\xff"), _examine_jpeg, RULES),
    Format("gif", "GIF picture", Starts(b"GIF87a", b"GIF89a"), _examine_gif, RULES),
    Format("riff", "WebP, WAV or AVI", _is_riff, _examine_riff, RULES),
    Format("bmp", "BMP picture", _is_bmp, _examine_bmp, RULES),
    Format("tiff", "TIFF picture", _is_tiff, _nothing, RULES),
    Format("ico", "icon", _is_icon, _nothing, RULES),
    Format("psd", "Photoshop picture", Starts(b"8BPS\0\1", b"8BPS\0\2"), _nothing),
    Format("jpeg2000", "JPEG 2000 picture", Starts(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), _nothing),
    Format("exr", "OpenEXR picture", Starts(b"\x76\x2f\x31\x01"), _nothing),
    Format("netpbm", "Netpbm picture", _is_netpbm, _nothing),
)  # fmt: skip
