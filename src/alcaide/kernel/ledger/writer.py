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
from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
from alcaide.kernel.ledger.keys import Ed25519Signer, KeyStore
from alcaide.kernel.ledger.note import Checkpoint, NoteKey, parse_note, sign_note, verify_note
from alcaide.kernel.ledger.subject_index import Entry

T = TypeVar("T")
MAX_BATCH = 512  # units of work in one commit: bounds how long the first of them waits for the last
TILE_WIDTH = 256  # C2SP tlog-tiles
_CACHED_NODES = 8_192
_CACHED_BUCKETS = 65_536


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
        self, conn: Connection, now: datetime, first_index: int, signer: Ed25519Signer, own: KeyStore
    ) -> None:
        self.conn = conn
        self.now = now
        self._next = first_index
        self._signer = signer
        self._own = own
        self.staged: list[Staged] = []
        self.next_keyid: str | None = None

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
        self.wake = threading.Event()
        self.done = False
        self.result: T
        self.error: BaseException | None = None


@dataclass(slots=True)
class Head:
    """The head row, read under its lock."""

    text: str
    checkpoint: Checkpoint
    frontier: merkle.Frontier
    keyid: str
    last_at: str


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
        self._leader_thread: int | None = None
        self._conn: Connection | None = None
        self._head: Head | None = None
        self._nodes: dict[int, bytes] = {}
        self._buckets: dict[int, dict[bytes, Entry]] = {}

    # -- waiting and leading ------------------------------------------------------------------------

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction and return its result once that is on the disk.

        An exception of `work` undoes only its own changes and is raised here. `work` must be short and
        touch nothing but the transaction; it may run on another caller's thread.
        """
        if self._leader_thread == threading.get_ident():
            raise RuntimeError("a unit of work may not open another; pass `tx` along instead")
        unit: _Unit[T] = _Unit(work)
        with self._mutex:
            self._waiting.append(unit)
            lead = not self._leading
            self._leading = True
        if not lead:
            unit.wake.wait()
            lead = not unit.done
        if lead:
            self._lead()
        if unit.error is not None:
            raise unit.error
        return unit.result

    def _lead(self) -> None:
        """Commit one batch, which holds our own unit, then hand the lead to whoever waits first."""
        with self._mutex:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        self._leader_thread = threading.get_ident()
        try:
            self._commit(batch)
        finally:
            self._leader_thread = None
            with self._mutex:
                if self._waiting:
                    self._waiting[0].wake.set()
                else:
                    self._leading = False
            for unit in batch:
                unit.done = True
                unit.wake.set()

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    # -- one commit ---------------------------------------------------------------------------------

    def _commit(self, batch: Sequence[_Unit[Any]]) -> None:
        """1. lock the head  2. run the work  3. append  4. sign the checkpoint  5. commit."""
        try:
            conn = self._connection()
            with conn.begin() as transaction:
                store = _Store(conn, self._database.is_sqlite)
                head = self._locked_head(store)  # 1
                now = max(self._clock(), parse_rfc3339(head.last_at))
                signer = self._keys.signer(head.keyid)
                staged, next_keyid, ran = self._run(conn, store, batch, head, now, signer)  # 2
                if ran:
                    if staged or next_keyid:
                        head = self._append(store, head, staged, now, next_keyid)  # 3, 4
                    transaction.commit()  # 5
                else:
                    transaction.rollback()
            self._head = head
        except BaseException as problem:
            self._forget()
            error = _for_a_person(problem)
            for unit in batch:
                unit.error = unit.error or error
            if not isinstance(problem, Exception):
                raise

    def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed or self._conn.invalidated:
            self._conn = self._database.engine.connect()
        return self._conn

    def _forget(self) -> None:
        """After any failure nothing cached is trusted, and the connection is made anew."""
        self._head = None
        self._nodes.clear()
        self._buckets.clear()
        if self._conn is not None:
            with contextlib.suppress(Exception):
                self._conn.invalidate()
                self._conn.close()
            self._conn = None

    def _locked_head(self, store: _Store) -> Head:
        text, frontier, keyid, last_at = store.lock_head()
        cached = self._head
        if cached is not None and cached.text == text and cached.keyid == keyid:
            return cached
        self._nodes.clear()
        self._buckets.clear()
        return read_head(text, frontier, keyid, last_at, self._origin, self._keys)

    def _run(
        self,
        conn: Connection,
        store: _Store,
        batch: Sequence[_Unit[Any]],
        head: Head,
        now: datetime,
        signer: Ed25519Signer,
    ) -> tuple[list[Staged], str | None, int]:
        """Run each unit in a savepoint of its own; what one raises undoes only that one."""
        staged: list[Staged] = []
        next_keyid: str | None = None
        ran = 0
        alone = len(batch) == 1
        for unit in batch:
            if next_keyid is not None:
                signer = self._keys.signer(next_keyid)
            tx = Tx(conn, now, head.checkpoint.size + len(staged), signer, self._keys)
            if not alone:
                store.execute("SAVEPOINT unit")
            try:
                unit.result = unit.work(tx)
            except Exception as problem:  # noqa: BLE001 - it is the caller's, and is raised there
                unit.error = problem
                if alone:
                    break
                store.execute("ROLLBACK TO SAVEPOINT unit")
                continue
            finally:
                if not alone:
                    store.execute("RELEASE SAVEPOINT unit")
            staged += tx.staged
            next_keyid = tx.next_keyid or next_keyid
            ran += 1
        return staged, next_keyid, ran

    def _append(
        self, store: _Store, head: Head, staged: Sequence[Staged], now: datetime, next_keyid: str | None
    ) -> Head:
        """Write leaves, tiles and index; vouch for them in a new checkpoint."""
        moment = rfc3339(now)
        frontier = head.frontier.copy()
        for leaf in staged:
            frontier.append(leaf.leaf_hash)
        store.insert_leaves([(s.index, s.leaf_hash, s.predicate_type, moment, s.envelope) for s in staged])
        _fill_tiles(store, head.frontier.size, [leaf.leaf_hash for leaf in staged])
        index_root = self._extend_index(store, staged, head.checkpoint.index_root or subject_index.ZERO)
        keyid = next_keyid or head.keyid
        signer = self._keys.signer(keyid)
        checkpoint = Checkpoint(self._origin, frontier.size, frontier.root(), index_root)
        body = checkpoint.to_text()
        text = f"{body}\n{sign_note(body, self._origin, signer.public, signer).to_line()}"
        store.update_head(text, frontier.to_bytes(), keyid, moment)
        return Head(text, checkpoint, frontier, keyid, moment)

    # -- the subject index --------------------------------------------------------------------------

    def _extend_index(self, store: _Store, staged: Sequence[Staged], root: bytes) -> bytes:
        """Add the new leaves to their keys' entries; returns the new index root."""
        if len(self._nodes) > _CACHED_NODES or len(self._buckets) > _CACHED_BUCKETS:  # bound memory
            self._nodes.clear()
            self._buckets.clear()
        speaking: dict[str, list[Staged]] = {}
        for leaf in staged:
            for key in leaf.keys:
                speaking.setdefault(key, []).append(leaf)
        hashes = {key: subject_index.key_hash(key) for key in speaking}
        touched = {subject_index.bucket_of(h) for h in hashes.values()}
        self._load(store, touched, root)
        subjects, entries = [], []
        for key, leaves in speaking.items():
            hashed = hashes[key]
            bucket = self._buckets[subject_index.bucket_of(hashed)]
            before = bucket.get(hashed)
            count, acc = (before.count, before.acc) if before else (0, subject_index.ZERO)
            for leaf in leaves:
                acc = subject_index.extend(acc, leaf.index, leaf.leaf_hash)
                entries.append((hashed, leaf.index))
            bucket[hashed] = Entry(hashed, count + len(leaves), acc)
            subjects.append((hashed, key, count + len(leaves), acc, leaves[-1].index))
        store.insert_entries(entries)
        store.upsert_subjects(subjects)
        return self._lift(store, touched)

    def _load(self, store: _Store, buckets: Iterable[int], root: bytes) -> None:
        """Read what is not cached of some buckets and the nodes above them, checked down from the root.

        Unchecked, an entry that somebody altered in the database would be vouched for by the next checkpoint.
        """
        missing = [b for b in buckets if b not in self._buckets]
        if not missing:
            return
        top = subject_index.LEVELS * subject_index.FANOUT_BITS
        for level in range(subject_index.LEVELS):
            shift = top - level * subject_index.FANOUT_BITS
            absent = {
                b >> shift for b in missing if subject_index.node_id(level, b >> shift) not in self._nodes
            }
            found = store.read_nodes([subject_index.node_id(level, p) for p in absent]) if absent else {}
            for position in absent:
                number = subject_index.node_id(level, position)
                node = found.get(number, subject_index.EMPTY_NODE)
                expected = self._child(level - 1, position) if level else root
                if subject_index.node_hash(node) != expected:
                    raise Corrupt(f"index node {number} was altered; run `alcaide evidence verify`")
                self._nodes[number] = node
        for bucket, entries in store.read_buckets(missing).items():
            if subject_index.bucket_hash(entries.values()) != self._child(subject_index.LEVELS - 1, bucket):
                raise Corrupt(f"index bucket {bucket} was altered; run `alcaide evidence verify`")
            self._buckets[bucket] = entries

    def _child(self, level: int, position: int) -> bytes:
        """What the node above says of the child at `position` on the level below it."""
        node = self._nodes[subject_index.node_id(level, position >> subject_index.FANOUT_BITS)]
        slot = position & 63
        return node[slot * 32 : slot * 32 + 32]

    def _lift(self, store: _Store, buckets: Iterable[int]) -> bytes:
        """Carry changed buckets up through the nodes above them, level by level; returns the new root."""
        changed = {b: subject_index.bucket_hash(self._buckets[b].values()) for b in buckets}
        if not changed:  # a commit that only rotates the key
            return subject_index.root_hash(self._nodes.get(0) or store.read_nodes([0])[0])
        dirty: set[int] = set()
        for level in range(subject_index.LEVELS - 1, -1, -1):
            for position, value in changed.items():
                number = subject_index.node_id(level, position >> subject_index.FANOUT_BITS)
                self._nodes[number] = subject_index.put(self._nodes[number], position & 63, value)
                dirty.add(number)
            parents = {position >> subject_index.FANOUT_BITS for position in changed}
            changed = {
                p: subject_index.node_hash(self._nodes[subject_index.node_id(level, p)]) for p in parents
            }
        store.upsert_nodes([(n, self._nodes[n]) for n in dirty])
        return changed[0]


def read_head(text: str, frontier: bytes, keyid: str, last_at: str, origin: str, keys: KeyStore) -> Head:
    """The head row as values, its checkpoint's signature and its frontier checked. Raises Corrupt.

    Whatever is appended stands on this; a head that does not verify must stop the writer, or the next
    signature would vouch for what somebody else put there.
    """
    try:
        note = parse_note(text)
        checkpoint = Checkpoint.parse(note.text)
    except InvalidInput as problem:
        raise Corrupt(f"the log's checkpoint cannot be read: {problem}; restore from a backup") from None
    if not verify_note(note, own_note_keys(keys, origin)):
        raise Corrupt(
            "the log's checkpoint is not signed by a key of this instance; restore `keys` or the database"
        )
    try:
        parsed = merkle.Frontier.from_bytes(checkpoint.size, frontier)
    except ValueError:
        raise Corrupt("the log's frontier does not fit its checkpoint; restore from a backup") from None
    if checkpoint.origin != origin or parsed.root() != checkpoint.root:
        raise Corrupt(
            f"the log's head does not match its signed checkpoint of size {checkpoint.size}; "
            "run `alcaide evidence verify` to find the first bad leaf"
        )
    return Head(text, checkpoint, parsed, keyid, last_at)


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


def _fill_tiles(store: _Store, size: int, new: Sequence[bytes]) -> None:
    """Keep the C2SP tiles that `new` leaf hashes fill after `size` leaves, and carry their roots upwards.

    The newest level-0 tile is not kept: its hashes are in the leaves until it is full, one commit in 256.
    """
    first = size - size % TILE_WIDTH
    end = size + len(new)
    end -= end % TILE_WIDTH
    if end <= first:
        return
    hashes = [*(store.leaf_hashes(first, size) if first < size else ()), *new[: end - size]]
    rows = [
        (0, (first + start) // TILE_WIDTH, b"".join(hashes[start : start + TILE_WIDTH]))
        for start in range(0, len(hashes), TILE_WIDTH)
    ]
    level = 0
    while rows:
        store.upsert_tiles(rows)
        above: dict[int, bytes] = {}
        for _, index, tile in rows:
            if len(tile) < 32 * TILE_WIDTH:
                continue
            parent, slot = divmod(index, TILE_WIDTH)
            if parent not in above:
                above[parent] = store.read_tile(level + 1, parent)[: slot * 32] if slot else b""
            above[parent] += merkle.fold_perfect([tile[i : i + 32] for i in range(0, len(tile), 32)])
        level += 1
        rows = [(level, parent, tile) for parent, tile in above.items()]


class _Store:
    """The writer's SQL, on the driver's own cursor: Core's overhead would double each commit."""

    def __init__(self, conn: Connection, is_sqlite: bool) -> None:
        self._cursor = conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
        self._sqlite = is_sqlite

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self._cursor.execute(sql if self._sqlite else sql.replace("?", "%s"), values)
        return self._cursor

    def insert(self, into: str, types: str, rows: Sequence[Sequence[Any]], on_conflict: str = "") -> None:
        """Insert rows in one call: `executemany` on SQLite, arrays unnested on PostgreSQL, in one round trip."""
        if not rows:
            return
        kinds = types.split()
        if self._sqlite:
            sql = f"INSERT INTO {into} VALUES ({', '.join('?' * len(kinds))}) {on_conflict}"  # noqa: S608
            self._cursor.executemany(sql, rows)
        else:
            arrays = ", ".join(f"%b::{kind}[]" for kind in kinds)
            sql = f"INSERT INTO {into} SELECT * FROM unnest({arrays}) {on_conflict}"  # noqa: S608
            self._cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])

    def lock_head(self) -> tuple[str, bytes, str, str]:
        lock = "" if self._sqlite else " FOR UPDATE"  # SQLite's BEGIN IMMEDIATE holds the lock already
        row = self.execute(
            f"SELECT checkpoint, frontier, keyid, last_at FROM ledger__head WHERE id = 1{lock}"  # noqa: S608
        ).fetchone()
        if row is None:
            raise Corrupt("the log has no head; restore from a backup")
        return row[0], bytes(row[1]), row[2], row[3]

    def update_head(self, text: str, frontier: bytes, keyid: str, moment: str) -> None:
        self.execute(
            "UPDATE ledger__head SET checkpoint = ?, frontier = ?, keyid = ?, last_at = ? WHERE id = 1",
            (text, frontier, keyid, moment),
        )

    def insert_leaves(self, rows: Sequence[Sequence[Any]]) -> None:
        self.insert(
            "ledger__leaf (idx, leaf_hash, predicate_type, recorded_at, envelope)",
            "bigint bytea text text bytea",
            rows,
        )

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        rows = self.execute(
            "SELECT leaf_hash FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
        ).fetchall()
        if len(rows) != end - start:
            raise Corrupt(f"leaves between {start} and {end} are missing; run `alcaide evidence verify`")
        return [bytes(r[0]) for r in rows]

    def upsert_tiles(self, rows: Sequence[Sequence[Any]]) -> None:
        self.insert(
            "ledger__tile (level, idx, hashes)",
            "int bigint bytea",
            rows,
            "ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes",
        )

    def read_tile(self, level: int, index: int) -> bytes:
        row = self.execute(
            "SELECT hashes FROM ledger__tile WHERE level = ? AND idx = ?", (level, index)
        ).fetchone()
        if row is None:
            raise Corrupt(f"tile {level}/{index} is missing; run `alcaide evidence verify`")
        return bytes(row[0])

    def read_buckets(self, buckets: Sequence[int]) -> dict[int, dict[bytes, Entry]]:
        found: dict[int, dict[bytes, Entry]] = {bucket: {} for bucket in buckets}
        ranges = [subject_index.bucket_range(bucket) for bucket in buckets]
        if self._sqlite:
            rows: list[Any] = []
            for low, high in ranges:
                rows += self.execute(
                    "SELECT key_hash, count, acc FROM ledger__subject WHERE key_hash >= ? AND key_hash < ?",
                    (low, high),
                ).fetchall()
        else:
            rows = self.execute(
                "SELECT s.key_hash, s.count, s.acc FROM unnest(?::bytea[], ?::bytea[]) AS r(low, high) "
                "JOIN ledger__subject s ON s.key_hash >= r.low AND s.key_hash < r.high",
                ([low for low, _ in ranges], [high for _, high in ranges]),
            ).fetchall()
        for hashed, count, acc in rows:
            value = Entry(bytes(hashed), count, bytes(acc))
            found[subject_index.bucket_of(value.key_hash)][value.key_hash] = value
        return found

    def insert_entries(self, rows: Sequence[Sequence[Any]]) -> None:
        self.insert("ledger__entry (key_hash, idx)", "bytea bigint", rows)

    def upsert_subjects(self, rows: Sequence[Sequence[Any]]) -> None:
        self.insert(
            "ledger__subject (key_hash, key, count, acc, last_idx)",
            "bytea text bigint bytea bigint",
            rows,
            "ON CONFLICT (key_hash) DO UPDATE SET "
            "count = excluded.count, acc = excluded.acc, last_idx = excluded.last_idx",
        )

    def read_nodes(self, numbers: Sequence[int]) -> dict[int, bytes]:
        if self._sqlite:
            found = {}
            for number in numbers:
                row = self.execute(
                    "SELECT children FROM ledger__node WHERE node_id = ?", (number,)
                ).fetchone()
                if row is not None:
                    found[number] = bytes(row[0])
            return found
        rows = self.execute(
            "SELECT node_id, children FROM ledger__node WHERE node_id = ANY(?)", (list(numbers),)
        ).fetchall()
        return {number: bytes(children) for number, children in rows}

    def upsert_nodes(self, rows: Sequence[Sequence[Any]]) -> None:
        self.insert(
            "ledger__node (node_id, children)",
            "bigint bytea",
            rows,
            "ON CONFLICT (node_id) DO UPDATE SET children = excluded.children",
        )
