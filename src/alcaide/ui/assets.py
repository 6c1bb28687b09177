"""Static files: where they lie, under which address they are served, and for how long a browser may keep them.

An address carries a digest of the file's content, so a browser keeps a file for a year and never shows an old one.
Files under `vendor/` are built by `tools/build_assets.py` and may be absent: pages then use the system's fonts, show
no icons and load no script of others, and stay usable.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

UI_STATIC = Path(__file__).parent / "static"
_KEPT_FOR = "public, max-age=31536000, immutable"
_ASKED_AGAIN = "public, no-cache"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
"""Only these are served: a static folder holds nothing else, and a stray file beside them is nobody's business."""


class Assets:
    """The static folders of the design system and the slices, each under its slice's name; our own is `ui`."""

    def __init__(self, folders: Mapping[str, Path], *, watch: bool = False) -> None:
        """`watch` looks at the disk for every address, for those who change files while the application runs.

        Otherwise addresses and icons are worked out once: a page names some hundreds of them.
        """
        self._folders = {name: folder.resolve() for name, folder in folders.items()}
        self._watch = watch
        self._versions: dict[Path, tuple[int, int, str]] = {}
        self._urls: dict[str, str] = {}
        self._icons: dict[str, Markup] = {}
        self._drawn: tuple[str, frozenset[str]] | None = None

    def find(self, path: str) -> Path | None:
        """The file behind `ui/alcaide.css`, or None when there is none or it lies outside its folder."""
        name, _, rest = path.partition("/")
        folder = self._folders.get(name)
        if folder is None or not rest or "\\" in rest or "\0" in rest:
            return None
        parts = PurePosixPath(rest).parts
        if any(part.startswith(".") for part in parts):
            return None
        file = folder.joinpath(*parts)
        if file.suffix not in _TYPES or not file.is_file() or not file.resolve().is_relative_to(folder):
            return None
        return file

    def exists(self, path: str) -> bool:
        return self.find(path) is not None

    def url(self, path: str) -> str:
        """The address of a static file.

        One that does not exist has an address too: a slip of the pen is then a 404 in the console, not a broken page.
        """
        known = self._urls.get(path)
        if known is None or self._watch:
            file = self.find(path)
            known = f"/static/{path}" if file is None else f"/static/{path}?v={self.version(file)}"
            self._urls[path] = known
        return known

    def version(self, file: Path) -> str:
        """Twelve hex digits of the content's SHA-256; read again only when size or time of the file changed."""
        state = file.stat()
        known = self._versions.get(file)
        if known is None or known[:2] != (state.st_mtime_ns, state.st_size):
            known = (state.st_mtime_ns, state.st_size, hashlib.sha256(file.read_bytes()).hexdigest()[:12])
            self._versions[file] = known
        return known[2]

    def icon(self, name: str, label: str = "") -> Markup:
        """An icon of the sprite: decoration unless it has a `label`. Empty when the sprite has no such icon."""
        if not label and not self._watch:
            known = self._icons.get(name)
            if known is None:
                # Names outside the sprite are remembered too, and are few: templates name them, not people.
                known = self._icons[name] = self._draw(name, "")
            return known
        return self._draw(name, label)

    def _draw(self, name: str, label: str) -> Markup:
        url, names = self._sprite()
        if name not in names:
            return Markup("")
        spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(spoken, url, name)

    def _sprite(self) -> tuple[str, frozenset[str]]:
        url = self.url("ui/vendor/icons.svg")
        if self._drawn is None or self._drawn[0] != url:
            file = self.find("ui/vendor/icons.svg")
            names = re.findall(r'<symbol id="([a-z0-9-]+)"', file.read_text(encoding="utf-8")) if file else []
            self._drawn = (url, frozenset(names))
        return self._drawn

    def respond(self, request: Request) -> Response:
        """Serve `/static/{path}`."""
        file = self.find(request.path_params["path"])
        if file is None:
            raise HTTPException(404)
        version = self.version(file)
        headers = {
            "Cache-Control": _KEPT_FOR if request.query_params.get("v") == version else _ASKED_AGAIN,
            "ETag": f'"{version}"',
        }
        if Headers(scope=request.scope).get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return FileResponse(file, media_type=_TYPES[file.suffix], headers=headers)


def mark() -> Markup:
    """The logo, drawn in the colours of the page: a keep whose gate is a keyhole."""
    return Markup(
        '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path class="mark-keep" fill-rule="evenodd" d="'
        "M3 2.5h4.5v3h2.25v-3h4.5v3h2.25v-3H21v7.25l-2 2.25v9.5H5V12L3 9.75zM12 9.5a2.75 2.75 0 0 0-1.6 4.98L9.5 21.5h5"
        'l-.9-7.02A2.75 2.75 0 0 0 12 9.5z"/><circle class="mark-key" cx="12" cy="12.25" r="1.15"/></svg>'
    )


def static_globals(assets: Assets) -> dict[str, Any]:
    """What templates call."""
    return {"static_url": assets.url, "has_static": assets.exists, "icon": assets.icon, "mark": mark}
