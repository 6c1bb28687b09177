"""What somebody sees when something cannot be done: a page, a message in the page, or JSON under `/api/`.

All three say the same: what is wrong in the words of the error, and what to do next. A denial also names its rule
and owner. Somebody not signed in is sent to sign in and then back.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import compile_path

from alcaide.kernel.errors import (
    AlcaideError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    SignInNeeded,
    TooMany,
    Unavailable,
)
from alcaide.ui.deps import current_actor
from alcaide.ui.look import look_of
from alcaide.ui.rendering import render

if TYPE_CHECKING:
    import re

_log = logging.getLogger("alcaide.web")


class InternalFault(AlcaideError):
    """A fault of ours. The message holds a reference into the log and nothing else."""


class WrongMethod(AlcaideError):
    """The address exists, and does not take this method."""

    status = 405
    code = "wrong-method"


TITLES: Mapping[int, str] = {
    400: "That cannot be used",
    401: "Sign in needed",
    403: "Not allowed",
    404: "Not here",
    405: "Not possible on this address",
    409: "It changed in the meantime",
    413: "Too large",
    422: "Some fields need another look",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Not available right now",
}


@dataclass(frozen=True)
class ErrorPage:
    """What `ui/error.html` shows. `rule`, `owner` and `next_step` are filled for a denial."""

    layout: str
    status: int
    heading: str
    message: str
    fields: Mapping[str, str]
    rule: str
    owner: str
    next_step: str
    back: str


def install(app: Starlette) -> None:
    """Answer every error of ours, of the framework and of validation. Unforeseen ones are the rim's (`web.Rim`)."""
    app.add_exception_handler(AlcaideError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)


def _answer(request: Request, error: Exception) -> Response:
    return error_response(request, as_alcaide_error(error))


def as_alcaide_error(error: Exception) -> AlcaideError:
    """The framework's errors in our words."""
    if isinstance(error, AlcaideError):
        return error
    if isinstance(error, RequestValidationError):
        return InvalidInput("some values cannot be used; correct them and try again", _invalid_fields(error))
    if isinstance(error, HTTPException):
        match error.status_code:
            case 401:
                return SignInNeeded("sign in to go on")
            case 403:
                return NotAllowed("this is not allowed")
            case 404:
                return NotFound("there is nothing at this address; check it, or start from the first page")
            case 405:
                return WrongMethod(
                    "this address does not take that method; look at `/api/v1/openapi.json` for those it takes"
                )
            case 409:
                return Conflict("it changed in the meantime; load it again")
            case status if 400 <= status < 500:
                detail = str(error.detail or "that request cannot be used")
                return InvalidInput(detail[:1].lower() + detail[1:])
            case _:
                return Unavailable("this part does not answer right now; try again in a minute")
    return InternalFault("something went wrong on our side; try again")


def _invalid_fields(error: RequestValidationError) -> dict[str, str]:
    """Field → message. The place a value came from (`body`, `query`) is left out where a name says enough."""
    fields: dict[str, str] = {}
    for problem in error.errors()[:50]:
        place = [str(part) for part in problem["loc"]]
        name = ".".join(place[1:]) or place[0]
        message = str(problem["msg"])
        fields.setdefault(name[:200], (message[:1].lower() + message[1:])[:300])
    return fields


def status_of(error: AlcaideError) -> int:
    """Fields at fault make it a 422: the document was understood, and these values were not."""
    if isinstance(error, InvalidInput) and error.fields and type(error).status == 400:
        return 422
    return error.status


def error_response(request: Request, error: AlcaideError) -> Response:
    """The answer in the form the asker reads."""
    status = status_of(error)
    if status >= 500 and not isinstance(error, InternalFault):
        _log.warning("%s", error, extra={"code": error.code, "path": request.url.path})
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "10"
    if status == 405:
        headers["Allow"] = _allowed(request)
    if wants_json(request):
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="alcaide"'
        return JSONResponse(error_json(error), status_code=status, headers=headers)
    if status == 401:
        return _to_sign_in(request)
    try:
        return _page(request, error, status, headers)
    except Exception:  # noqa: BLE001 - logged below; an error page must never fail
        # The page itself needs the session and the policies; where those are what failed, plain words are left.
        _log.exception("error page failed", extra={"path": request.url.path})
        return HTMLResponse(_bare_page(status, str(error)), status_code=status, headers=headers)


def _allowed(request: Request) -> str:
    """The methods that this address takes, as RFC 9110 §15.5.6 asks for; the router would name those of one route.

    Of paths that fit, the one with the fewest parameters is meant: `/anchors/run`, not `/anchors/{anchor_id}`.
    """
    here, methods = request.scope["path"], dict[str, set[str]]()
    for route in iter_route_contexts(request.app.routes):
        if route.path and route.methods and _pattern(route.path).match(here):
            methods.setdefault(route.path, set()).update(route.methods)
    meant = min(methods, key=lambda path: path.count("{"), default="")
    return ", ".join(sorted(methods.get(meant, ())))


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


def error_json(error: AlcaideError) -> dict[str, Any]:
    """The body under `/api/`: `{"error": {"code", "message", "fields"?, "rule"?, "owner"?, "next_step"?}}`."""
    body: dict[str, Any] = {"code": error.code, "message": str(error)}
    if isinstance(error, InvalidInput) and error.fields:
        body["fields"] = error.fields
    if isinstance(error, NotAllowed):
        said = {"rule": error.rule, "owner": error.owner, "next_step": error.next_step}
        body.update({key: value for key, value in said.items() if value})
    return {"error": body}


def wants_json(request: Request) -> bool:
    """Whether a program asks: the API always, and elsewhere whoever accepts JSON and not HTML."""
    if request.url.path.startswith("/api/"):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _page(request: Request, error: AlcaideError, status: int, headers: dict[str, str]) -> Response:
    known = current_actor(request).kind != "anonymous"
    denied = error if isinstance(error, NotAllowed) else None
    page = ErrorPage(
        layout="ui/base.html" if known else "ui/plain.html",
        status=status,
        heading=TITLES.get(status, "That did not work"),
        message=str(error),
        fields=error.fields if isinstance(error, InvalidInput) else {},
        rule=denied.rule if denied else "",
        owner=denied.owner if denied else "",
        next_step=denied.next_step if denied else "",
        back=_came_from(request),
    )
    if request.headers.get("hx-request") == "true":
        headers |= {"HX-Retarget": "#messages", "HX-Reswap": "innerHTML"}
        return render(request, "ui/error_message.html", page, status, headers)
    return render(request, "ui/error.html", page, status, headers)


def _to_sign_in(request: Request) -> Response:
    """Send to the sign-in page, and back afterwards if the address can be opened with GET."""
    look = look_of(request)
    target = look.sign_in_path
    if request.method == "GET" and request.url.path != "/":
        query = f"?{request.url.query}" if request.url.query else ""
        target += "?next=" + quote((request.url.path + query)[:2000], safe="/")
    if request.headers.get("hx-request") == "true":
        return Response(
            status_code=401, headers={"HX-Redirect": look.sign_in_path, "Cache-Control": "no-store"}
        )
    return RedirectResponse(target, status_code=303, headers={"Cache-Control": "no-store"})


def _came_from(request: Request) -> str:
    """The page of ours that led here, for the link back; the first page if it was another site's."""
    parts = urlsplit(request.headers.get("referer", ""))
    if (
        parts.netloc != request.headers.get("host", "")
        or not parts.path.startswith("/")
        or parts.path.startswith("//")
    ):
        return "/"
    if parts.path == request.url.path and request.method == "GET":
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _bare_page(status: int, message: str) -> str:
    heading = html.escape(TITLES.get(status, "That did not work"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading} · Alcaide</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="/static/ui/alcaide.css"></head>'
        f'<body class="plain"><main class="plain-content"><h1>{heading}</h1><p>{html.escape(message)}</p>'
        '<p><a href="/">Start from the first page</a></p></main></body></html>'
    )
