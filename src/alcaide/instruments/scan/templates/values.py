"""What an expression can come to, as far as the template alone says: enough to see a name being put together.

An attacker who may not write `__class__` writes `'__cla' ~ 'ss__'`, `'ssalc'|reverse`, `dict(__cla=1, ss__=1)|join`
or `'%c' % 95`. This evaluates such expressions over sets of constants, without Jinja, without loops, and bounded in
time and size: at most `MOST` values of at most `LONG` characters each. Where a template assigns a variable twice, it
can have both values; the order of assignments is not followed, so that a detour through a loop hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from jinja2 import nodes

MOST = 24
LONG = 2048
DEEP = 40


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression can be."""

    constants: tuple[Any, ...] = ()
    complete: bool = False
    """Whether it can be nothing else."""
    built: bool = False
    """Whether text is put together to make it: the mark of a name that is not to be read."""

    @property
    def strings(self) -> Iterator[str]:
        """Those that are text."""
        return (constant for constant in self.constants if isinstance(constant, str))


UNKNOWN = Value()


class Values:
    """The variables of one template and what they can be."""

    def __init__(self) -> None:
        self._variables: dict[str, Value] = {}

    def assign(self, name: str, value: Value) -> bool:
        """Add to what a variable can be; says whether that is news."""
        old = self._variables.get(name)
        if old is None:
            self._variables[name] = value
            return True
        merged = Value(
            _few([*old.constants, *value.constants]),
            old.complete and value.complete,
            old.built or value.built,
        )
        if merged == old:
            return False
        self._variables[name] = merged
        return True

    def names(self) -> Container[str]:
        """Everything that is assigned: variables, `space.attribute`, `macro()`."""
        return self._variables.keys()

    def of(self, node: nodes.Node | None, depth: int = 0) -> Value:  # noqa: C901 - one case for each kind of node
        """What an expression can be."""
        if node is None or depth > DEEP:
            return UNKNOWN
        depth += 1
        match node:
            case nodes.Const():
                return Value((node.value,), True)
            case nodes.TemplateData():
                return Value((node.data,), True)
            case nodes.Name():
                return self._variables.get(node.name, UNKNOWN)
            case nodes.List() | nodes.Tuple():
                return self._list(node, depth)
            case nodes.Dict():
                return self._dict(node, depth)
            case nodes.Concat():
                return self._concat(node, depth)
            case nodes.CondExpr():
                return _union([self.of(node.expr1, depth), self.of(node.expr2, depth)])
            case nodes.Or() | nodes.And():
                return _union([self.of(node.left, depth), self.of(node.right, depth)])
            case nodes.Neg():
                return _each(lambda number: -number, [self.of(node.node, depth)])
            case nodes.BinExpr() if type(node) in _OPERATIONS:
                return self._binary(node, depth)
            case nodes.Getitem():
                return self._item(node, depth)
            case nodes.Getattr():
                return self._attribute(node, depth)
            case nodes.Filter():
                return self._filter(node, depth)
            case nodes.Call():
                return self._call(node, depth)
            case _:
                return UNKNOWN

    def _list(self, node: nodes.List | nodes.Tuple, depth: int) -> Value:
        items = [self.of(item, depth) for item in node.items[:256]]
        made = _each(lambda *parts: list(parts), items)
        return Value(made.constants, made.complete, any(item.built for item in items))

    def _dict(self, node: nodes.Dict, depth: int) -> Value:
        pairs: dict[Any, Any] = {}
        for pair in node.items[:64]:
            keys, values = self.of(pair.key, depth), self.of(pair.value, depth)
            for key in keys.constants:
                if isinstance(key, str | int):
                    pairs[key] = values.constants[0] if values.constants else None
        return Value((pairs,))

    def _concat(self, node: nodes.Concat, depth: int) -> Value:
        parts = [self.of(part, depth) for part in node.nodes[:64]]
        return _marked(_each(lambda *texts: "".join(map(str, texts)), parts))

    def _binary(self, node: nodes.BinExpr, depth: int) -> Value:
        left, right = self.of(node.left, depth), self.of(node.right, depth)
        made = _each(_OPERATIONS[type(node)], [left, right])
        textual = left.built or right.built or any(left.strings) or any(right.strings)
        return Value(made.constants, made.complete, textual)

    def _item(self, node: nodes.Getitem, depth: int) -> Value:
        of = self.of(node.node, depth)
        if isinstance(node.arg, nodes.Slice):
            bounds = [self.of(part, depth) for part in (node.arg.start, node.arg.stop, node.arg.step)]
            if any(
                part is not None and not bound.constants
                for part, bound in zip((node.arg.start, node.arg.stop, node.arg.step), bounds, strict=True)
            ):
                return Value(built=of.built or bool(of.constants))
            start, stop, step = (bound.constants[0] if bound.constants else None for bound in bounds)
            made = _each(lambda text: text[start:stop:step], [of])
        else:
            made = _each(_pick, [of, self.of(node.arg, depth)])
        return Value(made.constants, made.complete, of.built or any(of.strings))

    def _attribute(self, node: nodes.Getattr, depth: int) -> Value:
        if isinstance(node.node, nodes.Name):
            stored = self._variables.get(f"{node.node.name}.{node.attr}")
            if stored is not None:
                return stored
        return _each(lambda pairs: pairs[node.attr], [self.of(node.node, depth)])

    def _filter(self, node: nodes.Filter, depth: int) -> Value:
        if node.node is None:
            return UNKNOWN
        subject = self.of(node.node, depth)
        arguments = [self.of(argument, depth) for argument in node.args[:8]]
        apply = _FILTERS.get(node.name)
        if apply is None or node.kwargs or node.dyn_args is not None:
            return Value(built=subject.built)
        made = _each(apply, [subject, *arguments])
        builds = node.name in _BUILDERS and (bool(subject.constants) or subject.built)
        return Value(made.constants, made.complete, subject.built or builds)

    def _call(self, node: nodes.Call, depth: int) -> Value:
        arguments = [self.of(argument, depth) for argument in node.args[:8]]
        if isinstance(node.node, nodes.Name):
            if node.node.name == "dict":
                # The keywords of a call are text nobody quoted: `dict(__cla=1)|join`.
                return Value(({keyword.key: None for keyword in node.kwargs[:64]},))
            return self._variables.get(f"{node.node.name}()", UNKNOWN)
        if isinstance(node.node, nodes.Getattr) and not node.kwargs:
            subject = self.of(node.node.node, depth)
            apply = _METHODS.get(node.node.attr)
            if apply is None:
                return UNKNOWN
            made = _each(apply, [subject, *arguments])
            builds = node.node.attr in _BUILDERS and (bool(subject.constants) or subject.built)
            return Value(made.constants, made.complete, subject.built or builds)
        return UNKNOWN


def _few(constants: list[Any]) -> tuple[Any, ...]:
    """Each once, at most `MOST`."""
    kept: list[Any] = []
    for constant in constants:
        if len(kept) >= MOST:
            break
        if not any(type(constant) is type(known) and constant == known for known in kept):
            kept.append(constant)
    return tuple(kept)


def _union(values: list[Value]) -> Value:
    return Value(
        _few([constant for value in values for constant in value.constants]),
        all(value.complete for value in values),
        any(value.built for value in values),
    )


def _marked(value: Value) -> Value:
    return Value(value.constants, value.complete, True)


def _each(apply: Callable[..., Any], parts: list[Value]) -> Value:
    """A function over every combination of what its arguments can be; what it refuses is left out."""
    results: list[Any] = []
    complete = all(part.complete for part in parts)
    for combination in islice(product(*(part.constants for part in parts)), MOST * 4):
        try:
            result = apply(*combination)
        except Exception:  # noqa: BLE001 - types that do not fit are no value; the functions are our own
            complete = False
            continue
        if _small(result):
            results.append(result)
        else:
            complete = False
    return Value(_few(results), complete and bool(results), any(part.built for part in parts))


def _small(value: Any, depth: int = 0) -> bool:
    if isinstance(value, str):
        return len(value) <= LONG
    if isinstance(value, bool | float) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) < 1 << 128
    if isinstance(value, list) and depth < 4:
        return len(value) <= LONG and all(_small(item, depth + 1) for item in value)
    return isinstance(value, dict) and len(value) <= LONG


def _pick(of: Any, key: Any) -> Any:
    return of[key]


def _times(left: Any, right: Any) -> Any:
    for text, count in ((left, right), (right, left)):
        if isinstance(text, str | list) and isinstance(count, int) and len(text) * count > LONG:
            raise OverflowError
    return left * right


def _percent(left: Any, right: Any) -> Any:
    """Old-style formatting of text, for the plain conversions only: a width could be a bomb."""
    if not isinstance(left, str):
        return left % right
    if not re.fullmatch(r"(?:[^%]|%[sdcrx%])*", left):
        raise ValueError
    return left % (tuple(right) if isinstance(right, list) else right)


def _format(text: str, *arguments: Any) -> str:
    """New-style formatting of text, for bare places only."""
    if not re.fullmatch(r"(?:[^{}]|\{[0-9]?(?::c)?\})*", text):
        raise ValueError
    return text.format(*arguments)


def _join(parts: Any, glue: str = "") -> str:
    return str(glue).join(map(str, parts))


def _replace(text: str, old: str, new: str) -> str:
    if not old or len(text) * max(1, len(new)) > LONG * LONG:
        raise ValueError
    return text.replace(old, new)


_OPERATIONS: dict[type, Callable[..., Any]] = {
    nodes.Add: lambda left, right: left + right,
    nodes.Sub: lambda left, right: left - right,
    nodes.Mul: _times,
    nodes.Mod: _percent,
    nodes.FloorDiv: lambda left, right: left // right,
}

_FILTERS: dict[str, Callable[..., Any]] = {
    "join": _join,
    "replace": _replace,
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "capitalize": lambda text: text.capitalize(),
    "title": lambda text: text.title(),
    "reverse": lambda parts: parts[::-1] if isinstance(parts, str) else list(parts)[::-1],
    "trim": lambda text, *characters: text.strip(*characters),
    "string": str,
    "list": list,
    "first": lambda parts: next(iter(parts)),
    "last": lambda parts: list(parts)[-1],
    "safe": str,
    "e": str,
    "escape": str,
    "int": int,
    "abs": abs,
    "sort": sorted,
    "format": lambda text, *arguments: _percent(text, list(arguments)),
    "default": lambda value, *_: value,
    "d": lambda value, *_: value,
    "length": len,
    "count": len,
    "unique": lambda parts: list(dict.fromkeys(parts)),
}

_METHODS: dict[str, Callable[..., Any]] = {
    "join": lambda glue, parts: _join(parts, glue),
    "replace": _replace,
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "casefold": lambda text: text.casefold(),
    "swapcase": lambda text: text.swapcase(),
    "capitalize": lambda text: text.capitalize(),
    "title": lambda text: text.title(),
    "strip": lambda text, *characters: text.strip(*characters),
    "lstrip": lambda text, *characters: text.lstrip(*characters),
    "rstrip": lambda text, *characters: text.rstrip(*characters),
    "removeprefix": lambda text, prefix: text.removeprefix(prefix),
    "removesuffix": lambda text, suffix: text.removesuffix(suffix),
    "split": lambda text, *glue: text.split(*glue),
    "format": _format,
    "keys": list,
    "get": lambda pairs, key, *_: pairs[key],
    "pop": lambda parts, *place: parts[place[0] if place else -1],
}

_BUILDERS = frozenset({"join", "replace", "reverse", "format", "swapcase"})
