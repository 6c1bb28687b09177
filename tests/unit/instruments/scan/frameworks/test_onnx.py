"""ONNX: what loading a model reads, and which operators it needs."""

import pytest

from alcaide.instruments.scan.formats.onnx.operators import own
from alcaide.instruments.scan.model import Level
from tests.corpora.models.attacks.graphs import onnx, onnx_graph, onnx_node, onnx_tensor
from tests.corpora.models.attacks.wire import Table, field, flatbuffer, message
from tests.unit.instruments.scan.looking import Folder, found, is_quiet, levels, look

IDENTITY = onnx_node("Identity")


def with_tensor(tensor):
    return onnx(onnx_graph(IDENTITY, tensors=(tensor,)))


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../up",
        "a/../../up",
        "C:\\x",
        "\\\\host\\share",
        "file:///x",
        "~/x",
        "..%2fup",
        "",
        "$HOME/x",
    ],
)
def test_data_outside_of_the_folder_is_critical(location):
    artifact = look(with_tensor(onnx_tensor("w", location)), "model.onnx", beside={"model.onnx": b""})

    assert levels(artifact, "onnx/external-data") == {Level.CRITICAL}


@pytest.mark.parametrize(
    "location", ["weights.bin", "./weights.bin", "model.onnx.data", "parts/a.bin", "a..b"]
)
def test_data_in_the_folder_is_let_through(location):
    beside = {"model.onnx": b"", location.removeprefix("./"): bytes(16)}

    assert is_quiet(look(with_tensor(onnx_tensor("w", location)), "model.onnx", beside=beside))


def test_data_that_are_not_there_cannot_be_decided():
    data = with_tensor(onnx_tensor("w", "weights.bin"))

    assert levels(look(data, "m.onnx", beside={"m.onnx": b""}), "onnx/external-data-missing") == {
        Level.MEDIUM
    }


def test_data_of_a_model_by_itself_are_not_asked_for():
    assert is_quiet(look(with_tensor(onnx_tensor("w", "weights.bin")), "model.onnx"))


def test_data_are_looked_for_beside_the_model():
    data = with_tensor(onnx_tensor("w", "weights.bin"))

    assert is_quiet(look(data, "deep/model.onnx", beside={"deep/weights.bin": bytes(16)}))


def test_a_link_that_leads_out_is_critical():
    class Linked(Folder):
        def open(self, name):
            return None

    from alcaide.instruments.scan.examine import examine_artifact
    from alcaide.instruments.scan.source import Memory

    data = with_tensor(onnx_tensor("w", "weights.bin"))
    artifact = examine_artifact(Memory(data), "model.onnx", folder=Linked({"weights.bin": b""}))

    assert levels(artifact, "onnx/external-data") == {Level.CRITICAL}


@pytest.mark.parametrize(
    "where", [{"offset": "8", "length": "16"}, {"offset": "-1"}, {"length": "-5"}, {"offset": "x"}]
)
def test_data_beyond_their_file_are_told(where):
    data = with_tensor(onnx_tensor("w", "weights.bin", **where))

    assert "onnx/external-data-short" in found(look(data, "m.onnx", beside={"weights.bin": bytes(16)}))


def test_a_memory_address_for_data_is_critical():
    data = with_tensor(onnx_tensor("w", "*/_ORT_MEM_ADDR_/*", offset="140000000000", length="16"))

    assert levels(look(data, "model.onnx"), "onnx/memory-address") == {Level.CRITICAL}


def test_a_tensor_that_is_not_as_long_as_its_shape_is_told():
    short = message((1, 1000), (2, 1), (8, "w"), (9, bytes(16)))

    assert levels(look(with_tensor(short), "model.onnx"), "onnx/tensor-size") == {Level.MEDIUM}
    assert is_quiet(look(with_tensor(onnx_tensor("w")), "model.onnx"))


@pytest.mark.parametrize(
    ("operator", "domain", "rule"),
    [
        ("PyOp", "", "onnx/python-operator"),
        ("PythonOp", "com.microsoft", "onnx/python-operator"),
        ("PyCustomOpDef_f", "ai.onnx.contrib", "onnx/python-operator"),
        ("Decrypt", "nobodys.domain", "onnx/custom-operator"),
        ("NobodysOperator", "", "onnx/custom-operator"),
        ("NobodysOperator", "ai.onnx.ml", "onnx/custom-operator"),
    ],
)
def test_an_operator_from_outside_is_told(operator, domain, rule):
    assert rule in found(look(onnx(onnx_graph(onnx_node(operator, domain))), "model.onnx"))


@pytest.mark.parametrize(
    ("operator", "domain"),
    [
        ("Conv", ""),
        ("Conv", "ai.onnx"),
        ("TreeEnsembleClassifier", "ai.onnx.ml"),
        ("FusedMatMul", "com.microsoft"),
        ("BertTokenizer", "ai.onnx.contrib"),
        ("ATen", "org.pytorch.aten"),
    ],
)
def test_operators_of_the_trade_are_let_through(operator, domain):
    assert is_quiet(look(onnx(onnx_graph(onnx_node(operator, domain))), "model.onnx"))


def test_a_function_of_the_model_itself_is_known_and_looked_into():
    def of(inner):
        function = message((1, "F"), (7, onnx_node(inner)), (10, "local"))
        return onnx(onnx_graph(onnx_node("F", "local")), field(25, function))

    assert is_quiet(look(of("Relu"), "model.onnx"))
    assert "onnx/python-operator" in found(look(of("PyOp"), "model.onnx"))


def test_graphs_within_graphs_are_looked_into_and_bounded():
    graph = onnx_graph(onnx_node("PyOp"))
    for _ in range(4):
        graph = onnx_graph(onnx_node("If", "", message((1, "then_branch"), (6, graph), (20, 5))))
    assert "onnx/python-operator" in found(look(onnx(graph), "model.onnx"))

    for _ in range(200):
        graph = onnx_graph(onnx_node("If", "", message((1, "then_branch"), (6, graph), (20, 5))))
    assert "scan/over-budget" in found(look(onnx(graph), "model.onnx"))


def test_a_model_that_was_cut_is_unknown():
    data = onnx(onnx_graph(*[IDENTITY] * 20))

    assert levels(look(data[: len(data) // 2], "model.onnx"), "scan/truncated") == {Level.UNKNOWN}


def test_a_tensor_by_itself_is_judged_by_where_its_data_lie():
    assert look(onnx_tensor("w"), "input_0.pb").node.formats == ["onnx-tensor"]
    assert is_quiet(look(onnx_tensor("w"), "input_0.pb"))
    assert levels(look(onnx_tensor("w", "/etc/passwd"), "input_0.pb"), "onnx/external-data") == {
        Level.CRITICAL
    }


def runtime_model(operator, domain=""):
    node = Table({0: "n", 2: domain, 5: operator})
    inner = Table({2: [node]})
    outer = Table({2: [Table({0: "if", 2: "", 5: "If", 10: [Table({0: "then", 7: inner})]})]})
    return flatbuffer(Table({0: "1.20", 1: Table({7: outer})}), b"ORTM")


def test_a_model_for_one_runtime_is_judged_alike():
    assert is_quiet(look(runtime_model("Relu"), "model.ort"))
    assert "onnx/python-operator" in found(look(runtime_model("PyOp"), "model.ort"))
    assert "onnx/custom-operator" in found(look(runtime_model("Decrypt", "nobodys"), "model.ort"))


def test_the_list_of_operators_covers_all_domains():
    assert {":Conv", ":Upsample", "ai.onnx.ml:Scaler", "ai.onnx.preview.training:Adam"} <= own()
