"""What all pages of one application share: its menu, its names, its keys for cookies, where its templates lie."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request

from alcaide.ui.assets import UI_STATIC, Assets


class NavEntry(Protocol):
    """What a menu entry says of itself; the kernel's `NavItem` is one. `key` is the letter after `g`, or empty."""

    @property
    def label(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass
class Look:
    """Everything the pages of one application share. Set once, before the first request.

    `cookie_key` signs CSRF tokens and one-time messages: the same in every process of an installation, at least 32
    bytes, and derived for this purpose alone. `packages` are the slices whose `templates/` and `static/` are served.
    `bytecode` is a folder that only this installation writes to, for compiled templates; `watch` looks for changed
    templates at every page. `environment` is filled by the first page (`alcaide.ui.environment`).
    `public_origin` is the origin people type (`https://alcaide.example.org`), for use behind a proxy.
    """

    cookie_key: bytes
    nav: tuple[NavEntry, ...] = ()
    packages: tuple[str, ...] = ()
    origin: str = ""
    public_origin: str = ""
    version: str = ""
    session_cookie: str = "alcaide_session"
    search_path: str = ""
    account_path: str = "/account"
    sign_in_path: str = "/sign-in"
    sign_out_path: str = "/sign-out"
    bytecode: Path | None = None
    watch: bool = False
    more_templates: Mapping[str, Path] = field(default_factory=dict)
    environment: Any = None

    def __post_init__(self) -> None:
        if len(self.cookie_key) < 32:
            raise ValueError("a cookie key has at least 32 bytes")

    @cached_property
    def assets(self) -> Assets:
        return Assets({"ui": UI_STATIC, **_folders(self.packages, "static")}, watch=self.watch)

    @cached_property
    def template_folders(self) -> dict[str, Path]:
        """Name → folder that holds a folder of that name."""
        return {**_folders(self.packages, "templates"), **self.more_templates}


def look_of(request: Request) -> Look:
    """The look of the application that serves this request."""
    look: Look = request.app.state.look
    return look


def _folders(packages: Collection[str], kind: str) -> dict[str, Path]:
    """Name → folder, for those packages that have one. Finds without importing the package."""
    found: dict[str, Path] = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(place) / kind
            if folder.is_dir():
                found[package.rpartition(".")[2]] = folder
    return found
