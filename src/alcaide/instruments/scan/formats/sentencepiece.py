"""SentencePiece models: a protocol-buffer list of pieces with scores, and the settings they were trained with.

Nothing in them runs. Checked is that the message is one, that nothing is in it that the schema does not have, and that
no piece stands for an instruction or for what nobody sees.

Source: `sentencepiece_model.proto` of SentencePiece 0.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.hidden import examine_text, examine_words, text_rules
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import Window
from alcaide.instruments.scan.wire import BYTES, FIXED32, Message

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

UNKNOWN_FIELD = Rule(
    "sentencepiece/unknown-field",
    Level.MEDIUM,
    "field that the format does not have",
    "No loader reads it; it is there for something else.",
    "Find out what it is (it is listed as a part of its own), or take the tokenizer from its publisher.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)

_PIECE, _FIRST_EXTENSION = 1, 200
_KNOWN = frozenset({1, 2, 3, 4, 5})
_LONG_PIECE = 48
"""Bytes. The library itself allows no longer piece than 16 characters unless told to."""


def _sniff(glance: Glance) -> bool:
    head = glance.head
    if head[:1] != b"\x0a" or len(head) < 16 or head[2:3] != b"\x0a":
        return False
    size, text = head[1], head[3]
    return size < 0x80 and text + 7 <= size and head[4 + text : 5 + text] == b"\x15"


def _examine(source: Source, context: Context) -> None:
    message = Message(source, context.tick)
    pieces = 0
    for number, kind, at, size in message:
        if number == _PIECE and kind == BYTES:
            pieces += 1
            if size > _LONG_PIECE:
                _piece(message.message(at, size), context)
        elif number in _KNOWN and kind == BYTES:
            if number in {2, 3, 5} and size <= 1 << 16:
                _settings(message.message(at, size), context)
        elif number < _FIRST_EXTENSION or size > 4096:
            context.find(UNKNOWN_FIELD, f"it has a field {number} of {size:,} bytes", offset=at, size=size)
            if kind == BYTES and size:
                context.child(f"field-{number}", Window(source, at, size))
    context.fact(library="sentencepiece", pieces=pieces)


def _piece(piece: Message, context: Context) -> None:
    for number, kind, at, size in piece:
        if number == 1 and kind == BYTES:
            text = piece.text(at, size).replace("\u2581", " ").strip()
            if len(text) >= 12:
                examine_text(text, context, "pieces", template=False)
                if text.isascii() and " " not in text:
                    examine_words(text, context, "pieces")
        elif number > 3 or (number == 2 and kind != FIXED32):
            context.find(UNKNOWN_FIELD, f"a piece has a field {number}", offset=at if kind == BYTES else None)


def _settings(settings: Message, context: Context) -> None:
    for number, kind, at, size in settings:
        # 2 of a normaliser is its table, in a packed form of its own.
        if kind == BYTES and size >= 12 and number != 2:
            examine_text(settings.text(at, size), context, f"settings/{number}", template=False)


FORMATS = (Format("sentencepiece", "SentencePiece model", _sniff, _examine, (UNKNOWN_FIELD, *text_rules())),)
