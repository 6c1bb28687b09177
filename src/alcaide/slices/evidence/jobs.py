"""Background work: leave checkpoints outside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.jobs import JobContext, JobKind
from alcaide.slices.evidence import service
from alcaide.slices.evidence.model import ANCHOR_JOB


def anchor(ctx: JobContext) -> dict[str, Any]:
    """Leave the newest checkpoint at every anchor; one that fails is tried again next time and says so."""
    ctx.check()
    done = service.anchor_now(ctx.instance, system_actor("evidence", "Alcaide"))
    return {"anchors": [{"name": name, "problem": problem} for name, problem in done]}


JOBS = (
    JobKind(
        ANCHOR_JOB,
        anchor,
        schedule="*/15 * * * *",
        timeout=timedelta(minutes=10),
        title="Leave the newest checkpoint outside",
    ),
)
