"""In which states a job can be, and how long it waits before the next try. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)


class State(StrEnum):
    """Where a job stands. `dead` means every attempt failed and a person has to look."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Nothing more will happen to the job unless a person asks for it."""
        return self in FINISHED


FINISHED = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED})


class Terms(Protocol):
    """What the queue needs to know of a kind of job; `JobKind` adds what to run."""

    @property
    def name(self) -> str: ...
    @property
    def schedule(self) -> str | None: ...
    @property
    def scheduled_payload(self) -> Mapping[str, Any]: ...
    @property
    def max_attempts(self) -> int: ...
    @property
    def timeout(self) -> timedelta: ...


@dataclass(frozen=True)
class JobRun:
    """A job as it stands, for pages, API and command line."""

    id: str
    kind: str
    state: State
    payload: Mapping[str, Any]
    key: str | None
    created_at: datetime
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    losses: int
    max_attempts: int
    timeout: timedelta
    progress: float | None
    note: str
    error: str | None
    result: Mapping[str, Any] | None
    cancel_requested: bool
    worker: str | None
    lease: int
    lease_until: datetime | None


def wait_before_retry(job_id: str, attempt: int) -> timedelta:
    """How long to wait after failed attempt number `attempt` (from 1).

    Doubles from 10 s up to an hour, then takes between half and all of that. The share comes from a
    hash of job and attempt rather than from chance: jobs that failed together still spread out, and a
    replay of the same history waits the same.
    """
    ceiling = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(attempt - 1, 30))
    digest = hashlib.sha256(f"{job_id}/{attempt}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return timedelta(seconds=ceiling.total_seconds() * (0.5 + share / 2))
