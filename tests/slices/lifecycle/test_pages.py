"""The pages as people in each role meet them, over the real register."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.slices.lifecycle.builders import ADA, EVE, LEO, MIA

from alcaide.kernel.instance import Instance
from alcaide.slices.lifecycle import queries

JSON = {"accept": "application/json"}


def csrf(page: str) -> str:
    found = re.search(r'name="csrf[^"]*" value="([^"]+)"', page) or re.search(
        r'csrf-token" content="([^"]+)"', page
    )
    assert found, "the page has no form token"
    return found.group(1)


def csrf_name(page: str) -> str:
    found = re.search(r'name="(csrf[^"]*)" value=', page)
    return found.group(1) if found else "csrf_token"


@pytest.fixture
def desk(instance: Instance) -> Instance:
    """A system with one model in the real register, and all the evidence to deploy it."""
    from alcaide.slices.inventory import service
    from alcaide.slices.inventory.rules.validate import system_fields

    instance.write(
        lambda tx: service.register_system(
            tx,
            system_fields({"name": "loan-desk", "title": "Loan desk"}),
            actor=LEO,
            reason="new",
            via="test",
        )
    )
    return instance


def post(client: Any, address: str, **form: str) -> Any:
    page = client.get("/lifecycle/loan-desk").text
    return client.post(address, data={csrf_name(page): csrf(page), **form}, follow_redirects=True)


def test_the_overview_is_there_with_nothing_in_it(client_as: Callable[..., Any]) -> None:
    page = client_as(EVE).get("/lifecycle")
    assert page.status_code == 200
    assert "No system to move yet" in page.text


def test_the_overview_shows_a_system_and_what_blocks_it(
    desk: Instance, client_as: Callable[..., Any]
) -> None:
    page = client_as(EVE).get("/lifecycle").text
    assert "Loan desk" in page
    assert "nobody has asked for this move" in page


def test_the_overview_shows_many_by_pages(desk: Instance, client_as: Callable[..., Any]) -> None:
    from alcaide.slices.inventory import service
    from alcaide.slices.inventory.rules.validate import system_fields

    def work(tx: Any) -> None:
        for number in range(30):
            service.register_system(
                tx,
                system_fields({"name": f"s-{number:02}", "title": f"S {number:02}"}),
                actor=LEO,
                reason="x",
                via="t",
            )

    desk.write(work)
    client = client_as(EVE)
    first = client.get("/lifecycle").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = client.get(following.group(1).replace("&amp;", "&")).text
    names = set(re.findall(r'href="/lifecycle/([a-z][a-z0-9-]*)"', first + second))
    assert len(names) == 31


def test_a_system_goes_through_a_gate_by_the_pages(desk: Instance, client_as: Callable[..., Any]) -> None:
    engineer, lead = client_as(ADA), client_as(LEO)

    asked = post(engineer, "/lifecycle/loan-desk/request", to="data", reason="we have a purpose")
    assert "asked for the move to data" in asked.text
    assert "Waiting for your approval" in lead.get("/lifecycle").text
    page = lead.get("/lifecycle/loan-desk?to=data").text
    move = re.search(r'action="/lifecycle/loan-desk/requests/([^"]+)/decide"', page)
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert move
    assert seen
    done = post(
        lead, f"/lifecycle/loan-desk/requests/{move.group(1)}/decide", to="data", seen=seen.group(1),
        decision="approved", role="security-lead", reason="purpose is clear",
    )  # fmt: skip

    assert done.status_code == 200
    with desk.read() as conn:
        assert queries.stage_of(conn, desk, "loan-desk") == "data"
    assert "Passed the gate to data" in client_as(EVE).get("/lifecycle/loan-desk").text


def test_a_page_says_why_a_button_is_not_there(desk: Instance, client_as: Callable[..., Any]) -> None:
    page = client_as(EVE).get("/lifecycle/loan-desk").text
    assert "You cannot ask for this move: ask an administrator for the ml-engineer role" in page
    assert 'action="/lifecycle/loan-desk/request"' not in page
    post(client_as(ADA), "/lifecycle/loan-desk/request", to="data", reason="x")
    assert "You cannot decide about this" in client_as(ADA).get("/lifecycle/loan-desk?to=data").text


def test_what_cannot_be_done_now_is_said_on_the_page(desk: Instance, client_as: Callable[..., Any]) -> None:
    engineer = client_as(ADA)
    post(engineer, "/lifecycle/loan-desk/request", to="data", reason="x")
    again = post(engineer, "/lifecycle/loan-desk/request", to="data", reason="x")
    assert "has asked for this already" in again.text
    empty = post(engineer, "/lifecycle/loan-desk/request", to="training", reason=" ")
    assert "a reason is needed" in empty.text


def test_a_waiver_is_given_and_ended_on_the_page(desk: Instance, client_as: Callable[..., Any]) -> None:
    lead = client_as(LEO)
    said = post(
        lead, "/lifecycle/loan-desk/waive", to="deployment", requirement="ml-bom-imported", until="2026-06-20",
        reason="supplier is late",
    )  # fmt: skip
    assert "waived by Leo until 2026-06-20: supplier is late" in said.text
    ended = post(
        lead,
        "/lifecycle/loan-desk/waive",
        to="deployment",
        requirement="ml-bom-imported",
        until="now",
        reason="here",
    )
    assert "waived by Leo" not in ended.text


def test_a_system_is_moved_back_on_the_page(desk: Instance, client_as: Callable[..., Any]) -> None:
    lead = client_as(LEO)
    post(lead, "/lifecycle/loan-desk/back", to="retired", reason="no longer needed")
    assert "The system is retired" in lead.get("/lifecycle/loan-desk").text


@pytest.mark.parametrize(
    "address", ["/lifecycle/no-such", "/lifecycle/-/gates/no-such", "/lifecycle/loan-desk?to=moon"]
)
def test_what_is_not_there_is_said(desk: Instance, client_as: Callable[..., Any], address: str) -> None:
    page = client_as(EVE).get(address)
    assert page.status_code in (404, 422)
    assert "Traceback" not in page.text


def test_the_gates_are_shown_as_they_are_written(desk: Instance, client_as: Callable[..., Any]) -> None:
    client = client_as(EVE)
    assert "Every model carries a signature" in client.get("/lifecycle/-/gates/to-deployment").text
    assert "to-deployment" in client.get("/lifecycle/-/gates").text


def test_a_broken_gate_file_is_on_every_page_that_it_concerns(
    desk: Instance, client_as: Callable[..., Any]
) -> None:
    folder = desk.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text("gates:\n  - id: X\n")
    client = client_as(EVE)
    for address in ("/lifecycle", "/lifecycle/-/gates", "/lifecycle/loan-desk"):
        page = client.get(address)
        assert page.status_code == 200
        assert "ours.yaml:2" in page.text


def test_the_panel_stands_on_the_systems_own_page(desk: Instance, client_as: Callable[..., Any]) -> None:
    page = client_as(EVE).get("/inventory/systems/loan-desk")
    assert page.status_code == 200
    assert "Open the gate" in page.text


def test_attention_names_what_waits_and_what_came_undone(
    desk: Instance, client_as: Callable[..., Any]
) -> None:
    post(client_as(ADA), "/lifecycle/loan-desk/request", to="data", reason="we have a purpose")
    with desk.read() as conn:
        mine = queries.attention(conn, desk, LEO, desk.clock())
        others = queries.attention(conn, desk, MIA, desk.clock())
    assert [item.title for item in mine] == ["loan-desk: approve the move to data"]
    assert others == []
