"""What a running job holds: its payload, its steps, and the safe points at which it can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection

from alcaide.kernel.db import Database
from alcaide.kernel.jobs import store
from alcaide.kernel.jobs.states import JobRun
from alcaide.kernel.jobs.store import LeaseLost

T = TypeVar("T")
PROGRESS_EVERY_S = 1.0  # progress is for a person's eye; each write is a commit


class StopReason(StrEnum):
    """Why a job was made to stop."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    LEASE_LOST = "lease lost"
    WORKER_STOPS = "worker stops"


class JobStopped(Exception):
    """Raised inside a job at a safe point. Let it pass: the worker knows what to record."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Unit(Protocol):
    """What `JobContext.write` needs of a ledger transaction."""

    conn: Connection
    now: datetime


class Host(Protocol):
    """What this package needs of an instance; jobs themselves get the whole of it."""

    @property
    def db(self) -> Database:
        """The instance's database."""
        ...


class JobContext:
    """Handed to `JobKind.run`.

    `step`, `write`, `progress` and `check` are the safe points: each raises JobStopped once the job was
    cancelled, ran out of time, lost its lease, or its worker stops.

    `instance` is the `alcaide.kernel.instance.Instance`, untyped here because the instance is built on
    top of jobs and not the other way round.
    """

    def __init__(
        self, instance: Any, run: JobRun, clock: Callable[[], datetime], lease: timedelta = store.LEASE
    ) -> None:
        self.instance = instance
        self.run = run
        self.payload: dict[str, Any] = dict(run.payload)
        self._db: Database = cast("Host", instance).db
        self._clock = clock
        self._lease = lease
        self._stop: StopReason | None = None
        self._stopping = threading.Lock()
        self._written_at = float("-inf")

    @property
    def now(self) -> datetime:
        """The time, for jobs to hand to rules."""
        return self._clock()

    # Safe points -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise JobStopped if the job should stop. Costs nothing; call it in every loop."""
        if self._stop is not None:
            raise JobStopped(self._stop)

    def cancelled(self) -> bool:
        """Whether the job should stop, for code that must tidy up before it lets go."""
        return self._stop is not None

    def progress(self, fraction: float | None, note: str = "") -> None:
        """Say how far the job is, from 0 to 1, or None if unknown. Written at most once a second."""
        self.check()
        moment = time.monotonic()
        if moment - self._written_at < PROGRESS_EVERY_S:
            return
        self._written_at = moment
        with self._db.transaction() as conn:
            beat = store.note_progress(
                conn, self._clock(), self.run.id, self.run.lease, fraction, note, self._lease
            )
        self.learn(beat)
        self.check()

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Run `work` once in the life of the job: after a crash or a retry, its JSON result is recalled.

        Killed between the end of `work` and the note of it, `work` runs again; where that matters, use
        `write`. Names are unique within a job: the same name gives the same result.
        """
        self.check()
        done, value = self._recall(name)
        if done:
            return cast("T", value)
        fresh = work()
        try:
            with self._db.transaction() as conn:
                store.keep_step(conn, self._clock(), self.run.id, self.run.lease, name, fresh)
        except LeaseLost:
            self.stop(StopReason.LEASE_LOST)
            self.check()
        return fresh

    def write(self, name: str, work: Callable[[Any], T]) -> T:
        """A step that changes tables and appends evidence: `work` gets a ledger `Tx`.

        Its effects and the note that it was done commit together, so they happen exactly once.
        """
        self.check()
        done, value = self._recall(name)
        if done:
            return cast("T", value)

        def both(tx: Unit) -> T:
            result = work(tx)
            store.keep_step(tx.conn, tx.now, self.run.id, self.run.lease, name, result)
            return result

        try:
            return self.instance.write(both)  # type: ignore[no-any-return]
        except LeaseLost:
            self.stop(StopReason.LEASE_LOST)
            raise JobStopped(StopReason.LEASE_LOST) from None

    def _recall(self, name: str) -> tuple[bool, Any]:
        with self._db.read() as conn:
            return store.recall_step(conn, self.run.id, name)

    # The worker's side -----------------------------------------------------------------------------

    def stop(self, reason: StopReason) -> None:
        """Make the next safe point raise. The first reason stands."""
        with self._stopping:
            self._stop = self._stop or reason

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the job was asked to stop, if it was."""
        return self._stop

    def learn(self, beat: store.Beat) -> None:
        """Take in what extending the lease has shown."""
        if not beat.held:
            self.stop(StopReason.LEASE_LOST)
        elif beat.cancel_requested:
            self.stop(StopReason.CANCELLED)
