"""From a template and what a page knows to a response, and from a finished action back to a page.

`render` is synchronous and is called in the thread that handles the request. Jinja is loaded by the first page: a
command or a worker that renders nothing never pays for it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from alcaide.ui import csrf
from alcaide.ui.current import serving
from alcaide.ui.deps import current_actor
from alcaide.ui.look import NavEntry, look_of

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor

THEMES = frozenset({"light", "dark"})
FLASH_KINDS = frozenset({"success", "info", "warn", "danger"})
LONGEST_FLASH = 600
"""Characters. A cookie holds 4 kB and a message is one or two sentences."""


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
    """A one-time message, as the page before left it."""

    kind: str
    text: str


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
    from alcaide.ui.environment import environment_of

    look = look_of(request)
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
    with serving(request):
        body = environment_of(look).get_template(template).render(values)
    response = HTMLResponse(body, status_code=status, headers=dict(headers or {}))
    response.headers.setdefault("Cache-Control", "no-store")
    if messages:
        response.delete_cookie(csrf.FLASH_COOKIE, path="/", httponly=True, samesite="lax")
    csrf.keep_cookie(request, response)
    return response


def redirect(
    url: str, flash: str = "", *, flash_kind: str = "success", status: int = 303
) -> RedirectResponse:
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
        response.headers[csrf.FLASH_HEADER] = quote(json.dumps([[flash_kind, text]]))
    return response


def is_local(url: str) -> bool:
    r"""Whether an address is a path on this site, as every browser reads it.

    Browsers read `//host` and `/\host` as another host, and drop tabs and line breaks before they look.
    """
    if not url.startswith("/") or url[1:2] in {"/", "\\"}:
        return False
    return not any(ord(character) < 0x20 or character == "\x7f" for character in url)


def theme_of(request: Request) -> str:
    """The theme this browser chose, or nothing when it follows the system."""
    chosen = request.cookies.get("alcaide_theme", "")
    return chosen if chosen in THEMES else ""


def as_mapping(context: Any) -> Mapping[str, Any]:
    """A page context by name. A dataclass is not copied deep: templates read its fields as they are."""
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
    keys = letters(entries)
    fitting = [entry.href for entry in entries if _covers(entry.href, path)]
    current = max(fitting, key=len, default=None)
    return [
        NavLink(entry.label, entry.href, entry.icon, key, entry.href == current)
        for entry, key in zip(entries, keys, strict=True)
        if not entry.action or may(entry.action)
    ]


def letters(entries: Iterable[NavEntry]) -> list[str]:
    """For each entry the letter it asks for, else the first of its label that nobody asked for or has; else nothing."""
    entries = list(entries)
    taken = {entry.key for entry in entries if entry.key}
    keys: list[str] = []
    for entry in entries:
        key = entry.key or next((c for c in entry.label.lower() if "a" <= c <= "z" and c not in taken), "")
        taken.add(key)
        keys.append(key)
    return keys


def _covers(href: str, path: str) -> bool:
    base = href.rstrip("/")
    return path == href or (bool(base) and (path == base or path.startswith(base + "/")))


def _may(request: Request, actor: Actor, action: str) -> bool:
    return bool(request.app.state.instance.authorizer.decide(actor, action, None).allowed)
