"""What is known about a name that a pickle fetches: harmless, dangerous, or not known.

Harmless is what a list of `alcaide.instruments.scan.allow` says, generated from the libraries and reviewed; dangerous
is what its other list says, by name or by whole module. Everything else is unlisted: it cannot be decided. A name
leads where it leads: `posixpath` `os.system` is `os.system`, and `__builtin__` is the `builtins` of Python 2.
"""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Final, Literal

from alcaide.instruments.scan.allow import CALL, NAME, NEW, Lists, lists

Kind = Literal["allowed", "dangerous", "unlisted"]

__all__ = ["CALL", "NAME", "NEW", "Entry", "Judge", "dangerous_method"]


class Entry:
    """The judgement of one name."""

    __slots__ = ("condition", "effect", "flags", "kind", "name", "on_build", "why")

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        flags: int = 0,
        effect: str = "",
        why: str = "",
        condition: str | None = None,
        on_build: str | None = None,
    ) -> None:
        self.name = name
        """`module.name` of what is really fetched."""
        self.kind = kind
        self.flags = flags
        """What may be done with an allowed name: `NAME`, `NEW`, `CALL`."""
        self.effect = effect
        """For a dangerous one, the kind of thing it does; `carries` for makers of functions and code. For an unlisted
        one, where it comes from: `standard`, `known` or `unknown`."""
        self.why = why
        """For a dangerous one, what it does, in words."""
        self.condition = condition
        self.on_build = on_build


class Judge:
    """Judges names, and remembers.

    `extra` holds names that are harmless in the place at hand and nowhere else: `__torch__.…` in a TorchScript archive.
    """

    def __init__(self, extra: tuple[str, ...] = ()) -> None:
        self._lists: Lists = lists()
        self._extra = extra
        self._known: dict[tuple[str, str, bool], Entry] = {}

    def entry(self, module: str, name: str, *, old: bool) -> Entry:
        """What is known about `module.name`, as fetched by a protocol below 3 (`old`) or a later one."""
        key = (module, name, old)
        known = self._known.get(key)
        if known is None:
            # Python 2's names are translated for old protocols only; a file that asks for one in a new protocol is
            # meant for a loader that differs, so the worse of both readings holds.
            translated = _translated(module, name)
            known = None if translated is None else self._judged(*translated)
            if known is None or not (old or known.kind == "dangerous"):
                known = self._judged(module, name)
            if len(self._known) < 20_000:
                self._known[key] = known
        return known

    def _judged(self, module: str, name: str) -> Entry:
        """The judgement of one reading of a name."""
        full = f"{module}.{name}"
        known = self._lists
        danger = known.dangerous_name(full)
        if danger is not None:
            return Entry(full, "dangerous", effect=danger.effect, why=danger.why)
        permission = known.permission(module, name)
        if permission is not None:
            return Entry(
                permission.full or full,
                "allowed",
                flags=permission.flags,
                condition=permission.condition,
                on_build=permission.on_build,
            )
        if "." in name and self._is_method(module, name):
            return Entry(full, "allowed", flags=NAME)
        for prefix in self._extra:
            if full.startswith(prefix):
                return Entry(full, "allowed", flags=NAME | NEW)
        return self._unlisted(module, name, full)

    def _is_method(self, module: str, name: str) -> bool:
        """Whether the name is a method of a class that is allowed: it may be referred to, and not be called."""
        owner, _, method = name.rpartition(".")
        permission = self._lists.permission(module, owner)
        return (
            permission is not None
            and bool(permission.flags & NEW)
            and module != "builtins"
            and not method.startswith("__")
            and not dangerous_method(method)
        )

    def _unlisted(self, module: str, name: str, full: str) -> Entry:
        """Dangerous by where it leads, or by the module it is in; else unlisted."""
        known = self._lists
        steps = name.split(".")
        for index in range(len(steps) - 1, -1, -1):
            step = steps[index]
            # A module within a module: `posixpath.os.system`, `random._os.system`.
            inner = step.lstrip("_") if step.startswith("_") and not step.startswith("__") else step
            rest = ".".join(steps[index + 1 :])
            if inner in _LEADS_TO or (len(steps) > 1 and known.is_module(inner)):
                led = f"{inner}.{rest}" if rest else inner
                danger = known.dangerous_name(led) or known.dangerous_module(led if rest else f"{inner}.x")
                if danger is not None:
                    return Entry(led, "dangerous", effect=danger.effect, why=danger.why)
            if step in _INTO_INTERPRETER:
                danger = known.effect("interpreter")
                return Entry(full, "dangerous", effect=danger.effect, why=danger.why)
        if (
            module == "builtins"
            and steps[0] in _TEXT_TYPES
            and len(steps) == 2
            and not steps[1].startswith("__")
        ):
            return Entry(full, "unlisted", effect="known")
        danger = known.dangerous_module(full)
        if danger is not None:
            return Entry(full, "dangerous", effect=danger.effect, why=danger.why)
        if dangerous_method(steps[-1]):
            danger = known.effect("method")
            return Entry(full, "dangerous", effect=danger.effect, why=danger.why)
        return Entry(full, "unlisted", effect=self._home(module))

    def _home(self, module: str) -> str:
        """Where an unlisted name comes from: it is another matter to call into a library that nobody knows."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names:
            return "standard"
        return "known" if self._lists.is_known_library(top) else "unknown"


def dangerous_method(name: str) -> bool:
    """Whether an attribute of this name reads, writes or runs something, whatever it belongs to."""
    return name.rpartition(".")[2] in lists().methods


def _translated(module: str, name: str) -> tuple[str, str] | None:
    """A name of Python 2 as Python 3's unpickler reads it; None where it is the same."""
    if (module, name) in NAME_MAPPING:
        translated: tuple[str, str] = NAME_MAPPING[(module, name)]
        return translated
    if module in IMPORT_MAPPING:
        return IMPORT_MAPPING[module], name
    return None


# Module names that are looked for as a step of a dotted name: what a library imports stays reachable through it.
_LEADS_TO: Final = frozenset({
    "os", "posix", "nt", "sys", "subprocess", "builtins", "__builtins__", "importlib", "shutil", "socket", "pickle",
    "ctypes", "runpy", "code", "marshal", "operator", "io", "tempfile", "multiprocessing", "threading", "urllib",
    "requests", "webbrowser", "pty", "imp", "inspect", "platform", "commands",
})  # fmt: skip

_TEXT_TYPES: Final = frozenset({"str", "bytes", "bytearray", "int", "float", "list", "tuple", "dict", "set"})

_INTO_INTERPRETER: Final = frozenset({
    "__globals__", "__builtins__", "__dict__", "__subclasses__", "__bases__", "__base__", "__mro__", "__code__",
    "__class__", "__loader__", "__spec__", "__getattribute__", "__getattr__", "__import__", "__self__", "__func__",
    "__closure__", "__init__", "__call__", "__reduce__", "__reduce_ex__", "__setattr__", "__delattr__", "f_globals",
    "f_builtins", "gi_frame", "tb_frame", "__wrapped__", "__module__", "__init_subclass__", "__class_getitem__",
    "__setstate__", "__enter__", "__exit__", "__path__", "__file__", "__cached__",
})  # fmt: skip
