"""Which rules and lists a scan stood on, in a few characters."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@lru_cache(maxsize=1)
def edition() -> str:
    """The version of Alcaide and a digest over this package: `0.1.0+3f2a9c1b7d04`.

    Two scans of one edition find the same in the same bytes. It changes with every change of a rule, a reader or a
    list, so that a result kept from before is never taken for one of now.
    """
    import alcaide

    digest = hashlib.sha256()
    for name, entry in sorted(_sources(files("alcaide.instruments.scan"), "")):
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256(entry.read_bytes()).digest())
    return f"{alcaide.__version__}+{digest.hexdigest()[:12]}"


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                found += _sources(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith((".pyc", ".md")):
            found.append((prefix + entry.name, entry))
    return found
