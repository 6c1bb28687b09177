"""The directory at the end of a zip archive, read as loaders read it and checked against what lies before it.

`zipfile` holds every entry in memory, refuses the archives that are interesting, and never says that a local header
tells another story than the directory. Here entries come one by one from a directory of any length, an archive may
have bytes before and after it, and what two programs could read differently is said as a `Problem`: attackers live on
the difference between the program that checks and the program that loads.

Left out: unpacking (see `members` and the archives' own formats) and deciding how bad a problem is.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alcaide.instruments.scan.source import Source

# APPNOTE.TXT 6.3.10, 4.3: the four records that matter, and their lengths.
LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
_ZIP64_END_SIGNATURE = b"PK\x06\x06"
_ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")

_TAIL = (1 << 16) + 22
"""The end record is at most this far from the end: 22 bytes and a comment of 65,535."""

_CHUNK = 1 << 18
_LONGEST_ENTRY = 46 + 3 * 0xFFFF
_MAX_32 = 0xFFFFFFFF
_MAX_16 = 0xFFFF

ENCRYPTED = 0x1
"""The flag of an entry that needs a password."""
_STREAMED = 0x8
_STRONG = 0x40
_UTF8 = 0x800
_MASKED = 0x2000

STORED = 0
DEFLATED = 8


class Problem(NamedTuple):
    """Something that programs may read differently, or that the format forbids."""

    kind: str
    """`prefix`, `trailing`, `two-ends`, `count`, `damaged`, `zip64`, `name`, `local`, `overlap`."""
    message: str
    """For people; names the entry where there is one."""
    offset: int | None = None


class Entry(NamedTuple):
    """One file in the archive, as the directory tells it."""

    raw_name: bytes
    method: int
    flags: int
    crc: int
    packed: int
    """Bytes it takes in the archive."""
    size: int
    """Bytes it says it unpacks to."""
    header_offset: int
    """Where its local header is, in the source; a prefix before the archive is counted in."""
    extra: bytes
    made_by: int
    attributes: int
    comment_length: int

    @property
    def name(self) -> str:
        """Its name as loaders decode it: UTF-8 if marked so, else code page 437."""
        if self.flags & _UTF8:
            return self.raw_name.decode("utf-8", "surrogateescape")
        return self.raw_name.decode("ascii") if self.raw_name.isascii() else self.raw_name.decode("cp437")

    @property
    def is_encrypted(self) -> bool:
        """Whether a password is needed to read it."""
        return bool(self.flags & (ENCRYPTED | _STRONG | _MASKED))

    @property
    def is_folder(self) -> bool:
        """Whether it names a folder."""
        return self.raw_name.endswith(b"/")

    @property
    def unix_mode(self) -> int:
        """Type and permissions as `stat` has them; 0 where the archive was not made on Unix."""
        return self.attributes >> 16 if self.made_by >> 8 in (3, 19) else 0

    @property
    def is_link(self) -> bool:
        """Whether it unpacks to a symbolic link."""
        return self.unix_mode & 0o170000 == 0o120000


class Local(NamedTuple):
    """What the local header says of an entry."""

    raw_name: bytes
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    data_offset: int


class Directory:
    """The entries of one archive, in the directory's order.

    Iterate to get them; nothing of them is kept. `problems` holds what is wrong with the directory as a whole and is
    complete only once it has been iterated to its end.
    """

    __slots__ = ("_source", "comment", "count", "end_offset", "length", "offset", "prefix", "problems")

    def __init__(
        self, source: Source, offset: int, length: int, count: int, prefix: int, end: int, comment: bytes
    ) -> None:
        self._source = source
        self.offset = offset
        """Where the first entry is, in the source."""
        self.length = length
        """Bytes that all entries take in the directory."""
        self.count = count
        """How many entries the end record says there are."""
        self.prefix = prefix
        """Bytes before the archive."""
        self.end_offset = end
        """Where the end record is, in the source."""
        self.comment = comment
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Entry]:
        return self.entries()

    def entries(self) -> Iterator[Entry]:
        """Every entry, read as it is asked for; ends at the first that is damaged, with a problem."""
        self.problems = [problem for problem in self.problems if problem.kind not in ("count", "damaged")]
        start, stop = self.offset, self.offset + self.length
        held = b""
        at = 0
        found = 0
        unpack = _CENTRAL.unpack_from
        while start + at < stop:
            if len(held) - at < _LONGEST_ENTRY and start + len(held) < stop:
                start += at
                held = self._source.read(start, min(_CHUNK + _LONGEST_ENTRY, stop - start))
                at = 0
            if len(held) - at < 46:
                self._damaged(start + at, "ends in the middle of an entry")
                return
            (
                signature, made_by, _, flags, method, _, _, crc, packed, size,
                name_length, extra_length, comment_length, _, _, attributes, offset,
            ) = unpack(held, at)  # fmt: skip
            if signature != CENTRAL_SIGNATURE:
                if found < self.count or signature[:2] != b"PK":
                    self._damaged(start + at, "holds something that is no entry")
                break
            after_name = at + 46 + name_length
            after_extra = after_name + extra_length
            if after_extra + comment_length > len(held):
                self._damaged(start + at, "has an entry longer than the directory")
                return
            extra = held[after_name:after_extra] if extra_length else b""
            if _MAX_32 in (packed, size, offset):
                size, packed, offset = _zip64_sizes(extra, size, packed, offset)
            yield Entry(
                held[at + 46 : after_name],
                method,
                flags,
                crc,
                packed,
                size,
                offset + self.prefix,
                extra,
                made_by,
                attributes,
                comment_length,
            )
            found += 1
            at = after_extra + comment_length
        if found != self.count:
            self.problems.append(
                Problem("count", f"the archive says it holds {self.count:,} entries, its directory {found:,}")
            )

    def _damaged(self, offset: int, what: str) -> None:
        """The directory cannot be read on."""
        self.problems.append(Problem("damaged", f"the directory of the archive {what}", offset))

    def local(self, entry: Entry) -> Local | None:
        """The entry's local header, or None where there is none."""
        head = self._source.read(entry.header_offset, 30 + len(entry.raw_name) + 96)
        if len(head) < 30:
            return None
        (signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length) = (
            _LOCAL.unpack_from(head)
        )
        if signature != LOCAL_SIGNATURE:
            return None
        if _MAX_32 in (packed, size):
            end = 30 + name_length + extra_length
            if len(head) < end:
                head = self._source.read(entry.header_offset, end)
            size, packed, _ = _zip64_sizes(head[30 + name_length : end], size, packed, 0)
        raw_name = head[30 : 30 + name_length]
        if len(raw_name) < name_length:
            raw_name = self._source.read(entry.header_offset + 30, name_length)
        data_offset = entry.header_offset + 30 + name_length + extra_length
        return Local(raw_name, method, flags, crc, packed, size, data_offset)

    def data(self, entry: Entry) -> Window | None:
        """The entry's bytes as they lie in the archive, packed; None where it has no local header.

        Where it begins is said by the local header alone, so that much of it has to be believed: every loader does.
        """
        local = self.local(entry)
        return None if local is None else Window(self._source, local.data_offset, entry.packed)

    def disagreements(self, entry: Entry) -> list[Problem]:
        """What the entry's local header says differently from the directory.

        A loader that streams believes the local header, one that seeks the directory; two stories are two files.
        Sizes and checksum may be left to the bytes after the data (flag 3), where the header holds zeros.
        """
        name, at = entry.name, entry.header_offset
        local = self.local(entry)
        if local is None:
            return [Problem("local", f"`{name}` has no header where the directory says it is", at)]
        problems: list[Problem] = []
        if local.raw_name != entry.raw_name:
            other = local.raw_name.decode("utf-8", "replace")
            problems.append(
                Problem("local", f"`{name}` is called `{other}` in the header before its bytes", at)
            )
        if local.method != entry.method:
            problems.append(
                Problem(
                    "local",
                    f"`{name}` is packed by method {entry.method} in the directory, {local.method} before its bytes",
                    at,
                )
            )
        if (local.flags ^ entry.flags) & ENCRYPTED:
            problems.append(
                Problem("local", f"`{name}` is encrypted according to one of its headers only", at)
            )
        streamed = local.flags & _STREAMED
        for what, here, there in (
            ("packed size", entry.packed, local.packed),
            ("size", entry.size, local.size),
            ("checksum", entry.crc, local.crc),
        ):
            if here != there and not (streamed and there in (0, _MAX_32)):
                problems.append(
                    Problem(
                        "local",
                        f"`{name}` has {what} {here:,} in the directory, {there:,} before its bytes",
                        at,
                    )
                )
        if local.data_offset + entry.packed > self._source.size:
            problems.append(Problem("local", f"`{name}` reaches beyond the end of the archive", at))
        return problems

    def names_disagree(self, entry: Entry) -> Problem | None:
        """Whether programs may read the entry's name differently: a NUL in it, or a second name in an extra field."""
        if b"\0" in entry.raw_name:
            return Problem(
                "name",
                f"`{entry.name}` has a NUL in its name: some programs cut it there",
                entry.header_offset,
            )
        for kind, value in extra_fields(entry.extra):
            # Info-ZIP Unicode Path: version, CRC-32 of the name it replaces, UTF-8. It holds only if the CRC fits.
            if kind == 0x7075 and len(value) > 5 and value[5:] != entry.raw_name:
                if int.from_bytes(value[1:5], "little") != zlib.crc32(entry.raw_name):
                    continue
                if value[5:] == entry.name.encode("utf-8", "replace"):
                    continue
                other = value[5:].decode("utf-8", "replace")
                return Problem(
                    "name",
                    f"`{entry.name}` is called `{other}` in an extra field that some programs prefer",
                    entry.header_offset,
                )
        return None


def read_directory(source: Source) -> Directory | None:
    """The directory of the zip archive that ends in these bytes; None where there is no end record.

    The end record is the last one, as in CPython's `zipfile` and in miniz, which torch reads with. Offsets count from
    where the archive begins, which need not be where the bytes begin: a prefix is found as `zipfile` finds it.
    """
    size = source.size
    if size < 22:
        return None
    tail = source.read(size - 22, 22)
    if tail[:4] == END_SIGNATURE and tail[20:] == b"\0\0":
        at = 0
    else:
        tail = source.read(max(0, size - _TAIL), min(size, _TAIL))
        at = tail.rfind(END_SIGNATURE)
        if at < 0 or len(tail) - at < 22:
            return None
    end = size - len(tail) + at
    (_, _, _, _, count, length, offset, comment_length) = _END.unpack_from(tail, at)
    comment = tail[at + 22 : at + 22 + comment_length]
    trailing = len(tail) - at - 22 - len(comment)
    problems: list[Problem] = []
    records = end
    if wide := _zip64_end(source, end):
        records, *trio = wide
        if any(
            narrow not in (here, most)
            for narrow, here, most in zip(
                (count, length, offset), trio, (_MAX_16, _MAX_32, _MAX_32), strict=True
            )
        ):
            problems.append(
                Problem("zip64", "the two end records of the archive tell different stories", end)
            )
        count, length, offset = trio
    prefix, length, offset = _placed(source, records, length, offset, problems)
    directory = Directory(source, prefix + offset, length, count, prefix, end, comment)
    if prefix:
        problems.append(Problem("prefix", f"{prefix:,} bytes lie before the archive", 0))
    if trailing:
        problems.append(
            Problem("trailing", f"{trailing:,} bytes lie after the archive", end + 22 + len(comment))
        )
    if END_SIGNATURE in comment:
        problems.append(Problem("two-ends", "its comment holds a second end record", end + 22))
    elif at == 0 and len(tail) == 22 and size > 22:
        problems.extend(_end_before(source, end, directory))
    directory.problems = problems
    return directory


def _placed(
    source: Source, records: int, length: int, offset: int, problems: list[Problem]
) -> tuple[int, int, int]:
    """How many bytes lie before the archive, and the directory's length and offset, made to fit what is there."""
    prefix = records - length - offset
    at_offset = source.read(offset, 4) == CENTRAL_SIGNATURE if prefix else False
    if prefix < 0 and at_offset and offset < records:
        # Its length is a lie, and programs that go by the offset alone read on.
        problems.append(
            Problem(
                "damaged", "the directory of the archive is said to be longer than there is room for", offset
            )
        )
        return 0, records - offset, offset
    if prefix < 0:
        problems.append(Problem("damaged", "the directory of the archive lies outside of it", records))
        return 0, 0, 0
    if at_offset:
        # Something lies between directory and end record, or a second archive is hidden before the first.
        problems.append(
            Problem(
                "two-directories",
                f"a directory begins at byte {offset:,}, and where most programs look for it, at {prefix + offset:,}",
                offset,
            )
        )
    return prefix, length, offset


def overlaps(entries: Iterable[Entry], tick: Callable[[], None] | None = None) -> Problem | None:
    """The first two entries that share bytes of the archive: the sign of a bomb, or of one file under two names.

    Local headers are counted at their least length, so a neighbour that only touches is no overlap.
    """
    spans = sorted(
        (entry.header_offset, entry.header_offset + 30 + len(entry.raw_name) + entry.packed, entry.raw_name)
        for entry in entries
    )
    reach, holder = -1, b""
    for start, stop, name in spans:
        if tick is not None:
            tick()
        if start < reach:
            return Problem(
                "overlap",
                f"`{name.decode('utf-8', 'replace')}` shares bytes with `{holder.decode('utf-8', 'replace')}`",
                start,
            )
        reach, holder = stop, name
    return None


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields of an entry: kind and content; ends at the first that is cut."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        value = extra[at + 4 : at + 4 + length]
        if len(value) < length:
            return
        yield kind, value
        at += 4 + length


def _zip64_sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset with those that do not fit 32 bits taken from the zip64 field; as they are where it lacks."""
    for kind, value in extra_fields(extra):
        if kind != 1:
            continue
        wide = [int.from_bytes(value[at : at + 8], "little") for at in range(0, len(value) - 7, 8)]
        wide.reverse()
        if size == _MAX_32 and wide:
            size = wide.pop()
        if packed == _MAX_32 and wide:
            packed = wide.pop()
        if offset == _MAX_32 and wide:
            offset = wide.pop()
        break
    return size, packed, offset


def _zip64_end(source: Source, end: int) -> tuple[int, int, int, int] | None:
    """Where the zip64 end record is, and its count, length and offset; None where there is none.

    Found before its locator, as `zipfile` looks for it, and else where the locator says.
    """
    if end < 76:
        return None
    locator = source.read(end - 20, 20)
    if locator[:4] != _ZIP64_LOCATOR_SIGNATURE:
        return None
    _, _, said, _ = _ZIP64_LOCATOR.unpack(locator)
    for at in (end - 76, said):
        record = source.read(at, 56)
        if len(record) == 56 and record[:4] == _ZIP64_END_SIGNATURE and at <= end - 76:
            count, length, offset = _ZIP64_END.unpack(record)[7:]
            return at, count, length, offset
    return None


def _end_before(source: Source, end: int, directory: Directory) -> Iterator[Problem]:
    """A second end record after the directory, which a program that searches forwards would take."""
    start = directory.offset + directory.length
    if 0 <= end - start <= _TAIL:
        at = source.read(start, end - start).find(END_SIGNATURE)
        if at >= 0:
            yield Problem("two-ends", "two end records follow the directory", start + at)
    if end - start > 76:
        yield Problem("trailing", f"{end - start - 76:,} bytes lie between the directory and its end", start)
