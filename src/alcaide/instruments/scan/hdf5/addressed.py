"""Bytes of an HDF5 file by address, and the global heap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.limits import Malformed, Truncated
from alcaide.instruments.scan.source import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alcaide.instruments.scan.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"

LONGEST_VALUE = 16 << 20
_SMALL = 2 << 20


class Addressed:
    """An HDF5 file as bytes at addresses, whose widths its superblock says; and the heap that all its objects share."""

    def __init__(self, source: Source, tick: Callable[[int], None], start: int = 0) -> None:
        """Read the superblock, which begins at `start`.

        Raises:
            Malformed: it is none, or of a version that does not exist.
            Truncated: the file ends within it.
        """
        # A small file is read once: its objects lie all over it, and each would cost several reads.
        self.source = source if source.size > _SMALL else Memory(source.read(0, source.size))
        self.tick = tick
        head = source.read(start, 128)
        if len(head) < 48:
            raise Truncated("the file ends within its superblock", start)
        self.version = head[8]
        if self.version in (0, 1):
            self.offsets, self.lengths = head[13], head[14]
            at = 24 if self.version == 0 else 28
        elif self.version in (2, 3):
            self.offsets, self.lengths = head[9], head[10]
            at = 12
        else:
            raise Malformed(f"its superblock says version {self.version}, which does not exist", start + 8)
        if self.offsets not in (2, 4, 8) or self.lengths not in (2, 4, 8):
            raise Malformed("its superblock says addresses are of a length that does not exist", start + 9)
        self.undefined = (1 << (8 * self.offsets)) - 1
        width = self.offsets
        base = int.from_bytes(head[at : at + width], "little")
        # With a block before it, versions 0 and 1 may say 0 and mean the superblock's place (II.A).
        self.base = base if base == start else start
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
        return self.end != self.undefined and self.end > self.source.size

    # ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, address: int, length: int) -> bytes:
        self.tick(1)
        if address < 0 or address >= self.undefined:
            raise Malformed("it leads to an address that does not exist")
        data = self.source.read(self.base + address, length)
        if len(data) < length:
            if self.is_cut:
                raise Truncated("the file ends before what it leads to", self.base + address)
            raise Malformed("it leads beyond the end of the file", self.base + address)
        return data

    def part(self, address: int, length: int) -> bytes:
        """Bytes at an address, or those of them that are there before the file ends."""
        if 0 <= address < self.undefined and self.base + address < self.source.size:
            length = min(length, self.source.size - self.base - address)
        return self.read(address, length)

    def address(self, data: bytes, at: int) -> int:
        return self.integer(data, at, self.offsets)

    def length(self, data: bytes, at: int) -> int:
        return self.integer(data, at, self.lengths)

    def integer(self, data: bytes, at: int, width: int) -> int:
        piece = data[at : at + width]
        if len(piece) < width:
            raise Malformed("a message ends within a number")
        return int.from_bytes(piece, "little")

    # ── The global heap (III.E) ────────────────────────────────────────────────────────────────────────────────

    def heap_object(self, address: int, index: int) -> bytes | None:
        """An object of a global heap, or None if it is not there or above 16 MiB."""
        objects = self._global.get(address)
        if objects is None:
            if len(self._global) > 1_000:
                self._global.clear()
            objects = self._global[address] = dict(self._heap_objects(address))
        place = objects.get(index)
        if place is None or place[1] > LONGEST_VALUE:
            return None
        return self.read(*place)

    def _heap_objects(self, address: int) -> Iterator[tuple[int, tuple[int, int]]]:
        head = self.read(address, 8 + self.lengths)
        if head[:4] != b"GCOL":
            raise Malformed("a global heap is none", self.base + address)
        end = address + self.length(head, 8)
        at = address + 8 + self.lengths
        width = 8 + self.lengths
        while at + width <= end:
            piece = self.read(at, width)
            index = int.from_bytes(piece[:2], "little")
            size = self.length(piece, 8)
            if index == 0 or size > end - at:
                return
            yield index, (at + width, size)
            at += width + (size + 7) // 8 * 8
