"""What every kind of source can do: check a place, list it, and bring one of its entries before the scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alcaide.slices.supply_chain.model import Entry

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

MOST_ENTRIES = 50_000
"""Entries of one watched place: a registry of a large organisation, and a few megabytes of rows."""


@dataclass(frozen=True)
class Brought:
    """What is to be scanned."""

    path: Path
    within: Path | None = None
    """Links may lead to files in here, and nowhere else; None for what has none."""
    expected: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by path below it, where the source names things by their digest."""


@dataclass(frozen=True)
class Bringing:
    """With what an entry is brought."""

    instance: Instance
    folder: Path
    """Not there yet. Whatever is made here is deleted after the scan."""
    check: Callable[[], None]
    """Raises JobStopped when the job is to stop."""
    tell: Callable[[str], None]
    """Says how far it is."""


class WatchedSource(Protocol):
    """One kind of place where models arrive.

    What lies there was written by strangers: listings are bounded, nothing in them leads to another place than those
    that may be read, and nothing of it is loaded.
    """

    def place(self, instance: Instance, text: str) -> str:
        """The place as it is kept. Raises InvalidInput, with the field `path`, if it may not be read or is not one."""
        ...

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """What is there now. Raises InvalidInput, Unavailable or OSError if that cannot be known."""
        ...

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """One entry, by its own place; asks again whether it may be read. Raises AlcaideError with what to do."""
        ...
