"""The pages of access: signing in, one's own account, and people.

Thin: they ask the service and show what it says.
"""

from __future__ import annotations

from fastapi import APIRouter

from alcaide.slices.access.pages import account, people, roles, sign_in

router = APIRouter(include_in_schema=False)
router.include_router(sign_in.router)
router.include_router(account.router)
router.include_router(people.router)
router.include_router(roles.router)
