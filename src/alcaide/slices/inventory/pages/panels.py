"""Pieces of this slice on other pages, and pieces of other slices on the page of a system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from markupsafe import Markup
from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.slice import Panel, PanelContext
from alcaide.slices.inventory import queries
from alcaide.slices.inventory.model import LABELS, SystemFilter
from alcaide.ui.current import serving
from alcaide.ui.deps import get_instance
from alcaide.ui.environment import environment_of
from alcaide.ui.look import look_of

EXCERPT = 8


@dataclass(frozen=True)
class Filled:
    """A panel of another slice, rendered."""

    title: str
    body: Markup


def home_register(context: PanelContext) -> tuple[str, Mapping[str, Any]] | None:
    """The register in short: how many systems of which status, and those changed last."""
    counts = queries.counts(context.conn, now=context.now)
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


def filled_panels(
    request: Request,
    conn: Connection,
    actor: Actor,
    now: datetime,
    *,
    place: str,
    subject: str,
    context: Mapping[str, Any],
) -> tuple[Filled, ...]:
    """What other slices have to say at a place of our pages, to those who may see it.

    A panel is rendered here and now, while the snapshot it reads from is open.
    """
    instance = get_instance(request)
    environment = environment_of(look_of(request))
    filled: list[Filled] = []
    for panel in instance.panels:
        if panel.place != place or not instance.authorizer.decide(actor, panel.action, None).allowed:
            continue
        found = panel.render(
            PanelContext(instance, conn, actor, now, subject=subject, context=context, request=request)
        )
        if found is not None:
            template, values = found
            with serving(request):
                body = environment.get_template(template).render(**values)
            filled.append(Filled(panel.title, Markup(body)))  # noqa: S704 - escaped by Jinja
    return tuple(filled)


PANELS = (Panel(place="home", title="Register", order=10, action="inventory.view", render=home_register),)
