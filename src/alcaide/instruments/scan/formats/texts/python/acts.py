"""What a Python file does when it is imported, and what it does when it is used: found in its syntax tree.

Module level, class bodies, decorators and default values run on import; so does a function that module level calls,
directly or through others of the file. All else runs when somebody calls it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeGuard

from alcaide.instruments.scan.formats.texts.python.effects import DECODERS, EFFECTS, Effect
from alcaide.instruments.scan.formats.texts.python.values import (
    HOLE,
    Known,
    Local,
    Ref,
    Scope,
    Value,
    text_of,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DEEPEST_CODE = 3
_MOST = 2_000


class When(Enum):
    """What has to happen for an act."""

    IMPORT = "import"
    MAIN = "main"
    USE = "use"


@dataclass(frozen=True, slots=True)
class Act:
    """One call that reaches out."""

    effect: Effect
    name: str
    """In full: `os.system`."""
    argument: str | None
    """Its first argument as text where that is known; `values.HOLE` stands for parts that are not."""
    line: int
    when: When
    function: str = ""
    """The function it is in, or ""."""
    hidden: bool = False
    """Whether the name was reached by a way that keeps it from being read, or stands in a string that is run."""
    decoded: bool = False
    """Whether what it runs was unpacked or fetched in the same file: nobody can have read it."""
    safe: bool = False
    """Whether its arguments make it harmless (`weights_only=True`, a mode that only reads)."""
    rooted: bool = False
    """Whether it names a path outside of where it works."""


@dataclass(slots=True)
class Story:
    """All that was found in one file."""

    acts: list[Act] = field(default_factory=list)
    bases: dict[str, list[str]] = field(default_factory=dict)
    """Each class and the names it is derived from, as written."""
    relative: list[str] = field(default_factory=list)
    """Modules beside this one that it imports."""
    functions: set[str] = field(default_factory=set)
    """Its functions, with the classes they are in: `Model.forward`."""
    names: set[str] = field(default_factory=set)
    """Every name in full that it calls or reads and that comes from outside."""


@dataclass(frozen=True, slots=True)
class _Place:
    when: When
    function: str
    hidden: bool = False
    depth: int = 0


class Reader:
    """Goes through one file."""

    def __init__(self, tick: Callable[[int], None], install: bool = False) -> None:
        self._tick = tick
        self._install = install
        self.story = Story()
        self._waiting: list[tuple[list[ast.stmt], Scope, _Place, list[str]]] = []
        self._calls: dict[str, set[str]] = {}
        self._functions = self.story.functions

    def read(self, tree: ast.Module) -> Story:
        """All acts of a file, with those that module level reaches counted as done on import."""
        top = Scope()
        self._body(tree.body, top, _Place(When.IMPORT, ""))
        while self._waiting:
            body, scope, place, parameters = self._waiting.pop()
            inner = Scope(scope)
            for name in parameters:
                inner.set(name, None)
            self._body(body, inner, place)
        self._reach()
        return self.story

    def _reach(self) -> None:
        """Functions that import calls, directly or not, act on import; those of the main part, when it runs."""
        for when, start in ((When.MAIN, "<main>"), (When.IMPORT, "<import>")):
            reached: set[str] = set()
            waiting = [start]
            while waiting:
                self._tick(1)
                for name in self._calls.get(waiting.pop(), ()):
                    for target in self._targets(name):
                        if target not in reached:
                            reached.add(target)
                            waiting.append(target)
            self.story.acts = [
                replace(act, when=when) if act.when is not When.IMPORT and act.function in reached else act
                for act in self.story.acts
            ]

    def _targets(self, name: str) -> Iterator[str]:
        """The functions of this file that a call of `name` runs: itself, or what making an instance runs."""
        if name in self._functions:
            yield name
        for special in ("__init__", "__new__", "__post_init__", "__call__", "__enter__"):
            if f"{name}.{special}" in self._functions:
                yield f"{name}.{special}"

    def _body(self, body: list[ast.stmt], scope: Scope, place: _Place) -> None:
        """Statements in order, with those inside of others; the stack is a list, whatever the file nests."""
        waiting: list[tuple[ast.stmt, _Place]] = [(statement, place) for statement in reversed(body)]
        while waiting:
            statement, here = waiting.pop()
            self._tick(4)
            inner, at = self._statement(statement, scope, here)
            waiting.extend((item, at) for item in reversed(inner))

    def _statement(self, node: ast.stmt, scope: Scope, place: _Place) -> tuple[list[ast.stmt], _Place]:
        """One statement; returns what is inside of it and where that runs."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node, scope)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._function(node, scope, place)
        elif isinstance(node, ast.ClassDef):
            self._class(node, scope, place)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assign(node, scope, place)
        elif isinstance(node, ast.If):
            return self._if(node, scope, place)
        else:
            return self._block(node, scope, place), place
        return [], place

    def _if(self, node: ast.If, scope: Scope, place: _Place) -> tuple[list[ast.stmt], _Place]:
        if _is_main(node.test):
            self._body(node.orelse, scope, place)
            return node.body, replace(place, when=When.MAIN) if place.when is When.IMPORT else place
        if _is_type_checking(node.test):
            return node.orelse, place
        self._expressions(node.test, scope, place)
        return node.body + node.orelse, place

    def _block(self, node: ast.stmt, scope: Scope, place: _Place) -> list[ast.stmt]:
        """A statement that may have others inside; its own expressions are looked at here."""
        match node:
            case ast.Try() | ast.TryStar():
                inner = node.body + [item for handler in node.handlers for item in handler.body]
                return inner + node.orelse + node.finalbody
            case ast.For() | ast.AsyncFor():
                self._expressions(node.iter, scope, place)
                self._forget(node.target, scope)
                return node.body + node.orelse
            case ast.While():
                self._expressions(node.test, scope, place)
                return node.body + node.orelse
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expressions(item.context_expr, scope, place)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, item.context_expr, scope)
                return node.body
            case ast.Match():
                self._expressions(node.subject, scope, place)
                return [item for case in node.cases for item in case.body]
            case _:
                self._expressions(node, scope, place)
                return []

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                scope.set(alias.asname or whole, Ref(whole))
                self.story.names.add(alias.name)
            return
        if node.level:
            if node.level == 1:
                self.story.relative.extend(
                    [node.module] if node.module else [alias.name for alias in node.names]
                )
            for alias in node.names:
                scope.set(alias.asname or alias.name, None)
            return
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                prefix = f"{module}."
                for name in EFFECTS:
                    if name.startswith(prefix) and "." not in name[len(prefix) :]:
                        scope.set(name[len(prefix) :], Ref(name))
                continue
            scope.set(alias.asname or alias.name, Ref(f"{module}.{alias.name}"))
            self.story.names.add(f"{module}.{alias.name}")

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, place: _Place) -> None:
        name = f"{place.function}.{node.name}" if place.function else node.name
        for expression in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if expression is not None:
                self._expressions(expression, scope, place)
        for decorator in node.decorator_list:
            target = value_of(decorator, scope)
            if isinstance(target, Local):
                self._called(target.name, place)
        self._functions.add(name)
        scope.set(node.name, Local(name))
        arguments = node.args
        parameters = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        parameters.extend(arg.arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None)
        when = When.USE
        if self._install and node.name == "run" and place.function in self.story.bases:
            when = When.IMPORT
        self._waiting.append((node.body, scope, _Place(when, name, place.hidden, place.depth), parameters))

    def _class(self, node: ast.ClassDef, scope: Scope, place: _Place) -> None:
        name = f"{place.function}.{node.name}" if place.function else node.name
        self.story.bases[name] = [_written(base) for base in node.bases[:20]]
        for expression in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            self._expressions(expression, scope, place)
        scope.set(node.name, Local(name))
        inner = Scope(scope)
        # A class body runs where the class is defined; its functions are named below it.
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._statement(statement, inner, replace(place, function=name))
            else:
                self._body([statement], inner, place)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, scope: Scope, place: _Place) -> None:
        if node.value is None:
            return
        self._expressions(node.value, scope, place)
        if isinstance(node, ast.AugAssign):
            combined = ast.BinOp(node.target, node.op, node.value)
            if isinstance(node.target, ast.Name):
                scope.set(node.target.id, value_of(combined, scope), node.value)
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            self._bind(target, node.value, scope)

    def _bind(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.set(target.id, value_of(value, scope), value)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            found = value_of(value, scope)
            if isinstance(found, Ref | Local):
                scope.set(f"{target.value.id}.{target.attr}", found)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._bind(one, other, scope)
            else:
                self._forget(target, scope)

    def _forget(self, target: ast.expr, scope: Scope) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                scope.set(node.id, None)

    def _called(self, name: str, place: _Place) -> None:
        caller = {When.IMPORT: "<import>", When.MAIN: "<main>"}.get(place.when, place.function)
        self._calls.setdefault(caller, set()).add(name)

    def _expressions(self, node: ast.AST, scope: Scope, place: _Place) -> None:
        """Every call in an expression, however deep."""
        found, looked = _telling(node)
        self._tick(looked)
        for inner in found:
            if isinstance(inner, ast.Call):
                self._call(inner, scope, place)
            elif isinstance(inner, ast.Attribute):
                self._escape(inner, place)
            elif isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
                scope.set(inner.target.id, value_of(inner.value, scope), inner.value)

    def _escape(self, node: ast.Attribute, place: _Place) -> None:
        """`().__class__.__base__.__subclasses__()`: every class there is, without a name."""
        written = ast.unparse(node)[:200] if _short(node) else ""
        if "__class__" in written or "__base__" in written or "__mro__" in written:
            self._add(
                Act(
                    Effect.CODE,
                    "__subclasses__",
                    written,
                    node.lineno,
                    place.when,
                    place.function,
                    hidden=True,
                )
            )

    def _call(self, node: ast.Call, scope: Scope, place: _Place) -> None:
        function = value_of(node.func, scope)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            # A function that is handed over is called by whom it is handed to.
            if isinstance(argument, ast.Name | ast.Attribute):
                handed = value_of(argument, scope)
                if isinstance(handed, Local):
                    self._called(handed.name, place)
                elif isinstance(handed, Ref) and EFFECTS.get(handed.name) in (Effect.PROGRAM, Effect.CODE):
                    self._handed(node, handed, scope, place)
        if isinstance(function, Local):
            self._called(function.name, place)
        elif _is_own_method(node.func) and "." in place.function:
            self._called(f"{place.function.rpartition('.')[0]}.{node.func.attr}", place)
        if isinstance(function, Ref):
            self._outside(node, function, scope, place)

    def _handed(self, node: ast.Call, handed: Ref, scope: Scope, place: _Place) -> None:
        """`map(os.system, ["id"])`, `Thread(target=os.system, args=("id",))`: a call by another's hand."""
        texts = [text_of(value_of(argument, scope)) for argument in node.args]
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            value = value_of(argument, scope)
            if isinstance(value, Known) and isinstance(value.value, tuple) and value.value:
                texts.append(str(value.value[0]))
        text = next((text for text in texts if text), None)
        effect = EFFECTS[handed.name]
        self._add(
            Act(
                effect,
                handed.name,
                text,
                node.lineno,
                place.when,
                place.function,
                handed.hidden or place.hidden,
            )
        )

    def _outside(self, node: ast.Call, function: Ref, scope: Scope, place: _Place) -> None:
        self.story.names.add(function.name)
        effect = EFFECTS.get(function.name)
        if effect is None:
            return
        arguments = node.args or [keyword.value for keyword in node.keywords[:1]]
        for keyword in node.keywords:
            if keyword.arg in ("args", "cmd", "command"):
                arguments = [keyword.value]
        value = value_of(arguments[0], scope) if arguments else None
        text = _shown(value)
        act = Act(
            effect,
            function.name,
            text,
            node.lineno,
            place.when,
            place.function,
            hidden=function.hidden or place.hidden,
            decoded=bool(arguments) and self._is_decoded(arguments[0], scope),
            safe=_is_safe(node, function.name, effect, value, scope),
            rooted=_is_rooted(text),
        )
        runs_text = function.name in ("builtins.exec", "builtins.eval", "builtins.execfile")
        if runs_text and text is not None and self._code(text, place, act):
            return
        self._add(act)

    def _code(self, text: str, place: _Place, act: Act) -> bool:
        """Code in a string: read like the file itself. True if that says all there is to say."""
        if HOLE in text or place.depth >= _DEEPEST_CODE:
            return False
        try:
            tree = parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        inner = Reader(self._tick)
        inner._waiting.append((tree.body, Scope(), _Place(When.IMPORT, "", True, place.depth + 1), []))
        story = inner.read(ast.Module([], []))
        for found in story.acts:
            self._add(
                replace(
                    found,
                    line=act.line,
                    when=place.when,
                    function=place.function,
                    hidden=True,
                    decoded=found.decoded or act.decoded,
                )
            )
        return not act.decoded

    def _is_decoded(self, node: ast.expr, scope: Scope) -> bool:
        """Whether an expression unpacks or fetches something, here or where its names were given their values."""
        waiting: list[tuple[ast.AST, int]] = [(node, 0)]
        looked = 0
        while waiting:
            current, depth = waiting.pop()
            for inner in ast.walk(current):
                looked += 1
                self._tick(1)
                if looked > 2_000:
                    return False
                if isinstance(inner, ast.Call):
                    function = value_of(inner.func, scope)
                    if isinstance(function, Ref) and (
                        function.name in DECODERS
                        or EFFECTS.get(function.name) in (Effect.FETCH, Effect.CONNECT)
                    ):
                        return True
                elif isinstance(inner, ast.Name) and depth < 4:
                    given = scope.node(inner.id)
                    if given is not None:
                        waiting.append((given, depth + 1))
        return False

    def _add(self, act: Act) -> None:
        if len(self.story.acts) < _MOST:
            self.story.acts.append(act)


def parse(source: str) -> ast.Module:
    """The syntax tree of some Python, without the compiler's warnings.

    Raises:
        SyntaxError: it is none.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


_LEAVES = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


def _telling(root: ast.AST) -> tuple[list[ast.AST], int]:
    """The nodes below one that matter here, outermost first, and how many were looked at.

    `ast.walk` does this in twice the time, and it is most of the time that a file takes.
    """
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [root]
    looked = 0
    while waiting:
        node = waiting.pop()
        looked += 1
        kind = type(node)
        telling = kind is ast.Call or kind is ast.NamedExpr
        if telling or (isinstance(node, ast.Attribute) and node.attr == "__subclasses__"):
            found.append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting.extend(
                    item for item in value if isinstance(item, ast.AST) and not isinstance(item, _LEAVES)
                )
            elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
                waiting.append(value)
    return found, looked


def _is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`."""
    return (
        isinstance(test, ast.Compare)
        and any(
            isinstance(side, ast.Name) and side.id == "__name__" for side in (test.left, *test.comparators)
        )
        and any(
            isinstance(side, ast.Constant) and side.value == "__main__"
            for side in (test.left, *test.comparators)
        )
        and isinstance(test.ops[0], ast.Eq)
    )


def _is_own_method(node: ast.expr) -> TypeGuard[ast.Attribute]:
    """`self.name`, `cls.name`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    )


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _written(node: ast.expr) -> str:
    """A base class as written, its last part."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _short(node: ast.AST) -> bool:
    return sum(1 for _, _ in zip(ast.walk(node), range(200), strict=False)) < 200


def _shown(value: Value) -> str | None:
    """An argument as text; a list of words as a command line."""
    text = text_of(value)
    if text is not None:
        return text
    if isinstance(value, Known) and isinstance(value.value, tuple):
        return " ".join(str(part) for part in value.value[:50])[:4000]
    return None


def _is_rooted(text: str | None) -> bool:
    return text is not None and (text.startswith(("/", "~", "\\", "..")) or text[1:3] in (":\\", ":/"))


def _is_safe(node: ast.Call, name: str, effect: Effect, value: Value, scope: Scope) -> bool:
    """Whether the arguments make a call harmless."""
    keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if name.startswith("yaml."):
        loader = keywords.get("Loader") or (node.args[1] if len(node.args) > 1 else None)
        said = (
            loader.attr
            if isinstance(loader, ast.Attribute)
            else loader.id
            if isinstance(loader, ast.Name)
            else ""
        )
        return "Safe" in said or "Base" in said or "unsafe" not in name
    if name == "torch.load":
        given = keywords.get("weights_only")
        return not (isinstance(given, ast.Constant) and given.value is False)
    if name == "numpy.load":
        given = keywords.get("allow_pickle")
        return not (isinstance(given, ast.Constant) and given.value is True)
    if effect is Effect.WRITE and name != "os.open":
        mode = keywords.get("mode") or (node.args[1] if len(node.args) > 1 else None)
        said_mode = text_of(value_of(mode, scope)) if mode is not None else "r"
        return said_mode is None or not set(said_mode) & set("wax+")
    if effect is Effect.MODULE:
        return isinstance(value, Known)
    if name == "builtins.eval":
        return len(node.args) > 1 and isinstance(node.args[1], ast.Dict)
    return False
