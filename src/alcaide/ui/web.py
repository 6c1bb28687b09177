"""How the application puts the design system on: one `Look` per application, and `install`.

The rim is here too: the one place that catches everything, logs what it caught under a reference, and answers with a
page that names that reference and nothing of the inside. And the headers that every response carries.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alcaide.kernel.ids import new_id
from alcaide.ui import errors
from alcaide.ui.deps import public
from alcaide.ui.guard import Guard
from alcaide.ui.look import Look, look_of

_log = logging.getLogger("alcaide.web")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'"
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


def install(app: Starlette, look: Look, *, csrf_exempt: Collection[str] = ()) -> None:
    """Give `app` the static files, the error pages, the CSRF guard and the security headers.

    The application also sets `app.state.instance` and `app.state.identify` (request → Actor) before it serves.
    """
    app.state.look = look
    app.add_route("/static/{path:path}", _static, methods=["GET", "HEAD"], include_in_schema=False)
    # A plain route has no dependencies to carry the mark, so the endpoint carries it.
    _static.alcaide_public = public("style sheets, fonts and scripts tell nobody anything").alcaide_public  # type: ignore[attr-defined]
    errors.install(app)
    app.add_middleware(Guard, exempt=tuple(csrf_exempt))
    app.add_middleware(Rim)


def _static(request: Request) -> Response:
    return look_of(request).assets.respond(request)


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
