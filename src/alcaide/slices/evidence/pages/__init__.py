"""The pages of the evidence: the log, what was taken in, keys, anchors; and the log as machines read it."""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.evidence.pages import anchors, browse, bundles, keys, log, taking

router = APIRouter()
for part in (log, browse, taking, bundles, keys, anchors):
    router.include_router(part.router)
