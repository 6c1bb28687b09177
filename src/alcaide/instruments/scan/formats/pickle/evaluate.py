"""What a call gives back, where that can be told without calling anything: names and bytes that a pickle computes.

An attacker who may not write `os.system` spells it: joins letters, decodes bytes, asks `getattr`, binds with `partial`.
Each function here does on plain values what the named function would do, within bounds, or follows a function that
calls another; `NOTHING` says that the result is not known. This decides nothing about danger: it finds the names that
are then judged like all others.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import zlib
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle.values import (
    PLAIN,
    Blob,
    Bound,
    Global,
    Group,
    Made,
    Module,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alcaide.instruments.scan.formats.pickle.actions import Actions

    Compute = Callable[[Actions, tuple[Any, ...], int, Table | None], Any]

NOTHING: Final = Unknown("not computed")
_LONGEST: Final = 1 << 16
"""Characters or bytes that a computed value may have."""

_UNPACKED: Final = 16 << 20
_MOST_CALLS: Final = 20
"""Of the calls that one `map` makes, those that are followed."""


# ── Attributes and items ─────────────────────────────────────────────────────────────────────────────────────────


def attribute(actions: Actions, of: Any, name: Any, offset: int) -> Any:
    """`of.name`."""
    if name.__class__ is not str:
        return Unknown("an attribute whose name is computed")
    if of.__class__ is Module:
        return actions.fetch(of.name, name, offset)
    if of.__class__ is Global:
        planted = supplied(of, name, {})
        if planted is not None:
            return planted
        if of.entry.kind == "allowed" and not (name.startswith("__") and name.endswith("__")):
            return Bound(of, name)
        return actions.fetch(of.module, f"{of.name}.{name}", offset)
    if of.__class__ is Made and (planted := supplied(of, name, {})) is not None:
        return planted
    return Bound(of, name)


def item(actions: Actions, of: Any, key: Any, offset: int) -> Any:
    """`of[key]`."""
    if of.__class__ is Global:
        names = of.entry.name
        if key.__class__ is str:
            if names == "sys.modules":
                return Module(key)
            if names.endswith(("__builtins__", "__dict__")):
                owner = of.name.rpartition(".")[0]
                if names.endswith("__builtins__"):
                    return actions.fetch("builtins", key, offset)
                return actions.fetch(of.module, f"{owner}.{key}" if owner else key, offset)
            if names.endswith("__globals__"):
                return Module("builtins") if key == "__builtins__" else actions.fetch(of.module, key, offset)
    if of.__class__ is Module and key.__class__ is str:
        return actions.fetch(of.name, key, offset)
    if of.__class__ is Bound and of.name == "__globals__" and key == "__builtins__":
        return Module("builtins")
    if of.__class__ is Table and key.__class__ in PLAIN:
        for known, value in reversed(of.pairs):
            if known.__class__ is key.__class__ and known == key:
                return value
        return NOTHING
    if of.__class__ is Made and of.callable.__class__ is Global:
        made_by = of.callable.entry.name
        if made_by in ("builtins.vars", "builtins.globals", "builtins.locals") and key.__class__ is str:
            owner = of.args[0] if of.args else Module("builtins")
            return attribute(actions, owner, key, offset)
        if made_by.endswith("defaultdict") and of.args:
            return actions.call(of.args[0], (), "method", offset, made_by)
    if of.__class__ in (str, bytes, tuple, list):
        with contextlib.suppress(IndexError, TypeError, ValueError):
            if key.__class__ is int:
                return of[key]
            if key.__class__ is slice:
                return of[key]
    return NOTHING


def supplied(instance: Any, name: str, patched: dict[str, dict[str, Any]]) -> Any:
    """The value that the pickle itself gave to a method: on the instance, its class, or a class it made."""
    if instance.__class__ is Global:
        return patched.get(instance.entry.name, {}).get(name) if patched else None
    if instance.__class__ is not Made:
        return None
    if instance.planted is not None and name in instance.planted:
        return instance.planted[name]
    maker = instance.callable
    if maker.__class__ is Global:
        return patched.get(maker.entry.name, {}).get(name) if patched else None
    if maker.__class__ is Made and maker.callable.__class__ is Global:
        for part in maker.args:
            if part.__class__ is Table and (value := part.get(name)) is not None:
                return value
        if maker.planted is not None:
            return maker.planted.get(name)
    return None


def carries(instance: Made) -> bool:
    """Whether the instance's class came out of the pickle, with its code."""
    maker = instance.callable
    return (
        maker.__class__ is Made
        and maker.callable.__class__ is Global
        and maker.callable.entry.effect == "carries"
    )


# ── Functions that call another ──────────────────────────────────────────────────────────────────────────────────


def _items(value: Any) -> list[Any]:
    """What iterating over a value gives, as far as it is known."""
    kind = value.__class__
    if kind is list or kind is tuple:
        return list(value[:_MOST_CALLS])
    if kind is str or kind is bytes:
        return list(value[:_LONGEST])
    if kind is Table:
        return [key for key, _ in value.pairs[:_MOST_CALLS]]
    if kind is Group:
        return value.items[:_MOST_CALLS]
    return [value]


def _mapped(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`map(function, *iterables)`: the calls that draining it makes."""
    if len(args) < 2:
        return NOTHING
    columns = [_items(column) for column in args[1:]]
    results = [
        actions.call(args[0], row, "method", offset, "map")
        for row in list(zip(*columns, strict=False))[:_MOST_CALLS]
    ]
    return results if all(result.__class__ in PLAIN for result in results) else NOTHING


def _filtered(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) >= 2 and args[0] is not None:
        for value in _items(args[1])[:_MOST_CALLS]:
            actions.call(args[0], (value,), "method", offset, "filter")
    return NOTHING


def _starmapped(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) >= 2:
        for value in _items(args[1])[:_MOST_CALLS]:
            actions.call(args[0], value, "method", offset, "itertools.starmap")
    return NOTHING


def _reduced(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) < 2:
        return NOTHING
    values = _items(args[1])
    if len(args) > 2:
        values.insert(0, args[2])
    if not values:
        return NOTHING
    result = values[0]
    for value in values[1 : _MOST_CALLS + 1]:
        result = actions.call(args[0], (result, value), "method", offset, "functools.reduce")
    return result


def _applied(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`operator.call(f, *args)`, `atexit.register(f, *args)` and their like."""
    return actions.call(args[0], args[1:], "method", offset, "operator.call", kwargs) if args else NOTHING


def _later(at: int, arguments: int | None = None) -> Compute:
    """A function that calls its argument number `at`, with what follows, or with the items of one argument."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        if len(args) > at and args[at].__class__ not in PLAIN:
            given: Any = args[at + 1 :] if arguments is None else ()
            if arguments is not None and len(args) > arguments:
                given = args[arguments]
            actions.call(args[at], given, "method", offset, "a function that calls it")
        elif kwargs is not None:
            target = kwargs.get("target") or kwargs.get("function") or kwargs.get("func")
            if target is not None:
                actions.call(target, kwargs.get("args") or (), "method", offset, "a function that calls it")
        return NOTHING

    return compute


def _keyed(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`sorted`, `min` and `max` call their `key`."""
    key = kwargs.get("key") if kwargs is not None else None
    if key is not None and args:
        for value in _items(args[0])[:_MOST_CALLS]:
            actions.call(key, (value,), "method", offset, "a sort key")
    return NOTHING


def _iterated(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) == 2:
        actions.call(args[0], (), "method", offset, "iter")
    return NOTHING


def drained(actions: Actions, cls: Global, args: tuple[Any, ...], offset: int) -> None:
    """NEWOBJ of `map` and its like: the instance is as lazy as one that is called."""
    if cls.entry.name in _LAZY:
        cls.compute(actions, args, offset, None)


def drain_all(actions: Actions, items: list[Any], offset: int) -> None:
    """Items handed to `extend`: nothing is called by that beyond what they are."""


_LAZY: Final = frozenset({"builtins.map", "builtins.filter", "itertools.starmap"})


def _partial(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    """A `functools.partial`, called: what it binds comes first; BUILD may have bound anew."""
    target: Any = function.args[0] if function.args else NOTHING
    bound: tuple[Any, ...] = function.args[1:]
    kwargs = function.kwargs
    state = function.state
    if state.__class__ is tuple and len(state) == 4:
        target = state[0]
        bound = state[1] if state[1].__class__ is tuple else ()
        kwargs = state[2] if state[2].__class__ is Table else None
    return actions.call(target, bound + args, "method", offset, "functools.partial", kwargs)


def _attrgetter(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    if len(args) != 1 or len(function.args) != 1 or function.args[0].__class__ is not str:
        return NOTHING
    value = args[0]
    for step in function.args[0].split(".")[:50]:
        value = attribute(actions, value, step, offset)
    return value


def _methodcaller(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    if len(args) != 1 or not function.args:
        return NOTHING
    method_ = attribute(actions, args[0], function.args[0], offset)
    return actions.call(
        method_, function.args[1:], "method", offset, "operator.methodcaller", function.kwargs
    )


def _itemgetter(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    if len(args) != 1 or len(function.args) != 1:
        return NOTHING
    return item(actions, args[0], function.args[0], offset)


def _method_type(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    if len(function.args) != 2:
        return NOTHING
    return actions.call(function.args[0], (function.args[1], *args), "method", offset, "types.MethodType")


def _dynamic_class(actions: Actions, function: Made, args: tuple[Any, ...], offset: int) -> Any:
    """An instance of a class that the pickle makes: `__new__` and `__init__` may be its own."""
    made = Made(function, args, "reduce", offset)
    for name in ("__new__", "__init__", "__call__"):
        planted = supplied(made, name, {})
        if planted is not None and planted.__class__ not in PLAIN:
            actions.call(planted, args, "method", offset, name)
    if function.callable.entry.effect == "carries":
        return NOTHING
    return made


CALL_MADE: Final[dict[str, Callable[[Actions, Made, tuple[Any, ...], int], Any]]] = {
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    "operator.attrgetter": _attrgetter,
    "operator.methodcaller": _methodcaller,
    "operator.itemgetter": _itemgetter,
    "types.MethodType": _method_type,
    "builtins.type": _dynamic_class,
    "types.new_class": _dynamic_class,
    "weakref.finalize": lambda actions, function, args, offset: NOTHING,
}


# ── Computed values ──────────────────────────────────────────────────────────────────────────────────────────────


def _plain(args: Iterable[Any]) -> bool:
    return all(
        arg.__class__ in PLAIN
        or (arg.__class__ in (list, tuple) and all(part.__class__ in PLAIN for part in arg))
        for arg in args
    )


def _bounded(value: Any) -> Any:
    """A computed value, if it is one the machine can hold."""
    if value.__class__ is bytearray:
        value = bytes(value)
    if value.__class__ in (str, bytes):
        return value if len(value) <= _UNPACKED else NOTHING
    if value.__class__ is int:
        return value if value.bit_length() < 1 << 12 else NOTHING
    if value.__class__ in PLAIN or value.__class__ is slice:
        return value
    if value.__class__ in (list, tuple) and _plain(value):
        return value[:_LONGEST]
    return NOTHING


_SAFE_TEXT: Final = frozenset({
    "join", "replace", "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "split",
    "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "casefold", "splitlines", "encode", "decode",
    "translate", "format", "hex", "find", "index", "__getitem__", "__add__", "__str__", "__format__", "fromhex",
})  # fmt: skip


def method(actions: Actions, of: Any, name: str, args: tuple[Any, ...], offset: int) -> Any:
    """A method of a plain string, called."""
    if of.__class__ is Blob:
        of = whole(of)
    if of.__class__ not in (str, bytes) or name not in _SAFE_TEXT or not _plain(args) or len(of) > _UNPACKED:
        return NOTHING
    if name in ("encode", "decode"):
        return _coded(of, args[0] if args else "utf-8", name)
    if name == "format":
        return _formatted(of, args) if of.__class__ is str else NOTHING
    if (
        name in ("replace", "join", "translate")
        and sum(len(a) for a in args if hasattr(a, "__len__")) > _LONGEST
    ):
        return NOTHING
    if name == "replace" and (len(of) + 1) * (len(args[1]) if len(args) > 1 else 1) > _UNPACKED:
        return NOTHING
    try:
        return _bounded(getattr(of, name)(*args))
    except (TypeError, ValueError, IndexError, KeyError, LookupError, AttributeError):
        return NOTHING


def _formatted(text: str, args: tuple[Any, ...]) -> Any:
    """`str.format` for fields that are only numbers: anything more could ask for a width of gigabytes."""
    if len(text) > _LONGEST or ":" in text or "!" in text or "." in text or "[" in text:
        return NOTHING
    try:
        return _bounded(text.format(*args))
    except (ValueError, IndexError, KeyError):
        return NOTHING


def _of_class(kind: type, name: str) -> Compute:
    """A method of a string called through its class: `str.join('', [...])`."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        if name == "fromhex":
            with contextlib.suppress(ValueError, TypeError):
                return _bounded(bytes.fromhex(args[-1])) if args and args[-1].__class__ is str else NOTHING
            return NOTHING
        if not args or args[0].__class__ not in (kind, Blob):
            return NOTHING
        return method(actions, args[0], name, args[1:], offset)

    return compute


_TEXT_CODECS: Final = frozenset({
    "utf8", "utf16", "utf32", "utf7", "ascii", "latin1", "iso88591", "rot13", "hex", "hexcodec", "base64",
    "base64codec", "unicodeescape", "rawunicodeescape", "idna", "punycode", "cp437", "cp1252", "utf16le", "utf16be",
    "utf32le", "utf32be", "uu", "uucodec", "quopri", "quopricodec", "zlib", "zlibcodec", "zip", "bz2", "bz2codec",
    "utf8sig", "charmap", "mbcs", "l1", "8859", "cp850", "unicodeescapes",
})  # fmt: skip


def _coded(value: Any, encoding: Any, way: str) -> Any:
    """`codecs.encode` and `codecs.decode` for codecs of the standard library, decompression bounded."""
    if encoding.__class__ is not str or value.__class__ not in (str, bytes):
        return NOTHING
    plain_name = encoding.lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain_name not in _TEXT_CODECS:
        return NOTHING
    if way == "decode" and plain_name in ("zlib", "zlibcodec", "zip"):
        return _inflated(value)
    if way == "decode" and plain_name in ("bz2", "bz2codec"):
        return _unpacked("bz2", value)
    try:
        return _bounded((codecs.encode if way == "encode" else codecs.decode)(value, encoding))
    except (TypeError, ValueError, LookupError, AttributeError, AssertionError, binascii.Error):
        return NOTHING


def _codec(way: str) -> Compute:
    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        if not args:
            return NOTHING
        return _coded(whole(args[0]), args[1] if len(args) > 1 else "utf-8", way)

    return compute


def whole(value: Any) -> Any:
    """A long string, read up to a bound."""
    if value.__class__ is Blob and value.length <= _UNPACKED:
        data = value.start(_UNPACKED)
        return data.decode("utf-8", "surrogatepass") if value.text else data
    return value


def _inflated(value: Any, bits: int = 15) -> Any:
    if value.__class__ is not bytes:
        return NOTHING
    try:
        return _bounded(zlib.decompressobj(bits).decompress(value, _UNPACKED))
    except zlib.error:
        return NOTHING


def _unpacked(kind: str, value: Any) -> Any:
    if value.__class__ is not bytes:
        return NOTHING
    import bz2
    import lzma

    try:
        if kind == "bz2":
            return _bounded(bz2.BZ2Decompressor().decompress(value, _UNPACKED))
        return _bounded(lzma.LZMADecompressor(memlimit=64 << 20).decompress(value, _UNPACKED))
    except (OSError, ValueError, EOFError, lzma.LZMAError):
        return NOTHING


def _decompressed(kind: str) -> Compute:
    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        value = whole(args[0]) if args else None
        if kind == "zlib":
            return _inflated(value, args[1] if len(args) > 1 and args[1].__class__ is int else 15)
        if kind == "gzip":
            return _inflated(value, 31)
        return _unpacked(kind, value)

    return compute


def _pure(function: Callable[..., Any]) -> Compute:
    """A function without side effects, on plain values no longer than the bound."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        args = tuple(whole(arg) for arg in args)
        if not _plain(args) or kwargs is not None:
            return NOTHING
        if sum(len(arg) for arg in args if arg.__class__ in (str, bytes)) > _UNPACKED:
            return NOTHING
        try:
            return _bounded(function(*args))
        except Exception:  # noqa: BLE001 - whatever the real one raises, here it only means that nothing is known
            return NOTHING

    return compute


def _bytes(*args: Any) -> Any:
    """`bytes(...)`, but never a row of zeros of a length that the pickle chose."""
    if len(args) == 1 and args[0].__class__ is int:
        return NOTHING
    if len(args) == 2 and args[0].__class__ is str:
        return _coded(args[0], args[1], "encode")
    return bytes(*args)


def _times(left: Any, right: Any) -> Any:
    size = len(left) * right if right.__class__ is int and left.__class__ in (str, bytes) else _LONGEST + 1
    return left * right if size <= _LONGEST else NOTHING


def _slice(*args: Any) -> Any:
    return slice(*args)


def _text(*args: Any) -> Any:
    if len(args) >= 2 and args[0].__class__ is bytes:
        return _coded(args[0], args[1], "decode")
    return str(args[0]) if args and args[0].__class__ in PLAIN else NOTHING


def _get_attribute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    return attribute(actions, args[0], args[1], offset) if len(args) >= 2 else NOTHING


def _get_item(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) < 2:
        return NOTHING
    return item(actions, whole(args[0]), args[1], offset)


def _get_module(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if args and args[0].__class__ is str and args[0].isprintable():
        return Module(args[0])
    return Unknown("a module whose name is computed")


def _modules_get(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`sys.modules.get`, also through its class with the dictionary first."""
    for arg in args:
        if arg.__class__ is str:
            return Module(arg)
    return NOTHING


def _new_object(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`copyreg.__newobj__(cls, *args)`."""
    return actions.new(args[0], args[1:], None, offset) if args else NOTHING


def _new_object_ex(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    return actions.new(args[0], args[1], args[2], offset) if len(args) == 3 else NOTHING


def _reconstructed(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`copyreg._reconstructor(cls, base, state)`: `base.__new__(cls, state)`, without state where base is `object`."""
    if len(args) != 3:
        return NOTHING
    cls, base, state = args
    plain = base.__class__ is Global and base.entry.name == "builtins.object"
    return actions.new(cls, () if plain else (state,), None, offset)


def _added_extension(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    if len(args) == 3:
        actions.register_extension(args[2], actions.fetch(args[0], args[1], offset))
    return None


def _loads(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """A pickle inside of the pickle."""
    data = payload(args)
    if data is not None:
        actions.nest("pickle in pickle", data)
    return NOTHING


def payload(args: Iterable[Any], depth: int = 0) -> Any:
    """The first bytes in the arguments, through an `io.BytesIO` and the like."""
    for arg in args:
        if arg.__class__ is bytes or (arg.__class__ is Blob and not arg.text):
            return arg
        if arg.__class__ is str and arg[:1] in ("\x80", "c", "("):
            return arg.encode("latin-1", "replace")
        if arg.__class__ is Made and depth < 5:
            found = payload(arg.args, depth + 1)
            if found is not None:
                return found
    return None


def _find_class(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    names = [arg for arg in args if arg.__class__ is str]
    return actions.fetch(names[0], names[1], offset) if len(names) == 2 else NOTHING


def _identity(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`list(x)` and its like, where x is known; what is lazy was followed when it was made."""
    if len(args) == 1 and args[0].__class__ in (list, tuple) and _plain(args):
        return args[0]
    return NOTHING


def _submitted(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`executor.submit(self, f, *args)`, `stack.callback(self, f, *args)`."""
    if len(args) >= 2 and args[1].__class__ not in PLAIN:
        actions.call(args[1], args[2:], "method", offset, "a function that calls it")
    return NOTHING


def _dynamic(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    return NOTHING


def _joined(*parts: Any) -> Any:
    return "/".join(parts) if all(part.__class__ is str for part in parts) else NOTHING


_TABLE: dict[str, Compute] = {
    "builtins.getattr": _get_attribute,
    "builtins.object.__getattribute__": _get_attribute,
    "builtins.type.__getattribute__": _get_attribute,
    "operator.getitem": _get_item,
    "_operator.getitem": _get_item,
    "builtins.dict.__getitem__": _get_item,
    "builtins.dict.get": _get_item,
    "builtins.list.__getitem__": _get_item,
    "builtins.tuple.__getitem__": _get_item,
    "builtins.__import__": _get_module,
    "importlib.import_module": _get_module,
    "importlib.__import__": _get_module,
    "importlib._bootstrap._gcd_import": _get_module,
    "pydoc.locate": _get_module,
    "pkgutil.resolve_name": _get_module,
    "sys.modules.get": _modules_get,
    "sys.modules.__getitem__": _modules_get,
    "sys.modules.pop": _modules_get,
    "copyreg.__newobj__": _new_object,
    "copyreg.__newobj_ex__": _new_object_ex,
    "copyreg._reconstructor": _reconstructed,
    "copyreg.add_extension": _added_extension,
    "builtins.map": _mapped,
    "builtins.filter": _filtered,
    "itertools.starmap": _starmapped,
    "itertools.filterfalse": _filtered,
    "itertools.takewhile": _filtered,
    "itertools.dropwhile": _filtered,
    "functools.reduce": _reduced,
    "_functools.reduce": _reduced,
    "operator.call": _applied,
    "_operator.call": _applied,
    "builtins.apply": _later(0, 1),
    "atexit.register": _later(0),
    "weakref.finalize": _later(1),
    "threading.Timer": _later(1, 2),
    "threading.Thread": _later(1, 3),
    "_thread.start_new_thread": _later(0, 1),
    "multiprocessing.Process": _later(1, 3),
    "timeit.timeit": _later(0),
    "cProfile.Profile.runcall": _later(1),
    "bdb.Bdb.runcall": _later(1),
    "trace.Trace.runfunc": _later(1),
    "contextlib.ExitStack.callback": _submitted,
    "concurrent.futures.ThreadPoolExecutor.submit": _submitted,
    "concurrent.futures.thread.ThreadPoolExecutor.submit": _submitted,
    "asyncio.to_thread": _later(0),
    "signal.signal": _later(1),
    "builtins.iter": _iterated,
    "builtins.sorted": _keyed,
    "builtins.min": _keyed,
    "builtins.max": _keyed,
    "builtins.list": _identity,
    "builtins.tuple": _identity,
    "pickle.loads": _loads,
    "pickle._loads": _loads,
    "_pickle.loads": _loads,
    "pickle.load": _loads,
    "pickle._load": _loads,
    "_pickle.load": _loads,
    "pickle.Unpickler": _loads,
    "pickle._Unpickler": _loads,
    "_pickle.Unpickler": _loads,
    "cloudpickle.loads": _loads,
    "cloudpickle.cloudpickle.loads": _loads,
    "dill.loads": _loads,
    "dill._dill.loads": _loads,
    "joblib.load": _loads,
    "torch.load": _loads,
    "torch.storage._load_from_bytes": _loads,
    "torch.serialization.load": _loads,
    "pandas.read_pickle": _loads,
    "numpy.load": _loads,
    "pickle.Unpickler.find_class": _find_class,
    "pickle._Unpickler.find_class": _find_class,
    "_pickle.Unpickler.find_class": _find_class,
    "zlib.decompress": _decompressed("zlib"),
    "gzip.decompress": _decompressed("gzip"),
    "bz2.decompress": _decompressed("bz2"),
    "lzma.decompress": _decompressed("lzma"),
    "codecs.decode": _codec("decode"),
    "codecs.encode": _codec("encode"),
    "_codecs.decode": _codec("decode"),
    "_codecs.encode": _codec("encode"),
    "base64.b64decode": _pure(base64.b64decode),
    "base64.decodebytes": _pure(base64.decodebytes),
    "base64.urlsafe_b64decode": _pure(base64.urlsafe_b64decode),
    "base64.standard_b64decode": _pure(base64.standard_b64decode),
    "base64.b32decode": _pure(base64.b32decode),
    "base64.b16decode": _pure(base64.b16decode),
    "base64.b85decode": _pure(base64.b85decode),
    "base64.a85decode": _pure(base64.a85decode),
    "binascii.unhexlify": _pure(binascii.unhexlify),
    "binascii.a2b_hex": _pure(binascii.a2b_hex),
    "binascii.a2b_base64": _pure(binascii.a2b_base64),
    "operator.add": _pure(lambda left, right: left + right),
    "operator.concat": _pure(lambda left, right: left + right),
    "operator.mul": _pure(_times),
    "_operator.add": _pure(lambda left, right: left + right),
    "_operator.concat": _pure(lambda left, right: left + right),
    "builtins.str": _pure(_text),
    "builtins.bytes": _pure(_bytes),
    "builtins.bytearray": _pure(_bytes),
    "builtins.chr": _pure(chr),
    "builtins.ord": _pure(ord),
    "builtins.slice": _pure(_slice),
    "builtins.reversed": _pure(lambda value: value[::-1]),
    "builtins.hex": _pure(hex),
    "posixpath.join": _pure(_joined),
    "os.path.join": _pure(_joined),
}
for _name in _SAFE_TEXT:
    _TABLE[f"builtins.str.{_name}"] = _of_class(str, _name)
    _TABLE[f"builtins.bytes.{_name}"] = _of_class(bytes, _name)

COMPUTE: Final = _TABLE
