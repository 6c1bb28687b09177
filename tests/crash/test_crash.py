"""Faults at any moment: a clear error, nothing acknowledged is lost, nothing half-written is believed.

The long runs are `python tests/crash/kill_loop.py --times 100 --db sqlite` and `--db postgresql`.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.config import load_config
from alcaide.kernel.errors import Unavailable
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs import State, enqueue, store
from alcaide.kernel.ledger.verify import verify_log
from tests.crash import kill_loop
from tests.crash.resumable import KIND

ROUNDS = 5
PREDICATE = "urn:alcaide:crash-test:v1"
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kill_9_under_load_loses_nothing_acknowledged(tmp_path, database, request):
    url = request.getfixturevalue("postgresql_url") if database == "postgresql" else ""
    environ = {"ALCAIDE_DATABASE_URL": url} if url else {}

    outcome = kill_loop.run(ROUNDS, tmp_path / "data", environ, seed=20261125, say=print)

    assert outcome.problems == ()
    assert outcome.rounds == ROUNDS
    assert outcome.acknowledged >= ROUNDS


# ── Jobs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_job_goes_on_from_its_last_step_after_kill_9(tmp_path):
    data, trace = tmp_path / "data", tmp_path / "trace"
    instance = open_instance(load_config(data, {}), manifests=(), migrate=False)
    try:
        with instance.db.transaction() as conn:
            job_id = enqueue(conn, instance.clock(), KIND, {"trace": str(trace)})

        first = start_worker(data)
        wait_for(lambda: "second begins" in read(trace))
        first.send_signal(signal.SIGKILL)
        first.wait()
        with instance.read() as conn:
            assert store.get(conn, job_id).state is State.RUNNING
        trace.with_suffix(".go").touch()
        second = start_worker(data)
        wait_for(lambda: job(instance, job_id).state.finished)
        second.send_signal(signal.SIGTERM)

        assert second.wait(30) == 0
        done = job(instance, job_id)
        assert (done.state, done.losses, done.attempts) == (State.SUCCEEDED, 0, 0)
        assert done.result == {"steps": ["first", "second", "third"]}
        assert read(trace).split("\n")[:-1] == ["first", "second begins", "second begins", "second", "third"]
        assert (
            verify_log(instance.ledger, processes=1).size == 2
        )  # the key, and what the third step said once
    finally:
        instance.close()


def start_worker(data):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.resumable", str(data)], env=environment, cwd=ROOT
    )


def job(instance, job_id):
    with instance.read() as conn:
        return store.get(conn, job_id)


def read(path):
    return path.read_text() if path.exists() else ""


def wait_for(condition, limit=60.0):
    until = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < until, "gave up waiting"
        time.sleep(0.02)


# ── A full disk ───────────────────────────────────────────────────────────────────────────────────────


def said(instance, number):
    def work(tx):
        about = Subject.described(f"system:s{number}", {"n": number})
        filler = os.urandom(8_000).hex()
        return tx.append(
            Statement((about,), PREDICATE, {"at": rfc3339(tx.now), "n": number, "filler": filler})
        )

    return instance.write(work)


def fill(instance):
    """Write until it is refused; the acknowledged indices and the refusal."""
    acknowledged = []
    with pytest.raises(Unavailable) as refusal:
        for number in range(100_000):
            acknowledged.append(said(instance, number))
    return acknowledged, str(refusal.value)


def holds(instance, acknowledged):
    report = verify_log(instance.ledger, processes=1)
    assert report.intact, report.reason
    with instance.read() as conn:
        for number, index in enumerate(acknowledged):
            assert instance.ledger.leaf(conn, index).statement().predicate["n"] == number


def test_a_full_disk_refuses_clearly_loses_nothing_and_heals_without_a_restart(tmp_path):
    """A bound on file size stands in for the end of the disk."""
    instance = open_instance(load_config(tmp_path / "data", {}), manifests=(), migrate=False)
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
        acknowledged, message = fill(instance)
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))

        assert message.startswith("nothing was written: ")
        assert "free the disk" in message
        holds(instance, acknowledged)
        acknowledged.append(said(instance, len(acknowledged)))
        holds(instance, acknowledged)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
        signal.signal(signal.SIGXFSZ, old)
        instance.close()


@contextmanager
def mounted(folder, size):
    """A disk of a few megabytes, in memory."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("mounting a small disk needs rights that this user does not have")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    with mounted(folder, "3m"):
        yield folder


@pytest.fixture
def small_postgresql(postgresql_server):
    """(folder, URL) of a database on a real server whose tables lie on a small disk."""
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="alcaide-small-"))
    folder.chmod(0o755)
    base, _, query = postgresql_server.partition("?")
    with mounted(folder, "32m"), psycopg.connect(postgresql_server, autocommit=True) as conn:
        (data,) = conn.execute("SHOW data_directory").fetchone()
        owner = Path(data).stat()
        space = folder / "space"
        space.mkdir(mode=0o700)
        os.chown(space, owner.st_uid, owner.st_gid)
        conn.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        conn.execute("CREATE DATABASE small TABLESPACE small")
        yield folder, f"{base.rpartition('/')[0]}/small?{query}"
        (folder / "ballast").unlink(missing_ok=True)
        conn.execute("DROP DATABASE small WITH (FORCE)")
        conn.execute("DROP TABLESPACE small")
    folder.rmdir()


def test_a_full_disk_under_postgresql_refuses_clearly_loses_nothing_and_heals(small_postgresql, tmp_path):
    folder, url = small_postgresql
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * 12_000_000)
    config = load_config(tmp_path / "data", {"ALCAIDE_DATABASE_URL": url})
    instance = open_instance(config, manifests=(), migrate=False)
    try:
        acknowledged, message = fill(instance)
        assert message.startswith("nothing was written: ")
        ballast.unlink()

        holds(instance, acknowledged)
        acknowledged.append(said(instance, len(acknowledged)))
        holds(instance, acknowledged)
    finally:
        instance.close()


def test_a_really_full_disk_refuses_clearly_and_loses_nothing(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    config = load_config(small_disk / "data", {})
    instance = open_instance(config, manifests=(), migrate=False)
    try:
        acknowledged, message = fill(instance)
        assert message.startswith("nothing was written: ")
    finally:
        instance.close()
    ballast.unlink()

    again = open_instance(config, manifests=(), migrate=False)
    try:
        holds(again, acknowledged)
        acknowledged.append(said(again, len(acknowledged)))
        holds(again, acknowledged)
    finally:
        again.close()


# ── A clock that goes backwards ───────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_time_in_the_log_never_goes_back_though_the_clock_does(instance, clock):
    for turn in (0, -3600, 1, -86_400 * 400, 7200):
        clock.advance(seconds=turn)
        said(instance, turn)

    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        times = [instance.ledger.leaf(conn, index).recorded_at for index in range(size)]
        claims = [
            parse_rfc3339(instance.ledger.leaf(conn, index).statement().predicate["at"])
            for index in range(size)
        ]
    assert times == sorted(times)
    assert claims == sorted(claims)
    assert verify_log(instance.ledger, processes=1).intact


@pytest.mark.both_databases
def test_time_never_goes_back_across_a_restart_either(config, clock):
    instance = open_instance(config, manifests=(), clock=clock, migrate=False)
    said(instance, 1)
    instance.close()
    clock.advance(days=-30)

    again = open_instance(config, manifests=(), clock=clock, migrate=False)
    try:
        said(again, 2)
        with again.read() as conn:
            first, second = (again.ledger.leaf(conn, index).recorded_at for index in (1, 2))
        assert second >= first
    finally:
        again.close()


@pytest.mark.both_databases
def test_a_job_asked_for_in_the_ledgers_time_runs_though_the_clock_went_back(instance, clock):
    instance.write(lambda tx: tx.enqueue("count", {}))
    clock.advance(days=-2)

    with instance.db.transaction() as conn:
        assert store.has_due(conn, clock(), ["count"])
