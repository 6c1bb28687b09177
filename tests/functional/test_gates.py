"""A lead and an approver let a system through a gate in a browser; every page on the way is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alcaide.kernel.access import Actor
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory.service import declare
from alcaide.slices.lifecycle import service
from tests.slices.lifecycle.builders import ADA, LEO, MIA, imported

DOCUMENT = b"""
systems:
  - name: loan-desk
    title: Loan desk assistant
    purpose: Suggests an answer to loan applications; a clerk decides.
    owner: Ines Okafor
    components:
      - kind: model
        name: scorer
        version: 3
        digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      - kind: dataset
        name: loans
        version: 2
        digest: sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
      - prompt:greeting@4
    environments:
      - {name: production, region: eu, deployed: ["model:scorer@3"]}
  - {name: shift-planner, title: Shift planner, purpose: Proposes shifts.}
  - {name: help-search, title: Help search, purpose: Finds articles.}
"""
CHANGED = (
    DOCUMENT.replace(b"version: 3", b"version: 4")
    .replace(b"9f86d081884c", b"aaaaaaaaaaaa")
    .replace(b"@3", b"@4")
)
MODEL = Subject(
    "model:scorer@3", {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
)
SYSTEM = Subject("system:loan-desk", {"sha256": "a" * 64})


@pytest.fixture
def evidence(instance: Instance, admin: Actor) -> None:
    declare.apply(instance, declare.read_document(DOCUMENT), actor=admin)
    imported(instance, "cyclonedx", SYSTEM)
    imported(instance, "sarif", SYSTEM, outcome="failed")
    imported(instance, "model-signature", MODEL)


@pytest.mark.slow
def test_a_system_is_let_through_in_a_browser(
    instance: Instance, evidence: None, browser_page: Callable[..., Any], check_page: Callable[..., Any]
) -> None:
    lead = browser_page(LEO)
    check_page(lead, "/lifecycle", name="gates-overview")
    check_page(lead, "/lifecycle/-/gates", name="gates-list")
    check_page(lead, "/lifecycle/-/gates/to-deployment", name="gates-one")
    asked = service.request_move(instance, ADA, "loan-desk", "deployment", "the pilot went well")
    assert asked.request is not None
    check_page(lead, "/", name="gates-home")
    check_page(lead, "/lifecycle/loan-desk?to=deployment", name="gates-system-asked")

    lead.goto("/lifecycle/loan-desk?to=deployment")
    lead.get_by_label("What you looked at, or why not").fill("read the report")
    lead.get_by_role("button", name="Approve", exact=True).click()
    lead.wait_for_load_state()
    assert "approved" in lead.locator("#messages").inner_text()
    imported(instance, "sarif", SYSTEM)
    service.decide(instance, MIA, "loan-desk", asked.request.id, "approved", reason="agreed")
    check_page(lead, "/lifecycle/loan-desk?to=deployment", name="gates-system-passed")

    declare.apply(instance, declare.read_document(CHANGED), actor=LEO)
    check_page(lead, "/lifecycle/loan-desk", name="gates-system-void")
    check_page(lead, "/inventory/systems/loan-desk", name="gates-panel")
    lead.goto("/lifecycle/loan-desk?to=deployment")
    assert "changed from" in lead.content()
