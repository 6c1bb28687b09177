"""`alcaide inventory`: the register from a terminal and from a pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from alcaide.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from alcaide.slices.inventory.service.declare import PlanItem

app = cyclopts.App(name="inventory", help="Which AI do we run, from what, for what?")

Data = Annotated[Path | None, Parameter(help="The data folder; else ALCAIDE_DATA, else ./alcaide-data.")]
Form = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print it.")]
MAX_FILE = 64 * 2**20  # the largest document any command here reads; its own reader may allow less


@app.command(name="list")
def list_systems(
    q: str = "",
    *,
    status: str = "",
    owner: str = "",
    kind: str = "",
    stage: str = "",
    gap: str = "",
    sort: str = "title",
    limit: int = 200,
    form: Form = "table",
    data: Data = None,
) -> int:
    """List and search systems.

    Args:
        q: Words that all occur in name, title, purpose, people, unit or tags.
        status: proposed, active, suspended or retired.
        owner: Exactly this owner.
        kind: Made of at least one component of this kind.
        stage: At this stage.
        gap: What is missing: no-owner, no-deputy, no-purpose, no-components, no-role, stale.
        sort: title, name, owner, status, updated or created; a leading `-` turns the order around.
        limit: At most so many.
    """
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.inventory import queries
    from alcaide.slices.inventory.model import SystemFilter
    from alcaide.slices.inventory.rules.describe import system_json

    narrow = SystemFilter(
        q=q,
        status=status,
        owner=owner,
        kind=kind,
        stage=stage,
        gap=gap,
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )
    with open_for_cli(data) as instance, instance.read() as conn:
        page = queries.list_systems(conn, narrow, now=instance.clock(), limit=max(1, min(limit, 10_000)))
    if form == "json":
        items = [
            system_json(s.fields)
            | {"stage": str(s.stage), "digest": s.digest, "version": s.version, "kinds": dict(s.kinds)}
            for s in page.items
        ]
        _json({"items": items, "total": page.total})
        return 0
    rows = [
        (
            s.name,
            s.title,
            str(s.fields.status),
            str(s.stage),
            s.fields.owner or "nobody",
            str(s.component_count),
        )
        for s in page.items
    ]
    _table(("NAME", "TITLE", "STATUS", "STAGE", "OWNER", "PARTS"), rows)
    if page.total > len(rows):
        _say(f"{len(rows)} of {page.total}; narrow the search or raise --limit")
    if not page.total:
        _say("no system; register one with `alcaide inventory register NAME` or `alcaide inventory apply`")
    return 0


@app.command
def show(system: str, *, history: bool = False, form: Form = "table", data: Data = None) -> int:
    """Show a system with everything it is made of.

    Args:
        system: Its name, like loan-desk.
        history: Also who changed what, when and why, from the ledger.
    """
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.inventory import queries
    from alcaide.slices.inventory.service.exchange import entry
    from alcaide.slices.inventory.service.history import history as read_history
    from alcaide.slices.inventory.service.history import history_json

    with open_for_cli(data) as instance, instance.read() as conn:
        detail = queries.system_detail(conn, _name(system))
        told = read_history(instance, conn, [detail.system.subject]) if history else None
    found = detail.system
    if form == "json":
        about = {"stage": str(found.stage), "digest": found.digest, "version": found.version}
        said = {"history": [history_json(e) for e in told.entries]} if told else {}
        _json(entry(detail) | {"status": str(found.fields.status)} | about | said)
        return 0
    fields = found.fields
    facts = [
        ("name", found.name),
        ("title", found.title),
        ("purpose", fields.purpose or "not stated"),
        ("owner", fields.owner or "nobody"),
        ("deputy", fields.deputy or "nobody"),
        ("unit", fields.unit),
        ("role", str(fields.role)),
        ("autonomy", str(fields.autonomy)),
        ("exposure", str(fields.exposure)),
        ("regions", ", ".join(fields.regions)),
        ("status", str(fields.status)),
        ("stage", str(found.stage)),
        ("tags", ", ".join(fields.tags)),
        ("digest", f"sha256:{found.digest}"),
        (
            "version",
            f"{found.version}, changed {found.updated_at:%Y-%m-%d %H:%M} UTC by {found.updated_by or 'nobody'}",
        ),
    ]
    for key, value in facts:
        if value:
            _say(f"{key:<10}{value}")
    _say("")
    running: dict[str, list[str]] = {}
    for deployment in detail.deployments:
        if deployment.ended_at is None:
            running.setdefault(deployment.version_id, []).append(deployment.environment)
    _table(
        ("COMPONENT", "DIGEST", "RUNS IN"),
        [
            (v.subject, v.fields.digest[:16] or "none", ", ".join(running.get(v.id, [])))
            for v in detail.components
        ],
    )
    if detail.flows:
        _say("")
        rows = [
            (
                f.fields.source.ref,
                f.fields.target.ref,
                ", ".join(f.fields.data),
                "leaves the boundary" if f.fields.crosses_boundary else "",
            )
            for f in detail.flows
        ]
        _table(("FROM", "TO", "DATA", ""), rows)
    for entry_ in told.entries if told else ():
        _say("")
        _say(
            f"{entry_.at:%Y-%m-%d %H:%M} UTC  {entry_.title.lower()} by {entry_.actor}  "
            f"leaf {entry_.leaf}  {entry_.reason}"
        )
        for change in entry_.changes:
            _say(f"    {change.field}: {_short(change.before)} -> {_short(change.after)}")
    return 0


@app.command
def register(
    name: str,
    *,
    title: str = "",
    purpose: str = "",
    owner: str = "",
    deputy: str = "",
    unit: str = "",
    role: str = "",
    users_affected: str = "",
    autonomy: str = "",
    exposure: str = "",
    regions: str = "",
    status: str = "",
    tags: str = "",
    reason: str = "",
    data: Data = None,
) -> int:
    """Register a system.

    Args:
        name: Its short name, like loan-desk; never changes.
        title: What people call it.
        purpose: What it is for.
        owner: Who answers for it.
        deputy: Who answers when the owner is away.
        unit: The business unit.
        role: What you are to it under the EU AI Act: provider, deployer, importer, ...
        users_affected: Whom it affects.
        autonomy: informs, human-in-the-loop, human-on-the-loop, human-out-of-the-loop.
        exposure: internal, partners or public.
        regions: Separated by commas.
        status: proposed, active or suspended.
        tags: Separated by commas.
        reason: Why; goes into the signed statement.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.inventory import service
    from alcaide.slices.inventory.rules.validate import system_fields

    fields = system_fields(
        {
            "name": name,
            "title": title,
            "purpose": purpose,
            "owner": owner,
            "deputy": deputy,
            "unit": unit,
            "role": role,
            "users_affected": users_affected,
            "autonomy": autonomy,
            "exposure": exposure,
            "regions": regions,
            "status": status,
            "tags": tags,
        }
    )
    actor = cli_actor()
    with open_for_cli(data) as instance:
        detail = instance.write(
            lambda tx: service.register_system(tx, fields, actor=actor, reason=reason, via="cli")
        )
    _say(f"`{fields.name}` is in the register, sha256:{detail.system.digest}")
    return 0


@app.command
def retire(system: str, *, reason: str, data: Data = None) -> int:
    """Take a system out of use. Its deployments end; its evidence stays.

    Args:
        system: Its name.
        reason: Why; goes into the signed statement.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.inventory import service

    actor = cli_actor()
    with open_for_cli(data) as instance:
        instance.write(
            lambda tx: service.retire_system(tx, _name(system), actor=actor, reason=reason, via="cli")
        )
    _say(f"`{_name(system)}` is retired")
    return 0


@app.command
def apply(
    file: Path = Path("alcaide.yaml"),
    *,
    dry_run: bool = False,
    reason: str = "",
    form: Form = "table",
    data: Data = None,
) -> int:
    """Make the register say what an alcaide.yaml says. Applying it again changes nothing.

    Args:
        file: The document; files it names by `path:` are looked for beside it.
        dry_run: Say what would change and change nothing.
        reason: Why; goes into the signed statements.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.inventory.service import declare

    declaration = declare.read_document(_read(file), what=f"`{file}`", base=file.resolve().parent)
    actor = cli_actor()
    with open_for_cli(data) as instance:
        plan = declare.apply(instance, declaration, actor=actor, reason=reason, dry_run=dry_run)
    _plan(plan, form, dry_run=dry_run)
    return 0


@app.command
def export(
    system: str,
    *,
    form: Annotated[
        Literal["cyclonedx", "yaml", "json", "csv"],
        Parameter(name="--format", help="CycloneDX 1.7 ML-BOM, or the others."),
    ] = "cyclonedx",
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="A file; else the terminal.")
    ] = None,
    data: Data = None,
) -> int:
    """Write a system in a format of others.

    Args:
        system: Its name.
    """
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.inventory.service import exchange

    with open_for_cli(data) as instance, instance.read() as conn:
        written = exchange.export_system(
            conn, _name(system), form, origin=instance.ledger.origin, now=instance.clock()
        )
    if output is None:
        sys.stdout.write(written.decode("utf-8-sig"))
        return 0
    try:
        output.write_bytes(written)
    except OSError as problem:
        raise InvalidInput(
            f"`{output}` cannot be written: {problem.strerror}; choose another place"
        ) from None
    _say(f"`{output}` holds {len(written)} bytes")
    return 0


@app.command
def import_csv(
    file: Path,
    *,
    sheet: Literal["systems", "components"] = "systems",
    confirm: bool = False,
    rejected: Path | None = None,
    named: Annotated[list[str] | None, Parameter(name="--map", negative="")] = None,
    reason: str = "",
    form: Form = "table",
    data: Data = None,
) -> int:
    """Say what each row of a spreadsheet would do; with --confirm, do it. Exits 1 if rows were rejected.

    Args:
        file: CSV in any encoding and delimiter that spreadsheets write.
        sheet: What the rows are.
        confirm: Write every row that is not rejected.
        rejected: A file for the rejected rows, with why.
        named: What a column means, as `Column=field`; `#3=owner` is the third, `Column=` leaves one out. Repeatable.
        reason: Why; goes into the signed statements.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.inventory.rules.sheet import read_sheet
    from alcaide.slices.inventory.service import bulk

    content = _read(file)
    read = read_sheet(content, sheet, named=named or ())
    actor = cli_actor()
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            planned = bulk.plan(conn, read)
        if confirm:
            bulk.import_sheet(instance, content, sheet=sheet, actor=actor, reason=reason, named=named or ())
    if rejected is not None and planned.rejected:
        try:
            rejected.write_text("".join(bulk.rejected_file(planned)), encoding="utf-8-sig", newline="")
        except OSError as problem:
            raise InvalidInput(
                f"`{rejected}` cannot be written: {problem.strerror}; choose another place"
            ) from None
    if form == "json":
        rows = [
            {
                "line": r.row.line,
                "action": r.action,
                "name": r.name,
                "why": dict(r.why),
                "changes": _changes(r.changes),
            }
            for r in planned.rows
        ]
        _json({"confirmed": confirm, "encoding": read.encoding, "delimiter": read.delimiter, "rows": rows})
    else:
        said = [
            (str(r.row.line), r.action, r.name, r.explained or ", ".join(c.field for c in r.changes))
            for r in planned.rows
            if r.action != "unchanged"
        ]
        _table(("LINE", "ACTION", "NAME", "WHY, OR WHAT DIFFERS"), said)
        counted = ", ".join(f"{planned.count(a)} {w}" for a, w in _ACTIONS)
        _say(
            f"{read.encoding}; {counted}{'' if confirm else '; nothing was written, add --confirm to write'}"
        )
    return 1 if planned.rejected else 0


@app.command
def import_bom(
    file: Path,
    *,
    system: str,
    reason: str = "",
    dry_run: bool = False,
    form: Form = "table",
    data: Data = None,
) -> int:
    """Make the components of a CycloneDX bill of material those of a system. Exits 1 if some were left out.

    Args:
        file: CycloneDX 1.5 to 1.7, JSON.
        system: The system; registered if it is not there.
        reason: Why; goes into the signed statements.
        dry_run: Say what would change and change nothing.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.inventory.rules.validate import NAME
    from alcaide.slices.inventory.service import exchange

    name = _name(system)
    if not NAME.match(name):
        raise InvalidInput(
            f"`{name[:64]}` is no usable name; use lower-case letters, digits and inner dashes"
        )
    parsed = exchange.read_bom(_read(file))
    actor = cli_actor()
    with open_for_cli(data) as instance:
        done = exchange.take_bom(instance, parsed, name, actor=actor, reason=reason, dry_run=dry_run)
    _plan(done.plan, form, dry_run=dry_run)
    for line in (*done.left_out, *done.notes):
        sys.stderr.write(f"note: {line}\n")
    return 1 if done.left_out else 0


_ACTIONS = (
    ("create", "to register"),
    ("change", "to change"),
    ("unchanged", "as they are"),
    ("rejected", "rejected"),
)


def _plan(plan: Sequence[PlanItem], form: str, *, dry_run: bool) -> None:
    if form == "json":
        items = [{"action": i.action, "subject": i.subject, "changes": _changes(i.changes)} for i in plan]
        _json({"dry_run": dry_run, "items": items})
        return
    signs = {"create": "+", "change": "~", "unchanged": " "}
    for item in plan:
        _say(f"{signs[item.action]} {item.action:<10}{item.subject}")
        for change in item.changes if item.action == "change" else ():
            _say(f"      {change.field}: {_short(change.before)} -> {_short(change.after)}")
    counted = ", ".join(f"{sum(i.action == a for i in plan)} {a}" for a in signs)
    _say(f"{counted}{'; nothing was written' if dry_run else ''}")


def _changes(changes: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"field": c.field, "before": c.before, "after": c.after} for c in changes]


def _name(system: str) -> str:
    return system.removeprefix("system:")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE + 1)
    except OSError as problem:
        raise InvalidInput(f"`{file}` cannot be read: {problem.strerror}; check the name") from None
    if len(content) > MAX_FILE:
        raise InvalidInput(f"`{file}` has more than {MAX_FILE // 2**20} MiB; split it")
    return content


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell, up to 60 characters."""
    if not rows:
        return
    shown = [tuple(cell.replace("\n", " ")[:60] for cell in row) for row in (header, *rows)]
    widths = [max(len(row[i]) for row in shown) for i in range(len(header))]
    for row in shown:
        _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:99] + "…"


def _json(value: Any) -> None:
    _say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
