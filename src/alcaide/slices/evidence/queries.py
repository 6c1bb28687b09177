"""Reading: leaves in lists and one by one, what a bundle holds, imports, trusted keys, anchors. Never writes.

Lists read the log's tables as they lie; a page that says something holds goes through the ledger, which checks it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.errors import AlcaideError, Corrupt, InvalidInput, NotAllowed, NotFound, TooLarge
from alcaide.kernel.evidence import Envelope, Statement, parse_envelope, parse_statement, strict_json, verify
from alcaide.kernel.ledger import merkle, subject_index
from alcaide.kernel.ledger import tables as ledger_tables
from alcaide.kernel.ledger.note import COSIGNATURE_V1, NoteKey
from alcaide.kernel.ledger.reader import Leaf, SignedCheckpoint, first_since, leaves_about, read_leaves
from alcaide.kernel.slice import AttentionItem
from alcaide.predicates.graph import SystemGraph
from alcaide.predicates.imported import Imported
from alcaide.predicates.key_event import KeyEvent
from alcaide.slices.evidence import tables as t
from alcaide.slices.evidence.model import (
    ACCESS_EVENT,
    Anchor,
    AnchorState,
    BundleContent,
    ChainKey,
    ImportLine,
    KnownLog,
    LeafCheck,
    LeafDetail,
    LeafFilter,
    LeafLine,
    LeafPage,
    Step,
    TrustedKeyLine,
    title_of,
)
from alcaide.slices.evidence.rules.anchors import anchor_state
from alcaide.slices.evidence.rules.archive import MAX_ARCHIVE_BYTES, MAX_LEAVES
from alcaide.slices.evidence.rules.paths import label_of, subject_key

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

MAX_COUNTED = 100_000  # beyond this a total is a wait and not a help
MAX_DIGESTS = 256  # digests followed from a name into a bundle
_SHOWN_SUBJECTS = 3

leaf_table = ledger_tables.leaf
entry_table = ledger_tables.entry


# -- leaves in lists ----------------------------------------------------------------------------------


def may_see_all(instance: Instance, actor: Actor) -> bool:
    """Whether access events are shown to this actor too."""
    return instance.authorizer.decide(actor, "evidence.view-all", None).allowed


def predicate_types(conn: Connection, *, with_access: bool) -> list[str]:
    """Every kind of evidence in the log. Hops from one to the next in the index, so it costs a few look-ups."""
    found: list[str] = []
    after = ""
    column = leaf_table.c.predicate_type
    while len(found) < 500:
        value = conn.execute(sa.select(sa.func.min(column)).where(column > after)).scalar_one()
        if value is None:
            break
        after = str(value)
        if with_access or after != ACCESS_EVENT:
            found.append(after)
    return found


def list_leaves(
    conn: Connection,
    instance: Instance,
    narrow: LeafFilter,
    *,
    with_access: bool,
    limit: int = 50,
    cursor: str = "",
) -> LeafPage:
    """Leaves, newest first; `cursor` is the index that the page before ended at."""
    checkpoint = instance.ledger.checkpoint(conn)
    own_keyids = instance.keys.public_keys().keys()
    conditions = _conditions(conn, narrow, checkpoint.size, with_access=with_access)
    before = _cursor(cursor)
    source = sa.select(leaf_table.c.idx).select_from(leaf_table)
    if narrow.subject:
        hashed = subject_index.key_hash(subject_key(narrow.subject))
        source = source.join(entry_table, entry_table.c.idx == leaf_table.c.idx)
        conditions.append(entry_table.c.key_hash == hashed)
    counted = sa.select(sa.func.count()).select_from(
        source.where(*conditions).limit(MAX_COUNTED + 1).subquery()
    )
    plain = not narrow.narrowed and with_access
    total = checkpoint.size if plain else int(conn.execute(counted).scalar_one())
    if before is not None:
        conditions.append(leaf_table.c.idx < before)
    rows = list(
        conn.execute(source.where(*conditions).order_by(leaf_table.c.idx.desc()).limit(limit + 1)).scalars()
    )
    more = len(rows) > limit
    leaves = sorted(read_leaves(conn, sorted(rows[:limit])), key=lambda leaf: -leaf.index)
    return LeafPage(
        items=tuple(leaf_line(leaf, own_keyids) for leaf in leaves),
        next_cursor=str(rows[limit - 1]) if more else "",
        total=total if total <= MAX_COUNTED or plain else None,
        size=checkpoint.size,
    )


def _conditions(
    conn: Connection, narrow: LeafFilter, size: int, *, with_access: bool
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [leaf_table.c.idx < size]
    if narrow.predicate_type:
        found.append(leaf_table.c.predicate_type == narrow.predicate_type)
    if not with_access:
        found.append(leaf_table.c.predicate_type != ACCESS_EVENT)
    if narrow.since is not None:
        found.append(leaf_table.c.idx >= first_since(conn, narrow.since, size))
    if narrow.until is not None:
        found.append(leaf_table.c.idx < first_since(conn, narrow.until, size))
    return found


def _cursor(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidInput(f"`{text[:40]}` is no place in this list; start again without `cursor`")
    return int(text)


def leaf_line(leaf: Leaf, own_keyids: Collection[str]) -> LeafLine:
    """A leaf as a list shows it. One that cannot be read is shown as such, not left out."""
    try:
        envelope = parse_envelope(leaf.envelope)
        statement = parse_statement(envelope.payload)
    except InvalidInput:
        return LeafLine(
            leaf.index, leaf.predicate_type, "Unreadable", leaf.recorded_at, (), 0, "", "unknown", True
        )
    said = statement.predicate
    foreign = not any(s.keyid in own_keyids for s in envelope.signatures)
    by = said.get("by")
    name = (by.get("name") or by.get("id")) if isinstance(by, Mapping) else ""
    subjects = tuple(s.name or _first_digest(s.digest) for s in statement.subjects[:_SHOWN_SUBJECTS])
    return LeafLine(
        index=leaf.index,
        predicate_type=leaf.predicate_type,
        title=title_of(leaf.predicate_type),
        recorded_at=leaf.recorded_at,
        subjects=subjects,
        more_subjects=len(statement.subjects) - len(subjects),
        by=str(name or "") if not foreign else "",
        outcome=_outcome_word(said),
        foreign=foreign,
    )


def _first_digest(digest: Mapping[str, str]) -> str:
    algorithm, value = next(iter(digest.items()))
    return f"{algorithm}:{value}"


def _outcome_word(said: Mapping[str, Any]) -> str:
    word = said.get("outcome")
    return word if word in ("passed", "failed", "unknown") else ""


def newest_about(
    conn: Connection, instance: Instance, keys: Sequence[str], *, with_access: bool, limit: int
) -> tuple[LeafLine, ...]:
    """The newest leaves filed under any of some keys."""
    hashes = [subject_index.key_hash(key) for key in keys]
    found: set[int] = set()
    for start in range(0, len(hashes), 400):
        query = (
            sa.select(entry_table.c.idx)
            .join(leaf_table, leaf_table.c.idx == entry_table.c.idx)
            .where(entry_table.c.key_hash.in_(hashes[start : start + 400]))
            .distinct()
            .order_by(entry_table.c.idx.desc())
            .limit(limit)
        )
        if not with_access:
            query = query.where(leaf_table.c.predicate_type != ACCESS_EVENT)
        found.update(conn.execute(query).scalars())
    newest = sorted(found)[-limit:]
    own = instance.keys.public_keys().keys()
    return tuple(reversed([leaf_line(leaf, own) for leaf in read_leaves(conn, newest)]))


# -- one leaf -----------------------------------------------------------------------------------------


def leaf_detail(conn: Connection, instance: Instance, index: int, *, with_access: bool) -> LeafDetail:
    """One leaf with everything that shows it is what was logged, checked as it is read.

    Raises NotFound beyond the log, NotAllowed for an access event that the reader may not see.
    """
    checkpoint = instance.ledger.checkpoint(conn)
    if not 0 <= index < checkpoint.size:
        raise NotFound(f"leaf {index} is not in the log, which has {checkpoint.size}")
    row = conn.execute(sa.select(leaf_table).where(leaf_table.c.idx == index)).first()
    if row is None:
        raise Corrupt(f"leaf {index} is missing from the log; run `alcaide evidence verify`")
    if row.predicate_type == ACCESS_EVENT and not with_access:
        raise NotAllowed(
            f"leaf {index} is about who signed in, which you may not read",
            rule="evidence-view-all",
            owner="security-lead",
            next_step="ask an administrator for the auditor role",
        )
    data = bytes(row.envelope)
    envelope = parse_envelope(data)
    statement = parse_statement(envelope.payload)
    path, checks = _prove(conn, instance, checkpoint, index, data, bytes(row.leaf_hash))
    signature = _check_signature(conn, instance, index, envelope)
    return LeafDetail(
        index=index,
        leaf_hash=bytes(row.leaf_hash).hex(),
        predicate_type=statement.predicate_type,
        title=title_of(statement.predicate_type),
        recorded_at=parse_rfc3339(row.recorded_at),
        statement=statement,
        payload_type=envelope.payload_type,
        signatures=tuple((s.keyid, s.sig.hex()) for s in envelope.signatures),
        envelope=strict_json(data, what=f"leaf {index}"),
        foreign=not _is_own(instance, envelope),
        imported_at=import_of(conn, index),
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        path=path,
        checks=(*checks, signature, *_indexed(conn, instance, index, statement)),
    )


def _prove(
    conn: Connection, instance: Instance, checkpoint: SignedCheckpoint, index: int, data: bytes, stored: bytes
) -> tuple[tuple[Step, ...], list[LeafCheck]]:
    hashed = merkle.leaf_hash(data)
    same = hashed == stored
    bytes_say = LeafCheck(
        "Bytes",
        "passed" if same else "failed",
        "the envelope's bytes have the hash that was logged"
        if same
        else "the envelope was altered: its bytes no longer have the hash that was logged",
    )
    try:
        proof = instance.ledger.inclusion_proof(conn, index, checkpoint.size)
    except AlcaideError as problem:
        return (), [bytes_say, LeafCheck("Inclusion", "unknown", f"no proof can be made: {problem}")]
    steps = proof_steps(hashed, index, checkpoint.size, proof)
    held = merkle.verify_inclusion(hashed, index, checkpoint.size, proof, checkpoint.root)
    text = f"{len(proof)} hashes lead from the leaf to the root of the signed checkpoint of size {checkpoint.size}"
    if not held:
        text = "the way from the leaf does not lead to the root that the signed checkpoint names"
    return steps, [bytes_say, LeafCheck("Inclusion", "passed" if held else "failed", text)]


def proof_steps(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> tuple[Step, ...]:
    """The way from a leaf hash upwards, for drawing: each sibling with its side, and what the two make."""
    fn, sn, node = index, size - 1, leaf
    steps = []
    for sibling in proof:
        left = bool(fn & 1) or fn == sn
        node = merkle.node_hash(sibling, node) if left else merkle.node_hash(node, sibling)
        while left and fn and not fn & 1:
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
        steps.append(Step(sibling.hex(), left, node.hex()))
    return tuple(steps)


def _is_own(instance: Instance, envelope: Envelope) -> bool:
    return any(instance.keys.public_key(s.keyid) is not None for s in envelope.signatures)


def _check_signature(conn: Connection, instance: Instance, index: int, envelope: Envelope) -> LeafCheck:
    if _is_own(instance, envelope):
        try:
            keyid = verify(envelope, {k: key.verifier() for k, key in instance.keys.public_keys().items()})
        except Corrupt as problem:
            return LeafCheck("Signature", "failed", str(problem))
        return LeafCheck("Signature", "passed", f"signed by this instance's key `{keyid}`")
    at = import_of(conn, index)
    if at is None:
        return LeafCheck(
            "Signature", "failed", "signed by no key of this instance, and no import vouches for it"
        )
    names = ", ".join(f"`{name}`" for name in import_line(conn, at).verified_by) or "no trusted key"
    return LeafCheck(
        "Signature",
        "passed",
        f"somebody else's envelope, kept byte for byte; leaf {at} says {names} signed it",
    )


def _indexed(conn: Connection, instance: Instance, index: int, statement: Statement) -> Iterable[LeafCheck]:
    """Whether the index lists this leaf under its first subject, and leads to the checkpoint."""
    if not statement.keys:
        return
    key = statement.keys[0]
    view = instance.view(conn, [key])
    if not view.complete:
        yield LeafCheck("Index", "failed", view.why_incomplete or "the subject index does not hold")
        return
    listed = any(record.index == index for record in view.records)
    text = f"one of {len(view.records)} leaves about `{label_of(key)}`, which the checkpoint shows to be all"
    yield LeafCheck(
        "Index", "passed" if listed else "failed", text if listed else f"not listed under `{label_of(key)}`"
    )


def import_of(conn: Connection, foreign_leaf: int) -> int | None:
    """The leaf of the import that took a foreign envelope in."""
    found = sa.select(t.imported.c.leaf).where(t.imported.c.foreign_leaf == foreign_leaf)
    value = conn.execute(found).scalar()
    return None if value is None else int(value)


# -- subjects and bundles -----------------------------------------------------------------------------


def system_graph(conn: Connection, instance: Instance, name: str) -> SystemGraph | None:
    """What a system is made of, from whichever slice keeps the register; None if none does or knows it."""
    if ":" in name and not name.startswith("system:"):
        return None
    try:
        ask = instance.capability("system-graph")
    except AlcaideError:
        return None
    found: SystemGraph | None = ask(conn, name.removeprefix("system:"))
    return found


def keys_about(conn: Connection, instance: Instance, subject: str) -> tuple[str, ...]:
    """Every index key under which evidence about a subject may lie.

    A name brings the digests that were ever recorded under it, a system its components as they are now and theirs.
    """
    key = subject_key(subject)
    graph = system_graph(conn, instance, label_of(key)) if key.startswith("name:") else None
    keys = [f"name:{graph.subject_name}" if graph else key]
    for component in graph.components if graph else ():
        keys.append(f"name:{component.subject_name}")
        if component.digest:
            keys.append(f"sha256:{component.digest}")
    if graph:
        keys.append(f"sha256:{graph.digest}")
    for name in [one for one in keys if one.startswith("name:")]:
        keys += _digests_of(conn, name)
    return tuple(dict.fromkeys(keys))


def _digests_of(conn: Connection, key: str) -> list[str]:
    """The digests that a name was given in the log, newest first."""
    name = label_of(key)
    indices = [index for index, _ in leaves_about(conn, key)][-MAX_LEAVES:]
    found: dict[str, None] = {}
    for leaf in read_leaves(conn, indices):
        for subject in leaf.statement().subjects:
            if subject.name == name and subject.sha256:
                found[f"sha256:{subject.sha256}"] = None
    return list(found)[-MAX_DIGESTS:]


def bundle_content(
    conn: Connection,
    instance: Instance,
    subjects: Sequence[str],
    *,
    originals: bool,
    with_access: bool,
) -> BundleContent:
    """Everything a bundle about these subjects holds, from one snapshot, each part checked as it is read.

    Raises NotFound if the log says nothing about any of them, TooLarge over a bundle's bounds, Corrupt if what the
    log says is not all there.
    """
    ledger = instance.ledger
    checkpoint = ledger.checkpoint(conn)
    chain = key_chain(conn)
    keys: dict[str, None] = {}
    for subject in subjects:
        keys.update(dict.fromkeys(keys_about(conn, instance, subject)))
    view = instance.view(conn, keys.keys())
    if not view.complete:
        raise Corrupt(f"{view.why_incomplete}; a bundle would not show what is missing, so none is made")
    if not view.records:
        asked = ", ".join(f"`{subject}`" for subject in subjects)
        raise NotFound(f"the log says nothing about {asked}; check the name, or look for it under Evidence")
    if not with_access and any(record.predicate_type == ACCESS_EVENT for record in view.records):
        raise NotAllowed(
            "these subjects are accounts, whose records you may not read",
            rule="evidence-view-all",
            owner="security-lead",
            next_step="ask an administrator for the auditor role",
        )
    found = {key: tuple(index for index, _ in leaves_about(conn, key)) for key in keys}
    indices = sorted({index for listed in found.values() for index in listed} | {key.leaf for key in chain})
    if len(indices) > MAX_LEAVES:
        raise TooLarge(
            f"there are {len(indices)} leaves about these subjects, over the limit of {MAX_LEAVES} a bundle; "
            "export fewer subjects"
        )
    leaves = _bounded(read_leaves(conn, indices))
    digests = [str(r.predicate["sha256"]) for r in view.records if _keeps_original(r.statement, r.foreign)]
    return BundleContent(
        about=tuple(subjects),
        checkpoint=checkpoint.text,
        origin=ledger.origin,
        size=checkpoint.size,
        at=rfc3339(checkpoint.last_at),
        chain=chain,
        witnesses=(),
        leaves=leaves,
        inclusion={i: tuple(ledger.inclusion_proof(conn, i, checkpoint.size)) for i in indices},
        subjects={key: (listed, ledger.key_proof(conn, key)) for key, listed in found.items()},
        originals=_originals(conn, digests) if originals else {},
    )


def _bounded(leaves: Iterable[Leaf]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    room = MAX_ARCHIVE_BYTES // 2
    for leaf in leaves:
        room -= len(leaf.envelope)
        if room < 0:
            raise TooLarge(
                f"the leaves are larger than {MAX_ARCHIVE_BYTES // 2} bytes; export fewer subjects"
            )
        found[leaf.index] = leaf.envelope
    return found


def _keeps_original(statement: Statement, foreign: bool) -> bool:
    digest = statement.predicate.get("sha256")
    return not foreign and statement.predicate_type == Imported.TYPE and isinstance(digest, str)


def _originals(conn: Connection, digests: Iterable[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    room = MAX_ARCHIVE_BYTES // 2
    for digest in dict.fromkeys(digests):
        content = blob(conn, digest)
        if content is not None:
            room -= len(content)
            if room < 0:
                raise TooLarge("the originals are too large for a bundle; export with --no-originals")
            found[digest] = content
    return found


def key_chain(conn: Connection) -> tuple[ChainKey, ...]:
    """Every signing key of the log in the order they were announced, with the leaf that announces each."""
    indices = conn.execute(
        sa.select(leaf_table.c.idx)
        .where(leaf_table.c.predicate_type == KeyEvent.TYPE)
        .order_by(leaf_table.c.idx)
    ).scalars()
    chain = []
    for leaf in read_leaves(conn, list(indices)):
        said = KeyEvent.read(leaf.statement())
        chain.append(ChainKey(said.keyid, bytes.fromhex(said.public), leaf.index))
    return tuple(chain)


# -- imports ------------------------------------------------------------------------------------------


def blob(conn: Connection, digest: str) -> bytes | None:
    """The bytes of an original by their digest, or None if they are not kept."""
    content = conn.execute(sa.select(t.blob.c.content).where(t.blob.c.sha256 == digest)).scalar()
    return None if content is None else bytes(content)


def import_line(conn: Connection, leaf: int) -> ImportLine:
    """One import by its leaf. Raises NotFound."""
    row = conn.execute(_imports().where(t.imported.c.leaf == leaf)).first()
    if row is None:
        raise NotFound(f"leaf {leaf} is no import; look for it under Evidence")
    return _import_line(row)


def list_imports(
    conn: Connection,
    *,
    kind: str = "",
    signature: str = "",
    outcome: str = "",
    limit: int = 50,
    cursor: str = "",
) -> tuple[tuple[ImportLine, ...], str, int]:
    """Documents that were taken in, newest first; the cursor of the next page; how many there are."""
    columns = t.imported.c
    conditions: list[sa.ColumnElement[bool]] = []
    for column, value in ((columns.kind, kind), (columns.signature, signature), (columns.outcome, outcome)):
        if value:
            conditions.append(column == value)
    total = int(
        conn.execute(sa.select(sa.func.count()).select_from(t.imported).where(*conditions)).scalar_one()
    )
    before = _cursor(cursor)
    if before is not None:
        conditions.append(columns.leaf < before)
    rows = conn.execute(_imports().where(*conditions).order_by(columns.leaf.desc()).limit(limit + 1)).all()
    items = tuple(_import_line(row) for row in rows[:limit])
    return items, str(items[-1].leaf) if len(rows) > limit else "", total


def imports_about(conn: Connection, keys: Sequence[str], *, limit: int = 500) -> dict[str, list[ImportLine]]:
    """The newest imports filed under each of some keys."""
    hashes = {subject_index.key_hash(key): key for key in keys}
    found: dict[str, list[ImportLine]] = {}
    listed = list(hashes)
    for start in range(0, len(listed), 400):
        rows = conn.execute(
            _imports(entry_table.c.key_hash)
            .join(entry_table, entry_table.c.idx == t.imported.c.leaf)
            .where(entry_table.c.key_hash.in_(listed[start : start + 400]))
            .order_by(t.imported.c.leaf.desc())
            .limit(limit)
        ).all()
        for row in rows:
            found.setdefault(hashes[bytes(row.key_hash)], []).append(_import_line(row))
    return found


def _imports(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(t.imported, t.blob.c.size.label("kept"), *more).select_from(
        t.imported.outerjoin(t.blob, t.blob.c.sha256 == t.imported.c.sha256)
    )


def _import_line(row: Any) -> ImportLine:
    return ImportLine(
        leaf=row.leaf,
        foreign_leaf=row.foreign_leaf,
        kind=row.kind,
        title=row.title,
        sha256=row.sha256,
        size=row.size,
        filename=row.filename,
        outcome=row.outcome,
        reason=row.reason,
        signature=row.signature,
        verified_by=tuple(row.verified_by),
        at=row.at,
        by=row.by_name,
        kept=row.kept is not None,
        summary=row.summary,
    )


# -- trusted keys -------------------------------------------------------------------------------------


def trusted_keys(conn: Connection, *, with_revoked: bool = False) -> tuple[TrustedKeyLine, ...]:
    """Keys of others by name; those no longer trusted only if asked for."""
    query = sa.select(t.trusted_key).order_by(t.trusted_key.c.name)
    if not with_revoked:
        query = query.where(t.trusted_key.c.revoked_at.is_(None))
    return tuple(TrustedKeyLine(**row) for row in conn.execute(query).mappings())


def trusted_pems(conn: Connection) -> dict[str, bytes]:
    """The `trusted-signers` capability: keys and root certificates that count here, in PEM, by name."""
    return {line.name: line.pem.encode() for line in trusted_keys(conn)}


def trusted_key(conn: Connection, name: str) -> TrustedKeyLine:
    """One key, trusted or no longer. Raises NotFound."""
    row = conn.execute(sa.select(t.trusted_key).where(t.trusted_key.c.name == name)).mappings().first()
    if row is None:
        raise NotFound(
            f"no key is trusted under the name `{name[:100]}`; see `alcaide evidence keys trusted`"
        )
    return TrustedKeyLine(**row)


# -- anchors and witness ------------------------------------------------------------------


def anchors(conn: Connection) -> tuple[Anchor, ...]:
    """Every place where checkpoints are left, by name."""
    rows = conn.execute(sa.select(t.anchor).order_by(t.anchor.c.name)).mappings()
    return tuple(Anchor(**row) for row in rows)


def anchor_states(conn: Connection, instance: Instance, now: datetime) -> tuple[AnchorState, ...]:
    """Every anchor with what to think of it now."""
    size = instance.ledger.checkpoint(conn).size
    return tuple(anchor_state(anchor, size=size, now=now) for anchor in anchors(conn))


def known_logs(conn: Connection) -> tuple[KnownLog, ...]:
    """The logs that this instance is a witness of."""
    rows = conn.execute(sa.select(t.known_log).order_by(t.known_log.c.origin)).mappings()
    return tuple(_known_log(row) for row in rows)


def find_known_log(conn: Connection, origin: str) -> KnownLog | None:
    """A log that this instance is a witness of, by its name."""
    row = conn.execute(sa.select(t.known_log).where(t.known_log.c.origin == origin)).mappings().first()
    return None if row is None else _known_log(row)


def _known_log(row: Mapping[Any, Any]) -> KnownLog:
    return KnownLog(**{**row, "root": bytes(row["root"])})


def witness_key(instance: Instance, keyid: str) -> NoteKey:
    """The key under which this instance cosigns the checkpoints of others."""
    public = instance.keys.public_key(keyid)
    if public is None:
        raise Corrupt(f"public key `{keyid}` is not in the keys folder; restore it from a backup")
    return NoteKey(f"{instance.ledger.origin}/witness", COSIGNATURE_V1, public.public)


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """What of the evidence waits: anchors behind or broken, and signers that nobody knows."""
    if not instance.authorizer.decide(actor, "evidence.view", None).allowed:
        return []
    found = []
    for state in anchor_states(conn, instance, now):
        if state.outcome != "passed":
            since = state.anchor.last_at or state.anchor.added_at
            title = f"Anchor {state.anchor.name}"
            found.append(AttentionItem(state.outcome, title, state.reason, "/evidence/anchors", since))
    if unknown := _unknown_signers(conn):
        detail = "their signatures are by keys nobody here has named; trust the key, then import them again"
        href = "/evidence/imports?signature=unknown-key"
        found.append(AttentionItem("unknown", "Imports by unknown signers", detail, href, None, unknown))
    return found


def _unknown_signers(conn: Connection) -> int:
    """Documents whose signer is unknown and which were not taken in again since with a key that is known."""
    again = t.imported.alias("again")
    known_since = sa.exists().where(again.c.sha256 == t.imported.c.sha256, again.c.signature == "trusted")
    counted = sa.select(sa.func.count(sa.distinct(t.imported.c.sha256)))
    return int(
        conn.execute(counted.where(t.imported.c.signature == "unknown-key", ~known_since)).scalar_one()
    )
