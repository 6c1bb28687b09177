"""The values of this slice: bundles and what checking one finds, imports, trusted keys, anchors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.ledger.note import NoteKey
from alcaide.kernel.ledger.subject_index import KeyProof
from alcaide.predicates.anchored import Anchored
from alcaide.predicates.attested import Attested
from alcaide.predicates.imported import Imported
from alcaide.predicates.key_event import KeyEvent, TrustedKey

AnchorKind = Literal["file", "witness"]
ANCHOR_JOB = "evidence.anchor"
OWN_PREDICATES: Mapping[str, str] = {
    one.TYPE: one.TITLE for one in (Imported, Attested, Anchored, KeyEvent, TrustedKey)
}
"""What this slice's own kinds of evidence are called. Others are named by their last part."""

ACCESS_EVENT = "urn:alcaide:access-event:v1"
"""Who signed in and whose rights changed: shown only to those who may read everything."""


def title_of(predicate_type: str) -> str:
    """What people call a kind of evidence: `Suite run` for `urn:alcaide:suite-run:v1`."""
    if predicate_type in OWN_PREDICATES:
        return OWN_PREDICATES[predicate_type]
    if predicate_type.startswith("urn:alcaide:"):
        return predicate_type.split(":")[2].replace("-", " ").capitalize()
    parts = [
        part for part in predicate_type.removeprefix("https://").removeprefix("http://").split("/") if part
    ]
    if len(parts) >= 3:
        return f"{parts[-2].replace('_', ' ').replace('-', ' ').capitalize()} {parts[-1]}"
    return predicate_type


# -- bundles ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainKey:
    """A signing key of the log and the leaf that announces it."""

    keyid: str
    public: bytes
    leaf: int


@dataclass(frozen=True, slots=True)
class BundleContent:
    """All that goes into a bundle, read from one snapshot of the log."""

    about: tuple[str, ...]
    checkpoint: str  # the signed note, witnesses' cosignatures included
    origin: str
    size: int
    at: str
    chain: tuple[ChainKey, ...]
    witnesses: tuple[NoteKey, ...]
    leaves: Mapping[int, bytes]
    inclusion: Mapping[int, tuple[bytes, ...]]
    subjects: Mapping[str, tuple[tuple[int, ...], KeyProof]]
    originals: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class BundleLeaf:
    """One leaf of a verified bundle."""

    index: int
    statement: Statement
    signed_by: str  # "" for an envelope of somebody else
    foreign: bool


@dataclass(frozen=True, slots=True)
class BundleReport:
    """A bundle in which everything holds. Whether the keys are those of anybody you know is `pinned`."""

    origin: str
    size: int
    root: str
    at: str
    about: tuple[str, ...]
    keys: tuple[str, ...]
    leaves: tuple[BundleLeaf, ...]
    originals: tuple[str, ...]
    witnesses: tuple[tuple[str, datetime], ...]
    trusted: tuple[str, ...]
    """Which of the keys given as trusted are the log's, or witnessed it."""

    @property
    def pinned(self) -> bool:
        return bool(self.trusted)


@dataclass(frozen=True, slots=True)
class BundleExamination:
    """What checking a bundle found, check by check. `report` is there only if everything held."""

    outcome: Literal["passed", "failed", "unknown"]
    reason: str
    checks: tuple[LeafCheck, ...]
    report: BundleReport | None

    def as_json(self) -> dict[str, Any]:
        """As the API and the command line answer; what needs a report is empty in a refusal."""
        report = self.report
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "intact": report is not None,
            "pinned": report is not None and report.pinned,
            "checks": [{"name": c.name, "outcome": c.outcome, "text": c.text} for c in self.checks],
            "origin": report.origin if report else "",
            "size": report.size if report else 0,
            "root": report.root if report else "",
            "at": report.at if report else "",
            "about": list(report.about) if report else [],
            "keys": list(report.keys) if report else [],
            "trusted": list(report.trusted) if report else [],
            "leaves": [leaf.index for leaf in report.leaves] if report else [],
            "originals": list(report.originals) if report else [],
            "witnesses": [{"name": n, "at": at.isoformat()} for n, at in report.witnesses] if report else [],
        }


@dataclass(frozen=True, slots=True)
class TrustChoice:
    """Whom somebody who checks a bundle trusts: the keys of this log, keys named here, and keys they were told."""

    own: bool = False
    named: tuple[str, ...] = ()
    told: str = ""
    """Key ids, verifier keys and public keys in PEM, one after the other."""


# -- leaves -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeafLine:
    """A leaf in a list."""

    index: int
    predicate_type: str
    title: str
    recorded_at: datetime
    subjects: tuple[str, ...]
    more_subjects: int
    by: str
    outcome: str
    foreign: bool


@dataclass(frozen=True, slots=True)
class LeafFilter:
    """What a list of leaves is narrowed to. Empty values narrow nothing."""

    predicate_type: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.predicate_type or self.subject or self.since or self.until)


@dataclass(frozen=True, slots=True)
class LeafPage:
    """Newest first. `total` is None where counting would cost more than it says."""

    items: tuple[LeafLine, ...]
    next_cursor: str
    total: int | None
    size: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way from a leaf to the root: the sibling, its side, and what the two make."""

    sibling: str
    left: bool
    node: str


@dataclass(frozen=True, slots=True)
class LeafCheck:
    """What checking one leaf against the newest checkpoint found, piece by piece."""

    name: str
    outcome: Literal["passed", "failed", "unknown"]
    text: str


@dataclass(frozen=True, slots=True)
class LeafDetail:
    """Everything about one leaf."""

    index: int
    leaf_hash: str
    predicate_type: str
    title: str
    recorded_at: datetime
    statement: Statement
    payload_type: str
    signatures: tuple[tuple[str, str], ...]
    envelope: Mapping[str, Any]
    foreign: bool
    imported_at: int | None
    size: int
    root: str
    path: tuple[Step, ...]
    checks: tuple[LeafCheck, ...]

    @property
    def outcome(self) -> str:
        said = {check.outcome for check in self.checks}
        return "failed" if "failed" in said else "unknown" if "unknown" in said else "passed"


# -- imports ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What taking a document in has led to."""

    leaf: int
    foreign_leaf: int | None
    kind: str
    title: str
    sha256: str
    size: int
    outcome: str
    reason: str
    signature: str
    verified_by: tuple[str, ...]
    subjects: tuple[Subject, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "leaf": self.leaf,
            "foreign_leaf": self.foreign_leaf,
            "kind": self.kind,
            "title": self.title,
            "sha256": self.sha256,
            "size": self.size,
            "outcome": self.outcome,
            "reason": self.reason,
            "signature": self.signature,
            "verified_by": list(self.verified_by),
            "subjects": [{"name": s.name, "digest": dict(s.digest)} for s in self.subjects],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A document that was taken in, as lists show it."""

    leaf: int
    foreign_leaf: int | None
    kind: str
    title: str
    sha256: str
    size: int
    filename: str
    outcome: str
    reason: str
    signature: str
    verified_by: tuple[str, ...]
    at: datetime
    by: str
    kept: bool
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrustedKeyLine:
    """Somebody else's key whose signatures are believed, or were."""

    name: str
    algorithm: str
    sha256: str
    pem: str
    note: str
    added_at: datetime
    added_by: str
    revoked_at: datetime | None
    revoked_by: str
    leaf: int

    @property
    def is_root(self) -> bool:
        """Whether it is the certificate of an authority, and not a signer's own key."""
        return self.algorithm.startswith("x509-")


# -- anchors ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where checkpoints are left outside, and how that went last."""

    id: str
    kind: AnchorKind
    name: str
    target: str
    vkey: str
    added_at: datetime
    added_by: str
    last_size: int
    last_at: datetime | None
    tried_at: datetime | None
    problem: str
    broken: bool  # what lies outside contradicts this log
    note: str  # the last checkpoint left there, with the witness's cosignature
    next_size: int  # no leaf but the anchors' own has come until the log is larger than this


@dataclass(frozen=True, slots=True)
class AnchorState:
    """An anchor with what a person should think of it: passed, failed or unknown."""

    anchor: Anchor
    outcome: Literal["passed", "failed", "unknown"]
    reason: str


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log for which this instance is a witness, and the newest checkpoint it has seen of it."""

    origin: str
    vkey: str
    size: int
    root: bytes
    note: str
    added_at: datetime
    added_by: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnchorFinding:
    """What comparing one anchored checkpoint with the log has shown."""

    line: int
    size: int
    outcome: Literal["passed", "failed", "unknown"]
    reason: str
