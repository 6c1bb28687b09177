"""Statements and envelopes: what is signed is what is read, and a flipped byte is noticed."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.kernel.errors import Corrupt, InvalidInput
from alcaide.kernel.evidence import (
    Envelope,
    Statement,
    Subject,
    pae,
    parse_envelope,
    parse_statement,
    sign,
    verify,
)
from alcaide.kernel.ledger.keys import Ed25519Signer, KeyStore
from tests.builders import a_statement


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519Signer:
    return KeyStore(tmp_path / "keys").create("2026-06-01T12:00:00Z")


@pytest.fixture
def keys(tmp_path: Path, signer: Ed25519Signer) -> dict[str, object]:
    return {signer.keyid: KeyStore(tmp_path / "keys").public_keys()[signer.keyid].verifier()}


def test_pae_is_the_protocols_example() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_reads_back_and_verifies(signer: Ed25519Signer, keys: dict) -> None:  # type: ignore[type-arg]
    statement = a_statement(n=1)
    envelope = parse_envelope(sign(statement.to_bytes(), signer).to_bytes())

    assert verify(envelope, keys) == signer.keyid
    assert parse_statement(envelope.payload) == statement


def test_any_flipped_byte_is_noticed(signer: Ed25519Signer, keys: dict) -> None:  # type: ignore[type-arg]
    data = sign(a_statement(n=1).to_bytes(), signer).to_bytes()
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 0x01
        with pytest.raises((InvalidInput, Corrupt)):
            envelope = parse_envelope(bytes(altered))
            verify(envelope, keys)
            # base64's unused trailing bits can differ and still mean the same bytes: then nothing was altered
            if envelope == parse_envelope(data):
                raise Corrupt("same content")


def test_a_bad_signature_beside_a_good_one_is_tampering(signer: Ed25519Signer, keys: dict) -> None:  # type: ignore[type-arg]
    good = sign(b"{}", signer)
    bad = Envelope(
        good.payload, good.payload_type, (*good.signatures, type(good.signatures[0])(signer.keyid, b"0" * 64))
    )

    with pytest.raises(Corrupt, match="does not hold"):
        verify(bad, keys)


def test_unknown_signers_are_named(signer: Ed25519Signer) -> None:
    with pytest.raises(Corrupt, match=signer.keyid):
        verify(sign(b"{}", signer), {})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"_type": "https://example.org/other"}, "not an in-toto Statement"),
        ({"subject": []}, "at least one"),
        ({"subject": [{"name": "a"}]}, "digest"),
        ({"subject": [{"name": "a", "digest": {"sha256": "zz"}}]}, "lower-case hex"),
        ({"subject": [{"name": "a", "digest": {"sha256": "ab"}}]}, "64 hex"),
        ({"predicateType": ""}, "predicateType"),
        ({"predicate": []}, "predicate"),
    ],
)
def test_statements_say_what_is_wrong(change: dict[str, object], says: str) -> None:
    document = {**a_statement().to_json(), **change}
    with pytest.raises(InvalidInput, match=says):
        parse_statement(json.dumps(document).encode())


def test_url_safe_base64_is_read_as_dsse_asks() -> None:
    text = json.dumps(
        {
            "payload": base64.urlsafe_b64encode(b"\xfb\xff").decode(),
            "payloadType": "x",
            "signatures": [{"sig": ""}],
        }
    )
    assert parse_envelope(text.encode()).payload == b"\xfb\xff"


@given(st.binary(max_size=300))
def test_parsers_raise_nothing_but_their_own(data: bytes) -> None:
    for parse in (parse_envelope, parse_statement):
        with contextlib.suppress(InvalidInput):
            parse(data)  # type: ignore[operator]


def test_a_described_subject_does_not_depend_on_key_order() -> None:
    assert Subject.described("system:a", {"b": 1, "a": 2}) == Subject.described("system:a", {"a": 2, "b": 1})


def test_a_statement_about_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one subject"):
        Statement((), "urn:x", {}).to_bytes()
