"""Arrays that joblib writes into the middle of a pickle: how long they are, so that the pickle can be followed after.

joblib's unpickler, having set the state of a `NumpyArrayWrapper`, reads the array's bytes from where it is; those of
an array of objects are a pickle of their own. A plain unpickler reads on into the bytes as opcodes, so what those
would do is looked at too, as far as it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.formats.pickle.values import Made, Table
from alcaide.instruments.scan.limits import Malformed, Truncated
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.source import Source

_CODE = regex(r"[<>=|]?([?bBhHiIlLqQefdgFDGSaUVOMmcpPnNu])(\d{0,11})(?:\[\d*\w+\])?$")
_SIZES = {
    "?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4, "d": 8,
    "g": 16, "F": 8, "D": 16, "G": 32, "M": 8, "m": 8, "c": 1, "p": 8, "P": 8, "n": 8, "N": 8, "u": 4, "O": 8,
}  # fmt: skip
_HAS_OBJECTS = 0x01


def code_size(code: str) -> tuple[int, bool] | None:
    """Bytes of one item of a plain type by NumPy's code for it, and whether it is an object; None for no such code."""
    found = _CODE.match(code)
    if found is None:
        return None
    kind, digits = found.groups()
    if kind == "O":
        return 8, True
    size = int(digits) if digits else _SIZES.get(kind, 0)
    return (size * 4 if kind == "U" else size), False


def item_size(dtype: Any) -> tuple[int, bool] | None:
    """Bytes of one item of a dtype as the pickle makes it, and whether it holds objects; None if that is not plain."""
    if not isinstance(dtype, Made) or not dtype.args or not isinstance(dtype.args[0], str):
        return None
    sized = code_size(dtype.args[0])
    if sized is None:
        return None
    size, objects = sized
    state = dtype.state
    if isinstance(state, tuple) and len(state) >= 8:
        if isinstance(state[7], int) and state[7] & _HAS_OBJECTS:
            objects = True
        if isinstance(state[5], int) and state[5] > 0:
            size = state[5]
    return size, objects


def array_extent(wrapper: Made, source: Source, offset: int) -> tuple[int, int, bool]:
    """Where the array's bytes begin and end in the stream, and whether they are a pickle.

    Raises:
        Malformed: the array's shape or type cannot be told.
        Truncated: it is longer than what is left.
    """
    state = wrapper.state
    if not isinstance(state, Table):
        raise Malformed("a joblib array has no state", offset)
    shape, dtype = state.get("shape"), state.get("dtype")
    sized = item_size(dtype)
    if sized is None or not isinstance(shape, tuple):
        raise Malformed("the type or shape of a joblib array cannot be told", offset)
    count = 1
    for length in shape:
        if not isinstance(length, int) or length < 0:
            raise Malformed("the shape of a joblib array is computed", offset)
        count *= length
    size, objects = sized
    start = offset
    if objects:
        return start, start, True
    if isinstance(state.get("numpy_array_alignment_bytes"), int):
        padding = source.read(offset, 1)
        start += 1 + (padding[0] if padding else 0)
    end = start + count * size
    if end > source.size:
        raise Truncated("a joblib array reaches beyond the end", offset)
    return start, end, False
