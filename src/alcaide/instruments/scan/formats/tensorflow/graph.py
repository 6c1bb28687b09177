"""Reads TensorFlow graphs: which operations they hold, and what those that act would act on.

Two passes. The first walks every node of the graph and its function library and keeps only the few that act. Where
there are any, the second finds which file or address they are given: a constant, or a constant handed down through
identities and function calls, or something the caller brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.tensorflow_operations import ACTING, EVERY, SOUNDS_ACTING, computing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.tensorflow_operations import Acting
    from alcaide.instruments.scan.wire import Message

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

FILE = Rule(
    "tensorflow/file-operation",
    Level.HIGH,
    "the graph reads or writes files",
    "A graph may hold operations that read any file, hand it on in their result, or overwrite it.",
    "Use the model only if its maker can say why it needs the file; else get one without the operation.",
    ("cwe/CWE-73", *_TAXONOMY),
)
NETWORK = Rule(
    "tensorflow/network-operation",
    Level.HIGH,
    "the graph talks to the network",
    "A graph may hold operations that send what they compute to any address.",
    "Use the model only if its maker can say why it needs the connection; else get one without the operation.",
    ("cwe/CWE-918", *_TAXONOMY),
)
PYTHON = Rule(
    "tensorflow/python-operation",
    Level.HIGH,
    "the graph calls Python",
    "Such an operation calls a Python function by its number or name in the process that runs the graph.",
    "Get the model without the operation: it cannot work from a file without code that is brought along.",
    ("cwe/CWE-94", *_TAXONOMY),
)
NATIVE = Rule(
    "tensorflow/native-operation",
    Level.HIGH,
    "the graph runs foreign code",
    "Such an operation runs code that is not TensorFlow's own: a packed graph, an engine, a native function.",
    "Get the model without the operation, or trust its maker with your machine.",
    ("cwe/CWE-94", *_TAXONOMY),
)
UNKNOWN_OPERATION = Rule(
    "tensorflow/unknown-operation",
    Level.MEDIUM,
    "an operation that TensorFlow does not have",
    "It comes from a native library that must be loaded first, which can do anything.",
    "Find out which library it belongs to, and take that library in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)
RULES = (FILE, NETWORK, PYTHON, NATIVE, UNKNOWN_OPERATION)
RULE_OF = {"read": FILE, "write": FILE, "network": NETWORK, "python": PYTHON, "native": NATIVE}

OPERATION_NAME = regex(r"[A-Za-z_][A-Za-z0-9_>./-]{0,200}\Z")

_KEPT = 2_000
"""Acting nodes that are followed up; a graph with more has many findings already."""
_SCOPE = 400_000
"""Nodes of a graph or function that are held to look for constants; beyond, what feeds an operation is not known."""
_STEPS = 40

_STRING = 7
"""`DT_STRING` in TensorFlow's types.proto."""


class Node(NamedTuple):
    """One node that matters."""

    name: str
    operation: str
    inputs: list[str]
    attributes: dict[str, tuple[int, int]]
    """Where each attribute's value is, in its graph's message."""


class _Scope:
    """A graph or a function: nodes that can see each other."""

    __slots__ = ("arguments", "message", "name", "nodes", "where")

    def __init__(self, name: str, message: Message, where: int) -> None:
        self.name = name
        self.message = message
        self.where = where
        """The number of the field that holds nodes."""
        self.arguments: list[str] = []
        self.nodes: dict[bytes, tuple[int, int]] = {}
        """Where the nodes are that can lead to a constant, by name."""


class Graph:
    """One graph with its function library.

    Call `look` once. `operations` then counts the nodes of each operation; facts for a page.
    """

    def __init__(self, context: Context, *, assets: frozenset[str] = frozenset()) -> None:
        self._context = context
        self._assets = assets
        """Tensors into which the loader puts the path of a file that came with the model."""
        self._scopes: list[_Scope] = []
        self._acting: list[tuple[_Scope, Node]] = []
        self._unknown: dict[str, tuple[str, int]] = {}
        self._odd: list[tuple[_Scope, Node]] = []
        """Nodes whose operation TensorFlow does not have: it may be a function's name."""
        self._on_load: frozenset[str] = frozenset()
        self._callers: dict[str, list[tuple[_Scope, Node]]] | None = None
        self.operations: dict[str, int] = {}
        self.functions = 0

    def look(self, message: Message, on_load: frozenset[str] = frozenset()) -> None:
        """Look at a `GraphDef`.

        Args:
            message: the graph.
            on_load: names of nodes that a loader runs by itself.
        """
        self._on_load = on_load
        graph = _Scope("", message, 1)
        self._scopes.append(graph)
        for number, kind, start, size in message:
            if number == 1 and kind == 2:
                self._node(graph, message.message(start, size))
            elif number == 2 and kind == 2:
                library = message.message(start, size)
                for inner, inner_kind, inner_start, inner_size in library:
                    if inner == 1 and inner_kind == 2:
                        self._function(library.message(inner_start, inner_size))
        self._judge()

    def _function(self, message: Message) -> None:
        self.functions += 1
        scope = _Scope("", message, 3)
        self._scopes.append(scope)
        for number, kind, start, size in message:
            if number == 3 and kind == 2:
                self._node(scope, message.message(start, size))
            elif number == 1 and kind == 2:
                signature = message.message(start, size)
                for inner, inner_kind, inner_start, inner_size in signature:
                    if inner == 1 and inner_kind == 2:
                        scope.name = signature.text(inner_start, inner_size)
                    elif inner == 2 and inner_kind == 2:
                        scope.arguments.append(_first_text(signature.message(inner_start, inner_size)))

    def _node(self, scope: _Scope, message: Message) -> None:
        """Take one node in. Only what acts, or is not known, is kept."""
        fields = message.last(1, 2)
        operation = message.text(*fields[2], 256) if 2 in fields else ""
        count = self.operations.get(operation, 0)
        if not count and len(self.operations) >= _KINDS:
            raise OverBudget(f"it has more than {_KINDS:,} kinds of operations")
        self.operations[operation] = count + 1
        if operation in _LEADS:
            if len(scope.nodes) < _SCOPE and 1 in fields:
                scope.nodes[message.bytes(*fields[1], 4096)] = (message.start, message.size)
        elif operation in ACTING:
            if len(self._acting) < _KEPT:
                self._acting.append((scope, _node(message)))
        elif operation not in computing():
            if not count:
                self._unknown[operation] = (_first_text(message), message.start)
            if len(self._odd) < _KEPT:
                self._odd.append((scope, _node(message)))

    def _judge(self) -> None:
        names = {scope.name for scope in self._scopes if scope.name}
        for operation, (name, place) in self._unknown.items():
            if operation in names:
                continue  # A node may call a function by putting its name where the operation's is.
            self._context.find(
                UNKNOWN_OPERATION,
                f"node `{name}` is an operation `{operation}` that TensorFlow does not have; a library that has it "
                f"must be loaded first",
                offset=place,
                level=Level.HIGH if SOUNDS_ACTING.search(operation) else None,
                operation=operation,
            )
        for scope, node in self._acting:
            self._context.tick()
            self._judge_node(scope, node, ACTING[node.operation])

    def _judge_node(self, scope: _Scope, node: Node, acting: Acting) -> None:
        given, shown = self._given(scope, node, acting)
        odd = [path for path in given if leads_out(path)]
        if acting.ordinary:
            if node.operation in ("PrintV2", "DecodeProtoV2", "EncodeProto"):
                odd = [path for path in given if not _harmless_target(path)]
            elif node.operation.startswith("CacheDataset"):
                odd = [path for path in given if path]
            elif node.operation.startswith("InitializeTable"):
                names = {feed.split(":")[0] for feed in node.inputs[1:2]}
                odd = [] if names & self._assets else odd
            if not odd:
                return
        on_load = self._runs_on_load(scope, node)
        when = "loading the model" if on_load else "using the model"
        what = f" {shown}" if shown else (" that its caller names" if acting.path is not None else "")
        self._context.find(
            RULE_OF[acting.kind],
            f"{when} {acting.does}{what}: node `{node.name}` is a `{node.operation}`",
            level=Level.CRITICAL if on_load else None,
            operation=node.operation,
            node=node.name,
            function=scope.name or None,
            paths=given or None,
        )

    def _given(self, scope: _Scope, node: Node, acting: Acting) -> tuple[list[str], str]:
        """The constants that say what the operation acts on, and how to show them."""
        found: list[str] = []
        if isinstance(acting.path, int):
            feeds = [feed for feed in node.inputs if not feed.startswith("^")]
            for feed in feeds[:8] if acting.path == EVERY else feeds[acting.path : acting.path + 1]:
                self._constants(scope, feed, found, 0, set())
        elif isinstance(acting.path, str) and acting.path in node.attributes:
            found = _strings_of_attribute(scope.message.message(*node.attributes[acting.path]))
        return found, ", ".join(f"`{text}`" for text in found[:4])

    def _constants(
        self, scope: _Scope, feed: str, found: list[str], depth: int, seen: set[tuple[int, str]]
    ) -> None:
        """Follow one input back to the constants it comes from."""
        name = feed.partition(":")[0]
        key = (id(scope), name)
        if depth > _STEPS or key in seen or len(found) >= 8 or len(seen) > 400:
            return
        seen.add(key)
        held = scope.nodes.get(name.encode())
        if held is None:
            if name in scope.arguments:
                place = scope.arguments.index(name)
                for outer, caller in self._calling().get(scope.name, ())[:20]:
                    feeds = [text for text in caller.inputs if not text.startswith("^")]
                    if place < len(feeds):
                        self._constants(outer, feeds[place], found, depth + 1, seen)
            return
        node = _node(scope.message.message(*held))
        if node.operation in ("Const", "HostConst", "PlaceholderWithDefault") and "value" in node.attributes:
            found.extend(_strings_of_attribute(scope.message.message(*node.attributes["value"])))
        elif node.operation in _HANDS_ON:
            for inner in node.inputs[:8]:
                if not inner.startswith("^"):
                    self._constants(scope, inner, found, depth + 1, seen)

    def _calling(self) -> dict[str, list[tuple[_Scope, Node]]]:
        """Which nodes call each function."""
        if self._callers is None:
            self._callers = {}
            for scope, node in self._odd:
                self._callers.setdefault(node.operation, []).append((scope, node))
            for scope in self._scopes:
                for node in _calls(scope):
                    self._context.tick()
                    for place in node.attributes.values():
                        for called in _functions_of_attribute(scope.message.message(*place)):
                            self._callers.setdefault(called, []).append((scope, node))
        return self._callers

    def _runs_on_load(self, scope: _Scope, node: Node) -> bool:
        """Whether a node is among those that a loader runs by itself, or leads to one."""
        if not self._on_load:
            return False
        reached, functions = self._reached()
        return (id(scope), node.name) in reached or scope.name in functions

    _reach: tuple[set[tuple[int, str]], set[str]] | None = None

    def _reached(self) -> tuple[set[tuple[int, str]], set[str]]:
        """The main graph's nodes that loading runs, and the functions they call, and those call."""
        if self._reach is not None:
            return self._reach
        main = self._scopes[0]
        inputs: dict[str, list[str]] = {}
        calls: dict[str, set[str]] = {}
        for name, called in self._calling().items():
            for outer, caller in called:
                calls.setdefault(caller.name if outer is main else f"function {outer.name}", set()).add(name)
        for count, node in enumerate(_nodes(main)):
            if count >= _SCOPE:
                break
            inputs[node.name] = node.inputs
        waiting = [name.lstrip("^").split(":")[0] for name in self._on_load]
        reached: set[tuple[int, str]] = set()
        functions: list[str] = []
        while waiting:
            name = waiting.pop()
            if (id(main), name) in reached:
                continue
            self._context.tick()
            reached.add((id(main), name))
            waiting += [feed.lstrip("^").split(":")[0] for feed in inputs.get(name, ())]
            functions += calls.get(name, ())
        known: set[str] = set()
        while functions:
            name = functions.pop()
            if name not in known:
                known.add(name)
                functions += calls.get(f"function {name}", ())
        self._reach = (reached, known)
        return self._reach


_KINDS = 20_000

_HANDS_ON = frozenset(
    {
        *(
            "Identity",
            "PlaceholderWithDefault",
            "StringJoin",
            "Pack",
            "ConcatV2",
            "Reshape",
            "ExpandDims",
            "Squeeze",
        ),
        *(
            "StopGradient",
            "Snapshot",
            "IdentityN",
            "Select",
            "SelectV2",
            "StringStrip",
            "Placeholder",
            "ReadVariableOp",
        ),
    }
)
"""Operations whose result holds the strings they are given."""


_LEADS = _HANDS_ON | {"Const", "HostConst"}


def _nodes(scope: _Scope) -> Iterator[Node]:
    for number, kind, start, size in scope.message:
        if number == scope.where and kind == 2:
            yield _node(scope.message.message(start, size))


def _calls(scope: _Scope) -> Iterator[Node]:
    """Nodes that name a function in an attribute, or may."""
    for number, kind, start, size in scope.message:
        if number == scope.where and kind == 2 and b"\x52" in scope.message.bytes(start, size, 1 << 16):
            # 0x52 begins an attribute's value that is a function; most nodes have no such byte.
            node = _node(scope.message.message(start, size))
            if node.operation not in _LEADS:
                yield node


def _node(message: Message) -> Node:
    """A `NodeDef`, with the places of its attributes."""
    name = operation = ""
    inputs: list[str] = []
    attributes: dict[str, tuple[int, int]] = {}
    for number, kind, start, size in message:
        if kind != 2:
            continue
        if number == 1:
            name = message.text(start, size)
        elif number == 2:
            operation = message.text(start, size, 256)
        elif number == 3 and len(inputs) < 10_000:
            inputs.append(message.text(start, size))
        elif number == 5:
            key, value = "", None
            for inner, inner_kind, inner_start, inner_size in message.message(start, size):
                if inner == 1 and inner_kind == 2:
                    key = message.text(inner_start, inner_size, 256)
                elif inner == 2 and inner_kind == 2:
                    value = (inner_start, inner_size)
            if value is not None:
                attributes[key] = value
    return Node(name, operation, inputs, attributes)


def _strings_of_attribute(value: Message) -> list[str]:
    """Strings in an `AttrValue`: its own, a list's, or a string tensor's (at most 8 of them)."""
    found: list[str] = []
    for number, kind, start, size in value:
        if kind != 2 or len(found) >= 8:
            continue
        if number == 2:
            found.append(value.text(start, size))
        elif number == 1:
            inner = value.message(start, size)
            found += [
                inner.text(at, length) for field, form, at, length in inner if field == 2 and form == 2
            ][:8]
        elif number == 8:
            tensor = value.message(start, size)
            fields = list(tensor)
            if any(field == 1 and form == 0 and at == _STRING for field, form, at, _ in fields):
                found += [
                    tensor.text(at, length) for field, form, at, length in fields if field == 8 and form == 2
                ][:8]
    return found


def _functions_of_attribute(value: Message) -> list[str]:
    """Names of functions in an `AttrValue`: its own or a list's."""
    found: list[str] = []
    for number, kind, start, size in value:
        if kind == 2 and number == 10:
            found.append(_first_text(value.message(start, size)))
        elif kind == 2 and number == 1:
            inner = value.message(start, size)
            found += [
                _first_text(inner.message(at, length))
                for field, form, at, length in inner
                if field == 9 and form == 2
            ]
    return found


def _first_text(message: Message) -> str:
    """A message's field 1, by which most of TensorFlow's messages are called."""
    name = ""
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            name = message.text(start, size)
    return name


def _harmless_target(text: str) -> bool:
    """Whether printing there, or taking message types from there, touches no file."""
    return text in ("", "stdout", "stderr", "log(info)", "log(warning)", "log(error)") or text.startswith(
        ("local://", "bytes://")
    )
