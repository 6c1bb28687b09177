"""Bringing a database to the newest form: one linear Alembic history, for both databases.

A failed migration leaves the database as it was (both databases roll back DDL) and stops the start.
Alembic is imported only here, and only when the database is not at the newest revision already.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from alcaide.kernel.db.engine import Database
from alcaide.kernel.errors import ConfigError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parents[2] / "migrations"
_LOCK = 7025311  # any constant of ours: one process migrates a PostgreSQL database at a time


def head_revision() -> str:
    """The newest revision this version knows, read from file names: `0001_first.py` is `0001`."""
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def current_revision(conn: Connection) -> str | None:
    """The database's revision, or None for an empty database."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision this version knows."""
    with database.read() as conn:
        return current_revision(conn) == head_revision()


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate, unless the database is there already. Raises ConfigError, with nothing half done."""
    with database.read() as conn:
        current = current_revision(conn)
    newest = head_revision()
    if current == newest and revision == "head":
        return
    if current is not None and current > newest:
        raise ConfigError(
            f"the database is at revision {current}, and this version knows {newest} at most; "
            "install a newer Alcaide"
        )
    from alembic import command

    try:
        with database.transaction() as conn:
            if not database.is_sqlite:
                conn.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(_alembic(conn), revision)
    except Exception as problem:  # whatever a migration raises, the start must stop and say so
        cause = str(getattr(problem, "orig", None) or problem).strip().splitlines()
        raise ConfigError(
            f"the database could not be migrated from {current or 'empty'} to {newest}: "
            f"{cause[0][:300] if cause else type(problem).__name__}; nothing was changed. "
            "Restore a backup or report this"
        ) from problem


def _alembic(conn: Connection) -> AlembicConfig:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = conn
    return config
