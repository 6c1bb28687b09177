"""Groups of the old style: a B-tree of symbol tables, names in a local heap (III.A, III.B, III.D)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.hdf5.addressed import Addressed
from alcaide.instruments.scan.hdf5.model import Link
from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 16
"""Levels of a B-tree: 16 levels of the smallest nodes hold more links than a disk can."""


class SymbolTables(Addressed):
    """Links of groups as HDF5 before 1.8 wrote them, and writes them still unless asked otherwise."""

    def local_heap(self, address: int) -> tuple[int, int]:
        head = self.read(address, 8 + 2 * self.lengths + self.offsets)
        if head[:4] != b"HEAP":
            raise Malformed("a local heap is none", self.base + address)
        return self.address(head, 8 + 2 * self.lengths), self.length(head, 8)

    def heap_text(self, heap: tuple[int, int], offset: int) -> str:
        address, size = heap
        if offset >= size:
            raise Malformed("a name lies outside of its heap")
        text = b""
        while b"\0" not in text and len(text) < 65_536 and offset + len(text) < size:
            text += self.read(address + offset + len(text), min(256, size - offset - len(text)))
        return text.split(b"\0")[0].decode("utf-8", "replace")

    def old_links(self, tree: int, heap_address: int) -> Iterator[Link]:
        heap = self.local_heap(heap_address)
        waiting = [(tree, 0)]
        seen: set[int] = set()
        while waiting:
            address, depth = waiting.pop()
            if address in seen or depth > DEPTH:
                raise Malformed("a group's index leads back to itself", self.base + address)
            seen.add(address)
            head = self.read(address, 8)
            if head[:4] == b"SNOD":
                yield from self._symbols(address + 8, int.from_bytes(head[6:8], "little"), heap)
                continue
            if head[:4] != b"TREE" or head[4] != 0:
                raise Malformed("a group's index is none", self.base + address)
            used = int.from_bytes(head[6:8], "little")
            start = address + 8 + 2 * self.offsets
            step = self.lengths + self.offsets
            data = self.read(start, used * step)
            waiting.extend(
                (self.address(data, place * step + self.lengths), depth + 1)
                for place in reversed(range(used))
            )

    def _symbols(self, address: int, count: int, heap: tuple[int, int]) -> Iterator[Link]:
        width = 2 * self.offsets + 24
        data = self.read(address, count * width)
        for at in range(0, count * width, width):
            name = self.heap_text(heap, self.address(data, at))
            scratch = at + 2 * self.offsets + 8
            if int.from_bytes(data[scratch - 8 : scratch - 4], "little") == 2:
                target = self.heap_text(heap, int.from_bytes(data[scratch : scratch + 4], "little"))
                yield Link(name, "soft", target=target)
            else:
                yield Link(name, "hard", self.address(data, at + self.offsets))
