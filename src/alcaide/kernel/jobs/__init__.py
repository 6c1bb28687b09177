"""Durable work that outlives the request that asked for it, and the process that runs it.

A job is a row: written in the same transaction as the data it is about, leased by a worker, retried
when it fails, resumed from its last finished step when the worker is killed. Payloads and results are
JSON, never pickles, so that a row can be read, copied and restored by anything.

What a job may rely on: it runs at least once, and never on two workers that both get to record an
outcome (each lease carries a number, and only the newest number may write). What it may not rely on:
running exactly once. A job makes its effects exact by putting them in steps (`JobContext.step`), or
together with their evidence in `JobContext.write`.

Left out on purpose: workflows across jobs, priorities, and any queue outside the database.
"""

from alcaide.kernel.jobs.context import JobContext, JobStopped, StopReason
from alcaide.kernel.jobs.kinds import JobKind, kinds_by_name
from alcaide.kernel.jobs.states import JobRun, State
from alcaide.kernel.jobs.store import enqueue

__all__ = ["JobContext", "JobKind", "JobRun", "JobStopped", "State", "StopReason", "enqueue", "kinds_by_name"]
