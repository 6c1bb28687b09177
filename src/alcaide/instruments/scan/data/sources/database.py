"""Tables of a database, read-only: SQLite files and PostgreSQL servers, named by a URL.

`sqlite:///folder/file.db?table=orders`, `postgresql://user@host/base?table=public.orders`. The rows are copied once
into the scratch database, in one read-only transaction: the set that was looked at is the set as it was then.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from alcaide.instruments.scan.data.engine import Engine, literal
from alcaide.instruments.scan.data.sources.jsonl import lay_out
from alcaide.instruments.scan.data.sources.table import Table
from alcaide.instruments.scan.limits import Malformed, OverBudget, Unsupported
from alcaide.instruments.scan.source import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SCHEMES = ("sqlite", "postgresql", "postgres")
_BATCH = 5_000


def split_table(url: str) -> tuple[str, str | None]:
    """The URL without `table=`, and the table that it named."""
    parts = urlsplit(url)
    options = parse_qsl(parts.query, keep_blank_values=True)
    table = next((value for name, value in options if name == "table"), None)
    rest = urlencode([(name, value) for name, value in options if name != "table"])
    return urlunsplit(parts._replace(query=rest)), table


def shown_url(url: str) -> str:
    """The URL without a password, for reports."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@")))


def read_database(engine: Engine, url: str) -> Table:
    """One table of a database. Raises UnreadableError if it cannot be reached or there is no such table."""
    plain, name = split_table(url)
    scheme = urlsplit(plain).scheme.split("+")[0]
    if scheme == "sqlite":
        path = unquote(urlsplit(plain).path)
        return read_sqlite(engine, path[1:] if path.startswith("//") else path, name)
    return _read_postgresql(engine, plain, name)


def read_sqlite(engine: Engine, path: str | Path, name: str | None) -> Table:
    """A table of an SQLite file, opened so that nothing is written, not even a journal."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=0", uri=True)
    except sqlite3.Error as error:
        raise UnreadableError(f"it cannot be opened: {error}") from error
    try:
        connection.execute("PRAGMA query_only = on")
        # A schema made by a stranger may call functions from views and triggers; those that act are refused.
        connection.execute("PRAGMA trusted_schema = off")
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = [
            str(row[0])
            for row in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
        ]
        chosen = _chosen(tables, name)
        cursor = connection.execute(f'SELECT * FROM "{chosen.replace(chr(34), chr(34) * 2)}"')
        table = _copied(
            engine,
            "sqlite",
            [str(one[0]) for one in cursor.description],
            iter(lambda: cursor.fetchmany(_BATCH), []),
        )
    except sqlite3.Error as error:
        raise Malformed(f"the database says: {error}") from error
    finally:
        connection.close()
    table.facts.update(table=chosen, tables=tables[:100])
    return table


def _read_postgresql(engine: Engine, url: str, name: str | None) -> Table:
    try:
        import psycopg
        from psycopg import sql
    except ImportError as error:
        raise Unsupported("reading PostgreSQL takes the package `psycopg`: install alcaide[pg]") from error
    try:
        with psycopg.connect(
            url, options="-c default_transaction_read_only=on", connect_timeout=10
        ) as connection:
            tables = [
                f"{schema}.{table}"
                for schema, table in connection.execute(
                    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN "
                    "('pg_catalog', 'information_schema') ORDER BY 1, 2"
                )
            ]
            wanted = name if name is None or "." in name else f"public.{name}"
            chosen = _chosen(tables, wanted)
            with connection.cursor(name="alcaide_scan") as cursor:
                cursor.itersize = _BATCH
                cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(*chosen.split(".", 1))))
                first = cursor.fetchmany(_BATCH)
                names = [one.name for one in cursor.description or ()]

                def batches() -> Iterable[Sequence[tuple[Any, ...]]]:
                    batch = first
                    while batch:
                        yield batch
                        batch = cursor.fetchmany(_BATCH)

                table = _copied(engine, "postgresql", names, batches())
    except psycopg.Error as error:
        said = str(error).strip().split("\n", 1)[0]
        raise UnreadableError(f"the database says: {said}") from error
    table.facts.update(table=chosen, tables=tables[:100])
    return table


def _chosen(tables: list[str], name: str | None) -> str:
    if name is None and len(tables) == 1:
        return tables[0]
    if name in tables:
        return str(name)
    listed = ", ".join(f"`{table}`" for table in tables[:10]) or "none"
    said = "no table was named" if name is None else f"there is no table `{name}`"
    raise UnreadableError(f"{said}; the tables are {listed}: add `?table=` and one of them")


def _copied(engine: Engine, kind: str, names: list[str], batches: Iterable[Sequence[Sequence[Any]]]) -> Table:
    """The rows, by way of a file of JSON lines in the scratch folder: it keeps nulls, types and nested values."""
    copy = engine.scratch / "rows.jsonl"
    written = 0
    with copy.open("w", encoding="utf-8") as target:
        for batch in batches:
            engine.check_time()
            for row in batch:
                line = json.dumps(
                    dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False, allow_nan=False
                )
                # Lone surrogates have no UTF-8; the scan goes on without them.
                written += target.write(line.encode("utf-8", "replace").decode() + "\n")
            if written > engine.policy.limits.disk:
                raise OverBudget(f"its rows take more than {engine.policy.limits.disk >> 30:,} GiB")
    table = Table(engine, kind, "data", [], 0)
    engine.run("CREATE TABLE raw (record JSON)")
    engine.run(
        f"INSERT INTO raw SELECT json FROM read_json_objects({literal(str(copy))}, format='newline_delimited', "
        f"ignore_errors=true, maximum_object_size={engine.policy.limits.line})"
    )
    copy.unlink()
    lay_out(table)
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if value is None or isinstance(value, str | bool | dict | list):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()[:4096]
    return str(value)
