"""`alcaide jobs`: background work from the machine's own console."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.instance import Instance, cli_actor, open_for_cli
from alcaide.kernel.jobs import JobKind, JobRun, State, store
from alcaide.slices.operations import queries, service

app = App(name="jobs", help="Background jobs: what runs, what gave up, and why.")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Format = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print.")]
Reason = Annotated[str, Parameter(name="--reason", help="Why, in your words; kept in the evidence.")]
StateName = Literal["queued", "running", "succeeded", "dead", "cancelled", "unfinished"]


@app.command(name="list")
def list_jobs(
    *,
    state: StateName | None = None,
    kind: str = "",
    limit: int = 50,
    format: Format = "table",
    data: Data = None,
) -> None:
    """List jobs, newest first."""
    with open_for_cli(data) as instance, instance.read() as conn:
        page = queries.list_jobs(conn, state=state or "", kind=kind, limit=limit)
    if format == "json":
        _json({"items": [queries.job_json(job) for job in page.items], "total": page.total})
        return
    for job in page.items:
        _say(f"{job.id}  {job.state:<9}  {job.kind:<28}  {_how_far(job)}")
    _say(f"{len(page.items)} of {page.total} jobs")


@app.command
def show(job_id: str, *, format: Format = "table", data: Data = None) -> None:
    """Show one job: how far it is, what it gave, why it failed."""
    with open_for_cli(data) as instance, instance.read() as conn:
        job = store.get(conn, job_id)
        steps = store.steps(conn, job_id)
    shown = {**queries.job_json(job), "steps": [name for name, _ in steps]}
    if format == "json":
        _json(shown)
        return
    for name, value in shown.items():
        if value not in (None, "", [], {}):
            _say(f"{name.replace('_', ' '):<16}{_text(value)}")


@app.command
def retry(job_id: str, *, reason: Reason = "", data: Data = None) -> None:
    """Queue a dead or cancelled job afresh; it goes on after its last finished step."""
    with open_for_cli(data) as instance:
        service.retry_job(instance, cli_actor(), job_id, reason=reason)
    _say(f"job {job_id} is queued again")


@app.command(name="run-now")
def run_now(job_id: str, *, reason: Reason = "", data: Data = None) -> None:
    """Let a queued job start without waiting for its time."""
    with open_for_cli(data) as instance:
        service.run_job_now(instance, cli_actor(), job_id, reason=reason)
    _say(f"job {job_id} starts in a moment")


@app.command
def cancel(job_id: str, *, reason: Reason, data: Data = None) -> None:
    """Stop a job: at once if it waits, at its next safe point if it runs."""
    with open_for_cli(data) as instance:
        state = service.cancel_job(instance, cli_actor(), job_id, reason=reason)
    done = "is cancelled" if state is State.CANCELLED else "stops at its next safe point"
    _say(f"job {job_id} {done}")


@app.command(name="verify-log")
def verify_log(*, data: Data = None) -> None:
    """Have the worker verify the whole log now."""
    with open_for_cli(data) as instance:
        job_id = service.request_verification(instance, cli_actor())
    _say(f"job {job_id} verifies the log; follow it with `alcaide jobs show {job_id}`")


@app.command(name="run-worker")
def run_worker(
    *,
    once: Annotated[
        bool, Parameter(negative="", help="Run what is due now, one job after the other, and end.")
    ] = False,
    threads: Annotated[int, Parameter(help="How many jobs run at once.")] = 2,
    data: Data = None,
) -> int:
    """Run jobs until stopped, or only those that are due (`--once`, for a timer or a test of one job)."""
    import signal

    from alcaide import __version__
    from alcaide.kernel.jobs.worker import Worker

    with open_for_cli(data) as instance:
        worker = Worker(instance, _kinds(instance), threads=threads, version=__version__)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        if once:
            _say(f"{worker.run_due()} jobs ran")
            return 0
        return worker.run()


def _kinds(instance: Instance) -> list[JobKind]:
    from alcaide.kernel.slice import load

    return [kind for manifest in instance.manifests if manifest.jobs for kind in load(manifest.jobs)]


def _how_far(job: JobRun) -> str:
    if job.state is State.RUNNING:
        share = "" if job.progress is None else f"{job.progress:.0%} "
        return f"{share}{job.note}".strip() or "working"
    if job.error and job.state is not State.SUCCEEDED:
        return job.error.splitlines()[0][:100]
    return rfc3339(job.finished_at or job.run_at or job.created_at)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(value: Any) -> None:
    _say(json.dumps(value, indent=2, ensure_ascii=False, default=_text))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
