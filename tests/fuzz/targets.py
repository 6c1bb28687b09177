"""What is fuzzed: one function a parser, which returns if the bytes were read and raises what the parser declares.

Each goes on where a caller would: what was read is written again, looked up, verified. An exception that is not
declared is a fault, and so is an answer that breaks what the docstring of the parser promises.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from alcaide.instruments.exchange import READERS
from alcaide.instruments.scan.provenance.verifying import read_manifest
from alcaide.kernel.backup.archive import open_archive
from alcaide.kernel.errors import AlcaideError, Corrupt, InvalidInput, NotFound
from alcaide.kernel.evidence import canonical, parse_envelope, parse_statement, strict_json
from alcaide.kernel.evidence import verify as verify_envelope
from alcaide.kernel.evidence.public_keys import load_public_key
from alcaide.kernel.ledger import merkle, subject_index
from alcaide.kernel.ledger.note import ED25519, Checkpoint, NoteKey, parse_note, verify_note
from alcaide.kernel.ledger.reader import fold_rows
from alcaide.kernel.policy.cel import compile_condition
from alcaide.kernel.policy.requirement import read_requirements
from alcaide.kernel.policy.source import read_yaml as read_policy
from alcaide.slices.evidence.rules.anchors import check_anchored, read_anchor_file
from alcaide.slices.evidence.rules.bundle import read_trusted, verify_bundle
from alcaide.slices.evidence.rules.paths import subject_key, tile_path
from alcaide.slices.evidence.rules.witness import read_request
from alcaide.slices.inventory.rules.declaration import read_declaration
from alcaide.slices.inventory.rules.sheet import (
    component_names,
    plan_components,
    plan_systems,
    read_sheet,
    system_names,
)
from alcaide.slices.inventory.rules.yaml_text import read_yaml as read_repository_yaml
from alcaide.slices.inventory.service.declare import schema as declaration_schema
from alcaide.slices.lifecycle.model import read_gates
from tests.fuzz import guard, scan
from tests.fuzz.keys import fuzz_signer

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests/corpus"
KEPT = CORPUS / "fuzz"
LONGEST_MESSAGE = 20_000  # characters; a policy file may have twenty problems, each with its place


def _none(_: int) -> list[bytes]:
    return []


@dataclass(frozen=True)
class Target:
    """A parser under fuzz. `seeds` are where to begin, beside the corpus that is kept."""

    name: str
    read: Callable[[bytes], None]
    raises: type[AlcaideError]
    shape: str = "bytes"
    seeds: tuple[str, ...] = ()
    max_len: int = 8_192
    made: Callable[[int], list[bytes]] = _none
    """Seeds that no file holds, of up to so many bytes; made anew for each run, so that none need be kept."""

    def __call__(self, data: bytes) -> bool:
        """Whether the bytes were read; False if they were refused as declared. Anything else comes through."""
        try:
            self.read(data)
        except self.raises as refused:
            said = str(refused)
            assert said, "a refusal says why"
            assert len(said) <= LONGEST_MESSAGE, f"a refusal of {len(said)} characters is not for a person"
            said.encode()  # what was refused may not come back as half a character
            return False
        return True


# ── The kernel ───────────────────────────────────────────────────────────────────────────────────────────────────


def _json(data: bytes) -> None:
    value = strict_json(data)
    written = canonical(value)
    assert canonical(strict_json(written)) == written, "canonical form is its own canonical form"


def _statement(data: bytes) -> None:
    statement = parse_statement(data)
    for key in statement.keys:
        subject_index.bucket_of(subject_index.key_hash(key))
    again = parse_statement(statement.to_bytes())
    assert again.to_bytes() == statement.to_bytes(), "a statement survives being written"


def _envelope(data: bytes) -> None:
    envelope = parse_envelope(data)
    assert parse_envelope(envelope.to_bytes()) == envelope, "an envelope survives being written"
    with contextlib.suppress(InvalidInput):
        parse_statement(envelope.payload)
    verify_envelope(envelope, _verifiers())


@cache
def _verifiers() -> Mapping[str, Any]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signer = fuzz_signer()
    return {signer.keyid: Ed25519PublicKey.from_public_bytes(signer.public)}


def _note(data: bytes) -> None:
    note = parse_note(data)
    assert parse_note(note.to_text()) == note, "a note survives being written"
    verify_note(note, [NoteKey("log.test/fuzz", ED25519, fuzz_signer().public)])
    checkpoint = Checkpoint.parse(note.text)
    assert Checkpoint.parse(checkpoint.to_text()) == checkpoint, "a checkpoint survives being written"


def _verifier_keys(data: bytes) -> None:
    for line in read_trusted(data.decode("utf-8", "replace")):
        key = NoteKey.parse(line)
        assert NoteKey.parse(key.to_text()) == key, "a verifier key survives being written"


def _proofs(data: bytes) -> None:
    """Tiles and proofs as a client is sent them: nodes of any number and order, for any place in any tree."""
    index, size, old = (int.from_bytes(data[at : at + 8], "big") for at in (0, 8, 16))
    nodes = [data[at : at + 32] for at in range(24, len(data) - 31, 32)]
    first, *path = nodes or [bytes(32)]
    held = merkle.verify_inclusion(first, index, size, path, first)
    assert not held or size == 1, "no leaf is the root of a tree with others in it"
    held = merkle.verify_consistency(old, size, first, path[0] if path else first, path[1:])
    assert not held or old <= size, "no tree is consistent with a smaller one"
    if nodes:
        assert fold_rows(b"".join(nodes))[0] == b"".join(nodes)
    if len(nodes) < 5:
        return  # too few to claim anything of the subject index
    hashed = tuple(subject_index.Entry(node, size % 7, node) for node in nodes[:4])
    try:
        subject_index.verify_key("name:a", subject_index.KeyProof(hashed, tuple(nodes[4:])), first)
    except ValueError as problem:
        raise Corrupt(f"not shown: {problem}") from None


def _paths(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(InvalidInput):
        subject_key(text)
    index, width = tile_path(text)
    assert index >= 0
    assert 1 <= width <= 256


def _witness(data: bytes) -> None:
    asked = read_request(data)
    assert asked.old >= 0
    assert all(len(node) == 32 for node in asked.proof)


def _anchors(data: bytes) -> None:
    key = NoteKey("log.test/fuzz", ED25519, fuzz_signer().public)
    found = check_anchored(
        read_anchor_file(data), [key], origin="log.test/fuzz", size=3, root_at=lambda _: b""
    )
    assert all(finding.outcome != "passed" for finding in found), "no root is empty"


@cache
def _stand_alone() -> dict[str, Any]:
    path = ROOT / "docs/verify/verify.py"
    scope: dict[str, Any] = {"__name__": "verifier"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)
    return scope


def _bundle(data: bytes) -> None:
    report = verify_bundle(data)
    scope = _stand_alone()
    try:
        about = scope["verify"](scope["unpack"](data))
    except SystemExit as refused:
        raise AssertionError(f"taken here, and the stand-alone verifier says {refused}") from None
    if isinstance(about, tuple):  # what it says, and which keys vouch for it
        about = about[0]
    assert tuple(about["about"]) == report.about, "the two verifiers read the same"


def _backup(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=".zip") as file:
        file.write(data)
        file.flush()
        with open_archive(Path(file.name), max_total=64 * 2**20) as archive:
            archive.check_all()
            for name in archive.members:
                for _ in archive.lines(name, 4_096):
                    pass


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # fuzzing should not wear a disk


def _policy(data: bytes) -> None:
    source = read_policy(data.decode("utf-8", "replace"), "fuzz.yaml")
    if isinstance(source.value, dict) and "gates" in source.value:
        for gate in read_gates(source, origin="fuzz"):
            assert len(gate.digest) == 64
    else:
        read_requirements(source)


def _condition(data: bytes) -> None:
    condition = compile_condition(data.decode("utf-8", "replace"))
    seen = {"runs": [{"results": [{"level": "error", "n": 1}] * 3}], "text": "plain", "n": 7, "at": None}
    answers = [
        condition.holds(
            predicate=seen,
            subject={"name": "model:a@1", "digest": {}},
            statement={"type": "t", "signers": []},
        )
        for _ in range(2)
    ]
    assert answers[0] == answers[1], "equal evidence gives equal answers"


# ── What others send ─────────────────────────────────────────────────────────────────────────────────────────────


def _reader(name: str) -> Callable[[bytes], None]:
    reader = next(one for one in READERS if one.name == name)

    def read(data: bytes) -> None:
        for other in READERS:
            other.sniff(data)
        options = {"trusted": _trusted()} if getattr(reader, "checks_signatures", False) else {}
        document = reader.read(data, **options)
        assert document.outcome in ("passed", "failed", "unknown")
        assert bool(document.reason) == (document.outcome != "passed"), "what did not pass says why"
        assert len(document.title) <= 200
        assert len(canonical(dict(document.summary))) < 512 * 1024
        for subject in document.subjects:
            assert subject.digest, "a subject without a digest is nobody's"
            for key in subject.keys:
                subject_index.key_hash(key)
        for statement in document.statements:
            canonical(statement.to_json())
        if name == "model-signature":
            read_manifest(data)

    return read


@cache
def _trusted() -> Mapping[str, Any]:
    return {path.name: load_public_key(path.read_bytes()) for path in sorted(CORPUS.glob("*/*.pub"))}


def _public_key(data: bytes) -> None:
    load_public_key(data)


def _sheet(data: bytes) -> None:
    kind = "components" if data[:1] in b"kc" else "systems"
    sheet = read_sheet(data, kind)
    system_names(sheet, make_name=lambda text: text[:60].lower())
    if kind == "systems":
        plan = plan_systems(sheet, {}, make_name=lambda text: text[:60].lower())
    else:
        component_names(sheet)
        plan = plan_components(sheet, {}, {})
    for row in plan.rows:
        assert row.action in ("create", "change", "unchanged", "rejected")
        assert bool(row.why) == (row.action == "rejected"), "a row that is rejected says why"


def _declaration(data: bytes) -> None:
    declaration = read_declaration(read_repository_yaml(data), declaration_schema())
    for system in declaration.systems:
        assert system.fields(None).name == system.name
    for wish in declaration.wishes:
        assert wish.ref


def _named(*targets: Target) -> dict[str, Target]:
    return {target.name: target for target in targets}


TARGETS: dict[str, Target] = _named(
    Target("json", _json, InvalidInput, "json", ("*/hostile/*.json",)),
    Target("statement", _statement, InvalidInput, "json"),
    Target("envelope", _envelope, AlcaideError, "json", ("dsse/*.json", "dsse/hostile/*")),
    Target("note", _note, AlcaideError, max_len=2_048),
    Target("verifier-keys", _verifier_keys, InvalidInput, max_len=512),
    Target("proofs", _proofs, Corrupt, max_len=4_096),
    Target("paths", _paths, NotFound, max_len=256),
    Target("witness", _witness, InvalidInput, seeds=("witness/*",), max_len=4_096),
    Target("anchors", _anchors, InvalidInput, "json", ("anchor_file/*",)),
    Target("bundle", _bundle, AlcaideError, "bundle", ("bundle/*.zip",), 65_536),
    Target("backup", _backup, AlcaideError, seeds=("bundle/*.zip",), max_len=16_384),
    Target("policy", _policy, InvalidInput, "text"),
    Target("condition", _condition, InvalidInput, "text", max_len=600),
    Target(
        "cyclonedx",
        _reader("cyclonedx"),
        InvalidInput,
        "json",
        ("cyclonedx/*", "cyclonedx/hostile/*"),
        65_536,
    ),
    Target("sarif", _reader("sarif"), InvalidInput, "json", ("sarif/*", "sarif/hostile/*"), 65_536),
    Target("dsse", _reader("dsse"), InvalidInput, "json", ("dsse/*.json", "dsse/hostile/*"), 16_384),
    Target(
        "model-signature",
        _reader("model-signature"),
        InvalidInput,
        "json",
        ("model_signature/*.sig", "model_signature/hostile/*"),
        32_768,
    ),
    Target("public-key", _public_key, InvalidInput, seeds=("*/*.pub",), max_len=2_048),
    Target("sheet", _sheet, InvalidInput, "text"),
    Target("declaration", _declaration, InvalidInput, "text"),
    Target("guard", lambda data: guard.read_text(guard.default(), data), InvalidInput, "text", max_len=4_096),
    Target(
        "guard-by-pattern",
        lambda data: guard.read_text(guard.by_pattern(), data),
        InvalidInput,
        "text",
        ("fuzz/guard/seed-*",),
        4_096,
    ),
    Target("guard-stream", guard.read_stream, InvalidInput, "text", max_len=4_096),
    Target("guard-policy", guard.read_guard_policy, AlcaideError, "text", max_len=4_096),
    Target("guard-rows", guard.read_rows, InvalidInput, "text", ("guard/text-shape.jsonl",)),
    Target("pseudonyms", guard.read_pseudonyms, InvalidInput, "json", max_len=2_048),
    *(
        Target(
            family,
            scan.read_file,
            scan.Worrying,
            "artifact",
            max_len=16_384,
            made=partial(scan.seeds, family),
        )
        for family in scan.FAMILIES
    ),
    Target("scan-folder", scan.read_folder, scan.Worrying, "json", made=lambda _: [*scan.folders()]),
    Target(
        "attestation", scan.read_attestation, InvalidInput, "json", ("dsse/*.json", "dsse/hostile/*"), 16_384
    ),
    Target(
        "signature",
        scan.read_signature,
        InvalidInput,
        "json",
        ("model_signature/*.sig", "model_signature/hostile/*"),
        32_768,
    ),
    Target("authority", scan.read_authority, InvalidInput, max_len=4_096),
    Target("card", scan.read_card, scan.Worrying, "text", max_len=4_096),
)


def seeds_of(target: Target) -> list[Path]:
    """The documents kept for other tests that this target begins with."""
    found = {path for pattern in target.seeds for path in CORPUS.glob(pattern) if path.is_file()}
    return sorted(path for path in found if path.stat().st_size <= target.max_len)
