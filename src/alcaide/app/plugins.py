"""Everything that can be added without touching what is there: one visible, ordered list.

A line names an object, or a list of objects, by path. The list is read when an instance opens and reaches the slices
as `instance.plugins`; nothing is found by scanning and nothing by entry point, so what runs here is what is written
here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PLUGINS: tuple[str, ...] = (
    # Formats of other tools that are read: CycloneDX, SARIF, OpenSSF model signatures, DSSE.
    "alcaide.instruments.exchange.registry:READERS",
    # What the guard looks with, cheapest first.
    "alcaide.instruments.guard.registry:BUILT_IN",
)


def plugins() -> tuple[Any, ...]:
    """Every plug-in, in the order of the list."""
    found: list[Any] = []
    for path in PLUGINS:
        module, _, attribute = path.partition(":")
        one = getattr(import_module(module), attribute)
        found += one if isinstance(one, list | tuple) else [one]
    return tuple(found)
