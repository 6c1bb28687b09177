"""FlatBuffers, read where they lie: every offset is checked before it is followed.

TensorFlow Lite, ONNX Runtime's own format, ExecuTorch and MNN keep models in FlatBuffers, whose libraries follow
offsets into the file without checking them unless a verifier was run first. Here an offset that leads out of the
buffer ends the look as malformed, and a table is read field by field, so that gigabytes of weights are not touched.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from alcaide.instruments.scan.limits import Malformed, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alcaide.instruments.scan.source import Source

_PAGE = 1 << 16
_PAGES = 64
"""Pages kept: 4 MiB, whatever the size of the file."""


class Buffer:
    """A FlatBuffer: bytes by position, a few pages of them kept."""

    __slots__ = ("_pages", "_source", "_tick", "size")

    def __init__(self, source: Source, tick: Callable[[int], None]) -> None:
        self._source = source
        self._tick = tick
        self._pages: dict[int, bytes] = {}
        self.size = source.size

    def root(self, at: int = 0) -> Table:
        """The table that the buffer is about."""
        return Table(self, at + self.number(at, "<I"))

    def identifier(self) -> bytes:
        """The four letters that say what is in it."""
        return self.read(4, 4)

    def read(self, at: int, length: int) -> bytes:
        """Bytes at a position.

        Raises:
            Malformed: they are not in the buffer.
        """
        self._tick(1)
        if at < 0 or length < 0:
            raise Malformed("an offset leads out of the file", max(at, 0))
        if at + length > self.size:
            # A file that was cut short and an offset that lies look the same; the end of the file tells them apart.
            if at >= self.size:
                raise Malformed("an offset leads beyond the end of the file", at)
            raise Truncated("the file ends within a value", at)
        page, within = divmod(at, _PAGE)
        if within + length <= _PAGE:
            data = self._pages.get(page)
            if data is None:
                if len(self._pages) >= _PAGES:
                    self._pages.clear()
                data = self._pages[page] = self._source.read(page * _PAGE, _PAGE)
            return data[within : within + length]
        return self._source.read(at, length)

    def number(self, at: int, form: str) -> int:
        """A number in `struct` notation."""
        size = struct.calcsize(form)
        data = self.read(at, size)
        if len(data) < size:
            raise Truncated("the file ends within a value", at)
        value: int = struct.unpack(form, data)[0]
        return value

    def text(self, at: int, most: int = 4096) -> str:
        """The string at a position, cut to `most` bytes."""
        length = self.number(at, "<I")
        if length > self.size - at - 4:
            raise Malformed(f"a string says it is {length:,} bytes long, and the file ends before that", at)
        return self.read(at + 4, min(length, most)).decode("utf-8", "replace")


class Table:
    """A table: fields by their slot in the schema. A field that is not there is its default."""

    __slots__ = ("_size", "_vtable", "at", "buffer")

    def __init__(self, buffer: Buffer, at: int) -> None:
        self.buffer = buffer
        self.at = at
        vtable = at - buffer.number(at, "<i")
        self._vtable = vtable
        self._size = buffer.number(vtable, "<H")
        if self._size < 4 or self._size & 1:
            raise Malformed("a table's list of fields has an impossible length", at)

    def field(self, slot: int) -> int | None:
        """Where a field's value is, or None."""
        place = 4 + 2 * slot
        if place + 2 > self._size:
            return None
        offset = self.buffer.number(self._vtable + place, "<H")
        return self.at + offset if offset else None

    def number(self, slot: int, form: str = "<i", default: int = 0) -> int:
        """A number."""
        at = self.field(slot)
        return default if at is None else self.buffer.number(at, form)

    def _follow(self, slot: int) -> int | None:
        at = self.field(slot)
        return None if at is None else at + self.buffer.number(at, "<I")

    def text(self, slot: int, most: int = 4096) -> str:
        """A string, or ""."""
        at = self._follow(slot)
        return "" if at is None else self.buffer.text(at, most)

    def table(self, slot: int) -> Table | None:
        """A table, or None."""
        at = self._follow(slot)
        return None if at is None else Table(self.buffer, at)

    def vector(self, slot: int, width: int = 4) -> tuple[int, int] | None:
        """(where its first element is, how many there are), or None.

        Raises:
            Malformed: it would reach beyond the end of the file.
        """
        at = self._follow(slot)
        if at is None:
            return None
        count = self.buffer.number(at, "<I")
        if count * width > self.buffer.size - at - 4:
            raise Malformed(f"a list says it has {count:,} elements, and the file ends before that", at)
        return at + 4, count

    def tables(self, slot: int) -> Iterator[Table]:
        """The tables of a list."""
        found = self.vector(slot)
        if found is not None:
            start, count = found
            for place in range(start, start + 4 * count, 4):
                yield Table(self.buffer, place + self.buffer.number(place, "<I"))

    def texts(self, slot: int) -> Iterator[str]:
        """The strings of a list."""
        found = self.vector(slot)
        if found is not None:
            start, count = found
            for place in range(start, start + 4 * count, 4):
                yield self.buffer.text(place + self.buffer.number(place, "<I"))

    def bytes(self, slot: int, most: int = 1 << 16) -> bytes:
        """A list of bytes, or its first `most`."""
        found = self.vector(slot, 1)
        return b"" if found is None else self.buffer.read(found[0], min(found[1], most))
