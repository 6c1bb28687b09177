"""Reading systems: lists, one with all its parts, what is missing, and the figures of the first screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql.elements import ColumnElement

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.slice import AttentionItem
from alcaide.predicates.graph import SystemGraph
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import (
    Deployment,
    Environment,
    Flow,
    Kind,
    Page,
    Role,
    Status,
    System,
    SystemDetail,
    SystemFilter,
    Version,
)
from alcaide.slices.inventory.queries.rows import (
    SYSTEM_COLUMNS,
    VERSION_COLUMNS,
    chunks,
    contains,
    cut,
    deployment_of,
    distinct,
    environment_of,
    flow_of,
    one_of,
    page_rows,
    system_of,
    version_of,
    words_in,
)
from alcaide.slices.inventory.rules.describe import graph_of
from alcaide.slices.inventory.rules.validate import clean

STALE_AFTER = timedelta(days=365)
"""An entry nobody has touched for a year is more likely forgotten than still right."""


GAPS: Mapping[str, str] = {
    "no-owner": "No owner",
    "no-deputy": "Active without a deputy",
    "no-purpose": "No purpose",
    "no-components": "No components",
    "no-role": "EU AI Act role unknown",
    "stale": "Unchanged for a year",
}


SYSTEM_SORTS = ("title", "name", "owner", "status", "updated", "created")


def list_systems(
    conn: Connection, narrow: SystemFilter, *, now: datetime, limit: int = 50, cursor: str | None = None
) -> Page[System]:
    """One page of systems, three statements. `now` is for the question which entries are stale."""
    where = _system_where(narrow, now)
    column = one_of(_SYSTEM_SORT, narrow.sort, "sort")
    total, rows = page_rows(conn, sa.select(*SYSTEM_COLUMNS), t.system, column, narrow, where, limit, cursor)
    shown, next_cursor = cut(rows, limit, narrow.sort, column.name)
    kinds = kinds_of(conn, [row.id for row in shown])
    return Page(
        items=tuple(system_of(row, kinds.get(row.id, {})) for row in shown),
        next_cursor=next_cursor,
        total=total,
    )


def find_system(conn: Connection, name: str) -> System | None:
    """A system by name, or None."""
    row = conn.execute(sa.select(*SYSTEM_COLUMNS).where(t.system.c.name == clean(name))).one_or_none()
    return None if row is None else system_of(row, {})


def get_system(conn: Connection, name: str) -> System:
    """A system by name. Raises NotFound."""
    found = find_system(conn, name)
    if found is None:
        raise NotFound(f"there is no system `{clean(name)[:64]}`; `alcaide inventory list` shows all of them")
    return found


def system_detail(conn: Connection, name: str) -> SystemDetail:
    """Everything about one system, in five statements. Raises NotFound."""
    return _details(conn, [get_system(conn, name)])[0]


def system_details(conn: Connection, ids: Collection[str]) -> list[SystemDetail]:
    """Many systems whole, in name order, five statements for every 500 of them."""
    found: list[SystemDetail] = []
    for chunk in chunks(sorted(ids)):
        rows = conn.execute(sa.select(*SYSTEM_COLUMNS).where(t.system.c.id.in_(chunk))).all()
        found.extend(_details(conn, [system_of(row, {}) for row in rows]))
    return sorted(found, key=lambda detail: detail.system.name)


def matching_ids(conn: Connection, narrow: SystemFilter, *, now: datetime, limit: int) -> list[str]:
    """The ids of all systems that a filter lets through, for exports."""
    statement = (
        sa.select(t.system.c.id).where(*_system_where(narrow, now)).order_by(t.system.c.name).limit(limit)
    )
    return list(conn.scalars(statement))


def systems_named(conn: Connection, names: Collection[str]) -> dict[str, System]:
    """Systems by name; those that are not there are left out."""
    found: dict[str, System] = {}
    for chunk in chunks(sorted(set(names))):
        for row in conn.execute(sa.select(*SYSTEM_COLUMNS).where(t.system.c.name.in_(chunk))):
            found[row.name] = system_of(row, {})
    return found


def system_graph(conn: Connection, system_name: str) -> SystemGraph | None:
    """The `system-graph` capability: what a system is made of now, or None if there is no such system.

    Takes `loan-desk` or `system:loan-desk`.
    """
    name = system_name.removeprefix("system:")
    found = find_system(conn, name)
    return None if found is None else graph_of(_details(conn, [found])[0])


def kinds_of(conn: Connection, system_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many components of each kind each of these systems uses."""
    link = t.system_component.c
    found: dict[str, dict[str, int]] = {}
    for chunk in chunks(system_ids):
        statement = (
            sa.select(link.system_id, link.kind, sa.func.count())
            .where(link.system_id.in_(chunk))
            .group_by(link.system_id, link.kind)
        )
        for system_id, kind, count in conn.execute(statement):
            found.setdefault(system_id, {})[kind] = count
    return found


def facets(conn: Connection) -> dict[str, list[str]]:
    """The owners, units and regions to choose from in the filters, the first 200 of each."""
    owners = conn.scalars(distinct(t.system.c.owner))
    units = conn.scalars(distinct(t.system.c.unit))
    regions = conn.scalars(distinct(t.system.c.region_keys))
    return {
        "owner": list(owners),
        "unit": list(units),
        "region": sorted({word for keys in regions for word in keys.strip("|").split("|")})[:200],
    }


def sizes(conn: Connection) -> dict[str, int]:
    """How many systems there are, of which status, and how many components: the figures of the home panel."""
    status = t.system.c.status
    rows = conn.execute(sa.select(status, sa.func.count()).group_by(status))
    of = {row[0]: int(row[1]) for row in rows}
    components = conn.execute(sa.select(sa.func.count()).select_from(t.component)).scalar_one()
    named = {each.value: of.get(each.value, 0) for each in Status}
    return named | {"systems": sum(of.values()), "components": components}


def gaps(conn: Connection, *, now: datetime) -> dict[str, int]:
    """How many systems in use have each gap, and how many models have no digest: the figures of the attention list."""
    live = t.system.c.status != Status.RETIRED
    found = conn.execute(
        sa.select(
            *(
                sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*_gap(gap, now)), 1), else_=0)), 0).label(gap)
                for gap in GAPS
            )
        ).where(live)
    ).one()
    c = t.component.c
    undigested = sa.select(sa.func.count()).where(
        c.kind == Kind.MODEL, c.undigested > 0, c.retired_at.is_(None)
    )
    counted = dict(zip(GAPS, map(int, found), strict=True))
    return counted | {"models-without-digest": conn.execute(undigested).scalar_one()}


def _details(conn: Connection, systems: Sequence[System]) -> list[SystemDetail]:
    ids = [system.id for system in systems]
    link, v, c = t.system_component.c, t.component_version.c, t.component.c
    f, e, d = t.flow.c, t.environment.c, t.deployment.c
    components: dict[str, list[Version]] = {i: [] for i in ids}
    flows: dict[str, list[Flow]] = {i: [] for i in ids}
    environments: dict[str, list[Environment]] = {i: [] for i in ids}
    deployments: dict[str, list[Deployment]] = {i: [] for i in ids}
    for row in conn.execute(
        sa.select(*VERSION_COLUMNS, link.system_id)
        .join_from(t.system_component, t.component_version, v.id == link.version_id)
        .join(t.component, c.id == v.component_id)
        .where(link.system_id.in_(ids))
        .order_by(c.kind, c.name_key, v.label)
    ):
        components[row.system_id].append(version_of(row))
    for row in conn.execute(sa.select(t.flow).where(f.system_id.in_(ids)).order_by(f.created_at, f.id)):
        flows[row.system_id].append(flow_of(row))
    for row in conn.execute(sa.select(t.environment).where(e.system_id.in_(ids)).order_by(e.name)):
        environments[row.system_id].append(environment_of(row))
    for row in conn.execute(
        sa.select(t.deployment, e.name.label("environment_name"), v.label, c.kind, c.name)
        .join_from(t.deployment, t.environment, e.id == d.environment_id)
        .join(t.component_version, v.id == d.version_id)
        .join(t.component, c.id == v.component_id)
        .where(d.system_id.in_(ids))
        .order_by(d.deployed_at.desc(), d.id.desc())
    ):
        deployments[row.system_id].append(deployment_of(row))
    return [
        SystemDetail(
            system=system,
            components=tuple(components[system.id]),
            flows=tuple(flows[system.id]),
            environments=tuple(environments[system.id]),
            deployments=tuple(deployments[system.id]),
        )
        for system in systems
    ]


def _system_where(narrow: SystemFilter, now: datetime) -> list[ColumnElement[bool]]:
    s = t.system.c
    where = words_in(s.search, narrow.q)
    exact = ((s.status, narrow.status), (s.unit, narrow.unit), (s.role, narrow.role))
    for column, value in (
        *exact,
        (s.exposure, narrow.exposure),
        (s.stage, narrow.stage),
        (s.owner, narrow.owner),
    ):
        if value:
            where.append(column == clean(value))
    for column, value in ((s.region_keys, narrow.region), (s.tag_keys, narrow.tag)):
        if value:
            where.append(contains(column, f"|{clean(value).lower()}|"))
    if narrow.kind:
        link = t.system_component.c
        where.append(s.id.in_(sa.select(link.system_id).where(link.kind == clean(narrow.kind))))
    if narrow.gap:
        if narrow.gap not in GAPS:
            raise InvalidInput(
                f"`{clean(narrow.gap)[:40]}` is no gap; one of {', '.join(GAPS)}", {"gap": "unknown"}
            )
        where.append(s.status != Status.RETIRED)
        where.extend(_gap(narrow.gap, now))
    return where


def _gap(gap: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    s = t.system.c
    match gap:
        case "no-owner":
            return (s.owner == "",)
        case "no-deputy":
            return (s.deputy == "", s.status == Status.ACTIVE)
        case "no-purpose":
            return (s.purpose == "",)
        case "no-components":
            return (s.component_count == 0,)
        case "no-role":
            return (s.role == Role.UNKNOWN,)
        case _:
            return (s.updated_at < now - STALE_AFTER,)


_SYSTEM_SORT: Mapping[str, sa.Column[Any]] = {
    "title": t.system.c.title_key,
    "name": t.system.c.name,
    "owner": t.system.c.owner,
    "status": t.system.c.status,
    "updated": t.system.c.updated_at,
    "created": t.system.c.created_at,
}


def attention(conn: Connection, _instance: object, _actor: object, now: datetime) -> list[AttentionItem]:
    """What nobody knows about the register, for the first screen. Says nothing where there is nothing to say."""
    found = gaps(conn, now=now)
    said = (
        ("no-owner", "unknown", "{n} without an owner", "nobody answers for them"),
        ("no-components", "unknown", "{n} without components", "what they are made of is unknown"),
        ("no-purpose", "unknown", "{n} without a purpose", "what they are for is not written down"),
        ("no-role", "unknown", "{n} with no known role under the EU AI Act", "which duties apply is unknown"),
        ("stale", "unknown", "{n} unchanged for a year", "nobody has confirmed the entry since"),
        ("no-deputy", "waiting", "{n} in use without a deputy", "nobody answers when the owner is away"),
    )
    items = [
        AttentionItem(
            level, text.format(n=_systems(found[gap])), why, f"/inventory?gap={gap}", count=found[gap]
        )
        for gap, level, text, why in said
        if found[gap]
    ]
    models = found["models-without-digest"]
    if models:
        title = f"{models:,} model{'s' if models > 1 else ''} without a digest"
        href = "/inventory/components?kind=model&gap=no-digest"
        items.append(
            AttentionItem("unknown", title, "an approval cannot be bound to their bytes", href, count=models)
        )
    return items


def _systems(count: int) -> str:
    return f"{count:,} system{'' if count == 1 else 's'}"
