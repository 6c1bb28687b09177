"""Opening the database, and the two ways of using it: a reading snapshot, and a writing transaction.

Evidence and the changes it records go through `Ledger.write`, never through `transaction` here, which is
for housekeeping that is not evidence (last use of a token, a job's heartbeat).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url

from alcaide.kernel.errors import ConfigError, Unavailable

MAPPED_BYTES = 256 * 2**20
JOINS = "alcaide_joins"
"""Execution option of a connection whose owner says BEGIN, COMMIT and ROLLBACK on the driver itself."""
BUSY_TIMEOUT_MS = 30_000  # a writer waits this long for another process's commit before giving up


class Database:
    """A pool of connections. Safe to share between threads, not between forks."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect: str = engine.dialect.name

    @property
    def is_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent snapshot and cannot write."""
        with self._connect() as conn:
            conn = conn.execution_options(alcaide_read=True)
            if not self.is_sqlite:
                conn = conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            try:
                yield conn
            finally:
                conn.rollback()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A writing transaction for what is not evidence. Commits at the end, rolls back on an error."""
        with self._connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            conn = self.engine.connect()
        except sa.exc.OperationalError as problem:
            raise Unavailable(
                f"the database does not answer: {_cause(problem)}; check `database_url`"
            ) from problem
        try:
            yield conn
        finally:
            conn.close()

    def close(self) -> None:
        self.engine.dispose()


def driver_rows(conn: Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Rows straight from the driver, in the connection's transaction; `?` stands for a value.

    For what is read so often, and is so small, that Core would take most of the time: a lookup costs a
    tenth. Binary values are of the driver's type.
    """
    if not conn.in_transaction():
        conn.begin()
    raw: Any = conn.connection.driver_connection
    try:
        if conn.dialect.name == "sqlite":
            return raw.execute(sql, values).fetchall()  # type: ignore[no-any-return]
        return raw.execute(sql.replace("?", "%s"), values, binary=True).fetchall()  # type: ignore[no-any-return]
    except conn.dialect.loaded_dbapi.Error as problem:
        raise sa.exc.DatabaseError(sql, None, problem) from problem


def open_database(
    url: str, *, synchronous: str = "FULL", pool_size: int = 16, mapped: bool = True
) -> Database:
    """Open `sqlite:///path` or `postgresql://…` (needs the `pg` extra). Raises ConfigError for others.

    SQLite runs in WAL mode with `synchronous=FULL`: a commit is on the disk before it is acknowledged.
    `mapped` is whether SQLite may map its file into memory: quicker, but a reader of the whole file then
    counts all of it as its own.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return Database(_sqlite(url, parsed.database, synchronous, pool_size, mapped))
    if backend == "postgresql":
        return Database(_postgresql(parsed, pool_size))
    raise ConfigError(f"`database_url` names `{backend}`; use sqlite:///… or postgresql://…")


def _sqlite(url: str, path: str | None, synchronous: str, pool_size: int, mapped: bool) -> Engine:
    if not path or path == ":memory:":
        raise ConfigError("`database_url` must name a file, as sqlite:///path/to/alcaide.db")
    if not Path(path).parent.is_dir():
        raise ConfigError(
            f"folder `{Path(path).parent}` does not exist; create it or give another with --data"
        )
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=64,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi: sqlite3.Connection, _record: Any) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves; pysqlite's own guess loses updates
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            f"cache_size={-65536 if mapped else -8192}",  # KiB
            f"mmap_size={MAPPED_BYTES if mapped else 0}",
            "temp_store=MEMORY",
            # 16 MiB. The default of 4 MiB would have every larger commit fold the log back; a larger log takes
            # longer to reach its length, and until then each sync costs twice: the file system has to note
            # that the file grew.
            "wal_autocheckpoint=4000",
            "trusted_schema=OFF",
            "cell_size_check=ON",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        # INVARIANT: a writer takes the lock before it reads, or two writers could read the same head.
        options = conn.get_execution_options()
        if not options.get(JOINS):
            conn.exec_driver_sql("BEGIN" if options.get("alcaide_read") else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: sa.URL, pool_size: int) -> Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    try:
        # The driver prepares nothing by itself: at a rollback it would deallocate every statement of the
        # session, those that the log prepares for its own append among them.
        never = {"prepare_threshold": None}
        return sa.create_engine(
            url, pool_size=pool_size, max_overflow=64, pool_pre_ping=True, connect_args=never
        )
    except ImportError:
        raise ConfigError(
            "PostgreSQL needs the `pg` extra; install it with `pip install 'alcaide[pg]'`"
        ) from None


def _cause(problem: sa.exc.DBAPIError) -> str:
    return str(problem.orig).strip().splitlines()[0][:200] if problem.orig else "no detail given"
