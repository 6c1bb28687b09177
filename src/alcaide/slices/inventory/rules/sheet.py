"""CSV from a spreadsheet becomes rows, and rows become a plan that says what each of them would do, and why not.

Files come from programs that each mean something else by CSV. Encoding is told from the byte order mark, else UTF-8 if
the bytes are that, else Windows-1252, which is what older spreadsheets write; the delimiter is the one under which
most headers are known. Both are said in the preview, because a wrong guess shows there as odd letters, to a person.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
DELIMITERS = ";,\t|"
_RISKY = ("=", "+", "-", "@", "\t", "\r")

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
    """A file as read: how it was read, what its columns mean, and its rows."""

    kind: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    fields: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: tuple[SheetRow, ...]


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


def read_sheet(data: bytes, kind: str) -> Sheet:
    """Read a CSV file as a sheet of `systems` or `components`.

    Raises TooLarge beyond 20 MiB or 50,000 rows, InvalidInput where there is no usable header. What is wrong with a
    single row is kept in the row.
    """
    if kind not in SHEETS:
        raise InvalidInput(
            f"`{clean(kind)[:40]}` is no sheet; one of {', '.join(SHEETS)}", {"sheet": "unknown"}
        )
    if len(data) > MAX_BYTES:
        raise TooLarge(
            f"the file has {len(data) / 2**20:.1f} MiB, over the limit of {MAX_BYTES // 2**20}; split it"
        )
    encoding, text = decode(data)
    if not text.strip():
        raise InvalidInput(
            "the file is empty; download the template to see what belongs in it", {"file": "is empty"}
        )
    text, delimiter = _delimiter(text, SHEETS[kind])
    lines = _records(text, delimiter)
    _, header = next(lines, (1, []))
    header = [clean(cell) for cell in header]
    fields, ignored = map_header(header, SHEETS[kind])
    rows: list[SheetRow] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= MAX_ROWS:
            raise TooLarge(f"the file has more than {MAX_ROWS} rows; split it")
        rows.append(_row(line, cells, fields))
    return Sheet(
        kind=kind,
        encoding=encoding,
        delimiter=delimiter,
        header=tuple(header),
        fields=tuple(name for name in fields if name),
        ignored=tuple(ignored),
        rows=tuple(rows),
    )


def decode(data: bytes) -> tuple[str, str]:
    """The name of the encoding, for people, and the text."""
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            try:
                return name, data[len(mark) :].decode(codec)
            except UnicodeDecodeError as problem:
                raise InvalidInput(
                    f"the file says it is {name} and is not, at byte {problem.start}; save it again as UTF-8"
                ) from None
    sample = data[:4_096]
    if sample.count(0) > len(sample) // 4:
        codec = "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
        try:
            return "UTF-16 without mark", data.decode(codec)
        except UnicodeDecodeError:
            raise InvalidInput("the file is not text; save the sheet as CSV (UTF-8) and send that") from None
    try:
        return "UTF-8", data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if sample.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput("the file is a workbook, not CSV; save the sheet as CSV (UTF-8) and send that")
    try:
        return "Windows-1252", data.decode("cp1252")
    except UnicodeDecodeError:
        return "Latin-1", data.decode("latin-1")


def map_header(header: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """For each column its field, or '' where it is left out; and the headers of those left out.

    Raises InvalidInput if two columns mean the same field: which of them counts is not ours to choose.
    """
    if len(header) > MAX_COLUMNS:
        raise TooLarge(
            f"the file has {len(header)} columns, over the limit of {MAX_COLUMNS}; remove those not needed"
        )
    spelled = {word: name for name, words in known.items() for word in (*words, name.replace("_", " "))}
    exact = {_spelled(cell) for cell in header}
    fields: list[str] = []
    ignored: list[str] = []
    for cell in header:
        word = _spelled(cell)
        name = spelled.get(word, "")
        # A synonym yields to the column that carries the field's own name: `id` beside `name` is somebody's number.
        if name and word != name.replace("_", " ") and name.replace("_", " ") in exact:
            name = ""
        if name and name in fields:
            raise InvalidInput(
                f"two columns mean `{name}`: `{header[fields.index(name)][:60]}` and `{cell[:60]}`; remove one",
                {"file": "two columns mean the same"},
            )
        fields.append(name)
        if not name and cell:
            ignored.append(cell[:80])
    if not any(fields):
        some = ", ".join(f"`{name}`" for name in list(known)[:4])
        raise InvalidInput(
            f"no column is known; the first line must hold names like {some}",
            {"file": "has no known column"},
        )
    return fields, ignored


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


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV lines that spreadsheets open as text: no cell starts a formula (OWASP, CSV injection).

    The quote put before such a cell is taken off again when the file comes back.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in (header, *([safe_cell(cell) for cell in cells] for cells in rows)):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_RISKY) else text


_MARKS = (
    (codecs.BOM_UTF8, "UTF-8 with mark", "utf-8"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)


def _delimiter(text: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """The text without a `sep=` line, and the delimiter."""
    first, _, rest = text.lstrip("\r\n").partition("\n")
    declared = first.strip().strip('"').lower()
    if declared.startswith("sep=") and len(declared) == 5:
        return rest, declared[4]
    words = {word for name, words in known.items() for word in (*words, name.replace("_", " "))}

    def score(delimiter: str) -> tuple[int, int]:
        _, cells = next(_records(text[:65_536], delimiter, lenient=True), (1, []))
        return sum(_spelled(cell) in words for cell in cells), len(cells)

    return text, max(",;\t|", key=score)


def _records(text: str, delimiter: str, *, lenient: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each starts on. A quote that is never closed is an error, not the rest of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=not lenient)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if lenient:
                return
            raise InvalidInput(
                f"the row that starts on line {start} cannot be read: {problem}; check its quotation marks",
                {"file": f"line {start} cannot be read"},
            ) from None
        yield start, cells
        start = reader.line_num + 1


def _row(line: int, cells: list[str], fields: Sequence[str]) -> SheetRow:
    wrong = ""
    extra = [cell for cell in cells[len(fields) :] if cell.strip()]
    if extra:
        wrong = f"has {len(cells)} cells where the header has {len(fields)}; is a delimiter inside an unquoted cell?"
    long = next((i for i, cell in enumerate(cells) if len(cell) > MAX_CELL), None)
    if long is not None:
        wrong = f"cell {long + 1} has {len(cells[long])} characters, over the limit of {MAX_CELL}"
    values = {name: _unquoted(cell) for name, cell in zip(fields, cells, strict=False) if name}
    return SheetRow(
        line=line, values=values, cells=tuple(cell[:MAX_CELL] for cell in cells[:MAX_COLUMNS]), wrong=wrong
    )


def _unquoted(cell: str) -> str:
    """Take off the quote that an export put before a cell that would have started a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_RISKY) else cell


def _spelled(cell: str) -> str:
    return " ".join(clean(cell).lower().replace("_", " ").replace("-", " ").split()).rstrip(" *:")


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
