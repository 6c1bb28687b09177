"""Components and their versions over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from alcaide.kernel.access import Actor
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.api.shapes import (
    ComponentEdit,
    ComponentNew,
    ComponentPage,
    ComponentWhole,
    Cursor,
    HistoryOut,
    Id,
    IfMatch,
    Limit,
    UsersOut,
    VersionEdit,
    VersionNew,
    VersionOut,
    WithReason,
    answers,
    component_out,
    conflict,
    expected_version,
    given,
    set_etag,
    version_out,
)
from alcaide.slices.inventory.model import Component, ComponentFilter, Kind
from alcaide.slices.inventory.rules.validate import component_fields, version_fields
from alcaide.slices.inventory.service.history import history, history_json
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/components")
Viewer = Annotated[Actor, Depends(allow("inventory.view"))]
Editor = Annotated[Actor, Depends(allow("inventory.edit"))]
Retirer = Annotated[Actor, Depends(allow("inventory.retire"))]
_VERSION = ("version", "digest", "source", "licence", "released_at", "notes")


@router.get("", summary="List and search components", responses=answers())
def list_components(
    request: Request,
    _: Viewer,
    q: Annotated[
        str,
        Query(max_length=400, description="Words that all occur in name, title, description, owner or tags."),
    ] = "",
    kind: Annotated[Kind | None, Query()] = None,
    owner: Annotated[str, Query(max_length=200)] = "",
    gap: Annotated[str, Query(pattern="^(|no-digest|unused)$", description="What is missing.")] = "",
    sort: Annotated[str, Query(pattern="^-?(name|kind|updated|created)$")] = "name",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ComponentPage:
    """One page of components. Follow `next_cursor` until it is null."""
    narrow = ComponentFilter(
        q=q,
        kind=kind or "",
        owner=owner,
        gap=gap,
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )
    with get_instance(request).read() as conn:
        page = queries.list_components(conn, narrow, limit=limit, cursor=cursor)
    return ComponentPage.model_validate(
        {
            "items": [component_out(c) for c in page.items],
            "next_cursor": page.next_cursor,
            "total": page.total,
        }
    )


@router.post("", status_code=201, summary="Register a component", responses=answers(409))
def register_component(
    request: Request, response: Response, actor: Editor, body: ComponentNew
) -> ComponentWhole:
    """Enter a component with its first version."""
    values = given(body)
    fields = component_fields(values)
    first = version_fields({key: values[key] for key in _VERSION})

    def work(tx: Any) -> dict[str, Any]:
        version = service.register_component(tx, fields, first, actor=actor, reason=body.reason, via="api")
        return _whole(tx.conn, queries.get_component(tx.conn, version.component_id))

    made = get_instance(request).write(work)
    response.headers["Location"] = f"/api/v1/inventory/components/{made['id']}"
    set_etag(response, made["version"])
    return ComponentWhole.model_validate(made)


@router.get("/{component_id}", summary="A component with its versions", responses=answers(404))
def get_component(request: Request, response: Response, _: Viewer, component_id: Id) -> ComponentWhole:
    """With every version, the newest first."""
    with get_instance(request).read() as conn:
        found = _whole(conn, queries.get_component(conn, component_id))
    set_etag(response, found["version"])
    return ComponentWhole.model_validate(found)


@router.put(
    "/{component_id}",
    summary="Set all fields of a component",
    response_model=ComponentWhole,
    responses=answers(404, 409, 428),
)
def put_component(
    request: Request,
    response: Response,
    actor: Editor,
    component_id: Id,
    body: ComponentEdit,
    if_match: IfMatch = None,
) -> Any:
    """Kind and name stay. 409 with both sides if it was changed since the version named in `If-Match`."""
    expected = expected_version(if_match)
    fields = component_fields({**given(body), "kind": "model", "name": "kept"})

    def work(tx: Any) -> dict[str, Any]:
        component = service.edit_component(
            tx, component_id, fields, expected=expected, actor=actor, reason=body.reason, via="api"
        )
        return _whole(tx.conn, component)

    try:
        found = get_instance(request).write(work)
    except service.EditConflict as problem:
        return conflict(problem, body)
    set_etag(response, found["version"])
    return ComponentWhole.model_validate(found)


@router.post("/{component_id}/retire", summary="Retire a component", responses=answers(404, 409))
def retire_component(
    request: Request, response: Response, actor: Retirer, component_id: Id, body: WithReason
) -> ComponentWhole:
    """With all its versions. 409 while a system uses one of them."""

    def work(tx: Any) -> dict[str, Any]:
        component = service.retire_component(tx, component_id, actor=actor, reason=body.reason, via="api")
        return _whole(tx.conn, component)

    found = get_instance(request).write(work)
    set_etag(response, found["version"])
    return ComponentWhole.model_validate(found)


@router.get("/{component_id}/systems", summary="Which systems use a component", responses=answers(404))
def component_systems(
    request: Request, _: Viewer, component_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> UsersOut:
    """By title; a system that uses two versions comes twice."""
    with get_instance(request).read() as conn:
        component = queries.get_component(conn, component_id)
        page = queries.users_of(conn, component.id, limit=limit, cursor=cursor)
    return UsersOut.model_validate(
        {
            "items": [{"system": s.name, "title": s.title, "version": label} for s, label in page.items],
            "next_cursor": page.next_cursor,
            "total": page.total,
        }
    )


@router.get("/{component_id}/history", summary="Who changed what, when and why", responses=answers(404))
def component_history(request: Request, _: Viewer, component_id: Id) -> HistoryOut:
    """The Statements about a component and all its versions, newest first, at most 500."""
    instance = get_instance(request)
    with instance.read() as conn:
        component = queries.get_component(conn, component_id)
        versions = queries.versions_of(conn, [component.id]).get(component.id, [])
        found = history(instance, conn, [component.subject, *(v.subject for v in versions)])
    return HistoryOut.model_validate(
        {
            "items": [history_json(entry) for entry in found.entries],
            "complete": found.complete,
            "why_incomplete": found.why_incomplete,
            "total": found.total,
        }
    )


@router.post(
    "/{component_id}/versions", status_code=201, summary="Add a version", responses=answers(404, 409)
)
def add_version(
    request: Request, response: Response, actor: Editor, component_id: Id, body: VersionNew
) -> VersionOut:
    """Add a version under a label that the component does not have yet."""
    fields = version_fields(given(body))
    version = get_instance(request).write(
        lambda tx: service.add_version(tx, component_id, fields, actor=actor, reason=body.reason, via="api")
    )
    set_etag(response, version.row_version)
    return VersionOut.model_validate(version_out(version))


@router.get("/versions/{version_id}", summary="One version of a component", responses=answers(404))
def get_version(request: Request, response: Response, _: Viewer, version_id: Id) -> VersionOut:
    """What is said about one version, by its id."""
    with get_instance(request).read() as conn:
        version = queries.get_version(conn, version_id)
    set_etag(response, version.row_version)
    return VersionOut.model_validate(version_out(version))


@router.put(
    "/versions/{version_id}",
    summary="Correct a version",
    response_model=VersionOut,
    responses=answers(404, 409, 428),
)
def put_version(
    request: Request,
    response: Response,
    actor: Editor,
    version_id: Id,
    body: VersionEdit,
    if_match: IfMatch = None,
) -> Any:
    """A changed digest changes that of every system using the version, and voids what was approved for the old one."""
    expected = expected_version(if_match)
    fields = version_fields({**given(body), "version": "kept"})
    try:
        version = get_instance(request).write(
            lambda tx: service.edit_version(
                tx, version_id, fields, expected=expected, actor=actor, reason=body.reason, via="api"
            )
        )
    except service.EditConflict as problem:
        return conflict(problem, body)
    set_etag(response, version.row_version)
    return VersionOut.model_validate(version_out(version))


@router.post("/versions/{version_id}/retire", summary="Retire a version", responses=answers(404, 409))
def retire_version(request: Request, actor: Retirer, version_id: Id, body: WithReason) -> VersionOut:
    """409 while a system uses it."""
    version = get_instance(request).write(
        lambda tx: service.retire_version(tx, version_id, actor=actor, reason=body.reason, via="api")
    )
    return VersionOut.model_validate(version_out(version))


def _whole(conn: Any, component: Component) -> dict[str, Any]:
    versions = queries.versions_of(conn, [component.id]).get(component.id, [])
    return component_out(component) | {"versions": [version_out(v) for v in versions]}
