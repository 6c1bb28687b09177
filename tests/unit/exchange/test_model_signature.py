from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exchange.corpus import CORPUS, content, document, dumped

from alcaide.instruments.exchange.model_signature import ModelSignature
from alcaide.instruments.scan.provenance.folder import check_folder
from alcaide.instruments.scan.provenance.verifying import read_manifest
from alcaide.kernel.errors import InvalidInput, NotFound, TooLarge
from alcaide.kernel.evidence.public_keys import load_public_key

KEYS = {name: load_public_key(content("model_signature", f"{name}.pub")) for name in ("p256", "p384")}
ROOT = "e6733b6748660149c6ad07aa0c5820c8097b059bb3156e22afec29b7828becb7"
LISTING = "b9f2e6e1d2403c56ba9fa727bd932907e90cd0c1838a0f79021ceaaa8947a694"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "berth-planner"
    shutil.copytree(CORPUS / "model_signature" / "berth-planner", folder)
    return folder


def resigned(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The kept bundle with its Statement changed, and so with a signature that no longer holds."""
    bundle = document("model_signature", "p256.sig")
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    change(statement)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(dumped(statement)).decode()
    return dumped(bundle)


@pytest.mark.parametrize("name", ["p256", "p384"])
def test_a_signature_of_the_real_tool_holds_under_its_key(name: str) -> None:
    read = ModelSignature().read(content("model_signature", f"{name}.sig"), trusted=KEYS)
    assert (read.outcome, read.signed_by) == ("passed", (name,))
    assert [(s.name, s.sha256) for s in read.subjects] == [
        ("berth-planner", ROOT),
        ("berth-planner", LISTING),
    ]
    assert read.summary["files"] == 3


def test_without_the_key_it_is_unknown_and_the_reason_names_the_hint() -> None:
    for trusted in ({}, {"p384": KEYS["p384"]}):
        read = ModelSignature().read(content("model_signature", "p256.sig"), trusted=trusted)
        assert read.outcome == "unknown"
        assert read.summary["key_hint"][:16] in read.reason


def test_a_signature_that_names_a_trusted_key_and_does_not_hold_fails() -> None:
    bundle = document("model_signature", "p256.sig")
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(b"no" * 30).decode()
    read = ModelSignature().read(dumped(bundle), trusted=KEYS)
    assert (read.outcome, read.signed_by) == ("failed", ())
    assert "`p256`, but its signature does not hold" in read.reason


def test_a_certificate_is_read_and_left_unknown() -> None:
    read = ModelSignature().read(content("model_signature", "certificate.sig"), trusted=KEYS)
    assert (read.outcome, read.summary["signed_with"]) == ("unknown", "certificate")
    assert "no time was given" in read.reason


def test_a_list_that_does_not_match_its_root_digest_fails() -> None:
    data = resigned(lambda s: s["predicate"]["resources"][0].update(digest="0" * 64))
    read = ModelSignature().read(data, trusted=KEYS)
    assert (read.outcome, read.reason) == (
        "failed",
        "the root digest is not that of the listed files; the list was altered",
    )


@pytest.mark.parametrize("signature", ["p256.sig", "shards.sig"])
def test_the_signed_folder_passes_and_every_kind_of_change_fails(signature: str, model: Path) -> None:
    manifest = read_manifest(content("model_signature", signature))
    assert check_folder(model, manifest).outcome == "passed"

    (model / "config.json").write_text("{}")
    assert check_folder(model, manifest).changed == ("config.json",)
    (model / "config.json").unlink()
    assert check_folder(model, manifest).missing == ("config.json",)
    shutil.copy(CORPUS / "model_signature" / "berth-planner" / "config.json", model)

    (model / "extra.bin").write_bytes(b"x")
    check = check_folder(model, manifest)
    assert (check.outcome, check.unsigned) == ("failed", ("extra.bin",))
    assert check_folder(model, manifest, ignore=["extra.bin"]).outcome == "passed"
    (model / "extra.bin").unlink()

    (model / ".git").mkdir()
    (model / ".git" / "HEAD").write_text("x")
    assert check_folder(model, manifest).outcome == "passed"

    with (model / "weights.bin").open("ab") as handle:
        handle.write(b"more")
    assert check_folder(model, manifest).changed == ("weights.bin",)


def test_links_are_never_followed_out_of_the_folder(model: Path, tmp_path: Path) -> None:
    manifest = read_manifest(content("model_signature", "p256.sig"))
    outside = tmp_path / "outside"
    shutil.move(model / "config.json", outside)
    (model / "config.json").symlink_to(outside)
    assert check_folder(model, manifest).changed == ("config.json",)
    (model / "config.json").unlink()
    shutil.move(outside, model / "config.json")

    shutil.move(model / "tokenizer", tmp_path / "elsewhere")
    (model / "tokenizer").symlink_to(tmp_path / "elsewhere")
    check = check_folder(model, manifest)
    assert (check.changed, check.unsigned) == (("tokenizer/terms.json",), ("tokenizer",))


def test_links_that_stay_inside_are_let_through_where_that_is_asked_and_others_are_not(
    model: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(content("model_signature", "p256.sig"))
    (model / "blob").write_bytes((model / "config.json").read_bytes())
    (model / "config.json").unlink()
    (model / "config.json").symlink_to("blob")
    assert check_folder(model, manifest, ignore=["blob"]).changed == ("config.json",)
    assert check_folder(model, manifest, ignore=["blob"], links="inside").outcome == "passed"

    shutil.move(model / "blob", tmp_path / "blob")
    (model / "config.json").unlink()
    (model / "config.json").symlink_to(tmp_path / "blob")
    assert check_folder(model, manifest, links="inside").changed == ("config.json",)
    assert check_folder(model, manifest, links="follow").outcome == "passed"


def test_a_pipe_in_place_of_a_file_does_not_hang(model: Path) -> None:
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")
    assert check_folder(model, read_manifest(content("model_signature", "p256.sig"))).changed == (
        "config.json",
    )


def test_the_check_is_bounded_shows_progress_and_needs_a_folder(model: Path) -> None:
    manifest = read_manifest(content("model_signature", "p256.sig"))
    seen: list[tuple[int, int]] = []
    check_folder(model, manifest, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert check_folder(model, manifest, workers=1) == check_folder(model, manifest, workers=3)
    with pytest.raises(TooLarge, match="more bytes than the limit"):
        check_folder(model, manifest, max_bytes=1_000)
    with pytest.raises(NotFound, match="there is nothing at"):
        check_folder(model / "missing", manifest)
    assert "a folder was signed" in check_folder(model / "config.json", manifest).reason


def test_a_digest_that_cannot_be_computed_is_unknown(model: Path) -> None:
    def blake3(statement: dict[str, Any]) -> None:
        for resource in statement["predicate"]["resources"]:
            resource["algorithm"] = "blake3"

    assert check_folder(model, read_manifest(resigned(blake3))).outcome == "unknown"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "a//b", "a\\..\\b", "./a", ".."])
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="leaves the model's folder"):
        read_manifest(resigned(lambda s: s["predicate"]["resources"][0].update(name=path)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda s: s.update(predicateType="https://model_signing/Digests/v0.1"),
            "before 1.0; sign the model again",
        ),
        (lambda s: s.update(predicateType="https://example.org/p"), "is no model signature"),
        (lambda s: s["subject"].append(s["subject"][0]), "`subject` must be one model"),
        (lambda s: s["subject"][0].update(digest={"sha512": "0" * 128}), "`subject` must be one model"),
        (lambda s: s["predicate"].update(resources=[]), "says nothing"),
        (lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]), "names a file twice"),
        (lambda s: s["predicate"]["resources"][0].update(digest="xyz"), "not a digest"),
        (lambda s: s["predicate"]["serialization"].update(method="zip"), "neither `files` nor `shards`"),
        (lambda s: s["predicate"]["serialization"].update(method="shards"), "is not `path:start:end`"),
        (lambda s: s["predicate"].update(resources="x"), "must be a list"),
    ],
)
def test_a_statement_with_a_fault_is_refused(change: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        ModelSignature().read(resigned(change))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda b: b.update(mediaType="application/json"), "not that of a Sigstore bundle"),
        (lambda b: b.pop("dsseEnvelope"), "`dsseEnvelope` is missing"),
        (lambda b: b["dsseEnvelope"].update(payloadType="text/plain"), "not that of a Statement"),
        (lambda b: b.update(verificationMaterial={}), "neither a key nor a certificate"),
    ],
)
def test_a_bundle_with_a_fault_is_refused(change: Any, why: str) -> None:
    bundle = document("model_signature", "p256.sig")
    change(bundle)
    with pytest.raises(InvalidInput, match=why):
        ModelSignature().read(dumped(bundle))


@pytest.mark.slow
def test_the_real_tool_and_this_reader_agree_on_a_fresh_model(model: Path, tmp_path: Path) -> None:
    """Signs with the model-signing command, as a person would, and reads what it wrote."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pytest.importorskip("model_signing")
    key = ec.generate_private_key(ec.SECP256R1())
    private, public, signature = tmp_path / "key.pem", tmp_path / "key.pub", model / "model.sig"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )

    def tool(*arguments: str) -> int:
        command = [sys.executable, "-m", "model_signing", *arguments]
        return subprocess.run(command, capture_output=True, check=False).returncode

    sign = ["sign", "key", str(model), "--signature", str(signature), "--private_key", str(private)]
    check = ["verify", "key", str(model), "--signature", str(signature), "--public_key", str(public)]
    assert tool(*sign) == 0
    read = ModelSignature().read(
        signature.read_bytes(), trusted={"fresh": load_public_key(public.read_bytes())}
    )
    manifest = read_manifest(signature.read_bytes())
    assert read.outcome == "passed"
    assert (tool(*check), check_folder(model, manifest, ignore=["model.sig"]).outcome) == (0, "passed")

    (model / "weights.bin").write_bytes(b"other weights")
    assert tool(*check) != 0
    assert check_folder(model, manifest, ignore=["model.sig"]).outcome == "failed"
