"""Every statement that touches the job tables. Each function takes the connection and the time it is.

A caller opens the transaction: `Ledger.write` for enqueueing beside evidence, `Database.transaction` for
the worker's housekeeping. On SQLite that transaction holds the write lock from its start; on PostgreSQL
rows are taken `FOR UPDATE SKIP LOCKED`, so workers pass each other instead of waiting.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from alcaide.kernel.errors import Conflict, InvalidInput, NotFound, TooLarge
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import tables
from alcaide.kernel.jobs.cron import check_cron, last_before, next_after
from alcaide.kernel.jobs.states import JobRun, State, Terms, wait_before_retry

MAX_PAYLOAD_BYTES = 64 * 1024  # a job names what it works on; the thing itself lies in a table or a blob
MAX_RESULT_BYTES = 256 * 1024
MAX_NOTE = 300
MAX_ERROR = 4_000
LEASE = timedelta(seconds=60)
MAX_LOSSES = 10  # a job that was killed with its worker this often, without finishing a step, is killing it
WORKER_GONE_AFTER = timedelta(minutes=5)

_job = tables.job
_schedule = tables.schedule


@dataclass(frozen=True)
class Schedule:
    """When a kind of job runs by itself, and when it last did."""

    kind: str
    cron: str
    payload: Mapping[str, Any]
    enabled: bool
    customised: bool
    next_at: datetime
    last_at: datetime | None
    last_job: str | None


@dataclass(frozen=True)
class WorkerRow:
    """A worker process as it last reported itself."""

    id: str
    host: str
    pid: int
    threads: int
    version: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None


@dataclass(frozen=True)
class Beat:
    """What a worker learns when it extends a lease."""

    held: bool
    cancel_requested: bool


class LeaseLost(Exception):
    """Another worker holds the job now, or it was finished meanwhile: nothing may be written for it."""


# Asking for work -------------------------------------------------------------------------------------


def enqueue(
    conn: Connection,
    now: datetime,
    kind: str,
    payload: Mapping[str, Any],
    run_at: datetime | None = None,
    key: str | None = None,
) -> str:
    """Add a job to the caller's transaction and return its id; it exists if and only if that commits.

    With a `key`, the same kind and key name the same job for as long as its row is kept: asking again
    returns the first job's id, whatever became of it, so that a request sent twice is done once.
    Attempts and timeout are the kind's, filled in when a worker that knows the kind first takes it.
    """
    if not kind or len(kind) > 64:
        raise InvalidInput(f"`{kind[:80]}` is not a job kind; names have 1 to 64 characters")
    if key is not None and not 0 < len(key) <= 200:
        raise InvalidInput(f"job key `{key[:60]}` must have 1 to 200 characters; shorten it")
    if not isinstance(payload, Mapping):
        raise InvalidInput("a job's payload is a JSON object; wrap the value in one")
    bounded_json(dict(payload), MAX_PAYLOAD_BYTES, "job payload")
    job_id = new_id()
    row = {
        "id": job_id,
        "kind": kind,
        "key": key,
        "state": State.QUEUED.value,
        "payload": dict(payload),
        "created_at": now,
        "run_at": run_at,
        "attempts": 0,
        "losses": 0,
        "max_attempts": 0,
        "timeout_s": 0,
        "note": "",
        "cancel_requested": False,
        "lease": 0,
    }
    if key is None:
        conn.execute(sa.insert(_job).values(row))
        return job_id
    # INVARIANT: the unique constraint decides between two askers, not a look beforehand.
    insert = _insert(conn, _job).values(row).on_conflict_do_nothing(index_elements=["kind", "key"])
    if conn.execute(insert.returning(_job.c.id)).first() is not None:
        return job_id
    existing = conn.execute(sa.select(_job.c.id).where(_job.c.kind == kind, _job.c.key == key)).scalar()
    if existing is None:  # committed by another writer after our snapshot was taken
        raise Conflict(f"job `{kind}` with key `{key}` is being added by somebody else; ask again")
    return str(existing)


def bounded_json(value: Any, limit: int, what: str) -> None:
    """Refuse what is not JSON or is larger than `limit` bytes once written down."""
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidInput(
            f"{what} cannot be kept as JSON ({str(problem)[:120]}); use text, numbers and lists"
        ) from None
    if size > limit:
        raise TooLarge(
            f"{what} has {size} bytes, over the limit of {limit}; store it elsewhere and pass its name"
        )


# Looking ---------------------------------------------------------------------------------------------


def get(conn: Connection, job_id: str) -> JobRun:
    """One job. Raises NotFound."""
    row = conn.execute(sa.select(_job).where(_job.c.id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no job `{job_id[:40]}`; it may have been removed, see the list of jobs")
    return _run(row)


def page(
    conn: Connection,
    *,
    states: Collection[State] = (),
    kind: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[JobRun]:
    """Jobs newest first, from below the id `before`; ids sort by time of asking."""
    query = sa.select(_job).where(*_chosen(states, kind)).order_by(_job.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_job.c.id < before)
    return [_run(row) for row in conn.execute(query).mappings()]


def count(conn: Connection, *, states: Collection[State] = (), kind: str | None = None) -> int:
    """How many jobs `page` would give in all."""
    query = sa.select(sa.func.count()).select_from(_job).where(*_chosen(states, kind))
    return int(conn.execute(query).scalar_one())


def counts(conn: Connection) -> dict[State, int]:
    """How many jobs stand in each state; every state is present."""
    query = sa.select(_job.c.state, sa.func.count()).group_by(_job.c.state)
    found = dict.fromkeys(State, 0)
    for name, number in conn.execute(query):
        found[State(name)] = number
    return found


def unfinished(conn: Connection, kind: str) -> JobRun | None:
    """The newest queued or running job of a kind, if there is one."""
    waiting = [s.value for s in State if not s.finished]
    query = (
        sa.select(_job)
        .where(_job.c.kind == kind, _job.c.state.in_(waiting))
        .order_by(_job.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else _run(row)


def steps(conn: Connection, job_id: str) -> list[tuple[str, datetime]]:
    """The finished steps of a job, in the order they finished."""
    query = sa.select(tables.step.c.name, tables.step.c.finished_at).where(tables.step.c.job_id == job_id)
    rows = conn.execute(query.order_by(tables.step.c.finished_at, tables.step.c.name))
    return [(name, finished_at) for name, finished_at in rows]


# A worker's part -------------------------------------------------------------------------------------


def claim(
    conn: Connection,
    now: datetime,
    worker: str,
    kinds: Mapping[str, Terms],
    limit: int,
    lease: timedelta = LEASE,
) -> list[JobRun]:
    """Take up to `limit` due jobs of the given kinds; each is this worker's until its lease runs out."""
    due = (
        sa.select(_job)
        .where(_due(now, kinds))
        .order_by(_job.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for row in conn.execute(due.with_for_update(skip_locked=True)).mappings().all():
        kind = kinds[row["kind"]]
        changes = {
            "state": State.RUNNING.value,
            "worker": worker,
            "lease": row["lease"] + 1,
            "lease_until": now + lease,
            "started_at": row["started_at"] or now,
            "max_attempts": kind.max_attempts,
            "timeout_s": max(1, round(kind.timeout.total_seconds())),
        }
        conn.execute(sa.update(_job).where(_job.c.id == row["id"]).values(changes))
        taken.append(_run({**row, **changes}))
    return taken


def has_due(conn: Connection, now: datetime, kinds: Collection[str]) -> bool:
    """Whether `claim` would find something: a read, so that idle workers do not take the write lock."""
    return conn.execute(sa.select(_job.c.id).where(_due(now, kinds)).limit(1)).first() is not None


def beat(conn: Connection, now: datetime, job_id: str, lease_number: int, lease: timedelta = LEASE) -> Beat:
    """Extend a lease. `held` is false if it was lost, and then the work has to stop."""
    held = conn.execute(_held(job_id, lease_number).values(lease_until=now + lease)).rowcount == 1
    asked = conn.execute(sa.select(_job.c.cancel_requested).where(_job.c.id == job_id)).scalar()
    return Beat(held, bool(asked))


def note_progress(
    conn: Connection,
    now: datetime,
    job_id: str,
    lease_number: int,
    fraction: float | None,
    note: str,
    lease: timedelta = LEASE,
) -> Beat:
    """Write progress down, extending the lease on the way."""
    share = None if fraction is None else min(1.0, max(0.0, float(fraction)))
    values = {"progress": share, "note": note[:MAX_NOTE], "lease_until": now + lease}
    held = conn.execute(_held(job_id, lease_number).values(values)).rowcount == 1
    asked = conn.execute(sa.select(_job.c.cancel_requested).where(_job.c.id == job_id)).scalar()
    return Beat(held, bool(asked))


def recall_step(conn: Connection, job_id: str, name: str) -> tuple[bool, Any]:
    """Whether the step finished on an earlier run, and what it gave."""
    query = sa.select(tables.step.c.result).where(tables.step.c.job_id == job_id, tables.step.c.name == name)
    row = conn.execute(query).first()
    return (False, None) if row is None else (True, row[0]["value"])


def keep_step(conn: Connection, now: datetime, job_id: str, lease_number: int, name: str, value: Any) -> None:
    """Remember a finished step. Raises LeaseLost if the job has gone to another worker.

    A finished step shows that the job gets somewhere, so earlier losses no longer count against it.
    """
    if not 0 < len(name) <= 200:
        raise InvalidInput(f"step name `{name[:60]}` must have 1 to 200 characters; shorten it")
    bounded_json(value, MAX_RESULT_BYTES, f"result of step `{name}`")
    if conn.execute(_held(job_id, lease_number).values(losses=0)).rowcount != 1:
        raise LeaseLost(job_id)
    conn.execute(
        sa.insert(tables.step).values(job_id=job_id, name=name, result={"value": value}, finished_at=now)
    )


def succeed(
    conn: Connection, now: datetime, job_id: str, lease_number: int, result: Mapping[str, Any] | None
) -> bool:
    """Record that the job is done; false if the lease was lost, in which case nothing was recorded."""
    return _leave(
        conn,
        job_id,
        lease_number,
        state=State.SUCCEEDED.value,
        finished_at=now,
        result=None if result is None else dict(result),
        progress=1.0,
        error=None,
    )


def fail(conn: Connection, now: datetime, run: JobRun, error: str) -> State | None:
    """Record a failed attempt: queued again after a wait, or dead when no attempt is left.

    None if the lease was lost and nothing was recorded.
    """
    attempts = run.attempts + 1
    if attempts >= run.max_attempts:
        left = _leave(
            conn,
            run.id,
            run.lease,
            state=State.DEAD.value,
            finished_at=now,
            attempts=attempts,
            error=error[:MAX_ERROR],
        )
        return State.DEAD if left else None
    left = _leave(
        conn,
        run.id,
        run.lease,
        state=State.QUEUED.value,
        run_at=now + wait_before_retry(run.id, attempts),
        attempts=attempts,
        error=error[:MAX_ERROR],
    )
    return State.QUEUED if left else None


def end_cancelled(conn: Connection, now: datetime, job_id: str, lease_number: int) -> bool:
    """Record that the job stopped because somebody asked for it."""
    return _leave(conn, job_id, lease_number, state=State.CANCELLED.value, finished_at=now)


def release(conn: Connection, job_id: str, lease_number: int) -> bool:
    """Give a job back unfinished and unblamed, to be taken up again at once (a worker that stops)."""
    return _leave(conn, job_id, lease_number, state=State.QUEUED.value, run_at=None)


def reap(conn: Connection, now: datetime, lease: timedelta = LEASE) -> list[str]:
    """Take jobs away from workers that no longer extend their leases; returns their ids.

    A lease that would last longer than two leases can was written under a clock that has since gone
    back; it counts as run out, or a killed worker's job would wait until the old time comes round again.
    """
    lost = sa.select(_job).where(_lost(now, lease)).with_for_update(skip_locked=True)
    found = conn.execute(lost).mappings().all()
    for row in found:
        losses = row["losses"] + 1
        changes: dict[str, Any] = {
            "worker": None,
            "lease_until": None,
            "losses": losses,
            "lease": row["lease"] + 1,
        }
        if row["cancel_requested"]:
            changes |= {"state": State.CANCELLED.value, "finished_at": now}
        elif losses >= MAX_LOSSES:
            error = f"its worker died {losses} times in a row while running it; see the worker's log for why"
            changes |= {"state": State.DEAD.value, "finished_at": now, "error": error}
        else:
            changes |= {"state": State.QUEUED.value, "run_at": None}
        conn.execute(sa.update(_job).where(_job.c.id == row["id"]).values(changes))
    return [row["id"] for row in found]


def has_lost(conn: Connection, now: datetime, lease: timedelta = LEASE) -> bool:
    """Whether `reap` would find something."""
    return conn.execute(sa.select(_job.c.id).where(_lost(now, lease)).limit(1)).first() is not None


# A person's part -------------------------------------------------------------------------------------


def cancel(conn: Connection, now: datetime, job_id: str) -> State:
    """Ask a job to stop. A queued one is cancelled at once; a running one at its next safe point."""
    run = _locked(conn, job_id)
    if run.state.finished:
        raise Conflict(f"job `{job_id}` is {run.state} already; there is nothing to cancel")
    if run.state is State.QUEUED:
        conn.execute(
            sa.update(_job)
            .where(_job.c.id == job_id)
            .values(state=State.CANCELLED.value, finished_at=now, worker=None)
        )
        return State.CANCELLED
    conn.execute(sa.update(_job).where(_job.c.id == job_id).values(cancel_requested=True))
    return State.RUNNING


def retry(conn: Connection, job_id: str) -> None:
    """Queue a dead or cancelled job afresh. Its finished steps are kept, so it goes on where it stopped."""
    run = _locked(conn, job_id)
    if run.state not in (State.DEAD, State.CANCELLED):
        raise Conflict(f"job `{job_id}` is {run.state}; only dead and cancelled jobs can be retried")
    changes = {
        "state": State.QUEUED.value,
        "run_at": None,
        "finished_at": None,
        "attempts": 0,
        "losses": 0,
        "cancel_requested": False,
        "error": None,
        "note": "",
    }
    conn.execute(sa.update(_job).where(_job.c.id == job_id).values(changes))


def run_now(conn: Connection, job_id: str) -> None:
    """Let a queued job that waits for its next attempt start without waiting."""
    run = _locked(conn, job_id)
    if run.state is not State.QUEUED:
        raise Conflict(f"job `{job_id}` is {run.state}; only a queued job can be brought forward")
    conn.execute(sa.update(_job).where(_job.c.id == job_id).values(run_at=None))


# Schedules -------------------------------------------------------------------------------------------


def schedules(conn: Connection) -> list[Schedule]:
    """Every schedule known to the database, by kind."""
    rows = conn.execute(sa.select(_schedule).order_by(_schedule.c.kind)).mappings()
    return [Schedule(**row) for row in rows]


def declare_schedules(conn: Connection, now: datetime, kinds: Collection[Terms]) -> None:
    """Bring the kinds' own schedules into the table; what a person has set is left alone."""
    known = {s.kind: s for s in schedules(conn)}
    for kind in kinds:
        if kind.schedule is None:
            continue
        cron = check_cron(kind.schedule)
        row = {"cron": cron, "payload": dict(kind.scheduled_payload), "next_at": next_after(cron, now)}
        before = known.get(kind.name)
        if before is None:
            row |= {"kind": kind.name, "enabled": True, "customised": False}
            conn.execute(_insert(conn, _schedule).values(row).on_conflict_do_nothing())
        elif not before.customised and (before.cron != cron or dict(before.payload) != row["payload"]):
            conn.execute(sa.update(_schedule).where(_schedule.c.kind == kind.name).values(row))


def set_schedule(
    conn: Connection, now: datetime, kind: str, *, cron: str, payload: Mapping[str, Any], enabled: bool
) -> None:
    """Replace a kind's schedule by a person's. Raises InvalidInput for a cron expression that never fires."""
    cleaned = check_cron(cron)
    bounded_json(dict(payload), MAX_PAYLOAD_BYTES, "job payload")
    row = {
        "kind": kind,
        "cron": cleaned,
        "payload": dict(payload),
        "enabled": enabled,
        "customised": True,
        "next_at": next_after(cleaned, now),
    }
    added = _insert(conn, _schedule).values(row)
    conn.execute(
        added.on_conflict_do_update(index_elements=["kind"], set_={k: row[k] for k in row if k != "kind"})
    )


def has_due_schedule(conn: Connection, now: datetime, kinds: Collection[str]) -> bool:
    """Whether `fire_schedules` would find something."""
    return conn.execute(_due_schedules(now, kinds).limit(1)).first() is not None


def fire_schedules(conn: Connection, now: datetime, kinds: Collection[str]) -> list[str]:
    """Enqueue what is due by schedule; returns the new jobs' ids.

    Two workers never fire the same run: the row is locked, and the job's key names the run. Runs missed
    while nothing was running collapse into one, and a run whose predecessor is still going is left out.
    `next_at` only moves forward, so a clock that goes back fires nothing twice.
    """
    fired = []
    for row in conn.execute(_due_schedules(now, kinds).with_for_update(skip_locked=True)).mappings().all():
        kind, cron = row["kind"], row["cron"]
        slot = max(row["next_at"], last_before(cron, now))
        changes: dict[str, Any] = {"next_at": next_after(cron, max(slot, now))}
        if unfinished(conn, kind) is None:
            job_id = enqueue(conn, now, kind, row["payload"], key=f"scheduled for {slot:%Y-%m-%dT%H:%MZ}")
            changes |= {"last_at": slot, "last_job": job_id}
            fired.append(job_id)
        conn.execute(sa.update(_schedule).where(_schedule.c.kind == kind).values(changes))
    return fired


# Workers and tidying ---------------------------------------------------------------------------------


def register_worker(conn: Connection, now: datetime, row: WorkerRow) -> None:
    """Make a worker known, and forget those that have been silent for a day."""
    gone = sa.delete(tables.worker).where(tables.worker.c.seen_at < now - timedelta(days=1))
    conn.execute(gone)
    conn.execute(sa.insert(tables.worker).values(**row.__dict__))


def worker_seen(conn: Connection, now: datetime, worker_id: str, *, stopped: bool = False) -> None:
    """Note that a worker is alive, or that it has stopped in good order."""
    values: dict[str, Any] = {"seen_at": now} | ({"stopped_at": now} if stopped else {})
    conn.execute(sa.update(tables.worker).where(tables.worker.c.id == worker_id).values(values))


def workers(conn: Connection, now: datetime) -> list[WorkerRow]:
    """Workers that are running: seen within five minutes and not stopped."""
    query = (
        sa.select(tables.worker)
        .where(tables.worker.c.stopped_at.is_(None), tables.worker.c.seen_at > now - WORKER_GONE_AFTER)
        .order_by(tables.worker.c.started_at)
    )
    return [WorkerRow(**row) for row in conn.execute(query).mappings()]


def prune(conn: Connection, *, succeeded_before: datetime, other_before: datetime, limit: int = 5_000) -> int:
    """Remove finished jobs with their steps, oldest first; returns how many. Bounded, to lock briefly."""
    stopped = [State.DEAD.value, State.CANCELLED.value]
    old = (
        sa.select(_job.c.id)
        .where(
            sa.or_(
                sa.and_(_job.c.state == State.SUCCEEDED.value, _job.c.finished_at < succeeded_before),
                sa.and_(
                    _job.c.state.in_(stopped),
                    _job.c.finished_at < other_before,
                ),
            )
        )
        .order_by(_job.c.id)
        .limit(limit)
    )
    ids: Sequence[str] = conn.execute(old).scalars().all()
    for start in range(0, len(ids), 500):  # below SQLite's default bound on variables in one statement
        chunk = ids[start : start + 500]
        conn.execute(sa.delete(tables.step).where(tables.step.c.job_id.in_(chunk)))
        conn.execute(sa.delete(_job).where(_job.c.id.in_(chunk)))
    return len(ids)


# Inside ----------------------------------------------------------------------------------------------


def _insert(conn: Connection, table: sa.Table) -> Any:
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def _chosen(states: Collection[State], kind: str | None) -> list[sa.ColumnElement[bool]]:
    chosen: list[sa.ColumnElement[bool]] = []
    if states:
        chosen.append(_job.c.state.in_([state.value for state in states]))
    if kind is not None:
        chosen.append(_job.c.kind == kind)
    return chosen


def _due(now: datetime, kinds: Collection[str]) -> sa.ColumnElement[bool]:
    ready = sa.or_(_job.c.run_at.is_(None), _job.c.run_at <= now)
    return sa.and_(_job.c.state == State.QUEUED.value, ready, _job.c.kind.in_(sorted(kinds)))


def _lost(now: datetime, lease: timedelta) -> sa.ColumnElement[bool]:
    until = _job.c.lease_until
    return sa.and_(
        _job.c.state == State.RUNNING.value, sa.or_(until <= now, until > now + 2 * lease, until.is_(None))
    )


def _held(job_id: str, lease_number: int) -> sa.Update:
    return sa.update(_job).where(
        _job.c.id == job_id, _job.c.state == State.RUNNING.value, _job.c.lease == lease_number
    )


def _leave(conn: Connection, job_id: str, lease_number: int, **values: Any) -> bool:
    return (
        conn.execute(_held(job_id, lease_number).values(worker=None, lease_until=None, **values)).rowcount
        == 1
    )


def _locked(conn: Connection, job_id: str) -> JobRun:
    row = conn.execute(sa.select(_job).where(_job.c.id == job_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"there is no job `{job_id[:40]}`; see the list of jobs")
    return _run(row)


def _due_schedules(now: datetime, kinds: Collection[str]) -> sa.Select[Any]:
    return sa.select(_schedule).where(
        _schedule.c.enabled.is_(True), _schedule.c.next_at <= now, _schedule.c.kind.in_(sorted(kinds))
    )


def _run(row: Mapping[Any, Any]) -> JobRun:
    return JobRun(
        id=row["id"],
        kind=row["kind"],
        state=State(row["state"]),
        payload=row["payload"],
        key=row["key"],
        created_at=row["created_at"],
        run_at=row["run_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        attempts=row["attempts"],
        losses=row["losses"],
        max_attempts=row["max_attempts"],
        timeout=timedelta(seconds=row["timeout_s"]),
        progress=row["progress"],
        note=row["note"],
        error=row["error"],
        result=row["result"],
        cancel_requested=row["cancel_requested"],
        worker=row["worker"],
        lease=row["lease"],
        lease_until=row["lease_until"],
    )
