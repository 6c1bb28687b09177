"""What the register keeps and what it says of it, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import queries, service
from alcaide.slices.inventory.model import ComponentFilter, SystemFilter, Version
from alcaide.slices.inventory.rules.validate import (
    component_fields,
    environment_fields,
    flow_fields,
    system_fields,
    version_fields,
)
from alcaide.slices.inventory.service.history import history

pytestmark = pytest.mark.both_databases
DIGEST = "a" * 64


def a_system(instance: Instance, actor: Actor, name: str = "loan-desk", **fields: Any) -> None:
    values = system_fields({"name": name, "owner": "Ada", **fields})
    instance.write(lambda tx: service.register_system(tx, values, actor=actor, reason="first"))


def a_model(instance: Instance, actor: Actor, name: str = "scorer", digest: str = DIGEST) -> Version:
    part, first = component_fields({"kind": "model", "name": name}), version_fields({"digest": digest})
    return instance.write(lambda tx: service.register_component(tx, part, first, actor=actor))


def use(instance: Instance, actor: Actor, version: Version, name: str = "loan-desk") -> None:
    instance.write(lambda tx: service.use_component(tx, name, version.id, actor=actor))


def digest_of(instance: Instance, name: str = "loan-desk") -> str:
    with instance.read() as conn:
        return queries.get_system(conn, name).digest


def test_the_statement_of_a_new_system_lets_a_stranger_compute_its_digest(instance: Instance, lead: Actor):
    a_system(instance, lead, purpose="Sorts applications", regions="eu, uk")

    with instance.read() as conn:
        view = instance.view(conn, {"name:system:loan-desk"})
    record = view.records[0]
    assert view.complete
    assert record.predicate_type == "urn:alcaide:registered:v1"
    assert record.predicate["by"]["id"] == lead.id
    said = record.predicate["description"]
    assert (
        Subject.described("system:loan-desk", said).sha256 == record.subjects[0].sha256 == digest_of(instance)
    )


def test_the_row_the_graph_and_the_statement_agree_on_the_digest(instance: Instance, lead: Actor):
    a_system(instance, lead)
    use(instance, lead, a_model(instance, lead))
    flow = flow_fields({"source": "Applicants", "target": "model:scorer", "data": "personal"})
    instance.write(lambda tx: service.add_flow(tx, "loan-desk", flow, actor=lead))

    with instance.read() as conn:
        graph = queries.system_graph(conn, "loan-desk")
        newest = instance.view(conn, {"name:system:loan-desk"}).records[-1]
    assert graph is not None
    assert (
        graph.digest == digest_of(instance) == newest.predicate["digest_after"] == newest.subjects[0].sha256
    )


def test_a_write_that_fails_leaves_neither_row_nor_statement(instance: Instance, lead: Actor):
    a_system(instance, lead)
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn).size

    def work(tx: Any) -> None:
        service.register_system(tx, system_fields({"name": "half"}), actor=lead)
        service.register_system(tx, system_fields({"name": "loan-desk"}), actor=lead)

    with pytest.raises(Conflict):
        instance.write(work)

    with instance.read() as conn:
        assert queries.find_system(conn, "half") is None
        assert instance.ledger.checkpoint(conn).size == before


def test_an_edit_that_changes_nothing_says_nothing(instance: Instance, lead: Actor):
    a_system(instance, lead)
    same = system_fields({"name": "loan-desk", "owner": "Ada"})

    detail = instance.write(lambda tx: service.edit_system(tx, "loan-desk", same, expected=1, actor=lead))

    assert detail.system.version == 1
    with instance.read() as conn:
        assert len(instance.view(conn, {"name:system:loan-desk"}).records) == 1


def test_a_changed_component_changes_the_system_and_back_again_gives_the_old_digest(
    instance: Instance, lead: Actor
):
    a_system(instance, lead)
    version = a_model(instance, lead)
    use(instance, lead, version)
    at_first = digest_of(instance)

    def correct(digest: str) -> None:
        fields = version_fields({"digest": digest})
        instance.write(lambda tx: service.edit_version(tx, version.id, fields, expected=None, actor=lead))

    correct("c" * 64)
    in_between = digest_of(instance)
    correct(DIGEST)

    assert in_between != at_first
    assert digest_of(instance) == at_first


def test_stage_is_remembered_and_binds_nothing(instance: Instance, lead: Actor):
    a_system(instance, lead)
    before = digest_of(instance)

    instance.write(lambda tx: instance.capability("record-stage")(tx, "system:loan-desk", "validation"))

    with instance.read() as conn:
        found = queries.get_system(conn, "loan-desk")
        listed = queries.list_systems(conn, SystemFilter(stage="validation"), now=instance.clock())
    assert (found.stage, found.digest, found.version, listed.total) == ("validation", before, 1, 1)


def test_a_retired_system_stays_closed_until_it_is_given_another_status(instance: Instance, lead: Actor):
    a_system(instance, lead, status="active")
    version = a_model(instance, lead)
    instance.write(lambda tx: service.retire_system(tx, "loan-desk", actor=lead, reason="replaced"))

    with pytest.raises(Conflict, match="retired"):
        use(instance, lead, version)
    with pytest.raises(InvalidInput, match="reason"):
        instance.write(lambda tx: service.retire_system(tx, "loan-desk", actor=lead, reason=" "))
    again = system_fields({"name": "loan-desk", "owner": "Ada", "status": "active"})
    detail = instance.write(lambda tx: service.edit_system(tx, "loan-desk", again, expected=2, actor=lead))
    use(instance, lead, version)

    assert detail.system.retired_at is None


def test_replacing_a_version_ends_what_ran_the_old_one(instance: Instance, lead: Actor):
    a_system(instance, lead)
    old = a_model(instance, lead)
    use(instance, lead, old)
    place = environment_fields({"name": "production"})
    instance.write(lambda tx: service.add_environment(tx, "loan-desk", place, actor=lead))
    instance.write(lambda tx: service.deploy(tx, "loan-desk", "production", old.id, actor=lead))
    second = version_fields({"version": "2"})
    new = instance.write(lambda tx: service.add_version(tx, old.component_id, second, actor=lead))

    detail = instance.write(lambda tx: service.replace_component(tx, "loan-desk", old.id, new.id, actor=lead))

    assert [v.subject for v in detail.components] == ["model:scorer@2"]
    with instance.read() as conn:
        whole = queries.system_detail(conn, "loan-desk")
        component = queries.get_component(conn, old.component_id)
    assert [d.ended_at is None for d in whole.deployments] == [False]
    assert (component.version_count, component.undigested, component.system_count) == (2, 1, 1)


def test_history_names_the_fields_of_every_change(
    instance: Instance, lead: Actor, engineer: Actor, clock: Any
):
    a_system(instance, lead)
    clock.advance(hours=1)
    edited = system_fields({"name": "loan-desk", "owner": "Bo", "tags": "x"})
    instance.write(
        lambda tx: service.edit_system(
            tx, "loan-desk", edited, expected=1, actor=engineer, reason="handed over"
        )
    )

    with instance.read() as conn:
        told = history(instance, conn, ["system:loan-desk"])
    newest = told.entries[0]
    assert told.complete
    assert (newest.actor, newest.reason) == (engineer.name, "handed over")
    assert newest.at - told.entries[1].at == timedelta(hours=1)
    assert [(c.field, c.before, c.after) for c in newest.changes] == [
        ("owner", "Ada", "Bo"),
        ("tags", [], ["x"]),
    ]


def test_search_finds_parts_of_words_and_takes_no_wildcards(instance: Instance, lead: Actor):
    a_system(instance, lead, name="one", title="Ärger-Bot 100% Sicher", tags="customer-facing")
    a_system(instance, lead, name="two", title="Other", purpose="a_b")

    def found(q: str) -> list[str]:
        with instance.read() as conn:
            page = queries.list_systems(conn, SystemFilter(q=q), now=instance.clock())
        return [system.name for system in page.items]

    assert found("ÄRGER") == ["one"]
    assert found("omer-fac") == ["one"]
    assert found("100%") == ["one"]
    assert found("0%s") == []
    assert found("a_b") == ["two"]
    assert found("\\") == []
    assert found("ada one") == ["one"]


def test_every_order_pages_through_everything_once(instance: Instance, lead: Actor):
    names = [f"s-{i}" for i in range(7)]
    for i, name in enumerate(names):
        a_system(instance, lead, name=name, title=f"t{i % 2}", status="active" if i % 2 else "proposed")

    def paged(narrow: SystemFilter) -> list[str]:
        seen: list[str] = []
        cursor = None
        with instance.read() as conn:
            while True:
                page = queries.list_systems(conn, narrow, now=instance.clock(), limit=3, cursor=cursor)
                seen += [system.name for system in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    return seen

    for sort in queries.SYSTEM_SORTS:
        forth, back = (paged(SystemFilter(sort=sort, descending=d)) for d in (False, True))
        assert sorted(forth) == names, sort
        assert back == forth[::-1], sort


def test_reading_costs_the_same_number_of_statements_however_much_there_is(instance: Instance, lead: Actor):
    def statements() -> tuple[int, int, int]:
        counted = [0]

        def count(*_: Any) -> None:
            counted[0] += 1

        costs = []
        with instance.read() as conn:
            conn.execute(text("SELECT 1"))  # so that BEGIN is behind us
            event.listen(instance.db.engine, "before_cursor_execute", count)
            try:
                for ask in (
                    lambda: queries.system_detail(conn, "s-0"),
                    lambda: queries.list_systems(conn, SystemFilter(), now=instance.clock()),
                    lambda: queries.list_components(conn, ComponentFilter()),
                ):
                    counted[0] = 0
                    ask()
                    costs.append(counted[0])
            finally:
                event.remove(instance.db.engine, "before_cursor_execute", count)
        return costs[0], costs[1], costs[2]

    a_system(instance, lead, name="s-0")
    use(instance, lead, a_model(instance, lead, name="m-0"), "s-0")
    few = statements()
    for i in range(1, 12):
        a_system(instance, lead, name=f"s-{i}")
        use(instance, lead, a_model(instance, lead, name=f"m-{i}"), "s-0")

    assert statements() == few
    assert few <= (5, 3, 2)


def test_what_nobody_knows_is_counted(instance: Instance, lead: Actor, clock: Any):
    a_system(instance, lead, owner="")
    a_model(instance, lead, digest="")
    clock.advance(days=400)

    with instance.read() as conn:
        items = queries.attention(conn, instance, lead, instance.clock())

    said = [item.title for item in items]
    assert "1 system without an owner" in said
    assert "1 system unchanged for a year" in said
    assert "1 model without a digest" in said
    with instance.read() as conn:
        for gap in queries.GAPS:
            queries.list_systems(conn, SystemFilter(gap=gap), now=instance.clock())


def test_text_that_no_database_would_take_is_cleaned_or_not_found(instance: Instance, lead: Actor):
    a_system(instance, lead, title="a\x00b\ud800c\u202ed")

    with instance.read() as conn:
        assert queries.get_system(conn, "loan-desk").title == "abcd"
        with pytest.raises(NotFound):
            queries.get_system(conn, "x\x00\ud800")
        assert queries.list_systems(conn, SystemFilter(q="\x00\ud800"), now=instance.clock()).total == 1


@pytest.mark.both_databases
def test_the_systems_that_use_a_component_come_page_by_page_each_once(instance: Instance, lead: Actor):
    version = instance.write(
        lambda tx: service.register_component(
            tx,
            component_fields({"kind": "model", "name": "shared"}),
            version_fields({"version": "1"}),
            actor=lead,
        )
    )

    def fill(tx: Any) -> None:
        for number in range(7):
            title = "Same title" if number < 4 else f"Title {number}"
            fields = system_fields({"name": f"s{number}", "title": title})
            service.register_system(tx, fields, actor=lead)
            service.use_component(tx, f"s{number}", version.id, actor=lead)

    instance.write(fill)
    seen, cursor = [], None
    with instance.read() as conn:
        while True:
            page = queries.users_of(conn, version.component_id, limit=3, cursor=cursor)
            assert page.total == 7
            seen += [system.name for system, label in page.items if label == "1"]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(InvalidInput, match="page marker"):
            queries.users_of(conn, version.component_id, cursor="nonsense")

    assert seen == ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]
