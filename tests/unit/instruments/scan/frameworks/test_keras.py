"""Keras configurations: what loading them would do."""

import base64
import json
import marshal
import pickle
import sys

import pytest

from alcaide.instruments.scan.formats.keras.names import names
from alcaide.instruments.scan.model import Level
from tests.corpora.models.attacks.keras_models import layer, legacy, model, saved
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst


def code_of(text):
    return base64.b64encode(marshal.dumps(compile(text, "<lambda>", "eval"))).decode()


CODE = code_of("lambda x: __import__('os').system('id')")


def of_layers(*layers):
    """A configuration as JSON, by itself."""
    return json.dumps(model(*layers)).encode()


def messages(artifact):
    return " ".join(finding.message for finding in artifact.findings)


def test_a_plain_model_is_let_through():
    dense = layer("Dense", {"name": "d", "units": 2, "activation": "relu"})

    assert look(of_layers(dense), "model.json").findings == []
    assert look(saved(model(dense)), "model.keras").findings == []
    assert look(legacy(model(dense)), "model.h5").findings == []


@pytest.mark.parametrize(
    "function",
    [
        {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}},
        [CODE, None, None],
        {"class_name": "__lambda__", "config": {"value": CODE}},
    ],
    ids=["as Keras 3 has it", "as Keras 2 had it", "as one value"],
)
def test_code_in_a_lambda_is_critical_and_its_names_are_told(function):
    artifact = look(of_layers(layer("Lambda", {"name": "l", "function": function})), "model.json")

    assert levels(artifact, "keras/code") == {Level.CRITICAL}
    assert "`__import__`" in messages(artifact)
    assert "`id`" in messages(artifact)


@pytest.mark.parametrize("key", ["output_shape", "mask"])
def test_code_for_a_lambdas_shape_or_mask_is_critical(key):
    config = {"function": "relu", key: [CODE, None, None], f"{key}_type": "lambda"}

    assert "keras/code" in found(look(of_layers(layer("Lambda", config)), "model.json"))


def test_a_lambda_of_a_function_of_keras_is_let_through():
    config = {
        "name": "l",
        "function": {"module": "keras.activations", "class_name": "function", "config": "relu"},
    }

    assert is_quiet(look(of_layers(layer("Lambda", config)), "model.json"))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "run"),
        ("somebody.elses", "function"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.models", "load_model"),
        ("keras.src.utils.file_utils", "get_file"),
    ],
)
def test_a_function_by_its_module_is_critical(module, name):
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    artifact = look(of_layers(layer("Activation", {"activation": function})), "model.json")

    assert levels(artifact, "keras/import") == {Level.CRITICAL}
    assert f"`{name}`" in messages(artifact) or f"`{module}.{name}`" in messages(artifact)


def test_a_function_without_a_module_needs_code_from_somebody():
    function = {
        "module": "builtins",
        "class_name": "function",
        "config": "my_own",
        "registered_name": "function",
    }

    assert levels(
        look(of_layers(layer("Activation", {"activation": function})), "m.json"), "keras/custom-object"
    ) == {Level.MEDIUM}


@pytest.mark.parametrize(
    ("kind", "module", "registered", "level"),
    [
        ("Popen", "subprocess", None, Level.CRITICAL),
        ("Thing", "somebody.elses", "Thing", Level.CRITICAL),
        ("Thing", None, "Package>Thing", Level.MEDIUM),
        ("Thing", "keras.layers", None, Level.MEDIUM),
        ("Dense", "keras.layers", "Package>Dense", Level.MEDIUM),
    ],
)
def test_a_class_that_keras_does_not_have_is_told(kind, module, registered, level):
    assert worst(look(of_layers(layer(kind, {"name": "x"}, module, registered)), "model.json")) is level


@pytest.mark.parametrize(
    ("module", "registered"),
    [("keras_hub.src.layers", "keras_hub>Thing"), (None, "keras_nlp>Thing"), (None, "Addons>Thing")],
)
def test_a_class_of_keras_makers_is_let_through(module, registered):
    assert is_quiet(look(of_layers(layer("Thing", {"name": "x"}, module, registered)), "model.json"))


@pytest.mark.parametrize(
    ("vocabulary", "level"),
    [
        ("/etc/passwd", Level.CRITICAL),
        ("../up.txt", Level.CRITICAL),
        ("https://a.example/v", Level.CRITICAL),
        ("words.txt", Level.MEDIUM),
    ],
)
@pytest.mark.parametrize("kind", ["StringLookup", "TextVectorization", "IntegerLookup"])
def test_a_vocabulary_that_is_a_file_is_told(kind, vocabulary, level):
    artifact = look(of_layers(layer(kind, {"name": "x", "vocabulary": vocabulary})), "model.json")

    assert levels(artifact, "keras/path") == {level}


def test_a_vocabulary_of_words_is_let_through_whatever_the_words():
    words = ["[UNK]", "/etc/passwd", "https://a.example", "../x"] * 20

    assert is_quiet(look(of_layers(layer("StringLookup", {"vocabulary": words})), "model.json"))


def test_a_layer_that_loads_another_model_is_told():
    far = layer("TFSMLayer", {"filepath": "gs://bucket/model"})
    near = layer("TFSMLayer", {"filepath": "model"})

    assert Level.CRITICAL in levels(look(of_layers(far), "m.json"), "keras/path")
    assert levels(look(of_layers(near), "m.json"), "keras/path") == {Level.HIGH}


def test_a_torch_module_is_unpickled_and_looked_at():
    evil = base64.b64encode(b"\x80\x04cos\nsystem\n\x8c\x02id\x85R.").decode()
    artifact = look(of_layers(layer("TorchModuleWrapper", {"module": evil})), "model.json")

    assert {"keras/pickle", "pickle/dangerous-callable"} <= found(artifact)


@pytest.mark.parametrize(
    ("function", "level"),
    [
        ("io.write_file", Level.CRITICAL),
        ("py_function", Level.CRITICAL),
        ("raw_ops.ReadFile", Level.CRITICAL),
        ("nobody.knows", Level.MEDIUM),
    ],
)
def test_a_tensorflow_function_that_acts_is_told(function, level):
    artifact = look(of_layers(layer("TFOpLambda", {"name": "x", "function": function})), "model.json")

    assert levels(artifact, "keras/operation") == {level}


@pytest.mark.parametrize(
    "function", ["math.add", "nn.relu", "__operators__.getitem", "concat", "image.resize"]
)
def test_a_tensorflow_function_that_computes_is_let_through(function):
    assert is_quiet(look(of_layers(layer("TFOpLambda", {"name": "x", "function": function})), "model.json"))


@pytest.mark.parametrize(
    ("operation", "quiet"), [("AddV2", True), ("WriteFile", False), ("NobodysOp", False)]
)
def test_a_node_in_a_layer_is_judged_by_its_operation(operation, quiet):
    config = {"node_def": json.dumps({"name": "n", "op": operation}), "constants": {}}

    assert is_quiet(look(of_layers(layer("TensorFlowOpLayer", config)), "model.json")) is quiet


def test_letters_written_as_escapes_hide_nothing():
    text = of_layers(layer("Lambda", {"function": [CODE, None, None]})).decode()
    hidden = text.replace("class_name", "cl\\u0061ss_name").replace("Lambda", "\\u004cambda")

    assert "keras/code" in found(look(hidden.encode(), "model.json"))


def test_a_configuration_that_is_not_at_the_start_is_found():
    data = b" " * 20_000 + of_layers(layer("Lambda", {"function": [CODE, None, None]}))

    assert "keras/code" in found(look(data, "model.json"))


def test_nesting_without_end_is_bounded():
    deep = '{"class_name": "Sequential", "config": ' * 3_000 + "1" + "}" * 3_000

    assert "scan/fault" not in found(look(deep.encode(), "model.json"))


def test_other_json_with_classes_is_not_taken_for_keras():
    data = json.dumps(
        {"hyperparameters": {"space": [{"class_name": "Choice", "config": {"name": "x"}}]}}
    ).encode()

    assert "keras-config" not in look(data, "oracle.json").node.formats


def test_the_list_of_names_has_what_acts_taken_out():
    listed = names()

    assert {
        "Dense",
        "LSTM",
        "Functional",
        "Adam",
        "TextVectorization",
        "MultiHeadAttention",
    } <= listed.classes
    assert not {"Lambda", "TorchModuleWrapper", "TFSMLayer", "ReloadedLayer", "TFOpLambda"} & listed.classes
    assert not {"get_file", "load_model", "map", "eval"} & listed.functions
    assert not {"py_function", "io.write_file", "numpy_function", "print"} & listed.tensorflow_functions


def test_names_in_code_of_this_python_are_read_without_unmarshalling(monkeypatch):
    monkeypatch.setattr(marshal, "loads", lambda _: pytest.fail("it was unmarshalled"))
    monkeypatch.setattr(pickle, "loads", lambda _: pytest.fail("it was unpickled"))

    artifact = look(of_layers(layer("Lambda", {"function": [CODE, None, None]})), "model.json")

    assert "system" in artifact.findings[0].detail["names"]
    assert sys.version_info >= (3, 11)
