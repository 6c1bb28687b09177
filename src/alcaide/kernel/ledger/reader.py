"""Reading the log: proofs, tiles, and views that are shown to be complete. Never writes.

Everything here works inside one reading snapshot, and everything is checked against the signed
checkpoint of that snapshot before it is handed on: what does not verify is not believed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.db import driver_rows
from alcaide.kernel.errors import AlcaideError, Corrupt, InvalidInput, NotFound
from alcaide.kernel.evidence import PAYLOAD_TYPE, Statement, parse_envelope, parse_statement
from alcaide.kernel.ledger import merkle, subject_index, tables
from alcaide.kernel.ledger.note import Checkpoint
from alcaide.kernel.ledger.store import HeadRow
from alcaide.kernel.ledger.subject_index import KeyProof
from alcaide.kernel.policy.view import EvidenceView, Record

TILE_WIDTH = 256
_TILE_BYTES = 32 * (TILE_WIDTH + (TILE_WIDTH >> merkle.TILE_MIDDLE))
"""A full tile as it is stored."""
_CACHED_TILES = 1_024  # of 9 KiB
IMPORTED = "urn:alcaide:imported:v1"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the note that signs it, its signature checked."""

    text: str
    checkpoint: Checkpoint
    keyid: str
    last_at: datetime
    nodes_size: int  # how many leaves the stored index nodes take in

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf as it lies in the log."""

    index: int
    leaf_hash: bytes
    predicate_type: str
    recorded_at: datetime
    envelope: bytes

    def statement(self) -> Statement:
        """The statement inside; raises InvalidInput if a foreign payload is not one."""
        return parse_statement(parse_envelope(self.envelope).payload)


class TileRows:
    """A tile, and every complete node above its hashes inside of it.

    A full tile is stored with the sixteen nodes half-way up to its root, so that a path out of it takes some thirty
    hashes and not two hundred and fifty. Tiles written before that was so, and those that still grow, are folded whole.
    Nothing of it need be trusted: a wrong node gives a proof that does not hold, and verification names it.
    """

    __slots__ = ("_above", "_hashes", "_rows")

    def __init__(self, stored: bytes, width: int) -> None:
        self._hashes = stored[: width * 32]
        self._rows: list[bytes] = []
        self._above: list[bytes] = []
        if width == TILE_WIDTH and len(stored) == _TILE_BYTES:
            self._above = fold_rows(stored[width * 32 :])
        else:
            self._rows = fold_rows(self._hashes)

    def node(self, height: int, slot: int) -> bytes:
        """The node over the hashes from `slot << height` on; empty if the tile does not reach so far."""
        if self._rows:
            return self._rows[height][slot * 32 : slot * 32 + 32] if height < len(self._rows) else b""
        if height >= merkle.TILE_MIDDLE:
            return self._above[height - merkle.TILE_MIDDLE][slot * 32 : slot * 32 + 32]
        part = self._hashes[slot << height << 5 : (slot + 1) << height << 5]
        return fold_rows(part)[height]


class TileCache:
    """Tiles of which proofs were made. A tile of a given width never changes, so it may be kept for the process's life.

    The least recently used go first: upper tiles, which every proof needs, stay.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[int, int, int], TileRows] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, level: int, index: int, width: int, load: Callable[[], bytes]) -> TileRows:
        """A tile of `width` hashes; `load` reads what is stored of it."""
        key = (level, index, width)
        with self._lock:
            rows = self._rows.get(key)
            if rows is not None:
                self._rows.move_to_end(key)
                return rows
        rows = TileRows(load(), width)
        with self._lock:
            self._rows[key] = rows
            if len(self._rows) > _CACHED_TILES:
                self._rows.popitem(last=False)
        return rows


def fold_rows(hashes: bytes) -> list[bytes]:
    """Hashes and every complete row of nodes above them, each row as one string of 32-byte hashes.

    Two neighbours lie side by side as a node's hash wants them (RFC 6962 §2.1), so that nothing is put together anew.
    """
    rows = [row := hashes]
    while len(row) > 32:
        row = b"".join([sha256(b"\x01" + row[i : i + 64]).digest() for i in range(0, len(row) - 63, 64)])
        rows.append(row)
    return rows


class Index(Protocol):
    """What proves a key's entry; `index_reader.IndexReader` does."""

    def proof(self, conn: Connection, checkpoint: SignedCheckpoint, key: str) -> KeyProof: ...


class TileReader:
    """Hashes of perfect subtrees out of tiles, for one tree size in one snapshot."""

    def __init__(self, conn: Connection, size: int, cache: TileCache) -> None:
        self._conn = conn
        self._size = size
        self._cache = cache

    def __call__(self, level: int, position: int) -> bytes:
        tile_level, height = divmod(level, 8)
        index, slot = divmod(position << height, TILE_WIDTH)
        found = self._tile(tile_level, index).node(height, slot >> height)
        if len(found) != 32:
            raise NotFound(f"the tree of {self._size} leaves has no node {level}/{position}")
        return found

    def _tile(self, level: int, index: int) -> TileRows:
        width = min(TILE_WIDTH, (self._size >> (8 * level)) - index * TILE_WIDTH)
        return self._cache.get(level, index, width, lambda: _stored_tile(self._conn, level, index, width))


def read_head_row(conn: Connection) -> HeadRow | None:
    """The head as it is stored, unchecked."""
    rows = driver_rows(
        conn, "SELECT checkpoint, frontier, keyid, last_at, nodes_size FROM ledger__head WHERE id = 1"
    )
    for checkpoint, frontier, keyid, last_at, nodes_size in rows:
        return HeadRow(checkpoint, bytes(frontier), keyid, last_at, nodes_size)
    return None


def first_since(conn: Connection, moment: datetime, size: int) -> int:
    """The first leaf recorded at a moment or later; `size` if there is none. Time never runs backwards here."""
    text = rfc3339(moment)
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        rows = driver_rows(conn, "SELECT recorded_at FROM ledger__leaf WHERE idx = ?", (middle,))
        if rows and rows[0][0] < text:
            low = middle + 1
        else:
            high = middle
    return low


def read_tile(conn: Connection, level: int, index: int, width: int) -> bytes:
    """`width` hashes of a C2SP tile; raises NotFound if the log has not grown that far."""
    return _stored_tile(conn, level, index, width)[: width * 32]


def _stored_tile(conn: Connection, level: int, index: int, width: int) -> bytes:
    """A tile as it is stored: at least `width` hashes, and the nodes half-way up if it is full."""
    if not (0 <= level <= 7 and index >= 0 and 1 <= width <= TILE_WIDTH):
        raise NotFound(f"there is no tile {level}/{index} of width {width}")
    rows = driver_rows(conn, "SELECT hashes FROM ledger__tile WHERE level = ? AND idx = ?", (level, index))
    if rows and len(rows[0][0]) >= width * 32:
        return bytes(rows[0][0])
    if level == 0:
        start = index * TILE_WIDTH
        rows = driver_rows(
            conn,
            "SELECT leaf_hash FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
            (start, start + width),
        )
        joined = b"".join([bytes(row[0]) for row in rows])
        if len(joined) == width * 32:
            return joined
    raise NotFound(f"tile {level}/{index} of width {width} is not there; the log has not grown that far")


def read_leaf(conn: Connection, index: int) -> Leaf:
    """One leaf, its bytes checked against its hash. Raises NotFound, Corrupt."""
    for leaf in read_leaves(conn, [index]):
        return leaf
    raise NotFound(f"leaf {index} is not in the log")


def read_leaves(conn: Connection, indices: Sequence[int]) -> Iterator[Leaf]:
    """Some leaves in ascending order, checked against their hashes; absent ones are left out."""
    columns = tables.leaf.c
    for start in range(0, len(indices), 500):
        part = indices[start : start + 500]
        rows = conn.execute(
            sa.select(
                columns.idx, columns.leaf_hash, columns.predicate_type, columns.recorded_at, columns.envelope
            )
            .where(columns.idx.in_(part))
            .order_by(columns.idx)
        )
        for idx, leaf_hash, predicate_type, recorded_at, envelope in rows:
            leaf = Leaf(idx, bytes(leaf_hash), predicate_type, parse_rfc3339(recorded_at), bytes(envelope))
            if merkle.leaf_hash(leaf.envelope) != leaf.leaf_hash:
                raise Corrupt(f"leaf {idx} was altered: its bytes do not have its hash")
            yield leaf


def leaves_about(conn: Connection, key: str) -> list[tuple[int, bytes]]:
    """(index, leaf hash) of every leaf filed under a key, in log order. Not yet shown to be all of them."""
    entry, leaf = tables.entry.c, tables.leaf.c
    rows = conn.execute(
        sa.select(entry.idx, leaf.leaf_hash)
        .join_from(tables.entry, tables.leaf, leaf.idx == entry.idx)
        .where(entry.key_hash == subject_index.key_hash(key))
        .order_by(entry.idx)
    )
    return [(idx, bytes(h)) for idx, h in rows]


def view(
    conn: Connection,
    checkpoint: SignedCheckpoint,
    keys: Collection[str],
    predicate_types: Collection[str] | None,
    own_keyids: Collection[str],
    index: Index,
) -> EvidenceView:
    """All evidence about `keys`, shown to be complete up to the checkpoint or marked as not.

    1. each key's leaves must be exactly what the index commits to, and the index must lead to the
       checkpoint's root  2. each leaf's bytes must have its hash  3. each foreign leaf must have the
       `imported` statement that says when it came in.
    """
    wanted = frozenset(keys)
    try:
        hashes: dict[int, bytes] = {}
        for key in sorted(wanted):  # 1
            hashes.update(_proven(conn, key, checkpoint, index))
        leaves = _checked(conn, hashes)  # 2
        records = _records(leaves, own_keyids)  # 3
    except AlcaideError as problem:
        return EvidenceView((), False, str(problem), checkpoint.size, checkpoint.root, wanted)
    if predicate_types is not None:
        types = frozenset(predicate_types)
        records = [r for r in records if r.predicate_type in types]
    return EvidenceView(tuple(records), True, None, checkpoint.size, checkpoint.root, wanted)


def _proven(
    conn: Connection, key: str, checkpoint: SignedCheckpoint, index: Index
) -> Iterable[tuple[int, bytes]]:
    leaves = leaves_about(conn, key)
    root = checkpoint.checkpoint.index_root or subject_index.ZERO
    try:
        entry = subject_index.verify_key(key, index.proof(conn, checkpoint, key), root)
    except ValueError as problem:
        raise Corrupt(f"evidence about `{key}` cannot be shown to be complete: {problem}") from None
    if len(leaves) != (entry.count if entry else 0) or (entry and subject_index.fold(leaves) != entry.acc):
        raise Corrupt(
            f"evidence about `{key}` is not what the checkpoint vouches for; run `alcaide evidence verify`"
        )
    return leaves


def _checked(conn: Connection, hashes: Mapping[int, bytes]) -> list[Leaf]:
    leaves = list(read_leaves(conn, sorted(hashes)))
    for leaf in leaves:
        if leaf.leaf_hash != hashes[leaf.index]:
            raise Corrupt(f"leaf {leaf.index} was altered")
    if len(leaves) != len(hashes):
        raise Corrupt("a leaf is missing from the log; run `alcaide evidence verify`")
    return leaves


def _records(leaves: Iterable[Leaf], own_keyids: Collection[str]) -> list[Record]:
    parsed: list[tuple[int, Statement, str, bool]] = []
    imports: dict[int, Mapping[str, Any]] = {}
    for leaf in leaves:
        envelope = parse_envelope(leaf.envelope)
        statement = parse_statement(envelope.payload)
        signed_by = next((s.keyid for s in envelope.signatures if s.keyid in own_keyids), "")
        foreign = not signed_by or envelope.payload_type != PAYLOAD_TYPE
        if not foreign and statement.predicate_type == IMPORTED:
            imports[statement.predicate.get("leaf", -1)] = statement.predicate
        parsed.append((leaf.index, statement, signed_by or envelope.signatures[0].keyid, foreign))
    return [_record(index, s, signer, foreign, imports) for index, s, signer, foreign in parsed]


def _record(
    index: int, statement: Statement, signer: str, foreign: bool, imports: Mapping[int, Mapping[str, Any]]
) -> Record:
    imported = imports.get(index)
    source = imported if foreign else statement.predicate
    moment = source.get("at") if source else None
    if not isinstance(moment, str):
        raise InvalidInput(f"leaf {index} does not say when it was taken in")
    if foreign:
        signer = _vouched_signer(imported)
    return Record(index, statement, parse_rfc3339(moment), signer, foreign, imported)


def _vouched_signer(imported: Mapping[str, Any] | None) -> str:
    """The trusted key whose signature held when the envelope came in, by its name here.

    The key id inside the envelope is what its sender chose to write; a rule that asks for a signer must not be
    answered by it.
    """
    named = imported.get("verified_by") if imported else None
    first = named[0] if isinstance(named, list | tuple) and named else None
    name = first.get("name") if isinstance(first, Mapping) else None
    return name if isinstance(name, str) else ""
