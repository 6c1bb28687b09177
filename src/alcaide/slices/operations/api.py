"""The machine over HTTP, under `/api/v1/operations`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from alcaide.kernel.access import Actor
from alcaide.kernel.jobs import JobRun, store
from alcaide.slices.operations import queries, service
from alcaide.slices.operations.model import Backup, BackupPlan, Verification
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/operations", tags=["operations"])
Seer = Annotated[Actor, Depends(allow("ops.view"))]
Keeper = Annotated[Actor, Depends(allow("ops.act"))]
JobId: TypeAlias = Annotated[str, Path(max_length=64, description="The job's id.")]
StateName: TypeAlias = Literal["queued", "running", "succeeded", "dead", "cancelled"]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="Entries per page.")]


class ErrorBody(BaseModel):
    """What is wrong, for people and programs."""

    code: str
    message: str = Field(description="What is wrong and what to do next, for a person.")
    fields: dict[str, str] | None = Field(None, description="What is wrong with each field.")
    rule: str | None = None
    owner: str | None = None
    next_step: str | None = None


class Problem(BaseModel):
    """How every error looks."""

    error: ErrorBody


_TOLD: dict[int, str] = {
    400: "The request cannot be understood",
    401: "Sign in, or send a token",
    403: "A rule denies this; the answer names the rule, its owner and the next step",
    404: "There is no such job",
    409: "The job is in a state in which this is not possible",
    422: "Some values cannot be used; `fields` says which and why",
    429: "Too many requests; wait for `Retry-After` seconds",
    503: "Not available right now; try again",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors a route can answer with, for OpenAPI."""
    always = (400, 401, 403, 422, 429, 503)
    return {s: {"model": Problem, "description": _TOLD[s]} for s in sorted({*always, *statuses})}


class JobOut(BaseModel):
    """A background job."""

    id: str
    kind: str
    state: StateName
    key: str | None
    payload: dict[str, Any]
    created_at: datetime
    run_at: datetime | None = Field(description="Not before then; null means at once.")
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int = Field(description="How many attempts have failed.")
    max_attempts: int | None
    progress: float | None = Field(description="From 0 to 1, where it can be told.")
    note: str
    error: str | None
    result: dict[str, Any] | None
    cancel_requested: bool


class JobList(BaseModel):
    """A page of jobs."""

    items: list[JobOut]
    next_cursor: str | None
    total: int


class Asked(BaseModel):
    """Work that was asked for; follow the job to its end."""

    job_id: str


class VerificationOut(BaseModel):
    """One verification of the whole log."""

    id: str
    job_id: str | None
    started_at: datetime
    finished_at: datetime
    size: int
    root: str
    intact: bool
    first_bad: int | None
    reason: str


class VerificationList(BaseModel):
    """Verifications, newest first."""

    items: list[VerificationOut]
    next_cursor: str | None = None
    total: int


class LogOut(BaseModel):
    """The log's head, and whether the whole of it is known to be intact."""

    size: int
    root: str
    checkpoint: str = Field(description="The signed note.")
    last_at: datetime | None
    outcome: Literal["passed", "failed", "unknown"]
    reason: str
    verifying: str | None = Field(description="The job that is verifying it now.")


class BackupOut(BaseModel):
    """One backup made by the machine itself."""

    id: str
    job_id: str | None
    path: str
    size: int
    made_at: datetime
    log_size: int
    holds_secret: bool
    removed_at: datetime | None


class BackupList(BaseModel):
    """Backups, newest first."""

    items: list[BackupOut]
    next_cursor: str | None = None
    total: int


class Why(BaseModel):
    """Why somebody interferes with a job; kept in the evidence."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=service.MAX_REASON, description="In your words.")


class PlanIn(BaseModel):
    """When to make backups and how many to keep."""

    model_config = ConfigDict(extra="forbid")

    cron: str = Field(max_length=100, description="Five cron fields, in UTC.", examples=["15 2 * * *"])
    keep: int = Field(ge=1, le=365, description="How many backups to keep.")
    enabled: StrictBool = True


class PlanOut(BaseModel):
    """When backups are made, how many are kept, and where."""

    cron: str
    keep: int
    enabled: bool
    next_at: datetime | None
    folder: str


@router.get("/jobs", summary="List background jobs", responses=answers())
def list_jobs(
    request: Request,
    _: Seer,
    state: Annotated[StateName | Literal["unfinished"] | None, Query()] = None,
    kind: Annotated[str, Query(max_length=64)] = "",
    limit: Limit = 50,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next_cursor` of the page before.")
    ] = None,
) -> JobList:
    """Jobs newest first."""
    with get_instance(request).read() as conn:
        page = queries.list_jobs(conn, state=state or "", kind=kind, cursor=cursor, limit=limit)
    return JobList(items=[_job(job) for job in page.items], next_cursor=page.next_cursor, total=page.total)


@router.get("/jobs/{job_id}", summary="One background job", responses=answers(404))
def get_job(request: Request, _: Seer, job_id: JobId) -> JobOut:
    """Everything about it: progress, outcome, why it failed."""
    return _read(request, job_id)


@router.post(
    "/jobs/{job_id}/retry", summary="Queue a dead or cancelled job afresh", responses=answers(404, 409)
)
def retry_job(request: Request, actor: Keeper, job_id: JobId, why: Why | None = None) -> JobOut:
    """Its finished steps are kept, so it goes on where it stopped."""
    service.retry_job(get_instance(request), actor, job_id, reason=why.reason if why else "")
    return _read(request, job_id)


@router.post("/jobs/{job_id}/run", summary="Let a queued job start at once", responses=answers(404, 409))
def run_job(request: Request, actor: Keeper, job_id: JobId, why: Why | None = None) -> JobOut:
    """For one that waits for its time, or for its next attempt."""
    service.run_job_now(get_instance(request), actor, job_id, reason=why.reason if why else "")
    return _read(request, job_id)


@router.post("/jobs/{job_id}/cancel", summary="Stop a job", responses=answers(404, 409))
def cancel_job(request: Request, actor: Keeper, job_id: JobId, why: Why) -> JobOut:
    """A waiting job is cancelled at once, a running one at its next safe point. Needs a reason."""
    service.cancel_job(get_instance(request), actor, job_id, reason=why.reason)
    return _read(request, job_id)


@router.get("/log", summary="The log's head and health", responses=answers())
def log(request: Request, _: Seer) -> LogOut:
    """Checked against the signed checkpoint; `outcome` is about the latest whole verification."""
    instance = get_instance(request)
    with instance.read() as conn:
        health = queries.log_health(conn, instance, instance.clock())
    return LogOut(
        size=health.size,
        root=health.root,
        checkpoint=health.checkpoint,
        last_at=health.last_at,
        outcome=health.verdict.outcome,
        reason=health.verdict.reason,
        verifying=None if health.running is None else health.running.id,
    )


@router.get("/verifications", summary="Verifications of the whole log", responses=answers())
def list_verifications(request: Request, _: Seer, limit: Limit = 50) -> VerificationList:
    """Newest first."""
    with get_instance(request).read() as conn:
        found = queries.verifications(conn, limit)
    return VerificationList(items=[_verification(each) for each in found], total=len(found))


@router.post("/verifications", status_code=202, summary="Have the whole log verified", responses=answers())
def verify(request: Request, actor: Keeper) -> Asked:
    """Asked for while one is under way, it is that one."""
    return Asked(job_id=service.request_verification(get_instance(request), actor))


@router.get("/backups", summary="List backups", responses=answers())
def list_backups(request: Request, _: Seer, limit: Limit = 50) -> BackupList:
    """Newest first."""
    with get_instance(request).read() as conn:
        found = queries.backups(conn, limit=limit)
    return BackupList(items=[_backup(each) for each in found], total=len(found))


@router.post("/backups", status_code=202, summary="Have a backup made", responses=answers())
def back_up(request: Request, actor: Keeper) -> Asked:
    """Asked for while one is under way, it is that one."""
    return Asked(job_id=service.request_backup(get_instance(request), actor))


@router.get("/backups/plan", summary="When backups are made", responses=answers())
def get_plan(request: Request, _: Seer) -> PlanOut:
    """The schedule in force, a person's or the one that ships."""
    return _plan(request)


@router.put("/backups/plan", summary="Set when backups are made", responses=answers())
def put_plan(request: Request, actor: Keeper, body: PlanIn) -> PlanOut:
    """Takes effect with the next time it names."""
    service.plan_backups(get_instance(request), actor, cron=body.cron, keep=body.keep, enabled=body.enabled)
    return _plan(request)


def _read(request: Request, job_id: str) -> JobOut:
    with get_instance(request).read() as conn:
        return _job(store.get(conn, job_id))


def _job(job: JobRun) -> JobOut:
    return JobOut.model_validate(queries.job_json(job))


def _verification(done: Verification) -> VerificationOut:
    return VerificationOut.model_validate(done, from_attributes=True)


def _backup(made: Backup) -> BackupOut:
    return BackupOut.model_validate(made, from_attributes=True)


def _plan(request: Request) -> PlanOut:
    instance = get_instance(request)
    with instance.read() as conn:
        plan: BackupPlan = queries.backup_plan(conn, instance.config)
    return PlanOut.model_validate(plan, from_attributes=True)
