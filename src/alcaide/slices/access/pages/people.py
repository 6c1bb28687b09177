"""People and what they may do: the list, one account, the rules in force, access events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from alcaide.kernel.access import ROLES, Actor, Rule
from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.access_event import EVENTS
from alcaide.slices.access import queries, service
from alcaide.slices.access.model import Event, NewToken, Page, Token, User, UserKind
from alcaide.slices.access.pages.account import LIVES, days_of, scope_choices
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, get_instance

router = APIRouter()
Seer = Annotated[Actor, Depends(allow("access.view"))]
Keeper = Annotated[Actor, Depends(allow("access.manage"))]
Auditor = Annotated[Actor, Depends(allow("access.audit"))]
Text = Annotated[str, Form(max_length=1000)]
Several = Annotated[list[str] | None, Form(max_length=100)]


@dataclass(frozen=True)
class PeoplePage:
    """The list of accounts."""

    users: Page
    q: str
    role: str
    state: str
    roles: tuple[str, ...]
    may_manage: bool
    may_audit: bool


@dataclass(frozen=True)
class NewUserPage:
    """The form for a new account."""

    roles: tuple[tuple[str, str, str], ...]
    email: str = ""
    name: str = ""
    kind: str = "person"
    chosen: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UserPage:
    """One account."""

    user: User
    tokens: tuple[Token, ...]
    events: tuple[Event, ...]
    names: Mapping[str, str]
    titles: Mapping[str, str]
    roles: tuple[tuple[str, str, str], ...]
    scopes: tuple[tuple[str, str], ...]
    now: datetime
    may_manage: bool
    may_audit: bool
    own: bool
    lives: tuple[tuple[str, str], ...] = LIVES
    link: str = ""
    new_token: NewToken | None = None
    form: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    chosen: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RulesPage:
    """Which role may do what, and the rules that say so."""

    roles: tuple[str, ...]
    rows: tuple[tuple[str, str, frozenset[str]], ...]
    rules: tuple[Rule, ...]
    may_audit: bool


@dataclass(frozen=True)
class EventsPage:
    """Access events, newest first."""

    events: Page
    event: str
    user: User | None
    titles: Mapping[str, str]
    names: Mapping[str, str]
    may_view: bool


@router.get("/access")
def people(
    request: Request, actor: Seer, q: str = "", role: str = "", state: str = "", cursor: str = ""
) -> Response:
    """List accounts."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.list_users(conn, search=q[:120], role=role, state=state, cursor=cursor or None)
        roles = tuple(queries.known_roles(conn))
    page = PeoplePage(
        users=found,
        q=q[:120],
        role=role,
        state=state,
        roles=roles,
        may_manage=_may(request, actor, "access.manage"),
        may_audit=_may(request, actor, "access.audit"),
    )
    return render(request, "access/people.html", page)


@router.get("/access/new")
def new_user_form(request: Request, _: Keeper) -> Response:
    """Show the form for a new account."""
    return render(request, "access/new_user.html", NewUserPage(roles=_role_choices(request)))


@router.post("/access/new")
def new_user(
    request: Request,
    actor: Keeper,
    email: Text = "",
    name: Text = "",
    kind: Text = "person",
    roles: Several = None,
) -> Response:
    """Make an account; a person gets a one-time link to pass on."""
    instance, chosen = get_instance(request), tuple(roles or ())
    wanted: UserKind = "service" if kind == "service" else "person"
    try:
        user = service.create_user(instance, actor, email=email, name=name, roles=chosen, kind=wanted)
    except InvalidInput as problem:
        page = NewUserPage(_role_choices(request), email, name, kind, chosen, problem.fields)
        return render(request, "access/new_user.html", page, 422)
    if wanted == "service":
        return redirect(f"/access/users/{user.id}", flash=f"{user.name} is made. Make it a token.")
    link = service.make_link(instance, actor, user.id, base_url=instance.config.url)
    return render(request, "access/user.html", _user_page(request, actor, user.id, link=link))


@router.get("/access/rules")
def rules_in_force(request: Request, actor: Seer) -> Response:
    """Show which role may do what, and the text of every rule."""
    instance = get_instance(request)
    authorizer = instance.authorizer
    with instance.read() as conn:
        own = queries.own_roles(conn)
    rows = tuple(
        (
            action,
            title,
            frozenset(authorizer.roles_allowed(action))
            | {role.name for role in own if action in role.actions},
        )
        for action, title in sorted(authorizer.actions.items())
    )
    names = (*ROLES, *(role.name for role in own))
    page = RulesPage(names, rows, authorizer.rules, _may(request, actor, "access.audit"))
    return render(request, "access/rules.html", page)


@router.get("/access/events")
def events(request: Request, actor: Auditor, event: str = "", user: str = "", cursor: str = "") -> Response:
    """List access events."""
    with get_instance(request).read() as conn:
        about = queries.user_by_id(conn, user) if user else None
        found = queries.list_events(conn, user_id=user[:40], event=event[:40], cursor=cursor or None)
        names = queries.names_of(conn, _people_in(found.items))
    page = EventsPage(found, event, about, EVENTS, names, _may(request, actor, "access.view"))
    return render(request, "access/events.html", page)


@router.get("/access/users/{user_id}")
def user(request: Request, actor: Seer, user_id: str) -> Response:
    """Show one account."""
    return render(request, "access/user.html", _user_page(request, actor, user_id))


@router.post("/access/users/{user_id}/roles")
def set_roles(
    request: Request, actor: Keeper, user_id: str, reason: Text = "", roles: Several = None
) -> Response:
    """Give an account exactly the roles ticked."""
    chosen = tuple(roles or ())
    try:
        changed = service.set_roles(get_instance(request), actor, user_id, chosen, reason=reason)
    except InvalidInput as problem:
        page = _user_page(request, actor, user_id, form="roles", errors=problem.fields, chosen=chosen)
        return render(request, "access/user.html", page, 422)
    return redirect(f"/access/users/{user_id}", flash=f"The roles of {changed.name} are changed.")


@router.post("/access/users/{user_id}/disable")
def disable(request: Request, actor: Keeper, user_id: str, reason: Text = "") -> Response:
    """Shut an account."""
    shut = service.disable_user(get_instance(request), actor, user_id, reason=reason)
    return redirect(
        f"/access/users/{user_id}",
        flash=f"{shut.name} can no longer sign in; sessions and tokens have stopped.",
        flash_kind="warn",
    )


@router.post("/access/users/{user_id}/enable")
def enable(request: Request, actor: Keeper, user_id: str, reason: Text = "") -> Response:
    """Open an account again."""
    opened = service.enable_user(get_instance(request), actor, user_id, reason=reason)
    return redirect(f"/access/users/{user_id}", flash=f"{opened.name} can sign in again.")


@router.post("/access/users/{user_id}/link")
def link(request: Request, actor: Keeper, user_id: str) -> Response:
    """Make a one-time link and show it, this once."""
    instance = get_instance(request)
    made = service.make_link(instance, actor, user_id, base_url=instance.config.url)
    return render(request, "access/user.html", _user_page(request, actor, user_id, link=made))


@router.post("/access/users/{user_id}/second-factor/remove")
def remove_second_factor(request: Request, actor: Keeper, user_id: str, reason: Text = "") -> Response:
    """Switch off the second factor of somebody who lost it."""
    service.remove_totp_of(get_instance(request), actor, user_id, reason=reason)
    return redirect(f"/access/users/{user_id}", flash="The second factor is off.", flash_kind="warn")


@router.post("/access/users/{user_id}/tokens")
def make_token(
    request: Request,
    actor: Keeper,
    user_id: str,
    name: Text = "",
    days: Text = "90",
    scopes: Several = None,
) -> Response:
    """Make a token for a service account and show its text, this once."""
    try:
        made = service.create_token(
            get_instance(request),
            actor,
            user_id=user_id,
            name=name,
            scopes=tuple(scopes or ()),
            life=days_of(days),
        )
    except InvalidInput as problem:
        page = _user_page(request, actor, user_id, form="token", errors=problem.fields)
        return render(request, "access/user.html", page, 422)
    return render(request, "access/user.html", _user_page(request, actor, user_id, new_token=made))


@router.post("/access/users/{user_id}/tokens/{token_id}/revoke")
def revoke_token(request: Request, actor: Keeper, user_id: str, token_id: str, reason: Text = "") -> Response:
    """Revoke somebody's token."""
    service.revoke_token(get_instance(request), actor, token_id, reason=reason)
    return redirect(f"/access/users/{user_id}", flash="The token is revoked.")


def _user_page(
    request: Request,
    actor: Actor,
    user_id: str,
    *,
    link: str = "",
    new_token: NewToken | None = None,
    form: str = "",
    errors: Mapping[str, str] | None = None,
    chosen: tuple[str, ...] | None = None,
) -> UserPage:
    instance = get_instance(request)
    may_audit = _may(request, actor, "access.audit")
    with instance.read() as conn:
        shown = queries.user_by_id(conn, user_id)
        latest = queries.list_events(conn, user_id=user_id, limit=15).items if may_audit else ()
        return UserPage(
            user=shown,
            tokens=queries.tokens_of(conn, user_id),
            events=latest,
            names=queries.names_of(conn, _people_in(latest)),
            titles=EVENTS,
            roles=_role_choices(request),
            scopes=scope_choices(instance.authorizer.actions),
            now=instance.clock(),
            may_manage=_may(request, actor, "access.manage"),
            may_audit=may_audit,
            own=actor.id == user_id,
            link=link,
            new_token=new_token,
            form=form,
            errors=errors or {},
            chosen=chosen,
        )


def _may(request: Request, actor: Actor, action: str) -> bool:
    return bool(get_instance(request).authorizer.decide(actor, action))


def _role_choices(request: Request) -> tuple[tuple[str, str, str], ...]:
    with get_instance(request).read() as conn:
        return tuple((role, role, what) for role, what in queries.known_roles(conn).items())


def _people_in(shown: tuple[Event, ...]) -> frozenset[str]:
    return frozenset({event.user_id for event in shown} | {event.by_id for event in shown})
