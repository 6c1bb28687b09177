"""Background work: scan what people ask for, look into watched places, delete what is past its time."""

from __future__ import annotations

from datetime import timedelta

from alcaide.kernel.jobs import JobKind
from alcaide.slices.supply_chain import service
from alcaide.slices.supply_chain.model import SCAN_JOB, TIDY_JOB, WATCH_JOB

JOBS = (
    JobKind(
        SCAN_JOB,
        service.run_scan,
        timeout=timedelta(hours=6),
        title="Scan a model, a dataset or a repository",
    ),
    JobKind(
        WATCH_JOB,
        service.look_into_watches,
        schedule="* * * * *",
        timeout=timedelta(minutes=30),
        title="Look for new models in watched places",
    ),
    JobKind(
        TIDY_JOB,
        service.tidy,
        schedule="20 3 * * *",
        timeout=timedelta(minutes=30),
        title="Delete old scans and forgotten uploads",
    ),
)
