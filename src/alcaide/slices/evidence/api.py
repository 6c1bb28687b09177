"""The log, imports, bundles, keys and anchors over HTTP. Thin: each route is one call of a service or a query."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import NotFound, TooLarge
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import (
    ACCESS_EVENT,
    ANCHOR_JOB,
    ImportLine,
    LeafFilter,
    LeafLine,
    TrustedKeyLine,
)
from alcaide.slices.evidence.rules.paths import label_of, subject_key
from alcaide.slices.evidence.rules.witness import MAX_REQUEST_BYTES, SIZE_TYPE, Refusal
from alcaide.ui.deps import allow, get_instance, public

router = APIRouter(prefix="/evidence")

Viewer = Annotated[Actor, Depends(allow("evidence.view"))]
Importer = Annotated[Actor, Depends(allow("evidence.import"))]
Attester = Annotated[Actor, Depends(allow("evidence.attest"))]
Exporter = Annotated[Actor, Depends(allow("evidence.export"))]
KeyKeeper = Annotated[Actor, Depends(allow("evidence.manage-keys"))]

PLAIN = r"^[^\x00-\x1f\x7f]*$"
Index: TypeAlias = Annotated[int, Path(ge=0, le=2**53, description="The leaf's place in the log, from 0.")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=500)]
Cursor: TypeAlias = Annotated[str, Query(max_length=20, description="`next_cursor` of the page before.")]
Outcome: TypeAlias = Literal["passed", "failed", "unknown"]
ReasonText: TypeAlias = Annotated[str, Field(max_length=2000, pattern=PLAIN)]


# -- leaves -------------------------------------------------------------------------------------------


class LeafOut(BaseModel):
    """A leaf in a list."""

    index: int
    predicate_type: str
    title: str
    recorded_at: datetime
    subjects: list[str] = Field(description="The first three subjects, by name or digest.")
    more_subjects: int
    by: str
    outcome: str = Field(
        description="`passed`, `failed` or `unknown` where the statement says so; else empty."
    )
    foreign: bool = Field(description="Somebody else's envelope, kept byte for byte.")


class LeavesOut(BaseModel):
    """Leaves, newest first."""

    items: list[LeafOut]
    next_cursor: str | None
    total: int | None = Field(description="Null where counting would take longer than it is worth.")
    size: int = Field(description="How many leaves the log has.")


class CheckOut(BaseModel):
    """One thing that was checked of a leaf."""

    name: str
    outcome: Outcome
    text: str


class LeafDetailOut(BaseModel):
    """A leaf with what shows that it is what was logged."""

    index: int
    leaf_hash: str
    predicate_type: str
    recorded_at: datetime
    foreign: bool
    outcome: Outcome
    checks: list[CheckOut]
    statement: dict[str, Any]
    envelope: dict[str, Any]


class ProofOut(BaseModel):
    """RFC 6962 inclusion proof of one leaf to the checkpoint beside it."""

    index: int
    size: int
    leaf_hash: str
    hashes: list[str]
    checkpoint: str


class AboutOut(BaseModel):
    """All evidence about one subject, and whether the log shows it to be all."""

    key: str
    complete: bool
    why_incomplete: str | None
    size: int
    root: str
    leaves: list[int]


class CheckpointOut(BaseModel):
    """The newest checkpoint."""

    origin: str
    size: int
    root: str
    keyid: str
    note: str = Field(description="The signed note itself.")


@router.get("/checkpoint")
def checkpoint(request: Request, _: Viewer) -> CheckpointOut:
    """The newest checkpoint of the log."""
    instance = get_instance(request)
    with instance.read() as conn:
        now = instance.ledger.checkpoint(conn)
    return CheckpointOut(
        origin=now.checkpoint.origin, size=now.size, root=now.root.hex(), keyid=now.keyid, note=now.text
    )


@router.get("/leaves")
def leaves(
    request: Request,
    actor: Viewer,
    type: Annotated[str, Query(max_length=512, pattern=PLAIN, description="A predicate type, in full.")] = "",
    subject: Annotated[str, Query(max_length=2048, pattern=PLAIN, description="A name or a digest.")] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> LeavesOut:
    """Leaves of the log, newest first."""
    instance = get_instance(request)
    narrow = LeafFilter(predicate_type=type, subject=subject, since=since, until=until)
    with instance.read() as conn:
        page = queries.list_leaves(
            conn,
            instance,
            narrow,
            with_access=queries.may_see_all(instance, actor),
            limit=limit,
            cursor=cursor,
        )
    return LeavesOut(
        items=[_leaf(line) for line in page.items],
        next_cursor=page.next_cursor or None,
        total=page.total,
        size=page.size,
    )


@router.get("/leaves/{index}")
def leaf(request: Request, actor: Viewer, index: Index) -> LeafDetailOut:
    """One leaf, checked as it is read."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.leaf_detail(conn, instance, index, with_access=queries.may_see_all(instance, actor))
    return LeafDetailOut(
        index=found.index,
        leaf_hash=found.leaf_hash,
        predicate_type=found.predicate_type,
        recorded_at=found.recorded_at,
        foreign=found.foreign,
        outcome=found.outcome,  # type: ignore[arg-type]
        checks=[CheckOut(name=c.name, outcome=c.outcome, text=c.text) for c in found.checks],
        statement=found.statement.to_json(),
        envelope=dict(found.envelope),
    )


@router.get("/leaves/{index}/proof")
def proof(request: Request, _: Viewer, index: Index) -> ProofOut:
    """The inclusion proof of a leaf, to the newest checkpoint."""
    instance = get_instance(request)
    with instance.read() as conn:
        now = instance.ledger.checkpoint(conn)
        if index >= now.size:
            raise NotFound(f"leaf {index} is not in the log, which has {now.size}")
        hashes = instance.ledger.inclusion_proof(conn, index, now.size)
        hashed = instance.ledger.leaf(conn, index).leaf_hash
    return ProofOut(
        index=index,
        size=now.size,
        leaf_hash=hashed.hex(),
        hashes=[one.hex() for one in hashes],
        checkpoint=now.text,
    )


@router.get("/about")
def about(
    request: Request,
    actor: Viewer,
    subject: Annotated[str, Query(min_length=1, max_length=2048, pattern=PLAIN)],
) -> AboutOut:
    """All that the log says about one subject, by name or digest, shown to be all or said not to be."""
    instance = get_instance(request)
    key = subject_key(subject)
    with instance.read() as conn:
        view = instance.view(conn, [key])
    shown = queries.may_see_all(instance, actor)
    return AboutOut(
        key=label_of(key),
        complete=view.complete,
        why_incomplete=view.why_incomplete,
        size=view.size,
        root=view.root.hex(),
        leaves=[r.index for r in view.records if shown or r.predicate_type != ACCESS_EVENT],
    )


def _leaf(line: LeafLine) -> LeafOut:
    return LeafOut(
        index=line.index,
        predicate_type=line.predicate_type,
        title=line.title,
        recorded_at=line.recorded_at,
        subjects=list(line.subjects),
        more_subjects=line.more_subjects,
        by=line.by,
        outcome=line.outcome,
        foreign=line.foreign,
    )


# -- imports ------------------------------------------------------------------------------------------


class SubjectOut(BaseModel):
    """A subject by name and digest."""

    name: str
    digest: dict[str, str]


class ImportedOut(BaseModel):
    """What taking a document in has led to."""

    leaf: int
    foreign_leaf: int | None = Field(description="Where the envelope lies that was kept byte for byte.")
    kind: str
    title: str
    sha256: str
    size: int
    outcome: Outcome
    reason: str
    signature: Literal["none", "trusted", "unknown-key"]
    verified_by: list[str]
    subjects: list[SubjectOut]
    notes: list[str]


class ImportOut(BaseModel):
    """A document that was taken in."""

    leaf: int
    foreign_leaf: int | None
    kind: str
    title: str
    sha256: str
    size: int
    filename: str
    outcome: Outcome
    reason: str
    signature: Literal["none", "trusted", "unknown-key"]
    verified_by: list[str]
    at: datetime
    by: str
    summary: dict[str, Any]


class ImportsOut(BaseModel):
    """Imports, newest first."""

    items: list[ImportOut]
    next_cursor: str | None
    total: int


@router.get("/imports")
def imports(
    request: Request,
    _: Viewer,
    kind: Annotated[str, Query(max_length=40, pattern=PLAIN)] = "",
    signature: Literal["", "none", "trusted", "unknown-key"] = "",
    outcome: Literal["", "passed", "failed", "unknown"] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> ImportsOut:
    """Documents that were taken in, newest first."""
    with get_instance(request).read() as conn:
        items, after, total = queries.list_imports(
            conn, kind=kind, signature=signature, outcome=outcome, limit=limit, cursor=cursor
        )
    return ImportsOut(items=[_import(line) for line in items], next_cursor=after or None, total=total)


@router.post("/imports", status_code=201)
def import_document(
    request: Request,
    actor: Importer,
    file: Annotated[UploadFile, File(description="The document, as it is.")],
    about: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    kind: Annotated[str, Form(max_length=40, pattern=PLAIN)] = "auto",
    key: Annotated[str, Form(max_length=100, pattern=PLAIN)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> ImportedOut:
    """Take in a document that somebody else made. Signatures count by trusted keys only."""
    result = service.import_document(
        get_instance(request),
        actor,
        file.file.read(),
        about=about,
        kind=kind,
        key=key,
        filename=file.filename or "",
        media_type=file.content_type or "",
        reason=reason,
    )
    return ImportedOut(**result.as_json())


@router.get("/originals/{sha256}", response_class=Response)
def original(request: Request, _: Viewer, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """The bytes of a document that was taken in."""
    with get_instance(request).read() as conn:
        content = queries.blob(conn, sha256)
    if content is None:
        raise NotFound(f"no document with digest `{sha256}` is kept here")
    return download(content, "application/octet-stream", f"{sha256[:16]}.json")


def download(content: bytes, media_type: str, filename: str) -> Response:
    """A file to keep, never to be shown as a page of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)


def _import(line: ImportLine) -> ImportOut:
    return ImportOut(
        leaf=line.leaf,
        foreign_leaf=line.foreign_leaf,
        kind=line.kind,
        title=line.title,
        sha256=line.sha256,
        size=line.size,
        filename=line.filename,
        outcome=line.outcome,  # type: ignore[arg-type]
        reason=line.reason,
        signature=line.signature,  # type: ignore[arg-type]
        verified_by=list(line.verified_by),
        at=line.at,
        by=line.by,
        summary=dict(line.summary),
    )


# -- attestations and bundles -------------------------------------------------------------------------


class AttestationIn(BaseModel):
    """A claim that the asker puts their name to."""

    model_config = ConfigDict(extra="forbid")
    subjects: list[Annotated[str, Field(max_length=2048, pattern=PLAIN)]] = Field(min_length=1, max_length=50)
    claim: str = Field(min_length=1, max_length=4000)
    outcome: Literal["passed", "failed"] = "passed"
    ref: str = Field(default="", max_length=200, pattern=PLAIN)
    until: AwareDatetime | None = None
    reason: str = Field(default="", max_length=2000)


class LeafRef(BaseModel):
    """Where a statement lies."""

    leaf: int


class BundleIn(BaseModel):
    """What a bundle is about."""

    model_config = ConfigDict(extra="forbid")
    subjects: list[Annotated[str, Field(max_length=2048, pattern=PLAIN)]] = Field(
        min_length=1, max_length=200
    )
    originals: bool = True
    witnesses: bool = False


@router.post("/attestations", status_code=201)
def attest(request: Request, actor: Attester, said: AttestationIn) -> LeafRef:
    """Say that something holds of a subject, or does not."""
    index = service.attest(
        get_instance(request),
        actor,
        said.subjects,
        said.claim,
        outcome=said.outcome,
        ref=said.ref,
        until=said.until,
        reason=said.reason,
    )
    return LeafRef(leaf=index)


@router.post("/bundles", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def bundle(request: Request, actor: Exporter, wanted: BundleIn) -> Response:
    """One file with all that the log says about some subjects, which a stranger can check offline."""
    name, content = service.export_bundle(
        get_instance(request),
        actor,
        wanted.subjects,
        originals=wanted.originals,
        witnesses=wanted.witnesses,
    )
    return download(content, "application/zip", name)


# -- keys ---------------------------------------------------------------------------------------------


class SigningKeyOut(BaseModel):
    """A key that signs or signed this log."""

    keyid: str
    vkey: str
    leaf: int = Field(description="The leaf that announces it.")


class SigningKeysOut(BaseModel):
    """This log's keys in order; the last one signs now."""

    origin: str
    keys: list[SigningKeyOut]
    witness_vkey: str = Field(description="The key under which checkpoints of other logs are cosigned here.")


class RotationIn(BaseModel):
    """Why the key is changed."""

    model_config = ConfigDict(extra="forbid")
    reason: ReasonText = Field(min_length=1)


class RotatedOut(BaseModel):
    """The key that signs from now on."""

    keyid: str


class TrustedKeyIn(BaseModel):
    """A public key of somebody else."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=99)
    key: str = Field(
        min_length=1, max_length=65_536, description="PEM, or a verifier key `name+hash+base64`."
    )
    note: str = Field(default="", max_length=2000)


class TrustedKeyOut(BaseModel):
    """Somebody else's key whose signatures count, or did."""

    name: str
    algorithm: str
    sha256: str
    pem: str
    note: str
    added_at: datetime
    added_by: str
    revoked_at: datetime | None


class TrustedKeysOut(BaseModel):
    """Trusted keys by name, those no longer trusted too."""

    items: list[TrustedKeyOut]
    next_cursor: str | None = None
    total: int


@router.get("/keys")
def keys(request: Request, _: Viewer) -> SigningKeysOut:
    """The keys that sign this log: what a checker pins."""
    instance = get_instance(request)
    with instance.read() as conn:
        chain = queries.key_chain(conn)
    origin = instance.ledger.origin
    return SigningKeysOut(
        origin=origin,
        keys=[
            SigningKeyOut(
                keyid=key.keyid,
                vkey=instance.keys.public_keys()[key.keyid].note_key(origin).to_text(),
                leaf=key.leaf,
            )
            for key in chain
        ],
        witness_vkey=queries.witness_key(instance, chain[-1].keyid).to_text(),
    )


@router.post("/keys/rotate")
def rotate(request: Request, actor: KeyKeeper, why: RotationIn) -> RotatedOut:
    """Sign with a new key from now on; the old one announces it."""
    return RotatedOut(keyid=service.rotate_key(get_instance(request), actor, reason=why.reason))


@router.get("/trusted-keys")
def trusted_keys(request: Request, _: Viewer) -> TrustedKeysOut:
    """Keys of others whose signatures count, or did."""
    with get_instance(request).read() as conn:
        lines = queries.trusted_keys(conn, with_revoked=True)
    return TrustedKeysOut(items=[_trusted(line) for line in lines], total=len(lines))


@router.post("/trusted-keys", status_code=201)
def trust(request: Request, actor: KeyKeeper, new: TrustedKeyIn) -> TrustedKeyOut:
    """Count signatures by this key from now on."""
    instance = get_instance(request)
    service.trust_key(instance, actor, new.name, new.key, note=new.note)
    with instance.read() as conn:
        return _trusted(queries.trusted_key(conn, new.name.strip()))


@router.post("/trusted-keys/{name}/distrust")
def distrust(
    request: Request,
    actor: KeyKeeper,
    name: Annotated[str, Path(max_length=100, pattern=PLAIN)],
    why: RotationIn,
) -> TrustedKeyOut:
    """Count signatures by this key no longer."""
    instance = get_instance(request)
    service.distrust_key(instance, actor, name, reason=why.reason)
    with instance.read() as conn:
        return _trusted(queries.trusted_key(conn, name))


def _trusted(line: TrustedKeyLine) -> TrustedKeyOut:
    return TrustedKeyOut(
        name=line.name,
        algorithm=line.algorithm,
        sha256=line.sha256,
        pem=line.pem,
        note=line.note,
        added_at=line.added_at,
        added_by=line.added_by,
        revoked_at=line.revoked_at,
    )


# -- anchors -------------------------------------------------------------------------


class AnchorOut(BaseModel):
    """Where checkpoints are left, and how that stands."""

    id: str
    name: str
    kind: Literal["file", "witness"]
    target: str
    vkey: str
    outcome: Outcome
    reason: str
    last_size: int
    last_at: datetime | None


class AnchorsOut(BaseModel):
    """Every anchor."""

    items: list[AnchorOut]
    next_cursor: str | None = None
    total: int


class WitnessIn(BaseModel):
    """A witness to have checkpoints cosigned by."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=99)
    target: str = Field(min_length=1, max_length=2000, pattern=PLAIN)
    vkey: str = Field(min_length=1, max_length=1000)


class AnchorRef(BaseModel):
    """An anchor's id."""

    id: str


class KnownLogIn(BaseModel):
    """A log to be the witness of."""

    model_config = ConfigDict(extra="forbid")
    vkey: str = Field(min_length=1, max_length=1000)


class KnownLogOut(BaseModel):
    """A log that is witnessed here."""

    origin: str
    vkey: str
    size: int
    seen_at: datetime | None


class KnownLogsOut(BaseModel):
    """Every log that is witnessed here."""

    items: list[KnownLogOut]
    next_cursor: str | None = None
    total: int


class OriginIn(BaseModel):
    """A log by its name."""

    model_config = ConfigDict(extra="forbid")
    origin: str = Field(min_length=1, max_length=200, pattern=PLAIN)


class JobRef(BaseModel):
    """Work that goes on in the background."""

    job: str


@router.get("/anchors")
def anchors(request: Request, _: Viewer) -> AnchorsOut:
    """Where checkpoints are left outside."""
    instance = get_instance(request)
    with instance.read() as conn:
        states = queries.anchor_states(conn, instance, instance.clock())
    items = [
        AnchorOut(
            id=s.anchor.id,
            name=s.anchor.name,
            kind=s.anchor.kind,
            target=s.anchor.target,
            vkey=s.anchor.vkey,
            outcome=s.outcome,
            reason=s.reason,
            last_size=s.anchor.last_size,
            last_at=s.anchor.last_at,
        )
        for s in states
    ]
    return AnchorsOut(items=items, total=len(items))


@router.post("/anchors", status_code=201)
def add_witness(request: Request, actor: KeyKeeper, new: WitnessIn) -> AnchorRef:
    """Have checkpoints cosigned by a witness. Files are added at the machine's console."""
    anchor_id = service.add_anchor(
        get_instance(request), actor, new.name, kind="witness", target=new.target, vkey=new.vkey
    )
    return AnchorRef(id=anchor_id)


@router.post("/anchors/run", status_code=202)
def run_anchors(request: Request, _: KeyKeeper) -> JobRef:
    """Leave the newest checkpoint at every anchor, in the background."""
    return JobRef(job=get_instance(request).write(lambda tx: tx.enqueue(ANCHOR_JOB, {})))


@router.delete("/anchors/{anchor_id}", status_code=204)
def remove_anchor(
    request: Request, actor: KeyKeeper, anchor_id: Annotated[str, Path(max_length=26, pattern=PLAIN)]
) -> None:
    """Leave no more checkpoints there."""
    service.remove_anchor(get_instance(request), actor, anchor_id)


@router.get("/known-logs")
def known_logs(request: Request, _: Viewer) -> KnownLogsOut:
    """The logs that are witnessed here."""
    with get_instance(request).read() as conn:
        logs = queries.known_logs(conn)
    items = [KnownLogOut(origin=o.origin, vkey=o.vkey, size=o.size, seen_at=o.seen_at) for o in logs]
    return KnownLogsOut(items=items, total=len(items))


@router.post("/known-logs", status_code=201)
def add_known_log(request: Request, actor: KeyKeeper, new: KnownLogIn) -> OriginIn:
    """Be the witness of another log."""
    return OriginIn(origin=service.add_known_log(get_instance(request), actor, new.vkey))


@router.post("/known-logs/remove", status_code=204)
def remove_known_log(request: Request, actor: KeyKeeper, old: OriginIn) -> None:
    """Witness a log no longer, and forget what was seen of it."""
    service.remove_known_log(get_instance(request), actor, old.origin)


# -- witness ------------------------------------------------------------------------------------------


async def raw_body(request: Request) -> bytes:
    """The body as it came, whatever it calls itself; bounded before it is read whole."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_REQUEST_BYTES:
            raise TooLarge(f"the request is over the limit of {MAX_REQUEST_BYTES} bytes; send less")
    return received


_WITNESS = public("the log's own signature is asked for, by a key that was named here; anybody may carry it")


@router.post(
    "/witness/add-checkpoint",
    dependencies=[Depends(_WITNESS)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, 409: {"content": {SIZE_TYPE: {}}}},
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def add_checkpoint(request: Request, body: Annotated[bytes, Depends(raw_body)]) -> Response:
    """Cosign a checkpoint of a log that is witnessed here, if it continues what was seen (C2SP tlog-witness)."""
    answer = service.witness_checkpoint(get_instance(request), body)
    if not isinstance(answer, Refusal):
        return Response(answer, media_type="text/plain; charset=utf-8")
    if answer.status == 409 and answer.known_size is not None:
        return Response(f"{answer.known_size}\n", status_code=409, headers={"Content-Type": SIZE_TYPE})
    return Response(f"{answer.reason}\n", status_code=answer.status, media_type="text/plain; charset=utf-8")
