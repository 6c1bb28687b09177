"""Judges a Keras configuration: the JSON that says what a model is made of.

The same in every container: `config.json` in a `.keras` archive, attribute `model_config` of the older HDF5 files,
`model_from_json` texts, TensorFlow.js topologies and the metadata of SavedModels. Every object in it names a class, and
mostly a module, and loading makes the object from what follows. An object is let through if Keras itself has the class
and does nothing by it; the few classes that act are judged by what they would act on; everything else is named.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import json
import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.formats.keras import marshalled
from alcaide.instruments.scan.formats.keras.names import MARKS, SPECIFICATIONS, is_friend, is_keras, names
from alcaide.instruments.scan.formats.keras.rules import CODE, CUSTOM, IMPORT, OPERATION, PATH, PICKLE
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Memory, whole

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

LONGEST = 16 << 20
"""Bytes of a configuration. The longest that real models have are a few megabytes: vocabularies of text layers."""

_READS_PATHS = frozenset(
    {
        *(
            "vocabulary",
            "vocabulary_file",
            "vocabulary_path",
            "filepath",
            "file_path",
            "filename",
            "fname",
            "origin",
        ),
        *("url", "uri", "cache_dir", "weights_path"),
    }
)
"""Settings by which layers, or functions like `keras.utils.get_file`, are told a file or an address."""

_ADDRESS = regex(r"(?:https?|ftps?|file|gs|s3|hdfs|data|grpc|smb|ssh)://", re.IGNORECASE)

_LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization", "DynamicLookup"})

_ACTING_PARTS = frozenset(
    {
        *(
            "io",
            "gfile",
            "saved_model",
            "summary",
            "data",
            "train",
            "py_function",
            "numpy_function",
            "load_op_library",
        ),
        *(
            "load_library",
            "raw_ops",
            "debugging",
            "config",
            "distribute",
            "profiler",
            "tpu",
            "xla",
            "lite",
            "autograph",
        ),
        *("print", "function", "Module"),
    }
)
_TENSOR_CLASSES = frozenset(
    {"RaggedTensor", "SparseTensor", "IndexedSlices", "Tensor", "sparse.SparseTensor", "ragged.RaggedTensor"}
)

_OPERATION = regex(r'"?\bop"?\s*:\s*"([^"]{1,200})"')


def examine(source: Source, context: Context) -> None:
    """Look at a configuration that is a file of its own."""
    examine_json(source, context)


def examine_json(source: Source, context: Context, place: str = "") -> None:
    """Look at a configuration.

    Args:
        source: the JSON.
        context: where it is.
        place: where it is within that, if it is not a part of its own.

    Raises:
        Malformed: it is not JSON.
        OverBudget: it is too long.
    """
    data = whole(source, LONGEST)
    if data is None:
        raise OverBudget(f"its configuration has {source.size:,} bytes; {LONGEST >> 20} MiB are read")
    judge(parse(data), context, place)


def parse(data: bytes) -> Any:
    """JSON as Keras reads it: NaN and infinities are allowed.

    Raises:
        Malformed: it is none.
        Truncated: it ends too early.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("its configuration is not UTF-8", error.start) from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise Truncated("its configuration ends too early", len(data)) from error
        raise Malformed(f"its configuration is not JSON: {error.msg.lower()}", error.pos) from error
    except ValueError as error:
        raise Malformed("its configuration holds a number that is too long") from error


def judge(configuration: Any, context: Context, place: str = "") -> None:
    """Look at every object of a configuration, wherever in it it is."""
    _Judge(context, place).walk(configuration)


class _Judge:
    def __init__(self, context: Context, place: str) -> None:
        self._context = context
        self._place = place
        self._names = names()
        self._layers: dict[str, int] = {}

    def walk(self, configuration: Any) -> None:
        """Visit everything, without recursion: nesting is the file's."""
        waiting: list[tuple[Any, str, str]] = [(configuration, self._place, "")]
        while waiting:
            value, place, key = waiting.pop()
            if isinstance(value, str):
                if value and len(value) < 4096:
                    self._text(value, place, key)
                continue
            self._context.tick()
            if isinstance(value, dict):
                class_name = value.get("class_name")
                if isinstance(class_name, str):
                    self._object(class_name, value, place)
                    place = f"{place}/{_label(class_name, value)}" if place else _label(class_name, value)
                    place = place[-400:]
                waiting.extend(
                    (inner, place, name)
                    for name, inner in value.items()
                    if isinstance(inner, dict | list | str)
                )
            elif isinstance(value, list):
                if len(value) > 50 and all(isinstance(inner, str) for inner in value[:50]):
                    # A vocabulary. Its words are data, however much they look like something else.
                    value = [inner for inner in value if not isinstance(inner, str)]
                waiting.extend(
                    (inner, place, f"{key}[]") for inner in value if isinstance(inner, dict | list | str)
                )
        if self._layers:
            self._context.fact(classes=dict(sorted(self._layers.items(), key=lambda pair: -pair[1])[:40]))

    def _object(self, class_name: str, value: dict[str, Any], place: str) -> None:  # noqa: C901 - a case for each kind
        """One serialised object."""
        module = value.get("module")
        module = module if isinstance(module, str) else ""
        registered = value.get("registered_name")
        registered = registered if isinstance(registered, str) else ""
        config = value.get("config")
        if len(self._layers) < 400 or class_name in self._layers:
            self._layers[class_name] = self._layers.get(class_name, 0) + 1
        if class_name == "function":
            self._function(module, config, registered, value, place)
        elif class_name in ("__lambda__", "Lambda"):
            self._lambda(class_name, config, place)
        elif class_name == "__typespec__":
            name = value.get("spec_name")
            if name not in SPECIFICATIONS or not module.startswith(("tensorflow", "keras", "builtins")):
                self._unknown(str(name), module, registered, place)
        elif class_name in MARKS:
            pass
        elif class_name == "TorchModuleWrapper":
            self._torch(config, place)
        elif class_name in ("TFSMLayer", "ReloadedLayer", "LayerFromSavedModel"):
            path = config.get("filepath", config.get("path", "")) if isinstance(config, dict) else ""
            self._find(
                PATH,
                f"loading it loads another model from `{path}`, for layer `{class_name}`",
                place,
                level=Level.CRITICAL if leads_out(str(path)) else Level.HIGH,
                path=str(path),
            )
        elif class_name in ("JaxLayer", "FlaxLayer"):
            self._find(
                CUSTOM,
                f"layer `{class_name}` calls Python functions that are not in the file",
                place,
                level=Level.HIGH,
            )
        elif class_name in ("TFOpLambda", "SlicingOpLambda"):
            self._tensorflow_function(class_name, config, place)
        elif class_name == "TensorFlowOpLayer":
            self._tensorflow_node(config, place)
        elif class_name == "ClassMethod":
            symbol = config.get("cls_symbol") if isinstance(config, dict) else None
            if symbol not in _TENSOR_CLASSES:
                self._find(
                    OPERATION,
                    f"loading it calls a method of `{symbol}` of TensorFlow",
                    place,
                    level=Level.HIGH,
                )
        elif class_name in ("InstanceMethod", "InstanceProperty"):
            named = (
                [config.get(key) for key in ("method_name", "attr_name")] if isinstance(config, dict) else []
            )
            if any(isinstance(name, str) and name.startswith("_") for name in named):
                self._find(
                    OPERATION, f"loading it reaches into a tensor for `{named}`", place, level=Level.HIGH
                )
        elif class_name in self._names.classes and (not module or is_keras(module) or module == "builtins"):
            # Keras looks a registered name up before its own classes: what it finds there is somebody's code.
            if ">" in registered and not registered.startswith("Keras>") and not is_friend("", registered):
                self._unknown(registered, "", registered, place)
            self._own(class_name, config, place)
        elif is_friend(module, registered) and class_name.isidentifier():
            pass
        else:
            self._unknown(class_name, module, registered, place)

    def _own(self, class_name: str, config: Any, place: str) -> None:
        """A class that Keras has: only some settings matter."""
        if class_name in _LOOKUPS and isinstance(config, dict):
            path = config.get("vocabulary")
            if isinstance(path, str) and path and not leads_out(path):
                self._find(
                    PATH,
                    f"loading it reads the vocabulary of a `{class_name}` from the file `{path}`",
                    place,
                    level=Level.MEDIUM,
                    path=path,
                )

    def _function(self, module: str, config: Any, registered: str, value: dict[str, Any], place: str) -> None:
        """A function by its name."""
        name = config if isinstance(config, str) else str(value.get("name", registered))
        if is_keras(module) or module == "":
            if name in self._names.functions:
                return
            if module and name[:1].islower():
                self._find(
                    IMPORT,
                    f"loading it takes the function `{module}.{name}`, which is none that a model is made of",
                    place,
                    callable=f"{module}.{name}",
                )
                return
        if module == "builtins" and name in self._names.functions and not hasattr(builtins, name):
            return
        if module == "builtins" and not hasattr(builtins, name):
            module = ""
        if is_friend(module, registered):
            return
        self._unknown(name, module, registered, place)

    def _unknown(self, name: str, module: str, registered: str, place: str) -> None:
        """A class or function that is not Keras's."""
        if (module and module not in ("__main__", "builtins") and not is_keras(module)) or (
            module == "builtins" and hasattr(builtins, name)
        ):
            self._find(
                IMPORT,
                f"loading it imports `{module}` and makes or calls `{name}` from there",
                place,
                callable=f"{module}.{name}",
            )
            return
        shown = registered if registered and registered != name else name
        self._find(
            CUSTOM,
            f"it is made of `{shown}`, which Keras does not have; whoever loads it must bring the code",
            place,
            name=shown,
            module=module or None,
        )

    def _lambda(self, class_name: str, config: Any, place: str) -> None:
        """Code in the file, or a function that is named for a Lambda layer the old way."""
        if not isinstance(config, dict):
            if class_name == "__lambda__":
                config = {"function": config}
            else:
                return
        if class_name == "__lambda__":
            self._code([text for text in _texts(config) if len(text) > 8], place)
            return
        for key in ("function", "output_shape", "mask"):
            given = config.get(key)
            kind = config.get(f"{key}_type")
            if kind == "lambda" or (kind in (None, "raw") and isinstance(given, list) and key == "function"):
                self._code(_texts(given), place)
            elif isinstance(given, str) and (key == "function" or kind == "function"):
                code = marshalled.decode(given)
                if code is not None and marshalled.read(code) is not None:
                    self._code([given], place)
                    continue
                where = config.get(f"{key}_module" if key != "function" else "module") or config.get("module")
                self._function(where if isinstance(where, str) else "", given, "", {}, place)

    def _code(self, texts: list[str], place: str) -> None:
        found: dict[str, None] = {}
        said: dict[str, None] = {}
        for text in texts[:8]:
            data = marshalled.decode(text)
            code = marshalled.read(data) if data is not None else None
            if code is not None:
                found.update(dict.fromkeys(code.names))
                said.update(dict.fromkeys(code.texts))
        used = f", which names {_listed(found)}" if found else ""
        given = f" and says {_listed(said)}" if said else ""
        self._find(
            CODE,
            f"loading it runs the Python code of a Lambda layer{used}{given}",
            place,
            names=list(found)[:50] or None,
            texts=list(said)[:50] or None,
        )

    def _torch(self, config: Any, place: str) -> None:
        """A pickled torch module, in base64."""
        self._find(PICKLE, "loading it unpickles a torch module that layer `TorchModuleWrapper` holds", place)
        for text in _texts(config):
            try:
                data = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
            if data[:1] == b"\x80" or data[:2] == b"PK":
                self._context.child("TorchModuleWrapper", Memory(data))

    def _tensorflow_function(self, class_name: str, config: Any, place: str) -> None:
        """`TFOpLambda`: calls `tf.<function>` with arguments from the configuration."""
        name = config.get("function") if isinstance(config, dict) else None
        if not isinstance(name, str):
            name = str(name)
        if name in self._names.tensorflow_functions or name.startswith("__operators__."):
            return
        acts = bool(_ACTING_PARTS.intersection(name.split(".")))
        self._find(
            OPERATION,
            f"loading it calls `tf.{name}`, for a layer `{class_name}`",
            place,
            level=None if acts else Level.MEDIUM,
            callable=f"tf.{name}",
        )

    def _tensorflow_node(self, config: Any, place: str) -> None:
        """`TensorFlowOpLayer`: runs a node that the configuration holds as text."""
        from alcaide.instruments.scan.tensorflow_operations import ACTING, computing

        node = config.get("node_def") if isinstance(config, dict) else None
        text = node if isinstance(node, str) else json.dumps(node)
        match = _OPERATION.search(text)
        name = match[1] if match else ""
        if name in computing():
            return
        acts = name in ACTING
        self._find(
            OPERATION,
            f"loading it runs the TensorFlow operation `{name}`"
            if name
            else "a layer runs a node that cannot be read",
            place,
            level=None if acts else Level.MEDIUM,
            operation=name,
        )

    def _text(self, text: str, place: str, key: str) -> None:
        """A text anywhere: a path or an address that something reads."""
        reads = key in _READS_PATHS
        if (reads and leads_out(text)) or (key != "name" and _ADDRESS.match(text)):
            why = leads_out(text)
            self._find(
                PATH,
                f"loading it reads `{text}` ({why}), which `{key}` names",
                place,
                level=None if reads else Level.MEDIUM,
                path=text,
            )
        elif key in ("activation", "recurrent_activation") and text not in self._names.functions:
            self._find(
                CUSTOM,
                f"it needs an activation `{text}` that Keras does not have",
                place,
                level=Level.LOW,
                name=text,
            )

    def _find(self, rule: Any, message: str, place: str, level: Level | None = None, **detail: Any) -> None:
        self._context.find(rule, message, level=level, place=place, **detail)


def _label(class_name: str, value: dict[str, Any]) -> str:
    """How an object is called on the way to what is in it: its own name where it has one."""
    config = value.get("config")
    name = value.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return str(name if isinstance(name, str) else class_name)[:80].replace("/", "_")


def _texts(value: Any) -> list[str]:
    """All texts in a value, at most 100."""
    found: list[str] = []
    waiting = [value]
    count = 0
    while waiting and len(found) < 100 and count < 10_000:
        count += 1
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
    return found


def _listed(names: dict[str, None]) -> str:
    shown = [f"`{name[:80]}`" for name in list(names)[:8]]
    return ", ".join(shown) + (" and more" if len(names) > 8 else "")
