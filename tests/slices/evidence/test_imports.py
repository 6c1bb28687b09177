"""Documents of others: whose signature counts, what is kept, and what never becomes a pass."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.slices.evidence.signers import DIGEST, Signer, a_test_result

from alcaide.instruments.exchange import ParsedDocument
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, TooLarge
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.verify import verify_log
from alcaide.predicates.imported import Imported
from alcaide.slices.evidence import projection, queries, service
from alcaide.slices.evidence import tables as t
from alcaide.slices.evidence.rules.bundle import verify_bundle

CORPUS = Path(__file__).parents[2] / "corpus"
ABOUT = f"model:theirs@1=sha256:{DIGEST}"
SARIF = json.dumps(
    {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "sweep"}}, "results": []}]}
).encode()


def imported(instance: Instance, leaf: int) -> Imported:
    with instance.read() as conn:
        return Imported.read(instance.ledger.leaf(conn, leaf).statement())


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa"])
def test_an_envelope_by_a_trusted_key_is_kept_byte_for_byte_and_passes(
    instance: Instance, admin: Any, kind: str
):
    signer = Signer(kind)
    service.trust_key(instance, admin, "their-ci", signer.pem)
    data = signer.envelope(a_test_result())

    result = service.import_document(instance, admin, data, about=[ABOUT], filename="result.json")

    assert (result.outcome, result.signature, result.verified_by) == ("passed", "trusted", ("their-ci",))
    assert result.foreign_leaf is not None
    with instance.read() as conn:
        assert instance.ledger.leaf(conn, result.foreign_leaf).envelope == data
        assert queries.blob(conn, sha256(data).hexdigest()) == data
        view = instance.view(conn, [f"sha256:{DIGEST}"])
    assert view.complete
    foreign, taken = view.records
    assert foreign.foreign
    assert foreign.imported == dict(taken.predicate)


@pytest.mark.both_databases
def test_the_log_with_a_foreign_envelope_verifies(instance: Instance, admin: Any):
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    service.import_document(instance, admin, signer.envelope(a_test_result()))

    assert verify_log(instance.ledger, processes=1).intact


def test_an_envelope_of_another_alcaide_can_be_taken_in_and_the_log_verifies(instance: Instance, admin: Any):
    """Its envelopes look exactly like ours but for the key: neither verifier may take them for forgeries."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from alcaide.kernel.evidence import canonical, sign
    from alcaide.kernel.ledger.keys import Ed25519Signer, keyid_of

    signer = Signer()
    raw = signer.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    theirs = Ed25519Signer(keyid_of(raw), raw, signer.private.private_bytes_raw() + raw)
    envelope = sign(canonical(a_test_result()), theirs).to_bytes()
    assert Ed25519PublicKey.from_public_bytes(raw)
    assert base64.b64encode(raw)
    service.trust_key(instance, admin, "sister", signer.pem)

    result = service.import_document(instance, admin, envelope)

    assert result.foreign_leaf is not None
    report = verify_log(instance.ledger, processes=1)
    assert report.intact, report.reason


def test_an_envelope_by_an_unknown_key_is_recorded_as_unknown_and_is_no_leaf_of_its_own(
    instance: Instance, admin: Any
):
    result = service.import_document(instance, admin, Signer().envelope(a_test_result()), about=[ABOUT])

    assert (result.outcome, result.signature, result.foreign_leaf) == ("unknown", "unknown-key", None)
    with instance.read() as conn:
        items = queries.attention(conn, instance, admin, instance.clock())
    assert any("unknown signers" in item.title for item in items)


def test_a_stated_failure_by_an_unknown_key_is_never_a_pass(instance: Instance, admin: Any):
    result = service.import_document(instance, admin, Signer().envelope(a_test_result("FAILED")))

    assert result.outcome == "failed"


@pytest.mark.both_databases
def test_it_can_be_taken_in_again_once_the_key_is_trusted_and_then_attention_falls_silent(
    instance: Instance, admin: Any
):
    signer = Signer()
    data = signer.envelope(a_test_result())
    service.import_document(instance, admin, data)
    service.trust_key(instance, admin, "their-ci", signer.pem)

    again = service.import_document(instance, admin, data)

    assert again.outcome == "passed"
    with instance.read() as conn:
        assert queries.attention(conn, instance, admin, instance.clock()) == []


def test_a_document_taken_in_twice_is_refused_so_that_old_evidence_does_not_look_fresh(
    instance: Instance, admin: Any
):
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    data = signer.envelope(a_test_result())
    first = service.import_document(instance, admin, data, about=[ABOUT])

    with pytest.raises(Conflict, match=f"leaf {first.leaf}"):
        service.import_document(instance, admin, data, about=[ABOUT])


def test_a_signature_that_names_a_trusted_key_and_does_not_hold_is_refused(instance: Instance, admin: Any):
    signer = Signer(keyid="their-ci")
    service.trust_key(instance, admin, "their-ci", signer.pem)
    document = json.loads(signer.envelope(a_test_result("FAILED")))
    document["payload"] = json.loads(signer.envelope(a_test_result("PASSED")))["payload"]

    with pytest.raises(InvalidInput, match="does not hold"):
        service.import_document(instance, admin, json.dumps(document).encode())
    with instance.read() as conn:
        assert queries.list_imports(conn)[2] == 0


def test_a_key_that_was_asked_for_must_have_signed(instance: Instance, admin: Any):
    ours, theirs = Signer(), Signer()
    service.trust_key(instance, admin, "ours", ours.pem)
    service.trust_key(instance, admin, "theirs", theirs.pem)

    with pytest.raises(InvalidInput, match="no signature in the document is by the key `ours`"):
        service.import_document(instance, admin, theirs.envelope(a_test_result()), key="ours")


def test_a_key_no_longer_trusted_does_not_count(instance: Instance, admin: Any):
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    service.distrust_key(instance, admin, "their-ci", reason="it leaked")

    result = service.import_document(instance, admin, signer.envelope(a_test_result()))

    assert result.outcome == "unknown"
    with pytest.raises(Conflict, match="never given again"):
        service.trust_key(instance, admin, "their-ci", Signer().pem)


def test_what_is_signed_for_one_model_does_not_pass_for_another(instance: Instance, admin: Any):
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    other = "model:theirs@2=sha256:" + "d" * 64

    result = service.import_document(instance, admin, signer.envelope(a_test_result()), about=[other])

    assert result.outcome == "unknown"
    assert "not `model:theirs@2` as it is now" in result.reason


def test_a_system_is_named_with_the_digest_it_has_now(instance: Instance, admin: Any, client: Any):
    made = client.post(
        "/api/v1/inventory/systems", json={"name": "loan-desk", "title": "Loan desk", "purpose": "sorts"}
    )
    if made.status_code not in (200, 201):
        pytest.skip(f"the register asks for more: {made.text[:200]}")

    result = service.import_document(instance, admin, SARIF, about=["loan-desk"])

    with instance.read() as conn:
        graph = instance.capability("system-graph")(conn, "loan-desk")
    assert result.subjects[0] == graph.subject


def test_a_name_that_nobody_registered_is_refused_with_the_way_out(instance: Instance, admin: Any):
    with pytest.raises(InvalidInput, match="nothing is registered as `model:ghost@1`"):
        service.import_document(instance, admin, SARIF, about=["model:ghost@1"])


def test_a_document_about_nothing_is_refused(instance: Instance, admin: Any):
    with pytest.raises(InvalidInput, match="does not say what it is about"):
        service.import_document(instance, admin, SARIF)


def test_too_large_empty_and_strange_documents_are_refused(instance: Instance, admin: Any):
    with pytest.raises(TooLarge):
        service.import_document(instance, admin, b" " * (instance.config.max_upload_mib * 2**20 + 1))
    for data in (b"", b"   ", b"{}", b"\x00\x01", b'{"a":1,"a":2}', b"[" * 10_000):
        with pytest.raises(InvalidInput):
            service.import_document(instance, admin, data, about=[ABOUT])


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/hostile/*")), ids=lambda p: f"{p.parts[-3]}-{p.name}")
def test_hostile_documents_change_nothing(instance: Instance, admin: Any, path: Path):
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn).size

    with pytest.raises(InvalidInput):
        service.import_document(instance, admin, path.read_bytes(), about=[ABOUT])

    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).size == before


def test_who_may_not_import_cannot(instance: Instance, viewer: Any):
    with pytest.raises(NotAllowed):
        service.import_document(instance, viewer, SARIF, about=[ABOUT])


@pytest.mark.both_databases
def test_the_list_of_imports_is_the_same_when_folded_anew(instance: Instance, admin: Any):
    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    service.import_document(instance, admin, signer.envelope(a_test_result()))
    service.import_document(instance, admin, SARIF, about=[ABOUT], filename="../../x/scan.sarif")
    with instance.read() as conn:
        before = conn.execute(sa.select(t.imported).order_by(t.imported.c.leaf)).all()

    assert instance.write(projection.replay) == 2

    with instance.read() as conn:
        assert conn.execute(sa.select(t.imported).order_by(t.imported.c.leaf)).all() == before
    assert before[1].filename == "scan.sarif"


def test_a_bundle_carries_foreign_envelopes_and_originals_and_verifies(
    instance: Instance, admin: Any, tmp_path: Path
):
    from tests.slices.evidence.test_bundle import stand_alone

    signer = Signer()
    service.trust_key(instance, admin, "their-ci", signer.pem)
    data = signer.envelope(a_test_result())
    service.import_document(instance, admin, data, about=[ABOUT])
    service.import_document(instance, admin, SARIF, about=[ABOUT])

    bundle = service.export_bundle(instance, admin, ["model:theirs@1"])[1]

    report = verify_bundle(bundle)
    assert sum(leaf.foreign for leaf in report.leaves) == 1
    assert set(report.originals) == {sha256(data).hexdigest(), sha256(SARIF).hexdigest()}
    path = tmp_path / "b.zip"
    path.write_bytes(bundle)
    assert stand_alone(path, report.keys[0]).returncode == 0


def test_an_attestation_is_evidence_under_a_name_and_ends(instance: Instance, lead: Any, clock: Any):
    from datetime import timedelta

    leaf = service.attest(
        instance, lead, [ABOUT], "the contract was read", ref="C-7", until=clock() + timedelta(days=90)
    )

    with instance.read() as conn:
        said = instance.ledger.leaf(conn, leaf).statement().predicate
    assert said["by"]["id"] == lead.id
    assert said["until"] == "2026-08-30T12:00:00.000000Z"
    with pytest.raises(InvalidInput) as wrong:
        service.attest(instance, lead, [ABOUT], " ", until=clock() - timedelta(days=1))
    assert {"claim", "until"} <= set(wrong.value.fields)


def test_private_keys_are_refused_as_trusted_keys(instance: Instance, admin: Any):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Signer().private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(InvalidInput, match="private key"):
        service.trust_key(instance, admin, "oops", private)


def test_a_foreign_record_is_signed_by_the_trusted_key_and_not_by_whom_it_names(
    instance: Instance, admin: Any
):
    signer = Signer(keyid="the-chief-auditor")
    service.trust_key(instance, admin, "their-ci", signer.pem)
    service.import_document(instance, admin, signer.envelope(a_test_result()))

    with instance.read() as conn:
        view = instance.view(conn, [f"sha256:{DIGEST}"])

    assert [record.signed_by for record in view.records if record.foreign] == ["their-ci"]


class Memo:
    """A format that a stranger taught this installation to read."""

    name = "memo"
    title = "A memo of nobody in particular"
    media_types = ("text/x-memo",)

    def sniff(self, data: bytes) -> bool:
        return data.startswith(b"MEMO ")

    def read(self, data: bytes, **options: Any) -> ParsedDocument:
        assert not options
        return ParsedDocument(
            "memo",
            "A memo",
            "text/x-memo",
            sha256(data).hexdigest(),
            (),
            {"words": len(data.split())},
            "unknown",
        )


def test_a_strangers_reader_is_asked_and_offered_like_a_built_in_one(
    instance: Instance, admin: Any, client: Any
):
    with pytest.raises(InvalidInput, match="none that is read here"):
        service.import_document(instance, admin, b"MEMO a b", about=[ABOUT])
    instance.plugins = (*instance.plugins, Memo())

    result = service.import_document(instance, admin, b"MEMO a b", about=[ABOUT])

    assert imported(instance, result.leaf).kind == "memo"
    assert "A memo of nobody in particular" in client.get("/evidence/import").text
