"""Role × route × state: what every route asks, who it lets through, and what it answers to everybody else.

`authorization.yaml` beside this file is the decision, written down to be reviewed: which roles may do which action,
and which action each route asks for. A route that is not in it, or asks for something else than it says, fails here.

After adding a route or a rule, run this with ALCAIDE_WRITE_AUTHORIZATION=1 to write the file anew, and read the
difference: each new line is a decision that somebody is about to make.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.conftest import person

from alcaide.kernel.access import ANONYMOUS, ROLES, Actor, passwords, system_actor
from alcaide.kernel.errors import NotAllowed, SignInNeeded
from alcaide.slices.access import service
from alcaide.slices.access.model import Visitor

TABLE = Path(__file__).with_name("authorization.yaml")
# Routes that a framework makes and nobody can mark: each with the reason why anybody may.
MADE_BY_THE_FRAMEWORK = {"/api/v1/openapi.json": "describes the API and tells nothing that is in it"}
CONSOLE = system_actor("cli:test", "test")
HERE = Visitor("192.0.2.7", "walk")


@dataclass(frozen=True)
class Route:
    """One method of one route, with what it asks before it runs."""

    method: str
    path: str
    actions: tuple[str, ...]
    public: str
    checks: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def address(self) -> str:
        """The path with something in place of each parameter that is nobody's and nothing's."""
        return re.sub(r"\{[^}]*\}", "0", self.path)

    @property
    def api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def decided(self) -> str:
        return f"public: {self.public}" if self.public else ", ".join(self.actions)


def routes_of(app: Any) -> list[Route]:
    found = []
    for context in iter_route_contexts(app.routes):
        endpoint = context.endpoint
        marks = [endpoint, *_calls(getattr(context, "dependant", None))]
        checks = tuple(mark for mark in marks if hasattr(mark, "alcaide_action"))
        reasons = [mark.alcaide_public for mark in marks if hasattr(mark, "alcaide_public")]
        path = str(context.path)
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            actions = tuple(dict.fromkeys(check.alcaide_action for check in checks))
            public = reasons[0] if reasons else MADE_BY_THE_FRAMEWORK.get(path, "")
            found.append(Route(method, path, actions, public, checks))
    return sorted(found, key=lambda route: (route.path, route.method))


def _calls(dependant: Any) -> Iterator[Any]:
    for dependency in getattr(dependant, "dependencies", ()):
        yield dependency.call
        yield from _calls(dependency)


@pytest.fixture
def routes(app: Any) -> list[Route]:
    return routes_of(app)


@pytest.fixture
def decided(instance: Any, routes: list[Route]) -> dict[str, Any]:
    if os.environ.get("ALCAIDE_WRITE_AUTHORIZATION") == "1":
        write_table(instance, routes)
    return dict(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def write_table(instance: Any, routes: list[Route]) -> None:
    authorizer = instance.authorizer
    lines = [
        "# Who may do what, and what each route asks. Written by test_authorization_walk.py, decided by its reviewers.",
        "# `anonymous` is somebody not signed in; `no role` is somebody signed in whom nobody gave a role.",
        "actions:",
    ]
    for action in sorted(authorizer.actions):
        allowed = [who for who, actor in everybody().items() if authorizer.decide(actor, action).allowed]
        lines.append(f"  {action}: [{', '.join(allowed)}]")
    lines.append("routes:")
    lines += [f"  {route}: {yaml.safe_dump(route.decided, width=1000).splitlines()[0]}" for route in routes]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def everybody() -> dict[str, Actor]:
    return {
        "anonymous": ANONYMOUS,
        "no role": Actor("user", "u-nobody", "nobody in particular"),
        **{role: person(role) for role in ROLES},
    }


def a_request(app: Any, route: Route, actor: Actor) -> Request:
    names = re.findall(r"\{([a-z_]+)", route.path)
    scope = {
        "type": "http",
        "method": route.method,
        "path": route.address,
        "headers": [],
        "query_string": b"",
        "path_params": dict.fromkeys(names, "0"),
        "app": app,
        "state": {"actor": actor},
    }
    return Request(scope)


def let_through(app: Any, route: Route, actor: Actor) -> bool:
    """Whether everything this route asks before it runs lets `actor` through."""
    try:
        for check in route.checks:
            check(a_request(app, route, actor))
    except (NotAllowed, SignInNeeded):
        return False
    return True


def browser(app: Any) -> TestClient:
    """A client with a valid form token, so that what refuses it is authorisation and nothing before it."""
    client = TestClient(app, base_url="http://127.0.0.1:8808", follow_redirects=False)
    page = client.get("/sign-in")
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert token is not None
    client.headers["x-csrf-token"] = token[1]
    return client


def test_every_route_asks_for_an_action_or_says_why_anybody_may(routes):
    undecided = [str(route) for route in routes if not route.actions and not route.public]
    both = [str(route) for route in routes if route.actions and route.public]

    assert undecided == []
    assert both == []
    assert len(routes) > 50


def test_a_route_nobody_decided_about_is_noticed(app):
    @app.get("/planted")
    def planted() -> dict[str, str]:
        return {}

    assert [str(route) for route in routes_of(app) if not route.actions and not route.public] == [
        "GET /planted"
    ]


def test_every_route_asks_for_what_the_table_says(routes, decided):
    assert {str(route): route.decided for route in routes} == decided["routes"]


def test_every_action_is_allowed_to_those_the_table_says(instance, decided):
    found = {
        action: [
            who for who, actor in everybody().items() if instance.authorizer.decide(actor, action).allowed
        ]
        for action in sorted(instance.authorizer.actions)
    }

    assert found == decided["actions"]


def test_every_action_a_route_asks_for_is_declared(instance, routes):
    asked = {action for route in routes for action in route.actions}

    assert asked - set(instance.authorizer.actions) == set()


def test_some_role_may_do_each_action(decided):
    assert [action for action, allowed in decided["actions"].items() if not allowed] == []


def test_the_auditor_sees_and_changes_nothing(decided):
    verbs = {
        action.partition(".")[2] for action, allowed in decided["actions"].items() if "auditor" in allowed
    }

    # `guard.use` looks at a text and keeps nothing of it.
    assert verbs <= {"view", "view-all", "audit", "me", "account", "export", "verify", "use"}


def test_somebody_not_signed_in_passes_no_check_and_gets_no_answer(app, routes):
    client = browser(app)
    for route in routes:
        if route.public:
            continue
        assert not let_through(app, route, ANONYMOUS), route
        answer = client.request(route.method, route.address)
        refused_to_sign_in(route, answer)


def refused_to_sign_in(route: Route, answer: Any) -> None:
    if route.api or answer.status_code == 401:
        assert answer.status_code == 401, route
        assert answer.json()["error"]["code"] == "sign-in-needed", route
    else:
        assert answer.status_code == 303, route
        assert answer.headers["location"].startswith("/sign-in"), route


@pytest.mark.parametrize("role", ["no role", *ROLES])
def test_each_role_passes_where_the_table_says_and_nowhere_else(app, routes, decided, role, client_as):
    actor = everybody()[role]
    client = client_as(actor)
    client.follow_redirects = False
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/account/nowhere").text)
    client.headers["x-csrf-token"] = token[1] if token else ""
    denied_everywhere = 0
    for route in routes:
        if route.public:
            continue
        expected = all(role in decided["actions"][action] for action in route.actions)
        assert let_through(app, route, actor) or not expected, route
        if not expected:
            denied_everywhere += 1
            assert not let_through(app, route, actor), route
            answer = client.request(route.method, route.address)
            assert answer.status_code == 403, (route, answer.status_code)
    assert denied_everywhere or role == "admin"


@pytest.mark.parametrize("area", ["inventory", "evidence", "lifecycle"])
def test_a_role_of_own_making_opens_the_routes_of_its_actions_and_no_other(
    app, instance, routes, area, client_as
):
    """Beside what anybody signed in may do. The policies decide: the role only brings its list."""
    named = frozenset(a for a in instance.authorizer.actions if a.startswith(f"{area}."))
    actor = Actor("user", "u-own", "own role", frozenset({"own-role"}), granted=named)
    client = client_as(actor)
    client.follow_redirects = False
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/account/nowhere").text)
    client.headers["x-csrf-token"] = token[1] if token else ""
    anybody = everybody()["no role"]
    opened = 0
    for route in routes:
        if route.public:
            continue
        expected = all(
            action in named or instance.authorizer.decide(anybody, action).allowed for action in route.actions
        )
        opened += expected
        assert let_through(app, route, actor) == expected, route
        if not expected:
            assert client.request(route.method, route.address).status_code == 403, route
    assert opened > 5


@pytest.fixture
def admin_account(instance, monkeypatch):
    """A real administrator beside a second one: (user, session cookie, all-scope token)."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(passes=1, memory_kib=64, lanes=1))
    made = []
    for number in (1, 2):
        user = service.create_user(
            instance, CONSOLE, email=f"a{number}@example.org", name=f"A {number}", roles=["admin"]
        )
        made.append(user)
    user = made[0]
    key = service.make_link(instance, CONSOLE, user.id, base_url="").partition("=")[2]
    service.use_link(instance, key, password="violet harbour lantern 42", visitor=HERE)
    signed_in = service.sign_in(
        instance, email=user.email, password="violet harbour lantern 42", visitor=HERE
    )
    owner = Actor("user", user.id, user.name, frozenset(user.roles))
    token = service.create_token(
        instance, owner, user_id=user.id, name="all", scopes=["*"], life=timedelta(days=1)
    )
    return user, signed_in.cookie, token


def by_token(app: Any, text: str) -> TestClient:
    return TestClient(
        app,
        base_url="http://127.0.0.1:8808",
        follow_redirects=False,
        headers={"Authorization": f"Bearer {text}"},
    )


def test_a_disabled_administrators_session_and_token_open_no_route(app, routes, instance, admin_account):
    user, cookie, token = admin_account
    assert by_token(app, token.text).get("/api/v1/access/me").status_code == 200
    service.disable_user(instance, CONSOLE, user.id, reason="left")

    client = browser(app)
    client.cookies.set("alcaide_session", cookie)
    page = client.get("/sign-in")
    client.headers["x-csrf-token"] = re.search(r'name="csrf-token" content="([^"]+)"', page.text)[1]
    bearer = by_token(app, token.text)
    for route in routes:
        if route.public:
            continue
        refused_to_sign_in(route, client.request(route.method, route.address))
        refused_to_sign_in(route, bearer.request(route.method, route.address))


@pytest.mark.parametrize("state", ["revoked", "run out", "tampered"])
def test_a_dead_token_opens_no_route(app, routes, instance, admin_account, clock, state):
    _, _, token = admin_account
    text = token.text
    if state == "revoked":
        service.revoke_token(instance, CONSOLE, token.token.id)
    elif state == "run out":
        clock.advance(days=1)
    else:
        text = text[:-1] + ("0" if text[-1] != "0" else "1")
    client = by_token(app, text)
    for route in routes:
        if not route.public:
            refused_to_sign_in(route, client.request(route.method, route.address))


def test_a_narrowed_token_opens_only_what_its_scope_names(app, routes, instance, admin_account):
    user, _, _ = admin_account
    owner = Actor("user", user.id, user.name, frozenset(user.roles))
    narrow = service.create_token(
        instance, owner, user_id=user.id, name="narrow", scopes=["access.me"], life=timedelta(days=1)
    )
    client = by_token(app, narrow.text)
    for route in routes:
        if route.public or route.actions == ("access.me",):
            continue
        answer = client.request(route.method, route.address)
        assert answer.status_code == 403, route
    denied = client.get("/api/v1/access/users").json()["error"]
    assert denied["rule"] == "token-scope"
    assert client.get("/api/v1/access/me").status_code == 200
