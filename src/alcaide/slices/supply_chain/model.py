"""What the supply-chain slice speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

Kind = Literal["artifact", "dataset"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
Origin = Literal["upload", "folder", "watch", "command"]

SCAN_JOB = "supply-chain.scan"
WATCH_JOB = "supply-chain.watch"
TIDY_JOB = "supply-chain.tidy"
UNFINISHED = ("waiting", "running")
"""States of a scan that has not ended."""
UPLOADS = "quarantine"
"""Inside the data folder: uploaded files until they were scanned."""
REPORT_FINDINGS = 5_000
"""Findings of one scan that are kept with it, worst first; the record says how many there were."""


@dataclass(frozen=True)
class ScanLine:
    """One scan, as lists show it."""

    id: str
    kind: Kind
    state: State
    origin: Origin
    title: str
    place: str
    subject: str
    sha256: str
    outcome: str
    counts: dict[str, int]
    files: int
    bytes: int
    edition: str
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    problem: str
    leaf: int | None
    job: str
    reason: str = ""

    @property
    def verdict(self) -> str:
        """What a list shows: the outcome, or unknown while there is none."""
        return self.outcome or "unknown"


@dataclass(frozen=True)
class Watch:
    """A folder whose models are scanned when they appear or change."""

    id: str
    name: str
    path: str
    every_minutes: int
    added_at: datetime
    added_by: str
    last_at: datetime | None
    problem: str
    entries: int = 0


@dataclass(frozen=True)
class Entry:
    """Something in a watched folder, and what tells whether it changed: names, sizes and times, not content."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Settings:
    """The `supply_chain` section of config.yaml."""

    folders: tuple[str, ...] = ()
    """Folders on the server that people may have scanned and watched."""
    max_upload_mib: int = 2_048
    keep_days: int = 400
    options: dict[str, Any] = field(default_factory=dict)


class DataAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A look at a dataset, as it is asked for."""

    source: str
    """A path, or the URL of a table."""
    reference: str = ""
    against: dict[str, str] = {}
    labels: str = ""
    text: tuple[str, ...] = ()
    fail_on: str = "medium"
    accepts: tuple[str, ...] = ()
