"""The public form by which staff ask for a new AI use, and the queue where somebody decides.

The form is open to anybody who reaches this installation. What keeps programs out, besides the limits of the
service: a field that people do not see, and a signed time that says how long the form was open.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Response
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import AlcaideError, Conflict, InvalidInput, NotFound
from alcaide.kernel.ids import slug
from alcaide.slices.inventory.model import Page
from alcaide.slices.inventory.pages.forms import (
    AcceptForm,
    MergeForm,
    ReasonForm,
    WishForm,
    errors_of,
    values_of,
)
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service.intake import (
    ACTION,
    IntakeSettings,
    Request,
    Similar,
    State,
    accept,
    get_request,
    list_requests,
    merge,
    opened,
    reject,
    similar,
    submit,
    tallies,
    wish_of,
)
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, get_instance, public
from alcaide.ui.look import look_of

router = APIRouter()
Moderator = Annotated[Actor, Depends(allow(ACTION))]
moderated = [Depends(allow(ACTION))]
open_form = [Depends(public("staff without an account ask for a new AI use; limited, bounded and moderated"))]
open_link = [Depends(public("the requester's own link, which holds an unguessable token"))]

PER_PAGE = 50
LONGEST_OPEN = 24 * 3_600
"""A form left open for a day is sent again: its time can then not be kept and used later."""
STATES = {
    State.WAITING: "Waiting",
    State.ACCEPTED: "Accepted",
    State.MERGED: "Merged",
    State.REJECTED: "Turned down",
}


@dataclass(frozen=True)
class FormPage:
    """The public form, empty or shown again with what is wrong."""

    values: Mapping[str, Any]
    errors: Mapping[str, str]
    notice: str
    organisation: str
    opened: str


@dataclass(frozen=True)
class StatusPage:
    """What the requester sees through their link."""

    request_: Request
    state: str
    address: str


@dataclass(frozen=True)
class QueuePage:
    """The requests of one state."""

    page: Page[Request]
    state: str
    tabs: tuple[tuple[str, str, int | None], ...]
    paged: bool
    enabled: bool
    form_address: str


@dataclass(frozen=True)
class RequestPage:
    """One request with what may be the same, and the three ways to decide."""

    asked: Request
    state: str
    similar: Similar
    choices: tuple[str, ...]
    values: Mapping[str, Any]
    errors: Mapping[str, str]
    form: str


@router.get("/intake", response_class=HTMLResponse, dependencies=open_form)
def form(request: HttpRequest) -> HTMLResponse:
    """The form, empty."""
    return _form(request, {}, {})


@router.post("/intake", dependencies=open_form)
def send(request: HttpRequest, form: Annotated[WishForm, Form()]) -> Response:
    """Take a request into the queue and lead to its own page."""
    instance = get_instance(request)
    settings = _settings(request)
    now = instance.clock()
    try:
        _by_a_person(request, form, settings)
        wish = wish_of(values_of(form))
    except InvalidInput as problem:
        return _form(request, values_of(form), errors_of(problem), status=422)
    receipt = submit(instance.db, wish, now=now, address_key=_address_key(request), settings=settings)
    return redirect(f"/intake/{receipt.reference}/{receipt.token}", flash="request received")


@router.get("/intake/{reference}/{token}", response_class=HTMLResponse, dependencies=open_link)
def status(request: HttpRequest, reference: str, token: str) -> HTMLResponse:
    """What became of a request."""
    with get_instance(request).read() as conn:
        found = opened(conn, reference, token)
    address = f"{get_instance(request).config.url}/intake/{found.reference}/{token}"
    context = StatusPage(request_=found, state=STATES[found.state], address=address)
    return render(request, "inventory/intake_status.html", context, headers={"Cache-Control": "no-store"})


@router.get("/inventory/intake", response_class=HTMLResponse, dependencies=moderated)
def queue(request: HttpRequest, state: str = str(State.WAITING), cursor: str = "") -> HTMLResponse:
    """Requests that wait, and those decided on."""
    instance = get_instance(request)
    with instance.read() as conn:
        page = list_requests(conn, state=state, limit=PER_PAGE, cursor=cursor or None)
        counts = tallies(conn)
    context = QueuePage(
        page=page,
        state=state,
        tabs=tuple((label, f"/inventory/intake?state={s}", counts[s]) for s, label in STATES.items()),
        paged=bool(cursor),
        enabled=_settings(request).enabled,
        form_address=f"{instance.config.url}/intake",
    )
    return render(request, "inventory/intake_queue.html", context)


@router.get("/inventory/intake/{reference}", response_class=HTMLResponse, dependencies=moderated)
def one(request: HttpRequest, reference: str) -> HTMLResponse:
    """One request, and what may be the same."""
    return _request_page(request, reference)


@router.post("/inventory/intake/{reference}/accept")
def accept_request(
    request: HttpRequest, actor: Moderator, reference: str, form: Annotated[AcceptForm, Form()]
) -> Response:
    """Register the system that was asked for."""
    try:
        fields = system_fields({**values_of(form), "status": "proposed"})
        get_instance(request).write(lambda tx: accept(tx, reference, fields, actor=actor, reason=form.reason))
    except (InvalidInput, Conflict) as problem:
        return _again(request, reference, "accept", form, problem, field="name")
    return redirect(
        f"/inventory/systems/{fields.name}", flash="request accepted; the system is registered as proposed"
    )


@router.post("/inventory/intake/{reference}/merge")
def merge_request(
    request: HttpRequest, actor: Moderator, reference: str, form: Annotated[MergeForm, Form()]
) -> Response:
    """Point the request to a system on record."""
    try:
        get_instance(request).write(
            lambda tx: merge(tx, reference, form.system, actor=actor, reason=form.reason)
        )
    except (InvalidInput, Conflict, NotFound) as problem:
        return _again(request, reference, "merge", form, problem, field="system")
    return redirect("/inventory/intake", flash="request merged")


@router.post("/inventory/intake/{reference}/reject")
def reject_request(
    request: HttpRequest, actor: Moderator, reference: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Turn the request down."""
    try:
        get_instance(request).write(lambda tx: reject(tx, reference, actor=actor, reason=form.reason))
    except (InvalidInput, Conflict) as problem:
        return _again(request, reference, "reject", form, problem, field="reason")
    return redirect("/inventory/intake", flash="request turned down")


def _form(
    request: HttpRequest, values: Mapping[str, Any], errors: Mapping[str, str], *, status: int = 200
) -> HTMLResponse:
    settings = _settings(request)
    if not settings.enabled:
        raise NotFound("requests are not taken here; ask the security lead")
    instance = get_instance(request)
    context = FormPage(
        values=values,
        errors=errors,
        notice=settings.notice,
        organisation=instance.config.organisation,
        opened=_stamp(request, int(instance.clock().timestamp())),
    )
    return render(request, "inventory/intake_form.html", context, status=status)


def _request_page(
    request: HttpRequest,
    reference: str,
    *,
    form: str = "",
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    with get_instance(request).read() as conn:
        asked = get_request(conn, reference)
        waiting = asked.state is State.WAITING
        found = similar(conn, asked) if waiting else Similar(systems=(), requests=())
        choices = tuple(system.name for system in found.systems)
    wish = asked.wish
    proposed = {
        "name": slug(wish.title),
        "title": wish.title,
        "purpose": wish.purpose,
        "owner": wish.requester,
        "unit": wish.unit,
        "users_affected": wish.people_affected,
    }
    context = RequestPage(
        asked=asked,
        state=STATES[asked.state],
        similar=found,
        choices=choices,
        values=proposed | dict(values or {}),
        errors=errors or {},
        form=form,
    )
    return render(request, "inventory/intake_request.html", context, status=status)


def _again(
    request: HttpRequest,
    reference: str,
    form: Literal["accept", "merge", "reject"],
    sent: ReasonForm,
    problem: AlcaideError,
    *,
    field: str,
) -> HTMLResponse:
    """The page once more, with what was sent and what is wrong with it."""
    errors = dict(problem.fields) if isinstance(problem, InvalidInput) else {}
    return _request_page(
        request,
        reference,
        form=form,
        values=values_of(sent),
        errors=errors or {field: str(problem)},
        status=422 if isinstance(problem, InvalidInput) else problem.status,
    )


def _by_a_person(request: HttpRequest, form: WishForm, settings: IntakeSettings) -> None:
    """Refuse what a program would send. People who are caught read why, and lose nothing they typed."""
    if form.website:
        raise InvalidInput(
            "leave the last field empty and send it again", {"": "the field `website` must stay empty"}
        )
    moment, _, _ = form.opened.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        moment = ""
    if not moment or not hmac.compare_digest(form.opened.encode(), _stamp(request, int(moment)).encode()):
        raise InvalidInput(
            "send it again", {"": "this form was not opened here; send it again from this page"}
        )
    age = get_instance(request).clock().timestamp() - int(moment)
    if age > LONGEST_OPEN:
        raise InvalidInput("send it again", {"": "this form was open for more than a day; send it again"})
    if age < settings.minimum_seconds:
        raise InvalidInput(
            "send it again", {"": "that was faster than anybody types; wait a moment and send it again"}
        )


def _stamp(request: HttpRequest, moment: int) -> str:
    body = f"alcaide intake {moment}".encode()
    return f"{moment}.{hmac.new(look_of(request).cookie_key, body, sha256).hexdigest()}"


def _address_key(request: HttpRequest) -> str:
    """A keyed digest of where the request comes from; of the /64 for IPv6, as one person has all of one."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
        if address.version == 6:
            host = str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        host = "unknown"
    return hmac.new(
        look_of(request).cookie_key, f"alcaide intake address {host}".encode(), sha256
    ).hexdigest()


def _settings(request: HttpRequest) -> IntakeSettings:
    return IntakeSettings.of(get_instance(request).config.section("intake"))
