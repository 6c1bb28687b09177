"""Graphs of other frameworks: PaddlePaddle, MXNet and Caffe.

All three are lists of operators by name. Each framework has a few operators that call Python or touch files; those
are named here. An operator that the framework does not have is refused when the graph is built, so the rest is
harmless.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.keras.config import parse
from alcaide.instruments.scan.json_object import mentions
from alcaide.instruments.scan.limits import OverBudget, ScanStop
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import whole
from alcaide.instruments.scan.wire import Message, may_begin, outline

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

PYTHON = Rule(
    "graph/python-operator",
    Level.CRITICAL,
    "the graph calls Python",
    "Building or running the graph imports the module it names, or calls a function registered in the process.",
    "Do not load it; get the model made of the framework's own operators.",
    ("cwe/CWE-94", "cwe/CWE-470", *_TAXONOMY),
)
FILE = Rule(
    "graph/file-operator",
    Level.HIGH,
    "the graph reads or writes files",
    "Running the graph opens the files it names.",
    "Use the model only if its maker can say why it needs the file; else get one without the operator.",
    ("cwe/CWE-73", *_TAXONOMY),
)
NATIVE = Rule(
    "graph/native-operator",
    Level.MEDIUM,
    "the graph needs an operator that is brought along",
    "It comes from a native library that must be loaded first, which can do anything.",
    "Find out which library it belongs to, and take that library in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)

# ── PaddlePaddle: framework.proto, ProgramDesc ───────────────────────────────────────────────────────────────────────

_PADDLE = {
    "py_func": (PYTHON, "calls a Python function that is registered in the process"),
    "py_layer": (PYTHON, "calls a Python layer that is registered in the process"),
    "pylayer": (PYTHON, "calls a Python layer that is registered in the process"),
    "save": (FILE, "writes a file"),
    "save_combine": (FILE, "writes a file"),
    "load": (FILE, "reads a file"),
    "load_combine": (FILE, "reads a file"),
    "lookup_table_load": (FILE, "reads a file"),
    "checkpoint_notify": (FILE, "writes files on another machine"),
    "listen_and_serv": (FILE, "opens a port"),
    "heter_listen_and_serv": (FILE, "opens a port"),
    "send": (FILE, "sends tensors to an address"),
    "recv": (FILE, "fetches tensors from an address"),
    "gen_nccl_id": (FILE, "opens a port"),
    "c_gen_nccl_id": (FILE, "opens a port"),
    "create_py_reader": (PYTHON, "reads from a Python queue"),
    "read_file": (FILE, "reads a file"),
    "tensorrt_engine": (NATIVE, "runs a compiled engine"),
    "lite_engine": (NATIVE, "runs a compiled engine"),
    "custom_op": (NATIVE, "calls an operator of a library"),
}


def _sniff_paddle(glance: Glance) -> bool:
    fields = outline(glance)
    if fields is None or fields.get(1) != 2 or max(fields) > 6:
        return False
    try:
        message = Message(glance.source, lambda _: None, 0, glance.size, cut=True)
        for number, kind, start, size in message:
            if number == 1 and kind == 2:
                inner = {
                    field: form
                    for (field, form, _, _), _ in zip(message.message(start, size), range(4), strict=False)
                }
                return (
                    inner.get(1) == 0 and inner.get(2) == 0 and all(form in (0, 2) for form in inner.values())
                )
    except ScanStop:
        return False
    return False


def examine_paddle(source: Source, context: Context) -> None:
    """Walk the operators of every block."""
    message = Message(source, context.tick)
    counts: dict[str, int] = {}
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            block = message.message(start, size)
            for inner, form, at, length in block:
                if inner == 4 and form == 2:
                    _paddle_operator(block.message(at, length), counts, context)
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    context.fact(operators=dict(ordered[:40]))


def _paddle_operator(message: Message, counts: dict[str, int], context: Context) -> None:
    name = ""
    paths: list[str] = []
    for number, kind, start, size in message:
        if number == 3 and kind == 2:
            name = message.text(start, size, 200)
        elif number == 4 and kind == 2:
            attribute = message.message(start, size)
            for inner, form, at, length in attribute:
                if (
                    inner == 5
                    and form == 2
                    and leads_out(text := attribute.text(at, length, 1000))
                    and len(paths) < 8
                ):
                    paths.append(text)
    if len(counts) < 5_000 or name in counts:
        counts[name] = counts.get(name, 0) + 1
    acting = _PADDLE.get(name)
    if acting is not None:
        rule, does = acting
        shown = f" `{paths[0]}`" if paths else ""
        context.find(
            rule,
            f"running the graph {does}{shown}: it has an operator `{name}`",
            offset=message.start,
            operator=name,
            paths=paths,
        )


# ── MXNet: JSON of nodes ─────────────────────────────────────────────────────────────────────────────────────────────

_MXNET = {
    "Custom": (PYTHON, "calls a Python operator that is registered in the process"),
    "_CustomFunction": (PYTHON, "calls a Python function of the process"),
    "_Native": (PYTHON, "calls a function at an address in memory"),
    "_NDArray": (PYTHON, "calls a function at an address in memory"),
    "_subgraph_op": (NATIVE, "runs a graph in a library's own way"),
    "_TensorRT": (NATIVE, "runs a compiled engine"),
    "TorchModule": (PYTHON, "runs a Lua string in Torch"),
    "TorchCriterion": (PYTHON, "runs a Lua string in Torch"),
    "CaffeOp": (NATIVE, "runs a layer of Caffe"),
    "CaffeLoss": (NATIVE, "runs a layer of Caffe"),
}


def _sniff_mxnet(glance: Glance) -> bool:
    return mentions(glance, (b'"arg_nodes"',)) and (b'"nodes"' in glance.head or b'"heads"' in glance.tail)


def examine_mxnet(source: Source, context: Context) -> None:
    """Judge every node, also of graphs within nodes."""
    data = whole(source, 16 << 20)
    if data is None:
        raise OverBudget(f"it has {source.size:,} bytes of JSON; 16 MiB are read")
    value = parse(data)
    waiting = [value] if isinstance(value, dict) and isinstance(value.get("nodes"), list) else []
    counts: dict[str, int] = {}
    while waiting:
        graph = waiting.pop()
        for node in graph["nodes"]:
            context.tick()
            if not isinstance(node, dict):
                continue
            subgraphs = node.get("subgraphs")
            waiting.extend(
                inner
                for inner in (subgraphs if isinstance(subgraphs, list) else ())
                if isinstance(inner, dict) and isinstance(inner.get("nodes"), list)
            )
            operator = node.get("op")
            if not isinstance(operator, str):
                continue
            if len(counts) < 5_000 or operator in counts:
                counts[operator] = counts.get(operator, 0) + 1
            acting = _MXNET.get(operator)
            if acting is not None:
                rule, does = acting
                about = node.get("attrs") or node.get("param") or node.get("attr")
                named = about.get("op_type") if isinstance(about, dict) else None
                shown = f" `{named}`" if isinstance(named, str) else ""
                context.find(
                    rule,
                    f"running the graph {does}{shown}: node `{node.get('name')}` is a `{operator}`",
                    operator=operator,
                    name=named,
                )
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    context.fact(operators=dict(ordered[:40]))


# ── Caffe: NetParameter, binary and as text ──────────────────────────────────────────────────────────────────────────

_CAFFE_LAYER = regex(
    rb"(?:^|[\s{])(?:layers?|solver_type|base_lr|net|train_net|input_dim|input_shape)\s*[{:]"
)
_CAFFE_TYPE = regex(rb"\btype\s*:\s*[\"']?([A-Za-z_0-9]+)")
_CAFFE_MODULE = regex(rb"\b(module|layer)\s*:\s*[\"']([^\"'\n]{1,300})[\"']")
_CAFFE_PATH = regex(
    rb"\b(source|mean_file|weights|snapshot_prefix|root_folder|file_name|output_directory|name_size_file|label_map_file|"
    rb"net|train_net|test_net|save_file)\s*:\s*[\"']([^\"'\n]{1,500})[\"']"
)


def _sniff_caffe_text(glance: Glance) -> bool:
    named = glance.lower_name.endswith((".prototxt", ".pbtxt", ".pt", ".txt", ".caffe"))
    if not named and not glance.head.startswith((b"name", b"laye", b"inpu", b"#", b"net:")):
        return False
    if b"layer" not in glance.head or glance.text is None:
        return False
    return re.search(r"(?m)^\s*layers?\s*\{", glance.text) is not None


def examine_caffe_text(source: Source, context: Context) -> None:
    """Find Python layers, and files that layers name."""
    data = whole(source, 16 << 20)
    if data is None:
        raise OverBudget(f"it has {source.size:,} bytes of text; 16 MiB are read")
    context.tick(len(data) >> 10)
    kinds: dict[str, int] = {}
    for match in _CAFFE_TYPE.finditer(data):
        name = match[1].decode()
        kinds[name] = kinds.get(name, 0) + 1
    if "Python" in kinds or "PYTHON" in kinds or b"python_param" in data:
        named = {
            match[1].decode(): match[2].decode("utf-8", "replace") for match in _CAFFE_MODULE.finditer(data)
        }
        shown = f"`{named.get('module', '?')}.{named.get('layer', '?')}`"
        context.find(PYTHON, f"loading the network imports and makes the Python layer {shown}", named=named)
    _caffe_paths(
        [(match[1].decode(), match[2].decode("utf-8", "replace")) for match in _CAFFE_PATH.finditer(data)],
        context,
    )
    context.fact(layers=dict(sorted(kinds.items(), key=lambda pair: -pair[1])[:40]))


def _caffe_paths(named: list[tuple[str, str]], context: Context) -> None:
    for key, path in named[:100]:
        if why := leads_out(path):
            context.find(FILE, f"running the network opens `{path}` ({why}), which `{key}` names", path=path)


def _sniff_caffe(glance: Glance) -> bool:
    fields = outline(glance)
    if fields is None or not (fields.get(100) == 2 or (fields.get(2) == 2 and fields.get(1) == 2)):
        return False
    if fields.get(1, 2) != 2:
        return False
    try:
        message = Message(glance.source, lambda _: None, 0, glance.size, cut=True)
        for count, (number, kind, start, size) in enumerate(message):
            if number == 100 and kind == 2:
                return any(
                    field == 2 and form == 2 and layer_text.isidentifier()
                    for field, form, layer_text in _texts(message.message(start, size), 8)
                )
            if number == 2 and kind == 2:
                inner = {field: form for field, form, _ in _texts(message.message(start, size), 12)}
                return inner.get(4) == 2 and inner.get(5) == 0
            if count > 200:
                return False
    except ScanStop:
        return False
    return False


def _texts(message: Message, most: int) -> list[tuple[int, int, str]]:
    found = []
    for number, kind, start, size in message:
        found.append((number, kind, message.text(start, size, 100) if kind == 2 else ""))
        if len(found) >= most:
            break
    return found


def examine_caffe(source: Source, context: Context) -> None:
    """Find Python layers in the binary form; blobs of weights are stepped over."""
    message = Message(source, context.tick)
    layers = 0
    for number, kind, start, size in message:
        if number not in (2, 100) or kind != 2:
            continue
        layers += 1
        layer = message.message(start, size)
        kind_of_layer = ""
        for inner, form, at, length in layer:
            if inner == 2 and form == 2 and number == 100:
                kind_of_layer = layer.text(at, length, 100)
            elif inner == 130 and form == 2:
                named = {
                    field: text for field, _, text in _texts(layer.message(at, length), 8) if field in (1, 2)
                }
                context.find(
                    PYTHON,
                    f"loading the network imports and makes the Python layer `{named.get(1, '?')}.{named.get(2, '?')}`",
                    offset=at,
                    module=named.get(1),
                    layer=named.get(2),
                )
                kind_of_layer = ""
        if kind_of_layer == "Python":
            context.find(
                PYTHON, "loading the network makes a Python layer that it does not name", offset=layer.start
            )
    context.fact(layers=layers)


FORMATS = (
    Format(
        "paddle",
        "PaddlePaddle program",
        _sniff_paddle,
        examine_paddle,
        (PYTHON, FILE, NATIVE),
        begins=may_begin,
    ),
    Format("mxnet", "MXNet symbol", _sniff_mxnet, examine_mxnet, (PYTHON, NATIVE)),
    Format("caffe-text", "Caffe network as text", _sniff_caffe_text, examine_caffe_text, (PYTHON, FILE)),
    Format("caffe", "Caffe network", _sniff_caffe, examine_caffe, (PYTHON, FILE), begins=may_begin),
)
