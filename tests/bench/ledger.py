"""Appending, verifying and proving: the ledger beside the disk it writes to."""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.config import Config
from alcaide.kernel.db.migrate import head_revision
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.ledger.reader import TileCache
from tests.bench.machine import raw_fsync, raw_overwrite, sqlite_commits, written_by
from tests.bench.report import Figure

BATCH = 500
WRITERS = 32
PREDICATE = "urn:alcaide:changed:v1"
SUBJECTS = (
    20_000  # an organisation's register: subjects return, with about fifty statements each at a million
)


def a_statement(number: int, at: str) -> Statement:
    """About as large as what the register says when a field changes: 900 bytes in its envelope."""
    name = f"system:bench-{number % SUBJECTS}"
    by = {"kind": "user", "id": "01k0000000000000000000000a", "name": "Bench"}
    change = {"field": "purpose", "old": "", "new": f"change number {number}"}
    return Statement(
        (Subject.described(name, {"name": name, "number": number}),),
        PREDICATE,
        {"at": at, "by": by, "reason": "measured", "changes": [change]},
    )


def opened(folder: Path, url: str = "") -> Instance:
    """A fresh instance without slices: the ledger is what is measured."""
    return open_instance(
        Config(data=folder, database_url=url, origin="bench.test/log"), manifests=(), migrate=False
    )


def append(folder: Path, postgresql_url: str | None, seconds: float) -> Iterator[Figure]:
    """Durable appends in batches, by many who wait, and by one who waits."""
    databases = [("SQLite, synchronous=FULL", "", folder / "sqlite")]
    if postgresql_url:
        databases.append(("PostgreSQL", postgresql_url, folder / "postgresql"))
    yield Figure(
        "SQLite alone, one small row a commit", sqlite_commits(folder, seconds), "commits/s", note="the floor"
    )
    for name, url, data in databases:
        instance = opened(data, url)
        try:
            numbers = itertools.count()
            rate = _batches(instance, numbers, seconds)
            yield Figure(f"{name}: batches of {BATCH}", rate, "statements/s", 3_000)
            rate, late = _waiting(instance, numbers, WRITERS, seconds)
            note = f"p99 {late * 1000:.0f} ms"
            yield Figure(f"{name}: {WRITERS} writers, each waiting", rate, "statements/s", 1_500, note=note)
            yield from _alone(instance, numbers, name, folder, seconds)
        finally:
            instance.close()


def _batches(instance: Instance, numbers: Iterator[int], seconds: float) -> float:
    count, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        instance.write(lambda tx: _say_many(tx, numbers, BATCH))
        count += BATCH
    return count / took


def _say_many(tx: Tx, numbers: Iterator[int], many: int) -> None:
    at = rfc3339(tx.now)
    for number in itertools.islice(numbers, many):
        tx.append(a_statement(number, at))


def _waiting(instance: Instance, numbers: Iterator[int], writers: int, seconds: float) -> tuple[float, float]:
    """Statements a second and the 99th percentile of waiting, over threads that each wait for their own."""
    until = time.perf_counter() + seconds
    waits: list[list[float]] = [[] for _ in range(writers)]

    def write(mine: list[float]) -> None:
        while (before := time.perf_counter()) < until:
            number = next(numbers)
            instance.write(lambda tx, number=number: tx.append(a_statement(number, rfc3339(tx.now))))
            mine.append(time.perf_counter() - before)

    threads = [threading.Thread(target=write, args=(mine,)) for mine in waits]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    joined = sorted(itertools.chain.from_iterable(waits))
    return len(joined) / took, joined[int(len(joined) * 0.99)] if joined else 0.0


def _alone(
    instance: Instance, numbers: Iterator[int], name: str, folder: Path, seconds: float
) -> Iterator[Figure]:
    """One writer between measurements of the disk: a shared disk is not the same from second to second."""
    turns = 20
    size = _bytes_a_commit(instance, numbers)
    raw, same, ours, spent = [], [], [], 0.0
    for _ in range(turns):
        raw.append(raw_fsync(folder, seconds / turns))
        same.append(raw_overwrite(folder, seconds / turns / 2, size))
        before = time.process_time()
        ours.append(_waiting(instance, numbers, 1, seconds / turns)[0])
        spent += time.process_time() - before
    disk, storage, rate = statistics.mean(raw), statistics.mean(same), statistics.mean(ours)
    yield Figure(f"{name}: raw fsync of the disk beside it", disk, "syncs/s", note="4 KiB append + fdatasync")
    note = (
        f"{size / 1024:.0f} KiB into a file that has its length; one writer has {rate / storage * 100:.0f} %"
    )
    yield Figure(f"{name}: raw sync of a commit's bytes", storage, "syncs/s", note=note)
    # What no disk can take off: where a sync is faster than this, the share says more about the disk than about us.
    each = spent / max(1.0, sum(ours) * seconds / turns) * 1000
    note = f"{rate:,.0f} statements/s; {each:.2f} ms of processor each, {1000 / disk:.2f} ms a sync"
    yield Figure(f"{name}: one writer, waiting", rate / disk * 100, "% of raw fsync", 80, note=note)


def _bytes_a_commit(instance: Instance, numbers: Iterator[int], commits: int = 200) -> int:
    """How many bytes a commit of one statement adds to the database's own log."""
    before = written_by() if instance.db.is_sqlite else _log_position(instance)
    for number in itertools.islice(numbers, commits):
        instance.write(lambda tx, number=number: tx.append(a_statement(number, rfc3339(tx.now))))
    after = written_by() if instance.db.is_sqlite else _log_position(instance)
    return max(512, (after - before) // commits)


def _log_position(instance: Instance) -> int:
    with instance.read() as conn:
        return int(conn.execute(sa.text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")).scalar_one())


# ── A long log ────────────────────────────────────────────────────────────────────────────────────────


def long_log(cache: Path, leaves: int, say: Callable[[str], None]) -> Path:
    """The data folder of a log with `leaves` leaves, built once."""
    folder = cache / f"log-{leaves}-{head_revision()}"  # a log of an older form is of no use
    if (folder / "built").exists():
        return folder
    instance = opened(folder)
    try:
        with instance.read() as conn:
            size = instance.ledger.checkpoint(conn).size
        started, first = time.perf_counter(), size
        while size < leaves:
            many = min(5_000, leaves - size)
            numbers = itertools.count(size)
            instance.write(lambda tx, many=many, numbers=numbers: _say_many(tx, numbers, many))
            size += many
            if size % 100_000 < many:
                rate = (size - first) / (time.perf_counter() - started)
                say(f"  building a log of {leaves:,}: {size:,} so far, {rate:,.0f}/s")
    finally:
        instance.close()
    (folder / "built").touch()
    return folder


def verify(cache: Path, leaves: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """The whole log from zero, in a process of its own, with the memory of all its processes together."""
    folder = long_log(cache, leaves, say)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.ledger", str(folder)], stdout=subprocess.PIPE, text=True
    )
    peak = mapped = 0.0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid, "Pss:"))
        mapped = max(mapped, _memory(process.pid, "Pss_File:"))
        time.sleep(0.1)
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    if not report["intact"]:
        raise SystemExit(f"the log does not verify: {report['reason']}")
    scale = leaves / 1_000_000
    note = f"{leaves / report['took']:,.0f} leaves/s"
    yield Figure(f"verify {leaves:,} leaves from zero", report["took"], "s", 60 * scale, "most", note)
    yield Figure(
        "  peak memory, all processes",
        peak / 2**20,
        "MB",
        300,
        "most",
        f"{mapped / 2**20:.0f} MB of it the database file, mapped",
    )


def _memory(pid: int, kind: str) -> float:
    """Bytes a process and its descendants hold, pages they share counted once."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(kind):
                total += int(line.split()[1]) * 1024
        children = Path(f"/proc/{pid}/task").glob("*/children")
        total += sum(_memory(int(child), kind) for file in children for child in file.read_text().split())
    except (OSError, ValueError):  # it ended while we looked
        return total
    return total


def proof(cache: Path, leaves: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """Inclusion proofs of leaves chosen at random, each in a reading snapshot of its own."""
    instance = opened(long_log(cache, leaves, say))
    chance = random.Random(7)
    try:
        with instance.read() as conn:
            size = instance.ledger.checkpoint(conn).size
        for state, forget in (("caches as they come", False), ("tiles read anew each time", True)):
            times = []
            for _ in range(2_000):
                index = chance.randrange(size)
                if forget:
                    instance.ledger._tiles = TileCache()
                with instance.read() as conn:
                    started = time.perf_counter()
                    instance.ledger.inclusion_proof(conn, index, size)
                    times.append((time.perf_counter() - started) * 1000)
            times.sort()
            bound = None if forget else 1.0
            note = f"p50 {times[1000]:.3f} ms, p99 {times[1980]:.3f} ms"
            yield Figure(f"inclusion proof at {size:,}, {state}", times[1980], "ms p99", bound, "most", note)
    finally:
        instance.close()


def _verify_in_this_process(folder: Path) -> None:
    from alcaide.kernel.ledger.verify import verify_log

    instance = opened(folder)
    started = time.perf_counter()
    report = verify_log(instance.ledger)
    took = time.perf_counter() - started
    instance.close()
    sys.stdout.write(json.dumps({"took": took, "intact": report.intact, "reason": report.reason}))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    _verify_in_this_process(Path(sys.argv[1]))
