"""How slices show up on each other's pages, beside what each says of itself in its manifest.

Slices never import each other; they meet in three places only: the ledger, panels (a piece of
one slice's page filled by another) and capabilities (a neutral question one slice answers for others).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from alcaide.kernel.manifest import Action, Manifest, NavItem, Word, load

__all__ = ["Action", "AttentionItem", "Manifest", "NavItem", "Panel", "PanelContext", "Word", "load"]

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.access.actor import Actor
    from alcaide.kernel.instance import Instance


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """Something unknown, overdue or waiting, for the first screen. `level` is unknown, failed or waiting."""

    level: str
    title: str
    detail: str
    href: str
    since: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class PanelContext:
    """What a panel gets to know: whose page it stands on and who looks at it."""

    instance: Instance
    conn: Connection
    actor: Actor
    now: datetime
    subject: str  # `system:loan-desk`; empty on pages about nothing in particular
    context: Mapping[str, Any] = field(default_factory=dict)
    request: Any = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of another slice's page; `render` gives a template's name and context, or None for nothing."""

    place: str
    title: str
    order: int
    action: str
    render: Callable[[PanelContext], tuple[str, Mapping[str, Any]] | None]
