"""What a template costs: loops and texts that are huge whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from alcaide.instruments.scan.templates import rules
from alcaide.instruments.scan.templates.reading import ENDLESS

if TYPE_CHECKING:
    from alcaide.instruments.scan.templates.reading import Reading, Say

_BIG_LOOP = 1_000_000
"""Turns. A conversation has thousands of messages, and no template loops over anything else."""
_BIG_TEXT = 10_000_000
_BIG_POWER = 4096


class Tiring:
    """Judges every loop, product, power and width of a template."""

    def __init__(self, of: Reading, say: Say) -> None:
        self._of = of
        self._say = say

    def look(self, node: nodes.Node) -> None:
        """Judge one node."""
        match node:
            case nodes.For():
                self._for(node)
            case nodes.Mul():
                self._product(node)
            case nodes.Pow():
                self._power(node)
            case nodes.Macro():
                self._macro(node)
            case nodes.Filter() | nodes.Call():
                self._widths(node)
            case _:
                pass

    def _widths(self, node: nodes.Filter | nodes.Call) -> None:
        for argument in [*node.args, *(keyword.value for keyword in node.kwargs)]:
            self._big(argument, node)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range":
            turns = self._of.turns(node)
            if turns > _BIG_LOOP:
                self._bomb("a list", turns, node)

    def _for(self, node: nodes.For) -> None:
        outer = self._of.loops.get(id(node), 1)
        turns = outer * self._of.turns(node.iter)
        if turns > _BIG_LOOP and self._of.turns(node.iter) > 1:
            self._bomb("a loop", turns, node)

    def _product(self, node: nodes.Mul) -> None:
        for text, count in ((node.left, node.right), (node.right, node.left)):
            number = self._of.number(count)
            if number is None or number < _BIG_TEXT:
                continue
            kinds = self._of.values.of(text).constants
            if any(isinstance(kind, str | list) for kind in kinds) or isinstance(
                text, nodes.List | nodes.Tuple
            ):
                self._bomb("a text", number, node)

    def _power(self, node: nodes.Pow) -> None:
        """`9 ** 9 ** 9` is a tower: the exponents multiply."""
        exponent, base = 1, node
        while isinstance(base, nodes.Pow):
            power = self._of.number(base.right)
            exponent *= max(1, power) if power is not None else 1
            base = base.left  # type: ignore[assignment]  # any expression
            if exponent > _BIG_POWER:
                self._say(
                    rules.BOMB, "rendering the template computes a number of thousands of figures", node
                )
                return

    def _big(self, argument: nodes.Node, node: nodes.Node) -> None:
        """`center(10**9)`, `indent(10**9)`, `lipsum(10**6)`: a width is a text of that length."""
        if isinstance(argument, nodes.Const | nodes.Pow | nodes.Mul):
            number = self._of.number(argument)
            name = (
                node.node.name if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) else ""
            )
            if number is not None and number >= _BIG_TEXT and name not in {"range", *self._of.macros}:
                self._bomb("a text", number, node)

    def _bomb(self, what: str, size: int, node: nodes.Node) -> None:
        shown = f"{size:,}" if size < ENDLESS else "more than a trillion"
        self._say(
            rules.BOMB, f"rendering the template makes {what} of {shown} steps, whatever is asked", node
        )

    def _macro(self, node: nodes.Macro) -> None:
        """A macro that calls itself in any case never ends."""
        for statement in node.body:
            if isinstance(statement, nodes.Output):
                for call in statement.find_all(nodes.Call):
                    if isinstance(call.node, nodes.Name) and call.node.name == node.name:
                        guarded = any(
                            isinstance(part, nodes.CondExpr) for part in statement.find_all(nodes.CondExpr)
                        )
                        if not guarded:
                            self._say(
                                rules.BOMB, f"the macro `{node.name}` calls itself without an end", node
                            )
