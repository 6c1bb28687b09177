"""How unlike ordinary writing a stretch of text is, in bits a character.

Suffixes found by optimisation, keyboard noise and glued-together fragments read like nothing people write. A model of
which three characters follow each other sees that without knowing any word. Texts are given as written: a capital
inside a word is a sign too. Characters outside ASCII are one class, so that a script the table does not know counts
as expected rather than as noise.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer

CLASSES: Final = 35
UNIT: Final = 8
"""The table counts in eighths of a bit."""
WINDOW: Final = 48
"""Characters a stretch has: about the shortest suffix that works on a model (Zou et al. 2023 use 20 tokens)."""
SAMPLED: Final = 1024
"""Bytes looked at, at the beginning and at the end of a text each: where a suffix or a glued-on payload stands."""


def _class_of_octet() -> npt.NDArray[np.uint8]:
    table = np.full(256, 31, dtype=np.uint8)
    table[0x80:] = 32
    for octet in b" \t":
        table[octet] = 0
    for octet in b"\r\n":
        table[octet] = 33
    for place, octet in enumerate(range(ord("a"), ord("z") + 1), start=1):
        table[octet] = place
        table[octet - 32] = 34  # a capital; which one says little, and where it stands much
    for octet in b"0123456789":
        table[octet] = 27
    for octet in b".,;:!?":
        table[octet] = 28
    for octet in b"'\"`":
        table[octet] = 29
    for octet in b"()[]{}<>":
        table[octet] = 30
    return table


_CLASS: Final = _class_of_octet()
_ROW: Final = np.uint16(CLASSES)


def classes(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The class of each byte."""
    return _CLASS[octets]


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.int8]:
    with resources.files(__package__).joinpath("surprise.npy").open("rb") as file:
        loaded: npt.NDArray[np.int8] = np.load(file, allow_pickle=False)
    return loaded.reshape(-1)


def bits(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Surprise of every byte from the third on, in eighths of a bit."""
    if len(octets) < 3:
        return np.zeros(0, dtype=np.int8)
    row = _CLASS.take(octets).astype(np.uint16)  # 35³ is less than 2¹⁶
    triples = row[:-2] * _ROW
    triples += row[1:-1]
    triples *= _ROW
    triples += row[2:]
    return _table().take(triples)


def surprises(octets: npt.NDArray[np.uint8]) -> tuple[float, float, int]:
    """Bits a character on the whole, in the strangest window, and where that window begins.

    Of a long text only the beginning and the end are looked at.
    """
    shift = 0
    if len(octets) > 2 * SAMPLED:
        whole, worst, at = surprises(octets[:SAMPLED])
        shift = len(octets) - SAMPLED
        whole_end, worst_end, at_end = surprises(octets[shift:])
        if worst_end > worst:
            worst, at = worst_end, at_end + shift
        return (whole + whole_end) / 2, worst, at
    return _of_sums(_sums(octets), 0)


def _sums(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    return np.add.accumulate(bits(octets), dtype=np.int32)


def _of_sums(sums: npt.NDArray[np.int32], before: int) -> tuple[float, float, int]:
    """`surprises` of the stretch that some sums belong to; `before` is the sum ahead of it."""
    if not len(sums):
        return 0.0, 0.0, 0
    whole = float(sums[-1] - before) / len(sums) / UNIT
    if len(sums) <= WINDOW:
        return whole, whole, 0
    windows = sums[WINDOW:] - sums[:-WINDOW]
    at = int(windows.argmax())
    return whole, float(windows[at]) / WINDOW / UNIT, at


def surprises_within(layer: Layer, start: int, stop: int) -> tuple[float, float, int] | None:
    """`surprises` of a stretch of a short text, in bytes of its UTF-8, from what was counted of the whole one.

    None for a text of which only the beginning and the end are looked at.
    """
    surprises_of(layer)
    sums = layer.notes.get("surprise sums")
    if not isinstance(sums, np.ndarray):
        return None
    return _of_sums(sums[start : max(start, stop - 2)], int(sums[start - 1]) if start else 0)


def surprises_of(layer: Layer) -> tuple[float, float, int]:
    """`surprises` of a layer's text as written, made once; the place is an offset in its UTF-8."""
    known = layer.notes.get("surprise")
    if not isinstance(known, tuple):
        written = np.frombuffer(layer.text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        if len(written) > 2 * SAMPLED:
            known = surprises(written)
        else:
            sums = layer.notes["surprise sums"] = _sums(written)
            known = _of_sums(sums, 0)
        layer.notes["surprise"] = known
    return known
