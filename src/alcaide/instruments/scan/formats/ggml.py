"""The formats before GGUF: `ggml`, `ggmf`, `ggjt` and the adapters of `ggla`. Numbers and words, and nothing that runs.

The first has no version and was used by every program in its own way: llama.cpp's and whisper.cpp's layouts are read,
of others only that the file begins so. Old loaders trust every count in them.

Sources: llama.cpp before August 2023 (`llama-util.h`, `convert-lora-to-ggml.py`), whisper.cpp (`whisper.cpp`, model
loading).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.cursor import Cursor
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.gguf import BLOCKS
from alcaide.instruments.scan.limits import Malformed, Unsupported
from alcaide.instruments.scan.model import Level, Rule

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_MAGIC = {b"lmgg": "ggml", b"fmgg": "ggmf", b"tjgg": "ggjt", b"algg": "ggla"}
_WORDS = 2_000_000
_OLD_BLOCKS = BLOCKS | {4: (16, 10), 5: (16, 12)}

SHAPE = Rule(
    "ggml/tensor",
    Level.MEDIUM,
    "tensor of an impossible type or shape",
    "Old loaders multiply what is written there into how much memory they reserve and read.",
    "Convert the original model to GGUF anew.",
    ("cwe/CWE-125", "cwe/CWE-190", "owasp-llm:2025/LLM03"),
)
OLD = Rule(
    "ggml/old-format",
    Level.LOW,
    "format that is no longer kept",
    "The programs that read it get no corrections any more.",
    "Convert the original model to GGUF.",
)


def _sniff(glance: Glance) -> bool:
    return glance.head[:4] in _MAGIC


def _examine(source: Source, context: Context) -> None:
    kind = _MAGIC[source.read(0, 4)]
    context.find(OLD, f"it is a `{kind}` file, which llama.cpp replaced by GGUF in 2023")
    cursor = Cursor(source, context.tick, 4)
    if kind == "ggml" and not _is_llama(source):
        if not _is_whisper(source):
            # Every program had its own numbers here; none had four in a row that no model can have.
            numbers = [int.from_bytes(source.read(at, 4), "little") for at in range(4, 20, 4)]
            if source.size < 1024 or min(numbers) > 1 << 24:
                raise Malformed("its first numbers are no model's", 4)
            raise Unsupported("it is a `ggml` file of a program that is not known", 4)
        context.fact(program="whisper.cpp")
        _whisper(cursor)
        _tensors(cursor, context, aligned=False, most=4)
        return
    version = cursor.number("I") if kind != "ggml" else 0
    if version > 3:
        raise Unsupported(f"it says it is of version {version:,}; 1 to 3 are known", 4)
    context.fact(version=version)
    if kind == "ggla":
        cursor.skip(8)
    else:
        words = cursor.number("I")
        cursor.skip(24)
        _vocabulary(cursor, words, scores=kind != "ggml")
    _tensors(cursor, context, aligned=kind in {"ggjt", "ggla"}, most=2)


def _is_llama(source: Source) -> bool:
    """Whether the seven numbers after the mark are a llama's: words, width, multiple, heads, layers, rotation, type."""
    numbers = [int.from_bytes(source.read(at, 4), "little") for at in range(4, 32, 4)]
    words, width, multiple, heads, layers, rotation, kind = numbers
    return bool(
        0 < words < _WORDS and 0 < width < 1 << 16 and multiple in {32, 64, 128, 256, 512, 5632, 1024, 8192}
        and heads and layers < 1024 and width // max(1, heads) == rotation and kind < 64
    )  # fmt: skip


def _is_whisper(source: Source) -> bool:
    """Whether the eleven numbers are those of a whisper model: 80 or 128 bands of sound stand in the tenth place."""
    return int.from_bytes(source.read(40, 4), "little") in {80, 128}


def _whisper(cursor: Cursor) -> None:
    cursor.skip(44)
    bands, width = cursor.number("i"), cursor.number("i")
    if bands < 0 or width < 0 or bands * width * 4 > cursor.left:
        raise Malformed(
            f"{bands:,} filters of {width:,} ought to follow, more than there are bytes for", cursor.at
        )
    cursor.skip(bands * width * 4)
    _vocabulary(cursor, cursor.number("I"), scores=False)


def _vocabulary(cursor: Cursor, words: int, *, scores: bool) -> None:
    if words > cursor.left // 4:
        raise Malformed(f"it says it has {words:,} words, more than there are bytes for", cursor.at)
    if not scores:
        cursor.skip_texts(words, "I")
        return
    for _ in range(words):
        cursor.skip(cursor.number("I") + 4)


def _tensors(cursor: Cursor, context: Context, *, aligned: bool, most: int) -> None:
    """Every tensor, to the end of the file."""
    count = 0
    while cursor.left:
        at = cursor.at
        sides, length, kind = cursor.number("i"), cursor.number("i"), cursor.number("i")
        block = _OLD_BLOCKS.get(kind)
        if not 1 <= sides <= most or not 0 < length <= 512 or block is None:
            context.find(
                SHAPE,
                f"the tensor at {at:,} would have {sides:,} dimensions, a name of {length:,} bytes, type {kind:,}",
                offset=at,
            )
            return
        elements = 1
        for _ in range(sides):
            elements *= cursor.number("I")
        cursor.skip(length)
        if aligned:
            cursor.skip(-cursor.at % 32)
        cursor.skip(elements // block[0] * block[1])
        count += 1
    context.fact(tensors=count)


FORMATS = (Format("ggml", "GGML model (before GGUF)", _sniff, _examine, (SHAPE, OLD)),)
