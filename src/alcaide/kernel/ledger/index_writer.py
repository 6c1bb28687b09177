"""The subject index as the writer extends it: entries for new leaves, and what they change up to the root.

Holds what it has read and written, and believes nothing it has not checked: an entry that somebody altered
in the database would otherwise be vouched for by the next checkpoint. Whoever owns it says `forget` when
the head is not the one it left.

1. upper nodes: stored rows and later steps must lead to the root that the checkpoint signs
2. a lowest node: computed from its buckets' entries, must have the hash its upper node names
3. a bucket's entries: must have the hash their lowest node names
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from alcaide.kernel.errors import Corrupt
from alcaide.kernel.ledger import subject_index
from alcaide.kernel.ledger.store import HeadRow, Store
from alcaide.kernel.ledger.subject_index import FANOUT_BITS, ZERO, Entry, UpperNodes

_CACHED_BUCKETS = 65_536  # some 60 MB at a million subjects; lowest nodes number 4,096 at most, 8 MB
_NODES_AT_ONCE = 64  # lowest nodes computed from one query's entries: some 16,000 at a million subjects


@dataclass(frozen=True, slots=True)
class Filed:
    """A new leaf and the keys it is filed under."""

    index: int
    leaf_hash: bytes
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """What new leaves add to the index."""

    root: bytes
    entries: list[tuple[bytes, int, int, bytes]]
    subjects: list[tuple[bytes, str]]
    step: dict[int, bytes]


class IndexWriter:
    """The newest state of the index, as much of it as was needed so far."""

    def __init__(self) -> None:
        self._upper: UpperNodes | None = None
        self._lowest: dict[int, bytearray] = {}
        self._buckets: dict[int, dict[bytes, Entry]] = {}

    def forget(self) -> None:
        self._upper = None
        self._lowest.clear()
        self._buckets.clear()

    def rows(self) -> list[tuple[int, bytes]]:
        """The upper nodes as they are stored."""
        return self._upper.rows() if self._upper else []

    def extend(
        self, leaves: Sequence[Filed], head: HeadRow, size: int, root: bytes, store: Callable[[], Store]
    ) -> Extension:
        """Add leaves after `size` others, over which the index has `root`; `store` is asked only if need be."""
        if self._upper is None:
            self._upper = _upper_nodes(store(), head.nodes_size, size, root)
        if len(self._buckets) > _CACHED_BUCKETS:
            self._buckets.clear()
        filed = [(leaf, key, subject_index.key_hash(key)) for leaf in leaves for key in leaf.keys]
        touched = {subject_index.bucket_of(hashed) for _, _, hashed in filed}
        self._load(touched, store)
        entries: list[tuple[bytes, int, int, bytes]] = []
        subjects: list[tuple[bytes, str]] = []
        for leaf, key, hashed in filed:
            bucket = self._buckets[subject_index.bucket_of(hashed)]
            before = bucket.get(hashed)
            if before is None and key.startswith("name:"):
                subjects.append((hashed, key))
            count, acc = (before.count + 1, before.acc) if before else (1, ZERO)
            acc = subject_index.extend(acc, leaf.index, leaf.leaf_hash)
            bucket[hashed] = Entry(hashed, count, acc)
            entries.append((hashed, leaf.index, count, acc))
        step = self._lift(touched)
        self._upper = self._upper.after(step)
        return Extension(self._upper.index_root, entries, subjects, step)

    def _lift(self, buckets: Iterable[int]) -> dict[int, bytes]:
        """Carry changed buckets into their lowest nodes; returns the hashes these have now."""
        changed = set()
        for number in buckets:
            position, slot = number >> FANOUT_BITS, number & 63
            value = subject_index.bucket_hash(self._buckets[number].values())
            self._lowest[position][slot * 32 : slot * 32 + 32] = value
            changed.add(position)
        return {position: subject_index.node_hash(self._lowest[position]) for position in changed}

    def _load(self, buckets: Iterable[int], store: Callable[[], Store]) -> None:
        """Have some buckets and the lowest nodes above them at hand. What is empty is not asked for."""
        missing = [number for number in buckets if number not in self._buckets]
        if not missing:
            return
        absent = {n >> FANOUT_BITS for n in missing if n >> FANOUT_BITS not in self._lowest}
        self._load_lowest(absent, store)
        stored = []
        for number in missing:
            if number in self._buckets:
                continue
            if self._bucket_hash(number) == ZERO:
                self._buckets[number] = {}
            else:
                stored.append(number)
        if not stored:
            return
        found = _by_bucket(store().newest_entries([subject_index.bucket_range(n) for n in stored]))
        for number in stored:
            entries = found.get(number, {})
            if subject_index.bucket_hash(entries.values()) != self._bucket_hash(number):
                raise Corrupt(f"index bucket {number} was altered; run `alcaide evidence verify`")
            self._buckets[number] = entries

    def _load_lowest(self, positions: Iterable[int], store: Callable[[], Store]) -> None:
        upper = self._upper
        if upper is None:
            raise RuntimeError("upper nodes are read first")
        wanted = sorted(positions)
        for start in range(0, len(wanted), _NODES_AT_ONCE):
            part = wanted[start : start + _NODES_AT_ONCE]
            stored = [position for position in part if upper.lowest_hash(position) != ZERO]
            found: dict[int, list[Entry]] = {}
            if stored:
                for entry in store().newest_entries([subject_index.lowest_node_range(p) for p in stored]):
                    position = subject_index.bucket_of(entry.key_hash) >> FANOUT_BITS
                    found.setdefault(position, []).append(entry)
            for position in part:
                node = subject_index.lowest_node(found.get(position, ()))
                if subject_index.node_hash(node) != upper.lowest_hash(position):
                    raise Corrupt(f"index node {position} was altered; run `alcaide evidence verify`")
                self._lowest[position] = bytearray(node)

    def _bucket_hash(self, number: int) -> bytes:
        slot = number & 63
        return bytes(self._lowest[number >> FANOUT_BITS][slot * 32 : slot * 32 + 32])


def _upper_nodes(store: Store, nodes_size: int, size: int, root: bytes) -> UpperNodes:
    try:
        upper = UpperNodes.of_rows(store.nodes())
        for packed in store.steps(nodes_size, size):
            upper = upper.after(subject_index.unpack_step(packed))
    except ValueError as problem:
        raise Corrupt(f"the index cannot be read: {problem}; run `alcaide evidence verify`") from None
    if upper.index_root != root:
        raise Corrupt("the index's upper nodes were altered; run `alcaide evidence verify`")
    return upper


def _by_bucket(entries: Iterable[Entry]) -> dict[int, dict[bytes, Entry]]:
    found: dict[int, dict[bytes, Entry]] = {}
    for entry in entries:
        found.setdefault(subject_index.bucket_of(entry.key_hash), {})[entry.key_hash] = entry
    return found
