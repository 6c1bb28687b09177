"""What can be wrong about a program, wherever it lies."""

from __future__ import annotations

from functools import lru_cache

from alcaide.instruments.scan.formats.wordlists import words
from alcaide.instruments.scan.model import Level, Rule

DISGUISED = Rule(
    "executable/disguised",
    Level.HIGH,
    "a program under the name of data",
    "It waits for somebody, or something, to start it; its name keeps it from being noticed.",
    "Do not keep it. Find out how it came in.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000"),
)
INSIDE = Rule(
    "executable/inside",
    Level.HIGH,
    "a program inside of an archive",
    "A model needs none. Whatever unpacks the archive lays it where it can be started.",
    "Do not unpack it; ask its maker what the program is for.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0010.003"),
)
BESIDE = Rule(
    "executable/beside",
    Level.MEDIUM,
    "a program",
    "What it does when it is started or loaded cannot be told from its bytes here.",
    "Build it from its source, or have it vouched for (a signature, a digest from its maker).",
    ("cwe/CWE-829", "mitre-atlas/AML.T0010"),
)
BYTECODE = Rule(
    "executable/python-bytecode",
    Level.MEDIUM,
    "compiled Python",
    "It is loaded in place of its source, which a reader takes for what runs.",
    "Delete it; Python makes it anew from the source.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0010.003"),
)
SHORTCUT = Rule(
    "executable/shortcut",
    Level.HIGH,
    "a shortcut that starts a program",
    "It looks like a document, and opening it runs a command.",
    "Do not open it.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0011"),
)
HARMFUL = Rule(
    "script/harmful",
    Level.HIGH,
    "a script that does harm",
    "Whoever runs it hands the machine over.",
    "Do not run it. Find out how it came in.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0011"),
)
SCRIPT = Rule(
    "script/present",
    Level.LOW,
    "a script",
    "It does nothing until somebody runs it.",
    "Read it before you run it.",
    ("mitre-atlas/AML.T0011",),
)
RULES = (DISGUISED, INSIDE, BESIDE, BYTECODE, SHORTCUT, HARMFUL, SCRIPT)


@lru_cache(maxsize=1)
def _data_endings() -> frozenset[str]:
    return words("data_endings.txt")


def is_data_name(name: str) -> bool:
    """Whether a file of this name is one in which nobody expects a program."""
    return ending(name) in _data_endings()


LIBRARY_ENDINGS = frozenset(
    ["so", "dll", "dylib", "pyd", "node", "wasm", "class", "dex", "a", "o", "lib", "jar"]
)


def ending(name: str) -> str:
    """A name's ending in lower case, without the dot; versions of shared libraries (`.so.1.2`) count as `so`."""
    base = name.rsplit("/", 1)[-1].lower()
    if ".so." in base and base.rpartition(".so.")[2].replace(".", "").isdigit():
        return "so"
    return base.rpartition(".")[2] if "." in base else ""
