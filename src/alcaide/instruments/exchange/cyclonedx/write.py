"""The ML-BOM of a system: CycloneDX 1.7 JSON, valid under the official schema, read back without loss.

Equal input gives equal bytes, whatever the order of components and flows was: the bill can be hashed and
compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from alcaide.instruments.exchange.cyclonedx import kinds
from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.graph import DATA_CLASSES, ComponentRef, FlowRef, SystemGraph

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_PATH = r"[A-Za-z0-9._~:@!$&'()*+,;=%/-]"
_URL = re.compile(  # the plain part of RFC 3986; what is not plain goes out as a property instead
    r"[a-z][a-z0-9+.-]{1,31}:(?://[A-Za-z0-9._-]+(?::[0-9]{1,5})?(?=[/?#]|\Z)|(?!//))"
    rf"{_PATH}*(?:\?(?:{_PATH}|\?)*)?(?:#(?:{_PATH}|\?)*)?\Z"
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SPDX_IDS = frozenset(
    [
        "Apache-2.0",
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "GPL-2.0-only",
        "GPL-3.0-only",
        "LGPL-2.1-only",
        "LGPL-3.0-only",
        "AGPL-3.0-only",
        "MPL-2.0",
        "EPL-2.0",
        "ISC",
        "Unlicense",
        "CC0-1.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC-BY-NC-4.0",
        "CC-BY-NC-SA-4.0",
        "CC-BY-3.0",
        "CC-BY-SA-3.0",
        "ODbL-1.0",
        "PDDL-1.0",
        "ODC-By-1.0",
        "CDLA-Permissive-2.0",
        "CDLA-Sharing-1.0",
        "BSL-1.0",
        "0BSD",
        "Zlib",
    ]
)
"""Licences of models and data met often. The rest go out as a name, which is valid for any text."""


def write_mlbom(
    graph: SystemGraph,
    *,
    serial: str,
    timestamp: datetime,
    origin: str,
    described: Collection[str] = (),
) -> bytes:
    """The bill of `graph`.

    `serial` is a UUID, `timestamp` when the register was read, `origin` the name of the register's log.
    `described` holds the subject names (`kind:name@version`) whose digest is of a description and not of
    bytes: a hash in a bill claims bytes, so theirs goes into a property.
    """
    number = serial.removeprefix("urn:uuid:").lower()
    if not _UUID.match(number):
        raise InvalidInput(f"`{serial[:60]}` is not a UUID; the serial number of a bill must be one")
    components = sorted(graph.components, key=lambda c: (c.subject_name, c.digest or ""))
    names = [c.subject_name for c in components]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"`{twice[:120]}` is in the system twice; remove one of the two")
    flows = sorted(graph.flows, key=_flow_json)
    system = graph.subject_name
    bom: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "alcaide"}]},
            "component": _system(graph),
            "properties": [_property(kinds.ORIGIN, origin)],
        },
        "components": [_component(c, c.subject_name in described) for c in components if c.kind != "service"],
        "services": [
            _service(c, flows, c.subject_name in described) for c in components if c.kind == "service"
        ],
        "dependencies": [{"ref": system, "dependsOn": names}, *({"ref": name} for name in names)],
        "properties": [_property(kinds.FLOW, _flow_json(flow)) for flow in flows],
    }
    kept = {key: value for key, value in bom.items() if value not in ([], {})}
    try:
        return (json.dumps(kept, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(
            "a name holds half a character (a lone surrogate); rename it, then export again"
        ) from None


def _system(graph: SystemGraph) -> dict[str, Any]:
    purpose = graph.description.get("purpose")
    description = {"description": purpose} if isinstance(purpose, str) and purpose else {}
    return {
        "type": "application",
        "bom-ref": graph.subject_name,
        "name": graph.name,
        **description,
        "properties": [
            _property(kinds.SYSTEM_TITLE, graph.title),
            _property(kinds.SYSTEM_STATUS, graph.status),
            _property(kinds.SYSTEM_OWNER, graph.owner),
            _property(kinds.SYSTEM_DESCRIPTION, _compact(graph.description)),
            _property(kinds.SYSTEM_DIGEST, graph.digest),
        ],
    }


def _component(component: ComponentRef, described: bool) -> dict[str, Any]:
    data = kinds.DATA_TYPES.get(component.kind)
    return _without_empty(
        {
            "type": kinds.TYPES.get(component.kind, "application"),
            "bom-ref": component.subject_name,
            "supplier": {"name": component.supplier} if component.supplier else None,
            "name": component.name,
            "version": component.version,
            "hashes": (
                [{"alg": "SHA-256", "content": component.digest}]
                if component.digest and not described
                else None
            ),
            "licenses": _licences(component.licence),
            "externalReferences": _references(component.source),
            "data": [{"type": data, "name": component.name}] if data else None,
            "properties": _properties(component, described, hashed=True),
            "tags": list(component.tags),
        }
    )


def _service(component: ComponentRef, flows: list[FlowRef], described: bool) -> dict[str, Any]:
    end = f"{component.kind}:{component.name}"
    touching = [flow for flow in flows if end in (flow.source, flow.target)]
    return _without_empty(
        {
            "bom-ref": component.subject_name,
            "provider": {"name": component.supplier} if component.supplier else None,
            "name": component.name,
            "version": component.version,
            "x-trust-boundary": any(flow.crosses_boundary for flow in touching) if touching else None,
            "data": [_service_data(flow, end) for flow in touching],
            "licenses": _licences(component.licence),
            "externalReferences": _references(component.source),
            "properties": _properties(component, described, hashed=False),
            "tags": list(component.tags),
        }
    )


def _service_data(flow: FlowRef, end: str) -> dict[str, Any]:
    """A flow as the service sees it.

    CycloneDX has one classification a flow: the most sensitive one stands.
    """
    known = [name for name in DATA_CLASSES if name in flow.data_classes]
    return _without_empty(
        {
            "flow": "inbound" if flow.target == end else "outbound",
            "classification": known[-1] if known else "unclassified",
            "description": flow.purpose,
            "source": [quote(flow.source, safe=":/")],
            "destination": [quote(flow.target, safe=":/")],
        }
    )


def _properties(component: ComponentRef, described: bool, *, hashed: bool) -> list[dict[str, str]]:
    found = [_property(kinds.KIND, component.kind)]
    if component.title:
        found.append(_property(kinds.TITLE, component.title))
    if component.digest and described:
        found.append(_property(kinds.DIGEST_DESCRIPTION, component.digest))
    elif component.digest and not hashed:
        found.append(_property(kinds.DIGEST_BYTES, component.digest))
    if component.source and not _references(component.source):
        found.append(_property(kinds.SOURCE, component.source))
    return found + [_property(kinds.ENVIRONMENT, name) for name in component.environments]


def _licences(licence: str) -> list[dict[str, Any]] | None:
    if not licence:
        return None
    return [{"license": {"id": licence} if licence in _SPDX_IDS else {"name": licence}}]


def _references(source: str) -> list[dict[str, str]] | None:
    if not _URL.match(source) or _BAD_ESCAPE.search(source):
        return None
    return [{"type": "distribution", "url": source}]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _flow_json(flow: FlowRef) -> str:
    return _compact(
        {
            "from": flow.source,
            "to": flow.target,
            "data": list(flow.data_classes),
            "crosses_boundary": flow.crosses_boundary,
            "purpose": flow.purpose,
            "encrypted": flow.encrypted,
        }
    )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}
