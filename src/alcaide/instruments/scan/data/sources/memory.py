"""Columns that are at hand in Python, as lists or arrays."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import Engine, quoted
from alcaide.instruments.scan.data.sources.table import ROW, Table, described, distinct_names
from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def read_columns(
    engine: Engine, columns: Mapping[str, Sequence[Any] | NDArray[Any]], kind: str = "memory"
) -> Table:
    """The columns as a table. Raises Malformed if they are not all as long."""
    names = distinct_names([str(name) for name in columns])
    arrays = {name: _array(values) for name, values in zip(names, columns.values(), strict=True)}
    if len({len(array) for array in arrays.values()}) > 1:
        raise Malformed("its columns are not all as long")
    append(engine, arrays, first=True)
    (rows,) = engine.row("SELECT count(*) FROM raw")
    engine.run(f"CREATE VIEW data AS SELECT rowid AS {quoted(ROW)}, * FROM raw")
    return Table(engine, kind, "data", described(engine, "data"), int(rows))


def append(engine: Engine, arrays: Mapping[str, NDArray[Any]], *, first: bool) -> None:
    """Add rows to the table `raw`, made of the first ones' types."""
    engine.offer("arriving", arrays)
    try:
        engine.run(
            "CREATE TABLE raw AS SELECT * FROM arriving"
            if first
            else "INSERT INTO raw SELECT * FROM arriving"
        )
    finally:
        engine.withdraw("arriving")


def _array(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iufb":
        return values
    array = np.empty(len(values), dtype=object)
    kinds = {type(value) for value in values if value is not None}
    for index, value in enumerate(values):
        array[index] = _plain(value, mixed=len(kinds) > 1)
    if (
        kinds <= {int}
        and kinds
        and all(value is not None and -(1 << 63) <= value < 1 << 63 for value in values)
    ):
        return array.astype(np.int64)
    if kinds and kinds <= {int, float}:
        return np.array([np.nan if value is None else float(value) for value in values])
    if kinds == {bool} and all(value is not None for value in values):
        return array.astype(bool)
    return array


def _plain(value: Any, *, mixed: bool) -> Any:
    """A value that the engine takes: text for what is nested, and for all where there are several types."""
    if value is None or isinstance(value, str):
        return value.replace("\ud800", "\ufffd").encode("utf-8", "replace").decode() if value else value
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bool | int | float):
        return str(value) if mixed else value
    return str(value)
