"""The log over HTTP: its checkpoint, leaves in lists and one by one, proofs, and all about a subject."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from alcaide.kernel.errors import NotFound
from alcaide.slices.evidence import queries
from alcaide.slices.evidence.api.shapes import PLAIN, CheckOut, Cursor, Index, Limit, Outcome, Viewer
from alcaide.slices.evidence.model import ACCESS_EVENT, LeafFilter, LeafLine
from alcaide.slices.evidence.rules.paths import label_of, subject_key
from alcaide.ui.deps import get_instance
from alcaide.ui.exact import Moment

router = APIRouter()


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
    since: Moment | None = None,
    until: Moment | None = None,
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
