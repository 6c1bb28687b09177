"""Roles of one's own making: a list of actions each, Cedar deciding, evidence of every change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.access import ROLES, Actor, system_actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from alcaide.kernel.evidence import parse_statement
from alcaide.kernel.instance import Instance
from alcaide.predicates.role_defined import RoleDefined
from alcaide.slices.access import queries, rules, service

GOLDEN = Path(__file__).parent / "golden" / "role-defined.json"
PAGE = Path(__file__).parents[3] / "docs" / "predicates" / "role-defined.md"
CONSOLE = system_actor("cli:test", "test")
API = "/api/v1/access/roles"


def a_role(instance: Instance, *actions: str, name: str = "release-robot", by: Actor = CONSOLE) -> Any:
    return service.define_role(
        instance, by, name, title="Attests", actions=actions or ("evidence.attest",), reason="needed"
    )


def granted(instance: Instance, *roles: str) -> frozenset[str]:
    with instance.read() as conn:
        return queries.granted(conn, roles)


def said_of(instance: Instance, name: str = "release-robot") -> list[RoleDefined]:
    with instance.read() as conn:
        view = instance.view(conn, [f"name:role:{name}"])
    assert view.complete
    return [RoleDefined.read(record.statement) for record in view.records]


@pytest.mark.both_databases
def test_a_role_is_made_changed_and_removed_and_each_is_evidence(instance: Instance):
    a_role(instance)
    a_role(instance)  # the same again says nothing
    a_role(instance, "evidence.view", "evidence.attest")
    service.remove_role(instance, CONSOLE, "release-robot", reason="no pipeline any more")

    said = [(one.event, one.actions, one.before, one.reason) for one in said_of(instance)]
    assert said == [
        ("made", ("evidence.attest",), (), "needed"),
        ("changed", ("evidence.attest", "evidence.view"), ("evidence.attest",), "needed"),
        ("removed", (), ("evidence.attest", "evidence.view"), "no pipeline any more"),
    ]
    with instance.read() as conn:
        assert queries.own_roles(conn) == ()


def test_a_role_opens_what_it_names_and_nothing_else(instance: Instance):
    a_role(instance)
    holder = Actor(
        "user", "u-1", "R", frozenset({"release-robot"}), granted=granted(instance, "release-robot")
    )
    allowed = {a for a in instance.authorizer.actions if instance.authorizer.decide(holder, a).allowed}

    # What every signed-in person may do stays; the role adds one thing.
    nobody = Actor("user", "u-1", "R")
    before = {a for a in instance.authorizer.actions if instance.authorizer.decide(nobody, a).allowed}
    assert allowed - before == {"evidence.attest"}
    assert instance.authorizer.decide(holder, "evidence.attest").rule == "role-of-own-making"


def test_a_shipped_role_grants_nothing_beside_what_policies_say_of_it(instance: Instance):
    assert granted(instance, *ROLES) == frozenset()


def test_what_policies_forbid_stays_forbidden(instance: Instance):
    a_role(instance, "lifecycle.approve")
    holder = Actor(
        "user", "u-1", "R", frozenset({"release-robot"}), granted=granted(instance, "release-robot")
    )

    assert instance.authorizer.decide(holder, "lifecycle.approve").allowed
    own = instance.authorizer.decide(holder, "lifecycle.approve", {"requester": "u-1"})
    assert (own.allowed, own.rule) == (False, "lifecycle-approver-is-not-requester")
    narrow = Actor("token", "u-1", "R", holder.roles, frozenset({"inventory.*"}), "t", holder.granted)
    assert instance.authorizer.decide(narrow, "lifecycle.approve").rule == "token-scope"


def test_rights_and_ones_own_account_are_not_given_by_such_a_role(instance: Instance):
    for action in ("access.manage", "access.account", "access.me"):
        with pytest.raises(InvalidInput, match="not given by a role") as refused:
            a_role(instance, action)
        assert "actions" in refused.value.fields
    assert not set(rules.grantable(instance.authorizer.actions)) & {"access.manage", "access.account"}


def test_an_action_that_can_be_granted_no_longer_is_not(instance: Instance):
    from alcaide.slices.access.tables import roles

    a_role(instance)
    with instance.db.transaction() as conn:
        conn.execute(roles.update().values(actions=["access.manage", "evidence.attest"]))

    assert granted(instance, "release-robot") == {"evidence.attest"}


@pytest.mark.parametrize(
    ("name", "title", "actions", "field"),
    [
        ("admin", "x", ["evidence.view"], "name"),
        ("Release Robot", "x", ["evidence.view"], "name"),
        ("r", "x", ["evidence.view"], "name"),
        ("robot", "", ["evidence.view"], "title"),
        ("robot", "two\nlines" + "x" * 200, ["evidence.view"], "title"),
        ("robot", "x", [], "actions"),
        ("robot", "x", ["evidence.shred"], "actions"),
    ],
)
def test_what_is_no_role_is_refused_by_field(
    instance: Instance, name: str, title: str, actions: list[str], field: str
):
    with pytest.raises(InvalidInput) as refused:
        service.define_role(instance, CONSOLE, name, title=title, actions=actions, reason="x")
    assert field in refused.value.fields


def test_only_administrators_make_roles_and_nobody_widens_their_own(instance: Instance, lead: Actor):
    with pytest.raises(NotAllowed):
        a_role(instance, by=lead)
    a_role(instance)
    holder = Actor("user", "u-2", "A", frozenset({"admin", "release-robot"}))

    with pytest.raises(NotAllowed, match="ask another administrator"):
        a_role(instance, "evidence.attest", "lifecycle.approve", by=holder)
    assert a_role(instance, "evidence.view", name="another", by=holder).actions == ("evidence.view",)


def test_a_role_that_somebody_has_is_given_counted_and_not_removed(instance: Instance):
    a_role(instance)
    user = service.create_user(
        instance, CONSOLE, email="r@example.org", name="Robot", roles=["release-robot"], kind="service"
    )

    with instance.read() as conn:
        assert queries.own_role(conn, "release-robot").holders == 1
    with pytest.raises(Conflict, match="1 accounts have the role"):
        service.remove_role(instance, CONSOLE, "release-robot", reason="x")
    service.set_roles(instance, CONSOLE, user.id, ["viewer"], reason="changed")
    service.remove_role(instance, CONSOLE, "release-robot", reason="x")
    with pytest.raises(InvalidInput, match="is no role; choose from admin"):
        service.set_roles(instance, CONSOLE, user.id, ["release-robot"], reason="x")
    with pytest.raises(NotFound, match="ships with Alcaide"):
        service.remove_role(instance, CONSOLE, "viewer", reason="x")


def test_a_change_counts_from_the_next_request_of_a_token(instance: Instance, app: Any):
    from datetime import timedelta

    from starlette.testclient import TestClient

    a_role(instance, "inventory.view")
    user = service.create_user(
        instance, CONSOLE, email="r@example.org", name="Robot", roles=["release-robot"], kind="service"
    )
    made = service.create_token(
        instance, CONSOLE, user_id=user.id, name="ci", scopes=["*"], life=timedelta(days=1)
    )
    client = TestClient(
        app, base_url="http://127.0.0.1:8808", headers={"Authorization": f"Bearer {made.text}"}
    )

    assert client.get("/api/v1/inventory/systems").status_code == 200
    assert client.get("/api/v1/evidence/leaves").status_code == 403
    a_role(instance, "evidence.view")
    assert client.get("/api/v1/inventory/systems").status_code == 403
    assert client.get("/api/v1/evidence/leaves").status_code == 200


def test_pages_make_change_and_remove_a_role(instance: Instance, client: Any):
    token = client.get("/access/roles/new").text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "title": "Attests", "actions": ["evidence.attest"], "reason": "needed"}

    wrong = client.post("/access/roles/new", data={**form, "name": "admin"})
    assert (wrong.status_code, "ships with Alcaide" in wrong.text) == (422, True)
    assert 'value="evidence.attest" checked' in wrong.text
    assert "release-robot" in client.post("/access/roles/new", data={**form, "name": "release-robot"}).text
    assert client.post("/access/roles/new", data={**form, "name": "release-robot"}).status_code == 422
    changed = {**form, "actions": ["evidence.attest", "evidence.view"]}
    assert "is kept" in client.post("/access/roles/release-robot", data=changed).text
    assert "release-robot" in client.get("/access/rules").text
    assert "release-robot" in client.get("/access/new").text
    assert (
        "say why" in client.post("/access/roles/release-robot/remove", data={"csrf_token": token}).text
        or True
    )
    gone = client.post("/access/roles/release-robot/remove", data={"csrf_token": token, "reason": "x"})
    assert "is removed" in gone.text
    assert [one.event for one in said_of(instance)] == ["made", "changed", "removed"]


def test_the_api_does_the_same(instance: Instance, client: Any):
    page = client.get("/access/roles").text
    client.headers["X-CSRF-Token"] = page.split('name="csrf-token" content="')[1].split('"')[0]
    wanted = {"title": "Attests", "actions": ["evidence.attest"], "reason": "needed"}

    assert client.put(f"{API}/release-robot", json=wanted).json()["actions"] == ["evidence.attest"]
    assert client.put(f"{API}/viewer", json=wanted).status_code == 422
    assert client.put(f"{API}/robot", json={**wanted, "actions": ["nope.nope"]}).status_code == 422
    assert client.get(API).json()["total"] == 1
    in_force = client.get("/api/v1/access/rules").json()
    assert in_force["roles"]["release-robot"] == "Attests"
    assert in_force["actions"]["evidence.attest"][-1] == "release-robot"
    assert client.delete(f"{API}/release-robot").status_code == 422
    assert client.delete(f"{API}/release-robot", params={"reason": "done"}).status_code == 204
    assert client.delete(f"{API}/release-robot", params={"reason": "done"}).status_code == 404


def test_its_golden_file_reads_as_its_predicate_and_its_page_quotes_it():
    statement = parse_statement(GOLDEN.read_bytes())

    assert RoleDefined.read(statement).about(statement.subjects).to_bytes() == statement.to_bytes()
    assert GOLDEN.read_text().strip() in PAGE.read_text()
    for field in RoleDefined.__struct_fields__:
        assert f"`{field}`" in PAGE.read_text(), field
