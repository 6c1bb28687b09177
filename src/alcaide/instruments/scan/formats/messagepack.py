"""MessagePack: Flax checkpoints, and what spaCy and others keep beside their models.

The format itself is data. Two of its extensions are not: `msgpack-numpy` unpickles arrays of objects, and a program may
make anything of an extension's bytes. So every stretch of bytes that begins as a pickle, and everything said to be an
array of objects, is looked at as a pickle, and an extension that is not known cannot be decided.

Sources: the MessagePack specification; `flax.serialization` (extensions 1 to 3); `msgpack-numpy` and `srsly`
(`nd`, `type`, `kind`, `data`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.cursor import Cursor
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, ScanStop
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import Memory, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

OBJECTS = Rule(
    "msgpack/object-array",
    Level.HIGH,
    "array of pickled objects",
    "`msgpack-numpy` unpickles it when it is read, and a pickle can run anything.",
    "Save the array as numbers or text.",
    ("cwe/CWE-502", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0011.000"),
)
EXTENSION = Rule(
    "msgpack/unknown-extension",
    Level.MEDIUM,
    "extension that is not known",
    "What a program makes of its bytes is up to the program.",
    "Find out which program wrote it, and what it makes of it.",
    ("cwe/CWE-502",),
)
TRAILING = Rule(
    "msgpack/trailing-bytes",
    Level.MEDIUM,
    "bytes after the last value",
    "No loader reads them; they are there for something else.",
    "Find out what they are (they are listed as a part of their own), or have the file saved anew.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)

_EXTENSIONS = frozenset({-1, 1, 2, 3})
"""Time, and Flax's arrays, complex numbers and scalars."""
_DEEPEST = 64
_SHORT = 256
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_TEXTS = {0xD9: "B", 0xDA: "H", 0xDB: "I"}
_BYTES = {0xC4: "B", 0xC5: "H", 0xC6: "I"}
_ARRAYS = {0xDC: "H", 0xDD: "I"}
_MAPS = {0xDE: "H", 0xDF: "I"}
_EXTS = {0xC7: "B", 0xC8: "H", 0xC9: "I"}
_NAMES = frozenset(
    {"key2row", "cfg", "model", "tokenizer", "lookups.bin", "lookups_extra.bin", "vectors.msgpack"}
)


def _sniff(glance: Glance) -> bool:
    name = glance.lower_name.rsplit("/", 1)[-1]
    first = glance.head[0]
    if not (
        0x81 <= first <= 0x9F or first in _MAPS or first in _ARRAYS or (first == 0x80 and glance.size == 1)
    ):
        return False
    if name.endswith((".msgpack", ".mpk", ".msgp")) or name in _NAMES or glance.size == 1:
        return True
    if not (0x81 <= first <= 0x8F or first in _MAPS):
        return False
    return _holds_together(glance)


def _holds_together(glance: Glance) -> bool:
    """Whether the head reads as MessagePack as far as it goes: to its end in a short file, for some steps in a long."""
    steps = 0

    def count(_: int) -> None:
        nonlocal steps
        steps += 1

    short = glance.size <= len(glance.head)
    walk = _Walk(Memory(glance.head), None, count)
    try:
        walk.run()
    except ScanStop:
        # A key that is text, and no sign of being something else for a stretch.
        return not short and steps > 24 and walk.texts > 2
    return walk.cursor.left == 0 and walk.texts > 0


class _Walk:
    """Steps through values without recursion; bytes are stepped over unless they begin as something."""

    def __init__(self, source: Source, context: Context | None, tick: Callable[[int], None]) -> None:
        self.source = source
        self.context = context
        self.cursor = Cursor(source, tick, big_endian=True)
        self.texts = 0
        self._recent: list[bytes] = []

    def run(self) -> None:
        """One value and all that it holds."""
        left = [1]
        while left:
            if left[-1] == 0:
                left.pop()
                continue
            left[-1] -= 1
            held = self._value()
            if held:
                left.append(held)
                if len(left) > _DEEPEST:
                    raise Malformed(f"it is nested more than {_DEEPEST} deep", self.cursor.at)

    def _value(self) -> int:
        """Step over one value; says how many it holds."""
        cursor = self.cursor
        first = cursor.take(1)[0]
        if first <= 0x7F or first >= 0xE0 or first in {0xC0, 0xC2, 0xC3}:
            return 0
        if first <= 0x8F:
            return 2 * (first & 15)
        if first <= 0x9F:
            return first & 15
        if first <= 0xBF:
            self._text(first & 31)
            return 0
        if first in _FIXED:
            cursor.skip(_FIXED[first])
            return 0
        if first in _TEXTS:
            self._text(cursor.number(_TEXTS[first]))
            return 0
        if first in _ARRAYS or first in _MAPS:
            count = cursor.number((_ARRAYS | _MAPS)[first])
            if count > cursor.left:
                raise Malformed(f"{count:,} values ought to follow, more than there are bytes for", cursor.at)
            return count * (2 if first in _MAPS else 1)
        if first in _BYTES:
            self._bytes(cursor.number(_BYTES[first]))
            return 0
        if first in _EXTS or 0xD4 <= first <= 0xD8:
            length = cursor.number(_EXTS[first]) if first in _EXTS else 1 << (first - 0xD4)
            self._extension(length)
            return 0
        raise Malformed("a value is of a kind that there is not", cursor.at - 1)

    def _text(self, length: int) -> None:
        self.texts += 1
        if length > _SHORT:
            self.cursor.skip(length)
            self._recent.append(b"")
        else:
            self._recent.append(self.cursor.take(length))
        del self._recent[:-6]

    def _bytes(self, length: int) -> None:
        at = self.cursor.at
        self.cursor.skip(length)
        if length <= _SHORT:
            self._recent.append(self.source.read(at, length))
            del self._recent[:-6]
        if self.context is None or length < 4:
            return
        begins = self.source.read(at, 4)
        pickled = begins[0] == 0x80 and 2 <= begins[1] <= 5
        objects = self._recent[-2:-1] == [b"data"] and b"O" in self._recent[-6:]
        if objects or (self._recent[-1:] == [b"data"] and b"O" in self._recent):
            self.context.find(
                OBJECTS, "reading it with `msgpack-numpy` unpickles an array of objects", offset=at
            )
            pickled = True
        if pickled or begins in {b"PK\x03\x04", b"\x7fELF", b"MZ\x90\0"} or begins[:3] == b"#!/":
            self.context.child(
                f"bytes-{at}", Window(self.source, at, length), as_format="pickle" if pickled else None
            )

    def _extension(self, length: int) -> None:
        kind = self.cursor.number("b")
        at = self.cursor.at
        self.cursor.skip(length)
        if self.context is not None and kind not in _EXTENSIONS:
            self.context.find(EXTENSION, f"it holds an extension {kind} of {length:,} bytes", offset=at)
            if length:
                self.context.child(f"extension-{at}", Window(self.source, at, length))


def _examine(source: Source, context: Context) -> None:
    walk = _Walk(source, context, context.tick)
    values = 0
    while walk.cursor.left and values < 1_000_000:
        at = walk.cursor.at
        try:
            walk.run()
        except Malformed:
            if not values:
                raise
            context.find(TRAILING, f"{source.size - at:,} bytes follow the last value", offset=at)
            context.child(f"after-{at}", Window(source, at))
            return
        values += 1
        if values == 1 and walk.cursor.left and source.read(walk.cursor.at, 1)[0] not in range(0x81, 0xA0):
            at = walk.cursor.at
            context.find(TRAILING, f"{source.size - at:,} bytes follow the value", offset=at)
            context.child(f"after-{at}", Window(source, at))
            return
    context.fact(values=values)


FORMATS = (Format("msgpack", "MessagePack", _sniff, _examine, (OBJECTS, EXTENSION, TRAILING)),)
