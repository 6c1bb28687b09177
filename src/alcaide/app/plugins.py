"""Everything that can be added without touching what is there: one visible, ordered list.

A built-in importer registers exactly as a stranger's would: by a line here that names it. The list is read when an
instance opens and reaches the slices as `instance.plugins`; nothing is found by scanning and nothing by entry
point, so what runs here is what is written here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PLUGINS: tuple[str, ...] = ()


def plugins() -> tuple[Any, ...]:
    """Every plug-in, in the order of the list."""
    found = []
    for path in PLUGINS:
        module, _, attribute = path.partition(":")
        found.append(getattr(import_module(module), attribute))
    return tuple(found)
