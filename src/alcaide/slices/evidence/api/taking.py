"""Bringing evidence in over HTTP: documents of others, and claims of one's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from alcaide.kernel.errors import NotFound
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.api.shapes import (
    PLAIN,
    Attester,
    Cursor,
    Importer,
    LeafRef,
    Limit,
    Outcome,
    Viewer,
    download,
)
from alcaide.slices.evidence.model import ImportLine
from alcaide.ui.deps import get_instance
from alcaide.ui.exact import Moment

router = APIRouter()


class SubjectOut(BaseModel):
    """A subject by name and digest."""

    name: str
    digest: dict[str, str]


class ImportedOut(BaseModel):
    """What taking a document in has led to."""

    leaf: int
    foreign_leaf: int | None = Field(description="Where the envelope lies that was kept byte for byte.")
    kind: str
    title: str
    sha256: str
    size: int
    outcome: Outcome
    reason: str
    signature: Literal["none", "trusted", "unknown-key"]
    verified_by: list[str]
    subjects: list[SubjectOut]
    notes: list[str]


class ImportOut(BaseModel):
    """A document that was taken in."""

    leaf: int
    foreign_leaf: int | None
    kind: str
    title: str
    sha256: str
    size: int
    filename: str
    outcome: Outcome
    reason: str
    signature: Literal["none", "trusted", "unknown-key"]
    verified_by: list[str]
    at: datetime
    by: str
    summary: dict[str, Any]


class ImportsOut(BaseModel):
    """Imports, newest first."""

    items: list[ImportOut]
    next_cursor: str | None
    total: int


@router.get("/imports")
def imports(
    request: Request,
    _: Viewer,
    kind: Annotated[str, Query(max_length=40, pattern=PLAIN)] = "",
    signature: Literal["", "none", "trusted", "unknown-key"] = "",
    outcome: Literal["", "passed", "failed", "unknown"] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> ImportsOut:
    """Documents that were taken in, newest first."""
    with get_instance(request).read() as conn:
        items, after, total = queries.list_imports(
            conn, kind=kind, signature=signature, outcome=outcome, limit=limit, cursor=cursor
        )
    return ImportsOut(items=[_import(line) for line in items], next_cursor=after or None, total=total)


@router.post("/imports", status_code=201)
def import_document(
    request: Request,
    actor: Importer,
    file: Annotated[UploadFile, File(description="The document, as it is.")],
    about: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    kind: Annotated[str, Form(max_length=40, pattern=PLAIN)] = "auto",
    key: Annotated[str, Form(max_length=100, pattern=PLAIN)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> ImportedOut:
    """Take in a document that somebody else made. Signatures count by trusted keys only."""
    result = service.import_document(
        get_instance(request),
        actor,
        file.file.read(),
        about=about,
        kind=kind,
        key=key,
        filename=file.filename or "",
        media_type=file.content_type or "",
        reason=reason,
    )
    return ImportedOut(**result.as_json())


@router.get("/originals/{sha256}", response_class=Response)
def original(request: Request, _: Viewer, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """The bytes of a document that was taken in."""
    with get_instance(request).read() as conn:
        content = queries.blob(conn, sha256)
    if content is None:
        raise NotFound(f"no document with digest `{sha256}` is kept here")
    return download(content, "application/octet-stream", f"{sha256[:16]}.json")


def _import(line: ImportLine) -> ImportOut:
    return ImportOut(
        leaf=line.leaf,
        foreign_leaf=line.foreign_leaf,
        kind=line.kind,
        title=line.title,
        sha256=line.sha256,
        size=line.size,
        filename=line.filename,
        outcome=line.outcome,  # type: ignore[arg-type]
        reason=line.reason,
        signature=line.signature,  # type: ignore[arg-type]
        verified_by=list(line.verified_by),
        at=line.at,
        by=line.by,
        summary=dict(line.summary),
    )


class AttestationIn(BaseModel):
    """A claim that the asker puts their name to."""

    model_config = ConfigDict(extra="forbid")
    subjects: list[Annotated[str, Field(max_length=2048, pattern=PLAIN)]] = Field(min_length=1, max_length=50)
    claim: str = Field(min_length=1, max_length=4000)
    outcome: Literal["passed", "failed"] = "passed"
    ref: str = Field(default="", max_length=200, pattern=PLAIN)
    until: Moment | None = None
    reason: str = Field(default="", max_length=2000)


@router.post("/attestations", status_code=201)
def attest(request: Request, actor: Attester, said: AttestationIn) -> LeafRef:
    """Say that something holds of a subject, or does not."""
    index = service.attest(
        get_instance(request),
        actor,
        said.subjects,
        said.claim,
        outcome=said.outcome,
        ref=said.ref,
        until=said.until,
        reason=said.reason,
    )
    return LeafRef(leaf=index)
