"""The request whose page is being rendered, and what templates may ask of it.

Imported macros see no page context, and passing the request into each would be noise. So it is kept in a context
variable for exactly as long as a template runs, in the thread that runs it; outside of that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request

from alcaide.ui import csrf

_request: ContextVar[Request] = ContextVar("alcaide_ui_request")


@contextmanager
def serving(request: Request) -> Iterator[None]:
    """Make `request` the current one while its template runs."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def csrf_token() -> str:
    """The token that this page's forms and scripts send back."""
    return csrf.token_for(_request.get())


def csrf_field() -> Markup:
    """The hidden field that stands first in every form that posts."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, csrf_token())


def query_with(**changes: Any) -> str:
    """This page's address with some query parameters replaced; `none` removes one. Order is kept."""
    request = _request.get()
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    for key, value in changes.items():
        if value is None or value == "":
            continue
        many = value if isinstance(value, list | tuple) else [value]
        kept.extend((key, str(item)) for item in many)
    return request.url.path + ("?" + urlencode(kept) if kept else "")
