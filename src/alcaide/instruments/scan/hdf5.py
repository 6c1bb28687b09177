"""HDF5, as far as it must be read to say what a file holds and where it leads: groups, links, attributes, layouts.

The HDF5 library follows every link, opens the files a file names, and loads filters from plug-ins; a scan must know of
all that without doing any of it. Here objects are walked by their addresses, each once; attributes are read with their
values; of datasets only their shape, type, storage and filters. Superblocks 0 to 3, object headers 1 and 2, groups in
both styles, fractal heaps and version 2 B-trees are read; addresses and counts are believed only as far as they can be.

Left out: the contents of datasets, and huge attributes in fractal heaps (an attribute above 64 KiB, which libraries for
machine learning do not write).

See "HDF5 File Format Specification Version 3.0", whose section numbers the comments name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alcaide.instruments.scan.limits import Malformed, Truncated
from alcaide.instruments.scan.source import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alcaide.instruments.scan.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_SMALL = 2 << 20
_LONGEST_VALUE = 16 << 20
_BLOCKS = 4_000
"""Continuation blocks of one object header, and nodes of one index."""
_DEPTH = 16
"""Levels of a B-tree: 16 levels of the smallest nodes hold more links than a disk can."""


@dataclass(slots=True)
class Link:
    """An entry of a group."""

    name: str
    kind: str
    """`hard`, `soft`, `external` or `user`."""
    address: int = 0
    file: str = ""
    target: str = ""


@dataclass(slots=True)
class Attribute:
    """A named value of an object."""

    name: str
    type_class: int
    """3 is a string of fixed length, 9 of variable length, 5 opaque; the others are numbers and compounds."""
    values: list[bytes]
    """Texts, one for each element; for other types the raw bytes as one."""
    whole: bool = True
    """Whether the value could be read."""


@dataclass(slots=True)
class Storage:
    """Where a dataset's values lie."""

    kind: str = "none"
    """`compact`, `contiguous`, `chunked`, `virtual` or `none`."""
    address: int = 0
    size: int = 0
    external: list[str] = field(default_factory=list)
    """Files outside that hold the values."""
    sources: list[str] = field(default_factory=list)
    """Files that a virtual dataset is put together from."""
    filters: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """An object: a group or a dataset."""

    path: str
    address: int
    attributes: list[Attribute] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    type_class: int | None = None
    storage: Storage = field(default_factory=Storage)
    problem: Malformed | Truncated | None = None
    """Why a part of it could not be read. A library may never look at that part, so what else it has still counts."""

    @property
    def is_dataset(self) -> bool:
        """Whether it holds values."""
        return self.shape is not None and self.type_class is not None


@dataclass(slots=True)
class _Heap:
    """A fractal heap's header (III.G)."""

    id_length: int
    flags: int
    table_width: int
    start: int
    most_direct: int
    bits: int
    root: int
    rows: int
    most_managed: int
    filtered: bool


class Reader:
    """One HDF5 file."""

    def __init__(self, source: Source, tick: Callable[[int], None], start: int = 0) -> None:
        """Read the superblock, which begins at `start`.

        Raises:
            Malformed: it is none, or of a version that does not exist.
            Truncated: the file ends within it.
        """
        # A small file is read once: its objects lie all over it, and each would cost several reads.
        self._source = source if source.size > _SMALL else Memory(source.read(0, source.size))
        self._tick = tick
        head = source.read(start, 128)
        if len(head) < 48:
            raise Truncated("the file ends within its superblock", start)
        self.version = head[8]
        if self.version in (0, 1):
            self._offsets, self._lengths = head[13], head[14]
            at = 24 if self.version == 0 else 28
        elif self.version in (2, 3):
            self._offsets, self._lengths = head[9], head[10]
            at = 12
        else:
            raise Malformed(f"its superblock says version {self.version}, which does not exist", start + 8)
        if self._offsets not in (2, 4, 8) or self._lengths not in (2, 4, 8):
            raise Malformed("its superblock says addresses are of a length that does not exist", start + 9)
        self._undefined = (1 << (8 * self._offsets)) - 1
        width = self._offsets
        base = int.from_bytes(head[at : at + width], "little")
        # With a block before it, versions 0 and 1 may say 0 and mean the superblock's place (II.A).
        self._base = base if base == start else start
        self.end = int.from_bytes(head[at + 2 * width : at + 3 * width], "little")
        if self.version < 2:
            entry = at + 4 * width
            self.root = int.from_bytes(head[entry + width : entry + 2 * width], "little")
        else:
            self.root = int.from_bytes(head[at + 3 * width : at + 4 * width], "little")
        self._global: dict[int, dict[int, tuple[int, int]]] = {}

    @property
    def is_cut(self) -> bool:
        """Whether the file is shorter than it says."""
        # Counted from the file's start, also where there is a block before the superblock.
        return self.end != self._undefined and self.end > self._source.size

    # ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, address: int, length: int) -> bytes:
        self._tick(1)
        if address < 0 or address >= self._undefined:
            raise Malformed("it leads to an address that does not exist")
        data = self._source.read(self._base + address, length)
        if len(data) < length:
            if self.is_cut:
                raise Truncated("the file ends before what it leads to", self._base + address)
            raise Malformed("it leads beyond the end of the file", self._base + address)
        return data

    def _part(self, address: int, length: int) -> bytes:
        """Bytes at an address, or those of them that are there before the file ends."""
        if 0 <= address < self._undefined and self._base + address < self._source.size:
            length = min(length, self._source.size - self._base - address)
        return self._read(address, length)

    def _address(self, data: bytes, at: int) -> int:
        return self._integer(data, at, self._offsets)

    def _length(self, data: bytes, at: int) -> int:
        return self._integer(data, at, self._lengths)

    def _integer(self, data: bytes, at: int, width: int) -> int:
        piece = data[at : at + width]
        if len(piece) < width:
            raise Malformed("a message ends within a number")
        return int.from_bytes(piece, "little")

    # ── Objects ──────────────────────────────────────────────────────────────────────────────────────────────────

    def items(self) -> Iterator[Item | Malformed | Truncated]:
        """Every object that can be reached from the root, each once; or why one could not be read."""
        waiting = [("", self.root)]
        seen: set[int] = set()
        while waiting:
            path, address = waiting.pop()
            if address in seen:
                continue
            seen.add(address)
            try:
                item = self._item(path, address)
            except (Malformed, Truncated) as stop:
                yield stop
                continue
            yield item
            waiting.extend(
                (f"{path}/{link.name}"[-1000:], link.address)
                for link in reversed(item.links)
                if link.kind == "hard" and link.address not in seen
            )

    def _item(self, path: str, address: int) -> Item:
        item = Item(path, address)
        messages = self._messages(address)
        while True:
            try:
                kind, flags, data = next(messages)
                if not flags & 2:
                    self._message(item, kind, data)
                elif kind == 0x03:
                    # The message lies elsewhere and is shared: a datatype that has a name. No link or layout can be.
                    item.type_class = -1
            except StopIteration:
                return item
            except (Malformed, Truncated) as stop:
                item.problem = item.problem or stop

    def _message(self, item: Item, kind: int, data: bytes) -> None:  # noqa: C901 - a case for each kind
        """Take in one message of an object header (IV.A.2)."""
        if kind == 0x01:
            item.shape = self._dataspace(data)
        elif kind == 0x03 and data:
            item.type_class = data[0] & 15
        elif kind == 0x06:
            item.links.append(self._link(data))
        elif kind == 0x0C:
            item.attributes.append(self._attribute(data))
        elif kind == 0x11:
            item.links.extend(self._old_links(self._address(data, 0), self._address(data, self._offsets)))
        elif kind == 0x02:
            at = 2 + (8 if data[1:2] and data[1] & 1 else 0)
            for record in self._dense(self._address(data, at), self._address(data, at + self._offsets), 4):
                item.links.append(self._link(record))
        elif kind == 0x15:
            at = 2 + (2 if data[1:2] and data[1] & 1 else 0)
            for record in self._dense(self._address(data, at), self._address(data, at + self._offsets), 0):
                item.attributes.append(self._attribute(record))
        elif kind == 0x08:
            self._layout(item.storage, data)
        elif kind == 0x07:
            self._external(item.storage, data)
        elif kind == 0x0B:
            self._filters(item.storage, data)

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """(type, flags, content) of every message of an object header (IV.A.1)."""
        head = self._read(address, 16)
        if head[:4] == b"OHDR":
            flags = head[5]
            at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(self._read(at, width), "little")
            yield from self._messages_2(at + width, size, flags)
        elif head[0] == 1:
            size = int.from_bytes(head[8:12], "little")
            yield from self._messages_1(address + 16, size)
        else:
            raise Malformed("an object's header is none", self._base + address)

    def _messages_1(self, address: int, size: int) -> Iterator[tuple[int, int, bytes]]:
        waiting = [(address, size)]
        blocks = 0
        while waiting:
            address, size = waiting.pop(0)
            blocks += 1
            if blocks > _BLOCKS or size > _LONGEST_VALUE:
                raise Malformed("an object's header goes on and on", self._base + address)
            block = self._part(address, size)
            at = 0
            while at + 8 <= len(block):
                self._tick(1)
                kind = int.from_bytes(block[at : at + 2], "little")
                length = int.from_bytes(block[at + 2 : at + 4], "little")
                data = block[at + 8 : at + 8 + length]
                if kind == 0x10:
                    waiting.append((self._address(data, 0), self._length(data, self._offsets)))
                elif kind:
                    yield kind, block[at + 4], data
                at += 8 + length

    def _messages_2(self, address: int, size: int, flags: int) -> Iterator[tuple[int, int, bytes]]:
        waiting = [(address, size)]
        blocks = 0
        head = 6 if flags & 4 else 4
        while waiting:
            address, size = waiting.pop(0)
            blocks += 1
            if blocks > _BLOCKS or size > _LONGEST_VALUE:
                raise Malformed("an object's header goes on and on", self._base + address)
            block = self._part(address, size)
            at = 0
            while at + head <= len(block):
                self._tick(1)
                kind = block[at]
                length = int.from_bytes(block[at + 1 : at + 3], "little")
                data = block[at + head : at + head + length]
                if kind == 0x10:
                    start, length_of_block = self._address(data, 0), self._length(data, self._offsets)
                    # A signature before and a checksum after (IV.A.1.b).
                    waiting.append((start + 4, max(0, length_of_block - 8)))
                elif kind:
                    yield kind, block[at + 3], data
                at += head + length

    # ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _dataspace(self, data: bytes) -> tuple[int, ...]:
        if len(data) < 4 or data[0] not in (1, 2):
            raise Malformed("a dataspace is none")
        at = 8 if data[0] == 1 else 4
        return tuple(self._length(data, at + place * self._lengths) for place in range(min(data[1], 32)))

    def _link(self, data: bytes) -> Link:
        if len(data) < 4 or data[0] != 1:
            raise Malformed("a link is none")
        flags = data[1]
        at = 2
        kind = 0
        if flags & 8:
            kind = data[at]
            at += 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = self._integer(data, at, width)
        at += width
        name = data[at : at + length].decode("utf-8", "replace")
        at += length
        if kind == 0:
            return Link(name, "hard", self._address(data, at))
        value = data[at + 2 : at + 2 + self._integer(data, at, 2)]
        if kind == 1:
            return Link(name, "soft", target=value.decode("utf-8", "replace"))
        if kind == 64:
            file, _, target = value[1:].partition(b"\0")
            return Link(
                name,
                "external",
                file=file.decode("utf-8", "replace"),
                target=target.rstrip(b"\0").decode("utf-8", "replace"),
            )
        return Link(name, "user", target=f"type {kind}")

    def _attribute(self, data: bytes) -> Attribute:
        if len(data) < 8 or data[0] not in (1, 2, 3):
            raise Malformed("an attribute is none")
        version, flags = data[0], data[1]
        sizes = [int.from_bytes(data[place : place + 2], "little") for place in (2, 4, 6)]
        at = 9 if version == 3 else 8
        pieces = []
        for size in sizes:
            pieces.append(data[at : at + size])
            at += (size + 7) // 8 * 8 if version == 1 else size
        name = pieces[0].split(b"\0")[0].decode("utf-8", "replace")
        if version > 1 and flags & 3:
            return Attribute(name, -1, [data[at:]])
        type_, space = pieces[1], pieces[2]
        if len(type_) < 8:
            raise Malformed("an attribute's type is none")
        type_class = type_[0] & 15
        size = int.from_bytes(type_[4:8], "little")
        is_null = len(space) > 3 and space[0] == 2 and space[3] == 2
        count = 1
        for extent in self._dataspace(space):
            count *= extent
        if is_null or count == 0:
            return Attribute(name, type_class, [])
        raw = data[at:]
        if type_class == 9:
            return self._variable(name, raw, count)
        if type_class == 3 and size:
            count = min(count, len(raw) // size)
            return Attribute(name, 3, [raw[place * size : place * size + size] for place in range(count)])
        return Attribute(name, type_class, [raw])

    def _variable(self, name: str, raw: bytes, count: int) -> Attribute:
        """Values of variable length: each is in a global heap (III.E)."""
        width = 4 + self._offsets + 4
        values: list[bytes] = []
        total = 0
        whole = True
        for place in range(0, min(count * width, len(raw) - width + 1), width):
            self._tick(1)
            length = int.from_bytes(raw[place : place + 4], "little")
            address = self._address(raw, place + 4)
            index = int.from_bytes(raw[place + 4 + self._offsets : place + width], "little")
            if address in (0, self._undefined) or not length:
                values.append(b"")
                continue
            value = self.heap_object(address, index)
            if value is None or total + len(value) > _LONGEST_VALUE:
                whole = False
                values.append(b"")
            else:
                total += len(value)
                values.append(value)
        return Attribute(name, 9, values, whole)

    def heap_object(self, address: int, index: int) -> bytes | None:
        """An object of a global heap, or None if it is not there or above 16 MiB."""
        objects = self._global.get(address)
        if objects is None:
            if len(self._global) > 1_000:
                self._global.clear()
            objects = self._global[address] = dict(self._heap_objects(address))
        place = objects.get(index)
        if place is None or place[1] > _LONGEST_VALUE:
            return None
        return self._read(*place)

    def _heap_objects(self, address: int) -> Iterator[tuple[int, tuple[int, int]]]:
        head = self._read(address, 8 + self._lengths)
        if head[:4] != b"GCOL":
            raise Malformed("a global heap is none", self._base + address)
        end = address + self._length(head, 8)
        at = address + 8 + self._lengths
        width = 8 + self._lengths
        while at + width <= end:
            piece = self._read(at, width)
            index = int.from_bytes(piece[:2], "little")
            size = self._length(piece, 8)
            if index == 0 or size > end - at:
                return
            yield index, (at + width, size)
            at += width + (size + 7) // 8 * 8

    def _layout(self, storage: Storage, data: bytes) -> None:
        version = data[0] if data else 0
        if version in (3, 4, 5) and len(data) > 1:
            kind = data[1]
            if kind == 0:
                storage.kind = "compact"
            elif kind == 1:
                storage.kind = "contiguous"
                storage.address = self._address(data, 2)
                storage.size = self._length(data, 2 + self._offsets)
            elif kind == 2:
                storage.kind = "chunked"
            elif kind == 3:
                storage.kind = "virtual"
                address = self._address(data, 2)
                index = self._integer(data, 2 + self._offsets, 4)
                value = self.heap_object(address, index) if address != self._undefined else None
                storage.sources = _sources(value or b"", self._lengths)
            else:
                raise Malformed("a dataset is stored in a way that does not exist")
        elif version in (1, 2) and len(data) > 2:
            storage.kind = {0: "compact", 1: "contiguous", 2: "chunked"}.get(data[2], "none")
        else:
            raise Malformed("a dataset's layout is none")

    def _external(self, storage: Storage, data: bytes) -> None:
        if len(data) < 8:
            raise Malformed("a list of external files is none")
        used = int.from_bytes(data[6:8], "little")
        heap = self._local_heap(self._address(data, 8))
        at = 8 + self._offsets
        for _ in range(min(used, (len(data) - at) // (3 * self._lengths))):
            storage.external.append(self._heap_text(heap, self._length(data, at)))
            at += 3 * self._lengths

    def _filters(self, storage: Storage, data: bytes) -> None:
        if len(data) < 2 or data[0] not in (1, 2):
            raise Malformed("a list of filters is none")
        version, count = data[0], min(data[1], 32)
        at = 8 if version == 1 else 2
        for _ in range(count):
            number = self._integer(data, at, 2)
            storage.filters.append(number)
            at += 2
            length = 0
            if version == 1 or number >= 256:
                length = self._integer(data, at, 2)
                at += 2
            values = self._integer(data, at + 2, 2)
            at += 4 + ((length + 7) // 8 * 8 if version == 1 else length) + 4 * values
            if version == 1 and values & 1:
                at += 4

    # ── Groups of the old style: a B-tree of symbol tables, names in a local heap (III.A, III.B, III.D) ──────────

    def _local_heap(self, address: int) -> tuple[int, int]:
        head = self._read(address, 8 + 2 * self._lengths + self._offsets)
        if head[:4] != b"HEAP":
            raise Malformed("a local heap is none", self._base + address)
        return self._address(head, 8 + 2 * self._lengths), self._length(head, 8)

    def _heap_text(self, heap: tuple[int, int], offset: int) -> str:
        address, size = heap
        if offset >= size:
            raise Malformed("a name lies outside of its heap")
        text = b""
        while b"\0" not in text and len(text) < 65_536 and offset + len(text) < size:
            text += self._read(address + offset + len(text), min(256, size - offset - len(text)))
        return text.split(b"\0")[0].decode("utf-8", "replace")

    def _old_links(self, tree: int, heap_address: int) -> Iterator[Link]:
        heap = self._local_heap(heap_address)
        waiting = [(tree, 0)]
        seen: set[int] = set()
        while waiting:
            address, depth = waiting.pop()
            if address in seen or depth > _DEPTH:
                raise Malformed("a group's index leads back to itself", self._base + address)
            seen.add(address)
            head = self._read(address, 8)
            if head[:4] == b"SNOD":
                yield from self._symbols(address + 8, int.from_bytes(head[6:8], "little"), heap)
                continue
            if head[:4] != b"TREE" or head[4] != 0:
                raise Malformed("a group's index is none", self._base + address)
            used = int.from_bytes(head[6:8], "little")
            start = address + 8 + 2 * self._offsets
            step = self._lengths + self._offsets
            data = self._read(start, used * step)
            waiting.extend(
                (self._address(data, place * step + self._lengths), depth + 1)
                for place in reversed(range(used))
            )

    def _symbols(self, address: int, count: int, heap: tuple[int, int]) -> Iterator[Link]:
        width = 2 * self._offsets + 24
        data = self._read(address, count * width)
        for at in range(0, count * width, width):
            name = self._heap_text(heap, self._address(data, at))
            scratch = at + 2 * self._offsets + 8
            if int.from_bytes(data[scratch - 8 : scratch - 4], "little") == 2:
                target = self._heap_text(heap, int.from_bytes(data[scratch : scratch + 4], "little"))
                yield Link(name, "soft", target=target)
            else:
                yield Link(name, "hard", self._address(data, at + self._offsets))

    # ── Groups and attributes of the new style: a B-tree of places in a fractal heap (III.A.2, III.G) ────────────

    def _dense(self, heap_address: int, tree: int, skip: int) -> Iterator[bytes]:
        """What a dense index leads to; `skip` bytes of a record come before the place in the heap."""
        if heap_address == self._undefined or tree == self._undefined:
            return
        heap = self._fractal_heap(heap_address)
        for record in self._records(tree):
            value = self._managed(heap, record[skip : skip + heap.id_length])
            if value is not None:
                yield value

    def _records(self, address: int) -> Iterator[bytes]:
        """Records of a version 2 B-tree."""
        head = self._read(address, 22 + self._offsets)
        if head[:4] != b"BTHD":
            raise Malformed("an index is none", self._base + address)
        node_size = int.from_bytes(head[6:10], "little")
        width = int.from_bytes(head[10:12], "little")
        depth = int.from_bytes(head[12:14], "little")
        root = self._address(head, 16)
        count = int.from_bytes(head[16 + self._offsets : 18 + self._offsets], "little")
        if root == self._undefined:
            return
        if not width or node_size < 32 or node_size > 1 << 24 or depth > _DEPTH:
            raise Malformed("an index has nodes of an impossible size", self._base + address)
        # How wide counts are written depends on how many records a node of each level can have (III.A.2).
        most = [(node_size - 10) // width]
        below = [most[0]]
        counts = [_bytes_for(most[0])]
        totals = [0]
        for _ in range(depth):
            pointer = self._offsets + counts[0] + totals[-1]
            most.append(max(0, (node_size - 10 - pointer) // (width + pointer)))
            below.append((most[-1] + 1) * below[-1] + most[-1])
            counts.append(_bytes_for(most[-1]))
            totals.append(_bytes_for(below[-1]))
        waiting = [(root, count, depth)]
        nodes = 0
        while waiting:
            at, count, level = waiting.pop()
            nodes += 1
            if nodes > _BLOCKS * 10:
                raise Malformed("an index goes on and on", self._base + at)
            if count > most[level]:
                raise Malformed("an index's node says it holds more than fits", self._base + at)
            data = self._read(at, node_size if at + node_size <= self._source.size else 6 + count * width)
            if data[:4] != (b"BTIN" if level else b"BTLF"):
                raise Malformed("an index's node is none", self._base + at)
            for place in range(count):
                self._tick(1)
                yield data[6 + place * width : 6 + (place + 1) * width]
            if level:
                place = 6 + count * width
                for _ in range(count + 1):
                    child = self._address(data, place)
                    place += self._offsets
                    inner = self._integer(data, place, counts[level - 1])
                    place += counts[level - 1] + (totals[level - 1] if level > 1 else 0)
                    waiting.append((child, inner, level - 1))

    def _fractal_heap(self, address: int) -> _Heap:
        lengths, offsets = self._lengths, self._offsets
        head = self._read(address, 22 + 12 * lengths + 3 * offsets)
        if head[:4] != b"FRHP":
            raise Malformed("a fractal heap is none", self._base + address)
        at = 14 + lengths + offsets + lengths + offsets + 8 * lengths
        width = int.from_bytes(head[at : at + 2], "little")
        start = self._length(head, at + 2)
        most_direct = self._length(head, at + 2 + lengths)
        at += 2 + 2 * lengths
        heap = _Heap(
            id_length=int.from_bytes(head[5:7], "little"),
            flags=head[9],
            table_width=width,
            start=start,
            most_direct=most_direct,
            bits=int.from_bytes(head[at : at + 2], "little"),
            root=self._address(head, at + 4),
            rows=int.from_bytes(head[at + 4 + offsets : at + 6 + offsets], "little"),
            most_managed=int.from_bytes(head[10:14], "little"),
            filtered=head[7:9] != b"\0\0",
        )
        if not width or not start or not most_direct or heap.bits > 64 or not heap.bits or heap.rows > 80:
            raise Malformed("a fractal heap has an impossible shape", self._base + address)
        return heap

    def _managed(self, heap: _Heap, place: bytes) -> bytes | None:
        """An object of a fractal heap, or None if it is not kept in the heap's own blocks."""
        if len(place) < 2:
            raise Malformed("a place in a fractal heap is none")
        kind = place[0] >> 4 & 3
        if kind == 2:
            return place[1 : 2 + (place[0] & 15)]
        if kind != 0 or heap.filtered:
            return None
        width = (heap.bits + 7) // 8
        offset = int.from_bytes(place[1 : 1 + width], "little")
        size_width = min(_bytes_for(heap.most_direct), _bytes_for(heap.most_managed))
        size = int.from_bytes(place[1 + width : 1 + width + size_width], "little")
        address = heap.root
        rows = heap.rows
        base = 0
        for _ in range(_DEPTH):
            if rows == 0:
                return self._read(address + offset - base, min(size, _LONGEST_VALUE))
            head = self._read(address, 4)
            if head != b"FHIB":
                raise Malformed("a fractal heap's block is none", self._base + address)
            # Rows 0 and 1 have blocks of the starting size; from there each row's are twice as big (III.G).
            row = 0
            row_start = base
            block = heap.start
            while row < rows and offset >= row_start + block * heap.table_width:
                row_start += block * heap.table_width
                row += 1
                block = heap.start << max(0, row - 1)
            if row >= rows:
                raise Malformed("a place lies outside of its fractal heap", self._base + address)
            column = (offset - row_start) // block
            entry = row * heap.table_width + column
            at = address + 5 + self._offsets + width + entry * self._offsets
            child = self._address(self._read(at, self._offsets), 0)
            if child == self._undefined:
                raise Malformed("a place lies in a block that is not there", self._base + at)
            base = row_start + column * block
            address = child
            rows = 0 if block <= heap.most_direct else (block // (heap.start * heap.table_width)).bit_length()
        raise Malformed("a fractal heap is nested without end", self._base + address)


def _bytes_for(number: int) -> int:
    """Bytes that hold numbers up to this one."""
    return (max(1, number).bit_length() + 7) // 8


def _sources(block: bytes, lengths: int) -> list[str]:
    """The files that a virtual dataset names (IV.A.2.i, appendix); "." is the file itself."""
    at = 1 + lengths
    found: dict[str, None] = {}
    first = block[at : at + 4096].split(b"\0")[0]
    if first:
        found[first.decode("utf-8", "replace")] = None
    # Between the names lie selections, whose length depends on their kind; a name is what has a dot or a slash in it.
    for piece in block[at:].split(b"\0"):
        if len(found) >= 50 or not 2 < len(piece) < 1024 or not piece.isascii():
            continue
        text = piece.decode()
        if text.isprintable() and ("." in text[1:] or (text[0] == "/" and "/" in text[1:])):
            found[text] = None
    return [name for name in found if name != "."]
