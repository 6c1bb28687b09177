"""An operator's path through the register's pages: nothing there, the first entry, and everything it is made of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import queries

DIGEST = "a" * 64


def send(client: Any, page: str, action: str, **fields: Any) -> Any:
    """Open a page as a browser would, then post a form of it. Returns where that leads."""
    opened = client.get(page)
    assert opened.status_code == 200, opened.text[:2000]
    token = re.search(r'name="csrf_token" value="([^"]+)"', opened.text)
    assert token, f"{page} has no form"
    return client.post(action, data={"csrf_token": token[1], **fields})


def registered(client: Any, **fields: Any) -> Any:
    values = {
        "name": "loan-desk",
        "title": "Loan desk",
        "purpose": "Sorts applications",
        "status": "proposed",
    }
    return send(client, "/inventory/new", "/inventory/new", **(values | fields))


def test_an_empty_register_offers_the_ways_to_begin(client: Any):
    page = client.get("/inventory")

    assert page.status_code == 200
    assert "Register your first system" in page.text
    assert "/inventory/import" in page.text
    assert "alcaide inventory apply" in page.text


def test_a_viewer_is_not_offered_what_they_may_not_do(client_as: Any):
    viewer = client_as("viewer")

    assert "Register your first system" not in viewer.get("/inventory").text
    assert viewer.get("/inventory/new").status_code == 403


def test_a_registered_system_has_a_page_with_every_tab(client: Any):
    done = registered(client)

    assert done.status_code == 200
    assert "Loan desk" in done.text
    for tab in ("", "/components", "/flows", "/deployments", "/history"):
        page = client.get(f"/inventory/systems/loan-desk{tab}")
        assert page.status_code == 200, page.text[:3000]
    assert "Sorts applications" in client.get("/inventory/systems/loan-desk").text


def test_a_wrong_form_comes_back_with_what_was_entered(client: Any):
    page = registered(client, name="Loan Desk!", purpose="keep me")

    assert page.status_code == 422
    assert "keep me" in page.text
    assert "lower-case" in page.text


def test_a_taken_name_is_said_so(client: Any):
    registered(client)

    again = registered(client)

    assert again.status_code == 409
    assert "already" in again.text


def test_what_a_system_is_made_of_is_entered_page_by_page(client: Any, instance: Instance):
    registered(client)
    base = "/inventory/systems/loan-desk"
    new = {"kind": "model", "name": "scorer", "version": "1", "digest": DIGEST, "system": "loan-desk"}

    steps = [
        send(client, "/inventory/components/new?system=loan-desk", "/inventory/components/new", **new),
        send(
            client,
            f"{base}/flows",
            f"{base}/flows",
            source="Applicants",
            target="model:scorer",
            data=["personal", "public"],
            crosses_boundary="on",
        ),
        send(client, f"{base}/deployments", f"{base}/environments", name="production", region="eu"),
    ]
    with instance.read() as conn:
        version = queries.system_detail(conn, "loan-desk").components[0]
    steps.append(
        send(
            client,
            f"{base}/deployments",
            f"{base}/deployments",
            environment="production",
            version_id=version.id,
        )
    )

    assert [step.status_code for step in steps] == [200] * 4
    with instance.read() as conn:
        graph = queries.system_graph(conn, "system:loan-desk")
    assert graph is not None
    assert [(c.subject_name, c.digest, c.environments) for c in graph.components] == [
        ("model:scorer@1", DIGEST, ("production",))
    ]
    assert [(f.source, f.data_classes, f.crosses_boundary) for f in graph.flows] == [
        ("party:Applicants", ("public", "personal"), True)
    ]
    history = client.get(f"{base}/history").text
    assert "model:scorer@1" in history
    assert "admin person" in history


def test_a_flow_to_a_component_that_is_not_there_is_refused_on_the_tab(client: Any):
    registered(client)
    base = "/inventory/systems/loan-desk"

    page = send(
        client, f"{base}/flows", f"{base}/flows", source="Applicants", target="model:ghost", data="personal"
    )

    assert page.status_code == 422
    assert "is no component of this system" in page.text


def test_of_two_editors_the_second_sees_both_versions(client: Any):
    registered(client)
    edit = "/inventory/systems/loan-desk/edit"
    first = {"title": "Loan desk", "owner": "Ada", "status": "active", "version": "1"}

    assert send(client, edit, edit, **first).status_code == 200
    second = send(client, edit, edit, **(first | {"owner": "Bo"}))

    assert second.status_code == 409
    assert "Stored now" in second.text
    assert "Ada" in second.text
    assert "Bo" in second.text


def test_retiring_needs_a_reason_and_then_ends_what_runs(client: Any, instance: Instance, client_as: Any):
    registered(client)
    page = "/inventory/systems/loan-desk"

    assert send(client, page, f"{page}/retire", reason="").status_code == 422
    assert send(client, page, f"{page}/retire", reason="replaced by a rule").status_code == 200
    assert "replaced by a rule" in client.get(f"{page}/history").text
    with instance.read() as conn:
        assert queries.get_system(conn, "loan-desk").fields.status == "retired"


def test_an_engineer_may_register_and_may_not_retire(client_as: Any):
    engineer = client_as("ml-engineer")
    registered(engineer)

    assert "Retire" not in engineer.get("/inventory/systems/loan-desk").text
    assert (
        send(
            engineer,
            "/inventory/systems/loan-desk/components",
            "/inventory/systems/loan-desk/retire",
            reason="no",
        ).status_code
        == 403
    )


def test_a_spreadsheet_is_previewed_then_written_once(client: Any, instance: Instance):
    csv = "Name;Title;Owner\nloan-desk;Loan désk;Ada\nBad Name!;x;y\n".encode("cp1252")
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/inventory/import").text)
    assert token
    preview = client.post(
        "/inventory/import",
        data={"csrf_token": token[1], "sheet": "systems"},
        files={"file": ("systems.csv", csv)},
    )

    assert preview.status_code == 200, preview.text[:2000]
    assert "Windows-1252" in preview.text
    assert "not usable" in preview.text
    with instance.read() as conn:
        assert queries.find_system(conn, "loan-desk") is None

    done = client.post(str(preview.url), data={"csrf_token": token[1], "reason": "first fill"})
    again = client.post(str(preview.url), data={"csrf_token": token[1]})

    assert (done.status_code, again.status_code) == (200, 200)
    with instance.read() as conn:
        found = queries.get_system(conn, "loan-desk")
    assert (found.title, found.version) == ("Loan désk", 1)
    assert "Bad Name!" in client.get(f"{preview.url}/rejected.csv").text


def test_the_home_page_shows_the_register_and_what_nobody_knows(client: Any):
    registered(client)

    home = client.get("/")

    assert "The register" in home.text
    assert "1 system without an owner" in home.text


@pytest.mark.parametrize("form", ["cyclonedx", "yaml", "json", "csv"])
def test_a_system_can_be_taken_away_in_every_format(client: Any, form: str):
    registered(client)

    file = client.get(f"/inventory/systems/loan-desk/export.{form}")

    assert file.status_code == 200
    assert "loan-desk" in file.text
    assert "attachment" in file.headers["content-disposition"]


def test_filters_and_sorting_narrow_the_list(client: Any):
    registered(client)
    registered(client, name="chat-helper", title="Chat helper", owner="Ada", status="active")

    def listed(query: str) -> list[str]:
        page = client.get(f"/inventory?{query}")
        assert page.status_code == 200, page.text[:1500]
        return re.findall(r'href="/inventory/systems/([a-z-]+)"', page.text)

    assert listed("") == ["chat-helper", "loan-desk"]
    assert listed("sort=-title") == ["loan-desk", "chat-helper"]
    assert listed("q=sorts+LOAN") == ["loan-desk"]
    assert listed("status=active") == ["chat-helper"]
    assert listed("gap=no-owner") == ["loan-desk"]
    assert listed("q=100%25") == []
    assert client.get("/inventory?cursor=rubbish").status_code == 422


def test_component_pages_list_show_and_correct(client: Any, instance: Instance, admin: Actor):
    send(
        client,
        "/inventory/components/new",
        "/inventory/components/new",
        kind="model",
        name="scorer",
        version="1",
    )
    with instance.read() as conn:
        component = queries.find_component(conn, "model", "scorer")
        version = queries.find_version(conn, "model", "scorer", "1")
    assert component
    assert version
    page = f"/inventory/components/{component.id}"
    correct = f"/inventory/components/versions/{version.id}/edit"

    assert "scorer" in client.get("/inventory/components?gap=no-digest").text
    assert send(client, page, f"{page}/versions", version="2", digest=DIGEST).status_code == 200
    assert send(client, page, f"{page}/versions", version="2").status_code == 409
    assert send(client, correct, correct, digest="zz", row="1").status_code == 422
    assert send(client, correct, correct, digest=DIGEST, row="1", reason="measured").status_code == 200
    assert send(client, f"{page}/edit", f"{page}/edit", title="The scorer", row="1").status_code == 200
    shown = client.get(page).text
    assert "The scorer" in shown
    assert "measured" in shown
    assert send(client, page, f"{page}/retire", reason="unused").status_code == 200
