"""Background work: keep the overview up to date, and complete moves whose evidence came after the approvals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.errors import AlcaideError
from alcaide.kernel.jobs import JobContext, JobKind
from alcaide.slices.lifecycle import projection, queries, service

CHUNK = 25


def assess(ctx: JobContext) -> dict[str, Any]:
    """Look again at every system whose place in the overview is out of date; stops cleanly when cancelled."""
    while projection.follow(ctx.instance):
        ctx.check()
    with ctx.instance.read() as conn:
        names = queries.to_assess(conn, ctx.instance.clock(), limit=1_000_000)
    looked_at = 0
    for start in range(0, len(names), CHUNK):
        ctx.check()
        for name in names[start : start + CHUNK]:
            service.assess_again(ctx.instance, name)
            looked_at += 1
        ctx.progress((start + CHUNK) / max(len(names), 1), f"{looked_at} of {len(names)} systems")
    return {"systems": looked_at}


def settle(ctx: JobContext) -> dict[str, Any]:
    """Record the passes that are complete: approvals were there, and the evidence has come since."""
    actor = system_actor("lifecycle", "Alcaide")
    moved = []
    with ctx.instance.read() as conn:
        waiting = queries.open_requests(conn, ctx.instance.clock(), limit=10_000)
    for request in waiting:
        ctx.check()
        try:
            if service.settle(ctx.instance, actor, request.system, request.to_stage):
                moved.append(f"{request.system} to {request.to_stage}")
        except AlcaideError:
            continue  # its page says why; one request must not keep the others waiting
    return {"moved": moved[:100]}


JOBS = (
    JobKind(
        "lifecycle.assess",
        assess,
        schedule="* * * * *",
        timeout=timedelta(minutes=30),
        title="Look again at how systems stand before their gates",
    ),
    JobKind(
        "lifecycle.settle",
        settle,
        schedule="*/5 * * * *",
        timeout=timedelta(minutes=10),
        title="Complete moves whose evidence has arrived",
    ),
)
