"""Bulk import in two steps: an upload is kept and planned, and nothing of it is written until it is confirmed.

What is confirmed is planned again inside the writing transaction, against the register as it is then. So the preview
may be minutes old and the import still cannot overwrite what came in between without seeing it, and confirming twice
does the work once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import NotFound
from alcaide.kernel.ids import new_id, slug
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import ComponentFields, Version, VersionFields
from alcaide.slices.inventory.rules.delimited import write_csv
from alcaide.slices.inventory.rules.describe import list_change
from alcaide.slices.inventory.rules.sheet import (
    COMPONENT_COLUMNS,
    SHEETS,
    SYSTEM_COLUMNS,
    RowPlan,
    Sheet,
    SheetPlan,
    component_names,
    look_at_sheet,
    plan_components,
    plan_systems,
    read_sheet,
    system_names,
)
from alcaide.slices.inventory.rules.validate import clean
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service import parts, systems
from alcaide.slices.inventory.service.components import ensure_version, register_many
from alcaide.slices.inventory.service.work import Saying, record_changed

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

KEPT = timedelta(days=7)
"""How long an unconfirmed upload is kept; long enough for a colleague to look at it."""

_EXAMPLES = {
    "systems": (
        "loan-desk",
        "Loan desk assistant",
        "Suggests an answer to loan applications; a clerk decides",
        "Ada Okafor",
        "Bo Lindqvist",
        "Retail lending",
        "deployer",
        "Applicants for consumer loans",
        "human-in-the-loop",
        "internal",
        "eu; uk",
        "active",
        "lending; credit",
    ),
    "components": (
        "loan-desk",
        "model",
        "fraud-scorer",
        "3",
        "",
        "Fraud scorer",
        "Scores applications for signs of fraud",
        "Ada Okafor",
        "",
        "models/fraud-scorer/3",
        "proprietary",
        "2026-10-01",
        "",
        "credit",
    ),
}


Columns: TypeAlias = Sequence[str] | None
"""The field of each column in order, '' for one that is left out; None to have them guessed."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was sent, and what it did once confirmed."""

    id: str
    sheet: str
    filename: str
    uploaded_by: str
    uploaded_at: datetime
    applied_at: datetime | None
    outcome: dict[str, Any] | None


def keep_upload(instance: Instance, data: bytes, *, sheet: str, filename: str, actor: Actor) -> Upload:
    """Keep an upload so that it can be looked at before it counts. Refuses what cannot be read at all.

    A header that means nothing to us is no such thing: whoever looks at it can say what its columns mean.

    This is no change to the register and so no evidence; uploads never confirmed are dropped after a week.
    """
    look_at_sheet(data, sheet)
    name = clean(filename.replace("\\", "/").rsplit("/", 1)[-1])[:200] or "upload.csv"

    def work(tx: Tx) -> Upload:
        u = t.upload.c
        tx.conn.execute(sa.delete(t.upload).where(u.uploaded_at < tx.now - KEPT))
        upload = Upload(
            id=new_id(),
            sheet=sheet,
            filename=name,
            uploaded_by=actor.name[:200],
            uploaded_at=tx.now,
            applied_at=None,
            outcome=None,
        )
        tx.conn.execute(
            sa.insert(t.upload).values(
                id=upload.id,
                sheet=sheet,
                filename=name,
                content=data,
                sha256=sha256(data).hexdigest(),
                uploaded_by=upload.uploaded_by,
                uploaded_at=tx.now,
            )
        )
        return upload

    return instance.write(work)


def preview(
    conn: Connection, upload_id: str, columns: Columns = None, named: Sequence[str] = ()
) -> tuple[Upload, SheetPlan]:
    """What an upload would do to the register as it stands now, with these columns.

    Nothing, while its columns cannot be used: the sheet then has a `problem`. Raises InvalidInput for columns that are
    not those of the file.
    """
    upload, data = _upload(conn, upload_id)
    sheet = look_at_sheet(data, upload.sheet, columns, named)
    return upload, SheetPlan(sheet=sheet, rows=()) if sheet.problem else plan(conn, sheet)


def plan(conn: Connection, sheet: Sheet) -> SheetPlan:
    """What a sheet would do, in a number of statements that grows with its size over 500 and not with its rows."""
    names = system_names(sheet, make_name=_make_name)
    known = queries.systems_named(conn, names)
    if sheet.kind == "systems":
        return plan_systems(sheet, known, make_name=_make_name)
    details = queries.system_details(conn, [system.id for system in known.values()])
    components = queries.components_named(conn, component_names(sheet))
    versions = queries.versions_of(conn, [component.id for component in components.values()])
    return plan_components(
        sheet,
        {detail.system.name: detail for detail in details},
        {key: versions.get(component.id, []) for key, component in components.items()},
    )


def confirm(
    instance: Instance,
    upload_id: str,
    *,
    actor: Actor,
    reason: str = "",
    columns: Columns = None,
    named: Sequence[str] = (),
) -> dict[str, Any]:
    """Write every row of an upload that can be written, in one work. Confirming again returns the same outcome.

    `columns` and `named` are those of the preview: what was looked at is what is written.
    """
    text = checked_reason(reason)
    with instance.read() as conn:
        upload, data = _upload(conn, upload_id)
    if upload.outcome is not None:
        return upload.outcome
    sheet = read_sheet(data, upload.sheet, columns, named)

    def work(tx: Tx) -> dict[str, Any]:
        again, _ = _upload(tx.conn, upload_id)
        if again.outcome is not None:
            return again.outcome
        outcome = apply_sheet(tx, sheet, Saying(actor=actor, reason=text, via="csv"))
        tx.conn.execute(
            sa.update(t.upload).where(t.upload.c.id == upload_id).values(applied_at=tx.now, outcome=outcome)
        )
        return outcome

    return instance.write(work)


def import_sheet(
    instance: Instance,
    data: bytes,
    *,
    sheet: str,
    actor: Actor,
    reason: str = "",
    named: Sequence[str] = (),
) -> dict[str, Any]:
    """Read and write in one go, for a command line whose user has looked at a dry run."""
    text = checked_reason(reason)
    read = read_sheet(data, sheet, named=named)
    return instance.write(lambda tx: apply_sheet(tx, read, Saying(actor=actor, reason=text, via="csv")))


def apply_sheet(tx: Tx, sheet: Sheet, saying: Saying) -> dict[str, Any]:
    """Plan against what is stored now and write every row that is not rejected."""
    planned = plan(tx.conn, sheet)
    if sheet.kind == "systems":
        _write_systems(tx, planned, saying)
    else:
        _write_components(tx, planned, saying)
    counted = {action: planned.count(action) for action in ("create", "change", "unchanged", "rejected")}
    return {**counted, "rows": len(planned.rows)}


def rejected_file(planned: SheetPlan) -> Iterator[str]:
    """The rejected rows as they came, with why, in a file that can be corrected and sent again."""
    header = ["line", "why rejected", *planned.sheet.header]
    return write_csv(header, ((row.row.line, row.explained, *row.row.cells) for row in planned.rejected))


def template(sheet: str) -> Iterator[str]:
    """An empty sheet with one example row."""
    if sheet not in SHEETS:
        raise NotFound(f"there is no sheet `{clean(sheet)[:40]}`; one of {', '.join(SHEETS)}")
    header = list(SYSTEM_COLUMNS if sheet == "systems" else COMPONENT_COLUMNS)
    return write_csv(header, [_EXAMPLES[sheet]])


def _upload(conn: Connection, upload_id: str) -> tuple[Upload, bytes]:
    row = conn.execute(sa.select(t.upload).where(t.upload.c.id == clean(upload_id))).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no upload `{clean(upload_id)[:40]}`; it is kept for {KEPT.days} days, upload it again"
        )
    upload = Upload(
        id=row.id,
        sheet=row.sheet,
        filename=row.filename,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        applied_at=row.applied_at,
        outcome=row.outcome,
    )
    return upload, bytes(row.content)


def _write_systems(tx: Tx, planned: SheetPlan, saying: Saying) -> None:
    systems.register_many(tx, [r.system for r in planned.rows if r.action == "create" and r.system], saying)
    systems.edit_many(
        tx, {r.name: r.system for r in planned.rows if r.action == "change" and r.system}, saying
    )


def _write_components(tx: Tx, planned: SheetPlan, saying: Saying) -> None:
    """1. components that are new, all at once, 2. other versions one by one, 3. one change to each system."""
    written = [row for row in planned.rows if row.component and row.action in ("create", "change")]
    known = queries.components_named(tx.conn, component_names(planned.sheet))
    first: dict[tuple[str, str], tuple[ComponentFields, VersionFields]] = {}
    for row in written:
        fields, version, _ = _component(row)
        if (fields.kind, fields.name) not in known:
            first.setdefault((str(fields.kind), fields.name), (fields, version))
    versions = {version.subject: version for version in register_many(tx, list(first.values()), saying)}
    uses: dict[str, dict[str, Version]] = {}
    for row in written:
        fields, version, system = _component(row)
        if row.name not in versions:
            versions[row.name] = ensure_version(tx, fields, version, saying)[0]
        if system and any(change.field == "system" for change in row.changes):
            uses.setdefault(system, {})[row.name] = versions[row.name]
    for names in _chunks(list(uses)):
        known_systems = queries.systems_named(tx.conn, names)
        for before in queries.system_details(tx.conn, [system.id for system in known_systems.values()]):
            come = list(uses[before.system.name].values())
            parts.link_components(tx, before, come)
            record_changed(tx, before, [list_change("components", [], map(parts.pin, come))], saying)


def _component(row: RowPlan) -> tuple[ComponentFields, VersionFields, str]:
    if row.component is None:
        raise ValueError("a row that was planned for writing has its component")
    return row.component


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), queries.CHUNK):
        yield names[start : start + queries.CHUNK]


def _make_name(title: str) -> str:
    return slug(title, 64)
