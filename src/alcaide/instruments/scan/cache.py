"""What earlier scans found, kept in one file beside: digests of files, and results of scans.

A digest is kept under what the system says the file is (`Identity`), a result under everything it depends on:
the digest of the bytes, the name (a hint for the formats), the edition of the rules, the policy, and the neighbours
where a format looked at them. So nothing has to be invalidated: what changed is simply another key.

Safe for many processes at once, because SQLite is; bounded, the least recently used go first. Believed only if nobody
else could have written it: the folder must belong to this user and be writable by no other, or a stranger could say
that a file is clean. Whatever goes wrong here costs time and nothing else, so no error leaves this module.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.message import artifact_from, artifact_values

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from alcaide.instruments.scan.model import Artifact

FILE = "scan-cache.sqlite3"
LAYOUT = 2
"""The number of the tables' layout and of a result's shape; a cache of another one is begun anew."""
MAX_DIGESTS = 500_000
"""Some 100 MiB at 200 bytes each."""
MAX_RESULTS = 100_000
MAX_RESULT_BYTES = 1 << 20
"""A longer result is not kept: scanning again costs less than a cache full of them."""
NEVER_KEPT = frozenset({"scan/over-budget", "scan/fault", "scan/unreadable"})
"""Findings that depend on the machine and the hour; what has one is looked at again."""
SETTLED = 2.0
"""Seconds after which a file's times can be told apart: FAT counts in two seconds, all others finer."""
_PATIENCE = 0.25
_EACH = 1_000

_TABLES = """
CREATE TABLE IF NOT EXISTS digest (
  path TEXT PRIMARY KEY, device TEXT, inode TEXT, size INTEGER, mtime INTEGER, ctime INTEGER, sha256 TEXT, used INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (key BLOB PRIMARY KEY, value BLOB, used INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS digest_used ON digest (used);
CREATE INDEX IF NOT EXISTS result_used ON result (used);
"""
_BOUNDING = {
    "digest": (
        "SELECT count(*) FROM digest",
        "DELETE FROM digest WHERE path IN (SELECT path FROM digest ORDER BY used LIMIT ?)",
    ),
    "result": (
        "SELECT count(*) FROM result",
        "DELETE FROM result WHERE key IN (SELECT key FROM result ORDER BY used LIMIT ?)",
    ),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What the system says a file is. Two equal ones, seconds apart, are the same bytes."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @staticmethod
    def of(path: str, about: os.stat_result) -> Identity:
        """From what `stat` says."""
        return Identity(path, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)

    def settled(self, now: float) -> bool:
        """Whether a change from now on would show in its times."""
        return max(self.mtime_ns, self.ctime_ns) / 1e9 < now - SETTLED


class ScanCache:
    """The cache in one folder. May be shared by threads; opened again by itself after a fork."""

    def __init__(
        self, folder: Path, *, max_digests: int = MAX_DIGESTS, max_results: int = MAX_RESULTS
    ) -> None:
        self.folder = folder
        self.usable = _ours(folder)
        """Whether there is one: if the folder cannot be made, or is not ours alone, everything is a miss."""
        self._bounds = {"digest": max_digests, "result": max_results}
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None
        self._pid = 0
        self._writes = 0

    def digest(self, identity: Identity) -> str | None:
        """The digest of this very file, if it is remembered."""
        found = self._ask(
            "SELECT sha256 FROM digest WHERE path = ? AND device = ? AND inode = ? AND size = ? AND mtime = ? "
            "AND ctime = ?",
            (_text(identity.path), *_stat(identity)),
        )
        return found if isinstance(found, str) and len(found) == 64 else None

    def remember_digest(self, identity: Identity, digest: str) -> None:
        """Keep it, in place of what was known under this path."""
        values = (_text(identity.path), *_stat(identity), digest, int(time.time()))
        self._tell("INSERT OR REPLACE INTO digest VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def result(self, key: bytes) -> Artifact | None:
        """What a scan found under `key`, if it is remembered and readable."""
        found = self._ask("SELECT value FROM result WHERE key = ?", (key,))
        if not isinstance(found, bytes):
            return None
        try:
            return artifact_from(json.loads(found))
        except Exception:  # noqa: BLE001 - whatever is wrong with what was kept, it is scanned again
            return None

    def remember_result(self, key: bytes, artifact: Artifact) -> None:
        """Keep what a scan found, unless it would differ the next time or is too long."""
        if any(finding.rule in NEVER_KEPT for finding in artifact.findings):
            return
        value = json.dumps(artifact_values(artifact)).encode()
        if len(value) <= MAX_RESULT_BYTES:
            self._tell("INSERT OR REPLACE INTO result VALUES (?, ?, ?)", (key, value, int(time.time())))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._conn is not None and self._pid == os.getpid():
                with contextlib.suppress(Exception):
                    self._conn.close()
            self._conn = None

    def __enter__(self) -> ScanCache:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()

    def _ask(self, query: str, values: tuple[Any, ...]) -> Any:
        row = self._with(lambda conn: conn.execute(query, values).fetchone())
        return row[0] if row else None

    def _tell(self, command: str, values: tuple[Any, ...]) -> None:
        def work(conn: sqlite3.Connection) -> None:
            conn.execute(command, values)
            self._writes += 1
            if self._writes % _EACH == 1:
                self._bound(conn)

        self._with(work)

    def _bound(self, conn: sqlite3.Connection) -> None:
        """Drop the oldest of what is too much, with a tenth to spare."""
        for table, most in self._bounds.items():
            how_many, oldest = _BOUNDING[table]
            count = conn.execute(how_many).fetchone()[0]
            if count > most:
                conn.execute(oldest, (count - most + most // 10,))

    def _with(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do it with the connection; what goes wrong is a miss."""
        if not self.usable:
            return None
        import sqlite3

        with self._lock:
            try:
                return work(self._open())
            except sqlite3.OperationalError:  # locked or full: this time without
                return None
            except sqlite3.Error:  # damaged: from the beginning
                self._begin_anew()
                return None

    def _open(self) -> sqlite3.Connection:
        if self._conn is None or self._pid != os.getpid():
            import sqlite3

            conn = sqlite3.connect(
                self.folder / FILE, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = OFF")  # after a power cut the worst is a damaged cache
            layout = conn.execute("PRAGMA user_version").fetchone()[0]
            if layout not in (0, LAYOUT):
                conn.executescript("DROP TABLE IF EXISTS digest; DROP TABLE IF EXISTS result;")
            conn.executescript(_TABLES)
            conn.execute(f"PRAGMA user_version = {LAYOUT}")
            self._conn, self._pid = conn, os.getpid()
        return self._conn

    def _begin_anew(self) -> None:
        with contextlib.suppress(Exception):
            if self._conn is not None:
                self._conn.close()
        self._conn = None
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                (self.folder / (FILE + suffix)).unlink()


def result_key(digest: str, name: str, edition: str, policy: str, neighbours: str = "") -> bytes:
    """What a result depends on, as one key.

    Args:
        digest: SHA-256 of the file's bytes.
        name: as it was given to the scan; the last part is a hint for the formats.
        edition: of the rules and lists.
        policy: digest of the policy, allowances and limits included.
        neighbours: of the files beside it, where a format may look at them.
    """
    parts = (str(LAYOUT), digest, name, edition, policy, neighbours)
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).digest()


def _stat(identity: Identity) -> tuple[str, str, int, int, int]:
    # Devices and inodes are unsigned 64-bit numbers, which SQLite's integers do not hold.
    return (
        str(identity.device),
        str(identity.inode),
        identity.size,
        identity.mtime_ns,
        identity.ctime_ns,
    )


def _text(path: str) -> str:
    """A path as SQLite can keep it: names need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _ours(folder: Path) -> bool:
    """Whether the folder is there, is this user's, and nobody else may write into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except OSError:
        return False
    mine = not hasattr(os, "geteuid") or about.st_uid == os.geteuid()
    return stat.S_ISDIR(about.st_mode) and mine and not about.st_mode & 0o022
