"""Pieces of this slice on other pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alcaide.kernel.slice import Panel, PanelContext
from alcaide.slices.inventory import queries
from alcaide.slices.inventory.model import LABELS, SystemFilter

EXCERPT = 8


def home_register(context: PanelContext) -> tuple[str, Mapping[str, Any]] | None:
    """The register in short: how many systems of which status, and those changed last."""
    counts = queries.sizes(context.conn)
    recent = queries.list_systems(
        context.conn, SystemFilter(sort="updated", descending=True), now=context.now, limit=EXCERPT
    )
    may_edit = context.instance.authorizer.decide(context.actor, "inventory.edit", None).allowed
    return "inventory/home_panel.html", {
        "counts": counts,
        "systems": recent.items,
        "labels": LABELS,
        "may_edit": may_edit,
    }


PANELS = (Panel(place="home", title="Register", order=10, action="inventory.view", render=home_register),)
