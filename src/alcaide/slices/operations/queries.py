"""What the machine did and does: jobs, workers, verifications, backups, and what of it needs attention."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import parse_duration
from alcaide.kernel.errors import AlcaideError, ConfigError, InvalidInput
from alcaide.kernel.jobs import JobRun, State, store
from alcaide.kernel.policy.verdict import Failed, Passed, Unknown, Verdict
from alcaide.kernel.slice import AttentionItem, load
from alcaide.slices.operations import rules, tables
from alcaide.slices.operations.model import (
    BACKUP,
    KEEP_BACKUPS,
    VERIFY,
    Backup,
    BackupPlan,
    Limits,
    Verification,
)

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.config import Config
    from alcaide.kernel.instance import Instance

LONGEST_PAGE = 200


@dataclass(frozen=True)
class JobPage:
    """Jobs newest first."""

    items: tuple[JobRun, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True)
class LogHealth:
    """The log as it stands. `problem` says why its head cannot be believed, if so."""

    size: int
    root: str
    checkpoint: str
    last_at: datetime | None
    problem: str
    verdict: Verdict
    latest: Verification | None
    running: JobRun | None


def list_jobs(
    conn: Connection, *, state: str = "", kind: str = "", cursor: str | None = None, limit: int = 50
) -> JobPage:
    """One page of jobs. `state` is empty, a state, or `unfinished`."""
    states = _states(state)
    limit = max(1, min(limit, LONGEST_PAGE))
    found = store.page(conn, states=states, kind=kind or None, before=cursor, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return JobPage(
        tuple(items), items[-1].id if more else None, store.count(conn, states=states, kind=kind or None)
    )


def _states(name: str) -> Collection[State]:
    if not name:
        return ()
    if name == "unfinished":
        return tuple(state for state in State if not state.finished)
    try:
        return (State(name),)
    except ValueError:
        known = ", ".join(f"`{state}`" for state in State)
        raise InvalidInput(f"`{name[:40]}` is no state of a job; choose {known} or `unfinished`") from None


def job_titles(instance: Instance) -> dict[str, str]:
    """What people call the kinds of job that the installed slices have."""
    kinds = [kind for manifest in instance.manifests if manifest.jobs for kind in load(manifest.jobs)]
    return {kind.name: kind.title or kind.name for kind in kinds}


def limits_of(config: Config) -> Limits:
    """How old a verification and a backup may get, from the settings. Raises ConfigError."""
    section = config.section("operations")

    def within(name: str, default: timedelta) -> timedelta:
        given = section.get(name)
        if given is None:
            return default
        try:
            found = parse_duration(str(given))
        except InvalidInput as problem:
            raise ConfigError(f"setting `operations.{name}`: {problem}") from None
        return found

    plain = Limits()
    return Limits(within("verify_within", plain.verify_within), within("backup_within", plain.backup_within))


def backup_folder(config: Config) -> Path:
    """Where scheduled backups go: a setting, else a folder in the data folder that backups leave out."""
    given = config.section("operations").get("backup_folder")
    return Path(str(given)).expanduser() if given else config.data / "backups"


def verifications(conn: Connection, limit: int = 20) -> list[Verification]:
    """The latest verifications, newest first."""
    table = tables.verification
    query = sa.select(table).order_by(table.c.finished_at.desc(), table.c.id.desc()).limit(limit)
    return [Verification(**row) for row in conn.execute(query).mappings()]


def backups(conn: Connection, *, kept_only: bool = False, limit: int = 50) -> list[Backup]:
    """The latest backups, newest first."""
    table = tables.backup
    query = sa.select(table).order_by(table.c.made_at.desc(), table.c.id.desc()).limit(limit)
    if kept_only:
        query = query.where(table.c.removed_at.is_(None))
    return [Backup(**row) for row in conn.execute(query).mappings()]


def log_health(conn: Connection, instance: Instance, now: datetime) -> LogHealth:
    """The log's head, and whether the whole of it was verified. Never raises for what is wrong with the log."""
    latest = next(iter(verifications(conn, 1)), None)
    running = store.unfinished(conn, VERIFY)
    verdict = rules.log_verified(latest, limits_of(instance.config), now=now)
    try:
        head = instance.ledger.checkpoint(conn)
    except AlcaideError as problem:
        return LogHealth(0, "", "", None, str(problem), Failed(str(problem)), latest, running)
    return LogHealth(head.size, head.root.hex(), head.text, head.last_at, "", verdict, latest, running)


def backup_verdict(conn: Connection, config: Config, now: datetime) -> Verdict:
    """Whether there is a backup recent enough. A file that is gone does not count."""
    found = [backup for backup in backups(conn, kept_only=True) if Path(backup.path).is_file()]
    return rules.backed_up(found, limits_of(config), now=now)


def backup_plan(conn: Connection, config: Config) -> BackupPlan:
    """When backups are made and how many are kept."""
    planned = next((s for s in store.schedules(conn) if s.kind == BACKUP), None)
    folder = str(backup_folder(config))
    if planned is None:
        return BackupPlan("", False, KEEP_BACKUPS, None, folder)
    keep = planned.payload.get("keep", KEEP_BACKUPS)
    return BackupPlan(
        planned.cron, planned.enabled, int(keep), planned.next_at if planned.enabled else None, folder
    )


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """What of the machine needs somebody: dead jobs, an unverified log, no recent backup, no worker."""
    if not instance.authorizer.decide(actor, "ops.view"):
        return []
    found = []
    health = log_health(conn, instance, now)
    if item := _from_verdict(health.verdict, "The log", "/operations/log"):
        found.append(item)
    if item := _from_verdict(backup_verdict(conn, instance.config, now), "Backups", "/operations/backups"):
        found.append(item)
    counts = store.counts(conn)
    if dead := counts[State.DEAD]:
        detail = "every attempt failed; see why, then retry"
        found.append(
            AttentionItem("failed", "Jobs that gave up", detail, "/operations?state=dead", None, dead)
        )
    if counts[State.QUEUED] and not store.workers(conn, now):
        detail = "jobs wait and no worker runs; start `alcaide up` or `alcaide worker`"
        found.append(AttentionItem("failed", "No worker", detail, "/operations", None, counts[State.QUEUED]))
    return found


def _from_verdict(verdict: Verdict, title: str, href: str) -> AttentionItem | None:
    match verdict:
        case Passed():
            return None
        case Failed(reason=reason):
            return AttentionItem("failed", title, reason, href)
        case Unknown(reason=reason):
            return AttentionItem("unknown", title, reason, href)


def job_json(job: JobRun) -> dict[str, Any]:
    """A job as API and command line give it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "key": job.key,
        "payload": dict(job.payload),
        "created_at": job.created_at,
        "run_at": job.run_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts or None,
        "progress": job.progress,
        "note": job.note,
        "error": job.error,
        "result": _plain(job.result),
        "cancel_requested": job.cancel_requested,
    }


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)
