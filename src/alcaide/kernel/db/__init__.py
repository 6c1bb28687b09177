"""One database for state and ledger: SQLite in WAL mode by default, PostgreSQL when outgrown."""

from __future__ import annotations

from alcaide.kernel.db.engine import Database, driver_rows, open_database
from alcaide.kernel.db.metadata import metadata
from alcaide.kernel.db.types import JsonDoc, UtcDateTime

__all__ = ["Database", "JsonDoc", "UtcDateTime", "driver_rows", "metadata", "open_database"]
