"""`alcaide.yaml` read strictly: what a person sees is what is meant, and nothing blows up."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.graph import COMPONENT_KINDS, DATA_CLASSES, STAGES
from alcaide.slices.inventory.model import Autonomy, DataClass, Exposure, Kind, Role, Stage
from alcaide.slices.inventory.rules.yaml_text import read_yaml
from alcaide.slices.inventory.service import declare
from alcaide.slices.inventory.service.declare import read_document, schema

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_scalars_are_their_text():
    value = read_yaml(
        b"{a: 1.10, b: no, c: 12:30, d: 0x10, e: 2026-01-01, f: true, g: 'true', h: ~, i: null}"
    ).value

    assert value == {
        "a": "1.10",
        "b": "no",
        "c": "12:30",
        "d": "0x10",
        "e": "2026-01-01",
        "f": True,
        "g": "true",
        "h": None,
        "i": None,
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "twice, on lines 1 and 2"),
        ("a:\n  b: 1\n  c: {d: 1,\n d: 2}\n", "twice, on lines 3 and 4"),
        ("a: &x\n  b: *x\n", "contains itself"),
        ("a: !!python/name:os.system\n", "tag"),
        ("a: !custom x\n", "tag"),
        ("base: &b {x: 1}\nc:\n  <<: *b\n", "merges"),
        ("? [a, b]\n: c\n", "key that is not text"),
        ("a: [", "not YAML on line"),
        ("a: 1\n--- \nb: 2\n", "not YAML"),
        ("a: \x01\n", "YAML"),
        ("[" * 50 + "]" * 50, "nested deeper"),
        (LAUGHS, "aliases"),
    ],
)
def test_what_could_mislead_or_blow_up_is_refused(text: str, told: str):
    with pytest.raises(InvalidInput, match=told):
        read_yaml(text.encode())


def test_a_billion_laughs_cost_little():
    start = time.process_time()
    with pytest.raises(InvalidInput):
        read_yaml(LAUGHS.encode())

    assert time.process_time() - start < 5


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"a: \xed\xa0\x80", b"x" * (4 * 2**20 + 1)])
def test_bytes_that_are_no_text_are_refused(data: bytes):
    with pytest.raises(InvalidInput):
        read_document(data)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_gives_a_declaration_or_a_reason(text: str):
    with suppress(InvalidInput):
        read_document(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("systems:\n- name: x\n  colour: red\n", "line 2: `systems.0`"),
        ("systems:\n- name: x\n  role: emperor\n", "line 3"),
        ("systems:\n- name: x\n  components:\n  - kind: robot\n    name: y\n", "line 4"),
        ("systems:\n- name: x\n- name: x\n", "declared on line 2 already"),
        ("systems:\n- name: x\n  components: ['model:m@1', 'model:m@1']\n", "listed twice"),
        ("nothing: here\n", "line 1"),
        ("[]\n", "line 1"),
    ],
)
def test_every_mistake_names_its_line(text: str, told: str):
    with pytest.raises(InvalidInput, match=told):
        read_document(text.encode())


def test_a_file_outside_the_folder_is_not_read_through_a_link_either(tmp_path: Path):
    inside = tmp_path / "repo"
    inside.mkdir()
    (tmp_path / "secret").write_text("x")
    (inside / "link").symlink_to(tmp_path / "secret")

    for name in ("../secret", "link", str(tmp_path / "secret"), ".", "missing", "a\x00b"):
        with pytest.raises(InvalidInput, match="line 7"):
            declare.digest_of(inside, name, line=7)


def test_the_shipped_schema_knows_the_same_words_as_the_register():
    found = schema()["$defs"]
    system, component, flow = (
        found["system"]["properties"],
        found["component"]["oneOf"][1]["properties"],
        found["flow"],
    )

    assert [w for w in system["role"]["enum"] if w] == [str(m) for m in Role]
    assert [w for w in system["autonomy"]["enum"] if w] == [str(m) for m in Autonomy]
    assert [w for w in system["exposure"]["enum"] if w] == [str(m) for m in Exposure]
    assert component["kind"]["enum"] == [str(m) for m in Kind] == list(COMPONENT_KINDS)
    assert flow["properties"]["data"]["oneOf"][1]["enum"] == [str(m) for m in DataClass] == list(DATA_CLASSES)
    assert tuple(str(stage) for stage in Stage) == STAGES


def test_the_shipped_schema_is_a_schema():
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(dict(schema()))
