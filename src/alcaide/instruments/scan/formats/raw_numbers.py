"""Files that are nothing but numbers: weights that lie beside a model, dumps of arrays, embeddings.

They have no mark. What tells them from anything else is that, read as floating-point numbers, they are of a size that
weights have: among arbitrary bytes nearly half would be of no use to anybody, far above or below. Asked only where no
format recognised the file; a file of numbers does nothing by itself.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_SAMPLE = 4096
_LEAST = 32
"""Bytes: fewer say nothing."""
_SMALLEST, _LARGEST = 1e-20, 1e5
_SHARE = 0.995
_HALF_LARGEST = 256.0
"""Half precision has no numbers far out, so its weights are told by being small."""


def _plausible(values: Iterable[float], largest: float, count: int) -> bool:
    wrong = 0
    allowed = count * (1 - _SHARE)
    for value in values:
        size = abs(value)
        # A NaN is in no range.
        if not (size <= largest and (size >= _SMALLEST or size == 0.0)):
            wrong += 1
            if wrong > allowed:
                return False
    return True


def _numbers(data: bytes) -> list[str]:
    """As what kinds of numbers some bytes make sense."""
    found = []
    if not any(data):
        return ["zeros"]
    for name, code, width in (("float32", "f", 4), ("float64", "d", 8)):
        values = array(code, data[: len(data) // width * width])
        if sys.byteorder == "big":
            values.byteswap()
        if len(values) and _plausible(values, _LARGEST, len(values)):
            found.append(name)
    count = len(data) // 2
    halves = struct.unpack(f"<{count}e", data[: 2 * count])
    if _plausible(halves, _HALF_LARGEST, count):
        found.append("float16")
    wide = array("f", b"".join(b"\0\0" + data[at : at + 2] for at in range(0, 2 * count, 2)))
    if _plausible(wide, _LARGEST, count):
        found.append("bfloat16")
    return found


def _samples(source: Source) -> list[bytes]:
    """Stretches from the beginning, the middle and the end, on boundaries of numbers."""
    size = source.size
    places = {0, size // 2 // 8 * 8, max(0, size - _SAMPLE) // 8 * 8}
    return [source.read(place, _SAMPLE) for place in sorted(places)]


def _sniff(glance: Glance) -> bool:
    if glance.size < _LEAST or glance.size % 2:
        return False
    kinds: set[str] | None = None
    for sample in _samples(glance.source):
        if len(sample) < _LEAST:
            continue
        found = set(_numbers(sample))
        if found == {"zeros"}:
            continue
        kinds = found if kinds is None else kinds & found
        if not kinds:
            return False
    glance.__dict__["raw_numbers"] = sorted(kinds or {"zeros"})
    return True


def examine(source: Source, context: Context) -> None:
    """Say how many there could be."""
    context.fact(bytes=source.size)


FORMATS = (Format("numbers", "numbers", _sniff, examine, fallback=True),)
