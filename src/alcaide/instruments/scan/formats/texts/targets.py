"""Names in configuration that a program imports and calls: Hydra's `_target_`, Lightning's `class_path`, and their kin.

Whoever can write such a name can have anything called. A name that reaches out is the attack; the names of ordinary
libraries are what these keys are for, so a name that is merely not listed says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context

CALLS = Rule(
    "config/calls",
    Level.CRITICAL,
    "configuration that has something called",
    "The program that reads it imports the name and calls it with what stands beside it.",
    "Do not load it. Put the name of the class that was meant, or get the file again from its source.",
    ("cwe/CWE-470", "cwe/CWE-502", "mitre-atlas/AML.T0010.003"),
)
DEEP = Rule(
    "config/nested-too-deep",
    Level.MEDIUM,
    "nested deeper than programs can read",
    "Programs that read it fail, or run out of memory.",
    "Get it again from its source.",
    ("cwe/CWE-674",),
)
DUPLICATE_KEY = Rule(
    "config/duplicate-key",
    Level.LOW,
    "a key that is there twice",
    "Programs differ in which one they take.",
    "Remove one of them.",
    ("cwe/CWE-436",),
)
BROKEN = Rule(
    "config/unreadable",
    Level.LOW,
    "configuration that cannot be read",
    "It may be a template, or broken; programs that are less strict may read it all the same.",
    "Read it by hand.",
)
RULES = (CALLS, DEEP, DUPLICATE_KEY, BROKEN)

KEYS = frozenset(["_target_", "class_path", "()", "target", "_partial_target_", "py/object", "py/function", "py/type",
                  "func", "callable", "path", "loader", "init_func", "_class_"])  # fmt: skip
"""Keys whose value some program imports. Only `_target_`, `class_path` and `()` are for nothing else."""

ALWAYS = frozenset(
    ["_target_", "class_path", "()", "py/object", "py/function", "py/type", "_partial_target_"]
)

_MODULES = (
    "os.", "posix.", "nt.", "subprocess.", "builtins.", "__builtin__.", "sys.", "shutil.", "socket.", "importlib.",
    "ctypes.", "pty.", "commands.", "code.", "runpy.", "webbrowser.", "urllib.", "http.", "requests.", "pickle.",
    "_pickle.", "marshal.", "pdb.", "timeit.", "cProfile.", "imp.", "pip.", "smtplib.", "ftplib.", "telnetlib.",
    "asyncio.subprocess", "multiprocessing.process", "platform.popen", "operator.attrgetter", "operator.methodcaller",
    "dill.", "cloudpickle.", "httpx.", "paramiko.", "pexpect.", "distutils.spawn", "_posixsubprocess.", "bdb.",
    "gc.", "inspect.", "types.FunctionType", "types.CodeType", "tempfile.", "signal.", "resource.", "antigravity",
)  # fmt: skip
_HARMLESS = (
    "os.path.", "os.getcwd", "os.getenv", "os.environ.get", "os.cpu_count", "sys.stdout", "sys.stderr", "sys.maxsize",
    "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set", "builtins.int", "builtins.float",
    "builtins.str",
    "builtins.len", "builtins.range", "builtins.sum", "builtins.min", "builtins.max", "builtins.bool", "builtins.slice",
    "builtins.sorted", "builtins.zip", "builtins.enumerate", "builtins.round", "builtins.abs", "builtins.frozenset",
    "builtins.bytes", "builtins.object", "builtins.complex", "builtins.print", "importlib.resources", "http.HTTPStatus",
    "importlib.metadata", "inspect.signature", "shutil.get_terminal_size", "builtins.type", "builtins.NoneType",
    "builtins.function", "urllib.parse.",
)  # fmt: skip


_NAMED = regex(r"[A-Za-z_][\w.:/]{0,200}\Z")


def reach(name: str) -> str:
    """What calling this name would do, for the end of a sentence; "" if nothing is known against it."""
    from alcaide.instruments.scan.formats.texts.python.effects import EFFECTS, Effect

    plain = name.strip().removeprefix("ext://").removeprefix("__main__.").replace(":", ".")
    if len(plain) > 200 or not plain or " " in plain:
        return ""
    known = plain.replace("__builtin__.", "builtins.").removeprefix("builtins.builtins.")
    effect = EFFECTS.get(known) or EFFECTS.get(f"builtins.{known}")
    if effect is Effect.MODULE or (
        effect is Effect.FETCH and not known.startswith(("urllib", "requests", "httpx"))
    ):
        return "imports or fetches what stands beside it"
    if effect is not None and not plain.startswith(("open", "io.open", "torch.load", "numpy.load")):
        return str(effect.value)
    if effect is not None:
        return "opens a file that stands beside it"
    if plain.startswith(_MODULES) and not plain.startswith(_HARMLESS):
        return f"reaches into `{plain.partition('.')[0]}`"
    return ""


def check(context: Context, key: str, value: str, *, place: str = "") -> None:
    """Judge the value of a key, if programs import what such keys hold."""
    if key not in KEYS or not (_is_exact(value) or (key in ALWAYS and _NAMED.match(value.strip()))):
        return
    said = reach(value)
    if not said:
        return
    certain = key in ALWAYS
    context.find(
        CALLS,
        f"`{key}` names `{value.strip()[:120]}`: whatever instantiates it {said}",
        level=Level.CRITICAL if certain else Level.HIGH,
        place=place,
        key=key,
        callable=value.strip()[:200],
    )


def _is_exact(value: str) -> bool:
    """Whether a value is one of the names that reach out, and no path or host that only looks like one."""
    from alcaide.instruments.scan.formats.texts.python.effects import EFFECTS

    return value.strip() in EFFECTS
