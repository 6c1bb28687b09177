"""The drawings of a system and the pages of requests, in a real browser: drawn, reachable by keyboard, and quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import service
from alcaide.slices.inventory.rules.validate import (
    component_fields,
    flow_fields,
    system_fields,
    version_fields,
)
from alcaide.slices.inventory.service import intake

KINDS = ("model", "dataset", "prompt", "agent", "tool", "tool-server", "vector-store", "service", "guardrail")


@pytest.fixture
def drawn(instance: Instance, admin: Actor) -> Callable[[int], str]:
    """`drawn(150)`: a system of that many components and some flows; the address of its page."""

    def make(size: int) -> str:
        def work(tx: Any) -> None:
            service.register_system(tx, system_fields({"name": "harbour", "title": "Harbour"}), actor=admin)
            refs = []
            for n in range(size):
                kind, name = KINDS[n % len(KINDS)], f"part-of-the-harbour-{n}"
                version = service.register_component(
                    tx,
                    component_fields({"kind": kind, "name": name}),
                    version_fields({"version": str(n), "digest": f"{n:064x}"}),
                    actor=admin,
                )
                service.use_component(tx, "harbour", version.id, actor=admin)
                refs.append(f"{kind}:{name}")
            pairs = [(refs[n], refs[n // 3]) for n in range(1, size)]
            pairs += [("party:Ship agents", refs[0]), (refs[-1], "party:Insurer (fictional)")]
            for n, (source, target) in enumerate(pairs):
                outside = "party" in source + target
                fields = {"source": source, "target": target, "data": ["personal" if n % 4 else "public"]}
                service.add_flow(
                    tx, "harbour", flow_fields(fields | {"crosses_boundary": outside}), actor=admin
                )

        instance.write(work)
        return "/inventory/systems/harbour"

    return make


def ready(page: Any) -> None:
    page.wait_for_selector("#graph-canvas[data-ready]")


@pytest.mark.parametrize("size", [5, 150])
@pytest.mark.parametrize("view", ["graph", "data-flow"])
def test_a_drawing_is_quiet_and_accessible_at_any_size(
    drawn: Any, browser_page: Any, check_page: Any, size: int, view: str
):
    check_page(browser_page("viewer"), f"{drawn(size)}/{view}", name=f"/{view}-{size}", prepare=ready)


def test_a_drawing_is_walked_and_opened_by_keyboard(drawn: Any, browser_page: Any):
    page = browser_page("viewer")
    page.goto(f"{drawn(5)}/graph")
    ready(page)
    page.focus("#graph-canvas")
    for key in ("+", "-", "0", "ArrowLeft", "ArrowDown", "n", "n", "p"):
        page.keyboard.press(key)
    page.wait_for_selector("#graph-card:not([hidden])")
    said = page.inner_text("#graph-card")
    page.keyboard.press("Escape")
    page.wait_for_selector("#graph-card", state="hidden")
    page.keyboard.press("n")
    if "Outside party" in said:
        page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inventory/components/**")
    assert page.complaints == []


def test_kinds_of_a_large_drawing_open_and_close(drawn: Any, browser_page: Any):
    page = browser_page("viewer")
    page.goto(f"{drawn(150)}/graph")
    ready(page)
    button = page.locator("#graph-groups button", has_text="Models")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement.textContent").startswith("Models")
    with page.expect_download() as download:
        page.click("[data-graph=png]")
    assert download.value.suggested_filename == "harbour-graph.png"
    assert page.complaints == []


def test_without_script_the_tables_say_it_all(drawn: Any, browser_page: Any):
    page = browser_page("viewer", java_script_enabled=False)
    page.goto(f"{drawn(5)}/data-flow")
    text = page.inner_text("main")
    assert "The drawing needs JavaScript" in text
    assert "Insurer (fictional)" in text
    assert not page.is_visible("#graph-canvas")


def test_the_form_and_the_queue_are_quiet_and_accessible(
    instance: Instance, browser_page: Any, check_page: Any, clock: Any
):
    wish = intake.wish_of(
        {
            "title": "Summaries of tenders",
            "purpose": "Summarise tenders",
            "requester": "Ada",
            "unit": "Purchasing",
        }
    )
    receipt = intake.submit(instance.db, wish, now=clock(), address_key="a", settings=intake.IntakeSettings())
    stranger, lead = browser_page(None), browser_page("security-lead")
    check_page(stranger, "/intake")
    check_page(stranger, f"/intake/{receipt.reference}/{receipt.token}", name="/intake-status")
    check_page(lead, "/inventory/intake")
    check_page(lead, f"/inventory/intake/{receipt.reference}", name="/inventory/intake-request")
