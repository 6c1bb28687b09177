"""Conditions on arguments: names that are harmless with some arguments and not with others.

The allow-lists name a condition; here is what each means. An answer of None is yes; else it says how bad it is and, as
the end of a sentence, why.
"""

# ruff: noqa: ARG001 - the conditions have one signature, whatever each needs of it

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle.values import (
    PLAIN,
    Blob,
    Bound,
    Global,
    Made,
    Module,
    Table,
    show,
)
from alcaide.instruments.scan.formats.pickle.verdict import dangerous_method
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.formats.pickle.actions import Actions

    Answer = tuple[Level, str] | None
    Condition = Callable[[Actions, tuple[Any, ...], Table | None], Answer]

_BYTE_CODECS: Final = frozenset(
    {"latin1", "latin-1", "iso-8859-1", "ascii", "utf-8", "utf8", "raw_unicode_escape"}
)


def check(name: str, actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """Whether the condition of this name holds for these arguments."""
    return CONDITIONS[name](actions, args, kwargs)


def _byte_text(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`_codecs.encode(text, 'latin1')`: how protocols below 3 write bytes."""
    if len(args) == 2 and args[0].__class__ in (str, Blob) and args[1].__class__ is str:
        if args[1].lower() in _BYTE_CODECS:
            return None
        return Level.CRITICAL, f"codec `{args[1][:40]}` is none that pickles write bytes with"
    if len(args) == 1 and args[0].__class__ in (str, Blob):
        return None
    return Level.MEDIUM, "its arguments are computed"


def _attribute(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`getattr(x, 'name')`: how bound methods and members of enumerations are written."""
    if len(args) not in (2, 3):
        return Level.MEDIUM, "it has another number of arguments than a pickle gives it"
    of, name = args[0], args[1]
    if name.__class__ is not str:
        return Level.CRITICAL, "the name of the attribute is computed"
    if of.__class__ is Module:
        return Level.CRITICAL, f"that fetches `{name[:80]}` from module `{of.name[:80]}`"
    if name == "__new__" and of.__class__ is Global:
        return None
    if name.startswith("__") and name.endswith("__"):
        return Level.CRITICAL, f"`{name[:80]}` leads into the interpreter"
    if dangerous_method(name):
        return Level.CRITICAL, f"`{name[:80]}` reads, writes or runs something"
    if of.__class__ is Global:
        # An entry that is not allowed has a finding of its own.
        return None
    if of.__class__ is Made or of.__class__ in PLAIN or of.__class__ in (list, tuple, Table):
        return None
    return Level.MEDIUM, f"what `{show(of)[:80]}` is cannot be told"


def _plain_type(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`type(x)`, not `type(name, bases, namespace)`."""
    if len(args) == 1:
        return None
    return Level.CRITICAL, "that makes a class whose methods the file chooses"


def _plain_iterator(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`iter(container)`, not `iter(function, sentinel)`."""
    if len(args) == 1 and args[0].__class__ not in (Global, Made, Bound):
        return None
    return Level.CRITICAL, "that makes an iterator which calls a function"


def _partial(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`functools.partial(f, …)` with an `f` that is known; a name has its own judgement."""
    if args and (args[0].__class__ is Global or (args[0].__class__ is Made and args[0].how == "new")):
        return None
    if args and args[0].__class__ is Made and args[0].callable.__class__ is Global:
        return (
            None if args[0].callable.entry.kind == "allowed" else (Level.MEDIUM, "what it binds was computed")
        )
    if args and args[0].__class__ is Bound:
        return None
    return Level.MEDIUM, "what it binds is computed"


def _partial_state(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """The state of a `partial` is the function, once more."""
    state = args[1]
    if state.__class__ is tuple and len(state) == 4:
        if isinstance(args[0], Made) and args[0].args:
            before = args[0].args[0]
            same = before is state[0] or (
                before.__class__ is Global
                and state[0].__class__ is Global
                and before.entry.name == state[0].entry.name
            )
            if not same:
                return Level.CRITICAL, f"the function it binds is replaced by `{show(state[0])[:80]}`"
        return _partial(actions, (state[0],), None)
    return Level.MEDIUM, "its state is not one that `functools` writes"


def _constants(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """Only text, numbers and bytes."""
    if all(arg.__class__ in PLAIN or arg.__class__ is Blob for arg in args):
        return None
    return Level.MEDIUM, "its arguments are computed"


def _dill_type(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """A built-in type by dill's name for it; what the type may do is judged by its own name."""
    if len(args) == 1 and args[0].__class__ is str:
        return None
    return Level.MEDIUM, "the name of the type is computed"


def _loaded_bytes(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """`torch.storage._load_from_bytes(b)` calls `torch.load`: as good as the pickle inside, which is looked at."""
    from alcaide.instruments.scan.formats.pickle.evaluate import payload

    data = payload(args)
    if data is None:
        return Level.MEDIUM, "the bytes that it loads are computed"
    return None


_ARGPARSER: Final = regex(r"_parse_args(?:_rvs|_stats)?")


def _scipy_argparser(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """SciPy's distributions execute a template of their own when they are unpickled: it may hold three signatures."""
    state = args[1]
    if state.__class__ is not Table:
        return Level.MEDIUM, "its state is not one that this SciPy writes"
    template = state.get("_parse_arg_template")
    if template is None:
        return None
    if template.__class__ is Blob:
        template = template.start(1 << 14).decode("utf-8", "replace")
    if template.__class__ is str and _only_signatures(template):
        return None
    return Level.CRITICAL, f"`_parse_arg_template` is executed, and is not SciPy's: `{show(template)[:120]}`"


def _only_signatures(template: str) -> bool:
    """Whether the text is nothing but the three functions that SciPy writes."""
    try:
        tree = ast.parse(template)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not _ARGPARSER.fullmatch(node.name):
            return False
        if node.decorator_list or len(node.body) != 1 or not isinstance(node.body[0], ast.Return):
            return False
        defaults = [
            *node.args.defaults,
            *(default for default in node.args.kw_defaults if default is not None),
        ]
        if not all(isinstance(_unsigned(default), ast.Constant) for default in defaults):
            return False
        for part in ast.walk(node.body[0]):
            if isinstance(part, ast.Call) and not (
                isinstance(part.func, ast.Attribute)
                and isinstance(part.func.value, ast.Name)
                and part.func.value.id == "self"
                and part.func.attr == "_argcheck_rvs"
            ):
                return False
    return True


def _unsigned(node: ast.expr) -> ast.expr:
    return node.operand if isinstance(node, ast.UnaryOp) else node


_CALLED: Final = regex(r"([A-Za-z_][\w.]*)\s*\(|[)\]}\"']\s*\(|\blambda\b|:=|__")
_IN_FORMULAS: Final = frozenset({
    "C", "I", "Q", "log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan",
    "power", "center", "standardize", "scale", "poly", "bs", "cr", "cc", "te", "lag", "hinge", "Treatment",
    "Sum", "Diff", "Helmert", "Poly", "contr.treatment", "contr.sum", "contr.helmert", "contr.poly",
    "contr.diff", "np.log", "np.log10", "np.log2", "np.log1p", "np.exp", "np.expm1", "np.sqrt", "np.abs",
    "np.sin", "np.cos", "np.tan", "np.power", "np.maximum", "np.minimum", "np.square", "np.sign",
    "np.floor", "np.ceil", "np.round", "np.where", "numpy.log", "numpy.exp", "numpy.sqrt",
})  # fmt: skip


def _formula(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """Statsmodels evaluates a model's formula again when it is unpickled, and a formula is Python."""
    state = args[1]
    if state.__class__ is not Table:
        return Level.MEDIUM, "its state is not one that statsmodels writes"
    for key, value in state.pairs:
        if key.__class__ is not str or key not in ("formula", "frame"):
            continue
        if key == "frame" and value.__class__ is str:
            return Level.MEDIUM, "its data frame is text"
        if (
            key == "formula"
            and value is not None
            and not (value.__class__ is str and harmless_formula(value))
        ):
            return Level.CRITICAL, f"its formula is evaluated: `{show(value)[:160]}`"
    return None


def harmless_formula(text: str) -> bool:
    """Whether a formula calls nothing but the functions that formulas are made of."""
    return all(found.group(1) in _IN_FORMULAS for found in _CALLED.finditer(text))


def _file_beside(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """Up to 0.9, joblib wrote arrays to files of their own; loading reads the file that the state names."""
    state = args[1]
    name = state.get("filename") if state.__class__ is Table else None
    if name.__class__ is str and not any(part in name for part in ("/", "\\", "..", "\0", ":")):
        return None
    return Level.CRITICAL, f"that reads file `{show(name)[:120]}`"


def _nested_attributes(actions: Actions, args: tuple[Any, ...], kwargs: Table | None) -> Answer:
    """Skorch's networks keep some attributes as a pickle in their state, and unpickle it: it is looked at as well."""
    state = args[1]
    inner = state.get("__cuda_dependent_attributes__") if state.__class__ is Table else None
    if inner.__class__ in (bytes, Blob):
        actions.nest("pickle in pickle", inner)
        return None
    return Level.MEDIUM, "a part of it that is unpickled is computed"


CONDITIONS: Final[dict[str, Condition]] = {
    "byte-text": _byte_text,
    "attribute": _attribute,
    "plain-type": _plain_type,
    "plain-iterator": _plain_iterator,
    "partial": _partial,
    "partial-state": _partial_state,
    "constants": _constants,
    "dill-type": _dill_type,
    "loaded-bytes": _loaded_bytes,
    "formula": _formula,
    "nested-attributes": _nested_attributes,
    "file-beside": _file_beside,
    "scipy-argparser": _scipy_argparser,
}
