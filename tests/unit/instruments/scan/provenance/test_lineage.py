"""What an artifact was made from, read from the files that the field has for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.instruments.scan.model import Artifact, Node, ScanReport
from alcaide.instruments.scan.provenance import lineage as module
from alcaide.instruments.scan.provenance.attestation import provenance_of
from alcaide.instruments.scan.provenance.lineage import (
    Origin,
    from_card,
    from_provenance,
    lineage_of_folder,
    lineage_of_report,
)
from alcaide.kernel.evidence import Statement, Subject

CARD = """---
license: apache-2.0
library_name: peft
base_model: base/llama-7b
datasets:
- acme/loans
- acme/mails
pretty_name: Scorer
---
# A model
"""


def steps(folder: Path) -> set[tuple[str, str, str]]:
    return {(one.relation, one.origin.kind, one.origin.name) for one in lineage_of_folder(folder).descents}


def test_a_card_an_adapter_and_a_run_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "base_model_name_or_path": "base/llama-7b", "revision": "abc"})
    )
    (tmp_path / "MLmodel").write_text("run_id: 8f3a\nutc_time_created: '2026-06-01 12:00:00'\n")
    found = lineage_of_folder(tmp_path)
    assert steps(tmp_path) == {
        ("adapter-of", "model", "base/llama-7b"),
        ("trained-on", "dataset", "acme/loans"),
        ("trained-on", "dataset", "acme/mails"),
        ("produced-by", "run", "8f3a"),
    }
    assert (found.licence, found.library, found.title) == ("apache-2.0", "peft", "Scorer")
    assert Origin("model", "base/llama-7b", "abc") in found.of("adapter-of")
    assert json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("card", "relation"),
    [
        ({"base_model": "b"}, "derived-from"),
        ({"base_model": "b", "base_model_relation": "quantized"}, "quantised-from"),
        ({"base_model": "b", "base_model_relation": "finetune"}, "fine-tuned-from"),
        ({"base_model": "b", "base_model_relation": "merge"}, "merged-from"),
        ({"base_model": ["b", "c"]}, "merged-from"),
        ({"base_model": "b", "tags": ["gguf"]}, "quantised-from"),
        ({"base_model": "b", "tags": ["lora"]}, "adapter-of"),
    ],
)
def test_a_card_says_how_it_comes_from_its_base(card: dict[str, Any], relation: str) -> None:
    assert {one.relation for one in from_card(card, "README.md")} == {relation}


def test_a_merge_names_every_model_in_any_of_its_forms(tmp_path: Path) -> None:
    (tmp_path / "mergekit_config.yml").write_text(
        "base_model: base/a\nmodels:\n  - model: base/b\n  - model: base/c+lora/d\n"
        "slices:\n  - sources:\n      - model: base/e\n        layer_range: [0, 32]\n"
    )
    assert {name for _, _, name in steps(tmp_path)} == {"base/a", "base/b", "base/c", "base/e"}


def test_a_quantised_configuration_and_a_vague_word_beside_a_precise_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"_name_or_path": "base/llama-7b", "quantization_config": {"bits": 4}})
    )
    (tmp_path / "README.md").write_text("---\nbase_model: base/llama-7b\n---\n")
    assert steps(tmp_path) == {("quantised-from", "model", "base/llama-7b")}


def test_metadata_that_a_scan_noted_is_enough() -> None:
    node = Node("m.gguf", 9, ["gguf"], {"base_model": "https://huggingface.co/base/llama-7b"})
    found = lineage_of_report(ScanReport([Artifact("m.gguf", node)]))
    assert found.of("quantised-from") == (Origin("model", "base/llama-7b"),)


def test_provenance_gives_the_run_and_what_went_in_with_digests() -> None:
    predicate = {
        "buildDefinition": {
            "resolvedDependencies": [
                {"uri": "https://huggingface.co/base/llama", "digest": {"sha256": "1" * 64}},
                {"uri": "https://huggingface.co/datasets/acme/loans", "digest": {"sha256": "2" * 64}},
                {"uri": "git+https://git.example.org/m", "digest": {"gitCommit": "3" * 40}},
            ]
        },
        "runDetails": {"builder": {"id": "https://ci.example.org"}, "metadata": {"invocationId": "run-7"}},
    }
    statement = Statement((Subject("m", {"sha256": "0" * 64}),), "https://slsa.dev/provenance/v1", predicate)
    provenance = provenance_of(statement)
    assert provenance is not None
    found = [
        (one.relation, one.origin.kind, one.origin.digest[:1]) for one in from_provenance(provenance, "p")
    ]
    assert found == [
        ("produced-by", "run", ""), ("derived-from", "model", "1"), ("derived-from", "dataset", "2"),
        ("derived-from", "source", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "no front matter", "---\nnever: ends", "---\n[\n---\n", "---\na: &x b\nc: *x\n---\n", "---\n- list\n---\n",
        "---\nbase_model: {a: b}\ndatasets: 3\nlicense: [x]\n---\n", "---\n" + "[" * 5000 + "\n---\n",
    ],
)  # fmt: skip
def test_an_odd_card_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    for name in ("config.json", "adapter_config.json", "MLmodel", "mergekit_config.yml"):
        (tmp_path / name).write_text(text or "\0")
    found = lineage_of_folder(tmp_path)
    assert (found.descents, found.licence) == ((), "")


def test_what_is_too_large_or_no_file_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_READ", 20)
    (tmp_path / "README.md").write_text(CARD)
    (tmp_path / "config.json").mkdir()
    assert lineage_of_folder(tmp_path).descents == ()
    assert lineage_of_folder(tmp_path / "missing").descents == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "base_model",
    "datasets",
    "models",
    "slices",
    "model",
    "tags",
    "revision",
    "_name_or_path",
    "run_id",
    "sources",
]


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_reader_fails_on_any_document(document: dict[str, Any]) -> None:
    readers = [from_card, *module._READERS.values(), module.from_gguf]
    for read in readers:
        for one in read(document, "x"):
            assert one.origin.name
