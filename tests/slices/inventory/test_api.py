"""The register over HTTP, as a pipeline uses it."""

from __future__ import annotations

from typing import Any

import pytest

from alcaide.kernel.instance import Instance

API = "/api/v1/inventory"
DIGEST = "b" * 64


@pytest.fixture
def api(client: Any) -> Any:
    """A client with a loan desk registered."""
    made = client.post(f"{API}/systems", json={"name": "loan-desk", "owner": "Ada", "reason": "first"})
    assert made.status_code == 201, made.text
    return client


def part(api: Any, **fields: Any) -> dict[str, Any]:
    made = api.post(f"{API}/components", json={"kind": "model", "name": "scorer", "digest": DIGEST} | fields)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def test_a_registered_system_says_where_it_is(client: Any):
    made = client.post(f"{API}/systems", json={"name": "loan-desk"})

    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert client.get(made.headers["location"]).json()["name"] == "loan-desk"
    assert client.post(f"{API}/systems", json={"name": "loan-desk"}).status_code == 409


def test_a_wrong_field_is_named(client: Any):
    answer = client.post(f"{API}/systems", json={"name": "Loan Desk", "colour": "red"})

    assert answer.status_code == 422
    assert {"name", "colour"} <= set(answer.json()["error"]["fields"])


def test_nobody_reads_without_signing_in(app: Any, client: Any):
    assert client.get(f"{API}/systems", headers={"x-test-actor": ""}).status_code == 401


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("auditor", 403), ("approver", 403), ("ml-engineer", 201)]
)
def test_who_may_register(client_as: Any, role: str, status: int):
    assert client_as(role).post(f"{API}/systems", json={"name": "loan-desk"}).status_code == status


def test_an_edit_must_say_which_version_it_was_made_from(api: Any):
    assert api.put(f"{API}/systems/loan-desk", json={"owner": "Bo"}).status_code == 428
    assert (
        api.put(f"{API}/systems/loan-desk", json={"owner": "Bo"}, headers={"If-Match": "x"}).status_code
        == 422
    )
    saved = api.put(f"{API}/systems/loan-desk", json={"owner": "Bo"}, headers={"If-Match": '"1"'})

    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')


def test_of_two_edits_the_second_gets_both_sides(api: Any):
    api.patch(f"{API}/systems/loan-desk", json={"owner": "Bo"}, headers={"If-Match": '"1"'})

    late = api.patch(f"{API}/systems/loan-desk", json={"owner": "Cy"}, headers={"If-Match": '"1"'})

    error = late.json()["error"]
    assert late.status_code == 409
    assert (error["current"]["owner"], error["yours"]["owner"]) == ("Bo", "Cy")
    assert (error["expected"], error["found"]) == (1, 2)


def test_a_patch_leaves_what_it_does_not_name(api: Any):
    changed = api.patch(f"{API}/systems/loan-desk", json={"purpose": "x"}, headers={"If-Match": "*"}).json()

    assert (changed["owner"], changed["purpose"]) == ("Ada", "x")


def test_history_tells_who_when_why_and_what(api: Any):
    api.patch(
        f"{API}/systems/loan-desk", json={"owner": "Bo", "reason": "moved on"}, headers={"If-Match": "*"}
    )

    history = api.get(f"{API}/systems/loan-desk/history").json()

    assert history["complete"]
    newest, oldest = history["items"]
    assert (oldest["what"], oldest["reason"]) == ("registered", "first")
    assert (newest["what"], newest["reason"], newest["by"]) == ("changed", "moved on", "admin person")
    assert newest["changes"] == [{"field": "owner", "before": "Ada", "after": "Bo"}]


def test_parts_come_and_go(api: Any):
    version = part(api)["versions"][0]
    base = f"{API}/systems/loan-desk"
    flow = {"source": "party:Applicants", "target": "model:scorer", "data": ["personal"]}

    assert api.post(f"{base}/flows", json=flow).status_code == 422
    assert api.post(f"{base}/components", json={"ref": "model:scorer"}).status_code == 200
    assert api.post(f"{base}/components", json={"ref": "model:ghost"}).status_code == 404
    made = api.post(f"{base}/flows", json=flow)
    assert made.status_code == 201
    assert api.post(f"{base}/environments", json={"name": "production"}).status_code == 201
    assert api.post(f"{base}/environments", json={"name": "production"}).status_code == 409
    run = api.post(f"{base}/deployments", json={"environment": "production", "version_id": version["id"]})
    assert run.status_code == 201
    assert api.delete(f"{base}/components/{version['id']}").status_code == 409
    assert api.delete(f"{base}/flows/{made.json()['id']}").status_code == 200
    assert api.delete(f"{base}/components/{version['id']}").status_code == 200
    whole = api.get(base).json()
    assert whole["components"] == []
    assert whole["deployments"][0]["ended_at"] is not None


def test_what_is_removed_or_ended_keeps_the_reason_in_the_evidence(api: Any):
    version = part(api)["versions"][0]
    base = f"{API}/systems/loan-desk"
    api.post(f"{base}/components", json={"ref": "model:scorer"})
    flow = api.post(
        f"{base}/flows", json={"source": "party:Applicants", "target": "model:scorer", "data": ["personal"]}
    ).json()
    place = api.post(f"{base}/environments", json={"name": "production"}).json()
    run = api.post(
        f"{base}/deployments", json={"environment": "production", "version_id": version["id"]}
    ).json()

    for path in (
        f"flows/{flow['id']}",
        f"deployments/{run['id']}",
        f"environments/{place['id']}",
        f"components/{version['id']}",
    ):
        gone = api.delete(f"{base}/{path}", params={"reason": f"no longer {path.split('/')[0]}"})
        assert gone.status_code == 200, gone.text
    too_long = api.delete(f"{base}/flows/{flow['id']}", params={"reason": "x" * 1_001})

    assert too_long.status_code == 422
    said = [change["reason"] for change in api.get(f"{base}/history").json()["items"][:4]]
    assert said == [
        "no longer components", "no longer environments", "no longer deployments", "no longer flows"
    ]  # fmt: skip


def test_a_corrected_digest_reaches_every_system_that_uses_the_version(api: Any):
    version = part(api)["versions"][0]
    api.post(f"{API}/systems/loan-desk/components", json={"version_id": version["id"]})
    before = api.get(f"{API}/systems/loan-desk").json()["digest"]

    fixed = api.put(
        f"{API}/components/versions/{version['id']}", json={"digest": "c" * 64}, headers={"If-Match": '"1"'}
    )

    assert fixed.status_code == 200
    assert api.get(f"{API}/systems/loan-desk").json()["digest"] != before
    newest = api.get(f"{API}/systems/loan-desk/history").json()["items"][0]
    assert "c" * 64 in newest["changes"][0]["after"][0]


def test_a_component_in_use_is_not_retired(api: Any):
    component = part(api)
    api.post(f"{API}/systems/loan-desk/components", json={"ref": "model:scorer@1"})

    refused = api.post(f"{API}/components/{component['id']}/retire", json={"reason": "old"})

    assert refused.status_code == 409
    assert api.get(f"{API}/components/{component['id']}/systems").json()["items"][0]["system"] == "loan-desk"


def test_a_time_that_no_calendar_holds_is_refused_and_spoils_nothing(api: Any):
    version = part(api)["versions"][0]
    base = f"{API}/systems/loan-desk"
    api.post(f"{base}/components", json={"version_id": version["id"]})
    api.post(f"{base}/environments", json={"name": "production"})

    for moment in ("0175-11-30T22:34:54Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        run = {"environment": "production", "version_id": version["id"], "deployed_at": moment}
        assert api.post(f"{base}/deployments", json=run).status_code == 422
        new = {"version": "2", "released_at": moment}
        assert api.post(f"{API}/components/{version['component_id']}/versions", json=new).status_code == 422

    assert api.get(base).status_code == 200


def test_pages_of_a_list_follow_without_gap_or_repeat(client: Any):
    names = [f"s-{i:02}" for i in range(23)]
    for name in names:
        client.post(f"{API}/systems", json={"name": name, "title": "same title"})

    seen: list[str] = []
    cursor = None
    while True:
        page = client.get(
            f"{API}/systems", params={"limit": 5, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        assert page["total"] == 23
        if cursor is None:
            break

    assert sorted(seen) == names


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJ0aXRsZSIsMSwyXQ", "é", "WyJ0aXRsZSIsIlx1ZDgwMCIsImEiXQ"])
def test_a_cursor_of_somebody_elses_making_is_refused(client: Any, cursor: str):
    assert client.get(f"{API}/systems", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("name", ["ghost", "a%00b", "%ED%A0%80", "..%2f", "%F0%9F%92%A9"])
def test_what_is_not_there_is_not_found(client: Any, name: str):
    assert client.get(f"{API}/systems/{name}").status_code == 404


def test_a_document_applies_over_http_and_names_no_paths(api: Any):
    document = b"systems:\n  - name: chat\n    components: [{kind: model, name: m, version: 2}]\n"
    headers = {"content-type": "application/yaml"}

    tried = api.post(f"{API}/apply", content=document, params={"dry_run": True}, headers=headers).json()
    done = api.post(f"{API}/apply", content=document, headers=headers).json()
    again = api.post(f"{API}/apply", content=document, headers=headers).json()
    reads = api.post(
        f"{API}/apply", content=document.replace(b"version: 2", b"path: /etc/passwd"), headers=headers
    )

    assert (tried["create"], done["create"], again["unchanged"]) == (2, 2, 2)
    assert reads.status_code == 400
    assert "digest" in reads.json()["error"]["message"]


def test_an_upload_is_looked_at_then_confirmed_once(api: Any, instance: Instance):
    csv = (
        b"system,kind,name,version,sha256\nloan-desk,model,scorer,1,"
        + DIGEST.encode()
        + b"\nloan-desk,robot,x,1,\n"
    )
    headers = {"content-type": "text/csv"}

    kept = api.post(f"{API}/imports", content=csv, params={"sheet": "components"}, headers=headers)
    assert kept.status_code == 201, kept.text
    preview = kept.json()
    assert (preview["create"], preview["rejected"], preview["applied"]) == (1, 1, False)
    assert "kind" in preview["rows"][0]["why"]
    confirm = f"{API}/imports/{preview['id']}/confirm"
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn).size
    first, second = api.post(confirm), api.post(confirm)

    assert first.json() == second.json()
    assert api.get(f"{API}/systems/loan-desk").json()["components"][0]["digest"] == DIGEST
    with instance.read() as conn:
        after = instance.ledger.checkpoint(conn).size
    assert after - before == 2  # the component, and the system changed by it


def test_every_answer_of_the_schema_is_documented(client: Any):
    paths = {path for path in client.get("/api/v1/openapi.json").json()["paths"] if path.startswith(API)}

    assert {
        f"{API}/systems",
        f"{API}/systems/{{name}}",
        f"{API}/components/{{component_id}}",
        f"{API}/apply",
    } <= paths
