"""Reading components and their versions, and which systems use them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql.elements import ColumnElement

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import (
    Component,
    ComponentFilter,
    Page,
    System,
    Version,
)
from alcaide.slices.inventory.queries.rows import (
    SYSTEM_COLUMNS,
    chunks,
    component_of,
    cut,
    one_of,
    page_rows,
    system_of,
    version_of,
    version_rows,
    words_in,
)
from alcaide.slices.inventory.rules.paging import decode_cursor, encode_cursor
from alcaide.slices.inventory.rules.validate import clean

COMPONENT_GAPS: Mapping[str, str] = {"no-digest": "A version without a digest", "unused": "Used by no system"}


COMPONENT_SORTS = ("name", "kind", "updated", "created")


def list_components(
    conn: Connection, narrow: ComponentFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[Component]:
    """One page of components, two statements."""
    where = _component_where(narrow)
    column = one_of(_COMPONENT_SORT, narrow.sort, "sort")
    total, rows = page_rows(conn, sa.select(t.component), t.component, column, narrow, where, limit, cursor)
    shown, next_cursor = cut(rows, limit, narrow.sort, column.name)
    return Page(
        items=tuple(component_of(row) for row in shown),
        next_cursor=next_cursor,
        total=total,
    )


def get_component(conn: Connection, component_id: str) -> Component:
    """A component by id. Raises NotFound."""
    row = conn.execute(sa.select(t.component).where(t.component.c.id == clean(component_id))).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no component `{clean(component_id)[:40]}`; look for it in the list of components"
        )
    return component_of(row)


def find_component(conn: Connection, kind: str, name: str) -> Component | None:
    """A component by kind and name, or None."""
    c = t.component.c
    row = conn.execute(sa.select(t.component).where(c.kind == kind, c.name == name)).one_or_none()
    return None if row is None else component_of(row)


def components_named(
    conn: Connection, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Component]:
    """Components by kind and name."""
    wanted = set(names)
    found: dict[tuple[str, str], Component] = {}
    c = t.component.c
    for chunk in chunks(sorted({name for _, name in wanted})):
        for row in conn.execute(sa.select(t.component).where(c.name.in_(chunk))):
            if (row.kind, row.name) in wanted:
                found[row.kind, row.name] = component_of(row)
    return found


def versions_of(conn: Connection, component_ids: Collection[str]) -> dict[str, list[Version]]:
    """The versions of these components, newest first."""
    found: dict[str, list[Version]] = {}
    v = t.component_version.c
    for chunk in chunks(sorted(component_ids)):
        statement = version_rows().where(v.component_id.in_(chunk)).order_by(v.number.desc())
        for row in conn.execute(statement):
            found.setdefault(row.component_id, []).append(version_of(row))
    return found


def get_version(conn: Connection, version_id: str) -> Version:
    """A version by id. Raises NotFound."""
    row = conn.execute(version_rows().where(t.component_version.c.id == clean(version_id))).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no component version `{clean(version_id)[:40]}`; look for it on the component's page"
        )
    return version_of(row)


def find_version(conn: Connection, kind: str, name: str, label: str) -> Version | None:
    """A version by `kind:name@version`; the newest one that is not retired if `label` is empty."""
    c, v = t.component.c, t.component_version.c
    statement = version_rows().where(c.kind == kind, c.name == name)
    if label:
        statement = statement.where(v.label == label)
    else:
        statement = statement.where(v.retired_at.is_(None)).order_by(v.number.desc()).limit(1)
    row = conn.execute(statement).one_or_none()
    return None if row is None else version_of(row)


def users_of(
    conn: Connection, component_id: str, *, limit: int = 50, cursor: str | None = None
) -> Page[tuple[System, str]]:
    """One page of the systems that use a component, by title, each with the version it uses; two statements."""
    link, v, s = t.system_component.c, t.component_version.c, t.system.c
    used = link.component_id == component_id
    total = conn.scalar(sa.select(sa.func.count()).select_from(t.system_component).where(used)) or 0
    statement = (
        sa.select(*SYSTEM_COLUMNS, v.label.label("used_label"), v.id.label("used_id"))
        .join_from(t.system_component, t.system, s.id == link.system_id)
        .join(t.component_version, v.id == link.version_id)
        .where(used)
        .order_by(s.title_key, s.id, v.id)
        .limit(limit + 1)
    )
    if cursor:
        # A system may use several versions, so a place in this list is a title, a system and a version.
        title, place = decode_cursor(cursor, "used-by")
        system_id, _, version_id = place.partition(" ")
        after = sa.tuple_(s.title_key, s.id, v.id) > sa.tuple_(
            sa.literal(title), sa.literal(system_id), sa.literal(version_id)
        )
        statement = statement.where(after)
    rows = conn.execute(statement).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple((system_of(row, {}), row.used_label) for row in rows[:limit]),
        next_cursor=encode_cursor("used-by", last.title_key, f"{last.id} {last.used_id}") if last else None,
        total=total,
    )


def system_ids_using(conn: Connection, version_id: str) -> list[str]:
    """The systems that use exactly this version."""
    link = t.system_component.c
    return list(
        conn.scalars(sa.select(link.system_id).where(link.version_id == version_id).order_by(link.system_id))
    )


def choose_refs(conn: Connection, *, limit: int = 200) -> list[str]:
    """The newest versions to offer where a person types the name of a component, as `kind:name@version`."""
    c = t.component.c
    statement = (
        sa.select(c.kind, c.name, c.latest)
        .where(c.retired_at.is_(None), c.latest != "")
        .order_by(c.name_key, c.id)
        .limit(limit)
    )
    return [f"{kind}:{name}@{latest}" for kind, name, latest in conn.execute(statement)]


def _component_where(narrow: ComponentFilter) -> list[ColumnElement[bool]]:
    c = t.component.c
    where = words_in(c.search, narrow.q)
    if narrow.kind:
        where.append(c.kind == clean(narrow.kind))
    if narrow.owner:
        where.append(c.owner == clean(narrow.owner))
    match narrow.gap:
        case "":
            pass
        case "no-digest":
            where.extend((c.undigested > 0, c.retired_at.is_(None)))
        case "unused":
            where.append(c.system_count == 0)
        case other:
            choices = ", ".join(COMPONENT_GAPS)
            raise InvalidInput(f"`{clean(other)[:40]}` is no gap; one of {choices}", {"gap": "unknown"})
    return where


_COMPONENT_SORT: Mapping[str, sa.Column[Any]] = {
    "name": t.component.c.name_key,
    "kind": t.component.c.kind,
    "updated": t.component.c.updated_at,
    "created": t.component.c.created_at,
}
