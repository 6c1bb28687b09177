"""The machine's own work, its pages, its API and its commands: the same services under each."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from alcaide.kernel.access import ANONYMOUS
from alcaide.kernel.backup import restore_backup
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.jobs import JobKind, State, enqueue, store
from alcaide.kernel.jobs.worker import Worker
from alcaide.kernel.ledger import tables as ledger_tables
from alcaide.slices.operations import jobs, queries, service
from alcaide.slices.operations.model import BACKUP, TIDY, VERIFY


def work(instance, *more):
    """Let a worker do what is due."""
    return Worker(instance, [*jobs.JOBS, *more], clock=instance.clock).run_due()


def ask(instance, kind="test", payload=None):
    with instance.db.transaction() as conn:
        return enqueue(conn, instance.clock(), kind, payload or {})


def job(instance, job_id):
    with instance.read() as conn:
        return store.get(conn, job_id)


def failing(message="no route to the scanner"):
    def run(ctx):
        raise RuntimeError(message)

    return JobKind("test", run, max_attempts=1)


def titles(instance, actor):
    with instance.read() as conn:
        return {item.title: item for item in queries.attention(conn, instance, actor, instance.clock())}


# ── Verifying ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_verifying_on_demand_leaves_a_verdict_with_a_time(instance, admin):
    with instance.read() as conn:
        assert queries.log_health(conn, instance, instance.clock()).verdict.outcome == "unknown"
    job_id = service.request_verification(instance, admin)

    work(instance)

    with instance.read() as conn:
        health = queries.log_health(conn, instance, instance.clock())
    assert health.verdict.outcome == "passed"
    assert (health.latest.size, health.latest.root) == (health.size, health.root)
    assert job(instance, job_id).result["intact"] is True


def test_a_log_that_does_not_verify_is_a_finding_and_not_a_failed_job(instance, admin):
    with instance.db.transaction() as conn:
        conn.execute(sa.update(ledger_tables.leaf).values(envelope=b"{}"))
    job_id = service.request_verification(instance, admin)

    work(instance)

    assert job(instance, job_id).state is State.SUCCEEDED
    item = titles(instance, admin)["The log"]
    assert item.level == "failed"
    assert "leaf 0" in item.detail


def test_asking_twice_is_asking_once(instance, admin):
    first = service.request_verification(instance, admin)

    assert service.request_verification(instance, admin) == first
    work(instance)
    assert service.request_verification(instance, admin) != first


# ── Backing up ────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_of_the_machine_itself_restores(instance, admin, tmp_path):
    job_id = service.request_backup(instance, admin)

    work(instance)

    made = job(instance, job_id).result
    assert Path(made["path"]).parent == instance.config.data / "backups"
    target = tmp_path / "restored"
    report = restore_backup(
        Path(made["path"]),
        target,
        manifests=instance.manifests,
        database_url="sqlite",
        environ={},
        migrate=False,
    )
    assert report.log_size == made["log_size"]


def test_the_newest_backups_are_kept_and_the_rest_make_room(instance, admin, clock):
    service.plan_backups(instance, admin, cron="15 2 * * *", keep=2, enabled=True)
    for _ in range(4):
        service.request_backup(instance, admin)
        work(instance)
        clock.advance(minutes=1)

    files = sorted((instance.config.data / "backups").iterdir())
    with instance.read() as conn:
        kept = queries.backups(conn, kept_only=True)
    assert len(files) == 2
    assert sorted(str(f) for f in files) == sorted(b.path for b in kept)


def test_a_backup_whose_file_is_gone_does_not_count(instance, admin):
    service.request_backup(instance, admin)
    work(instance)
    assert "Backups" not in titles(instance, admin)

    for file in (instance.config.data / "backups").iterdir():
        file.unlink()

    assert titles(instance, admin)["Backups"].level == "unknown"


def test_the_plan_is_what_the_schedule_runs_with(instance, admin, clock):
    work(instance)
    with instance.db.transaction() as conn:
        store.declare_schedules(conn, clock(), jobs.JOBS)
    service.plan_backups(instance, admin, cron="0 5 * * *", keep=3, enabled=True)
    clock.advance(days=1)
    work(instance)

    with instance.read() as conn:
        (ran,) = store.page(conn, kind=BACKUP)
        plan = queries.backup_plan(conn, instance.config)
    assert ran.payload == {"keep": 3}
    assert (plan.cron, plan.keep, plan.enabled) == ("0 5 * * *", 3, True)


@pytest.mark.parametrize(("cron", "keep", "field"), [("nightly", 3, "cron"), ("0 5 * * *", 0, "keep")])
def test_a_plan_that_makes_no_sense_is_refused_by_field(instance, admin, cron, keep, field):
    with pytest.raises(InvalidInput) as refusal:
        service.plan_backups(instance, admin, cron=cron, keep=keep, enabled=True)

    assert set(refusal.value.fields) == {field}


# ── Tidying ───────────────────────────────────────────────────────────────────────────────────────────


def test_jobs_long_finished_are_removed_and_dead_ones_kept_longer(instance, clock):
    good, bad = ask(instance, kind="fine"), ask(instance)
    work(instance, failing(), JobKind("fine", lambda ctx: None))
    clock.advance(days=30)
    ask(instance, kind=TIDY)

    work(instance)

    with instance.read() as conn:
        left = {each.id for each in store.page(conn)}
    assert bad in left
    assert good not in left


# ── What needs somebody ───────────────────────────────────────────────────────────────────────────────


def test_a_fresh_machine_says_what_is_unknown(instance, admin):
    found = titles(instance, admin)

    assert {found["The log"].level, found["Backups"].level} == {"unknown"}
    assert "Jobs that gave up" not in found


def test_dead_jobs_and_a_missing_worker_need_somebody(instance, admin):
    ask(instance)
    work(instance, failing())
    ask(instance)

    found = titles(instance, admin)

    assert found["Jobs that gave up"].count == 1
    assert "alcaide worker" in found["No worker"].detail


def test_who_may_not_look_is_told_nothing(instance, viewer):
    assert titles(instance, viewer) == {}
    assert titles(instance, ANONYMOUS) == {}


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────

PAGES = ("/operations", "/operations/log", "/operations/backups")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_empty_and_full(instance, client, path):
    assert client.get(path).status_code == 200

    ask(instance)
    service.request_backup(instance, ANONYMOUS)
    service.request_verification(instance, ANONYMOUS)
    assert client.get(path).status_code == 200
    work(instance, failing("<script>alert(1)</script>"))
    page = client.get(path)

    assert page.status_code == 200
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_those_who_run_the_machine(client_as, path):
    assert client_as("auditor").get(path).status_code == 200
    assert client_as("viewer").get(path).status_code == 403
    assert client_as(ANONYMOUS).get(path, follow_redirects=False).status_code in (303, 401)


def test_a_job_page_asks_for_news_only_while_there_can_be_some(instance, client):
    job_id = ask(instance)
    assert "every 2s" in client.get(f"/operations/jobs/{job_id}").text

    work(instance, JobKind("test", lambda ctx: ctx.step("weigh", lambda: 1) and {"weight": 1}))

    page = client.get(f"/operations/jobs/{job_id}").text
    assert "every 2s" not in page
    assert "weigh" in page
    assert "every 2s" not in client.get(f"/operations/jobs/{job_id}/state").text


def test_a_job_that_is_not_there_is_not_found(client):
    assert client.get("/operations/jobs/nowhere").status_code == 404


def test_filters_narrow_the_list(instance, client):
    ask(instance, kind="one-kind")
    ask(instance, kind="other-kind")

    page = client.get("/operations?kind=one-kind&state=queued").text

    assert page.count("/operations/jobs/") == 1
    assert client.get("/operations?state=nonsense").status_code == 400


# ── API ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def api(app, client_as):
    """Calls as a script of the signed-in administrator makes them."""
    client = client_as("admin")
    token = client.get("/operations").text.split('name="csrf-token" content="')[1].split('"')[0]
    client.headers["X-CSRF-Token"] = token
    return client


def test_a_job_is_followed_retried_and_cancelled_over_http(instance, api):
    job_id = ask(instance)
    work(instance, failing())
    base = f"/api/v1/operations/jobs/{job_id}"

    assert api.get(base).json()["state"] == "dead"
    assert api.get("/api/v1/operations/jobs?state=dead").json()["total"] == 1
    assert api.post(f"{base}/retry").json()["state"] == "queued"
    assert api.post(f"{base}/cancel", json={"reason": "enough"}).json()["state"] == "cancelled"
    again = api.post(f"{base}/cancel", json={"reason": "enough"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


def test_jobs_come_in_pages(instance, api):
    ids = {ask(instance) for _ in range(5)}
    seen, cursor = set(), ""
    while cursor is not None:
        page = api.get(
            f"/api/v1/operations/jobs?limit=2&kind=test{f'&cursor={cursor}' if cursor else ''}"
        ).json()
        seen |= {item["id"] for item in page["items"]}
        cursor = page["next_cursor"]

    assert seen == ids


def test_a_verification_and_a_backup_are_asked_for_over_http(instance, api):
    verification = api.post("/api/v1/operations/verifications")
    backup = api.post("/api/v1/operations/backups")
    assert (verification.status_code, backup.status_code) == (202, 202)
    assert api.get("/api/v1/operations/log").json()["verifying"] == verification.json()["job_id"]

    work(instance)

    log = api.get("/api/v1/operations/log").json()
    assert (log["outcome"], log["verifying"]) == ("passed", None)
    assert api.get("/api/v1/operations/verifications").json()["items"][0]["intact"] is True
    assert api.get("/api/v1/operations/backups").json()["total"] == 1


def test_the_plan_is_read_and_set_over_http(api):
    plan = {"cron": "0 5 * * 1", "keep": 4, "enabled": False}

    assert api.put("/api/v1/operations/backups/plan", json=plan).status_code == 200
    assert {k: api.get("/api/v1/operations/backups/plan").json()[k] for k in plan} == plan
    refused = api.put("/api/v1/operations/backups/plan", json={**plan, "cron": "x"})
    assert "cron" in refused.json()["error"]["fields"]


def test_an_auditor_looks_and_does_not_touch(client_as):
    auditor = client_as("auditor")
    token = auditor.get("/operations").text.split('name="csrf-token" content="')[1].split('"')[0]

    assert auditor.get("/api/v1/operations/jobs").status_code == 200
    refused = auditor.post("/api/v1/operations/backups", headers={"X-CSRF-Token": token})
    assert refused.status_code == 403
    assert refused.json()["error"]["rule"] is not None


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def console(instance, monkeypatch, capsys):
    """Run `alcaide jobs …` on the test's instance."""
    from contextlib import contextmanager

    from alcaide.slices.operations import cli

    @contextmanager
    def opened(data):
        yield instance

    monkeypatch.setattr(cli, "open_for_cli", opened)

    def run(*words):
        cli.app(list(words), result_action="return_value")
        return capsys.readouterr().out

    return run


def test_jobs_are_listed_shown_retried_and_cancelled_at_the_console(instance, console):
    job_id = ask(instance)
    work(instance, failing())

    assert "no route to the scanner" in console("list", "--state", "dead")
    assert json.loads(console("list", "--format", "json"))["items"][0]["id"] == job_id
    assert "no route to the scanner" in console("show", job_id)
    assert "queued again" in console("retry", job_id)
    assert "starts in a moment" in console("run-now", job_id)
    assert "is cancelled" in console("cancel", job_id, "--reason", "enough")
    assert json.loads(console("show", job_id, "--format", "json"))["state"] == "cancelled"


def test_a_worker_at_the_console_runs_what_is_due_and_ends(instance, console):
    console("verify-log")

    assert "1 jobs ran" in console("run-worker", "--once")
    with instance.read() as conn:
        assert store.page(conn, kind=VERIFY)[0].state is State.SUCCEEDED


def test_settings_say_how_old_a_backup_may_get(config):
    from dataclasses import replace

    from alcaide.kernel.errors import ConfigError

    given = replace(
        config, sections={"operations": {"backup_within": "30d", "backup_folder": "/srv/backups"}}
    )
    assert queries.limits_of(given).backup_within == timedelta(days=30)
    assert queries.backup_folder(given) == Path("/srv/backups")
    with pytest.raises(ConfigError, match=r"operations\.verify_within"):
        queries.limits_of(replace(config, sections={"operations": {"verify_within": "often"}}))
