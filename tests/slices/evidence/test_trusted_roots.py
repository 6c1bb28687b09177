"""Signatures by certificate count where somebody here trusts the authority, and only while the certificate is valid."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.pki import CODE_SIGNING, NOON, SERVER, Certified, certify, public_pem

from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.evidence import PAYLOAD_TYPE, pae
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.verify import verify_log
from alcaide.predicates.content import listing_digest, root_digest
from alcaide.predicates.imported import Imported
from alcaide.slices.evidence import queries, service

FILES = [("config.json", "1" * 64), ("weights.bin", "2" * 64)]
ROOT = certify("model root", ca=True)
MIDDLE = certify("model team", ROOT, ca=True)
LEAF = certify("mia", MIDDLE, purposes=[CODE_SIGNING])


def a_signature(signer: Certified = LEAF, *others: Certified, digest: str = "2" * 64) -> bytes:
    """A model signature by certificate, as the format's command writes it."""
    files = [FILES[0], (FILES[1][0], digest)]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "berth-planner", "digest": {"sha256": root_digest(files)}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            "resources": [{"name": name, "algorithm": "sha256", "digest": one} for name, one in files],
        },
    }
    return a_bundle(json.dumps(statement).encode(), signer, *(others or (MIDDLE,)))


def a_bundle(payload: bytes, signer: Certified, *others: Certified) -> bytes:
    signature = signer.key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    chain = [{"rawBytes": base64.b64encode(one.der).decode()} for one in (signer, *others)]
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"x509CertificateChain": {"certificates": chain}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
            },
        }
    ).encode()


@pytest.fixture
def trusting(instance: Instance, admin: Any) -> Instance:
    service.trust_key(instance, admin, "model-ca", ROOT.pem.decode(), note="handed over in person")
    return instance


def test_a_signature_under_a_trusted_authority_is_taken_in_as_passed(trusting: Instance, admin: Any) -> None:
    result = service.import_document(trusting, admin, a_signature())
    assert (result.outcome, result.signature, result.verified_by) == ("passed", "trusted", ("model-ca",))
    assert result.foreign_leaf is not None
    with trusting.read() as conn:
        said = Imported.read(trusting.ledger.leaf(conn, result.leaf).statement())
        line = queries.trusted_key(conn, "model-ca")
    assert verify_log(trusting.ledger, processes=1).intact
    assert said.summary["signer"] == "CN=mia"
    assert said.verified_by[0].sha256 == line.sha256
    assert (line.algorithm, line.is_root) == ("x509-ecdsa-p256", True)


def test_evidence_is_found_by_the_root_and_by_the_listing_digest(trusting: Instance, admin: Any) -> None:
    result = service.import_document(trusting, admin, a_signature())
    digests = {subject.sha256 for subject in result.subjects}
    assert digests == {root_digest(FILES), listing_digest(FILES)}


def test_without_the_authority_it_is_unknown(instance: Instance, admin: Any) -> None:
    result = service.import_document(instance, admin, a_signature())
    assert (result.outcome, result.signature) == ("unknown", "unknown-key")
    assert "no root certificate is trusted here" in result.reason
    service.trust_key(instance, admin, "other-ca", certify("other", ca=True).pem.decode())
    told = service.import_document(instance, admin, a_signature(digest="3" * 64))
    assert "leads to no root trusted here" in told.reason


@pytest.mark.parametrize(
    ("signer", "why"),
    [
        (certify("web", ROOT, purposes=[SERVER]), "without codeSigning"),
        (certify("old", ROOT, ends=NOON - timedelta(days=1)), "ended on"),
    ],
)
def test_a_certificate_for_something_else_or_past_its_end_is_unknown(
    trusting: Instance, admin: Any, signer: Certified, why: str
) -> None:
    result = service.import_document(trusting, admin, a_signature(signer, ROOT))
    assert result.outcome == "unknown"
    assert why in result.reason


def test_an_altered_signature_of_a_certified_signer_is_refused(trusting: Instance, admin: Any) -> None:
    document = json.loads(a_signature())
    payload = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(
        b"berth-planner", b"berth-glanner"
    )
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(InvalidInput, match="the content was altered"):
        service.import_document(trusting, admin, json.dumps(document).encode())


def test_an_attestation_in_a_bundle_counts_too_and_an_altered_one_is_refused(
    trusting: Instance, admin: Any
) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "weights", "digest": {"sha256": "2" * 64}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"runDetails": {"builder": {"id": "https://ci.example.org"}}},
    }
    data = a_bundle(json.dumps(statement).encode(), LEAF, MIDDLE)
    result = service.import_document(trusting, admin, data)
    assert (result.kind, result.outcome, result.verified_by) == ("dsse", "passed", ("model-ca",))
    document = json.loads(data)
    statement["subject"][0]["name"] = "other"  # type: ignore[index]
    document["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    with pytest.raises(InvalidInput, match="the content was altered"):
        service.import_document(trusting, admin, json.dumps(document).encode())


def test_a_named_authority_must_have_certified_the_signer(trusting: Instance, admin: Any) -> None:
    service.trust_key(trusting, admin, "other-ca", certify("other", ca=True).pem.decode())
    with pytest.raises(InvalidInput, match="no signature in the document is by the key `other-ca`"):
        service.import_document(trusting, admin, a_signature(), key="other-ca")
    assert service.import_document(trusting, admin, a_signature(), key="model-ca").outcome == "passed"


def test_an_authority_no_longer_trusted_counts_no_more(trusting: Instance, admin: Any) -> None:
    service.distrust_key(trusting, admin, "model-ca", reason="merged into another")
    assert service.import_document(trusting, admin, a_signature()).outcome == "unknown"


def test_what_is_no_authority_and_one_that_is_trusted_already_are_refused(
    trusting: Instance, admin: Any
) -> None:
    with pytest.raises(InvalidInput, match="may not issue others"):
        service.trust_key(trusting, admin, "mia", LEAF.pem.decode())
    with pytest.raises(Conflict, match="trusted already, as `model-ca`"):
        service.trust_key(trusting, admin, "again", ROOT.pem.decode())
    # The key of an authority, by itself, is another trust: in what that key signs, and not in whom it certifies.
    service.trust_key(trusting, admin, "ca-key", public_pem(ROOT.key).decode())
    with trusting.read() as conn:
        assert not queries.trusted_key(conn, "ca-key").is_root
