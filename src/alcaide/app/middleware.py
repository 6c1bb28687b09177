"""What every response carries and every request passes, before any slice sees it.

Plain ASGI, outermost first:

1. `Observed`: request id, timing, the access log and the metrics.
2. The design system's own: security headers and the last catch (`alcaide.ui.web.Rim`), and the checks against
   cross-site requests (`alcaide.ui.csrf.Guard`).
3. `KnownHosts`: answers only to names this instance goes by, so that a foreign page cannot reach it by DNS rebinding.
4. `BoundedBody`: a request body has a limit, counted as it arrives; a `Content-Length` is not believed, only obeyed.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alcaide.kernel.errors import TooLarge
from alcaide.kernel.ids import new_id

if TYPE_CHECKING:
    from alcaide.app.metrics import Metrics

access_log = logging.getLogger("alcaide.access")

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Observed:
    """Times and names each request, writes its line in the access log, and counts it.

    An id that a proxy in front already gave (`X-Request-Id`) is kept, if it looks like one. The query string is
    not logged: searches and one-time links are nobody's business but the asker's.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.match(given) else new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def observing_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers["X-Request-Id"] = request_id
                headers["Server-Timing"] = f"app;dur={(time.perf_counter() - began) * 1000:.1f}"
                message["headers"] = headers.raw
            await send(message)

        try:
            await self.app(scope, receive, observing_send)
        finally:
            took = time.perf_counter() - began
            self.metrics.observe(scope["method"], route_of(scope), status, took)
            access_log.info("request", extra={"fields": _line(scope, status, took, request_id)})


def route_of(scope: Scope) -> str:
    """The template of the route that answered, as `/inventory/{name}`; one word for all that no route answered."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    if included is not None:
        return str(included.path)
    # A plain route leaves no template behind; the design system's is the only one.
    return "/static" if scope["path"].startswith("/static/") else "(none)"


def _line(scope: Scope, status: int, took: float, request_id: str) -> dict[str, object]:
    actor = scope["state"].get("actor")
    client = scope.get("client")
    return {
        "request_id": request_id,
        "method": scope["method"],
        "path": scope["path"][:500],
        "status": status,
        "ms": round(took * 1000, 1),
        "client": client[0] if client else "",
        "actor": f"{actor.kind}:{actor.id}" if actor is not None else "",
    }


class KnownHosts:
    """Refuses requests addressed to a name that is not this instance's."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and host_name(scope) not in self.hosts:
            message = (
                f"`{host_name(scope)[:100]}` is not a name of this instance; "
                "open it under its public address, or add the name to `allowed_hosts` in config.yaml"
            )
            body = {"error": {"code": "unknown-host", "message": message}}
            # 421: this server will not answer for that authority (RFC 9110, 15.5.20).
            await JSONResponse(body, status_code=421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def host_name(scope: Scope) -> str:
    """The name in the Host header, without its port, in lower case; empty when there is none."""
    host = Headers(scope=scope).get("host", "").strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


class BoundedBody:
    """Stops reading a request body at its limit.

    A declared length over the limit is refused before a byte is read. A body that grows past it raises inside the
    application, where the error handlers give the answer, so nothing that was read so far is used.
    """

    def __init__(self, app: ASGIApp, *, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.larger = dict(larger or {})
        """Paths whose bodies are streamed to disk, each with its own limit."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"], self.limit)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > limit:
            body = {"error": {"code": TooLarge.code, "message": _too_large(limit)}}
            await JSONResponse(body, status_code=413, headers={"Connection": "close"})(scope, receive, send)
            return
        seen = 0

        async def counting_receive() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise TooLarge(_too_large(limit))
            return message

        await self.app(scope, counting_receive, send)


def _too_large(limit: int) -> str:
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
    return f"the request is larger than {size}; send less at a time, or raise `max_upload_mib` in config.yaml"
