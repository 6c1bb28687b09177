"""Which keys sign here, and whose signatures count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import ChainKey, TrustedKeyLine
from alcaide.slices.evidence.pages.forms import TABS, KeyKeeper, Viewer, may
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/evidence/keys")


@dataclass(frozen=True)
class KeysPage:
    """The keys page."""

    chain: Sequence[ChainKey]
    vkeys: Mapping[str, str]
    witness: str
    trusted: Sequence[TrustedKeyLine]
    errors: Mapping[str, str]
    values: Mapping[str, str]
    tabs: Sequence[tuple[str, str]]
    may_manage: bool


@router.get("", response_class=HTMLResponse)
def keys(request: Request, actor: Viewer) -> HTMLResponse:
    """Both lists."""
    return _page(request, may(get_instance(request), actor, "evidence.manage-keys"))


@router.post("/trust")
def trust(
    request: Request,
    actor: KeyKeeper,
    name: Annotated[str, Form(max_length=200)] = "",
    key: Annotated[str, Form(max_length=70_000)] = "",
    note: Annotated[str, Form(max_length=4_000)] = "",
) -> Response:
    """Count signatures by a key from now on."""
    try:
        service.trust_key(get_instance(request), actor, name, key, note=note)
    except (InvalidInput, Conflict) as problem:
        fields = problem.fields if isinstance(problem, InvalidInput) else {"name": str(problem)}
        values = {"name": name, "key": key, "note": note}
        return _page(request, True, errors=fields, values=values, status=422)
    return redirect("/evidence/keys", flash=f"signatures by `{name.strip()}` count from now on")


@dataclass(frozen=True)
class DistrustPage:
    """The form in which a key's end is told."""

    key: TrustedKeyLine
    errors: Mapping[str, str]
    values: Mapping[str, str]


@router.get("/distrust", response_class=HTMLResponse)
def distrust_form(
    request: Request, _: KeyKeeper, name: Annotated[str, Query(max_length=200)] = ""
) -> HTMLResponse:
    """The form for one key."""
    return _distrust_page(request, name)


@router.post("/distrust")
def distrust(
    request: Request,
    actor: KeyKeeper,
    name: Annotated[str, Form(max_length=200)],
    reason: Annotated[str, Form(max_length=4_000)] = "",
    because: Annotated[str, Form(max_length=20)] = "",
    since: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Count signatures by it no longer, and where it was compromised, what came in under it neither."""
    values = {"reason": reason, "because": because, "since": since}
    try:
        service.distrust_key(
            get_instance(request), actor, name, reason=reason, because=because, since=_moment(since)
        )
    except InvalidInput as problem:
        return _distrust_page(request, name, values, problem.fields or {"reason": str(problem)}, status=422)
    text = f"signatures by `{name}` count no longer"
    if because == "compromised":
        text += "; what was taken in under it since is unknown to every requirement"
    return redirect("/evidence/keys", flash=text, flash_kind="warn")


def _moment(text: str) -> datetime | None:
    """What a browser sends for a day and a time, taken as UTC."""
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip()[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        told = f"`{text[:20]}` is no time; write it like `2026-11-25T09:00`"
        raise InvalidInput(told, {"since": told}) from None


def _distrust_page(
    request: Request,
    name: str,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    with get_instance(request).read() as conn:
        key = queries.trusted_key(conn, name)
    blank = {"reason": "", "because": "out-of-use", "since": ""}
    context = DistrustPage(key, errors or {}, {**blank, **(values or {})})
    return render(request, "evidence/distrust.html", context, status=status)


@router.post("/rotate")
def rotate(
    request: Request, actor: KeyKeeper, reason: Annotated[str, Form(max_length=4_000)] = ""
) -> Response:
    """Sign with a new key from now on."""
    keyid = service.rotate_key(get_instance(request), actor, reason=reason)
    text = f"`{keyid}` signs from now on; back up the keys folder, and tell those who pin your keys"
    return redirect("/evidence/keys", flash=text, flash_kind="warn")


def _page(
    request: Request,
    may_manage: bool,
    *,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    with instance.read() as conn:
        chain = queries.key_chain(conn)
        trusted = queries.trusted_keys(conn, with_revoked=True)
    public = instance.keys.public_keys()
    origin = instance.ledger.origin
    context = KeysPage(
        chain=tuple(reversed(chain)),
        vkeys={k.keyid: public[k.keyid].note_key(origin).to_text() for k in chain if k.keyid in public},
        witness=queries.witness_key(instance, chain[-1].keyid).to_text(),
        trusted=trusted,
        errors=errors or {},
        values={"name": "", "key": "", "note": "", **(values or {})},
        tabs=TABS,
        may_manage=may_manage,
    )
    return render(request, "evidence/keys.html", context, status=status)
