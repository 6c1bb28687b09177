"""Forms on the page of a system: components, flows, environments, deployments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import AlcaideError, Conflict, InvalidInput
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.pages.forms import (
    DeployForm,
    Editor,
    EnvironmentForm,
    FlowForm,
    ReasonForm,
    ReplaceForm,
    UseForm,
    errors_of,
    values_of,
)
from alcaide.slices.inventory.pages.register import system_page
from alcaide.slices.inventory.rules.validate import (
    Checks,
    component_ref,
    environment_fields,
    flow_fields,
)
from alcaide.ui import redirect
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/inventory/systems/{name}")


@router.post("/components")
def use_component(request: Request, actor: Editor, name: str, form: Annotated[UseForm, Form()]) -> Response:
    """Use a version that is registered, named by reference."""

    def work(tx: Any) -> None:
        kind, part, label = component_ref(form.ref)
        version = queries.find_version(tx.conn, kind, part, label)
        if version is None:
            raise InvalidInput(
                "no such version", {"ref": f"`{form.ref[:120]}` is not in the register; register it first"}
            )
        service.use_component(tx, name, version.id, actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "components", "use", form, work, field="ref", done="component added")


@router.post("/components/{version_id}/replace")
def replace_component(
    request: Request, actor: Editor, name: str, version_id: str, form: Annotated[ReplaceForm, Form()]
) -> Response:
    """Move to another version of the same component."""

    def work(tx: Any) -> None:
        service.replace_component(tx, name, version_id, form.to, actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "components", "replace", form, work, field="to", done="version replaced")


@router.post("/components/{version_id}/remove")
def remove_component(
    request: Request, actor: Editor, name: str, version_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """No longer use a version."""

    def work(tx: Any) -> None:
        service.remove_component(tx, name, version_id, actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "components", "remove", form, work, field="", done="component removed")


@router.post("/flows")
def add_flow(request: Request, actor: Editor, name: str, form: Annotated[FlowForm, Form()]) -> Response:
    """Add a flow."""

    def work(tx: Any) -> None:
        service.add_flow(tx, name, flow_fields(values_of(form)), actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "flows", "flow", form, work, field="source", done="flow added")


@router.post("/flows/{flow_id}/remove")
def remove_flow(
    request: Request, actor: Editor, name: str, flow_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Remove a flow."""

    def work(tx: Any) -> None:
        service.remove_flow(tx, name, flow_id, actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "flows", "remove", form, work, field="", done="flow removed")


@router.post("/environments")
def add_environment(
    request: Request, actor: Editor, name: str, form: Annotated[EnvironmentForm, Form()]
) -> Response:
    """Add an environment."""

    def work(tx: Any) -> None:
        fields = environment_fields(values_of(form))
        service.add_environment(tx, name, fields, actor=actor, reason=form.reason, via="page")

    return _do(
        request, actor, name, "deployments", "environment", form, work, field="name", done="environment added"
    )


@router.post("/environments/{environment_id}/remove")
def remove_environment(
    request: Request, actor: Editor, name: str, environment_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Remove an environment in which nothing runs."""

    def work(tx: Any) -> None:
        service.remove_environment(tx, name, environment_id, actor=actor, reason=form.reason, via="page")

    return _do(
        request, actor, name, "deployments", "remove", form, work, field="", done="environment removed"
    )


@router.post("/deployments")
def deploy(request: Request, actor: Editor, name: str, form: Annotated[DeployForm, Form()]) -> Response:
    """Record that a version runs in an environment."""

    def work(tx: Any) -> None:
        checks = Checks(values_of(form))
        moment = checks.moment("deployed_at")
        for field, needed in (
            ("environment", "is missing; choose one"),
            ("version_id", "is missing; choose one"),
        ):
            checks.line(field, needed=needed)
        checks.done("this deployment")
        service.deploy(
            tx,
            name,
            form.environment,
            form.version_id,
            actor=actor,
            reason=form.reason,
            note=form.note,
            deployed_at=moment,
            via="page",
        )

    return _do(
        request,
        actor,
        name,
        "deployments",
        "deploy",
        form,
        work,
        field="version_id",
        done="deployment recorded",
    )


@router.post("/deployments/{deployment_id}/end")
def end_deployment(
    request: Request, actor: Editor, name: str, deployment_id: str, form: Annotated[ReasonForm, Form()]
) -> Response:
    """Record that it no longer does."""

    def work(tx: Any) -> None:
        service.end_deployment(tx, name, deployment_id, actor=actor, reason=form.reason, via="page")

    return _do(request, actor, name, "deployments", "remove", form, work, field="", done="deployment ended")


def _do(
    request: Request,
    actor: Actor,
    name: str,
    tab: str,
    form_name: str,
    form: Any,
    work: Callable[[Any], None],
    *,
    field: str,
    done: str,
) -> Response:
    """Do the work and go back to the tab; or show the tab again with what was wrong."""
    try:
        get_instance(request).write(work)
    except (InvalidInput, Conflict) as problem:
        errors = _errors(problem, field)
        status = 422 if isinstance(problem, InvalidInput) else problem.status
        return system_page(
            request, actor, name, tab, errors=errors, values=values_of(form), form=form_name, status=status
        )
    return redirect(f"/inventory/systems/{name}/{tab}", flash=done)


def _errors(problem: AlcaideError, field: str) -> dict[str, str]:
    if isinstance(problem, InvalidInput) and problem.fields:
        return errors_of(problem)
    return {field: str(problem)}
