"""Stages, gates and moves over HTTP. Thin: each route is one call of a service or a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alcaide.kernel.access import Actor
from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import NotFound
from alcaide.kernel.policy.source import requirement_schema
from alcaide.predicates.graph import STAGES
from alcaide.slices.lifecycle import queries, rules, service
from alcaide.slices.lifecycle.model import STAGE_TITLES, Gate, gates_schema
from alcaide.ui.deps import allow, current_actor, get_instance

router = APIRouter(prefix="/lifecycle")

VIEW = [Depends(allow("lifecycle.view"))]

Viewer = Annotated[Actor, Depends(allow("lifecycle.view"))]
Requester = Annotated[Actor, Depends(allow("lifecycle.request"))]
Settler = Annotated[Actor, Depends(allow("lifecycle.settle"))]
Waiver = Annotated[Actor, Depends(allow("lifecycle.waive"))]
Mover = Annotated[Actor, Depends(allow("lifecycle.move-back"))]


def _named(request: Request) -> Mapping[str, str]:
    """The request for a move that the address names, as policies are asked about it."""
    instance, named = get_instance(request), request.path_params
    with instance.read() as conn:
        actor = current_actor(request)
        return queries.about_request(conn, instance, actor, named["system"], named["request_id"])


Decider = Annotated[Actor, Depends(allow("lifecycle.approve", _named))]
Withdrawer = Annotated[Actor, Depends(allow("lifecycle.withdraw", _named))]
Author = Annotated[Actor, Depends(allow("lifecycle.take-back", _named))]

System: TypeAlias = Annotated[
    str, Path(max_length=200, description="The system's short name, like `loan-desk`.")
]
RequestId: TypeAlias = Annotated[
    str, Path(max_length=40, description="The request's id, as answers of this API give it.")
]
StageName: TypeAlias = Literal[
    "design", "data", "training", "validation", "safety", "deployment", "operation", "retired"
]
OutcomeWord: TypeAlias = Literal["passed", "failed", "unknown"]
Reason: TypeAlias = Annotated[
    str,
    Field(
        min_length=1, max_length=service.MAX_REASON, description="Why, in your words; kept in the evidence."
    ),
]


class ErrorBody(BaseModel):
    """What went wrong, for a person and for a program."""

    code: str
    message: str = Field(description="What is wrong and what to do next, for a person.")
    fields: dict[str, str] | None = None
    rule: str | None = None
    owner: str | None = None
    next_step: str | None = None


class Problem(BaseModel):
    """How every error looks."""

    error: ErrorBody


def _answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    told = {
        400: "What was sent cannot be used",
        401: "Sign in, or send a token",
        403: "A rule says no; the answer names it",
        404: "There is no such system, gate or request",
        409: "Not possible as things stand; the message says why",
        422: "Some values cannot be used",
        500: "Gates cannot be used until a file is mended",
    }
    return {
        status: {"model": Problem, "description": told[status]} for status in (400, 401, 403, 422, *statuses)
    }


class Named(BaseModel):
    """A thing and its digest."""

    name: str
    sha256: str = Field(description="Empty where no digest is known.")


class BoundOut(BaseModel):
    """What a decision made now would be bound to."""

    system: Named
    components: list[Named]
    policy: Named


class Person(BaseModel):
    """Somebody, as the evidence names them."""

    id: str
    name: str


class ChangeOut(BaseModel):
    """One thing that is different now."""

    name: str
    was: str
    now: str


class WordOut(BaseModel):
    """One person's decision, and what it is worth now."""

    leaf: int
    by: Person
    role: str
    decision: Literal["approved", "rejected", "revoked"]
    at: str
    until: str | None
    reason: str
    state: Literal["counts", "void", "expired", "revoked", "rejected", "superseded", "no-seat", "own-request"]
    why: str
    changes: list[ChangeOut] = Field(description="For a void word: what changed since, from what to what.")


class SeatOut(BaseModel):
    """How far a seat of the gate is filled."""

    role: str
    wanted: int
    taken_by: list[str]


class ApprovalsOut(BaseModel):
    """The approvals: their verdict, and every word."""

    outcome: OutcomeWord
    reason: str
    stood_on: list[int]
    people: int
    quorum: int
    seats: list[SeatOut]
    words: list[WordOut]


class RequestOut(BaseModel):
    """A request for a move."""

    id: str
    leaf: int
    gate: str
    from_stage: str = Field(alias="from", serialization_alias="from")
    to: str
    by: Person
    at: str
    until: str | None
    reason: str
    state: Literal["open", "withdrawn", "lapsed", "passed"]
    passed_leaf: int | None


class GateRef(BaseModel):
    """Which gate, under which text."""

    id: str
    title: str
    sha256: str


class StandingOut(BaseModel):
    """How a system stands before a gate, with every leaf of the log that the answer stands on."""

    system: str
    stage: str
    to: str
    gate: GateRef
    outcome: OutcomeWord
    waived: bool = Field(description="True where it is passed only because something was waived.")
    reason: str
    stood_on: list[int]
    requirements: list[dict[str, Any]]
    approvals: ApprovalsOut
    request: RequestOut | None
    passed: RequestOut | None
    bound: BoundOut
    bound_sha256: str = Field(description="Send it as `seen` with a decision, to decide about exactly this.")
    as_of: str
    tree_size: int


class StageOut(BaseModel):
    """A stage, and how many systems are there."""

    name: str
    title: str
    systems: int


class StagesOut(BaseModel):
    """The stages in order."""

    items: list[StageOut]
    next_cursor: str | None = None
    total: int


class GateOut(BaseModel):
    """A gate as it was written."""

    id: str
    title: str
    why: str
    from_stages: list[str] = Field(alias="from", serialization_alias="from")
    to: str
    origin: str
    sha256: str
    quorum: int
    approvals: list[dict[str, Any]]
    requirements: list[dict[str, Any]]


class GatesOut(BaseModel):
    """The gates in force."""

    items: list[GateOut]
    next_cursor: str | None = None
    total: int
    problems: list[str] = Field(
        description="What is wrong with gate files; while there is any, no gate passes."
    )


class OverviewOut(BaseModel):
    """A system before its next gate, as last assessed."""

    system: str
    title: str
    stage: str
    since: str | None
    to: str
    outcome: Literal["passed", "failed", "unknown", "waived"]
    reason: str
    voided: bool
    as_of: str | None


class OverviewPage(BaseModel):
    """A page of systems."""

    items: list[OverviewOut]
    next_cursor: str | None
    total: int


class RequestPage(BaseModel):
    """Requests, the latest first."""

    items: list[RequestOut]
    next_cursor: str | None = None
    total: int


class Asked(BaseModel):
    """A move to ask for."""

    model_config = ConfigDict(extra="forbid")

    to: StageName
    reason: Reason


class Decided(BaseModel):
    """A decision about a request."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approved", "rejected"]
    role: Annotated[
        str, Field(max_length=64, description="The seat to take; left out, the first free one.")
    ] = ""
    reason: Annotated[str, Field(max_length=service.MAX_REASON, description="Needed for a no.")] = ""
    seen: Annotated[
        str, Field(max_length=64, pattern="^([0-9a-f]{64})?$", description="`bound_sha256` as read.")
    ] = ""


class WithReason(BaseModel):
    """A reason alone."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Waived(BaseModel):
    """A requirement to waive."""

    model_config = ConfigDict(extra="forbid")

    to: StageName
    requirement: Annotated[str, Field(min_length=1, max_length=80)]
    until: Annotated[
        str,
        Field(
            min_length=1,
            max_length=40,
            description="A time, a day, a duration like `30d`, or `now` to end one.",
        ),
    ]
    reason: Reason
    component: Annotated[
        str, Field(max_length=300, description="Waive for this component only, at its digest.")
    ] = ""


class MovedBack(BaseModel):
    """A stage to return to."""

    model_config = ConfigDict(extra="forbid")

    to: StageName
    reason: Reason


class StageNow(BaseModel):
    """Where a system is."""

    system: str
    stage: str


class Settled(BaseModel):
    """Whether the system moved, and how it stands."""

    moved: bool
    standing: StandingOut


@router.get("/stages", summary="The stages, in order", responses=_answers(), dependencies=VIEW)
def stages(request: Request) -> StagesOut:
    """With how many systems are at each."""
    with get_instance(request).read() as conn:
        counts = queries.stage_counts(conn)
    items = [StageOut(name=s, title=STAGE_TITLES[s], systems=counts.get(s, 0)) for s in STAGES]
    return StagesOut(items=items, total=len(items))


@router.get("/gates", summary="The gates in force", responses=_answers(), dependencies=VIEW)
def gates(request: Request) -> GatesOut:
    """Shipped ones, and the installation's own in their place."""
    found = queries.gates_in_force(get_instance(request))
    items = [_gate_out(gate) for gate in found.gates]
    return GatesOut(items=items, total=len(items), problems=[str(problem) for problem in found.problems])


@router.get(
    "/gates/schema",
    summary="The JSON Schemas of gates and requirements",
    responses=_answers(),
    dependencies=VIEW,
)
def schemas() -> dict[str, Any]:
    """For editors that check a gate file while it is written."""
    return {"gates": gates_schema(), "requirement": requirement_schema()}


@router.get("/gates/{gate_id}", summary="One gate", responses=_answers(404), dependencies=VIEW)
def gate(request: Request, gate_id: Annotated[str, Path(max_length=80)]) -> GateOut:
    """As it was written, with the digest that approvals are bound to."""
    found = queries.gates_in_force(get_instance(request)).named(gate_id)
    if found is None:
        raise NotFound(f"there is no gate `{gate_id}`; see `/api/v1/lifecycle/gates` for those there are")
    return _gate_out(found)


@router.get(
    "/systems",
    summary="Systems and what blocks them, the unknown first",
    responses=_answers(),
    dependencies=VIEW,
)
def systems(
    request: Request,
    stage: Annotated[StageName | None, Query()] = None,
    outcome: Annotated[Literal["passed", "failed", "unknown", "waived"] | None, Query()] = None,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=250)] = None,
) -> OverviewPage:
    """As last assessed: `as_of` says when. `check` decides anew."""
    with get_instance(request).read() as conn:
        rows, following, total = queries.overview(
            conn, stage=stage or "", outcome=outcome or "", q=q, limit=limit, cursor=cursor
        )
    items = [
        OverviewOut.model_validate(
            {
                "system": row.system,
                "title": row.title,
                "stage": row.stage,
                "since": rfc3339(row.since) if row.since else None,
                "to": row.to_stage,
                "outcome": row.outcome,
                "reason": row.reason,
                "voided": row.voided,
                "as_of": rfc3339(row.as_of) if row.as_of else None,
            }
        )
        for row in rows
    ]
    return OverviewPage(items=items, next_cursor=following, total=total)


@router.get(
    "/systems/{system}", summary="The stage of a system", responses=_answers(404, 500), dependencies=VIEW
)
def system_stage(request: Request, system: System) -> StageNow:
    """As the log has it."""
    instance = get_instance(request)
    with instance.read() as conn:
        story, _ = queries.standings(instance, conn, system, now=instance.clock())
    return StageNow(system=system, stage=story.stage)


@router.get(
    "/systems/{system}/check", summary="May it move on?", responses=_answers(404, 500), dependencies=VIEW
)
def check(
    request: Request,
    system: System,
    to: Annotated[StageName | None, Query(description="Left out: the next gate.")] = None,
) -> StandingOut:
    """The verdict with every reason, decided now from evidence that is shown to be complete.

    `outcome` is what a pipeline acts on: `passed` and nothing else lets anything through.
    """
    instance = get_instance(request)
    with instance.read() as conn:
        standing = queries.standing(instance, conn, system, to, now=instance.clock())
    return _standing_out(standing)


@router.get(
    "/systems/{system}/requests",
    summary="Every request there was",
    responses=_answers(404, 500),
    dependencies=VIEW,
)
def requests(request: Request, system: System) -> RequestPage:
    """The latest first."""
    instance = get_instance(request)
    now = instance.clock()
    with instance.read() as conn:
        story, _ = queries.standings(instance, conn, system, now=now)
    items = [RequestOut.model_validate(rules.request_json(r, now)) for r in reversed(story.requests)]
    return RequestPage(items=items, total=len(items))


@router.post(
    "/systems/{system}/requests", status_code=201, summary="Ask for a move", responses=_answers(404, 409, 500)
)
def ask(request: Request, actor: Requester, system: System, body: Asked) -> StandingOut:
    """Bound to the system as it is now."""
    return _standing_out(service.request_move(get_instance(request), actor, system, body.to, body.reason))


@router.post(
    "/systems/{system}/requests/{request_id}/decisions",
    status_code=201,
    summary="Approve or reject",
    responses=_answers(404, 409, 500),
)
def decide(
    request: Request, actor: Decider, system: System, request_id: RequestId, body: Decided
) -> StandingOut:
    """The last approval that is needed passes the gate. Who may decide is asked about this very request."""
    return _standing_out(
        service.decide(
            get_instance(request), actor, system, request_id, body.decision,
            role=body.role, reason=body.reason, seen=body.seen,
        )
    )  # fmt: skip


@router.post(
    "/systems/{system}/requests/{request_id}/take-back",
    status_code=201,
    summary="Take one's own approval back",
    responses=_answers(404, 409, 500),
)
def take_back(
    request: Request, actor: Author, system: System, request_id: RequestId, body: WithReason
) -> StandingOut:
    """Also where the gate is passed already: what stood on the approval stands no longer."""
    return _standing_out(
        service.decide(get_instance(request), actor, system, request_id, "revoked", reason=body.reason)
    )


@router.post(
    "/systems/{system}/requests/{request_id}/withdraw",
    status_code=204,
    summary="Withdraw a request",
    responses=_answers(404, 409),
)
def withdraw(
    request: Request, actor: Withdrawer, system: System, request_id: RequestId, body: WithReason
) -> Response:
    """One's own, or any for those who may."""
    service.withdraw(get_instance(request), actor, system, request_id, body.reason)
    return Response(status_code=204)


@router.post(
    "/systems/{system}/settle",
    summary="Record a move for which all is there",
    responses=_answers(404, 409, 500),
)
def settle(request: Request, actor: Settler, system: System, to: Annotated[StageName, Query()]) -> Settled:
    """For evidence that came after the approvals. Changes nothing where something is missing."""
    instance = get_instance(request)
    moved = service.settle(instance, actor, system, to)
    with instance.read() as conn:
        standing = queries.standing(instance, conn, system, to, now=instance.clock())
    return Settled(moved=moved, standing=_standing_out(standing))


@router.post(
    "/systems/{system}/waivers", status_code=201, summary="Waive a requirement", responses=_answers(404, 500)
)
def waive(request: Request, actor: Waiver, system: System, body: Waived) -> StandingOut:
    """For a reason and until a day. The verdict stays what it is, and shows the waiver beside it."""
    return _standing_out(
        service.waive(
            get_instance(request), actor, system, body.to, body.requirement,
            until=body.until, reason=body.reason, component=body.component,
        )
    )  # fmt: skip


@router.post(
    "/systems/{system}/move-back",
    summary="Return a system to an earlier stage",
    responses=_answers(404, 409, 500),
)
def move_back(request: Request, actor: Mover, system: System, body: MovedBack) -> StageNow:
    """Or retire it."""
    story = service.move_back(get_instance(request), actor, system, body.to, body.reason)
    return StageNow(system=system, stage=story.stage)


@router.get(
    "/systems/{system}/vsa",
    summary="The SLSA verification summary of a passed gate",
    responses={
        **_answers(404, 409, 500),
        200: {
            "description": "A DSSE envelope around an in-toto Statement with a SLSA VSA",
            "content": {"application/vnd.dsse.envelope.v1+json": {}},
        },
    },
    response_class=Response,
    dependencies=[Depends(allow("lifecycle.export"))],
)
def vsa(request: Request, system: System, to: Annotated[StageName, Query()]) -> Response:
    """Signed by this installation's key. 409 with the reason while the gate is not passed."""
    envelope = service.verification_summary(get_instance(request), system, to)
    return Response(envelope.to_bytes(), media_type="application/vnd.dsse.envelope.v1+json")


def _standing_out(standing: rules.Standing) -> StandingOut:
    return StandingOut.model_validate(standing.as_json())


def _gate_out(found: Gate) -> GateOut:
    return GateOut.model_validate(
        {
            "id": found.id,
            "title": found.title,
            "why": found.why,
            "from": list(found.from_stages),
            "to": found.to_stage,
            "origin": found.origin,
            "sha256": found.digest,
            "quorum": found.quorum,
            "approvals": [{"role": seat.role, "count": seat.count} for seat in found.seats],
            "requirements": [dict(requirement.document or {}) for requirement in found.requirements],
        }
    )
