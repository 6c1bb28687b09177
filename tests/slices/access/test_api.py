"""The API of access: the same service, by token or by session."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.slices.access.people import CONSOLE, actor_of

from alcaide.slices.access import service

API = "/api/v1/access"


@pytest.fixture
def by_token(app, instance):
    def make(user, *scopes):
        by = CONSOLE if user.kind == "service" else actor_of(user)
        made = service.create_token(instance, by, user_id=user.id, name="t", scopes=scopes or ("*",))
        return TestClient(
            app, base_url="http://127.0.0.1:8808", headers={"Authorization": f"Bearer {made.text}"}
        )

    return make


def test_me_says_who_and_what_is_allowed(by_token, make_user):
    answer = by_token(make_user("viewer"), "access.*").get(f"{API}/me").json()

    assert answer["kind"] == "token"
    assert answer["roles"] == ["viewer"]
    assert answer["actions"] == ["access.me"]


def test_without_a_token_it_asks_to_sign_in(app):
    answer = TestClient(app, base_url="http://127.0.0.1:8808").get(f"{API}/me")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"]["code"] == "sign-in-needed"


def test_a_denial_says_rule_owner_and_next_step(by_token, make_user):
    answer = by_token(make_user("viewer")).get(f"{API}/users")

    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["rule"] == "no rule permits `access.view`"
    assert error["owner"] == "administrator"
    assert "auditor role" in error["next_step"]


def test_an_account_through_its_life(by_token, make_user):
    admin = by_token(make_user("admin"))
    made = admin.post(f"{API}/users", json={"email": "g@example.org", "name": "Grace", "roles": ["viewer"]})
    assert made.status_code == 201
    here = f"{API}/users/{made.json()['id']}"

    assert admin.post(f"{here}/link").json()["url"].startswith("http://127.0.0.1:8808/set-password?key=")
    assert admin.put(f"{here}/roles", json={"roles": ["auditor"], "reason": "x"}).json()["roles"] == [
        "auditor"
    ]
    assert admin.post(f"{here}/disable", json={"reason": "left"}).json()["disabled_at"]
    assert admin.post(f"{here}/disable", json={"reason": "left"}).status_code == 409
    assert admin.post(f"{here}/enable", json={"reason": "back"}).json()["disabled_at"] is None
    assert admin.post(f"{here}/second-factor/remove", json={"reason": "lost"}).status_code == 409
    assert admin.get(f"{API}/users?role=auditor").json()["total"] == 1
    events = admin.get(f"{API}/events?user={made.json()['id']}&limit=2").json()
    assert [event["event"] for event in events["items"]] == ["user-enabled", "user-disabled"]
    assert events["next_cursor"]
    assert admin.get(f"{API}/rules").json()["actions"]["access.manage"] == ["admin"]


def test_a_service_account_gets_a_token_and_a_token_makes_none(instance, by_token, make_user, app, client_as):
    robot = make_user("ml-engineer", kind="service")
    new = {"name": "ci", "scopes": ["*.view"]}
    by_session = client_as("admin")
    refused = by_token(make_user("admin")).post(f"{API}/users/{robot.id}/tokens", json=new)
    assert refused.status_code == 403

    made = by_session.post(f"{API}/users/{robot.id}/tokens", json=new)

    assert made.status_code == 201
    assert made.json()["token"].startswith("alc_")
    listed = by_session.get(f"{API}/users/{robot.id}/tokens").json()
    assert listed["total"] == 1
    assert "token" not in listed["items"][0]
    revoked = by_session.delete(
        f"{API}/tokens/{made.json()['id']}", params={"reason": "it was in a log file"}
    )
    assert revoked.json()["revoked_at"]
    with instance.read() as conn:
        said = instance.view(conn, [f"name:user:{robot.id}"]).records[-1].predicate
    assert (said["event"], said["reason"]) == ("token-revoked", "it was in a log file")


def test_one_lists_and_revokes_ones_own_token_by_token(by_token, make_user):
    mine = by_token(make_user("viewer"))
    listed = mine.get(f"{API}/tokens").json()
    assert listed["total"] == 1

    # Revoking is a change to the account, which a token may not make; its owner does it in person.
    assert mine.delete(f"{API}/tokens/{listed['items'][0]['id']}").status_code == 403


def test_sessions_are_listed_and_ended_in_person(make_user, browser):
    browser.sign_in(make_user("viewer").email)
    listed = browser.http.get(f"{API}/sessions").json()
    assert listed["items"][0]["current"]
    browser.get("/account")
    import re

    token = re.search(r'meta name="csrf-token" content="([^"]+)"', browser.page)[1]
    path = f"{API}/sessions/{listed['items'][0]['id']}"
    assert browser.http.delete(path).status_code == 403

    assert browser.http.delete(path, headers={"X-CSRF-Token": token}).status_code == 204

    assert browser.http.get(f"{API}/sessions").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/users", {"email": "x", "name": "Grace"}, 422),
        ("POST", "/users", {"email": "g@example.org", "name": "G", "roles": ["king"]}, 422),
        ("POST", "/users", {"email": "g@example.org", "name": "G", "admin": True}, 422),
        ("POST", "/users", {"email": "g\ud800@example.org", "name": "G"}, 422),
        ("POST", "/users", {"email": "g@example.org", "name": "\x00"}, 422),
        ("POST", "/users/nobody/disable", {"reason": "\ud800"}, 422),
        ("POST", "/users/nobody/disable", {"reason": "\x00 x"}, 404),
        ("PUT", "/users/nobody/roles", {"roles": [], "reason": "x"}, 404),
        ("GET", "/users/UPPER", None, 422),
        ("GET", "/users/nobody", None, 404),
        ("GET", "/users/nobody/tokens", None, 404),
        ("GET", "/users?limit=0", None, 422),
        ("GET", "/users?cursor=%00", None, 400),
        ("GET", "/events?cursor=x", None, 400),
        ("GET", "/events?event=%27", None, 422),
        ("DELETE", "/tokens/nothing", None, 404),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(by_token, make_user, method, path, body, status):
    import json

    content = None if body is None else json.dumps(body).encode()
    answer = by_token(make_user("admin")).request(
        method, API + path, content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == status
    assert set(answer.json()["error"]) >= {"code", "message"}


def test_a_reason_with_characters_no_database_takes_is_kept_without_them(by_token, make_user):
    user = make_user("viewer")
    admin = by_token(make_user("admin"))
    admin.post(
        f"{API}/users/{user.id}/disable",
        content=b'{"reason": "a\\u0000b\\u0007c"}',
        headers={"Content-Type": "application/json"},
    ).raise_for_status()

    assert admin.get(f"{API}/events?event=user-disabled").json()["items"][0]["reason"] == "a b c"
