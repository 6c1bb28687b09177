"""Is the log known to be intact, and is there a backup to go back to? Pure; the time comes in.

Left out on purpose: doing either (jobs.py), and whether a backup can be restored, which only restoring it
somewhere shows (docs/operate/backup.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alcaide.kernel.policy.verdict import Failed, Passed, Unknown, Verdict
from alcaide.slices.operations.model import Backup, Limits, Verification


def log_verified(latest: Verification | None, limits: Limits, *, now: datetime) -> Verdict:
    """Passed only if the latest verification found the log intact, recently enough.

    A failure does not grow old: it stays Failed until a later verification passes.
    """
    if latest is None:
        return Unknown("the log has never been verified from its first leaf")
    if not latest.intact:
        return Failed(latest.reason)
    if now - latest.finished_at > limits.verify_within:
        return Unknown(f"last verified {_days(now - latest.finished_at)} ago")
    return Passed()


def backed_up(backups: Sequence[Backup], limits: Limits, *, now: datetime) -> Verdict:
    """Passed only if a backup that is still there was made recently enough."""
    kept = [backup for backup in backups if backup.removed_at is None]
    if not kept:
        return Unknown("no backup has been made here")
    age = now - max(backup.made_at for backup in kept)
    if age > limits.backup_within:
        return Failed(f"the latest backup is {_days(age)} old")
    return Passed()


def to_remove(backups: Sequence[Backup], keep: int) -> list[Backup]:
    """The backups that make room: all but the newest `keep`, oldest first. At least one is always kept."""
    kept = sorted((b for b in backups if b.removed_at is None), key=lambda b: (b.made_at, b.id))
    return kept[: max(0, len(kept) - max(1, keep))]


def _days(age: timedelta) -> str:
    return "1 day" if age.days == 1 else f"{age.days} days"
