"""Groups and attributes of the new style: a B-tree of places in a fractal heap (III.A.2, III.G)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alcaide.instruments.scan.hdf5.addressed import LONGEST_VALUE, Addressed
from alcaide.instruments.scan.hdf5.groups import DEPTH
from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

_NODES = 40_000
"""Nodes of one index."""


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


class FractalHeaps(Addressed):
    """What dense indexes lead to."""

    def dense(self, heap_address: int, tree: int, skip: int) -> Iterator[bytes]:
        """What a dense index leads to; `skip` bytes of a record come before the place in the heap."""
        if heap_address == self.undefined or tree == self.undefined:
            return
        heap = self._fractal_heap(heap_address)
        for record in self._records(tree):
            value = self._managed(heap, record[skip : skip + heap.id_length])
            if value is not None:
                yield value

    def _records(self, address: int) -> Iterator[bytes]:
        """Records of a version 2 B-tree."""
        head = self.read(address, 22 + self.offsets)
        if head[:4] != b"BTHD":
            raise Malformed("an index is none", self.base + address)
        node_size = int.from_bytes(head[6:10], "little")
        width = int.from_bytes(head[10:12], "little")
        depth = int.from_bytes(head[12:14], "little")
        root = self.address(head, 16)
        count = int.from_bytes(head[16 + self.offsets : 18 + self.offsets], "little")
        if root == self.undefined:
            return
        if not width or node_size < 32 or node_size > 1 << 24 or depth > DEPTH:
            raise Malformed("an index has nodes of an impossible size", self.base + address)
        # How wide counts are written depends on how many records a node of each level can have (III.A.2).
        most = [(node_size - 10) // width]
        below = [most[0]]
        counts = [_bytes_for(most[0])]
        totals = [0]
        for _ in range(depth):
            pointer = self.offsets + counts[0] + totals[-1]
            most.append(max(0, (node_size - 10 - pointer) // (width + pointer)))
            below.append((most[-1] + 1) * below[-1] + most[-1])
            counts.append(_bytes_for(most[-1]))
            totals.append(_bytes_for(below[-1]))
        waiting = [(root, count, depth)]
        nodes = 0
        while waiting:
            at, count, level = waiting.pop()
            nodes += 1
            if nodes > _NODES:
                raise Malformed("an index goes on and on", self.base + at)
            if count > most[level]:
                raise Malformed("an index's node says it holds more than fits", self.base + at)
            data = self.read(at, node_size if at + node_size <= self.source.size else 6 + count * width)
            if data[:4] != (b"BTIN" if level else b"BTLF"):
                raise Malformed("an index's node is none", self.base + at)
            for place in range(count):
                self.tick(1)
                yield data[6 + place * width : 6 + (place + 1) * width]
            if level:
                place = 6 + count * width
                for _ in range(count + 1):
                    child = self.address(data, place)
                    place += self.offsets
                    inner = self.integer(data, place, counts[level - 1])
                    place += counts[level - 1] + (totals[level - 1] if level > 1 else 0)
                    waiting.append((child, inner, level - 1))

    def _fractal_heap(self, address: int) -> _Heap:
        lengths, offsets = self.lengths, self.offsets
        head = self.read(address, 22 + 12 * lengths + 3 * offsets)
        if head[:4] != b"FRHP":
            raise Malformed("a fractal heap is none", self.base + address)
        at = 14 + lengths + offsets + lengths + offsets + 8 * lengths
        width = int.from_bytes(head[at : at + 2], "little")
        start = self.length(head, at + 2)
        most_direct = self.length(head, at + 2 + lengths)
        at += 2 + 2 * lengths
        heap = _Heap(
            id_length=int.from_bytes(head[5:7], "little"),
            flags=head[9],
            table_width=width,
            start=start,
            most_direct=most_direct,
            bits=int.from_bytes(head[at : at + 2], "little"),
            root=self.address(head, at + 4),
            rows=int.from_bytes(head[at + 4 + offsets : at + 6 + offsets], "little"),
            most_managed=int.from_bytes(head[10:14], "little"),
            filtered=head[7:9] != b"\0\0",
        )
        if not width or not start or not most_direct or heap.bits > 64 or not heap.bits or heap.rows > 80:
            raise Malformed("a fractal heap has an impossible shape", self.base + address)
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
        for _ in range(DEPTH):
            if rows == 0:
                return self.read(address + offset - base, min(size, LONGEST_VALUE))
            head = self.read(address, 4)
            if head != b"FHIB":
                raise Malformed("a fractal heap's block is none", self.base + address)
            # Rows 0 and 1 have blocks of the starting size; from there each row's are twice as big (III.G).
            row = 0
            row_start = base
            block = heap.start
            while row < rows and offset >= row_start + block * heap.table_width:
                row_start += block * heap.table_width
                row += 1
                block = heap.start << max(0, row - 1)
            if row >= rows:
                raise Malformed("a place lies outside of its fractal heap", self.base + address)
            column = (offset - row_start) // block
            entry = row * heap.table_width + column
            at = address + 5 + self.offsets + width + entry * self.offsets
            child = self.address(self.read(at, self.offsets), 0)
            if child == self.undefined:
                raise Malformed("a place lies in a block that is not there", self.base + at)
            base = row_start + column * block
            address = child
            rows = 0 if block <= heap.most_direct else (block // (heap.start * heap.table_width)).bit_length()
        raise Malformed("a fractal heap is nested without end", self.base + address)


def _bytes_for(number: int) -> int:
    """Bytes that hold numbers up to this one."""
    return (max(1, number).bit_length() + 7) // 8
