"""A system as a drawing: what it is made of, and where its data goes. The same, below, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from alcaide.kernel.access import Actor
from alcaide.slices.inventory import queries
from alcaide.slices.inventory.model import LABELS, System
from alcaide.slices.inventory.pages.forms import Viewer
from alcaide.slices.inventory.pages.register import system_tabs
from alcaide.slices.inventory.service.graph import Drawing, draw_flows, draw_system
from alcaide.ui import render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/inventory/systems/{name}")
View = Literal["graph", "flows"]


@dataclass(frozen=True)
class GraphPage:
    """`script` is the drawing as the page's script takes it; everything else is for the tables."""

    system: System
    drawing: Drawing
    view: View
    tabs: tuple[tuple[str, str, int | None], ...]
    script: dict[str, Any]
    names: dict[str, str]
    labels: Mapping[str, str]
    organisation: str
    may_edit: bool


@router.get("/graph", response_class=HTMLResponse)
def graph(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """The system with its components and flows."""
    return _page(request, actor, name, "graph")


@router.get("/data-flow", response_class=HTMLResponse)
def data_flow(request: Request, actor: Viewer, name: str) -> HTMLResponse:
    """Data on its way through the system, and what of it leaves the organisation."""
    return _page(request, actor, name, "flows")


def _page(request: Request, actor: Actor, name: str, view: View) -> HTMLResponse:
    instance = get_instance(request)
    with instance.read() as conn:
        detail = queries.system_detail(conn, name)
    drawing = draw_system(detail) if view == "graph" else draw_flows(detail)
    organisation = instance.config.organisation
    context = GraphPage(
        system=detail.system,
        drawing=drawing,
        view=view,
        tabs=system_tabs(detail),
        script=drawing.as_json() | {"view": view, "organisation": organisation},
        names={node.id: node.name for node in drawing.nodes},
        labels=LABELS,
        organisation=organisation,
        may_edit=instance.authorizer.decide(actor, "inventory.edit", None).allowed,
    )
    return render(request, "inventory/graph.html", context)
