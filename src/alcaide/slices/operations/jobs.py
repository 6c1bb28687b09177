"""What operations does by itself."""

from __future__ import annotations

from datetime import timedelta

from alcaide.kernel.jobs import JobKind
from alcaide.slices.operations import service
from alcaide.slices.operations.model import BACKUP, JOB_TITLES, KEEP_BACKUPS, TIDY, VERIFY

JOBS = (
    JobKind(
        name=BACKUP,
        run=service.back_up,
        schedule="15 2 * * *",
        scheduled_payload={"keep": KEEP_BACKUPS},
        max_attempts=3,
        timeout=timedelta(hours=12),
        title=JOB_TITLES[BACKUP],
    ),
    JobKind(
        name=VERIFY,
        run=service.verify,
        schedule="30 3 * * *",
        max_attempts=3,
        timeout=timedelta(hours=12),
        title=JOB_TITLES[VERIFY],
    ),
    JobKind(
        name=TIDY,
        run=service.tidy,
        schedule="45 4 * * *",
        max_attempts=3,
        timeout=timedelta(minutes=30),
        title=JOB_TITLES[TIDY],
    ),
)
