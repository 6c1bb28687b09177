"""An application over slices made for the test: what the composition root does must not depend on ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from alcaide.app.web import create_app
from alcaide.kernel.access import ANONYMOUS, Actor
from alcaide.kernel.config import Config
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.slice import Manifest
from alcaide.slices.access.manifest import MANIFEST as ACCESS
from tests.conftest import person


class EverybodySignedInMay:
    """In place of the policies, which are tested where they are."""

    def decide(self, actor: Actor, action: str, resource: object) -> Any:
        return _Decision(actor.kind != "anonymous")


@dataclasses.dataclass(frozen=True)
class _Decision:
    allowed: bool
    rule: str = "signed-in"
    owner: str = "security-lead"
    next_step: str = "sign in"


BARE_ACCESS = ACCESS._replace(
    api=None, pages=None, cli=None, jobs=None, start=None, attention=None, panels=None, nav=()
)


@pytest.fixture
def open_with(config: Config, clock: Any) -> Iterator[Callable[..., Instance]]:
    """`open_with(manifest, …, settings=…)`: an instance with these slices."""
    opened: list[Instance] = []

    def opening(*manifests: Manifest, settings: dict[str, Any] | None = None) -> Instance:
        changed = dataclasses.replace(config, **(settings or {}))
        instance = open_instance(changed, manifests=[BARE_ACCESS, *manifests], clock=clock, migrate=False)
        instance.__dict__["authorizer"] = EverybodySignedInMay()
        opened.append(instance)
        return instance

    yield opening
    for instance in opened:
        instance.close()


@pytest.fixture
def visit(open_with: Callable[..., Instance]) -> Callable[..., TestClient]:
    """`visit(manifest, …, actor=…)`: a client of an application with these slices."""

    def visiting(
        *manifests: Manifest,
        actor: Actor | None = None,
        settings: dict[str, Any] | None = None,
        client: tuple[str, int] = ("127.0.0.1", 50_000),
        base_url: str = "http://127.0.0.1:8808",
    ) -> TestClient:
        app = create_app(open_with(*manifests, settings=settings))
        app.state.identify = lambda request: person("viewer") if actor is None else actor
        return TestClient(app, base_url=base_url, client=client, follow_redirects=False)

    return visiting


@pytest.fixture
def nobody() -> Actor:
    return ANONYMOUS


def lines(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.strip()]
