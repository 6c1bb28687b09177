"""Background work: leave checkpoints outside, and verify the whole log once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.jobs import JobContext, JobKind
from alcaide.slices.evidence import service

ANCHOR = "evidence.anchor"
VERIFY = "evidence.verify"


def anchor(ctx: JobContext) -> dict[str, Any]:
    """Leave the newest checkpoint at every anchor; one that fails is tried again next time and says so."""
    ctx.check()
    done = service.anchor_now(ctx.instance, system_actor("evidence", "Alcaide"))
    return {"anchors": [{"name": name, "problem": problem} for name, problem in done]}


def verify(ctx: JobContext) -> dict[str, Any]:
    """Verify the log from its first leaf. In this process alone: the machine has other work to do."""

    def progress(done: int, of: int, what: str) -> None:
        ctx.progress(done / of if of else None, f"{done} of {of} {what}")

    actor = system_actor("evidence", "Alcaide")
    report = service.verify_everything(ctx.instance, actor, progress, processes=1)
    return {
        "intact": report.intact,
        "size": report.size,
        "first_bad": report.first_bad,
        "reason": report.reason,
    }


JOBS = (
    JobKind(
        ANCHOR,
        anchor,
        schedule="*/15 * * * *",
        timeout=timedelta(minutes=10),
        title="Leave the newest checkpoint outside",
    ),
    JobKind(
        VERIFY,
        verify,
        schedule="17 3 * * *",
        timeout=timedelta(hours=6),
        title="Verify the whole log",
    ),
)
