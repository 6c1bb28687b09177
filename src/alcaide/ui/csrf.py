"""Tokens that only our own pages know, and signed one-time messages.

A token is an HMAC over a random cookie and the session, so that one made for one sign-in is worth nothing in another.
`alcaide.ui.guard` asks for it. The same key, under another label, signs what `redirect` leaves for the next page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from alcaide.ui.look import look_of

COOKIE = "alcaide_csrf"
FLASH_COOKIE = "alcaide_flash"
FIELD = "csrf_token"
HEADER = "x-csrf-token"
FLASH_HEADER = "x-alcaide-flash"
"""Internal: `redirect` writes it, the guard turns it into a signed cookie and takes it off the response."""

SEED = re.compile(r"[A-Za-z0-9_-]{32}\Z")
LONGEST_COOKIE = 3_500


def token_for(request: Request) -> str:
    """The token for this browser and session; makes the browser's random value on first use."""
    look = look_of(request)
    seed = request.cookies.get(COOKIE, "")
    if not SEED.match(seed):
        seed = getattr(request.state, "csrf_seed", "") or secrets.token_urlsafe(24)
        request.state.csrf_seed = seed
    return sign(look.cookie_key, seed, request.cookies.get(look.session_cookie, ""))


def keep_cookie(request: Request, response: Response) -> None:
    """Give the browser its random value, if `token_for` had to make one."""
    seed = getattr(request.state, "csrf_seed", "")
    if seed:
        response.set_cookie(
            COOKIE, seed, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )


def sign(key: bytes, seed: str, session: str) -> str:
    """The token of one browser (`seed`) in one session: 43 characters."""
    body = b"alcaide csrf\0" + seed.encode() + b"\0" + session.encode()
    return base64.urlsafe_b64encode(hmac.digest(key, body, "sha256")).decode().rstrip("=")


def pack_flash(key: bytes, text: str) -> str:
    """A message list (JSON text) as a signed cookie value."""
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{hmac.new(key, b'alcaide flash' + body.encode(), hashlib.sha256).hexdigest()}"


def read_flash(request: Request) -> list[tuple[str, str]]:
    """The messages left for this page. A cookie that we did not sign says nothing."""
    value = request.cookies.get(FLASH_COOKIE, "")
    body, dot, mac = value.partition(".")
    if not dot or len(value) > LONGEST_COOKIE:
        return []
    right = hmac.new(
        look_of(request).cookie_key, b"alcaide flash" + body.encode(), hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(mac.encode(), right.encode()):
        return []
    messages = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return [(str(kind), str(text)) for kind, text in messages]
