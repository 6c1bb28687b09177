from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exchange.corpus import CORPUS, content, document, dumped

from alcaide.instruments.exchange.dsse import Dsse, verify
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence.foreign import envelope_of
from alcaide.kernel.evidence.public_keys import load_public_key
from alcaide.kernel.strict import Fields

KEYS = {path.stem: load_public_key(path.read_bytes()) for path in sorted((CORPUS / "dsse").glob("*.pub"))}


def signers(name: str) -> tuple[str, ...]:
    return verify(envelope_of(Fields(document("dsse", name))), KEYS)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("test-result-passed.json", ("ed25519", "p256", "p384", "rsa")),
        ("test-result-failed.json", ("p256",)),
        ("provenance-v0.1.json", ("rsa",)),
        ("vsa.json", ("p384",)),
    ],
)
def test_every_trusted_signer_is_named_and_nobody_else(name: str, by: tuple[str, ...]) -> None:
    assert signers(name) == by


@pytest.mark.parametrize("what", ["payload", "payloadType", "sig"])
def test_a_changed_byte_anywhere_signed_leaves_no_signer(what: str) -> None:
    envelope = document("dsse", "vsa.json")
    if what == "payloadType":
        envelope["payloadType"] += "x"
    else:
        holder = envelope if what == "payload" else envelope["signatures"][0]
        raw = bytearray(base64.b64decode(holder[what]))
        raw[len(raw) // 2] ^= 1
        holder[what] = base64.b64encode(bytes(raw)).decode()
    assert verify(envelope_of(Fields(envelope)), KEYS) == ()


def test_a_key_id_is_a_hint_that_cannot_mislead() -> None:
    envelope = document("dsse", "vsa.json")
    envelope["signatures"][0]["keyid"] = "ed25519"
    assert verify(envelope_of(Fields(envelope)), KEYS) == ("p384",)


@pytest.mark.parametrize(
    ("name", "trusted", "outcome"),
    [
        ("test-result-passed.json", KEYS, "passed"),
        ("test-result-passed.json", {}, "unknown"),
        ("test-result-failed.json", KEYS, "failed"),
        ("test-result-failed.json", {}, "failed"),
        ("vsa.json", {"p384": KEYS["p384"]}, "passed"),
        ("vsa.json", {"p256": KEYS["p256"]}, "unknown"),
        ("provenance-v0.1.json", KEYS, "passed"),
        ("provenance-v0.1.json", None, "unknown"),
    ],
)
def test_a_pass_counts_only_from_a_trusted_key(name: str, trusted: Any, outcome: str) -> None:
    assert Dsse().read(content("dsse", name), trusted=trusted).outcome == outcome


def test_the_statement_and_its_subjects_are_taken_over() -> None:
    read = Dsse().read(content("dsse", "provenance-v0.1.json"), trusted=KEYS)
    assert read.statements[0].predicate_type == "https://slsa.dev/provenance/v0.2"
    assert [s.name for s in read.subjects] == ["model:berth-planner@3"]
    assert read.signed_by == ("rsa",)


def test_a_payload_of_another_type_is_kept_and_unknown() -> None:
    envelope = {"payloadType": "text/plain", "payload": "aGk=", "signatures": [{"sig": "AA=="}]}
    read = Dsse().read(dumped(envelope))
    assert (read.outcome, read.reason, read.statements) == (
        "unknown",
        "the payload is not an in-toto Statement",
        (),
    )


def test_an_attestation_in_a_sigstore_bundle_is_taken_out() -> None:
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "dsseEnvelope": document("dsse", "vsa.json"),
    }
    read = Dsse().read(dumped(bundle), trusted=KEYS)
    assert read.outcome == "passed"
    assert "Sigstore bundle" in read.notes[0]


def statement(**change: Any) -> bytes:
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://example.org/p",
        "predicate": {},
    } | change
    payload = base64.b64encode(dumped(body)).decode()
    return dumped(
        {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": "AA=="}]}
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (dumped({"payload": "", "signatures": [{"sig": "AA=="}]}), "`payloadType` is missing"),
        (dumped({"payloadType": "a", "payload": "", "signatures": []}), "at least one signature"),
        (dumped({"payloadType": "a", "payload": "§", "signatures": [{"sig": "AA=="}]}), "not base64"),
        (
            dumped({"payloadType": "a", "payload": "", "signatures": [{"sig": 1}]}),
            r"signatures\[0\].sig` must be text",
        ),
        (
            dumped({"payloadType": "a", "payload": "", "signatures": [{"sig": ""}] * 33}),
            "over the limit of 32",
        ),
        (
            dumped({"payloadType": "a\x00", "payload": "", "signatures": [{"sig": "AA=="}]}),
            "control characters",
        ),
        (statement(_type="x"), "`_type`"),
        (statement(subject=[]), "`subject`"),
        (statement(subject=[{"name": "a", "digest": {"sha256": "zz"}}]), "lower-case hex"),
        (statement(predicate=[]), "`predicate`"),
    ],
)
def test_an_envelope_with_a_fault_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Dsse().read(data)


def test_repeated_keys_inside_the_signed_payload_are_refused() -> None:
    payload = base64.b64encode(b'{"_type": "a", "_type": "b"}').decode()
    data = dumped(
        {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [{"sig": "AA=="}]}
    )
    with pytest.raises(InvalidInput, match="the payload: `_type` appears twice"):
        Dsse().read(data)


def test_keys_that_are_weak_private_or_none_are_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519

    def public(key: Any) -> bytes:
        return bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    for key in (ec.generate_private_key(ec.SECP256K1()), ed448.Ed448PrivateKey.generate()):
        with pytest.raises(InvalidInput, match="kind of key is not accepted"):
            load_public_key(public(key))
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(InvalidInput, match="should not leave its owner"):
        load_public_key(private)
    for junk in (b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\xff" * 100):
        with pytest.raises(InvalidInput, match="not a public key"):
            load_public_key(junk)
    with pytest.raises(TooLarge):
        load_public_key(b"x" * 100_000)


def test_too_many_trusted_keys_are_refused() -> None:
    with pytest.raises(TooLarge, match="trusted keys"):
        Dsse().read(content("dsse", "vsa.json"), trusted={str(n): KEYS["p256"] for n in range(65)})
