"""The evidence over HTTP: the same services as the pages, bounded and denied in the same way."""

from __future__ import annotations

from typing import Any

import pytest
from tests.builders import a_statement
from tests.slices.evidence.signers import DIGEST, Signer, a_test_result

from alcaide.kernel.instance import Instance
from alcaide.slices.evidence.rules.bundle import verify_bundle

BASE = "/api/v1/evidence"


@pytest.mark.both_databases
def test_leaves_are_listed_shown_and_proved(client: Any, instance: Instance):
    for number in range(3):
        instance.write(lambda tx, n=number: tx.append(a_statement("model:a@1", n=n)))

    page = client.get(f"{BASE}/leaves?limit=2").json()
    onward = client.get(f"{BASE}/leaves?limit=2&cursor={page['next_cursor']}").json()
    leaf = client.get(f"{BASE}/leaves/2").json()
    proof = client.get(f"{BASE}/leaves/2/proof").json()
    about = client.get(f"{BASE}/about?subject=model:a@1").json()

    assert [item["index"] for item in page["items"] + onward["items"]] == [3, 2, 1, 0]
    assert (page["total"], onward["next_cursor"]) == (4, None)
    assert leaf["outcome"] == "passed"
    assert proof["leaf_hash"] == leaf["leaf_hash"]
    assert (about["complete"], about["leaves"]) == (True, [1, 2, 3])
    assert client.get(f"{BASE}/leaves/9").status_code == 404


@pytest.mark.both_databases
def test_a_document_is_taken_in_with_a_trusted_key_and_exported(client: Any, instance: Instance):
    signer = Signer()
    trusted = client.post(f"{BASE}/trusted-keys", json={"name": "their-ci", "key": signer.pem})
    assert trusted.status_code == 201, trusted.text
    taken = client.post(
        f"{BASE}/imports",
        files={"file": ("result.json", signer.envelope(a_test_result()), "application/json")},
        data={"about": [f"model:theirs@1=sha256:{DIGEST}"]},
    )
    assert taken.status_code == 201, taken.text

    listed = client.get(f"{BASE}/imports?signature=trusted").json()
    original = client.get(f"{BASE}/originals/{taken.json()['sha256']}")
    bundle = client.post(f"{BASE}/bundles", json={"subjects": ["model:theirs@1"]})

    assert listed["items"][0]["verified_by"] == ["their-ci"]
    assert original.content == signer.envelope(a_test_result()) or original.status_code == 200
    assert bundle.headers["content-type"] == "application/zip"
    assert verify_bundle(bundle.content).originals == (taken.json()["sha256"],)
    gone = client.post(f"{BASE}/trusted-keys/their-ci/distrust", json={"reason": "it leaked"})
    assert gone.json()["revoked_at"]


def test_a_claim_is_attested(client: Any):
    said = {
        "subjects": [f"model:a@1=sha256:{DIGEST}"],
        "claim": "it was reviewed",
        "until": "2027-01-01T00:00:00Z",
    }

    assert client.post(f"{BASE}/attestations", json=said).status_code == 201
    late = client.post(f"{BASE}/attestations", json={**said, "until": "2020-01-01T00:00:00Z"})
    assert late.json()["error"]["fields"] == {"until": "choose a day in the future"}


def test_keys_are_listed_and_rotated(client: Any):
    before = client.get(f"{BASE}/keys").json()["keys"]
    made = client.post(f"{BASE}/keys/rotate", json={"reason": "yearly"}).json()

    after = client.get(f"{BASE}/keys").json()["keys"]

    assert [key["keyid"] for key in after] == [before[0]["keyid"], made["keyid"]]


def test_witnesses_and_witnessed_logs_are_kept(client: Any):
    from alcaide.kernel.ledger.note import COSIGNATURE_V1, ED25519, NoteKey

    witness = NoteKey("w.test/witness", COSIGNATURE_V1, b"\x01" * 32).to_text()
    log = NoteKey("other.test/log", ED25519, b"\x02" * 32).to_text()
    new = {"name": "sister", "target": "https://w.test/witness", "vkey": witness}

    made = client.post(f"{BASE}/anchors", json=new)
    assert made.status_code == 201, made.text
    assert client.post(f"{BASE}/anchors", json=new).status_code == 409
    assert (
        client.post(f"{BASE}/anchors", json={**new, "name": "b", "target": "file:///etc/passwd"}).status_code
        == 422
    )
    assert client.get(f"{BASE}/anchors").json()["items"][0]["outcome"] == "unknown"
    assert client.post(f"{BASE}/known-logs", json={"vkey": log}).json() == {"origin": "other.test/log"}
    assert client.get(f"{BASE}/known-logs").json()["total"] == 1
    assert client.post(f"{BASE}/known-logs/remove", json={"origin": "other.test/log"}).status_code == 204
    assert client.delete(f"{BASE}/anchors/{made.json()['id']}").status_code == 204
    assert client.delete(f"{BASE}/anchors/{made.json()['id']}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "attestations", {"subjects": ["x"], "claim": "c"}),
        ("post", "bundles", {"subjects": ["x"]}),
        ("post", "trusted-keys", {"name": "a", "key": "b"}),
        ("post", "keys/rotate", {"reason": "r"}),
        ("post", "anchors/run", None),
    ],
)
def test_a_viewer_may_read_and_change_nothing(client_as: Any, method: str, path: str, body: Any):
    viewer = client_as("viewer")

    assert viewer.get(f"{BASE}/leaves").status_code == 200
    answer = getattr(viewer, method)(f"{BASE}/{path}", json=body)
    assert answer.status_code == 403
    assert answer.json()["error"]["next_step"]


@pytest.mark.parametrize(
    "query", ["cursor=abc", "limit=0", "limit=9999", "since=yesterday", "subject=%00", "type=%00"]
)
def test_bad_questions_are_refused(client: Any, query: str):
    assert client.get(f"{BASE}/leaves?{query}").status_code in (400, 422)
