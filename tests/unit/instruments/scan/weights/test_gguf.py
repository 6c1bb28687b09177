"""GGUF: nothing is believed before it is checked, and the template is judged."""

import struct

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.weights.making import PICKLE, TOKENS, ggjt, gguf, look, rules, worrying


@pytest.mark.parametrize(
    "data",
    [
        gguf(TOKENS),
        gguf(TOKENS, big=True),
        gguf(TOKENS, version=2),
        gguf(TOKENS, version=1),
        gguf(TOKENS, []),
    ],
)
def test_an_ordinary_file_of_any_version_and_byte_order_is_clean(data):
    artifact = look(data)

    assert artifact.node.formats == ["gguf"]
    assert worrying(artifact) == []


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("key", ["tokenizer.chat_template", "tokenizer.chat_template.tool_use", "some.note"])
def test_a_template_that_breaks_out_is_critical_under_any_key(key, big):
    artifact = look(gguf({"general.architecture": "llama", key: "{{ x.__class__.__mro__ }}"}, big=big))

    assert {finding.level for finding in artifact.findings} >= {Level.CRITICAL}
    assert {finding.place for finding in artifact.findings} == {key}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "scan/malformed"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "scan/malformed"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62) + bytes(64), "scan/malformed"),
        (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "scan/malformed"),
        (gguf({"general.alignment": 0}), "gguf/value"),
        (gguf({"general.alignment": 7}), "gguf/value"),
        (gguf(TOKENS | {"tokenizer.ggml.token_type": [1]}), "gguf/value"),
        (gguf({"split.no": 5, "split.count": 2}), "gguf/value"),
        (gguf({}, [("w" * 64, [4], 0, 0)]), "gguf/tensor-shape"),
        (gguf({}, [("w", [1] * 5, 0, 0)]), "gguf/tensor-shape"),
        (gguf({}, [("w", [4], 777, 0)]), "gguf/tensor-shape"),
        (gguf({}, [("w", [1 << 40, 1 << 40], 0, 0)]), "gguf/tensor-shape"),
        (gguf({}, [("w", [33], 2, 0)]), "gguf/tensor-shape"),
        (gguf({}, [("w", [4], 0, 1 << 40)]), "gguf/offsets"),
        (gguf({}, [("w", [4], 0, 3)]), "gguf/offsets"),
        (gguf({}, [("a", [16], 0, 0), ("b", [16], 0, 32)], bytes(96)), "gguf/offsets"),
        (gguf({}, [("a", [4], 0, 0), ("a", [4], 0, 32)], bytes(48)), "gguf/duplicate-key"),
        (gguf({}, [("a", [4], 0, 0), ("b", [4], 0, 128)], b"x" * 144), "gguf/unused-bytes"),
        (gguf({}, None, bytes(16) + b"\x01" * 200), "gguf/unused-bytes"),
    ],
)
def test_a_file_that_lies_is_reported(data, rule):
    assert rule in rules(look(data, "model.gguf"))


def test_what_follows_the_tensors_is_looked_at_as_a_file():
    artifact = look(gguf({}, None, bytes(32) + PICKLE + bytes(64)))

    assert any(finding.level is Level.CRITICAL for finding in artifact.findings)


def test_a_vocabulary_of_a_hundred_thousand_words_is_stepped_over():
    artifact = look(
        gguf(
            TOKENS | {"tokenizer.ggml.tokens": ["word"] * 100_000, "tokenizer.ggml.token_type": [1] * 100_000}
        )
    )

    assert worrying(artifact) == []
    assert artifact.node.facts["tokens"] == 100_000


def test_a_file_of_the_format_before_is_hygiene_and_its_lies_are_reported():
    assert worrying(look(ggjt())) == []
    assert rules(look(ggjt(words=1 << 30))) == {"scan/malformed"}
    assert rules(look(ggjt(kind=99))) == {"ggml/tensor"}
