"""The register over HTTP, under `/api/v1/inventory`. Thin: every route is one call of a service or a query."""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.inventory.api import bulk, components, graph, intake, parts, systems

router = APIRouter(prefix="/inventory", tags=["inventory"])
for part in (systems, graph, parts, components, bulk, intake):
    router.include_router(part.router)
