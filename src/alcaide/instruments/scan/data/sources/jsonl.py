"""JSON lines and JSON arrays of objects.

Every record is kept as it is first; which fields there are, and of which type, is asked of all records before they
are laid out in columns. Lines that are no JSON, and records that are no objects, keep their number and are said.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import Engine, literal, quoted
from alcaide.instruments.scan.data.rules import BROKEN_ROWS, MIXED_TYPES
from alcaide.instruments.scan.data.sources.table import ROW, Remark, Table, described, distinct_names
from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DEPTH = 6
"""Nesting that becomes columns of structures; what is deeper stays JSON."""


def read_json(engine: Engine, paths: Sequence[Path], compression: str, form: str) -> Table:
    """The files as one table. `form` is `newline_delimited` or `array`."""
    table = Table(engine, "jsonl" if form == "newline_delimited" else "json", "data", [], 0, paths=paths)
    engine.run("CREATE TABLE raw (record JSON)")
    listed = ", ".join(literal(str(path)) for path in paths)
    ignore = "ignore_errors=true, " if form == "newline_delimited" else ""
    engine.run(
        f"INSERT INTO raw SELECT json FROM read_json_objects([{listed}], format='{form}', {ignore}"
        f"compression='{compression}', maximum_object_size={engine.policy.limits.line})"
    )
    lay_out(table)
    return table


def lay_out(table: Table) -> None:
    """Make the relation `data` of the records in `raw`."""
    engine = table.engine
    (table.rows,) = engine.row("SELECT count(*) FROM raw")
    odd = "record IS NULL OR json_type(record) <> 'OBJECT'"
    (broken,) = engine.row(f"SELECT count(*) FROM raw WHERE {odd}")
    if broken:
        rows = tuple(
            row for (row,) in engine.rows(f"SELECT rowid FROM raw WHERE {odd} ORDER BY rowid LIMIT 50")
        )
        table.lost += broken
        table.remarks.append(
            Remark(
                BROKEN_ROWS,
                f"{broken:,} records are no JSON objects, the first is record {rows[0]:,}",
                {"count": broken},
                rows,
            )
        )
    (text,) = engine.row("SELECT json_group_structure(record) FROM raw WHERE json_type(record) = 'OBJECT'")
    structure = json.loads(text) if text else {}
    if not isinstance(structure, dict) or not structure:
        raise Malformed("there is no record with fields in it")
    limit = engine.policy.limits.columns
    table.columns_left_out = max(0, len(structure) - limit)
    fields = dict(list(structure.items())[:limit])
    for name, kind in fields.items():
        if kind == "JSON":
            table.remarks.append(
                Remark(
                    MIXED_TYPES,
                    f"the values of field `{name}` are of several types",
                    {"column": name},
                )
            )
    plain = {name: _settled(kind, 0) for name, kind in fields.items()}
    given = distinct_names(list(plain))
    chosen = ", ".join(
        f"s.{quoted(name)} AS {quoted(shown)}" for name, shown in zip(plain, given, strict=True)
    )
    engine.run(
        f"CREATE TABLE laid AS SELECT {chosen} FROM (SELECT json_transform(CASE WHEN json_type(record) = 'OBJECT' "
        f"THEN record END, {literal(json.dumps(plain))}) AS s FROM raw)"
    )
    engine.run("DROP TABLE raw")
    engine.run(f"CREATE VIEW data AS SELECT rowid AS {quoted(ROW)}, * FROM laid")
    table.columns = described(engine, "data")


def _settled(kind: Any, depth: int) -> Any:
    """A structure without what only nulls were seen of, and without what is nested too deep."""
    if depth >= _DEPTH and not isinstance(kind, str):
        return "JSON"
    if isinstance(kind, dict):
        return {name: _settled(inner, depth + 1) for name, inner in list(kind.items())[:200]} or "JSON"
    if isinstance(kind, list):
        return [_settled(kind[0], depth + 1)] if kind else "JSON"
    return {"NULL": "VARCHAR"}.get(str(kind), kind)
