"""GGUF: what llama.cpp and its relatives load. Key-values with a chat template among them, then tensors by offset.

Loaders in C++ trust counts, lengths and offsets that a stranger wrote; several memory errors came of it
(CVE-2024-21802, -21825, -21836, -23496, -23605). Each is checked against the file before it is believed, and the chat
template, a program that is run for every message, is judged by `templates`. Tensors and vocabularies are not read.

Source: the GGUF specification (ggml `docs/gguf.md`, versions 1 to 3) and `gguf` 0.17.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.cursor import Cursor
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.hidden import examine_text, text_rules
from alcaide.instruments.scan.limits import Malformed, Unsupported
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import Window
from alcaide.instruments.scan.templates import examine_template

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _ARRAY = 8, 9
_KEPT_TEXT = 1 << 20
"""Bytes. The longest text in a published file is a licence or a chat template, of some 60,000."""
_KEPT_ITEMS = 64
_LONGEST_KEY = 65_535
_LONGEST_NAME = 64
"""`GGML_MAX_NAME`: a longer one was written past the end of a buffer once."""
_MOST_SIDES = 4
_NESTED = 4
_NEWEST_THINKABLE = 16
"""There were three versions in three years."""

BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    31: (32, 18), 32: (32, 18), 33: (32, 18), 34: (256, 54), 35: (256, 66), 36: (32, 18), 37: (32, 18),
    38: (32, 18), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
"""Type of a tensor → elements in a block, bytes of a block."""

_MEMORY = ("cwe/CWE-125", "cwe/CWE-190", "cwe/CWE-787", "owasp-llm:2025/LLM03")
_AGAIN = "Get the file again from its publisher, or convert the original model anew."

DUPLICATE = Rule(
    "gguf/duplicate-key",
    Level.MEDIUM,
    "key or tensor there twice",
    "One program takes the first, another the last: what was checked is not what is used.",
    _AGAIN,
    ("cwe/CWE-436", "owasp-llm:2025/LLM03"),
)
PLACES = Rule(
    "gguf/offsets",
    Level.MEDIUM,
    "tensors that overlap, leave holes or lie outside of the file",
    "A loader that trusts the offsets reads past an end, or reads one tensor's bytes as another's.",
    _AGAIN,
    _MEMORY,
)
SHAPE = Rule(
    "gguf/tensor-shape",
    Level.MEDIUM,
    "tensor of an impossible type, shape or name",
    "Sizes are multiplied into how much memory is reserved, and names are copied into buffers of a fixed length.",
    _AGAIN,
    _MEMORY,
)
UNUSED = Rule(
    "gguf/unused-bytes",
    Level.MEDIUM,
    "bytes that belong to no tensor",
    "Something can be carried along that no loader ever sees.",
    "Find out what it is (it is listed as a part of its own), or convert the original model anew.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)
VALUE = Rule(
    "gguf/value",
    Level.MEDIUM,
    "value that the specification does not allow",
    "Loaders use it without a second look: as an alignment to divide by, as a length, as an index.",
    _AGAIN,
    _MEMORY,
)
PARTS = Rule(
    "gguf/parts",
    Level.LOW,
    "one part of several",
    "Only all parts together are the model; each has to be looked at.",
    "Scan the folder that holds all parts.",
)


def _sniff(glance: Glance) -> bool:
    return glance.head[:4] == b"GGUF"


def _examine(source: Source, context: Context) -> None:
    version = int.from_bytes(source.read(4, 4), "little")
    big_endian = version > 0xFFFF
    if big_endian:
        version = int.from_bytes(source.read(4, 4), "big")
    if not 1 <= version <= 3:
        if version == 0 or version > _NEWEST_THINKABLE:
            raise Malformed(f"it says it is of version {version:,}", 4)
        raise Unsupported(f"it says it is of version {version:,}; versions 1 to 3 are known", 4)
    cursor = Cursor(source, context.tick, 8, big_endian=big_endian)
    reading = _Reading(cursor, context, "I" if version == 1 else "Q")
    reading.run(version)
    _Tensors(reading, source, context).check()


class _Reading:
    """The key-values and the list of tensors, in the order of the file."""

    def __init__(self, cursor: Cursor, context: Context, length: str) -> None:
        self.cursor = cursor
        self.context = context
        self.length = length
        self.values: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self.tensors: list[tuple[str, int, int, int]] = []
        """Name, offset, bytes it takes (-1 where that cannot be known), where it is described."""
        self.alignment = 32

    def run(self, version: int) -> None:
        """Read the header to its end, and judge its values."""
        cursor = self.cursor
        tensors, pairs = cursor.number(self.length), cursor.number(self.length)
        # The shortest key-value takes 8 + 1 + 4 + 1 bytes, the shortest tensor 8 + 1 + 4 + 4 + 8.
        if pairs > cursor.left // 10:
            raise Malformed(f"it says it has {pairs:,} key-values, more than there are bytes for", 16)
        if tensors > cursor.left // 20:
            raise Malformed(f"it says it has {tensors:,} tensors, more than there are bytes for", 8)
        for _ in range(pairs):
            self._pair()
        self._judge()
        for _ in range(tensors):
            self._tensor()
        self.context.fact(
            version=version,
            tensors=tensors,
            architecture=self.values.get("general.architecture"),
            name=self.values.get("general.name"),
            base_model=self.values.get("general.base_model.0.repo_url"),
            tokens=self.counts.get("tokenizer.ggml.tokens"),
            chat_template=any(key.startswith("tokenizer.chat_template") for key in self.values) or None,
        )

    def _text(self, most: int, what: str) -> tuple[str, int]:
        at = self.cursor.at
        length = self.cursor.number(self.length)
        if length > self.cursor.left:
            raise Malformed(f"{what} would have {length:,} bytes, and {self.cursor.left:,} follow", at)
        if length > most:
            self.cursor.skip(length)
            return "", length
        try:
            return self.cursor.take(length).decode("utf-8"), length
        except UnicodeDecodeError as error:
            raise Malformed(f"{what} is no UTF-8", at + error.start) from error

    def _pair(self) -> None:
        at = self.cursor.at
        key, length = self._text(_LONGEST_KEY, "a key")
        if length > _LONGEST_KEY or not key:
            raise Malformed(f"a key has {length:,} bytes; 1 to {_LONGEST_KEY:,} are allowed", at)
        kind = self.cursor.number("I")
        value = self._value(key, kind, 0)
        if key in self.values:
            self.context.find(DUPLICATE, f"the key `{key}` is there twice", offset=at, key=key)
        self.values[key] = value

    def _value(self, key: str, kind: int, depth: int) -> Any:
        if kind in _NUMBERS:
            at = self.cursor.at
            letter = _NUMBERS[kind]
            number = self.cursor.real(letter) if letter in "fd" else self.cursor.number(letter)
            if kind == 7 and number not in {0, 1}:
                self.context.find(
                    VALUE, f"`{key}` is {number} and has to be true or false", offset=at, key=key
                )
            return number
        if kind == _TEXT:
            return self._text_value(key)
        if kind == _ARRAY and depth < _NESTED:
            return self._array(key, depth)
        raise Malformed(f"the value of `{key}` is of kind {kind:,}, which there is not", self.cursor.at - 4)

    def _text_value(self, key: str) -> str:
        at = self.cursor.at
        text, length = self._text(_KEPT_TEXT, f"the value of `{key}`")
        if length > _KEPT_TEXT:
            self.context.find(
                VALUE, f"`{key}` is a text of {length:,} bytes, too long to be looked at", offset=at, key=key
            )
        elif "template" in key:
            examine_template(text, self.context, key)
        else:
            examine_text(text, self.context, key)
        return text[:4096]

    def _array(self, key: str, depth: int) -> list[Any]:
        at = self.cursor.at
        kind = self.cursor.number("I")
        count = self.cursor.number(self.length)
        width = _WIDTHS.get(kind, 8 if kind == _TEXT else 12)
        if count * width > self.cursor.left:
            raise Malformed(f"`{key}` would have {count:,} items, more than there are bytes for", at)
        if not depth:
            self.counts[key] = count
        if kind in _WIDTHS:
            self.cursor.skip(count * width)
            return []
        if kind == _TEXT and (count > _KEPT_ITEMS or key.startswith("tokenizer.ggml.")):
            self.cursor.skip_texts(count, self.length)
            return []
        if kind == _TEXT:
            return [self._text_value(f"{key}.{number}") for number in range(count)]
        return [self._value(f"{key}.{number}", kind, depth + 1) for number in range(count)]

    def _judge(self) -> None:
        alignment = self.values.get("general.alignment", 32)
        if (
            not isinstance(alignment, int)
            or alignment <= 0
            or alignment & (alignment - 1)
            or alignment > 1 << 20
        ):
            self.context.find(
                VALUE,
                f"`general.alignment` is {alignment}, and has to be a power of two: loaders divide by it",
                key="general.alignment",
            )
        else:
            self.alignment = alignment
        tokens = self.counts.get("tokenizer.ggml.tokens")
        for key in ("tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
            count = self.counts.get(key)
            if tokens is not None and count is not None and count != tokens:
                self.context.find(
                    VALUE,
                    f"`{key}` has {count:,} items for {tokens:,} tokens: loaders read one for each token",
                    key=key,
                )
        architecture = self.values.get("general.architecture")
        if architecture is not None and not (
            isinstance(architecture, str) and re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", architecture)
        ):
            self.context.find(VALUE, "`general.architecture` is no name", key="general.architecture")
        count, number = self.values.get("split.count"), self.values.get("split.no")
        if isinstance(count, int) and isinstance(number, int) and count > 1:
            if number >= count:
                self.context.find(VALUE, f"it says it is part {number} of {count}", key="split.no")
            elif self.context.folder is None:
                self.context.find(
                    PARTS, f"it is part {number + 1} of {count}, and the others were not looked at"
                )

    def _tensor(self) -> None:
        at = self.cursor.at
        name, length = self._text(_LONGEST_KEY, "a tensor's name")
        if length >= _LONGEST_NAME or not name:
            self.context.find(
                SHAPE,
                f"a tensor's name has {length:,} bytes: loaders copy it into a buffer of {_LONGEST_NAME}",
                offset=at,
            )
        sides = self.cursor.number("I")
        if sides > 64:
            raise Malformed(f"the tensor `{name}` would have {sides:,} dimensions", at)
        if sides > _MOST_SIDES:
            self.context.find(
                SHAPE,
                f"the tensor `{name}` has {sides} dimensions: loaders write them into an array of {_MOST_SIDES}",
                offset=at,
                tensor=name,
            )
        shape = [self.cursor.number(self.length) for _ in range(sides)]
        kind, offset = self.cursor.number("I"), self.cursor.number("Q")
        self.tensors.append((name, offset, self._bytes(name, shape, kind, at), at))

    def _bytes(self, name: str, shape: list[int], kind: int, at: int) -> int:
        block = BLOCKS.get(kind)
        if block is None:
            self.context.find(
                SHAPE, f"the tensor `{name}` is of kind {kind:,}, which there is not", offset=at
            )
            return -1
        elements = 1
        for side in shape:
            elements *= side
            if elements >= 1 << 63:
                self.context.find(
                    SHAPE,
                    f"the tensor `{name}` has more elements than can be counted: an overflow",
                    offset=at,
                )
                return -1
        if shape and shape[0] % block[0]:
            self.context.find(
                SHAPE,
                f"a row of the tensor `{name}` has {shape[0]:,} elements and is stored in blocks of {block[0]}",
                offset=at,
            )
        return elements // block[0] * block[1]


class _Tensors:
    """Where the tensors lie."""

    def __init__(self, reading: _Reading, source: Source, context: Context) -> None:
        self._tensors = reading.tensors
        self._alignment = reading.alignment
        self._source = source
        self._context = context
        self._start = self._padded(reading.cursor.at)

    def _padded(self, at: int) -> int:
        return -(-at // self._alignment) * self._alignment

    def check(self) -> None:
        """Each in its own place, on a boundary, inside of the file, with nothing left between."""
        available = max(0, self._source.size - self._start)
        seen: set[str] = set()
        reached, last = 0, ""
        for name, offset, size, at in sorted(self._tensors, key=lambda tensor: tensor[1]):
            self._context.tick()
            if name in seen:
                self._context.find(DUPLICATE, f"the tensor `{name}` is there twice", offset=at, tensor=name)
            seen.add(name)
            if offset % self._alignment:
                self._context.find(
                    PLACES,
                    f"the tensor `{name}` begins at {offset:,}, which is no multiple of {self._alignment}",
                    offset=at,
                )
            if offset > available or size > available - offset:
                self._context.find(
                    PLACES,
                    f"the tensor `{name}` would take {size:,} bytes from {offset:,}, and {available:,} are there: a "
                    "loader that trusts this reads past the end",
                    offset=at,
                    tensor=name,
                )
                return
            if offset < reached and size:
                self._context.find(
                    PLACES, f"the tensors `{last}` and `{name}` overlap", offset=at, tensor=name
                )
            elif offset > self._padded(reached) and size >= 0:
                self._unused(reached, offset)
            if size < 0:
                return
            if offset + size > reached:
                reached, last = offset + size, name
        # Writers fill up the last block, some of them to a page.
        if available - self._padded(reached) >= self._alignment or not self._zero(reached, available):
            self._unused(reached, available)

    def _zero(self, begin: int, end: int) -> bool:
        return not self._source.read(self._start + begin, min(end - begin, 1 << 20)).strip(b"\0")

    def _unused(self, begin: int, end: int) -> None:
        if end - begin <= 65_536 and self._zero(begin, end):
            return
        # What is carried along begins where the zeros of the last block end.
        ahead = self._source.read(self._start + begin, min(end - begin, 1 << 16))
        begin += (len(ahead) - len(ahead.lstrip(b"\0"))) % max(1, len(ahead))
        self._context.find(
            UNUSED,
            f"{end - begin:,} bytes at {self._start + begin:,} belong to no tensor",
            offset=self._start + begin,
            size=end - begin,
        )
        self._context.child(
            f"unused-{self._start + begin}", Window(self._source, self._start + begin, end - begin)
        )


FORMATS = (
    Format(
        "gguf",
        "GGUF",
        _sniff,
        _examine,
        (DUPLICATE, PLACES, SHAPE, UNUSED, VALUE, PARTS, *text_rules()),
    ),
)
