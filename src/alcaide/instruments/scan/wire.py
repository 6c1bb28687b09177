"""Protocol-buffer messages, read field by field from where they lie, without knowing their schema.

ONNX, TensorFlow, Core ML, Caffe and PaddlePaddle keep models in protocol buffers. Their own libraries read a whole
model into memory, and trust its lengths. Here a field that nobody asks for is stepped over by its length, so that
gigabytes of weights cost a few bytes of reading; a length that lies ends the look with a finding.

Left out: what a field means (each format's reader knows) and groups' contents (deprecated since 2008; stepped over).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.limits import Malformed, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

VARINT = 0
FIXED64 = 1
BYTES = 2
GROUP = 3
GROUP_END = 4
FIXED32 = 5

_EAGER = 1 << 20
"""A message up to this long is read at once; a longer one in pieces, stepping over what is long in it."""

_PIECE = 1 << 16

_GROUPS = 20
"""Groups within groups; the reference implementation's limit on all nesting is 100."""

_MASK = (1 << 64) - 1


class Message:
    """A message: iterate for its fields; ask for the content of those that matter.

    Fields come as (number, kind, value, size). For `BYTES`, `value` is the offset of the content and `size` its
    length, both good for `bytes`, `text` and `message`; for numbers `size` is 0.
    """

    __slots__ = ("_base", "_data", "_source", "_tick", "cut", "end", "start")

    def __init__(
        self,
        source: Source,
        tick: Callable[[int], None],
        start: int = 0,
        end: int | None = None,
        *,
        cut: bool | None = None,
    ) -> None:
        """Read the stretch of `source` from `start` to `end` as a message.

        Args:
            source: the bytes.
            tick: pays for steps; see `Context.tick`.
            start: where it starts.
            end: where it ends; the source's end if None.
            cut: whether it ends where the file does, so that a field that reaches beyond was cut off rather than
                given a length that lies. True for a whole file.
        """
        self._source = source
        self._tick = tick
        self.start = start
        self.end = source.size if end is None else end
        self.cut = end is None if cut is None else cut
        self._data: bytes | None = None
        self._base = 0

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.end - self.start

    def _load(self) -> bool:
        """Have all of it in memory, unless it is long."""
        if self._has(self.start, self.size):
            return True
        if self.size > _EAGER:
            return False
        self._data = self._source.read(self.start, self.size)
        self._base = self.start
        if len(self._data) < self.size:
            self.end = self.start + len(self._data)
            self.cut = True
        return True

    def _has(self, start: int, size: int) -> bool:
        """Whether a stretch is in memory."""
        data = self._data
        return data is not None and start >= self._base and start + size <= self._base + len(data)

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """Every field in order.

        Raises:
            Malformed: it is no message, or a length lies.
            Truncated: the file ends within it.
        """
        if self._load() and self._data is not None:
            return self._parse(self._data, self.start - self._base, self.end - self._base, self._base)
        return self._pieces()

    def last(self, *wanted: int) -> dict[int, tuple[int, int]]:
        """Where the content of the named `BYTES` fields is: of each the last, which is the one that counts.

        Raises:
            Malformed: it is no message, or a length lies.
            Truncated: the file ends within it.
        """
        return {
            number: (value, size) for number, kind, value, size in self if kind == BYTES and number in wanted
        }

    def _parse(  # noqa: C901 - every field of every model passes here; calls would double its time
        self, data: bytes, at: int, end: int, base: int
    ) -> Iterator[tuple[int, int, int, int]]:
        """The fields of a message that is in memory."""
        groups: list[int] = []
        self._tick(1)
        while at < end:
            key = data[at]
            at += 1
            if key & 0x80:
                key, at = self._varint(data, at - 1, end, base)
            number, kind = key >> 3, key & 7
            if number == 0 or number > 0x1FFFFFFF:
                raise Malformed("a protocol-buffer field has a number that does not exist", base + at)
            if kind == VARINT:
                if at >= end:
                    raise self._ends(base + at)
                value = data[at]
                at += 1
                if value & 0x80:
                    value, at = self._varint(data, at - 1, end, base)
                if not groups:
                    yield number, kind, value, 0
            elif kind == BYTES:
                if at >= end:
                    raise self._ends(base + at)
                length = data[at]
                at += 1
                if length & 0x80:
                    length, at = self._varint(data, at - 1, end, base)
                if length > end - at:
                    if not groups and self.cut:
                        yield number, kind, base + at, end - at
                    raise self._ends(base + at, length)
                if not groups:
                    yield number, kind, base + at, length
                at += length
            elif kind in (FIXED32, FIXED64):
                width = 4 if kind == FIXED32 else 8
                if width > end - at:
                    raise self._ends(base + at)
                if not groups:
                    yield number, kind, int.from_bytes(data[at : at + width], "little"), 0
                at += width
            elif kind == GROUP and len(groups) < _GROUPS:
                groups.append(number)
            elif kind == GROUP_END and groups and groups[-1] == number:
                groups.pop()
            else:
                raise Malformed("a protocol-buffer field has a type that does not exist", base + at)
        if groups:
            raise self._ends(base + at)

    def _varint(self, data: bytes, at: int, end: int, base: int) -> tuple[int, int]:
        value = shift = 0
        while at < end:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & _MASK, at
            shift += 7
            if shift >= 70:
                raise Malformed("a number takes more than ten bytes", base + at)
        raise self._ends(base + at)

    def _ends(self, at: int, length: int | None = None) -> Malformed | Truncated:
        if self.cut:
            return Truncated("the file ends within a field", at)
        what = f"a field says it is {length:,} bytes long" if length is not None else "a field is begun"
        return Malformed(f"{what}, and the message it is in ends before that", at)

    def _pieces(self) -> Iterator[tuple[int, int, int, int]]:
        """The fields of a long message, read in pieces; the content of long fields is not read."""
        at = self.start
        piece = b""
        base = at
        while at < self.end:
            # A key and a number take 20 bytes at most; a group would need more, and groups are not in long messages.
            if at - base + 20 > len(piece):
                piece = self._source.read(at, min(_PIECE, self.end - at))
                base = at
                # What lies in the piece need not be read again for `bytes` and `message`.
                self._data, self._base = piece, at
                if not piece:
                    raise Truncated("the file ends within a field", at)
            near = at - base
            end = len(piece)
            key, near = self._varint(piece, near, end, base)
            number, kind = key >> 3, key & 7
            if number == 0 or number > 0x1FFFFFFF:
                raise Malformed("a protocol-buffer field has a number that does not exist", at)
            self._tick(1)
            if kind == VARINT:
                value, near = self._varint(piece, near, end, base)
                yield number, kind, value, 0
                at = base + near
            elif kind == BYTES:
                length, near = self._varint(piece, near, end, base)
                at = base + near
                if length > self.end - at:
                    if self.cut:
                        yield number, kind, at, self.end - at
                    raise self._ends(at, length)
                yield number, kind, at, length
                at += length
            elif kind in (FIXED32, FIXED64):
                width = 4 if kind == FIXED32 else 8
                if width > self.end - base - near:
                    raise self._ends(base + near)
                yield number, kind, int.from_bytes(piece[near : near + width], "little"), 0
                at = base + near + width
            else:
                raise Malformed("a protocol-buffer field has a type that does not exist", at)

    def bytes(self, start: int, size: int, most: int = 1 << 16) -> bytes:
        """The content of a field, or its first `most` bytes."""
        size = min(size, most)
        data = self._data
        if data is not None and start >= self._base and start + size <= self._base + len(data):
            return data[start - self._base : start - self._base + size]
        return self._source.read(start, size)

    def text(self, start: int, size: int, most: int = 4096) -> str:
        """The content of a field as text, cut to `most` bytes; what is no UTF-8 is replaced."""
        return self.bytes(start, size, most).decode("utf-8", "replace")

    def message(self, start: int, size: int) -> Message:
        """The content of a field as a message. What is in memory already is not read again."""
        inner = Message(
            self._source, self._tick, start, start + size, cut=self.cut and start + size >= self.end
        )
        if self._has(start, size):
            inner._data = self._data
            inner._base = self._base
        return inner


def packed(data: bytes) -> Iterator[int]:
    """The numbers of a packed repeated field; a last one that is cut off is left out."""
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            yield value & _MASK
            value = shift = 0
        else:
            shift += 7
            if shift >= 70:
                return


Outline = dict[int, int]
"""Field number → wire type, of a message's own fields."""

_OUTLINED = 400
"""Fields that are looked at to recognise a message; a message begins with what it is."""


def outline(glance: Glance) -> Outline | None:
    """Which fields the bytes have if they are a protocol-buffer message, or None; worked out once for all formats.

    No format here has a field whose number is above 3000, and none starts with a fixed-width number or a group, which
    tells nearly every other file from its first byte. A message that ends too early is one still.
    """
    known = glance.__dict__
    if "wire_outline" not in known:
        known["wire_outline"] = _outline(glance)
    found: Outline | None = known["wire_outline"]
    return found


_FIRST = frozenset(range(1, 26)) | {100} | frozenset(range(200, 3001))
"""Numbers a message of one of our formats can begin with. A pickle's first bytes would be number 32, 48, 64 or 80."""


def may_begin(first: bytes) -> bool:
    """Whether a message of one of our formats can begin with these two bytes, by the number and kind of a field."""
    if len(first) < 2 or first[0] & 7 not in (VARINT, BYTES):
        return False
    if not first[0] & 0x80:
        return first[0] >> 3 in _FIRST
    return first[1] < 0x80 and (first[0] & 0x7F | first[1] << 7) >> 3 in _FIRST


def _begins(head: bytes, size: int) -> bool:
    """Whether the first field is possible; nearly every file that is no message ends here."""
    if not may_begin(head[:2]):
        return False
    key, at = head[0], 1
    if key & 0x80:
        key, at = key & 0x7F | head[1] << 7, 2
    length = shift = 0
    for byte in head[at : at + 10]:
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return key & 7 == VARINT or 0 < length <= size - at or size - at < length <= 16 * size
    return False


def _outline(glance: Glance) -> Outline | None:
    if not _begins(glance.head, glance.size):
        return None
    fields: Outline = {}
    count = 0
    try:
        for number, kind, _, _ in Message(glance.source, _free, 0, glance.size, cut=True):
            if number > 3000 or fields.setdefault(number, kind) != kind:
                return None
            count += 1
            if count >= _OUTLINED:
                break
    except Truncated:
        return fields if count > 1 else None
    except Malformed:
        return None
    return fields


def _free(_: int) -> None:
    """Recognising is bounded by itself."""
