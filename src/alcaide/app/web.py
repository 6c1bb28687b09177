"""One FastAPI application from all slices: their pages, their API under `/api/v1`, and what every answer carries.

Order of what a request passes: `middleware.py` and the design system's own, then the route's own question
(`allow` or `public`), then the slice. Nothing here knows what a slice does.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from alcaide import __version__
from alcaide.app import home, probes
from alcaide.app.metrics import Metrics
from alcaide.app.middleware import BoundedBody, KnownHosts, Observed
from alcaide.kernel.config import Config
from alcaide.kernel.slice import load
from alcaide.slices.access.service.sessions import identify, session_cookie
from alcaide.ui import Look, gallery, install

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

API = "/api/v1"
API_TITLE = "Alcaide"
API_DESCRIPTION = (
    "The same services as the pages and the command line. Send a token made under *Tokens* as "
    "`Authorization: Bearer alc_…`. Lists take `limit` and `cursor` and answer "
    '`{"items": […], "next_cursor": …, "total": …}`; errors answer `{"error": {"code", "message", …}}`.'
)
TEMPLATES = Path(__file__).parent / "templates"

# Small answers are not worth the time; level 5 is within 2 % of level 9 on these pages, at a third of its time.
GZIP_FROM = 1024
GZIP_LEVEL = 5


def create_app(instance: Instance) -> FastAPI:
    """The application of this instance. It owns no thread and no connection; closing the instance is the caller's."""
    config = instance.config
    app = FastAPI(
        title=API_TITLE,
        description=API_DESCRIPTION,
        version=__version__,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        separate_input_output_schemas=False,
    )
    metrics = Metrics()
    metrics.watch(instance)
    app.state.instance = instance
    app.state.metrics = metrics
    app.state.identify = identify
    # Added last is passed first: read this list from the bottom.
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM, compresslevel=GZIP_LEVEL)
    larger = {
        path: limit
        for manifest in instance.manifests
        if manifest.large_bodies
        for path, limit in load(manifest.large_bodies)(config).items()
    }
    app.add_middleware(BoundedBody, limit=config.max_upload_mib * 2**20, larger=larger)
    app.add_middleware(KnownHosts, hosts=known_hosts(config))
    install(app, _look(instance))
    app.add_middleware(Observed, metrics=metrics)

    app.include_router(home.router)
    app.include_router(probes.router)
    app.include_router(gallery.router)
    for manifest in instance.manifests:
        if manifest.api is not None:
            app.include_router(load(manifest.api), prefix=API, tags=[manifest.title])
        if manifest.pages is not None:
            app.include_router(load(manifest.pages), include_in_schema=False)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def known_hosts(config: Config) -> set[str]:
    """The names this instance answers to: this machine's own, the public one, and those the settings add."""
    names = {"localhost", "127.0.0.1", "[::1]"}
    if config.host not in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        names.add(f"[{config.host}]" if ":" in config.host else config.host)
    public = urlsplit(config.url).hostname
    if public and public not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        names.add(f"[{public}]" if ":" in public else public)
    names.update(name.strip() for name in config.allowed_hosts.split(",") if name.strip())
    return {name.lower() for name in names}


def _look(instance: Instance) -> Look:
    config = instance.config
    entries = sorted(
        ((manifest.order, item) for manifest in instance.manifests for item in manifest.nav),
        key=lambda pair: pair[0],
    )
    return Look(
        cookie_key=cookie_key(config.keys_dir),
        nav=(home.NAV, *(item for _, item in entries)),
        packages=tuple(manifest.package for manifest in instance.manifests),
        origin=instance.ledger.origin,
        public_origin=config.public_url.rstrip("/"),
        version=__version__,
        session_cookie=session_cookie(config.url),
        search_path="/inventory",
        more_templates={"app": TEMPLATES},
    )


def cookie_key(folder: Path) -> bytes:
    """The key that signs form tokens and one-time messages; made once and kept beside the signing keys.

    All web processes of an installation share the folder and so the key. Losing it costs open forms, no evidence.
    """
    path = folder / "cookies.key"
    if not path.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / f"cookies.key.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        # Of two processes that start together the first wins, and nobody reads a key half written.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_bytes()


def openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of the API, with who may ask: a token, or a browser's session with its form token."""
    if app.openapi_schema:
        return app.openapi_schema
    from fastapi.openapi.utils import get_openapi

    routes = [route for route in all_routes(app) if route.path.startswith(API)]
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=routes,
        openapi_version="3.1.0",
    )
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Error"] = _ERROR_SCHEMA
    # The framework's own shape of a validation error, which no answer here has.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token made under Tokens: `alc_…`."},
        "session": {"type": "apiKey", "in": "cookie", "name": app.state.look.session_cookie},
    }
    schema["security"] = [{"token": []}, {"session": []}]
    for route in routes:
        for method in route.methods or ():
            operation = schema["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _describe(operation, route)
    app.openapi_schema = schema
    return schema


def all_routes(app: FastAPI) -> list[Any]:
    """Every route with the path it is reached under; `app.routes` itself holds included routers unopened."""
    from fastapi.routing import iter_route_contexts

    return [route for route in iter_route_contexts(app.routes) if getattr(route, "path", None) is not None]


def _describe(operation: dict[str, Any], route: Any) -> None:
    """Say for one operation who may call it and what an error looks like."""
    marks = [dependency.call for dependency in route.dependant.dependencies]
    action = next((mark.alcaide_action for mark in marks if hasattr(mark, "alcaide_action")), None)
    if any(hasattr(mark, "alcaide_public") for mark in marks):
        operation["security"] = []
    if action is not None:
        operation["x-alcaide-action"] = action
    responses: dict[str, Any] = operation.setdefault("responses", {})
    responses.pop("422", None)
    responses["default"] = {"description": "What is wrong and what to do next.", "content": _ERROR}


_ERROR: Mapping[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_ERROR_SCHEMA: Mapping[str, Any] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                "rule": {"type": "string"},
                "owner": {"type": "string"},
                "next_step": {"type": "string"},
            },
        }
    },
}
