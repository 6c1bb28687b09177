"""What a drawing of a system shows: every component and party once, every flow, and where data leaves."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import service
from alcaide.slices.inventory.model import (
    DataClass,
    End,
    Flow,
    FlowFields,
    Kind,
    Stage,
    System,
    SystemDetail,
    SystemFields,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.validate import (
    component_fields,
    end,
    flow_fields,
    system_fields,
    version_fields,
)
from alcaide.slices.inventory.service.graph import COLLAPSE_ABOVE, draw_flows, draw_system, sensitivity_of

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_version(kind: str, name: str, label: str = "1", digest: str = "a" * 64) -> Version:
    return Version(
        id=f"{kind}-{name}-{label}",
        component_id=f"c-{kind}-{name}",
        kind=Kind(kind),
        name=name,
        fields=VersionFields(version=label, digest=digest),
        identity=digest or "d" * 64,
        row_version=1,
        created_at=NOON,
        retired_at=None,
    )


def a_flow(source: str, target: str, *data: str, crosses: bool = False) -> Flow:
    def at(ref: str) -> End:
        kind, _, name = ref.partition(":")
        return End(kind=kind, name=name)

    fields = FlowFields(
        source=at(source), target=at(target), data=tuple(DataClass(d) for d in data), crosses_boundary=crosses
    )
    return Flow(id=f"{source}>{target}", fields=fields)


def a_detail(*versions: Version, flows: tuple[Flow, ...] = ()) -> SystemDetail:
    system = System(
        id="s",
        fields=SystemFields(name="berth-desk", title="Berth desk"),
        stage=Stage.DESIGN,
        version=1,
        digest="0" * 64,
        created_at=NOON,
        updated_at=NOON,
        updated_by="",
        retired_at=None,
    )
    return SystemDetail(system=system, components=versions, flows=flows, environments=(), deployments=())


def test_versions_of_one_component_are_one_node():
    drawing = draw_system(
        a_detail(a_version("model", "planner", "1"), a_version("model", "planner", "2", ""))
    )
    assert [(node.id, node.versions, node.described) for node in drawing.nodes] == [
        ("model:planner", ("1", "2"), True)
    ]
    assert drawing.nodes[0].href == "/inventory/components/c-model-planner"


def test_parties_and_gone_components_named_by_flows_are_drawn_without_a_link():
    drawing = draw_system(
        a_detail(
            a_version("agent", "dispatcher"),
            flows=(
                a_flow("party:Pilots", "agent:dispatcher", "public"),
                a_flow("agent:dispatcher", "tool:gone", "public"),
            ),
        )
    )
    assert {node.id: node.href != "" for node in drawing.nodes} == {
        "agent:dispatcher": True,
        "tool:gone": False,
        "party:Pilots": False,
    }


@pytest.mark.parametrize(
    ("source", "target", "crosses", "outside", "leaving", "entering"),
    [
        ("agent:a", "party:p", True, "party:p", True, False),
        ("party:p", "agent:a", True, "party:p", False, True),
        ("agent:a", "service:s", True, "service:s", True, False),
        ("service:s", "agent:a", True, "service:s", False, True),
        ("agent:a", "tool:t", True, "tool:t", True, False),
        ("service:s", "party:p", True, "party:p", True, False),
        ("agent:a", "party:p", False, None, False, False),
        ("agent:a", "service:s", False, None, False, False),
    ],
)
def test_a_crossing_flow_has_one_end_outside(
    source: str, target: str, crosses: bool, outside: str | None, leaving: bool, entering: bool
):
    parts = [end(ref) for ref in (source, target)]
    versions = [a_version(e.kind, e.name) for e in parts if e.kind != "party"]
    drawing = draw_system(a_detail(*versions, flows=(a_flow(source, target, "personal", crosses=crosses),)))
    assert [node.id for node in drawing.nodes if node.outside] == ([outside] if outside else [])
    assert (drawing.arrows[0].leaving, drawing.arrows[0].entering) == (leaving, entering)


def test_a_flow_to_the_outside_leaves_even_if_nobody_marked_it():
    flows = (a_flow("agent:a", "party:p", "public", crosses=True), a_flow("model:m", "party:p", "secret"))
    drawing = draw_flows(a_detail(a_version("agent", "a"), a_version("model", "m"), flows=flows))
    assert [(arrow.source, arrow.unmarked) for arrow in drawing.leaving] == [
        ("model:m", True),
        ("agent:a", False),
    ]


@pytest.mark.parametrize(
    ("data", "sensitivity"),
    [
        ((), "unstated"),
        (("public",), "public"),
        (("public", "internal"), "internal"),
        (("public", "confidential"), "classified"),
        (("personal",), "classified"),
        (("special-category",), "classified"),
        (("secret", "public"), "classified"),
    ],
)
def test_the_most_sensitive_class_decides_and_nothing_stated_is_not_public(
    data: tuple[str, ...], sensitivity: str
):
    assert sensitivity_of(DataClass(d) for d in data) == sensitivity


def test_leaving_flows_come_most_sensitive_first():
    flows = tuple(
        a_flow("agent:a", f"party:{name}", name, crosses=True) for name in ("public", "internal", "personal")
    )
    drawing = draw_flows(a_detail(a_version("agent", "a"), flows=flows))
    assert [arrow.sensitivity for arrow in drawing.leaving] == ["classified", "internal", "public"]


def test_the_flow_view_leaves_out_what_has_no_flow_and_counts_it():
    detail = a_detail(
        a_version("agent", "a"), a_version("model", "idle"), flows=(a_flow("party:p", "agent:a", "public"),)
    )
    assert {node.id for node in draw_system(detail).nodes} == {"agent:a", "model:idle", "party:p"}
    drawing = draw_flows(detail)
    assert {node.id for node in drawing.nodes} == {"agent:a", "party:p"}
    assert drawing.undrawn == 1


def test_many_nodes_are_first_drawn_by_kind_and_few_one_by_one():
    few = [a_version("tool", f"t{n}") for n in range(COLLAPSE_ABOVE)]
    assert draw_system(a_detail(*few)).closed == ()
    many = [*few, *(a_version("model", f"m{n}") for n in range(3))]
    drawing = draw_system(a_detail(*many))
    assert drawing.closed == ("tool",)
    assert [(group.kind, group.size) for group in drawing.groups] == [("model", 3), ("tool", COLLAPSE_ABOVE)]


def test_an_empty_system_is_an_empty_drawing():
    drawing = draw_system(a_detail())
    assert (drawing.nodes, drawing.arrows, drawing.groups) == ((), (), ())


# ── the pages and the API ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def berth_desk(instance: Instance, admin: Actor) -> str:
    """A system with an agent, a vendor's service, a party, and personal data on its way out."""

    def work(tx: Any) -> None:
        service.register_system(
            tx, system_fields({"name": "berth-desk", "title": "Berth <b>desk</b>"}), actor=admin
        )
        for kind, name in (("agent", "dispatcher"), ("service", "vision-api"), ("model", "idle")):
            version = service.register_component(
                tx,
                component_fields({"kind": kind, "name": name}),
                version_fields({"version": "1", "digest": "a" * 64}),
                actor=admin,
            )
            service.use_component(tx, "berth-desk", version.id, actor=admin)
        for source, target, data in (
            ("party:</script><b>x", "agent:dispatcher", ["internal"]),
            ("agent:dispatcher", "service:vision-api", ["personal"]),
        ):
            fields = {
                "source": source,
                "target": target,
                "data": data,
                "crosses_boundary": True,
                "purpose": "frames",
            }
            service.add_flow(tx, "berth-desk", flow_fields(fields), actor=admin)

    instance.write(work)
    return "/inventory/systems/berth-desk"


def script_of(page: str) -> Any:
    block = re.search(r'<script type="application/json" id="graph-data">(.*?)</script>', page, re.DOTALL)
    assert block, page[:3_000]
    return json.loads(block[1])


@pytest.mark.both_databases
def test_the_drawing_and_the_tables_below_it_say_the_same(berth_desk: str, client_as: Any):
    for view, nodes in (("graph", 4), ("data-flow", 3)):
        page = client_as("viewer").get(f"{berth_desk}/{view}")
        assert page.status_code == 200
        drawn = script_of(page.text)
        assert len(drawn["nodes"]) == nodes
        for node in drawn["nodes"]:
            assert node["name"].replace("<", "&lt;").replace(">", "&gt;") in page.text
        assert "frames" in page.text


def test_leaving_flows_stand_first_on_the_data_flow_page(berth_desk: str, client: Any):
    text = client.get(f"{berth_desk}/data-flow").text
    assert text.index("Leaving the organisation") < text.index('id="graph"')
    first = text[text.index("Leaving the organisation") : text.index('id="graph"')]
    assert "vision-api" in first
    assert "personal" in first
    assert "not stated as encrypted" in first


def test_names_cannot_break_out_of_the_page_or_its_script(berth_desk: str, client: Any):
    for view in ("graph", "data-flow"):
        text = client.get(f"{berth_desk}/{view}").text
        assert "<b>" not in text
        assert "</script><b>x" not in text


def test_a_system_with_nothing_in_it_offers_to_begin(
    instance: Instance, admin: Actor, client: Any, client_as: Any
):
    instance.write(
        lambda tx: service.register_system(tx, system_fields({"name": "new", "title": "New"}), actor=admin)
    )
    assert "Add a component" in client.get("/inventory/systems/new/graph").text
    assert "Record a flow" in client.get("/inventory/systems/new/data-flow").text
    assert "Add a component" not in client_as("viewer").get("/inventory/systems/new/graph").text


def test_the_api_gives_the_same_drawing(berth_desk: str, client_as: Any):
    client = client_as("viewer")
    for view, page in (("graph", "graph"), ("flows", "data-flow")):
        answer = client.get("/api/v1/inventory/systems/berth-desk/graph", params={"view": view}).json()
        drawn = script_of(client.get(f"{berth_desk}/{page}").text)
        assert answer == {key: drawn[key] for key in answer}


def test_a_drawing_of_nothing_is_404_and_of_a_stranger_401(berth_desk: str, client: Any, app: Any):
    from starlette.testclient import TestClient

    assert client.get("/inventory/systems/absent/graph").status_code == 404
    assert client.get("/api/v1/inventory/systems/absent/graph").status_code == 404
    assert client.get("/api/v1/inventory/systems/berth-desk/graph?view=x").status_code == 422
    stranger = TestClient(app, base_url="http://127.0.0.1:8808", follow_redirects=False)
    assert stranger.get("/api/v1/inventory/systems/berth-desk/graph").status_code == 401
    assert stranger.get(f"{berth_desk}/graph").status_code in (302, 303, 401)
