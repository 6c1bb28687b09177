"""The authenticated subject index: which leaves speak about a subject, provably all of them. Pure.

A Merkle log proves that a leaf is there; it cannot prove that none was held back. So every checkpoint
also commits to an index. For each key (`name:…` or `sha256:…`) the index holds how many leaves speak
about it and a running hash over them, in log order:

    acc_0 = 32 zero bytes        acc_i = SHA256(0x04 || acc_{i-1} || uint64be(leaf index) || leaf hash)

Keys fall into 2^18 buckets by the first 18 bits of SHA256(key). A bucket's hash covers its entries in
order; three levels of 64-way nodes lead up to the root. Hide one leaf and `acc` no longer fits; change
`acc` and the root no longer fits the signed checkpoint; leave the key out and its bucket no longer fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

ZERO = bytes(32)
EMPTY_NODE = bytes(32 * 64)
FANOUT_BITS = 6
LEVELS = 3  # 3 levels of 64-way nodes: 262,144 buckets, about 4 keys each at a million subjects
BUCKET_BITS = FANOUT_BITS * LEVELS
LOWEST_NODES = 1 << (BUCKET_BITS - FANOUT_BITS)


@dataclass(frozen=True, slots=True)
class Entry:
    """How many leaves speak about a key, and the running hash over them."""

    key_hash: bytes
    count: int
    acc: bytes

    def to_bytes(self) -> bytes:
        return self.key_hash + self.count.to_bytes(8, "big") + self.acc


def key_hash(key: str) -> bytes:
    """SHA-256 over the key's UTF-8 bytes."""
    return sha256(key.encode("utf-8")).digest()


def bucket_of(hashed: bytes) -> int:
    """The bucket a key hash falls into: its first 18 bits."""
    return int.from_bytes(hashed[:3], "big") >> (24 - BUCKET_BITS)


def bucket_range(bucket: int) -> tuple[bytes, bytes]:
    """The half-open range of key hashes that fall into a bucket."""
    return _range(bucket, BUCKET_BITS)


def lowest_node_range(position: int) -> tuple[bytes, bytes]:
    """The half-open range of key hashes that fall into the 64 buckets of a lowest node."""
    return _range(position, BUCKET_BITS - FANOUT_BITS)


def _range(number: int, bits: int) -> tuple[bytes, bytes]:
    shift = 24 - bits
    end = (number + 1) << shift
    return (number << shift).to_bytes(3, "big"), end.to_bytes(3, "big") if end < 1 << 24 else b"\xff" * 33


def extend(acc: bytes, index: int, leaf: bytes) -> bytes:
    """The running hash with one more leaf."""
    return sha256(b"\x04" + acc + index.to_bytes(8, "big") + leaf).digest()


def fold(leaves: Iterable[tuple[int, bytes]]) -> bytes:
    """The running hash over (leaf index, leaf hash) pairs in log order."""
    acc = ZERO
    for index, leaf in leaves:
        acc = extend(acc, index, leaf)
    return acc


def bucket_hash(entries: Iterable[Entry]) -> bytes:
    """The hash of a bucket's entries; an empty bucket is 32 zero bytes."""
    parts = sorted(e.to_bytes() for e in entries)
    return sha256(b"\x02" + b"".join(parts)).digest() if parts else ZERO


def node_hash(children: bytes | bytearray) -> bytes:
    """The hash of a node from its 64 children's hashes in a row; an empty node is 32 zero bytes."""
    return ZERO if children == EMPTY_NODE else sha256(b"\x03" + children).digest()


def node_id(level: int, position: int) -> int:
    """One number for a node: level 0 is the root, level 2 holds bucket hashes."""
    return level << 32 | position


def path_of(bucket: int) -> tuple[tuple[int, int], ...]:
    """(position, slot) of the nodes above a bucket, from the lowest level (2) to the root (0)."""
    steps = []
    for _ in range(LEVELS):
        position, slot = bucket >> FANOUT_BITS, bucket & 63
        steps.append((position, slot))
        bucket = position
    return tuple(steps)


def root_hash(root_node: bytes) -> bytes:
    """What the checkpoint commits to: the hash of the topmost node."""
    return node_hash(root_node)


def put(node: bytes, slot: int, value: bytes) -> bytes:
    """A node with one child's hash replaced."""
    return node[: slot * 32] + value + node[slot * 32 + 32 :]


@dataclass(frozen=True, slots=True)
class KeyProof:
    """What shows a key's entry, or its absence, under an index root: its bucket and the nodes above."""

    entries: tuple[Entry, ...]
    nodes: tuple[bytes, ...]  # 64 child hashes each, from level 2 to the root


def verify_key(key: str, proof: KeyProof, root: bytes) -> Entry | None:
    """The proven entry of `key`, or None if it is proven to have none. Raises ValueError if unproven."""
    hashed = key_hash(key)
    bucket = bucket_of(hashed)
    if len({e.key_hash for e in proof.entries}) != len(proof.entries):
        raise ValueError("a bucket names one key twice")
    if any(bucket_of(e.key_hash) != bucket for e in proof.entries):
        raise ValueError("a bucket holds a key of another bucket")
    value = bucket_hash(proof.entries)
    if len(proof.nodes) != LEVELS:
        raise ValueError(f"a key proof has {LEVELS} nodes")
    for node, (_, slot) in zip(proof.nodes, path_of(bucket), strict=True):
        if len(node) != len(EMPTY_NODE) or node[slot * 32 : slot * 32 + 32] != value:
            raise ValueError("the index does not lead from the key to the checkpoint")
        value = node_hash(node)
    if value != root:
        raise ValueError("the index does not lead from the key to the checkpoint")
    return next((e for e in proof.entries if e.key_hash == hashed), None)


def root_from_buckets(buckets: Mapping[int, bytes]) -> bytes:
    """The root over all non-empty buckets' hashes; for checking from zero."""
    row: Mapping[int, bytes] = buckets
    for _ in range(LEVELS):
        nodes: dict[int, bytearray] = {}
        for position, value in row.items():
            node = nodes.setdefault(position >> FANOUT_BITS, bytearray(EMPTY_NODE))
            slot = position & 63
            node[slot * 32 : slot * 32 + 32] = value
        row = {position: node_hash(bytes(node)) for position, node in nodes.items()}
    return row.get(0, ZERO)


@dataclass(frozen=True, slots=True)
class UpperNodes:
    """The two levels above the lowest: 64 nodes and the root over them. Never changes; `after` makes another.

    They are few (133 KB) and every leaf changes three of them, so the database stores them now and then
    only, and with each commit no more than a *step*: which lowest nodes have which hash from then on.
    Neither need be trusted: whoever reads them compares `index_root` with what a checkpoint signs.
    """

    root: bytes = EMPTY_NODE
    middle: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def index_root(self) -> bytes:
        return node_hash(self.root)

    def node(self, position: int) -> bytes:
        """A node of the middle level."""
        return self.middle.get(position, EMPTY_NODE)

    def lowest_hash(self, position: int) -> bytes:
        """The hash of a lowest node."""
        slot = position & 63
        return self.node(position >> FANOUT_BITS)[slot * 32 : slot * 32 + 32]

    def after(self, step: Mapping[int, bytes]) -> UpperNodes:
        """These nodes once the lowest nodes named have the hashes given."""
        touched: dict[int, bytearray] = {}
        for position, value in step.items():
            parent, slot = position >> FANOUT_BITS, position & 63
            if parent not in touched:
                touched[parent] = bytearray(self.node(parent))
            touched[parent][slot * 32 : slot * 32 + 32] = value
        root = bytearray(self.root)
        middle = dict(self.middle)
        for position, node in touched.items():
            middle[position] = bytes(node)
            root[position * 32 : position * 32 + 32] = node_hash(middle[position])
        return UpperNodes(bytes(root), middle)

    def rows(self) -> list[tuple[int, bytes]]:
        """(node id, children) of every node that is not empty."""
        return [(node_id(0, 0), self.root), *((node_id(1, p), node) for p, node in self.middle.items())]

    @staticmethod
    def of_rows(rows: Iterable[tuple[int, bytes]]) -> UpperNodes:
        """Raises ValueError if a row is no node."""
        found = dict(rows)
        if any(len(children) != len(EMPTY_NODE) for children in found.values()):
            raise ValueError("a node of the index does not have 64 children")
        root = found.pop(node_id(0, 0), EMPTY_NODE)
        return UpperNodes(root, {number & 63: children for number, children in found.items()})


def pack_step(step: Mapping[int, bytes]) -> bytes:
    """A step as it is stored: two bytes of position and 32 of hash for each lowest node."""
    return b"".join([position.to_bytes(2, "big") + value for position, value in step.items()])


def unpack_step(packed: bytes) -> dict[int, bytes]:
    """Raises ValueError for bytes that are no step."""
    if len(packed) % 34:
        raise ValueError("a step of the index has a length it cannot have")
    return {
        int.from_bytes(packed[i : i + 2], "big") % LOWEST_NODES: packed[i + 2 : i + 34]
        for i in range(0, len(packed), 34)
    }


def lowest_node(entries: Iterable[Entry]) -> bytes:
    """The 64 bucket hashes of a lowest node, from the entries of all its buckets."""
    buckets: dict[int, list[Entry]] = {}
    for entry in entries:
        buckets.setdefault(bucket_of(entry.key_hash) & 63, []).append(entry)
    return b"".join([bucket_hash(buckets[slot]) if slot in buckets else ZERO for slot in range(64)])


def entries_sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries in the order of their key hashes."""
    return tuple(sorted(entries, key=lambda e: e.key_hash))
