"""What a slice tells the composition root about itself, and how slices show up on each other's pages.

A manifest names things by `module:attribute` and imports none of them: reading all manifests costs
nothing. Slices never import each other; they meet in three places only: the ledger, panels (a piece of
one slice's page filled by another) and capabilities (a neutral question one slice answers for others).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.access.actor import Actor
    from alcaide.kernel.instance import Instance


@dataclass(frozen=True, slots=True)
class Action:
    """Something an actor may be allowed to do: `inventory.edit`."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation, shown to those who may do `action`."""

    label: str
    href: str
    icon: str
    action: str
    key: str = ""  # after `g`, the letter that goes there


@dataclass(frozen=True, slots=True)
class Word:
    """A word after `alcaide`, for a slice whose commands have names of their own: what it does, and its code.

    `quick` is a function that may run a command line without the command-line library, or answer None.
    """

    word: str
    title: str
    target: str
    quick: str = ""


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


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One slice: its question, its parts by `module:attribute`, its actions and its entries in the menu."""

    name: str
    title: str
    question: str
    icon: str = "square"
    order: int = 100
    tables: str | None = None  # a module that declares tables
    api: str | None = None  # an APIRouter, mounted under /api/v1
    pages: str | None = None  # an APIRouter
    cli: str | None = None  # a cyclopts App
    words: tuple[Word, ...] = ()  # further words, each a cyclopts App or a function
    jobs: str | None = None  # a sequence of JobKind
    actions: tuple[Action, ...] = ()
    nav: tuple[NavItem, ...] = ()
    attention: str | None = None  # function(conn, instance, actor, now) -> list[AttentionItem]
    panels: str | None = None  # a sequence of Panel
    capabilities: Mapping[str, str] = field(default_factory=dict)
    large_bodies: str | None = (
        None  # function(config) -> {path: bytes}, for routes that stream a body to disk
    )
    start: str | None = None  # function(instance), run once when an instance opens: seeds what must be there

    @property
    def package(self) -> str:
        return f"alcaide.slices.{self.name}"


def load(path: str) -> Any:
    """The attribute that `module:attribute` names."""
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
