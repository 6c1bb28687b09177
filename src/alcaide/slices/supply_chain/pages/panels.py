"""What the page of a system shows of its scans: the newest of each part, by digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alcaide.kernel.slice import Panel, PanelContext
from alcaide.predicates.graph import ComponentRef
from alcaide.slices.supply_chain import queries
from alcaide.slices.supply_chain.model import ScanLine
from alcaide.slices.supply_chain.pages.forms import may

_SCANNED = ("model", "dataset")


@dataclass(frozen=True)
class Part:
    """A component whose bytes can be scanned, and the newest scan of them."""

    component: ComponentRef
    scan: ScanLine | None


def system_scans(context: PanelContext) -> tuple[str, Mapping[str, Any]] | None:
    """The models and datasets of a system; nothing for a system without any."""
    graph = context.instance.capability("system-graph")(context.conn, context.subject.removeprefix("system:"))
    if graph is None:
        return None
    parts = [one for one in graph.components if one.subject_name.partition(":")[0] in _SCANNED]
    if not parts:
        return None
    newest = queries.newest_about(context.conn, [one.digest for one in parts if one.digest])
    return "supply_chain/system_panel.html", {
        "parts": [Part(one, newest.get(one.digest) if one.digest else None) for one in parts],
        "may_scan": may(context.instance, context.actor, "scan.run"),
    }


PANELS = (Panel(place="system", title="Scans", order=45, action="scan.view", render=system_scans),)
