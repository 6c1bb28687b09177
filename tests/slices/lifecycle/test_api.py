"""The API: the same services as the pages, in the shape that is promised."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.slices.lifecycle.builders import ADA, EVE, LEO, MIA, PAT, imported

from alcaide.kernel.access import Actor
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance
from alcaide.slices.lifecycle import service

BASE = "/api/v1/lifecycle"


@pytest.fixture
def desk(instance: Instance) -> Instance:
    """A system in the real register."""
    from alcaide.slices.inventory import service
    from alcaide.slices.inventory.rules.validate import system_fields

    instance.write(
        lambda tx: service.register_system(
            tx,
            system_fields({"name": "loan-desk", "title": "Loan desk"}),
            actor=LEO,
            reason="new",
            via="test",
        )
    )
    return instance


@pytest.fixture
def call(desk: Instance, client_as: Callable[..., Any]) -> Callable[..., Any]:
    """`call(ADA, "POST", "/systems/…", {…})`, with the form token a browser would send."""

    def ask(who: Any, method: str, path: str, body: Any = None) -> Any:
        client = client_as(who)
        headers = {}
        if method != "GET":
            import re

            page = client.get("/lifecycle").text
            token = re.search(r'csrf-token" content="([^"]+)"', page)
            assert token
            headers["X-CSRF-Token"] = token.group(1)
        return client.request(method, BASE + path, json=body, headers=headers)

    return ask


def test_stages_and_gates_are_listed(call: Callable[..., Any]) -> None:
    stages = call(EVE, "GET", "/stages").json()
    assert [s["name"] for s in stages["items"]][:2] == ["design", "data"]
    gates = call(EVE, "GET", "/gates").json()
    assert gates["problems"] == []
    assert gates["items"][0]["from"] == ["design"]
    one = call(EVE, "GET", "/gates/to-deployment").json()
    assert one["quorum"] == 2
    assert "requirement" in call(EVE, "GET", "/gates/schema").json()
    assert call(EVE, "GET", "/gates/none").status_code == 404


def test_a_check_answers_with_reasons_and_leaves(call: Callable[..., Any]) -> None:
    found = call(EVE, "GET", "/systems/loan-desk/check?to=deployment").json()
    assert found["outcome"] == "unknown"
    assert [r["id"] for r in found["requirements"]] == [
        "ml-bom-imported",
        "models-signed",
        "scanned-without-errors",
    ]
    assert found["approvals"]["seats"][0] == {"role": "security-lead", "wanted": 1, "taken_by": []}
    assert call(EVE, "GET", "/systems/loan-desk/check").json()["to"] == "data"
    assert call(EVE, "GET", "/systems/none/check").status_code == 404
    assert call(EVE, "GET", "/systems/loan-desk/check?to=moon").status_code == 422


def test_a_move_goes_through_the_api_and_leaves_as_a_summary(call: Callable[..., Any]) -> None:
    asked = call(ADA, "POST", "/systems/loan-desk/requests", {"to": "data", "reason": "purpose is clear"})
    assert asked.status_code == 201
    request = asked.json()["request"]["id"]
    decisions = f"/systems/loan-desk/requests/{request}/decisions"

    denied = call(MIA, "POST", decisions, {"decision": "approved"})
    assert denied.status_code == 403
    assert denied.json()["error"]["next_step"] == "ask somebody who is security-lead"
    stale = call(LEO, "POST", decisions, {"decision": "approved", "seen": "0" * 64})
    assert stale.status_code == 409
    done = call(LEO, "POST", decisions, {"decision": "approved", "seen": asked.json()["bound_sha256"]})
    assert done.json()["outcome"] == "passed"
    assert call(EVE, "GET", "/systems/loan-desk").json() == {"system": "loan-desk", "stage": "data"}

    summary = call(EVE, "GET", "/systems/loan-desk/vsa?to=data")
    assert summary.headers["content-type"].startswith("application/vnd.dsse.envelope")
    statement = json.loads(b64decode(json.loads(summary.content)["payload"]))
    assert statement["predicate"]["verificationResult"] == "PASSED"
    assert call(EVE, "GET", "/systems/loan-desk/vsa?to=training").status_code == 409
    listed = call(EVE, "GET", "/systems/loan-desk/requests").json()
    assert [r["state"] for r in listed["items"]] == ["passed"]


def test_a_request_is_withdrawn(call: Callable[..., Any]) -> None:
    request = call(ADA, "POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x"}).json()[
        "request"
    ]["id"]
    address = f"/systems/loan-desk/requests/{request}/withdraw"
    assert call(MIA, "POST", address, {"reason": "x"}).status_code == 403
    assert call(ADA, "POST", address, {"reason": "too early"}).status_code == 204
    assert call(ADA, "POST", address, {"reason": "again"}).status_code == 409


def test_an_approval_is_taken_back_by_whoever_gave_it_and_by_nobody_else(
    call: Callable[..., Any], desk: Instance
) -> None:
    asked = call(ADA, "POST", "/systems/loan-desk/requests", {"to": "deployment", "reason": "x"}).json()
    address = f"/systems/loan-desk/requests/{asked['request']['id']}"
    assert call(MIA, "POST", f"{address}/decisions", {"decision": "approved"}).status_code == 201
    was_approver = replace(MIA, roles=frozenset({"viewer"}))

    assert call(EVE, "POST", f"{address}/take-back", {"reason": "x"}).status_code == 403
    assert call(LEO, "POST", f"{address}/take-back", {"reason": "not mine"}).status_code == 409
    done = call(was_approver, "POST", f"{address}/take-back", {"reason": "I no longer answer for it"})
    assert done.status_code == 201
    assert call(was_approver, "POST", f"{address}/take-back", {"reason": "twice"}).status_code == 403


@pytest.mark.parametrize(
    ("verb", "body", "rule"),
    [
        ("decisions", {"decision": "approved"}, "lifecycle.approve"),
        ("take-back", {"reason": "x"}, "lifecycle.take-back"),
        ("withdraw", {"reason": "x"}, "lifecycle.withdraw"),
    ],
)
def test_the_route_itself_asks_for_what_it_does(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, verb: str, body: dict[str, str], rule: str
) -> None:
    """Whoever may not is refused before the service is reached, whatever the body says."""
    asked = call(ADA, "POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x"}).json()
    for name in ("decide", "withdraw"):
        monkeypatch.setattr(service, name, lambda *_, **__: pytest.fail("the route let it through"))

    for sent in (body, {}):
        refused = call(EVE, "POST", f"/systems/loan-desk/requests/{asked['request']['id']}/{verb}", sent)
        assert refused.status_code == 403
        assert refused.json()["error"]["rule"] == f"no rule permits `{rule}`"


def test_whoever_asked_is_refused_by_the_route_by_the_rule_that_says_so(call: Callable[..., Any]) -> None:
    asked = call(PAT, "POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x"}).json()

    refused = call(
        PAT,
        "POST",
        f"/systems/loan-desk/requests/{asked['request']['id']}/decisions",
        {"decision": "approved"},
    )

    assert refused.json()["error"]["rule"] == "lifecycle-approver-is-not-requester"


def test_a_role_that_only_a_gate_of_this_installation_names_passes_the_route(
    call: Callable[..., Any], desk: Instance
) -> None:
    folder = desk.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(
        """gates:
  - id: to-data
    title: To data
    why: We begin to gather it.
    to: data
    from: [design]
    requirements:
      - {id: registered, title: It is registered, why: Nobody decides about the unknown., evidence: registered}
    approvals:
      - {role: data-protection, count: 1}
"""
    )
    dpo = Actor("user", "u-dpo", "Dora", frozenset({"data-protection"}))
    asked = call(ADA, "POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x"}).json()
    address = f"/systems/loan-desk/requests/{asked['request']['id']}/decisions"

    assert call(MIA, "POST", address, {"decision": "approved"}).status_code == 403
    assert call(dpo, "POST", address, {"decision": "approved"}).status_code == 201


def test_waiving_settling_and_moving_back(call: Callable[..., Any], desk: Instance) -> None:
    waiver = {"to": "safety", "requirement": "ml-bom-imported", "until": "7d", "reason": "supplier is late"}
    assert call(ADA, "POST", "/systems/loan-desk/waivers", waiver).status_code == 403
    assert (
        call(LEO, "POST", "/systems/loan-desk/waivers", waiver).json()["requirements"][0]["outcome"]
        == "waived"
    )
    long = call(LEO, "POST", "/systems/loan-desk/waivers", {**waiver, "until": "2y"})
    assert long.status_code == 422
    assert "within a year" in long.json()["error"]["fields"]["until"]
    assert call(LEO, "POST", "/systems/loan-desk/settle?to=safety").json()["moved"] is False
    assert (
        call(LEO, "POST", "/systems/loan-desk/move-back", {"to": "operation", "reason": "x"}).status_code
        == 409
    )
    gone = call(LEO, "POST", "/systems/loan-desk/move-back", {"to": "retired", "reason": "replaced"})
    assert gone.json()["stage"] == "retired"


def test_the_overview_is_paged(call: Callable[..., Any], desk: Instance) -> None:
    from alcaide.slices.lifecycle import service

    service.refresh(desk)
    page = call(EVE, "GET", "/systems?limit=1").json()
    assert page["total"] == 1
    assert page["items"][0]["system"] == "loan-desk"
    assert page["items"][0]["as_of"]
    assert call(EVE, "GET", "/systems?cursor=x").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/systems/loan-desk/requests", {"to": "data"}),
        ("POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x", "extra": 1}),
        ("POST", "/systems/loan-desk/requests", {"to": "moon", "reason": "x"}),
        ("POST", "/systems/loan-desk/requests", {"to": "data", "reason": "x" * 3000}),
        ("POST", "/systems/loan-desk/requests", []),
    ],
)
def test_what_cannot_be_used_is_said_by_field(
    call: Callable[..., Any], method: str, path: str, body: Any
) -> None:
    answer = call(ADA, method, path, body)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"]


def test_evidence_with_errors_fails_with_the_reason(call: Callable[..., Any], desk: Instance) -> None:
    imported(desk, "sarif", Subject("system:loan-desk", {"sha256": "a" * 64}), outcome="failed")
    found = call(EVE, "GET", "/systems/loan-desk/check?to=deployment").json()
    assert found["outcome"] == "failed"
    assert "`outcome` is `failed`" in found["requirements"][2]["reason"]
