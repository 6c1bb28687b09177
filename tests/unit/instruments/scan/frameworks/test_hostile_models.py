"""Every reader of model formats ends, with findings alone, whatever the bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpora.models.attacks.graphs import (
    onnx,
    onnx_graph,
    onnx_node,
    onnx_tensor,
    tf_constant,
    tf_graph,
    tf_node,
    tf_saved,
)
from tests.corpora.models.attacks.keras_models import layer
from tests.unit.instruments.scan.frameworks import test_other_frameworks as others
from tests.unit.instruments.scan.frameworks import test_r_data as r
from tests.unit.instruments.scan.frameworks.samples import samples
from tests.unit.instruments.scan.frameworks.test_keras import CODE, of_layers
from tests.unit.instruments.scan.frameworks.test_onnx import runtime_model
from tests.unit.instruments.scan.frameworks.test_xml import openvino, pmml
from tests.unit.instruments.scan.looking import found, look

ORDINARY = samples("ordinary")
LEADING_OUT = samples("leading-out")
SEEDS = {
    "a.keras": ORDINARY["dense.keras"],
    "early.h5": LEADING_OUT["earliest.h5"],
    "late.h5": LEADING_OUT["latest.h5"],
    "many.h5": ORDINARY["many-latest.h5"][:20_000],
    "config.json": of_layers(
        layer("Lambda", {"function": [CODE, None, None]}), layer("TFOpLambda", {"function": "x"})
    ),
    "saved_model.pb": ORDINARY["old-saved/saved_model.pb"],
    "acting.pb": tf_saved(
        tf_graph(tf_constant("c", "/x"), tf_node("WriteFile", "c"), tf_node("SaveV2", "c"))
    ),
    "model.ckpt.meta": ORDINARY["old/model.ckpt.meta"],
    "model.ckpt.index": ORDINARY["dense-saved/variables/variables.index"],
    "a.tfrecord": ORDINARY["rows.tfrecord"],
    "a.pbtxt": ORDINARY["frozen.pbtxt"][:3_000],
    "a.tflite": ORDINARY["flex.tflite"],
    "model.json": json.dumps(
        {"modelTopology": {"node": [{"op": "AddV2"}]}, "weightsManifest": [{"paths": ["w"]}]}
    ).encode(),
    "a.onnx": onnx(onnx_graph(onnx_node("If"), tensors=(onnx_tensor("w", "/x"), onnx_tensor("v")))),
    "a.ort": runtime_model("Decrypt"),
    "network.mlmodel": ORDINARY["network.mlmodel"],
    "program.mlmodel": ORDINARY["program.mlpackage/Data/com.apple.CoreML/model.mlmodel"],
    "weight.bin": ORDINARY["program.mlpackage/Data/com.apple.CoreML/weights/weight.bin"],
    "a.pdmodel": others.paddle(others.message((3, "save"))),
    "a-symbol.json": others.mxnet({"op": "Custom", "name": "c", "attrs": {}, "inputs": []}),
    "a.caffemodel": others.field(1, "net")
    + others.field(100, others.message((1, "p"), (2, "Python"), (130, b""))),
    "a.prototxt": b'name: "n"\nlayer {\n  type: "Python"\n python_param { module: "m" }\n}\n',
    "a.pte": others.executorch("aten::add", "x::y"),
    "a.param": b"7767517\n2 2\nInput data 0 1 data\n",
    "a.pmml": pmml('<!DOCTYPE PMML [<!ENTITY a SYSTEM "b"><!ENTITY c "&a;&a;">]>', "&c;"),
    "net.xml": openvino(
        '<layer id="0" name="a" type="X" version="opset1"><data offset="1" size="2"/></layer>'
    ),
    "a.rds": r.HEAD + r.environment(r.pair("x", r.promise())),
    "b.rds": r.HEAD + r.i(3 | r.TAG) + r.environment(r.NOTHING) + r.NOTHING + r.byte_code(),
    "a.RData": b"RDX2\n" + r.HEAD + r.pair("print", r.numbers(1, 2)),
}


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_changed_bytes_give_findings_and_no_fault(name, data):
    seed = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(seed) - 1))
        seed[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    if data.draw(st.booleans()):
        del seed[data.draw(st.integers(0, len(seed) - 1)) :]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(seed)))
        seed[at:at] = data.draw(st.binary(max_size=40))

    assert "scan/fault" not in found(look(bytes(seed), name, seconds=5, unpacked=64 << 20))


@pytest.mark.parametrize("name", SEEDS)
def test_every_beginning_gives_findings_and_no_fault(name):
    seed = SEEDS[name]
    step = max(1, len(seed) // 60)

    for length in range(0, len(seed), step):
        assert "scan/fault" not in found(look(seed[:length], name))


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from(sorted(SEEDS)))
def test_any_bytes_under_any_name_give_findings_and_no_fault(data, name):
    assert "scan/fault" not in found(look(data, name, seconds=5))


@settings(max_examples=120, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "class_name",
                        "config",
                        "module",
                        "registered_name",
                        "function",
                        "node",
                        "op",
                        "vocabulary",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(
        ["Lambda", "function", "__lambda__", "__typespec__", "TFOpLambda", "ClassMethod", "StringLookup"]
    ),
)
def test_any_configuration_gives_findings_and_no_fault(value, kind):
    whole = {
        "class_name": kind,
        "config": value,
        "module": "keras",
        "modelTopology": value,
        "weightsManifest": value,
    }
    whole |= {"nodes": [value], "arg_nodes": [], "itemInfoEntries": value}

    assert "scan/fault" not in found(look(json.dumps(whole).encode(), "config.json"))
