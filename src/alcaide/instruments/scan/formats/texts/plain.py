"""Text that no other format knows, in any encoding, and tables of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

FORMULA = Rule(
    "table/acting-formula",
    Level.HIGH,
    "a table cell that a spreadsheet runs",
    "Opened in a spreadsheet the cell starts a program or sends the table's content away.",
    "Open it as text, or put a quote before the cell.",
    ("cwe/CWE-1236",),
)
MISNAMED = Rule(
    "text/misnamed",
    Level.MEDIUM,
    "text under the name of a binary format",
    "Loaders that go by the name read it as something it is not.",
    "Find out what it is; get the file again.",
    ("cwe/CWE-436",),
)
HIDDEN = Rule(
    "text/turned-direction",
    Level.LOW,
    "text that reads differently from what it is",
    "Characters that turn the reading direction hide what is written.",
    "Remove the characters.",
    ("cwe/CWE-1007",),
)
RULES = (FORMULA, MISNAMED, HIDDEN)

_PIECE = 1 << 20
_OVERLAP = 1024
_ACTS = regex(
    rb"(?:^|[,;\t\"]) {0,8}[=+@-] {0,8}(?:[\w.]{1,60} {0,8}\| {0,8}'|(?:WEBSERVICE|IMPORTXML|IMPORTDATA|IMPORTHTML"
    rb"|IMPORTFEED|DDE|EXEC|RTD|IMPORTRANGE|CALL|REGISTER(?:\.ID)?) {0,8}\()",
    re.IGNORECASE | re.MULTILINE,
)
_WORDS = (b"|'", b"| '", b"|  '", b"WEBSERVICE", b"IMPORT", b"DDE", b"EXEC", b"RTD", b"CALL", b"REGISTER")
"""One of these is in every match: looked for first, for tables are long."""

_BINARY = (
    ".safetensors", ".gguf", ".npy", ".npz", ".h5", ".hdf5", ".keras", ".onnx", ".tflite", ".parquet", ".pt", ".pth",
    ".msgpack",
)  # fmt: skip


def _is_table(glance: Glance) -> bool:
    return glance.lower_name.endswith((".csv", ".tsv", ".tab", ".psv")) and b"\0" not in glance.head


def _examine_table(source: Source, context: Context) -> None:
    at = 0
    while piece := source.read(at, _PIECE + _OVERLAP):
        context.tick(64)
        upper = piece.upper()
        if any(word in upper for word in _WORDS) and (match := _ACTS.search(piece)):
            context.find(
                FORMULA,
                f"opened in a spreadsheet it runs `{match[0].strip()[:60].decode('utf-8', 'replace')}…`",
                offset=at + match.start(),
            )
            return
        if len(piece) <= _PIECE:
            return
        at += _PIECE


def _is_text(glance: Glance) -> bool:
    return glance.text is not None


def _is_encoded(glance: Glance) -> bool:
    """Text in an encoding of one or two bytes: no control characters, and mostly letters, digits and blanks."""
    head = glance.head[:4096]
    if not head or head.translate(None, _NOT_CONTROL):
        return False
    readable = len(head) - len(head.translate(None, _PLAIN))
    return readable >= 0.6 * len(head)


_NOT_CONTROL = bytes(code for code in range(256) if code >= 32 and code != 127) + b"\t\n\r\f\v\x1a\x1b\b"
_PLAIN = bytes(range(32, 127)) + b"\t\n\r"


def _examine_text(source: Source, context: Context) -> None:
    """Plain text does nothing; what is said is where its name claims otherwise."""
    name = context.node.name.lower()
    head = source.read(0, 8192)
    if name.endswith(_BINARY) and not head.startswith(b"version https://git-lfs.github.com/spec/"):
        context.find(MISNAMED, f"`{context.node.name}` is plain text")
    if b"\xe2\x80\xae" in head:
        context.find(HIDDEN, "it holds characters that turn the direction in which it reads", level=Level.LOW)


FORMATS = (
    Format("table", "table of text", _is_table, _examine_table, RULES),
    Format("text", "plain text", _is_text, _examine_text, RULES, fallback=True),
    Format("text-encoded", "plain text", _is_encoded, _examine_text, RULES, fallback=True),
)
