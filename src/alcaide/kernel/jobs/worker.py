"""The process that runs jobs: one loop that decides, and a few threads that work.

The loop alone touches leases and schedules, so what it does in one round can be read top to bottom in
`Worker.tick`. A worker may be killed at any moment: its leases run out after a minute and another
worker (or its successor) goes on from the last finished step.

A thread cannot be killed in Python. A job that outlives its timeout without reaching a safe point is
recorded as failed, its thread is abandoned and replaced; a worker that has abandoned as many threads as
it has asks to be restarted.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alcaide.kernel.clock import utcnow
from alcaide.kernel.errors import AlcaideError, ConfigError, Unavailable
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import store
from alcaide.kernel.jobs.context import JobContext, JobStopped, StopReason
from alcaide.kernel.jobs.kinds import JobKind, kinds_by_name
from alcaide.kernel.jobs.states import JobRun

log = logging.getLogger("alcaide.jobs")

BEAT_EVERY_S = 10.0  # six times in a lease: one missed write to a busy database loses nothing
LOOK_EVERY_S = 0.5
TIDY_EVERY_S = 5.0


@dataclass
class _Running:
    run: JobRun
    kind: JobKind
    context: JobContext
    deadline: float
    timed_out: bool = False


class Worker:
    """Runs jobs of the given kinds until told to stop. One per process."""

    def __init__(
        self,
        instance: Any,
        kinds: Iterable[JobKind],
        *,
        threads: int = 2,
        clock: Callable[[], datetime] = utcnow,
        lease: timedelta = store.LEASE,
        version: str = "",
    ) -> None:
        if not 1 <= threads <= 64:
            raise ConfigError(f"a worker runs 1 to 64 jobs at a time, not `{threads}`; choose another number")
        self.id = new_id()
        self.kinds = kinds_by_name(kinds)
        self.abandoned = 0
        self._instance = instance
        self._threads = threads
        self._clock = clock
        self._lease = lease
        self._version = version
        self._running: dict[tuple[str, int], _Running] = {}
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[_Running | None] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._last_beat = float("-inf")
        self._last_tidy = float("-inf")

    # The life of a worker --------------------------------------------------------------------------

    def run(self, *, grace: float = 20.0) -> int:
        """Work until `stop` is called. Returns 0 after a stop in good order, 1 if a restart is needed.

        1. make the worker known and bring in the schedules
        2. round after round: leases, timeouts, schedules, new jobs
        3. on stop: take nothing new; give running jobs `grace` seconds to reach a safe point
        4. release what is left, so that another worker takes it up at once
        """
        self._register()
        for _ in range(self._threads):
            self._start_thread()
        while not self._stop.is_set() and self.abandoned < self._threads:
            try:
                self.tick()
            except (sa.exc.DBAPIError, Unavailable) as problem:
                # A database that is busy or away comes back; jobs in hand keep running meanwhile.
                log.warning("jobs: the database did not answer, trying again: %s", _first_line(problem))
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
        restart_needed = not self._stop.is_set()
        self._wind_down(grace)
        return 1 if restart_needed else 0

    def stop(self) -> None:
        """Ask the worker to stop. Safe from a signal handler and from any thread."""
        self._stop.set()
        self._wake.set()

    def tick(self) -> None:
        """One round of the loop: extend leases, end what overran, fire schedules, take new jobs."""
        moment, now = time.monotonic(), self._clock()
        if moment - self._last_beat >= min(BEAT_EVERY_S, self._lease.total_seconds() / 6):
            self._last_beat = moment
            self._beat(now)
        self._end_overrun(moment)
        if moment - self._last_tidy >= TIDY_EVERY_S:
            self._last_tidy = moment
            self._reap_and_schedule(now)
        self._take(moment, now)

    def run_due(self, limit: int = 100) -> int:
        """Run what is due now in this thread, one after the other; returns how many jobs ran.

        For `alcaide jobs run-worker --once` and for tests. Retries that have to wait are left for later.
        """
        self._reap_and_schedule(self._clock())
        done = 0
        while done < limit and not self._stop.is_set():
            with self._instance.db.transaction() as conn:
                taken = store.claim(conn, self._clock(), self.id, self.kinds, 1, self._lease)
            if not taken:
                break
            for run in taken:
                self._perform(self._adopt(run, time.monotonic()))
                done += 1
        return done

    # Rounds ----------------------------------------------------------------------------------------

    def _register(self) -> None:
        now = self._clock()
        row = store.WorkerRow(
            id=self.id,
            host=socket.gethostname()[:255],
            pid=os.getpid(),
            threads=self._threads,
            version=self._version,
            started_at=now,
            seen_at=now,
            stopped_at=None,
        )
        with self._instance.db.transaction() as conn:
            store.register_worker(conn, now, row)
            store.declare_schedules(conn, now, list(self.kinds.values()))

    def _beat(self, now: datetime) -> None:
        held = self._snapshot()
        with self._instance.db.transaction() as conn:
            store.worker_seen(conn, now, self.id)
            beats = [
                (r, store.beat(conn, now, r.run.id, r.run.lease, self._lease))
                for r in held
                if not r.timed_out
            ]
        for running, beat in beats:
            running.context.learn(beat)

    def _end_overrun(self, moment: float) -> None:
        for running in self._snapshot():
            if running.timed_out or moment < running.deadline:
                continue
            running.context.stop(StopReason.TIMED_OUT)
            # A job at a safe point within one more beat ends itself; one that is stuck is left behind.
            if moment < running.deadline + BEAT_EVERY_S:
                continue
            running.timed_out = True
            self.abandoned += 1
            log.error(
                "jobs: `%s` %s is stuck past its timeout; its thread is left behind",
                running.kind.name,
                running.run.id,
            )
            with self._instance.db.transaction() as conn:
                store.fail(conn, self._clock(), running.run, _overran(running.kind))
            self._forget(running)
            self._start_thread()

    def _reap_and_schedule(self, now: datetime) -> None:
        with self._instance.db.read() as conn:
            scheduled = store.has_due_schedule(conn, now, self.kinds)
            lost = store.has_lost(conn, now, self._lease)
        if not (scheduled or lost):
            return
        with self._instance.db.transaction() as conn:
            for job_id in store.reap(conn, now, self._lease):
                log.warning("jobs: job %s was taken back from a worker that went silent", job_id)
            store.fire_schedules(conn, now, self.kinds)

    def _take(self, moment: float, now: datetime) -> None:
        free = self._threads - len(self._snapshot())
        if free <= 0:
            return
        with self._instance.db.read() as conn:
            if not store.has_due(conn, now, self.kinds):
                return
        with self._instance.db.transaction() as conn:
            taken = store.claim(conn, now, self.id, self.kinds, free, self._lease)
        for run in taken:
            self._inbox.put(self._adopt(run, moment))

    def _wind_down(self, grace: float) -> None:
        until = time.monotonic() + grace
        for running in self._snapshot():
            running.context.stop(StopReason.WORKER_STOPS)
        while self._snapshot() and time.monotonic() < until:
            self._wake.wait(min(0.1, grace))
            self._wake.clear()
        for _ in range(self._threads + self.abandoned):
            self._inbox.put(None)
        try:
            with self._instance.db.transaction() as conn:
                for running in self._snapshot():
                    store.release(conn, running.run.id, running.run.lease)
                store.worker_seen(conn, self._clock(), self.id, stopped=True)
        except (sa.exc.DBAPIError, Unavailable) as problem:
            # The leases run out by themselves; a stop must not hang on a database that is away.
            log.warning("jobs: could not release leases on stop: %s", _first_line(problem))

    # One job ---------------------------------------------------------------------------------------

    def _adopt(self, run: JobRun, moment: float) -> _Running:
        kind = self.kinds[run.kind]
        context = JobContext(self._instance, run, self._clock, self._lease)
        running = _Running(run, kind, context, moment + kind.timeout.total_seconds())
        with self._lock:
            self._running[run.id, run.lease] = running
        return running

    def _start_thread(self) -> None:
        threading.Thread(target=self._work, name="job", daemon=True).start()

    def _work(self) -> None:
        while (running := self._inbox.get()) is not None:
            self._perform(running)
            self._wake.set()
            if running.timed_out:  # a replacement has taken this thread's place
                return

    def _perform(self, running: _Running) -> None:
        """Run one job and record how it ended. Whatever happens, the thread survives."""
        run, context = running.run, running.context
        log.info("jobs: `%s` %s starts, attempt %d", run.kind, run.id, run.attempts + 1)
        try:
            try:
                result = running.kind.run(context)
                if result is not None:
                    store.bounded_json(result, store.MAX_RESULT_BYTES, "job result")
                self._record(lambda conn: store.succeed(conn, self._clock(), run.id, run.lease, result))
            except JobStopped as stopped:
                self._record_stop(running, stopped.reason)
            except AlcaideError as problem:
                self._record_failure(run, str(problem))
            except Exception as problem:  # the rim: a job's bug must not end the worker
                log.exception("jobs: `%s` %s failed", run.kind, run.id)
                self._record_failure(run, f"{type(problem).__name__}: {problem}"[: store.MAX_ERROR])
        except (sa.exc.DBAPIError, Unavailable):
            # Nothing recorded: the lease runs out and the job is run again from its last step.
            log.exception("jobs: could not record the end of job %s", run.id)
        finally:
            self._forget(running)

    def _record_stop(self, running: _Running, reason: StopReason) -> None:
        run = running.run
        match reason:
            case StopReason.CANCELLED:
                self._record(lambda conn: store.end_cancelled(conn, self._clock(), run.id, run.lease))
            case StopReason.TIMED_OUT:
                self._record_failure(run, _overran(running.kind))
            case StopReason.WORKER_STOPS:
                self._record(lambda conn: store.release(conn, run.id, run.lease))
            case StopReason.LEASE_LOST:
                log.warning("jobs: job %s went to another worker; this run of it is dropped", run.id)

    def _record_failure(self, run: JobRun, error: str) -> None:
        self._record(lambda conn: store.fail(conn, self._clock(), run, error or "failed without a message"))

    def _record(self, outcome: Callable[[sa.Connection], object]) -> None:
        with self._instance.db.transaction() as conn:
            outcome(conn)

    def _forget(self, running: _Running) -> None:
        with self._lock:
            self._running.pop((running.run.id, running.run.lease), None)

    def _snapshot(self) -> list[_Running]:
        with self._lock:
            return list(self._running.values())


def _overran(kind: JobKind) -> str:
    seconds = round(kind.timeout.total_seconds())
    return f"timed out after {seconds} s; retry it, or give `{kind.name}` less to do at a time"


def _first_line(problem: Exception) -> str:
    lines = str(getattr(problem, "orig", None) or problem).strip().splitlines()
    return lines[0][:200] if lines else type(problem).__name__
