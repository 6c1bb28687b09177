"""The symbolic machine calls what CPython's unpicklers call, in the order they do, on programs of any shape."""

from __future__ import annotations

import contextlib
import io
import pickle
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alcaide.instruments.scan.context import Context, Look
from alcaide.instruments.scan.formats.pickle.actions import Actions, spread
from alcaide.instruments.scan.formats.pickle.machine import Machine
from alcaide.instruments.scan.formats.pickle.values import Global, Group, Made, Table
from alcaide.instruments.scan.formats.pickle.verdict import Judge
from alcaide.instruments.scan.limits import Budget, Limits, ScanStop
from alcaide.instruments.scan.model import Node
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import Memory

# Harmless names of a module that does not exist; what they stand for below only writes down that it was called.
PIECES = [
    b"N", b"\x88", b"K\x05", b"J\x01\x00\x00\x00", b"\x8c\x01a", b"X\x01\x00\x00\x00b", b"C\x01z", b"I7\n", b"S'q'\n",
    b"V\\u0061\n", b"F1.5\n", b"L9L\n", b"]", b"}", b")", b"\x8f", b"(", b"(", b"(", b"t", b"l", b"d", b"\x85", b"\x86",
    b"\x87", b"e", b"a", b"s", b"u", b"0", b"1", b"2", b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"\x94", b"p3\n",
    b"g3\n", b"j\x00\x00\x00\x00", b"r\x02\x00\x00\x00", b"cm\nA\n", b"cm\nB\n", b"\x8c\x01m\x8c\x01A\x93",
    b"R", b"R", b"R",
    b"cm\nA\n)R", b"cm\nB\nK\x01\x85R", b"\x81", b"cm\nA\n)\x81", b"b", b"o", b"(im\nB\n", b"\x90", b"\x91", b"\x89",
    b"cm\nA\n(K\x01K\x02tR", b"]K\x01a", b"}\x8c\x01kK\x01s", b"]q\x00", b"\x92", b"G?\xf0\0\0\0\0\0\0",
]  # fmt: skip


class Log(list[tuple[str, Any]]):
    """The calls, in order: name and arguments as plain values."""


def _recorders(log: Log) -> dict[str, type]:
    def recorder(name: str) -> type:
        def new(cls: type, *args: Any, **kwargs: Any) -> Any:
            log.append((name, _plain_real(args)))
            return object.__new__(cls)

        return type(
            name, (), {"__new__": new, "__init__": lambda self, *args, **kwargs: None, "__hash__": None}
        )

    return {"A": recorder("A"), "B": recorder("B")}


def _plain_real(value: Any, depth: int = 0) -> Any:
    if depth > 6:
        return "deep"
    if isinstance(value, type):
        return f"name {value.__name__}"
    if type(value).__name__ in ("A", "B"):
        return "made"
    if isinstance(value, tuple | list):
        return (type(value).__name__, [_plain_real(item, depth + 1) for item in value])
    if isinstance(value, dict):
        return ("dict", {repr(key): _plain_real(item, depth + 1) for key, item in value.items()})
    if isinstance(value, set | frozenset):
        return ("set", sorted(repr(item) for item in value))
    return repr(value)


def _plain_symbol(value: Any, depth: int = 0) -> Any:
    if depth > 6:
        return "deep"
    if isinstance(value, Global):
        return f"name {value.name}"
    if isinstance(value, Made):
        return "made"
    if isinstance(value, tuple | list):
        return (type(value).__name__, [_plain_symbol(item, depth + 1) for item in value])
    if isinstance(value, Table):
        return ("dict", {repr(key): _plain_symbol(item, depth + 1) for key, item in value.pairs})
    if isinstance(value, Group):
        return ("set", sorted({repr(item) for item in value.items}))
    return repr(value)


def _run_real(kind: type[Any], program: bytes) -> tuple[Log, bool]:
    log = Log()
    names = _recorders(log)

    class Restricted(kind):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            if module != "m":
                raise pickle.UnpicklingError("only `m`")
            return names[name]

    try:
        Restricted(io.BytesIO(program)).load()
    except Exception:  # noqa: BLE001 - a broken program ends in whatever error
        return log, False
    return log, True


class _Logged(Actions):
    """Actions that write down what the machine says is called."""

    def __init__(self) -> None:
        look = Look(Budget(Limits()), ScanPolicy())
        super().__init__(Judge(), Context(look, Node("x", 0), "", 0, lambda *_: None))
        self.log = Log()

    def call(self, function: Any, args: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(function, Global):
            self.log.append((function.name, _plain_symbol(args if isinstance(args, tuple) else spread(args))))
        return super().call(function, args, *rest, **named)

    def new(self, cls: Any, args: Any, kwargs: Any, offset: int) -> Any:
        if isinstance(cls, Made):
            cls = cls.callable
        if isinstance(cls, Global):
            self.log.append((cls.name, _plain_symbol(args if isinstance(args, tuple) else spread(args))))
        return super().new(cls, args, kwargs, offset)


def _run_symbolic(program: bytes) -> Log:
    actions = _Logged()
    with contextlib.suppress(ScanStop):
        Machine(Memory(program), actions.context, actions).run()
    return actions.log


def _agrees(program: bytes) -> None:
    symbolic = _run_symbolic(program)
    for kind in (pickle._Unpickler, pickle.Unpickler):  # type: ignore[attr-defined]
        real, whole = _run_real(kind, program)
        assert symbolic[: len(real)] == real, (program, real, symbolic)
        if whole:
            assert len(symbolic) == len(real), (program, real, symbolic)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from([b"", b"\x80\x02", b"\x80\x04"]))
def test_random_programs_call_the_same(pieces: list[bytes], header: bytes):
    _agrees(header + b"".join(pieces) + b".")


@st.composite
def _well_formed(draw: st.DrawFn) -> bytes:
    """Programs that never take from an empty stack, so that they run to their end."""

    def value(depth: int) -> st.SearchStrategy[bytes]:
        plain = st.sampled_from([b"N", b"K\x07", b"\x8c\x02hi", b"C\x01z", b"\x88", b"h\x00", b"g0\n"])
        if depth == 0:
            return plain
        inner = st.lists(value(depth - 1), max_size=3)
        name = st.sampled_from([b"cm\nA\n", b"\x8c\x01m\x8c\x01B\x93"])
        return st.one_of(
            plain,
            inner.map(lambda items: b"(" + b"".join(items) + b"t"),
            inner.map(lambda items: b"](" + b"".join(items) + b"e"),
            inner.map(
                lambda items: (
                    b"}("
                    + b"".join(b"\x8c\x01" + bytes([97 + at]) + item for at, item in enumerate(items))
                    + b"u"
                )
            ),
            st.tuples(name, inner).map(lambda pair: pair[0] + b"(" + b"".join(pair[1]) + b"tR"),
            st.tuples(name, inner).map(lambda pair: pair[0] + b"(" + b"".join(pair[1]) + b"t\x81"),
            st.tuples(name, inner).map(lambda pair: b"(" + pair[0] + b"".join(pair[1]) + b"o"),
            inner.map(lambda items: b"(" + b"".join(items) + b"im\nA\n"),
            value(depth - 1).map(lambda item: item + b"2q\x010"),
        )

    return b"\x80\x04K\x01q\x000" + draw(value(4)) + b"."


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_well_formed())
def test_well_formed_programs_call_the_same(program: bytes):
    assert _run_real(pickle.Unpickler, program)[1]
    _agrees(program)
