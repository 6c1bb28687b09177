"""Scans: the list, a new one, and what one found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import AlcaideError, InvalidInput
from alcaide.slices.supply_chain import queries, service
from alcaide.slices.supply_chain.model import Kind, ScanLine
from alcaide.slices.supply_chain.pages import dataset_views, views
from alcaide.slices.supply_chain.pages.forms import TABS, Scanner, Viewer, may
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/scans")
ScanId = Annotated[str, Path(max_length=40)]

OUTCOMES = (
    ("failed", "Failed"),
    ("unknown", "Unknown"),
    ("passed", "Passed"),
    ("waiting", "Waiting or running"),
)
KINDS = (("artifact", "Model or repository"), ("dataset", "Dataset"))
_PIECE = 1 << 20


@dataclass(frozen=True)
class ScansPage:
    """The list."""

    items: Sequence[ScanLine]
    total: int
    next_cursor: str
    paged: bool
    outcome: str
    kind: str
    q: str
    outcomes: Sequence[tuple[str, str]]
    kinds: Sequence[tuple[str, str]]
    tabs: Sequence[tuple[str, str]]
    may_scan: bool


@dataclass(frozen=True)
class NewScanPage:
    """The forms."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    problem: str
    folders: Sequence[str]
    limit_mib: int
    kinds: Sequence[tuple[str, str]]
    may_record: bool


@dataclass(frozen=True)
class ScanPage:
    """One scan and what it found."""

    line: ScanLine
    report: Mapping[str, Any] | None
    found: Sequence[views.Shown]
    left: int
    tree: Sequence[views.Row]
    tree_left: int
    calls: Sequence[views.Call]
    drawing: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    may_scan: bool
    level: str
    levels: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DatasetPage:
    """One look at a dataset."""

    line: ScanLine
    view: dataset_views.DatasetView
    fail_on: str
    may_scan: bool


@router.get("", response_class=HTMLResponse)
def scans(
    request: Request,
    actor: Viewer,
    outcome: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """Scans, newest first."""
    instance = get_instance(request)
    with instance.read() as conn:
        items, after, total = queries.scans(conn, outcome=outcome, kind=kind, q=q, cursor=cursor)
    page = ScansPage(
        items,
        total,
        after,
        bool(cursor),
        outcome,
        kind,
        q,
        OUTCOMES,
        KINDS,
        TABS,
        may(instance, actor, "scan.run"),
    )
    return render(request, "supply_chain/scans.html", page)


@router.get("/new", response_class=HTMLResponse)
def choose(
    request: Request, actor: Scanner, about: Annotated[str, Query(max_length=400)] = ""
) -> HTMLResponse:
    """The forms for a new scan."""
    return _form(request, may(get_instance(request), actor, "scan.record"), {"subject": about})


@router.post("/upload")
def upload(
    request: Request,
    actor: Scanner,
    file: Annotated[UploadFile, File()],
    subject: Annotated[str, Form(max_length=400)] = "",
    kind: Annotated[Kind, Form()] = "artifact",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Have an uploaded file scanned."""
    instance = get_instance(request)
    values = {"subject": subject, "kind": kind, "reason": reason}
    try:
        kept = service.Quarantined(instance, file.filename or "upload")
        while piece := file.file.read(_PIECE):
            kept.write(piece)
        scan_id = service.scan_upload(instance, actor, kept, subject=subject, kind=kind, reason=reason)
    except AlcaideError as problem:
        return _refused(request, actor, values, problem)
    return redirect(f"/scans/{scan_id}", flash="taken in, and scanned as soon as a worker is free")


@router.post("/folder")
def folder(
    request: Request,
    actor: Scanner,
    path: Annotated[str, Form(max_length=4_096)] = "",
    subject: Annotated[str, Form(max_length=400)] = "",
    kind: Annotated[Kind, Form()] = "artifact",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Have something scanned that lies on the server."""
    instance = get_instance(request)
    values = {"path": path, "subject": subject, "kind": kind, "reason": reason}
    try:
        scan_id = service.scan_folder(
            instance, actor, path.strip(), subject=subject, kind=kind, reason=reason
        )
    except AlcaideError as problem:
        return _refused(request, actor, values, problem)
    return redirect(f"/scans/{scan_id}", flash="scanned as soon as a worker is free")


@router.get("/{scan_id}", response_class=HTMLResponse)
def scan(
    request: Request, actor: Viewer, scan_id: ScanId, level: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    """What one scan found."""
    instance = get_instance(request)
    with instance.read() as conn:
        line = queries.scan(conn, scan_id)
        report = queries.report(conn, scan_id)
    may_scan = may(instance, actor, "scan.run")
    if line.kind == "dataset" and report is not None:
        page = DatasetPage(line, dataset_views.view(report), report["fail_on"], may_scan)
        return render(request, "supply_chain/dataset.html", page)
    shown, left = views.findings(report, level)
    tree, tree_left = views.tree(report)
    calls = views.calls(report)
    scan_page = ScanPage(
        line=line,
        report=report,
        found=shown,
        left=left,
        tree=tree,
        tree_left=tree_left,
        calls=calls,
        drawing=views.drawing(line.title, calls),
        files=views.files(report),
        may_scan=may_scan,
        level=level,
        levels=[(name, name.capitalize()) for name in views.LEVELS],
    )
    return render(request, "supply_chain/scan.html", scan_page)


@router.post("/{scan_id}/again")
def again(request: Request, actor: Scanner, scan_id: ScanId) -> Response:
    """Scan the same place once more."""
    new = service.scan_again(get_instance(request), actor, scan_id)
    return redirect(f"/scans/{new}", flash="scanned as soon as a worker is free")


@router.post("/{scan_id}/cancel")
def cancel(request: Request, actor: Scanner, scan_id: ScanId) -> Response:
    """Stop it."""
    service.cancel_scan(get_instance(request), actor, scan_id)
    return redirect(f"/scans/{scan_id}", flash="stopped", flash_kind="warn")


def _refused(request: Request, actor: Any, values: Mapping[str, str], problem: AlcaideError) -> HTMLResponse:
    fields = problem.fields if isinstance(problem, InvalidInput) else {}
    allowed = may(get_instance(request), actor, "scan.record")
    return _form(request, allowed, values, fields, str(problem), status=problem.status)


def _form(
    request: Request,
    may_record: bool,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    settings = queries.settings(instance)
    page = NewScanPage(
        values={"path": "", "subject": "", "kind": "artifact", "reason": "", **values},
        errors=errors or {},
        problem=problem,
        folders=settings.folders,
        limit_mib=min(settings.max_upload_mib, instance.config.max_upload_mib),
        kinds=KINDS,
        may_record=may_record,
    )
    return render(request, "supply_chain/new.html", page, status=status)
