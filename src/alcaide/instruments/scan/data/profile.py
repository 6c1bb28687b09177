"""The schema and statistics of every column, over all rows, in a few passes of aggregates."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import quoted
from alcaide.instruments.scan.data.report import ColumnProfile, Role
from alcaide.instruments.scan.data.sources.table import ROW, Field, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOGETHER = 16
"""Columns asked for in one pass: wide tables would otherwise hold too many sketches at once."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_CATEGORIES = 64
"""Distinct values up to which they are counted one by one."""


def profile(table: Table) -> list[ColumnProfile]:
    """All columns, in the order of the table."""
    found: list[ColumnProfile] = []
    for start in range(0, len(table.columns), _TOGETHER):
        found.extend(_group(table, table.columns[start : start + _TOGETHER]))
    for column, field in zip(found, table.columns, strict=True):
        column.role = _role(column, field)
        if column.role in {"category", "boolean", "constant"} and not field.is_nested:
            column.top = _top(table, field)
    return found


def draw_sample(table: Table) -> str:
    """A relation with at most about `sample_rows` rows, always the same ones: all rows where there are no more."""
    most = table.engine.policy.limits.sample_rows
    share = min(1.0, most / max(1, table.rows))
    # The row number, mixed by the seed, decides: the same rows whatever the threads do.
    where = (
        ""
        if share >= 1
        else f" WHERE hash({quoted(ROW)}, {table.engine.policy.seed}) < {int(share * (1 << 64))}::UBIGINT"
    )
    table.engine.run(f"CREATE TABLE IF NOT EXISTS sampled AS SELECT * FROM {table.relation}{where}")
    return "sampled"


def _group(table: Table, fields: Sequence[Field]) -> list[ColumnProfile]:
    asked: list[str] = []
    for field in fields:
        asked.extend(_aggregates(field))
    answer = iter(table.engine.row(f"SELECT {', '.join(asked)} FROM {table.relation}"))
    return [_profile(field, table.rows, answer) for field in fields]


def _aggregates(field: Field) -> list[str]:
    """Of each column the same seven things, null where they make no sense for its type."""
    name = field.sql
    count = f"count({name})"
    none = "NULL"
    if field.is_vector:
        return [count, none, f"min(len({name}))", f"max(len({name}))", none, none, none]
    if field.is_nested or field.type == "BLOB":
        text = name if field.type == "BLOB" else f"{name}::VARCHAR"
        size = "octet_length" if field.type == "BLOB" else "length"
        return [
            count,
            none,
            none,
            none,
            none,
            none,
            f"[min({size}({text})), avg({size}({text})), max({size}({text}))]",
        ]
    distinct = f"approx_count_distinct({name})"
    if field.is_text:
        length = f"length({name})"
        return [count, distinct, none, none, none, none, f"[min({length}), avg({length}), max({length})]"]
    if field.is_number:
        # NaN is no number: it is left out of what is computed with, and counted as missing.
        value = name if field.is_whole else f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
        listed = ", ".join(map(str, QUANTILES))
        return [
            f"count({value})",
            distinct,
            f"min({value})::DOUBLE",
            f"max({value})::DOUBLE",
            f"avg({value}::DOUBLE)",
            f"approx_quantile({value}::DOUBLE, [{listed}])",
            none,
        ]
    if field.is_time:
        return [count, distinct, f"min({name})::VARCHAR", f"max({name})::VARCHAR", none, none, none]
    if field.type == "BOOLEAN":
        return [count, distinct, none, none, f"avg({name}::INT)", none, none]
    return [count, distinct, none, none, none, none, none]


def _profile(field: Field, rows: int, answer: Any) -> ColumnProfile:
    count, distinct, least, most, mean, quantiles, length = (next(answer) for _ in range(7))
    column = ColumnProfile(field.name, field.type, rows=rows, nulls=rows - int(count or 0))
    column.distinct = min(int(distinct or 0), int(count or 0))
    column.minimum, column.maximum = _finite(least), _finite(most)
    column.mean = _finite(mean)
    if quantiles:
        column.quantiles = tuple(float(value) for value in quantiles if value is not None)
    if length and length[0] is not None:
        column.length = (int(length[0]), round(float(length[1]), 2), int(length[2]))
    return column


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _role(column: ColumnProfile, field: Field) -> Role:
    filled = column.rows - column.nulls
    if filled == 0:
        return "empty"
    if field.is_vector:
        return "embedding" if column.minimum == column.maximum and (column.minimum or 0) >= 8 else "nested"  # type: ignore[operator]
    if field.type == "BLOB":
        return "binary"
    if field.is_nested:
        return "nested"
    if column.distinct <= 1 and filled > 1:
        return "constant"
    if field.type == "BOOLEAN":
        return "boolean"
    if field.is_time:
        return "time"
    if field.type == "UUID":
        return "identifier"
    # The count of distinct values is about 2 % off.
    unique = column.distinct >= 0.93 * filled and filled >= 20
    if field.is_number:
        named = (
            field.name.lower().endswith(("id", "key", "index", "nr", "_no", "number")) or field.name == ROW
        )
        dense = (
            field.is_whole
            and isinstance(column.minimum, float)
            and isinstance(column.maximum, float)
            and abs(column.maximum - column.minimum + 1 - filled) <= 0.02 * filled
        )
        if field.is_whole and unique and (named or dense):
            return "identifier"
        return (
            "category"
            if field.is_whole and column.distinct <= 20 and column.distinct < 0.2 * filled
            else "number"
        )
    if column.length is None:
        return "category"
    # Whether what is left is codes, categories or prose shows in the sample: `refine` asks.
    return "text"


def refine(table: Table, columns: Sequence[ColumnProfile], sample: str) -> None:
    """Tell prose, categories and codes apart among the columns of text, by how many words their values have."""
    open_ones = [
        (column, field)
        for column, field in zip(columns, table.columns, strict=True)
        if column.role == "text" and field.is_text
    ]
    if not open_ones:
        return
    spaces = table.engine.row(
        "SELECT "
        + ", ".join(
            f"avg(length({field.sql}) - length(replace({field.sql}, ' ', '')))" for _, field in open_ones
        )
        + f" FROM {sample}"
    )
    for (column, field), gaps in zip(open_ones, spaces, strict=True):
        filled = column.rows - column.nulls
        mean = column.length[1] if column.length else 0.0
        wordy = float(gaps or 0.0) >= 3 or mean >= 80 or _unspaced(mean, float(gaps or 0.0), column)
        if column.distinct <= max(50, 0.02 * filled) and column.distinct <= 0.5 * filled and mean <= 80:
            column.role = "category"
            column.top = _top(table, field)
        elif not wordy:
            column.role = "identifier" if column.distinct > 0.5 * filled else "category"


def _unspaced(mean: float, gaps: float, column: ColumnProfile) -> bool:
    """Prose without spaces (Chinese, Japanese) varies in length; codes do not."""
    if gaps >= 0.5 or mean < 12 or column.length is None:
        return False
    return column.length[2] - column.length[0] > 2 * mean


def _top(table: Table, field: Field) -> tuple[tuple[str, int], ...]:
    name = field.sql
    return tuple(
        (str(value)[:80], int(count))
        for value, count in table.engine.rows(
            f"SELECT {name}::VARCHAR, count(*) FROM {table.relation} WHERE {name} IS NOT NULL "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_CATEGORIES}"
        )
    )
