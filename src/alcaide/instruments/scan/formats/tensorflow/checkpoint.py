"""TensorFlow's checkpoints and records: weights and examples, and nothing that acts.

A checkpoint is an index (a sorted table, as LevelDB writes them) and shards of raw values. The index is read to its
entries, so that a shard or an offset that lies shows; shards are values without a mark of their own and known by their
name alone. Records are known by the checksum of their first length.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, Truncated, Unsupported
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Memory
from alcaide.instruments.scan.wire import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
"""The last bytes of a sorted table (LevelDB, `table/format.h`)."""
_FOOTER = 48
_BLOCK = 16 << 20
_ENTRIES = 2_000_000
_SHARD = regex(r"\.data-(\d{5})-of-(\d{5})\Z")


def _sniff_index(glance: Glance) -> bool:
    return glance.size >= _FOOTER and glance.head[0] == 0 and glance.source.read(glance.size - 8, 8) == _MAGIC


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Malformed("a number in the table does not end", at)


def _block(source: Source, start: int, size: int) -> bytes:
    """A block of the table; one byte after it says whether it is compressed."""
    if start + size + 5 > source.size:
        raise Malformed("a block lies beyond the end of the file", start)
    if size > _BLOCK:
        raise Malformed(f"a block says it has {size:,} bytes", start)
    data = source.read(start, size + 1)
    if data[-1] != 0:
        raise Unsupported("its blocks are compressed", start + size)
    return data[:-1]


def _pairs(block: bytes, context: Context) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block: a key gives only what is new after the one before it."""
    if len(block) < 4:
        raise Malformed("a block is too short")
    restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise Malformed("a block says it has more restarts than fit")
    at = 0
    key = b""
    while at < end:
        context.tick()
        shared, at = _number(block, at)
        unshared, at = _number(block, at)
        length, at = _number(block, at)
        if shared > len(key) or at + unshared + length > end:
            raise Malformed("an entry reaches beyond its block", at)
        key = key[:shared] + block[at : at + unshared]
        yield key, block[at + unshared : at + unshared + length]
        at += unshared + length


def examine_index(source: Source, context: Context) -> None:
    """Read every entry: which tensor lies where in which shard."""
    footer = source.read(source.size - _FOOTER, _FOOTER)
    _, at = _number(footer, 0)
    _, at = _number(footer, at)
    start, at = _number(footer, at)
    size, at = _number(footer, at)
    shards, tensors = 1, 0
    names: list[str] = []
    for _, handle in _pairs(_block(source, start, size), context):
        block_start, place = _number(handle, 0)
        block_size, _ = _number(handle, place)
        for key, value in _pairs(_block(source, block_start, block_size), context):
            fields = {
                number: content
                for number, kind, content, _ in Message(Memory(value), context.tick, cut=False)
                if kind != 2
            }
            if key == b"":
                shards = fields.get(1, 0)
                continue
            tensors += 1
            if tensors > _ENTRIES:
                raise Malformed(f"it says it has more than {_ENTRIES:,} tensors")
            if fields.get(3, 0) >= max(1, shards):
                raise Malformed(
                    f"tensor `{key.decode('utf-8', 'replace')}` lies in a shard that there is not"
                )
            if len(names) < 60:
                names.append(key.decode("utf-8", "replace")[:200])
    context.fact(tensors=tensors, shards=shards, names=names)


def _sniff_shard(glance: Glance) -> bool:
    return _SHARD.search(glance.name) is not None


def examine_shard(source: Source, context: Context) -> None:
    """Say that these are values. They have no structure to be wrong."""
    context.fact(bytes=source.size)


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli, RFC 3720), reflected."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _masked(data: bytes) -> int:
    """A checksum as records have it: rotated and moved (TensorFlow, `lib/hash/crc32c.h`)."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _sniff_records(glance: Glance) -> bool:
    head = glance.head
    if len(head) < 16 or head[5:8] != b"\0\0\0":
        return False
    length, checksum = struct.unpack("<QI", head[:12])
    return bool(length + 16 <= glance.size and checksum == _masked(head[:8]))


def examine_records(source: Source, context: Context) -> None:
    """Step from record to record; every length has a checksum. What is in a record is data."""
    at = records = 0
    while at < source.size:
        context.tick()
        head = source.read(at, 12)
        if len(head) < 12:
            raise Truncated("the file ends within a record", at)
        length, checksum = struct.unpack("<QI", head)
        if checksum != _masked(head[:8]):
            raise Malformed("a record's length does not have its checksum", at)
        if at + 16 + length > source.size:
            raise Truncated("the file ends within a record", at)
        at += 16 + length
        records += 1
    context.fact(records=records)


FORMATS = (
    Format("tensorflow-checkpoint", "TensorFlow checkpoint index", _sniff_index, examine_index),
    Format("tensorflow-checkpoint-values", "TensorFlow checkpoint values", _sniff_shard, examine_shard),
    Format("tensorflow-records", "TensorFlow records", _sniff_records, examine_records),
)
