"""The register in the formats of others: CSV, JSON, YAML and CycloneDX out; a CycloneDX bill of material in.

JSON and YAML are the same document, the one that `alcaide inventory apply` reads: what is exported from one
installation can be applied to another. Stage, digests of descriptions and history stay behind: they are found and
decided, not stated.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from alcaide.instruments.exchange.cyclonedx import CycloneDx, write_mlbom
from alcaide.instruments.exchange.document import ParsedDocument
from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.graph import ComponentRef, FlowRef
from alcaide.slices.inventory import queries
from alcaide.slices.inventory.model import FlowFields, Status, SystemDetail, SystemFilter, Version
from alcaide.slices.inventory.rules.declaration import ComponentWish, Declaration, SystemWish
from alcaide.slices.inventory.rules.delimited import write_csv
from alcaide.slices.inventory.rules.describe import (
    environment_json,
    flow_json,
    graph_of,
    system_json,
    version_identity,
    version_json,
)
from alcaide.slices.inventory.rules.sheet import EXPORT_HEADER, export_row
from alcaide.slices.inventory.rules.validate import component_fields, flow_fields, version_fields
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service.declare import PlanItem, apply_in, tried
from alcaide.slices.inventory.service.work import Saying

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

FORMATS = ("csv", "json", "yaml", "cyclonedx")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml",
    "cyclonedx": "application/vnd.cyclonedx+json; version=1.7",
}
SUFFIXES = {"csv": "csv", "json": "json", "yaml": "yaml", "cyclonedx": "cdx.json"}
MAX_EXPORTED = 20_000
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class BomImport:
    """What a bill of material was made into. `left_out` explains every component that was not taken in."""

    plan: tuple[PlanItem, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def export_system(conn: Connection, name: str, form: str, *, origin: str, now: datetime) -> bytes:
    """One system in a format of FORMATS."""
    detail = queries.system_detail(conn, name)
    match form:
        case "csv":
            return "".join(write_csv(EXPORT_HEADER, [export_row(detail.system)])).encode("utf-8-sig")
        case "json":
            return json_document([detail])
        case "yaml":
            return yaml_document([detail])
        case "cyclonedx":
            return bom_of(detail, origin=origin, now=now)
        case _:
            raise InvalidInput(
                f"`{form[:40]}` is no export format; one of {', '.join(FORMATS)}", {"format": "unknown"}
            )


def export_csv(conn: Connection, narrow: SystemFilter, *, now: datetime) -> Iterator[str]:
    """The systems that a filter lets through, as CSV, in pieces. Starts with a mark so that spreadsheets see UTF-8."""
    ids = queries.matching_ids(conn, narrow, now=now, limit=MAX_EXPORTED)
    yield "\ufeff"
    yield from write_csv(EXPORT_HEADER, (export_row(detail.system) for detail in _in_batches(conn, ids)))


def export_all(conn: Connection, narrow: SystemFilter, form: str, *, now: datetime) -> bytes:
    """The systems that a filter lets through, as one document."""
    details = list(_in_batches(conn, queries.matching_ids(conn, narrow, now=now, limit=MAX_EXPORTED)))
    return json_document(details) if form == "json" else yaml_document(details)


def json_document(details: Iterable[SystemDetail]) -> bytes:
    """Systems as one JSON document."""
    return (json.dumps({"systems": [entry(d) for d in details]}, ensure_ascii=False, indent=2) + "\n").encode(
        "utf-8"
    )


def yaml_document(details: Iterable[SystemDetail]) -> bytes:
    """As `alcaide.yaml`. Text that YAML would read as something else is quoted by the writer."""
    import yaml

    document = {"systems": [entry(detail) for detail in details]}
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)
    return text.encode("utf-8")


def entry(detail: SystemDetail) -> dict[str, Any]:
    """A system as `alcaide.yaml` states it. Retired systems go out without a status, which nobody can declare."""
    values = {key: value for key, value in system_json(detail.system.fields).items() if value}
    if detail.system.fields.status is Status.RETIRED:
        values.pop("status")
    running: dict[str, list[str]] = {}
    for deployment in detail.deployments:
        if deployment.ended_at is None:
            running.setdefault(deployment.environment, []).append(deployment.ref)
    values["components"] = [_component_entry(version) for version in detail.components]
    values["flows"] = [_without_empty(flow_json(flow.fields)) for flow in detail.flows]
    values["environments"] = [
        _without_empty(environment_json(one.fields)) | {"deployed": sorted(running.get(one.fields.name, []))}
        for one in detail.environments
    ]
    return values


def bom_of(detail: SystemDetail, *, origin: str, now: datetime) -> bytes:
    """The CycloneDX ML-BOM of a system. Its serial number is made from what it says and who says it.

    So the same state exported twice is the same bill, and two states never share a number.
    """
    graph = graph_of(detail)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:alcaide:bom:{origin}:{graph.subject_name}:{graph.digest}")
    described = {version.subject for version in detail.components if version.described}
    return write_mlbom(graph, serial=str(serial), timestamp=now, origin=origin, described=described)


def read_bom(data: bytes) -> ParsedDocument:
    """Read a CycloneDX bill. Raises InvalidInput or TooLarge."""
    return CycloneDx().read(data)


def take_bom(
    instance: Instance,
    parsed: ParsedDocument,
    system: str,
    *,
    actor: Actor,
    reason: str = "",
    dry_run: bool = False,
) -> BomImport:
    """`import_bom` as one work of its own; a dry run does the same and throws it away."""
    return tried(
        instance, lambda tx: import_bom(tx, parsed, system, actor=actor, reason=reason), dry_run=dry_run
    )


def import_bom(
    tx: Tx, parsed: ParsedDocument, system: str, *, actor: Actor, reason: str = "", title: str = ""
) -> BomImport:
    """Make the components of a bill those of a system, registering the system if it is not there.

    The bill is taken as the whole truth about components, and about flows if it names any: what it does not name is
    taken out. Importing it again changes nothing.
    """
    left_out: list[str] = []
    components: dict[str, ComponentWish] = {}
    for ref in parsed.components:
        wish = _wish(ref, left_out)
        if wish is not None and components.setdefault(wish.ref, wish) is not wish:
            left_out.append(f"`{wish.ref}` is in the bill twice; the first one counts")
    known = queries.find_system(tx.conn, system)
    given: dict[str, Any] = {}
    if known is None:
        given = {"title": title or (parsed.graph.title if parsed.graph else "") or system}
        if parsed.graph is not None:
            said = dict(parsed.graph.description) | {"owner": parsed.graph.owner}
            given |= {
                key: said[key] for key in _CARRIED if isinstance(said.get(key), str | list) and said[key]
            }
    flows = _flows(parsed.flows, components, left_out)
    saying = Saying(actor=actor, reason=checked_reason(reason), via="bom")
    wish_for = SystemWish(
        name=system,
        given=given,
        line=0,
        components=tuple(components.values()),
        flows=flows or (None if known else ()),
    )
    plan = apply_in(tx, Declaration(systems=(wish_for,)), saying)
    return BomImport(plan=plan, left_out=tuple(left_out), notes=parsed.notes)


_CARRIED = (
    "purpose",
    "owner",
    "deputy",
    "unit",
    "role",
    "users_affected",
    "autonomy",
    "exposure",
    "regions",
    "tags",
)
"""What a bill written by an Alcaide says about the system itself. Its status is this register's to say."""


def _wish(ref: ComponentRef, left_out: list[str]) -> ComponentWish | None:
    said = {
        "kind": ref.kind,
        "name": ref.name,
        "version": ref.version,
        "title": ref.title if ref.title != ref.name else "",
        "supplier": ref.supplier,
        "source": ref.source,
        "licence": ref.licence,
    }
    tags = [tag for tag in ref.tags if _tag_fits(tag)]
    try:
        fields = component_fields({**said, "tags": tags[:32]})
        version = version_fields(said)
        # A digest that is that of the description names no bytes; kept as one, it would claim that it does.
        if ref.digest and ref.digest != version_identity(fields.kind, fields.name, version):
            version = version_fields({**said, "digest": ref.digest})
    except InvalidInput as problem:
        left_out.append(f"`{ref.subject_name[:120]}`: {'; '.join(problem.fields.values()) or problem}")
        return None
    return ComponentWish(fields=fields, version=version)


def _flows(
    refs: Iterable[FlowRef], components: dict[str, ComponentWish], left_out: list[str]
) -> tuple[FlowFields, ...]:
    known = {f"{wish.fields.kind}:{wish.fields.name}" for wish in components.values()}
    flows: list[FlowFields] = []
    for ref in refs:
        values = {
            "source": ref.source,
            "target": ref.target,
            "data": list(ref.data_classes),
            "purpose": ref.purpose,
            "crosses_boundary": ref.crosses_boundary,
            "encrypted": bool(ref.encrypted),
        }
        try:
            fields = flow_fields(values)
        except InvalidInput as problem:
            left_out.append(
                f"flow `{ref.source[:80]}` to `{ref.target[:80]}`: {'; '.join(problem.fields.values())}"
            )
            continue
        ends = [end for end in (fields.source, fields.target) if not end.outside]
        if not ends or any(end.ref not in known for end in ends):
            left_out.append(
                f"flow `{ref.source[:80]}` to `{ref.target[:80]}`: an end is no component of the bill"
            )
            continue
        if fields not in flows:
            flows.append(fields)
    return tuple(flows)


def _tag_fits(tag: str) -> bool:
    try:
        component_fields({"kind": "model", "name": "x", "tags": [tag]})
    except InvalidInput:
        return False
    return True


def _component_entry(version: Version) -> dict[str, Any]:
    said = version_json(version.fields)
    about = {"title": version.title, "supplier": version.supplier, "tags": list(version.tags)}
    return _without_empty({"kind": str(version.kind), "name": version.name, **said, **about})


def _in_batches(conn: Connection, ids: list[str]) -> Iterator[SystemDetail]:
    for start in range(0, len(ids), _BATCH):
        yield from queries.system_details(conn, ids[start : start + _BATCH])


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], False)}
