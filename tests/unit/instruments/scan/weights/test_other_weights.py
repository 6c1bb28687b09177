"""Boosters, word vectors, SentencePiece and MessagePack: counts that lie, and what is carried along."""

import struct

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.weights import making
from tests.unit.instruments.scan.weights.making import FLAX, LIGHTGBM, PICKLE, key, look, rules, worrying

ORDINARY = {
    "xgboost-ubj": (making.ubj(), "m.ubj"),
    "lightgbm": (LIGHTGBM, "m.txt"),
    "fasttext": (making.fasttext(), "m.bin"),
    "word2vec": (making.word2vec(), "m.bin"),
    "sentencepiece": (making.sentencepiece(), "m.model"),
    "msgpack": (FLAX, "m.msgpack"),
}


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_an_ordinary_file_is_recognised_by_its_content_and_clean(name):
    for called in (ORDINARY[name][1], "thing"):
        artifact = look(ORDINARY[name][0], called)
        assert name in artifact.node.formats
        assert worrying(artifact) == []


@pytest.mark.parametrize("name", sorted(set(ORDINARY) - {"sentencepiece"}))
def test_a_pickle_after_the_end_is_found(name):
    artifact = look(ORDINARY[name][0] + PICKLE, ORDINARY[name][1])

    assert any(finding.level.rank >= Level.MEDIUM.rank for finding in artifact.findings)


@pytest.mark.parametrize(
    ("data", "name", "rule"),
    [
        (b"{" + key("learner") + b"[$d#L" + struct.pack(">q", 1 << 50), "m.ubj", "scan/malformed"),
        (b"{" + key("learner") + b"[" * 500, "m.ubj", "scan/malformed"),
        (b"{" + key("learner") + b"L" + struct.pack(">q", -1), "m.ubj", "scan/malformed"),
        (b"{" + b"L" + struct.pack(">q", 1 << 40) + b"learner", "m.ubj", "scan/malformed"),
        (making.ubj(key("note") + b"S" + key("__import__('os').system('id')")), "m.ubj", "metadata/code"),
        (LIGHTGBM.replace(b"num_leaves=3", b"num_leaves=999999999999"), "m.txt", "boosters/impossible-size"),
        (LIGHTGBM.replace(b"num_cat=0", b"import os; os.system(\x00)"), "m.txt", "boosters/foreign-text"),
        (b"CBM1" + struct.pack("<I", 1 << 31) + bytes(64), "m.cbm", "scan/malformed"),
        (making.fasttext(1 << 30), "m.bin", "scan/malformed"),
        (making.word2vec(3).replace(b"3 4\n", b"999999999 4\n"), "m.bin", "scan/malformed"),
        (
            making.sentencepiece(b"\x7a\x20" + b"\x7fELF" + bytes(28)),
            "m.model",
            "sentencepiece/unknown-field",
        ),
        (b"\x81\xa1a\xdd\xff\xff\xff\xff", "m.msgpack", "scan/malformed"),
        (b"\x81\xa1a" + b"\x91" * 500, "m.msgpack", "scan/malformed"),
        (b"\x81\xa1a\xc7\x04\x63abcd", "m.msgpack", "msgpack/unknown-extension"),
    ],
)
def test_a_file_that_lies_or_carries_something_is_reported(data, name, rule):
    assert rule in rules(look(data, name))


def test_an_array_of_objects_in_messagepack_is_read_as_the_pickle_that_it_is():
    held = (
        b"\x84\xc4\x02nd\xc3\xc4\x04kind\xc4\x01O\xc4\x04type\xc4\x01O\xc4\x04data\xc4"
        + bytes([len(PICKLE)])
        + PICKLE
    )

    artifact = look(b"\x81\xa1a" + held, "vectors.msgpack")

    assert "msgpack/object-array" in rules(artifact)
    assert any(finding.level is Level.CRITICAL and finding.place for finding in artifact.findings)
