"""Writes small models with the libraries themselves: `real_models.zip` of the scan's tests.

    KERAS_BACKEND=tensorflow python tools/scan/build_framework_samples.py \
        tests/unit/instruments/scan/frameworks/real_models.zip

Run it with a Python that has tensorflow, keras, h5py, onnx, skl2onnx, torch and coremltools. What lies below
`ordinary/` must be let through; what lies below `leading-out/` are HDF5 files whose parts lie elsewhere, which no small
writer of our own would put down in all of HDF5's ways.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")


def keras_and_tensorflow(folder: Path) -> None:
    """Archives, HDF5 and JSON of Keras; SavedModels, graphs, checkpoints, Lite models and records of TensorFlow."""
    import keras
    import numpy as np
    import tensorflow as tf
    from keras import layers
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    rows = np.random.rand(16, 8).astype("float32")
    dense = keras.Sequential(
        [keras.Input((8,)), layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(1, "sigmoid")]
    )
    dense.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    dense.fit(rows, np.random.randint(0, 2, (16, 1)), verbose=0)
    picture = keras.Input((28, 28, 1))
    one = layers.Conv2D(4, 3, padding="same", activation="gelu")(picture)
    two = layers.Conv2D(4, 3, padding="same")(one)
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([one, two]))
    answer = layers.Dense(3, "softmax", kernel_regularizer=keras.regularizers.L2(1e-4))(pooled)
    functional = keras.Model(picture, answer)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    functional.compile(keras.optimizers.SGD(schedule), keras.losses.SparseCategoricalCrossentropy())
    words = layers.TextVectorization(max_tokens=50, output_sequence_length=6)
    words.adapt(["hello world of text", "another text"])
    text = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            words,
            layers.Embedding(50, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(1),
        ]
    )
    sequence = keras.Input((6, 4))
    attended = layers.MultiHeadAttention(2, 4)(sequence, sequence)
    mean = keras.ops.mean(layers.LayerNormalization()(attended + sequence), axis=1) * 2.0
    attention = keras.Model(sequence, layers.Dense(2, activation=keras.activations.leaky_relu)(mean))
    attention.compile("rmsprop", loss=keras.losses.Huber())
    models = {"dense": dense, "functional": functional, "text": text, "attention": attention}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        (folder / f"{name}.json").write_text(model.to_json())
    dense.save_weights(folder / "dense.weights.h5")
    for name in ("dense", "text"):
        models[name].export(folder / f"{name}-saved", verbose=False)
    graph = tf.function(functional.call).get_concrete_function(tf.TensorSpec([None, 28, 28, 1]))
    frozen = convert_variables_to_constants_v2(graph).graph
    tf.io.write_graph(frozen, str(folder), "frozen.pb", as_text=False)
    tf.io.write_graph(frozen, str(folder), "frozen.pbtxt", as_text=True)
    for name in ("dense", "functional", "attention"):
        converter = tf.lite.TFLiteConverter.from_keras_model(models[name])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    recurrent = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4), layers.Dense(1)])
    converter = tf.lite.TFLiteConverter.from_keras_model(recurrent)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    converter._experimental_lower_tensor_list_ops = False  # noqa: SLF001 - the documented way to keep TensorFlow's lists
    (folder / "flex.tflite").write_bytes(converter.convert())
    with tf.io.TFRecordWriter(str(folder / "rows.tfrecord")) as writer:
        writer.write(b"hello")
        writer.write(b"world")

    vocabulary = folder.parent / "vocabulary.txt"
    vocabulary.write_text("a\nb\nc\n")

    class Looking(tf.Module):
        def __init__(self) -> None:
            self.weights = tf.Variable(tf.ones([4, 4]))
            source = tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            self.table = tf.lookup.StaticVocabularyTable(source, 1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, words: tf.Tensor) -> tf.Tensor:
            return self.table.lookup(words)

        @tf.function(input_signature=[tf.TensorSpec([None, 4])])
        def walk(self, x: tf.Tensor) -> tf.Tensor:
            for _ in tf.range(3):
                x = tf.nn.relu(x @ self.weights)
            return x

    module = Looking()
    tf.saved_model.save(module, str(folder / "module-saved"), {"look": module.look, "walk": module.walk})
    tf.train.Checkpoint(module=module).save(str(folder / "checkpoint" / "c"))
    old = tf.Graph()
    with old.as_default(), tf.compat.v1.Session(graph=old) as session:
        entry = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        weights = tf.compat.v1.get_variable("w", [3, 2])
        output = tf.nn.softmax(entry @ weights, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "old" / "model.ckpt"))
        tf.compat.v1.saved_model.simple_save(session, str(folder / "old-saved"), {"x": entry}, {"y": output})


def onnx_and_core_ml(folder: Path) -> None:
    """ONNX by two exporters, with weights inside and outside; Core ML in its two ways."""
    import coremltools
    import onnx
    import torch
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rows, labels = load_iris(return_X_y=True)
    rows = rows.astype("float32")
    for name, model in (
        ("forest", RandomForestClassifier(3)),
        ("pipeline", make_pipeline(StandardScaler(), SVC())),
    ):
        (folder / f"{name}.onnx").write_bytes(to_onnx(model.fit(rows, labels), rows[:1]).SerializeToString())

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = torch.nn.Conv2d(1, 4, 3)
            self.recurrent = torch.nn.LSTM(26, 8, batch_first=True)
            self.head = torch.nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x, _ = self.recurrent(torch.relu(self.convolution(x)).mean(1))
            return self.head(x[:, -1])

    network, example = Network().eval(), torch.rand(1, 1, 28, 28)
    torch.onnx.export(network, (example,), str(folder / "torch.onnx"), dynamo=False)
    outside = folder / "outside"
    outside.mkdir()
    onnx.save_model(
        onnx.load(str(folder / "torch.onnx")),
        str(outside / "model.onnx"),
        save_as_external_data=True,
        location="model.onnx.data",
        size_threshold=0,
    )
    traced = torch.jit.trace(network, example)
    inputs = [coremltools.TensorType(shape=(1, 1, 28, 28))]
    for kind, name in (("mlprogram", "program.mlpackage"), ("neuralnetwork", "network.mlmodel")):
        converted = coremltools.convert(traced, inputs=inputs, convert_to=kind, skip_model_load=True)
        converted.save(str(folder / name))


def hdf5(folder: Path, leading_out: Path) -> None:
    """HDF5 in its oldest and its newest way: many links, many attributes, filters, and links out."""
    import h5py
    import numpy as np

    for version in ("earliest", "latest"):
        with h5py.File(folder / f"many-{version}.h5", "w", libver=version) as file:
            group = file.create_group("many", track_order=True)
            for index in range(300):
                group.create_dataset(f"value {index}", data=index)
            for index in range(40):
                file.attrs[f"note {index}"] = f"text {index}"
            file.create_dataset("packed", data=np.arange(100.0), compression="gzip", shuffle=True)
            file["soft"] = h5py.SoftLink("/many/value 1")
        with h5py.File(leading_out / f"{version}.h5", "w", libver=version) as file:
            file["link"] = h5py.ExternalLink("/etc/secret.h5", "/x")
            file["group/beside"] = h5py.ExternalLink("beside.h5", "/x")
            file.create_dataset("stored", shape=(10,), dtype="u1", external=[("/etc/passwd", 0, 10)])
            layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
            layout[:] = h5py.VirtualSource("../../other.h5", "data", shape=(4,))
            file.create_virtual_dataset("virtual", layout)
            file.attrs["pickle"] = np.void(b"\x80\x04cos\nsystem\n\x8c\x02id\x85R.")
    with h5py.File(folder / "block-before.h5", "w", userblock_size=1024) as file:
        file["x"] = np.arange(4)


def main(target: str) -> None:
    """Write the archive."""
    with tempfile.TemporaryDirectory() as held:
        root = Path(held)
        ordinary, leading_out = root / "ordinary", root / "leading-out"
        ordinary.mkdir()
        leading_out.mkdir()
        keras_and_tensorflow(ordinary)
        onnx_and_core_ml(ordinary)
        hdf5(ordinary, leading_out)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in root.rglob("*") if path.is_file() and path.parent != root):
                archive.write(path, str(path.relative_to(root)))


if __name__ == "__main__":
    main(sys.argv[1])
