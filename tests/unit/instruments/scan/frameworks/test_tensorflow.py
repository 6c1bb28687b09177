"""TensorFlow: what running, or loading, a graph would do."""

import struct

import pytest

from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.tensorflow_operations import ACTING, computing
from tests.corpora.models.attacks.graphs import tf_attribute, tf_constant, tf_graph, tf_node, tf_saved, tflite
from tests.corpora.models.attacks.wire import Table, field, flatbuffer, message
from tests.unit.instruments.scan.frameworks.samples import samples
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst

ORDINARY = samples("ordinary")


def saved(*nodes, functions=None, more=()):
    return look(tf_saved(tf_graph(*nodes, functions=functions), *more), "saved_model.pb")


def paths(artifact):
    return [path for finding in artifact.findings for path in finding.detail.get("paths") or ()]


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("ReadFile", "tensorflow/file-operation"),
        ("WriteFile", "tensorflow/file-operation"),
        ("TFRecordDatasetV2", "tensorflow/file-operation"),
        ("PyFunc", "tensorflow/python-operation"),
        ("RpcCall", "tensorflow/network-operation"),
        ("DebugIdentityV2", "tensorflow/network-operation"),
        ("XlaCustomCall", "tensorflow/native-operation"),
    ],
)
def test_an_operation_that_acts_is_high(operation, rule):
    artifact = saved(tf_constant("c", "/etc/passwd"), tf_node(operation, "c", "c", "c"))

    assert levels(artifact, rule) == {Level.HIGH}


def test_an_operation_nobody_has_is_medium():
    assert levels(saved(tf_node("NobodysOperation")), "tensorflow/unknown-operation") == {Level.MEDIUM}


def test_a_node_that_calls_a_function_by_its_name_is_known():
    assert is_quiet(saved(tf_node("inner", "x"), functions={"inner": [tf_node("Identity", "x")]}))


def test_the_file_is_told_through_what_hands_it_on():
    identity = message((1, "i"), (2, "Identity"), (3, "c:0"))
    artifact = saved(tf_constant("c", "/etc/passwd"), identity, tf_node("ReadFile", "i"))

    assert paths(artifact) == ["/etc/passwd"]


def test_the_file_is_told_through_the_call_of_a_function():
    signature = field(1, message((1, "inner"), (2, field(1, "name"))))
    body = field(1, signature + field(3, tf_node("SaveV2", "name", "x")))
    call = message((1, "call"), (2, "PartitionedCall"), (3, "c")) + tf_attribute(
        "f", field(10, field(1, "inner"))
    )
    graph = field(1, tf_constant("c", "/home/user/.bashrc")) + field(1, call) + field(2, body)

    assert paths(look(tf_saved(graph), "saved_model.pb")) == ["/home/user/.bashrc"]


@pytest.mark.parametrize("operation", ["SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"])
@pytest.mark.parametrize(
    ("path", "quiet"), [("model", True), ("_temp/part", True), ("/etc/x", False), ("../x", False)]
)
def test_checkpoints_are_ordinary_unless_they_lie_elsewhere(operation, path, quiet):
    assert is_quiet(saved(tf_constant("c", path), tf_node(operation, "c", "c"))) is quiet


@pytest.mark.parametrize(
    ("stream", "quiet"),
    [("stderr", True), ("log(info)", True), ("file:///tmp/x", False), ("file://x", False)],
)
def test_printing_is_ordinary_unless_it_goes_to_a_file(stream, quiet):
    node = tf_node("PrintV2", "x", output_stream=field(2, stream))

    assert is_quiet(saved(node)) is quiet


def test_an_asset_is_the_one_file_a_table_may_read():
    nodes = (
        tf_constant("path", "/somewhere/vocabulary.txt"),
        tf_node("InitializeTableFromTextFileV2", "t", "path"),
    )
    asset = field(6, message((1, message((1, "path:0"))), (2, "vocabulary.txt")))

    assert is_quiet(saved(*nodes, more=(asset,)))
    assert levels(saved(*nodes), "tensorflow/file-operation") == {Level.HIGH}


def test_an_asset_outside_is_critical():
    asset = field(6, message((1, message((1, "path:0"))), (2, "../../etc/passwd")))

    assert levels(saved(tf_node("NoOp"), more=(asset,)), "tensorflow/asset-outside") == {Level.CRITICAL}


@pytest.mark.parametrize("key", ["saved_model_main_op", "legacy_init_op"])
def test_what_runs_on_load_is_critical(key):
    nodes = (
        tf_constant("c", "/x"),
        tf_node("WriteFile", "c", "c"),
        message((1, "all"), (2, "NoOp"), (3, "^writefile")),
    )
    collection = field(4, message((1, key), (2, field(1, field(1, "all")))))

    assert levels(saved(*nodes, more=(collection,)), "tensorflow/file-operation") == {Level.CRITICAL}


def test_what_a_function_does_on_load_is_critical():
    call = message((1, "call"), (2, "PartitionedCall")) + tf_attribute("f", field(10, field(1, "inner")))
    collection = field(4, message((1, "saved_model_main_op"), (2, field(1, field(1, "call")))))
    artifact = saved(call, functions={"inner": [tf_node("PyFunc")]}, more=(collection,))

    assert levels(artifact, "tensorflow/python-operation") == {Level.CRITICAL}


def test_of_two_operations_in_a_node_the_one_that_counts_is_judged():
    hidden = message((1, "n"), (2, "NoOp"), (2, "WriteFile"))
    harmless = message((1, "n"), (2, "WriteFile"), (2, "NoOp"))

    assert "tensorflow/file-operation" in found(saved(hidden))
    assert is_quiet(saved(harmless))


def test_a_lambda_in_keras_metadata_is_found():
    config = b'{"class_name": "Lambda", "config": {"function": ["4wEAAAAAAAAAAAAA", null, null]}}'
    node = message((2, 1), (3, "root.layer"), (4, "_tf_keras_layer"), (5, config))

    assert levels(look(field(1, node), "keras_metadata.pb"), "keras/code") == {Level.CRITICAL}


def test_a_lambda_in_an_older_saved_model_is_found():
    config = b'{"class_name": "Lambda", "config": {"function": ["4wEAAAAAAAAAAAAA", null, null]}}'
    objects = field(7, field(1, field(4, message((1, "_tf_keras_layer"), (3, config)))))

    assert "keras/code" in found(saved(tf_node("NoOp"), more=(objects,)))


def test_a_graph_as_text_is_judged_by_its_operations():
    text = b'node {\n  name: "r"\n  op: "WriteFile"\n}\nnode { name: "o" op: "NobodysOp" }\n'

    assert {"tensorflow/file-operation", "tensorflow/unknown-operation"} <= found(look(text, "graph.pbtxt"))


def test_a_javascript_model_is_judged_by_its_graph_and_where_its_weights_come_from():
    model = (
        b'{"format": "graph-model", "modelTopology": {"node": [{"name": "a", "op": "ReadFile"}], "library": {"function"'
        b":"
        b' [{"nodeDef": [{"name": "b", "op": "PyFunc"}]}]}}, "weightsManifest": [{"paths": ["https://a.example/w.bin"]}]}'
    )
    artifact = look(model, "model.json")

    assert {"tensorflow/file-operation", "tensorflow/python-operation", "tfjs/weights-outside"} <= found(
        artifact
    )
    plain = b'{"modelTopology": {"node": [{"name": "a", "op": "AddV2"}]}, "weightsManifest": [{"paths": ["w.bin"]}]}'
    assert is_quiet(look(plain, "model.json"))


def test_a_record_that_is_cut_or_changed_is_told():
    data = ORDINARY["rows.tfrecord"]
    changed = bytearray(data)
    changed[-10] ^= 1

    assert "scan/truncated" in found(look(data[:-3], "rows.tfrecord"))
    assert is_quiet(look(data, "rows.tfrecord"))


def test_a_checkpoint_that_names_a_shard_that_is_not_there_is_malformed():
    data = ORDINARY["old/model.ckpt.index"]

    assert is_quiet(look(data, "model.ckpt.index"))
    assert "scan/malformed" in found(
        look(data.replace(b"\x08\x01\x12\x08", b"\x08\x01\x18\x09\x12\x06", 1), "m.index")
    )


@pytest.mark.parametrize(
    ("operator", "level"),
    [
        ("NobodysOperator", Level.MEDIUM),
        ("FlexNobodysOperation", Level.MEDIUM),
        ("FlexReadFile", Level.HIGH),
        ("FlexPyFunc", Level.HIGH),
    ],
)
def test_a_lite_model_is_judged_by_its_operators(operator, level):
    assert worst(look(tflite(operator), "model.tflite")) is level


@pytest.mark.parametrize(
    "operator", ["TFLite_Detection_PostProcess", "FlexTensorListReserve", "edgetpu-custom-op"]
)
def test_known_operators_of_lite_models_are_let_through(operator):
    assert is_quiet(look(tflite(operator), "model.tflite"))


def test_the_node_within_a_flex_operator_is_judged():
    operator = Table({0: 0, 5: b"AddV2\0\x12\x09WriteFile"})
    model = Table({0: 3, 1: [Table({1: "FlexAddV2", 3: 32})], 2: [Table({3: [operator]})]})

    assert "tflite/acting-operation" in found(look(flatbuffer(model, b"TFL3"), "model.tflite"))


def test_a_zip_of_labels_behind_a_lite_model_is_ordinary():
    from tests.corpora.models.attacks.zips import archive

    data = ORDINARY["dense.tflite"] + archive(("labels.txt", b"cat\ndog\n"))

    assert is_quiet(look(data, "model.tflite"))


def test_a_lite_model_that_is_none_is_malformed():
    assert "scan/malformed" in found(look(struct.pack("<I", 8) + b"ABCD" + bytes(30), "model.tflite"))


def test_no_operation_is_in_both_lists():
    assert not set(ACTING) & computing()
    assert {"AddV2", "Const", "MatMul", "PartitionedCall", "VarHandleOp"} <= computing()
