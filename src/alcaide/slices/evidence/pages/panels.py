"""What the page of a system shows of its evidence: the newest leaves, and what was found in each part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alcaide.kernel.slice import Panel, PanelContext
from alcaide.predicates.graph import ComponentRef
from alcaide.slices.evidence import queries
from alcaide.slices.evidence.model import ImportLine
from alcaide.slices.evidence.pages.forms import may

NEWEST = 6
KINDS = (
    ("cyclonedx", "Bill of materials"),
    ("sarif", "Scan"),
    ("model-signature", "Signature"),
    ("dsse", "Attestation"),
)


@dataclass(frozen=True)
class PartFindings:
    """What was taken in about one part of a system: the newest of each kind, under its present digest."""

    name: str
    component: ComponentRef | None
    found: Sequence[ImportLine | None]


def system_evidence(context: PanelContext) -> tuple[str, Mapping[str, Any]] | None:
    """The newest evidence about a system and what it is made of, and what was taken in about each part."""
    graph = queries.system_graph(context.conn, context.instance, context.subject)
    if graph is None:
        return None
    keys = [f"name:{graph.subject_name}", f"sha256:{graph.digest}"]
    for component in graph.components:
        keys.append(f"name:{component.subject_name}")
        if component.digest:
            keys.append(f"sha256:{component.digest}")
    with_access = queries.may_see_all(context.instance, context.actor)
    lines = queries.newest_about(context.conn, context.instance, keys, with_access=with_access, limit=NEWEST)
    digests = [f"sha256:{c.digest}" for c in graph.components if c.digest]
    imports = queries.imports_about(context.conn, [f"sha256:{graph.digest}", *digests])
    parts = [PartFindings(graph.subject_name, None, _newest(imports.get(f"sha256:{graph.digest}", [])))]
    parts += [
        PartFindings(c.subject_name, c, _newest(imports.get(f"sha256:{c.digest}", [])))
        for c in graph.components
    ]
    return "evidence/system_panel.html", {
        "subject": graph.subject_name,
        "lines": lines,
        "parts": parts,
        "kinds": [title for _, title in KINDS],
        "may_export": may(context.instance, context.actor, "evidence.export"),
        "may_import": may(context.instance, context.actor, "evidence.import"),
        "may_attest": may(context.instance, context.actor, "evidence.attest"),
    }


def _newest(lines: Sequence[ImportLine]) -> list[ImportLine | None]:
    return [next((line for line in lines if line.kind == kind), None) for kind, _ in KINDS]


PANELS = (Panel(place="system", title="Evidence", order=40, action="evidence.view", render=system_evidence),)
