"""Making a backup while everything runs.

All tables are read in one snapshot, so the backup is the instance at one moment, and that moment's
signed checkpoint vouches for its log. Files are copied after the snapshot was opened: whatever the
tables refer to was on the disk before they did.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from alcaide import __version__
from alcaide.kernel.backup import rows
from alcaide.kernel.backup.archive import CHUNK, new_archive, safe_name
from alcaide.kernel.clock import rfc3339
from alcaide.kernel.db import metadata
from alcaide.kernel.db.migrate import current_revision

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

FORMAT = "alcaide-backup"
VERSION = 1
DATABASE_FILES = ("alcaide.db", "alcaide.db-wal", "alcaide.db-shm", "alcaide.db-journal")
LEFT_OUT = frozenset({*DATABASE_FILES, "backups", "logs", "run", "cache"})
SEALING_FILE = "keys/secret"


Progress = Callable[[float, str], None]
"""(fraction, note): called between lots of work; may raise to stop it."""


def unreported(_fraction: float, _note: str) -> None:
    """For callers that do not look."""


@dataclass(frozen=True)
class BackupReport:
    """What was put aside."""

    path: Path
    size: int
    created_at: datetime
    log_size: int
    rows: int
    files: int
    holds_secret: bool


def create_backup(
    instance: Instance,
    path: Path,
    *,
    with_secret: bool = True,
    progress: Progress = unreported,
) -> BackupReport:
    """Write everything the instance knows into one file at `path`, which must not exist.

    Signing keys go in as they lie on the disk: sealed. Where they are sealed by the secret file rather
    than by a passphrase, that file goes in too unless `with_secret` is false; without it a restored
    instance can prove its past but not sign until its key is rotated. Raises Corrupt if the log's head
    does not verify: a damaged log is not worth keeping as if it were sound.
    """
    now = instance.clock()
    with instance.read() as conn, new_archive(path) as archive:
        checkpoint = instance.ledger.checkpoint(conn)
        tables = metadata.sorted_tables
        counts = {
            t.name: int(conn.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()) for t in tables
        }
        total, done = max(1, sum(counts.values())), 0
        described: list[dict[str, Any]] = []
        for table in tables:
            member = f"tables/{table.name}.jsonl"
            progress(done / total, f"table {table.name}")
            archive.add(member, _reporting(rows.dump(conn, table), done, total, table.name, progress))
            done += counts[table.name]
            columns = [{"name": column.name, "kind": rows.kind_of(column)} for column in table.columns]
            described.append(
                {"name": table.name, "member": member, "rows": counts[table.name], "columns": columns}
            )
        files = [name for name in data_files(instance.config.data) if with_secret or name != SEALING_FILE]
        for name in files:
            archive.add(f"data/{name}", _content(instance.config.data / name))
        archive.finish(
            {
                "format": FORMAT,
                "version": VERSION,
                "created_at": rfc3339(now),
                "alcaide": __version__,
                "revision": current_revision(conn),
                "database": instance.db.dialect,
                "origin": instance.ledger.origin,
                "log_size": checkpoint.size,
                "checkpoint": checkpoint.text,
                "holds_secret": SEALING_FILE in files,
                "tables": described,
            }
        )
    progress(1.0, "written and read back")
    return BackupReport(
        path, path.stat().st_size, now, checkpoint.size, done, len(files), SEALING_FILE in files
    )


# Made anew when absent, at the price of open forms; in a stolen backup it could forge those.
NEVER_KEPT = frozenset({"keys/cookies.key"})


def data_files(folder: Path) -> Iterator[str]:
    """The files of a data folder that a backup holds, in a fixed order, as relative names.

    Everything but the database (kept as rows), earlier backups, logs and what is made again. Links
    and hidden files are left out: a link could pull in anything, and ours are never links.
    """
    for path in sorted(folder.iterdir()):
        if path.name not in LEFT_OUT:
            yield from _walk(path, path.name)


def _walk(path: Path, name: str) -> Iterator[str]:
    if not safe_name(name):
        return
    try:
        mode = path.lstat().st_mode
        inside = sorted(path.iterdir()) if stat.S_ISDIR(mode) else []
    except FileNotFoundError:  # removed since it was listed
        return
    if stat.S_ISREG(mode) and name not in NEVER_KEPT:
        yield name
    for child in inside:
        yield from _walk(child, f"{name}/{child.name}")


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _reporting(
    chunks: Iterator[bytes], done: int, total: int, table: str, progress: Progress
) -> Iterator[bytes]:
    """Pass chunks on and report the share of rows that have gone by; each row is one line."""
    for chunk in chunks:
        yield chunk
        done += chunk.count(b"\n")
        progress(min(1.0, done / total), f"table {table}")
