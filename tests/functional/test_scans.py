"""Somebody has a model scanned and reads what loading it would do, in every width and theme."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alcaide.app.plugins import plugins
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs.worker import Worker
from alcaide.slices.supply_chain import jobs, service
from tests.conftest import installed
from tests.corpora.models import attacks, benign


@pytest.fixture
def models(tmp_path):
    """A folder as models arrive in: one that acts when it is loaded, and two that do not."""
    folder = tmp_path / "models" / "berth-planner"
    folder.mkdir(parents=True)
    chosen = {"torch-constants", "pickle-getattr-chain", "call-subprocess.run"}
    written = [attack for attack in attacks.all() if attack.id in chosen] or list(attacks.all())[:3]
    for attack in written:
        attack.write(folder)
    kept = tmp_path / "benign"
    for model in list(benign.unpack(kept))[:2]:
        (folder / model.path.name).write_bytes(model.path.read_bytes())
    return folder.parent


@pytest.fixture
def instance(config, clock, models):
    mine = replace(config, sections={"supply_chain": {"folders": [str(models)]}})
    opened = open_instance(mine, manifests=installed(), plugins=plugins(), clock=clock, migrate=False)
    yield opened
    opened.close()


def test_a_scan_is_asked_for_and_read(instance, models, lead, browser_page, check_page):
    page = browser_page("security-lead")
    check_page(page, "/scans", name="scans-empty")
    check_page(page, "/scans/new", name="scans-new")
    page.get_by_label("Path").fill(str(models / "berth-planner"))
    page.get_by_role("button", name="Scan it").last.click()
    assert page.get_by_text("Waiting for a worker").is_visible()

    Worker(instance, [*jobs.JOBS], clock=instance.clock).run_due()
    page.reload()
    assert page.get_by_role("heading", name="Findings").is_visible()
    assert page.locator("#calls canvas").first.is_visible()
    check_page(page, page.url, name="scan")
    page.get_by_text("Why it matters").first.click()
    assert page.locator(".scan-why p").first.is_visible()
    check_page(page, "/scans", name="scans")


def test_places_are_watched_from_the_page(instance, models, browser_page, check_page):
    page = browser_page("security-lead")
    check_page(page, "/scans/watches", name="watches-empty")
    page.get_by_label("Name").fill("Model registry")
    page.get_by_label("Place", exact=True).fill(str(models))
    page.get_by_role("button", name="Watch it").click()

    page.get_by_label("Name").fill("Hub mirror")
    page.get_by_label("Kind").select_option("Hugging Face cache")
    page.get_by_label("Place", exact=True).fill(str(models))
    page.get_by_role("button", name="Watch it").click()
    assert page.get_by_text("give the hub folder of the cache").first.is_visible()
    assert page.get_by_label("Kind").input_value() == "huggingface"
    check_page(page, name="watches-refused", status=422)
    (models / "hub").mkdir()
    page.get_by_label("Name").fill("Hub mirror")
    page.get_by_label("Kind").select_option("Hugging Face cache")
    page.get_by_label("Place", exact=True).fill(str(models / "hub"))
    page.get_by_role("button", name="Watch it").click()
    service.look_into_watches(type("Context", (), {"instance": instance, "check": lambda self: None})())
    check_page(page, "/scans/watches", name="watches")
    assert page.get_by_text("Model registry").first.is_visible()
