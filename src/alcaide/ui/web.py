"""How the application puts the design system on: one `Look` per application, and `install`.

The rim is here too: the one place that catches everything, logs what it caught under a reference, and answers with a
page that names that reference and nothing of the inside. And the headers that every response carries.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alcaide.kernel.ids import new_id
from alcaide.ui import errors
from alcaide.ui.assets import UI_STATIC, Assets
from alcaide.ui.csrf import Guard

if TYPE_CHECKING:
    from jinja2 import Environment

    from alcaide.ui.rendering import NavEntry

_log = logging.getLogger("alcaide.web")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = "max-age=31536000"


@dataclass
class Look:
    """Everything the pages of one application share. Set once, before the first request.

    `cookie_key` signs CSRF tokens and one-time messages: the same in every process of an installation, at least 32
    bytes, and derived for this purpose alone. `packages` are the slices whose `templates/` and `static/` are served.
    `public_origin` is the origin people type (`https://alcaide.example.org`), for use behind a proxy.
    """

    cookie_key: bytes
    nav: tuple[NavEntry, ...] = ()
    packages: tuple[str, ...] = ()
    origin: str = ""
    public_origin: str = ""
    version: str = ""
    session_cookie: str = "alcaide_session"
    search_path: str = ""
    account_path: str = "/account"
    sign_in_path: str = "/sign-in"
    sign_out_path: str = "/sign-out"
    bytecode: Path | None = None
    watch: bool = False
    more_templates: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.cookie_key) < 32:
            raise ValueError("a cookie key has at least 32 bytes")

    @cached_property
    def assets(self) -> Assets:
        return Assets({"ui": UI_STATIC, **_folders(self.packages, "static")})

    @cached_property
    def environment(self) -> Environment:
        """Built by the first page: a command or a worker that renders nothing never loads Jinja."""
        from alcaide.ui.environment import build_environment

        templates = {**_folders(self.packages, "templates"), **self.more_templates}
        return build_environment(templates, self.assets, bytecode=self.bytecode, watch=self.watch)


def install(app: Starlette, look: Look, *, csrf_exempt: Collection[str] = ()) -> None:
    """Give `app` the static files, the error pages, the CSRF guard and the security headers.

    The application also sets `app.state.instance` and `app.state.identify` (request → Actor) before it serves.
    """
    from alcaide.ui.deps import public

    app.state.look = look
    app.add_route("/static/{path:path}", _static, methods=["GET", "HEAD"], include_in_schema=False)
    # A plain route has no dependencies to carry the mark, so the endpoint carries it.
    _static.alcaide_public = public("style sheets, fonts and scripts tell nobody anything").alcaide_public  # type: ignore[attr-defined]
    errors.install(app)
    app.add_middleware(Guard, exempt=tuple(csrf_exempt))
    app.add_middleware(Rim)


def _static(request: Request) -> Response:
    look: Look = request.app.state.look
    return look.assets.respond(request)


class Rim:
    """ASGI middleware, the outermost: security headers on every response, and no traceback to anybody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        look: Look = scope["app"].state.look
        secure = scope["scheme"] == "https" or look.public_origin.startswith("https://")
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if secure:
                    headers.setdefault("Strict-Transport-Security", ONE_YEAR)
                message["headers"] = headers.raw
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            reference = new_id()
            _log.exception("request failed", extra={"reference": reference, "path": scope["path"]})
            if started:
                raise
            problem = errors.InternalFault(
                f"something went wrong on our side (reference `{reference}`); "
                "try again, and if it stays, give the reference to whoever runs this installation"
            )
            response = await run_in_threadpool(errors.error_response, Request(scope, receive), problem)
            await response(scope, receive, send_with_headers)


def _folders(packages: Collection[str], kind: str) -> dict[str, Path]:
    """Name → folder, for those packages that have one. Finds without importing the package."""
    found: dict[str, Path] = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(place) / kind
            if folder.is_dir():
                found[package.rpartition(".")[2]] = folder
    return found


