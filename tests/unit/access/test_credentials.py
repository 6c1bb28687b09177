"""Secrets, hashes, codes and boxes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from alcaide.kernel.access import passwords
from alcaide.kernel.access.credentials import (
    digest,
    new_recovery_code,
    new_secret,
    parse_token,
    plain_recovery_code,
    same,
    token_text,
)
from alcaide.kernel.access.sealing import seal, unseal
from alcaide.kernel.access.totp import new_totp_secret, provisioning_uri, qr_data_uri, step_of, verify_totp
from alcaide.kernel.errors import Corrupt, NotFound, TooMany
from alcaide.kernel.ledger.keys import KeyStore

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "COST", passwords.Cost(passes=1, memory_kib=64, lanes=1))


def test_the_shipped_cost_is_the_one_of_rfc_9106():
    assert (passwords.Cost().passes, passwords.Cost().memory_kib, passwords.Cost().lanes) == (3, 65536, 4)


def test_a_password_is_verified_by_argon2id_and_only_as_typed():
    stored = passwords.hash_password("violet harbour")

    assert stored.startswith("$argon2id$")
    assert passwords.verify_password(stored, "violet harbour")
    assert not passwords.verify_password(stored, "Violet harbour")
    assert not passwords.verify_password(stored, "")
    assert stored != passwords.hash_password("violet harbour")


def test_the_same_letters_from_another_keyboard_are_the_same_password():
    composed, decomposed = "caf\u00e9 harbour", "cafe\u0301 harbour"

    assert passwords.verify_password(passwords.hash_password(composed), decomposed)


@pytest.mark.parametrize("stored", [None, "", "$argon2id$broken", "plain"])
def test_no_hash_matches_no_password(stored):
    assert not passwords.verify_password(stored, "violet harbour")


def test_the_stand_in_for_no_hash_is_nobodys_password():
    for guess in ("", "password", "\x00"):
        assert not passwords.verify_password(None, guess)


def test_an_endless_password_is_not_hashed_whole():
    stored = passwords.hash_password("x" * 256)
    assert passwords.verify_password(stored, "x" * 256)
    assert not passwords.verify_password(stored, "x" * 10_000_000)


def test_a_flood_of_sign_ins_is_turned_away_rather_than_filling_memory(monkeypatch):
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(passwords, "_AT_ONCE", threading.BoundedSemaphore(1))
    with passwords._AT_ONCE, pytest.raises(TooMany):
        passwords.hash_password("violet harbour")
    passwords.hash_password("violet harbour")


def test_secrets_are_long_random_and_compared_by_digest():
    secret = new_secret()

    assert len(bytes.fromhex(secret)) == 32
    assert secret != new_secret()
    assert same(secret, digest(secret))
    assert not same(secret + "0", digest(secret))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alc_",
        "alc__",
        "alc_abc_def",
        "ALC_01abcdefgh_" + "0" * 64,
        "alc_01abcdefgh_" + "0" * 63,
        "alc_01abcdefgh_" + "G" * 64,
        "alc_01abcdefgh_" + "0" * 64 + "\n",
        "alc_" + "0" * 33 + "_" + "0" * 64,
        "x" * 10**6,
    ],
)
def test_what_is_no_token(text):
    assert parse_token(text) is None


def test_a_token_reads_back():
    parts = parse_token(token_text("01abcdefgh", "0f" * 32))

    assert parts is not None
    assert (parts.id, parts.secret) == ("01abcdefgh", "0f" * 32)


def test_a_recovery_code_is_read_however_it_is_typed():
    code = new_recovery_code()

    for typed in (code, code.upper(), code.replace("-", ""), code.replace("-", " "), code.replace("1", "I")):
        assert plain_recovery_code(typed) == code
    for wrong in ("", "123456", code[:-1], code + "0", code[:-1] + "u", "é" * 16, "x" * 10**6):
        assert plain_recovery_code(wrong) is None


# RFC 6238 appendix B, SHA-1 rows, cut to six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    moment = datetime.fromtimestamp(seconds, UTC)

    assert verify_totp(RFC_SECRET, code, moment, 0) == step_of(moment)
    assert verify_totp(RFC_SECRET, code, moment, step_of(moment)) is None
    assert verify_totp(RFC_SECRET, code, moment + timedelta(seconds=90), 0) is None


def test_a_secret_has_160_bits_and_the_picture_makes_no_request():
    secret = new_totp_secret()
    uri = provisioning_uri(secret, "ada@example.org", "Alcaide")
    picture = qr_data_uri(uri)

    assert len(secret) == 32
    assert uri.startswith("otpauth://totp/Alcaide:ada%40example.org?secret=" + secret)
    assert picture.startswith("data:image/svg+xml")
    assert secret not in picture


@pytest.fixture
def keys(tmp_path):
    return KeyStore(tmp_path / "keys")


def test_a_sealed_secret_opens_for_its_context_with_its_key(keys):
    signer = keys.create("2026-06-01T12:00:00.000000Z")
    box = seal(signer, b"secret", context="totp:u-1")

    assert b"secret" not in box
    assert box != seal(signer, b"secret", context="totp:u-1")
    assert unseal(KeyStore(keys.folder), box, context="totp:u-1") == b"secret"


def test_a_sealed_secret_opens_for_nothing_else(keys, tmp_path):
    signer = keys.create("2026-06-01T12:00:00.000000Z")
    box = seal(signer, b"secret", context="totp:u-1")

    with pytest.raises(Corrupt):
        unseal(keys, box, context="totp:u-2")
    for position in range(len(box)):
        with pytest.raises((Corrupt, NotFound)):
            unseal(
                keys, box[:position] + bytes([box[position] ^ 1]) + box[position + 1 :], context="totp:u-1"
            )
    for cut in (b"", box[:10], box[:-1]):
        with pytest.raises(Corrupt):
            unseal(keys, cut, context="totp:u-1")
    with pytest.raises(Corrupt, match="key that is gone"):
        unseal(KeyStore(tmp_path / "other"), box, context="totp:u-1")
