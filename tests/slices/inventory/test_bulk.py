"""Many rows at once say and keep the same as one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import NotFound
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service import bulk

pytestmark = pytest.mark.both_databases


def imported(instance: Instance, actor: Actor, text: str, sheet: str = "systems") -> dict[str, Any]:
    return bulk.import_sheet(instance, text.encode(), sheet=sheet, actor=actor, reason="bulk")


def test_an_imported_system_equals_a_registered_one(instance: Instance, lead: Actor):
    imported(instance, lead, "name,title,owner,regions,tags\nloan-desk,Loans,Ada,eu; uk,a|b\n")
    fields = system_fields(
        {"name": "other-desk", "title": "Loans", "owner": "Ada", "regions": "eu,uk", "tags": "a,b"}
    )
    instance.write(lambda tx: service.register_system(tx, fields, actor=lead, reason="bulk"))

    with instance.read() as conn:
        bulk_made, made = (queries.system_graph(conn, name) for name in ("loan-desk", "other-desk"))
        row = queries.get_system(conn, "loan-desk")
        record = instance.view(conn, {"name:system:loan-desk"}).records[0]
    assert bulk_made is not None
    assert made is not None
    assert bulk_made.description == made.description
    assert row.digest == bulk_made.digest == record.subjects[0].sha256
    assert record.predicate["description"] == bulk_made.canonical_description()
    assert (record.predicate["reason"], record.predicate["via"]) == ("bulk", "csv")


def test_importing_again_writes_nothing_and_a_changed_cell_one_change(instance: Instance, lead: Actor):
    text = "name,owner\n" + "".join(f"s-{i},Ada\n" for i in range(30))

    assert imported(instance, lead, text)["create"] == 30
    assert imported(instance, lead, text) == {
        "create": 0,
        "change": 0,
        "unchanged": 30,
        "rejected": 0,
        "rows": 30,
    }
    assert imported(instance, lead, text.replace("s-7,Ada", "s-7,Bo"))["change"] == 1
    with instance.read() as conn:
        found = queries.system_detail(conn, "s-7")
        graph = queries.system_graph(conn, "s-7")
        records = instance.view(conn, {"name:system:s-7"}).records
    assert graph is not None
    assert (found.system.fields.owner, found.system.version) == ("Bo", 2)
    assert records[-1].predicate["fields"] == [{"field": "owner", "before": "Ada", "after": "Bo"}]
    assert records[-1].predicate["digest_after"] == found.system.digest == graph.digest


def test_components_come_in_with_versions_and_systems(instance: Instance, lead: Actor):
    imported(instance, lead, "name\nloan-desk\nchat\n")
    text = (
        "system,kind,name,version,sha256,licence\n"
        f"loan-desk,model,scorer,1,{'a' * 64},MIT\n"
        f"loan-desk,model,scorer,2,{'b' * 64},MIT\n"
        f"chat,model,scorer,2,{'b' * 64},\n"
        "chat,prompt,greeting,1,,\n"
        ",dataset,lonely,1,,\n"
        f"chat,model,scorer,2,{'c' * 64},\n"
        "ghost,tool,x,1,,\n"
    )

    outcome = imported(instance, lead, text, "components")
    again = imported(instance, lead, text, "components")

    assert (outcome["create"], outcome["change"], outcome["rejected"]) == (4, 1, 2)
    assert (again["create"], again["change"], again["unchanged"]) == (0, 0, 5)
    with instance.read() as conn:
        desk, chat = (queries.system_detail(conn, name) for name in ("loan-desk", "chat"))
        scorer = queries.find_component(conn, "model", "scorer")
    assert [v.subject for v in desk.components] == ["model:scorer@1", "model:scorer@2"]
    assert [v.subject for v in chat.components] == ["model:scorer@2", "prompt:greeting@1"]
    assert (desk.system.version, chat.system.version) == (2, 2)
    assert scorer is not None
    assert (scorer.version_count, scorer.system_count, scorer.undigested, scorer.latest) == (2, 2, 0, "2")


def test_what_came_between_preview_and_confirmation_is_seen(instance: Instance, lead: Actor):
    kept = bulk.keep_upload(instance, b"name,owner\nx,Ada\n", sheet="systems", filename="a.csv", actor=lead)
    other = system_fields({"name": "x", "owner": "Bo", "purpose": "kept"})
    instance.write(lambda tx: service.register_system(tx, other, actor=lead))

    outcome = bulk.confirm(instance, kept.id, actor=lead)

    assert (outcome["create"], outcome["change"]) == (0, 1)
    with instance.read() as conn:
        assert queries.get_system(conn, "x").fields.purpose == "kept"


def test_an_upload_nobody_confirmed_is_dropped_after_a_week(instance: Instance, lead: Actor, clock: Any):
    old = bulk.keep_upload(instance, b"name\nx\n", sheet="systems", filename="C:\\a\\b.csv", actor=lead)
    assert old.filename == "b.csv"
    clock.advance(days=8)
    bulk.keep_upload(instance, b"name\ny\n", sheet="systems", filename="", actor=lead)

    with instance.read() as conn, pytest.raises(NotFound):
        bulk.preview(conn, old.id)


@pytest.mark.parametrize("sheet", ["systems", "components"])
def test_a_template_imports_as_it_is(instance: Instance, lead: Actor, sheet: str):
    imported(instance, lead, "name\nloan-desk\n")

    outcome = imported(instance, lead, "".join(bulk.template(sheet)), sheet)

    assert outcome["rejected"] == 0


THEIRS = "Tool;Wofür;Chef\nLoan desk;sorts applications;Ada\n;no name;Bo\n"


def test_the_page_asks_what_the_columns_mean_and_writes_what_was_looked_at(instance: Instance, client: Any):
    token = client.get("/inventory/import").text.split('name="csrf_token" value="')[1].split('"')[0]
    kept = client.post(
        "/inventory/import",
        files={"file": ("theirs.csv", THEIRS.encode(), "text/csv")},
        data={"csrf_token": token, "sheet": "systems"},
    )
    address = str(kept.url.path)
    assert "Say what the columns mean" in kept.text
    assert "sorts applications" in kept.text
    assert ">Write it<" not in kept.text
    columns = {"column": ["title", "purpose", "owner"]}

    asked = client.get(address, params=columns)

    assert asked.text.count('<input type="hidden" name="column"') == 3
    assert '<option value="purpose" selected>' in asked.text
    assert "?column=title&amp;column=purpose&amp;column=owner&amp;show=rejected" in asked.text
    wrong = client.get(address, params={"column": ["title", "title", "title"]})
    assert (wrong.status_code, "two columns are said to be" in wrong.text) == (422, True)
    unread = client.post(address, data={"csrf_token": token, "reason": "x"})
    assert "no column is known" in unread.text
    with instance.read() as conn:
        assert queries.find_system(conn, "loan-desk") is None

    done = client.post(address, data={"csrf_token": token, "reason": "first fill", **columns})

    assert "1 registered, 0 changed, 1 rejected" in done.text
    with instance.read() as conn:
        found = queries.get_system(conn, "loan-desk")
    assert (found.fields.purpose, found.fields.owner) == ("sorts applications", "Ada")
    assert "no name" in client.get(f"{address}/rejected.csv", params=columns).text


def test_the_api_takes_the_same_columns_for_preview_confirmation_and_rejected_rows(client: Any):
    page = client.get("/inventory/import").text
    client.headers["X-CSRF-Token"] = page.split('name="csrf-token" content="')[1].split('"')[0]
    base = "/api/v1/inventory/imports"
    sent = client.post(base, content=THEIRS.encode(), headers={"content-type": "text/csv"})
    assert sent.status_code == 201, sent.text
    assert "no column is known" in sent.json()["problem"]
    here, said = f"{base}/{sent.json()['id']}", {"map": ["Tool=title", "#3=owner"]}

    assert client.post(f"{here}/confirm").status_code == 422
    looked = client.get(here, params=said).json()
    assert [column["field"] for column in looked["columns"]] == ["title", "", "owner"]
    assert (looked["problem"], looked["create"], looked["rejected"]) == ("", 1, 1)
    assert client.get(here, params={"map": ["Tool=rank"]}).status_code == 422
    assert "no name" in client.get(f"{here}/rejected", params=said).text
    assert client.post(f"{here}/confirm", params=said).json()["create"] == 1
