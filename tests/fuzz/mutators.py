"""Changing a document where it matters, so that fuzzing gets past what refuses most random bytes.

A mutator takes bytes and gives bytes, from a seed: the same seed, the same change. Where a document cannot be taken
apart it is left to libFuzzer, which changes bytes.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from alcaide.kernel.evidence import canonical
from alcaide.kernel.ledger import merkle, subject_index
from alcaide.kernel.ledger.note import Checkpoint, Note, sign_note
from alcaide.slices.evidence.rules.archive import read_archive, write_archive
from tests.fuzz.keys import fuzz_signer

Bytes = Callable[[bytes], bytes]

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, -0.0, 2**53, 2**63, 2**64, 10**25, "", "x" * 3_000, "\u0000", "\ud800", "é",
    "\U0001f6a2", "..", "/", "-", "0" * 64, "2026-02-30T25:61:00Z", [], {}, [[]], [{}], {"": {}}, [None], {"name": 1},
)  # fmt: skip


def mutate_json(data: bytes, dice: random.Random, change: Bytes) -> bytes | None:
    """The document with one node replaced, removed, doubled, moved or rewritten; None if it is not JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        value = _mutated(value, dice, change)
    written = json.dumps(value, ensure_ascii=dice.random() < 0.5, separators=(",", ":"))
    return written.encode("utf-8", "surrogatepass")


def _mutated(value: Any, dice: random.Random, change: Bytes) -> Any:
    places = list(_places(value))
    if not places:
        return dice.choice(JUNK)
    holder, key = dice.choice(places)
    node = holder[key]
    match dice.randrange(7):
        case 0:
            holder[key] = _copied(dice.choice(JUNK))
        case 1:
            del holder[key]
        case 2:
            other, at = dice.choice(places)
            if at in other if isinstance(other, dict) else at < len(other):
                holder[key] = _copied(other[at])
        case 3 if isinstance(holder, list):
            holder.insert(key, _copied(node))
        case 4 if isinstance(holder, dict):
            holder[_text(key, dice, change)] = holder.pop(key)
        case 5 if isinstance(node, str):
            holder[key] = _inside(node, dice, change)
        case _:
            holder[key] = _text(node, dice, change) if isinstance(node, str) else [_copied(node)]
    return value


def _places(value: Any) -> Any:
    pending = [value]
    while pending:
        node = pending.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            yield node, key
            pending.append(node[key])


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _text(text: str, dice: random.Random, change: Bytes) -> str:
    if dice.random() < 0.3:
        return str(dice.choice([junk for junk in JUNK if isinstance(junk, str)]))
    return change(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _inside(text: str, dice: random.Random, change: Bytes) -> str:
    """The JSON in a base64 text mutated, as in the payload of an envelope; otherwise the text."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return _text(text, dice, change)
    return base64.b64encode(mutate_json(raw, dice, change) or change(raw)).decode()


def mutate_bundle(data: bytes, dice: random.Random, change: Bytes) -> bytes | None:
    """The bundle with something in one member changed, and sealed anew by the owner of the log as far as possible."""
    try:
        members = read_archive(data)
        name = dice.choice(sorted(members))
        members[name] = mutate_json(members[name], dice, change) or change(members[name])
        return write_archive(sealed(members) if dice.random() < 0.9 else members)
    except Exception:  # noqa: BLE001 - what cannot be sealed is changed as bytes
        return None


def sealed(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members under a tree, an index, a checkpoint and a manifest that fit them, signed with the fuzzing key.

    Only for logs whose every leaf is in the bundle; of others the proofs are left as they are.
    """
    sealed_members = dict(members)
    manifest = json.loads(members["manifest.json"])
    said = manifest["predicate"]
    leaves = {int(name[7:-5]): body for name, body in members.items() if name.startswith("leaves/")}
    signer = fuzz_signer()
    if len(leaves) == said["size"]:
        hashes = [merkle.leaf_hash(leaves[index]) for index in range(len(leaves))]

        def read(level: int, position: int) -> bytes:
            return merkle.root_of(hashes[position << level : (position + 1) << level])

        said["inclusion"] = {
            str(index): [_b64(node) for node in merkle.inclusion_proof(read, index, len(hashes))]
            for index in range(len(hashes))
        }
        index_root = _index(said["subjects"], hashes)
        text = Checkpoint(said["origin"], len(hashes), merkle.root_of(hashes), index_root).to_text()
        note = Note(text, (sign_note(text, said["origin"], signer.public, signer),))
        sealed_members["checkpoint"] = note.to_text().encode()
    manifest["subject"] = [
        {"name": name, "digest": {"sha256": sha256(sealed_members[name]).hexdigest()}}
        for name in sorted(sealed_members.keys() - {"manifest.json", "manifest.sig"})
    ]
    sealed_members["manifest.json"] = canonical(manifest)
    sealed_members["manifest.sig"] = signer.sign(b"alcaide-bundle/v1\n" + sealed_members["manifest.json"])
    return sealed_members


def _index(subjects: dict[str, Any], hashes: list[bytes]) -> bytes:
    """Proofs of the subjects' leaves, and the root they lead to: an index of these subjects and of nothing else."""
    buckets: dict[int, list[subject_index.Entry]] = {}
    for key, proof in subjects.items():
        hashed = subject_index.key_hash(key)
        pairs = [(index, hashes[index]) for index in proof["leaves"]]
        if pairs:
            entry = subject_index.Entry(hashed, len(pairs), subject_index.fold(pairs))
            buckets.setdefault(subject_index.bucket_of(hashed), []).append(entry)
    row = {bucket: subject_index.bucket_hash(entries) for bucket, entries in buckets.items()}
    levels: list[dict[int, bytes]] = []
    for _ in range(subject_index.LEVELS):
        nodes: dict[int, bytearray] = {}
        for position, value in row.items():
            node = nodes.setdefault(position >> 6, bytearray(subject_index.EMPTY_NODE))
            node[(position & 63) * 32 : (position & 63) * 32 + 32] = value
        levels.append({position: bytes(node) for position, node in nodes.items()})
        row = {position: subject_index.node_hash(node) for position, node in levels[-1].items()}
    for key, proof in subjects.items():
        bucket = subject_index.bucket_of(subject_index.key_hash(key))
        places = [position for position, _ in subject_index.path_of(bucket)]
        nodes_up = [
            level.get(place, subject_index.EMPTY_NODE) for level, place in zip(levels, places, strict=True)
        ]
        proof["nodes"] = [_b64(node) for node in nodes_up]
        proof["bucket"] = [
            [entry.key_hash.hex(), entry.count, entry.acc.hex()]
            for entry in subject_index.entries_sorted(buckets.get(bucket, []))
        ]
    return row.get(0, subject_index.ZERO)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


MUTATORS: Mapping[str, Callable[[bytes, random.Random, Bytes], bytes | None]] = {
    "json": mutate_json,
    "bundle": mutate_bundle,
}
