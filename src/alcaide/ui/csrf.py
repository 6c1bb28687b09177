"""Requests that change something must come from our own pages.

Three checks, each enough against a plain cross-site form, together against weaker browsers and sibling hosts too:

1. The browser's own word: `Sec-Fetch-Site` must be `same-origin` (or `none`), and `Origin`, if sent, must be ours.
2. A token that only our pages know: HMAC over a random cookie and the session, in the header `X-CSRF-Token` or in
   the form field. Binding it to the session keeps a token of one sign-in from working in another.
3. The session cookie itself is `SameSite=Lax`; that is the access slice's part.

Let through without a token: requests that carry a bearer token, which no browser adds by itself; requests to `/api/`
without a session cookie, which have no one's rights to abuse; and the paths the application names as exempt.

The form field is looked for in the first 64 KiB of the body, which is then handed on unchanged. Finding the token
anywhere in there is proof enough, as a stranger cannot know it, so no parser has to run before the check.

The same signing key protects the one-time messages that `redirect` leaves for the next page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alcaide.kernel.errors import NotAllowed

if TYPE_CHECKING:
    from alcaide.ui.web import Look

COOKIE = "alcaide_csrf"
FLASH_COOKIE = "alcaide_flash"
FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LOOKED_AT = 64 * 1024
"""Bytes of a body searched for the field. It stands first in every form; a long text after it changes nothing."""

_RANDOM = re.compile(r"[A-Za-z0-9_-]{32}\Z")
_TOKEN = re.compile(rb"\b" + FIELD.encode() + rb"\b.{1,64}?([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])", re.DOTALL)
_MESSAGE_LIMIT = 3_500


def token_for(request: Request) -> str:
    """The token for this browser and session; makes the browser's random value on first use."""
    look: Look = request.app.state.look
    seed = request.cookies.get(COOKIE, "")
    if not _RANDOM.match(seed):
        seed = getattr(request.state, "csrf_seed", "") or secrets.token_urlsafe(24)
        request.state.csrf_seed = seed
    return _sign(look.cookie_key, seed, request.cookies.get(look.session_cookie, ""))


def keep_cookie(request: Request, response: Response) -> None:
    """Give the browser its random value, if `token_for` had to make one."""
    seed = getattr(request.state, "csrf_seed", "")
    if seed:
        response.set_cookie(
            COOKIE, seed, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )


def _sign(key: bytes, seed: str, session: str) -> str:
    body = b"alcaide csrf\0" + seed.encode() + b"\0" + session.encode()
    return base64.urlsafe_b64encode(hmac.digest(key, body, "sha256")).decode().rstrip("=")


def pack_flash(key: bytes, text: str) -> str:
    """A message list (JSON text) as a signed cookie value."""
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{hmac.new(key, b'alcaide flash' + body.encode(), hashlib.sha256).hexdigest()}"


def read_flash(request: Request) -> list[tuple[str, str]]:
    """The messages left for this page. A cookie that we did not sign says nothing."""
    look: Look = request.app.state.look
    value = request.cookies.get(FLASH_COOKIE, "")
    body, dot, mac = value.partition(".")
    if not dot or len(value) > _MESSAGE_LIMIT:
        return []
    right = hmac.new(look.cookie_key, b"alcaide flash" + body.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(mac.encode(), right.encode()):
        return []
    messages = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return [(str(kind), str(text)) for kind, text in messages]


class Guard:
    """ASGI middleware: the checks above for unsafe methods, and the cookie for what `redirect` has to say."""

    def __init__(self, app: ASGIApp, *, exempt: Collection[str] = ()) -> None:
        self.app = app
        self.exempt = tuple(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        look: Look = scope["app"].state.look

        async def send_with_flash(message: Message) -> None:
            if message["type"] == "http.response.start":
                _flash_to_cookie(message, look.cookie_key, secure=scope["scheme"] == "https")
            await send(message)

        if scope["method"] not in SAFE_METHODS and not self._exempt(scope):
            problem, receive = await _check(scope, receive, look)
            if problem is not None:
                from alcaide.ui.errors import error_response

                response = await run_in_threadpool(error_response, Request(scope, receive), problem)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send_with_flash)

    def _exempt(self, scope: Scope) -> bool:
        """Exempt paths are whole: `/witness` covers itself and what is below, never `/witnesses`."""
        path = scope["path"]
        return any(path == one or path.startswith(one.rstrip("/") + "/") for one in self.exempt)


async def _check(scope: Scope, receive: Receive, look: Look) -> tuple[NotAllowed | None, Receive]:
    """1. bearer tokens pass  2. the browser's word  3. the API without a session passes  4. the token."""
    headers = Headers(scope=scope)
    if headers.get("authorization", "")[:7].lower() == "bearer ":
        return None, receive
    if not from_our_pages(scope, headers, look.public_origin):
        return _refused("the request came from another site"), receive
    cookies = Request(scope).cookies
    session = cookies.get(look.session_cookie, "")
    if not session and scope["path"].startswith("/api/"):
        return None, receive
    seed = cookies.get(COOKIE, "")
    if not _RANDOM.match(seed):
        return _refused("this browser keeps no cookie of ours"), receive
    right = _sign(look.cookie_key, seed, session).encode()
    given = headers.get(HEADER, "").encode()
    if given:
        return (None if hmac.compare_digest(given, right) else _refused("the page is out of date")), receive
    seen, receive = await _look_ahead(receive)
    if any(hmac.compare_digest(found, right) for found in _TOKEN.findall(seen)):
        return None, receive
    return _refused("the page is out of date"), receive


def from_our_pages(scope: Scope, headers: Headers, public_origin: str) -> bool:
    """What the browser says about where the request was started. Silence passes: the token decides then."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    if not parts.netloc:
        return False
    return origin == public_origin or origin == f"{scope['scheme']}://{headers.get('host', '')}"


def _refused(why: str) -> NotAllowed:
    return NotAllowed(
        f"{why}, so nothing was changed",
        rule="requests that change something come from this site's own pages",
        owner="this installation",
        next_step="open the page again and repeat what you did",
    )


async def _look_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """Read the beginning of the body, and a `receive` that gives it out again before going on."""
    taken: list[Message] = []
    seen = b""
    while True:
        message = await receive()
        taken.append(message)
        if message["type"] != "http.request":
            break
        seen += message.get("body", b"")
        if not message.get("more_body", False) or len(seen) >= LOOKED_AT:
            break

    async def replay() -> Message:
        return taken.pop(0) if taken else await receive()

    return seen[:LOOKED_AT], replay


def _flash_to_cookie(message: Message, key: bytes, *, secure: bool) -> None:
    headers = MutableHeaders(raw=message["headers"])
    text = headers.get("x-alcaide-flash")
    if text is None:
        return
    del headers["x-alcaide-flash"]
    value = pack_flash(key, unquote(text))
    if len(value) > _MESSAGE_LIMIT:
        return
    cookie: SimpleCookie = SimpleCookie({FLASH_COOKIE: value})
    cookie[FLASH_COOKIE].update({"path": "/", "httponly": True, "samesite": "lax", "max-age": "60"})
    if secure:
        cookie[FLASH_COOKIE]["secure"] = True
    headers.append("set-cookie", cookie.output(header="").strip())
    message["headers"] = headers.raw
