from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.exchange.corpus import VALID, content, document, dumped

from alcaide.instruments.exchange import write_mlbom
from alcaide.instruments.exchange.cyclonedx import CycloneDx, kinds
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.predicates.graph import COMPONENT_KINDS, DATA_CLASSES, ComponentRef, FlowRef, SystemGraph

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SERIAL = "6e0f2f1a-6a52-4f0b-9f43-0c2f6f1f5a99"
GRAPH = SystemGraph(
    name="berth-desk",
    title="Berth desk",
    status="active",
    owner="Ida Quay",
    description={"purpose": "Plan berths", "regions": ["eu"], "users_affected": "Pilots"},
    components=(
        ComponentRef("model", "berth-planner", "3", "a" * 64, title="Planner", tags=("tide",),
                     environments=("live", "test"), supplier="Example Harbour Authority (fictional)",
                     licence="Apache-2.0", source="https://models.example/b/3"),
        ComponentRef("dataset", "tides", "2026-05", "b" * 64, licence="harbour licence", source="shelf 4, box 2"),
        ComponentRef("prompt", "planner prompt", "1", None),
        ComponentRef("agent", "dispatcher", "2", "c" * 64),
        ComponentRef("tool", "send-mail", "1", "d" * 64),
        ComponentRef("tool-server", "harbour-tools", "0.4", "e" * 64),
        ComponentRef("vector-store", "charts", "9", "f" * 64),
        ComponentRef("guardrail", "no-names", "1", "1" * 64),
        ComponentRef("service", "vision-api", "v2", "2" * 64, supplier="Example Cloud Vision (fictional)"),
    ),
    flows=(
        FlowRef("party:Ship agents", "agent:dispatcher", ("personal", "internal"), True, "requests", True),
        FlowRef("agent:dispatcher", "service:vision-api", ("special-category",), True, "frames", None),
        FlowRef("vector-store:charts", "model:berth-planner", ("public",)),
    ),
)  # fmt: skip


def bill(graph: SystemGraph = GRAPH, **options: Any) -> bytes:
    return write_mlbom(graph, serial=SERIAL, timestamp=NOON, origin="log.test/alcaide", **options)


def sorted_graph(graph: SystemGraph) -> SystemGraph:
    return replace(
        graph,
        components=tuple(sorted(graph.components, key=lambda c: c.subject_name)),
        flows=tuple(sorted(graph.flows, key=repr)),
    )


def schema_error(data: bytes, version: str) -> object:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion[f"V{version.replace('.', '_')}"])
    return validator.validate_str(data.decode())


@pytest.mark.parametrize("path", VALID["cyclonedx"], ids=lambda p: p.name)
def test_the_kept_bills_are_valid_and_are_read(path: Any) -> None:
    data = path.read_bytes()
    read = CycloneDx().read(data)
    assert schema_error(data, read.summary["spec_version"]) is None
    assert CycloneDx().sniff(data)


def test_what_is_written_is_valid_under_the_official_schema() -> None:
    assert schema_error(bill(), "1.7") is None


def test_what_is_written_is_read_back_without_loss() -> None:
    read = CycloneDx().read(bill())
    assert read.graph is not None
    assert sorted_graph(read.graph) == sorted_graph(GRAPH)
    assert read.graph.digest == GRAPH.digest
    assert GRAPH.subject in read.subjects
    assert (read.outcome, read.reason, read.notes) == ("passed", "", ())


def test_equal_systems_give_equal_bytes_whatever_their_order() -> None:
    other = replace(GRAPH, components=GRAPH.components[::-1], flows=GRAPH.flows[::-1])
    assert bill(other) == bill()


def test_a_digest_of_a_description_is_not_passed_off_as_a_hash_of_bytes() -> None:
    data = bill(described={"model:berth-planner@3"})
    written = next(c for c in json.loads(data)["components"] if c["name"] == "berth-planner")
    assert "hashes" not in written
    assert {"name": kinds.DIGEST_DESCRIPTION, "value": "a" * 64} in written["properties"]
    read = CycloneDx().read(data)
    assert read.graph is not None
    assert sorted_graph(read.graph) == sorted_graph(GRAPH)


def test_an_edited_bill_no_longer_speaks_for_the_system() -> None:
    read = CycloneDx().read(bill().replace(b'"Ida Quay"', b'"Ida Quai"'))
    assert not [s for s in read.subjects if s.name.startswith("system:")]
    assert "edited after export" in read.notes[0]


def test_two_components_of_one_name_are_not_written() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        bill(replace(GRAPH, components=(GRAPH.components[0], replace(GRAPH.components[0], title="x"))))


_word = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)
_component = st.builds(
    ComponentRef,
    kind=st.sampled_from(COMPONENT_KINDS),
    name=_word,
    version=_word,
    digest=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    title=st.just("") | _word,
    tags=st.lists(_word, max_size=3).map(tuple),
    environments=st.lists(_word, max_size=3).map(tuple),
    supplier=st.just("") | _word,
    licence=st.just("") | _word | st.sampled_from(["MIT", "Apache-2.0"]),
    source=st.just("")
    | _word
    | st.sampled_from(["https://models.example:80/a?b#c", "http://a:b", "x:y", "http://[", "hf:a/b"]),
)  # fmt: skip
_end = st.builds("{}:{}".format, st.sampled_from(["party", "model", "service"]), _word)
_flow = st.builds(
    FlowRef,
    source=_end,
    target=_end,
    data_classes=st.lists(st.sampled_from(DATA_CLASSES), unique=True, max_size=3).map(tuple),
    crosses_boundary=st.booleans(),
    purpose=st.just("") | _word,
    encrypted=st.sampled_from([None, True, False]),
)


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        SystemGraph,
        name=_word,
        title=_word,
        status=_word,
        owner=st.just("") | _word,
        description=st.dictionaries(_word, _word | st.lists(_word, max_size=2), max_size=3),
        components=st.lists(_component, max_size=5, unique_by=lambda c: c.subject_name).map(tuple),
        flows=st.lists(_flow, max_size=4).map(tuple),
    )
)
def test_any_system_is_written_validly_and_read_back(graph: SystemGraph) -> None:
    data = bill(graph)
    assert schema_error(data, "1.7") is None
    read = CycloneDx().read(data)
    assert read.graph is not None
    assert sorted_graph(read.graph) == sorted_graph(graph)


def test_a_strangers_bill_gives_its_models_data_and_services_and_counts_its_software() -> None:
    read = CycloneDx().read(content("cyclonedx", "foreign-1.5.json"))
    assert [(c.kind, c.name, c.version) for c in read.components] == [
        ("model", "harbour/crane-detector", "7"),
        ("dataset", "quay-frames", "unversioned"),
        ("service", "vision-api", "v2"),
    ]
    model = read.components[0]
    assert model.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (model.licence, model.source) == ("Apache-2.0", "https://models.example/crane-detector/7")
    assert read.summary["by_kind"] == {"dataset": 1, "library": 2, "model": 1, "service": 1}
    assert read.summary["models"][0]["metrics"] == [{"type": "mAP", "value": "0.71", "slice": "night"}]
    assert read.flows == (
        FlowRef(
            "party:https://quay.example/frames",
            "service:vision-api",
            ("personal",),
            True,
            "frames with people",
        ),
    )
    assert read.notes == ("1 data flows name no other end and are left out",)
    assert read.graph is not None
    assert (read.graph.name, read.graph.title) == ("quay-camera-watch", "Quay Camera Watch")


def test_an_open_grave_vulnerability_fails_a_bill_and_a_settled_one_does_not() -> None:
    bom = document("cyclonedx", "vulnerable-1.6.json")
    assert CycloneDx().read(dumped(bom)).outcome == "failed"
    assert "`CVE-2026-0002`" in CycloneDx().read(dumped(bom)).reason
    bom["vulnerabilities"][1]["analysis"] = {"state": "false_positive"}
    assert CycloneDx().read(dumped(bom)).outcome == "passed"


def test_a_bill_that_calls_itself_incomplete_is_unknown() -> None:
    read = CycloneDx().read(content("cyclonedx", "incomplete-1.7.json"))
    assert (read.outcome, read.reason) == (
        "unknown",
        "the bill says of itself that it is `incomplete_first_party_only`",
    )


def test_a_bill_without_components_is_unknown() -> None:
    assert CycloneDx().read(b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}').outcome == "unknown"


def test_xml_is_refused_with_the_way_to_json() -> None:
    data = b'\xef\xbb\xbf<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>'
    assert CycloneDx().sniff(data)
    with pytest.raises(InvalidInput, match="convert it, for example with `cyclonedx convert"):
        CycloneDx().read(data)


def edit(change: Callable[[dict[str, Any]], object]) -> bytes:
    bom = document("cyclonedx", "foreign-1.5.json")
    change(bom)
    return dumped(bom)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda b: b.update(specVersion="1.4"), "`1.4` is not read"),
        (lambda b: b.update(specVersion=1.5), "`specVersion` must be text"),
        (lambda b: b.update(bomFormat="SPDX"), "is not `CycloneDX`"),
        (lambda b: b.update(serialNumber="urn:uuid:1"), "`serialNumber`"),
        (lambda b: b.update(version=0), "counts from 1"),
        (lambda b: b["components"][0].pop("name"), r"`components\[0\].name` is missing"),
        (lambda b: b["components"][0].update(type="robot"), "no component type"),
        (lambda b: b["components"][0]["hashes"][1].update(content="zz"), "not a SHA-256"),
        (
            lambda b: b["components"][0]["hashes"].append({"alg": "SHA-256", "content": "0" * 64}),
            "two different",
        ),
        (lambda b: b["components"][1].update({"bom-ref": "model-1"}), "used twice"),
        (lambda b: b.update(components={}), "`components` must be a list"),
        (lambda b: b["services"][0].update(data=[1]), r"`services\[0\].data\[0\]` must be an object"),
        (
            lambda b: b["components"][0].update(properties=[{"name": "alcaide:kind", "value": "toaster"}]),
            "`toaster`",
        ),
        (lambda b: b.update(properties=[{"name": "alcaide:flow", "value": "{"}]), "alcaide:flow"),
        (lambda b: b.update(dependencies=[{"dependsOn": []}]), r"`dependencies\[0\].ref` is missing"),
    ],
)
def test_a_bill_with_a_fault_is_refused_by_its_path(change: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        CycloneDx().read(edit(change))


def test_a_bill_with_too_many_components_is_refused() -> None:
    data = (
        b'{"bomFormat":"CycloneDX","specVersion":"1.6","components":['
        + b'{"type":"file","name":"x"},' * 100_001
    )
    with pytest.raises(TooLarge):
        CycloneDx().read(data[:-1] + b"]}")
