"""The kinds of problem a pickle can have."""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

_TAXONOMY = (
    "cwe/CWE-502",
    "owasp-llm:2025/LLM03",
    "owasp-llm:2025/LLM04",
    "mitre-atlas/AML.T0010.003",
    "mitre-atlas/AML.T0011.000",
)
_GET_SAFE = (
    "Do not load it. Get the model from a source you trust, or in a format that holds no code, such as "
    "safetensors."
)
_DECIDE = (
    "Find out what the name does. If it is harmless, allow it for this file with a reason; else get the model in a "
    "format that holds no code, such as safetensors."
)

DANGEROUS = Rule(
    "pickle/dangerous-callable",
    Level.CRITICAL,
    "runs code when it is loaded",
    "A pickle is a program: loading it imports and calls whatever it names, before anybody has seen a result.",
    _GET_SAFE,
    (*_TAXONOMY, "cwe/CWE-94"),
)
UNLISTED = Rule(
    "pickle/unlisted-callable",
    Level.MEDIUM,
    "uses a name that is not known to be harmless",
    "Loading a pickle imports the modules it names and runs what it calls; what this name does cannot be decided here.",
    _DECIDE,
    _TAXONOMY,
)
CARRIED = Rule(
    "pickle/carried-code",
    Level.HIGH,
    "carries code",
    "A function whose bytecode is in the file does what its maker wants as soon as somebody uses the model.",
    "Ask for the model without functions of its own, or review their source and make the model from it yourself.",
    (*_TAXONOMY, "cwe/CWE-94"),
)
COMPUTED_NAME = Rule(
    "pickle/computed-name",
    Level.MEDIUM,
    "fetches a name it computes",
    "No library writes a name that comes into being only while the pickle is loaded; hiding it is the only use.",
    _GET_SAFE,
    (*_TAXONOMY, "cwe/CWE-506"),
)
COMPUTED_CALLABLE = Rule(
    "pickle/computed-callable",
    Level.MEDIUM,
    "calls something it computes",
    "Which function is called comes into being only while the pickle is loaded, so it cannot be judged before.",
    _GET_SAFE,
    _TAXONOMY,
)
EXTENSION = Rule(
    "pickle/extension",
    Level.MEDIUM,
    "fetches a name by a number",
    "The number stands for whatever the loading program has registered under it.",
    _DECIDE,
    _TAXONOMY,
)
PATCHES = Rule(
    "pickle/patches",
    Level.CRITICAL,
    "changes classes, functions or modules of the loading program",
    "What everybody calls afterwards is the attacker's, though no call in the file shows it.",
    _GET_SAFE,
    (*_TAXONOMY, "cwe/CWE-915"),
)
PLANTED = Rule(
    "pickle/planted-method",
    Level.MEDIUM,
    "replaces a method of an object",
    "The unpickler and the interpreter call such methods by themselves, with arguments from the file.",
    _GET_SAFE,
    (*_TAXONOMY, "cwe/CWE-915"),
)
STATE = Rule(
    "pickle/dangerous-state",
    Level.CRITICAL,
    "gives an object a state that it acts on",
    "Some classes run a part of their state when they are loaded.",
    _GET_SAFE,
    _TAXONOMY,
)
BESIDE = Rule(
    "pickle/module-beside",
    Level.CRITICAL,
    "imports a module that lies beside it",
    "A module that comes with the model is a stranger's program; naming it in the pickle runs it.",
    "Review the module as you would any program, or get the model in a format that needs none.",
    (*_TAXONOMY, "cwe/CWE-427"),
)
MEMO = Rule(
    "pickle/memo-bomb",
    Level.MEDIUM,
    "makes the unpickler take gigabytes",
    "The unpickler makes room for every memo number up to the highest; a single huge one can end the process.",
    _GET_SAFE,
    ("cwe/CWE-400", "cwe/CWE-789"),
)
FRAME = Rule(
    "pickle/frame",
    Level.MEDIUM,
    "has a frame that reaches beyond its end",
    "Unpicklers differ in what they make of a wrong frame, and so does what they have done before they notice.",
    "Get the file again from its source; if it comes the same, do not load it.",
    ("cwe/CWE-20",),
)
NAMES = Rule(
    "pickle/too-many-names",
    Level.MEDIUM,
    "fetches thousands of names",
    "Among so many, the one that matters is meant not to be seen.",
    _GET_SAFE,
    _TAXONOMY,
)
TRAILING = Rule(
    "pickle/trailing",
    Level.LOW,
    "has bytes after its end",
    "The unpickler stops at STOP; what follows is for somebody else.",
    "Find out what the bytes are, or have the file written anew.",
    ("cwe/CWE-20",),
)
ALLOWED = Rule(
    "pickle/allowed-callable",
    Level.LOW,
    "uses a name that was allowed for this file",
    "A person has decided that the name is harmless in the file with this digest.",
    "Nothing to do; the decision ends with the file's digest.",
)

RULES = (
    DANGEROUS, UNLISTED, CARRIED, COMPUTED_NAME, COMPUTED_CALLABLE, EXTENSION, PATCHES, PLANTED, STATE, BESIDE, MEMO,
    FRAME, NAMES, TRAILING, ALLOWED,
)  # fmt: skip
BY_ID = {rule.id: rule for rule in RULES}
