"""One's own account: name, password, second factor, sessions, tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.slices.access import queries, rules, service
from alcaide.slices.access.model import NewToken, Session, Token, TotpSetup, User
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, get_instance

router = APIRouter()
Myself = Annotated[Actor, Depends(allow("access.account"))]
Text = Annotated[str, Form(max_length=1000)]
Several = Annotated[list[str] | None, Form(max_length=100)]

LIVES = (("7", "a week"), ("30", "30 days"), ("90", "90 days"), ("180", "half a year"), ("365", "a year"))


@dataclass(frozen=True)
class AccountPage:
    """Everything about oneself on one page, and what went wrong with the form that was sent."""

    user: User
    sessions: tuple[Session, ...]
    tokens: tuple[Token, ...]
    scopes: tuple[tuple[str, str], ...]
    now: datetime
    lives: tuple[tuple[str, str], ...] = LIVES
    form: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    chosen_scopes: tuple[str, ...] = ()
    new_token: NewToken | None = None
    shortest: int = rules.PASSWORD_SHORTEST
    browser_name: Callable[[str], str] = rules.browser_name


@dataclass(frozen=True)
class TotpPage:
    """Setting up the second factor: the QR code, and the same secret to type."""

    setup: TotpSetup
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CodesPage:
    """Recovery codes, shown once."""

    codes: tuple[str, ...]


@router.get("/account")
def account(request: Request, actor: Myself) -> Response:
    """Show one's account."""
    return render(request, "access/account.html", _page(request, actor))


@router.post("/account/name")
def rename(request: Request, actor: Myself, name: Text = "") -> Response:
    """Change one's name."""
    try:
        service.rename(get_instance(request), actor, name)
    except InvalidInput as problem:
        return _again(request, actor, "name", problem, typed={"name": name})
    return redirect("/account", flash="Your name is changed.")


@router.post("/account/password")
def password(request: Request, actor: Myself, present: Text = "", password: Text = "") -> Response:
    """Change one's password."""
    instance = get_instance(request)
    keep = service.session_id_of(instance, request.cookies)
    try:
        service.change_password(instance, actor, present=present, new=password, keep_session=keep)
    except InvalidInput as problem:
        return _again(request, actor, "password", problem)
    return redirect("/account", flash="Your password is changed. Other sessions have ended.")


@router.post("/account/totp/start")
def start_totp(request: Request, actor: Myself) -> Response:
    """Begin setting up a second factor."""
    service.start_totp(get_instance(request), actor)
    return redirect("/account/totp")


@router.get("/account/totp")
def totp_form(request: Request, actor: Myself) -> Response:
    """Show the QR code that waits to be confirmed."""
    setup = service.waiting_totp(get_instance(request), actor)
    if setup is None:
        return redirect("/account")
    return render(request, "access/totp.html", TotpPage(setup))


@router.post("/account/totp")
def confirm_totp(request: Request, actor: Myself, code: Text = "") -> Response:
    """Switch the second factor on and show the recovery codes."""
    instance = get_instance(request)
    try:
        codes = service.confirm_totp(instance, actor, code)
    except InvalidInput as problem:
        setup = service.waiting_totp(instance, actor)
        if setup is None:
            return redirect("/account")
        return render(request, "access/totp.html", TotpPage(setup, problem.fields), 422)
    return render(request, "access/recovery_codes.html", CodesPage(codes))


@router.post("/account/totp/remove")
def remove_totp(request: Request, actor: Myself, password: Text = "") -> Response:
    """Switch the second factor off."""
    try:
        service.remove_totp(get_instance(request), actor, password)
    except InvalidInput as problem:
        return _again(request, actor, "totp-remove", problem)
    return redirect("/account", flash="The second factor is off.", flash_kind="warn")


@router.post("/account/recovery-codes")
def recovery_codes(request: Request, actor: Myself, password: Text = "") -> Response:
    """Make new recovery codes."""
    try:
        codes = service.renew_recovery_codes(get_instance(request), actor, password)
    except InvalidInput as problem:
        return _again(request, actor, "codes", problem)
    return render(request, "access/recovery_codes.html", CodesPage(codes))


@router.post("/account/sessions/end-others")
def end_others(request: Request, actor: Myself) -> Response:
    """End every session of one's own but this one."""
    instance = get_instance(request)
    ended = service.end_other_sessions(instance, actor, service.session_id_of(instance, request.cookies))
    return redirect("/account#sessions", flash=f"{ended} other sessions ended.")


@router.post("/account/sessions/{session_id}/end")
def end_session(request: Request, actor: Myself, session_id: str) -> Response:
    """End one of one's sessions."""
    service.revoke_session(get_instance(request), actor, session_id)
    return redirect("/account#sessions", flash="The session has ended.")


@router.post("/account/tokens")
def make_token(
    request: Request, actor: Myself, name: Text = "", days: Text = "90", scopes: Several = None
) -> Response:
    """Make a token and show its text, this once."""
    chosen = tuple(scopes or ())
    try:
        made = service.create_token(
            get_instance(request), actor, user_id=actor.id, name=name, scopes=chosen, life=days_of(days)
        )
    except InvalidInput as problem:
        return _again(
            request, actor, "token", problem, typed={"name": name, "days": days}, chosen_scopes=chosen
        )
    page = _page(request, actor, new_token=made)
    return render(request, "access/account.html", page)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(request: Request, actor: Myself, token_id: str) -> Response:
    """Revoke one of one's tokens."""
    service.revoke_token(get_instance(request), actor, token_id)
    return redirect("/account#tokens", flash="The token is revoked.")


def days_of(text: str) -> timedelta:
    """A number of days from a form. Raises InvalidInput."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise InvalidInput("choose how long the token lives", {"life": "choose one from the list"})
    return timedelta(days=int(text))


def scope_choices(actions: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What a token can be narrowed to: everything, seeing everything, each slice, each action.

    `access.account` is left out: no token may do it, whatever its scopes.
    """
    areas = sorted({action.partition(".")[0] for action in actions})
    whole = [("*.view", "see everything you may see"), ("*", "do everything you may do")]
    slices = [(f"{area}.*", f"do everything you may do in {area.replace('_', ' ')}") for area in areas]
    single = sorted((action, title) for action, title in actions.items() if action != "access.account")
    return tuple((scope, f"{scope}: {title}") for scope, title in (*whole, *slices, *single))


def _page(
    request: Request,
    actor: Actor,
    *,
    form: str = "",
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    chosen_scopes: tuple[str, ...] = (),
    new_token: NewToken | None = None,
) -> AccountPage:
    instance = get_instance(request)
    now = instance.clock()
    current = service.session_id_of(instance, request.cookies)
    with instance.read() as conn:
        return AccountPage(
            user=queries.user_by_id(conn, actor.id),
            sessions=queries.sessions_of(conn, actor.id, now, current),
            tokens=queries.tokens_of(conn, actor.id),
            scopes=scope_choices(instance.authorizer.actions),
            now=now,
            form=form,
            errors=errors or {},
            typed=typed or {},
            chosen_scopes=chosen_scopes,
            new_token=new_token,
        )


def _again(
    request: Request,
    actor: Actor,
    form: str,
    problem: InvalidInput,
    *,
    typed: Mapping[str, str] | None = None,
    chosen_scopes: tuple[str, ...] = (),
) -> Response:
    page = _page(request, actor, form=form, errors=problem.fields, typed=typed, chosen_scopes=chosen_scopes)
    return render(request, "access/account.html", page, 422)
