"""What can be wrong with a Keras model, whichever way it is stored."""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

CODE = Rule(
    "keras/code",
    Level.CRITICAL,
    "the model carries Python code",
    "Code in a Lambda layer runs when a model is rebuilt: always for the older format, and with `safe_mode=False`.",
    "Do not load it; get the model with the layer written as a class, or weights alone.",
    ("cwe/CWE-502", "cwe/CWE-94", *_TAXONOMY),
)
IMPORT = Rule(
    "keras/import",
    Level.CRITICAL,
    "the model names things to import",
    "Loading imports the named module and makes or calls what it names there, with arguments from the file.",
    "Do not load it; a model needs nothing beyond Keras and its maker's own layers.",
    ("cwe/CWE-502", "cwe/CWE-470", *_TAXONOMY),
)
CUSTOM = Rule(
    "keras/custom-object",
    Level.MEDIUM,
    "the model needs code that is not in it",
    "A layer that is not Keras's own comes from code that has to be brought along, and that code can do anything.",
    "Read that code before using it, or get the model made of Keras's own layers.",
    ("cwe/CWE-829", *_TAXONOMY),
)
PATH = Rule(
    "keras/path",
    Level.CRITICAL,
    "the model names a file or address to read",
    "Some layers read the file their configuration names when they are made, and what they read shows in the model.",
    "Do not load it; ask for the model with its vocabulary inside.",
    ("cwe/CWE-73", "cwe/CWE-918", *_TAXONOMY),
)
PICKLE = Rule(
    "keras/pickle",
    Level.CRITICAL,
    "a layer holds a pickle",
    "Loading the layer unpickles a module, and a pickle is a program.",
    "Do not load it; get the weights alone.",
    ("cwe/CWE-502", *_TAXONOMY),
)
OPERATION = Rule(
    "keras/operation",
    Level.CRITICAL,
    "a layer calls a TensorFlow function that acts",
    "Rebuilding such a layer calls the function with arguments from the file, which may read or write files.",
    "Do not load it; get the model without the layer.",
    ("cwe/CWE-94", "cwe/CWE-73", *_TAXONOMY),
)
RULES = (CODE, IMPORT, CUSTOM, PATH, PICKLE, OPERATION)
