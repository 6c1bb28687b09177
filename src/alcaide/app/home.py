"""The first page: what is unknown, failed or waiting; then the register; then how the log is.

It shows what is not known before what is done. Every line comes from the slice that knows it: attention items from
the manifests' `attention`, the register and whatever else from panels for the place `home`. A slice that cannot
answer is itself a line, as unknown: silence would look like nothing to do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import AlcaideError
from alcaide.kernel.slice import AttentionItem, Manifest, NavItem, load
from alcaide.slices.operations.queries import LogHealth, log_health
from alcaide.ui import render
from alcaide.ui.deps import allow, get_instance
from alcaide.ui.panels import FilledPanel, panels_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.instance import Instance

log = logging.getLogger("alcaide.web")

router = APIRouter(include_in_schema=False)

VIEW = "inventory.view"
NAV = NavItem("Home", "/", "home", VIEW)
PLACE = "home"

# Failed before unknown: a no that is known wants an answer before a question does. Waiting is somebody's turn.
LEVELS = ("failed", "unknown", "waiting")
SHOWN = 12


@dataclass(frozen=True)
class Figure:
    """How many things stand at one level."""

    level: str
    count: int


@dataclass(frozen=True)
class HomePage:
    """What the template shows."""

    organisation: str
    now: datetime
    figures: tuple[Figure, ...]
    attention: tuple[AttentionItem, ...]
    hidden: int
    panels: tuple[FilledPanel, ...]
    log: LogHealth
    log_name: str


@router.get("/", response_class=HTMLResponse)
def first_page(
    request: Request, actor: Annotated[Actor, Depends(allow(VIEW))], everything: bool = False
) -> HTMLResponse:
    """Show what needs somebody, then the register."""
    instance = get_instance(request)
    now = instance.clock()
    with instance.read() as conn:
        items = gather(instance, conn, actor, now)
        page = HomePage(
            organisation=instance.config.organisation,
            now=now,
            figures=figures(items),
            attention=tuple(items if everything else items[:SHOWN]),
            hidden=0 if everything else max(len(items) - SHOWN, 0),
            panels=panels_at(request, conn, actor, now, place=PLACE),
            log=log_health(conn, instance, now),
            log_name=instance.ledger.origin,
        )
        # Inside the snapshot: a panel's template may still read through its context.
        return render(request, "app/home.html", page)


def gather(instance: Instance, conn: Connection, actor: Actor, now: datetime) -> list[AttentionItem]:
    """Every slice's attention items for this actor, the most pressing first, the oldest first among equals."""
    items: list[AttentionItem] = []
    for manifest in instance.manifests:
        if manifest.attention is not None:
            items += _asked(manifest, instance, conn, actor, now)
    return sorted(
        items, key=lambda item: (_rank(item.level), item.since is None, item.since or now, item.title)
    )


def _asked(
    manifest: Manifest, instance: Instance, conn: Connection, actor: Actor, now: datetime
) -> list[AttentionItem]:
    try:
        found: list[AttentionItem] = load(manifest.attention or "")(conn, instance, actor, now)
    except AlcaideError as error:
        return [AttentionItem("unknown", f"{manifest.title} cannot be read", str(error), "/readyz")]
    except Exception:
        log.exception("attention of %s", manifest.name)
        detail = "what needs attention there is not known; the reason is in the log of the web process"
        return [AttentionItem("unknown", f"{manifest.title} cannot be read", detail, "/readyz")]
    return found


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 1


def figures(items: Sequence[AttentionItem]) -> tuple[Figure, ...]:
    """How many things stand at each level; a level nobody knows counts as unknown."""
    counts = dict.fromkeys(LEVELS, 0)
    for item in items:
        counts[item.level if item.level in counts else "unknown"] += item.count
    return tuple(Figure(level, count) for level, count in counts.items())
