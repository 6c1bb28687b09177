"""The graph of a program that `torch.export` wrote, as JSON: what in it is evaluated, and what it calls.

Sizes that are not known in advance are expressions, as text; the loader hands them to SymPy, whose parser is Python's
`eval`. So each must be an expression of the kind that torch writes, and nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

_MOST: Final = 32 << 20
_SYMBOL: Final = regex(r"[a-zA-Z]{0,4}\d{1,6}|zuf\d+|zf\d+|oo|int_oo|True|False|nan|zoo")
_FUNCTIONS: Final = frozenset({
    "Max", "Min", "FloorDiv", "Mod", "PythonMod", "CleanDiv", "CeilDiv", "Pow", "Eq", "Ne", "Le", "Lt", "Ge",
    "Gt", "And",
    "Or", "Not", "Xor", "IntTrueDiv", "FloatTrueDiv", "ModularIndexing", "Where", "Add", "Mul", "Symbol",
    "Integer", "Float",
    "PowByNatural", "FloatPow", "ToFloat", "Identity", "RoundToInt", "RoundDecimal", "LShift", "RShift",
    "TruncToFloat",
    "TruncToInt", "FloorToInt", "CeilToInt", "floor", "ceiling", "sqrt", "Abs", "Rational", "Relational", "Piecewise",
    "StrictLessThan", "StrictGreaterThan", "LessThan", "GreaterThan", "Equality", "Unequality", "exp", "log",
    "NaturalDiv",
    "Boolean", "IsNonOverlappingAndDenseIndicator", "OpaqueUnaryFn_sqrt", "OpaqueUnaryFn_log2", "OpaqueUnaryFn_exp",
    "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or", "BitwiseFn_bitwise_xor",
})  # fmt: skip
_NAMESPACES: Final = frozenset({
    "aten", "prim", "prims", "quantized", "quantized_decomposed", "torchvision", "higher_order", "_c10d_functional",
    "c10d_functional", "torchaudio", "fbgemm", "torchao", "xnnpack", "mkldnn", "onednn", "inductor", "executorch",
    "image", "profiler", "export", "_quantized", "torchtext", "bitsandbytes", "rngprims", "triton",
})  # fmt: skip
_REACHING: Final = frozenset(
    {"from_file", "_from_file", "read_file", "write_file", "save", "load", "load_library"}
)
_SAFE_TARGETS: Final = (
    "_operator.",
    "math.",
    "torch.sym_",
    "torch._sym_",
    "torch.utils._sympy.",
    "torch.autograd.",
)


def problems(content: Source, context: Context) -> Iterator[tuple[str, str]]:
    """What is wrong with a graph: its kind (`expression`, `custom`, `reaches`) and the text that is.

    Raises:
        OverBudget: the graph is longer than is read.
        Malformed: it is no JSON.
    """
    if content.size > _MOST:
        raise OverBudget(f"a graph of {content.size:,} bytes is longer than is read")
    try:
        document = json.loads(content.read(0, content.size))
    except (ValueError, RecursionError):
        raise Malformed("the graph is no JSON") from None
    seen: set[tuple[str, str]] = set()
    waiting: list[Any] = [document]
    while waiting:
        context.tick()
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        if not isinstance(value, dict):
            continue
        for key, part in value.items():
            if isinstance(part, dict | list):
                waiting.append(part)
            elif isinstance(part, str):
                kind = _judged(key, part)
                if kind is not None and (kind, part) not in seen and len(seen) < 200:
                    seen.add((kind, part))
                    yield kind, part


def _judged(key: str, text: str) -> str | None:
    if key in ("expr_str", "as_expr", "expr"):
        return None if harmless_expression(text) else "expression"
    if key == "target":
        return _target(text)
    return None


def _target(text: str) -> str | None:
    """What a node calls."""
    steps = text.split(".")
    if text.startswith("torch.ops.") and len(steps) >= 4:
        if steps[3] in _REACHING:
            return "reaches"
        return None if steps[2] in _NAMESPACES else "custom"
    if steps[-1] in _REACHING or (
        len(steps) > 1 and steps[0] in ("os", "subprocess", "builtins", "sys", "importlib")
    ):
        return "reaches"
    if "." not in text or text.startswith(_SAFE_TARGETS):
        return None
    return "custom"


def harmless_expression(text: str) -> bool:
    """Whether the text is arithmetic on symbols, as torch writes it."""
    if len(text) > 20_000 or "__" in text:
        return False
    import ast

    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
                return False
        elif isinstance(node, ast.Name):
            if node.id not in _FUNCTIONS and not _SYMBOL.fullmatch(node.id):
                return False
        elif isinstance(
            node, ast.Attribute | ast.Subscript | ast.Lambda | ast.comprehension | ast.JoinedStr
        ) or (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not _SYMBOL.fullmatch(node.value)
        ):
            return False
    return True
