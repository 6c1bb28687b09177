"""Objects of an HDF5 file, from the root down: headers and the messages in them (IV.A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.hdf5.addressed import LONGEST_VALUE
from alcaide.instruments.scan.hdf5.dense import FractalHeaps
from alcaide.instruments.scan.hdf5.groups import SymbolTables
from alcaide.instruments.scan.hdf5.model import Attribute, Item, Link, Storage
from alcaide.instruments.scan.limits import Malformed, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCKS = 4_000
"""Continuation blocks of one object header."""


class Reader(SymbolTables, FractalHeaps):
    """One HDF5 file."""

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
            item.links.extend(self.old_links(self.address(data, 0), self.address(data, self.offsets)))
        elif kind == 0x02:
            at = 2 + (8 if data[1:2] and data[1] & 1 else 0)
            for record in self.dense(self.address(data, at), self.address(data, at + self.offsets), 4):
                item.links.append(self._link(record))
        elif kind == 0x15:
            at = 2 + (2 if data[1:2] and data[1] & 1 else 0)
            for record in self.dense(self.address(data, at), self.address(data, at + self.offsets), 0):
                item.attributes.append(self._attribute(record))
        elif kind == 0x08:
            self._layout(item.storage, data)
        elif kind == 0x07:
            self._external(item.storage, data)
        elif kind == 0x0B:
            self._filters(item.storage, data)

    def _messages(self, address: int) -> Iterator[tuple[int, int, bytes]]:
        """(type, flags, content) of every message of an object header (IV.A.1)."""
        head = self.read(address, 16)
        if head[:4] == b"OHDR":
            flags = head[5]
            at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(self.read(at, width), "little")
            yield from self._messages_2(at + width, size, flags)
        elif head[0] == 1:
            size = int.from_bytes(head[8:12], "little")
            yield from self._messages_1(address + 16, size)
        else:
            raise Malformed("an object's header is none", self.base + address)

    def _messages_1(self, address: int, size: int) -> Iterator[tuple[int, int, bytes]]:
        waiting = [(address, size)]
        blocks = 0
        while waiting:
            address, size = waiting.pop(0)
            blocks += 1
            if blocks > _BLOCKS or size > LONGEST_VALUE:
                raise Malformed("an object's header goes on and on", self.base + address)
            block = self.part(address, size)
            at = 0
            while at + 8 <= len(block):
                self.tick(1)
                kind = int.from_bytes(block[at : at + 2], "little")
                length = int.from_bytes(block[at + 2 : at + 4], "little")
                data = block[at + 8 : at + 8 + length]
                if kind == 0x10:
                    waiting.append((self.address(data, 0), self.length(data, self.offsets)))
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
            if blocks > _BLOCKS or size > LONGEST_VALUE:
                raise Malformed("an object's header goes on and on", self.base + address)
            block = self.part(address, size)
            at = 0
            while at + head <= len(block):
                self.tick(1)
                kind = block[at]
                length = int.from_bytes(block[at + 1 : at + 3], "little")
                data = block[at + head : at + head + length]
                if kind == 0x10:
                    start, length_of_block = self.address(data, 0), self.length(data, self.offsets)
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
        return tuple(self.length(data, at + place * self.lengths) for place in range(min(data[1], 32)))

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
        length = self.integer(data, at, width)
        at += width
        name = data[at : at + length].decode("utf-8", "replace")
        at += length
        if kind == 0:
            return Link(name, "hard", self.address(data, at))
        value = data[at + 2 : at + 2 + self.integer(data, at, 2)]
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
        width = 4 + self.offsets + 4
        values: list[bytes] = []
        total = 0
        whole = True
        for place in range(0, min(count * width, len(raw) - width + 1), width):
            self.tick(1)
            length = int.from_bytes(raw[place : place + 4], "little")
            address = self.address(raw, place + 4)
            index = int.from_bytes(raw[place + 4 + self.offsets : place + width], "little")
            if address in (0, self.undefined) or not length:
                values.append(b"")
                continue
            value = self.heap_object(address, index)
            if value is None or total + len(value) > LONGEST_VALUE:
                whole = False
                values.append(b"")
            else:
                total += len(value)
                values.append(value)
        return Attribute(name, 9, values, whole)

    def _layout(self, storage: Storage, data: bytes) -> None:
        version = data[0] if data else 0
        if version in (3, 4, 5) and len(data) > 1:
            kind = data[1]
            if kind == 0:
                storage.kind = "compact"
            elif kind == 1:
                storage.kind = "contiguous"
                storage.address = self.address(data, 2)
                storage.size = self.length(data, 2 + self.offsets)
            elif kind == 2:
                storage.kind = "chunked"
            elif kind == 3:
                storage.kind = "virtual"
                address = self.address(data, 2)
                index = self.integer(data, 2 + self.offsets, 4)
                value = self.heap_object(address, index) if address != self.undefined else None
                storage.sources = _sources(value or b"", self.lengths)
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
        heap = self.local_heap(self.address(data, 8))
        at = 8 + self.offsets
        for _ in range(min(used, (len(data) - at) // (3 * self.lengths))):
            storage.external.append(self.heap_text(heap, self.length(data, at)))
            at += 3 * self.lengths

    def _filters(self, storage: Storage, data: bytes) -> None:
        if len(data) < 2 or data[0] not in (1, 2):
            raise Malformed("a list of filters is none")
        version, count = data[0], min(data[1], 32)
        at = 8 if version == 1 else 2
        for _ in range(count):
            number = self.integer(data, at, 2)
            storage.filters.append(number)
            at += 2
            length = 0
            if version == 1 or number >= 256:
                length = self.integer(data, at, 2)
                at += 2
            values = self.integer(data, at + 2, 2)
            at += 4 + ((length + 7) // 8 * 8 if version == 1 else length) + 4 * values
            if version == 1 and values & 1:
                at += 4


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
