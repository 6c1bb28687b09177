"""Compressed single files: gzip, bzip2, xz, LZMA, Zstandard, LZ4, zlib. What comes out is looked at like any file."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.archives.expand import (
    DICTIONARY,
    PIECE,
    Blocks,
    Inflate,
    lz4_decoder,
    refused,
    unpacked,
    zstandard_decoder,
)
from alcaide.instruments.scan.formats.archives.inside import Salvage, beside, look_inside
from alcaide.instruments.scan.formats.archives.names import escapes, is_absolute
from alcaide.instruments.scan.formats.archives.rules import NAME, RULES
from alcaide.instruments.scan.limits import Truncated, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.formats.archives.expand import Decoder
    from alcaide.instruments.scan.source import Source

_ENDINGS = (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".z", ".zlib")
_PACKED_ENDINGS = {
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".tbz": ".tar",
    ".txz": ".tar",
    ".tzst": ".tar",
    ".svgz": ".svg",
}
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
_LZ4_FRAME = b"\x04\x22\x4d\x18"


class Streams:
    """One stream after another, as these formats allow; remembers where the last one ends."""

    def __init__(
        self,
        source: Source,
        context: Context,
        starts: Callable[[bytes], bool],
        make: Callable[[], Decoder],
        what: str,
        start: int = 0,
    ) -> None:
        self._source = source
        self._context = context
        self._starts = starts
        self._make = make
        self._what = what
        self.start = start
        self.end = source.size

    def __iter__(self) -> Iterator[bytes]:
        at = self.start
        while True:
            decoder = self._make()
            yield from self._one(decoder, at)
            at = self.end
            head = self._source.read(at, 16)
            skipped = 0
            while (step := _skippable(head)) and skipped < 1000:
                at += step
                skipped += 1
                head = self._source.read(at, 16)
            if not self._starts(head):
                self.end = at
                return

    def _one(self, decoder: Decoder, at: int) -> Iterator[bytes]:
        """One stream; leaves where it ends in `end`."""
        while data := self._source.read(at, PIECE):
            self._context.tick(32)
            at += len(data)
            try:
                yield from decoder.feed(data)
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
                raise refused(error, self._what) from error
            except Exception as error:
                # The libraries' own classes, which cannot be named without loading them.
                if type(error).__module__.split(".", 1)[0] not in ("zstandard", "zstd", "lz4", "_zstd"):
                    raise
                raise refused(error, self._what) from error
            if decoder.done:
                self.end = at - len(decoder.rest)
                return
        raise Truncated(f"the {self._what} stream ends before its end", at)


def _skippable(head: bytes) -> int:
    """Length of a skippable frame of Zstandard and LZ4, 0 if it is none."""
    if len(head) >= 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:
        return 8 + int.from_bytes(head[4:8], "little")
    return 0


def _stream(
    what: str,
    starts: Callable[[bytes], bool],
    make: Callable[[], Decoder],
    start: int = 0,
    claimed: Callable[[Source], int] | None = None,
) -> Callable[[Source, Context], None]:
    """The reader of one kind of stream."""

    def examine(source: Source, context: Context) -> None:
        begin = start
        head = source.read(0, 16)
        while begin == 0 and (step := _skippable(head)):
            context.tick(64)
            begin += step
            head = source.read(begin, 16)
        streams = Streams(source, context, starts, make, what, begin)
        salvage = Salvage(streams)
        content = unpacked(context, salvage, source.size, claimed(source) if claimed else 0)
        context.fact(unpacked=content.size)
        if content.size or salvage.stop is None:
            look_inside(context, inner_name(context.node.name), content)
        if salvage.stop is not None:
            raise salvage.stop
        beside(context, source, streams.end, f"the {what} stream")

    return examine


def inner_name(name: str) -> str:
    """What a packed file's content would be called."""
    lower = name.lower()
    for ending in _ENDINGS:
        if lower.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    for packed, plain in _PACKED_ENDINGS.items():
        if lower.endswith(packed):
            return name[: -len(packed)] + plain
    return "content"


def _is_gzip(head: bytes) -> bool:
    return head[:3] == b"\x1f\x8b\x08"


def _is_bzip2(head: bytes) -> bool:
    return (
        head[:3] == b"BZh"
        and head[3:4].isdigit()
        and head[4:10] in (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
    )


def _is_xz(head: bytes) -> bool:
    return head[:6] == b"\xfd7zXZ\0"


def _is_zstandard(head: bytes) -> bool:
    return head[:4] == _ZSTD_FRAME


def _is_lz4(head: bytes) -> bool:
    return head[:4] == _LZ4_FRAME


def _sniff_zstandard(glance: Glance) -> bool:
    return _behind_skippable(glance) == _ZSTD_FRAME


def _sniff_lz4(glance: Glance) -> bool:
    return _behind_skippable(glance) == _LZ4_FRAME


def _behind_skippable(glance: Glance) -> bytes:
    """The first four bytes behind skippable frames, a few of them at most."""
    head = glance.head[:16]
    at = 0
    for _ in range(16):
        step = _skippable(head)
        if not step:
            return head[:4]
        at += step
        head = glance.source.read(at, 16)
    return b""


def _sniff_lzma(glance: Glance) -> bool:
    """LZMA alone has no magic: plausible properties, and the first bytes must unpack."""
    head = glance.head
    if len(head) < 14 or head[0] >= 225 or head[13] != 0:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    # The sizes that the encoders write: 2^n or 3 * 2^n. As `file` and xz itself tell it.
    low = dictionary & -dictionary
    if dictionary < 4096 or dictionary not in (low, low * 3) or (size >= 1 << 38 and size != (1 << 64) - 1):
        return False
    if size == 0:
        return False
    try:
        lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=DICTIONARY).decompress(head[:4096], 64)
    except lzma.LZMAError as error:
        return "emory" in str(error)
    return True


def _sniff_zlib(glance: Glance) -> bool:
    """A zlib stream has two bytes of header: they must fit, and the first bytes must unpack."""
    head = glance.head
    if not _is_zlib(head) or len(head) < 8:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, 64)) or len(head) > 4096
    except zlib.error:
        return False


def _is_zlib(head: bytes) -> bool:
    return head[:2] in (
        b"x\x01",
        b"x\x5e",
        b"x\x9c",
        b"x\xda",
        b"h\x81",
        b"h\x43",
        b"h\xde",
        b"H\x89",
        b"X\x85",
    )


def _examine_gzip(source: Source, context: Context) -> None:
    """The name that the header carries is where some programs unpack to."""
    head = source.read(0, 4096)
    if len(head) > 10 and head[3] & 0x08:
        at = 10
        if head[3] & 0x04:
            at += 2 + int.from_bytes(head[10:12], "little")
        name = head[at:].partition(b"\0")[0].decode("latin-1")
        if escapes(name) or is_absolute(name):
            context.find(NAME, f"its header says it unpacks to `{name}`, outside of its folder", offset=at)
    _GZIP(source, context)


def _gzip_size(source: Source) -> int:
    """What the last four bytes say that comes out, modulo 4 GiB: RFC 1952, 2.3.1."""
    return int.from_bytes(source.read(source.size - 4, 4), "little")


_GZIP = _stream("gzip", _is_gzip, lambda: Inflate(31), claimed=_gzip_size)


def _unsupported(what: str) -> Callable[[Source, Context], None]:
    def examine(_source: Source, _context: Context) -> None:
        raise Unsupported(f"{what} is not unpacked here")

    return examine


FORMATS = (
    Format("gzip", "gzip", lambda glance: _is_gzip(glance.head), _examine_gzip, RULES),
    Format(
        "bzip2",
        "bzip2",
        lambda glance: _is_bzip2(glance.head),
        _stream("bzip2", _is_bzip2, lambda: Blocks(bz2.BZ2Decompressor())),
        RULES,
    ),
    Format(
        "xz",
        "xz",
        lambda glance: _is_xz(glance.head),
        _stream("xz", _is_xz, lambda: Blocks(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=DICTIONARY))),
        RULES,
    ),
    Format(
        "lzma",
        "LZMA",
        _sniff_lzma,
        _stream(
            "LZMA",
            lambda _: False,
            lambda: Blocks(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=DICTIONARY)),
        ),
        RULES,
    ),
    Format("zstandard", "Zstandard", _sniff_zstandard, _stream("Zstandard", _is_zstandard, zstandard_decoder), RULES),
    Format("lz4", "LZ4", _sniff_lz4, _stream("LZ4", _is_lz4, lz4_decoder), RULES),
    Format("zlib", "zlib", _sniff_zlib, _stream("zlib", lambda _: False, lambda: Inflate(15)), RULES),
    Format("lz4-legacy", "LZ4 (legacy frame)", Starts(b"\x02\x21\x4c\x18"), _unsupported("LZ4's legacy frame")),
    Format("snappy", "Snappy", Starts(b"\xff\x06\0\0sNaPpY"), _unsupported("Snappy")),
    Format("lzip", "lzip", Starts(b"LZIP\x01"), _unsupported("lzip")),
    Format("lzop", "lzop", Starts(b"\x89LZO\0\r\n\x1a\n"), _unsupported("lzop")),
    Format("compress", "compress (.Z)", Starts(b"\x1f\x9d\x90", b"\x1f\x9d\x8c"), _unsupported("compress")),
    Format(
        "brotli", "Brotli",
        # Brotli has no magic: only the name tells, and only where nothing else is recognised.
        lambda glance: glance.lower_name.endswith(".br"), _unsupported("Brotli"), fallback=True,
    ),
)  # fmt: skip
