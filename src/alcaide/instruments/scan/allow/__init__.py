"""Names that pickles of real libraries hold, and names that do harm: versioned data, and how it is looked up.

`lists/<library>.json` is generated from the installed library (`tools/scan/build_allow_lists.py`) and says which of
its names may stand in a pickle, and how: referred to, made an instance of without a call, or called. `reviewed.json`
is written by people: what is called with conditions, what moved, and what no installation has any more.
`dangerous.json` is written by people as well, and goes before all of it. A library's list is read when a file first
names the library.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE: Final = __file__.removesuffix("__init__.py")

NAME: Final = 1
"""It may be referred to: a function that an estimator keeps, a class that is a parameter."""
NEW: Final = 2
"""An instance of it may be made by `__new__` and given a state."""
CALL: Final = 4
"""It may be called with any arguments, or with those its condition allows."""

_KINDS: Final = {"name": NAME, "new": NAME | NEW, "call": NAME | NEW | CALL, "function": NAME | CALL}


class Permission(NamedTuple):
    """What may be done with a name."""

    flags: int
    condition: str | None = None
    on_build: str | None = None
    full: str = ""
    """Where the name is now, if it moved."""


class Danger(NamedTuple):
    """What a dangerous name does."""

    effect: str
    why: str


class Lists:
    """All lists."""

    def __init__(self, reviewed: Mapping[str, Any], dangerous: Mapping[str, Any]) -> None:
        self.edition: str = f"{reviewed['edition']}/{dangerous['edition']}"
        self._effects: dict[str, str] = dangerous["effects"]
        self._danger_names: dict[str, str] = {
            name: effect for effect, names in dangerous["names"].items() for name in names
        }
        self._danger_modules: dict[str, str] = {
            name: effect for effect, names in dangerous["modules"].items() for name in names
        }
        self._danger_prefixes: tuple[tuple[str, str], ...] = tuple(
            (prefix, effect) for effect, names in dangerous["prefixes"].items() for prefix in names
        )
        self.methods: frozenset[str] = frozenset(dangerous["methods"])
        self._moves: tuple[tuple[str, str], ...] = tuple(reviewed["moves"].items())
        self._reviewed: dict[str, dict[str, Permission]] = {
            module: _permissions(kinds) for module, kinds in reviewed["names"].items()
        }
        self._libraries: frozenset[str] = frozenset(
            name.removesuffix(".json")
            for name in os.listdir(_HERE + "lists")  # noqa: PTH208
        )
        self._known_libraries: frozenset[str] = frozenset(
            [*reviewed["known"], *self._libraries, *(module.partition(".")[0] for module in self._reviewed)]
        )
        self._loaded: dict[str, dict[str, dict[str, Permission]]] = {}

    def permission(self, module: str, name: str) -> Permission | None:
        """What may be done with a name, also under the module where older versions of a library had it."""
        found = self._permission(module, name)
        if found is not None:
            return found
        for before, now in self._moves:
            if module == before or module.startswith(before + "."):
                moved = now + module[len(before) :]
                found = self._permission(moved, name)
                if found is not None:
                    return Permission(found.flags, found.condition, found.on_build, f"{moved}.{name}")
        return None

    def _permission(self, module: str, name: str) -> Permission | None:
        known = self._reviewed.get(module)
        if known is not None and name in known:
            return known[name]
        top = module.partition(".")[0]
        if top not in self._libraries:
            return None
        return self.library(top).get(module, {}).get(name)

    def library(self, top: str) -> dict[str, dict[str, Permission]]:
        """The generated list of one library, by module and name."""
        loaded = self._loaded.get(top)
        if loaded is None:
            names = _read(f"lists/{top}.json")["names"]
            loaded = {module: _permissions(kinds) for module, kinds in names.items()}
            self._loaded[top] = loaded
        return loaded

    @property
    def reviewed(self) -> dict[str, dict[str, Permission]]:
        """The list written by people, by module and name."""
        return self._reviewed

    @property
    def libraries(self) -> frozenset[str]:
        """The top-level modules there is a generated list for."""
        return self._libraries

    def is_known_library(self, top: str) -> bool:
        """Whether a top-level module is one that models are written with, though not all its names are listed."""
        return top in self._known_libraries

    def dangerous_name(self, full: str) -> Danger | None:
        """What a name does that is known to be dangerous by itself."""
        effect = self._danger_names.get(full)
        return None if effect is None else Danger(effect, self._effects[effect])

    def dangerous_module(self, full: str) -> Danger | None:
        """What a name does by the module it is in, or one above it."""
        path = full
        while "." in path:
            path = path.rpartition(".")[0]
            effect = self._danger_modules.get(path)
            if effect is not None:
                return Danger(effect, self._effects[effect])
        for prefix, effect in self._danger_prefixes:
            if full.startswith(prefix):
                return Danger(effect, self._effects[effect])
        return None

    def is_module(self, name: str) -> bool:
        """Whether it is the name of a module that is dangerous as a whole."""
        return name in self._danger_modules

    def effect(self, name: str) -> Danger:
        """A kind of harm by its name."""
        return Danger(name, self._effects[name])


def _permissions(kinds: Mapping[str, Any]) -> dict[str, Permission]:
    """One module's names. Names of a kind are a list or, in generated lists, words in one string."""
    permissions: dict[str, Permission] = {}
    for kind, names in kinds.items():
        if kind == "if":
            for name, more in names.items():
                permissions[name] = Permission(_KINDS[more["as"]], more.get("when"), more.get("build"))
            continue
        permission = Permission(_KINDS[kind])
        for name in names.split() if isinstance(names, str) else names:
            permissions[name] = permission
    return permissions


@lru_cache(maxsize=1)
def lists() -> Lists:
    """The lists that ship."""
    return Lists(_read("reviewed.json"), _read("dangerous.json"))


def _read(name: str) -> Any:
    with open(_HERE + name, encoding="utf-8") as file:  # noqa: PTH123 - `pathlib` is slow to load
        return json.load(file)
