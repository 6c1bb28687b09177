"""What an entry says, as JSON; what its digest covers; and how two states of it differ.

The digest of a system is that of alcaide.predicates.graph.SystemGraph, so that a gate, an exporter and a stranger
with the Statement in hand compute the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from alcaide.kernel.evidence import canonical
from alcaide.predicates.graph import ComponentRef, FlowRef, SystemGraph
from alcaide.slices.inventory.model import (
    Change,
    ComponentFields,
    Deployment,
    EnvironmentFields,
    FlowFields,
    Kind,
    SystemDetail,
    SystemFields,
    VersionFields,
)

SYSTEM_FIELDS = (
    "title",
    "purpose",
    "owner",
    "deputy",
    "unit",
    "role",
    "users_affected",
    "autonomy",
    "exposure",
    "regions",
    "status",
    "tags",
)
"""The fields of a system that can be edited, in the order in which people read them."""

COMPONENT_FIELDS = ("title", "description", "owner", "supplier", "tags")
VERSION_FIELDS = ("digest", "source", "licence", "released_at", "notes")


def system_json(fields: SystemFields) -> dict[str, Any]:
    """The fields of a system as JSON, for evidence, comparison and export."""
    return {"name": fields.name} | {key: _plain(getattr(fields, key)) for key in SYSTEM_FIELDS}


def component_json(fields: ComponentFields) -> dict[str, Any]:
    """The fields of a component as JSON."""
    return {"kind": str(fields.kind), "name": fields.name} | {
        key: _plain(getattr(fields, key)) for key in COMPONENT_FIELDS
    }


def version_json(fields: VersionFields) -> dict[str, Any]:
    """The fields of a version as JSON."""
    return {"version": fields.version} | {key: _plain(getattr(fields, key)) for key in VERSION_FIELDS}


def flow_json(fields: FlowFields) -> dict[str, Any]:
    """A flow as JSON, in the words of `alcaide.yaml`."""
    return {
        "from": fields.source.ref,
        "to": fields.target.ref,
        "data": [str(c) for c in fields.data],
        "purpose": fields.purpose,
        "crosses_boundary": fields.crosses_boundary,
        "encrypted": fields.encrypted,
    }


def environment_json(fields: EnvironmentFields) -> dict[str, Any]:
    """An environment as JSON."""
    return {"name": fields.name, "region": fields.region, "description": fields.description}


def version_description(kind: Kind, name: str, fields: VersionFields) -> dict[str, Any]:
    """What stands for a version whose bytes have no known digest.

    Notes and dates are left out: a remark must not look like a new version. What is in here is what a bill of
    material carries too, so that a version taken in from one has the digest it had where the bill was made.
    """
    return {
        "kind": str(kind),
        "name": name,
        "version": fields.version,
        "source": fields.source,
        "licence": fields.licence,
    }


def version_identity(kind: Kind, name: str, fields: VersionFields) -> str:
    """The digest that Statements about a version carry: of its bytes if known, else of its description."""
    return fields.digest or sha256(canonical(version_description(kind, name, fields))).hexdigest()


def component_description(fields: ComponentFields) -> dict[str, Any]:
    """What stands for a component whatever its version."""
    return component_json(fields)


def component_digest(fields: ComponentFields) -> str:
    """The digest that Statements about a component carry."""
    return sha256(canonical(component_description(fields))).hexdigest()


def graph_of(detail: SystemDetail) -> SystemGraph:
    """The neutral picture of a system that other parts, and its own digest, are made from.

    Stage is left out: moving through a gate must not change what the gate was passed for.
    """
    fields = detail.system.fields
    running = _running(detail.deployments)
    return SystemGraph(
        name=fields.name,
        title=fields.title,
        status=str(fields.status),
        owner=fields.owner,
        description={
            "purpose": fields.purpose,
            "deputy": fields.deputy,
            "unit": fields.unit,
            "role": str(fields.role),
            "users_affected": fields.users_affected,
            "autonomy": str(fields.autonomy),
            "exposure": str(fields.exposure),
            "regions": list(fields.regions),
            "tags": list(fields.tags),
        },
        components=tuple(
            ComponentRef(
                kind=str(v.kind),
                name=v.name,
                version=v.fields.version,
                digest=v.identity,
                environments=tuple(sorted(running.get(v.id, ()))),
                title=v.title,
                tags=v.tags,
                supplier=v.supplier,
                licence=v.fields.licence,
                source=v.fields.source,
            )
            for v in detail.components
        ),
        flows=tuple(
            FlowRef(
                source=f.fields.source.ref,
                target=f.fields.target.ref,
                data_classes=tuple(str(c) for c in f.fields.data),
                crosses_boundary=f.fields.crosses_boundary,
                purpose=f.fields.purpose,
                encrypted=f.fields.encrypted,
            )
            for f in detail.flows
        ),
    )


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The keys whose values differ, in the order of `after`."""
    keys = list(after) + [key for key in before if key not in after]
    return tuple(
        Change(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)
    )


def list_change(field: str, gone: Iterable[Any], come: Iterable[Any]) -> Change:
    """What left a list and what came into it. The rest of the list is not repeated in evidence."""
    return Change(field, list(gone), list(come))


def search_text(*parts: str | Iterable[str]) -> str:
    """What a search looks through: lower case, one line, bounded by the fields it is made of."""
    words = (part if isinstance(part, str) else " ".join(part) for part in parts)
    return " ".join(" ".join(words).casefold().split())


def keys_text(words: Iterable[str]) -> str:
    """`|eu|us|`, so that `LIKE '%|eu|%'` finds a whole word and nothing else."""
    joined = "|".join(words)
    return f"|{joined}|" if joined else ""


def _running(deployments: Iterable[Deployment]) -> dict[str, set[str]]:
    running: dict[str, set[str]] = {}
    for deployment in deployments:
        if deployment.ended_at is None:
            running.setdefault(deployment.version_id, set()).add(deployment.environment)
    return running


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return None if value is None else str(value)
