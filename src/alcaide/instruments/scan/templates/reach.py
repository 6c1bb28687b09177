"""Where a template reaches: from a value to its class, to a function's globals, to any code there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.templates import known, rules

if TYPE_CHECKING:
    from alcaide.instruments.scan.templates.reading import Reading, Say

_DUNDER = regex(r"__\w{2,40}__")
_LONGEST_NAME = 80


class Reach:
    """Judges every step that a template takes from one value to another, and every call."""

    def __init__(self, of: Reading, say: Say) -> None:
        self._of = of
        self._say = say

    def look(self, node: nodes.Node) -> None:
        """Judge one node."""
        match node:
            case nodes.Getattr():
                self._getattr(node)
            case nodes.Getitem():
                self._getitem(node)
                self._composed(node)
            case nodes.Filter():
                self._filter(node)
                self._composed(node)
            case nodes.Concat() | nodes.Add() | nodes.Mod():
                self._composed(node)
            case nodes.Test():
                self._test(node)
            case nodes.Call():
                self._call(node)
                self._composed(node)
            case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
                self._loads(node)
            case nodes.Const():
                self._constant(node)
            case _:
                pass

    def _getattr(self, node: nodes.Getattr) -> None:
        self._reach(node.attr, node)
        self._into_built_in(node.node, node.attr, node)

    def _getitem(self, node: nodes.Getitem) -> None:
        if isinstance(node.arg, nodes.Slice):
            return
        value = self._of.values.of(node.arg)
        for key in value.strings:
            self._reach(key, node, item=True)
            self._into_built_in(node.node, key, node)
        if value.built and not value.constants:
            self._say(
                rules.COMPUTED,
                "rendering the template reaches for a name that it puts together only then",
                node,
            )

    def _reach(self, name: str, node: nodes.Node, *, item: bool = False) -> None:
        """One step from a value to something of it."""
        if len(name) > 200:
            return
        for step in name.split(".") if item else (name,):
            if _DUNDER.fullmatch(step) or step in known.INTERNAL or (step.startswith("__") and not item):
                self._say(
                    rules.ESCAPE,
                    f"rendering the template reaches into Python itself through `{step}`, "
                    "from where any code can be run",
                    node,
                    name=step,
                )
            elif step.startswith("_") and (not item or step.startswith("__")):
                self._say(
                    rules.ESCAPE,
                    f"rendering the template reaches for the internal name `{step}`",
                    node,
                    level=Level.HIGH,
                    name=step,
                )

    def _into_built_in(self, of: nodes.Node, name: str, node: nodes.Node) -> None:
        if not isinstance(of, nodes.Name) or name in known.BUILT_IN_ATTRIBUTES:
            return
        if of.name in known.BUILT_INS and f"{of.name}.{name}" not in self._of.values.names():
            self._say(
                rules.ESCAPE,
                f"rendering the template reaches into the function `{of.name}` for `{name}`",
                node,
                level=Level.HIGH,
                name=name,
            )
        elif of.name in known.FRAMEWORK and of.name not in self._of.values.names() and self._free(of.name):
            self._say(
                rules.FRAMEWORK,
                f"rendered by a web program, the template reads `{of.name}.{name}` of the program itself",
                node,
                name=f"{of.name}.{name}",
            )

    def _free(self, name: str) -> bool:
        """Whether nothing in the template gives the name a meaning of its own: a loop's target, a parameter."""
        return not any(
            isinstance(node, nodes.Name) and node.name == name and node.ctx in {"store", "param"}
            for node in self._of.nodes
        )

    def _filter(self, node: nodes.Filter) -> None:
        if node.name == "attr":
            self._attr_filter(node, list(node.args) + [keyword.value for keyword in node.kwargs])
        elif node.name not in known.FILTERS:
            decodes = re.search(r"decode|b64|base64|unhex|eval|exec|system|shell", node.name, re.IGNORECASE)
            self._say(
                rules.ENCODED if decodes else rules.UNKNOWN_FILTER,
                f"the template uses the filter `{node.name}`, and what that does is not known here",
                node,
                name=node.name,
            )
        elif node.name in known.ATTRIBUTE_FILTERS:
            self._attribute_filter(node)

    def _attr_filter(self, node: nodes.Node, arguments: list[nodes.Expr]) -> None:
        """`x|attr(name)` is `getattr`, and nothing a conversation holds needs it."""
        names = [name for argument in arguments[:1] for name in self._of.values.of(argument).strings]
        for name in names:
            self._reach(name, node)
        if not names:
            self._say(
                rules.ESCAPE,
                "rendering the template reaches, by the `attr` filter, for a name that it makes up only then",
                node,
            )
        else:
            self._say(
                rules.COMPUTED,
                f"rendering the template reaches for `{names[0]}` by the `attr` filter, past the rules for items",
                node,
                name=names[0],
            )

    def _attribute_filter(self, node: nodes.Filter) -> None:
        """`map(attribute='a.b')`, `map('attr', 'a')`, `selectattr('a.b', …)`: ways written as text."""
        ways = [keyword.value for keyword in node.kwargs if keyword.key == "attribute"]
        if node.name in {"selectattr", "rejectattr", "groupby"}:
            ways += node.args[:1]
        elif node.name == "map" and node.args:
            named = list(self._of.values.of(node.args[0]).strings)
            if "attr" in named:
                self._attr_filter(node, list(node.args[1:]))
            unknown = [name for name in named if name not in known.FILTERS and name != "attr"]
            if unknown or not named:
                what = f"`{unknown[0]}`" if unknown else "a filter it names only then"
                self._say(rules.UNKNOWN_FILTER, f"rendering the template applies {what}", node)
        elif node.name in {"sum", "unique", "sort", "min", "max", "join"}:
            ways += node.args[1:] if node.name in {"join", "sort", "unique"} else node.args[:1]
        for way in ways:
            value = self._of.values.of(way)
            for name in value.strings:
                self._reach(name, node, item=True)
            if value.built and not value.constants:
                self._say(
                    rules.COMPUTED,
                    f"rendering the template reaches, by `{node.name}`, for a name that it puts together only then",
                    node,
                )

    def _test(self, node: nodes.Test) -> None:
        if node.name not in known.TESTS:
            self._say(
                rules.UNKNOWN_FILTER,
                f"the template uses the test `{node.name}`, and what that does is not known here",
                node,
                name=node.name,
            )

    def _call(self, node: nodes.Call) -> None:
        match node.node:
            case nodes.Name(name=name):
                self._call_name(node, name)
            case nodes.Getattr(attr=attr):
                self._call_method(node, attr)
            case nodes.Getitem(arg=arg):
                names = list(self._of.values.of(arg).strings)
                for name in names:
                    self._call_method(node, name)
                if not names:
                    self._say(
                        rules.UNKNOWN_CALL,
                        "rendering the template calls something that it looks up only then",
                        node,
                    )
            case _:
                self._say(
                    rules.UNKNOWN_CALL, "rendering the template calls what an expression comes to", node
                )

    def _call_name(self, node: nodes.Call, name: str) -> None:
        if name in known.ACTS and name not in self._of.macros:
            self._say(
                rules.ESCAPE, f"rendering the template calls `{name}`", node, level=Level.HIGH, name=name
            )
        elif name not in known.FUNCTIONS and name not in self._of.macros and not self._is_loop(name):
            self._say(
                rules.UNKNOWN_CALL,
                f"rendering the template calls `{name}`, and what that does is not known here",
                node,
                name=name,
            )

    def _is_loop(self, name: str) -> bool:
        """Whether a name can only be a macro that is passed on: a parameter of a macro."""
        return any(argument.name == name for macro in self._of.macros.values() for argument in macro.args)

    def _call_method(self, node: nodes.Call, name: str) -> None:
        if name in known.METHODS:
            if name in {"format", "format_map"} and isinstance(node.node, nodes.Getattr):
                for text in self._of.values.of(node.node.node).strings:
                    if re.search(r"\{[^{}]*[.\[]_", text):
                        self._say(
                            rules.ESCAPE,
                            "rendering the template reads internals of Python through a format string",
                            node,
                            level=Level.HIGH,
                        )
            return
        if isinstance(node.node, nodes.Getattr) and isinstance(node.node.node, nodes.Name):
            owner = node.node.node.name
            if owner in {"self", "loop"} or f"{owner}.{name}" in self._of.values.names():
                return
        if name in known.ACTS:
            self._say(
                rules.ESCAPE,
                f"rendering the template calls `{name}`, which nothing in a conversation has",
                node,
                level=Level.HIGH,
                name=name,
            )
        elif not name.startswith("__"):
            self._say(
                rules.UNKNOWN_CALL,
                f"rendering the template calls the method `{name}`, and what that does is not known here",
                node,
                name=name,
            )

    def _loads(self, node: nodes.Node) -> None:
        what = type(node).__name__.lower().replace("fromimport", "from … import")
        source = next(iter(self._of.values.of(getattr(node, "template", None)).strings), None)
        self._say(
            rules.LOADS_OTHER,
            f"rendering the template reads another one (`{what}`"
            + (f" of `{source}`)" if source else ", named only then)"),
            node,
            name=source,
        )

    def _constant(self, node: nodes.Const) -> None:
        """A name of Python's machinery as text: of no use but to be reached for."""
        text = node.value
        if isinstance(text, str) and len(text) <= _LONGEST_NAME:
            bare = text.strip(" .'\"[]()")
            if bare in known.DUNDERS:
                self._say(
                    rules.ESCAPE,
                    f"the template holds `{bare}` as text, a name by which templates reach into Python",
                    node,
                    level=Level.HIGH,
                    name=bare,
                )

    def _composed(self, node: nodes.Expr) -> None:
        """A text put together from pieces that comes to such a name."""
        for text in self._of.values.of(node).strings:
            for found in _DUNDER.findall(text[:500]):
                if found in known.DUNDERS:
                    self._say(
                        rules.ESCAPE,
                        f"the template puts the name `{found}` together from pieces, to hide that it reaches for it",
                        node,
                        name=found,
                    )
