"""What an HDF5 file is made of, as far as a scan asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alcaide.instruments.scan.limits import Malformed, Truncated


@dataclass(slots=True)
class Link:
    """An entry of a group."""

    name: str
    kind: str
    """`hard`, `soft`, `external` or `user`."""
    address: int = 0
    file: str = ""
    target: str = ""


@dataclass(slots=True)
class Attribute:
    """A named value of an object."""

    name: str
    type_class: int
    """3 is a string of fixed length, 9 of variable length, 5 opaque; the others are numbers and compounds."""
    values: list[bytes]
    """Texts, one for each element; for other types the raw bytes as one."""
    whole: bool = True
    """Whether the value could be read."""


@dataclass(slots=True)
class Storage:
    """Where a dataset's values lie."""

    kind: str = "none"
    """`compact`, `contiguous`, `chunked`, `virtual` or `none`."""
    address: int = 0
    size: int = 0
    external: list[str] = field(default_factory=list)
    """Files outside that hold the values."""
    sources: list[str] = field(default_factory=list)
    """Files that a virtual dataset is put together from."""
    filters: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """An object: a group or a dataset."""

    path: str
    address: int
    attributes: list[Attribute] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    type_class: int | None = None
    storage: Storage = field(default_factory=Storage)
    problem: Malformed | Truncated | None = None
    """Why a part of it could not be read. A library may never look at that part, so what else it has still counts."""

    @property
    def is_dataset(self) -> bool:
        """Whether it holds values."""
        return self.shape is not None and self.type_class is not None
