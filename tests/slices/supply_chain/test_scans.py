"""Scans that people and watched folders ask for: looked at by a job, kept, and put on record by digest alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import installed

from alcaide.app.cli import run
from alcaide.app.plugins import plugins
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs import enqueue
from alcaide.kernel.jobs.worker import Worker
from alcaide.predicates.artifact_scanned import ArtifactScanned
from alcaide.slices.supply_chain import jobs, queries, rules, service
from alcaide.slices.supply_chain.model import TIDY_JOB, WATCH_JOB

pytestmark = pytest.mark.both_databases

GOOD = pickle.dumps({"weights": [0.5, 1.25], "name": "berth"}, protocol=4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
DIGEST = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "good.pkl").write_bytes(GOOD)
    return folder


@pytest.fixture
def house(config, clock, models):
    """An Alcaide that may read one folder of the server."""
    mine = replace(config, sections={"supply_chain": {"folders": [str(models)], "max_upload_mib": 1}})
    opened = open_instance(mine, manifests=installed(), plugins=plugins(), clock=clock, migrate=False)
    yield opened
    opened.close()


@pytest.fixture
def app(house):
    from alcaide.app.web import create_app

    return create_app(house)


def work(house: Any) -> None:
    """Let the scheduled jobs have their turn, and then whatever waits."""
    with house.db.transaction() as conn:
        enqueue(conn, house.clock(), WATCH_JOB, {})
        enqueue(conn, house.clock(), TIDY_JOB, {})
    Worker(house, [*jobs.JOBS], clock=house.clock).run_due()


def uploaded(house: Any, actor: Any, data: bytes = GOOD, name: str = "good.pkl", **more: Any) -> str:
    kept = service.Quarantined(house, name)
    kept.write(data)
    return service.scan_upload(house, actor, kept, **more)


def line(house: Any, scan_id: str) -> Any:
    with house.read() as conn:
        return queries.scan(conn, scan_id)


def leftovers(house: Any) -> list[Path]:
    return list((house.config.data / "quarantine").iterdir())


def test_an_upload_is_scanned_by_a_job_and_then_deleted(house, engineer):
    scan_id = uploaded(house, engineer)
    assert line(house, scan_id).state == "waiting"
    assert len(leftovers(house)) == 1
    work(house)
    done = line(house, scan_id)
    assert (done.state, done.outcome, done.sha256, done.files) == ("done", "passed", DIGEST, 1)
    assert done.leaf is None
    assert leftovers(house) == []


def test_what_acts_on_load_fails_and_stands_on_the_first_page(house, engineer, viewer):
    scan_id = uploaded(house, engineer, EVIL, "weights.bin")
    work(house)
    done = line(house, scan_id)
    assert (done.outcome, done.counts["critical"]) == ("failed", 1)
    with house.read() as conn:
        items = queries.attention(conn, house, viewer, house.clock())
        report = queries.report(conn, scan_id)
    assert items[0].level == "failed"
    assert items[0].href == f"/scans/{scan_id}"
    finding = report["artifacts"][0]["findings"][0]
    assert "os.system" in finding["message"]
    assert report["rules"][finding["rule"]]["remedy"]


def test_a_scan_is_put_on_record_about_the_bytes_it_saw(house, engineer):
    scan_id = uploaded(house, engineer, subject=f"model:berth@1=sha256:{DIGEST}", reason="new version")
    work(house)
    done = line(house, scan_id)
    assert (done.subject, done.problem) == ("model:berth@1", "")
    with house.read() as conn:
        view = house.view(conn, [f"sha256:{DIGEST}"], [ArtifactScanned.TYPE])
    said = ArtifactScanned.read(view.records[0].statement)
    assert view.complete
    assert view.records[0].index == done.leaf
    assert (said.outcome, said.root, said.by.id, said.reason) == (
        "passed",
        DIGEST,
        "u-ml-engineer",
        "new version",
    )


def test_bytes_that_are_not_the_registered_ones_are_not_put_on_record_under_their_name(house, engineer):
    other = hashlib.sha256(b"other").hexdigest()
    scan_id = uploaded(house, engineer, subject=f"model:berth@1=sha256:{other}")
    work(house)
    done = line(house, scan_id)
    assert done.state == "done"
    assert done.outcome == "passed"
    assert done.leaf is None
    assert "are not those of `model:berth@1`" in done.problem


def test_a_folder_has_one_digest_over_names_and_content(house, engineer, models):
    folder = models / "berth"
    folder.mkdir()
    (folder / "a.pkl").write_bytes(GOOD)
    (folder / "b.txt").write_text("notes\n")
    first = service.scan_folder(house, engineer, str(folder))
    work(house)
    (folder / "b.txt").rename(folder / "c.txt")
    second = service.scan_again(house, engineer, first)
    work(house)
    one, two = line(house, first), line(house, second)
    assert one.files == two.files == 2
    assert len(one.sha256) == 64
    assert one.sha256 != two.sha256


def test_what_lies_outside_of_the_named_folders_is_not_read(house, engineer, models, tmp_path):
    secret = tmp_path / "secret.pkl"
    secret.write_bytes(GOOD)
    (models / "link.pkl").symlink_to(secret)
    for path in (str(secret), str(models / "link.pkl"), str(models / ".." / "secret.pkl"), "models", "/\0"):
        with pytest.raises(InvalidInput) as refused:
            service.scan_folder(house, engineer, path)
        assert "path" in refused.value.fields
    with pytest.raises(InvalidInput, match="nothing at"):
        service.scan_folder(house, engineer, str(models / "gone"))


def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(house, engineer):
    kept = service.Quarantined(house, "big.bin")
    kept.write(b"x" * (1 << 20))
    with pytest.raises(TooLarge, match="max_upload_mib"):
        kept.write(b"x")
    assert leftovers(house) == []
    with pytest.raises(InvalidInput, match="empty"):
        uploaded(house, engineer, b"")
    assert leftovers(house) == []


def test_whoever_may_only_look_can_neither_scan_nor_record_nor_watch(
    house, viewer, auditor, engineer, models
):
    with pytest.raises(NotAllowed):
        uploaded(house, viewer)
    with pytest.raises(NotAllowed):
        service.scan_folder(house, auditor, str(models))
    with pytest.raises(NotAllowed):
        service.add_watch(house, engineer, "models", str(models))
    assert leftovers(house) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\a.pt", "a.pt"),
        ("a\x00b\u202e.pt", "a_b_.pt"),
        ("..", "upload"),
        ("", "upload"),
        ("x" * 500 + ".pkl", "x" * 116 + ".pkl"),
    ],
)
def test_an_uploads_name_cannot_lead_anywhere(given, kept):
    assert rules.upload_name(given) == kept


def test_a_watched_folder_is_scanned_when_something_appears_or_changes_and_not_otherwise(
    house, lead, models, clock
):
    service.add_watch(house, lead, "registry", str(models), every_minutes=15)
    work(house)
    work(house)
    assert titles(house) == ["registry/good.pkl"]
    clock.advance(minutes=20)
    work(house)
    assert titles(house) == ["registry/good.pkl"]
    (models / "good.pkl").write_bytes(GOOD + b"\n")
    (models / "new").mkdir()
    (models / "new" / "w.bin").write_bytes(EVIL)
    clock.advance(minutes=20)
    work(house)
    work(house)
    assert titles(house) == ["registry/good.pkl", "registry/good.pkl", "registry/new"]
    with house.read() as conn:
        outcomes = {one.title: one.outcome for one in queries.scans(conn)[0]}
    assert outcomes["registry/new"] == "failed"


def titles(house: Any) -> list[str]:
    with house.read() as conn:
        return sorted(one.title for one in queries.scans(conn)[0])


def test_a_watched_folder_that_went_away_is_said_and_removed_by_hand(house, lead, models, clock):
    watch_id = service.add_watch(house, lead, "registry", str(models))
    with pytest.raises(Conflict, match="exists already"):
        service.add_watch(house, lead, "registry", str(models))
    (models / "good.pkl").unlink()
    models.rmdir()
    work(house)
    with house.read() as conn:
        [watch] = queries.watches(conn)
        items = queries.attention(conn, house, lead, house.clock())
    assert "nothing at" in watch.problem
    assert items[0].level == "unknown"
    service.remove_watch(house, lead, watch_id)
    with pytest.raises(NotFound):
        service.remove_watch(house, lead, watch_id)


def test_a_scan_that_waits_can_be_stopped_once(house, engineer):
    scan_id = uploaded(house, engineer)
    service.cancel_scan(house, engineer, scan_id)
    work(house)
    assert line(house, scan_id).state == "cancelled"
    assert leftovers(house) == []
    with pytest.raises(Conflict, match="ended already"):
        service.cancel_scan(house, engineer, scan_id)
    with pytest.raises(Conflict, match="upload the file again"):
        service.scan_again(house, engineer, scan_id)


def test_old_scans_go_but_those_on_record_stay(house, engineer, clock):
    loose = uploaded(house, engineer)
    bound = uploaded(house, engineer, subject=f"model:berth@1=sha256:{DIGEST}")
    work(house)
    (house.config.data / "quarantine" / "forgotten").mkdir()
    os.utime(house.config.data / "quarantine" / "forgotten", (0, 0))
    clock.advance(days=401)
    work(house)
    with pytest.raises(NotFound):
        line(house, loose)
    assert line(house, bound).leaf is not None
    assert leftovers(house) == []


def test_the_api_takes_a_stream_and_gives_the_report(house, client_as):
    client = client_as("ml-engineer")
    page = client.get("/scans").text
    headers = {"X-CSRF-Token": re.search(r'name="csrf-token" content="([^"]+)"', page).group(1)}
    asked = client.post("/api/v1/scans/uploads?name=m.pkl", content=EVIL, headers=headers)
    assert asked.status_code == 202, asked.text
    scan_id = asked.json()["id"]
    assert client.get(f"/api/v1/scans/{scan_id}/report").status_code == 409
    work(house)
    assert client.get(f"/api/v1/scans/{scan_id}").json()["outcome"] == "failed"
    report = client.get(f"/api/v1/scans/{scan_id}/report").json()
    assert report["artifacts"][0]["path"] == "m.pkl"
    listed = client.get("/api/v1/scans?outcome=failed").json()
    assert [one["id"] for one in listed["items"]] == [scan_id]
    big = client.post("/api/v1/scans/uploads", content=b"x" * ((1 << 20) + 1), headers=headers)
    assert big.status_code == 413
    assert leftovers(house) == []


def test_the_pages_show_what_was_found_and_what_is_inside(house, client_as):
    client = client_as("ml-engineer")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model/data.pkl", EVIL)
    page = client.get("/scans/new").text
    headers = {"X-CSRF-Token": re.search(r'name="csrf-token" content="([^"]+)"', page).group(1)}
    answer = client.post("/scans/upload", files={"file": ("m.zip", packed.getvalue())}, headers=headers)
    assert "Waiting for a worker" in answer.text
    work(house)
    page = client.get(str(answer.url.path)).text
    assert "os.system" in page
    assert "data.pkl" in page
    assert "nothing on record" in page
    refused = client.post("/scans/folder", data={"path": "/etc/passwd"}, headers=headers)
    assert refused.status_code == 400
    assert "in none of the folders" in refused.text


def test_the_command_records_what_it_scanned(config, house, models, capsys):
    del house
    code = run(["scan", str(models / "good.pkl"), "--format", "json", "--no-cache"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "passed"
    (models / "evil.pkl").write_bytes(EVIL)
    assert run(["scan", str(models), "--no-cache"]) == 1
    assert "os.system" in capsys.readouterr().out
    assert run(["scan", str(models), "--fail-on", "unheard"]) == 3
    assert run(["scan", str(models / "nothing-there")]) == 3
    assert "there is nothing at" in capsys.readouterr().err


@pytest.mark.parametrize(
    "section",
    [
        {"folders": "srv"},
        {"folders": ["relative"]},
        {"max_upload_mib": 0},
        {"keep_days": "x"},
        {"folder": []},
    ],
)
def test_a_wrong_setting_is_named(section):
    from alcaide.kernel.errors import ConfigError

    with pytest.raises(ConfigError, match="supply_chain"):
        rules.settings(section)
