"""What a bundle holds, and checking one from its bytes alone.

A bundle answers "what does this log say about these subjects, and is that all of it?" for somebody who has neither
the log nor Alcaide. `docs/verify/bundle.md` describes the format; `docs/verify/verify.py` is a second, independent
reading of it, and a test holds the two to the same answers.

Left out on purpose: whose keys these are. That a key is ours has to be said by other means, which is `trusted`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any

import msgspec

from alcaide.kernel.errors import AlcaideError, Corrupt, InvalidInput, TooLarge
from alcaide.kernel.evidence import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    Envelope,
    Signer,
    Statement,
    canonical,
    pae,
    parse_envelope,
    parse_statement,
    strict_json,
)
from alcaide.kernel.ledger import merkle, subject_index
from alcaide.kernel.ledger.keys import keyid_of
from alcaide.kernel.ledger.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Note,
    NoteKey,
    parse_note,
    verify_note,
)
from alcaide.kernel.ledger.subject_index import Entry, KeyProof
from alcaide.predicates.imported import Imported
from alcaide.predicates.key_event import KeyEvent
from alcaide.slices.evidence.model import (
    BundleContent,
    BundleExamination,
    BundleLeaf,
    BundleReport,
    ChainKey,
    LeafCheck,
)
from alcaide.slices.evidence.rules.archive import leaf_member, read_archive, said_of, write_archive
from alcaide.slices.evidence.rules.page import index_page

BUNDLE = "urn:alcaide:bundle:v1"
FORMAT = 1
_PREFIX = b"alcaide-bundle/v1\n"  # keeps a signature over a manifest from being one over anything else
_MANIFEST_MEMBERS = frozenset({"manifest.json", "manifest.sig"})
_MAX_MANIFEST = 256 * 2**20

CHECKS: Mapping[str, str] = {
    "Archive": "it has no byte that is not accounted for",
    "Manifest": "the log's newest key signed it, and it names every member by its digest",
    "Checkpoint": "that key signed it, and so did every witness that is named",
    "Inclusion": "every leaf lies under the checkpoint's root",
    "Keys": "each was announced by the one before it, and signed only while it was in force",
    "Imports": "every leaf by somebody else was taken in by the log",
    "Completeness": "what is here about each subject is all that the log says about it",
    "Originals": "every document has the digest it is filed under",
}
"""What is checked, in this order: each stands on those before it, so the first that fails ends the reading."""


# -- making -------------------------------------------------------------------------------------------


def build_bundle(content: BundleContent, signer: Signer) -> bytes:
    """The bundle of this content. The same content gives the same bytes: nothing in it depends on when or by whom."""
    members: dict[str, bytes] = {"checkpoint": content.checkpoint.encode()}
    members |= {leaf_member(index): envelope for index, envelope in content.leaves.items()}
    members |= {f"originals/{digest}": original for digest, original in content.originals.items()}
    members["index.html"] = index_page(content)
    manifest = canonical(_manifest(content, members))
    members["manifest.json"] = manifest
    members["manifest.sig"] = signer.sign(_PREFIX + manifest)
    return write_archive(members)


def _manifest(content: BundleContent, members: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": sha256(members[name]).hexdigest()}}
            for name in sorted(members)
        ],
        "predicateType": BUNDLE,
        "predicate": {
            "format": FORMAT,
            "about": list(content.about),
            "origin": content.origin,
            "size": content.size,
            "at": content.at,
            "keys": [
                {"keyid": key.keyid, "public": _b64(key.public), "leaf": key.leaf} for key in content.chain
            ],
            "witnesses": [[key.name, _b64(key.public)] for key in content.witnesses],
            "inclusion": {str(i): [_b64(node) for node in path] for i, path in content.inclusion.items()},
            "subjects": {
                key: {
                    "leaves": list(leaves),
                    "bucket": [
                        [e.key_hash.hex(), e.count, e.acc.hex()]
                        for e in subject_index.entries_sorted(proof.entries)
                    ],
                    "nodes": [_b64(node) for node in proof.nodes],
                }
                for key, (leaves, proof) in content.subjects.items()
            },
        },
    }


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


# -- checking -----------------------------------------------------------------------------------------


class _Key(msgspec.Struct, frozen=True):
    keyid: str
    public: bytes
    leaf: int


class _Subject(msgspec.Struct, frozen=True):
    leaves: list[int]
    bucket: list[tuple[str, int, str]]
    nodes: list[bytes]


class _Predicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    about: list[str]
    origin: str
    size: int
    at: str
    keys: list[_Key]
    witnesses: list[tuple[str, bytes]]
    inclusion: dict[str, list[bytes]]
    subjects: dict[str, _Subject]


class _Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    digest: dict[str, str]


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: list[_Resource]
    predicateType: str  # noqa: N815 - in-toto's spelling
    predicate: _Predicate


def verify_bundle(
    data: bytes, trusted: Collection[str] = (), held: Callable[[str], None] = lambda _: None
) -> BundleReport:
    """Check a bundle from its bytes alone. Raises Corrupt, InvalidInput or TooLarge naming the leaf or member.

    1. the archive has no byte that is not accounted for
    2. the manifest is signed by the log's newest key and names every other member by its digest
    3. the checkpoint is signed by that key; so are the cosignatures of the witnesses that the manifest names
    4. every leaf lies under the checkpoint's root
    5. each key was announced by the one before it, and signs what was said while it was in force
    6. every leaf by somebody else was taken in by an `imported` that is here too
    7. what is here about each subject is all that the log says about it
    8. every original has the digest it is filed under

    `trusted`: key ids of the log, or verifier keys (`name+hash+key`) of the log or of witnesses. `held` is told the
    name of each of CHECKS as it holds.
    """
    members = read_archive(data)  # 1
    held("Archive")
    manifest = _read_manifest(members)
    said = manifest.predicate
    chain = _check_manifest(manifest, members)  # 2
    held("Manifest")
    note, checkpoint, cosigned = _check_checkpoint(said, members, chain[-1])  # 3
    held("Checkpoint")
    leaves = {int(n[7:-5]): body for n, body in members.items() if n.startswith("leaves/")}
    _check_inclusion(leaves, said, checkpoint)  # 4
    held("Inclusion")
    read = _check_signatures(leaves, chain)  # 5
    held("Keys")
    _check_imports(read)  # 6
    held("Imports")
    for key, subject in said.subjects.items():  # 7
        _check_complete(key, subject, leaves, checkpoint.index_root or subject_index.ZERO)
    held("Completeness")
    _check_originals(members)  # 8
    held("Originals")
    return BundleReport(
        origin=said.origin,
        size=said.size,
        root=checkpoint.root.hex(),
        at=said.at,
        about=tuple(said.about),
        keys=tuple(key.keyid for key in chain),
        leaves=tuple(read[index] for index in sorted(read)),
        originals=tuple(sorted(name[10:] for name in members if name.startswith("originals/"))),
        witnesses=tuple((key.name, _cosigned_at(note, key)) for key in cosigned),
        trusted=_trusted(trusted, said.origin, chain, cosigned),
    )


def examine_bundle(data: bytes, trusted: Collection[str] = ()) -> BundleExamination:
    """What `verify_bundle` finds, check by check; a refusal is an answer here and not an error.

    Passed needs all of CHECKS and a key that was named as trusted; without one it is Unknown, whoever asks. What
    comes after the check that failed was not looked at, and says so.
    """
    held: list[str] = []
    try:
        report = verify_bundle(data, trusted, held.append)
    except (Corrupt, InvalidInput, TooLarge) as problem:
        reason = str(problem)
        failed = next(name for name in CHECKS if name not in held)
        return BundleExamination("failed", reason, tuple(_checks(held, failed, reason)), None)
    checks = (*_checks(held, "", ""), _trust_check(report))
    return BundleExamination(checks[-1].outcome, checks[-1].text, checks, report)


def _checks(held: Collection[str], failed: str, reason: str) -> Iterable[LeafCheck]:
    for name, text in CHECKS.items():
        if name in held:
            yield LeafCheck(name, "passed", text)
        elif name == failed:
            yield LeafCheck(name, "failed", reason)
        else:
            yield LeafCheck(name, "unknown", "not looked at: what comes before it does not hold")


def _trust_check(report: BundleReport) -> LeafCheck:
    if report.pinned:
        names = ", ".join(f"`{name}`" for name in report.trusted)
        return LeafCheck("Trust", "passed", f"the log is vouched for by {names}, which you trust")
    text = "its keys may be anybody's; name one that you were told by other means than the bundle itself"
    return LeafCheck("Trust", "unknown", text)


def _read_manifest(members: Mapping[str, bytes]) -> _Manifest:
    for name in ("manifest.json", "manifest.sig", "checkpoint"):
        if name not in members:
            raise Corrupt(f"member `{name}` is missing; get the bundle again")
    try:
        document = strict_json(
            members["manifest.json"], max_bytes=_MAX_MANIFEST, what="member `manifest.json`"
        )
        if canonical(document) != members["manifest.json"]:
            raise Corrupt(
                "member `manifest.json` was altered: it is not in canonical form; get the bundle again"
            )
        if not isinstance(document, dict) or document.pop("_type", None) != STATEMENT_TYPE:
            raise Corrupt("member `manifest.json` is not a statement; get the bundle again")
        manifest = msgspec.convert(document, _Manifest)
    except msgspec.ValidationError as problem:
        raise Corrupt(
            f"member `manifest.json` was altered: {str(problem).lower()}; get the bundle again"
        ) from None
    except InvalidInput as problem:
        raise Corrupt(f"member `manifest.json` was altered: {problem}; get the bundle again") from None
    if manifest.predicateType != BUNDLE or manifest.predicate.format != FORMAT:
        raise InvalidInput(
            "member `manifest.json` is of a later format than this version reads; use a newer Alcaide"
        )
    if not manifest.predicate.keys:
        raise Corrupt("member `manifest.json` names no key; get the bundle again")
    return manifest


def _check_manifest(manifest: _Manifest, members: Mapping[str, bytes]) -> tuple[ChainKey, ...]:
    chain = tuple(ChainKey(key.keyid, key.public, key.leaf) for key in manifest.predicate.keys)
    for key in chain:
        if keyid_of(key.public) != key.keyid:
            raise Corrupt(f"member `manifest.json` was altered: `{key.keyid[:80]}` is not the id of its key")
    if not _holds(chain[-1].public, members["manifest.sig"], _PREFIX + members["manifest.json"]):
        raise Corrupt("member `manifest.json` or `manifest.sig` was altered: the signature does not hold")
    named = {one.name: one.digest.get("sha256", "") for one in manifest.subject}
    for name in sorted(members.keys() | named.keys() - _MANIFEST_MEMBERS):
        if name in _MANIFEST_MEMBERS:
            continue
        if name not in members:
            raise Corrupt(f"{said_of(name)} is missing; get the bundle again")
        if name not in named:
            raise Corrupt(f"{said_of(name)} was added; get the bundle again")
        if sha256(members[name]).hexdigest() != named[name]:
            raise Corrupt(f"{said_of(name)} was altered; get the bundle again")
    return chain


def _check_checkpoint(
    said: _Predicate, members: Mapping[str, bytes], newest: ChainKey
) -> tuple[Note, Checkpoint, tuple[NoteKey, ...]]:
    log = NoteKey(said.origin, ED25519, newest.public)
    witnesses = [NoteKey(name, COSIGNATURE_V1, public) for name, public in said.witnesses]
    try:
        note = parse_note(members["checkpoint"])
        checkpoint = Checkpoint.parse(note.text)
        signed = verify_note(note, [log, *witnesses])
    except AlcaideError as problem:
        raise Corrupt(f"member `checkpoint`: {problem}") from None
    if log not in signed:
        raise Corrupt(f"the checkpoint is not signed by the log's newest key `{newest.keyid}`")
    if (checkpoint.origin, checkpoint.size) != (said.origin, said.size):
        raise Corrupt("checkpoint and manifest are not of the same log at the same size")
    return note, checkpoint, tuple(dict.fromkeys(key for key in signed if key != log))


def _check_inclusion(leaves: Mapping[int, bytes], said: _Predicate, checkpoint: Checkpoint) -> None:
    for index, envelope in sorted(leaves.items()):
        path = said.inclusion.get(str(index), [])
        if not merkle.verify_inclusion(merkle.leaf_hash(envelope), index, said.size, path, checkpoint.root):
            raise Corrupt(f"leaf {index} is not in the log that the checkpoint vouches for")


def _check_signatures(leaves: Mapping[int, bytes], chain: Sequence[ChainKey]) -> dict[int, BundleLeaf]:
    """Every own signature, by the key then in force; and the chain from key to key."""
    public = {key.keyid: key.public for key in chain}
    read = {index: _read_leaf(index, leaves[index], public) for index in sorted(leaves)}
    before = chain[0]
    for key in chain:
        leaf = read.get(key.leaf)
        if leaf is None or leaf.signed_by != before.keyid or not _announces(leaf.statement, key):
            raise Corrupt(f"leaf {key.leaf} does not announce the key `{key.keyid}`; nobody vouches for it")
        before = key
    if any(later.leaf <= earlier.leaf for earlier, later in pairwise(chain)):
        raise Corrupt("the keys of the log are not in the order they were announced in")
    for leaf in read.values():
        if leaf.foreign:
            continue
        in_force = [key.keyid for key in chain[1:] if key.leaf < leaf.index]
        if leaf.signed_by != (in_force[-1] if in_force else chain[0].keyid):
            raise Corrupt(f"leaf {leaf.index} is signed by `{leaf.signed_by}`, which was not in force then")
    return read


def _read_leaf(index: int, data: bytes, public: Mapping[str, bytes]) -> BundleLeaf:
    try:
        envelope = parse_envelope(data)
        statement = parse_statement(envelope.payload)
    except InvalidInput as problem:
        raise Corrupt(f"leaf {index} cannot be read: {problem}") from None
    signed_by = _own_signer(index, envelope, public)
    return BundleLeaf(index, statement, signed_by, not signed_by)


def _own_signer(index: int, envelope: Envelope, public: Mapping[str, bytes]) -> str:
    signed_by = ""
    for signature in envelope.signatures:
        if signature.keyid in public:
            message = pae(envelope.payload_type, envelope.payload)
            if not _holds(public[signature.keyid], signature.sig, message):
                raise Corrupt(f"leaf {index} has a signature by `{signature.keyid}` that does not hold")
            if envelope.payload_type != PAYLOAD_TYPE or len(envelope.signatures) != 1:
                raise Corrupt(f"leaf {index} names a key of the log in a form the log never writes")
            signed_by = signature.keyid
    return signed_by


def _announces(statement: Statement, key: ChainKey) -> bool:
    said = statement.predicate
    return (
        statement.predicate_type == KeyEvent.TYPE
        and said.get("keyid") == key.keyid
        and said.get("public") == key.public.hex()
    )


def _check_imports(read: Mapping[int, BundleLeaf]) -> None:
    taken_in = {
        leaf.statement.predicate.get("leaf")
        for leaf in read.values()
        if not leaf.foreign and leaf.statement.predicate_type == Imported.TYPE
    }
    for leaf in read.values():
        if leaf.foreign and leaf.index not in taken_in:
            raise Corrupt(f"leaf {leaf.index} is somebody else's, and no import here vouches for it")


def _check_complete(key: str, subject: _Subject, leaves: Mapping[int, bytes], index_root: bytes) -> None:
    left_out = next((index for index in subject.leaves if index not in leaves), None)
    if left_out is not None:
        raise Corrupt(f"leaf {left_out} about `{key}` was left out")
    try:
        entries = tuple(
            Entry(bytes.fromhex(h), count, bytes.fromhex(acc)) for h, count, acc in subject.bucket
        )
        entry = subject_index.verify_key(key, KeyProof(entries, tuple(subject.nodes)), index_root)
    except (ValueError, OverflowError) as problem:
        raise Corrupt(f"evidence about `{key}` is not shown to be complete: {problem}") from None
    found = subject_index.fold((index, merkle.leaf_hash(leaves[index])) for index in subject.leaves)
    expected = (entry.count, entry.acc) if entry else (0, subject_index.ZERO)
    if (len(subject.leaves), found) != expected:
        raise Corrupt(
            f"evidence about `{key}` is not complete: the log has {expected[0]} leaves, "
            f"the bundle {len(subject.leaves)}"
        )


def _check_originals(members: Mapping[str, bytes]) -> None:
    for name, content in members.items():
        if name.startswith("originals/") and sha256(content).hexdigest() != name[10:]:
            raise Corrupt(f"member `{name}` is not the document it is named after")


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _cosigned_at(note: Note, key: NoteKey) -> datetime:
    line = next(s for s in note.signatures if (s.name, s.hash) == (key.name, key.hash))
    seconds = int.from_bytes(line.signature[:8], "big")
    return datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)  # the last second of year 9999


def _trusted(
    trusted: Collection[str], origin: str, chain: Sequence[ChainKey], cosigned: Sequence[NoteKey]
) -> tuple[str, ...]:
    """Those of the names given that speak for this bundle: any key of the chain carries it, as does a witness."""
    known = {key.keyid for key in chain}
    known |= {NoteKey(origin, ED25519, key.public).to_text() for key in chain}
    known |= {key.to_text() for key in cosigned}
    return tuple(name for name in trusted if name in known)


_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.{1,4000}?-----END PUBLIC KEY-----", re.DOTALL)
_KEYID = re.compile(r"ed25519:[0-9a-f]{32}")
MAX_TRUSTED_TEXT = 64 * 2**10


def read_trusted(text: str) -> tuple[str, ...]:
    """Key ids, verifier keys and public keys in PEM, one after the other; `#` begins a remark.

    A public key becomes its key id, so that it is found whoever names it. Raises InvalidInput for anything else: a
    key that was misspelt would otherwise look like a bundle that nobody vouches for.
    """
    if len(text) > MAX_TRUSTED_TEXT:
        raise InvalidInput(f"the keys have more than {MAX_TRUSTED_TEXT} characters; name fewer")
    found = [keyid_of_pem(block) for block in _PEM.findall(text)]
    for line in _PEM.sub("", text).splitlines():
        one = line.strip()
        if one and not one.startswith("#"):
            if not _KEYID.fullmatch(one):
                NoteKey.parse(one)
            found.append(one)
    return tuple(dict.fromkeys(found))


def keyid_of_pem(pem: str) -> str:
    """The key id that a public key has as a log's. Raises InvalidInput for a kind of key no log signs with."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("the public key cannot be read; paste the whole PEM text") from None
    if not isinstance(public, Ed25519PublicKey):
        raise InvalidInput("this is no Ed25519 key, and logs sign with no other; name the log's own key")
    return keyid_of(public.public_bytes_raw())
