"""Systems over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from alcaide.kernel.access import Actor
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.api.shapes import (
    Cursor,
    HistoryOut,
    IfMatch,
    Limit,
    Name,
    SystemEdit,
    SystemNew,
    SystemPage,
    SystemPatch,
    SystemWhole,
    WithReason,
    answers,
    conflict,
    expected_version,
    given,
    set_etag,
    system_out,
    whole_out,
)
from alcaide.slices.inventory.model import Exposure, Kind, Role, Stage, Status, SystemFilter
from alcaide.slices.inventory.rules.describe import system_json
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service import exchange
from alcaide.slices.inventory.service.history import history, history_json
from alcaide.ui.deps import allow, get_instance

router = APIRouter()
Viewer = Annotated[Actor, Depends(allow("inventory.view"))]
Editor = Annotated[Actor, Depends(allow("inventory.edit"))]
Retirer = Annotated[Actor, Depends(allow("inventory.retire"))]
_SORT = "^-?(title|name|owner|status|updated|created)$"


@router.get("/systems", summary="List and search systems", responses=answers())
def list_systems(
    request: Request,
    _: Viewer,
    q: Annotated[
        str,
        Query(
            max_length=400, description="Words that all occur in name, title, purpose, people, unit or tags."
        ),
    ] = "",
    status: Annotated[Status | None, Query()] = None,
    owner: Annotated[str, Query(max_length=200)] = "",
    unit: Annotated[str, Query(max_length=200)] = "",
    role: Annotated[Role | None, Query()] = None,
    exposure: Annotated[Exposure | None, Query()] = None,
    kind: Annotated[Kind | None, Query(description="Made of at least one component of this kind.")] = None,
    region: Annotated[str, Query(max_length=49)] = "",
    stage: Annotated[Stage | None, Query()] = None,
    tag: Annotated[str, Query(max_length=49)] = "",
    gap: Annotated[
        str,
        Query(
            pattern="^(|no-owner|no-deputy|no-purpose|no-components|no-role|stale)$",
            description="What is missing.",
        ),
    ] = "",
    sort: Annotated[str, Query(pattern=_SORT, description="A leading `-` turns the order around.")] = "title",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SystemPage:
    """One page of the register. Follow `next_cursor` until it is null; none repeats or gets lost meanwhile."""
    narrow = SystemFilter(
        q=q,
        status=status or "",
        owner=owner,
        unit=unit,
        role=role or "",
        exposure=exposure or "",
        kind=kind or "",
        region=region,
        stage=stage or "",
        tag=tag,
        gap=gap,
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )
    instance = get_instance(request)
    with instance.read() as conn:
        page = queries.list_systems(conn, narrow, now=instance.clock(), limit=limit, cursor=cursor)
    return SystemPage.model_validate(
        {"items": [system_out(s) for s in page.items], "next_cursor": page.next_cursor, "total": page.total}
    )


@router.post("/systems", status_code=201, summary="Register a system", responses=answers(409))
def register_system(request: Request, response: Response, actor: Editor, body: SystemNew) -> SystemWhole:
    """Enter a system into the register. Its first Statement, `registered`, is in the log when this answers."""
    fields = system_fields(given(body))
    detail = get_instance(request).write(
        lambda tx: service.register_system(tx, fields, actor=actor, reason=body.reason, via="api")
    )
    response.headers["Location"] = f"/api/v1/inventory/systems/{fields.name}"
    set_etag(response, detail.system.version)
    return SystemWhole.model_validate(whole_out(detail))


@router.get("/systems/{name}", summary="A system with all it is made of", responses=answers(404))
def get_system(request: Request, response: Response, _: Viewer, name: Name) -> SystemWhole:
    """With components, flows, environments and deployments. `ETag` is the version to edit from."""
    with get_instance(request).read() as conn:
        detail = queries.system_detail(conn, name)
    set_etag(response, detail.system.version)
    return SystemWhole.model_validate(whole_out(detail))


@router.put(
    "/systems/{name}",
    summary="Set all fields of a system",
    response_model=SystemWhole,
    responses=answers(404, 409, 428),
)
def put_system(
    request: Request,
    response: Response,
    actor: Editor,
    name: Name,
    body: SystemEdit,
    if_match: IfMatch = None,
) -> Any:
    """Set every field. 409 with both sides if the system was changed since the version named in `If-Match`."""
    expected = expected_version(if_match)
    fields = system_fields({**given(body), "name": "kept"})
    return _edit(
        request, response, name, fields_of=lambda _: fields, expected=expected, actor=actor, body=body
    )


@router.patch(
    "/systems/{name}",
    summary="Change some fields of a system",
    response_model=SystemWhole,
    responses=answers(404, 409, 428),
)
def patch_system(
    request: Request,
    response: Response,
    actor: Editor,
    name: Name,
    body: SystemPatch,
    if_match: IfMatch = None,
) -> Any:
    """Set the fields that are given and leave the others."""
    expected = expected_version(if_match)
    said = {key: value for key, value in given(body).items() if value is not None}
    return _edit(
        request,
        response,
        name,
        fields_of=lambda current: system_fields({**system_json(current), **said}),
        expected=expected,
        actor=actor,
        body=body,
    )


@router.post("/systems/{name}/retire", summary="Retire a system", responses=answers(404, 409))
def retire_system(
    request: Request, response: Response, actor: Retirer, name: Name, body: WithReason
) -> SystemWhole:
    """Take a system out of use: its deployments end, and the reason goes into the log."""
    detail = get_instance(request).write(
        lambda tx: service.retire_system(tx, name, actor=actor, reason=body.reason, via="api")
    )
    set_etag(response, detail.system.version)
    return SystemWhole.model_validate(whole_out(detail))


@router.get("/systems/{name}/history", summary="Who changed what, when and why", responses=answers(404))
def system_history(request: Request, _: Viewer, name: Name) -> HistoryOut:
    """The Statements about a system, newest first, at most 500. `leaf` is where each can be proved."""
    instance = get_instance(request)
    with instance.read() as conn:
        system = queries.get_system(conn, name)
        found = history(instance, conn, [system.subject])
    return HistoryOut.model_validate(
        {
            "items": [history_json(entry) for entry in found.entries],
            "complete": found.complete,
            "why_incomplete": found.why_incomplete,
            "total": found.total,
        }
    )


@router.get(
    "/systems/{name}/export",
    summary="A system in another format",
    response_class=Response,
    responses={
        **answers(404),
        200: {
            "description": "The document",
            "content": {
                "application/vnd.cyclonedx+json": {},
                "application/json": {},
                "application/yaml": {},
                "text/csv": {},
            },
        },
    },
)
def export_system(
    request: Request,
    _: Viewer,
    name: Name,
    format: Annotated[
        str, Query(pattern="^(cyclonedx|json|yaml|csv)$", description="CycloneDX 1.7 ML-BOM, or the others.")
    ] = "cyclonedx",
) -> Response:
    """The same state gives the same bill of material, serial number included."""
    instance = get_instance(request)
    with instance.read() as conn:
        data = exchange.export_system(conn, name, format, origin=instance.ledger.origin, now=instance.clock())
    return Response(data, media_type=exchange.MEDIA_TYPES[format])


def _edit(
    request: Request,
    response: Response,
    name: str,
    *,
    fields_of: Any,
    expected: int | None,
    actor: Actor,
    body: Any,
) -> Any:
    def work(tx: Any) -> Any:
        current = queries.get_system(tx.conn, name).fields
        return service.edit_system(
            tx, name, fields_of(current), expected=expected, actor=actor, reason=body.reason, via="api"
        )

    try:
        detail = get_instance(request).write(work)
    except service.EditConflict as problem:
        return conflict(problem, body)
    set_etag(response, detail.system.version)
    return SystemWhole.model_validate(whole_out(detail))
