"""The ledger as everybody uses it: write, view, prove.

One object per process. Writing goes through `writer`, reading through `reader`; this file only joins
them to a database, a key store and a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import rfc3339, utcnow
from alcaide.kernel.db import Database
from alcaide.kernel.errors import Corrupt
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.ledger import merkle, reader, subject_index, tables
from alcaide.kernel.ledger.index_reader import IndexReader
from alcaide.kernel.ledger.keys import KeyStore
from alcaide.kernel.ledger.note import Checkpoint, sign_note
from alcaide.kernel.ledger.reader import Leaf, SignedCheckpoint, TileCache, TileReader
from alcaide.kernel.ledger.subject_index import KeyProof
from alcaide.kernel.ledger.writer import Tx, Writer, read_head
from alcaide.kernel.policy.view import EvidenceView

__all__ = ["KEY_EVENT", "Ledger", "Tx"]

KEY_EVENT = "urn:alcaide:key-event:v1"
_SYSTEM = {"kind": "system", "id": "alcaide", "name": "alcaide"}
T = TypeVar("T")


class Ledger:
    """One log in one database. Threads share it; processes open their own."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        origin: str,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.database = database
        self.keys = keys
        self.origin = origin
        self._writer = Writer(database, keys, origin, clock)
        self._clock = clock
        self._tiles = TileCache()
        self._index = IndexReader()
        self._verified: SignedCheckpoint | None = None

    # -- writing ------------------------------------------------------------------------------------

    def initialise(self) -> None:
        """Make the first key and the empty log, unless they are there; safe to call from two processes.

        Raises Corrupt if the database holds leaves but no head: that is a damaged log, not a new one.
        """
        with self.database.transaction() as conn:
            if not self.database.is_sqlite:
                conn.execute(sa.text("SELECT pg_advisory_xact_lock(7025310)"))  # any constant of ours
            if conn.execute(sa.select(tables.head.c.id)).first() is None:
                if conn.execute(sa.select(tables.leaf.c.idx).limit(1)).first() is not None:
                    raise Corrupt("the log has leaves but no head; restore the database from a backup")
                self._found(conn)
        self._writer.write(self._say_created)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run a unit of work; returns its result once that and its evidence are on the disk.

        Everything `work` changes through `tx.conn` and says through `tx.append` commits together or not
        at all. Its exception undoes it and is raised here; other writers' work is not touched.
        """
        return self._writer.write(work)

    def rotate_key(self, *, by: dict[str, str], reason: str) -> str:
        """Make a new signing key, announced by a statement the old one signs; returns the new key's id."""
        signer = self.keys.create(rfc3339(self._clock()))

        def announce(tx: Tx) -> str:
            tx.append(self._key_event("rotated", signer.keyid, signer.public, rfc3339(tx.now), by, reason))
            tx.rotate_to(signer.keyid)
            return signer.keyid

        return self.write(announce)

    def close(self) -> None:
        self._writer.close()

    # -- reading ------------------------------------------------------------------------------------

    def checkpoint(self, conn: Connection) -> SignedCheckpoint:
        """The checkpoint of this snapshot, its signature and the head checked. Raises Corrupt."""
        row = reader.read_head_row(conn)
        if row is None:
            raise Corrupt("the log has no head; restore the database from a backup")
        known = self._verified
        if (
            known is not None
            and known.text == row.checkpoint
            and known.keyid == row.keyid
            and known.nodes_size == row.nodes_size
        ):
            return known
        head = read_head(row, self.origin, self.keys)
        self._verified = SignedCheckpoint(
            head.text, head.checkpoint, head.keyid, head.last_at, head.row.nodes_size
        )
        return self._verified

    def view(
        self, conn: Connection, keys: Collection[str], predicate_types: Collection[str] | None = None
    ) -> EvidenceView:
        """All evidence filed under `keys` (`name:…`, `sha256:…`), shown complete or marked as not.

        Never raises for what is wrong with the log: a view that cannot be shown to be complete is empty,
        `complete` is False and `why_incomplete` says why, so that every rule answers Unknown.
        """
        try:
            checkpoint = self.checkpoint(conn)
        except Corrupt as problem:
            return EvidenceView((), False, str(problem), 0, merkle.EMPTY_ROOT, frozenset(keys))
        own = self.keys.public_keys().keys()
        return reader.view(conn, checkpoint, keys, predicate_types, own, self._index)

    def leaf(self, conn: Connection, index: int) -> Leaf:
        """One leaf, checked against its hash. Raises NotFound, Corrupt."""
        return reader.read_leaf(conn, index)

    def inclusion_proof(self, conn: Connection, index: int, size: int | None = None) -> list[bytes]:
        """Sibling hashes from leaf `index` to the root of the tree of `size` (by default the newest)."""
        size = self.checkpoint(conn).size if size is None else size
        return merkle.inclusion_proof(TileReader(conn, size, self._tiles), index, size)

    def consistency_proof(self, conn: Connection, old: int, new: int | None = None) -> list[bytes]:
        """What shows that the tree of `new` only appends to the tree of `old`."""
        new = self.checkpoint(conn).size if new is None else new
        return merkle.consistency_proof(TileReader(conn, new, self._tiles), old, new)

    def root_at(self, conn: Connection, size: int) -> bytes:
        """The root when the log had `size` leaves, from its tiles."""
        if size == 0:
            return merkle.EMPTY_ROOT
        return merkle.subtree_root(TileReader(conn, size, self._tiles), 0, size)

    def key_proof(self, conn: Connection, key: str) -> KeyProof:
        """What shows that an index key has exactly the leaves it has. Raises Corrupt."""
        return self._index.proof(conn, self.checkpoint(conn), key)

    def tile(self, conn: Connection, level: int, index: int, width: int = 256) -> bytes:
        """A C2SP tile of `width` hashes. Raises NotFound beyond the log's size."""
        return reader.read_tile(conn, level, index, width)

    def entries(self, conn: Connection, start: int, end: int) -> Iterator[bytes]:
        """The envelopes of leaves [start, end), checked against their hashes."""
        for leaf in reader.read_leaves(conn, range(start, end)):
            yield leaf.envelope

    # -- beginnings ---------------------------------------------------------------------------------

    def _found(self, conn: Connection) -> None:
        moment = rfc3339(self._clock())
        signer = self.keys.create(moment)
        body = Checkpoint(self.origin, 0, merkle.EMPTY_ROOT, subject_index.ZERO).to_text()
        text = f"{body}\n{sign_note(body, self.origin, signer.public, signer).to_line()}"
        conn.execute(
            tables.head.insert().values(
                id=1, checkpoint=text, frontier=b"", keyid=signer.keyid, last_at=moment, nodes_size=0
            )
        )

    def _say_created(self, tx: Tx) -> None:
        if tx.size:
            return
        keyid = tx.conn.execute(sa.select(tables.head.c.keyid)).scalar_one()
        public = self.keys.signer(keyid).public
        tx.append(self._key_event("created", keyid, public, rfc3339(tx.now), _SYSTEM, "first run"))

    def _key_event(
        self, event: str, keyid: str, public: bytes, at: str, by: dict[str, str], reason: str
    ) -> Statement:
        subject = Subject.of_bytes(f"key:{keyid}", public)
        return Statement(
            (subject,),
            KEY_EVENT,
            {"event": event, "at": at, "by": by, "reason": reason, "keyid": keyid, "public": public.hex()},
        )
