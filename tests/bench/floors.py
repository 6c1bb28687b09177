"""The databases alone: the same bytes as our statements, inserted by the driver itself and nothing done with them.

A floor, not a peer: no signature, no tree, no index, nobody who could check anything. What lies between it and us is
what all of that costs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from tests.bench.report import Figure

BATCH = 500


def plain_inserts(
    folder: Path, postgresql_url: str | None, sample: bytes, seconds: float
) -> Iterator[Figure]:
    """Rows a second in batches and one a commit, on each database."""
    conn = sqlite3.connect(folder / "floor.db", isolation_level=None)
    try:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)")

        def insert(many: int) -> None:
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany("INSERT INTO t (content) VALUES (?)", [(sample,)] * many)
            conn.execute("COMMIT")

        yield from _both(f"SQLite {sqlite3.sqlite_version} alone", insert, seconds)
    finally:
        conn.close()
    if postgresql_url:
        yield from _postgresql(postgresql_url, sample, seconds)


def _postgresql(url: str, sample: bytes, seconds: float) -> Iterator[Figure]:
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as conn:
        conn.execute("CREATE TABLE floor (id bigserial PRIMARY KEY, content bytea)")

        def insert(many: int) -> None:
            with conn.transaction(), conn.cursor() as cursor:
                cursor.executemany("INSERT INTO floor (content) VALUES (%s)", [(sample,)] * many)

        try:
            yield from _both("PostgreSQL alone", insert, seconds)
        finally:
            conn.execute("DROP TABLE floor")


def _both(name: str, insert: Callable[[int], None], seconds: float) -> Iterator[Figure]:
    for many, what in ((BATCH, f"batches of {BATCH}"), (1, "one row a commit")):
        count, started = 0, perf_counter()
        while (took := perf_counter() - started) < seconds:
            insert(many)
            count += many
        yield Figure(f"{name}: {what}", count / took, "rows/s", note="the same bytes, nothing else")
