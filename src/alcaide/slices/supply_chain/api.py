"""Scans over HTTP: have something scanned, and read what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict
from alcaide.slices.supply_chain import queries, service
from alcaide.slices.supply_chain.model import Kind, ScanLine, SourceKind, Watch
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/scans", tags=["scans"])
Viewer = Annotated[Actor, Depends(allow("scan.view"))]
Scanner = Annotated[Actor, Depends(allow("scan.run"))]
Watcher = Annotated[Actor, Depends(allow("scan.watch"))]
PLAIN = r"^[^\x00-\x1f\x7f]*$"
ScanId = Annotated[str, Path(pattern="^[0-9A-Za-z]{1,40}$")]
Subject = Annotated[
    str,
    Query(
        max_length=400,
        pattern=PLAIN,
        description="What it is to be put on record about: a registered component.",
    ),
]
Reason = Annotated[str, Query(max_length=2_000, pattern=PLAIN)]
State = Literal["waiting", "running", "done", "failed", "cancelled"]


class AskedOut(BaseModel):
    """A scan that was asked for."""

    id: str


class FolderIn(BaseModel):
    """Something on the server that is to be scanned."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(max_length=4_096, description="Absolute, in one of the folders that may be scanned.")
    subject: str = Field(default="", max_length=400, pattern=PLAIN)
    kind: Kind = "artifact"
    reason: str = Field(default="", max_length=2_000, pattern=PLAIN)


class ScanOut(BaseModel):
    """One scan."""

    id: str
    kind: Kind
    state: State
    origin: Literal["upload", "folder", "watch", "command"]
    title: str
    subject: str
    sha256: str = Field(description="Of the bytes of a file, of the listing of a folder; empty until known.")
    outcome: Literal["", "passed", "failed", "unknown"]
    counts: dict[str, int]
    files: int
    bytes: int
    edition: str
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    problem: str
    leaf: int | None
    job: str


class ScansOut(BaseModel):
    """A page of scans, newest first."""

    items: list[ScanOut]
    next_cursor: str | None
    total: int


class WatchIn(BaseModel):
    """A place that is to be watched."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, pattern=PLAIN)
    kind: SourceKind = "folder"
    path: str = Field(
        max_length=4_096,
        description="Absolute, in one of the folders that may be scanned; or the address of a listed store or server.",
    )
    every_minutes: int = Field(default=15, ge=1, le=44_640)


class WatchOut(BaseModel):
    """A watched place."""

    id: str
    name: str
    kind: SourceKind
    path: str
    every_minutes: int
    added_at: datetime
    added_by: str
    last_at: datetime | None
    problem: str
    entries: int


@router.get("")
def scans(
    request: Request,
    _: Viewer,
    outcome: Annotated[Literal["", "passed", "failed", "unknown", "waiting"], Query()] = "",
    kind: Annotated[Literal["", "artifact", "dataset"], Query()] = "",
    subject: Annotated[str, Query(max_length=400, pattern=PLAIN)] = "",
    q: Annotated[str, Query(max_length=200, pattern=PLAIN)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=40, pattern="^[0-9A-Za-z]*$")] = "",
) -> ScansOut:
    """Scans, newest first."""
    with get_instance(request).read() as conn:
        items, after, total = queries.scans(
            conn, outcome=outcome, kind=kind, q=q, subject=subject, limit=limit, cursor=cursor
        )
    return ScansOut(items=[_scan(line) for line in items], next_cursor=after or None, total=total)


@router.post(
    "/uploads",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(
    request: Request,
    actor: Scanner,
    name: Annotated[str, Query(max_length=400, pattern=PLAIN, description="The file's name.")] = "upload",
    subject: Subject = "",
    kind: Annotated[Kind, Query()] = "artifact",
    reason: Reason = "",
) -> AskedOut:
    """Send a file as the body, however large the settings allow; it is scanned from disk and then deleted."""
    instance = get_instance(request)
    kept = await run_in_threadpool(service.Quarantined, instance, name)
    try:
        async for piece in request.stream():
            if piece:
                await run_in_threadpool(kept.write, piece)
        scan_id = await run_in_threadpool(
            lambda: service.scan_upload(instance, actor, kept, subject=subject, kind=kind, reason=reason)
        )
    except BaseException:
        kept.drop()
        raise
    return AskedOut(id=scan_id)


@router.post("/folders", status_code=202)
def folder(request: Request, actor: Scanner, asked: FolderIn) -> AskedOut:
    """Have something scanned that lies on the server."""
    scan_id = service.scan_folder(
        get_instance(request), actor, asked.path, subject=asked.subject, kind=asked.kind, reason=asked.reason
    )
    return AskedOut(id=scan_id)


@router.get("/watches")
def watches(request: Request, _: Viewer) -> list[WatchOut]:
    """The watched places."""
    with get_instance(request).read() as conn:
        return [_watch(one) for one in queries.watches(conn)]


@router.post("/watches", status_code=201)
def add_watch(request: Request, actor: Watcher, asked: WatchIn) -> AskedOut:
    """Watch a place: what appears or changes in it is scanned."""
    watch_id = service.add_watch(
        get_instance(request),
        actor,
        asked.name,
        asked.path,
        kind=asked.kind,
        every_minutes=asked.every_minutes,
    )
    return AskedOut(id=watch_id)


@router.delete("/watches/{watch_id}", status_code=204, response_class=Response)
def remove_watch(request: Request, actor: Watcher, watch_id: ScanId) -> Response:
    """Stop watching."""
    service.remove_watch(get_instance(request), actor, watch_id)
    return Response(status_code=204)


@router.get("/{scan_id}")
def scan(request: Request, _: Viewer, scan_id: ScanId) -> ScanOut:
    """One scan."""
    with get_instance(request).read() as conn:
        return _scan(queries.scan(conn, scan_id))


@router.get("/{scan_id}/report")
def report(request: Request, _: Viewer, scan_id: ScanId) -> dict[str, Any]:
    """What it found, as `alcaide scan --format json` prints it. 409 while it has not ended."""
    with get_instance(request).read() as conn:
        line = queries.scan(conn, scan_id)
        found = queries.report(conn, scan_id)
    if found is None:
        raise Conflict(f"the scan is {line.state} and has no report; ask again when it is done")
    return found


@router.post("/{scan_id}/again", status_code=202)
def again(request: Request, actor: Scanner, scan_id: ScanId) -> AskedOut:
    """Scan the same place once more."""
    return AskedOut(id=service.scan_again(get_instance(request), actor, scan_id))


@router.post("/{scan_id}/cancel", status_code=204, response_class=Response)
def cancel(request: Request, actor: Scanner, scan_id: ScanId) -> Response:
    """Stop a scan that waits or runs."""
    service.cancel_scan(get_instance(request), actor, scan_id)
    return Response(status_code=204)


def _scan(line: ScanLine) -> ScanOut:
    return ScanOut(
        id=line.id,
        kind=line.kind,
        state=line.state,
        origin=line.origin,
        title=line.title,
        subject=line.subject,
        sha256=line.sha256,
        outcome=line.outcome,  # type: ignore[arg-type]
        counts=line.counts,
        files=line.files,
        bytes=line.bytes,
        edition=line.edition,
        asked_at=line.asked_at,
        asked_by=line.asked_by,
        done_at=line.done_at,
        problem=line.problem,
        leaf=line.leaf,
        job=line.job,
    )


def _watch(one: Watch) -> WatchOut:
    return WatchOut(
        id=one.id,
        name=one.name,
        kind=one.kind,
        path=one.path,
        every_minutes=one.every_minutes,
        added_at=one.added_at,
        added_by=one.added_by,
        last_at=one.last_at,
        problem=one.problem,
        entries=one.entries,
    )
