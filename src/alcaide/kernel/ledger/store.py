"""The writer's SQL, on the driver's own connection: what one commit writes, in as few calls as can be.

A change is prepared for one checkpoint. It moves the head on from that one, or does nothing at all: so it
may be prepared before the lock is taken, and the lock is held no longer than the writing takes.

Two databases, two ways of being quick. SQLite is a function call away, and each page a commit changes is
written and synced: few pages matter. PostgreSQL is another process, and few round trips matter: a commit
that nothing else takes part in is one prepared statement. Through SQLAlchemy either would cost twice as much.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection

from alcaide.kernel.db import Database
from alcaide.kernel.db.engine import JOINS
from alcaide.kernel.errors import Corrupt
from alcaide.kernel.ledger.subject_index import Entry

Range = tuple[bytes, bytes]


# -- tables as the writer sees them ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type on PostgreSQL, its oid there (pg_type.dat), and the binary form of a value."""

    name: str
    oid: int
    encode: Callable[[Any], bytes]


def _bigint(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _text(value: str) -> bytes:
    return value.encode()


def _bytes(value: bytes | None) -> bytes:
    return value or b""


BIGINT = Kind("bigint", 20, _bigint)
TEXT = Kind("text", 25, _text)
BYTEA = Kind("bytea", 17, _bytes)


@dataclass(frozen=True, slots=True)
class Part:
    """A table that a commit adds rows to. `replaces` is the column that a row with a known key overwrites."""

    table: str
    columns: Mapping[str, Kind]
    key: str
    replaces: str | None = None

    @property
    def names(self) -> str:
        return ", ".join(self.columns)

    @property
    def on_conflict(self) -> str:
        """Nothing for leaves and entries: one that is there already must stop the commit."""
        if self.replaces is None:
            return ""
        return f"ON CONFLICT ({self.key}) DO UPDATE SET {self.replaces} = excluded.{self.replaces}"


LEAVES = Part(
    "ledger__leaf",
    {
        "idx": BIGINT,
        "leaf_hash": BYTEA,
        "predicate_type": TEXT,
        "recorded_at": TEXT,
        "envelope": BYTEA,
        "index_step": BYTEA,
    },
    "idx",
)
ENTRIES = Part(
    "ledger__entry", {"key_hash": BYTEA, "idx": BIGINT, "count": BIGINT, "acc": BYTEA}, "key_hash, idx"
)
SUBJECTS = Part("ledger__subject", {"key_hash": BYTEA, "key": TEXT}, "key_hash", "key")
TILES = Part("ledger__tile", {"level": BIGINT, "idx": BIGINT, "hashes": BYTEA}, "level, idx", "hashes")
NODES = Part("ledger__node", {"node_id": BIGINT, "children": BYTEA}, "node_id", "children")
PARTS = (LEAVES, ENTRIES, SUBJECTS, TILES, NODES)


def _insert_sql(part: Part) -> str:
    values = ", ".join("?" * len(part.columns))
    return f"INSERT INTO {part.table} ({part.names}) VALUES ({values}) {part.on_conflict}"  # noqa: S608


# -- one commit -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeadRow:
    """The head as it is stored."""

    checkpoint: str
    frontier: bytes
    keyid: str
    last_at: str
    nodes_size: int


@dataclass(slots=True)
class Change:
    """What a commit writes. Rows are tuples in the order of their tables' columns."""

    follows: str  # the checkpoint it was prepared for
    head: HeadRow
    leaves: list[tuple[int, bytes, str, str, bytes, bytes | None]] = field(default_factory=list)
    entries: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)
    subjects: list[tuple[bytes, str]] = field(default_factory=list)
    tiles: list[tuple[int, int, bytes]] = field(default_factory=list)
    nodes: list[tuple[int, bytes]] = field(default_factory=list)

    def parts(self) -> tuple[tuple[Part, Sequence[tuple[Any, ...]]], ...]:
        rows = (self.leaves, self.entries, self.subjects, self.tiles, self.nodes)
        return tuple(zip(PARTS, rows, strict=True))


def open_store(database: Database) -> Store:
    """A store on a connection of its own, for as long as the writer has no trouble with it."""
    conn = database.engine.connect().execution_options(**{JOINS: True})
    return SqliteStore(conn) if database.is_sqlite else PostgresqlStore(conn)


def newest_entries(low: str, high: str) -> str:
    """SQL for the newest entry of each key in a range: two steps down the primary key for each of them.

    A plain scan would read every leaf of a subject that a hundred thousand statements are about.
    """
    return (
        "WITH RECURSIVE k(h) AS ("  # noqa: S608 - placeholders only
        "SELECT (SELECT key_hash FROM ledger__entry "
        f"WHERE key_hash >= {low} AND key_hash < {high} ORDER BY key_hash LIMIT 1) "
        "UNION ALL SELECT (SELECT key_hash FROM ledger__entry "
        f"WHERE key_hash > k.h AND key_hash < {high} ORDER BY key_hash LIMIT 1) FROM k WHERE k.h IS NOT NULL) "
        "SELECT e.key_hash, e.count, e.acc FROM k JOIN ledger__entry e ON e.key_hash = k.h "
        "AND e.idx = (SELECT max(idx) FROM ledger__entry WHERE key_hash = k.h)"
    )


_HEAD = "SELECT checkpoint, frontier, keyid, last_at, nodes_size FROM ledger__head WHERE id = 1"


class Store(ABC):
    """One connection of the writer, and at most one transaction on it."""

    lock_head = _HEAD

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.begun = False
        self._raw: Any = conn.connection.driver_connection

    def begin(self) -> HeadRow:
        """Start the transaction and take the lock of the head, which holds until its end."""
        self._begin()
        self.begun = True
        row = self._rows(self.lock_head).fetchone()
        if row is None:
            raise Corrupt("the log has no head; restore from a backup")
        return HeadRow(row[0], bytes(row[1]), row[2], row[3], row[4])

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def append(self, change: Change) -> bool:
        """Write a change; False, with nothing written, if the head is not the one it was prepared for."""

    def savepoint(self) -> None:
        self._rows("SAVEPOINT unit")

    def undo(self) -> None:
        """Undo what was written since the savepoint."""
        self._rows("ROLLBACK TO SAVEPOINT unit")

    def release(self) -> None:
        self._rows("RELEASE SAVEPOINT unit")

    def commit(self) -> None:
        """End the transaction, if one was begun; what it wrote is on the disk when this returns."""
        if self.conn.in_transaction():  # somebody used the connection through SQLAlchemy, which has to know
            self.conn.commit()
        elif self.begun:
            self._raw.commit()
        self.begun = False

    def rollback(self) -> None:
        if self.conn.in_transaction():
            self.conn.rollback()
        elif self.begun:
            self._raw.rollback()
        self.begun = False

    @property
    def usable(self) -> bool:
        return not self.conn.closed and not self.conn.invalidated

    def close(self) -> None:
        self.conn.close()

    def discard(self) -> None:
        """Close the connection and have nobody else use it."""
        self.conn.invalidate()
        self.conn.close()

    # -- reading, inside the transaction --------------------------------------------------------------

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Any: ...

    @abstractmethod
    def newest_entries(self, ranges: Sequence[Range]) -> list[Entry]:
        """The newest entry of each key in some ranges of key hashes."""

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        rows = self._rows(
            "SELECT leaf_hash FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
        ).fetchall()
        if len(rows) != end - start:
            raise Corrupt(f"leaves between {start} and {end} are missing; run `alcaide evidence verify`")
        return [bytes(row[0]) for row in rows]

    def tile(self, level: int, index: int) -> bytes:
        sql = "SELECT hashes FROM ledger__tile WHERE level = ? AND idx = ?"
        row = self._rows(sql, (level, index)).fetchone()
        if row is None:
            raise Corrupt(f"tile {level}/{index} is missing; run `alcaide evidence verify`")
        return bytes(row[0])

    def nodes(self) -> list[tuple[int, bytes]]:
        rows = self._rows("SELECT node_id, children FROM ledger__node").fetchall()
        return [(number, bytes(children)) for number, children in rows]

    def steps(self, start: int, end: int) -> list[bytes]:
        """What each commit changed in the index, over the leaves in [start, end)."""
        rows = self._rows(
            "SELECT index_step FROM ledger__leaf WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
        ).fetchall()
        return [bytes(row[0]) for row in rows if row[0]]


class SqliteStore(Store):
    """SQLite: statements are cheap, changed pages are not."""

    _NEWEST = newest_entries("?1", "?2")
    _INSERT: ClassVar = {part.table: _insert_sql(part) for part in PARTS}

    def _begin(self) -> None:
        self._raw.execute("BEGIN IMMEDIATE")

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._raw.execute(sql, values)

    def newest_entries(self, ranges: Sequence[Range]) -> list[Entry]:
        return [
            Entry(hashed, count, acc)
            for one in ranges
            for hashed, count, acc in self._raw.execute(self._NEWEST, one)
        ]

    def append(self, change: Change) -> bool:
        if not self.begun:
            self._begin()
            self.begun = True
        head = change.head
        moved = self._raw.execute(
            "UPDATE ledger__head SET checkpoint = ?, frontier = ?, keyid = ?, last_at = ?, nodes_size = ? "
            "WHERE id = 1 AND checkpoint = ?",
            (head.checkpoint, head.frontier, head.keyid, head.last_at, head.nodes_size, change.follows),
        )
        if moved.rowcount != 1:
            return False
        for part, rows in change.parts():
            if len(rows) == 1:
                self._raw.execute(self._INSERT[part.table], rows[0])
            elif rows:
                self._raw.executemany(self._INSERT[part.table], rows)
        return True


class PostgresqlStore(Store):
    """PostgreSQL: each call is a round trip to another process."""

    lock_head = _HEAD + " FOR UPDATE"

    _ENTRIES = (
        "SELECT newest.* FROM unnest(?::bytea[], ?::bytea[]) AS r(low, high) "  # noqa: S608
        f"CROSS JOIN LATERAL ({newest_entries('r.low', 'r.high')}) AS newest"
    )

    def __init__(self, conn: Connection) -> None:
        super().__init__(conn)
        self._prepared: set[bytes] = set()

    def _begin(self) -> None:
        pass  # the driver says BEGIN before the first statement

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._raw.execute(sql.replace("?", "%s"), values, binary=True)

    def newest_entries(self, ranges: Sequence[Range]) -> list[Entry]:
        bounds = ([low for low, _ in ranges], [high for _, high in ranges])
        rows = self._rows(self._ENTRIES, bounds).fetchall()
        return [Entry(bytes(hashed), count, bytes(acc)) for hashed, count, acc in rows]

    def append(self, change: Change) -> bool:
        head = change.head
        values = [_text(head.checkpoint), head.frontier, _text(head.keyid), _text(head.last_at)]
        values += [_bigint(head.nodes_size), _text(change.follows)]
        every = change.parts()
        rare = any(rows for _, rows in every[2:])
        used = every if rare else every[:2]
        for part, rows in used:
            values += _columns(part, rows)
        return self._execute([part for part, _ in used], values)

    def _execute(self, parts: Sequence[Part], values: Sequence[bytes]) -> bool:
        """Below the driver's cursor, whose adaptation of values would be a third of the commit."""
        from psycopg import errors, pq

        name = b"alcaide_append_%d" % len(parts)
        if name not in self._prepared:
            self._check(self._raw.pgconn.prepare(name, _append_sql(parts).encode()), errors, pq)
            self._prepared.add(name)
        result = self._raw.pgconn.exec_prepared(name, values, [1] * len(values), 1)
        self._check(result, errors, pq)
        return bool(result.get_value(0, 0) == _bigint(1))

    @staticmethod
    def _check(result: Any, errors: Any, pq: Any) -> None:
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"58000").decode()
            message = (result.error_message or b"no detail given").decode(errors="replace")
            try:
                kind = errors.lookup(state)
            except KeyError:
                kind = errors.OperationalError
            raise kind(message.strip())


# -- one statement for PostgreSQL ---------------------------------------------------------------------


def _append_sql(parts: Sequence[Part]) -> str:
    """One statement that moves the head, and writes the rest only if it did."""
    moved = (
        "moved AS (UPDATE ledger__head SET checkpoint = $1::text, frontier = $2::bytea, keyid = $3::text, "
        "last_at = $4::text, nodes_size = $5::bigint WHERE id = 1 AND checkpoint = $6::text RETURNING id)"
    )
    steps = [moved]
    number = 6
    for part in parts:
        arrays = []
        for kind in part.columns.values():
            number += 1
            arrays.append(f"${number}::{kind.name}[]")
        columns = ", ".join(f"r.{name}" for name in part.columns)
        steps.append(
            f"{part.table}_rows AS (INSERT INTO {part.table} ({part.names}) SELECT {columns} "  # noqa: S608
            f"FROM moved CROSS JOIN unnest({', '.join(arrays)}) AS r({part.names}) {part.on_conflict})"
        )
    return f"WITH {', '.join(steps)} SELECT count(*) FROM moved"  # noqa: S608


def _columns(part: Part, rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """The rows as arrays in PostgreSQL's binary form (array_recv): dimensions, flags, element type, elements."""
    if not rows:
        return [struct.pack(">iii", 0, 0, kind.oid) for kind in part.columns.values()]
    found = []
    for kind, column in zip(part.columns.values(), zip(*rows, strict=True), strict=True):
        elements = [kind.encode(value) for value in column]
        pieces = [struct.pack(">iiiii", 1, 0, kind.oid, len(elements), 1)]
        for element in elements:
            pieces += (len(element).to_bytes(4, "big"), element)
        found.append(b"".join(pieces))
    return found
