"""What an expression comes to, as far as its source alone tells: a constant, a name, or nothing.

Strings are put together as Python would (joined, reversed, decoded, unpacked), names found through `getattr`,
`__import__`, `globals()` and the like, so that hiding a name does not hide the call. Nothing is executed: each
operation that is known here is done on plain values of bounded size.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import codecs
import lzma
import operator
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 40
LONGEST = 1 << 18
"""No value grows beyond this."""
_LIST = 20_000
_STEPS = 400_000
"""Expressions looked at in one file; a second or so."""

HOLE = "\ufffc"
"""Stands in a string for a part that is not known."""


@dataclass(frozen=True, slots=True)
class Known:
    """A constant: str, bytes, int, float, bool, None, or a tuple of such."""

    value: Any


@dataclass(frozen=True, slots=True)
class Ref:
    """A name from outside of the file, in full."""

    name: str
    hidden: bool = False
    """Whether it was reached by a way that keeps it from being read."""


@dataclass(frozen=True, slots=True)
class Local:
    """A function or class of this file."""

    name: str


Value = Known | Ref | Local | None

_BUILTINS = frozenset([
    "exec", "eval", "compile", "open", "__import__", "getattr", "setattr", "globals", "locals", "vars",
    "chr", "bytes", "bytearray", "str", "map", "type", "print", "input", "execfile", "object",
])  # fmt: skip
_NAMESPACES = frozenset(["globals()", "locals()", "vars()"])


class Scope:
    """Names in force in one place; what is not here is asked of the place around it."""

    __slots__ = ("nodes", "parent", "steps", "values")

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        # One count for all places of a file: what would take longer to work out counts as not known.
        self.steps: list[int] = [_STEPS] if parent is None else parent.steps
        self.values: dict[str, Value] = {}
        self.nodes: dict[str, ast.expr] = {}

    def set(self, name: str, value: Value, node: ast.expr | None = None) -> None:
        """From here on `name` is `value`."""
        self.values[name] = value
        if node is not None:
            self.nodes[name] = node
        else:
            self.nodes.pop(name, None)

    def get(self, name: str) -> tuple[bool, Value]:
        """Whether the name was given a value in this file, and which."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return True, scope.values[name]
            scope = scope.parent
        return False, None

    def node(self, name: str) -> ast.expr | None:
        """The expression that was last given to a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.nodes.get(name)
            scope = scope.parent
        return None


def value_of(node: ast.AST, scope: Scope, depth: int = 0) -> Value:
    """What an expression comes to; None if its source does not tell."""
    scope.steps[0] -= 1
    if depth > DEEPEST or scope.steps[0] < 0:
        return None
    handler = _HANDLERS.get(type(node))
    return None if handler is None else handler(node, scope, depth + 1)


def text_of(value: Value) -> str | None:
    """A known value as text, if it is some."""
    if isinstance(value, Known):
        if isinstance(value.value, str):
            return value.value
        if isinstance(value.value, bytes):
            return value.value.decode("utf-8", "replace")
    return None


def _constant(node: ast.Constant, _scope: Scope, _depth: int) -> Value:
    return Known(node.value)


def _name(node: ast.Name, scope: Scope, _depth: int) -> Value:
    found, value = scope.get(node.id)
    if found:
        return value
    if node.id == "__builtins__":
        return Ref("builtins", hidden=True)
    if node.id in _BUILTINS:
        return Ref(f"builtins.{node.id}")
    if node.id == "get_ipython":
        return Ref("get_ipython")
    return None


def _attribute(node: ast.Attribute, scope: Scope, depth: int) -> Value:
    if isinstance(node.value, ast.Name):
        found, value = scope.get(f"{node.value.id}.{node.attr}")
        if found:
            return value
    return member(value_of(node.value, scope, depth), node.attr)


def member(base: Value, attribute: str, *, hidden: bool = False) -> Value:
    """An attribute of a value, if the value is a name from outside."""
    if isinstance(base, Local):
        return Local(f"{base.name}.{attribute}")
    if not isinstance(base, Ref):
        return None
    if base.name in _NAMESPACES:
        return None
    if attribute in ("__dict__", "__func__", "__wrapped__", "__call__"):
        return Ref(base.name, hidden=base.hidden or attribute == "__dict__")
    if attribute == "__builtins__":
        return Ref("builtins", hidden=True)
    if base.name == "sys" and attribute == "modules":
        return Ref("sys.modules")
    name = base.name
    if name in ("builtins.bytes", "builtins.bytearray", "builtins.str", "builtins.object"):
        name = name[9:]
    elif name in ("os.posix", "os.nt"):
        name = "os"
    return Ref(f"{name}.{attribute}", base.hidden or hidden) if len(name) < 200 else None


def _item(base: Value, key: Value) -> Value:
    """`base[key]`."""
    if isinstance(base, Ref):
        name = text_of(key)
        if name is None:
            return None
        if base.name == "sys.modules":
            return Ref(name, hidden=True)
        return member(base, name, hidden=True)
    if isinstance(base, Known) and isinstance(key, Known):
        try:
            return Known(base.value[key.value])
        except (TypeError, IndexError, KeyError, ValueError):
            return None
    return None


def _subscript(node: ast.Subscript, scope: Scope, depth: int) -> Value:
    base = value_of(node.value, scope, depth)
    if isinstance(node.slice, ast.Slice):
        if not isinstance(base, Known):
            return None
        bounds = [
            None if part is None else value_of(part, scope, depth)
            for part in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        if any(bound is not None and not isinstance(bound, Known) for bound in bounds):
            return None
        try:
            return Known(base.value[slice(*(b.value if isinstance(b, Known) else None for b in bounds))])
        except (TypeError, ValueError):
            return None
    key = value_of(node.slice, scope, depth)
    if isinstance(base, Ref) and base.name in _NAMESPACES:
        name = text_of(key)
        return None if name is None else _hidden(_name(ast.Name(name, ast.Load()), scope, depth))
    return _item(base, key)


def _hidden(value: Value) -> Value:
    return Ref(value.name, hidden=True) if isinstance(value, Ref) else value


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.FloorDiv: operator.floordiv,
}


def _binary(node: ast.BinOp, scope: Scope, depth: int) -> Value:
    # A long sum leans to the left, as deep as it is long: walked here, not by recursion.
    terms: list[ast.expr] = []
    current: ast.expr = node
    if isinstance(node.op, ast.Add):
        while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add) and len(terms) < 2_000:
            terms.append(current.right)
            current = current.left
        total = value_of(current, scope, depth)
        for term in reversed(terms):
            total = _added(total, value_of(term, scope, depth))
            if total is None:
                return None
        return total
    left, right = value_of(node.left, scope, depth), value_of(node.right, scope, depth)
    if isinstance(node.op, ast.Mod) and isinstance(left, Known) and isinstance(left.value, str):
        return Known(_filled(left.value.replace("%s", "{}").replace("%d", "{}").replace("%r", "{}"), right))
    if isinstance(node.op, ast.Mult):
        return _times(left, right)
    if not isinstance(left, Known) or not isinstance(right, Known):
        return None
    operation = _OPERATORS.get(type(node.op))
    if operation is None or not _small(left.value) or not _small(right.value):
        return None
    try:
        return Known(operation(left.value, right.value))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None


def _small(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) < 1 << 64


def _added(left: Value, right: Value) -> Value:
    """A sum; a string with an unknown part stays a string with a hole."""
    if isinstance(left, Known) and isinstance(right, Known):
        if isinstance(left.value, str | bytes | tuple) and len(left.value) > LONGEST:
            return None
        try:
            return Known(left.value + right.value) if _small(left.value) and _small(right.value) else None
        except TypeError:
            return None
    if isinstance(left, Known) and isinstance(left.value, str):
        return Known(left.value + HOLE)
    if isinstance(right, Known) and isinstance(right.value, str):
        return Known(HOLE + right.value)
    return None


def _times(left: Value, right: Value) -> Value:
    if isinstance(left, Known) and isinstance(right, Known):
        one, other = left.value, right.value
        if isinstance(other, str | bytes | tuple):
            one, other = other, one
        if (
            isinstance(one, str | bytes | tuple)
            and isinstance(other, int)
            and len(one) * max(0, other) <= LONGEST
        ):
            return Known(one * other)
        if isinstance(one, int) and isinstance(other, int) and _small(one) and _small(other):
            return Known(one * other)
    return None


def _filled(template: str, value: Value) -> str:
    """A template with its holes filled in order, those that are not known with `HOLE`."""
    given: list[Any] = []
    if isinstance(value, Known):
        given = list(value.value) if isinstance(value.value, tuple) else [value.value]
    parts = template.split("{}")[:1000]
    out = [parts[0]]
    for index, part in enumerate(parts[1:]):
        out.append(str(given[index]) if index < len(given) and _small(given[index]) else HOLE)
        out.append(part)
    return "".join(out)[:LONGEST]


def _unary(node: ast.UnaryOp, scope: Scope, depth: int) -> Value:
    value = value_of(node.operand, scope, depth)
    if isinstance(node.op, ast.USub) and isinstance(value, Known) and isinstance(value.value, int | float):
        return Known(-value.value)
    return None


def _sequence(node: ast.List | ast.Tuple | ast.Set, scope: Scope, depth: int) -> Value:
    if len(node.elts) > _LIST:
        return None
    values = []
    for element in node.elts:
        value = value_of(element, scope, depth)
        if isinstance(value, Known):
            values.append(value.value)
        else:
            values.append(HOLE)
    return Known(tuple(values))


def _joined(node: ast.JoinedStr, scope: Scope, depth: int) -> Value:
    out: list[str] = []
    for part in node.values[:1000]:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        value = value_of(inner, scope, depth)
        out.append(str(value.value)[:LONGEST] if isinstance(value, Known) and _small(value.value) else HOLE)
    return Known("".join(out)[:LONGEST])


def _conditional(node: ast.IfExp, scope: Scope, depth: int) -> Value:
    return value_of(node.body, scope, depth) or value_of(node.orelse, scope, depth)


def _either(node: ast.BoolOp, scope: Scope, depth: int) -> Value:
    for part in node.values[:10]:
        value = value_of(part, scope, depth)
        if value is not None:
            return value
    return None


def _walrus(node: ast.NamedExpr, scope: Scope, depth: int) -> Value:
    return value_of(node.value, scope, depth)


def _each(node: ast.GeneratorExp | ast.ListComp, scope: Scope, depth: int) -> Value:
    """`[f(x) for x in constant]`, done if it is short."""
    if len(node.generators) != 1 or node.generators[0].ifs:
        return None
    loop = node.generators[0]
    source = value_of(loop.iter, scope, depth)
    if not isinstance(loop.target, ast.Name) or not isinstance(source, Known):
        return None
    if not isinstance(source.value, str | bytes | tuple) or len(source.value) > _LIST:
        return None
    out = []
    inner = Scope(scope)
    for item in source.value:
        inner.set(loop.target.id, Known(item))
        value = value_of(node.elt, inner, depth)
        if not isinstance(value, Known):
            return None
        out.append(value.value)
    return Known(tuple(out))


def _call(node: ast.Call, scope: Scope, depth: int) -> Value:
    arguments = [value_of(argument, scope, depth) for argument in node.args[:8]]
    if isinstance(node.func, ast.Attribute):
        base = value_of(node.func.value, scope, depth)
        if isinstance(base, Known):
            return _method(base.value, node.func.attr, arguments)
        if isinstance(base, Ref) and node.func.attr in (
            "__getattribute__",
            "__getattr__",
            "get",
            "pop",
            "__getitem__",
        ):
            key = arguments[-1] if base.name == "object" else (arguments[0] if arguments else None)
            target = arguments[0] if base.name == "object" and arguments else base
            if base.name == "sys.modules" or node.func.attr.startswith("__") or base.hidden:
                return _hidden(_item(target, key))
        function = base if base is None else member(base, node.func.attr)
        if isinstance(node.func.value, ast.Name):
            found, value = scope.get(f"{node.func.value.id}.{node.func.attr}")
            function = value if found else function
    else:
        function = value_of(node.func, scope, depth)
    if isinstance(function, Local):
        # An instance is looked up as its class is.
        return function
    return called(function, arguments) if isinstance(function, Ref) else None


def called(function: Ref, arguments: list[Value]) -> Value:
    """What a call of an outside name comes to."""
    name = function.name
    first = arguments[0] if arguments else None
    if name in ("builtins.globals", "builtins.locals", "builtins.vars"):
        return _hidden(first) if isinstance(first, Ref) else Ref(f"{name[9:]}()")
    if name in ("builtins.__import__", "importlib.import_module", "importlib.__import__"):
        text = text_of(first)
        if text is None or HOLE in text:
            return None
        # `__import__('os.path')` is `os`, `import_module('os.path')` is what it says.
        return Ref(text.partition(".")[0] if name.endswith("__import__") else text, hidden=True)
    if name in ("builtins.getattr", "inspect.getattr_static"):
        attribute = text_of(arguments[1]) if len(arguments) > 1 else None
        return None if attribute is None else member(first, attribute, hidden=True)
    if name in ("functools.partial", "functools.wraps", "weakref.ref"):
        return first if isinstance(first, Ref) else None
    if name in ("operator.attrgetter", "operator.methodcaller"):
        text = text_of(first)
        return None if text is None else Ref(f"{name}()|{text}", hidden=True)
    if "()|" in name:
        return member(first, name.partition("|")[2], hidden=True)
    if name in ("IPython.get_ipython", "get_ipython"):
        return Ref("get_ipython()")
    if name == "builtins.map" and isinstance(first, Ref) and first.name == "builtins.chr":
        second = arguments[1] if len(arguments) > 1 else None
        return (
            _tried(lambda codes: tuple(map(chr, codes)), [second.value])
            if isinstance(second, Known)
            else None
        )
    known = _DECODE.get(name)
    if known is not None and isinstance(first, Known):
        return _tried(known, [argument.value for argument in arguments if isinstance(argument, Known)])
    return None


def _tried(operation: Callable[..., Any], arguments: list[Any]) -> Value:
    """A known operation on known values; nothing if they do not fit."""
    try:
        out = operation(*arguments)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        OSError,
        EOFError,
        SyntaxError,
    ):
        return None
    except (zlib.error, lzma.LZMAError, binascii.Error):
        return None
    if isinstance(out, str | bytes | tuple) and len(out) > LONGEST:
        return None
    return Known(out) if isinstance(out, str | bytes | tuple | int) else None


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj(47).decompress(data, LONGEST)


def _padded(decode: Callable[[bytes], bytes]) -> Callable[..., bytes]:
    def run(data: str | bytes, *_: Any) -> bytes:
        raw = data.encode() if isinstance(data, str) else data
        return decode(raw[:LONGEST])

    return run


_CODECS = frozenset(
    ["rot13", "rot_13", "hex", "base64", "utf-8", "utf8", "ascii", "latin-1", "latin1", "unicode_escape"]
)


def _codec(data: Any, name: str = "utf-8", *_: Any) -> Any:
    if str(name).lower() not in _CODECS or len(data) > LONGEST:
        raise ValueError(name)
    return codecs.decode(data, name)


_DECODE: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(
        ("base64.b64decode", "base64.standard_b64decode", "base64.decodebytes", "binascii.a2b_base64"),
        _padded(base64.b64decode),
    ),
    "base64.urlsafe_b64decode": _padded(base64.urlsafe_b64decode),
    "base64.b32decode": _padded(base64.b32decode),
    "base64.b16decode": _padded(lambda data: base64.b16decode(data, casefold=True)),
    "base64.b85decode": _padded(base64.b85decode),
    "base64.a85decode": _padded(base64.a85decode),
    "binascii.unhexlify": _padded(binascii.unhexlify),
    "binascii.a2b_hex": _padded(binascii.unhexlify),
    "bytes.fromhex": lambda text: bytes.fromhex(text[:LONGEST]),
    "bytearray.fromhex": lambda text: bytes.fromhex(text[:LONGEST]),
    "codecs.decode": _codec,
    "zlib.decompress": _inflated,
    "gzip.decompress": _inflated,
    "bz2.decompress": lambda data: bz2.BZ2Decompressor().decompress(data, LONGEST),
    "lzma.decompress": lambda data: lzma.LZMADecompressor(memlimit=1 << 26).decompress(data, LONGEST),
    "builtins.chr": chr,
    "builtins.bytes": lambda value=b"", *_: (
        bytes(value) if not isinstance(value, int | str) else str(value).encode()
    ),
    "builtins.bytearray": lambda value=b"", *_: bytes(value) if isinstance(value, tuple | bytes) else b"",
    "builtins.str": lambda value="", encoding="utf-8", *_: (
        value.decode(encoding) if isinstance(value, bytes) else str(value)[:LONGEST]
    ),
    "builtins.compile": lambda code, *_: code,
    "os.path.join": lambda *parts: "/".join(str(part) for part in parts),
    "os.path.expanduser": lambda path: path,
    "os.fspath": lambda path: path,
    "pathlib.Path": lambda *parts: "/".join(str(part) for part in parts),
    "textwrap.dedent": lambda text: text,
    "shlex.split": lambda text, *_: tuple(text.split()),
    "builtins.list": lambda value=(): tuple(value),
    "builtins.tuple": lambda value=(): tuple(value),
    "builtins.reversed": lambda value: tuple(reversed(value)),
}


def _method(value: Any, name: str, arguments: list[Value]) -> Value:
    """A method of a constant."""
    if name == "join" and isinstance(value, str | bytes) and arguments and isinstance(arguments[0], Known):
        parts = arguments[0].value
        if isinstance(parts, tuple | str) and sum(len(str(part)) for part in parts) <= LONGEST:
            return _tried(value.join, [parts])
        return None
    if name == "format" and isinstance(value, str):
        given = tuple(
            argument.value if isinstance(argument, Known) and _small(argument.value) else HOLE
            for argument in arguments
        )
        return Known(_filled(value, Known(given)))
    if name not in _METHODS or not all(isinstance(argument, Known) for argument in arguments):
        return None
    method = getattr(value, name, None)
    if method is None or not isinstance(value, str | bytes):
        return None
    plain = [argument.value for argument in arguments if isinstance(argument, Known)]
    if name == "replace" and len(plain) > 1 and (len(value) + 1) * len(str(plain[1])) > 4 * LONGEST:
        return None
    if name in ("decode", "encode") and plain and str(plain[0]).lower() not in _CODECS:
        return None
    return _tried(lambda *given: _frozen(method(*given)), plain)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_METHODS = frozenset([
    "decode", "encode", "replace", "strip", "lstrip", "rstrip", "lower", "upper", "swapcase", "title",
    "split", "removeprefix", "removesuffix", "hex", "splitlines", "capitalize",
])  # fmt: skip

_HANDLERS: dict[type[ast.AST], Callable[[Any, Scope, int], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.JoinedStr: _joined,
    ast.IfExp: _conditional,
    ast.BoolOp: _either,
    ast.NamedExpr: _walrus,
    ast.GeneratorExp: _each,
    ast.ListComp: _each,
    ast.Call: _call,
}
