"""Unpacking compressed parts, a piece at a time, with every kind of bomb ended by a finding."""

from __future__ import annotations

import bz2
import lzma
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from alcaide.instruments.scan.formats.archives.rules import BOMB
from alcaide.instruments.scan.limits import Malformed, OverBudget, ScanStop, Truncated, Unsupported, grows
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.source import chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

PIECE = 1 << 18
_BELIEVED = 1 << 20
"""Bytes that must have come out before a size that was only said is believed."""
DICTIONARY = 100 << 20
"""Memory that an LZMA decoder may take: `xz -9` and `7z -mx=9` ask for 65 MiB."""


class Decoder(Protocol):
    """What unpacks one compressed stream."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of some more packed bytes."""
        ...

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends."""
        ...

    @property
    def rest(self) -> bytes:
        """What was fed after the end."""
        ...


class Inflate:
    """Deflate in any wrapping: `wbits` as zlib has it (15 zlib, 31 gzip, -15 none)."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of some more packed bytes."""
        while data and not self._inner.eof:
            out = self._inner.decompress(data, PIECE)
            data = self._inner.unconsumed_tail
            if out:
                yield out

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends."""
        return self._inner.eof

    @property
    def rest(self) -> bytes:
        """What was fed after the end."""
        return self._inner.unused_data


class Blocks:
    """bzip2, xz, LZMA: the standard library's objects, which share a way to be asked."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner: Any = inner

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of some more packed bytes."""
        while not self._inner.eof:
            out = self._inner.decompress(data, PIECE)
            data = b""
            if out:
                yield out
            elif self._inner.needs_input:
                return

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends."""
        return bool(self._inner.eof)

    @property
    def rest(self) -> bytes:
        """What was fed after the end."""
        return bytes(self._inner.unused_data) if self._inner.eof else b""


def unpacked(context: Context, pieces: Iterable[bytes], packed: int, claimed: int = 0) -> Source:
    """What comes out, as `Context.unpack` gives it; a bomb is named as one besides ending the look.

    What grows beyond any honest measure is not unpacked further: that would tell no more than that it grows. Nor is
    what says itself that it will (`claimed` bytes), once it was seen to grow; what only says so is unpacked whole.

    Raises:
        OverBudget: it is a bomb, or the limits allow less.
    """
    count = 0
    grown = False
    limits, budget = context.budget.limits, context.budget
    known = budget.grown

    def counted() -> Iterator[bytes]:
        nonlocal count, grown
        for piece in pieces:
            count += len(piece)
            if grows(count, packed) or (grows(claimed, packed) and count > max(_BELIEVED, 50 * packed)):
                grown = True
                raise OverBudget(
                    f"{packed:,} packed bytes unpack to more than {count:,}: a decompression bomb"
                )
            yield piece

    try:
        return context.unpack(counted(), packed)
    except OverBudget:
        if count > limits.ratio_from and count > limits.ratio * max(1, packed):
            context.find(BOMB, f"{packed:,} packed bytes unpack to more than {count:,}", packed=packed)
        elif grown:
            context.find(
                BOMB,
                f"{packed:,} packed bytes unpack to more than {count:,}",
                level=Level.MEDIUM,
                packed=packed,
            )
        elif budget.grown and not known:
            size = limits.unpacked - budget.unpacked
            context.find(
                BOMB,
                f"with what was unpacked before it, {budget.size:,} bytes unpack to more than {size:,}",
                level=Level.MEDIUM,
                packed=budget.size,
            )
        raise


def decoded(feed: Iterable[bytes], decoder: Decoder, what: str) -> Iterator[bytes]:
    """One stream, unpacked.

    Raises:
        Malformed: it is not what it says it is.
        Truncated: it ends before its end.
        OverBudget: its decoder wants too much memory.
    """
    try:
        for data in feed:
            yield from decoder.feed(data)
            if decoder.done:
                return
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise refused(error, what) from error
    raise Truncated(f"the {what} stream ends before its end")


def refused(error: Exception, what: str) -> ScanStop:
    """Why a decoder stopped, as the scan says it."""
    said = str(error)
    if "emory" in said:
        return OverBudget(f"unpacking {what} takes more than {DICTIONARY >> 20} MiB of memory")
    return Malformed(f"the {what} stream is broken ({said or type(error).__name__})")


def zip_decoder(method: int) -> Callable[[], Decoder] | None:
    """What unpacks a zip member packed by this method (APPNOTE 4.4.5); None if nothing here does."""
    if method == 8:
        return lambda: Inflate(-15)
    if method == 12:
        return lambda: Blocks(bz2.BZ2Decompressor())
    if method == 95:
        return lambda: Blocks(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=DICTIONARY))
    if method == 93:
        return zstandard_decoder
    return None


def zip_member(method: int, packed: Source, size: int, what: str) -> Iterator[bytes]:
    """A zip member's bytes, unpacked.

    Raises:
        Unsupported: packed by a method that is not read here.
    """
    if method == 14:
        yield from _zip_lzma(packed, size, what)
        return
    make = zip_decoder(method)
    if make is None:
        raise Unsupported(f"{what} is packed by a method (number {method}) that is not read here")
    yield from decoded(chunks(packed, size=PIECE), make(), what)


def _zip_lzma(packed: Source, size: int, what: str) -> Iterator[bytes]:
    """LZMA within zip: version, length of properties, properties, then a raw stream (APPNOTE 5.8.8)."""
    head = packed.read(0, 9)
    if len(head) < 9 or head[2:4] != b"\x05\0":
        raise Malformed(f"the LZMA header of {what} is broken")
    decoder = Blocks(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[lzma1(head[4:9])]))
    left = size
    try:
        for data in chunks(packed, 9, PIECE):
            for piece in decoder.feed(data):
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return
            if decoder.done:
                return
    except (lzma.LZMAError, EOFError) as error:
        raise refused(error, what) from error
    if left > 0:
        raise Truncated(f"{what} ends before its end")


def lzma1(properties: bytes) -> dict[str, int]:
    """The filter of a raw LZMA stream, from its five bytes of properties.

    Raises:
        Malformed: they are none.
        OverBudget: its dictionary is too large.
    """
    first, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if first >= 9 * 5 * 5:
        raise Malformed("the LZMA properties are out of range")
    lc, lp, pb = first % 9, first // 9 % 5, first // 45
    if lc + lp > 4:
        raise Unsupported("an LZMA stream with more literal bits than decoders take")
    if dictionary > DICTIONARY:
        raise OverBudget(f"an LZMA dictionary of {dictionary >> 20:,} MiB")
    return {
        "id": lzma.FILTER_LZMA1,
        "lc": lc,
        "lp": lp,
        "pb": pb,
        "dict_size": max(4096, dictionary),
    }


class Zstandard:
    """Zstandard frames, by the `zstandard` library."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of some more packed bytes; a little packed input at a time bounds what one step makes."""
        for start in range(0, len(data), 1 << 14):
            if self._inner.eof:
                self._after = data[start:]
                return
            out = self._inner.decompress(data[start : start + (1 << 14)])
            if out:
                yield out
            if self._inner.eof:
                self._after = bytes(self._inner.unused_data) + data[start + (1 << 14) :]
                return

    _after = b""

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends."""
        return bool(self._inner.eof)

    @property
    def rest(self) -> bytes:
        """What was fed after the end."""
        return self._after


def zstandard_decoder() -> Decoder:
    """What unpacks one Zstandard frame.

    Raises:
        Unsupported: the library is not installed.
    """
    try:
        import zstandard
    except ImportError as error:
        raise Unsupported(
            "Zstandard is not readable here: the `zstandard` library is not installed"
        ) from error
    return Zstandard(zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj())


class Lz4:
    """LZ4 frames, by the `lz4` library."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out of some more packed bytes."""
        while not self._inner.eof:
            out = self._inner.decompress(data, PIECE)
            data = b""
            if out:
                yield out
            elif self._inner.needs_input:
                return

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends."""
        return bool(self._inner.eof)

    @property
    def rest(self) -> bytes:
        """What was fed after the end."""
        return bytes(self._inner.unused_data or b"") if self._inner.eof else b""


def lz4_decoder() -> Decoder:
    """What unpacks one LZ4 frame.

    Raises:
        Unsupported: the library is not installed.
    """
    try:
        frame: Any = import_module("lz4.frame")
    except ImportError as error:
        raise Unsupported("LZ4 is not readable here: the `lz4` library is not installed") from error
    return Lz4(frame.LZ4FrameDecompressor())
