"""Graphs of operators: TensorFlow, TFLite, ONNX, CoreML, OpenVINO, Caffe. Some operators are no arithmetic."""

import struct
from collections.abc import Callable

from tests.corpora.models.attacks.payload import ADDRESS, SHELL
from tests.corpora.models.attacks.registry import Acts, Made, Maker, always, attack
from tests.corpora.models.attacks.wire import Table, field, flatbuffer, message
from tests.corpora.models.attacks.zips import archive

_RUNTIME = "needs the runtime, which is not among the libraries of the tests"


def _graph(family: str, id: str, says: str, acts: Acts = "use", suffix: str = "") -> Callable[[Maker], Maker]:
    return attack(f"{family}-{id}", acts=acts, family=family, says=says, suffix=suffix, unproved=_RUNTIME)


# ── TensorFlow ───────────────────────────────────────────────────────────────────────────────────────────────────


def tf_attribute(key: str, value: bytes) -> bytes:
    """An entry of a node's attributes."""
    return field(5, message((1, key), (2, value)))


def tf_constant(name: str, text: str) -> bytes:
    """A node that holds one string."""
    tensor = message((1, 7), (2, b""), (8, text))
    return (
        message((1, name), (2, "Const"))
        + tf_attribute("value", field(8, tensor))
        + tf_attribute("dtype", field(6, 7))
    )


def tf_node(op: str, *inputs: str, **attributes: bytes) -> bytes:
    """A node of that operator."""
    node = message((1, op.lower()), (2, op), *((3, name) for name in inputs))
    return node + b"".join(tf_attribute(key, value) for key, value in attributes.items())


def tf_graph(*nodes: bytes, functions: dict[str, list[bytes]] | None = None) -> bytes:
    """A GraphDef, with a library of functions."""
    graph = b"".join(field(1, node) for node in nodes)
    if functions:
        library = b"".join(
            field(1, message((1, field(1, name)), *((3, node) for node in body)))
            for name, body in functions.items()
        )
        graph += field(2, library)
    return graph + field(4, message((1, 1087)))


def tf_saved(graph: bytes, *more: bytes) -> bytes:
    """A SavedModel of one graph for serving."""
    meta = field(1, message((4, "serve"), (5, "2.15.0"))) + field(2, graph) + b"".join(more)
    return message((1, 1), (2, meta))


_PLACEHOLDER = tf_node("Placeholder")
_OPERATORS = {
    "read-file": ("ReadFile", "/etc/passwd", "reads a file"),
    "write-file": ("WriteFile", "alcaide-marker", "writes a file"),
    "matching-files": ("MatchingFiles", "/home/*/.ssh/*", "lists files"),
    "py-func": ("PyFunc", "token", "calls back into Python"),
    "eager-py-func": ("EagerPyFunc", "token", "calls back into Python"),
    "py-func-stateless": ("PyFuncStateless", "token", "calls back into Python"),
    "custom-shell": ("ShellExecute", SHELL, "is an operator nobody knows, by name a shell"),
    "text-line-dataset": ("TextLineDataset", "/etc/passwd", "reads a file as a data set"),
    "fixed-length-dataset": ("FixedLengthRecordDatasetV2", "/etc/passwd", "reads a file as a data set"),
    "whole-file-reader": ("WholeFileReaderV2", "/etc/passwd", "reads files"),
    "lmdb-dataset": ("LMDBDataset", "/var/lib/x", "reads a data base"),
    "sql-dataset": ("SqlDataset", "/var/lib/x.sqlite", "reads a data base"),
    "save": ("SaveV2", "/tmp/alcaide-marker", "writes files"),
    "merge-checkpoints": ("MergeV2Checkpoints", "/tmp/x", "moves and removes files"),
    "summary-writer": ("CreateSummaryFileWriter", "/tmp/logs", "writes files"),
    "snapshot-dataset": ("SnapshotDatasetV2", "/tmp/x", "writes files"),
    "data-service": ("DataServiceDatasetV2", "grpc://127.0.0.1:9", "reaches the network"),
    "debug-identity": ("DebugIdentityV2", "grpc://127.0.0.1:9", "reaches the network"),
    "audio-decode-url": ("DecodeImageFromUrl", ADDRESS, "is an operator nobody knows"),
}
for _id, (_op, _text, _what) in _OPERATORS.items():
    _nodes = (_PLACEHOLDER, tf_constant("path", _text), tf_node(_op, "path", "placeholder"))
    _acts: Acts = "none" if _op == "DecodeImageFromUrl" else "use"
    _graph("tensorflow", f"saved-{_id}", f"a SavedModel with {_op}, which {_what}", _acts)(
        always({"saved_model.pb": tf_saved(tf_graph(*_nodes)), "variables/variables.index": b""})
    )


@_graph("tensorflow", "saved-in-function", "a SavedModel whose library of functions writes a file")
def _() -> Made:
    body = [tf_constant("path", "/tmp/alcaide-marker"), tf_node("WriteFile", "path:output:0", "x")]
    graph = tf_graph(tf_node("PartitionedCall", f=field(10, field(1, "inner"))), functions={"inner": body})
    return {"saved_model.pb": tf_saved(graph)}


@_graph("tensorflow", "saved-in-loop", "a SavedModel with the operator in the body of a loop's function")
def _() -> Made:
    functions = {"cond": [tf_node("Less", "a", "b")], "body": [tf_node("ReadFile", "a")]}
    graph = tf_graph(tf_node("StatelessWhile", body=field(10, field(1, "body"))), functions=functions)
    return {"saved_model.pb": tf_saved(graph)}


@_graph(
    "tensorflow",
    "saved-on-load",
    "a SavedModel that names a writing operator to be run when it is loaded",
    "load",
)
def _() -> Made:
    graph = tf_graph(tf_constant("path", "/tmp/alcaide-marker"), tf_node("WriteFile", "path", "path"))
    nodes = field(1, message((1, "writefile")))
    collection = field(4, message((1, "saved_model_main_op"), (2, nodes)))
    return {"saved_model.pb": tf_saved(graph, collection)}


@_graph("tensorflow", "saved-init-signature", "a SavedModel with an init signature that runs on load", "load")
def _() -> Made:
    graph = tf_graph(tf_constant("path", "/tmp/alcaide-marker"), tf_node("WriteFile", "path", "path"))
    output = message((1, "__saved_model_init_op"), (2, message((1, "writefile"))))
    signature = field(5, message((1, "__saved_model_init_op"), (2, field(2, output))))
    return {"saved_model.pb": tf_saved(graph, signature)}


@_graph("tensorflow", "saved-asset-traversal", "a SavedModel with an asset outside its folder", "load")
def _() -> Made:
    asset = field(6, message((1, message((1, "path:0"))), (2, "../../../../etc/passwd")))
    return {"saved_model.pb": tf_saved(tf_graph(tf_constant("path", "x")), asset)}


@_graph("tensorflow", "saved-text", "a SavedModel as text, with ReadFile")
def _() -> Made:
    text = 'saved_model_schema_version: 1\nmeta_graphs { meta_info_def { tags: "serve" } graph_def {\n'
    text += ' node { name: "r" op: "ReadFile" input: "path" }\n} }\n'
    return {"saved_model.pbtxt": text.encode()}


@_graph("tensorflow", "frozen-write-file", "a frozen graph with WriteFile", suffix=".pb")
def _() -> Made:
    return tf_graph(
        _PLACEHOLDER, tf_constant("path", "/tmp/alcaide-marker"), tf_node("WriteFile", "path", "path")
    )


@_graph("tensorflow", "frozen-py-func", "a frozen graph with PyFunc, among plain operators", suffix=".pb")
def _() -> Made:
    return tf_graph(_PLACEHOLDER, *(tf_node("MatMul", "a", "b") for _ in range(30)), tf_node("PyFunc", "a"))


@_graph("tensorflow", "frozen-other-name", "a frozen graph with ReadFile, called model.bin", suffix=".bin")
def _() -> Made:
    return tf_graph(_PLACEHOLDER, tf_constant("path", "/etc/passwd"), tf_node("ReadFile", "path"))


@_graph("tensorflow", "meta-graph", "a `.meta` file of old checkpoints with WriteFile", suffix=".meta")
def _() -> Made:
    return field(1, message((4, "train"))) + field(2, tf_graph(_PLACEHOLDER, tf_node("WriteFile", "a", "b")))


def tflite(custom: str, more: bytes = b"", builtin: int = 32) -> bytes:
    """A TFLite model of one operator, which is a custom one."""
    tensor = Table({0: [1, 4], 2: 0, 3: "x"})
    operator = Table({1: [0], 2: [1], 5: b"\1"})
    graph = Table({0: [tensor, tensor], 1: [0], 2: [1], 3: [operator], 4: "main"})
    code = Table({1: custom, 3: builtin})
    return flatbuffer(Table({0: 3, 1: [code], 2: [graph], 3: "weights", 4: [Table({})]}), b"TFL3") + more


@_graph("tflite", "custom", "a TFLite model with an operator nobody knows", "none", ".tflite")
def _() -> Made:
    return tflite("ShellExecute")


@_graph("tflite", "flex-read", "a TFLite model with TensorFlow's ReadFile as flex operator", "use", ".tflite")
def _() -> Made:
    return tflite("FlexReadFile")


@_graph(
    "tflite", "flex-write", "a TFLite model with TensorFlow's WriteFile as flex operator", "use", ".tflite"
)
def _() -> Made:
    return tflite("FlexWriteFile")


@_graph("tflite", "flex-py-func", "a TFLite model with PyFunc, called model.bin", "use", ".bin")
def _() -> Made:
    return tflite("FlexPyFunc")


@_graph(
    "tflite",
    "appended-program",
    "a TFLite model with an archive behind it that holds a program",
    "use",
    ".tflite",
)
def _() -> Made:
    return tflite("TFLite_Detection_PostProcess", archive(("run.sh", f"#!/bin/sh\n{SHELL}\n".encode())))


@_graph("tflite", "offset-out", "a TFLite model whose root lies outside the file", "none", ".tflite")
def _() -> Made:
    return struct.pack("<I", 0x7FFFFFF0) + b"TFL3" + bytes(64)


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def onnx_tensor(name: str, location: str | None = None, **more: str) -> bytes:
    """A tensor of four numbers, in the file or outside it."""
    tensor = message((1, 4), (2, 1), (8, name))
    if location is None:
        return tensor + field(9, bytes(16))
    entries = {"location": location, **more}
    return tensor + b"".join(field(13, message((1, k), (2, v))) for k, v in entries.items()) + field(14, 1)


def onnx_node(op: str, domain: str = "", *attributes: bytes) -> bytes:
    """A node from `x` to `y`."""
    node = message((1, "x"), (2, "y"), (3, op.lower()), (4, op), (7, domain))
    return node + b"".join(field(5, one) for one in attributes)


def onnx_graph(*nodes: bytes, tensors: tuple[bytes, ...] = ()) -> bytes:
    """A graph of these nodes, from `x` to `y`."""

    def value(name: str) -> bytes:
        shape = field(1, field(1, 4))
        return message((1, name), (2, field(1, message((1, 1), (2, shape)))))

    parts = b"".join(field(1, node) for node in nodes) + field(2, "main")
    return parts + b"".join(field(5, one) for one in tensors) + field(11, value("x")) + field(12, value("y"))


def onnx(graph: bytes, *more: bytes, domains: tuple[str, ...] = ("",)) -> bytes:
    """A model of that graph."""
    opsets = b"".join(field(8, message((1, domain), (2, 17))) for domain in domains)
    return message((1, 8), (2, "pytorch"), (3, "2.1.0"), (7, graph)) + opsets + b"".join(more)


_IDENTITY = onnx_node("Identity")
_LOCATIONS = {
    "traversal": "../../../../etc/passwd",
    "traversal-inside": "weights/../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "windows": "C:\\Windows\\win.ini",
    "backslash": "..\\..\\..\\etc\\passwd",
    "unc": "\\\\127.0.0.1\\share\\w",
    "address": "file:///etc/passwd",
    "home": "~/.ssh/id_rsa",
    "nul": "weights.bin\0../../etc/passwd",
    "encoded": "..%2f..%2fetc%2fpasswd",
}
for _id, _location in _LOCATIONS.items():
    _model = onnx(onnx_graph(_IDENTITY, tensors=(onnx_tensor("w", _location),)))
    _act: Acts = "none" if _id in ("encoded", "home", "nul") else "load"
    _graph("onnx", f"external-{_id}", f"an ONNX model whose weights lie at `{_location!a}`", _act, ".onnx")(
        always(_model)
    )


@_graph("onnx", "external-in-attribute", "an ONNX model whose constant's value lies outside", "load", ".onnx")
def _() -> Made:
    value = message((1, "value"), (5, onnx_tensor("c", "../../etc/passwd")), (20, 4))
    return onnx(onnx_graph(onnx_node("Constant", "", value)))


@_graph("onnx", "external-in-branch", "an ONNX model whose weights in a branch lie outside", "load", ".onnx")
def _() -> Made:
    branch = onnx_graph(_IDENTITY, tensors=(onnx_tensor("w", "/etc/passwd"),))
    return onnx(onnx_graph(onnx_node("If", "", message((1, "then_branch"), (6, branch), (20, 5)))))


@_graph(
    "onnx",
    "external-in-function",
    "an ONNX model whose function has a constant that lies outside",
    "load",
    ".onnx",
)
def _() -> Made:
    value = message((1, "value"), (5, onnx_tensor("c", "/etc/shadow")), (20, 4))
    function = message((1, "F"), (4, "x"), (5, "y"), (7, onnx_node("Constant", "", value)), (10, "local"))
    return onnx(onnx_graph(onnx_node("F", "local")), field(25, function), domains=("", "local"))


@_graph("onnx", "external-in-sparse", "an ONNX model whose sparse weights lie outside", "load", ".onnx")
def _() -> Made:
    sparse = field(15, message((1, onnx_tensor("w", "../../etc/passwd")), (2, onnx_tensor("i")), (3, 4)))
    return onnx(onnx_graph(_IDENTITY) + sparse)


@_graph("onnx", "external-out-of-range", "an ONNX model whose outside weights lie beyond their file", "none")
def _() -> Made:
    tensor = onnx_tensor("w", "weights.bin", offset="4096", length="99999999999")
    return {"model.onnx": onnx(onnx_graph(_IDENTITY, tensors=(tensor,))), "weights.bin": bytes(64)}


@_graph("onnx", "external-missing", "an ONNX model whose outside weights are not there", "none", ".onnx")
def _() -> Made:
    return onnx(onnx_graph(_IDENTITY, tensors=(onnx_tensor("w", "weights.bin"),)))


@_graph("onnx", "custom-domain", "an ONNX model with an operator of a domain nobody knows", "none", ".onnx")
def _() -> Made:
    return onnx(onnx_graph(onnx_node("Decrypt", "weights.ops")), domains=("", "weights.ops"))


@_graph(
    "onnx", "custom-in-loop", "an ONNX model with an unknown operator in a loop in a branch", "none", ".onnx"
)
def _() -> Made:
    body = onnx_graph(onnx_node("Decrypt", "weights.ops"))
    loop = onnx_graph(onnx_node("Loop", "", message((1, "body"), (6, body), (20, 5))))
    return onnx(onnx_graph(onnx_node("If", "", message((1, "else_branch"), (6, loop), (20, 5)))))


@_graph("onnx", "python-op", "an ONNX model with PyOp, an operator that is a Python function", "use", ".onnx")
def _() -> Made:
    return onnx(onnx_graph(onnx_node("PyOp", "ai.onnx.contrib")), domains=("", "ai.onnx.contrib"))


@_graph("onnx", "python-op-training", "an ONNX model with PythonOp of the training runtime", "use", ".onnx")
def _() -> Made:
    name = message((1, "func_name"), (4, "os.system"), (20, 3))
    return onnx(onnx_graph(onnx_node("PythonOp", "com.microsoft", name)), domains=("", "com.microsoft"))


@_graph("onnx", "other-name", "an ONNX model with PyOp, called weights.bin", "use", ".bin")
def _() -> Made:
    return onnx(onnx_graph(onnx_node("PyOp", "ai.onnx.contrib")))


# ── Others ───────────────────────────────────────────────────────────────────────────────────────────────────────


@_graph("coreml", "custom-layer", "a CoreML network with a layer of a class of the app", "none", ".mlmodel")
def _() -> Made:
    layer = message((1, "scale"), (2, "x"), (3, "y"), (500, message((10, "WeightsScale"))))
    return message((1, 4), (2, b""), (500, field(1, layer)))


@_graph("coreml", "custom-model", "a CoreML model that is a class of the app", "none", ".mlmodel")
def _() -> Made:
    return message((1, 4), (2, b""), (555, message((10, "WeightsModel"), (40, "does everything"))))


@_graph("coreml", "linked-traversal", "a CoreML model linked to one outside", "none", ".mlmodel")
def _() -> Made:
    return message(
        (1, 4), (2, b""), (556, field(1, message((1, field(3, "../../x.mlmodelc")), (2, field(3, "/etc")))))
    )


@_graph("coreml", "package-traversal", "a CoreML package whose manifest points out of it", "none")
def _() -> Made:
    manifest = (
        b'{"fileFormatVersion": "1.0.0", "rootModelIdentifier": "A", "itemInfoEntries": {"A": {"author": "a",'
        b' "description": "m", "name": "m", "path": "../../../../etc/passwd"}}}'
    )
    return {"m.mlpackage/Manifest.json": manifest}


@_graph("openvino", "xxe", "an OpenVINO network whose XML reads a file by an entity", "load")
def _() -> Made:
    xml = '<?xml version="1.0"?>\n<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
    xml += '<net name="&x;" version="11"><layers/></net>\n'
    return {"model.xml": xml.encode(), "model.bin": bytes(16)}


@_graph(
    "caffe", "python-layer", "a Caffe network with a Python layer that names its module", "load", ".prototxt"
)
def _() -> Made:
    return b'name: "net"\nlayer {\n name: "x"\n type: "Python"\n python_param { module: "os" layer: "system" }\n}\n'


@_graph("triton", "python-backend", "a Triton repository with a model that is a Python program")
def _() -> Made:
    program = f"import os\nclass TritonPythonModel:\n    def initialize(self, args):\n        os.system({SHELL!r})\n"
    return {"m/config.pbtxt": b'name: "m"\nbackend: "python"\n', "m/1/model.py": program.encode()}
