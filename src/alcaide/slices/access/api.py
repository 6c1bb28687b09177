"""The REST API of access: who am I, accounts, tokens, sessions, rules, events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from alcaide.kernel.access import Actor
from alcaide.slices.access import queries, service
from alcaide.slices.access.model import (
    TOKEN_LIFE_DEFAULT,
    TOKEN_LIFE_LONGEST,
    Event,
    OwnRole,
    Session,
    Token,
    User,
)
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/access")

Anyone = Annotated[Actor, Depends(allow("access.me"))]
Myself = Annotated[Actor, Depends(allow("access.account"))]
Seer = Annotated[Actor, Depends(allow("access.view"))]
Keeper = Annotated[Actor, Depends(allow("access.manage"))]
Auditor = Annotated[Actor, Depends(allow("access.audit"))]
Id = Annotated[str, Path(pattern=r"^[0-9a-z]{1,32}$")]
Limit = Annotated[int, Query(ge=1, le=queries.LONGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=64)]
LONGEST_LIFE_DAYS = TOKEN_LIFE_LONGEST.days


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MeOut(BaseModel):
    """Who is asking, and what they may do in general."""

    kind: str
    id: str
    name: str
    roles: list[str]
    scopes: list[str] | None
    via: str | None
    actions: list[str]


class UserOut(BaseModel):
    """An account."""

    id: str
    email: str
    name: str
    kind: str
    roles: list[str]
    created_at: datetime
    disabled_at: datetime | None
    last_sign_in_at: datetime | None
    second_factor: bool
    single_sign_on: bool


class UsersOut(BaseModel):
    """A stretch of the accounts."""

    items: list[UserOut]
    next_cursor: str | None
    total: int


class NewUserIn(_In):
    """An account to make."""

    email: str = Field(max_length=254)
    name: str = Field(max_length=200)
    roles: list[str] = Field(default=[], max_length=50)
    kind: Literal["person", "service"] = "person"
    reason: str = Field(default="", max_length=500)


class RolesIn(_In):
    """The roles an account shall have, all of them."""

    roles: list[str] = Field(max_length=50)
    reason: str = Field(min_length=1, max_length=500)


class ReasonIn(_In):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


class LinkOut(BaseModel):
    """A one-time link; it is not shown again."""

    url: str


class TokenOut(BaseModel):
    """An API token without its text."""

    id: str
    user_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewTokenIn(_In):
    """A token to make."""

    name: str = Field(max_length=200)
    scopes: list[str] = Field(max_length=50)
    days: float = Field(default=TOKEN_LIFE_DEFAULT.days, gt=0, le=LONGEST_LIFE_DAYS)


class NewTokenOut(TokenOut):
    """A token just made; `token` is its text, not shown again."""

    token: str


class TokensOut(BaseModel):
    """Tokens of one account."""

    items: list[TokenOut]
    next_cursor: None = None
    total: int


class SessionOut(BaseModel):
    """A signed-in browser."""

    id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    method: str
    address: str
    agent: str
    current: bool


class SessionsOut(BaseModel):
    """One's own sessions."""

    items: list[SessionOut]
    next_cursor: None = None
    total: int


class EventOut(BaseModel):
    """An access event; `leaf` is where it stands in the log."""

    leaf: int
    event: str
    user_id: str
    by: dict[str, str]
    at: datetime
    reason: str
    details: dict[str, Any]


class EventsOut(BaseModel):
    """A stretch of the access events, newest first."""

    items: list[EventOut]
    next_cursor: str | None
    total: int


class RuleOut(BaseModel):
    """One Cedar policy in force."""

    id: str
    effect: str
    owner: str
    next_step: str
    text: str


class RulesOut(BaseModel):
    """Every rule in force, and which shipped role may do what in general."""

    items: list[RuleOut]
    roles: dict[str, str]
    actions: dict[str, list[str]]


@router.get("/me")
def me(request: Request, actor: Anyone) -> MeOut:
    """Who is asking, and which actions they may do in general."""
    authorizer = get_instance(request).authorizer
    return MeOut(
        kind=actor.kind,
        id=actor.id,
        name=actor.name,
        roles=sorted(actor.roles),
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        via=actor.via,
        actions=[action for action in sorted(authorizer.actions) if authorizer.decide(actor, action)],
    )


@router.get("/users")
def users(
    request: Request,
    _: Seer,
    q: Annotated[str, Query(max_length=120)] = "",
    role: Annotated[str, Query(max_length=40)] = "",
    state: Literal["", "enabled", "disabled"] = "",
    limit: Limit = queries.PAGE,
    cursor: Cursor = None,
) -> UsersOut:
    """List accounts, oldest first."""
    with get_instance(request).read() as conn:
        found = queries.list_users(conn, search=q, role=role, state=state, limit=limit, cursor=cursor)
    return UsersOut(
        items=[_user(user) for user in found.items], next_cursor=found.next_cursor, total=found.total
    )


@router.post("/users", status_code=201)
def create_user(request: Request, actor: Keeper, new: NewUserIn) -> UserOut:
    """Make an account. It has no password; make a link, or a token for a service account."""
    made = service.create_user(
        get_instance(request),
        actor,
        email=new.email,
        name=new.name,
        roles=new.roles,
        kind=new.kind,
        reason=new.reason,
    )
    return _user(made)


@router.get("/users/{user_id}")
def user(request: Request, _: Seer, user_id: Id) -> UserOut:
    """Read one account."""
    with get_instance(request).read() as conn:
        return _user(queries.user_by_id(conn, user_id))


@router.put("/users/{user_id}/roles")
def set_roles(request: Request, actor: Keeper, user_id: Id, wanted: RolesIn) -> UserOut:
    """Give an account exactly these roles."""
    return _user(service.set_roles(get_instance(request), actor, user_id, wanted.roles, reason=wanted.reason))


@router.post("/users/{user_id}/disable")
def disable_user(request: Request, actor: Keeper, user_id: Id, why: ReasonIn) -> UserOut:
    """Shut an account: sessions and tokens stop at once."""
    return _user(service.disable_user(get_instance(request), actor, user_id, reason=why.reason))


@router.post("/users/{user_id}/enable")
def enable_user(request: Request, actor: Keeper, user_id: Id, why: ReasonIn) -> UserOut:
    """Open a disabled account again."""
    return _user(service.enable_user(get_instance(request), actor, user_id, reason=why.reason))


@router.post("/users/{user_id}/link", status_code=201)
def make_link(request: Request, actor: Keeper, user_id: Id) -> LinkOut:
    """Make a one-time link by which the account's owner chooses a password."""
    instance = get_instance(request)
    return LinkOut(url=service.make_link(instance, actor, user_id, base_url=instance.config.url))


@router.post("/users/{user_id}/second-factor/remove")
def remove_second_factor(request: Request, actor: Keeper, user_id: Id, why: ReasonIn) -> UserOut:
    """Switch off the second factor of somebody who lost it."""
    instance = get_instance(request)
    service.remove_totp_of(instance, actor, user_id, reason=why.reason)
    with instance.read() as conn:
        return _user(queries.user_by_id(conn, user_id))


@router.get("/users/{user_id}/tokens")
def tokens_of(request: Request, _: Seer, user_id: Id) -> TokensOut:
    """List an account's tokens."""
    with get_instance(request).read() as conn:
        owner = queries.user_by_id(conn, user_id)
        found = [_token(token) for token in queries.tokens_of(conn, owner.id)]
    return TokensOut(items=found, total=len(found))


@router.post("/users/{user_id}/tokens", status_code=201)
def create_token_for(request: Request, actor: Keeper, user_id: Id, new: NewTokenIn) -> NewTokenOut:
    """Make a token for a service account."""
    return _make_token(request, actor, user_id, new)


@router.get("/tokens")
def my_tokens(request: Request, actor: Anyone) -> TokensOut:
    """List one's own tokens."""
    with get_instance(request).read() as conn:
        found = [_token(token) for token in queries.tokens_of(conn, actor.id)]
    return TokensOut(items=found, total=len(found))


@router.post("/tokens", status_code=201)
def create_token(request: Request, actor: Myself, new: NewTokenIn) -> NewTokenOut:
    """Make a token for oneself. Needs a signed-in session: a token cannot make another."""
    return _make_token(request, actor, actor.id, new)


@router.delete("/tokens/{token_id}")
def revoke_token(
    request: Request,
    actor: Anyone,
    token_id: Id,
    reason: Annotated[str, Query(max_length=2_000, description="Why; kept in the evidence.")] = "",
) -> TokenOut:
    """Revoke a token of one's own, or, as an administrator, anybody's."""
    return _token(service.revoke_token(get_instance(request), actor, token_id, reason=reason))


@router.get("/sessions")
def my_sessions(request: Request, actor: Myself) -> SessionsOut:
    """List one's own sessions."""
    instance = get_instance(request)
    current = service.session_id_of(instance, request.cookies)
    with instance.read() as conn:
        found = queries.sessions_of(conn, actor.id, instance.clock(), current)
    return SessionsOut(items=[_session(session) for session in found], total=len(found))


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(request: Request, actor: Myself, session_id: Id) -> None:
    """End one of one's own sessions."""
    service.revoke_session(get_instance(request), actor, session_id)


@router.get("/events")
def events(
    request: Request,
    _: Auditor,
    event: Annotated[str, Query(pattern=r"^[a-z-]{0,30}$")] = "",
    user: Annotated[str, Query(pattern=r"^[0-9a-z]{0,32}$")] = "",
    limit: Limit = queries.PAGE,
    cursor: Cursor = None,
) -> EventsOut:
    """List access events, newest first."""
    with get_instance(request).read() as conn:
        found = queries.list_events(conn, user_id=user, event=event, limit=limit, cursor=cursor)
    return EventsOut(
        items=[_event(one) for one in found.items], next_cursor=found.next_cursor, total=found.total
    )


class RoleIn(BaseModel):
    """What a role of one's own making is for, and the actions that it names, all of them."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=120)
    actions: list[Annotated[str, Field(max_length=80)]] = Field(max_length=500)
    reason: str = Field(max_length=500, description="Why; kept in the evidence.")


class RoleOut(BaseModel):
    """A role of this installation's own making."""

    name: str
    title: str
    actions: list[str]
    created_at: datetime
    updated_at: datetime
    holders: int = Field(description="How many accounts have it.")


class OwnRolesOut(BaseModel):
    """Roles of this installation's own making, by name."""

    items: list[RoleOut]
    next_cursor: str | None = None
    total: int


RoleName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


@router.get("/roles")
def roles(request: Request, _: Seer) -> OwnRolesOut:
    """List the roles of this installation's own making; those that ship are in `/rules`."""
    with get_instance(request).read() as conn:
        found = [_role(role) for role in queries.own_roles(conn)]
    return OwnRolesOut(items=found, total=len(found))


@router.put("/roles/{name}")
def define_role(request: Request, actor: Keeper, name: RoleName, wanted: RoleIn) -> RoleOut:
    """Make a role, or change one; what it names counts from the next request of whoever has it."""
    return _role(
        service.define_role(
            get_instance(request),
            actor,
            name,
            title=wanted.title,
            actions=wanted.actions,
            reason=wanted.reason,
        )
    )


@router.delete("/roles/{name}", status_code=204)
def remove_role(
    request: Request,
    actor: Keeper,
    name: RoleName,
    reason: Annotated[str, Query(min_length=1, max_length=500, description="Why; kept in the evidence.")],
) -> None:
    """Remove a role. 409 while an account has it."""
    service.remove_role(get_instance(request), actor, name, reason=reason)


def _role(role: OwnRole) -> RoleOut:
    return RoleOut(
        name=role.name,
        title=role.title,
        actions=list(role.actions),
        created_at=role.created_at,
        updated_at=role.updated_at,
        holders=role.holders,
    )


@router.get("/rules")
def rules_in_force(request: Request, _: Seer) -> RulesOut:
    """The Cedar policies in force, and what each role may do in general."""
    instance = get_instance(request)
    authorizer = instance.authorizer
    with instance.read() as conn:
        own, known = queries.own_roles(conn), queries.known_roles(conn)
    return RulesOut(
        items=[
            RuleOut(id=r.id, effect=r.effect, owner=r.owner, next_step=r.next_step, text=r.text)
            for r in authorizer.rules
        ],
        roles=known,
        actions={
            action: [*authorizer.roles_allowed(action), *(r.name for r in own if action in r.actions)]
            for action in sorted(authorizer.actions)
        },
    )


def _make_token(request: Request, actor: Actor, user_id: str, new: NewTokenIn) -> NewTokenOut:
    made = service.create_token(
        get_instance(request),
        actor,
        user_id=user_id,
        name=new.name,
        scopes=new.scopes,
        life=timedelta(days=new.days),
    )
    return NewTokenOut(**_token(made.token).model_dump(), token=made.text)


def _user(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        email=user.email,
        name=user.name,
        kind=user.kind,
        roles=list(user.roles),
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        last_sign_in_at=user.last_sign_in_at,
        second_factor=user.has_totp,
        single_sign_on=user.sso,
    )


def _token(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        user_id=token.user_id,
        name=token.name,
        scopes=list(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )


def _session(session: Session) -> SessionOut:
    return SessionOut(
        id=session.id,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        method=session.method,
        address=session.address,
        agent=session.agent,
        current=session.current,
    )


def _event(event: Event) -> EventOut:
    return EventOut(
        leaf=event.index,
        event=event.event,
        user_id=event.user_id,
        by={"kind": event.by_kind, "id": event.by_id},
        at=event.at,
        reason=event.reason,
        details=event.details,
    )
