"""The mark of a restore that has not reached its end, kept in the database that it fills.

A folder that a restore fills has no name before the end. A database that lies outside it has one all along, so it
carries this mark, written in the very transaction that brings its tables: nobody ever sees the one without the other.

- `loaded`: the tables are there and nothing has verified them. No start believes them.
- `verified`: only the folder's name is missing. Whoever opens the database with the folder that holds the key which
  signed its newest checkpoint has that folder, so the restore did reach its end, and the mark goes.

A restore into a marked database empties it first and begins anew, unless the one that marked it is still at work,
which a lock on the database tells: it goes with the process, however that ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import rfc3339, utcnow
from alcaide.kernel.db import Database
from alcaide.kernel.errors import ConfigError, Conflict

TABLE = "alcaide_restore"
_LOCK = 7025312  # beside the one of migrations; any constant of ours

# Of no MetaData that others make tables from: it exists while a restore does.
_mark = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("keyid", sa.String(100), nullable=False),
    sa.Column("begun_at", sa.String(40), nullable=False),
)


def set_mark(conn: Connection, target: Path) -> None:
    """Mark the database in the transaction that fills it."""
    _mark.create(conn)
    conn.execute(
        sa.insert(_mark).values(state="loaded", target=str(target), keyid="", begun_at=rfc3339(utcnow()))
    )


def set_verified(database: Database, keyid: str) -> None:
    """Say that all is verified, and which key the folder must hold."""
    with database.transaction() as conn:
        conn.execute(sa.update(_mark).values(state="verified", keyid=keyid))


def clear_mark(database: Database) -> None:
    """The restore has reached its end."""
    with database.transaction() as conn:
        _mark.drop(conn, checkfirst=True)


def is_marked(conn: Connection) -> bool:
    """Whether a restore into this database has not reached its end."""
    return sa.inspect(conn).has_table(TABLE)


def check_finished(database: Database, holds_key: Callable[[str], bool]) -> None:
    """Raise ConfigError unless what is in the database was restored to the end, or not restored at all.

    `holds_key` says whether the folder that is opened holds the key of an id.
    """
    with database.read() as conn:
        if not is_marked(conn):
            return
        row = conn.execute(sa.select(_mark)).first()
    if row is not None and row.state == "verified" and holds_key(row.keyid):
        clear_mark(database)
        return
    begun = f"begun at {row.begun_at} for the folder `{row.target}` " if row is not None else ""
    raise ConfigError(
        f"a restore into this database, {begun}is under way or was cut off; what is in it cannot be believed. "
        "If it is not under way, run the same `alcaide restore` again: it empties the database and begins anew"
    )


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Be the only restore into this database. Raises Conflict. SQLite's own write lock does for a file."""
    if database.is_sqlite:
        yield
        return
    with database.engine.connect() as conn:
        conn = conn.execution_options(isolation_level="AUTOCOMMIT")
        if not conn.execute(sa.text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar():
            raise Conflict("another restore into this database is under way; wait for it, or stop it")
        try:
            yield
        finally:
            conn.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def prepare(conn: Connection) -> Literal["empty", "emptied"]:
    """Have the database empty: it is, or what a restore that was cut off left in it goes. Raises Conflict."""
    present = sa.inspect(conn).get_table_names()
    if TABLE in present:
        found = sa.MetaData()
        found.reflect(conn)
        found.drop_all(conn)
        return "emptied"
    if present:
        raise Conflict(
            f"the database holds tables already (`{present[0]}` and {len(present) - 1} more); "
            "give an empty one with --database-url"
        )
    return "empty"
