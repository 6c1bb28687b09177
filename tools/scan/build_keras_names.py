"""Writes the names that Keras itself gives to what its model files may hold: `keras.json` of the scan's lists.

Run it with a Python that has keras, tensorflow and, if it is to be counted in, tf_keras:

    KERAS_BACKEND=tensorflow python tools/scan/build_keras_names.py src/alcaide/instruments/scan/lists/keras.json

A class is allowed if it is one of Keras's own that a configuration may name: a layer, model, optimizer, loss, metric,
initializer, regularizer, constraint, schedule, policy or operation. A function is allowed if it belongs to the parts
of Keras that compute: activations, losses, metrics, operations. Classes and functions that act when they are made or
called are taken out below, by name and with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

ACTS = {
    "Lambda": "runs the code it is given",
    "TorchModuleWrapper": "unpickles a torch module",
    "JaxLayer": "calls a function it is given",
    "FlaxLayer": "calls a function it is given",
    "TFSMLayer": "loads another model from a path",
    "TFOpLambda": "calls a function of TensorFlow that it names",
    "TensorFlowOpLayer": "runs a TensorFlow node that it is given",
    "ClassMethod": "calls a method that it names",
    "InstanceMethod": "calls a method that it names",
    "InstanceProperty": "reads a property that it names",
    "ModuleWrapper": "wraps a module that it names",
    "LayerFromSavedModel": "loads another model",
    "ReloadedLayer": "loads another model",
    "Function": "stands for a graph of operations, and is never named",
}
"""Judged by the reader itself, or never allowed."""

LEGACY = [
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "AveragePooling1D",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Deconvolution2D",
    "Highway",
    "MaxoutDense",
    "Merge",
    "TimeDistributedDense",
    "RandomCrop",
    "ThresholdedReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "ConvLSTM2DCell",
    "Functional",
    "Model",
    "Sequential",
    "Network",
    "Container",
    "SlicingOpLambda",
    "Policy",
    "PolicyV1",
    "DTypePolicy",
    "QuantizedDTypePolicy",
    "FloatDTypePolicy",
    "Highpass",
    "GRUV1",
    "GRUV2",
    "LSTMV1",
    "LSTMV2",
    "BatchNormalizationV1",
    "BatchNormalizationV2",
    "SyncBatchNormalization",
    "DenseFeatures",
    "LinearModel",
    "WideDeepModel",
    "KerasTensor",
    "AdamW",
    "Lion",
    "LossScaleOptimizer",
    "LossScaleOptimizerV1",
    "LossScaleOptimizerV3",
    "DynamicLossScale",
    "DynamicLossScaleMultiOptimizer",
    "FixedLossScale",
    "AutoCastVariable",
    "VersionDef",
    "TensorShape",
    "CategoryCrossing",
    "CategoryEncoding",
    "PreprocessingStage",
    "FunctionalPreprocessingStage",
    "Index",
    "StatefulPartitionedCall",
    "RandomFourierFeatures",
    "Estimator",
    "Variable",
    "TrackableWeightHandler",
]
"""Classes of Keras 1 and 2 that newer versions dropped and old files name."""

KERAS_FUNCTION_PARTS = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "ops",
    "ops.image",
    "ops.linalg",
    "ops.nn",
    "ops.numpy",
    "random",
    "regularizers",
)
NO_MODEL_PART = {"deserialize", "get", "serialize", "custom_gradient", "map", "scan", "vectorized_map"}

TENSORFLOW_FUNCTION_PARTS = (
    "",
    "audio",
    "bitwise",
    "dtypes",
    "image",
    "linalg",
    "math",
    "nn",
    "quantization",
    "ragged",
    "random",
    "sets",
    "signal",
    "sparse",
    "strings",
)
TENSORFLOW_ACTS = {
    "Assert",
    "function",
    "init_scope",
    "load_library",
    "load_op_library",
    "numpy_function",
    "print",
    "py_function",
}


def of_keras(keras: Any, base_names: tuple[str, ...]) -> set[str]:
    """The classes of one Keras that derive from those a configuration may name."""
    bases = []
    for dotted in base_names:
        where, _, name = dotted.rpartition(".")
        try:
            bases.append(getattr(importlib.import_module(f"{keras.__name__}.{where}"), name))
        except (ImportError, AttributeError):
            print("not there:", dotted)
    names = set()
    for info in pkgutil.walk_packages(keras.__path__, keras.__name__ + "."):
        if any(
            part in info.name
            for part in ("_test", "test_", "integration", "testing", "benchmark", ".tests", "backend.")
        ):
            continue
        try:
            module = importlib.import_module(info.name)
        except Exception as error:  # noqa: BLE001 - parts of it need libraries that are not there
            print("left out:", info.name, type(error).__name__)
            continue
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and issubclass(thing, tuple(bases)) and not name.startswith("_"):
                names.update((name, thing.__name__))
    return names


def main(target: str) -> None:
    """Write the list."""
    import keras
    import tensorflow as tf

    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    shared = (
        "layers.Layer",
        "optimizers.Optimizer",
        "optimizers.schedules.LearningRateSchedule",
        "losses.Loss",
        "metrics.Metric",
        "initializers.Initializer",
        "regularizers.Regularizer",
        "constraints.Constraint",
    )
    classes = of_keras(
        keras, (*shared, "src.saving.keras_saveable.KerasSaveable", "dtype_policies.DTypePolicy", "Operation")
    )
    try:
        import tf_keras

        versions["tf_keras"] = tf_keras.__version__
        classes |= of_keras(tf_keras, (*shared, "optimizers.legacy.Optimizer", "mixed_precision.Policy"))
    except ImportError:
        print("without tf_keras: its classes are missing")
    functions = set()
    for part in KERAS_FUNCTION_PARTS:
        module = importlib.import_module(f"keras.{part}")
        functions |= {
            name for name, thing in vars(module).items() if inspect.isfunction(thing) and name[0] != "_"
        }
    operations = set()
    for prefix, root in (("", tf), ("compat.v1.", tf.compat.v1)):
        for part in TENSORFLOW_FUNCTION_PARTS:
            module = getattr(root, part) if part else root
            for name, thing in vars(module).items():
                if (
                    callable(thing)
                    and not inspect.isclass(thing)
                    and name[0] != "_"
                    and name not in TENSORFLOW_ACTS
                ):
                    operations.add(f"{prefix}{part}.{name}" if part else prefix + name)
    activations = {
        name for name, thing in vars(keras.activations).items() if callable(thing) and name[0] != "_"
    }
    wanted = {
        "made_from": versions,
        "classes": sorted((classes | set(LEGACY)) - set(ACTS)),
        "functions": sorted(functions - NO_MODEL_PART),
        "tensorflow_functions": sorted(operations),
        "activations": sorted(activations - NO_MODEL_PART),
    }
    Path(target).write_text(json.dumps(wanted, indent=0) + "\n", encoding="utf-8")
    print({name: len(part) for name, part in wanted.items()})


if __name__ == "__main__":
    main(sys.argv[1])
