"""Signatures through Sigstore, offline: under a given trust root and for a given identity, and Unknown otherwise."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alcaide.instruments.scan.provenance.trust import SigstoreTrust, Trust
from alcaide.instruments.scan.provenance.verifying import verify_signature
from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.content import root_digest
from tests.pki import NOON
from tests.unit.instruments.scan.provenance.instance import SIGNED_AT, Instance

pytest.importorskip("sigstore")

MIA, ISSUER = "mia@example.org", "https://accounts.example.org"
OURS = Instance()


def trust(instance: Instance = OURS, identity: str = MIA, issuer: str = ISSUER) -> Trust:
    return Trust(sigstore=SigstoreTrust(instance.trusted_root(), identity, issuer))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights.bin").write_bytes(b"weights")
    return tmp_path / "m"


def payload(data: bytes = b"weights") -> bytes:
    files = [("weights.bin", sha256(data).hexdigest())]
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "m", "digest": {"sha256": root_digest(files)}}],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
                "resources": [{"name": n, "algorithm": "sha256", "digest": d} for n, d in files],
            },
        }
    ).encode()


def signature(**more: Any) -> dict[str, Any]:
    return OURS.sign(payload(), **{"identity": MIA, "issuer": ISSUER, **more})


def ask(model: Path, bundle: dict[str, Any], trusted: Trust) -> Any:
    return verify_signature(model, json.dumps(bundle).encode(), trusted, now=NOON)


def test_the_named_identity_under_the_given_root_passes_long_after_its_certificate(model: Path) -> None:
    found = ask(model, signature(), trust())
    assert (found.outcome, found.reason) == ("passed", "")
    assert (found.signed_by.way, found.signed_by.signer, found.signed_by.issuer) == ("sigstore", MIA, ISSUER)
    assert found.signed_by.signed_at.startswith(f"{SIGNED_AT:%Y-%m-%dT%H:%M}")
    assert found.verified_by[0].sha256 == sha256(OURS.trusted_root()).hexdigest()


def test_a_trust_configuration_serves_as_well(model: Path) -> None:
    wrapped = json.dumps({"mediaType": "x", "trustedRoot": json.loads(OURS.trusted_root())}).encode()
    assert ask(model, signature(), Trust(sigstore=SigstoreTrust(wrapped, MIA, ISSUER))).outcome == "passed"


def test_without_a_trust_root_it_is_unknown(model: Path) -> None:
    found = ask(model, signature(), Trust())
    assert found.outcome == "unknown"
    assert "give a trust root" in found.reason


def test_another_identity_or_issuer_is_unknown_and_named(model: Path) -> None:
    found = ask(model, signature(identity="eve@example.org"), trust())
    assert found.outcome == "unknown"
    assert "signed by `eve@example.org`" in found.reason
    assert ask(model, signature(issuer="https://evil.example.org"), trust()).outcome == "unknown"


def test_another_instance_is_unknown(model: Path) -> None:
    assert ask(model, signature(), trust(Instance())).outcome == "unknown"


def test_a_flipped_byte_of_the_model_fails(model: Path) -> None:
    (model / "weights.bin").write_bytes(b"weightz")
    found = ask(model, signature(), trust())
    assert found.outcome == "failed"
    assert "`weights.bin`" in found.reason


def altered_payload(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload().replace(b'"m"', b'"n"')).decode()


def other_body(bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    body = base64.b64decode(entry["canonicalizedBody"]).replace(b"0.0.1", b"0.0.2")
    entry["canonicalizedBody"] = base64.b64encode(body).decode()


def other_promise(bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    raw = bytearray(base64.b64decode(entry["inclusionPromise"]["signedEntryTimestamp"]))
    raw[-1] ^= 1
    entry["inclusionPromise"]["signedEntryTimestamp"] = base64.b64encode(bytes(raw)).decode()


def other_time(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = str(int(NOON.timestamp()))


def other_root(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["rootHash"] = base64.b64encode(
        b"0" * 32
    ).decode()


def other_entry(bundle: dict[str, Any]) -> None:
    others = OURS.sign(payload(b"other"), MIA, ISSUER)
    bundle["verificationMaterial"]["tlogEntries"] = others["verificationMaterial"]["tlogEntries"]


def other_certificate(bundle: dict[str, Any]) -> None:
    others = OURS.sign(payload(), MIA, ISSUER)
    bundle["verificationMaterial"]["certificate"] = others["verificationMaterial"]["certificate"]


@pytest.mark.parametrize(
    "spoil",
    [altered_payload, other_body, other_promise, other_time, other_root, other_entry, other_certificate],
)
def test_every_part_of_a_bundle_must_fit_the_others(model: Path, spoil: Any) -> None:
    bundle = signature()
    spoil(bundle)
    assert ask(model, bundle, trust()).outcome != "passed"


def test_an_altered_list_under_a_good_certificate_fails(model: Path) -> None:
    bundle = signature()
    altered_payload(bundle)
    found = ask(model, bundle, trust())
    assert (found.outcome, "was altered" in found.reason) == ("failed", True)


@pytest.mark.parametrize("root", [b"", b"{}", b"[]", b'{"mediaType": "x"}', b"\xff"])
def test_a_trust_root_that_is_none_is_refused(model: Path, root: bytes) -> None:
    with pytest.raises(InvalidInput):
        ask(model, signature(), Trust(sigstore=SigstoreTrust(root, MIA, ISSUER)))
