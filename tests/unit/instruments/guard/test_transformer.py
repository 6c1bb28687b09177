"""A classifier that somebody brings along: pinned, bounded, and Unknown wherever it cannot answer.

The model is made here: an embedding of two columns, summed over the text; words beginning with `bad` weigh on one.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alcaide.instruments.guard.detectors.transformer import TRANSFORMER
from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.model import Action
from alcaide.instruments.guard.policy import SCHEMA, GuardPolicy, Rule, Use
from alcaide.instruments.guard.registry import GuardDetector
from alcaide.instruments.guard.transformer import folder_digest
from alcaide.kernel.errors import InvalidInput, NotFound

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
tokenizers = pytest.importorskip("tokenizers")

WORDS = {"[PAD]": 0, "[UNK]": 1, "bad": 2, "good": 3}
REGISTERED = (GuardDetector("alcaide.instruments.guard.detectors.transformer:TRANSFORMER"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("classifier")
    table = np.array([[0, 0], [0.02, 0], [0, 6], [0.1, 0]], dtype=np.float32)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Gather", ["table", "input_ids"], ["vectors"], axis=0),
            onnx.helper.make_node("ReduceSum", ["vectors", "axes"], ["logits"], keepdims=0),
        ],
        "classifier",
        [onnx.helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, ["n", "t"])],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 2])],
        [
            onnx.numpy_helper.from_array(table, "table"),
            onnx.numpy_helper.from_array(np.array([1], dtype=np.int64), "axes"),
        ],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (made / "model.onnx").write_bytes(model.SerializeToString())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(made / "tokenizer.json"))
    (made / "config.json").write_text(
        json.dumps({"id2label": {"0": "BENIGN", "1": "INJECTION"}, "max_position_embeddings": 16})
    )
    return made


def a_guard(folder: Path, **options) -> Guard:
    wanted = {
        "folder": str(folder),
        "sha256": folder_digest(folder),
        "labels": {"INJECTION": "prompt-injection"},
    } | options
    rule = Rule(id="r", action=Action.BLOCK, detector=("transformer",))
    return Guard(
        GuardPolicy(SCHEMA, "test", {"transformer": Use(options=wanted)}, (rule,)), detectors=REGISTERED
    )


def test_what_the_classifier_calls_bad_is_found_and_what_it_does_not_is_not(folder):
    guard = a_guard(folder)

    assert guard.check("a bad thing").action is Action.BLOCK
    assert guard.check("a good thing").action is Action.ALLOW
    assert guard.check("a bad thing").findings[0].category == "prompt-injection"


def test_a_long_text_is_read_in_windows_and_the_span_is_the_window(folder):
    text = "good " * 60 + "bad " + "good " * 60

    found = a_guard(folder).check(text).findings

    assert found
    assert all("bad" in text[one.span.start : one.span.end] for one in found)


@pytest.mark.parametrize("options", [{"windows": 2}, {"seconds": 0.0}])
def test_what_does_not_fit_is_unknown_not_half_read(folder, options):
    report = a_guard(folder, **options).check("good " * 200)

    assert report.action is Action.HOLD
    assert report.unknown[0].detector == "transformer"


def test_a_model_that_changed_since_it_was_pinned_is_not_run(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    pinned = folder_digest(tmp_path)
    (tmp_path / "config.json").write_text("{}")

    report = a_guard(tmp_path, sha256=pinned).check("a bad thing")

    assert report.action is Action.HOLD
    assert "not the" in report.unknown[0].reason


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_files_that_are_no_model_are_unknown(folder, tmp_path, name):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes(b"\x00\xff not a model")

    report = a_guard(tmp_path).check("a bad thing")

    assert report.action is Action.HOLD
    assert "does not load" in report.unknown[0].reason


def test_a_label_that_the_model_does_not_have_is_named(folder):
    report = a_guard(folder, labels={"EVIL": "x"}).check("a bad thing")

    assert "`EVIL`" in report.unknown[0].reason


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(NotFound, match=r"config\.json"):
        folder_digest(tmp_path)


@pytest.mark.parametrize("options", [{}, {"folder": "x"}, {"folder": 1, "sha256": "", "labels": {}}])
def test_options_that_are_wrong_or_missing_are_refused(options):
    with pytest.raises(InvalidInput):
        TRANSFORMER.configured(options)
