"""Networks outside torch: ONNX, Keras, TensorFlow, TFLite, CoreML, Flax; and the plain tensor formats."""

import json
import tempfile
from pathlib import Path

import numpy as np

from tests.corpora.models.benign.recipe import add, recipe

_RNG = np.random.default_rng(8)
_X = _RNG.normal(size=(20, 4)).astype("f4")
_Y = (np.arange(20) % 2).astype("f4")


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _onnx():
    from onnx import TensorProto, helper, numpy_helper

    weights = [
        numpy_helper.from_array(_X[:4, :3].copy(), "w"),
        numpy_helper.from_array(np.zeros(3, "f4"), "b"),
    ]
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "net", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="tests")


@recipe("onnx", "gemm.onnx", "two operators")
def _(path):
    import onnx

    onnx.save(_onnx(), path)


@recipe("onnx", "external", "weights in a file beside the graph")
def _(path):
    import onnx

    path.mkdir()
    onnx.save_model(
        _onnx(), path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )


@recipe("onnx", "function.onnx", "a function local to the model, and a branch")
def _(path):
    import onnx
    from onnx import helper

    model = _onnx()
    node = helper.make_node("Relu", ["a"], ["b"])
    model.functions.append(
        helper.make_function("local", "Act", ["a"], ["b"], [node], [helper.make_opsetid("", 17)])
    )
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.graph.node[1].op_type, model.graph.node[1].domain = "Act", "local"
    onnx.save(model, path)


@recipe("onnx", "training-info.json", "a graph as JSON")
def _(path):
    from google.protobuf.json_format import MessageToJson

    path.write_text(MessageToJson(_onnx()))


def _skl(path, model):
    from skl2onnx import to_onnx

    path.write_bytes(to_onnx(model, _X[:1]).SerializeToString())


@recipe("skl2onnx", "forest.onnx", "a forest, with the domain of classical operators")
def _(path):
    from sklearn.ensemble import RandomForestClassifier

    _skl(path, RandomForestClassifier(2, max_depth=2).fit(_X, _Y.astype(int)))


@recipe("skl2onnx", "pipeline.onnx", "a scaler and a logistic model")
def _(path):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _skl(path, make_pipeline(StandardScaler(), LogisticRegression()).fit(_X, _Y.astype(int)))


@recipe("torch", "exported.onnx", "a network exported from torch by its older exporter")
def _(path):
    import torch

    torch.onnx.export(
        torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()),
        (torch.ones(1, 4),),
        str(path),
        dynamo=False,
    )


# ── Keras and TensorFlow ─────────────────────────────────────────────────────────────────────────────────────────


def _keras():
    import keras

    net = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1),
        ]
    )
    net.compile("adam", "mse", metrics=["mae"])
    return net


def _functional():
    import keras

    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    joined = keras.layers.Concatenate()(
        [keras.layers.Dense(3)(a), keras.layers.Dense(3, kernel_regularizer="l2")(b)]
    )
    return keras.Model([a, b], keras.layers.Dense(2, activation="softmax")(joined))


def _convolution():
    import keras

    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(2, 3),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )


def _recurrent():
    import keras

    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Embedding(10, 4),
            keras.layers.Bidirectional(keras.layers.LSTM(3)),
            keras.layers.Dense(1),
        ]
    )


for _name, _build in {
    "sequential": _keras,
    "functional": _functional,
    "convolution": _convolution,
    "recurrent": _recurrent,
}.items():
    add("keras", f"{_name}.keras", f"a {_name} network", lambda p, b=_build: b().save(p))
    add("keras", f"{_name}.h5", f"a {_name} network in HDF5", lambda p, b=_build: b().save(p))
add("keras", "sequential.weights.h5", "weights alone", lambda p: _keras().save_weights(p))
add("keras", "functional.json", "a configuration alone", lambda p: p.write_text(_functional().to_json()))


@recipe("keras", "text.keras", "a network that holds its own vocabulary")
def _(path):
    import keras

    words = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    words.adapt(["a model reads text", "a text has words"])
    keras.Sequential([keras.Input((1,), dtype="string"), words, keras.layers.Embedding(20, 2)]).save(path)


@recipe("tensorflow-cpu", "saved-model", "a SavedModel exported from Keras")
def _(path):
    _keras().export(str(path), verbose=False)


@recipe("tensorflow-cpu", "saved-module", "a SavedModel of a module with a table of words from an asset")
def _(path):
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as name:
        words = Path(name) / "words.txt"
        words.write_text("a\nb\nc\n")

        class Net(tf.Module):
            def __init__(self):
                super().__init__()
                whole, line = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
                entries = tf.lookup.TextFileInitializer(str(words), tf.string, whole, tf.int64, line)
                self.table = tf.lookup.StaticHashTable(entries, -1)
                self.w = tf.Variable(_X[:4, :2])

            @tf.function(input_signature=[tf.TensorSpec([None, 4])])
            def __call__(self, x):
                return tf.nn.relu(x @ self.w)

            @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
            def words(self, text):
                return self.table.lookup(text)

        tf.saved_model.save(Net(), str(path))


@recipe("tensorflow-cpu", "frozen.pb", "a frozen graph")
def _(path):
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    w = tf.Variable(_X[:4, :2])
    concrete = tf.function(lambda x: tf.nn.softmax(x @ w)).get_concrete_function(
        tf.TensorSpec([None, 4], tf.float32)
    )
    path.write_bytes(convert_variables_to_constants_v2(concrete).graph.as_graph_def().SerializeToString())


@recipe("tensorflow-cpu", "checkpoint", "a checkpoint of variables")
def _(path):
    import tensorflow as tf

    path.mkdir()
    tf.train.Checkpoint(w=tf.Variable(_X[:4, :2])).write(str(path / "model.ckpt"))


@recipe("tensorflow-cpu", "model.tflite", "a TFLite model")
def _(path):
    import tensorflow as tf

    w = tf.constant(_X[:4, :2])
    concrete = tf.function(lambda x: tf.nn.relu(x @ w)).get_concrete_function(
        tf.TensorSpec([1, 4], tf.float32)
    )
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


@recipe("tensorflow-cpu", "quantised.tflite", "a TFLite model, quantised")
def _(path):
    import tensorflow as tf

    w = tf.constant(np.tile(_X, (4, 8)).reshape(32, 80))
    concrete = tf.function(lambda x: tf.nn.softmax(x @ w)).get_concrete_function(
        tf.TensorSpec([1, 32], tf.float32)
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())


@recipe("tensorflow-cpu", "records.tfrecord", "examples as TFRecord")
def _(path):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as out:
        for row in _X[:5]:
            feature = {"x": tf.train.Feature(float_list=tf.train.FloatList(value=row))}
            out.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


# ── CoreML ───────────────────────────────────────────────────────────────────────────────────────────────────────


@recipe("coremltools", "tree.mlmodel", "a linear model in CoreML")
def _(path):
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder

    builder = NeuralNetworkBuilder([("x", datatypes.Array(4))], [("y", datatypes.Array(2))])
    builder.add_inner_product("dense", _X[:2, :4], np.zeros(2), 4, 2, True, "x", "h")
    builder.add_activation("act", "RELU", "h", "y")
    path.write_bytes(builder.spec.SerializeToString())


@recipe("coremltools", "net.mlpackage", "an ML program in a package")
def _(path):
    import coremltools as ct
    import torch

    traced = torch.jit.trace(
        torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval(), torch.ones(1, 4)
    )
    ct.convert(
        traced, inputs=[ct.TensorType("x", (1, 4))], convert_to="mlprogram", skip_model_load=True
    ).save(str(path))


# ── Flax ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@recipe("flax", "params.msgpack", "parameters as msgpack")
def _(path):
    from flax import serialization

    path.write_bytes(
        serialization.to_bytes({"dense": {"kernel": _X[:4], "bias": np.zeros(4, "f4")}, "step": 3})
    )


@recipe("flax", "params.pkl", "parameters of a Linen module, pickled")
def _(path):
    import pickle

    import flax.linen as nn
    import jax

    variables = nn.Dense(2).init(jax.random.PRNGKey(0), _X)
    path.write_bytes(pickle.dumps(jax.tree_util.tree_map(np.asarray, variables)))


@recipe("flax", "jax-arrays.pkl", "arrays of JAX, pickled")
def _(path):
    import pickle

    import jax.numpy as jnp

    path.write_bytes(pickle.dumps({"w": jnp.ones((2, 3)), "b": jnp.zeros(3, jnp.bfloat16)}))


# ── Tensors ──────────────────────────────────────────────────────────────────────────────────────────────────────


@recipe("safetensors", "numpy.safetensors", "arrays of several kinds")
def _(path):
    from safetensors.numpy import save_file

    save_file(
        {
            "a": _X,
            "b": _X.astype("f2"),
            "c": np.arange(5),
            "empty": np.zeros((0, 3), "f4"),
            "s": np.ones((), "f4"),
        },
        path,
        {"format": "np"},
    )


@recipe("safetensors", "torch.safetensors", "tensors of torch with metadata")
def _(path):
    import torch
    from safetensors.torch import save_file

    save_file(
        {"w": torch.ones(2, 3, dtype=torch.bfloat16), "f8": torch.ones(4).to(torch.float8_e4m3fn)},
        path,
        {"format": "pt", "note": "made for tests"},
    )


@recipe("safetensors", "tensorless.safetensors", "no tensors at all")
def _(path):
    from safetensors.numpy import save_file

    save_file({}, path)


def _gguf(path, architecture="llama", template=None, kinds=False):
    from gguf import GGMLQuantizationType, GGUFWriter

    writer = GGUFWriter(str(path), architecture)
    writer.add_name("tests")
    writer.add_context_length(32)
    writer.add_block_count(1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<s>", "</s>", "a", "b"])
    writer.add_token_scores([0.0, 0.0, -1.0, -2.0])
    if template:
        writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", np.ones((4, 32), "f4"))
    writer.add_tensor("output.weight", np.ones((4, 32), "f2"))
    if kinds:
        writer.add_tensor("blk.0.q", np.zeros((2, 34), "u1"), raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


_TEMPLATE = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + eos_token }}{% endfor %}"
add("gguf", "plain.gguf", "a language model's head", lambda p: _gguf(p))
add("gguf", "chat.gguf", "with a chat template", lambda p: _gguf(p, template=_TEMPLATE))
add(
    "gguf",
    "chats.gguf",
    "with several chat templates",
    lambda p: _gguf(
        p, template=[{"name": "default", "template": _TEMPLATE}, {"name": "tool_use", "template": _TEMPLATE}]
    ),
)
add("gguf", "quantised.gguf", "with a quantised tensor", lambda p: _gguf(p, "bert", kinds=True))


@recipe("h5py", "weights.h5", "arrays and attributes in HDF5")
def _(path):
    import h5py

    with h5py.File(path, "w") as file:
        file.create_group("layers/dense").create_dataset("kernel", data=_X, compression="gzip")
        file.attrs["names"] = json.dumps(["kernel"])
