"""What the queries of the register share: rows made into values, pages cut by a cursor, words searched for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import (
    Autonomy,
    Component,
    ComponentFields,
    ComponentFilter,
    DataClass,
    Deployment,
    End,
    Environment,
    EnvironmentFields,
    Exposure,
    Flow,
    FlowFields,
    Kind,
    Role,
    Stage,
    Status,
    System,
    SystemFields,
    SystemFilter,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.paging import decode_cursor, encode_cursor
from alcaide.slices.inventory.rules.validate import clean

MAX_WORDS = 8


SPARSE = 2_000
"""Matches up to which sorting beats walking an index in order, at 100,000 rows on SQLite; PostgreSQL is indifferent."""


CHUNK = 500  # bound parameters in one IN list, well under SQLite's 32,766 and PostgreSQL's 65,535


def words_in(column: sa.Column[str], q: str) -> list[ColumnElement[bool]]:
    """Every word must occur somewhere. More than eight words narrow nothing further that a person would see."""
    return [contains(column, word) for word in clean(q)[:400].casefold().split()[:MAX_WORDS]]


class _Within(FunctionElement[bool]):
    """Whether a text occurs in a column, byte for byte: both sides are lower case, so no collation has a say.

    `LIKE '%…%'` asks the same and takes twice as long on SQLite, where it folds case on every row.
    """

    type = sa.Boolean()
    inherit_cache = True
    name = "within"


@compiles(_Within, "sqlite")
def _within_sqlite(element: _Within, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"


@compiles(_Within, "postgresql")
def _within_postgresql(element: _Within, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)}) > 0"


def contains(column: sa.Column[str], text: str) -> ColumnElement[bool]:
    """Whether a column contains a text, whatever the database makes of case and wildcards."""
    return cast("ColumnElement[bool]", _Within(column, sa.literal(text, sa.String)))


def page_rows(
    conn: Connection,
    statement: Select[Any],
    table: sa.Table,
    column: sa.Column[Any],
    narrow: SystemFilter | ComponentFilter,
    where: Sequence[ColumnElement[bool]],
    limit: int,
    cursor: str | None,
) -> tuple[int, Sequence[Row[Any]]]:
    """How many rows there are on all pages; and those of this page, and one more if another page follows."""
    total = conn.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0
    id_column = table.c.id
    if cursor:
        value, row_id = decode_cursor(cursor, narrow.sort)
        last = sa.tuple_(sa.literal(_typed(column, value), column.type), sa.literal(row_id))
        here = sa.tuple_(column, id_column)
        where = [*where, here < last if narrow.descending else here > last]
    if not total:
        return 0, []
    # Few matches lie far apart in the order of an index: reading the table once and sorting them is quicker than
    # walking the index past all the others. An expression is what keeps the planner from walking it.
    key = sa.func.coalesce(column, column) if where and total <= SPARSE else column
    order = [key.desc(), id_column.desc()] if narrow.descending else [key, id_column]
    return total, conn.execute(statement.where(*where).order_by(*order).limit(limit + 1)).all()


def _typed(column: sa.Column[Any], value: str) -> Any:
    if isinstance(column.type, sa.String | sa.Text):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInput(
            "this page marker does not fit the list; start again from the first page"
        ) from None


def cut(
    rows: Sequence[Row[Any]], limit: int, sort: str, column: str
) -> tuple[Sequence[Row[Any]], str | None]:
    """The rows of one page, of one more that were read, and the cursor for the next."""
    shown = rows[:limit]
    if len(rows) <= limit or not shown:
        return shown, None
    last = getattr(shown[-1], column)
    value = last.isoformat() if isinstance(last, datetime) else str(last)
    return shown, encode_cursor(sort, value, shown[-1].id)


def one_of(choices: Mapping[str, sa.Column[Any]], value: str, field: str) -> sa.Column[Any]:
    """The column of that name. Raises InvalidInput with those there are."""
    try:
        return choices[value]
    except KeyError:
        listed = ", ".join(f"`{choice}`" for choice in choices)
        raise InvalidInput(
            f"`{clean(value)[:40]}` is no order of this list; one of {listed}", {field: "unknown"}
        ) from None


def distinct(column: sa.Column[str]) -> Select[Any]:
    """The first 200 values of a column, in order."""
    return sa.select(column).where(column != "").distinct().order_by(column).limit(200)


def chunks(values: Sequence[str]) -> list[Sequence[str]]:
    """Values in lots that fit one IN list."""
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


SYSTEM_COLUMNS = tuple(
    column for column in t.system.c if column.name not in ("search", "region_keys", "tag_keys")
)


VERSION_COLUMNS = (
    *t.component_version.c,
    t.component.c.kind,
    t.component.c.name,
    t.component.c.title,
    t.component.c.supplier,
    t.component.c.tags,
)


def version_rows() -> Select[Any]:
    """Every version with what its component says of it."""
    return sa.select(*VERSION_COLUMNS).join_from(
        t.component_version, t.component, t.component.c.id == t.component_version.c.component_id
    )


def system_of(row: Any, kinds: Mapping[str, int]) -> System:
    """A row as a system."""
    return System(
        id=row.id,
        fields=SystemFields(
            name=row.name,
            title=row.title,
            purpose=row.purpose,
            owner=row.owner,
            deputy=row.deputy,
            unit=row.unit,
            role=Role(row.role),
            users_affected=row.users_affected,
            autonomy=Autonomy(row.autonomy),
            exposure=Exposure(row.exposure),
            regions=tuple(row.regions),
            status=Status(row.status),
            tags=tuple(row.tags),
        ),
        stage=Stage(row.stage),
        version=row.version,
        digest=row.digest,
        created_at=row.created_at,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        retired_at=row.retired_at,
        component_count=row.component_count,
        kinds=kinds,
    )


def component_of(row: Any) -> Component:
    """A row as a component."""
    return Component(
        id=row.id,
        fields=ComponentFields(
            kind=Kind(row.kind),
            name=row.name,
            title=row.title,
            description=row.description,
            owner=row.owner,
            supplier=row.supplier,
            tags=tuple(row.tags),
        ),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        retired_at=row.retired_at,
        latest=row.latest,
        version_count=row.version_count,
        system_count=row.system_count,
        undigested=row.undigested,
    )


def version_of(row: Any) -> Version:
    """A row as a version."""
    return Version(
        id=row.id,
        component_id=row.component_id,
        kind=Kind(row.kind),
        name=row.name,
        fields=VersionFields(
            version=row.label,
            digest=row.digest,
            source=row.source,
            licence=row.licence,
            released_at=row.released_at,
            notes=row.notes,
        ),
        identity=row.identity,
        row_version=row.version,
        created_at=row.created_at,
        retired_at=row.retired_at,
        title=row.title,
        supplier=row.supplier,
        tags=tuple(row.tags),
    )


def flow_of(row: Any) -> Flow:
    """A row as a flow."""
    return Flow(
        id=row.id,
        fields=FlowFields(
            source=End(kind=row.source_kind, name=row.source_name),
            target=End(kind=row.target_kind, name=row.target_name),
            data=tuple(DataClass(c) for c in row.data),
            purpose=row.purpose,
            crosses_boundary=row.crosses_boundary,
            encrypted=row.encrypted,
        ),
    )


def environment_of(row: Any) -> Environment:
    """A row as an environment."""
    return Environment(
        id=row.id, fields=EnvironmentFields(name=row.name, region=row.region, description=row.description)
    )


def deployment_of(row: Any) -> Deployment:
    """A row as a deployment."""
    return Deployment(
        id=row.id,
        environment=row.environment_name,
        version_id=row.version_id,
        ref=f"{row.kind}:{row.name}@{row.label}",
        deployed_at=row.deployed_at,
        ended_at=row.ended_at,
        note=row.note,
    )
