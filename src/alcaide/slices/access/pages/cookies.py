"""The cookies of signing in, and where a request came from."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from alcaide.slices.access import service
from alcaide.slices.access.model import PENDING_LIFE, SESSION_LIFE, SignedIn, Visitor
from alcaide.ui.deps import get_instance

STEP = "alcaide_step"
"""Names a half-finished sign-in, between the password and the second factor."""
SSO = "alcaide_sso"
"""Binds a provider's answer to the browser that asked for it."""


def visitor(request: Request) -> Visitor:
    """Where this request came from, as the server in front tells it."""
    address = request.client.host if request.client else ""
    return Visitor(address=address, agent=request.headers.get("user-agent", "")[:200])


def present_session(request: Request) -> str | None:
    """The session cookie that this browser holds now, good or not."""
    return request.cookies.get(service.session_cookie(get_instance(request).config.url))


def keep_session(request: Request, response: Response, signed_in: SignedIn) -> None:
    """Give the browser its session, and take back what led to it."""
    name = service.session_cookie(get_instance(request).config.url)
    # Lax and not Strict: a link in a mail to a system's page should open it, not the sign-in page.
    response.set_cookie(
        name,
        signed_in.cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=_secure(request),
    )
    forget(request, response, STEP)
    forget(request, response, SSO)


def drop_session(request: Request, response: Response) -> None:
    """Take the session cookie back."""
    name = service.session_cookie(get_instance(request).config.url)
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=_secure(request))


def keep(request: Request, response: Response, name: str, value: str) -> None:
    """Give the browser a short-lived cookie that only the sign-in pages read."""
    response.set_cookie(
        name,
        value,
        max_age=int(PENDING_LIFE.total_seconds()),
        path="/sign-in",
        httponly=True,
        samesite="lax",
        secure=_secure(request),
    )


def forget(request: Request, response: Response, name: str) -> None:
    """Take a short-lived cookie back, if the browser sent it."""
    if name in request.cookies:
        response.delete_cookie(name, path="/sign-in", httponly=True, samesite="lax", secure=_secure(request))


def _secure(request: Request) -> bool:
    return get_instance(request).config.url.startswith("https://")
