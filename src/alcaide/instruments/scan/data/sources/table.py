"""What every reader makes of its source: one relation with a row number, and the columns in it.

Parquet is queried where it lies. Everything else is read once, into the scratch database: a file that changes while
it is looked at is then seen as it was once, and no later check pays for parsing again.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import Engine, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alcaide.instruments.scan.model import Rule

ROW = "__row"
"""The column of row numbers, counted from 0, in every relation made here."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column as the relation has it."""

    name: str
    type: str

    @property
    def sql(self) -> str:
        """The column in a query."""
        return quoted(self.name)

    @property
    def is_text(self) -> bool:
        return self.type == "VARCHAR" or self.type.startswith("ENUM")

    @property
    def is_number(self) -> bool:
        return self.type.startswith(
            ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER")
        ) or self.type.startswith(("UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"))

    @property
    def is_whole(self) -> bool:
        """An integer of any width."""
        return "INT" in self.type and self.is_number

    @property
    def is_time(self) -> bool:
        return self.type.startswith(("DATE", "TIMESTAMP"))

    @property
    def is_nested(self) -> bool:
        return (
            self.type.endswith("]") or self.type.startswith(("STRUCT", "MAP", "UNION")) or self.type == "JSON"
        )

    @property
    def is_vector(self) -> bool:
        """A list of floats: an embedding, if the lengths are all the same."""
        return self.type.endswith("]") and self.type.startswith(("FLOAT[", "DOUBLE["))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a reader noticed on its way."""

    rule: Rule
    message: str
    detail: dict[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()


@dataclass(slots=True)
class Table:
    """A data set, ready to be asked."""

    engine: Engine
    kind: str
    relation: str
    """The relation's name in SQL; it has the columns and `ROW`."""
    columns: list[Field]
    rows: int
    lost: int = 0
    """Rows, or lines, that were there and could not be read into the relation."""
    columns_left_out: int = 0
    size: int = 0
    paths: Sequence[Path] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def column(self, name: str) -> Field | None:
        """One column by its name, as written, or else without regard to case."""
        for column in self.columns:
            if column.name == name:
                return column
        lowered = name.lower()
        return next((column for column in self.columns if column.name.lower() == lowered), None)


def described(engine: Engine, relation: str) -> list[Field]:
    """The relation's columns, without the row number."""
    return [
        Field(str(name), str(kind))
        for name, kind, *_ in engine.rows(f"DESCRIBE SELECT * FROM {relation}")
        if name != ROW
    ]


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names with blanks filled and repeats numbered, so that each column can be asked for."""
    taken: set[str] = {ROW}
    found = []
    for index, name in enumerate(names):
        clean = name.replace("\x00", "").strip()[:200] or f"column{index}"
        candidate, number = clean, 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{clean}_{number}"
        taken.add(candidate.lower())
        found.append(candidate)
    return found
