"""Durable jobs: asked for with the data, run at least once, recorded by one worker only."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from alcaide.kernel.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from alcaide.kernel.jobs import JobKind, JobStopped, State, enqueue, store
from alcaide.kernel.jobs.cron import check_cron, last_before, next_after
from alcaide.kernel.jobs.states import LONGEST_RETRY, wait_before_retry
from alcaide.kernel.jobs.worker import Worker

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.both_databases


class Clock:
    """A clock that tests turn by hand."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now

    def turn(self, by):
        self.now += by


@pytest.fixture
def clock():
    return Clock()


def ask(instance, kind="count", payload=None, now=NOON, **more):
    with instance.db.transaction() as conn:
        return enqueue(conn, now, kind, payload or {}, **more)


def job(instance, job_id):
    with instance.db.read() as conn:
        return store.get(conn, job_id)


def claim(instance, kinds, now=NOON, worker="w", limit=1, lease=store.LEASE):
    with instance.db.transaction() as conn:
        return store.claim(conn, now, worker, {k.name: k for k in kinds}, limit, lease)


def write(instance, work, *args, **more):
    with instance.db.transaction() as conn:
        return work(conn, *args, **more)


def counting(calls, **terms):
    return JobKind("count", lambda ctx: calls.append(ctx.payload) or {"calls": len(calls)}, **terms)


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_exists_only_if_the_transaction_that_asked_for_it_commits(instance):
    with pytest.raises(ZeroDivisionError), instance.db.transaction() as conn:
        job_id = enqueue(conn, NOON, "count", {})
        raise ZeroDivisionError

    with instance.db.read() as conn, pytest.raises(NotFound):
        store.get(conn, job_id)


def test_a_job_runs_and_keeps_its_result(instance, clock):
    calls = []
    job_id = ask(instance, payload={"n": 1})

    assert Worker(instance, [counting(calls)], clock=clock).run_due() == 1

    done = job(instance, job_id)
    assert (done.state, done.result, done.progress) == (State.SUCCEEDED, {"calls": 1}, 1.0)
    assert calls == [{"n": 1}]


def test_the_same_key_names_the_same_job(instance):
    first = ask(instance, key="once")

    assert ask(instance, key="once") == first
    assert ask(instance, key="twice") != first
    assert ask(instance, kind="other", key="once") != first


def test_a_job_for_later_is_not_run_before_its_time(instance, clock):
    calls = []
    worker = Worker(instance, [counting(calls)], clock=clock)
    ask(instance, run_at=NOON + 60 * SECOND)

    assert worker.run_due() == 0
    clock.turn(61 * SECOND)
    assert worker.run_due() == 1


def test_a_job_for_now_runs_even_when_the_clock_has_gone_back(instance, clock):
    calls = []
    ask(instance, now=NOON + timedelta(hours=3))

    assert Worker(instance, [counting(calls)], clock=clock).run_due() == 1


def test_a_worker_leaves_kinds_alone_that_it_does_not_know(instance, clock):
    job_id = ask(instance, kind="from-a-newer-version")

    assert Worker(instance, [counting([])], clock=clock).run_due() == 0
    assert job(instance, job_id).state is State.QUEUED


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"x": float("nan")}, InvalidInput),
        ({"x": object()}, InvalidInput),
        ({"x": "y" * store.MAX_PAYLOAD_BYTES}, TooLarge),
        (["not", "an", "object"], InvalidInput),
    ],
)
def test_a_payload_that_is_not_small_json_is_refused(instance, payload, error):
    with pytest.raises(error):
        ask(instance, payload=payload)


# ── Failing ───────────────────────────────────────────────────────────────────────────────────────────


def failing(message="no route to the scanner", **terms):
    def run(ctx):
        raise RuntimeError(message)

    return JobKind("count", run, **terms)


def test_a_failed_job_is_tried_again_later_and_dies_after_its_last_attempt(instance, clock):
    worker = Worker(instance, [failing(max_attempts=3)], clock=clock)
    job_id = ask(instance)

    for attempt in (1, 2):
        assert worker.run_due() == 1
        waiting = job(instance, job_id)
        assert (waiting.state, waiting.attempts) == (State.QUEUED, attempt)
        assert waiting.run_at > clock.now
        assert worker.run_due() == 0
        clock.turn(LONGEST_RETRY)
    worker.run_due()

    dead = job(instance, job_id)
    assert (dead.state, dead.attempts) == (State.DEAD, 3)
    assert dead.error == "RuntimeError: no route to the scanner"


def test_the_wait_before_a_retry_grows_spreads_and_is_the_same_each_time():
    waits = [wait_before_retry("a", n) for n in range(1, 30)]

    assert waits == [wait_before_retry("a", n) for n in range(1, 30)]
    assert waits != [wait_before_retry("b", n) for n in range(1, 30)]
    assert timedelta(seconds=5) <= waits[0] <= timedelta(seconds=10)
    assert all(LONGEST_RETRY / 2 <= wait <= LONGEST_RETRY for wait in waits[10:])


def test_an_endless_error_message_is_cut(instance, clock):
    job_id = ask(instance)

    Worker(instance, [failing("x" * 100_000, max_attempts=1)], clock=clock).run_due()

    assert len(job(instance, job_id).error) == store.MAX_ERROR


def test_a_result_too_large_to_keep_fails_the_job_and_not_the_worker(instance, clock):
    job_id = ask(instance)
    kind = JobKind("count", lambda ctx: {"x": "y" * store.MAX_RESULT_BYTES}, max_attempts=1)

    Worker(instance, [kind], clock=clock).run_due()

    assert job(instance, job_id).state is State.DEAD
    assert "over the limit" in job(instance, job_id).error


def test_a_dead_job_can_be_retried_and_goes_on_from_its_last_step(instance, clock):
    calls, broken = [], [True]

    def run(ctx):
        ctx.step("fetch", lambda: calls.append("fetch"))
        if broken:
            raise RuntimeError("full")
        return {"steps": len(calls)}

    worker = Worker(instance, [JobKind("count", run, max_attempts=1)], clock=clock)
    job_id = ask(instance)
    worker.run_due()
    broken.clear()

    write(instance, store.retry, job_id)
    worker.run_due()

    assert job(instance, job_id).state is State.SUCCEEDED
    assert calls == ["fetch"]


def test_a_job_that_is_not_dead_cannot_be_retried(instance):
    job_id = ask(instance)

    with pytest.raises(Conflict, match="queued"):
        write(instance, store.retry, job_id)


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_finished_step_is_recalled_and_not_repeated(instance, clock):
    calls = []

    def run(ctx):
        one = ctx.step("one", lambda: calls.append("one") or {"value": 1})
        if len(calls) == 1:
            calls.append("crash")
            raise RuntimeError("power cut")
        return one

    worker = Worker(instance, [JobKind("count", run)], clock=clock)
    job_id = ask(instance)
    worker.run_due()
    clock.turn(LONGEST_RETRY)
    worker.run_due()

    assert calls == ["one", "crash"]
    assert job(instance, job_id).result == {"value": 1}


def test_a_step_that_gives_nothing_is_remembered_too(instance, clock):
    calls = []

    def run(ctx):
        ctx.step("nothing", lambda: calls.append(1))
        ctx.step("nothing", lambda: calls.append(2))

    ask(instance)
    Worker(instance, [JobKind("count", run)], clock=clock).run_due()

    assert calls == [1]


def test_a_written_step_and_its_effects_commit_together_or_not_at_all(instance, clock):
    def effects():
        with instance.db.read() as conn:
            return len(store.page(conn, kind="effect"))

    attempts = []

    def work(tx):
        attempts.append(1)
        enqueue(tx.conn, NOON, "effect", {})
        if len(attempts) == 1:
            raise RuntimeError("disk full")
        return {"done": True}

    def run(ctx):
        ctx.write("effect", work)
        return ctx.write("effect", work)

    worker = Worker(instance, [JobKind("count", run)], clock=clock)
    ask(instance)
    worker.run_due()
    assert effects() == 0
    clock.turn(LONGEST_RETRY)
    worker.run_due()

    assert effects() == 1
    assert len(attempts) == 2


# ── Leases ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_of_a_killed_worker_is_taken_up_again_when_its_lease_runs_out(instance, clock):
    calls = []
    kind = counting(calls)
    job_id = ask(instance)
    claim(instance, [kind], worker="killed")
    successor = Worker(instance, [kind], clock=clock)

    assert successor.run_due() == 0
    clock.turn(store.LEASE + SECOND)
    assert successor.run_due() == 1

    done = job(instance, job_id)
    assert (done.state, done.attempts, done.losses) == (State.SUCCEEDED, 0, 1)


def test_a_lease_from_a_clock_that_has_since_gone_back_counts_as_run_out(instance, clock):
    kind = counting([])
    ask(instance)
    claim(instance, [kind], now=NOON + timedelta(hours=5), worker="killed")

    assert Worker(instance, [kind], clock=clock).run_due() == 1


def test_whoever_lost_a_lease_can_record_nothing(instance):
    kind = counting([])
    job_id = ask(instance)
    (old,) = claim(instance, [kind], worker="slow")
    write(instance, store.reap, NOON + store.LEASE + SECOND)
    (new,) = claim(instance, [kind], now=NOON + store.LEASE + SECOND, worker="fresh")

    assert new.lease > old.lease
    assert not write(instance, store.beat, NOON, job_id, old.lease).held
    assert not write(instance, store.succeed, NOON, job_id, old.lease, {"by": "slow"})
    assert write(instance, store.fail, NOON, old, "slow") is None
    assert not write(instance, store.end_cancelled, NOON, job_id, old.lease)
    assert not write(instance, store.release, job_id, old.lease)
    with pytest.raises(store.LeaseLost):
        write(instance, store.keep_step, NOON, job_id, old.lease, "step", 1)
    assert write(instance, store.succeed, NOON, job_id, new.lease, {"by": "fresh"})
    assert job(instance, job_id).result == {"by": "fresh"}


def test_a_heartbeat_keeps_the_lease(instance):
    kind = counting([])
    job_id = ask(instance)
    (run,) = claim(instance, [kind])

    assert write(instance, store.beat, NOON + 50 * SECOND, job_id, run.lease).held
    assert write(instance, store.reap, NOON + 70 * SECOND) == []
    assert write(instance, store.reap, NOON + 111 * SECOND) == [job_id]


def test_a_job_that_keeps_killing_its_worker_dies(instance):
    kind = counting([])
    job_id = ask(instance)
    now = NOON
    for _ in range(store.MAX_LOSSES):
        assert claim(instance, [kind], now=now)
        now += store.LEASE + SECOND
        write(instance, store.reap, now)

    dead = job(instance, job_id)
    assert dead.state is State.DEAD
    assert "died 10 times" in dead.error


def test_a_job_that_gets_somewhere_between_kills_does_not_die(instance):
    kind = counting([])
    job_id = ask(instance)
    now = NOON
    for n in range(store.MAX_LOSSES * 2):
        (run,) = claim(instance, [kind], now=now)
        write(instance, store.keep_step, now, job_id, run.lease, f"step {n}", n)
        now += store.LEASE + SECOND
        write(instance, store.reap, now)

    assert job(instance, job_id).state is State.QUEUED


def test_several_workers_at_once_run_each_job_once(instance):
    ran, lock = [], threading.Lock()

    def run(ctx):
        with lock:
            ran.append(ctx.payload["n"])

    kind = JobKind("count", run)
    for n in range(30):
        ask(instance, payload={"n": n})
    workers = [threading.Thread(target=Worker(instance, [kind]).run_due) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(ran) == list(range(30))


# ── Stopping ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_queued_job_is_cancelled_at_once(instance, clock):
    calls = []
    job_id = ask(instance)

    assert write(instance, store.cancel, NOON, job_id) is State.CANCELLED
    assert Worker(instance, [counting(calls)], clock=clock).run_due() == 0
    with pytest.raises(Conflict, match="cancelled already"):
        write(instance, store.cancel, NOON, job_id)


def test_a_running_job_is_cancelled_at_its_next_safe_point(instance, clock):
    def run(ctx):
        write(instance, store.cancel, NOON, ctx.run.id)
        ctx.progress(0.5, "half way")
        raise AssertionError("went on after it was cancelled")

    job_id = ask(instance)
    Worker(instance, [JobKind("count", run)], clock=clock).run_due()

    ended = job(instance, job_id)
    assert (ended.state, ended.note, ended.progress) == (State.CANCELLED, "half way", 0.5)


def test_a_job_whose_worker_died_while_cancelling_ends_cancelled(instance):
    kind = counting([])
    job_id = ask(instance)
    claim(instance, [kind])
    write(instance, store.cancel, NOON, job_id)

    write(instance, store.reap, NOON + store.LEASE + SECOND)

    assert job(instance, job_id).state is State.CANCELLED


def test_progress_is_written_at_most_once_a_second(instance, clock):
    def run(ctx):
        for n in range(200):
            ctx.progress(n / 200, f"row {n}")

    job_id = ask(instance)
    Worker(instance, [JobKind("count", run)], clock=clock).run_due()

    assert job(instance, job_id).note == "row 0"


def loop(worker):
    thread = threading.Thread(target=worker.run, kwargs={"grace": 5.0})
    thread.start()
    return thread


def test_a_stopping_worker_releases_its_job_unblamed_and_takes_nothing_new(instance):
    started = threading.Event()

    def run(ctx):
        started.set()
        while True:
            ctx.check()
            threading.Event().wait(0.005)

    job_id = ask(instance)
    worker = Worker(instance, [JobKind("count", run)], threads=1)
    thread = loop(worker)
    assert started.wait(10)
    later = ask(instance)

    worker.stop()
    thread.join(10)

    assert not thread.is_alive()
    released = job(instance, job_id)
    assert (released.state, released.attempts, released.losses) == (State.QUEUED, 0, 0)
    assert job(instance, later).state is State.QUEUED
    with instance.db.read() as conn:
        assert store.workers(conn, released.created_at) == []


def test_a_stopping_worker_lets_a_short_job_finish(instance):
    started, go_on = threading.Event(), threading.Event()

    def run(ctx):
        started.set()
        go_on.wait(10)
        return {"finished": True}

    job_id = ask(instance)
    worker = Worker(instance, [JobKind("count", run)], threads=1)
    thread = loop(worker)
    assert started.wait(10)

    worker.stop()
    go_on.set()
    thread.join(10)

    assert job(instance, job_id).result == {"finished": True}


def test_a_job_over_its_time_is_stopped_and_blamed(instance, clock):
    def run(ctx):
        while True:
            ctx.check()
            threading.Event().wait(0.005)

    job_id = ask(instance)
    worker = Worker(
        instance, [JobKind("count", run, max_attempts=1, timeout=timedelta(seconds=0.05))], threads=1
    )
    thread = loop(worker)
    for _ in range(1_000):
        if job(instance, job_id).state is State.DEAD:
            break
        threading.Event().wait(0.01)
    worker.stop()
    thread.join(10)

    assert job(instance, job_id).error.startswith("timed out after")


def test_a_stopped_job_must_not_swallow_the_stop(instance, clock):
    """JobStopped passes through `except AlcaideError`, which services use."""
    from alcaide.kernel.errors import AlcaideError

    assert not issubclass(JobStopped, AlcaideError)


def test_a_worker_outlives_a_database_that_goes_away_for_a_while(instance, monkeypatch):
    job_id = ask(instance)
    worker = Worker(instance, [JobKind("count", lambda ctx: {"ran": True})], threads=1)
    real, away = (
        worker.tick,
        [sa.exc.OperationalError("", None, Exception("no connection")), Unavailable("busy")],
    )

    def tick():
        if away:
            raise away.pop()
        real()

    monkeypatch.setattr(worker, "tick", tick)
    thread = loop(worker)
    for _ in range(1_000):
        if job(instance, job_id).state.finished:
            break
        threading.Event().wait(0.01)
    worker.stop()
    thread.join(10)

    assert job(instance, job_id).result == {"ran": True}


# ── Schedules ─────────────────────────────────────────────────────────────────────────────────────────

NIGHTLY = "30 2 * * *"


def nightly(calls):
    return JobKind(
        "count", lambda ctx: calls.append(ctx.run.key), schedule=NIGHTLY, scheduled_payload={"keep": 7}
    )


def declare(instance, *kinds, now=NOON):
    write(instance, store.declare_schedules, now, list(kinds))


def fire(instance, now):
    return write(instance, store.fire_schedules, now, ["count"])


def test_a_schedule_fires_once_however_many_workers_look(instance):
    declare(instance, nightly([]))
    at = NOON + timedelta(hours=14, minutes=31)

    assert fire(instance, NOON) == []
    assert len(fire(instance, at)) == 1
    assert fire(instance, at) == []


def test_runs_missed_while_nothing_ran_collapse_into_the_last_one(instance, clock):
    calls = []
    kind = nightly(calls)
    declare(instance, kind)
    clock.turn(timedelta(days=10))

    assert Worker(instance, [kind], clock=clock).run_due() == 1
    assert calls == ["scheduled for 2026-12-05T02:30Z"]


def test_a_clock_that_goes_back_fires_nothing_twice(instance, clock):
    calls = []
    kind = nightly(calls)
    declare(instance, kind)
    worker = Worker(instance, [kind], clock=clock)
    clock.turn(timedelta(days=1))
    worker.run_due()
    clock.turn(-timedelta(hours=12))
    worker.run_due()
    clock.turn(timedelta(hours=12))
    worker.run_due()

    assert calls == ["scheduled for 2026-11-26T02:30Z"]


def test_a_scheduled_run_is_left_out_while_the_one_before_still_runs(instance):
    kind = nightly([])
    declare(instance, kind)
    fire(instance, NOON + timedelta(days=1))
    claim(instance, [kind], now=NOON + timedelta(days=1))

    assert fire(instance, NOON + timedelta(days=2)) == []


def test_a_schedule_set_by_a_person_outlives_a_restart_and_its_payload_is_used(instance, clock):
    kind = nightly([])
    declare(instance, kind)
    write(instance, store.set_schedule, NOON, "count", cron="0 *  * * *", payload={"keep": 3}, enabled=True)
    declare(instance, kind)

    (job_id,) = fire(instance, NOON + timedelta(hours=1, minutes=1))
    assert job(instance, job_id).payload == {"keep": 3}


def test_a_new_default_schedule_replaces_the_old_default(instance):
    declare(instance, nightly([]))
    declare(instance, JobKind("count", lambda ctx: None, schedule="0 5 * * *"))

    with instance.db.read() as conn:
        (row,) = store.schedules(conn)
    assert (row.cron, row.next_at) == ("0 5 * * *", datetime(2026, 11, 26, 5, tzinfo=UTC))


def test_a_schedule_that_is_off_does_not_fire(instance):
    write(instance, store.set_schedule, NOON, "count", cron=NIGHTLY, payload={}, enabled=False)

    assert fire(instance, NOON + timedelta(days=3)) == []


@pytest.mark.parametrize(
    "text", ["", "nightly", "* * * *", "0 0 30 2 *", "99 * * * *", "* * * * * *", "x" * 10_000]
)
def test_what_is_not_a_schedule_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match=r"30 2 \* \* \*"):
        check_cron(text)


def test_cron_is_read_in_utc_and_counts_the_moment_itself():
    assert last_before(NIGHTLY, datetime(2026, 11, 25, 2, 30, tzinfo=UTC)).day == 25
    assert last_before(NIGHTLY, datetime(2026, 11, 25, 2, 29, 59, 999999, tzinfo=UTC)).day == 24
    assert next_after(NIGHTLY, datetime(2026, 11, 25, 2, 30, tzinfo=UTC)).day == 26


# ── Tidying and looking ───────────────────────────────────────────────────────────────────────────────


def test_old_finished_jobs_are_removed_and_others_kept(instance, clock):
    calls = []
    worker = Worker(instance, [counting(calls)], clock=clock)
    old = ask(instance)
    worker.run_due()
    clock.turn(timedelta(days=20))
    young, waiting = ask(instance), ask(instance, kind="unknown")
    worker.run_due()

    limit = NOON + timedelta(days=10)
    assert write(instance, store.prune, succeeded_before=limit, other_before=limit) == 1
    with instance.db.read() as conn:
        assert {j.id for j in store.page(conn)} == {young, waiting}
    assert old not in {young, waiting}


def test_jobs_are_listed_newest_first_by_page_and_state(instance):
    ids = [ask(instance) for _ in range(5)]
    write(instance, store.cancel, NOON, ids[0])

    with instance.db.read() as conn:
        newest = store.page(conn, limit=2)
        rest = store.page(conn, limit=10, before=newest[-1].id)
        cancelled = store.page(conn, states=[State.CANCELLED])
        counts = store.counts(conn)
    assert sorted(j.id for j in newest + rest) == sorted(ids)
    assert newest[0].id > newest[1].id > rest[0].id
    assert [j.id for j in cancelled] == [ids[0]]
    assert (counts[State.QUEUED], counts[State.CANCELLED], counts[State.DEAD]) == (4, 1, 0)
