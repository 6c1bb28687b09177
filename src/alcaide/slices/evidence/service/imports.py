"""Taking in documents of others: read, check whose they are, keep the bytes, and say so in the log.

A signature counts only by a key that somebody here has named. Without one, a signed document is recorded with an
outcome of Unknown and its envelope is no leaf of its own: a requirement that looks for foreign evidence must not
find an envelope that nobody vouches for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.instruments.exchange import ParsedDocument, Reader, reader_for
from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput, TooLarge
from alcaide.kernel.evidence import Envelope, Statement, Subject, parse_envelope, parse_statement
from alcaide.kernel.evidence.certificates import load_root
from alcaide.kernel.evidence.foreign import envelope_of, statement_of
from alcaide.kernel.evidence.public_keys import key_hint, load_public_key
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.ledger.reader import read_leaf
from alcaide.kernel.strict import Fields, strict_json
from alcaide.predicates.base import By, at
from alcaide.predicates.imported import Imported, SignatureState, VerifiedBy
from alcaide.slices.evidence import queries
from alcaide.slices.evidence import tables as t
from alcaide.slices.evidence.model import ImportResult, TrustedKeyLine
from alcaide.slices.evidence.projection import note_import
from alcaide.slices.evidence.service.subjects import resolve

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from alcaide.kernel.evidence.public_keys import PublicKey
    from alcaide.kernel.instance import Instance

MAX_ABOUT = 50
MAX_SUBJECTS = 2_000  # as the readers have it; each is an entry in the ledger's index
_SIGNED_KINDS = frozenset({"dsse", "model-signature"})


@dataclass(frozen=True, slots=True)
class _Trust:
    """Whose signatures count: keys, and authorities whose certificates do."""

    lines: Mapping[str, TrustedKeyLine]
    keys: Mapping[str, PublicKey]
    roots: Mapping[str, Certificate]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A document that was read and judged, ready to be written down."""

    data: bytes
    parsed: ParsedDocument
    filename: str
    about: tuple[Subject, ...]
    subjects: tuple[Subject, ...]
    outcome: str
    reason: str
    signature: SignatureState
    verified_by: tuple[VerifiedBy, ...]
    envelope: bytes | None  # to be kept as a leaf of its own
    inner: Statement | None


def import_document(
    instance: Instance,
    actor: Actor,
    data: bytes,
    *,
    about: Sequence[str] = (),
    kind: str = "",
    key: str = "",
    filename: str = "",
    media_type: str = "",
    reason: str = "",
) -> ImportResult:
    """Take a document in and record it. Raises InvalidInput, TooLarge, or Conflict if it is in already.

    1. read it  2. check its signature  3. find what it is about  4. judge  5. write bytes and evidence together

    `key` narrows the trusted keys to one, which must then have signed.
    """
    instance.authorizer.require(actor, "evidence.import", None)
    _check_size(instance, data)
    with instance.read() as conn:
        trusted = _trusted(conn, key)
        subjects_named = tuple(resolve(conn, instance, one) for one in _named(about))
        reader = reader_for(
            data,
            kind="" if kind == "auto" else kind,
            media_type=media_type,
            readers=instance.plugins_like(Reader),  # type: ignore[type-abstract]
        )
        options: dict[str, Any] = {}
        if getattr(reader, "checks_signatures", False):
            options["trusted"] = trusted.keys
        if getattr(reader, "checks_certificates", False):
            options |= {"roots": trusted.roots, "now": instance.clock()}
        parsed = reader.read(data, **options)  # 1
        _refuse_altered(data, parsed, trusted, key)  # 2
        taken = _judge(data, parsed, filename, subjects_named, trusted)  # 3, 4
        _refuse_known(conn, taken)
    return instance.write(lambda tx: _record(tx, actor, taken, reason))  # 5


def _check_size(instance: Instance, data: bytes) -> None:
    limit = instance.config.max_upload_mib * 2**20
    if len(data) > limit:
        raise TooLarge(
            f"the document has {len(data)} bytes, over the limit of {limit}; raise `max_upload_mib` or split it"
        )
    if not data.strip():
        raise InvalidInput(
            "the document is empty; give a file with something in it", {"file": "the file is empty"}
        )


def _named(about: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(one.strip() for one in about if one.strip()))
    if len(wanted) > MAX_ABOUT:
        raise InvalidInput(
            f"{len(wanted)} subjects are named, over the limit of {MAX_ABOUT}; import it in parts"
        )
    return wanted


def _trusted(conn: Connection, only: str) -> _Trust:
    lines = [queries.trusted_key(conn, only)] if only else queries.trusted_keys(conn)
    if only and lines[0].revoked_at is not None:
        raise InvalidInput(
            f"key `{only}` is no longer trusted; name another, or trust it again under a new name"
        )
    return _Trust(
        {line.name: line for line in lines},
        {line.name: load_public_key(line.pem.encode()) for line in lines if not line.is_root},
        {line.name: load_root(line.pem.encode()) for line in lines if line.is_root},
    )


def _refuse_altered(
    data: bytes,
    parsed: ParsedDocument,
    trusted: _Trust,
    only: str,
) -> None:
    """Refuse a signature said to be by a trusted key that does not hold, and a model's that contradicts itself."""
    if parsed.kind not in _SIGNED_KINDS or parsed.signed_by:
        return
    if only:
        raise InvalidInput(
            f"no signature in the document is by the key `{only}`: it is by another key, or was altered; "
            "import it without --key to record it as by an unknown signer"
        )
    altered = bool(parsed.summary.get("altered"))
    if altered or (parsed.kind == "model-signature" and parsed.outcome == "failed"):
        raise InvalidInput(
            f"the signature does not hold: {parsed.reason}; get the document again from its author"
        )
    hints = {s.keyid for s in _envelope(data, parsed).signatures if s.keyid}
    for name, public in trusted.keys.items():
        digest = trusted.lines[name].sha256
        if hints & {name, digest, f"sha256:{digest}", key_hint(public)}:
            raise InvalidInput(
                f"the document says it is signed by the trusted key `{name}`, and that signature does not hold; "
                "get the document again from its author"
            )


def _envelope(data: bytes, parsed: ParsedDocument) -> Envelope:
    document = Fields(strict_json(data, max_bytes=len(data), what=f"the {parsed.kind}"))
    return envelope_of(document.object("dsseEnvelope") if "dsseEnvelope" in document else document)


def _judge(
    data: bytes,
    parsed: ParsedDocument,
    filename: str,
    about: tuple[Subject, ...],
    trusted: _Trust,
) -> _Taken:
    signed = parsed.kind in _SIGNED_KINDS
    envelope, inner = _own_leaf(data, parsed) if parsed.signed_by else (None, None)
    # What the reader computed from what is signed, a folder's listing digest, is as good as what is named there.
    named = (*inner.subjects, *parsed.subjects) if inner else parsed.subjects
    subjects = _together(about, named)
    outcome, reason = parsed.outcome, parsed.reason
    if outcome == "passed" and signed:
        stranger = next((s for s in about if not _covers(parsed, s)), None)
        if stranger is not None:
            outcome = "unknown"
            reason = f"what is signed is not `{stranger.name or stranger.sha256}` as it is now, by its digest"
    signature: SignatureState = "trusted" if parsed.signed_by else "unknown-key" if signed else "none"
    return _Taken(
        data=data,
        parsed=parsed,
        filename=filename.replace("\\", "/").rpartition("/")[2][:200],
        about=about,
        subjects=subjects,
        outcome=outcome,
        reason=reason,
        signature=signature,
        verified_by=tuple(
            VerifiedBy(name=name, sha256=trusted.lines[name].sha256) for name in parsed.signed_by
        ),
        envelope=envelope,
        inner=inner,
    )


def _own_leaf(data: bytes, parsed: ParsedDocument) -> tuple[bytes | None, Statement | None]:
    """The envelope as a leaf of its own: as it came, or taken out of the bundle that carries it.

    An envelope that the log itself could not read back, or that holds no Statement, stays an original only.
    """
    found = _envelope(data, parsed)
    if statement_of(found) is None:
        return None, None
    envelope = found.to_bytes() if b'"dsseEnvelope"' in data else data
    try:
        statement = parse_statement(parse_envelope(envelope).payload)
    except InvalidInput:
        return None, None
    if len(statement.subjects) > MAX_SUBJECTS:
        raise TooLarge(
            f"the statement names {len(statement.subjects)} subjects, over the limit of {MAX_SUBJECTS}; split it"
        )
    return envelope, statement


def _together(about: Sequence[Subject], named: Sequence[Subject]) -> tuple[Subject, ...]:
    found: dict[tuple[str, str], Subject] = {}
    for subject in (*about, *named):
        if subject.digest:
            found.setdefault((subject.name, repr(sorted(subject.digest.items()))), subject)
    if not found:
        raise InvalidInput(
            "the document does not say what it is about; name it, as `--about system:loan-desk`",
            {"about": "the document names nothing by digest; say what it is about"},
        )
    return tuple(found.values())


def _covers(parsed: ParsedDocument, subject: Subject) -> bool:
    """Whether what is signed is this subject: its digest is one of those under the signature."""
    digest = subject.sha256
    if any(one.sha256 == digest for one in parsed.subjects):
        return True
    for statement in parsed.statements:
        if any(one.sha256 == digest for one in statement.subjects):
            return True
        resources = statement.predicate.get("resources") if parsed.kind == "model-signature" else None
        for resource in resources if isinstance(resources, list) else ():
            if isinstance(resource, Mapping) and resource.get("digest") == digest:
                return True
    return False


def _refuse_known(conn: Connection, taken: _Taken) -> None:
    """Refuse what is in already: taken in again, an old document would look fresh."""
    wanted = {key for subject in taken.subjects for key in subject.keys}
    digest = sha256(taken.data).hexdigest()
    known = conn.execute(
        sa.select(t.imported.c.leaf).where(
            t.imported.c.sha256 == digest, t.imported.c.signature == taken.signature
        )
    ).scalars()
    for index in known:
        statement = read_leaf(conn, index).statement()
        if wanted <= set(statement.keys):
            raise Conflict(f"this document is in the log already, as leaf {index}; nothing was changed")


def _record(tx: Tx, actor: Actor, taken: _Taken, reason: str) -> ImportResult:
    digest = sha256(taken.data).hexdigest()
    _keep(tx, digest, taken)
    foreign_leaf = None
    if taken.envelope is not None and taken.inner is not None and not _is_there(tx.conn, taken.envelope):
        foreign_leaf = tx.append_foreign(taken.envelope, taken.inner)
    parsed = taken.parsed
    statement = Imported(
        at=at(tx.now),
        by=By.of(actor),
        reason=reason.strip()[:2000],
        kind=parsed.kind,
        title=parsed.title[:400],
        media_type=parsed.media_type,
        sha256=digest,
        size=len(taken.data),
        outcome=taken.outcome,  # type: ignore[arg-type]
        signature=taken.signature,
        filename=taken.filename,
        outcome_reason=taken.reason[:2000],
        named=tuple(subject.name or f"sha256:{subject.sha256}" for subject in taken.about),
        verified_by=taken.verified_by,
        leaf=foreign_leaf,
        summary=dict(parsed.summary),
        notes=tuple(note[:500] for note in parsed.notes[:50]),
    ).about(taken.subjects)
    leaf = tx.append(statement)
    note_import(tx.conn, leaf, statement)
    return ImportResult(
        leaf=leaf,
        foreign_leaf=foreign_leaf,
        kind=parsed.kind,
        title=parsed.title,
        sha256=digest,
        size=len(taken.data),
        outcome=taken.outcome,
        reason=taken.reason,
        signature=taken.signature,
        verified_by=tuple(key.name for key in taken.verified_by),
        subjects=taken.subjects,
        notes=tuple(parsed.notes),
    )


def _keep(tx: Tx, digest: str, taken: _Taken) -> None:
    known = tx.conn.execute(sa.select(t.blob.c.sha256).where(t.blob.c.sha256 == digest)).scalar()
    if known is None:
        tx.conn.execute(
            t.blob.insert().values(
                sha256=digest,
                size=len(taken.data),
                media_type=taken.parsed.media_type[:200],
                content=taken.data,
                added_at=tx.now,
            )
        )


def _is_there(conn: Connection, envelope: bytes) -> bool:
    from alcaide.kernel.ledger import merkle
    from alcaide.kernel.ledger import tables as ledger_tables

    column = ledger_tables.leaf.c
    query = (
        sa.select(column.idx)
        .join_from(t.imported, ledger_tables.leaf, column.idx == t.imported.c.foreign_leaf)
        .where(column.leaf_hash == merkle.leaf_hash(envelope))
        .limit(1)
    )
    return conn.execute(query).first() is not None
