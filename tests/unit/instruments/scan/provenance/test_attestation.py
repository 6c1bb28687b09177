"""SLSA provenance and other statements about files: of these bytes, by somebody trusted, built by whom, from what."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alcaide.instruments.scan.provenance.attestation import plain_source, verify_attestation
from alcaide.instruments.scan.provenance.trust import Trust, trust_of
from alcaide.kernel.errors import InvalidInput, NotFound, TooLarge
from alcaide.kernel.evidence import PAYLOAD_TYPE, pae
from alcaide.predicates.base import By
from alcaide.predicates.content import listing_digest
from alcaide.predicates.signature_verified import SignatureVerified
from tests.pki import NOON, a_key, public_pem

KEY = a_key("ed25519")
OURS = trust_of({"ci": public_pem(KEY)})
BUILDER = "https://ci.example.org/builders/model@v1"
SOURCE = "git+https://git.example.org/models/scorer.git@refs/heads/main"
V1 = {
    "buildDefinition": {
        "buildType": "https://ci.example.org/train/v1",
        "externalParameters": {"source": {"uri": SOURCE}},
        "resolvedDependencies": [
            {"uri": SOURCE, "digest": {"gitCommit": "c" * 40}},
            {"uri": "https://huggingface.co/datasets/acme/loans", "digest": {"sha256": "d" * 64}},
        ],
    },
    "runDetails": {"builder": {"id": BUILDER}, "metadata": {"invocationId": "run-7"}},
}
V02 = {
    "builder": {"id": BUILDER},
    "buildType": "https://ci.example.org/train/v0",
    "invocation": {"configSource": {"uri": SOURCE, "digest": {"sha1": "c" * 40}}},
    "materials": [{"uri": "https://huggingface.co/base/llama", "digest": {"sha256": "e" * 64}}],
}
TYPES = {"https://slsa.dev/provenance/v1": V1, "https://slsa.dev/provenance/v0.2": V02}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    return tmp_path / "weights.bin"


def digest(data: bytes = b"weights") -> str:
    return sha256(data).hexdigest()


def signed(
    predicate: Any = None,
    *digests: str,
    kind: str = "https://slsa.dev/provenance/v1",
    key: Any = KEY,
    bundled: bool = False,
) -> bytes:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": f"n{n}", "digest": {"sha256": one}} for n, one in enumerate(digests or [digest()])
        ],
        "predicateType": kind,
        "predicate": V1 if predicate is None else predicate,
    }
    payload = json.dumps(statement).encode()
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload))).decode(), "keyid": ""}],
    }
    if not bundled:
        return json.dumps(envelope).encode()
    material = {"publicKey": {"hint": ""}, "tlogEntries": []}
    return json.dumps({"verificationMaterial": material, "dsseEnvelope": envelope}).encode()


def ask(path: Path, data: bytes, trust: Trust = OURS, **more: Any) -> Any:
    return verify_attestation(path, data, trust, now=NOON, **more)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("bundled", [False, True])
def test_provenance_by_a_trusted_builder_about_these_bytes_passes(
    weights: Path, kind: str, bundled: bool
) -> None:
    data = signed(TYPES[kind], kind=kind, bundled=bundled)
    found = ask(weights, data, builder=BUILDER, source="https://git.example.org/models/scorer")
    assert (found.kind, found.outcome, found.reason) == ("slsa-provenance", "passed", "")
    assert (found.builder, found.source) == (BUILDER, SOURCE)
    statement = found.statement("model:scorer@3", moment=NOON, by=By(kind="user", id="u", name="Mia"))
    said = SignatureVerified.read(statement)
    assert (said.builder, said.verified_by[0].name, statement.subjects[0].sha256) == (BUILDER, "ci", digest())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"builder": "https://laptop.example.org"}, f"it was built by `{BUILDER}`, and not by"),
        ({"source": "https://git.example.org/models/other"}, "it was built from"),
        ({"source": "https://git.example.org/models/scorer2"}, "it was built from"),
    ],
)
def test_another_builder_or_source_than_expected_fails(
    weights: Path, kind: str, asked: dict[str, str], why: str
) -> None:
    found = ask(weights, signed(TYPES[kind], kind=kind), **asked)
    assert found.outcome == "failed"
    assert why in found.reason


def test_a_statement_that_keeps_silent_does_not_meet_an_expectation(weights: Path) -> None:
    for predicate, kind in (
        ({}, "https://slsa.dev/provenance/v1"),
        ({"x": 1}, "https://example.org/reviewed/v1"),
    ):
        found = ask(weights, signed(predicate, kind=kind), builder=BUILDER, source=SOURCE)
        assert found.outcome == "failed"
        assert "nobody it names" in found.reason
        assert "nothing it names" in found.reason


def test_other_bytes_fail_and_name_the_file(tmp_path: Path, weights: Path) -> None:
    weights.write_bytes(b"weightz")
    assert "the statement is about other bytes" in ask(weights, signed()).reason
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    (folder / "b").write_bytes(b"2")
    assert ask(folder, signed(None, digest(b"1"), digest(b"2"))).outcome == "passed"
    files = [("a", digest(b"1")), ("b", digest(b"2"))]
    assert ask(folder, signed(None, listing_digest(files))).outcome == "passed"
    found = ask(folder, signed(None, digest(b"1")))
    assert found.outcome == "failed"
    assert "1 of 2 files are not among its subjects, such as `b`" in found.reason
    assert ask(folder, signed(None, digest(b"1")), ignore=["b"]).outcome == "passed"


def test_an_unknown_signer_is_unknown_and_an_altered_envelope_of_a_known_one_is_not_passed(
    weights: Path,
) -> None:
    assert ask(weights, signed(key=a_key("ed25519"))).outcome == "unknown"
    assert ask(weights, signed(), Trust()).outcome == "unknown"
    document = json.loads(signed())
    payload = base64.b64decode(document["payload"]).replace(b"run-7", b"run-8")
    document["payload"] = base64.b64encode(payload).decode()
    assert ask(weights, json.dumps(document).encode()).outcome == "unknown"


def test_of_several_lines_the_one_about_these_files_answers(weights: Path) -> None:
    other, good, stranger = signed(None, "9" * 64), signed(), signed(key=a_key("ed25519"))
    assert ask(weights, b"\n".join([other, stranger, good])).outcome == "passed"
    assert ask(weights, b"\n".join([other, stranger])).outcome == "unknown"
    assert ask(weights, other).outcome == "failed"
    with pytest.raises(TooLarge, match="201 attestations"):
        ask(weights, b"\n".join([good] * 201))


def test_only_the_kind_that_was_asked_for_is_looked_at(weights: Path) -> None:
    data = b"\n".join([signed({}, kind="https://example.org/reviewed/v1"), signed()])
    assert ask(weights, data, predicate_type="https://example.org/reviewed/v1").kind == "in-toto"
    with pytest.raises(InvalidInput, match="no in-toto statement of type"):
        ask(weights, data, predicate_type="https://example.org/other")


@pytest.mark.parametrize(
    "predicate",
    [
        {"buildDefinition": []},
        {"runDetails": {"builder": {"id": 3}}},
        {"buildDefinition": {"resolvedDependencies": "x"}},
        {"buildDefinition": {"externalParameters": {"workflow": {"repository": 3}}}},
    ],
)
def test_odd_provenance_is_refused_with_its_field(weights: Path, predicate: Any) -> None:
    with pytest.raises(InvalidInput, match="predicate"):
        ask(weights, signed(predicate))


def test_nothing_there_and_no_envelope_are_told(weights: Path) -> None:
    with pytest.raises(NotFound):
        ask(weights.with_name("missing"), signed())
    for junk in (b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(InvalidInput):
            ask(weights, junk)


@pytest.mark.parametrize(
    "uri",
    [
        SOURCE, "https://git.example.org/models/scorer", "https://Git.example.org/models/scorer.git",
        "git+https://git.example.org/models/scorer@abc", "https://git.example.org/models/scorer/#readme",
    ],
)  # fmt: skip
def test_how_a_source_is_fetched_makes_it_no_other(uri: str) -> None:
    assert plain_source(uri) == "https://git.example.org/models/scorer"


def test_a_source_is_not_another_because_it_begins_alike() -> None:
    assert plain_source("https://git.example.org/models/scorer-evil") != plain_source(SOURCE)
    assert plain_source("https://git.example.org@evil.example.net/models/scorer") != plain_source(SOURCE)
