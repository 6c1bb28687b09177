"""Accounts with passwords, and browsers that sign in for real."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.slices.access.people import CONSOLE, HERE, PASSWORD
from tests.slices.access.provider import Provider

from alcaide.kernel.access import passwords
from alcaide.kernel.instance import Instance
from alcaide.slices.access import service
from alcaide.slices.access.model import SignedIn, User


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a cost that a few hundred tests can pay."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(passes=1, memory_kib=64, lanes=1))


@pytest.fixture
def make_user(instance: Instance) -> Callable[..., User]:
    """`make_user("viewer")`: an account with that role and `PASSWORD`."""

    def make(*roles: str, email: str = "", name: str = "Ada Harbour", kind: Any = "person") -> User:
        address = email or f"{roles[0] if roles else 'nobody'}@example.org"
        user = service.create_user(instance, CONSOLE, email=address, name=name, roles=roles, kind=kind)
        if kind == "person":
            link = service.make_link(instance, CONSOLE, user.id, base_url="http://127.0.0.1")
            service.use_link(instance, link.partition("=")[2], password=PASSWORD, visitor=HERE)
        return user

    return make


@pytest.fixture
def enter(instance: Instance) -> Callable[..., SignedIn]:
    """Sign an account in with `PASSWORD` and nothing else."""

    def sign_in(user: User, password: str = PASSWORD) -> SignedIn:
        outcome = service.sign_in(instance, email=user.email, password=password, visitor=HERE)
        assert isinstance(outcome, SignedIn)
        return outcome

    return sign_in


class Browser:
    """A browser as far as signing in goes: keeps cookies, follows redirects, fills in the form's token."""

    def __init__(self, app: Any) -> None:
        self.http = TestClient(app, base_url="http://127.0.0.1:8808", follow_redirects=True)
        self.page = ""

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        self.page = answer.text
        return answer

    def post(self, path: str, **fields: Any) -> Any:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        answer = self.http.post(path, data={"csrf_token": token[1] if token else "", **fields})
        self.page = answer.text
        return answer

    def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        self.get("/sign-in")
        return self.post("/sign-in", email=email, password=password)


@pytest.fixture
def browser(app: Any) -> Browser:
    return Browser(app)


@pytest.fixture
def new_browser(app: Any) -> Callable[[], Browser]:
    return lambda: Browser(app)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """An OpenID provider of our own on a loopback port, with real keys."""
    running = Provider()
    yield running
    running.close()
