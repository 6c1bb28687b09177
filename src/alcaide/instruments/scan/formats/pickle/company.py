"""A pickle in the company of others: what the archive around it knows, and what it wants to know of the pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alcaide.instruments.scan.source import Source


class Companion:
    """A pickle's bytes, with what its reader is to know; handed to `Context.child` like any source."""

    __slots__ = ("_source", "extra", "size", "storages")

    def __init__(self, source: Source, extra: tuple[str, ...] = ()) -> None:
        self._source = source
        self.size = source.size
        self.extra = extra
        """Prefixes of names that are harmless in this archive and nowhere else."""
        self.storages: dict[str, tuple[str, Any]] = {}
        """Filled by the reader: torch's storages by key, each with its kind and number of elements."""

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of them."""
        return self._source.read(offset, length)
