"""Reading the register. Every function here runs a constant number of statements, however much it returns.

Left out on purpose: who may read (the skins ask), and history, which is the ledger's (service.history).
"""

from __future__ import annotations

from alcaide.slices.inventory.queries.components import (
    COMPONENT_GAPS,
    COMPONENT_SORTS,
    choose_refs,
    components_named,
    find_component,
    find_version,
    get_component,
    get_version,
    list_components,
    system_ids_using,
    users_of,
    versions_of,
)
from alcaide.slices.inventory.queries.rows import CHUNK
from alcaide.slices.inventory.queries.systems import (
    GAPS,
    STALE_AFTER,
    SYSTEM_SORTS,
    attention,
    facets,
    find_system,
    gaps,
    get_system,
    kinds_of,
    list_systems,
    matching_ids,
    sizes,
    system_detail,
    system_details,
    system_graph,
    systems_named,
)

__all__ = [
    "CHUNK",
    "COMPONENT_GAPS",
    "COMPONENT_SORTS",
    "GAPS",
    "STALE_AFTER",
    "SYSTEM_SORTS",
    "attention",
    "choose_refs",
    "components_named",
    "facets",
    "find_component",
    "find_system",
    "find_version",
    "gaps",
    "get_component",
    "get_system",
    "get_version",
    "kinds_of",
    "list_components",
    "list_systems",
    "matching_ids",
    "sizes",
    "system_detail",
    "system_details",
    "system_graph",
    "system_ids_using",
    "systems_named",
    "users_of",
    "versions_of",
]
