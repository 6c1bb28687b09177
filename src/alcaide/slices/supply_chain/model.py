"""What the supply-chain slice speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

Kind = Literal["artifact", "dataset"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
Origin = Literal["upload", "folder", "watch", "command"]
SourceKind = Literal["folder", "huggingface", "oci", "mlflow", "s3"]
"""Where models arrive: how a place is listed, and how what lies there is brought before the scan."""
SOURCES: dict[SourceKind, str] = {
    "folder": "Folder",
    "huggingface": "Hugging Face cache",
    "oci": "OCI image layout",
    "mlflow": "MLflow",
    "s3": "S3-compatible store",
}

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
    source: SourceKind = "folder"

    @property
    def verdict(self) -> str:
        """What a list shows: the outcome, or unknown while there is none."""
        return self.outcome or "unknown"


@dataclass(frozen=True)
class Watch:
    """A place whose models are scanned when they appear or change."""

    id: str
    name: str
    kind: SourceKind
    path: str
    every_minutes: int
    added_at: datetime
    added_by: str
    last_at: datetime | None
    problem: str
    entries: int = 0


@dataclass(frozen=True)
class Entry:
    """Something in a watched place, and what tells whether it changed: names, sizes and times, not content."""

    name: str
    fingerprint: str
    place: str
    """Where to find it again, in the words of its kind of source."""


@dataclass(frozen=True)
class StoreAddress:
    """A place on another server: its host, a bucket of it, and what the names in there begin with."""

    scheme: str
    host: str
    """With the port; empty for `s3://`, whose host is the one of the environment."""
    bucket: str = ""
    prefix: str = ""

    def __str__(self) -> str:
        """As it is written in settings and forms."""
        parts = [part for part in (self.host, self.bucket, self.prefix) if part]
        return f"{self.scheme}://{'/'.join(parts)}"

    @property
    def endpoint(self) -> str:
        """What requests go to; empty if the environment says it."""
        return f"{self.scheme}://{self.host}" if self.host else ""

    def below(self, name: str) -> StoreAddress:
        """A name further down."""
        return StoreAddress(
            self.scheme, self.host, self.bucket, f"{self.prefix}/{name}" if self.prefix else name
        )


@dataclass(frozen=True)
class Settings:
    """The `supply_chain` section of config.yaml."""

    folders: tuple[str, ...] = ()
    """Folders on the server that people may have scanned and watched."""
    stores: tuple[StoreAddress, ...] = ()
    """Places on other servers that people may have watched."""
    max_upload_mib: int = 2_048
    max_download_mib: int = 20_480
    """What is fetched from another server for one scan."""
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
