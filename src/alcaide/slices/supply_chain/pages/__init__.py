"""The pages of the supply chain: scans, one scan, watched places."""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.supply_chain.pages import scans, watches

router = APIRouter(include_in_schema=False)
for part in (watches, scans):
    router.include_router(part.router)
