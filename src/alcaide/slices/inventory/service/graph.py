"""What is drawn of a system: its components as nodes, its flows as arrows, and where data leaves.

Pure functions of the register's picture; the page, the API and the table below the drawing all show the same
`Drawing`. Left out on purpose: where on the screen things go, which is the browser's to compute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from alcaide.slices.inventory.model import LABELS, PARTY, DataClass, Flow, Kind, SystemDetail, Version

COLLAPSE_ABOVE = 60
"""More nodes than this are first shown as one node per kind: a person reads a map of ten things, not of 150."""
GROUP_ABOVE = 4
"""Kinds with no more than this many nodes are always shown one by one."""

Sensitivity = Literal["public", "internal", "classified", "unstated"]
_CLASSIFIED = frozenset(
    {DataClass.CONFIDENTIAL, DataClass.PERSONAL, DataClass.SPECIAL_CATEGORY, DataClass.SECRET}
)
_PLURALS = {"dataset": "datasets", "party": "parties", "vector-store": "vector stores"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A component of the system, whatever its versions, or a party that is none."""

    id: str  # `kind:name`, as flows name it
    kind: str
    kind_label: str
    name: str
    versions: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    described: bool = False
    environments: tuple[str, ...] = ()
    href: str = ""
    outside: bool = False
    flows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One flow. `leaving` is from inside to outside; `unmarked` says that the register does not call it a crossing."""

    id: str
    source: str
    target: str
    data: tuple[str, ...]
    label: str
    sensitivity: Sensitivity
    purpose: str
    crosses: bool
    leaving: bool
    entering: bool
    unmarked: bool
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The nodes of one kind, drawn as one while it is closed."""

    kind: str
    label: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Everything a drawing of one system shows. `closed` holds the kinds that are first drawn as one node."""

    name: str
    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    groups: tuple[Group, ...]
    closed: tuple[str, ...]
    undrawn: int = 0

    @property
    def leaving(self) -> tuple[Arrow, ...]:
        """Flows that leave, the most sensitive first."""
        order = ("classified", "unstated", "internal", "public")
        return tuple(sorted((a for a in self.arrows if a.leaving), key=lambda a: order.index(a.sensitivity)))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def draw_system(detail: SystemDetail) -> Drawing:
    """Every component and every party of the system, with the flows between them."""
    arrows = _arrows(detail.flows)
    touched = Counter(end for arrow in arrows for end in (arrow.source, arrow.target))
    outside = _outside(detail.flows)
    nodes = [
        replace(node, outside=node.id in outside, flows=touched[node.id])
        for node in (*_components(detail), *_others(detail))
    ]
    nodes.sort(key=lambda node: (_order(node.kind), node.name.casefold()))
    groups = tuple(_groups(nodes))
    closed = tuple(g.kind for g in groups if g.size > GROUP_ABOVE) if len(nodes) > COLLAPSE_ABOVE else ()
    return Drawing(
        name=detail.system.name,
        title=detail.system.title,
        nodes=tuple(nodes),
        arrows=arrows,
        groups=groups,
        closed=closed,
    )


def draw_flows(detail: SystemDetail) -> Drawing:
    """Only what data moves through: nodes without a flow are left out and counted."""
    whole = draw_system(detail)
    nodes = tuple(node for node in whole.nodes if node.flows)
    groups = tuple(_groups(nodes))
    closed = tuple(g.kind for g in groups if g.size > GROUP_ABOVE) if len(nodes) > COLLAPSE_ABOVE else ()
    return replace(whole, nodes=nodes, groups=groups, closed=closed, undrawn=len(whole.nodes) - len(nodes))


def sensitivity_of(data: Iterable[DataClass]) -> Sensitivity:
    """How a drawing treats these data classes. Nothing stated is not nothing sensitive."""
    classes = set(data)
    if not classes:
        return "unstated"
    if classes & _CLASSIFIED:
        return "classified"
    return "internal" if DataClass.INTERNAL in classes else "public"


def _components(detail: SystemDetail) -> Iterable[Node]:
    """One node per component, with all versions of it that the system uses."""
    running: dict[str, set[str]] = {}
    for deployment in detail.deployments:
        if deployment.ended_at is None:
            running.setdefault(deployment.version_id, set()).add(deployment.environment)
    found: dict[str, list[Version]] = {}
    for version in detail.components:
        found.setdefault(f"{version.kind}:{version.name}", []).append(version)
    for ref, versions in found.items():
        yield Node(
            id=ref,
            kind=str(versions[0].kind),
            kind_label=LABELS[versions[0].kind],
            name=versions[0].name,
            versions=tuple(v.fields.version for v in versions),
            digests=tuple(v.identity for v in versions),
            described=any(v.described for v in versions),
            environments=tuple(sorted(set().union(*(running.get(v.id, set()) for v in versions)))),
            href=f"/inventory/components/{versions[0].component_id}",
        )


def _others(detail: SystemDetail) -> Iterable[Node]:
    """Parties, and ends of flows that name a component the system no longer uses."""
    known = {f"{v.kind}:{v.name}" for v in detail.components}
    ends = {end.ref: end for flow in detail.flows for end in (flow.fields.source, flow.fields.target)}
    for ref, end in ends.items():
        if ref not in known:
            yield Node(id=ref, kind=end.kind, kind_label=LABELS.get(end.kind, end.kind), name=end.name)


def _outside(flows: Iterable[Flow]) -> frozenset[str]:
    """Which ends lie beyond the organisation's boundary.

    A flow that crosses has one end outside: the party if one of the two is a party, else the vendor's service, else
    where it goes. Parties that only take part in flows inside the boundary are inside: another department, a person.
    """
    found = set()
    for flow in flows:
        source, target = flow.fields.source, flow.fields.target
        if not flow.fields.crosses_boundary:
            continue
        for kind in (PARTY, Kind.SERVICE):
            if (source.kind == kind) != (target.kind == kind):
                found.add(source.ref if source.kind == kind else target.ref)
                break
        else:
            found.add(target.ref)
    return frozenset(found)


def _arrows(flows: Iterable[Flow]) -> tuple[Arrow, ...]:
    flows = tuple(flows)
    outside = _outside(flows)
    return tuple(_arrow(flow, outside) for flow in flows)


def _arrow(flow: Flow, outside: frozenset[str]) -> Arrow:
    fields = flow.fields
    from_outside, to_outside = fields.source.ref in outside, fields.target.ref in outside
    data = tuple(str(c) for c in fields.data)
    return Arrow(
        id=flow.id,
        source=fields.source.ref,
        target=fields.target.ref,
        data=data,
        label=", ".join(LABELS[c].lower() for c in data) or "not stated",
        sensitivity=sensitivity_of(fields.data),
        purpose=fields.purpose,
        crosses=fields.crosses_boundary,
        leaving=to_outside and not from_outside,
        entering=from_outside and not to_outside,
        unmarked=from_outside != to_outside and not fields.crosses_boundary,
        encrypted=fields.encrypted,
    )


def _groups(nodes: Iterable[Node]) -> Iterable[Group]:
    sizes = Counter(node.kind for node in nodes)
    for kind in sorted(sizes, key=_order):
        label = LABELS.get(kind, kind)
        plural = _PLURALS.get(kind, f"{label.lower()}s")
        yield Group(kind=kind, label=plural[0].upper() + plural[1:], size=sizes[kind])


def _order(kind: str) -> int:
    kinds = [str(k) for k in Kind]
    return kinds.index(kind) if kind in kinds else len(kinds)
