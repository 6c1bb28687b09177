"""Which ONNX operators only compute, and which domains of operators are known."""

from __future__ import annotations

import re
from functools import lru_cache

from alcaide.instruments.scan.lists import read_list
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

PYTHON = Rule(
    "onnx/python-operator",
    Level.CRITICAL,
    "an operator that runs Python",
    "Such an operator calls Python code by its name, or code that the model itself carries.",
    "Get the model without the operator: it cannot work without code that is brought along.",
    ("cwe/CWE-94", *_TAXONOMY, "mitre-atlas/AML.T0011.000"),
)
CUSTOM = Rule(
    "onnx/custom-operator",
    Level.MEDIUM,
    "an operator that ONNX does not have",
    "It comes from a native library that must be loaded first, which can do anything.",
    "Find out which library it belongs to, and take that library in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)
RULES = (PYTHON, CUSTOM)

PYTHON_OPERATORS = frozenset(
    {
        "PyOp",
        "PyCustomOp",
        "PyCustomOpDef",
        "PythonOp",
        "PythonOpGrad",
        "PyFunc",
        "PyFunction",
        "PythonFunction",
        "NumpyOp",
    }
)
"""ONNX Runtime's language bridge, its training operators, and the extensions' Python operators."""
_SOUNDS_ACTING = regex(
    r"shell|exec(?!ut(?:or|ion))|system|subprocess|command|spawn|popen|eval(?!uat)|script|download|upload|socket|http",
    re.IGNORECASE,
)
"""Names that tell what an unknown operator is for. They make what cannot be decided worse, never anything better."""
NATIVE_OPERATORS = frozenset({"TritonOp", "ExternalOp", "EPContext"})

DOMAINS = frozenset(
    {
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.microsoft.mlfeaturizers",
        "com.microsoft.dml",
        "com.microsoft.experimental",
        "com.microsoft.extensions",
        "com.ms.internal.nhwc",
        "com.ms.ibmx",
        "com.microsoft.xnnpack",
        "org.pytorch.aten",
        "org.pytorch._caffe2",
        "ai.onnx.contrib",
        "org.openvinotoolkit",
    }
)
"""Domains whose operators ship with ONNX, ONNX Runtime, its extensions for texts and images, or PyTorch's exporter."""


@lru_cache(maxsize=1)
def own() -> frozenset[str]:
    """ONNX's own operators, `domain:name`."""
    text = read_list("onnx_ops.txt")
    return frozenset(line for line in text.split("\n") if line and line[0] != "#")


_LISTED = frozenset({"", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "ai.onnx.preview"})


def judge(domain: str, operator: str) -> tuple[Rule, Level, str] | None:
    """What is wrong with using an operator, or None.

    Returns:
        The rule, the level, and what would happen, to follow "using the model".
    """
    shown = f"{domain}:{operator}" if domain else operator
    if operator in PYTHON_OPERATORS or operator.startswith(("PyOp", "PyCustomOp")):
        return PYTHON, Level.CRITICAL, f"calls Python code as operator `{shown}`"
    if operator in NATIVE_OPERATORS and domain.startswith("com.microsoft"):
        return CUSTOM, Level.MEDIUM, f"runs foreign code that is compiled already, as operator `{shown}`"
    plain = "" if domain == "ai.onnx" else domain
    if plain in _LISTED:
        if f"{plain}:{operator}" in own():
            return None
        return CUSTOM, _unknown(operator), f"needs an operator `{shown}`, which ONNX does not have"
    if domain in DOMAINS:
        return None
    return CUSTOM, _unknown(operator), f"needs a library that brings operator `{shown}`"


def _unknown(operator: str) -> Level:
    return Level.HIGH if _SOUNDS_ACTING.search(operator) else Level.MEDIUM
