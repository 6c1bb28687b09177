"""TensorFlow graphs as text: TensorFlow.js models and graphs in protocol-buffer text.

A TensorFlow.js model is JSON that holds a Keras configuration or a graph, and names the files its weights are in. A
`.pbtxt` is a graph written out; the operations in it are judged by their names, as in the binary form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.keras import config as keras
from alcaide.instruments.scan.formats.keras.rules import RULES as KERAS_RULES
from alcaide.instruments.scan.formats.tensorflow import graph
from alcaide.instruments.scan.json_object import mentions
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import chunks, whole
from alcaide.instruments.scan.tensorflow_operations import ACTING, SOUNDS_ACTING, computing

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

WEIGHTS = Rule(
    "tfjs/weights-outside",
    Level.HIGH,
    "weights come from elsewhere",
    "The loader fetches every file the manifest names, relative to the model or from any address.",
    "Use only a model whose weights lie beside it.",
    ("cwe/CWE-22", "cwe/CWE-829", "owasp-llm:2025/LLM03"),
)

_TEXT_NODE = regex(
    r"\s*(?:#[^\n]*\n\s*)*(?:node|library|versions|meta_graphs|saved_model_schema_version|meta_info_def|graph_def)\s*[{:]"
)
_TEXT_OPERATION = regex(rb"(?:^|[\s{;,])op\s*:\s*(?:\"([^\"\n]{1,200})\"|'([^'\n]{1,200})')")
_TEXT_STRING = regex(rb"string_val\s*:\s*\"([^\"\n]{1,400})\"")


def _sniff_javascript(glance: Glance) -> bool:
    return mentions(glance, (b'"modelTopology"', b'"weightsManifest"'))


def examine_javascript(source: Source, context: Context) -> None:
    """Judge the topology by what it is, and where the weights come from."""
    data = whole(source, keras.LONGEST)
    if data is None:
        raise OverBudget(f"it has {source.size:,} bytes of JSON; {keras.LONGEST >> 20} MiB are read")
    value = keras.parse(data)
    if not isinstance(value, dict) or not ("modelTopology" in value or "weightsManifest" in value):
        return
    topology = value.get("modelTopology")
    context.fact(
        format=str(value.get("format", ""))[:40] or None,
        made_by=str(value.get("generatedBy", ""))[:80] or None,
    )
    if isinstance(topology, dict):
        nodes = topology.get("node")
        if isinstance(nodes, list):
            _nodes(nodes, context)
            library = topology.get("library")
            functions = library.get("function") if isinstance(library, dict) else None
            for function in _list(functions):
                _nodes(_list(function.get("nodeDef")) if isinstance(function, dict) else [], context)
        else:
            keras.judge(topology, context, "modelTopology")
    for group in _list(value.get("weightsManifest")):
        for path in _list(group.get("paths")) if isinstance(group, dict) else ():
            why = leads_out(path) if isinstance(path, str) else "it is no text"
            if why:
                context.find(
                    WEIGHTS,
                    f"loading it fetches weights from `{path}`: {why}",
                    place="weightsManifest",
                    path=str(path),
                )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _nodes(nodes: list[Any], context: Context) -> None:
    seen: set[str] = set()
    for node in nodes:
        context.tick()
        operation = node.get("op") if isinstance(node, dict) else None
        if isinstance(operation, str) and operation not in seen:
            seen.add(operation)
            _operation(operation, str(node.get("name", "")), context)


def _operation(operation: str, name: str, context: Context, given: str = "") -> None:
    """One operation by its name; what it acts on is not looked for in text."""
    acting = ACTING.get(operation)
    if acting is not None:
        if not acting.ordinary:
            where = f" node `{name}` is a `{operation}`" if name else f" it holds a `{operation}`"
            context.find(
                graph.RULE_OF[acting.kind],
                f"using the model {acting.does}{given or ' that it is given'}:{where}",
                operation=operation,
            )
    elif operation not in computing():
        context.find(
            graph.UNKNOWN_OPERATION,
            f"it holds an operation `{operation}` that TensorFlow does not have; a library that has it must be "
            "loaded first",
            level=Level.HIGH if SOUNDS_ACTING.search(operation) else None,
            operation=operation,
        )


def _sniff_text(glance: Glance) -> bool:
    head = glance.head
    if head[:1] not in (b"n", b"l", b"v", b"m", b"s", b"g", b"#", b" ", b"\n", b"\t", b"\r"):
        return False
    text = glance.text
    return text is not None and _TEXT_NODE.match(text) is not None and ("{" in text)


def examine_text(source: Source, context: Context) -> None:
    """Find the operations in a graph that is written out."""
    seen: dict[str, None] = {}
    functions: set[str] = set()
    paths: dict[str, None] = {}
    carried = b""
    for piece in chunks(source):
        context.tick(64)
        data = carried + piece
        for match in _TEXT_OPERATION.finditer(data):
            seen[(match[1] or match[2]).decode("utf-8", "replace")] = None
        functions.update(match[1].decode("utf-8", "replace") for match in _SIGNATURE.finditer(data))
        for match in _TEXT_STRING.finditer(data):
            text = match[1].decode("utf-8", "replace")
            if len(paths) < 20 and leads_out(text):
                paths[text] = None
        carried = data[-512:]
    given = (
        f" (among its constants are {', '.join(f'`{path}`' for path in list(paths)[:4])})" if paths else ""
    )
    for operation in seen:
        if operation not in functions:
            _operation(operation, "", context, f" that it is given{given}")
    context.fact(operations=list(seen)[:60])


_SIGNATURE = regex(rb"signature\s*\{\s*name\s*:\s*\"([^\"\n]{1,300})\"")

FORMATS = (
    Format(
        "tfjs",
        "TensorFlow.js model",
        _sniff_javascript,
        examine_javascript,
        (WEIGHTS, *graph.RULES, *KERAS_RULES),
    ),
    Format("tensorflow-graph-text", "TensorFlow graph as text", _sniff_text, examine_text, graph.RULES),
)
