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
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from http.cookies import SimpleCookie
from urllib.parse import unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alcaide.kernel.errors import NotAllowed
from alcaide.ui import csrf
from alcaide.ui.errors import error_response
from alcaide.ui.look import Look

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LOOKED_AT = 64 * 1024
"""Bytes of a body searched for the field. It stands first in every form; a long text after it changes nothing."""

_TOKEN = re.compile(
    rb"\b" + csrf.FIELD.encode() + rb"\b.{1,64}?([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])", re.DOTALL
)


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
    seed = cookies.get(csrf.COOKIE, "")
    if not csrf.SEED.match(seed):
        return _refused("this browser keeps no cookie of ours"), receive
    right = csrf.sign(look.cookie_key, seed, session).encode()
    given = headers.get(csrf.HEADER, "").encode()
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
    text = headers.get(csrf.FLASH_HEADER)
    if text is None:
        return
    del headers[csrf.FLASH_HEADER]
    value = csrf.pack_flash(key, unquote(text))
    if len(value) > csrf.LONGEST_COOKIE:
        return
    cookie: SimpleCookie = SimpleCookie({csrf.FLASH_COOKIE: value})
    morsel = cookie[csrf.FLASH_COOKIE]
    morsel["path"], morsel["samesite"], morsel["max-age"] = "/", "lax", 60
    morsel["httponly"], morsel["secure"] = True, secure
    headers.append("set-cookie", cookie.output(header="").strip())
    message["headers"] = headers.raw
