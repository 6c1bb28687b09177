"""What a system is tied to: components it uses, flows, environments, deployments.

Each of these is part of the system's description, so each write here is a `changed` about the system.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import (
    Deployment,
    End,
    Environment,
    EnvironmentFields,
    Flow,
    FlowFields,
    SystemDetail,
    Version,
)
from alcaide.slices.inventory.rules.describe import environment_json, flow_json, list_change
from alcaide.slices.inventory.rules.validate import Checks, clean
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service.work import Saying, open_system, record_changed

MAX_COMPONENTS = 2_000
MAX_FLOWS = 2_000
MAX_ENVIRONMENTS = 100


def use_component(
    tx: Tx,
    name: str,
    version_id: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Say that a system uses a version of a component. Saying it twice changes nothing."""
    before = open_system(tx, name, expected)
    version = queries.get_version(tx.conn, version_id)
    if any(one.id == version_id for one in before.components):
        return before
    link_components(tx, before, [version])
    change = list_change("components", [], [pin(version)])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


def replace_component(
    tx: Tx,
    name: str,
    old_id: str,
    new_id_: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Move a system from one version to another of the same component. What ran the old one is ended."""
    before = open_system(tx, name, expected)
    old = _used(before, old_id)
    new = queries.get_version(tx.conn, new_id_)
    if new.component_id != old.component_id:
        raise InvalidInput(
            f"`{new.subject}` is no version of `{old.kind}:{old.name}`; remove that one and add this one"
        )
    if new.id == old.id:
        return before
    if all(one.id != new.id for one in before.components):
        link_components(tx, before, [new])
    unlink_component(tx, before, old)
    change = list_change("components", [pin(old)], [pin(new)])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


def remove_component(
    tx: Tx,
    name: str,
    version_id: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Say that a system no longer uses a version. Its deployments there end.

    Refused while a flow of the system starts or ends at the component and no other version of it stays.
    """
    before = open_system(tx, name, expected)
    version = _used(before, version_id)
    stays = any(
        one.component_id == version.component_id and one.id != version.id for one in before.components
    )
    here = End(kind=str(version.kind), name=version.name)
    named = sum(here in (flow.fields.source, flow.fields.target) for flow in before.flows)
    if named and not stays:
        raise Conflict(f"{named} flow(s) of `{name}` start or end at `{here.ref}`; remove those first")
    unlink_component(tx, before, version)
    change = list_change("components", [pin(version)], [])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


def add_flow(
    tx: Tx,
    name: str,
    fields: FlowFields,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> tuple[SystemDetail, Flow]:
    """Add a flow. Each of its ends is a component of the system or an outside party, and not both outside."""
    before = open_system(tx, name, expected)
    check_ends(before.components, fields)
    same = next((flow for flow in before.flows if flow.fields == fields), None)
    if same is not None:
        return before, same
    flow = insert_flow(tx, before, fields)
    change = list_change("flows", [], [flow_json(fields)])
    return record_changed(tx, before, [change], _saying(actor, reason, via)), flow


def remove_flow(
    tx: Tx,
    name: str,
    flow_id: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Remove a flow. Raises NotFound."""
    before = open_system(tx, name, expected)
    flow = next((one for one in before.flows if one.id == flow_id), None)
    if flow is None:
        raise NotFound(f"system `{name}` has no flow `{clean(flow_id)[:40]}`; its page shows those it has")
    delete_flow(tx, flow)
    change = list_change("flows", [flow_json(flow.fields)], [])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


def add_environment(
    tx: Tx,
    name: str,
    fields: EnvironmentFields,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> tuple[SystemDetail, Environment]:
    """Add an environment. Raises Conflict if the system has one of that name."""
    before = open_system(tx, name, expected)
    if any(one.fields.name == fields.name for one in before.environments):
        raise Conflict(f"system `{name}` has an environment `{fields.name}` already; choose another name")
    environment = insert_environment(tx, before, fields)
    change = list_change("environments", [], [environment_json(fields)])
    return record_changed(tx, before, [change], _saying(actor, reason, via)), environment


def remove_environment(
    tx: Tx,
    name: str,
    environment_id: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Remove an environment in which nothing runs. Its past deployments go with it; the ledger keeps them."""
    before = open_system(tx, name, expected)
    environment = environment_of(before, environment_id)
    mine = [one for one in before.deployments if one.environment == environment.fields.name]
    if any(one.ended_at is None for one in mine):
        raise Conflict(
            f"something runs in `{environment.fields.name}` of `{name}`; end those deployments first"
        )
    delete_environment(tx, environment)
    change = list_change("environments", [environment_json(environment.fields)], [])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


def deploy(
    tx: Tx,
    name: str,
    environment_id: str,
    version_id: str,
    *,
    actor: Actor,
    reason: str = "",
    note: str = "",
    deployed_at: datetime | None = None,
    expected: int | None = None,
    via: str = "",
) -> tuple[SystemDetail, Deployment]:
    """Say that a version runs in an environment of the system. Saying it of a running one changes nothing."""
    checks = Checks({"deployed_at": deployed_at})
    since = checks.moment("deployed_at") or tx.now
    checks.done("this deployment")
    before = open_system(tx, name, expected)
    environment = environment_of(before, environment_id)
    version = _used(before, version_id)
    running = next(
        (
            one
            for one in before.deployments
            if one.environment == environment.fields.name
            and one.version_id == version_id
            and one.ended_at is None
        ),
        None,
    )
    if running is not None:
        return before, running
    deployment = insert_deployment(tx, before, environment, version, deployed_at=since, note=note)
    change = list_change("deployments", [], [_place(deployment)])
    return record_changed(tx, before, [change], _saying(actor, reason, via)), deployment


def end_deployment(
    tx: Tx,
    name: str,
    deployment_id: str,
    *,
    actor: Actor,
    reason: str = "",
    expected: int | None = None,
    via: str = "",
) -> SystemDetail:
    """Say that a version no longer runs. It stays in the list, with its end."""
    before = open_system(tx, name, expected)
    deployment = next((one for one in before.deployments if one.id == deployment_id), None)
    if deployment is None:
        raise NotFound(
            f"system `{name}` has no deployment `{clean(deployment_id)[:40]}`; its page shows those it has"
        )
    if deployment.ended_at is not None:
        raise Conflict(f"`{deployment.ref}` no longer runs in `{deployment.environment}`; it ended before")
    end_running(tx, deployment)
    change = list_change("deployments", [_place(deployment)], [])
    return record_changed(tx, before, [change], _saying(actor, reason, via))


# The rows alone, without evidence. INVARIANT: `record_changed` or `record_registered` follows in the same work.


def link_components(tx: Tx, system: SystemDetail, versions: Sequence[Version]) -> None:
    """Tie versions to a system that does not use them yet. Raises Conflict if one of them is retired."""
    retired = next((version for version in versions if version.retired_at is not None), None)
    if retired is not None:
        raise Conflict(f"`{retired.subject}` is retired; use a version that is not")
    if len(system.components) + len(versions) > MAX_COMPONENTS:
        raise InvalidInput(
            f"system `{system.system.name}` would have more than {MAX_COMPONENTS} components; split it into several"
        )
    rows = [
        {
            "system_id": system.system.id,
            "version_id": version.id,
            "component_id": version.component_id,
            "kind": str(version.kind),
            "added_at": tx.now,
        }
        for version in versions
    ]
    if rows:
        tx.conn.execute(sa.insert(t.system_component), rows)
        _recount_users(tx, {version.component_id for version in versions})


def unlink_component(tx: Tx, system: SystemDetail, version: Version) -> None:
    """Untie a version from a system and end its deployments there."""
    link, d = t.system_component.c, t.deployment.c
    tx.conn.execute(
        sa.update(t.deployment)
        .where(d.system_id == system.system.id, d.version_id == version.id, d.ended_at.is_(None))
        .values(ended_at=tx.now)
    )
    tx.conn.execute(
        sa.delete(t.system_component).where(link.system_id == system.system.id, link.version_id == version.id)
    )
    _recount_users(tx, {version.component_id})


def insert_flow(tx: Tx, system: SystemDetail, fields: FlowFields) -> Flow:
    """Add a flow to a system."""
    if len(system.flows) >= MAX_FLOWS:
        raise InvalidInput(
            f"system `{system.system.name}` has {MAX_FLOWS} flows; merge those that carry the same data"
        )
    flow_id = new_id()
    tx.conn.execute(
        sa.insert(t.flow).values(
            id=flow_id,
            system_id=system.system.id,
            source_kind=fields.source.kind,
            source_name=fields.source.name,
            target_kind=fields.target.kind,
            target_name=fields.target.name,
            data=[str(c) for c in fields.data],
            purpose=fields.purpose,
            crosses_boundary=fields.crosses_boundary,
            encrypted=fields.encrypted,
            created_at=tx.now,
        )
    )
    return Flow(id=flow_id, fields=fields)


def delete_flow(tx: Tx, flow: Flow) -> None:
    """Take a flow out of a system."""
    tx.conn.execute(sa.delete(t.flow).where(t.flow.c.id == flow.id))


def insert_environment(tx: Tx, system: SystemDetail, fields: EnvironmentFields) -> Environment:
    """Add an environment to a system."""
    if len(system.environments) >= MAX_ENVIRONMENTS:
        raise InvalidInput(
            f"system `{system.system.name}` has {MAX_ENVIRONMENTS} environments; remove one first"
        )
    environment_id = new_id()
    tx.conn.execute(
        sa.insert(t.environment).values(
            id=environment_id,
            system_id=system.system.id,
            name=fields.name,
            region=fields.region,
            description=fields.description,
            created_at=tx.now,
        )
    )
    return Environment(id=environment_id, fields=fields)


def update_environment(tx: Tx, environment: Environment, fields: EnvironmentFields) -> None:
    """Set what is said about an environment."""
    tx.conn.execute(
        sa.update(t.environment)
        .where(t.environment.c.id == environment.id)
        .values(region=fields.region, description=fields.description)
    )


def delete_environment(tx: Tx, environment: Environment) -> None:
    """With the record of what ran there; the ledger keeps what was said of it."""
    tx.conn.execute(sa.delete(t.deployment).where(t.deployment.c.environment_id == environment.id))
    tx.conn.execute(sa.delete(t.environment).where(t.environment.c.id == environment.id))


def insert_deployment(
    tx: Tx,
    system: SystemDetail,
    environment: Environment,
    version: Version,
    *,
    deployed_at: datetime,
    note: str = "",
) -> Deployment:
    """Put a version into an environment."""
    deployment_id = new_id()
    note = clean(note)[:1_000]
    tx.conn.execute(
        sa.insert(t.deployment).values(
            id=deployment_id,
            system_id=system.system.id,
            environment_id=environment.id,
            version_id=version.id,
            deployed_at=deployed_at,
            note=note,
        )
    )
    return Deployment(
        id=deployment_id,
        environment=environment.fields.name,
        version_id=version.id,
        ref=version.subject,
        deployed_at=deployed_at,
        ended_at=None,
        note=note,
    )


def end_running(tx: Tx, deployment: Deployment) -> None:
    """Mark a deployment as ended now."""
    tx.conn.execute(sa.update(t.deployment).where(t.deployment.c.id == deployment.id).values(ended_at=tx.now))


def check_ends(components: tuple[Version, ...], fields: FlowFields) -> None:
    """Raises InvalidInput for an end that is neither a component in use nor outside."""
    known = {(str(one.kind), one.name) for one in components}
    wrong = {
        field: f"`{end.ref}` is no component of this system; add it first, or write `party:{end.name}`"
        for field, end in (("source", fields.source), ("target", fields.target))
        if not end.outside and (end.kind, end.name) not in known
    }
    if fields.source.outside and fields.target.outside:
        wrong.setdefault("target", "is outside like the source; one end must be a component of this system")
    if wrong:
        field, why = next(iter(wrong.items()))
        raise InvalidInput(f"this flow: `{field}` {why}", wrong)


def environment_of(system: SystemDetail, environment_id: str) -> Environment:
    """An environment of the system by id or by name. Raises NotFound."""
    for environment in system.environments:
        if environment_id in (environment.id, environment.fields.name):
            return environment
    raise NotFound(
        f"system `{system.system.name}` has no environment `{clean(environment_id)[:80]}`; add it first"
    )


def pin(version: Version) -> str:
    """A version with its digest, as evidence lists it."""
    return f"{version.subject} sha256:{version.identity}"


def _recount_users(tx: Tx, component_ids: Collection[str]) -> None:
    link, c = t.system_component.c, t.component.c
    users = sa.select(sa.func.count(sa.distinct(link.system_id))).where(link.component_id == c.id)
    ids = sorted(component_ids)
    for start in range(0, len(ids), queries.CHUNK):
        chunk = ids[start : start + queries.CHUNK]
        tx.conn.execute(
            sa.update(t.component).where(c.id.in_(chunk)).values(system_count=users.scalar_subquery())
        )


def _used(system: SystemDetail, version_id: str) -> Version:
    for version in system.components:
        if version.id == version_id:
            return version
    raise NotFound(
        f"system `{system.system.name}` does not use component version `{clean(version_id)[:40]}`; add it first"
    )


def _place(deployment: Deployment) -> str:
    return f"{deployment.ref} in {deployment.environment}"


def _saying(actor: Actor, reason: str, via: str) -> Saying:
    return Saying(actor=actor, reason=checked_reason(reason), via=via)
