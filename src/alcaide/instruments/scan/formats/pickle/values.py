"""What stands on the symbolic machine's stack.

Text, bytes, numbers, `None` and truth values stand for themselves as long as they are short; tuples are tuples and
lists are lists, cut to what anybody will look at. All else is one of the classes here: a name that the pickle fetches,
what a call gives back, a thing too long to hold. None of it is ever executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from alcaide.instruments.scan.formats.pickle.verdict import Entry
    from alcaide.instruments.scan.source import Source

MOST_ITEMS: Final = 1_000
"""Items of one container that are held: `pickle` itself writes containers in batches of this many."""

MOST_SYMBOLS: Final = 10_000
"""Items beyond those that are held because they are no plain values, and so may matter."""

LONGEST_TEXT: Final = 4_096
"""Characters of a string that are held; a longer one stays in the file until somebody asks for it."""

PLAIN: Final = frozenset({str, bytes, int, float, bool, type(None), complex})


class Global:
    """A name in a module, which the unpickler imports."""

    __slots__ = ("compute", "entry", "module", "name")

    def __init__(self, module: str, name: str, entry: Entry) -> None:
        self.module = module
        self.name = name
        self.entry = entry
        self.compute: Any = None
        """How its result is computed, for the few whose result matters."""

    @property
    def full(self) -> str:
        """`module.name`, as the judgement named it: translated from Python 2, followed through other modules."""
        return self.entry.name


class Module:
    """A module as a value: `importlib.import_module('os')`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Made:
    """What a call gives back, or an instance made without one."""

    __slots__ = ("args", "callable", "how", "kwargs", "offset", "planted", "state")

    def __init__(self, callable_: Any, args: tuple[Any, ...], how: str, offset: int) -> None:
        self.callable = callable_
        self.args = args
        self.kwargs: Table | None = None
        self.how = how
        self.offset = offset
        self.planted: dict[str, Any] | None = None
        """Attributes that BUILD set and that the unpickler itself will call: `__setstate__`, `append`…"""
        self.state: Any = None


class Bound:
    """An attribute of something that was made: usually a method."""

    __slots__ = ("name", "of")

    def __init__(self, of: Any, name: str) -> None:
        self.of = of
        self.name = name


class Persistent:
    """Something the pickle refers to by an id that the loader resolves: a tensor's storage."""

    __slots__ = ("id",)

    def __init__(self, id_: Any) -> None:
        self.id = id_


class Blob:
    """Bytes or text too long to hold, where they lie in the pickle."""

    __slots__ = ("_source", "length", "offset", "text")

    def __init__(self, source: Source, offset: int, length: int, *, text: bool) -> None:
        self._source = source
        self.offset = offset
        self.length = length
        self.text = text

    def start(self, most: int) -> bytes:
        """The first bytes of it."""
        return self._source.read(self.offset, min(most, self.length))


class Table:
    """A dictionary, as the keys and values that were set, in order and in turn."""

    __slots__ = ("flat", "more")

    def __init__(self) -> None:
        self.flat: list[Any] = []
        self.more = 0

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """Key and value, in the order they were set."""
        return list(zip(self.flat[::2], self.flat[1::2], strict=True))

    def update(self, items: list[Any]) -> None:
        """More keys and values in turn; past the bound, only pairs that may matter are held."""
        flat = self.flat
        if len(flat) + len(items) <= 2 * MOST_ITEMS:
            flat.extend(items)
            return
        for at in range(0, len(items), 2):
            held = len(flat)
            if held < 2 * MOST_ITEMS or (
                held < 2 * MOST_SYMBOLS
                and (items[at].__class__ not in PLAIN or items[at + 1].__class__ not in PLAIN)
            ):
                flat.append(items[at])
                flat.append(items[at + 1])
            else:
                self.more += 1

    def get(self, wanted: str) -> Any:
        """What was last set under a text key, or None."""
        flat = self.flat
        for at in range(len(flat) - 2, -1, -2):
            key = flat[at]
            if key.__class__ is str and key == wanted:
                return flat[at + 1]
        return None


class Group:
    """A set."""

    __slots__ = ("items", "more")

    def __init__(self, items: list[Any]) -> None:
        self.items = items[:MOST_ITEMS]
        self.more = max(0, len(items) - MOST_ITEMS)

    def add(self, items: list[Any]) -> None:
        """More items."""
        room = MOST_ITEMS - len(self.items)
        self.items.extend(items[:room])
        self.more += max(0, len(items) - room)


class Numbers:
    """A row of numbers inside of a list or tuple that nobody needs to see one by one."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length


class Unknown:
    """A value that cannot be computed here."""

    __slots__ = ("why",)

    def __init__(self, why: str = "") -> None:
        self.why = why


def extend(target: list[Any], items: list[Any]) -> None:
    """Add items to a list that stands for one of the pickle's, up to the bound."""
    room = MOST_ITEMS - len(target)
    if room >= len(items):
        target.extend(items)
        return
    if room > 0:
        target.extend(items[:room])
        items = items[room:]
    if len(target) < MOST_SYMBOLS:
        target.extend(item for item in items if item.__class__ not in PLAIN)


def show(value: Any, depth: int = 0) -> str:
    """A value as a short piece of text, for a message: `'touch x'`, `os.system`, `{'lr': 0.1, …}`."""
    kind = value.__class__
    if kind in PLAIN:
        return _show_plain(value)
    if kind is Global:
        return str(value.full)
    if kind is Module:
        return f"module {value.name}"
    if kind is Blob:
        begin = value.start(80)
        return repr(begin.decode("utf-8", "replace") if value.text else begin) + "…"
    if kind is Numbers:
        return f"{value.length} bytes of numbers"
    if depth >= 3:
        return "…"
    if kind is Made:
        return f"{show(value.callable, depth + 1)}({show_arguments(value.args, depth + 1)})"
    if kind is Bound:
        return f"{show(value.of, depth + 1)}.{value.name}"
    if kind is Persistent:
        return f"persistent id {show(value.id, depth + 1)}"
    return _show_container(value, depth)


def _show_plain(value: Any) -> str:
    if value.__class__ is str:
        return repr(value if len(value) <= 120 else value[:119] + "…")
    if value.__class__ is bytes:
        return repr(value[:80]) + ("…" if len(value) > 80 else "")
    # Longer numbers than 4,300 digits are refused by `repr`.
    return repr(value) if value.__class__ is not int or value.bit_length() < 400 else "a very large number"


def _show_container(value: Any, depth: int) -> str:
    kind = value.__class__
    if kind is Table:
        pairs = [f"{show(key, depth + 1)}: {show(item, depth + 1)}" for key, item in value.pairs[:4]]
        return "{" + ", ".join(pairs) + (", …" if len(value.pairs) > 4 else "") + "}"
    if kind is Group:
        return "{" + show_arguments(value.items, depth + 1) + "}"
    if kind is tuple or kind is list:
        shown = show_arguments(value, depth + 1)
        return f"[{shown}]" if kind is list else f"({shown})"
    return "something computed"


def show_arguments(args: Any, depth: int = 0) -> str:
    """Arguments as they stand in a call, without the parentheses."""
    shown = ", ".join(show(arg, depth) for arg in args[:6])
    return shown + (", …" if len(args) > 6 else "")
