"""The only writer of the log: group commit, so that many waiting writers share one trip to the disk.

Every unit of work runs in the database transaction that also appends its statements; the transaction of
one commit carries as many waiting units as there are. Whoever finds nobody committing becomes the leader
and commits for all who wait, so a lone writer pays for no hand-over between threads.

INVARIANT: the head row is locked before anything is read, so leaves are numbered without gaps however
many threads and processes write. INVARIANT: caches are trusted only while the head is the one we wrote.
"""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.db import Database
from alcaide.kernel.errors import AlcaideError, Conflict, Corrupt, InvalidInput, Unavailable
from alcaide.kernel.evidence import PAYLOAD_TYPE, Statement, pae, parse_envelope
from alcaide.kernel.ledger import merkle, subject_index
from alcaide.kernel.ledger.index_writer import Filed, IndexWriter
from alcaide.kernel.ledger.keys import Ed25519Signer, KeyStore
from alcaide.kernel.ledger.note import Checkpoint, NoteKey, parse_note, sign_note, verify_note
from alcaide.kernel.ledger.store import Change, HeadRow, Store, open_store

T = TypeVar("T")
MAX_BATCH = 512  # units of work in one commit: bounds how long the first of them waits for the last
TILE_WIDTH = 256  # C2SP tlog-tiles


@dataclass(frozen=True, slots=True)
class Staged:
    """A leaf that will exist if the commit succeeds."""

    index: int
    envelope: bytes
    leaf_hash: bytes
    predicate_type: str
    keys: tuple[str, ...]


class Tx:
    """One unit of work: what it changes and what it says commit together, or not at all."""

    def __init__(
        self,
        connection: Callable[[], Connection],
        now: datetime,
        first_index: int,
        signer: Ed25519Signer,
        own: KeyStore,
    ) -> None:
        self._connection = connection
        self.now = now
        self._next = first_index
        self._signer = signer
        self._own = own
        self.staged: list[Staged] = []
        self.next_keyid: str | None = None

    @property
    def conn(self) -> Connection:
        """The transaction's connection. Asking for it takes the log's lock where that was not taken yet."""
        return self._connection()

    @property
    def size(self) -> int:
        """How many leaves the log has, those of this work included."""
        return self._next

    def append(self, statement: Statement) -> int:
        """Sign a statement and append it; returns its leaf index, final once the work has committed.

        Raises InvalidInput if it has no subject, no canonical form, or no `at` in its predicate: the time
        of a statement must lie under its signature.
        """
        if not isinstance(statement.predicate.get("at"), str):
            raise InvalidInput(f"a `{statement.predicate_type}` statement needs `at`, the time it is made")
        payload = statement.to_bytes()
        signature = self._signer.sign(pae(PAYLOAD_TYPE, payload))
        # INVARIANT: these are the canonical bytes of the envelope (base64 and key ids need no escaping).
        envelope = b'{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}' % (
            base64.b64encode(payload),
            PAYLOAD_TYPE.encode(),
            self._signer.keyid.encode(),
            base64.b64encode(signature),
        )
        return self._stage(envelope, statement)

    def append_foreign(self, envelope: bytes, statement: Statement) -> int:
        """Append somebody else's DSSE envelope byte for byte; the caller has verified it.

        Appending it says nothing about when or why; the `imported` statement that must follow in the same
        work, with `leaf` set to the index returned here, does. Raises Conflict for an envelope signed by
        a key of this instance: taking an old statement in again would make it look like the newest.
        """
        if any(self._own.public_key(s.keyid) for s in parse_envelope(envelope).signatures):
            raise Conflict(
                "this envelope was signed by this instance and is in the log already; nothing to import"
            )
        return self._stage(envelope, statement)

    def enqueue(
        self, kind: str, payload: dict[str, Any], *, run_at: datetime | None = None, key: str | None = None
    ) -> str:
        """Have a job run after this work has committed, and only then; returns the job's id."""
        from alcaide.kernel.jobs.store import enqueue

        return enqueue(self.conn, self.now, kind, payload, run_at=run_at, key=key)

    def rotate_to(self, keyid: str) -> None:
        """Sign with another key from here on; this work's statements are still the old key's."""
        self.next_keyid = keyid

    def _stage(self, envelope: bytes, statement: Statement) -> int:
        index = self._next
        self._next += 1
        self.staged.append(
            Staged(index, envelope, merkle.leaf_hash(envelope), statement.predicate_type, statement.keys)
        )
        return index


class _Unit(Generic[T]):
    """A unit of work waiting for its commit."""

    __slots__ = ("done", "error", "result", "wake", "work")

    def __init__(self, work: Callable[[Tx], T]) -> None:
        self.work = work
        self.wake = threading.Lock()  # held until it is done or shall lead; an Event costs ten times as much
        self.wake.acquire()
        self.done = False
        self.result: T
        self.error: BaseException | None = None


@dataclass(slots=True)
class Head:
    """The newest checkpoint and what it takes to go on from it."""

    row: HeadRow
    checkpoint: Checkpoint
    frontier: merkle.Frontier
    last_at: datetime

    @property
    def text(self) -> str:
        return self.row.checkpoint

    @property
    def keyid(self) -> str:
        return self.row.keyid


class _HeadMoved(BaseException):
    """Not an Exception, so that no unit of work catches it by accident."""


class Writer:
    """Commits units of work. One per process; safe to use from any number of threads."""

    def __init__(
        self, database: Database, keys: KeyStore, origin: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._keys = keys
        self._origin = origin
        self._clock = clock
        self._mutex = threading.Lock()
        self._waiting: deque[_Unit[Any]] = deque()
        self._leading = False
        self._together = 0
        self._leader_thread: int | None = None
        self._store: Store | None = None
        self._head: Head | None = None
        self._index = IndexWriter()

    # -- waiting and leading ------------------------------------------------------------------------

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction and return its result once that is on the disk.

        An exception of `work` undoes only its own changes and is raised here. `work` must be short and
        touch nothing but the transaction; it may run on another caller's thread, and a second time if
        another process was first.
        """
        if self._leader_thread == threading.get_ident():
            raise RuntimeError("a unit of work may not open another; pass `tx` along instead")
        unit: _Unit[T] = _Unit(work)
        with self._mutex:
            self._waiting.append(unit)
            lead = not self._leading
            self._leading = True
        if not lead:
            unit.wake.acquire()
            lead = not unit.done
        if lead:
            self._lead()
        if unit.error is not None:
            raise unit.error
        return unit.result

    def _lead(self) -> None:
        """Commit one batch, which holds our own unit, then hand the lead to whoever waits first."""
        self._gather()
        with self._mutex:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        self._leader_thread = threading.get_ident()
        try:
            self._commit(batch)
        finally:
            self._leader_thread = None
            self._together = len(batch)
            with self._mutex:
                if self._waiting:
                    self._waiting[0].wake.release()
                else:
                    self._leading = False
            for unit in batch:
                unit.done = True
                unit.wake.release()

    def _gather(self) -> None:
        """Let those whom the last commit woke come back with their next work, as long as some still do.

        Otherwise they find us gone with half of them, commit after commit. Somebody alone has woken nobody
        and goes ahead at once; no one waits for more than a turn of the threads that are ready to run.
        """
        seen = 0
        while seen < len(self._waiting) < self._together:
            seen = len(self._waiting)
            time.sleep(0)  # gives up the interpreter, not the time

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    # -- one commit ---------------------------------------------------------------------------------

    def _commit(self, batch: Sequence[_Unit[Any]]) -> None:
        """Run a batch and commit it; once more, under the lock from the start, if the head has moved."""
        try:
            try:
                self._attempt(batch)
            except _HeadMoved:
                self._opened().rollback()
                self._trust_nothing()
                self._attempt(batch)
        except BaseException as problem:
            self._forget()
            error = _for_a_person(problem)
            for unit in batch:
                unit.error = unit.error or error
            if not isinstance(problem, Exception):
                raise

    def _attempt(self, batch: Sequence[_Unit[Any]]) -> None:
        """1. know the head  2. run the work  3. sign the checkpoint  4. append  5. commit.

        The head we left is presumed to stand until something has to be read: then it is locked and looked
        at. Step 4 fails if it does not stand, so what was presumed is never more than that.
        """
        store = self._opened()
        if self._head is None:
            self._lock(store)  # 1
        head = self._head
        if head is None:
            raise RuntimeError("the lock gives the head")
        now = max(self._clock(), head.last_at)
        staged, next_keyid, ran = self._run(store, batch, head, now)  # 2
        if not ran:
            store.rollback()
            return
        if staged or next_keyid:
            head = self._append(store, head, staged, now, next_keyid)  # 3, 4
        store.commit()  # 5
        self._head = head

    def _opened(self) -> Store:
        if self._store is None or not self._store.usable:
            self._store = open_store(self._database)
        return self._store

    def _trust_nothing(self) -> None:
        self._head = None
        self._index.forget()

    def _forget(self) -> None:
        """After any failure nothing cached is trusted, and the connection is made anew."""
        self._trust_nothing()
        if self._store is not None:
            with contextlib.suppress(Exception):
                self._store.discard()
            self._store = None

    def _lock(self, store: Store, *, presumed: bool = False) -> None:
        """Begin and lock the head; raises _HeadMoved if it moved since work was done on a presumed one."""
        row = store.begin()
        if self._head is not None and self._head.row == row:
            return
        if presumed:
            raise _HeadMoved
        self._trust_nothing()
        self._head = read_head(row, self._origin, self._keys)

    def _locked(self, store: Store) -> Store:
        if not store.begun:
            self._lock(store, presumed=True)
        return store

    def _run(
        self, store: Store, batch: Sequence[_Unit[Any]], head: Head, now: datetime
    ) -> tuple[list[Staged], str | None, int]:
        """Run each unit; what one raises undoes only that one.

        A unit that uses the connection has a savepoint of its own, unless it is alone. One that only
        appends has written nothing yet that would have to be undone.
        """
        staged: list[Staged] = []
        next_keyid: str | None = None
        ran = 0
        alone = len(batch) == 1
        signer = self._keys.signer(head.keyid)
        for unit in batch:
            unit.error = None  # of a first attempt
            saved = False

            def connection() -> Connection:
                nonlocal saved
                self._locked(store)
                if not (alone or saved):
                    saved = True
                    store.savepoint()
                return store.conn

            tx = Tx(connection, now, head.checkpoint.size + len(staged), signer, self._keys)
            try:
                unit.result = unit.work(tx)
            except Exception as problem:  # noqa: BLE001 - it is the caller's, and is raised there
                unit.error = problem
                if saved:
                    store.undo()
                continue
            finally:
                if saved:
                    store.release()
            staged += tx.staged
            if tx.next_keyid is not None:
                next_keyid = tx.next_keyid
                signer = self._keys.signer(next_keyid)
            ran += 1
        return staged, next_keyid, ran

    def _append(
        self, store: Store, head: Head, staged: Sequence[Staged], now: datetime, next_keyid: str | None
    ) -> Head:
        """Write leaves, tiles and index; vouch for them in a new checkpoint. Raises _HeadMoved."""
        moment = rfc3339(now)
        size = head.frontier.size
        frontier = head.frontier.copy()
        for leaf in staged:
            frontier.append(leaf.leaf_hash)
        extension = self._index.extend(
            [Filed(leaf.index, leaf.leaf_hash, leaf.keys) for leaf in staged],
            head.row,
            size,
            head.checkpoint.index_root or subject_index.ZERO,
            lambda: self._locked(store),
        )
        fills = frontier.size // TILE_WIDTH > size // TILE_WIDTH  # tiles and index nodes are stored together
        keyid = next_keyid or head.keyid
        signer = self._keys.signer(keyid)
        checkpoint = Checkpoint(self._origin, frontier.size, frontier.root(), extension.root)
        body = checkpoint.to_text()
        text = f"{body}\n{sign_note(body, self._origin, signer.public, signer).to_line()}"
        nodes_size = frontier.size if fills else head.row.nodes_size
        row = HeadRow(text, frontier.to_bytes(), keyid, moment, nodes_size)
        step = None if fills else subject_index.pack_step(extension.step)
        change = Change(
            follows=head.text,
            head=row,
            leaves=[
                (
                    s.index,
                    s.leaf_hash,
                    s.predicate_type,
                    moment,
                    s.envelope,
                    step if s is staged[-1] else None,
                )
                for s in staged
            ],
            entries=extension.entries,
            subjects=extension.subjects,
            tiles=_filled_tiles(self._locked(store), size, [s.leaf_hash for s in staged]) if fills else [],
            nodes=self._index.rows() if fills else [],
        )
        if not store.append(change):
            raise _HeadMoved
        return Head(row, checkpoint, frontier, now)


def read_head(row: HeadRow, origin: str, keys: KeyStore) -> Head:
    """The head, its signature and its frontier checked. Raises Corrupt.

    Whatever is appended stands on this; a head that does not verify must stop the writer, or the next
    signature would vouch for what somebody else put there.
    """
    try:
        note = parse_note(row.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
    except InvalidInput as problem:
        raise Corrupt(f"the log's checkpoint cannot be read: {problem}; restore from a backup") from None
    if not verify_note(note, own_note_keys(keys, origin)):
        raise Corrupt(
            "the log's checkpoint is not signed by a key of this instance; restore `keys` or the database"
        )
    try:
        parsed = merkle.Frontier.from_bytes(checkpoint.size, row.frontier)
    except ValueError:
        raise Corrupt("the log's frontier does not fit its checkpoint; restore from a backup") from None
    if checkpoint.origin != origin or parsed.root() != checkpoint.root:
        raise Corrupt(
            f"the log's head does not match its signed checkpoint of size {checkpoint.size}; "
            "run `alcaide evidence verify` to find the first bad leaf"
        )
    return Head(row, checkpoint, parsed, parse_rfc3339(row.last_at))


def own_note_keys(keys: KeyStore, origin: str) -> list[NoteKey]:
    """Every key of this instance as a verifier of its checkpoints."""
    return [key.note_key(origin) for key in keys.public_keys().values()]


def _for_a_person(problem: BaseException) -> BaseException:
    """Database failures in words; nothing of the batch was acknowledged."""
    if isinstance(problem, sa.exc.DBAPIError) or type(problem).__module__.startswith(("sqlite3", "psycopg")):
        cause = str(getattr(problem, "orig", None) or problem).strip().splitlines()[0][:200]
        return Unavailable(
            f"nothing was written: {cause}; free the disk or check the database, then try again"
        )
    if isinstance(problem, AlcaideError) or not isinstance(problem, Exception):
        return problem
    return problem


def _filled_tiles(store: Store, size: int, new: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """The C2SP tiles that `new` leaf hashes fill after `size` leaves, and the tiles above that they change.

    The newest level-0 tile is not kept: its hashes are in the leaves until it is full, one commit in 256. After the
    hashes of a full tile come the nodes half-way up to its root: see `reader.TileRows`.
    """
    first = size - size % TILE_WIDTH
    end = size + len(new)
    end -= end % TILE_WIDTH
    hashes = [*(store.leaf_hashes(first, size) if first < size else ()), *new[: end - size]]
    row = {
        (first + start) // TILE_WIDTH: b"".join(hashes[start : start + TILE_WIDTH])
        for start in range(0, len(hashes), TILE_WIDTH)
    }
    level, filled = 0, []
    while row:
        above: dict[int, bytes] = {}
        for index, tile in row.items():
            if len(tile) < 32 * TILE_WIDTH:
                filled.append((level, index, tile))
                continue
            root, middle = merkle.fold_marked(
                [tile[i : i + 32] for i in range(0, len(tile), 32)], merkle.TILE_MIDDLE
            )
            filled.append((level, index, tile + middle))
            parent, slot = divmod(index, TILE_WIDTH)
            if parent not in above:
                above[parent] = store.tile(level + 1, parent)[: slot * 32] if slot else b""
            above[parent] += root
        level, row = level + 1, above
    return filled
