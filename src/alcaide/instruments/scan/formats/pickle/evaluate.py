"""What a call gives back, where that can be told without calling anything: names and bytes that a pickle computes.

An attacker who may not write `os.system` spells it: joins letters, decodes bytes, asks `getattr`, binds with `partial`.
Each function here does on plain values what the named function would do, within bounds, or follows a function that
calls another; `NOTHING` says that the result is not known. This decides nothing about danger: it finds the names that
are then judged like all others.
"""

# ruff: noqa: ARG001 - the functions of the table have one signature, whatever each needs of it

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle.computed import (
    LONGEST,
    NOTHING,
    SAFE_TEXT,
    codec,
    decompressed,
    of_class,
    plain,
    pure,
    times,
    to_bytes,
    to_slice,
    to_text,
    whole,
)
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
        # `cls.__new__`, bound by `partial`, is how protocols below 4 write a `__new__` with keywords.
        if of.entry.kind == "allowed" and (name == "__new__" or not (name[:2] == name[-2:] == "__")):
            return Bound(of, name)
        return actions.fetch(of.module, f"{of.name}.{name}", offset)
    if of.__class__ is Made and (planted := supplied(of, name, {})) is not None:
        return planted
    return Bound(of, name)


def item(actions: Actions, of: Any, key: Any, offset: int) -> Any:
    """`of[key]`."""
    kind = of.__class__
    if kind is Global and key.__class__ is str:
        return _item_of_name(actions, of, key, offset)
    if kind is Module and key.__class__ is str:
        return actions.fetch(of.name, key, offset)
    if kind is Bound and of.name == "__globals__" and key == "__builtins__":
        return Module("builtins")
    if kind is Table and key.__class__ in PLAIN:
        for known, value in reversed(of.pairs):
            if known.__class__ is key.__class__ and known == key:
                return value
        return NOTHING
    if kind is Made and of.callable.__class__ is Global:
        return _item_of_made(actions, of, key, offset)
    if kind in (str, bytes, tuple, list) and key.__class__ in (int, slice):
        with contextlib.suppress(IndexError, TypeError, ValueError):
            return of[key]
    return NOTHING


def _item_of_name(actions: Actions, of: Global, key: str, offset: int) -> Any:
    """An item of a dictionary with a name: `sys.modules`, a module's `__dict__`, a function's `__globals__`."""
    full = of.entry.name
    owner = of.name.rpartition(".")[0]
    if full == "sys.modules":
        return Module(key)
    if full.endswith("__builtins__"):
        return actions.fetch("builtins", key, offset)
    if full.endswith("__dict__"):
        return actions.fetch(of.module, f"{owner}.{key}" if owner else key, offset)
    if full.endswith("__globals__"):
        return Module("builtins") if key == "__builtins__" else actions.fetch(of.module, key, offset)
    return NOTHING


def _item_of_made(actions: Actions, of: Made, key: Any, offset: int) -> Any:
    """An item of what `vars(module)` gives, or of a `defaultdict`, which calls its factory for a missing one."""
    made_by = of.callable.entry.name
    if made_by in ("builtins.vars", "builtins.globals", "builtins.locals") and key.__class__ is str:
        return attribute(actions, of.args[0] if of.args else Module("builtins"), key, offset)
    if made_by.endswith("defaultdict") and of.args:
        return actions.call(of.args[0], (), "method", offset, made_by)
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


def makes_classes(made: Made) -> bool:
    """Whether what was made may be a class."""
    name: str = made.callable.entry.name
    return made.callable.entry.effect == "carries" or name in CALL_MADE or name == "dill._dill._load_type"


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
        return list(value[:LONGEST])
    if kind is Table:
        return [key for key, _ in value.pairs[:_MOST_CALLS]]
    if kind is Group:
        return list(value.items[:_MOST_CALLS])
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
}


# ── Names, modules and instances ─────────────────────────────────────────────────────────────────────────────────


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


def _nested_parts(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """Functions of spaCy that unpickle parts of their arguments: every part that begins as a pickle is one."""
    for arg in args:
        part = arg.start(2) if arg.__class__ is Blob and not arg.text else arg
        if part.__class__ is bytes and part[:1] == b"\x80":
            actions.nest("pickle in pickle", arg)
    return NOTHING


def _dill_type(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """Dill's name for a built-in type: most are those of `builtins`, some those of `types`."""
    if len(args) != 1 or args[0].__class__ is not str:
        return NOTHING
    return actions.fetch("types" if args[0].endswith("Type") else "builtins", args[0], offset)


def payload(args: Iterable[Any]) -> Any:
    """The first bytes in the arguments, through an `io.BytesIO` and the like."""
    waiting = list(args)[:_MOST_CALLS]
    for _ in range(200):
        if not waiting:
            return None
        arg = waiting.pop(0)
        if arg.__class__ is bytes or (arg.__class__ is Blob and not arg.text):
            return arg
        if arg.__class__ is str and arg[:1] in ("\x80", "c", "("):
            return arg.encode("latin-1", "replace")
        if arg.__class__ is Made:
            waiting.extend(arg.args[:_MOST_CALLS])
    return None


def _find_class(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    names = [arg for arg in args if arg.__class__ is str]
    return actions.fetch(names[0], names[1], offset) if len(names) == 2 else NOTHING


def _identity(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`list(x)` and its like, where x is known; what is lazy was followed when it was made."""
    if len(args) == 1 and args[0].__class__ in (list, tuple) and plain(args):
        return args[0]
    return NOTHING


def _submitted(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
    """`executor.submit(self, f, *args)`, `stack.callback(self, f, *args)`."""
    if len(args) >= 2 and args[1].__class__ not in PLAIN:
        actions.call(args[1], args[2:], "method", offset, "a function that calls it")
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
    "spacy.vocab.unpickle_vocab": _nested_parts,
    "spacy.tokens.doc.unpickle_doc": _nested_parts,
    "dill._dill._load_type": _dill_type,
    "dill._dill._create_array": _later(0, 1),
    "jax._src.array._reconstruct_array": _later(0, 1),
    "torch._tensor._rebuild_from_type": _later(0, 2),
    "torch._tensor._rebuild_from_type_v2": _later(0, 2),
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
    "zlib.decompress": decompressed("zlib"),
    "gzip.decompress": decompressed("gzip"),
    "bz2.decompress": decompressed("bz2"),
    "lzma.decompress": decompressed("lzma"),
    "codecs.decode": codec("decode"),
    "codecs.encode": codec("encode"),
    "_codecs.decode": codec("decode"),
    "_codecs.encode": codec("encode"),
    "base64.b64decode": pure(base64.b64decode),
    "base64.decodebytes": pure(base64.decodebytes),
    "base64.urlsafe_b64decode": pure(base64.urlsafe_b64decode),
    "base64.standard_b64decode": pure(base64.standard_b64decode),
    "base64.b32decode": pure(base64.b32decode),
    "base64.b16decode": pure(base64.b16decode),
    "base64.b85decode": pure(base64.b85decode),
    "base64.a85decode": pure(base64.a85decode),
    "binascii.unhexlify": pure(binascii.unhexlify),
    "binascii.a2b_hex": pure(binascii.a2b_hex),
    "binascii.a2b_base64": pure(binascii.a2b_base64),
    "operator.add": pure(lambda left, right: left + right),
    "operator.concat": pure(lambda left, right: left + right),
    "operator.mul": pure(times),
    "_operator.add": pure(lambda left, right: left + right),
    "_operator.concat": pure(lambda left, right: left + right),
    "builtins.str": pure(to_text),
    "builtins.bytes": pure(to_bytes),
    "builtins.bytearray": pure(to_bytes),
    "builtins.chr": pure(chr),
    "builtins.ord": pure(ord),
    "builtins.slice": pure(to_slice),
    "builtins.reversed": pure(lambda value: value[::-1]),
    "builtins.hex": pure(hex),
    "posixpath.join": pure(_joined),
    "os.path.join": pure(_joined),
}
for _name in SAFE_TEXT:
    _TABLE[f"builtins.str.{_name}"] = of_class(str, _name)
    _TABLE[f"builtins.bytes.{_name}"] = of_class(bytes, _name)

COMPUTE: Final = _TABLE
