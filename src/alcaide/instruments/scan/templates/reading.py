"""A template's tree, read once: all its nodes, what its variables can be, what of it comes from a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import nodes

from alcaide.instruments.scan.templates import known
from alcaide.instruments.scan.templates.values import Value, Values

if TYPE_CHECKING:
    from alcaide.instruments.scan.model import Level, Rule

MOST_NODES = 200_000
ENDLESS = 10**12
"""Where counting stops."""

_CONTENT = frozenset({"content", "text", "user_message", "prompt", "query", "input", "question"})


class Say(Protocol):
    """Keeps a problem."""

    def __call__(
        self, rule: Rule, message: str, node: nodes.Node, *, level: Level | None = None, **detail: Any
    ) -> None:
        """Args as `Context.find`, with the node for the place."""


class Reading:
    """One template, read."""

    def __init__(self, root: nodes.Template) -> None:
        self.root = root
        self.nodes: list[nodes.Node] = []
        self.values = Values()
        self.macros: dict[str, nodes.Macro] = {}
        self.loops: dict[int, int] = {}
        """By a loop's identity: how many turns those around it make of it, as far as they are constant."""
        self.too_many = False
        self._of_content: set[str] = set()
        self._flatten()
        self._collect()

    def _flatten(self) -> None:
        """All nodes, top first, without recursion; what each loop multiplies is kept on the way."""
        waiting: list[tuple[nodes.Node, int]] = [(self.root, 1)]
        while waiting:
            node, turns = waiting.pop()
            self.nodes.append(node)
            if len(self.nodes) > MOST_NODES:
                self.too_many = True
                return
            if isinstance(node, nodes.Macro):
                self.macros.setdefault(node.name, node)
            if isinstance(node, nodes.For):
                self.loops[id(node)] = turns
                turns = min(turns * max(1, self.turns(node.iter)), ENDLESS)
            waiting.extend((child, turns) for child in reversed(list(node.iter_child_nodes())))

    def turns(self, node: nodes.Node) -> int:
        """How often a loop over `range(…)` of constants turns; 1 for anything else."""
        if not (
            isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range"
        ):
            return 1
        numbers = [number for argument in node.args if (number := self.number(argument)) is not None]
        if not numbers or len(numbers) != len(node.args):
            return 1
        try:
            return len(range(*numbers[:3]))
        except OverflowError:
            return ENDLESS
        except ValueError:
            return 1

    def number(self, node: nodes.Node | None) -> int | None:
        if isinstance(node, nodes.Pow):
            base, power = self.number(node.left), self.number(node.right)
            if base is None or power is None:
                return None
            return base**power if 0 <= power <= 64 and abs(base) < 1 << 64 else ENDLESS
        if isinstance(node, nodes.Mul):
            left, right = self.number(node.left), self.number(node.right)
            return None if left is None or right is None else min(left * right, ENDLESS)
        numbers = [
            number
            for number in self.values.of(node).constants
            if isinstance(number, int) and not isinstance(number, bool)
        ]
        return max(numbers) if numbers else None

    def _collect(self) -> None:
        """What variables can be. Three rounds: a name may be put together from names put together."""
        assigning = [
            node
            for node in self.nodes
            if isinstance(
                node, nodes.Assign | nodes.AssignBlock | nodes.For | nodes.With | nodes.Macro | nodes.Call
            )
        ]
        for _ in range(3):
            news = False
            for node in assigning:
                news |= self._assignments(node)
            if not news:
                return

    def _assignments(self, node: nodes.Node) -> bool:  # noqa: C901 - one case for each way to assign
        news = False
        match node:
            case nodes.Assign():
                news = self._bind(node.target, self.values.of(node.node))
                if isinstance(node.target, nodes.Name) and self.is_content(node.node):
                    news |= node.target.name not in self._of_content
                    self._of_content.add(node.target.name)
                if isinstance(node.node, nodes.Call):
                    news |= self._namespace(node.target, node.node)
            case nodes.AssignBlock():
                text = "".join(
                    data.data for data in node.find_all(nodes.TemplateData) if len(data.data) <= 4096
                )
                news = self._bind(node.target, Value((text[:2048],), False, True))
            case nodes.For():
                for constant in self.values.of(node.iter).constants:
                    if isinstance(constant, str | list | dict):
                        for item in list(constant)[:64]:
                            news |= self._bind(node.target, Value((item,)))
            case nodes.With():
                for target, value in zip(node.targets, node.values, strict=False):
                    news |= self._bind(target, self.values.of(value))
            case nodes.Macro():
                for target, value in zip(reversed(node.args), reversed(node.defaults), strict=False):
                    news |= self._bind(target, self.values.of(value))
                returned = [data.data for data in node.find_all(nodes.TemplateData)]
                if returned:
                    news |= self.values.assign(
                        f"{node.name}()", Value(("".join(returned)[:2048],), False, True)
                    )
            case nodes.Call() if isinstance(node.node, nodes.Name) and node.node.name in self.macros:
                macro = self.macros[node.node.name]
                for target, value in zip(macro.args, node.args, strict=False):
                    news |= self._bind(target, self.values.of(value))
                for keyword in node.kwargs:
                    news |= self.values.assign(keyword.key, self.values.of(keyword.value))
            case _:
                pass
        return news

    def _namespace(self, target: nodes.Node, call: nodes.Call) -> bool:
        """`set ns = namespace(a=…)`: what the attributes begin with."""
        news = False
        if (
            isinstance(target, nodes.Name)
            and isinstance(call.node, nodes.Name)
            and call.node.name == "namespace"
        ):
            for keyword in call.kwargs:
                news |= self.values.assign(f"{target.name}.{keyword.key}", self.values.of(keyword.value))
        return news

    def _bind(self, target: nodes.Node, value: Value) -> bool:
        match target:
            case nodes.Name():
                return self.values.assign(target.name, value)
            case nodes.NSRef():
                return self.values.assign(f"{target.name}.{target.attr}", value)
            case nodes.Tuple():
                news = False
                for place, item in enumerate(target.items):
                    parts = tuple(
                        constant[place]
                        for constant in value.constants
                        if isinstance(constant, list) and place < len(constant)
                    )
                    news |= self._bind(item, Value(parts, False, value.built))
                return news
            case _:
                return False

    def is_content(self, node: nodes.Node | None) -> bool:
        """Whether an expression is what somebody wrote in a message, perhaps trimmed or in lower case."""
        for _ in range(40):
            match node:
                case nodes.Filter() if node.name in known.NEUTRAL:
                    node = node.node
                case nodes.Call(node=nodes.Getattr() as method) if method.attr in known.NEUTRAL:
                    node = method.node
                case nodes.Getitem(arg=nodes.Slice()):
                    node = node.node
                case nodes.Getitem(arg=nodes.Const(value=int())):
                    node = node.node
                case nodes.Getitem(arg=nodes.Const(value=str() as key)):
                    return key in _CONTENT
                case nodes.Getattr():
                    return node.attr in _CONTENT
                case nodes.Name():
                    return node.name in self._of_content
                case nodes.Or() | nodes.CondExpr() | nodes.Concat() | nodes.Add():
                    return any(self.is_content(child) for child in node.iter_child_nodes())
                case _:
                    return False
        return False


def below(node: nodes.Node) -> Iterator[nodes.Node]:
    """A node and all below it, without recursion."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(one.iter_child_nodes())
