"""Roles: those that ship, and those of this installation's own making, which are made and changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from alcaide.kernel.access import ROLES, Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.slices.access import queries, rules, service
from alcaide.slices.access.model import OwnRole
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/access/roles")
Seer = Annotated[Actor, Depends(allow("access.view"))]
Keeper = Annotated[Actor, Depends(allow("access.manage"))]
Text = Annotated[str, Form(max_length=1000)]
Several = Annotated[list[str] | None, Form(max_length=500)]


@dataclass(frozen=True)
class RolesPage:
    """Both lists."""

    shipped: Mapping[str, str]
    own: Sequence[OwnRole]
    may_manage: bool
    may_audit: bool


@dataclass(frozen=True)
class RolePage:
    """The form for one role; `editing` is None for a new one."""

    editing: OwnRole | None
    areas: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
    name: str
    title: str
    chosen: Sequence[str]
    reason: str
    errors: Mapping[str, str]


@router.get("")
def roles(request: Request, actor: Seer) -> Response:
    """List roles."""
    instance = get_instance(request)
    with instance.read() as conn:
        own = queries.own_roles(conn)
    may_manage = bool(instance.authorizer.decide(actor, "access.manage"))
    may_audit = bool(instance.authorizer.decide(actor, "access.audit"))
    return render(request, "access/roles.html", RolesPage(ROLES, own, may_manage, may_audit))


@router.get("/new")
def new_form(request: Request, _: Keeper) -> Response:
    """Show the form for a new role."""
    return _form(request, None)


@router.post("/new")
def make(
    request: Request,
    actor: Keeper,
    name: Text = "",
    title: Text = "",
    reason: Text = "",
    actions: Several = None,
) -> Response:
    """Make a role."""
    return _save(request, actor, None, name, title, reason, actions or ())


@router.get("/{name}")
def edit_form(request: Request, _: Keeper, name: str) -> Response:
    """Show the form with what is kept."""
    with get_instance(request).read() as conn:
        return _form(request, queries.own_role(conn, name))


@router.post("/{name}")
def change(
    request: Request, actor: Keeper, name: str, title: Text = "", reason: Text = "", actions: Several = None
) -> Response:
    """Give a role another title and exactly the actions ticked."""
    with get_instance(request).read() as conn:
        editing = queries.own_role(conn, name)
    return _save(request, actor, editing, name, title, reason, actions or ())


@router.post("/{name}/remove")
def remove(request: Request, actor: Keeper, name: str, reason: Text = "") -> Response:
    """Remove a role that nobody has."""
    try:
        service.remove_role(get_instance(request), actor, name, reason=reason)
    except (Conflict, InvalidInput) as problem:
        return redirect("/access/roles", flash=str(problem), flash_kind="danger")
    return redirect("/access/roles", flash=f"The role {name} is removed.")


def _save(
    request: Request,
    actor: Actor,
    editing: OwnRole | None,
    name: str,
    title: str,
    reason: str,
    actions: Sequence[str],
) -> Response:
    try:
        role = service.define_role(
            get_instance(request),
            actor,
            name,
            title=title,
            actions=actions,
            reason=reason,
            new=editing is None,
        )
    except (InvalidInput, Conflict) as problem:
        errors = problem.fields if isinstance(problem, InvalidInput) else {"name": str(problem)}
        return _form(request, editing, name, title, actions, reason, errors, 422)
    return redirect(
        "/access/roles", flash=f"The role {role.name} is kept; it counts from the next request on."
    )


def _form(
    request: Request,
    editing: OwnRole | None,
    name: str = "",
    title: str | None = None,
    chosen: Sequence[str] | None = None,
    reason: str = "",
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    titles = get_instance(request).authorizer.actions
    areas: dict[str, list[tuple[str, str, str]]] = {}
    for action in rules.grantable(titles):
        areas.setdefault(action.partition(".")[0], []).append((action, titles[action], action))
    page = RolePage(
        editing=editing,
        areas=list(areas.items()),
        name=editing.name if editing else name,
        title=title if title is not None else editing.title if editing else "",
        chosen=chosen if chosen is not None else editing.actions if editing else (),
        reason=reason,
        errors=errors or {},
    )
    return render(request, "access/role.html", page, status)
