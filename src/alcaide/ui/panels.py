"""Pieces of one slice on another's page, without either importing the other.

A page asks for what stands at a place of it and puts each body into its template: `{{ panel.body }}`. The body is
rendered at that moment, inside the page's own rendering, so that forms in it carry their token; the page renders
while its snapshot is open, so that panel and page speak of the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from alcaide.kernel.slice import PanelContext
from alcaide.ui.deps import get_instance
from alcaide.ui.environment import environment_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.access import Actor
    from alcaide.ui.look import Look


@dataclass(frozen=True)
class Body:
    """A template and what it is about. Becomes markup when a template puts it out."""

    look: Look
    template: str
    context: Mapping[str, Any]

    def __html__(self) -> str:
        return environment_of(self.look).get_template(self.template).render(self.context)


@dataclass(frozen=True)
class FilledPanel:
    """A panel that has something to show."""

    title: str
    body: Body


def panels_at(
    request: Request,
    conn: Connection,
    actor: Actor,
    now: datetime,
    *,
    place: str,
    subject: str = "",
    context: Mapping[str, Any] | None = None,
) -> tuple[FilledPanel, ...]:
    """What the slices have to say at this place, to an actor who may see it. In the order the panels ask for."""
    instance = get_instance(request)
    look: Look = request.app.state.look
    asked = PanelContext(instance, conn, actor, now, subject=subject, context=context or {}, request=request)
    filled = []
    for panel in instance.panels:
        if panel.place == place and instance.authorizer.decide(actor, panel.action, None).allowed:
            found = panel.render(asked)
            if found is not None:
                filled.append(FilledPanel(panel.title, Body(look, *found)))
    return tuple(filled)
