"""Tables of data and small databases: recognised, and checked for what a reader of them would run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.media.ends import after
from alcaide.instruments.scan.formats.media.rules import EXTENSION, PICKLED, RULES
from alcaide.instruments.scan.limits import Encrypted, Malformed, OverBudget, Truncated
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_FOOTER = 64 << 20
_PICKLE_TYPES = regex(rb"arrow\.py_extension_type|ARROW:extension:name[\s\S]{0,16}pickle")


def _examine_parquet(source: Source, context: Context) -> None:
    """Length and mark at the end; the metadata for extension types that are pickles (CVE-2023-47248)."""
    tail = source.read(max(0, source.size - 8), 8)
    if tail[4:] == b"PARE":
        raise Encrypted("its footer is encrypted")
    if len(tail) < 8 or tail[4:] != b"PAR1":
        raise Truncated("its footer is missing")
    length = int.from_bytes(tail[:4], "little")
    if length + 12 > source.size:
        raise Malformed(f"its footer says it has {length:,} bytes, more than there are", source.size - 8)
    _python_types(_footer(source, source.size - 8 - length, length), context)


def _footer(source: Source, start: int, length: int) -> bytes:
    """A footer, whole: what is not looked at could hold what is looked for."""
    if length > _FOOTER:
        raise OverBudget(f"its footer has {length:,} bytes; real ones are far smaller", start)
    return source.read(start, length)


def _examine_arrow(source: Source, context: Context) -> None:
    """The schema stands at the start, and once more at the end of a file."""
    _python_types(source.read(0, 1 << 20), context)
    if source.read(0, 6) == b"ARROW1":
        tail = source.read(max(0, source.size - 10), 10)
        if tail[4:] != b"ARROW1":
            raise Truncated("its footer is missing")
        length = int.from_bytes(tail[:4], "little")
        if length + 10 > source.size:
            raise Malformed(f"its footer says it has {length:,} bytes, more than there are", source.size - 10)
        _python_types(_footer(source, source.size - 10 - length, length), context)


def _python_types(metadata: bytes, context: Context) -> None:
    if _PICKLE_TYPES.search(metadata):
        context.find(
            PICKLED,
            "reading it with an old `pyarrow` unpickles an extension type from its schema",
            level=Level.CRITICAL,
        )


def _is_arrow(glance: Glance) -> bool:
    head = glance.head
    if head[:8] == b"ARROW1\0\0" or head[:4] == b"FEA1":
        return True
    # A stream begins with a marker and the length of a schema message, a flatbuffer whose root lies near its start.
    return (
        head[:4] == b"\xff\xff\xff\xff"
        and 16 <= int.from_bytes(head[4:8], "little") <= 1 << 24
        and 4 <= int.from_bytes(head[8:12], "little") <= 256
    )


def _examine_sqlite(source: Source, context: Context) -> None:
    """Size, and statements of the schema that reach out."""
    head = source.read(0, 100)
    if len(head) < 100:
        raise Truncated("it ends in its header")
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    if page < 512 or page & (page - 1):
        raise Malformed("its page size is none that there is", 16)
    pages = int.from_bytes(head[28:32], "big")
    # The count holds only if the two change counters agree (file format, 1.3.7).
    if pages and head[24:28] == head[92:96]:
        if pages * page > source.size:
            raise Truncated("it ends before its last page")
        after(context, source, pages * page, "the database", tolerant=True)
    schema = source.read(0, 4 << 20)
    if re.search(
        rb"load_extension\s*\(|fts3_tokenizer\s*\(|\bwritefile\s*\(|\bedit\s*\(", schema, re.IGNORECASE
    ):
        context.find(EXTENSION, "its statements load code or write files")
    elif re.search(rb"CREATE\s+(?:TEMP\w*\s+)?TRIGGER", schema, re.IGNORECASE):
        context.find(EXTENSION, "its schema has triggers", level=Level.LOW)


def _examine_avro(source: Source, context: Context) -> None:
    if b"avro.schema" not in source.read(0, 1 << 16):
        raise Malformed("its schema is missing")
    context.fact(kind="Avro")


def _examine_orc(source: Source, _context: Context) -> None:
    if b"ORC" not in source.read(max(0, source.size - 300), 300):
        raise Truncated("its footer is missing")


def _nothing(_source: Source, _context: Context) -> None:
    """Recognised; it holds data alone."""


FORMATS = (
    Format("parquet", "Parquet table", Starts(b"PAR1", b"PARE"), _examine_parquet, RULES),
    Format("arrow", "Arrow table", _is_arrow, _examine_arrow, RULES),
    Format("sqlite", "SQLite database", Starts(b"SQLite format 3\0"), _examine_sqlite, RULES),
    Format("avro", "Avro table", Starts(b"Obj\x01"), _examine_avro, RULES),
    Format("orc", "ORC table", Starts(b"ORC\n", b"ORC\x0a", b"ORC\x08"), _examine_orc, RULES),
    Format("duckdb", "DuckDB database", lambda glance: glance.head[8:12] == b"DUCK", _nothing),
    Format("faiss", "Faiss index", lambda glance: glance.head[:3] in (b"IxF", b"IwF", b"IxP", b"IHN", b"IwP", b"IxM")
           and len(glance.head) > 33 and glance.head[7] == 0, _nothing),
    Format("pcap", "network capture", Starts(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a"), _nothing),
    Format("git-pack", "Git objects", Starts(b"PACK\0\0\0\2", b"\xfftOc\0\0\0\2", b"DIRC\0\0\0"), _nothing),
    Format("mo", "message catalogue", Starts(b"\xde\x12\x04\x95\0\0\0\0", b"\x95\x04\x12\xde\0\0\0\0"), _nothing),
)  # fmt: skip
