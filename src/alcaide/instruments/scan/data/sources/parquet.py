"""Parquet, asked where it lies."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.data.engine import Engine, literal, quoted
from alcaide.instruments.scan.data.rules import BROKEN_ROWS
from alcaide.instruments.scan.data.sources.table import ROW, Remark, Table, described, distinct_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_parquet(engine: Engine, places: Sequence[str], paths: Sequence[Path] = ()) -> Table:
    """The files as one table, in the order given; columns that a file lacks are null in it.

    Row counts come from the footers and are checked against the rows that come out.
    """
    listed = "[" + ", ".join(literal(place) for place in places) + "]"
    reader = f"read_parquet({listed}, union_by_name={'true' if len(places) > 1 else 'false'})"
    counts = engine.rows(
        f"SELECT file_name, num_rows, num_row_groups, created_by FROM parquet_file_metadata({listed})"
    )
    by_file = {str(name): int(count) for name, count, *_ in counts}
    starts, at = [], 0
    for place in places:
        starts.append(at)
        at += by_file.get(place, 0)
    offset = "0"
    if len(places) > 1:
        # A list indexed by the file's number: one addition a row, however many files there are.
        offset = f"list_extract([{', '.join(map(str, starts))}]::BIGINT[], file_index::BIGINT + 1)"
    names = [str(name) for name, *_ in engine.rows(f"DESCRIBE SELECT * FROM {reader}")]
    limit = engine.policy.limits.columns
    chosen = ", ".join(
        f"{quoted(name)} AS {quoted(shown)}"
        for name, shown in list(zip(names, distinct_names(names), strict=True))[:limit]
    )
    engine.run(
        f"CREATE VIEW data AS SELECT (file_row_number::BIGINT + {offset}) AS {quoted(ROW)}, {chosen} FROM {reader}"
    )
    table = Table(engine, "parquet", "data", described(engine, "data"), at, paths=paths)
    table.columns_left_out = max(0, len(names) - limit)
    table.facts.update(
        files=len(places),
        row_groups=sum(int(groups) for *_, groups, _ in counts),
        written_by=str(counts[0][3])[:80],
    )
    (real,) = engine.row(f"SELECT count(*) FROM data WHERE {quoted(ROW)} >= 0")
    if real != at:
        table.remarks.append(
            Remark(
                BROKEN_ROWS,
                f"its footers say {at:,} rows, and {real:,} come out",
                {"said": at, "real": real},
            )
        )
        table.rows = int(real)
    return table
