"""Tar archives of every kind that is in use: v7, ustar, GNU (long names, sparse, large numbers), pax.

Headers are read one by one where they lie; a member's bytes are read only by whoever looks at it. The standard
library's reader is not used: it stops at the first broken header without a word, and what it skips another reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.archives.inside import Members, beside
from alcaide.instruments.scan.formats.archives.names import Names
from alcaide.instruments.scan.formats.archives.rules import DAMAGED, DEVICE, MISMATCH, RULES
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated, Unsupported
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

BLOCK = 512
_CHECKSUM = regex(rb"[ 0]*[0-7]{1,7}[ \0]*\Z")
_LONGEST_EXTENSION = 1 << 20
"""A pax header or GNU long name may be this long; real ones are a few hundred bytes."""
_SEGMENTS = 100_000
_HARD, _SYMBOLIC, _CHARACTER, _BLOCK_DEVICE, _FOLDER, _PIPE = b"1", b"2", b"3", b"4", b"5", b"6"
_SPARSE = b"S"
_KINDS = {_CHARACTER: "a character device", _BLOCK_DEVICE: "a block device", _PIPE: "a pipe"}


class Header:
    """One member's header, with what extended headers before it say already taken in."""

    __slots__ = ("data", "kind", "mode", "name", "offset", "real_size", "size", "sparse", "target")

    def __init__(
        self, name: str, kind: bytes, size: int, mode: int, target: str, offset: int, data: int
    ) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        """Bytes that it takes in the archive."""
        self.mode = mode
        self.target = target
        self.offset = offset
        self.data = data
        """Where its bytes begin."""
        self.sparse: list[tuple[int, int]] = []
        """Stretches that are there, (offset, length), of a file with holes."""
        self.real_size: int | None = None


class Sparse:
    """A file with holes: stretches of the archive, zeros between."""

    __slots__ = ("_segments", "_source", "size")

    def __init__(self, source: Source, segments: list[tuple[int, int]], size: int) -> None:
        self._source = source
        self.size = size
        at = 0
        self._segments: list[tuple[int, int, int]] = []
        for offset, length in segments:
            self._segments.append((offset, length, at))
            at += length

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of it, holes as zeros; at most 4 MiB at a time, so that a hole of terabytes costs nothing."""
        length = min(length, self.size - offset, 4 << 20)
        if offset < 0 or length <= 0:
            return b""
        out = bytearray(length)
        for start, count, at in self._segments:
            low, high = max(start, offset), min(start + count, offset + length)
            if low < high:
                piece = self._source.read(at + low - start, high - low)
                out[low - offset : low - offset + len(piece)] = piece
        return bytes(out)


def sniff(glance: Glance) -> bool:
    """A header whose checksum holds; asked only where the checksum field holds octal digits."""
    head = glance.head
    if len(head) < BLOCK or head[0] == 0:
        return False
    return (head[257:262] == b"ustar" or _CHECKSUM.match(head[148:156]) is not None) and _checksum_holds(
        head[:BLOCK]
    )


def examine(source: Source, context: Context) -> None:
    """Judge every header, and look at each member."""
    names = Names(context)
    members = Members(context)
    reader = _Reader(source, context)
    count = 0
    while (header := reader.next()) is not None:
        count += 1
        _judge(header, names, context)
        if header.kind in (_HARD, _SYMBOLIC, _FOLDER) or header.kind in _KINDS:
            continue
        data: Source = Window(source, header.data, header.size)
        if data.size < header.size:
            members.look(header.name, data)
            raise Truncated(f"`{header.name}` ends before its end", header.data)
        if header.real_size is not None:
            data = Sparse(data, header.sparse, header.real_size)
            if header.real_size > context.budget.limits.unpacked:
                members.later(
                    OverBudget(f"`{header.name}` has holes that unpack to {header.real_size:,} bytes")
                )
                continue
        if header.size or header.real_size:
            members.look(header.name, data)
    context.fact(members=count)
    if reader.broken is not None:
        raise reader.broken
    if reader.zeros:
        _after(source, reader.at, context)
    members.finish()


def _judge(header: Header, names: Names, context: Context) -> None:
    """What a member would do when it is unpacked."""
    folder = header.kind == _FOLDER
    names.member(header.name, folder=folder, mode=header.mode, offset=header.offset)
    if header.kind in (_HARD, _SYMBOLIC):
        names.link(header.name, header.target, hard=header.kind == _HARD, offset=header.offset)
    elif header.kind in _KINDS:
        context.find(DEVICE, f"`{header.name}` unpacks to {_KINDS[header.kind]}", offset=header.offset)


def _after(source: Source, at: int, context: Context) -> None:
    """What lies behind the end of the archive: zeros as far as anybody pads, or something hidden."""
    while at < source.size:
        context.tick(64)
        block = source.read(at, 1 << 20)
        if not block:
            return
        if block.count(0) != len(block):
            first = next(index for index, byte in enumerate(block) if byte)
            beside(context, source, at + first - first % BLOCK, "the archive")
            return
        at += len(block)


class _Reader:
    """Goes from header to header."""

    def __init__(self, source: Source, context: Context) -> None:
        self._source = source
        self._context = context
        self._globals: dict[str, str] = {}
        self.at = 0
        self.zeros = False
        self.broken: Malformed | Truncated | None = None

    def next(self) -> Header | None:
        """The next member, or None at the end, or where a header is broken."""
        pax: dict[str, str] = {}
        long_name: str | None = None
        long_target: str | None = None
        started = self.at
        while True:
            self._context.tick(16)
            block = self._source.read(self.at, BLOCK)
            if not block and self.at == started:
                return None
            if len(block) < BLOCK:
                self.broken = Truncated("it ends in the middle of a header", self.at)
                return None
            if block[0] == 0 and not block.strip(b"\0"):
                self.zeros = True
                return None
            if not _checksum_holds(block):
                self.broken = Malformed(
                    "a header's checksum does not hold, and what follows is not read", self.at
                )
                return None
            kind = block[156:157]
            size = _number(block[124:136])
            if size is None or size < 0:
                self.broken = Malformed("a header has a size that is no number", self.at)
                return None
            data = self.at + BLOCK
            if kind in (b"x", b"X", b"g"):
                fields = self._pax(data, size)
                if kind == b"g":
                    self._globals.update(fields)
                else:
                    pax.update(fields)
            elif kind == b"L":
                long_name = self._text(data, size)
            elif kind == b"K":
                long_target = self._text(data, size)
            else:
                return self._member(block, kind, size, data, {**self._globals, **pax}, long_name, long_target)
            self.at = data + _padded(size)

    def _member(
        self,
        block: bytes,
        kind: bytes,
        size: int,
        data: int,
        pax: dict[str, str],
        long_name: str | None,
        long_target: str | None,
    ) -> Header:
        """The header, with long names, pax values and holes taken in; moves on behind its bytes."""
        own = _name(block)
        name = own
        if long_name is not None:
            name = long_name
        if "path" in pax:
            if long_name is not None and long_name != pax["path"]:
                self._context.find(
                    MISMATCH, f"a member is called `{long_name}` and `{pax['path']}` at once", offset=self.at
                )
            name = pax["path"]
        target = pax.get("linkpath", long_target if long_target is not None else _text(block[157:257]))
        size = self._size(name, size, pax.get("size"))
        header = Header(name, kind, size, _number(block[100:108]) or 0, target, self.at, data)
        if kind == _SPARSE:
            self._old_sparse(block, header)
        elif any(key.startswith("GNU.sparse.") for key in pax):
            self._pax_sparse(pax, header)
        if kind == b"\0" and name.endswith("/"):
            header.kind = _FOLDER
        elif kind not in b"01234567\0SDVMN" or not kind:
            self._context.find(
                MISMATCH,
                f"`{name}` is of a kind that no reader agrees about",
                offset=self.at,
                kind=kind.hex(),
            )
        if header.kind in (_HARD, _SYMBOLIC, _FOLDER, *_KINDS):
            # POSIX: links may state the size of what they lead to and have no bytes of their own. Readers differ.
            if header.size and header.kind != _HARD:
                self._context.find(
                    MISMATCH,
                    f"`{name}` says it has {header.size:,} bytes, and its kind has none",
                    offset=self.at,
                )
            header.size = 0 if header.kind in (_HARD, _SYMBOLIC) else header.size
        self.at = header.data + _padded(header.size)
        return header

    def _size(self, name: str, size: int, said: str | None) -> int:
        """A member's size: what a pax header says, else what its own does."""
        if said is None:
            return size
        if not said.isascii() or not said.isdigit() or len(said) > 19:
            raise Malformed("a pax header has a size that is no number", self.at)
        # The header itself holds 0 or all it can where the size does not fit it.
        if size not in (int(said), 0) and int(said) < 1 << 33:
            self._context.find(
                MISMATCH,
                f"`{name}` is {size:,} bytes long in one header and {int(said):,} in another",
                offset=self.at,
            )
        return int(said)

    def _text(self, at: int, size: int) -> str:
        """A long name."""
        if size > _LONGEST_EXTENSION:
            raise Malformed(f"a name of {size:,} bytes", at)
        return _text(self._source.read(at, size))

    def _pax(self, at: int, size: int) -> dict[str, str]:
        """The records of a pax header: length, blank, key, `=`, value, line end."""
        if size > _LONGEST_EXTENSION:
            raise Malformed(f"a pax header of {size:,} bytes", at)
        data = self._source.read(at, size)
        fields: dict[str, str] = {}
        position = 0
        while position < len(data) and data[position]:
            self._context.tick()
            space = data.find(b" ", position, position + 12)
            digits = data[position:space] if space > 0 else b""
            if not digits.isdigit():
                raise Malformed("a pax header is broken", at + position)
            end = position + int(digits)
            record = data[space + 1 : end - 1]
            key, equals, value = record.partition(b"=")
            if not equals or end <= space or end > len(data) or data[end - 1 : end] != b"\n":
                raise Malformed("a pax header is broken", at + position)
            if len(fields) < 1000:
                name = key.decode("utf-8", "replace")
                if name in fields and name in ("path", "linkpath", "size") and fields[name] != _text(value):
                    self._context.find(MISMATCH, f"a pax header says `{name}` twice", offset=at)
                fields[name] = value.decode("utf-8", "surrogateescape")
            position = end
        return fields

    def _old_sparse(self, block: bytes, header: Header) -> None:
        """GNU's first way with holes: a map in the header and in blocks after it."""
        segments = _sparse_map(block[386:482])
        header.real_size = _number(block[483:495]) or 0
        more = block[482]
        at = header.data
        while more:
            self._context.tick(16)
            extension = self._source.read(at, BLOCK)
            if len(extension) < BLOCK or len(segments) > _SEGMENTS:
                raise Malformed("the map of a file with holes is broken", at)
            segments.extend(_sparse_map(extension[:504]))
            more = extension[504]
            at += BLOCK
        header.data = at
        header.sparse = segments
        self._check_holes(header)

    def _pax_sparse(self, pax: dict[str, str], header: Header) -> None:
        """GNU's ways with holes in pax headers: 0.0 and 0.1 in the header, 1.0 before the bytes."""
        header.name = pax.get("GNU.sparse.name", header.name)
        real = pax.get("GNU.sparse.realsize", pax.get("GNU.sparse.size", "0"))
        header.real_size = int(real) if real.isdigit() and len(real) < 19 else 0
        if pax.get("GNU.sparse.major") == "1":
            numbers, length = self._map_before(header)
            header.data += length
            header.size -= length
            # `size` in the header counts the map too; what is left may be less than nothing in a lie.
            if header.size < 0:
                raise Malformed("the map of a file with holes is longer than the file", header.offset)
        elif "GNU.sparse.map" in pax:
            parts = pax["GNU.sparse.map"].split(",")
            if len(parts) > 2 * _SEGMENTS or not all(part.isdigit() and len(part) < 19 for part in parts):
                raise Malformed("the map of a file with holes is broken", header.offset)
            numbers = [int(part) for part in parts]
        else:
            raise Unsupported("a file with holes in the oldest pax form", header.offset)
        header.sparse = list(zip(numbers[::2], numbers[1::2], strict=False))
        self._check_holes(header)

    def _map_before(self, header: Header) -> tuple[list[int], int]:
        """The map that stands before the bytes: decimal numbers, one a line, padded to a block."""
        text = self._source.read(header.data, min(header.size, _LONGEST_EXTENSION))
        first, _, _ = text.partition(b"\n")
        if not first.isdigit() or len(first) > 6 or int(first) > _SEGMENTS:
            raise Malformed("the map of a file with holes is broken", header.data)
        count = 2 * int(first)
        lines = text.split(b"\n", count + 1)
        if len(lines) < count + 2 or not all(
            line.isdigit() and len(line) < 19 for line in lines[1 : count + 1]
        ):
            raise Malformed("the map of a file with holes is broken", header.data)
        length = sum(len(line) + 1 for line in lines[: count + 1])
        return [int(line) for line in lines[1 : count + 1]], _padded(length)

    def _check_holes(self, header: Header) -> None:
        """The stretches must be in order and lie within the file, as readers assume."""
        reach = 0
        for offset, length in header.sparse:
            if offset < reach:
                self._context.find(
                    DAMAGED,
                    f"the stretches of `{header.name}` overlap",
                    offset=header.offset,
                    member=header.name,
                )
                return
            reach = offset + length
        if header.real_size is not None and reach > header.real_size:
            header.real_size = reach


def _sparse_map(data: bytes) -> list[tuple[int, int]]:
    segments = []
    for start in range(0, len(data) - 23, 24):
        offset, length = _number(data[start : start + 12]), _number(data[start + 12 : start + 24])
        if (
            offset is None
            or length is None
            or offset < 0
            or length < 0
            or not data[start : start + 24].strip(b"\0")
        ):
            break
        segments.append((offset, length))
    return segments


def _name(block: bytes) -> str:
    """The name in a header, with ustar's prefix."""
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        return f"{_text(block[345:500])}/{name}"
    return name


def _text(data: bytes) -> str:
    """Up to the first NUL, as UTF-8 or with what is not kept visible."""
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(data: bytes) -> int | None:
    """Octal digits, or GNU's base 256; None where it is neither."""
    if data[0] & 0x80:
        return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big") if data[0] == 0x80 else -1
    digits = data.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    try:
        return int(digits, 8)
    except ValueError:
        return None


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _checksum_holds(block: bytes) -> bool:
    """Whether the header's checksum fits; old tars summed signed bytes."""
    said = _number(block[148:156])
    if said is None:
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if said == total:
        return True
    signed = total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
    return said == signed


FORMATS = (Format("tar", "tar archive", sniff, examine, RULES),)
