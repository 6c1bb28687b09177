"""Whether bytes are a pickle: by the header of protocols 2 and later, by a strict reading of the first opcodes else.

Protocols 0 and 1 have no header, and the first is all text; so a text must not become a pickle by accident. Their
opcodes are followed with the depth of the stack, and yes is the answer only where they come to a proper end, or act.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import HEAD, chunks

if TYPE_CHECKING:
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_ENOUGH: Final = 4_000
_NAME = regex(rb"[A-Za-z_][\w.]{0,300}\n[A-Za-z_][\w.]{0,300}\n")
# What unpicklers take, in Python and in C, which is more than pickles are written with.
_INTEGER = regex(rb"\s*[+-]?[0-9][0-9A-Za-z_]{0,5000}\s*$")
_QUOTED = regex(rb"(?:'.*'|\".*\")\s*$")
_NUMBER = regex(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$|(?i:[+-]?(?:inf(?:inity)?|nan)$)")
_BEGINS = regex(rb"\s*[+-]?[0-9.][0-9A-Za-z_.]*$|['\"]")
"""How a number or a string begins whose line is longer than what is looked at."""

# Opcodes with a fixed argument: its length, how many things they need on the stack, by how many they change it.
_FIXED: Final[dict[int, tuple[int, int, int]]] = {
    0x4B: (1, 0, 1), 0x4D: (2, 0, 1), 0x4A: (4, 0, 1), 0x47: (8, 0, 1), 0x4E: (0, 0, 1), 0x5D: (0, 0, 1),
    0x7D: (0, 0, 1), 0x29: (0, 0, 1), 0x88: (0, 0, 1), 0x89: (0, 0, 1), 0x8F: (0, 0, 1), 0x32: (0, 1, 1),
    0x71: (1, 1, 0), 0x72: (4, 1, 0), 0x68: (1, 0, 1), 0x6A: (4, 0, 1), 0x94: (0, 1, 0), 0x73: (0, 3, -2),
    0x61: (0, 2, -1), 0x85: (0, 1, 0), 0x86: (0, 2, -1), 0x87: (0, 3, -2), 0x52: (0, 2, -1), 0x62: (0, 2, -1),
    0x81: (0, 2, -1), 0x92: (0, 3, -2), 0x93: (0, 2, -1), 0x51: (0, 1, 0), 0x80: (1, 0, 0), 0x95: (8, 0, 0),
    0x82: (1, 0, 1), 0x83: (2, 0, 1), 0x84: (4, 0, 1),
}  # fmt: skip
_LENGTHS: Final = {
    0x58: 4,
    0x55: 1,
    0x54: 4,
    0x43: 1,
    0x42: 4,
    0x8C: 1,
    0x8D: 8,
    0x8E: 8,
    0x8A: 1,
    0x8B: 4,
    0x96: 8,
}
_LINES: Final = {
    0x49: _INTEGER,
    0x4C: _INTEGER,
    0x53: _QUOTED,
    0x46: _NUMBER,
    0x56: None,
    0x70: _INTEGER,
    0x67: _INTEGER,
}
_ACTS: Final = frozenset({0x52, 0x62, 0x81, 0x92})
_NAMES: Final = frozenset({0x82, 0x83, 0x84, 0x93})
_AHEAD: Final = 1024
"""Bytes after an opcode that are there to be read: the longest name, and more."""
_STARTS: Final = frozenset(_FIXED) | frozenset(_LENGTHS) | frozenset(_LINES) | frozenset(b"(cP")
_AFTER_HEADER: Final = _STARTS | frozenset(b"\x95.0i\x82\x83\x84\x96\x97")


TORCH_LEGACY: Final = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The number 0x1950a86a20f9469cfc6c as `torch.save` pickled it before it wrote zips, after the header of protocol 2."""


def is_pickle(glance: Glance) -> bool:
    """Whether the bytes begin as a pickle does, and not as what torch wrote before it wrote zips (`torch_archive`)."""
    return begins_pickle(glance.head, glance.size, glance.source) and not is_torch_legacy(glance)


def is_torch_legacy(glance: Glance) -> bool:
    """Whether the first pickle is torch's magic number."""
    return glance.head[:1] == b"\x80" and glance.head[2:15] == TORCH_LEGACY


def begins_pickle(head: bytes, size: int, source: Source | None = None) -> bool:
    """Whether `head`, the beginning of `size` bytes, begins a pickle.

    With a source, one literal that is longer than the head hides nothing: what comes after it is read from there.
    """
    if len(head) < 2:
        return False
    first = head[0]
    if first == 0x80:
        return head[1] <= 5 and len(head) > 2 and head[2] in _AFTER_HEADER
    return first in _STARTS and _reads(head, size, source)


def _reads(head: bytes, size: int, source: Source | None) -> bool:  # noqa: C901 - a table of opcodes, and the rest
    """Whether the opcodes are proper up to an act, a STOP at the end, or the end of what is there to see."""
    base, at, depth, ops, puts = 0, 0, 0, 0, 0
    marks: list[int] = []
    named = False
    while True:
        if len(head) - at < (0 if source is None else _AHEAD) + 1 and base + len(head) < size:
            if named or puts or ops > 64:
                return True
            if source is not None:
                base, head, at = base + at, source.read(base + at, HEAD), 0
        if at >= len(head):
            return False
        op = head[at]
        at += 1
        ops += 1
        fixed = _FIXED.get(op)
        if fixed is not None:
            argument, needs, change = fixed
            if depth < needs:
                return False
            depth += change
            if op == 0x71 or op == 0x72:
                puts += 1
            at += argument
            if named and op in _ACTS:
                return True
            if op in _NAMES:
                named = True
        elif op == 0x28:
            marks.append(depth)
            depth = 0
        elif op in b"tldeu\x90o1":
            if not marks or (op == 0x6F and not depth):
                return False
            depth = marks.pop()
            if op in b"tldo":
                depth += 1
            elif op != 0x31 and not depth:
                return False
            if op == 0x6F and named:
                return True
        elif op in _LENGTHS:
            width = _LENGTHS[op]
            length = int.from_bytes(head[at : at + width], "little")
            at += width + length
            if base + at > size:
                return False
            depth += 1
        elif op in _LINES:
            end = head.find(b"\n", at)
            check = _LINES[op]
            if end < 0:
                if source is None:
                    return bool(puts) and size > len(head)
                if check is not None and not _BEGINS.match(head, at):
                    return False
                end = _line_end(source, base + len(head)) - base
                if end < 0:
                    return False
            elif check is not None and not check.match(head[at:end]):
                return False
            if op == 0x70:
                if not depth:
                    return False
                puts += 1
            else:
                depth += 1
            at = end + 1
        elif op == 0x63 or op == 0x69:
            found = _NAME.match(head, at)
            if found is None:
                return False
            if op == 0x69:
                return bool(marks)
            named = True
            depth += 1
            at = found.end()
        elif op == 0x30:
            if depth:
                depth -= 1
            elif marks:
                depth = marks.pop()
            else:
                return False
        elif op == 0x2E:
            return depth >= 1 and (named or not head[at:].strip()) and (ops > 2 or size <= 64)
        else:
            return False
        if ops >= _ENOUGH:
            return True


def _line_end(source: Source, at: int) -> int:
    """Where the line ends that goes on at `at`; far below zero if it never does."""
    for piece in chunks(source, at):
        found = piece.find(b"\n")
        if found >= 0:
            return at + found
        at += len(piece)
    return -(1 << 63)
