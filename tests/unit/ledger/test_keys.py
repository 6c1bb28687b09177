"""Keys lie encrypted, open only with their secret, and say what is wrong when they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alcaide.kernel.errors import ConfigError, Corrupt, NotFound
from alcaide.kernel.ledger.keys import KeyStore

WHEN = "2026-06-01T12:00:00Z"


def test_a_key_made_once_opens_in_the_next_process(tmp_path: Path) -> None:
    keyid = KeyStore(tmp_path).create(WHEN).keyid
    again = KeyStore(tmp_path)

    signature = again.signer(keyid).sign(b"message")

    again.public_keys()[keyid].verifier().verify(signature, b"message")


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_the_private_half_is_nowhere_in_the_clear(tmp_path: Path, passphrase: str | None) -> None:
    signer = KeyStore(tmp_path, passphrase).create(WHEN)
    secret = signer._secret[:32]

    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert secret not in content
        assert secret.hex().encode() not in content
        assert path.stat().st_mode & 0o077 == 0
    assert "secret" not in repr(signer)


def test_a_wrong_or_missing_passphrase_is_said_so(tmp_path: Path) -> None:
    keyid = KeyStore(tmp_path, "right").create(WHEN).keyid

    with pytest.raises(ConfigError, match="does not open"):
        KeyStore(tmp_path, "wrong").signer(keyid)
    with pytest.raises(ConfigError, match="ALCAIDE_PASSPHRASE"):
        KeyStore(tmp_path).signer(keyid)


def test_public_halves_need_no_secret(tmp_path: Path) -> None:
    keyid = KeyStore(tmp_path, "right").create(WHEN).keyid

    assert keyid in KeyStore(tmp_path).public_keys()


def test_a_lost_secret_file_and_a_lost_key_are_told_apart(tmp_path: Path) -> None:
    keyid = KeyStore(tmp_path).create(WHEN).keyid
    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigError, match="secret file"):
        KeyStore(tmp_path).signer(keyid)
    with pytest.raises(NotFound, match="restore it"):
        KeyStore(tmp_path).signer("ed25519:" + "0" * 32)


def test_an_exchanged_public_half_is_noticed(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    first, second = store.create(WHEN), store.create(WHEN)
    path = tmp_path / f"{first.keyid.replace(':', '-')}.key.json"
    document = json.loads(path.read_text())
    other = json.loads((tmp_path / f"{second.keyid.replace(':', '-')}.key.json").read_text())
    path.write_text(json.dumps({**document, "public": other["public"]}))

    with pytest.raises(Corrupt, match="another key"):
        KeyStore(tmp_path).public_keys()
