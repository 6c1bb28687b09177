"""Work of this slice that nobody waits for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alcaide.kernel.jobs import JobContext, JobKind
from alcaide.slices.access import service


def tidy(ctx: JobContext) -> dict[str, Any]:
    """Count failed sign-ins in the log, and forget sessions, links and tallies that have run out."""
    return dict(service.tidy(ctx.instance))


JOBS = [
    JobKind(
        name="access.tidy",
        run=tidy,
        schedule="*/5 * * * *",
        max_attempts=3,
        timeout=timedelta(minutes=5),
        title="Tidy sign-ins",
    )
]
