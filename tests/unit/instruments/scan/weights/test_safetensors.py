"""Every byte of a safetensors file belongs to its header or to one tensor."""

import json
import os

import pytest

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.source import File
from tests.unit.instruments.scan.weights.making import PICKLE, look, rules, safetensors, tensor, worrying

GOOD = {"__metadata__": {"format": "pt"}, "a": tensor(0, 16), "b": tensor(16, 24, [2, 2], "F16")}


def test_a_file_whose_tensors_fill_it_is_clean():
    assert worrying(look(safetensors(GOOD, bytes(24)))) == []


def test_a_file_without_tensors_is_clean():
    assert worrying(look(safetensors({}), "empty.safetensors")) == []


def test_a_header_filled_up_with_spaces_is_clean():
    assert worrying(look(safetensors(json.dumps(GOOD).encode() + b" " * 20, bytes(24)))) == []


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (safetensors(GOOD, bytes(24), 1 << 62), "scan/malformed"),
        (safetensors(GOOD, bytes(24), 1 << 20), "scan/malformed"),
        (safetensors(b"[]"), "scan/malformed"),
        (safetensors(b'{"a":'), "scan/malformed"),
        (safetensors(b'{"a":' + b"[" * 50_000 + b"}"), "scan/malformed"),
        (safetensors(b'{"\xff":1}'), "scan/malformed"),
        (safetensors({"a": tensor(0, 16), "b": tensor(8, 24)}, bytes(24)), "safetensors/offsets"),
        (safetensors({"a": tensor(0, 1 << 40)}, bytes(24)), "safetensors/offsets"),
        (safetensors({"a": tensor(0, 16, [5])}, bytes(16)), "safetensors/offsets"),
        (safetensors({"a": tensor(0, 16, [1 << 40, 1 << 40])}, bytes(16)), "safetensors/offsets"),
        (safetensors({"a": tensor(16, 0, [4])}, bytes(16)), "safetensors/offsets"),
        (safetensors({"a": tensor(0, 16, [-4])}, bytes(16)), "safetensors/unknown-type"),
        (safetensors({"a": tensor(0, 16, None, "F99")}, bytes(16)), "safetensors/unknown-type"),
        (safetensors({"a": {"dtype": "F32"}}, bytes(16)), "safetensors/unknown-type"),
        (safetensors({"a": tensor(16, 32)}, bytes(32)), "safetensors/unused-bytes"),
        (safetensors({"a": tensor(0, 16)}, bytes(32)), "safetensors/unused-bytes"),
        (safetensors({"__metadata__": {"a": 1}}), "safetensors/metadata"),
        (safetensors({"__metadata__": []}), "safetensors/metadata"),
        (
            safetensors(
                b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
                b"x",
            ),
            "safetensors/duplicate-key",
        ),
        (
            safetensors(
                b'{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
                b"x",
            ),
            "safetensors/duplicate-key",
        ),
    ],
)
def test_a_file_that_bends_the_format_is_reported(data, rule):
    assert rule in rules(look(data, "model.safetensors"))


def test_a_key_twice_is_found_in_a_header_of_megabytes_as_well():
    tensors = ",".join(f'"t{n}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for n in range(30_000))
    twice = '"t7":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'

    assert worrying(look(safetensors(f"{{{tensors}}}".encode()))) == []
    assert rules(look(safetensors(f"{{{tensors},{twice}}}".encode()))) == {"safetensors/duplicate-key"}


def test_what_lies_after_the_tensors_is_looked_at_as_a_file():
    artifact = look(safetensors({"a": tensor(0, 16)}, bytes(16) + PICKLE))

    assert any(finding.level is Level.CRITICAL and finding.place for finding in artifact.findings)


def test_a_file_in_the_metadata_is_found():
    import base64

    packed = base64.b64encode(PICKLE + bytes(20)).decode()

    assert "metadata/packed-file" in rules(look(safetensors({"__metadata__": {"note": packed}})))
    assert (
        worrying(look(safetensors({"__metadata__": {"sha": "a" * 64, "note": "SGVsbG8gdGhlcmUgcmVhZGVy"}})))
        == []
    )


def test_a_length_that_lies_is_recognised_under_any_name():
    assert rules(look(safetensors(GOOD, b"", 1 << 62), "notes.dat")) == {"scan/malformed"}


def test_a_text_with_a_brace_in_the_ninth_place_is_none():
    assert "safetensors" not in look(b'weights:{"a": 1}\n', "a.txt").node.formats


def test_of_a_file_of_many_gigabytes_the_header_alone_is_read(tmp_path):
    size = 10 << 30
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors({"a": tensor(0, size)}))
    os.truncate(path, path.stat().st_size + size)
    read = []

    class Counted(File):
        def read(self, offset: int, length: int) -> bytes:
            data = super().read(offset, length)
            read.append(len(data))
            return data

    with Counted(path) as source:
        artifact = examine_artifact(source, path.name)

    assert worrying(artifact) == []
    assert sum(read) < 1 << 20
