"""The pages of the evidence: nothing there, one of each, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.builders import a_statement

from alcaide.kernel.instance import Instance
from alcaide.slices.evidence.rules.bundle import verify_bundle

SARIF = b"""{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"sweep","version":"1"}},"results":[
 {"ruleId":"S1","level":"warning","message":{"text":"look here"}}]}]}"""


def token(page: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:1000]
    return found[1]


def post(client: Any, page: str, action: str, files: Any = None, **fields: Any) -> Any:
    opened = client.get(page)
    assert opened.status_code == 200, opened.text[:2000]
    return client.post(action, data={"csrf_token": token(opened), **fields}, files=files)


@pytest.mark.parametrize(
    "path",
    [
        "/evidence",
        "/evidence/imports",
        "/evidence/import",
        "/evidence/attest",
        "/evidence/keys",
        "/evidence/anchors",
        "/evidence/leaves/0",
        "/evidence/subject?key=system:nobody",
    ],
)
def test_every_page_stands_on_an_instance_where_nothing_has_happened_yet(client: Any, path: str):
    page = client.get(path)

    assert page.status_code == 200, page.text[:3000]


@pytest.mark.both_databases
def test_the_log_is_narrowed_by_kind_subject_and_day(client: Any, instance: Instance):
    instance.write(lambda tx: tx.append(a_statement("model:a@1", claim="one")))
    instance.write(lambda tx: tx.append(a_statement("model:b@1", claim="two")))

    assert "model:a@1" in client.get("/evidence").text
    about_b = client.get("/evidence?subject=model:b@1").text
    assert "model:b@1" in about_b
    assert "model:a@1</a>" not in about_b
    assert "No leaf matches" in client.get("/evidence?type=urn:alcaide:attested:v1&subject=model:c@1").text
    assert "model:a@1" in client.get("/evidence?since=2026-06-01&until=2026-06-01").text
    assert "No leaf matches" in client.get("/evidence?until=2026-05-31").text
    assert "no day" in client.get("/evidence?since=yesterday").text


def test_the_log_is_read_page_by_page(client: Any, instance: Instance):
    for number in range(60):
        instance.write(lambda tx, number=number: tx.append(a_statement(f"model:m{number}@1")))
    first = client.get("/evidence").text

    onward = re.search(r'rel="next" href="([^"]+)"', first)

    assert onward
    second = client.get(onward[1].replace("&amp;", "&")).text
    assert "#0</a>" in second
    assert "#0</a>" not in first


def test_a_leaf_shows_its_statement_its_proof_and_that_it_holds(client: Any, instance: Instance):
    for number in range(5):
        instance.write(lambda tx, number=number: tx.append(a_statement("model:a@1", claim=f"claim {number}")))

    page = client.get("/evidence/leaves/3").text

    assert "claim 2" in page
    assert "Holds" in page
    assert "<svg" in page
    assert client.get("/evidence/leaves/3/envelope").json()["payloadType"] == "application/vnd.in-toto+json"


def test_a_leaf_beyond_the_log_is_not_found(client: Any):
    assert client.get("/evidence/leaves/99").status_code == 404


def test_an_altered_leaf_says_so(client: Any, instance: Instance):
    import sqlalchemy as sa

    from alcaide.kernel.ledger import tables

    index = instance.write(lambda tx: tx.append(a_statement("model:a@1", claim="honest")))
    other = instance.write(lambda tx: tx.append(a_statement("model:a@1", claim="forged")))
    with instance.db.transaction() as conn:
        column = tables.leaf.c
        forged = conn.execute(sa.select(column.envelope).where(column.idx == other)).scalar_one()
        conn.execute(tables.leaf.update().where(column.idx == index).values(envelope=forged))

    page = client.get(f"/evidence/leaves/{index}").text

    assert "Does not hold" in page
    assert "must not be believed" in page


def test_a_document_is_taken_in_through_the_page_and_shown_with_its_findings(client: Any, instance: Instance):
    taken = post(
        client,
        "/evidence/import",
        "/evidence/import",
        files={"file": ("scan.sarif", SARIF, "application/json")},
        about="model:a@1=sha256:" + "a" * 64,
    )

    assert taken.status_code == 200, taken.text[:2000]
    assert "sweep" in taken.text
    assert "sweep" in client.get("/evidence/imports").text
    digest = re.search(r"/evidence/originals/([0-9a-f]{64})", taken.text)
    assert digest
    assert client.get(digest[0]).content == SARIF


def test_what_cannot_be_taken_in_is_said_beside_the_form(client: Any):
    refused = post(
        client, "/evidence/import", "/evidence/import", files={"file": ("x.json", b"{}", "application/json")}
    )

    assert refused.status_code == 422
    assert "Nothing was taken in" in refused.text


def test_a_claim_is_attested_through_the_page(client: Any):
    done = post(
        client,
        "/evidence/attest",
        "/evidence/attest",
        subject="model:a@1=sha256:" + "b" * 64,
        claim="the contract was read",
        outcome="passed",
        until="2027-01-31",
    )

    assert done.status_code == 200
    assert "the contract was read" in done.text
    again = post(client, "/evidence/attest", "/evidence/attest", subject="", claim="")
    assert again.status_code == 422


def test_the_subject_page_shows_all_and_exports_it(client: Any, instance: Instance):
    instance.write(lambda tx: tx.append(a_statement("model:a@1", claim="one")))
    page = client.get("/evidence/subject?key=model:a@1")

    assert "Complete" in page.text
    exported = client.post("/evidence/export", data={"csrf_token": token(page), "subject": "model:a@1"})

    assert exported.headers["content-type"] == "application/zip"
    assert verify_bundle(exported.content).about == ("model:a@1",)


def test_a_key_is_trusted_and_no_longer_trusted_through_the_page(client: Any):
    from tests.slices.evidence.signers import a_pem

    done = post(
        client, "/evidence/keys", "/evidence/keys/trust", name="model-team", key=a_pem(), note="met them"
    )
    assert "model-team" in done.text
    wrong = post(client, "/evidence/keys", "/evidence/keys/trust", name="other", key="nonsense")
    assert wrong.status_code == 422

    gone = post(client, "/evidence/keys", "/evidence/keys/distrust", name="model-team", reason="left")

    assert "no longer trusted" in gone.text


def test_the_signing_key_is_changed_through_the_page(client: Any, instance: Instance):
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn).keyid

    done = post(client, "/evidence/keys", "/evidence/keys/rotate", reason="yearly")

    assert done.status_code == 200
    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).keyid != before


def test_viewers_see_evidence_but_are_offered_nothing_they_may_not_do(client_as: Any, instance: Instance):
    instance.write(lambda tx: tx.append(a_statement("model:a@1")))
    viewer = client_as("viewer")

    assert viewer.get("/evidence").status_code == 200
    assert "Take a document in" not in viewer.get("/evidence").text
    assert viewer.get("/evidence/import").status_code == 403
    assert "Trust a key" not in viewer.get("/evidence/keys").text


def test_who_signed_in_is_shown_only_to_those_who_may_read_everything(client_as: Any, instance: Instance):
    index = instance.write(
        lambda tx: tx.append(a_statement("user:u-1", kind="urn:alcaide:access-event:v1", event="signed-in"))
    )

    for path in (f"/evidence/leaves/{index}", f"/evidence/leaves/{index}/envelope"):
        assert client_as("viewer").get(path).status_code == 403
        assert client_as("auditor").get(path).status_code == 200
    assert f"#{index}<" not in client_as("viewer").get("/evidence").text
    assert f"#{index}<" in client_as("auditor").get("/evidence").text
    assert f"#{index}<" not in client_as("viewer").get("/evidence/subject?key=user:u-1").text
    assert client_as("viewer").get("/log/tile/entries/000.p/2").status_code == 403


def test_the_page_of_a_system_shows_its_evidence_and_what_came_from_outside(client: Any, instance: Instance):
    made = post(
        client,
        "/inventory/new",
        "/inventory/new",
        name="loan-desk",
        title="Loan desk",
        purpose="Sorts applications",
        status="proposed",
    )
    assert made.status_code == 200, made.text[:2000]
    taken = post(
        client,
        "/evidence/import",
        "/evidence/import",
        files={"file": ("scan.sarif", SARIF, "application/json")},
        about="system:loan-desk",
    )
    assert taken.status_code == 200, taken.text[:2000]

    page = client.get("/inventory/systems/loan-desk")

    assert "Brought in from outside" in page.text
    assert "1 warning" in page.text
    exported = client.post(
        "/evidence/export", data={"csrf_token": token(page), "subject": "system:loan-desk"}
    )
    assert len(verify_bundle(exported.content).originals) == 1
