"""TensorFlow's models in protocol buffers: SavedModels, meta graphs, frozen graphs and what Keras writes beside them.

Everything is decided by the operations in the graph and its function library (`graph`), the files the loader is told to
bring along, and the Keras configuration that older versions keep within. Weights lie in a checkpoint beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.tensorflow import graph as graphs
from alcaide.instruments.scan.limits import Malformed, ScanStop
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.source import Memory
from alcaide.instruments.scan.wire import Message, may_begin, outline

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

ASSET = Rule(
    "tensorflow/asset-outside",
    Level.CRITICAL,
    "an asset lies outside of the model",
    "The loader reads the files a model names as its assets; a path that leads out makes it read somebody else's.",
    "Do not load it; ask its maker for a model whose assets lie in its own folder.",
    ("cwe/CWE-22", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003"),
)

_METADATA = 8 << 20


def _first(message: Message, wanted: int) -> Message | None:
    for number, kind, start, size in message:
        if number == wanted and kind == 2:
            return message.message(start, size)
    return None


def _is_node(message: Message | None) -> bool:
    """Whether it can be a `NodeDef`: a name and an operation, and no fields that such a thing does not have."""
    if message is None:
        return False
    operation = False
    for count, (number, kind, start, size) in enumerate(message):
        if count > 60 or number > 7 or kind != 2:
            return count > 60 and operation
        if number == 2:
            operation = graphs.OPERATION_NAME.match(message.text(start, size, 256)) is not None
            if not operation:
                return False
    return operation


def _is_graph(message: Message | None) -> bool:
    """Whether it can be a `GraphDef`: its first node is one, or its library's first function has one."""
    if message is None:
        return False
    try:
        for count, (number, kind, start, size) in enumerate(message):
            if number == 1 and kind == 2:
                return _is_node(message.message(start, size))
            if number == 2 and kind == 2:
                function = _first(message.message(start, size), 1)
                return function is not None and _is_node(_first(function, 3))
            if number not in (3, 4, 5) or count > 8:
                return False
    except ScanStop:
        return False
    return False


def _is_meta_graph(message: Message | None) -> bool:
    if message is None:
        return False
    try:
        for count, (number, kind, start, size) in enumerate(message):
            if number == 2 and kind == 2:
                return _is_graph(message.message(start, size))
            if number > 7 or kind != 2 or count > 200:
                return False
    except ScanStop:
        return False
    return False


def _message(glance: Glance) -> Message:
    return Message(glance.source, lambda _: None, 0, glance.size, cut=True)


def _sniff_saved_model(glance: Glance) -> bool:
    fields = outline(glance)
    if fields is None or fields.get(2) != 2:
        return False
    if glance.lower_name == "saved_model.pb":
        return True
    try:
        return fields.get(1, 0) == 0 and _is_meta_graph(_first(_message(glance), 2))
    except ScanStop:
        return False


def _sniff_meta_graph(glance: Glance) -> bool:
    fields = outline(glance)
    return (
        fields is not None
        and fields.get(2) == 2
        and fields.get(1, 2) == 2
        and max(fields) <= 7
        and _is_meta_graph(_message(glance))
    )


def _sniff_graph(glance: Glance) -> bool:
    fields = outline(glance)
    return fields is not None and (fields.get(1) == 2 or fields.get(2) == 2) and _is_graph(_message(glance))


def _sniff_metadata(glance: Glance) -> bool:
    fields = outline(glance)
    if fields is None or fields.get(1) != 2:
        return False
    try:
        first = _first(_message(glance), 1)
        if first is None:
            return False
        for count, (number, kind, start, size) in enumerate(first):
            if number == 4 and kind == 2:
                return first.text(start, size, 64).startswith(("_tf_keras", "_tf_"))
            if count > 8:
                return False
    except ScanStop:
        return False
    return False


def _sniff_fingerprint(glance: Glance) -> bool:
    if glance.lower_name != "fingerprint.pb":
        return False
    fields = outline(glance)
    return fields is not None and all(number <= 8 for number in fields)


def examine_saved_model(source: Source, context: Context) -> None:
    """Look at a SavedModel: each of its meta graphs."""
    message = Message(source, context.tick)
    count = 0
    for number, kind, start, size in message:
        if number == 2 and kind == 2:
            _look_at_meta_graph(message.message(start, size), context)
            count += 1
    if not count:
        raise Malformed("there is no graph in it")


def examine_meta_graph(source: Source, context: Context) -> None:
    """Look at a meta graph: what a version 1 checkpoint has beside it."""
    _look_at_meta_graph(Message(source, context.tick), context)


def examine_graph(source: Source, context: Context) -> None:
    """Look at a frozen graph."""
    graph = graphs.Graph(context)
    graph.look(Message(source, context.tick))
    _facts(context, graph)


def _facts(context: Context, graph: graphs.Graph) -> None:
    ordered = sorted(graph.operations.items(), key=lambda pair: -pair[1])
    context.fact(
        nodes=sum(graph.operations.values()), functions=graph.functions, operations=dict(ordered[:40])
    )


def _look_at_meta_graph(message: Message, context: Context) -> None:  # noqa: C901 - a case for each field
    """Collect what the loader does by itself first, then judge the graph by it."""
    assets: set[str] = set()
    on_load: set[str] = set()
    version = ""
    for number, kind, start, size in message:
        if kind != 2:
            continue
        if number == 1:
            about = message.message(start, size)
            for inner, inner_kind, inner_start, inner_size in about:
                if inner == 5 and inner_kind == 2:
                    version = about.text(inner_start, inner_size, 64)
        elif number == 4:
            on_load |= _collection(message.message(start, size))
        elif number == 5:
            on_load |= _initialiser(message.message(start, size))
        elif number == 6:
            tensor = _asset(message.message(start, size), context)
            if tensor:
                assets.add(tensor.split(":")[0])
    if version:
        context.fact(tensorflow=version)
    for number, kind, start, size in message:
        if kind != 2:
            continue
        if number == 2:
            graph = graphs.Graph(context, assets=frozenset(assets))
            graph.look(message.message(start, size), frozenset(on_load))
            _facts(context, graph)
        elif number == 7:
            _objects(message.message(start, size), context)


def _asset(message: Message, context: Context) -> str:
    """An `AssetFileDef`: the tensor that is given its path."""
    tensor = ""
    for number, kind, start, size in message:
        if number == 2 and kind == 2:
            name = message.text(start, size)
            if why := leads_out(name):
                context.find(
                    ASSET, f"loading the model reads `{name}` as its asset: {why}", offset=start, path=name
                )
        elif number == 1 and kind == 2:
            about = message.message(start, size)
            for inner, inner_kind, inner_start, inner_size in about:
                if inner == 1 and inner_kind == 2:
                    tensor = about.text(inner_start, inner_size)
    return tensor


def _entry(message: Message) -> tuple[str, Message | None]:
    """A map's entry."""
    key, value = "", None
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            key = message.text(start, size, 256)
        elif number == 2 and kind == 2:
            value = message.message(start, size)
    return key, value


def _collection(message: Message) -> set[str]:
    """The nodes a version 1 loader runs: collections `saved_model_main_op` and `legacy_init_op`."""
    key, value = _entry(message)
    if key not in ("saved_model_main_op", "legacy_init_op", "saved_model_train_op") or value is None:
        return set()
    nodes = _first(value, 1)
    if nodes is None:
        return set()
    return {nodes.text(start, size) for number, kind, start, size in nodes if number == 1 and kind == 2}


def _initialiser(message: Message) -> set[str]:
    """The node a loader runs: what the signature `__saved_model_init_op` puts out."""
    key, value = _entry(message)
    if key != "__saved_model_init_op" or value is None:
        return set()
    found: set[str] = set()
    for number, kind, start, size in value:
        if number == 2 and kind == 2:
            _, tensor = _entry(value.message(start, size))
            if tensor is not None:
                found |= {
                    tensor.text(at, length) for field, form, at, length in tensor if field == 1 and form == 2
                }
    return found


def _objects(message: Message, context: Context) -> None:
    """The object graph: Keras before 2.5 keeps a layer's configuration in its node."""
    position = 0
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            saved = message.message(start, size)
            for inner, inner_kind, inner_start, inner_size in saved:
                if inner == 4 and inner_kind == 2:
                    user = saved.message(inner_start, inner_size)
                    for field, form, at, length in user:
                        if field == 3 and form == 2 and length > 2:
                            _configuration(user.bytes(at, length, _METADATA), f"object {position}", context)
            position += 1


def _configuration(data: bytes, name: str, context: Context) -> None:
    """A Keras object's configuration, as JSON. Only one that says something is a part of its own."""
    if b'"class_name"' in data or b"\\u00" in data:
        from alcaide.instruments.scan.formats.keras.config import examine_json

        examine_json(Memory(data), context, place=name)


def examine_metadata(source: Source, context: Context) -> None:
    """Look at `keras_metadata.pb`: one node for each Keras object, with its configuration as JSON."""
    message = Message(source, context.tick)
    count = 0
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            node = message.message(start, size)
            path, data = "", b""
            for inner, inner_kind, inner_start, inner_size in node:
                if inner == 3 and inner_kind == 2:
                    path = node.text(inner_start, inner_size, 200)
                elif inner == 5 and inner_kind == 2:
                    data = node.bytes(inner_start, inner_size, _METADATA)
            _configuration(data, path or f"node {count}", context)
            count += 1
    context.fact(objects=count)


def examine_fingerprint(source: Source, context: Context) -> None:
    """Read the numbers TensorFlow knows a SavedModel by; that they are a message is all there is to check."""
    for _ in Message(source, context.tick):
        pass


FORMATS = (
    Format(
        "tensorflow-saved-model",
        "TensorFlow SavedModel",
        _sniff_saved_model,
        examine_saved_model,
        (*graphs.RULES, ASSET),
        begins=may_begin,
    ),
    Format(
        "tensorflow-meta-graph",
        "TensorFlow meta graph",
        _sniff_meta_graph,
        examine_meta_graph,
        (*graphs.RULES, ASSET),
        begins=may_begin,
    ),
    Format(
        "tensorflow-graph", "TensorFlow graph", _sniff_graph, examine_graph, graphs.RULES, begins=may_begin
    ),
    Format(
        "keras-metadata",
        "Keras metadata of a SavedModel",
        _sniff_metadata,
        examine_metadata,
        begins=may_begin,
    ),
    Format("tensorflow-fingerprint", "SavedModel fingerprint", _sniff_fingerprint, examine_fingerprint),
)
