"""The register: the list of systems, one system, and the forms that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.model import (
    LABELS,
    Change,
    Page,
    Stage,
    System,
    SystemDetail,
    SystemFilter,
)
from alcaide.slices.inventory.pages.forms import (
    AUTONOMY,
    DATA_CLASSES,
    EDITABLE_STATUSES,
    EXPOSURES,
    KINDS,
    ROLES,
    STAGES,
    STATUSES,
    Editor,
    Options,
    ReasonForm,
    Retirer,
    SystemForm,
    Viewer,
    errors_of,
    values_of,
    version_number,
)
from alcaide.slices.inventory.rules.describe import field_changes, system_json
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service import exchange
from alcaide.slices.inventory.service.history import History, history
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance
from alcaide.ui.panels import FilledPanel, panels_at

router = APIRouter()
PER_PAGE = 50
TABS = ("overview", "components", "flows", "deployments", "history")


@dataclass(frozen=True)
class SystemsPage:
    """The list of systems."""

    page: Page[System]
    narrow: SystemFilter
    sort: str
    paged: bool
    gaps: Mapping[str, str]
    facets: Mapping[str, list[str]]
    labels: Mapping[str, str]
    statuses: Options
    roles: Options
    exposures: Options
    kinds: Options
    stages: Options
    may_edit: bool
    may_import: bool


@dataclass(frozen=True)
class SystemPage:
    """One tab of a system; `form` names the form that `errors` and `values` belong to."""

    detail: SystemDetail
    system: System
    tab: str
    tabs: tuple[tuple[str, str, int | None], ...]
    labels: Mapping[str, str]
    stages: tuple[str, ...]
    panels: tuple[FilledPanel, ...]
    history: History | None
    choices: tuple[str, ...]
    ends: tuple[str, ...]
    newer: Mapping[str, tuple[tuple[str, str], ...]]
    data_classes: Options
    kinds: Options
    may_edit: bool
    may_retire: bool
    errors: Mapping[str, str]
    values: Mapping[str, Any]
    form: str


@dataclass(frozen=True)
class SystemFormPage:
    """The form for a system, new or edited; `conflict` is what somebody else saved meanwhile."""

    editing: System | None
    values: Mapping[str, Any]
    errors: Mapping[str, str]
    problem: str
    conflict: tuple[Change, ...]
    facets: Mapping[str, list[str]]
    roles: Options
    autonomy: Options
    exposures: Options
    statuses: Options


@router.get("/inventory", response_class=HTMLResponse)
def systems(
    request: Request,
    actor: Viewer,
    q: Annotated[str, Query(max_length=400)] = "",
    status: str = "",
    owner: str = "",
    unit: str = "",
    role: str = "",
    exposure: str = "",
    kind: str = "",
    region: str = "",
    stage: str = "",
    tag: str = "",
    gap: str = "",
    sort: str = "title",
    cursor: str = "",
) -> HTMLResponse:
    """The register as a dense table."""
    narrow = SystemFilter(
        q=q,
        status=status,
        owner=owner,
        unit=unit,
        role=role,
        exposure=exposure,
        kind=kind,
        region=region,
        stage=stage,
        tag=tag,
        gap=gap,
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )
    instance = get_instance(request)
    with instance.read() as conn:
        page = queries.list_systems(conn, narrow, now=instance.clock(), limit=PER_PAGE, cursor=cursor or None)
        facets = queries.facets(conn)
    context = SystemsPage(
        page=page,
        narrow=narrow,
        sort=sort,
        paged=bool(cursor),
        gaps=queries.GAPS,
        facets=facets,
        labels=LABELS,
        statuses=STATUSES,
        roles=ROLES,
        exposures=EXPOSURES,
        kinds=KINDS,
        stages=STAGES,
        may_edit=may(request, actor, "inventory.edit"),
        may_import=may(request, actor, "inventory.import"),
    )
    return render(request, "inventory/systems.html", context)


@router.get("/inventory/export.{form}")
def export_list(
    request: Request, _: Viewer, form: str, q: str = "", status: str = "", gap: str = ""
) -> Response:
    """What the list shows, as a file: `csv` for a spreadsheet, `yaml` or `json` to apply elsewhere."""
    instance = get_instance(request)
    narrow = SystemFilter(q=q, status=status, gap=gap)
    if form not in ("csv", "json", "yaml"):
        raise InvalidInput(f"`{form[:40]}` is no export format of the list; one of csv, json, yaml")
    with instance.read() as conn:
        if form == "csv":
            data = "".join(exchange.export_csv(conn, narrow, now=instance.clock())).encode()
        else:
            data = exchange.export_all(conn, narrow, form, now=instance.clock())
    return download(data, exchange.MEDIA_TYPES[form], f"systems.{exchange.SUFFIXES[form]}")


@router.get("/inventory/new", response_class=HTMLResponse)
def new_system(request: Request, _: Editor) -> HTMLResponse:
    """An empty form."""
    return _form(request, None, {"status": "proposed"})


@router.post("/inventory/new")
def register_system(request: Request, actor: Editor, form: Annotated[SystemForm, Form()]) -> Response:
    """Register, or show the form again with what is wrong."""
    values = values_of(form)
    try:
        fields = system_fields(values)
        get_instance(request).write(
            lambda tx: service.register_system(tx, fields, actor=actor, reason=form.reason, via="page")
        )
    except InvalidInput as problem:
        return _form(request, None, values, errors=errors_of(problem), status=422)
    except Conflict as problem:
        return _form(request, None, values, errors={"name": str(problem)}, status=409)
    return redirect(f"/inventory/systems/{fields.name}", flash=f"`{fields.name}` is in the register")


@router.get("/inventory/systems/{name}", response_class=HTMLResponse)
def system(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """What it is for, who answers for it, and what other parts of Alcaide say about it."""
    return system_page(request, actor, name, "overview")


@router.get("/inventory/systems/{name}/components", response_class=HTMLResponse)
def system_components(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """What it is made of."""
    return system_page(request, actor, name, "components")


@router.get("/inventory/systems/{name}/flows", response_class=HTMLResponse)
def system_flows(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """Which data goes where."""
    return system_page(request, actor, name, "flows")


@router.get("/inventory/systems/{name}/deployments", response_class=HTMLResponse)
def system_deployments(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """What runs where."""
    return system_page(request, actor, name, "deployments")


@router.get("/inventory/systems/{name}/history", response_class=HTMLResponse)
def system_history(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """Who changed what, when and why."""
    return system_page(request, actor, name, "history")


@router.get("/inventory/systems/{name}/edit", response_class=HTMLResponse)
def edit_form(request: Request, _: Editor, name: str) -> HTMLResponse:
    """The form with what is stored. A retired system is offered another status, which brings it back."""
    with get_instance(request).read() as conn:
        found = queries.get_system(conn, name)
    values = system_json(found.fields) | {"version": found.version}
    values["regions"] = ", ".join(found.fields.regions)
    values["tags"] = ", ".join(found.fields.tags)
    if found.retired_at is not None:
        values["status"] = "proposed"
    return _form(request, found, values)


@router.post("/inventory/systems/{name}/edit")
def edit_system(request: Request, actor: Editor, name: str, form: Annotated[SystemForm, Form()]) -> Response:
    """Save, or show the form again: with what is wrong, or with what somebody else saved meanwhile."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.get_system(conn, name)
    values = {**values_of(form), "name": found.name}
    try:
        fields = system_fields(values)
        instance.write(
            lambda tx: service.edit_system(
                tx,
                found.name,
                fields,
                expected=version_number(form.version),
                actor=actor,
                reason=form.reason,
                via="page",
            )
        )
    except service.EditConflict as problem:
        with instance.read() as conn:
            now_there = queries.get_system(conn, name)
        values["version"] = now_there.version
        differing = field_changes(system_json(now_there.fields), system_json(system_fields(values)))
        return _form(request, now_there, values, problem=str(problem), conflict=differing, status=409)
    except InvalidInput as problem:
        return _form(request, found, values, errors=errors_of(problem), status=422)
    return redirect(f"/inventory/systems/{found.name}", flash="saved")


@router.post("/inventory/systems/{name}/retire")
def retire_system(
    request: Request, actor: Retirer, name: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Take a system out of use."""
    get_instance(request).write(
        lambda tx: service.retire_system(tx, name, actor=actor, reason=form.reason, via="page")
    )
    return redirect(f"/inventory/systems/{name}", flash=f"`{name}` is retired")


@router.get("/inventory/systems/{name}/export.{form}")
def export_system(request: Request, _: Viewer, name: str, form: str) -> Response:
    """One system as a file. `cyclonedx` is the ML-BOM."""
    instance = get_instance(request)
    with instance.read() as conn:
        data = exchange.export_system(conn, name, form, origin=instance.ledger.origin, now=instance.clock())
    return download(data, exchange.MEDIA_TYPES[form], f"{name}.{exchange.SUFFIXES[form]}")


def system_page(
    request: Request,
    actor: Actor,
    name: str,
    tab: str,
    *,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    form: str = "",
    status: int = 200,
) -> HTMLResponse:
    """One tab of a system's page; with `errors`, the form of that name shows what was wrong with `values`."""
    instance = get_instance(request)
    now: datetime = instance.clock()
    with instance.read() as conn:
        detail = queries.system_detail(conn, name)
        found = detail.system
        told = history(instance, conn, [found.subject]) if tab == "history" else None
        panels: tuple[FilledPanel, ...] = ()
        if tab == "overview":
            panels = panels_at(
                request,
                conn,
                actor,
                now,
                place="system",
                subject=found.subject,
                context={
                    "name": found.name,
                    "title": found.title,
                    "digest": found.digest,
                    "stage": str(found.stage),
                },
            )
        may_edit = may(request, actor, "inventory.edit") and found.retired_at is None
        choosing = tab == "components" and may_edit
        context = SystemPage(
            detail=detail,
            system=found,
            tab=tab,
            tabs=system_tabs(detail),
            labels=LABELS,
            stages=tuple(str(stage) for stage in Stage),
            panels=panels,
            history=told,
            choices=tuple(queries.choose_refs(conn)) if choosing else (),
            ends=_ends(detail),
            newer=_newer(conn, detail) if choosing else {},
            data_classes=DATA_CLASSES,
            kinds=KINDS,
            may_edit=may_edit,
            may_retire=may(request, actor, "inventory.retire") and found.retired_at is None,
            errors=errors or {},
            values=values or {},
            form=form,
        )
        return render(request, "inventory/system.html", context, status)


def may(request: Request, actor: Actor, action: str) -> bool:
    """Whether to show the control at all; the route asks again."""
    return get_instance(request).authorizer.decide(actor, action, None).allowed


def download(data: bytes, media_type: str, filename: str) -> Response:
    """A file to keep. The name is ours or a checked short name, so it needs no escaping."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)


def system_tabs(detail: SystemDetail) -> tuple[tuple[str, str, int | None], ...]:
    """The parts of a system's entry: the same line on its pages and on its drawings."""
    base = f"/inventory/systems/{detail.system.name}"
    running = sum(one.ended_at is None for one in detail.deployments)
    return (
        ("Overview", base, None),
        ("Components", f"{base}/components", len(detail.components)),
        ("Flows", f"{base}/flows", len(detail.flows)),
        ("Deployments", f"{base}/deployments", running),
        ("Graph", f"{base}/graph", None),
        ("Data flow", f"{base}/data-flow", None),
        ("History", f"{base}/history", None),
    )


def _ends(detail: SystemDetail) -> tuple[str, ...]:
    """What a flow of this system can start or end at: its components, and the outside parties it names already."""
    own = dict.fromkeys(f"{v.kind}:{v.name}" for v in detail.components)
    outside = (
        end for flow in detail.flows for end in (flow.fields.source, flow.fields.target) if end.outside
    )
    return tuple(own) + tuple(dict.fromkeys(end.ref for end in outside))


def _newer(conn: Connection, detail: SystemDetail) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each version in use the other versions it could be replaced by."""
    versions = queries.versions_of(conn, {v.component_id for v in detail.components})
    return {
        used.id: tuple(
            (v.id, v.fields.version)
            for v in versions.get(used.component_id, [])[:50]
            if v.id != used.id and v.retired_at is None
        )
        for used in detail.components
    }


def _form(
    request: Request,
    editing: System | None,
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    conflict: tuple[Change, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    with get_instance(request).read() as conn:
        facets = queries.facets(conn)
    filled = dict.fromkeys(SystemForm.model_fields, "") | dict(values)
    errors = dict(errors or {})
    context = SystemFormPage(
        editing=editing,
        values=filled,
        errors={key: why for key, why in errors.items() if key},
        problem=problem or errors.get("", ""),
        conflict=conflict,
        facets=facets,
        roles=ROLES,
        autonomy=AUTONOMY,
        exposures=EXPOSURES,
        statuses=EDITABLE_STATUSES,
    )
    return render(request, "inventory/system_form.html", context, status)
