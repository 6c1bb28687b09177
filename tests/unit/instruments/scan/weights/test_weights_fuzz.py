"""Bytes cut short or changed anywhere end in findings, never in a fault, whatever the format."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.instruments.scan.weights import making

TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": 0, "content": "<s>"}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
        "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
    }
).encode()
CONFIG = json.dumps(
    {"auto_map": {"AutoModel": "m.M"}, "chat_template": "{{ x }}", "architectures": ["A"], "weight": [1, {}]}
).encode()
SEEDS = {
    "model.safetensors": making.safetensors(
        {"a": making.tensor(0, 16), "b": making.tensor(16, 32)}, bytes(32)
    ),
    "model.gguf": making.gguf(making.TOKENS),
    "old.bin": making.ggjt(),
    "m.ubj": making.ubj(),
    "m.txt": making.LIGHTGBM,
    "f.bin": making.fasttext(),
    "w.bin": making.word2vec(),
    "t.model": making.sentencepiece(),
    "m.msgpack": making.FLAX,
    "tokenizer.json": TOKENIZER,
    "config.json": CONFIG,
    "MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    data: m.pkl\nmlflow_version: 2\n",
    "config.cfg": b'[nlp]\nlang = "en"\npipeline = ["ner"]\n[components.ner]\nfactory = "ner"\n',
    "chat_template.jinja": b"{% for m in messages %}{{ m.content }}{% endfor %}",
}


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_file_cut_or_changed_anywhere_gives_findings_and_no_fault(name, data):
    changed = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    for version in (bytes(changed), bytes(changed[:cut]), bytes(changed[:cut] + changed[cut // 2 :])):
        artifact = making.look(version, name)
        assert [finding.detail for finding in artifact.findings if finding.rule == "scan/fault"] == []
