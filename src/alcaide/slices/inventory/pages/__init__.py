"""The register in the browser. Every page is one call of a query, every form one call of a service."""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.inventory.pages import bulk, components, graph, intake, parts, register

router = APIRouter(include_in_schema=False)
for part in (bulk, components, graph, intake, register, parts):
    router.include_router(part.router)
