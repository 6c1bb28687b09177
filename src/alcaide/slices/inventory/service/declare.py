"""Applying `alcaide.yaml`: make the register say what the document says, and nothing beyond it.

Applying twice changes nothing the second time. Everything a document asks for commits together; each system that
differs gets one Statement, however much of it differs.

A dry run is the same work, thrown away at the end: its plan cannot differ from what applying would do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory import queries
from alcaide.slices.inventory.model import (
    Change,
    Environment,
    EnvironmentFields,
    Status,
    SystemDetail,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.declaration import (
    ComponentWish,
    Declaration,
    EnvironmentWish,
    SystemWish,
    read_declaration,
)
from alcaide.slices.inventory.rules.describe import (
    component_json,
    environment_json,
    field_changes,
    flow_json,
    list_change,
    system_json,
)
from alcaide.slices.inventory.rules.validate import component_ref
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.rules.yaml_text import read_yaml
from alcaide.slices.inventory.service import parts
from alcaide.slices.inventory.service.components import edit_component, ensure_version
from alcaide.slices.inventory.service.systems import register_system, update_fields
from alcaide.slices.inventory.service.work import Saying, record_changed, record_registered

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

T = TypeVar("T")
_CHUNK = 2**20


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """What applying did, or would do, to one subject: `create`, `change` or `unchanged`."""

    action: str
    subject: str
    changes: tuple[Change, ...] = ()


class _Undo(Exception):
    """Carries a result out of a unit of work that must not commit."""

    def __init__(self, result: Any) -> None:
        super().__init__("dry run")
        self.result = result


def tried(instance: Instance, work: Callable[[Tx], T], *, dry_run: bool) -> T:
    """Do a unit of work; or, for a dry run, do it and throw away everything but what it returns."""

    def wrapped(tx: Tx) -> T:
        result = work(tx)
        if dry_run:
            raise _Undo(result)
        return result

    try:
        return instance.write(wrapped)
    except _Undo as undone:
        kept: T = undone.result
        return kept


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of `alcaide.yaml`, as it ships."""
    folder = resources.files("alcaide.slices.inventory") / "schemas"
    found: Mapping[str, Any] = json.loads((folder / "alcaide-yaml.schema.json").read_text("utf-8"))
    return found


def read_document(data: bytes, *, what: str = "`alcaide.yaml`", base: Path | None = None) -> Declaration:
    """A declaration with its `path:` files read. Without `base` (a document sent over the API) paths are refused."""
    declaration = read_declaration(read_yaml(data, what=what), schema(), what=what)
    return replace(
        declaration,
        components=tuple(_with_digest(wish, base) for wish in declaration.components),
        systems=tuple(
            replace(
                system,
                components=None
                if system.components is None
                else tuple(_with_digest(c, base) for c in system.components),
            )
            for system in declaration.systems
        ),
    )


def apply(
    instance: Instance, declaration: Declaration, *, actor: Actor, reason: str = "", dry_run: bool = False
) -> tuple[PlanItem, ...]:
    """Apply a declaration, or say what applying it would do. Commits whole or not at all."""
    saying = Saying(actor=actor, reason=checked_reason(reason), via="alcaide.yaml")
    return tried(instance, lambda tx: apply_in(tx, declaration, saying), dry_run=dry_run)


def apply_in(tx: Tx, declaration: Declaration, saying: Saying) -> tuple[PlanItem, ...]:
    """The work itself, for callers that do more in the same transaction."""
    plan: list[PlanItem] = []
    versions: dict[str, Version] = {}
    for wish in declaration.wishes:
        version, item = _grant_component(tx, wish, saying)
        # The first mention says what happened; a second one of the same version finds it done.
        if wish.ref not in versions:
            plan.append(item)
        elif item.action != "unchanged":
            raise InvalidInput(
                f"`{wish.ref}` is declared twice with different details; make them agree (line {wish.line})"
            )
        versions[wish.ref] = version
    plan.extend(_grant_system(tx, wish, versions, saying) for wish in declaration.systems)
    return tuple(plan)


def _grant_component(tx: Tx, wish: ComponentWish, saying: Saying) -> tuple[Version, PlanItem]:
    known = queries.find_component(tx.conn, wish.fields.kind, wish.fields.name)
    version, changes = ensure_version(tx, wish.fields, wish.version, saying)
    if known is not None:
        said = {key: value for key, value in component_json(wish.fields).items() if value}
        merged = component_json(known.fields) | said
        differing = field_changes(component_json(known.fields), merged)
        if differing:
            fields = replace(
                known.fields,
                **{c.field: tuple(c.after) if isinstance(c.after, list) else c.after for c in differing},  # type: ignore[arg-type]
            )
            edit_component(
                tx, known.id, fields, expected=None, actor=saying.actor, reason=saying.reason, via=saying.via
            )
            changes = (*changes, *differing)
    made = any(change.before is None and change.field == version.subject for change in changes)
    action = "create" if made else "change" if changes else "unchanged"
    return version, PlanItem(action=action, subject=version.subject, changes=changes)


def _grant_system(tx: Tx, wish: SystemWish, versions: Mapping[str, Version], saying: Saying) -> PlanItem:
    """One system: 1. its fields, 2. components, 3. environments and deployments, 4. flows, 5. one Statement."""
    known = queries.find_system(tx.conn, wish.name)
    fields = wish.fields(known.fields if known else None)
    changes: list[Change] = []
    if known is None:
        before = register_system(tx, fields, actor=saying.actor, announce=False)
        changes.extend(
            Change(key, None, value)
            for key, value in system_json(fields).items()
            if value not in ("", [], "unknown") and key != "name"
        )
    else:
        if known.fields.status is Status.RETIRED:
            raise Conflict(
                f"system `{wish.name}` (line {wish.line}) is retired; bring it back on its page, or leave it out"
            )
        before = queries.system_detail(tx.conn, wish.name)
        changes.extend(field_changes(system_json(known.fields), system_json(fields)))
        if changes:
            update_fields(tx, known.id, fields)
    now_used = before.components
    if wish.components is not None:
        now_used = tuple(versions[c.ref] for c in wish.components)
        changes.extend(_set_components(tx, before, now_used))
    if wish.environments is not None:
        changes.extend(_set_environments(tx, before, now_used, wish.environments, wish))
    flows = before.flows if wish.flows is None else ()
    for flow in (*(f.fields for f in flows), *(wish.flows or ())):
        parts.check_ends(now_used, flow)
    if wish.flows is not None:
        changes.extend(_set_flows(tx, before, wish))
    if known is None:
        record_registered(tx, wish.name, saying)
        return PlanItem(action="create", subject=f"system:{wish.name}", changes=tuple(changes))
    record_changed(tx, before, changes, saying)
    return PlanItem(
        action="change" if changes else "unchanged", subject=f"system:{wish.name}", changes=tuple(changes)
    )


def _set_components(tx: Tx, before: SystemDetail, wanted: tuple[Version, ...]) -> list[Change]:
    keep = {version.id for version in wanted}
    have = {version.id for version in before.components}
    gone = [version for version in before.components if version.id not in keep]
    come = [version for version in wanted if version.id not in have]
    for version in gone:
        parts.unlink_component(tx, before, version)
    kept = replace(before, components=tuple(version for version in before.components if version.id in keep))
    parts.link_components(tx, kept, come)
    if not gone and not come:
        return []
    return [list_change("components", map(parts.pin, gone), map(parts.pin, come))]


def _set_environments(
    tx: Tx,
    before: SystemDetail,
    used: tuple[Version, ...],
    wanted: tuple[EnvironmentWish, ...],
    wish: SystemWish,
) -> list[Change]:
    """Make environments those wanted, then what runs in each. What runs where nobody says is left alone."""
    have = {one.fields.name: one for one in before.environments}
    names = {one.fields.name for one in wanted}
    still = {version.id for version in used}
    running = [one for one in before.deployments if one.ended_at is None and one.version_id in still]
    by_ref = {version.subject: version for version in used}
    gone = [have[name] for name in have if name not in names]
    places: tuple[list[dict[str, Any]], list[dict[str, Any]]] = (
        [environment_json(e.fields) for e in gone],
        [],
    )
    runs = ([f"{d.ref} in {d.environment}" for d in running if d.environment not in names], list[str]())
    for environment in gone:
        parts.delete_environment(tx, environment)
    for one in wanted:
        here = _set_environment(tx, before, have.get(one.fields.name), one.fields, places)
        if one.deployed is not None:
            refs = dict.fromkeys(_ref(ref, by_ref, wish) for ref in one.deployed)
            there = {d.ref: d for d in running if d.environment == one.fields.name}
            for ref in there.keys() - refs.keys():
                parts.end_running(tx, there[ref])
                runs[0].append(f"{ref} in {one.fields.name}")
            for ref in (ref for ref in refs if ref not in there):
                parts.insert_deployment(tx, before, here, by_ref[ref], deployed_at=tx.now)
                runs[1].append(f"{ref} in {one.fields.name}")
    told = (("environments", *places), ("deployments", *runs))
    return [list_change(field, left, came) for field, left, came in told if left or came]


def _set_environment(
    tx: Tx,
    before: SystemDetail,
    here: Environment | None,
    wanted: EnvironmentFields,
    places: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> Environment:
    """One environment as wanted; what left and what came is added to `places`."""
    if here is None:
        places[1].append(environment_json(wanted))
        return parts.insert_environment(tx, before, wanted)
    merged = _merged(here.fields, wanted)
    if merged != here.fields:
        places[0].append(environment_json(here.fields))
        places[1].append(environment_json(merged))
        parts.update_environment(tx, here, merged)
    return here


def _set_flows(tx: Tx, before: SystemDetail, wish: SystemWish) -> list[Change]:
    wanted = wish.flows or ()
    have = [flow.fields for flow in before.flows]
    gone = [flow for flow in before.flows if flow.fields not in wanted]
    come = [fields for fields in wanted if fields not in have]
    for flow in gone:
        parts.delete_flow(tx, flow)
    for fields in come:
        parts.insert_flow(tx, before, fields)
    if not gone and not come:
        return []
    return [list_change("flows", [flow_json(f.fields) for f in gone], [flow_json(f) for f in come])]


def _ref(text: str, used: Mapping[str, Version], wish: SystemWish) -> str:
    """The full `kind:name@version` meant by a reference that may leave the version out."""
    kind, name, version = component_ref(text)
    matches = [
        ref
        for ref, v in used.items()
        if (v.kind, v.name) == (kind, name) and version in ("", v.fields.version)
    ]
    if len(matches) == 1:
        return matches[0]
    what = "is no component of" if not matches else "is more than one version of a component of"
    raise InvalidInput(
        f"`{text[:120]}` {what} system `{wish.name}` (line {wish.line}); name one with its version"
    )


def _merged(known: EnvironmentFields, wanted: EnvironmentFields) -> EnvironmentFields:
    return EnvironmentFields(
        name=known.name,
        region=wanted.region or known.region,
        description=wanted.description or known.description,
    )


def _with_digest(wish: ComponentWish, base: Path | None) -> ComponentWish:
    if not wish.path:
        return wish
    if base is None:
        raise InvalidInput(f"line {wish.line}: `path` works only with a file on disk; give `digest` instead")
    digest = digest_of(base, wish.path, line=wish.line)
    if wish.version.digest and wish.version.digest != digest:
        raise InvalidInput(
            f"line {wish.line}: `{wish.path[:120]}` has sha256 {digest}, not the `digest` beside it; "
            "correct one of them"
        )
    fields: VersionFields = replace(wish.version, digest=digest)
    return replace(wish, version=fields)


def digest_of(base: Path, name: str, *, line: int) -> str:
    """The sha256 of a file under `base`, read in pieces. Nothing outside `base` is opened, through links neither."""
    root = base.resolve()
    try:
        target = (root / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise InvalidInput(
            f"line {line}: there is no file `{name[:120]}` beside the document; correct `path`"
        ) from None
    if not target.is_relative_to(root):
        raise InvalidInput(
            f"line {line}: `{name[:120]}` lies outside the folder of the document; move it inside"
        )
    if not target.is_file():
        raise InvalidInput(f"line {line}: `{name[:120]}` is not a file; name the file itself")
    total = sha256()
    try:
        with target.open("rb") as file:
            while piece := file.read(_CHUNK):
                total.update(piece)
    except OSError as problem:
        raise InvalidInput(
            f"line {line}: `{name[:120]}` cannot be read: {problem.strerror}; check its rights"
        ) from None
    return total.hexdigest()
