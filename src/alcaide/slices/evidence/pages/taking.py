"""Bringing evidence in: documents of others, and claims of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from alcaide.instruments.exchange import Reader
from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import ImportLine, TrustedKeyLine
from alcaide.slices.evidence.pages.forms import TABS, Attester, Importer, Viewer, download, may
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/evidence")
PER_PAGE = 50

SIGNATURES = {"none": "carries none", "trusted": "holds", "unknown-key": "unknown signer"}


def _formats(instance: Instance) -> tuple[tuple[str, str], ...]:
    """Name and title of every format that is read here, those of other plug-ins too."""
    readers: tuple[Reader, ...] = instance.plugins_like(Reader)  # type: ignore[type-abstract]
    return tuple((reader.name, reader.title) for reader in readers)


@dataclass(frozen=True)
class ImportsPage:
    """What was taken in, a page of it."""

    items: Sequence[ImportLine]
    total: int
    next_cursor: str
    paged: bool
    kind: str
    signature: str
    outcome: str
    kinds: Sequence[tuple[str, str]]
    signatures: Mapping[str, str]
    tabs: Sequence[tuple[str, str]]
    may_import: bool


@dataclass(frozen=True)
class ImportPage:
    """The form to take a document in."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    problem: str
    kinds: Sequence[tuple[str, str]]
    keys: Sequence[TrustedKeyLine]
    limit: int


@dataclass(frozen=True)
class AttestPage:
    """The form to attest."""

    values: Mapping[str, str]
    errors: Mapping[str, str]


@router.get("/imports", response_class=HTMLResponse)
def imports(
    request: Request,
    actor: Viewer,
    kind: Annotated[str, Query(max_length=40)] = "",
    signature: Annotated[str, Query(max_length=20)] = "",
    outcome: Annotated[str, Query(max_length=10)] = "",
    cursor: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """What was taken in, newest first."""
    instance = get_instance(request)
    with instance.read() as conn:
        items, after, total = queries.list_imports(
            conn, kind=kind, signature=signature, outcome=outcome, limit=PER_PAGE, cursor=cursor
        )
    context = ImportsPage(
        items=items,
        total=total,
        next_cursor=after,
        paged=bool(cursor),
        kind=kind,
        signature=signature,
        outcome=outcome,
        kinds=_formats(instance),
        signatures=SIGNATURES,
        tabs=TABS,
        may_import=may(instance, actor, "evidence.import"),
    )
    return render(request, "evidence/imports.html", context)


@router.get("/import", response_class=HTMLResponse)
def choose(request: Request, _: Importer, about: Annotated[str, Query(max_length=2048)] = "") -> HTMLResponse:
    """The form to take a document in."""
    return _import_page(request, {"about": about})


@router.post("/import")
def take_in(
    request: Request,
    actor: Importer,
    file: Annotated[UploadFile, File()],
    about: Annotated[str, Form(max_length=20_000)] = "",
    kind: Annotated[str, Form(max_length=40)] = "auto",
    key: Annotated[str, Form(max_length=100)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Take the document in; what is wrong with it is said beside the form."""
    values = {"about": about, "kind": kind, "key": key, "reason": reason}
    try:
        result = service.import_document(
            get_instance(request),
            actor,
            file.file.read(),
            about=about.replace(",", "\n").splitlines(),
            kind=kind,
            key=key,
            filename=file.filename or "",
            media_type=file.content_type or "",
            reason=reason,
        )
    except (InvalidInput, Conflict, NotFound) as problem:
        fields = problem.fields if isinstance(problem, InvalidInput) else {}
        return _import_page(request, values, errors=fields, problem=str(problem), status=422)
    good = result.outcome == "passed"
    return redirect(
        f"/evidence/leaves/{result.leaf}",
        flash=f"taken in: {result.title}; {result.outcome}{f', {result.reason}' if result.reason else ''}"[
            :400
        ],
        flash_kind="success" if good else "warn",
    )


def _import_page(
    request: Request,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    with instance.read() as conn:
        keys = queries.trusted_keys(conn)
    context = ImportPage(
        values={"about": "", "kind": "auto", "key": "", "reason": "", **values},
        errors=errors or {},
        problem=problem,
        kinds=(("auto", "Find out"), *_formats(instance)),
        keys=keys,
        limit=instance.config.max_upload_mib,
    )
    return render(request, "evidence/import.html", context, status=status)


@router.get("/originals/{sha256}")
def original(request: Request, _: Viewer, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """The bytes of a document that was taken in."""
    with get_instance(request).read() as conn:
        content = queries.blob(conn, sha256)
    if content is None:
        raise NotFound(f"no document with digest `{sha256[:16]}…` is kept here")
    return download(content, "application/octet-stream", f"{sha256[:16]}.json")


@router.get("/attest", response_class=HTMLResponse)
def attest_form(
    request: Request, _: Attester, about: Annotated[str, Query(max_length=2048)] = ""
) -> HTMLResponse:
    """The form to put one's name to a claim."""
    return _attest_page(request, {"subject": about})


@router.post("/attest")
def attest(
    request: Request,
    actor: Attester,
    subject: Annotated[str, Form(max_length=20_000)] = "",
    claim: Annotated[str, Form(max_length=8_000)] = "",
    outcome: Annotated[str, Form(max_length=20)] = "passed",
    ref: Annotated[str, Form(max_length=400)] = "",
    until: Annotated[str, Form(max_length=40)] = "",
    reason: Annotated[str, Form(max_length=4_000)] = "",
) -> Response:
    """Record the claim."""
    values = {
        "subject": subject,
        "claim": claim,
        "outcome": outcome,
        "ref": ref,
        "until": until,
        "reason": reason,
    }
    try:
        leaf = service.attest(
            get_instance(request),
            actor,
            subject.replace(",", "\n").splitlines(),
            claim,
            outcome=outcome,
            ref=ref,
            until=_end_of(until),
            reason=reason,
        )
    except InvalidInput as problem:
        return _attest_page(request, values, problem.fields or {"subject": str(problem)}, status=422)
    return redirect(f"/evidence/leaves/{leaf}", flash="attested")


def _attest_page(
    request: Request, values: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200
) -> HTMLResponse:
    blank = {"subject": "", "claim": "", "outcome": "passed", "ref": "", "until": "", "reason": ""}
    return render(
        request, "evidence/attest.html", AttestPage({**blank, **values}, errors or {}), status=status
    )


def _end_of(day: str) -> datetime | None:
    """The end of a day, in UTC."""
    if not day.strip():
        return None
    try:
        return datetime.strptime(day.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        text = f"`{day[:20]}` is no day; write it like `2027-01-31`"
        raise InvalidInput(text, {"until": text}) from None
