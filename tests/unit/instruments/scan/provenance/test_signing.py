"""Signing and verifying, held against the command of the format's own library, in both directions."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alcaide.instruments.scan.provenance.signing import CertificateSigner, KeySigner, SigstoreSigner, sign
from alcaide.instruments.scan.provenance.trust import Trust, trust_of
from alcaide.instruments.scan.provenance.verifying import read_manifest, verify_signature
from alcaide.kernel.errors import InvalidInput, NotFound, Unavailable
from alcaide.predicates.base import By
from alcaide.predicates.content import listing_digest, root_digest
from alcaide.predicates.signature_verified import SignatureVerified
from tests.pki import CODE_SIGNING, NOON, SERVER, a_key, certify, private_pem, public_pem

pytest.importorskip("model_signing")

BY = By(kind="user", id="u-1", name="Mia")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "berth-planner"
    for name, data in {
        "config.json": b"{}", "weights.bin": os.urandom(3_000_000), "tokenizer/terms.json": b"[]",
        "tokenizer-2.json": b"x", "a-b": b"1", "a/b": b"2", ".gitattributes": b"*.bin lfs", ".git/HEAD": b"ref",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


class Keys:
    """A signer's key as files."""

    def __init__(self, folder: Path, kind: str = "p256", password: bytes | None = None) -> None:
        self.key = a_key(kind)
        self.private, self.public = folder / f"{kind}.key", folder / f"{kind}.pub"
        self.private.write_bytes(private_pem(self.key, password))
        self.public.write_bytes(public_pem(self.key))

    def trusted(self, name: str = "model-team") -> Trust:
        return trust_of({name: self.public.read_bytes()})


def tool(*arguments: str | Path) -> int:
    """The command of the format's own library."""
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def verified(path: Path, signature: Path, trust: Trust, **more: Any) -> Any:
    ignore = [signature.name] if signature.parent == path else []
    return verify_signature(path, signature.read_bytes(), trust, now=NOON, ignore=ignore, **more)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
def test_what_is_signed_here_verifies_there_and_what_is_signed_there_verifies_here(
    model: Path, tmp_path: Path, kind: str
) -> None:
    keys = Keys(tmp_path, kind)
    ours, theirs = tmp_path / "ours.sig", model / "model.sig"
    signed = sign(model, ours, KeySigner(keys.private))
    assert tool("verify", "key", model, "--signature", ours, "--public_key", keys.public) == 0
    assert tool("sign", "key", model, "--signature", theirs, "--private_key", keys.private) == 0
    found = verified(model, theirs, keys.trusted())
    assert (found.outcome, found.reason, found.signed_by.names) == ("passed", "", ("model-team",))
    assert read_manifest(theirs.read_bytes()).root == read_manifest(ours.read_bytes()).root == signed.root
    assert signed.listing == listing_digest(found.files)

    flip(model / "weights.bin", 2_500_000)
    assert tool("verify", "key", model, "--signature", ours, "--public_key", keys.public) != 0
    for signature in (ours, theirs):
        found = verified(model, signature, keys.trusted())
        assert found.outcome == "failed"
        assert "1 changed: `weights.bin`" in found.reason


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as handle:
        handle.seek(position)
        (byte,) = handle.read(1)
        handle.seek(position)
        handle.write(bytes([byte ^ 1]))


@pytest.mark.slow
def test_certificates_go_both_ways_and_need_the_trusted_root(model: Path, tmp_path: Path) -> None:
    root = certify("model root", ca=True, begins=NOON - timedelta(days=400), ends=NOON + timedelta(days=4000))
    middle = certify("model team", root, ca=True)
    leaf = certify("mia", middle, purposes=[CODE_SIGNING])
    key, certificate = leaf.files(tmp_path, "leaf")
    _, between = middle.files(tmp_path, "middle")
    _, anchor = root.files(tmp_path, "root")
    ours, theirs = tmp_path / "ours.sig", tmp_path / "theirs.sig"
    sign(model, ours, CertificateSigner(key, certificate, (between,)))
    assert tool("verify", "certificate", model, "--signature", ours, "--certificate_chain", anchor) == 0
    signing = ("--private_key", key, "--signing_certificate", certificate, "--certificate_chain", between)
    assert tool("sign", "certificate", model, "--signature", theirs, *signing) == 0

    trust = trust_of({"model-ca": root.pem})
    for signature in (ours, theirs):
        found = verified(model, signature, trust)
        assert (found.outcome, found.signed_by.signer) == ("passed", "CN=mia")
        assert [(one.name, one.sha256) for one in found.verified_by] == [
            ("model-ca", trust.digest_of("model-ca"))
        ]
        assert (
            verified(model, signature, trust_of({"other": certify("other", ca=True).pem})).outcome
            == "unknown"
        )
    flip(model / "config.json", 0)
    assert verified(model, ours, trust).outcome == "failed"


def test_every_kind_of_change_is_named(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signature = model / "model.sig"
    sign(model, signature, KeySigner(keys.private))
    assert verified(model, signature, keys.trusted()).outcome == "passed"

    (model / "config.json").unlink()
    (model / "extra.py").write_text("import os")
    (model / ".git" / "HEAD").write_text("other")
    flip(model / "a" / "b", 0)
    found = verified(model, signature, keys.trusted())
    assert found.check.missing == ("config.json",)
    assert found.check.unsigned == ("extra.py",)
    assert found.check.changed == ("a/b",)
    said = SignatureVerified.read(found.statement("model:berths@1", moment=NOON, by=BY))
    assert (said.outcome, said.changed.files) == ("failed", ("a/b",))  # type: ignore[union-attr]


def test_the_statement_is_about_the_files_as_they_are_now(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signature = model / "model.sig"
    signed = sign(model, signature, KeySigner(keys.private))
    good = verified(model, signature, keys.trusted()).statement("model:berths@1", moment=NOON, by=BY)
    assert [subject.sha256 for subject in good.subjects] == [signed.listing, signed.root]
    flip(model / "weights.bin", 9)
    bad = verified(model, signature, keys.trusted()).statement("model:berths@1", moment=NOON, by=BY)
    assert not {s.sha256 for s in bad.subjects} & {s.sha256 for s in good.subjects}


def test_nobody_trusted_is_unknown_and_a_broken_signature_of_a_trusted_key_fails(
    model: Path, tmp_path: Path
) -> None:
    keys, others = Keys(tmp_path), Keys(tmp_path, "p384")
    signature = tmp_path / "model.sig"
    sign(model, signature, KeySigner(keys.private))
    assert verified(model, signature, Trust()).outcome == "unknown"
    assert verified(model, signature, others.trusted()).outcome == "unknown"

    bundle = json.loads(signature.read_bytes())
    one = bundle["dsseEnvelope"]["signatures"][0]
    one["sig"] = base64.b64encode(base64.b64decode(one["sig"])[:-1] + b"x").decode()
    signature.write_text(json.dumps(bundle))
    found = verified(model, signature, keys.trusted())
    assert found.outcome == "failed"
    assert "its signature does not hold" in found.reason


def test_an_altered_list_fails_even_if_the_files_follow_it(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signature = tmp_path / "model.sig"
    sign(model, signature, KeySigner(keys.private))
    bundle = json.loads(signature.read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    (model / "config.json").write_bytes(b"evil")
    from hashlib import sha256

    for resource in statement["predicate"]["resources"]:
        if resource["name"] == "config.json":
            resource["digest"] = sha256(b"evil").hexdigest()
    files = [(r["name"], r["digest"]) for r in statement["predicate"]["resources"]]
    statement["subject"][0]["digest"]["sha256"] = root_digest(files)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    signature.write_text(json.dumps(bundle))
    found = verified(model, signature, keys.trusted())
    assert found.check.outcome == "passed"
    assert found.outcome == "failed"


def test_what_is_ignored_need_not_be_there_and_is_said_in_the_signature(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signature = tmp_path / "model.sig"
    sign(model, signature, KeySigner(keys.private), ignore=["tokenizer/", "./a-b"])
    shutil.rmtree(model / "tokenizer")
    (model / "a-b").write_text("other")
    assert verified(model, signature, keys.trusted()).outcome == "passed"
    (model / "tokenizer-2.json").write_text("other")
    assert verified(model, signature, keys.trusted()).outcome == "failed"
    for name in ("../up", "/etc", ""):
        with pytest.raises(InvalidInput, match="not a path within the folder"):
            sign(model, signature, KeySigner(keys.private), ignore=[name])


@pytest.mark.slow
def test_links_are_refused_unless_let_through_and_then_verify_there_too(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    signature = tmp_path / "model.sig"
    (model / "link.json").symlink_to("config.json")
    with pytest.raises(InvalidInput, match="is a symbolic link"):
        sign(model, signature, KeySigner(keys.private))
    assert not signature.exists()
    sign(model, signature, KeySigner(keys.private), links="inside")
    assert verified(model, signature, keys.trusted(), links="inside").outcome == "passed"
    assert verified(model, signature, keys.trusted()).check.changed == ("link.json",)
    arguments = ("--signature", signature, "--public_key", keys.public, "--allow_symlinks")
    assert tool("verify", "key", model, *arguments) == 0
    (model / "link.json").unlink()
    (model / "link.json").symlink_to(keys.public)
    with pytest.raises(InvalidInput, match="is a symbolic link"):
        sign(model, signature, KeySigner(keys.private), links="inside")


@pytest.mark.slow
def test_one_file_is_signed_by_itself(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    weights, signature = model / "weights.bin", tmp_path / "weights.sig"
    signed = sign(weights, signature, KeySigner(keys.private))
    assert tool("verify", "key", weights, "--signature", signature, "--public_key", keys.public) == 0
    found = verified(weights, signature, keys.trusted())
    assert found.outcome == "passed"
    statement = found.statement("model:berths@1", moment=NOON, by=BY)
    assert [subject.sha256 for subject in statement.subjects] == [signed.listing, signed.root]
    flip(weights, 1)
    assert verified(weights, signature, keys.trusted()).outcome == "failed"
    assert "this is a folder" in verified(model, signature, keys.trusted()).reason


@pytest.mark.parametrize(
    ("kind", "password", "given", "why"),
    [
        ("ed25519", None, None, "not on P-256, P-384 or P-521"),
        ("rsa", None, None, "not on P-256, P-384 or P-521"),
        ("k1", None, None, "not on P-256, P-384 or P-521"),
        ("p256", b"secret", None, "is encrypted; give its password"),
        ("p256", b"secret", b"wrong", "the password is wrong"),
        ("p256", None, b"secret", "is not encrypted; give no password"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_in_plain_words(
    model: Path, tmp_path: Path, kind: str, password: bytes | None, given: bytes | None, why: str
) -> None:
    keys = Keys(tmp_path, kind, password)
    with pytest.raises(InvalidInput, match=why):
        sign(model, tmp_path / "model.sig", KeySigner(keys.private, given))


def test_an_encrypted_key_signs_with_its_password(model: Path, tmp_path: Path) -> None:
    keys = Keys(tmp_path, "p256", b"secret")
    sign(model, tmp_path / "model.sig", KeySigner(keys.private, b"secret"))
    assert verified(model, tmp_path / "model.sig", keys.trusted()).outcome == "passed"


def test_a_certificate_that_cannot_sign_or_is_anothers_is_refused_before_signing(
    model: Path, tmp_path: Path
) -> None:
    root = certify("root", ca=True)
    key, server = certify("web", root, purposes=[SERVER]).files(tmp_path, "web")
    _, other = certify("mia", root).files(tmp_path, "mia")
    with pytest.raises(InvalidInput, match="without codeSigning"):
        sign(model, tmp_path / "m.sig", CertificateSigner(key, server))
    with pytest.raises(InvalidInput, match="is for another key"):
        sign(model, tmp_path / "m.sig", CertificateSigner(key, other))
    with pytest.raises(InvalidInput, match="cannot be read"):
        sign(model, tmp_path / "m.sig", CertificateSigner(key, key))


def test_nothing_there_an_empty_folder_and_a_folder_that_cannot_be_written_to_are_told(
    tmp_path: Path,
) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(NotFound, match="there is nothing at"):
        sign(tmp_path / "missing", tmp_path / "m.sig", KeySigner(keys.private))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="has no file to sign"):
        sign(tmp_path / "empty", tmp_path / "m.sig", KeySigner(keys.private))
    with pytest.raises(InvalidInput, match="cannot be written"):
        sign(keys.public, tmp_path / "no" / "m.sig", KeySigner(keys.private))
    with pytest.raises(InvalidInput, match="No such file"):
        sign(keys.public, tmp_path / "m.sig", KeySigner(tmp_path / "no.key"))


def test_sigstore_out_of_reach_is_said_and_leaves_no_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{}")
    with pytest.raises(Unavailable, match="Sigstore cannot be used from here"):
        sign(model, tmp_path / "m.sig", SigstoreSigner("token", tmp_path / "trust.json"))
    assert not (tmp_path / "m.sig").exists()


def test_a_trusted_file_that_is_neither_key_nor_authority_is_named() -> None:
    with pytest.raises(InvalidInput, match="`mine`: not a public key"):
        trust_of({"mine": b"junk"})
    with pytest.raises(InvalidInput, match="`leaf`: this certificate may not issue others"):
        trust_of({"leaf": certify("mia", certify("root", ca=True)).pem})


def test_every_flipped_byte_of_what_is_signed_or_of_the_signature_is_noticed(
    model: Path, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    signature = tmp_path / "model.sig"
    (model / "weights.bin").write_bytes(b"small")
    sign(model, signature, KeySigner(keys.private))
    good = json.loads(signature.read_bytes())
    envelope = good["dsseEnvelope"]
    for field, holder in (("payload", envelope), ("sig", envelope["signatures"][0])):
        raw = base64.b64decode(holder[field])
        for position in range(0, len(raw), 11):
            altered = bytearray(raw)
            altered[position] ^= 1
            holder[field] = base64.b64encode(bytes(altered)).decode()
            try:
                found = verify_signature(model, json.dumps(good).encode(), keys.trusted(), now=NOON)
            except InvalidInput:
                continue
            assert found.outcome == "failed", (field, position)
        holder[field] = base64.b64encode(raw).decode()
    assert verify_signature(model, json.dumps(good).encode(), keys.trusted(), now=NOON).outcome == "passed"
