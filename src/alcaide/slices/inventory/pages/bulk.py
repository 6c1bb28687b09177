"""Import pages: choose a file, see what each row would do, confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from pydantic import Field

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.pages.forms import Importer, ReasonForm, Viewer, errors_of
from alcaide.slices.inventory.pages.register import download
from alcaide.slices.inventory.rules.sheet import (
    COMPONENT_COLUMNS,
    MAX_COLUMNS,
    SHEETS,
    SYSTEM_COLUMNS,
    RowPlan,
    SheetPlan,
)
from alcaide.slices.inventory.rules.validate import NAME, clean
from alcaide.slices.inventory.service import bulk, exchange
from alcaide.slices.inventory.service.bulk import Upload
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/inventory/import")
SHOWN = 200
ColumnsQuery = Annotated[list[str] | None, Query(max_length=MAX_COLUMNS)]


class ConfirmForm(ReasonForm):
    """Why, and what each column means where a person has said so."""

    column: list[str] = Field([], max_length=MAX_COLUMNS)


@dataclass(frozen=True)
class ImportPage:
    """The page on which a file is chosen."""

    columns: Mapping[str, tuple[str, ...]]
    errors: Mapping[str, str]
    sheet: str
    system: str
    form: str


@dataclass(frozen=True)
class PreviewPage:
    """The page that shows what each row would do."""

    upload: Upload
    plan: SheetPlan
    counts: Mapping[str, int]
    rows: tuple[RowPlan, ...]
    hidden: int
    show: str
    columns: Sequence[tuple[str, str, Sequence[str]]]
    """Each column's header, the field it stands for, and some of its cells."""
    fields: Sequence[tuple[str, str]]
    query: str
    """The chosen columns as this page's address carries them; empty while they are guessed."""
    error: str


@router.get("", response_class=HTMLResponse)
def choose(request: Request, _: Importer, sheet: str = "systems") -> HTMLResponse:
    """Choose a file."""
    return _page(request, sheet=sheet)


@router.post("")
def upload(
    request: Request,
    actor: Importer,
    file: Annotated[UploadFile, File()],
    sheet: Annotated[str, Form()] = "systems",
) -> Response:
    """Keep the file and show what it would do. Nothing is written to the register yet."""
    try:
        data = _content(file)
        kept = bulk.keep_upload(
            get_instance(request), data, sheet=sheet, filename=file.filename or "upload.csv", actor=actor
        )
    except InvalidInput as problem:
        return _page(request, sheet=sheet, errors={"file": str(problem)}, form="csv", status=422)
    return redirect(f"/inventory/import/{kept.id}")


@router.get("/template/{sheet}.csv")
def template(_: Viewer, sheet: str) -> Response:
    """An empty sheet with one example row."""
    data = "\ufeff" + "".join(bulk.template(sheet))
    return download(data.encode(), "text/csv; charset=utf-8", f"{sheet}-template.csv")


@router.post("/bom")
def import_bom(
    request: Request,
    actor: Importer,
    file: Annotated[UploadFile, File()],
    system: Annotated[str, Form()] = "",
) -> Response:
    """Take the components of a CycloneDX bill into a system."""
    name = clean(system)
    try:
        if not NAME.match(name):
            raise InvalidInput(
                "a name is needed", {"system": "use lower-case letters, digits and inner dashes"}
            )
        parsed = exchange.read_bom(_content(file))
        done = get_instance(request).write(lambda tx: exchange.import_bom(tx, parsed, name, actor=actor))
    except InvalidInput as problem:
        errors = errors_of(problem) if "system" in problem.fields else {"file": str(problem)}
        return _page(request, errors=errors, system=name, form="bom", status=422)
    changed = sum(item.action != "unchanged" for item in done.plan)
    left = f"; {len(done.left_out)} left out: {done.left_out[0][:200]}" if done.left_out else ""
    kind = "warn" if done.left_out else "success"
    return redirect(
        f"/inventory/systems/{name}/components",
        flash=f"bill of material taken in, {changed} entries written{left}",
        flash_kind=kind,
    )


@router.get("/{upload_id}", response_class=HTMLResponse)
def preview(
    request: Request, _: Importer, upload_id: str, show: str = "", column: ColumnsQuery = None
) -> HTMLResponse:
    """Plan the upload against the register as it is now. `show` keeps the rows of one action.

    `column`, once for each column of the file, says what it means; left out, it is guessed.
    """
    error = ""
    with get_instance(request).read() as conn:
        try:
            kept, planned = bulk.preview(conn, upload_id, column)
        except InvalidInput as problem:
            error, column = str(problem), None
            kept, planned = bulk.preview(conn, upload_id)
    sheet = planned.sheet
    counts = {action: planned.count(action) for action in ("create", "change", "unchanged", "rejected")}
    chosen = [row for row in planned.rows if not show or row.action == show]
    if not show:
        chosen.sort(key=lambda row: row.action != "rejected")
    context = PreviewPage(
        upload=kept,
        plan=planned,
        counts=counts,
        rows=tuple(chosen[:SHOWN]),
        hidden=max(len(chosen) - SHOWN, 0),
        show=show,
        columns=[
            (cell or f"column {place + 1}", name, sheet.samples(place))
            for place, (cell, name) in enumerate(zip(sheet.header, sheet.columns, strict=True))
        ],
        fields=[(name, name.replace("_", " ")) for name in SHEETS[kept.sheet]],
        query=_query(column),
        error=error,
    )
    return render(request, "inventory/import_preview.html", context, status=422 if error else 200)


def _query(columns: Sequence[str] | None) -> str:
    return urlencode([("column", name) for name in columns or ()])


@router.post("/{upload_id}")
def confirm(
    request: Request, actor: Importer, upload_id: str, form: Annotated[ConfirmForm, Form()]
) -> Response:
    """Write every row that is not rejected, with the columns that were looked at."""
    columns = form.column or None
    address = f"/inventory/import/{upload_id}?{_query(columns)}".rstrip("?")
    try:
        outcome = bulk.confirm(
            get_instance(request), upload_id, actor=actor, reason=form.reason, columns=columns
        )
    except InvalidInput as problem:
        return redirect(address, flash=str(problem), flash_kind="danger")
    text = f"{outcome['create']} registered, {outcome['change']} changed, {outcome['rejected']} rejected"
    return redirect(address, flash=text)


@router.get("/{upload_id}/rejected.csv")
def rejected(request: Request, _: Importer, upload_id: str, column: ColumnsQuery = None) -> Response:
    """The rejected rows as they came, with why."""
    with get_instance(request).read() as conn:
        planned = bulk.preview(conn, upload_id, column)[1]
    data = "\ufeff" + "".join(bulk.rejected_file(planned))
    return download(data.encode(), "text/csv; charset=utf-8", "rejected-rows.csv")


def _content(file: UploadFile) -> bytes:
    data = file.file.read()
    if not data:
        raise InvalidInput("no file was sent, or an empty one; choose one", {"file": "is missing"})
    return data


def _page(
    request: Request,
    *,
    sheet: str = "systems",
    errors: Mapping[str, str] | None = None,
    system: str = "",
    form: str = "",
    status: int = 200,
) -> HTMLResponse:
    columns: Mapping[str, Any] = COMPONENT_COLUMNS if sheet == "components" else SYSTEM_COLUMNS
    shown = "components" if sheet == "components" else "systems"
    context = ImportPage(columns=columns, errors=errors or {}, sheet=shown, system=system, form=form)
    return render(request, "inventory/import.html", context, status)
