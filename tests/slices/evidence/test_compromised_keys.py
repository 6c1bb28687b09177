"""A key of others that was in other hands: what came in under it since is Unknown, whoever alters the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.slices.evidence.signers import DIGEST, Signer, a_test_result
from tests.slices.evidence.test_pages import token
from tests.unit.policy.builders import a_requirement

from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger import tables
from alcaide.kernel.policy import Passed, Unknown
from alcaide.kernel.policy.evaluate import Scope, SubjectRef, evaluate
from alcaide.slices.evidence import service
from alcaide.slices.lifecycle.queries import view_with_signers

NAME = "model:theirs@1"
SCOPE = Scope(SubjectRef(NAME, DIGEST, kind="model"))
IMPORTED = a_requirement(id="imported", evidence="imported", outcome="judged")
FOREIGN = a_requirement(
    id="foreign",
    evidence="https://in-toto.io/attestation/test-result/v0.1",
    outcome="judged",
    **{"from": "elsewhere"},
)


@pytest.fixture
def taken_in(instance: Instance, admin: Any) -> Instance:
    """One test result, signed by a key that is trusted as `their-ci`."""
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    service.import_document(
        instance,
        admin,
        signer.envelope(a_test_result()),
        about=[f"{NAME}=sha256:{DIGEST}"],
        filename="r.json",
    )
    return instance


def answers(instance: Instance) -> list[Any]:
    with instance.read() as conn:
        view = view_with_signers(instance, conn, [f"name:{NAME}", f"sha256:{DIGEST}"])
    return [evaluate(r, SCOPE, view, now=instance.clock()).verdict for r in (IMPORTED, FOREIGN)]


@pytest.mark.both_databases
def test_what_came_in_under_a_compromised_key_is_unknown_from_the_moment_it_is_said(
    taken_in: Instance, admin: Any, clock: Any
):
    assert all(isinstance(verdict, Passed) for verdict in answers(taken_in))
    since = clock()
    clock.advance(hours=1)

    service.distrust_key(taken_in, admin, "their-ci", reason="stolen", because="compromised", since=since)

    for verdict in answers(taken_in):
        assert isinstance(verdict, Unknown)
        assert "key `their-ci`, which signed it, was compromised since 2026-06-01T12:00" in verdict.reason


def test_what_came_in_before_it_stays_and_so_does_what_a_key_out_of_use_signed(
    taken_in: Instance, admin: Any, clock: Any
):
    clock.advance(hours=1)
    service.distrust_key(taken_in, admin, "their-ci", reason="replaced", because="out-of-use")
    assert all(isinstance(verdict, Passed) for verdict in answers(taken_in))

    service.distrust_key(taken_in, admin, "their-ci", reason="stolen", because="compromised", since=clock())
    assert all(isinstance(verdict, Passed) for verdict in answers(taken_in))

    service.distrust_key(taken_in, admin, "their-ci", reason="stolen earlier", because="compromised")
    assert all(isinstance(verdict, Unknown) for verdict in answers(taken_in))


def test_whoever_hides_or_alters_what_is_said_of_the_key_gains_nothing(
    taken_in: Instance, admin: Any, clock: Any
):
    service.distrust_key(taken_in, admin, "their-ci", reason="stolen", because="compromised")
    with taken_in.read() as conn:
        last = taken_in.ledger.checkpoint(conn).size - 1
        honest = taken_in.ledger.leaf(conn, last).envelope
    altered = [honest[:200] + bytes([honest[200] ^ 1]) + honest[201:], b"{}"]

    for envelope in altered:
        with taken_in.db.transaction() as conn:
            conn.execute(tables.leaf.update().where(tables.leaf.c.idx == last).values(envelope=envelope))
        assert not any(isinstance(verdict, Passed) for verdict in answers(taken_in))
    with taken_in.db.transaction() as conn:
        conn.execute(sa.delete(tables.entry).where(tables.entry.c.idx == last))
    assert not any(isinstance(verdict, Passed) for verdict in answers(taken_in))


def test_what_is_said_of_a_keys_end_is_checked(taken_in: Instance, admin: Any, clock: Any):
    for more, field in (
        ({"because": "lost"}, "because"),
        ({"because": "out-of-use", "since": clock()}, "since"),
        ({"because": "compromised", "since": clock() + timedelta(hours=1)}, "since"),
    ):
        with pytest.raises(InvalidInput) as refused:
            service.distrust_key(taken_in, admin, "their-ci", reason="x", **more)
        assert field in refused.value.fields
    service.distrust_key(taken_in, admin, "their-ci", reason="x")
    with pytest.raises(Conflict):
        service.distrust_key(taken_in, admin, "their-ci", reason="x")


def test_the_page_and_the_api_say_since_when(taken_in: Instance, client: Any):
    page = client.get("/evidence/keys/distrust?name=their-ci")
    form = {"csrf_token": token(page), "name": "their-ci", "because": "compromised", "reason": "stolen"}

    assert client.post("/evidence/keys/distrust", data={**form, "since": "yesterday"}).status_code == 422
    done = client.post("/evidence/keys/distrust", data={**form, "since": "2026-06-01T12:00"})
    assert "unknown to every requirement" in done.text
    assert "Was compromised" in done.text
    assert all(isinstance(verdict, Unknown) for verdict in answers(taken_in))
    client.headers["X-CSRF-Token"] = done.text.split('name="csrf-token" content="')[1].split('"')[0]
    address = "/api/v1/evidence/trusted-keys/their-ci/distrust"
    said = {"reason": "stolen in May", "because": "compromised", "since": "2026-05-01T00:00:00Z"}
    assert client.post(address, json=said).status_code == 200
    assert client.post(address, json={**said, "because": "lost"}).status_code == 422
    assert client.get("/evidence/keys/distrust?name=nobody").status_code == 404
