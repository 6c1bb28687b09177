"""RFC 6962 Merkle trees: hashes, inclusion and consistency proofs, and the frontier of a growing tree.

Pure. Proof generation asks a `NodeReader` for hashes of perfect subtrees, so that it does not matter
whether they come from memory, tiles in a database or files. Verification follows RFC 9162 §2.1.3-4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""(level, position) -> hash of the perfect subtree over leaves [position << level, (position+1) << level)."""


TILE_MIDDLE = 4
"""How far above its hashes the nodes lie that are stored with a full tile of 256: half-way to its root."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 over a zero byte and the entry (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over a one byte and both children (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees that make up a tree of `size` leaves, largest first.

    All that is needed to append and to know the root: at most 64 hashes, whatever the size.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        if len(nodes) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} perfect subtrees, not {len(nodes)}"
            )
        self.size = size
        self.nodes = list(nodes)

    def copy(self) -> Frontier:
        return Frontier(self.size, self.nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.push(leaf, 0)

    def push(self, node: bytes, level: int) -> None:
        """Add a perfect subtree of 2^level leaves; the tree's size must be a multiple of that."""
        below = self.size >> level
        if below << level != self.size:
            raise ValueError(f"a subtree of 2^{level} leaves cannot follow {self.size} leaves")
        while below & 1:
            node = sha256(b"\x01" + self.nodes.pop() + node).digest()
            below >>= 1
        self.nodes.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        if not self.nodes:
            return EMPTY_ROOT
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        return b"".join(self.nodes)

    @staticmethod
    def from_bytes(size: int, data: bytes) -> Frontier:
        return Frontier(size, [data[i : i + 32] for i in range(0, len(data), 32)])


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in constant memory."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def fold_perfect(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree; the number of hashes is a power of two."""
    return fold_marked(hashes, 0)[0]


def fold_marked(hashes: Sequence[bytes], height: int) -> tuple[bytes, bytes]:
    """The root of a perfect subtree, and the nodes that lie `height` above the given ones, one after another."""
    row, level, marked = list(hashes), 0, b""
    while True:
        if level == height:
            marked = b"".join(row)
        if len(row) == 1:
            return row[0], marked
        row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
        level += 1


def subtree_root(read: NodeReader, start: int, end: int) -> bytes:
    """The root over leaves [start, end), where `start` is aligned to the range's power of two."""
    parts = []
    position = start
    while position < end:
        level = (end - position).bit_length() - 1
        if position:
            level = min(level, (position & -position).bit_length() - 1)
        parts.append(read(level, position >> level))
        position += 1 << level
    node = parts[-1]
    for left in reversed(parts[:-1]):
        node = node_hash(left, node)
    return node


def inclusion_proof(read: NodeReader, index: int, size: int) -> list[bytes]:
    """RFC 6962 §2.1.1 PATH(index, D[size]): sibling hashes from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            path.append(subtree_root(read, split, end))
            end = split
        else:
            path.append(subtree_root(read, start, split))
            start = split
    path.reverse()
    return path


def consistency_proof(read: NodeReader, old: int, new: int) -> list[bytes]:
    """RFC 6962 §2.1.2 PROOF(old, D[new]); empty when nothing needs to be shown."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} cannot grow into one of {new}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= split:
            path.append(subtree_root(read, split, end))
            end = split
        else:
            path.append(subtree_root(read, start, split))
            start, whole = split, False
    if not whole:
        path.append(subtree_root(read, start, end))
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` is at `index` in the tree of `size` with `root` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            node = node_hash(node, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and node == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `new` only appends to the tree of `old` (RFC 9162 §2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new or not proof:
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == old_root and second == new_root
