"""What a template makes the model read that nobody in the conversation wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.templates import known, rules, words
from alcaide.instruments.scan.templates.reading import below

if TYPE_CHECKING:
    from alcaide.instruments.scan.templates.reading import Reading, Say

_PREFIXES = frozenset({"startswith", "endswith", "find", "count", "index", "rfind"})


class Steering:
    """Judges the words of a template, and when it says them."""

    def __init__(self, of: Reading, say: Say) -> None:
        self._of = of
        self._say = say

    def look(self, node: nodes.Node) -> None:
        """Judge one node."""
        match node:
            case nodes.If() | nodes.CondExpr():
                self._if(node)
            case nodes.TemplateData(data=text):
                self._said(text, node)
            case nodes.Const(value=str() as text):
                self._said(text, node)
            case nodes.Filter(name="replace", args=[old, new, *_]) if self._of.is_content(node.node):
                self._rewritten(node, old, new)
            case nodes.Call(node=nodes.Getattr(attr="replace") as method, args=[old, new, *_]) if (
                self._of.is_content(method.node)
            ):
                self._rewritten(node, old, new)
            case _:
                pass

    def _condition(self, test: nodes.Node) -> str | None:  # noqa: C901 - one case for each way to look for a phrase
        """The phrase that a condition looks for in what somebody wrote, if it does."""
        for node in below(test):
            phrases: list[nodes.Node] = []
            match node:
                case nodes.Compare(expr=left, ops=ops):
                    for operand in ops:
                        if operand.op in {"in", "notin"} and self._of.is_content(operand.expr):
                            phrases.append(left)
                        elif operand.op in {"eq", "ne", "in", "notin"} and self._of.is_content(left):
                            phrases.append(operand.expr)
                        elif operand.op in {"eq", "ne"} and self._of.is_content(operand.expr):
                            phrases.append(left)
                case nodes.Call(node=nodes.Getattr() as method, args=args) if (
                    method.attr in _PREFIXES and self._of.is_content(method.node)
                ):
                    phrases.extend(args[:1])
                case nodes.Test() if node.name in known.LOOKING_TESTS:
                    if self._of.is_content(node.node):
                        phrases.extend(node.args[:1])
                    elif node.args and self._of.is_content(node.args[0]) and node.node is not None:
                        phrases.append(node.node)
                case _:
                    pass
            for phrase in phrases:
                for constant in self._of.values.of(phrase).constants:
                    for text in constant if isinstance(constant, list) else [constant]:
                        if isinstance(text, str) and words.is_phrase(text):
                            return text
        return None

    def _if(self, node: nodes.If | nodes.CondExpr) -> None:
        phrase = self._condition(node.test)
        dated = phrase is None and self._dated(node.test)
        if phrase is None and not dated:
            return
        bodies = [node.expr1, node.expr2] if isinstance(node, nodes.CondExpr) else [*node.body, *node.else_]
        for body in bodies:
            for part in below(body) if body is not None else ():
                text = (
                    part.data
                    if isinstance(part, nodes.TemplateData)
                    else (part.value if isinstance(part, nodes.Const) else None)
                )
                if isinstance(text, str) and words.is_prose(text):
                    when = f"the conversation holds `{phrase}`" if phrase else "a certain date has come"
                    self._say(
                        rules.TRIGGER,
                        f"when {when}, the template adds words of its own for the model: `{text.strip()[:160]}`",
                        node,
                        level=None if phrase else Level.MEDIUM,
                        phrase=phrase,
                    )
                    return

    def _dated(self, test: nodes.Node) -> bool:
        """Whether a condition compares today's date with one that is written down."""
        for node in below(test):
            if isinstance(node, nodes.Compare):
                sides = [node.expr, *(operand.expr for operand in node.ops)]
                today = any(
                    isinstance(part, nodes.Call)
                    and isinstance(part.node, nodes.Name)
                    and part.node.name == "strftime_now"
                    for side in sides
                    for part in below(side)
                )
                fixed = any(isinstance(side, nodes.Const) for side in sides)
                if today and fixed:
                    return True
        return False

    def _rewritten(self, node: nodes.Node, old: nodes.Node, new: nodes.Node) -> None:
        """What somebody wrote, changed on the way to the model: words for words."""
        for before in self._of.values.of(old).strings:
            for after in self._of.values.of(new).strings:
                if words.is_phrase(before) and words.is_prose(after, 1):
                    self._say(
                        rules.TRIGGER,
                        f"the template changes what was written: the model reads `{after[:100]}` for `{before[:100]}`",
                        node,
                        phrase=before,
                    )

    def _said(self, text: str, node: nodes.Node) -> None:
        if len(text) < 12 and text.isascii():
            return
        for one in words.said(text):
            match one.kind:
                case "instruction":
                    self._say(
                        rules.INSTRUCTION, f"the template tells the model {one.what}: `{one.quote}`", node
                    )
                case "address":
                    self._say(
                        rules.ADDRESS,
                        f"the template gives the model the address `{one.what}`: `{one.quote}`",
                        node,
                        host=one.what,
                    )
                case "encoded":
                    self._say(
                        rules.ENCODED, f"the template holds encoded text, which says `{one.what[:160]}`", node
                    )
                case "invisible":
                    self._say(
                        rules.INVISIBLE,
                        f"the template holds characters that nobody sees, such as {one.what}",
                        node,
                    )
                case _:
                    pass
