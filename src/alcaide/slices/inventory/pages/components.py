"""Components: the list, one component with its versions and users, and the forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.model import (
    LABELS,
    Change,
    Component,
    ComponentFilter,
    Page,
    System,
    Version,
)
from alcaide.slices.inventory.pages.forms import (
    KINDS,
    ComponentForm,
    Editor,
    Options,
    ReasonForm,
    Retirer,
    VersionForm,
    Viewer,
    errors_of,
    values_of,
    version_number,
)
from alcaide.slices.inventory.pages.register import may
from alcaide.slices.inventory.rules.describe import component_json, field_changes, version_json
from alcaide.slices.inventory.rules.paging import MAX_CURSOR
from alcaide.slices.inventory.rules.validate import component_fields, version_fields
from alcaide.slices.inventory.service.history import History, history
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/inventory/components")
PER_PAGE = 50
USERS_SHOWN = 50


@dataclass(frozen=True)
class ComponentsPage:
    """The list of components."""

    page: Page[Component]
    narrow: ComponentFilter
    sort: str
    paged: bool
    gaps: Mapping[str, str]
    kinds: Options
    labels: Mapping[str, str]
    may_edit: bool


@dataclass(frozen=True)
class ComponentPage:
    """One component: versions, users, history, and the form for a version."""

    component: Component
    versions: tuple[Version, ...]
    users: Page[tuple[System, str]]
    paged: bool
    history: History
    labels: Mapping[str, str]
    may_edit: bool
    may_retire: bool
    errors: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class ComponentFormPage:
    """The form for a component, new or edited."""

    editing: Component | None
    system: str
    values: Mapping[str, Any]
    errors: Mapping[str, str]
    problem: str
    conflict: tuple[Change, ...]
    kinds: Options
    labels: Mapping[str, str]


@dataclass(frozen=True)
class VersionFormPage:
    """The form that corrects a version."""

    version: Version
    users: int
    values: Mapping[str, Any]
    errors: Mapping[str, str]
    problem: str
    conflict: tuple[Change, ...]


@router.get("", response_class=HTMLResponse)
def components(
    request: Request,
    actor: Viewer,
    q: Annotated[str, Query(max_length=400)] = "",
    kind: str = "",
    owner: str = "",
    gap: str = "",
    sort: str = "name",
    cursor: str = "",
) -> HTMLResponse:
    """The list of components."""
    narrow = ComponentFilter(
        q=q, kind=kind, owner=owner, gap=gap, sort=sort.removeprefix("-"), descending=sort.startswith("-")
    )
    with get_instance(request).read() as conn:
        page = queries.list_components(conn, narrow, limit=PER_PAGE, cursor=cursor or None)
    context = ComponentsPage(
        page=page,
        narrow=narrow,
        sort=sort,
        paged=bool(cursor),
        gaps=queries.COMPONENT_GAPS,
        kinds=KINDS,
        labels=LABELS,
        may_edit=may(request, actor, "inventory.edit"),
    )
    return render(request, "inventory/components.html", context)


@router.get("/new", response_class=HTMLResponse)
def new_component(request: Request, _: Editor, system: str = "", kind: str = "model") -> HTMLResponse:
    """With `system`, the new component becomes part of that system at once."""
    return _form(request, None, {"kind": kind, "version": "1", "system": system})


@router.post("/new")
def register_component(request: Request, actor: Editor, form: Annotated[ComponentForm, Form()]) -> Response:
    """Register a component with its first version, and put it into a system if it was made from one."""
    values = values_of(form)

    def work(tx: Any) -> str:
        version = service.register_component(
            tx, component_fields(values), version_fields(values), actor=actor, reason=form.reason, via="page"
        )
        if form.system:
            service.use_component(tx, form.system, version.id, actor=actor, reason=form.reason, via="page")
        return version.component_id

    try:
        _check_both(values)
        component_id = get_instance(request).write(work)
    except InvalidInput as problem:
        return _form(request, None, values, errors=errors_of(problem), status=422)
    except Conflict as problem:
        return _form(request, None, values, errors={"name": str(problem)}, status=409)
    if form.system:
        return redirect(
            f"/inventory/systems/{form.system}/components", flash="component registered and added"
        )
    return redirect(f"/inventory/components/{component_id}", flash="component registered")


@router.get("/{component_id}", response_class=HTMLResponse)
def component(
    request: Request,
    actor: Viewer,
    component_id: str,
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> HTMLResponse:
    """One component; `cursor` goes on in the list of the systems that use it."""
    return _detail(request, actor, component_id, cursor=cursor)


@router.get("/{component_id}/edit", response_class=HTMLResponse)
def edit_form(request: Request, _: Editor, component_id: str) -> HTMLResponse:
    """The form with what is stored."""
    with get_instance(request).read() as conn:
        found = queries.get_component(conn, component_id)
    values = component_json(found.fields) | {"row": found.version, "tags": ", ".join(found.fields.tags)}
    return _form(request, found, values)


@router.post("/{component_id}/edit")
def edit_component(
    request: Request, actor: Editor, component_id: str, form: Annotated[ComponentForm, Form()]
) -> Response:
    """Save, or show the form again: with what is wrong, or with what somebody else saved meanwhile."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.get_component(conn, component_id)
    values = {**values_of(form), "kind": str(found.kind), "name": found.name}
    try:
        fields = component_fields(values)
        instance.write(
            lambda tx: service.edit_component(
                tx,
                found.id,
                fields,
                expected=version_number(form.row),
                actor=actor,
                reason=form.reason,
                via="page",
            )
        )
    except service.EditConflict as problem:
        with instance.read() as conn:
            current = queries.get_component(conn, component_id)
        values["row"] = current.version
        differing = field_changes(component_json(current.fields), component_json(component_fields(values)))
        return _form(request, current, values, problem=str(problem), conflict=differing, status=409)
    except InvalidInput as problem:
        return _form(request, found, values, errors=errors_of(problem), status=422)
    return redirect(f"/inventory/components/{found.id}", flash="saved")


@router.post("/{component_id}/retire")
def retire_component(
    request: Request, actor: Retirer, component_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Retire a component with all its versions."""
    get_instance(request).write(
        lambda tx: service.retire_component(tx, component_id, actor=actor, reason=form.reason, via="page")
    )
    return redirect(f"/inventory/components/{component_id}", flash="component retired")


@router.post("/{component_id}/versions")
def add_version(
    request: Request, actor: Editor, component_id: str, form: Annotated[VersionForm, Form()]
) -> Response:
    """Add a version, or show the component again with what was wrong."""
    values = values_of(form)
    try:
        fields = version_fields(values)
        get_instance(request).write(
            lambda tx: service.add_version(
                tx, component_id, fields, actor=actor, reason=form.reason, via="page"
            )
        )
    except InvalidInput as problem:
        return _detail(request, actor, component_id, errors=errors_of(problem), values=values, status=422)
    except Conflict as problem:
        return _detail(
            request, actor, component_id, errors={"version": str(problem)}, values=values, status=409
        )
    return redirect(f"/inventory/components/{component_id}", flash=f"version `{fields.version}` added")


@router.get("/versions/{version_id}/edit", response_class=HTMLResponse)
def version_form(request: Request, _: Editor, version_id: str) -> HTMLResponse:
    """The form with what is stored."""
    with get_instance(request).read() as conn:
        version = queries.get_version(conn, version_id)
    values = version_json(version.fields) | {"row": version.row_version}
    return _version_form(request, version, values)


@router.post("/versions/{version_id}/edit")
def edit_version(
    request: Request, actor: Editor, version_id: str, form: Annotated[VersionForm, Form()]
) -> Response:
    """Save, or show the form again: with what is wrong, or with what somebody else saved meanwhile."""
    instance = get_instance(request)
    with instance.read() as conn:
        version = queries.get_version(conn, version_id)
    values = {**values_of(form), "version": version.fields.version}
    try:
        fields = version_fields(values)
        instance.write(
            lambda tx: service.edit_version(
                tx,
                version.id,
                fields,
                expected=version_number(form.row),
                actor=actor,
                reason=form.reason,
                via="page",
            )
        )
    except service.EditConflict as problem:
        with instance.read() as conn:
            current = queries.get_version(conn, version_id)
        values["row"] = current.row_version
        differing = field_changes(version_json(current.fields), version_json(version_fields(values)))
        return _version_form(request, current, values, problem=str(problem), conflict=differing, status=409)
    except InvalidInput as problem:
        return _version_form(request, version, values, errors=errors_of(problem), status=422)
    return redirect(f"/inventory/components/{version.component_id}", flash="version corrected")


@router.post("/versions/{version_id}/retire")
def retire_version(
    request: Request, actor: Retirer, version_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Retire one version."""
    version = get_instance(request).write(
        lambda tx: service.retire_version(tx, version_id, actor=actor, reason=form.reason, via="page")
    )
    return redirect(f"/inventory/components/{version.component_id}", flash="version retired")


def _check_both(values: Mapping[str, Any]) -> None:
    """Collect what is wrong with the component and with its first version, so that both show at once."""
    wrong: dict[str, str] = {}
    for check in (component_fields, version_fields):
        try:
            check(values)
        except InvalidInput as problem:
            wrong |= problem.fields
    if wrong:
        raise InvalidInput("this component cannot be registered yet", wrong)


def _detail(
    request: Request,
    actor: Actor,
    component_id: str,
    *,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    cursor: str = "",
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.get_component(conn, component_id)
        versions = tuple(queries.versions_of(conn, [found.id]).get(found.id, []))
        users = queries.users_of(conn, found.id, limit=USERS_SHOWN, cursor=cursor or None)
        told = history(instance, conn, [found.subject, *(v.subject for v in versions)], limit=100)
    context = ComponentPage(
        component=found,
        versions=versions,
        users=users,
        paged=bool(cursor),
        history=told,
        labels=LABELS,
        may_edit=may(request, actor, "inventory.edit") and found.retired_at is None,
        may_retire=may(request, actor, "inventory.retire") and found.retired_at is None,
        errors=errors or {},
        values=dict.fromkeys(VersionForm.model_fields, "") | dict(values or {}),
    )
    return render(request, "inventory/component.html", context, status)


def _form(
    request: Request,
    editing: Component | None,
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    conflict: tuple[Change, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    filled = dict.fromkeys(ComponentForm.model_fields, "") | dict(values)
    errors = dict(errors or {})
    context = ComponentFormPage(
        editing=editing,
        system=str(filled["system"]),
        values=filled,
        errors={key: why for key, why in errors.items() if key},
        problem=problem or errors.get("", ""),
        conflict=conflict,
        kinds=KINDS,
        labels=LABELS,
    )
    return render(request, "inventory/component_form.html", context, status)


def _version_form(
    request: Request,
    version: Version,
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    conflict: tuple[Change, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    with get_instance(request).read() as conn:
        users = len(queries.system_ids_using(conn, version.id))
    errors = dict(errors or {})
    context = VersionFormPage(
        version=version,
        users=users,
        values=dict.fromkeys(VersionForm.model_fields, "") | dict(values),
        errors={key: why for key, why in errors.items() if key},
        problem=problem or errors.get("", ""),
        conflict=conflict,
    )
    return render(request, "inventory/version_form.html", context, status)
