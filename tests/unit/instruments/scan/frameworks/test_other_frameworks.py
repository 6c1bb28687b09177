"""Core ML, PaddlePaddle, MXNet, Caffe, ExecuTorch, ncnn and compiled engines."""

import json

import pytest

from alcaide.instruments.scan.model import Level
from tests.corpora.models.attacks.wire import Table, field, flatbuffer, message
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst

# ── Core ML ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def core_ml(number, content):
    return message((1, 5), (2, b""), (number, content))


def network(*layers):
    return b"".join(field(1, layer) for layer in layers)


CUSTOM_LAYER = message((1, "n"), (500, field(10, "AppsClass")))


@pytest.mark.parametrize(
    ("number", "content"),
    [
        (555, field(10, "AppsClass")),
        (500, network(CUSTOM_LAYER)),
        (403, network(message((1, "b"), (605, field(2, network(CUSTOM_LAYER)))))),
        (500, network(message((1, "l"), (615, field(4, network(CUSTOM_LAYER)))))),
        (202, field(1, core_ml(500, network(CUSTOM_LAYER)))),
        (200, field(1, field(1, core_ml(555, field(10, "AppsClass"))))),
    ],
    ids=["model", "layer", "in a branch", "in a loop", "in a pipeline", "in a classifier's pipeline"],
)
def test_a_class_of_the_app_is_told_wherever_it_is(number, content):
    artifact = look(core_ml(number, content), "m.mlmodel")

    assert levels(artifact, "coreml/custom-code") == {Level.HIGH}
    assert "`AppsClass`" in artifact.findings[0].message


def program(*operations):
    block = b"".join(field(3, operation) for operation in operations)
    function = field(3, message((1, "CoreML5"), (2, block)))
    return core_ml(502, message((1, 1), (2, message((1, "main"), (2, function)))))


def constant(path):
    value = field(5, message((1, path), (2, 64)))
    return message((1, "const"), (5, message((1, "val"), (2, value))))


def test_weights_of_a_program_lie_in_its_package():
    assert is_quiet(look(program(constant("@model_path/weights/weight.bin")), "m.mlmodel"))
    artifact = look(program(constant("@model_path/../../up")), "m.mlmodel")
    assert levels(artifact, "coreml/outside-file") == {Level.CRITICAL}


def test_a_custom_operation_of_a_program_is_told():
    assert "coreml/custom-code" in found(look(program(message((1, "custom_layer"))), "m.mlmodel"))
    assert is_quiet(look(program(message((1, "conv"))), "m.mlmodel"))


@pytest.mark.parametrize(("path", "level"), [("/etc/model", Level.CRITICAL), ("other", Level.MEDIUM)])
def test_a_linked_model_is_told(path, level):
    linked = field(1, message((1, field(1, path))))

    assert levels(look(core_ml(556, linked), "m.mlmodel"), "coreml/outside-file") == {level}


def test_a_manifest_that_leads_out_is_critical():
    def manifest(path):
        return json.dumps({"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A": {"path": path}}}).encode()

    assert is_quiet(look(manifest("com.apple.CoreML/model.mlmodel"), "Manifest.json"))
    assert worst(look(manifest("../../etc/passwd"), "Manifest.json")) is Level.CRITICAL


# ── PaddlePaddle, MXNet, Caffe ───────────────────────────────────────────────────────────────────────────────────────


def paddle(*operators):
    return field(1, message((1, 0), (2, 0), *((4, operator) for operator in operators))) + field(
        4, message((1, 0))
    )


def test_a_paddle_program_is_judged_by_its_operators():
    save = message((3, "save"), (4, message((1, "file_path"), (2, 2), (5, "/etc/cron.d/x"))))

    assert is_quiet(look(paddle(message((3, "conv2d"))), "m.pdmodel"))
    assert "graph/python-operator" in found(look(paddle(message((3, "py_func"))), "m.pdmodel"))
    artifact = look(paddle(save), "m.pdmodel")
    assert levels(artifact, "graph/file-operator") == {Level.HIGH}
    assert "`/etc/cron.d/x`" in artifact.findings[0].message


def mxnet(*nodes):
    return json.dumps({"nodes": list(nodes), "arg_nodes": [0], "heads": [[0, 0, 0]]}).encode()


def test_an_mxnet_symbol_is_judged_by_its_nodes():
    custom = {"op": "Custom", "name": "c", "attrs": {"op_type": "mine"}, "inputs": []}
    nested = {"op": "_foreach", "name": "f", "inputs": [], "subgraphs": [{"nodes": [custom]}]}

    assert is_quiet(look(mxnet({"op": "Convolution", "name": "a", "inputs": []}), "m-symbol.json"))
    assert "graph/python-operator" in found(look(mxnet(custom), "m-symbol.json"))
    assert "graph/python-operator" in found(look(mxnet(nested), "m-symbol.json"))


def test_a_caffe_network_is_judged_by_its_layers():
    def binary(layer):
        return field(1, "net") + field(100, layer)

    text = b'name: "n"\nlayer {\n  name: "d"\n  type: "Data"\n  data_param { source: "/etc/x" }\n}\n'
    python = message((1, "p"), (2, "Python"), (130, message((1, "module"), (2, "Layer"))))

    assert is_quiet(look(binary(message((1, "c"), (2, "Convolution"))), "n.caffemodel"))
    assert "`module.Layer`" in look(binary(python), "n.caffemodel").findings[0].message
    assert is_quiet(look(text.replace(b"/etc/x", b"train_lmdb"), "n.prototxt"))
    assert levels(look(text, "n.prototxt"), "graph/file-operator") == {Level.HIGH}


# ── Engines ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def executorch(*operators):
    plan = Table({0: "forward", 6: [Table({0: name}) for name in operators]})
    return flatbuffer(Table({0: 0, 1: [plan]}), b"ET12")


def test_an_executorch_program_is_judged_by_its_operators():
    assert is_quiet(look(executorch("aten::add", "quantized_decomposed::add"), "m.pte"))
    assert "engine/custom-operator" in found(look(executorch("nobodys::decrypt"), "m.pte"))


def test_an_ncnn_network_is_read():
    assert is_quiet(look(b"7767517\n2 2\nInput data 0 1 data\nConvolution c 1 1 data out\n", "m.param"))
    assert "scan/malformed" in found(look(b"7767517\nmany layers\n", "m.param"))


@pytest.mark.parametrize("start", [b"ftrt", b"ptrt", b"RKNN"])
def test_compiled_code_is_unknown_and_never_clean(start):
    artifact = look(start + bytes(60), "m.engine")

    assert levels(artifact, "scan/unsupported") == {Level.UNKNOWN}


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_told_from_arbitrary_bytes():
    import hashlib
    import random
    from array import array

    random.seed(7)
    weights = array("f", (random.gauss(0, 0.05) for _ in range(5_000))).tobytes()
    arbitrary = b"".join(hashlib.sha256(bytes([index])).digest() for index in range(200))

    assert look(weights, "weights.bin").node.formats == ["numbers"]
    assert is_quiet(look(weights, "weights.bin"))
    assert "numbers" not in look(arbitrary, "weights.bin").node.formats
    assert "numbers" not in look(weights[:8_000] + arbitrary, "weights.bin").node.formats
