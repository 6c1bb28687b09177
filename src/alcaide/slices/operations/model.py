"""What operations shows: verifications, backups, and how often either has to happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

VERIFY = "operations.verify-log"
BACKUP = "operations.backup"
TIDY = "operations.tidy"

JOB_TITLES = {VERIFY: "Verify the log", BACKUP: "Back up", TIDY: "Tidy jobs"}
KEEP_BACKUPS = 7
LONGEST_KEEP = 365


@dataclass(frozen=True)
class Verification:
    """One verification of the whole log, from the first leaf to a checkpoint."""

    id: str
    job_id: str | None
    started_at: datetime
    finished_at: datetime
    size: int
    root: str
    intact: bool
    first_bad: int | None
    reason: str

    @property
    def took(self) -> timedelta:
        """How long it took."""
        return self.finished_at - self.started_at


@dataclass(frozen=True)
class Backup:
    """One backup that the machine made by itself. `removed_at` is set once it has made room for newer ones."""

    id: str
    job_id: str | None
    path: str
    size: int
    made_at: datetime
    log_size: int
    holds_secret: bool
    removed_at: datetime | None


@dataclass(frozen=True)
class BackupPlan:
    """When backups are made, where they go, and how many are kept."""

    cron: str
    enabled: bool
    keep: int
    next_at: datetime | None
    folder: str


@dataclass(frozen=True)
class Limits:
    """After how long a missing verification or backup needs somebody's attention."""

    verify_within: timedelta = timedelta(days=3)
    backup_within: timedelta = timedelta(days=3)
