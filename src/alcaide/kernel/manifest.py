"""What a slice tells the composition root about itself.

A manifest names things by `module:attribute` and imports none of them: reading all manifests costs
nothing. They are named tuples because every command reads them, and a dataclass takes a millisecond to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

_NONE: Mapping[str, str] = {}


class Action(NamedTuple):
    """Something an actor may be allowed to do: `inventory.edit`."""

    name: str
    title: str


class NavItem(NamedTuple):
    """An entry of the navigation, shown to those who may do `action`."""

    label: str
    href: str
    icon: str
    action: str
    key: str = ""  # after `g`, the letter that goes there


class Word(NamedTuple):
    """A word after `alcaide`, for a slice whose commands have names of their own: what it does, and its code.

    `quick` is a function that may run a command line without the command-line library, or answer None.
    """

    word: str
    title: str
    target: str
    quick: str = ""


class Manifest(NamedTuple):
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
    capabilities: Mapping[str, str] = _NONE
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
