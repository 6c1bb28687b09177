"""Recomputing the subject index from nothing but its entries and the leaves' hashes, one shard of keys at a time.

A shard is looked at in a snapshot of its own, which may be later than the checkpoint under verification: what
came after the checkpoint is compared with what the snapshot stores, and left out of what the checkpoint signed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from alcaide.kernel.db import Database, driver_rows
from alcaide.kernel.ledger import subject_index
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

    __slots__ = ("_secret", "value")

    def __init__(self, secret: bytes) -> None:
        self._secret = (
            secret  # of 32 bytes: with a fixed length before and after it, a plain prefix keys SHA-256
        )
        self.value = 0

    def add(self, hashed: bytes, index: int) -> None:
        self.value += int.from_bytes(sha256(self._secret + hashed + index.to_bytes(8, "big")).digest(), "big")


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
        stored = driver_rows(conn, "SELECT hashes FROM ledger__tile WHERE level = 0 AND idx = ?", (number,))
        tile = bytes(stored[0][0]) if stored else self._newest(conn, number * TILE_WIDTH)
        self._tiles[number] = tile
        if len(self._tiles) > _CACHED_TILES:
            self._tiles.popitem(last=False)
        return tile

    def _newest(self, conn: Connection, start: int) -> bytes:
        """The hashes of the newest leaves, which no full tile holds yet."""
        rows = driver_rows(
            conn,
            "SELECT idx, leaf_hash FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
            (start, start + TILE_WIDTH),
        )
        found = b""
        for index, hashed in rows:
            if index != start + len(found) // 32:
                break
            found += bytes(hashed)
        return found


def verify_shard(database: Database, hashes: LeafHashes, secret: bytes, shard: int, size: int) -> IndexShard:
    """Recompute the entries of one shard's keys, for a checkpoint of `size` leaves.

    Every entry is compared, not the newest of a key alone: each may be the newest of some older checkpoint.
    """
    low, high = _range(shard)
    buckets: dict[int, list[Entry]] = {}
    total = KeyedSum(secret)
    keys = seen = 0
    current, count, acc = b"", 0, subject_index.ZERO

    def close_key() -> None:
        nonlocal keys
        if signed:
            buckets.setdefault(subject_index.bucket_of(current), []).append(
                Entry(current, signed, signed_acc)
            )
            keys += 1

    signed, signed_acc = 0, subject_index.ZERO  # what of the current key the checkpoint covers
    extend = subject_index.extend
    with database.read() as conn:
        for hashed, index, stored_count, stored_acc in _entries(conn, low, high):
            if hashed != current:
                close_key()
                current, count, acc, signed = hashed, 0, subject_index.ZERO, 0
            count += 1
            acc = extend(acc, index, hashes.get(conn, index))
            if stored_acc != acc or stored_count != count:
                reason = f"leaf {index} is not filed under its subject as the index has it"
                return IndexShard({}, 0, keys, seen, index, reason)
            if index < size:
                signed, signed_acc = count, acc
                total.add(hashed, index)
                seen += 1
        close_key()
    hashed_buckets = {bucket: subject_index.bucket_hash(entries) for bucket, entries in buckets.items()}
    return IndexShard(hashed_buckets, total.value, keys, seen)


def _range(shard: int) -> tuple[bytes, bytes]:
    step = 256 // SHARDS
    end = (shard + 1) * step
    return bytes([shard * step]), bytes([end]) if end < 256 else b"\xff" * 33


def _entries(conn: Connection, low: bytes, high: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """(key hash, leaf index, count, acc) in primary-key order, a page at a time: bounded on both databases."""
    page = (
        "SELECT key_hash, idx, count, acc FROM ledger__entry WHERE (key_hash, idx) > (?, ?) AND key_hash < ? "
        "ORDER BY key_hash, idx LIMIT ?"
    )
    after: tuple[bytes, int] = (low, -1)
    while rows := driver_rows(conn, page, (*after, high, _PAGE)):
        for hashed, index, count, acc in rows:
            yield bytes(hashed), index, count, bytes(acc)
        after = (bytes(rows[-1][0]), rows[-1][1])
