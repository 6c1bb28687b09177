"""Signing and verifying from the command line, in both directions with the format's own command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from alcaide.app.cli import run
from alcaide.predicates.content import listing_digest
from alcaide.predicates.signature_verified import SignatureVerified
from alcaide.slices.supply_chain import service

pytest.importorskip("model_signing")
COMMAND = Path(sys.executable).with_name("model_signing")


@pytest.fixture
def key(tmp_path):
    private = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "private.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "public.pem").write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return tmp_path


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "berth"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "weights.bin").write_bytes(b"\x00" * 64)
    return folder


def theirs(*arguments: object) -> int:
    return subprocess.run([str(COMMAND), *map(str, arguments)], capture_output=True, check=False).returncode


def test_what_is_signed_here_verifies_there_and_one_changed_byte_fails_here(key, model, capsys):
    assert run(["sign", str(model), "--key", str(key / "private.pem")]) == 0
    assert "register the version under this digest" in capsys.readouterr().out
    assert (
        theirs("verify", "key", model, "--signature", model / "model.sig", "--public_key", key / "public.pem")
        == 0
    )
    trust = ["--trust", str(key / "public.pem")]
    assert run(["verify", str(model), *trust]) == 0
    (model / "weights.bin").write_bytes(b"\x00" * 63 + b"\x01")
    capsys.readouterr()
    assert run(["verify", str(model), *trust, "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["changed"]) == ("failed", ["weights.bin"])


def test_what_is_signed_there_verifies_here(key, model, tmp_path):
    signature = tmp_path / "theirs.sig"
    assert theirs("sign", "key", model, "--signature", signature, "--private_key", key / "private.pem") == 0
    verify = ["verify", str(model), "--signature", str(signature)]
    assert run([*verify, "--trust", str(key / "public.pem")]) == 0
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "other.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run([*verify, "--trust", str(tmp_path / "other.pem")]) == 2


def test_a_verification_is_put_on_record_about_the_files_it_saw(instance, config, key, model, lead, engineer):
    from alcaide.instruments.scan.provenance.trust import trust_of
    from alcaide.instruments.scan.provenance.verifying import verify_signature

    assert run(["sign", str(model), "--key", str(key / "private.pem")]) == 0
    pem = (key / "public.pem").read_bytes()
    found = verify_signature(
        model,
        (model / "model.sig").read_bytes(),
        trust_of({"ours": pem}),
        now=instance.clock(),
        ignore=["model.sig"],
    )
    digest = listing_digest(found.files)
    leaf = service.record_verification(instance, engineer, found, f"model:berth@1=sha256:{digest}")
    with instance.read() as conn:
        view = instance.view(conn, [f"sha256:{digest}"], [SignatureVerified.TYPE])
    said = SignatureVerified.read(view.records[0].statement)
    assert view.records[0].index == leaf
    assert (said.outcome, [one.name for one in said.verified_by]) == ("passed", ["ours"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say with what to sign"),
        (["--sigstore", "--key", "k.pem"], "leave out either"),
        (["--key", "nothing.pem"], "nothing.pem"),
    ],
)
def test_signing_says_what_it_needs(model, capsys, arguments, says):
    assert run(["sign", str(model), *arguments]) == 3
    assert says in capsys.readouterr().err


def test_verifying_says_what_it_needs(model, capsys):
    assert run(["verify", str(model), "--trust", str(model / "config.json")]) == 3
    (model / "model.sig").write_text("{}")
    assert run(["verify", str(model), "--trust-root", str(model / "config.json")]) == 3
    assert "--identity and --issuer" in capsys.readouterr().err
