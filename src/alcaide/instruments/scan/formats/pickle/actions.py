"""What a pickle does: the names it fetches, what it calls and with what, and what it plants for later.

The machine says each act here as it meets it. An act is recorded with the judgement of the name (`verdict`), and its
value is followed as far as it can be (`evaluate`), so that a call on the result of a call is still a call of something
with a name. What ends in a place where a function is called and has no name here is an act too: one that cannot be
decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle import evaluate
from alcaide.instruments.scan.formats.pickle.computed import NOTHING, method
from alcaide.instruments.scan.formats.pickle.conditions import check
from alcaide.instruments.scan.formats.pickle.values import (
    PLAIN,
    Blob,
    Bound,
    Global,
    Group,
    Made,
    Module,
    Persistent,
    Table,
    Unknown,
    show,
    show_arguments,
)
from alcaide.instruments.scan.formats.pickle.verdict import CALL, NAME, NEW, Entry, Judge
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context

PLANTED: Final = frozenset({
    "__setstate__", "append", "extend", "add", "__setitem__", "__hash__", "__class__", "__dict__", "__reduce__",
    "__reduce_ex__", "__getattr__", "__getattribute__", "__del__", "__call__", "__init__", "__new__", "__eq__",
})  # fmt: skip
"""Attributes that an unpickler or the interpreter itself looks up on an instance or its class."""

_MOST_RECORDS: Final = 5_000
_MOST_EXAMPLES: Final = 20
_MOST_TROUBLES: Final = 500
_DEEPEST: Final = 20
_MOST_FOLLOWED: Final = 20_000
_MOST_HELD: Final = 32 << 20


class Record:
    """All calls of one name in one way."""

    __slots__ = ("args", "count", "entry", "examples", "how", "kwargs", "offset")

    def __init__(self, entry: Entry, how: str, args: tuple[Any, ...], offset: int) -> None:
        self.entry = entry
        self.how = how
        self.args = args
        self.offset = offset
        self.count = 0
        self.examples: list[tuple[int, str, str]] = []
        """Where, with which arguments, through which function that calls it."""


class Trouble:
    """Something the pickle does that is wrong whatever names it uses."""

    __slots__ = ("detail", "level", "message", "name", "offset", "rule")

    def __init__(
        self, rule: str, message: str, offset: int, level: Level | None = None, name: str = "", **detail: Any
    ) -> None:
        self.rule = rule
        self.message = message
        self.offset = offset
        self.level = level
        self.name = name
        """The callable it is about, for which an allowance may have been made."""
        self.detail = detail


class Actions:
    """The acts of all the pickles in one stream."""

    def __init__(self, judge: Judge, context: Context) -> None:
        self.judge = judge
        self.context = context
        self.protocol = 0
        self.frame_beyond: int | None = None
        self.result: Any = None
        self.records: dict[tuple[str, str], Record] = {}
        self.fetched: dict[str, tuple[Entry, int]] = {}
        self.troubles: list[Trouble] = []
        self.nested: list[tuple[str, Any]] = []
        """Bytes that a nested `loads` is given, to be looked at as children once this pickle has been read."""
        self.on_array: Callable[[Made, int], int] | None = None
        """Where the machine goes on after a joblib array that lies in the stream."""
        self.storages: dict[str, tuple[str, Any]] = {}
        """Torch's storages by key: the kind of storage and how many elements it has."""
        self.suppressed = 0
        self._globals: dict[tuple[str, str, bool], Global] = {}
        self._extensions: dict[int, Any] = {}
        self._patched: dict[str, dict[str, Any]] = {}
        self._depth = 0
        self._followed = 0
        self._held = 0

    # ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, module: Any, name: Any, offset: int) -> Any:
        """A name in a module."""
        if module.__class__ is not str or name.__class__ is not str:
            return self._fetch_computed(module, name, offset)
        key = (module, name, self.protocol < 3)
        known = self._globals.get(key)
        if known is None:
            entry = self.judge.entry(module, name, old=self.protocol < 3)
            known = Global(module, name, entry)
            known.compute = evaluate.COMPUTE.get(entry.name)
            if len(self._globals) < _MOST_RECORDS:
                self._globals[key] = known
                self.fetched.setdefault(entry.name, (entry, offset))
            else:
                self.suppressed += 1
                if entry.kind != "allowed":
                    self.trouble("pickle/too-many-names", "it fetches thousands of names", offset)
        return known

    def names(self) -> list[tuple[str, str, str]]:
        """Module and name of everything that was fetched, as the pickle spells it, and what it is called here."""
        return [(module, name, known.entry.name) for (module, name, _), known in self._globals.items()]

    def _fetch_computed(self, module: Any, name: Any, offset: int) -> Any:
        """A name of which a part is no plain text."""
        if module.__class__ is Blob and module.text:
            module = module.start(200).decode("utf-8", "replace")
        if name.__class__ is Blob and name.text:
            name = name.start(200).decode("utf-8", "replace")
        if module.__class__ is str and name.__class__ is str:
            return self.fetch(module, name, offset)
        for part in (module, name):
            if part.__class__ in PLAIN and part.__class__ is not str:
                raise Malformed("it fetches something whose name is no text", offset)
        self.trouble(
            "pickle/computed-name",
            f"loading it fetches a name it computes: module {_shown(module)}, name {_shown(name)}",
            offset,
        )
        return Unknown("its name is computed")

    def extension(self, code: int, offset: int) -> Any:
        """A name by its number in `copyreg`'s registry."""
        if code == 0:
            raise Malformed("extension code 0 is not allowed", offset)
        if code in self._extensions:
            return self._extensions[code]
        self.trouble(
            "pickle/extension",
            f"loading it fetches extension {code}, a name that only the loading program's registry knows",
            offset,
        )
        return Unknown("an extension")

    def register_extension(self, code: Any, value: Any) -> None:
        """`copyreg.add_extension` was called."""
        if code.__class__ is int and len(self._extensions) < _MOST_RECORDS:
            self._extensions[code] = value

    def persistent(self, id_: Any) -> Any:
        """A persistent id: in torch's pickles a tensor's storage, or a module's class with its source."""
        if id_.__class__ is tuple and id_:
            if id_[0] == "module" and len(id_) > 1 and id_[1].__class__ is Global:
                return id_[1]
            if (
                id_[0] == "storage"
                and len(id_) >= 5
                and id_[2].__class__ is str
                and len(self.storages) < 100_000
            ):
                self.storages[id_[2]] = (show(id_[1]), id_[4])
        return Persistent(id_)

    # ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def call(
        self, function: Any, args: Any, how: str, offset: int, through: str = "", kwargs: Table | None = None
    ) -> Any:
        """`function(*args)`, and what it gives back as far as that is known."""
        if args.__class__ is not tuple:
            args = spread(args)
        kind = function.__class__
        if kind is Global:
            entry = function.entry
            if entry.flags & CALL and entry.condition is None:
                record = self.records.get((entry.name, how))
                if record is not None:
                    record.count += 1
                    if function.compute is None:
                        return Made(function, args, how, offset)
            return self._call_global(function, args, how, offset, through, kwargs)
        if self._depth >= _DEEPEST:
            return Unknown("calls of calls of calls")
        self._depth += 1
        try:
            return self._call_other(function, args, offset, through, kwargs)
        finally:
            self._depth -= 1

    def _call_global(
        self,
        function: Global,
        args: tuple[Any, ...],
        how: str,
        offset: int,
        through: str,
        kwargs: Table | None,
    ) -> Any:
        """A call of something with a name."""
        entry = function.entry
        self._record(entry, how, args, offset, through)
        if entry.kind == "allowed" and not entry.flags & _NEEDED.get(how, CALL) and how != "constructor":
            self._unlisted_call(entry, how, args, offset)
        if entry.condition is not None:
            wrong = check(entry.condition, self, args, kwargs)
            if wrong is not None:
                level, why = wrong
                self.trouble(
                    "pickle/dangerous-callable" if level is Level.CRITICAL else "pickle/unlisted-callable",
                    f"loading it calls `{entry.name}` with {_listed(args)}: {why}",
                    offset,
                    level=level,
                    name=entry.name,
                )
        made = Made(function, args, how, offset)
        made.kwargs = kwargs
        if function.compute is not None and self._depth < _DEEPEST and self._followed < _MOST_FOLLOWED:
            # Calls of calls can be a tree of any size out of few bytes.
            self._followed += self._depth > 0
            self.context.tick(16)
            self._depth += 1
            try:
                value = function.compute(self, args, offset, kwargs)
            finally:
                self._depth -= 1
            if value is not NOTHING:
                return self._kept(value)
        return made

    def _kept(self, value: Any) -> Any:
        """A computed value, as long as all of them together are not too much to hold."""
        if value.__class__ in (str, bytes, list, tuple):
            self._held += len(value)
            if self._held > _MOST_HELD:
                return Unknown("too much is computed")
        return value

    def _unlisted_call(self, entry: Entry, how: str, args: tuple[Any, ...], offset: int) -> None:
        self.trouble(
            "pickle/unlisted-callable",
            f"loading it calls `{entry.name}` with {_listed(args)}; that name is known to be harmless only where it "
            f"is {'referred to' if entry.flags == NAME else 'made an instance of without a call'}",
            offset,
            name=entry.name,
            how=how,
        )

    def _record(self, entry: Entry, how: str, args: tuple[Any, ...], offset: int, through: str) -> None:
        key = (entry.name, how)
        record = self.records.get(key)
        if record is None:
            if len(self.records) >= _MOST_RECORDS:
                self.suppressed += 1
                return
            record = self.records[key] = Record(entry, how, args, offset)
        record.count += 1
        if entry.kind != "allowed" and len(record.examples) < _MOST_EXAMPLES:
            record.examples.append((offset, show_arguments(args), through))

    def _call_other(
        self, function: Any, args: tuple[Any, ...], offset: int, through: str, kwargs: Table | None
    ) -> Any:
        """A call of something that was made, bound, or is not known."""
        kind = function.__class__
        if kind is Bound:
            return self._call_bound(function, args, offset, through, kwargs)
        if kind is Made:
            return self._call_made(function, args, offset, through)
        if kind in PLAIN or kind in (tuple, list, Table, Group, Module):
            raise Malformed(f"it calls {show(function)[:80]}, which is no function", offset)
        self.trouble(
            "pickle/computed-callable",
            f"loading it calls something it computes with {_listed(args)}; which function that is cannot be told",
            offset,
        )
        return Unknown("what a computed function gives back")

    def _call_bound(
        self, function: Bound, args: tuple[Any, ...], offset: int, through: str, kwargs: Table | None
    ) -> Any:
        """A method of something."""
        of = function.of
        planted = evaluate.supplied(of, function.name, self._patched)
        if planted is not None:
            return self.call(planted, args, "method", offset, through, kwargs)
        if function.name == "__new__" and of.__class__ is Global and args and args[0].__class__ is Global:
            return self.new(args[0], args[1:], kwargs, offset)
        base = of
        for _ in range(_DEEPEST):
            if base.__class__ is not Made:
                break
            base = base.callable
        if base.__class__ is Global:
            named = self.fetch(base.module, f"{base.name}.{function.name}", offset)
            bound = args if of is base else (of, *args)
            return self.call(named, bound, "method", offset, through, kwargs)
        computed = method(self, of, function.name, args, offset)
        if computed is not NOTHING:
            return computed
        self.trouble(
            "pickle/computed-callable",
            f"loading it calls `{show(function)[:200]}` with {_listed(args)}; what that does cannot be told",
            offset,
        )
        return Unknown("what a method gives back")

    def _call_made(self, function: Made, args: tuple[Any, ...], offset: int, through: str) -> Any:
        """The result of a call, called."""
        maker = function.callable
        if maker.__class__ is Global:
            resolve = evaluate.CALL_MADE.get(maker.entry.name)
            if resolve is not None:
                value = resolve(self, function, args, offset)
                if value is not NOTHING:
                    return value
            if maker.entry.effect == "carries":
                self.trouble(
                    "pickle/carried-code",
                    f"loading it runs code that it carries, made by `{maker.entry.name}`, with {_listed(args)}",
                    offset,
                    level=Level.CRITICAL,
                    name=maker.entry.name,
                )
                return Made(function, args, "reduce", offset)
            if maker.entry.kind == "dangerous":
                # That call is a finding already; this one says where it leads.
                self._record(maker.entry, "result", args, offset, through)
                return Made(function, args, "reduce", offset)
        self.trouble(
            "pickle/computed-callable",
            f"loading it calls what `{show(maker)[:200]}` gave back with {_listed(args)}; what that does cannot "
            "be told",
            offset,
        )
        return Made(function, args, "reduce", offset)

    def new(self, cls: Any, args: Any, kwargs: Any, offset: int) -> Any:
        """`cls.__new__(cls, *args, **kwargs)`."""
        if args.__class__ is not tuple:
            args = spread(args)
        if cls.__class__ is Made and cls.callable.__class__ is Global and not evaluate.makes_classes(cls):
            # The unpickler written in Python takes `__new__` from an instance as well: that of its class.
            cls = cls.callable
        if cls.__class__ is Global:
            entry = cls.entry
            key = (entry.name, "new")
            record = self.records.get(key)
            if record is not None and entry.flags & NEW:
                record.count += 1
            else:
                self._record(entry, "new", args, offset, "")
                if entry.kind == "allowed" and not entry.flags & (NEW | CALL):
                    self._unlisted_call(entry, "new", args, offset)
            made = Made(cls, args, "new", offset)
            if kwargs.__class__ is Table:
                made.kwargs = kwargs
            if cls.compute is not None:
                evaluate.drained(self, cls, args, offset)
            return made
        return self.call(cls, args, "new", offset)

    def instantiate(self, cls: Any, args: tuple[Any, ...], offset: int) -> Any:
        """INST and OBJ: without arguments a class is only made new, with some it is called."""
        if not args and cls.__class__ is Global and cls.entry.flags & NEW:
            return self.new(cls, args, None, offset)
        return self.call(cls, args, "inst", offset)

    # ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    def build(self, instance: Any, state: Any, offset: int) -> int | None:
        """BUILD: `instance.__setstate__(state)`, or its `__dict__` updated. Says where the stream goes on."""
        kind = instance.__class__
        if kind is Made:
            if instance.callable.__class__ is not Global or instance.planted or self._patched:
                self.special(instance, "__setstate__", (state,), offset)
            instance.state = state
            if state.__class__ is Table or state.__class__ is tuple:
                self._plant(instance, state, offset)
            maker = instance.callable
            if maker.__class__ is Global and maker.entry.on_build is not None:
                if maker.entry.on_build == "joblib-array":
                    return self.on_array(instance, offset) if self.on_array is not None else None
                wrong = check(maker.entry.on_build, self, (instance, state), None)
                if wrong is not None:
                    level, why = wrong
                    self.trouble(
                        "pickle/dangerous-state",
                        f"loading it sets the state of a `{maker.entry.name}`: {why}",
                        offset,
                        level=level,
                        name=maker.entry.name,
                    )
            return None
        if kind is Global or kind is Module:
            self._patch(instance, state, offset)
        elif kind is Bound or kind is Unknown:
            self.trouble(
                "pickle/computed-callable",
                f"loading it sets the state of `{show(instance)[:200]}`; what that is cannot be told",
                offset,
            )
        return None

    def _patch(self, target: Global | Module, state: Any, offset: int) -> None:
        """BUILD on a class, function or module changes it for the whole program."""
        changed: dict[str, Any] = {}
        for table in state if state.__class__ is tuple else (state,):
            if table.__class__ is Table:
                changed.update((str(key), value) for key, value in table.pairs[:50] if key.__class__ is str)
        name = target.full if target.__class__ is Global else target.name
        if target.__class__ is Module:
            for attribute, value in changed.items():
                self._patched.setdefault(f"{name}.{attribute}", {})["__call__"] = value
                self._replace(target.name, attribute, value)
        elif len(self._patched) < _MOST_RECORDS:
            self._patched.setdefault(name, {}).update(changed)
        what = ", ".join(f"`{key}` by `{show(value)[:80]}`" for key, value in list(changed.items())[:4])
        self.trouble(
            "pickle/patches",
            f"loading it changes `{name}` for the whole program" + (f": it replaces {what}" if what else ""),
            offset,
            name=name,
        )

    def _replace(self, module: str, attribute: str, value: Any) -> None:
        """From here on, a name in a module is what the pickle put there."""
        for old in (False, True):
            known = self._globals.get((module, attribute, old))
            if known is None:
                entry = self.judge.entry(module, attribute, old=old)
                known = self._globals[(module, attribute, old)] = Global(module, attribute, entry)
            known.compute = _calls(value)

    def _plant(self, instance: Made, state: Any, offset: int) -> None:
        """Note the attributes of an instance that the unpickler itself would call."""
        for table in state if state.__class__ is tuple and len(state) == 2 else (state,):
            if table.__class__ is not Table:
                continue
            # Looked up in one step: nearly no state has any of them.
            if PLANTED.isdisjoint(key for key in table.flat[::2] if key.__class__ is str):
                continue
            for key, value in table.pairs:
                if key.__class__ is str and key in PLANTED and value.__class__ not in PLAIN:
                    if instance.planted is None:
                        instance.planted = {}
                    instance.planted[key] = value
                    if value.__class__ in (Global, Made, Bound, Unknown):
                        self.trouble(
                            "pickle/planted-method",
                            f"loading it sets `{key}` of a `{show(instance.callable)[:80]}` to `{show(value)[:80]}`",
                            offset,
                        )

    def special(self, instance: Any, name: str, args: tuple[Any, ...], offset: int) -> bool:
        """A method that the unpickler calls by itself; whether the pickle supplied it."""
        planted = evaluate.supplied(instance, name, self._patched)
        if planted is None:
            if instance.__class__ is Made and evaluate.carries(instance):
                self.trouble(
                    "pickle/carried-code",
                    f"loading it uses an instance of a class that it carries, by `{name}`",
                    offset,
                    level=Level.CRITICAL,
                )
            return False
        self.call(planted, args, "method", offset, f"{show(instance)[:60]}.{name}")
        return True

    def append(self, target: Any, items: list[Any], offset: int) -> None:
        """APPEND and APPENDS on something that is no list."""
        kind = target.__class__
        if kind is Made:
            if target.callable.__class__ is Global and not target.planted and not self._patched:
                evaluate.drain_all(self, items, offset)
                return
            if not self.special(target, "extend", (items,), offset):
                for item in items[:20]:
                    if not self.special(target, "append", (item,), offset):
                        break
        elif kind is Global or kind is Module:
            self.call(evaluate.attribute(self, target, "extend", offset), (items,), "method", offset)
            self.call(evaluate.attribute(self, target, "append", offset), tuple(items[:1]), "method", offset)
        elif kind in (Bound, Unknown):
            self._odd(target, "append", offset)

    def add_items(self, target: Any, items: list[Any], offset: int) -> None:
        """ADDITEMS on something that is no set."""
        kind = target.__class__
        if kind is Made:
            for item in items[:20]:
                if not self.special(target, "add", (item,), offset):
                    break
        elif kind is Global or kind is Module:
            self.call(evaluate.attribute(self, target, "add", offset), tuple(items[:1]), "method", offset)
        elif kind in (Bound, Unknown):
            self._odd(target, "add", offset)

    def set_items(self, target: Any, items: list[Any], offset: int) -> None:
        """SETITEM and SETITEMS on something that is no dictionary."""
        kind = target.__class__
        if kind is Made:
            if target.callable.__class__ is Global and not target.planted and not self._patched:
                return
            for index in range(0, min(len(items), 40), 2):
                if not self.special(target, "__setitem__", (items[index], items[index + 1]), offset):
                    break
        elif (kind is Global and target.entry.name.endswith("__dict__")) or kind is Module:
            state = Table()
            state.update(items[:100])
            module = Module(target.module) if kind is Global else target
            self._patch(module, state, offset)
        elif kind in (Global, Bound, Unknown):
            self._odd(target, "__setitem__", offset)

    def _odd(self, target: Any, method: str, offset: int) -> None:
        self.trouble(
            "pickle/computed-callable",
            f"loading it calls `{method}` of `{show(target)[:200]}`; what that does cannot be told",
            offset,
        )

    # ── Findings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def trouble(
        self, rule: str, message: str, offset: int, level: Level | None = None, name: str = "", **detail: Any
    ) -> None:
        """Something is wrong beyond a name."""
        if len(self.troubles) < _MOST_TROUBLES:
            self.troubles.append(Trouble(rule, message, offset, level, name, **detail))
        else:
            self.suppressed += 1

    def nest(self, name: str, data: Any) -> None:
        """Bytes that loading this pickle would load as a pickle of its own."""
        if len(self.nested) < 200:
            self.nested.append((name, data))
        else:
            self.suppressed += 1


# Which permission each way of calling needs.
_NEEDED: Final = {"new": NEW, "inst": CALL, "reduce": CALL, "method": CALL}


def spread(args: Any) -> tuple[Any, ...]:
    """The arguments of a call that are no tuple: CPython's Python unpickler spreads anything it can iterate."""
    kind = args.__class__
    if kind is list:
        return tuple(args)
    if kind is str:
        return tuple(args[:20])
    if kind is bytes:
        return tuple(args[:20])
    if kind is Table:
        return tuple(key for key, _ in args.pairs[:20])
    if kind is Group:
        return tuple(args.items[:20])
    return (Unknown("arguments that are computed"),)


def _calls(value: Any) -> Any:
    """A computation that calls what a name was replaced by."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        return actions.call(value, args, "reduce", offset, "", kwargs)

    return compute


def _listed(args: tuple[Any, ...]) -> str:
    """Arguments in a sentence."""
    shown = show_arguments(args)
    return f"`{shown[:300]}`" if shown else "no arguments"


def _shown(part: Any) -> str:
    return f"`{show(part)[:120]}`"
