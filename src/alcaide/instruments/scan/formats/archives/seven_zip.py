"""7z archives: the header, packed or not, and members packed by Copy, LZMA, LZMA2, Deflate, BZip2, Delta and BCJ.

Written from the format's description in the LZMA SDK (7zFormat.txt). Folders of members that are packed together are
unpacked once, and members are stretches of what comes out.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alcaide.instruments.scan.formats.archives.expand import (
    DICTIONARY,
    PIECE,
    Blocks,
    Inflate,
    decoded,
    lzma1,
    refused,
    unpacked,
    zstandard_decoder,
)
from alcaide.instruments.scan.formats.archives.inside import Members, Salvage, beside
from alcaide.instruments.scan.formats.archives.names import Names
from alcaide.instruments.scan.formats.archives.rules import DAMAGED
from alcaide.instruments.scan.limits import (
    Encrypted,
    Malformed,
    OverBudget,
    ScanStop,
    Truncated,
    Unsupported,
)
from alcaide.instruments.scan.source import Window, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
_HEADER = 32 << 20
"""A header may be this long: half a million members."""
_MOST = 1_000_000
(
    _END, _HEADER_ID, _ARCHIVE_PROPERTIES, _ADDITIONAL, _MAIN, _FILES, _PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC,
    _FOLDER, _UNPACK_SIZE, _NUM_UNPACK, _EMPTY_STREAM, _EMPTY_FILE, _ANTI, _NAMES, _CTIME, _ATIME, _MTIME,
    _ATTRIBUTES, _COMMENT, _ENCODED,
) = range(24)  # fmt: skip

_COPY, _LZMA, _LZMA2 = b"\0", b"\x03\x01\x01", b"\x21"
_DEFLATE, _BZIP2, _ZSTD = b"\x04\x01\x08", b"\x04\x02\x02", b"\x04\xf7\x11\x01"
_DELTA = b"\x03"
_BRANCHES = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x06": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x07": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
    b"\x09": lzma.FILTER_SPARC,
}
_ENCRYPTION = b"\x06\xf1\x07\x01"


@dataclass(slots=True)
class Coder:
    """One step of unpacking."""

    method: bytes
    properties: bytes
    inputs: int
    outputs: int


@dataclass(slots=True)
class Folder:
    """Members that are packed together."""

    coders: list[Coder]
    bonds: list[tuple[int, int]]
    packed_streams: int
    sizes: list[int] = field(default_factory=list)
    crc: int | None = None
    members: int = 1


@dataclass(slots=True)
class Streams:
    """Where the packed bytes are, and what comes out of them."""

    position: int = 0
    packed: list[int] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    crcs: list[int | None] = field(default_factory=list)


@dataclass(slots=True)
class Member:
    """One thing in the archive."""

    name: str = ""
    has_bytes: bool = True
    is_folder: bool = False
    attributes: int = 0

    @property
    def mode(self) -> int:
        """Its Unix mode: p7zip keeps it in the upper half of the attributes."""
        return self.attributes >> 16 if self.attributes & 0x8000 else 0


def examine(source: Source, context: Context) -> None:
    """Read the header, judge the names, then unpack folder by folder and look at each member."""
    start = source.read(0, 32)
    if len(start) < 32:
        raise Truncated("it ends in its first header")
    crc, offset, length, header_crc = struct.unpack("<LQQL", start[8:32])
    if zlib.crc32(start[12:32]) != crc:
        raise Malformed("the checksum of its first header does not hold")
    if offset + length > source.size - 32:
        raise Truncated("its header lies beyond its end")
    if length == 0:
        return
    if length > _HEADER:
        raise OverBudget(f"its header has {length:,} bytes")
    header = source.read(32 + offset, length)
    if zlib.crc32(header) != header_crc:
        raise Malformed("the checksum of its header does not hold")
    streams, entries = _read_header(source, context, header)
    names = Names(context)
    for entry in entries:
        context.tick()
        names.member(entry.name, folder=entry.is_folder, mode=entry.mode)
    context.fact(members=len(entries))
    members = Members(context)
    _unpack_all(source, context, streams, [entry for entry in entries if entry.has_bytes], names, members)
    beside(context, source, 32 + offset + length, "the archive")
    members.finish()


def _read_header(source: Source, context: Context, header: bytes) -> tuple[Streams, list[Member]]:
    """The header, unpacked as often as it is packed."""
    for _ in range(4):
        reader = _Reader(header, context)
        kind = reader.byte()
        if kind == _HEADER_ID:
            return reader.header()
        if kind != _ENCODED:
            break
        streams = reader.streams()
        if len(streams.folders) != 1:
            raise Malformed("its packed header is broken")
        folder = streams.folders[0]
        if folder.sizes and max(folder.sizes) > _HEADER:
            raise OverBudget(f"its header unpacks to {max(folder.sizes):,} bytes")
        content = unpacked(
            context, _folder(source, folder, streams.packed, 32 + streams.position), source.size
        )
        header = content.read(0, content.size)
    raise Malformed("its header is broken")


def _unpack_all(
    source: Source, context: Context, streams: Streams, entries: list[Member], names: Names, members: Members
) -> None:
    """Every folder, and what is in it."""
    at = 32 + streams.position
    entry = stream = first = 0
    for folder in streams.folders:
        packed = streams.packed[first : first + folder.packed_streams]
        salvage = Salvage(_folder(source, folder, packed, at))
        content: Source | None = None
        try:
            content = unpacked(context, salvage, sum(packed))
            if salvage.stop is not None:
                raise salvage.stop
        except ScanStop as stop:
            members.later(stop, "" if isinstance(stop, Encrypted | Unsupported) else "a folder of members")
        start = 0
        for _ in range(folder.members):
            context.tick()
            if stream >= len(streams.sizes) or entry >= len(entries):
                raise Malformed("it has fewer members than it says")
            size, crc = streams.sizes[stream], streams.crcs[stream]
            if content is not None and (start < content.size or not size):
                _member(context, entries[entry], Window(content, start, size), crc, names, members)
            start += size
            stream += 1
            entry += 1
        first += folder.packed_streams
        at += sum(packed)


def _member(
    context: Context, entry: Member, data: Window, crc: int | None, names: Names, members: Members
) -> None:
    """One member that has bytes."""
    if crc is not None:
        value = 0
        for piece in chunks(data):
            context.tick(64)
            value = zlib.crc32(piece, value)
        if value != crc:
            context.find(
                DAMAGED,
                f"the bytes of `{entry.name}` do not have the checksum of the archive",
                member=entry.name,
            )
    if entry.mode & 0o170000 == 0o120000 or entry.attributes & 0x400:
        names.link(entry.name, data.read(0, 4096).decode("utf-8", "surrogateescape"))
        return
    members.look(entry.name, data)


def _folder(source: Source, folder: Folder, packed: list[int], at: int) -> Iterator[bytes]:
    """What comes out of one folder.

    Raises:
        Encrypted: it needs a password.
        Unsupported: its coders are not all read here.
    """
    methods = [coder.method for coder in folder.coders]
    if _ENCRYPTION in methods:
        raise Encrypted("its members are encrypted")
    if len(packed) != 1 or any(coder.inputs != 1 or coder.outputs != 1 for coder in folder.coders):
        raise Unsupported(f"members are packed in a way ({_named(methods)}) that is not read here")
    order = _order(folder)
    pieces: Iterator[bytes] = chunks(Window(source, at, packed[0]), size=PIECE)
    for index in order:
        pieces = _coded(folder.coders[index], pieces, folder.sizes[index])
    return pieces


def _order(folder: Folder) -> list[int]:
    """The coders from the packed bytes to the unpacked ones: each one's input is bound to another's output."""
    count = len(folder.coders)
    feeds = {out: into for into, out in folder.bonds}
    bound = {into for into, _ in folder.bonds}
    free = [index for index in range(count) if index not in bound]
    if len(free) != 1 or len(folder.bonds) != count - 1 or len(folder.sizes) != count:
        raise Malformed("the order of its coders is broken")
    order = [free[0]]
    while order[-1] in feeds and len(order) <= count:
        order.append(feeds[order[-1]])
    if sorted(order) != list(range(count)):
        raise Malformed("the order of its coders is broken")
    return order


def _coded(coder: Coder, pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """What one coder makes of its input."""
    method, properties = coder.method, coder.properties
    if method == _COPY:
        return _at_most(pieces, size)
    if method == _LZMA:
        if len(properties) != 5:
            raise Malformed("the LZMA properties have a wrong length")
        return _raw(pieces, [lzma1(properties)], size)
    if method == _LZMA2:
        return _raw(pieces, [_lzma2(properties)], size)
    if method == _DEFLATE:
        return _at_most(decoded(pieces, Inflate(-15), "deflate"), size)
    if method == _BZIP2:
        return _at_most(decoded(pieces, Blocks(bz2.BZ2Decompressor()), "bzip2"), size)
    if method == _ZSTD:
        return _at_most(decoded(pieces, zstandard_decoder(), "Zstandard"), size)
    if method == _DELTA:
        return _filtered(pieces, {"id": lzma.FILTER_DELTA, "dist": (properties[:1] or b"\0")[0] + 1}, size)
    if method in _BRANCHES:
        return _filtered(pieces, {"id": _BRANCHES[method]}, size)
    raise Unsupported(f"members are packed in a way ({_named([method])}) that is not read here")


def _named(methods: list[bytes]) -> str:
    known = {b"\x03\x04\x01": "PPMd", b"\x03\x03\x01\x1b": "BCJ2", b"\x04\x01\x09": "Deflate64"}
    return ", ".join(known.get(method, f"method {method.hex()}") for method in methods)


def _lzma2(properties: bytes) -> dict[str, int]:
    """LZMA2's one byte of properties: the size of its dictionary."""
    if len(properties) != 1 or properties[0] > 40:
        raise Malformed("the LZMA2 properties are out of range")
    bits = properties[0]
    dictionary = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
    if dictionary > DICTIONARY:
        raise OverBudget(f"an LZMA2 dictionary of {dictionary >> 20:,} MiB")
    return {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, dictionary)}


def _raw(pieces: Iterator[bytes], filters: list[dict[str, int]], size: int) -> Iterator[bytes]:
    """A raw LZMA stream. It need not say that it ends: it ends when `size` bytes came out."""
    decoder = Blocks(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters))
    left = size
    try:
        for data in pieces:
            for piece in decoder.feed(data):
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return
            if decoder.done:
                break
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise refused(error, "LZMA") from error
    if left > 0:
        raise Truncated("packed members end before their end")


def _filtered(pieces: Iterator[bytes], filter_: dict[str, int], size: int) -> Iterator[bytes]:
    """A filter that only rearranges bytes, by the library that has them all.

    It takes filters only in front of a compressor, so the bytes are handed to it as LZMA2 that stores: chunks of at
    most 64 KiB behind three bytes of header, and a zero at the end.
    """
    decoder = Blocks(
        lzma.LZMADecompressor(
            lzma.FORMAT_RAW, filters=[filter_, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
        )
    )

    def stored() -> Iterator[bytes]:
        first = True
        for data in _at_most(pieces, size):
            for start in range(0, len(data), 1 << 16):
                part = data[start : start + (1 << 16)]
                yield (b"\x01" if first else b"\x02") + (len(part) - 1).to_bytes(2, "big") + part
                first = False
        yield b"\0"

    try:
        for data in stored():
            yield from decoder.feed(data)
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise refused(error, "7z filter") from error


def _at_most(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    left = size
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


class _Reader:
    """Goes through a header. Every length is checked against what is there."""

    def __init__(self, data: bytes, context: Context) -> None:
        self._data = data
        self._at = 0
        self._context = context

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise Malformed("its header ends too early")
        self._at += 1
        return self._data[self._at - 1]

    def take(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise Malformed("its header ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        """7z's numbers: leading ones of the first byte say how many bytes follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of things, none of which can be so many that they do not fit the header."""
        value = self.number()
        if value > _MOST or value > 8 * len(self._data) + 64:
            raise Malformed(f"its header says it holds {value:,} things")
        return value

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[index // 8] & 0x80 >> index % 8) for index in range(count)]

    def optional_bits(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[int | None]:
        defined = self.optional_bits(count)
        return [int.from_bytes(self.take(4), "little") if there else None for there in defined]

    def streams(self) -> Streams:
        """Where packed bytes are and how they are packed."""
        streams = Streams()
        kind = self.byte()
        if kind == _PACK:
            streams.position = self.number()
            count = self.count()
            while (kind := self.byte()) != _END:
                if kind == _SIZE:
                    streams.packed = [self.number() for _ in range(count)]
                elif kind == _CRC:
                    self.digests(count)
                else:
                    raise Malformed("its header is broken")
            kind = self.byte()
        if kind == _UNPACK:
            self._folders(streams)
            kind = self.byte()
        if kind == _SUBSTREAMS:
            self._substreams(streams)
            kind = self.byte()
        else:
            streams.sizes = [_out_size(folder) for folder in streams.folders]
            streams.crcs = [folder.crc for folder in streams.folders]
        if kind != _END:
            raise Malformed("its header is broken")
        return streams

    def _folders(self, streams: Streams) -> None:
        if self.byte() != _FOLDER:
            raise Malformed("its header is broken")
        count = self.count()
        if self.byte():
            raise Unsupported("its folders are described outside of its header")
        streams.folders = [self._folder() for _ in range(count)]
        if self.byte() != _UNPACK_SIZE:
            raise Malformed("its header is broken")
        for folder in streams.folders:
            folder.sizes = [self.number() for coder in folder.coders for _ in range(coder.outputs)]
        while (kind := self.byte()) != _END:
            if kind != _CRC:
                raise Malformed("its header is broken")
            for folder, crc in zip(streams.folders, self.digests(count), strict=True):
                folder.crc = crc

    def _folder(self) -> Folder:
        self._context.tick()
        count = self.number()
        if not 1 <= count <= 32:
            raise Malformed(f"a folder with {count:,} coders")
        coders = []
        for _ in range(count):
            flags = self.byte()
            method = self.take(flags & 0x0F)
            inputs, outputs = (self.number(), self.number()) if flags & 0x10 else (1, 1)
            if not (1 <= inputs <= 32 and outputs == 1) or flags & 0x80:
                raise Malformed("a coder that no writer makes")
            properties = self.take(self.number()) if flags & 0x20 else b""
            coders.append(Coder(method, properties, inputs, outputs))
        total_in = sum(coder.inputs for coder in coders)
        bonds = [(self.number(), self.number()) for _ in range(count - 1)]
        packed = total_in - len(bonds)
        if packed > 1:
            for _ in range(packed):
                self.number()
        return Folder(coders, bonds, packed)

    def _substreams(self, streams: Streams) -> None:
        kind = self.byte()
        if kind == _NUM_UNPACK:
            for folder in streams.folders:
                folder.members = self.count()
            if sum(folder.members for folder in streams.folders) > _MOST:
                raise OverBudget(f"it holds more than {_MOST:,} members")
            kind = self.byte()
        for folder in streams.folders:
            self._context.tick()
            if not folder.members:
                continue
            left = _out_size(folder)
            for _ in range(folder.members - 1):
                size = self.number() if kind == _SIZE else 0
                left -= size
                if left < 0:
                    raise Malformed("the members of a folder are longer than the folder")
                streams.sizes.append(size)
            streams.sizes.append(left)
        if kind == _SIZE:
            kind = self.byte()
        self._member_digests(streams, kind)

    def _member_digests(self, streams: Streams, kind: int) -> None:
        """Checksums of members; a folder of one member that has its own is not repeated."""

        def needs(folder: Folder) -> bool:
            return folder.members != 1 or folder.crc is None

        missing = sum(folder.members for folder in streams.folders if needs(folder))
        digests: list[int | None] = [None] * missing
        while kind != _END:
            if kind != _CRC:
                raise Malformed("its header is broken")
            digests = self.digests(missing)
            kind = self.byte()
        waiting = iter(digests)
        for folder in streams.folders:
            if needs(folder):
                streams.crcs.extend(next(waiting) for _ in range(folder.members))
            else:
                streams.crcs.append(folder.crc)

    def header(self) -> tuple[Streams, list[Member]]:
        """The whole header, after its first byte."""
        streams = Streams()
        entries: list[Member] = []
        kind = self.byte()
        if kind == _ARCHIVE_PROPERTIES:
            while self.byte() != _END:
                self.take(self.number())
            kind = self.byte()
        if kind == _ADDITIONAL:
            self.streams()
            kind = self.byte()
        if kind == _MAIN:
            streams = self.streams()
            kind = self.byte()
        if kind == _FILES:
            entries = self._files()
            kind = self.byte()
        if kind != _END:
            raise Malformed("its header is broken")
        return streams, entries

    def _files(self) -> list[Member]:
        count = self.count()
        entries = [Member() for _ in range(count)]
        empty = [False] * count
        empty_files: list[bool] = []
        while (kind := self.number()) != _END:
            size = self.number()
            inner = _Reader(self.take(size), self._context)
            if kind == _EMPTY_STREAM:
                empty = inner.bits(count)
            elif kind == _EMPTY_FILE:
                empty_files = inner.bits(sum(empty))
            elif kind == _NAMES:
                inner.names(entries)
            elif kind == _ATTRIBUTES:
                inner.attributes(entries)
        order = iter(empty_files)
        for entry, is_empty in zip(entries, empty, strict=True):
            self._context.tick()
            entry.has_bytes = not is_empty
            entry.is_folder = is_empty and not next(order, False)
        return entries

    def names(self, entries: list[Member]) -> None:
        """UTF-16 names, each with a NUL behind it."""
        if self.byte():
            raise Unsupported("its names are outside of its header")
        data = self._data[self._at :]
        start = 0
        for entry in entries:
            self._context.tick()
            end = start
            while (end := data.find(b"\0\0", end)) >= 0 and (end - start) % 2:
                end += 1
            if end < 0:
                raise Malformed("its names end too early")
            entry.name = data[start:end].decode("utf-16-le", "replace")
            start = end + 2

    def attributes(self, entries: list[Member]) -> None:
        """Windows attributes, and Unix modes in their upper half."""
        defined = self.optional_bits(len(entries))
        if self.byte():
            raise Unsupported("its attributes are outside of its header")
        for entry, there in zip(entries, defined, strict=True):
            if there:
                entry.attributes = int.from_bytes(self.take(4), "little")


def _out_size(folder: Folder) -> int:
    """What comes out of a folder: the size of the one output that feeds no other coder."""
    used = {out for _, out in folder.bonds}
    for index in range(len(folder.sizes) - 1, -1, -1):
        if index not in used:
            return folder.sizes[index]
    raise Malformed("a folder whose coders go round in a circle")
