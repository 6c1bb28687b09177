"""A small application that wears the design system and nothing else: what the tests of the system act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from alcaide.kernel.access import ANONYMOUS, Actor, Decision
from alcaide.kernel.slice import NavItem
from alcaide.ui import Look, gallery, install

INES = Actor("user", "u-1", "Ines Okafor", frozenset({"security-lead"}))
KEY = b"a key for the tests of the pages"
NAV = (
    NavItem("Overview", "/", "home", "ops.view"),
    NavItem("Systems", "/inventory", "box-model-2", "inventory.view", "i"),
    NavItem("Evidence", "/evidence", "file-certificate", "evidence.view"),
    NavItem("Gates", "/gates", "checklist", "lifecycle.view"),
    NavItem("People", "/access", "users", "access.manage"),
    NavItem("Design", "/-/design", "palette", "ops.view"),
)


@dataclass
class Rules:
    """Says yes to everything but what is in `denied`."""

    denied: set[str] = field(default_factory=lambda: {"access.manage"})
    asked: list[tuple[str, Mapping[str, str] | None]] = field(default_factory=list)

    def decide(self, actor: Actor, action: str, resource: Mapping[str, str] | None = None) -> Decision:
        self.asked.append((action, resource))
        if actor.kind == "anonymous" or action in self.denied:
            return Decision(False, "people-managed-by-admins", "admin", "ask an administrator")
        return Decision(True, "everything-else", "admin", "")


@dataclass
class SmallInstance:
    authorizer: Rules = field(default_factory=Rules)


def a_site(*, csrf_exempt: tuple[str, ...] = (), **look: Any) -> FastAPI:
    """An application with the gallery. Requests with the header `x-nobody` come from somebody unknown."""
    app = FastAPI()
    settings: dict[str, Any] = {
        "cookie_key": KEY,
        "nav": NAV,
        "origin": "log.test/alcaide",
        "version": "0.1.0",
        "search_path": "/-/design",
    }
    install(app, Look(**{**settings, **look}), csrf_exempt=csrf_exempt)
    app.state.instance = SmallInstance()

    def identify(request: Request) -> Actor:
        return ANONYMOUS if "x-nobody" in request.headers else INES

    app.state.identify = identify
    app.include_router(gallery.router)
    return app
