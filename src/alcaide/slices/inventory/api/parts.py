"""What a system is tied to, over HTTP: components, flows, environments, deployments."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.api.shapes import (
    Deploy,
    DeploymentOut,
    EnvironmentNew,
    EnvironmentOut,
    FlowNew,
    FlowOut,
    Id,
    Name,
    Replace,
    SystemWhole,
    Use,
    VersionOut,
    answers,
    deployment_out,
    environment_out,
    flow_out,
    given,
    set_etag,
    version_out,
    whole_out,
)
from alcaide.slices.inventory.model import SystemDetail
from alcaide.slices.inventory.rules.validate import component_ref, environment_fields, flow_fields
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/systems/{name}")
Viewer = Annotated[Actor, Depends(allow("inventory.view"))]
Editor = Annotated[Actor, Depends(allow("inventory.edit"))]
# Of a query and not of a body: proxies and clients drop the body of a DELETE.
Why = Annotated[str, Query(max_length=1_000, description="Why; kept in the evidence of the change.")]


@router.get("/components", summary="The component versions a system uses", responses=answers(404))
def list_components(request: Request, _: Viewer, name: Name) -> list[VersionOut]:
    """With their digests, in order of kind and name."""
    return [VersionOut.model_validate(version_out(v)) for v in _detail(request, name).components]


@router.post("/components", summary="Use a component version", responses=answers(404, 409))
def use_component(request: Request, response: Response, actor: Editor, name: Name, body: Use) -> SystemWhole:
    """Say that a system uses a version of a component. Saying it twice changes nothing."""

    def work(tx: Any) -> SystemDetail:
        version_id = body.version_id or _find(tx.conn, body.ref)
        return service.use_component(tx, name, version_id, actor=actor, reason=body.reason, via="api")

    return _whole(response, get_instance(request).write(work))


@router.post(
    "/components/{version_id}/replace",
    summary="Move to another version of a component",
    responses=answers(404, 409),
)
def replace_component(
    request: Request, response: Response, actor: Editor, name: Name, version_id: Id, body: Replace
) -> SystemWhole:
    """Use another version of the same component from now on; deployments of the old one in this system end."""
    detail = get_instance(request).write(
        lambda tx: service.replace_component(
            tx, name, version_id, body.version_id, actor=actor, reason=body.reason, via="api"
        )
    )
    return _whole(response, detail)


@router.delete(
    "/components/{version_id}", summary="No longer use a component version", responses=answers(404, 409)
)
def remove_component(
    request: Request, response: Response, actor: Editor, name: Name, version_id: Id, reason: Why = ""
) -> SystemWhole:
    """Deployments of it in this system end. 409 while a flow of the system starts or ends at the component."""
    detail = get_instance(request).write(
        lambda tx: service.remove_component(tx, name, version_id, actor=actor, reason=reason, via="api")
    )
    return _whole(response, detail)


@router.get("/flows", summary="The data flows of a system", responses=answers(404))
def list_flows(request: Request, _: Viewer, name: Name) -> list[FlowOut]:
    """In the order in which they were recorded."""
    return [FlowOut.model_validate(flow_out(f)) for f in _detail(request, name).flows]


@router.post("/flows", status_code=201, summary="Add a flow", responses=answers(404, 409))
def add_flow(request: Request, actor: Editor, name: Name, body: FlowNew) -> FlowOut:
    """One end at least is a component of the system; the other may be outside, as `party:Name`."""
    fields = flow_fields(given(body))
    _, flow = get_instance(request).write(
        lambda tx: service.add_flow(tx, name, fields, actor=actor, reason=body.reason, via="api")
    )
    return FlowOut.model_validate(flow_out(flow))


@router.delete("/flows/{flow_id}", summary="Remove a flow", responses=answers(404, 409))
def remove_flow(
    request: Request, response: Response, actor: Editor, name: Name, flow_id: Id, reason: Why = ""
) -> SystemWhole:
    """Say that the data no longer flows."""
    detail = get_instance(request).write(
        lambda tx: service.remove_flow(tx, name, flow_id, actor=actor, reason=reason, via="api")
    )
    return _whole(response, detail)


@router.get("/environments", summary="The environments of a system", responses=answers(404))
def list_environments(request: Request, _: Viewer, name: Name) -> list[EnvironmentOut]:
    """In order of their names."""
    return [EnvironmentOut.model_validate(environment_out(e)) for e in _detail(request, name).environments]


@router.post("/environments", status_code=201, summary="Add an environment", responses=answers(404, 409))
def add_environment(request: Request, actor: Editor, name: Name, body: EnvironmentNew) -> EnvironmentOut:
    """Add a place where versions of the system run."""
    fields = environment_fields(given(body))
    _, environment = get_instance(request).write(
        lambda tx: service.add_environment(tx, name, fields, actor=actor, reason=body.reason, via="api")
    )
    return EnvironmentOut.model_validate(environment_out(environment))


@router.delete("/environments/{environment_id}", summary="Remove an environment", responses=answers(404, 409))
def remove_environment(
    request: Request, response: Response, actor: Editor, name: Name, environment_id: Id, reason: Why = ""
) -> SystemWhole:
    """409 while something runs there."""
    detail = get_instance(request).write(
        lambda tx: service.remove_environment(tx, name, environment_id, actor=actor, reason=reason, via="api")
    )
    return _whole(response, detail)


@router.get("/deployments", summary="What runs where, and what ran", responses=answers(404))
def list_deployments(request: Request, _: Viewer, name: Name) -> list[DeploymentOut]:
    """The newest first; those with `ended_at` no longer run."""
    return [DeploymentOut.model_validate(deployment_out(d)) for d in _detail(request, name).deployments]


@router.post("/deployments", status_code=201, summary="Record a deployment", responses=answers(404, 409))
def deploy(request: Request, actor: Editor, name: Name, body: Deploy) -> DeploymentOut:
    """Say that a version the system uses runs in one of its environments."""
    moment = body.deployed_at
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    _, deployment = get_instance(request).write(
        lambda tx: service.deploy(
            tx,
            name,
            body.environment,
            body.version_id,
            actor=actor,
            reason=body.reason,
            note=body.note,
            deployed_at=moment,
            via="api",
        )
    )
    return DeploymentOut.model_validate(deployment_out(deployment))


@router.delete("/deployments/{deployment_id}", summary="End a deployment", responses=answers(404, 409))
def end_deployment(
    request: Request, response: Response, actor: Editor, name: Name, deployment_id: Id, reason: Why = ""
) -> SystemWhole:
    """It stays in the list, with the time it ended."""
    detail = get_instance(request).write(
        lambda tx: service.end_deployment(tx, name, deployment_id, actor=actor, reason=reason, via="api")
    )
    return _whole(response, detail)


def _detail(request: Request, name: str) -> SystemDetail:
    with get_instance(request).read() as conn:
        return queries.system_detail(conn, name)


def _whole(response: Response, detail: SystemDetail) -> SystemWhole:
    set_etag(response, detail.system.version)
    return SystemWhole.model_validate(whole_out(detail))


def _find(conn: Any, ref: str) -> str:
    if not ref:
        raise InvalidInput("say which version, by `version_id` or by `ref`", {"ref": "is missing"})
    try:
        kind, name, label = component_ref(ref)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"ref": "does not name a component"}) from None
    version = queries.find_version(conn, kind, name, label)
    if version is None:
        raise NotFound(f"there is no component version `{ref[:120]}`; register it first")
    return version.id
