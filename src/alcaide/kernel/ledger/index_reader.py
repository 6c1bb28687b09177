"""Proofs out of the subject index: the few nodes that lead from a key to the root a checkpoint signs.

The database keeps entries, and the upper nodes as they were a few leaves ago; the rest is worked out here.
Nothing read is trusted: what does not lead to the signed root is reported as altered, never used.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import Connection

from alcaide.kernel.db import driver_rows
from alcaide.kernel.errors import Corrupt
from alcaide.kernel.ledger import subject_index
from alcaide.kernel.ledger.reader import SignedCheckpoint
from alcaide.kernel.ledger.store import newest_entries
from alcaide.kernel.ledger.subject_index import FANOUT_BITS, ZERO, Entry, KeyProof, UpperNodes

_CACHED_NODES = 4_096  # every lowest node there is, 2 KiB each
_NEWEST = newest_entries("?", "?")  # low, high, high


@dataclass(frozen=True, slots=True)
class _Known:
    """Upper nodes that have led to a signed root."""

    size: int
    upper: UpperNodes


class IndexReader:
    """One per process: what was shown to hold once is not read again. Threads share it."""

    def __init__(self) -> None:
        self._known = _Known(0, UpperNodes())
        self._lowest: OrderedDict[tuple[int, bytes], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, conn: Connection, checkpoint: SignedCheckpoint) -> None:
        """Raises Corrupt unless the stored nodes and steps lead to the index root of the checkpoint."""
        self._upper_nodes(conn, checkpoint)

    def proof(self, conn: Connection, checkpoint: SignedCheckpoint, key: str) -> KeyProof:
        """The bucket and the nodes that lead from a key to the index root. Raises Corrupt if they do not."""
        bucket = subject_index.bucket_of(subject_index.key_hash(key))
        position = bucket >> FANOUT_BITS
        upper = self._upper_nodes(conn, checkpoint)
        lowest = self._lowest_node(conn, position, upper.lowest_hash(position))
        entries = _newest(conn, subject_index.bucket_range(bucket))
        nodes = (lowest, upper.node(position >> FANOUT_BITS), upper.root)
        return KeyProof(subject_index.entries_sorted(entries), nodes)

    def _upper_nodes(self, conn: Connection, checkpoint: SignedCheckpoint) -> UpperNodes:
        """The upper nodes at a checkpoint, from those known or stored and the steps since."""
        known = self._known
        root = checkpoint.checkpoint.index_root or ZERO
        if known.size == checkpoint.size and known.upper.index_root == root:
            return known.upper
        try:
            if checkpoint.nodes_size <= known.size <= checkpoint.size:
                start, upper = known.size, known.upper
            else:
                rows = driver_rows(conn, "SELECT node_id, children FROM ledger__node")
                start = checkpoint.nodes_size
                upper = UpperNodes.of_rows((number, bytes(children)) for number, children in rows)
            steps = driver_rows(
                conn,
                "SELECT index_step FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
                (start, checkpoint.size),
            )
            for (packed,) in steps:
                if packed:
                    upper = upper.after(subject_index.unpack_step(bytes(packed)))
        except ValueError as problem:
            raise Corrupt(f"the index cannot be read: {problem}; run `alcaide evidence verify`") from None
        if upper.index_root != root:
            raise Corrupt(
                "the index does not lead to what the checkpoint vouches for; run `alcaide evidence verify`"
            )
        if checkpoint.size > known.size:
            self._known = _Known(checkpoint.size, upper)
        return upper

    def _lowest_node(self, conn: Connection, position: int, expected: bytes) -> bytes:
        """The bucket hashes of a lowest node, from the entries of its buckets."""
        with self._lock:
            node = self._lowest.get((position, expected))
        if node is not None:
            return node
        node = subject_index.lowest_node(
            _newest(conn, subject_index.lowest_node_range(position)) if expected != ZERO else ()
        )
        if subject_index.node_hash(node) != expected:
            raise Corrupt(f"index node {position} was altered; run `alcaide evidence verify`")
        with self._lock:
            self._lowest[position, expected] = node
            if len(self._lowest) > _CACHED_NODES:
                self._lowest.popitem(last=False)
        return node


def _newest(conn: Connection, bounds: tuple[bytes, bytes]) -> list[Entry]:
    low, high = bounds
    return [
        Entry(bytes(hashed), count, bytes(acc))
        for hashed, count, acc in driver_rows(conn, _NEWEST, (low, high, high))
    ]
