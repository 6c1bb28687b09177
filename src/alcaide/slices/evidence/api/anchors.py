"""Where checkpoints are left outside, and the other way round: this log as a witness of others."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alcaide.kernel.errors import TooLarge
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.api.shapes import PLAIN, KeyKeeper, Outcome, Viewer
from alcaide.slices.evidence.model import ANCHOR_JOB
from alcaide.slices.evidence.rules.witness import MAX_REQUEST_BYTES, SIZE_TYPE, Refusal
from alcaide.ui.deps import get_instance, public

router = APIRouter()


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
