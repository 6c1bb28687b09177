"""Recomputing the subject index from nothing but its entries and the leaves' hashes, one shard of keys at a time.

A shard is looked at in a snapshot of its own, which may be later than the checkpoint under verification: what
came after the checkpoint is compared with what the snapshot stores, and left out of what the checkpoint signed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.db import Database
from alcaide.kernel.ledger import subject_index, tables
from alcaide.kernel.ledger.reader import TILE_WIDTH
from alcaide.kernel.ledger.subject_index import Entry

SHARDS = 64  # each is a whole number of buckets
_PAGE = 5_000
_CACHED_TILES = 8_192  # 64 MiB of leaf hashes: two million leaves


@dataclass(frozen=True, slots=True)
class IndexShard:
    """What a shard says, or the first leaf that is not filed as it should be."""

    buckets: dict[int, bytes]
    sum: int
    keys: int
    entries: int
    bad_leaf: int | None = None
    reason: str = ""


class KeyedSum:
    """A sum over (key hash, leaf index) pairs, in any order, that nobody can steer without this run's secret.

    Equal sums over what the leaves say and what the index lists mean that the two are the same pairs.
    """

    __slots__ = ("_base", "value")

    def __init__(self, secret: bytes) -> None:
        self._base = blake2b(key=secret, digest_size=16)
        self.value = 0

    def add(self, hashed: bytes, index: int) -> None:
        term = self._base.copy()
        term.update(hashed + index.to_bytes(8, "big"))
        self.value += int.from_bytes(term.digest(), "big")


class LeafHashes:
    """Leaf hashes by index out of level-0 tiles, at most `_CACHED_TILES` of them in memory.

    The tiles need not be trusted: a wrong hash leads to another root than the one that is signed.
    """

    def __init__(self) -> None:
        self._tiles: OrderedDict[int, bytes] = OrderedDict()

    def get(self, conn: Connection, index: int) -> bytes:
        """The hash of a leaf; empty if there is no such leaf."""
        number, offset = divmod(index, TILE_WIDTH)
        tile = self._tiles.get(number)
        if tile is None or len(tile) <= offset * 32:
            tile = self._load(conn, number)
        return tile[offset * 32 : offset * 32 + 32]

    def _load(self, conn: Connection, number: int) -> bytes:
        columns = tables.tile.c
        stored = conn.execute(
            sa.select(columns.hashes).where(columns.level == 0, columns.idx == number)
        ).scalar_one_or_none()
        tile = bytes(stored) if stored is not None else self._newest(conn, number * TILE_WIDTH)
        self._tiles[number] = tile
        if len(self._tiles) > _CACHED_TILES:
            self._tiles.popitem(last=False)
        return tile

    def _newest(self, conn: Connection, start: int) -> bytes:
        """The hashes of the newest leaves, which no full tile holds yet."""
        columns = tables.leaf.c
        rows = conn.execute(
            sa.select(columns.idx, columns.leaf_hash)
            .where(columns.idx >= start, columns.idx < start + TILE_WIDTH)
            .order_by(columns.idx)
        ).all()
        found = b""
        for index, hashed in rows:
            if index != start + len(found) // 32:
                break
            found += bytes(hashed)
        return found


def verify_shard(database: Database, hashes: LeafHashes, secret: bytes, shard: int, size: int) -> IndexShard:
    """Recompute the entries of one shard's keys, for a checkpoint of `size` leaves."""
    low, high = _range(shard)
    buckets: dict[int, list[Entry]] = {}
    total = KeyedSum(secret)
    keys = seen = 0
    with database.read() as conn:
        stored = _stored_entries(conn, low, high)
        for hashed, indices in _grouped(conn, low, high):
            count, signed, acc = 0, subject_index.ZERO, subject_index.ZERO
            for index in indices:
                acc = subject_index.extend(acc, index, hashes.get(conn, index))
                if index < size:
                    count, signed = count + 1, acc
                    total.add(hashed, index)
            if next(stored, None) != Entry(hashed, len(indices), acc):
                reason = f"leaf {indices[-1]} is not filed under its subject as the index has it"
                return IndexShard({}, 0, keys, seen, indices[-1], reason)
            if count:
                bucket = subject_index.bucket_of(hashed)
                buckets.setdefault(bucket, []).append(Entry(hashed, count, signed))
                keys += 1
            seen += count
        if next(stored, None) is not None:
            return IndexShard({}, 0, keys, seen, None, "the index names a subject that no leaf speaks about")
    hashed_buckets = {bucket: subject_index.bucket_hash(entries) for bucket, entries in buckets.items()}
    return IndexShard(hashed_buckets, total.value, keys, seen)


def _range(shard: int) -> tuple[bytes, bytes]:
    step = 256 // SHARDS
    end = (shard + 1) * step
    return bytes([shard * step]), bytes([end]) if end < 256 else b"\xff" * 33


def _stored_entries(conn: Connection, low: bytes, high: bytes) -> Iterator[Entry]:
    """What the index says of each key, by key hash."""
    columns = tables.subject.c
    query = sa.select(columns.key_hash, columns.count, columns.acc).order_by(columns.key_hash).limit(_PAGE)
    wanted = query.where(columns.key_hash >= low, columns.key_hash < high)
    while rows := conn.execute(wanted).all():
        for hashed, count, acc in rows:
            yield Entry(bytes(hashed), count, bytes(acc))
        wanted = query.where(columns.key_hash > bytes(rows[-1][0]), columns.key_hash < high)


def _grouped(conn: Connection, low: bytes, high: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """(key hash, its leaves in order), by key hash; one key's leaves in memory at a time."""
    current: bytes | None = None
    group: list[int] = []
    for hashed, index in _entries(conn, low, high):
        if hashed != current:
            if current is not None:
                yield current, group
            current, group = hashed, []
        group.append(index)
    if current is not None:
        yield current, group


def _entries(conn: Connection, low: bytes, high: bytes) -> Iterator[tuple[bytes, int]]:
    """(key hash, leaf index) in primary-key order, a page at a time: bounded on both databases."""
    columns = tables.entry.c
    query = sa.select(columns.key_hash, columns.idx).order_by(columns.key_hash, columns.idx).limit(_PAGE)
    query = query.where(columns.key_hash < high)
    wanted = query.where(columns.key_hash >= low)
    while rows := conn.execute(wanted).all():
        for hashed, index in rows:
            yield bytes(hashed), index
        last = (bytes(rows[-1][0]), rows[-1][1])
        wanted = query.where(sa.tuple_(columns.key_hash, columns.idx) > last)
