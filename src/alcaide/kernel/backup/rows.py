"""Tables as lines of JSON and back, the same for SQLite and PostgreSQL.

One line is one row: an array in the order of the columns the manifest lists. Values are what the
database stores, not what our types make of it (a time is its text, a document is its text), so that
dumping and loading cannot change a byte of what evidence was computed from. Binary is base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.backup.archive import Archive
from alcaide.kernel.errors import Corrupt, InvalidInput

MAX_LINE_BYTES = 128 * 2**20  # an envelope of the largest document we take (64 MiB) in base64
_ROWS_AT_A_TIME = 500
_BYTES_AT_A_TIME = 8 * 2**20

_PLAIN: Mapping[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "integer": sa.BigInteger(),
    "float": sa.Float(),
    "boolean": sa.Boolean(),
    "binary": sa.LargeBinary(),
}
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "float": (float, int),
    "boolean": (bool,),
    "binary": (str,),
}


def kind_of(column: sa.Column[Any]) -> str:
    """How a column's values are written: text, integer, float, boolean or binary."""
    kind = column.type
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    match kind:
        case sa.Boolean():
            return "boolean"
        case sa.Integer():
            return "integer"
        case sa.LargeBinary():
            return "binary"
        case sa.String():
            return "text"
        case sa.Float():
            return "float"
        case _:
            raise TypeError(f"column `{column.table.name}.{column.name}` has a type that backups do not know")


def dump(conn: Connection, table: sa.Table) -> Iterator[bytes]:
    """Every row of a table, as chunks of lines, in the order of the primary key."""
    kinds = [kind_of(column) for column in table.columns]
    plain = [sa.type_coerce(column, _PLAIN[kind]) for column, kind in zip(table.columns, kinds, strict=True)]
    binary = [place for place, kind in enumerate(kinds) if kind == "binary"]
    query = sa.select(*plain).order_by(*table.primary_key.columns)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    streamed = conn.execution_options(stream_results=True, yield_per=_ROWS_AT_A_TIME).execute(query)
    for part in streamed.partitions():
        lines = []
        for row in part:
            values = list(row)
            for place in binary:
                if values[place] is not None:
                    values[place] = base64.b64encode(values[place]).decode()
            lines.append(encode(values))
        yield ("\n".join(lines) + "\n").encode()


def load(conn: Connection, archive: Archive, table: Mapping[str, Any]) -> int:
    """Insert a table's rows as the manifest describes it; returns how many. Raises Corrupt, InvalidInput.

    Works by the manifest's column names alone, on whatever schema the database has: that of the version
    that made the backup, not ours.
    """
    kinds = [column["kind"] for column in table["columns"]]
    target = sa.table(table["name"], *(sa.column(c["name"], _PLAIN[c["kind"]]) for c in table["columns"]))
    names = [column["name"] for column in table["columns"]]
    count = 0
    for batch in _batches(archive.lines(table["member"], MAX_LINE_BYTES)):
        rows = [dict(zip(names, _row(line, kinds, table["name"]), strict=True)) for line in batch]
        conn.execute(sa.insert(target), rows)
        count += len(rows)
    if count != table["rows"]:
        raise Corrupt(
            f"table `{table['name']}` has {count} rows, the manifest says {table['rows']}; use another backup"
        )
    return count


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in lots that are bounded in number and in bytes."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if len(batch) >= _ROWS_AT_A_TIME or size >= _BYTES_AT_A_TIME:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _row(line: bytes, kinds: Sequence[str], table: str) -> list[Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != len(kinds):
        raise Corrupt(f"table `{table}` has a row that is not one; the backup was damaged or altered")
    for place, kind in enumerate(kinds):
        value = values[place]
        if value is None:
            continue
        if type(value) not in _PYTHON[kind]:
            raise Corrupt(
                f"table `{table}` has a value that is not {kind}; the backup was damaged or altered"
            )
        if kind == "integer" and not -(2**63) <= value < 2**63:
            raise Corrupt(f"table `{table}` has a number out of range; the backup was damaged or altered")
        if kind == "binary":
            values[place] = _binary(value, table)
    return values


def _binary(text: str, table: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Corrupt(
            f"table `{table}` has a value that is not base64; the backup was damaged or altered"
        ) from None


def check_description(tables: Any) -> list[dict[str, Any]]:
    """The manifest's list of tables, held to its shape: it comes from outside. Raises InvalidInput."""
    good = isinstance(tables, list) and len(tables) <= 1_000 and all(_is_table(table) for table in tables)
    if not good or len({table["name"] for table in tables}) != len(tables):
        raise InvalidInput("the backup's manifest does not describe its tables; use another backup")
    found: list[dict[str, Any]] = tables
    return found


def _is_table(table: Any) -> bool:
    return (
        isinstance(table, dict)
        and _is_name(table.get("name"))
        and isinstance(table.get("member"), str)
        and type(table.get("rows")) is int
        and isinstance(table.get("columns"), list)
        and 0 < len(table["columns"]) <= 500
        and all(
            isinstance(c, dict) and _is_name(c.get("name")) and c.get("kind") in _PLAIN
            for c in table["columns"]
        )
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= 63
