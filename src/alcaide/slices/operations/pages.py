"""Pages about the machine: its jobs, the health of its log, its backups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.jobs import JobRun, State, store
from alcaide.kernel.policy.verdict import Verdict
from alcaide.slices.operations import queries, service
from alcaide.slices.operations.model import BACKUP, Backup, BackupPlan, Verification
from alcaide.slices.operations.queries import JobPage, LogHealth
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, get_instance

router = APIRouter(include_in_schema=False)
Seer = Annotated[Actor, Depends(allow("ops.view"))]
Keeper = Annotated[Actor, Depends(allow("ops.act"))]
Text = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=service.MAX_REASON)]
Word = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True)
class JobsPage:
    """The list of jobs, who works on them, and what runs by itself."""

    jobs: JobPage
    counts: Mapping[str, int]
    workers: tuple[store.WorkerRow, ...]
    schedules: tuple[store.Schedule, ...]
    state: str
    kind: str
    kinds: tuple[tuple[str, str], ...]
    titles: Mapping[str, str]
    may_act: bool


@dataclass(frozen=True)
class JobDetail:
    """One job."""

    job: JobRun
    steps: tuple[tuple[str, datetime], ...]
    titles: Mapping[str, str]
    may_act: bool


@dataclass(frozen=True)
class LogPage:
    """The log's head and its verifications."""

    health: LogHealth
    verifications: tuple[Verification, ...]
    may_act: bool


@dataclass(frozen=True)
class BackupsPage:
    """Backups and when they are made."""

    verdict: Verdict
    backups: tuple[Backup, ...]
    plan: BackupPlan
    running: JobRun | None
    may_act: bool
    errors: Mapping[str, str] = field(default_factory=dict)


@router.get("/operations")
def jobs(request: Request, actor: Seer, state: Word = "", kind: Word = "", cursor: Word = "") -> Response:
    """List jobs."""
    instance = get_instance(request)
    with instance.read() as conn:
        schedules = tuple(store.schedules(conn))
        counts = {each.value: number for each, number in store.counts(conn).items()}
        titles = queries.job_titles(instance)
        page = JobsPage(
            jobs=queries.list_jobs(conn, state=state, kind=kind, cursor=cursor or None),
            counts=counts,
            workers=tuple(store.workers(conn, instance.clock())),
            schedules=schedules,
            state=state,
            kind=kind,
            kinds=tuple(sorted(titles.items())),
            titles=titles,
            may_act=_may_act(request, actor),
        )
    return render(request, "operations/jobs.html", page)


@router.get("/operations/jobs/{job_id}")
def job(request: Request, actor: Seer, job_id: str) -> Response:
    """Show one job."""
    return render(request, "operations/job.html", _job_detail(request, actor, job_id))


@router.get("/operations/jobs/{job_id}/state")
def job_state(request: Request, actor: Seer, job_id: str) -> Response:
    """The part of a job's page that changes while it runs; asked for every two seconds."""
    return render(request, "operations/job_state.html", _job_detail(request, actor, job_id))


@router.post("/operations/jobs/{job_id}/retry")
def retry(request: Request, actor: Keeper, job_id: str, reason: Reason = "") -> Response:
    """Queue a dead or cancelled job afresh."""
    return _act(
        job_id,
        lambda: service.retry_job(get_instance(request), actor, job_id, reason=reason),
        "It is queued again",
    )


@router.post("/operations/jobs/{job_id}/cancel")
def cancel(request: Request, actor: Keeper, job_id: str, reason: Reason = "") -> Response:
    """Stop a job."""
    try:
        state = service.cancel_job(get_instance(request), actor, job_id, reason=reason)
    except (Conflict, InvalidInput) as problem:
        return redirect(_address(job_id), flash=str(problem), flash_kind="warn")
    done = "It is cancelled" if state is State.CANCELLED else "It stops at its next safe point"
    return redirect(_address(job_id), flash=done)


@router.post("/operations/jobs/{job_id}/run-now")
def run_now(request: Request, actor: Keeper, job_id: str, reason: Reason = "") -> Response:
    """Let a waiting job start at once."""
    return _act(
        job_id,
        lambda: service.run_job_now(get_instance(request), actor, job_id, reason=reason),
        "It starts in a moment",
    )


@router.get("/operations/log")
def log(request: Request, actor: Seer) -> Response:
    """Show the log's head and how it was verified."""
    instance = get_instance(request)
    with instance.read() as conn:
        health = queries.log_health(conn, instance, instance.clock())
        done = tuple(queries.verifications(conn))
    return render(request, "operations/log.html", LogPage(health, done, _may_act(request, actor)))


@router.post("/operations/log/verify")
def verify(request: Request, actor: Keeper) -> Response:
    """Have the whole log verified now."""
    job_id = service.request_verification(get_instance(request), actor)
    return redirect(_address(job_id), flash="The log is verified from its first leaf")


@router.get("/operations/backups")
def backups(request: Request, actor: Seer) -> Response:
    """List backups."""
    return render(request, "operations/backups.html", _backups_page(request, actor))


@router.post("/operations/backups")
def back_up(request: Request, actor: Keeper) -> Response:
    """Have a backup made now."""
    job_id = service.request_backup(get_instance(request), actor)
    return redirect(_address(job_id), flash="A backup is being made")


@router.post("/operations/backups/plan")
def plan(request: Request, actor: Keeper, cron: Text = "", keep: Text = "", enabled: Text = "") -> Response:
    """Set when backups are made and how many are kept."""
    number = int(keep) if keep.isascii() and keep.isdigit() and len(keep) < 6 else 0
    try:
        service.plan_backups(get_instance(request), actor, cron=cron, keep=number, enabled=bool(enabled))
    except InvalidInput as problem:
        return render(request, "operations/backups.html", _backups_page(request, actor, problem.fields), 422)
    return redirect("/operations/backups", flash="Backups are planned")


def _act(job_id: str, do: Callable[[], None], done: str) -> Response:
    try:
        do()
    except (Conflict, InvalidInput) as problem:
        return redirect(_address(job_id), flash=str(problem), flash_kind="warn")
    return redirect(_address(job_id), flash=done)


def _address(job_id: str) -> str:
    return f"/operations/jobs/{job_id}"


def _job_detail(request: Request, actor: Actor, job_id: str) -> JobDetail:
    instance = get_instance(request)
    with instance.read() as conn:
        found = store.get(conn, job_id)
        steps = tuple(store.steps(conn, job_id))
    titles = queries.job_titles(instance)
    return JobDetail(
        found, steps, {**titles, found.kind: titles.get(found.kind, found.kind)}, _may_act(request, actor)
    )


def _backups_page(request: Request, actor: Actor, errors: Mapping[str, str] | None = None) -> BackupsPage:
    instance = get_instance(request)
    with instance.read() as conn:
        return BackupsPage(
            verdict=queries.backup_verdict(conn, instance.config, instance.clock()),
            backups=tuple(queries.backups(conn)),
            plan=queries.backup_plan(conn, instance.config),
            running=store.unfinished(conn, BACKUP),
            may_act=_may_act(request, actor),
            errors=errors or {},
        )


def _may_act(request: Request, actor: Actor) -> bool:
    return bool(get_instance(request).authorizer.decide(actor, "ops.act"))
