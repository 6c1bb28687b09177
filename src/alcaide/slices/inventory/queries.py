"""Reading the register. Every function here runs a constant number of statements, however much it returns.

Left out on purpose: who may read (the skins ask), and history, which is the ledger's (service.history).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.slice import AttentionItem
from alcaide.predicates.graph import SystemGraph
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
    Page,
    Role,
    Stage,
    Status,
    System,
    SystemDetail,
    SystemFields,
    SystemFilter,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.describe import graph_of
from alcaide.slices.inventory.rules.paging import decode_cursor, encode_cursor
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
COMPONENT_GAPS: Mapping[str, str] = {"no-digest": "A version without a digest", "unused": "Used by no system"}
SYSTEM_SORTS = ("title", "name", "owner", "status", "updated", "created")
COMPONENT_SORTS = ("name", "kind", "updated", "created")
MAX_WORDS = 8
SPARSE = 2_000
"""Matches up to which sorting beats walking an index in order, at 100,000 rows on SQLite; PostgreSQL is indifferent."""
CHUNK = 500  # bound parameters in one IN list, well under SQLite's 32,766 and PostgreSQL's 65,535


def list_systems(
    conn: Connection, narrow: SystemFilter, *, now: datetime, limit: int = 50, cursor: str | None = None
) -> Page[System]:
    """One page of systems, three statements. `now` is for the question which entries are stale."""
    where = _system_where(narrow, now)
    column = _one_of(_SYSTEM_SORT, narrow.sort, "sort")
    total, rows = _rows(conn, sa.select(*_SYSTEM_COLUMNS), t.system, column, narrow, where, limit, cursor)
    shown, next_cursor = _cut(rows, limit, narrow.sort, column.name)
    kinds = kinds_of(conn, [row.id for row in shown])
    return Page(
        items=tuple(_system(row, kinds.get(row.id, {})) for row in shown),
        next_cursor=next_cursor,
        total=total,
    )


def find_system(conn: Connection, name: str) -> System | None:
    """A system by name, or None."""
    row = conn.execute(sa.select(*_SYSTEM_COLUMNS).where(t.system.c.name == clean(name))).one_or_none()
    return None if row is None else _system(row, {})


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
    for chunk in _chunks(sorted(ids)):
        rows = conn.execute(sa.select(*_SYSTEM_COLUMNS).where(t.system.c.id.in_(chunk))).all()
        found.extend(_details(conn, [_system(row, {}) for row in rows]))
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
    for chunk in _chunks(sorted(set(names))):
        for row in conn.execute(sa.select(*_SYSTEM_COLUMNS).where(t.system.c.name.in_(chunk))):
            found[row.name] = _system(row, {})
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
    for chunk in _chunks(system_ids):
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
    owners = conn.scalars(_distinct(t.system.c.owner))
    units = conn.scalars(_distinct(t.system.c.unit))
    regions = conn.scalars(_distinct(t.system.c.region_keys))
    return {
        "owner": list(owners),
        "unit": list(units),
        "region": sorted({word for keys in regions for word in keys.strip("|").split("|")})[:200],
    }


def counts(conn: Connection, *, now: datetime) -> dict[str, int]:
    """The figures of the home panel and of the attention list, in two statements."""
    s = t.system.c
    live = s.status != Status.RETIRED

    def tally(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0)), 0)

    named = {status.value: tally(s.status == status) for status in Status}
    gaps = {gap: tally(live, *_gap(gap, now)) for gap in GAPS}
    row = conn.execute(
        sa.select(
            sa.func.count().label("systems"),
            *(column.label(key.replace("-", "_")) for key, column in (named | gaps).items()),
        ).select_from(t.system)
    ).one()
    found = {key: int(getattr(row, key.replace("-", "_"))) for key in ("systems", *named, *gaps)}
    c = t.component.c
    undigested = sa.case(
        (sa.and_(c.kind == Kind.MODEL, c.undigested > 0, c.retired_at.is_(None)), 1), else_=0
    )
    parts = conn.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(undigested), 0))).one()
    return found | {"components": int(parts[0]), "models-without-digest": int(parts[1])}


def list_components(
    conn: Connection, narrow: ComponentFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[Component]:
    """One page of components, two statements."""
    where = _component_where(narrow)
    column = _one_of(_COMPONENT_SORT, narrow.sort, "sort")
    total, rows = _rows(conn, sa.select(t.component), t.component, column, narrow, where, limit, cursor)
    shown, next_cursor = _cut(rows, limit, narrow.sort, column.name)
    return Page(
        items=tuple(_component(row) for row in shown),
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
    return _component(row)


def find_component(conn: Connection, kind: str, name: str) -> Component | None:
    """A component by kind and name, or None."""
    c = t.component.c
    row = conn.execute(sa.select(t.component).where(c.kind == kind, c.name == name)).one_or_none()
    return None if row is None else _component(row)


def components_named(
    conn: Connection, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Component]:
    """Components by kind and name."""
    wanted = set(names)
    found: dict[tuple[str, str], Component] = {}
    c = t.component.c
    for chunk in _chunks(sorted({name for _, name in wanted})):
        for row in conn.execute(sa.select(t.component).where(c.name.in_(chunk))):
            if (row.kind, row.name) in wanted:
                found[row.kind, row.name] = _component(row)
    return found


def versions_of(conn: Connection, component_ids: Collection[str]) -> dict[str, list[Version]]:
    """The versions of these components, newest first."""
    found: dict[str, list[Version]] = {}
    v = t.component_version.c
    for chunk in _chunks(sorted(component_ids)):
        statement = _versions().where(v.component_id.in_(chunk)).order_by(v.number.desc())
        for row in conn.execute(statement):
            found.setdefault(row.component_id, []).append(_version(row))
    return found


def get_version(conn: Connection, version_id: str) -> Version:
    """A version by id. Raises NotFound."""
    row = conn.execute(_versions().where(t.component_version.c.id == clean(version_id))).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no component version `{clean(version_id)[:40]}`; look for it on the component's page"
        )
    return _version(row)


def find_version(conn: Connection, kind: str, name: str, label: str) -> Version | None:
    """A version by `kind:name@version`; the newest one that is not retired if `label` is empty."""
    c, v = t.component.c, t.component_version.c
    statement = _versions().where(c.kind == kind, c.name == name)
    if label:
        statement = statement.where(v.label == label)
    else:
        statement = statement.where(v.retired_at.is_(None)).order_by(v.number.desc()).limit(1)
    row = conn.execute(statement).one_or_none()
    return None if row is None else _version(row)


def users_of(conn: Connection, component_id: str, *, limit: int = 200) -> list[tuple[System, str]]:
    """Which systems use a component, and in which version."""
    link, v = t.system_component.c, t.component_version.c
    statement = (
        sa.select(*_SYSTEM_COLUMNS, v.label.label("used_label"))
        .join_from(t.system_component, t.system, t.system.c.id == link.system_id)
        .join(t.component_version, v.id == link.version_id)
        .where(link.component_id == component_id)
        .order_by(t.system.c.title_key, t.system.c.id)
        .limit(limit)
    )
    return [(_system(row, {}), row.used_label) for row in conn.execute(statement)]


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


def _details(conn: Connection, systems: Sequence[System]) -> list[SystemDetail]:
    ids = [system.id for system in systems]
    link, v, c = t.system_component.c, t.component_version.c, t.component.c
    f, e, d = t.flow.c, t.environment.c, t.deployment.c
    components: dict[str, list[Version]] = {i: [] for i in ids}
    flows: dict[str, list[Flow]] = {i: [] for i in ids}
    environments: dict[str, list[Environment]] = {i: [] for i in ids}
    deployments: dict[str, list[Deployment]] = {i: [] for i in ids}
    for row in conn.execute(
        sa.select(*_VERSION_COLUMNS, link.system_id)
        .join_from(t.system_component, t.component_version, v.id == link.version_id)
        .join(t.component, c.id == v.component_id)
        .where(link.system_id.in_(ids))
        .order_by(c.kind, c.name_key, v.label)
    ):
        components[row.system_id].append(_version(row))
    for row in conn.execute(sa.select(t.flow).where(f.system_id.in_(ids)).order_by(f.created_at, f.id)):
        flows[row.system_id].append(_flow(row))
    for row in conn.execute(sa.select(t.environment).where(e.system_id.in_(ids)).order_by(e.name)):
        environments[row.system_id].append(_environment(row))
    for row in conn.execute(
        sa.select(t.deployment, e.name.label("environment_name"), v.label, c.kind, c.name)
        .join_from(t.deployment, t.environment, e.id == d.environment_id)
        .join(t.component_version, v.id == d.version_id)
        .join(t.component, c.id == v.component_id)
        .where(d.system_id.in_(ids))
        .order_by(d.deployed_at.desc(), d.id.desc())
    ):
        deployments[row.system_id].append(_deployment(row))
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
    where = _words(s.search, narrow.q)
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
            where.append(_contains(column, f"|{clean(value).lower()}|"))
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


def _component_where(narrow: ComponentFilter) -> list[ColumnElement[bool]]:
    c = t.component.c
    where = _words(c.search, narrow.q)
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


def _words(column: sa.Column[str], q: str) -> list[ColumnElement[bool]]:
    """Every word must occur somewhere. More than eight words narrow nothing further that a person would see."""
    return [_contains(column, word) for word in clean(q)[:400].casefold().split()[:MAX_WORDS]]


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


def _contains(column: sa.Column[str], text: str) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", _Within(column, sa.literal(text, sa.String)))


def _rows(
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


def _cut(
    rows: Sequence[Row[Any]], limit: int, sort: str, column: str
) -> tuple[Sequence[Row[Any]], str | None]:
    shown = rows[:limit]
    if len(rows) <= limit or not shown:
        return shown, None
    last = getattr(shown[-1], column)
    value = last.isoformat() if isinstance(last, datetime) else str(last)
    return shown, encode_cursor(sort, value, shown[-1].id)


def _one_of(choices: Mapping[str, sa.Column[Any]], value: str, field: str) -> sa.Column[Any]:
    try:
        return choices[value]
    except KeyError:
        listed = ", ".join(f"`{choice}`" for choice in choices)
        raise InvalidInput(
            f"`{clean(value)[:40]}` is no order of this list; one of {listed}", {field: "unknown"}
        ) from None


def _distinct(column: sa.Column[str]) -> Select[Any]:
    return sa.select(column).where(column != "").distinct().order_by(column).limit(200)


def _chunks(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


_SYSTEM_COLUMNS = tuple(
    column for column in t.system.c if column.name not in ("search", "region_keys", "tag_keys")
)
_SYSTEM_SORT: Mapping[str, sa.Column[Any]] = {
    "title": t.system.c.title_key,
    "name": t.system.c.name,
    "owner": t.system.c.owner,
    "status": t.system.c.status,
    "updated": t.system.c.updated_at,
    "created": t.system.c.created_at,
}
_COMPONENT_SORT: Mapping[str, sa.Column[Any]] = {
    "name": t.component.c.name_key,
    "kind": t.component.c.kind,
    "updated": t.component.c.updated_at,
    "created": t.component.c.created_at,
}
_VERSION_COLUMNS = (
    *t.component_version.c,
    t.component.c.kind,
    t.component.c.name,
    t.component.c.title,
    t.component.c.supplier,
    t.component.c.tags,
)


def _versions() -> Select[Any]:
    return sa.select(*_VERSION_COLUMNS).join_from(
        t.component_version, t.component, t.component.c.id == t.component_version.c.component_id
    )


def _system(row: Any, kinds: Mapping[str, int]) -> System:
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


def _component(row: Any) -> Component:
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


def _version(row: Any) -> Version:
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


def _flow(row: Any) -> Flow:
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


def _environment(row: Any) -> Environment:
    return Environment(
        id=row.id, fields=EnvironmentFields(name=row.name, region=row.region, description=row.description)
    )


def _deployment(row: Any) -> Deployment:
    return Deployment(
        id=row.id,
        environment=row.environment_name,
        version_id=row.version_id,
        ref=f"{row.kind}:{row.name}@{row.label}",
        deployed_at=row.deployed_at,
        ended_at=row.ended_at,
        note=row.note,
    )


def attention(conn: Connection, _instance: object, _actor: object, now: datetime) -> list[AttentionItem]:
    """What nobody knows about the register, for the first screen. Says nothing where there is nothing to say."""
    found = counts(conn, now=now)
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
