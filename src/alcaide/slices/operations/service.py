"""The only writer of operations: what people ask of the machine, and what its own jobs do.

Jobs are asked for in housekeeping transactions, not in the ledger: they change nothing that evidence is about. Where a
person interferes with one (`cancel_job`, `retry_job`, `run_job_now`), that is evidence, in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import sqlalchemy as sa

from alcaide.kernel.backup import create_backup
from alcaide.kernel.errors import ConfigError, InvalidInput
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import JobContext, State, enqueue, store
from alcaide.kernel.ledger.verify import verify_log
from alcaide.predicates.base import By, at
from alcaide.predicates.job_steered import JobAction, JobState, JobSteered
from alcaide.slices.operations import queries, rules, tables
from alcaide.slices.operations.model import BACKUP, KEEP_BACKUPS, LONGEST_KEEP, VERIFY

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.ledger.log import Tx

log = logging.getLogger("alcaide.operations")

T = TypeVar("T")
MAX_REASON = 2_000

KEEP_SUCCEEDED = timedelta(days=7)
KEEP_STOPPED = timedelta(days=90)  # dead and cancelled jobs: long enough to be asked about
KEEP_VERIFICATIONS = timedelta(days=400)
PARTIAL_IS_STALE_AFTER_S = 86_400.0


# What people ask for ---------------------------------------------------------------------------------


def request_verification(instance: Instance, actor: Actor) -> str:
    """Have the whole log verified now; returns the job's id. One that is under way already is that job."""
    return _request(instance, VERIFY, {"asked_by": actor.name[:200]})


def request_backup(instance: Instance, actor: Actor) -> str:
    """Have a backup made now; returns the job's id. One that is under way already is that job."""
    with instance.read() as conn:
        plan = queries.backup_plan(conn, instance.config)
    return _request(instance, BACKUP, {"keep": plan.keep, "asked_by": actor.name[:200]})


def _request(instance: Instance, kind: str, payload: Mapping[str, Any]) -> str:
    with instance.db.transaction() as conn:
        waiting = store.unfinished(conn, kind)
        return waiting.id if waiting is not None else enqueue(conn, instance.clock(), kind, payload)


def retry_job(instance: Instance, actor: Actor, job_id: str, *, reason: str = "") -> None:
    """Queue a dead or cancelled job afresh. Raises NotFound, Conflict."""
    _steer(instance, actor, job_id, "retried", reason, lambda tx: store.retry(tx.conn, job_id))


def cancel_job(instance: Instance, actor: Actor, job_id: str, *, reason: str) -> State:
    """Stop a job: at once if it waits, at its next safe point if it runs. Raises NotFound, Conflict, InvalidInput.

    Needs a reason: what was stopped may have been a look at the log itself.
    """
    if not reason.strip():
        raise InvalidInput("say why the job is cancelled", {"reason": "is missing; say why"})
    return _steer(
        instance, actor, job_id, "cancelled", reason, lambda tx: store.cancel(tx.conn, tx.now, job_id)
    )


def run_job_now(instance: Instance, actor: Actor, job_id: str, *, reason: str = "") -> None:
    """Let a queued job start without waiting for its time. Raises NotFound, Conflict."""
    _steer(instance, actor, job_id, "brought-forward", reason, lambda tx: store.run_now(tx.conn, job_id))


def _steer(
    instance: Instance,
    actor: Actor,
    job_id: str,
    action: JobAction,
    reason: str,
    act: Callable[[Tx], T],
) -> T:
    """Do it and say so, in one transaction: a job that nobody is on record for was stopped by nobody."""
    said = " ".join(reason.split())
    if len(said) > MAX_REASON:
        raise InvalidInput("the reason is too long", {"reason": f"has more than {MAX_REASON} characters"})

    def work(tx: Tx) -> T:
        job = store.get(tx.conn, job_id)
        done = act(tx)  # refuses a job in the wrong state, so what is recorded below is what was done
        steered = JobSteered(
            at=at(tx.now),
            by=By.of(actor),
            reason=said,
            job=job.id,
            kind=job.kind,
            action=action,
            state=msgspec.convert(job.state.value, JobState),
        )
        tx.append(steered.about([Subject.described(f"job:{job.id}", {"id": job.id, "kind": job.kind})]))
        return done

    done = instance.write(work)
    log.info("job %s is %s by %s", job_id, action, actor.id)
    return done


def plan_backups(instance: Instance, actor: Actor, *, cron: str, keep: int, enabled: bool) -> None:
    """Set when backups are made and how many are kept. Raises InvalidInput by field."""
    if not 1 <= keep <= LONGEST_KEEP:
        raise InvalidInput("choose how many backups to keep", {"keep": f"must be from 1 to {LONGEST_KEEP}"})
    try:
        with instance.db.transaction() as conn:
            now = instance.clock()
            store.set_schedule(conn, now, BACKUP, cron=cron, payload={"keep": keep}, enabled=enabled)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"cron": str(problem)}) from None
    log.info("backups are planned at `%s`, %d kept, enabled %s, by %s", cron, keep, enabled, actor.id)


# What the jobs do ------------------------------------------------------------------------------------


def verify(ctx: JobContext, *, processes: int | None = None) -> dict[str, Any]:
    """Verify the log from its first leaf and keep the outcome. A log that is not intact is not a failed job."""
    instance: Instance = ctx.instance
    started = ctx.now

    def say(done: int, of: int, what: str) -> None:
        ctx.progress(done / of if of else None, f"{what}: {done:,} of {of:,}")

    report = verify_log(instance.ledger, say, processes=processes)
    row = {
        "id": new_id(),
        "job_id": ctx.run.id,
        "started_at": started,
        "finished_at": ctx.now,
        "size": report.size,
        "root": report.root,
        "intact": report.intact,
        "first_bad": report.first_bad,
        "reason": report.reason,
    }
    with instance.db.transaction() as conn:
        conn.execute(sa.insert(tables.verification).values(row))
    if not report.intact:
        log.error("the log does not verify: %s", report.reason)
    return {
        "intact": report.intact,
        "size": report.size,
        "first_bad": report.first_bad,
        "reason": report.reason,
    }


def back_up(ctx: JobContext) -> dict[str, Any]:
    """Make a backup, read it back, and remove the oldest beyond those to keep.

    Removal comes last: a backup that fails takes none of the older ones with it.
    """
    instance: Instance = ctx.instance
    folder = queries.backup_folder(instance.config)
    _prepare(folder)
    now = ctx.now
    path = folder / f"alcaide-{now:%Y%m%dT%H%M%SZ}-{ctx.run.id[-6:]}-{ctx.run.lease}.zip"
    report = create_backup(instance, path, progress=ctx.progress)
    row = {
        "id": new_id(),
        "job_id": ctx.run.id,
        "path": str(path),
        "size": report.size,
        "made_at": report.created_at,
        "log_size": report.log_size,
        "holds_secret": report.holds_secret,
    }
    with instance.db.transaction() as conn:
        conn.execute(sa.insert(tables.backup).values(row))
    keep = ctx.payload.get("keep", KEEP_BACKUPS)
    removed = remove_old_backups(instance, keep if isinstance(keep, int) else KEEP_BACKUPS)
    return {"path": str(path), "size": report.size, "log_size": report.log_size, "removed": removed}


def _prepare(folder: Path) -> None:
    """Make the folder, and clear what a killed backup left behind."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(
            f"backup folder `{folder}` cannot be made: {problem.strerror}; set `operations.backup_folder`"
        ) from None
    _clear_partial(folder)


def _clear_partial(folder: Path) -> None:
    from alcaide.kernel.clock import utcnow

    for partial in folder.glob(".alcaide-*.partial"):
        # Only what nobody writes any more: a backup under way grows by the second.
        if utcnow().timestamp() - partial.stat().st_mtime > PARTIAL_IS_STALE_AFTER_S:
            partial.unlink(missing_ok=True)


def remove_old_backups(instance: Instance, keep: int) -> int:
    """Remove the files of all but the newest `keep` backups of our own making; returns how many."""
    with instance.read() as conn:
        excess = rules.to_remove(queries.backups(conn, kept_only=True, limit=10_000), keep)
    for backup in excess:
        try:
            Path(backup.path).unlink(missing_ok=True)
        except OSError as problem:
            log.warning("old backup %s cannot be removed: %s", backup.path, problem.strerror)
            continue
        with instance.db.transaction() as conn:
            gone = sa.update(tables.backup).where(tables.backup.c.id == backup.id)
            conn.execute(gone.values(removed_at=instance.clock()))
    return len(excess)


def tidy(ctx: JobContext) -> dict[str, Any]:
    """Remove what is long finished: jobs, verifications, the records of removed backups."""
    instance: Instance = ctx.instance
    now = ctx.now

    def once(work: Callable[[sa.Connection], int]) -> int:
        with instance.db.transaction() as conn:
            return work(conn)

    removed = 0
    while True:
        ctx.check()
        lot = once(
            lambda conn: store.prune(
                conn, succeeded_before=now - KEEP_SUCCEEDED, other_before=now - KEEP_STOPPED
            )
        )
        removed += lot
        if not lot:
            break
    table, old = tables.verification, now - KEEP_VERIFICATIONS
    newest = sa.select(sa.func.max(table.c.finished_at)).scalar_subquery()
    once(
        lambda conn: (
            conn.execute(
                sa.delete(table).where(table.c.finished_at < old, table.c.finished_at < newest)
            ).rowcount
        )
    )
    once(lambda conn: conn.execute(sa.delete(tables.backup).where(tables.backup.c.removed_at < old)).rowcount)
    return {"jobs_removed": removed}
