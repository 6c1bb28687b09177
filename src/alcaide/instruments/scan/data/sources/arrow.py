"""Arrow IPC: files (Feather) and streams, as data-set libraries cache them.

A reader of our own, because the query engine's needs a package of 160 MB: message headers (flatbuffers), then
buffers. Everything a header says about offsets and lengths is checked against the bytes that are there. Compressed
bodies are read where `zstandard` or `lz4` is installed. Column types that are not read are left out and said.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import Engine, quoted
from alcaide.instruments.scan.data.rules import UNSUPPORTED
from alcaide.instruments.scan.data.sources.memory import append
from alcaide.instruments.scan.data.sources.table import ROW, Remark, Table, described, distinct_names
from alcaide.instruments.scan.limits import Malformed, Truncated, Unsupported
from alcaide.instruments.scan.source import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from alcaide.instruments.scan.source import Source

MAGIC = b"ARROW1"
_HEADER_MOST = 64 << 20
_BODY_MOST = 1 << 30
_DEPTH = 8

# Type union of Schema.fbs (Apache Arrow format 1.5).
_NULL, _INT, _FLOAT, _BINARY, _UTF8, _BOOL, _DECIMAL, _DATE, _TIME, _TIMESTAMP = range(1, 11)
_LIST, _STRUCT = 12, 13
_FIXED_LIST, _LARGE_BINARY, _LARGE_UTF8, _LARGE_LIST = 16, 19, 20, 21


class _Flat:
    """One flatbuffers table, read with every offset checked."""

    __slots__ = ("_at", "_data", "_vtable", "_vtable_size")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._vtable = at - self._number("<i", at)
        self._vtable_size = self._number("<H", self._vtable)

    def _number(self, form: str, at: int) -> int:
        try:
            value: int = struct.unpack_from(form, self._data, at)[0] if at >= 0 else 1 // 0
        except (struct.error, ZeroDivisionError) as error:
            raise Malformed("a header points outside of itself") from error
        return value

    def _where(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_size:
            return None
        offset = self._number("<H", self._vtable + entry)
        return self._at + offset if offset else None

    def number(self, slot: int, form: str, default: int = 0) -> int:
        """A scalar."""
        where = self._where(slot)
        return default if where is None else self._number(form, where)

    def table(self, slot: int) -> _Flat | None:
        """A table within."""
        where = self._where(slot)
        return None if where is None else _Flat(self._data, where + self._number("<I", where))

    def _vector(self, slot: int) -> tuple[int, int]:
        where = self._where(slot)
        if where is None:
            return 0, 0
        start = where + self._number("<I", where)
        count = self._number("<I", start)
        if count > len(self._data):
            raise Malformed("a header lists more than it holds")
        return start + 4, count

    def text(self, slot: int) -> str:
        """A string."""
        start, count = self._vector(slot)
        return self._data[start : start + count].decode("utf-8", "replace")

    def tables(self, slot: int) -> list[_Flat]:
        """A list of tables."""
        start, count = self._vector(slot)
        return [
            _Flat(self._data, start + 4 * index + self._number("<I", start + 4 * index))
            for index in range(count)
        ]

    def pairs(self, slot: int) -> list[tuple[int, int]]:
        """A list of structs of two longs: field nodes, buffers."""
        start, count = self._vector(slot)
        if start + 16 * count > len(self._data):
            raise Malformed("a header lists more than it holds")
        flat = struct.unpack_from(f"<{2 * count}q", self._data, start)
        return list(zip(flat[::2], flat[1::2], strict=True))


@dataclass(slots=True)
class _Column:
    """A field of the schema."""

    name: str
    kind: int
    bits: int = 0
    signed: bool = True
    unit: int = 0
    size: int = 0
    dictionary: int | None = None
    index: _Column | None = None
    children: list[_Column] = field(default_factory=list)


def _column(flat: _Flat, depth: int = 0) -> _Column:
    if depth > _DEPTH:
        raise Malformed("its columns are nested too deep")
    kind = flat.number(2, "<B")
    about = flat.table(3)
    found = _Column(flat.text(0), kind)
    if about is not None:
        if kind == _INT:
            found.bits, found.signed = about.number(0, "<i"), bool(about.number(1, "<B"))
        elif kind == _FLOAT:
            found.bits = (16, 32, 64)[min(2, max(0, about.number(0, "<h")))]
        elif kind == _DATE:
            found.unit = about.number(0, "<h", 1)
        elif kind == _TIMESTAMP:
            found.unit = about.number(0, "<h")
        elif kind == _FIXED_LIST:
            found.size = about.number(0, "<i")
    dictionary = flat.table(4)
    if dictionary is not None:
        found.dictionary = dictionary.number(0, "<q")
        index = dictionary.table(1)
        found.index = _Column("", _INT, 32)
        if index is not None:
            found.index = _Column("", _INT, index.number(0, "<i"), bool(index.number(1, "<B")))
    found.children = [_column(child, depth + 1) for child in flat.tables(5)]
    return found


class _Batch:
    """One record batch on its way into arrays."""

    def __init__(self, flat: _Flat, body: bytes, dictionaries: Mapping[int, NDArray[Any]]) -> None:
        self.length = flat.number(0, "<q")
        self._nodes = iter(flat.pairs(1))
        self._buffers = iter(flat.pairs(2))
        self._body = body
        self._dictionaries = dictionaries
        compression = flat.table(3)
        self._codec = None if compression is None else compression.number(0, "<b")
        if not 0 <= self.length <= 8 * max(1, len(body)) + 1_000_000:
            raise Malformed(f"a batch says it has {self.length:,} rows in {len(body):,} bytes")

    def _buffer(self) -> bytes:
        try:
            offset, length = next(self._buffers)
        except StopIteration as error:
            raise Malformed("a batch has fewer buffers than its columns take") from error
        if offset < 0 or length < 0 or offset + length > len(self._body):
            raise Truncated("a buffer lies outside of its message")
        piece = self._body[offset : offset + length]
        if self._codec is None or not piece:
            return piece
        return _unpacked(piece, self._codec)

    def column(self, column: _Column, depth: int = 0) -> NDArray[Any] | None:
        """The column's values; None if its type is not read. Nulls are None in objects and NaN in floats."""
        import numpy as np

        try:
            length, nulls = next(self._nodes)
        except StopIteration as error:
            raise Malformed("a batch has fewer columns than its schema") from error
        if not 0 <= length <= 64 * max(1, len(self._body)) + 1_000_000:
            raise Malformed(f"a column says it has {length:,} values")
        if column.kind == _NULL and column.dictionary is None:
            return np.full(length, None, dtype=object)
        valid = self._valid(self._buffer(), length, nulls)
        kind = column.index if column.dictionary is not None and column.index is not None else column
        values = self._values(kind, length, depth)
        if values is None:
            return None
        if column.dictionary is not None:
            known = self._dictionaries.get(column.dictionary)
            if known is None or len(known) == 0:
                values = np.full(length, None, dtype=object)
            else:
                at = np.asarray(values, dtype=np.int64)
                if valid is not None:
                    at = np.where(valid, at, 0)
                if at.size and (int(at.min()) < 0 or int(at.max()) >= len(known)):
                    raise Malformed("a value points outside of its dictionary")
                values = known[at]
        if valid is None:
            return values
        if values.dtype.kind == "f":
            return np.where(valid, values, np.nan)
        found = values.astype(object)
        found[~valid] = None
        return found

    def _valid(self, mask: bytes, length: int, nulls: int) -> NDArray[np.bool_] | None:
        import numpy as np

        if nulls == 0 or not mask:
            return None
        bits = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")
        if len(bits) < length:
            raise Truncated("a column's list of nulls is too short")
        return bits[:length].astype(bool)

    def _numbers(self, form: str, length: int) -> NDArray[Any]:
        import numpy as np

        data = self._buffer()
        size = np.dtype(form).itemsize
        if len(data) < size * length:
            raise Truncated("a column is shorter than it says")
        return np.frombuffer(data[: size * length], form)

    def _values(self, column: _Column, length: int, depth: int) -> NDArray[Any] | None:
        import numpy as np

        kind = column.kind
        if kind == _INT and column.bits in {8, 16, 32, 64}:
            return self._numbers(f"<{'i' if column.signed else 'u'}{column.bits // 8}", length)
        if kind == _FLOAT:
            values = self._numbers(f"<f{column.bits // 8}", length)
            return values.astype(np.float32) if column.bits == 16 else values
        if kind == _BOOL:
            bits = np.unpackbits(np.frombuffer(self._buffer(), np.uint8), bitorder="little")
            if len(bits) < length:
                raise Truncated("a column is shorter than it says")
            return bits[:length].astype(bool)
        if kind == _DATE:
            return (
                self._numbers("<i8", length).astype("M8[ms]")
                if column.unit
                else self._numbers("<i4", length).astype("M8[D]").astype("M8[s]")
            )
        if kind == _TIMESTAMP:
            unit = ("s", "ms", "us", "ns")[min(3, max(0, column.unit))]
            return self._numbers("<i8", length).astype(f"M8[{unit}]")
        if kind in {_UTF8, _LARGE_UTF8, _BINARY, _LARGE_BINARY}:
            return self._texts(
                length, large=kind in {_LARGE_UTF8, _LARGE_BINARY}, text=kind in {_UTF8, _LARGE_UTF8}
            )
        if kind in {_LIST, _LARGE_LIST, _FIXED_LIST, _STRUCT} and depth < _DEPTH:
            return self._nested(column, length, depth)
        return None

    def _bounds(self, length: int, *, large: bool) -> NDArray[np.int64]:
        import numpy as np

        if length == 0:
            self._buffer()
            return np.zeros(1, np.int64)
        ends = self._numbers("<i8" if large else "<i4", length + 1).astype(np.int64)
        if int(ends[0]) < 0 or bool(np.any(ends[1:] < ends[:-1])):
            raise Malformed("the lengths in a column are negative")
        return ends

    def _texts(self, length: int, *, large: bool, text: bool) -> NDArray[Any]:
        import numpy as np

        ends = self._bounds(length, large=large)
        data = self._buffer()
        if int(ends[-1]) > len(data):
            raise Truncated("a column of texts is shorter than it says")
        found = np.empty(length, dtype=object)
        marks = ends.tolist()
        for index in range(length):
            piece = data[marks[index] : marks[index + 1]]
            found[index] = piece.decode("utf-8", "replace") if text else piece
        return found

    def _nested(self, column: _Column, length: int, depth: int) -> NDArray[Any] | None:
        import numpy as np

        found = np.empty(length, dtype=object)
        if column.kind == _STRUCT:
            parts = [self.column(child, depth + 1) for child in column.children]
            if any(part is None or len(part) < length for part in parts):
                return None
            names = [child.name for child in column.children]
            lists = [part.tolist() for part in parts if part is not None]
            for index in range(length):
                found[index] = {name: values[index] for name, values in zip(names, lists, strict=True)}
            return found
        if len(column.children) != 1:
            raise Malformed("a column of lists has no one kind of element")
        if column.kind == _FIXED_LIST:
            if not 0 <= column.size * length <= 1 << 31:
                raise Malformed("a column of lists says it has too many elements")
            ends = np.arange(length + 1, dtype=np.int64) * column.size
        else:
            ends = self._bounds(length, large=column.kind == _LARGE_LIST)
        inner = self.column(column.children[0], depth + 1)
        if inner is None:
            return None
        if int(ends[-1]) > len(inner):
            raise Truncated("a column of lists is shorter than it says")
        elements = inner.tolist()
        marks = ends.tolist()
        for index in range(length):
            found[index] = elements[marks[index] : marks[index + 1]]
        return found


def _unpacked(piece: bytes, codec: int) -> bytes:
    """One compressed buffer: its length unpacked, or -1 where it is not packed after all, then the bytes."""
    if len(piece) < 8:
        raise Truncated("a packed buffer is too short")
    (size,) = struct.unpack_from("<q", piece)
    if size == -1:
        return piece[8:]
    if not 0 <= size <= _BODY_MOST or size > 300 * len(piece) + (64 << 20):
        raise Malformed(f"a packed buffer of {len(piece):,} bytes says it unpacks to {size:,}")
    try:
        if codec == 1:
            import zstandard

            data: bytes = zstandard.ZstdDecompressor().decompress(piece[8:], max_output_size=size)
        else:
            import lz4.frame  # type: ignore[import-untyped, unused-ignore]

            data = lz4.frame.LZ4FrameDecompressor().decompress(piece[8:], max_length=size)
    except ImportError as error:
        name = "zstandard" if codec == 1 else "lz4"
        raise Unsupported(f"its buffers are packed; reading them takes the package `{name}`") from error
    except (RuntimeError, ValueError, OSError) as error:
        raise Malformed("a packed buffer does not unpack") from error
    except Exception as error:
        if type(error).__module__.startswith("zstandard"):
            raise Malformed("a packed buffer does not unpack") from error
        raise
    if len(data) != size:
        raise Truncated("a packed buffer unpacks to less than it says")
    return data


def _messages(source: Source) -> Iterator[tuple[_Flat, bytes]]:
    """Header and body of each message, to the end of the stream."""
    at = 8 if source.read(0, 6) == MAGIC else 0
    while True:
        head = source.read(at, 8)
        if len(head) < 4:
            return
        size, at = struct.unpack_from("<i", head)[0], at + 4
        if size == -1:
            if len(head) < 8:
                raise Truncated("it ends within a message")
            size, at = struct.unpack_from("<i", head, 4)[0], at + 4
        if size == 0:
            return
        if not 0 < size <= _HEADER_MOST:
            raise Malformed(f"a message header says it is {size:,} bytes long", at)
        header = source.read(at, size)
        if len(header) < size:
            raise Truncated("it ends within a message header", at)
        at += size
        flat = _Flat(header, struct.unpack_from("<I", header)[0])
        length = flat.number(3, "<q")
        if not 0 <= length <= _BODY_MOST:
            raise Malformed(f"a message says its body is {length:,} bytes long", at)
        body = source.read(at, length)
        if len(body) < length:
            raise Truncated("it ends within a message", at)
        at += length
        yield flat, body


def read_arrow(engine: Engine, paths: Sequence[Path]) -> Table:
    """The files as one table. All of them must have the columns of the first."""
    table = Table(engine, "arrow", "data", [], 0, paths=paths)
    left_out: dict[str, None] = {}
    first = True
    for path in paths:
        with File(path) as source:
            for arrays in _batches(source, engine, left_out):
                append(engine, arrays, first=first)
                first = False
    if first:
        raise Malformed("there is no record batch in it")
    if left_out:
        table.columns_left_out = len(left_out)
        table.remarks.append(
            Remark(
                UNSUPPORTED,
                "columns of types that are not read were left out: "
                + ", ".join(f"`{name}`" for name in list(left_out)[:10]),
                {"columns": list(left_out)[:50]},
            )
        )
    (table.rows,) = engine.row("SELECT count(*) FROM raw")
    engine.run(f"CREATE VIEW data AS SELECT rowid AS {quoted(ROW)}, * FROM raw")
    table.columns = described(engine, "data")
    return table


def _batches(source: Source, engine: Engine, left_out: dict[str, None]) -> Iterator[dict[str, NDArray[Any]]]:
    columns: list[_Column] = []
    names: list[str] = []
    dictionaries: dict[int, NDArray[Any]] = {}
    for flat, body in _messages(source):
        engine.check_time()
        kind, header = flat.number(1, "<B"), flat.table(2)
        if header is None:
            raise Malformed("a message has no header")
        if kind == 1:
            if header.number(0, "<h"):
                raise Unsupported("it is written for big-endian machines")
            columns = [_column(one) for one in header.tables(1)]
            names = distinct_names([column.name for column in columns])
        elif kind == 2:
            _take_dictionary(header, body, columns, dictionaries)
        elif kind == 3:
            batch = _Batch(header, body, dictionaries)
            arrays: dict[str, NDArray[Any]] = {}
            for name, column in zip(names, columns, strict=True):
                values = batch.column(column)
                if values is None:
                    # What follows in the batch cannot be told apart from what was not understood.
                    left_out.update(dict.fromkeys(names[names.index(name) :]))
                    break
                arrays[name] = _flattened(values)
            if arrays:
                yield arrays


def _take_dictionary(
    header: _Flat, body: bytes, columns: list[_Column], dictionaries: dict[int, NDArray[Any]]
) -> None:
    import numpy as np

    number, inner = header.number(0, "<q"), header.table(1)
    owner = next((column for column in columns if column.dictionary == number), None)
    if owner is None or inner is None:
        return
    plain = _Column(
        owner.name, owner.kind, owner.bits, owner.signed, owner.unit, owner.size, None, None, owner.children
    )
    values = _Batch(inner, body, dictionaries).column(plain)
    if values is not None:
        delta = bool(header.number(2, "<B")) and number in dictionaries
        dictionaries[number] = np.concatenate([dictionaries[number], values]) if delta else values


def _flattened(values: NDArray[Any]) -> NDArray[Any]:
    """An array that the engine takes: what is nested as JSON text, unless it is lists of numbers."""
    import json

    import numpy as np

    if values.dtype != object:
        return values
    some = next((value for value in values.tolist() if value is not None), None)
    if isinstance(some, list) and some and all(isinstance(one, float) for one in some):
        return values
    if isinstance(some, list | dict):
        found = np.empty(len(values), dtype=object)
        for index, value in enumerate(values.tolist()):
            found[index] = None if value is None else json.dumps(value, ensure_ascii=False, default=_as_text)
        return found
    return values


def _as_text(value: object) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
