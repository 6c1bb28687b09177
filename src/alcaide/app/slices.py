"""The slices, in the order a person meets them. A new slice is one folder and one line here.

A line names the manifest rather than importing it, so that the list itself costs nothing. A manifest in turn
names its pages, API and commands by path: `alcaide --help` reads every manifest and loads no slice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alcaide.kernel.manifest import Manifest

SLICES: tuple[str, ...] = (
    "alcaide.slices.access.manifest",
    "alcaide.slices.inventory.manifest",
    "alcaide.slices.evidence.manifest",
    "alcaide.slices.supply_chain.manifest",
    "alcaide.slices.lifecycle.manifest",
    "alcaide.slices.assurance.manifest",
    "alcaide.slices.operations.manifest",
)


def manifests() -> tuple[Manifest, ...]:
    """Every slice's manifest, in the order of the list."""
    return tuple(import_module(path).MANIFEST for path in SLICES)
