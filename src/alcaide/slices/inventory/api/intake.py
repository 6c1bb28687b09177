"""Requests for a new AI use, over HTTP, for those who decide on them. Sending one is the public form's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from alcaide.kernel.access import Actor
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory.api.shapes import (
    Cursor,
    Limit,
    Line,
    NeededReason,
    Reason,
    Text,
    answers,
    given,
)
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service.intake import (
    ACTION,
    accept,
    get_request,
    list_requests,
    merge,
    reject,
    similar,
)
from alcaide.slices.inventory.service.intake import Request as Asked
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/intake")
Moderator = Annotated[Actor, Depends(allow(ACTION))]
asked_by = [Depends(allow(ACTION))]
Reference = Annotated[str, Path(max_length=12, description="The request's reference, like `R-7f3k2mwq`.")]
StateName = Literal["waiting", "accepted", "merged", "rejected"]


class RequestOut(BaseModel):
    """A request as it stands."""

    reference: str
    state: StateName
    title: str
    purpose: str
    people_affected: str
    data_used: str
    supplier: str
    unit: str
    requester: str = Field(description="Empty 90 days after the decision.")
    email: str = Field(description="Empty 90 days after the decision, or if none was given.")
    submitted_at: datetime
    decided_at: datetime | None
    decided_by: str
    decision_reason: str
    system: str = Field(description="The system it became, or was merged into.")


class RequestsOut(BaseModel):
    """One page of requests."""

    items: list[RequestOut]
    next_cursor: str | None
    total: int


class RequestWhole(RequestOut):
    """A request with what may be the same wish, by words in common."""

    similar_systems: list[str]
    similar_requests: list[str]


class Accept(BaseModel):
    """The system to register. It starts as proposed."""

    name: Annotated[str, Field(max_length=64, description="Its short name, like `loan-desk`.")]
    title: Line = ""
    purpose: Text = ""
    owner: Line = ""
    unit: Line = ""
    users_affected: Annotated[str, Field(max_length=1_000)] = ""
    reason: Reason = ""


class Merge(BaseModel):
    """The system on record that meets the wish."""

    system: Annotated[str, Field(max_length=80)]
    reason: Reason = ""


class Reject(BaseModel):
    """Why not."""

    reason: NeededReason


@router.get("", summary="Requests for a new AI use", responses=answers(), dependencies=asked_by)
def requests(
    request: Request, state: StateName | None = None, limit: Limit = 50, cursor: Cursor = None
) -> RequestsOut:
    """Those that wait come oldest first, all others newest first."""
    with get_instance(request).read() as conn:
        page = list_requests(conn, state=state or "", limit=limit, cursor=cursor)
    return RequestsOut(
        items=[_out(item) for item in page.items], next_cursor=page.next_cursor, total=page.total
    )


@router.get("/{reference}", summary="One request", responses=answers(404), dependencies=asked_by)
def one(request: Request, reference: Reference) -> RequestWhole:
    """With systems and waiting requests that may be the same wish."""
    with get_instance(request).read() as conn:
        asked = get_request(conn, reference)
        found = similar(conn, asked)
    return RequestWhole(
        **_out(asked).model_dump(),
        similar_systems=[system.name for system in found.systems],
        similar_requests=[other.reference for other in found.requests],
    )


@router.post("/{reference}/accept", summary="Register what was asked for", responses=answers(404, 409))
def accept_request(request: Request, actor: Moderator, reference: Reference, body: Accept) -> RequestOut:
    """Registers a system as proposed, with the reference in its evidence. 409 if it is decided or the name is taken."""
    fields = system_fields({**given(body), "status": "proposed"})

    def work(tx: Tx) -> Asked:
        accept(tx, reference, fields, actor=actor, reason=body.reason)
        return get_request(tx.conn, reference)

    return _out(get_instance(request).write(work))


@router.post("/{reference}/merge", summary="Point to a system on record", responses=answers(404, 409))
def merge_request(request: Request, actor: Moderator, reference: Reference, body: Merge) -> RequestOut:
    """The register does not change; the requester reads which system meets the wish."""

    def work(tx: Tx) -> Asked:
        merge(tx, reference, body.system, actor=actor, reason=body.reason)
        return get_request(tx.conn, reference)

    return _out(get_instance(request).write(work))


@router.post("/{reference}/reject", summary="Turn a request down", responses=answers(404, 409))
def reject_request(request: Request, actor: Moderator, reference: Reference, body: Reject) -> RequestOut:
    """The requester reads the reason."""

    def work(tx: Tx) -> Asked:
        reject(tx, reference, actor=actor, reason=body.reason)
        return get_request(tx.conn, reference)

    return _out(get_instance(request).write(work))


def _out(asked: Asked) -> RequestOut:
    wish = asked.wish
    return RequestOut(
        reference=asked.reference,
        state=asked.state.value,
        title=wish.title,
        purpose=wish.purpose,
        people_affected=wish.people_affected,
        data_used=wish.data_used,
        supplier=wish.supplier,
        unit=wish.unit,
        requester=wish.requester,
        email=wish.email,
        submitted_at=asked.submitted_at,
        decided_at=asked.decided_at,
        decided_by=asked.decided_by,
        decision_reason=asked.decision_reason,
        system=asked.system_name,
    )
