"""ONNX models and ONNX Runtime's own format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.onnx import model, operators, runtime
from alcaide.instruments.scan.limits import ScanStop
from alcaide.instruments.scan.wire import Message, may_begin, outline

if TYPE_CHECKING:
    from alcaide.instruments.scan.format import Glance


_KINDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2}
"""Wire types of the fields of a `ModelProto`."""


def _sniff(glance: Glance) -> bool:
    """A model has a graph (field 7) or functions (25), and a graph has fields that are messages and texts only."""
    fields = outline(glance)
    if fields is None:
        return False
    named = glance.lower_name.endswith(".onnx")
    if fields.get(7) != 2 and fields.get(25) != 2:
        return named and fields.get(1) == 0
    if any(fields.get(number, kind) != kind for number, kind in _KINDS.items()):
        return False
    if named:
        return True
    try:
        message = Message(glance.source, lambda _: None, 0, glance.size, cut=True)
        for number, kind, start, size in message:
            if number in (7, 25) and kind == 2:
                for count, (inner, form, _, _) in enumerate(message.message(start, size)):
                    if form != 2 or inner > 16:
                        return False
                    if count > 4:
                        break
                return True
    except ScanStop:
        return False
    return False


_VALUES = frozenset({4, 5, 6, 7, 9, 10, 11, 13})
"""Fields of a `TensorProto` that hold its values, or say where they are."""
_TENSOR_KINDS = {3: 2, 8: 2, 9: 2, 12: 2, 13: 2, 14: 0}
_TYPES = 40
"""Types of elements have numbers up to 25 (ONNX 1.23)."""


def _sniff_tensor(glance: Glance) -> bool:
    """A tensor by itself: what ONNX's tools keep inputs and outputs in."""
    fields = outline(glance)
    if fields is None or fields.get(2) != 0 or max(fields) > 14 or not _VALUES.intersection(fields):
        return False
    if any(fields.get(number, kind) != kind for number, kind in _TENSOR_KINDS.items()):
        return False
    try:
        # Bytes that are something else can look like a few fields of this; not to their end.
        message = Message(glance.source, lambda _: None, 0, glance.size, cut=True)
        return all(value <= _TYPES for number, _, value, _ in message if number == 2)
    except ScanStop:
        return False


def _sniff_runtime(glance: Glance) -> bool:
    return glance.head[4:8] == b"ORTM"


FORMATS = (
    Format("onnx", "ONNX", _sniff, model.examine, model.RULES, begins=may_begin),
    Format("onnx-tensor", "ONNX tensor", _sniff_tensor, model.examine_tensor, model.RULES, begins=may_begin),
    Format("onnx-runtime", "ONNX Runtime model", _sniff_runtime, runtime.examine, operators.RULES),
)
