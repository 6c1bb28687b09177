"""What a drawing of a system shows, over HTTP, for those who draw it elsewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from alcaide.slices.inventory import queries
from alcaide.slices.inventory.api.shapes import Name, answers
from alcaide.slices.inventory.service.graph import draw_flows, draw_system
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/systems/{name}")


class NodeOut(BaseModel):
    """A component of the system, or a party that is none."""

    id: str = Field(description="`kind:name`, as flows name it.")
    kind: str
    kind_label: str
    name: str
    versions: list[str]
    digests: list[str]
    described: bool = Field(
        description="Whether a digest is of a description, as that of the bytes is not known."
    )
    environments: list[str]
    href: str = Field(description="The component's page, or empty for a party.")
    outside: bool = Field(description="Beyond the organisation's boundary.")
    flows: int


class ArrowOut(BaseModel):
    """One flow."""

    id: str
    source: str
    target: str
    data: list[str]
    label: str
    sensitivity: Literal["public", "internal", "classified", "unstated"]
    purpose: str
    crosses: bool
    leaving: bool
    entering: bool
    unmarked: bool = Field(description="Goes over the boundary and is not marked as crossing it.")
    encrypted: bool


class GroupOut(BaseModel):
    """The nodes of one kind."""

    kind: str
    label: str
    size: int


class DrawingOut(BaseModel):
    """Nodes, arrows, and how they are first shown."""

    name: str
    title: str
    nodes: list[NodeOut]
    arrows: list[ArrowOut]
    groups: list[GroupOut]
    closed: list[str] = Field(
        description="Kinds that are first drawn as one node, because there are many nodes."
    )
    undrawn: int = Field(description="Nodes that this view leaves out.")


@router.get(
    "/graph",
    summary="A system as nodes and arrows",
    responses=answers(404),
    dependencies=[Depends(allow("inventory.view"))],
)
def graph(
    request: Request,
    name: Name,
    view: Annotated[
        Literal["graph", "flows"],
        Query(description="`graph` for everything, `flows` for what data moves through."),
    ] = "graph",
) -> DrawingOut:
    """Nodes are components whatever their version, and the parties that flows name."""
    with get_instance(request).read() as conn:
        detail = queries.system_detail(conn, name)
    drawing = draw_system(detail) if view == "graph" else draw_flows(detail)
    return DrawingOut.model_validate(drawing.as_json())
