"""The log, imports, bundles, keys and anchors over HTTP. Thin: each route is one call of a service or a query."""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.evidence.api import anchors, bundles, keys, log, taking

router = APIRouter(prefix="/evidence")
for part in (log, taking, bundles, keys, anchors):
    router.include_router(part.router)
