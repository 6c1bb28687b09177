"""Text that a model file carries beside its numbers: descriptions, settings, notes. Ordinary, or something else in it.

Used for every text of metadata: safetensors' `__metadata__`, GGUF's key-values, tokens that a tokenizer adds. Judged is
what nobody writes into a note: a file in base64, a program, an instruction for the model, characters nobody sees.
"""

from __future__ import annotations

import base64
import binascii
import re
from itertools import islice
from typing import TYPE_CHECKING

from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Memory
from alcaide.instruments.scan.templates import examine_template, is_template

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context

MOST = 4 << 20
"""Characters of one text that are looked at. Training notes of adapters reach some hundred thousand."""

PACKED = Rule(
    "metadata/packed-file",
    Level.MEDIUM,
    "file hidden in a text",
    "Metadata are read as text and passed on; a file in them is there for a program that knows to look.",
    "Find out what it is (it is listed as a part of its own) and who reads it; remove it if nobody can say.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)
CODE = Rule(
    "metadata/code",
    Level.MEDIUM,
    "program in a text",
    "Metadata describe; code in them is there for a program that runs what it reads.",
    "Remove it, or find out who runs it.",
    ("cwe/CWE-506", "cwe/CWE-94"),
)
INSTRUCTION = Rule(
    "metadata/hidden-instruction",
    Level.MEDIUM,
    "instruction for a model in a text",
    "Assistants that read a model's description follow what it says.",
    "Remove it, and look at what else its maker changed.",
    ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0051.001"),
)
INVISIBLE = Rule(
    "metadata/invisible-text",
    Level.MEDIUM,
    "invisible characters in a text",
    "A model or a program reads characters that no person sees.",
    "Remove them.",
    ("cwe/CWE-1007", "owasp-llm:2025/LLM01"),
)

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_MAGIC = (
    b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\x7fELF", b"MZ\x90", b"PK\x03\x04", b"\x1f\x8b\x08",
    b"#!/", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe",
)  # fmt: skip
_FIRST = "|".join(
    sorted({re.escape(base64.b64encode((magic + b"\0\0\0")[:3]).decode()[:2]) for magic in _MAGIC})
)
_PACKED_START = regex(r"(?<![A-Za-z0-9+/_-])(?:" + _FIRST + r")[A-Za-z0-9+/_-]{18,}={0,2}")
_CODE = regex(
    r"\A#!/|__import__\s*\(|\b(?:os\.(?:system|popen|exec[lv]\w*)|subprocess\.\w+|pickle\.loads|builtins\.\w+|"
    r"marshal\.loads)\s*\(|\b(?:exec|eval)\s*\(\s*(?:compile|base64|__import__|bytes|open|requests|urllib)|"
    r"<script[\s>]|\bcurl\s[^|\n]{0,200}\|\s*(?:ba)?sh\b"
)


def text_rules() -> tuple[Rule, ...]:
    """What `examine_text` reports, for a format to declare."""
    from alcaide.instruments.scan.templates.rules import RULES

    return (PACKED, CODE, INSTRUCTION, INVISIBLE, *RULES)


def examine_text(text: str, context: Context, place: str, *, template: bool = True) -> None:
    """Report what is in a text that ought to describe.

    Args:
        text: the text.
        context: where to report.
        place: where it is, below this part.
        template: whether to look at it as a template as well, should it look like one.
    """
    if len(text) < 12:
        return
    text = text[:MOST]
    context.budget.check_time()
    for match in islice(_PACKED_START.finditer(text), 64):
        if _unpacked(match[0], context, place):
            break
    program = _CODE.search(text)
    if program is not None:
        context.find(CODE, f"`{place}` holds a program: `{program[0][:80]}`", place=place)
    if not text.isascii() or " " in text:
        examine_words(text, context, place)
    if template and is_template(text):
        examine_template(text, context, place, declared=False)


def examine_words(text: str, context: Context, place: str) -> None:
    """Report instructions and invisible characters in a text."""
    from alcaide.instruments.scan.templates.words import said

    for one in said(text[:65536]):
        if one.kind == "instruction":
            context.find(INSTRUCTION, f"`{place}` tells a model {one.what}: `{one.quote}`", place=place)
        elif one.kind == "invisible":
            context.find(
                INVISIBLE, f"`{place}` holds characters that nobody sees, such as {one.what}", place=place
            )


def _unpacked(packed: str, context: Context, place: str) -> bool:
    """Whether a run of base64 is a file, which is then looked at."""
    packed = packed.rstrip("=").replace("-", "+").replace("_", "/")
    packed = packed[: len(packed) - 1] if len(packed) % 4 == 1 else packed
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return False
    if data.startswith(_MAGIC):
        context.find(PACKED, f"`{place}` holds a file in base64, of {len(data):,} bytes", place=place)
        context.child(f"{place}.decoded", Memory(data))
        return True
    return False
