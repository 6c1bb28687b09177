"""From a template and what a page knows to a response, and from a finished action back to a page.

`render` is synchronous and is called in the thread that handles the request. The request is kept in a context
variable for exactly as long as its template runs: that is how `csrf_field()` and `query_with()` work inside imported
macros, which see no page context.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from alcaide.ui import csrf
from alcaide.ui.deps import current_actor

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.ui.web import Look

FLASH_HEADER = "x-alcaide-flash"
"""Internal: `redirect` writes it, the middleware turns it into a signed cookie and takes it off the response."""
THEMES = frozenset({"light", "dark"})
FLASH_KINDS = frozenset({"success", "info", "warn", "danger"})
LONGEST_FLASH = 600
"""Characters. A cookie holds 4 kB and a message is one or two sentences."""


class NavEntry(Protocol):
    """What a menu entry says of itself; the kernel's `NavItem` is one."""

    @property
    def label(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def action(self) -> str: ...


@dataclass(frozen=True)
class NavLink:
    """A menu entry as this actor sees it on this page. `key` is the letter that follows `g`."""

    label: str
    href: str
    icon: str
    key: str
    current: bool


@dataclass(frozen=True)
class Message:
    kind: str
    text: str


_request: ContextVar[Request] = ContextVar("alcaide_ui_request")


def render(
    request: Request,
    template: str,
    context: Any = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page `template` with `context`, a dataclass or a mapping, as a response.

    What every page shows (menu, actor, messages, theme) is added under fixed names, and the page's own names win.
    Messages left by `redirect` are shown once: this response removes them from the browser.
    """
    look: Look = request.app.state.look
    messages = csrf.read_flash(request)
    actor = current_actor(request)
    values: dict[str, Any] = {
        "actor": actor,
        "nav": menu(look.nav, request.url.path, lambda action: _may(request, actor, action)),
        "path": request.url.path,
        "theme": theme_of(request),
        "version": look.version,
        "origin": look.origin,
        "search_path": look.search_path,
        "account_path": look.account_path,
        "sign_in_path": look.sign_in_path,
        "sign_out_path": look.sign_out_path,
        "flash_messages": [Message(kind, text) for kind, text in messages],
    }
    values.update(as_mapping(context))
    token = _request.set(request)
    try:
        body = look.environment.get_template(template).render(values)
    finally:
        _request.reset(token)
    response = HTMLResponse(body, status_code=status, headers=dict(headers or {}))
    response.headers.setdefault("Cache-Control", "no-store")
    if messages:
        response.delete_cookie(csrf.FLASH_COOKIE, path="/", httponly=True, samesite="lax")
    csrf.keep_cookie(request, response)
    return response


def redirect(url: str, flash: str = "", *, flash_kind: str = "success", status: int = 303) -> RedirectResponse:
    """Go to `url` with GET, and say `flash` there once.

    `url` must lie on this site; anything else is refused, so that no page can be made to send people elsewhere.
    The one exception, a sign-in provider's address, is built by the access slice without this function.
    """
    if not is_local(url):
        raise ValueError("redirect leads only to this site's own pages")
    response = RedirectResponse(url, status_code=status)
    if flash:
        if flash_kind not in FLASH_KINDS:
            raise ValueError(f"unknown kind of message {flash_kind!r}")
        text = flash if len(flash) <= LONGEST_FLASH else flash[: LONGEST_FLASH - 1] + "…"
        response.headers[FLASH_HEADER] = quote(json.dumps([[flash_kind, text]]))
    return response


def is_local(url: str) -> bool:
    """Whether an address is a path on this site, as every browser reads it.

    Browsers read `//host` and `/\\host` as another host, and drop tabs and line breaks before they look.
    """
    if not url.startswith("/") or url[1:2] in {"/", "\\"}:
        return False
    return not any(ord(character) < 0x20 or character == "\x7f" for character in url)


def theme_of(request: Request) -> str:
    """The theme this browser chose, or nothing when it follows the system."""
    chosen = request.cookies.get("alcaide_theme", "")
    return chosen if chosen in THEMES else ""


def as_mapping(context: Any) -> Mapping[str, Any]:
    if context is None:
        return {}
    if isinstance(context, Mapping):
        return context
    if dataclasses.is_dataclass(context) and not isinstance(context, type):
        return {field.name: getattr(context, field.name) for field in dataclasses.fields(context)}
    raise TypeError(f"a page context is a dataclass or a mapping, not {type(context).__name__}")


def menu(entries: Iterable[NavEntry], path: str, may: Callable[[str], bool]) -> list[NavLink]:
    """The menu of one actor: entries it may open, the one that fits the path best marked, each with a free letter.

    Letters are given before entries are hidden, so that a key means the same to everybody.
    """
    entries = list(entries)
    keys = letters([entry.label for entry in entries])
    fitting = [entry.href for entry in entries if _covers(entry.href, path)]
    current = max(fitting, key=len, default=None)
    return [
        NavLink(entry.label, entry.href, entry.icon, key, entry.href == current)
        for entry, key in zip(entries, keys, strict=True)
        if not entry.action or may(entry.action)
    ]


def letters(labels: Iterable[str]) -> list[str]:
    """For each label the first of its letters that no earlier label has; nothing when all are taken."""
    taken: set[str] = set()
    keys: list[str] = []
    for label in labels:
        key = next((c for c in label.lower() if "a" <= c <= "z" and c not in taken), "")
        taken.add(key)
        keys.append(key)
    return keys


def _covers(href: str, path: str) -> bool:
    base = href.rstrip("/")
    return path == href or (bool(base) and (path == base or path.startswith(base + "/")))


def _may(request: Request, actor: Actor, action: str) -> bool:
    return bool(request.app.state.instance.authorizer.decide(actor, action, None).allowed)


def csrf_token() -> str:
    return csrf.token_for(_request.get())


def csrf_field() -> Markup:
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
