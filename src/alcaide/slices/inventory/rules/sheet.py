"""Rows of a spreadsheet become a plan that says what each of them would do, and why not.

What a column means is guessed from its header, and a person may say otherwise: `columns` gives the field of each
column in order, '' for one that is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.slices.inventory.model import (
    Change,
    ComponentFields,
    Status,
    System,
    SystemDetail,
    SystemFields,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.delimited import decode, delimiter_of, records, spelled, unquoted
from alcaide.slices.inventory.rules.describe import (
    SYSTEM_FIELDS,
    component_json,
    field_changes,
    system_json,
    version_json,
)
from alcaide.slices.inventory.rules.validate import clean, component_fields, system_fields, version_fields

MAX_BYTES = 20 * 2**20
MAX_ROWS = 50_000
MAX_COLUMNS = 100
MAX_CELL = 20_000

SYSTEM_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "id", "slug", "short name", "key", "system", "system name"),
    "title": ("title", "display name", "full name", "system title", "ai system"),
    "purpose": ("purpose", "description", "use case", "intended purpose", "use"),
    "owner": ("owner", "system owner", "business owner", "responsible"),
    "deputy": ("deputy", "deputy owner", "backup", "delegate"),
    "unit": ("unit", "business unit", "department", "division", "team"),
    "role": ("role", "eu ai act role", "ai act role", "operator role"),
    "users_affected": ("users affected", "affected users", "affected", "users", "affected persons"),
    "autonomy": ("autonomy", "autonomy level", "human oversight", "oversight"),
    "exposure": ("exposure", "audience", "reach"),
    "regions": ("regions", "region", "countries", "country", "jurisdictions"),
    "status": ("status", "state", "lifecycle status"),
    "tags": ("tags", "tag", "labels", "keywords"),
}
COMPONENT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "system": ("system", "system name", "used by"),
    "kind": ("kind", "type", "component kind", "component type"),
    "name": ("name", "component", "component name"),
    "version": ("version", "component version", "revision"),
    "digest": ("digest", "sha256", "sha 256", "hash", "checksum"),
    "title": ("title", "display name"),
    "description": ("description", "purpose"),
    "owner": ("owner", "responsible"),
    "supplier": ("supplier", "vendor", "publisher", "provider"),
    "source": ("source", "source uri", "uri", "url", "location"),
    "licence": ("licence", "license"),
    "released_at": ("released at", "released", "release date"),
    "notes": ("notes", "note", "remarks", "comment"),
    "tags": ("tags", "tag", "labels"),
}
SHEETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "systems": SYSTEM_COLUMNS,
    "components": COMPONENT_COLUMNS,
}


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row as read: the line it starts on, its cells by field, and the cells as they stood."""

    line: int
    values: Mapping[str, str]
    cells: tuple[str, ...]
    wrong: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A file as read: how it was read, what its columns mean, and its rows.

    `columns` has the field of each column, '' where it is left out. `problem` says why they cannot be used as they
    are: then there are no rows to plan, and a person has to say what the columns mean.
    """

    kind: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    problem: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headers of the columns that are left out."""
        pairs = zip(self.header, self.columns, strict=True)
        return tuple(cell[:80] for cell, name in pairs if cell and not name)

    def samples(self, column: int, most: int = 3) -> tuple[str, ...]:
        """The first cells of a column that say something, for whoever has to tell what it means."""
        filled = (row.cells[column] for row in self.rows[:200] if len(row.cells) > column)
        return tuple(islice(dict.fromkeys(cell.strip()[:60] for cell in filled if cell.strip()), most))


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """What one row would do: `create`, `change`, `unchanged`, or `rejected` with the reasons by field."""

    row: SheetRow
    action: str
    name: str
    why: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    system: SystemFields | None = None
    component: tuple[ComponentFields, VersionFields, str] | None = None

    @property
    def explained(self) -> str:
        """The reasons in one line."""
        return "; ".join(f"{key}: {why}" if key else why for key, why in self.why.items())


@dataclass(frozen=True, kw_only=True)
class SheetPlan:
    """What a whole file would do."""

    sheet: Sheet
    rows: tuple[RowPlan, ...]

    def count(self, action: str) -> int:
        return sum(row.action == action for row in self.rows)

    @property
    def rejected(self) -> tuple[RowPlan, ...]:
        return tuple(row for row in self.rows if row.action == "rejected")

    @property
    def writes(self) -> int:
        return self.count("create") + self.count("change")


def read_sheet(
    data: bytes, kind: str, columns: Sequence[str] | None = None, named: Sequence[str] = ()
) -> Sheet:
    """Read a CSV file as a sheet of `systems` or `components`, ready to be planned.

    `columns` says what each column means, in order; `named` says it of some, as `Column=field`. What neither speaks of
    is guessed. Raises TooLarge beyond 20 MiB or 50,000 rows, InvalidInput where the columns cannot be used. What is
    wrong with a single row is kept in the row.
    """
    sheet = look_at_sheet(data, kind, columns, named)
    if sheet.problem:
        raise InvalidInput(sheet.problem, {"file": "its columns cannot be used as they are"})
    return sheet


def look_at_sheet(
    data: bytes, kind: str, columns: Sequence[str] | None = None, named: Sequence[str] = ()
) -> Sheet:
    """As `read_sheet`, but a header that cannot be used is a `problem` of the sheet, to be mended by a person."""
    if kind not in SHEETS:
        raise InvalidInput(
            f"`{clean(kind)[:40]}` is no sheet; one of {', '.join(SHEETS)}", {"sheet": "unknown"}
        )
    if len(data) > MAX_BYTES:
        raise TooLarge(
            f"the file has {len(data) / 2**20:.1f} MiB, over the limit of {MAX_BYTES // 2**20}; split it"
        )
    known = SHEETS[kind]
    encoding, text = decode(data)
    if not text.strip():
        raise InvalidInput(
            "the file is empty; download the template to see what belongs in it", {"file": "is empty"}
        )
    text, delimiter = delimiter_of(text, _words(known))
    lines = records(text, delimiter)
    _, cells = next(lines, (1, []))
    header = [clean(cell) for cell in cells]
    if len(header) > MAX_COLUMNS:
        raise TooLarge(
            f"the file has {len(header)} columns, over the limit of {MAX_COLUMNS}; remove those not needed"
        )
    fields, problem = _meaning(header, known, columns, named)
    rows: list[SheetRow] = []
    for line, row in lines:
        if not any(cell.strip() for cell in row):
            continue
        if len(rows) >= MAX_ROWS:
            raise TooLarge(f"the file has more than {MAX_ROWS} rows; split it")
        rows.append(_row(line, row, fields))
    return Sheet(
        kind=kind,
        encoding=encoding,
        delimiter=delimiter,
        header=tuple(header),
        columns=tuple(fields),
        rows=tuple(rows),
        problem=problem,
    )


def _meaning(
    header: Sequence[str],
    known: Mapping[str, tuple[str, ...]],
    columns: Sequence[str] | None,
    named: Sequence[str],
) -> tuple[list[str], str]:
    """The field of each column, and why that will not do, if so. What a person says goes before every guess.

    Raises InvalidInput for what a person says wrong; what was guessed wrong is a problem that they can mend.
    """
    told: dict[int, str] = {}
    if columns is not None:
        if len(columns) != len(header):
            text = f"{len(columns)} columns are named and the file has {len(header)}; say it of each"
            raise InvalidInput(text, {"columns": text})
        told = dict(enumerate(columns))
    for pair in named:
        place, name = _named_column(pair, header)
        told[place] = name
    for name in told.values():
        if name and name not in known:
            text = f"`{clean(name)[:40]}` is no field; one of {', '.join(known)}"
            raise InvalidInput(text, {"columns": text})
    twice = next((n for n in told.values() if n and list(told.values()).count(n) > 1), "")
    if twice:
        text = f"two columns are said to be `{twice}`; choose one"
        raise InvalidInput(text, {"columns": text})
    guessed, problem = guess_columns(
        ["" if i in told else cell for i, cell in enumerate(header)], known, taken=set(told.values())
    )
    fields = [told.get(i, guess) for i, guess in enumerate(guessed)]
    if any(fields):
        return fields, problem
    some = ", ".join(f"`{name}`" for name in list(known)[:4])
    return (
        fields,
        f"no column is known; the first line must hold names like {some}, or say what each column means",
    )


def _named_column(pair: str, header: Sequence[str]) -> tuple[int, str]:
    """`Column=field` as place and field; `#3` names the third column, an empty field leaves the column out."""
    column, equals, name = pair.rpartition("=")
    wanted, field_name = clean(column), clean(name).lower().replace(" ", "_").replace("-", "_")
    if not equals or not wanted:
        text = f"`{clean(pair)[:60]}` is not like `Column=field`; write the header, `=`, and the field"
        raise InvalidInput(text, {"columns": text})
    places = [i for i, cell in enumerate(header) if cell == wanted]
    places = places or [i for i, cell in enumerate(header) if spelled(cell) == spelled(wanted)]
    number = wanted.removeprefix("#")
    if not places and wanted.startswith("#") and number.isascii() and number.isdigit() and len(number) < 4:
        places = [int(number) - 1] if 1 <= int(number) <= len(header) else []
    if len(places) != 1:
        has = f"{len(places)} columns" if places else "no column"
        text = f"the file has {has} `{wanted[:60]}`; name one by its place, like `#2={field_name or 'title'}`"
        raise InvalidInput(text, {"columns": text})
    return places[0], field_name


def guess_columns(
    header: Sequence[str], known: Mapping[str, tuple[str, ...]], *, taken: Collection[str] = ()
) -> tuple[list[str], str]:
    """For each column its field, or '' where it is left out; and what cannot be guessed.

    Where two columns mean the same field, which of them counts is not ours to choose. A field in `taken` is spoken for.
    """
    words = {word: name for name, spellings in known.items() for word in (*spellings, name.replace("_", " "))}
    exact = {spelled(cell) for cell in header}
    fields: list[str] = []
    problem = ""
    for cell in header:
        word = spelled(cell)
        name = words.get(word, "")
        # A synonym yields to the column that carries the field's own name: `id` beside `name` is somebody's number.
        if name and word != name.replace("_", " ") and name.replace("_", " ") in exact:
            name = ""
        if name in taken:
            name = ""
        if name and name in fields:
            first = header[fields.index(name)][:60]
            problem = (
                problem or f"two columns mean `{name}`: `{first}` and `{cell[:60]}`; remove one, or choose"
            )
            name = ""
        fields.append(name)
    return fields, problem


def _words(known: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {word for name, spellings in known.items() for word in (*spellings, name.replace("_", " "))}


def plan_systems(sheet: Sheet, known: Mapping[str, System], *, make_name: Callable[[str], str]) -> SheetPlan:
    """What each row would do to the systems in `known`. An empty cell leaves what is known alone."""
    seen: dict[str, int] = {}
    return SheetPlan(sheet=sheet, rows=tuple(_plan_system(row, known, seen, make_name) for row in sheet.rows))


def system_names(sheet: Sheet, *, make_name: Callable[[str], str]) -> set[str]:
    """The systems that a sheet speaks of, to be looked up before planning."""
    if sheet.kind == "systems":
        return {_name(row.values, make_name) for row in sheet.rows} - {""}
    return {clean(row.values.get("system", "")) for row in sheet.rows} - {""}


def component_names(sheet: Sheet) -> set[tuple[str, str]]:
    """The components that a sheet speaks of, by kind and name, to be looked up before planning."""
    return {
        (
            clean(row.values.get("kind", "")).lower().replace(" ", "-").replace("_", "-"),
            clean(row.values.get("name", "")),
        )
        for row in sheet.rows
    }


def plan_components(
    sheet: Sheet,
    systems: Mapping[str, SystemDetail],
    versions: Mapping[tuple[str, str], Sequence[Version]],
) -> SheetPlan:
    """What each row would do to components and to the systems that use them."""
    seen: dict[tuple[str, str, str, str], int] = {}
    made: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {}
    return SheetPlan(
        sheet=sheet, rows=tuple(_plan_component(row, systems, versions, seen, made) for row in sheet.rows)
    )


def _row(line: int, cells: list[str], fields: Sequence[str]) -> SheetRow:
    wrong = ""
    extra = [cell for cell in cells[len(fields) :] if cell.strip()]
    if extra:
        wrong = f"has {len(cells)} cells where the header has {len(fields)}; is a delimiter inside an unquoted cell?"
    long = next((i for i, cell in enumerate(cells) if len(cell) > MAX_CELL), None)
    if long is not None:
        wrong = f"cell {long + 1} has {len(cells[long])} characters, over the limit of {MAX_CELL}"
    values = {name: unquoted(cell) for name, cell in zip(fields, cells, strict=False) if name}
    return SheetRow(
        line=line, values=values, cells=tuple(cell[:MAX_CELL] for cell in cells[:MAX_COLUMNS]), wrong=wrong
    )


def _name(values: Mapping[str, str], make_name: Callable[[str], str]) -> str:
    given = clean(values.get("name", ""))
    return given or make_name(clean(values.get("title", "")))


def _plan_system(
    row: SheetRow,
    known: Mapping[str, System],
    seen: dict[str, int],
    make_name: Callable[[str], str],
) -> RowPlan:
    name = _name(row.values, make_name)
    shown = name or clean(row.values.get("title", ""))[:80]
    if row.wrong:
        return RowPlan(row=row, action="rejected", name=shown, why={"": row.wrong})
    if not name:
        return RowPlan(
            row=row,
            action="rejected",
            name=shown,
            why={"name": "is missing, and so is a title to make one from"},
        )
    current = known.get(name)
    given = {key: value for key, value in row.values.items() if clean(value)}
    base: dict[str, Any] = system_json(current.fields) if current else {}
    try:
        fields = system_fields({**base, **given, "name": name})
    except InvalidInput as problem:
        return RowPlan(row=row, action="rejected", name=shown, why=problem.fields or {"": str(problem)})
    if name in seen:
        return RowPlan(
            row=row, action="rejected", name=name, why={"name": f"is on line {seen[name]} already; keep one"}
        )
    seen[name] = row.line
    if current is None:
        if fields.status is Status.RETIRED:
            why = {"status": "a new system cannot be retired already; leave it out"}
            return RowPlan(row=row, action="rejected", name=name, why=why)
        changes = tuple(
            Change(key, None, value)
            for key, value in system_json(fields).items()
            if value not in ("", [], "unknown") and key != "name"
        )
        return RowPlan(row=row, action="create", name=name, changes=changes, system=fields)
    if current.fields.status is Status.RETIRED:
        why = {"name": "is the name of a retired system; bring it back on its page first"}
        return RowPlan(row=row, action="rejected", name=name, why=why)
    if fields.status is Status.RETIRED:
        why = {"status": "a system is retired on its page, with a reason"}
        return RowPlan(row=row, action="rejected", name=name, why=why)
    changes = field_changes(system_json(current.fields), system_json(fields))
    return RowPlan(
        row=row, action="change" if changes else "unchanged", name=name, changes=changes, system=fields
    )


def _plan_component(
    row: SheetRow,
    systems: Mapping[str, SystemDetail],
    versions: Mapping[tuple[str, str], Sequence[Version]],
    seen: dict[tuple[str, str, str, str], int],
    made: dict[tuple[str, str, str], tuple[int, dict[str, Any]]],
) -> RowPlan:
    shown = f"{clean(row.values.get('kind', ''))}:{clean(row.values.get('name', ''))}"[:120]
    if row.wrong:
        return RowPlan(row=row, action="rejected", name=shown, why={"": row.wrong})
    found = _component_of(row, systems)
    if not isinstance(found, tuple):
        return RowPlan(row=row, action="rejected", name=shown, why=found)
    component, version, system_name = found
    name = f"{component.kind}:{component.name}@{version.version}"
    key = (str(component.kind), component.name, version.version)
    said = {k: v for k, v in version_json(version).items() if v}
    known = next((v for v in versions.get(key[:2], ()) if v.fields.version == version.version), None)
    if (*key, system_name) in seen:
        why = {"name": f"is on line {seen[*key, system_name]} already; keep one"}
        return RowPlan(row=row, action="rejected", name=name, why=why)
    if key in made and any(made[key][1].get(k, v) != v for k, v in said.items()):
        why = {"version": f"is on line {made[key][0]} with other details; make them agree"}
        return RowPlan(row=row, action="rejected", name=name, why=why)
    if known is not None and known.retired_at is not None:
        return RowPlan(row=row, action="rejected", name=name, why={"version": "is retired; use another"})
    seen[*key, system_name] = row.line
    comes = known is None and key not in made
    made.setdefault(key, (row.line, said))
    changes: list[Change] = [Change("version", None, name)] if comes else []
    if known is not None:
        changes.extend(field_changes(version_json(known.fields), version_json(known.fields) | said))
    if system_name and all(v.subject != name for v in systems[system_name].components):
        changes.append(Change("system", None, system_name))
    action = "create" if comes else "change" if changes else "unchanged"
    return RowPlan(
        row=row, action=action, name=name, changes=tuple(changes), component=(component, version, system_name)
    )


def _component_of(
    row: SheetRow, systems: Mapping[str, SystemDetail]
) -> tuple[ComponentFields, VersionFields, str] | dict[str, str]:
    """The component, its version and the system of a row; or everything that is wrong with it, by field."""
    given = {key: value for key, value in row.values.items() if clean(value)}
    wrong: dict[str, str] = {}
    component: ComponentFields | None = None
    version: VersionFields | None = None
    try:
        component = component_fields(given)
    except InvalidInput as problem:
        wrong |= problem.fields
    try:
        version = version_fields(given)
    except InvalidInput as problem:
        wrong |= problem.fields
    name = clean(given.get("system", ""))
    system = systems.get(name)
    if name and system is None:
        wrong["system"] = f"`{name[:64]}` is not in the register; register it first"
    elif system is not None and system.system.fields.status is Status.RETIRED:
        wrong["system"] = f"`{name[:64]}` is retired; leave the cell empty"
    if wrong or component is None or version is None:
        return wrong
    return component, version, name


def export_row(system: System) -> list[str]:
    """A system as a row under `EXPORT_HEADER`."""
    values = system_json(system.fields)
    cells = [values["name"], *(_joined(values[key]) for key in SYSTEM_FIELDS)]
    return [
        *cells,
        str(system.stage),
        system.digest,
        str(system.component_count),
        system.updated_at.isoformat(),
    ]


def component_row(component: ComponentFields, version: VersionFields, system: str) -> list[str]:
    """A component version as a row under the names of COMPONENT_COLUMNS."""
    values = component_json(component) | version_json(version) | {"system": system}
    return [_joined(values.get(key)) for key in COMPONENT_COLUMNS]


EXPORT_HEADER = ("name", *SYSTEM_FIELDS, "stage", "digest", "component_count", "updated_at")


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(value)
    return "" if value is None else str(value)
