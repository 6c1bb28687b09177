"""Reads a binary header step by step, from where it lies, and never more of it than is asked for."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.source import Source

_PIECE = 1 << 18
_LONG = 1 << 24
"""The most that one step may ask for; whoever wants more asks for a window."""

_FORMATS = {order: {name: struct.Struct(order + name) for name in "bBhHiIqQfd"} for order in ("<", ">")}


class Cursor:
    """A place in a source that moves on with every step.

    A step past the end raises Malformed with the place: in a header, bytes that are not there were promised by bytes
    that are.
    """

    __slots__ = ("_base", "_buffer", "_source", "_structs", "_tick", "at", "size")

    def __init__(
        self, source: Source, tick: Callable[[int], None], at: int = 0, *, big_endian: bool = False
    ) -> None:
        self._source = source
        self._tick = tick
        self._structs = _FORMATS[">" if big_endian else "<"]
        self._base = 0
        self._buffer = b""
        self.at = at
        self.size = source.size

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return self.size - self.at

    def take(self, length: int) -> bytes:
        """The next `length` bytes.

        Raises:
            Malformed: they are not there, or are too many to be one thing of a header.
        """
        if length < 0 or length > self.size - self.at or length > _LONG:
            raise Malformed(
                f"{length:,} bytes ought to follow at {self.at:,}, and {max(0, self.size - self.at):,} do",
                self.at,
            )
        start = self.at - self._base
        if start < 0 or start + length > len(self._buffer):
            self._base = self.at
            self._buffer = self._source.read(self.at, max(length, _PIECE))
            start = 0
            if len(self._buffer) < length:
                raise Malformed(f"the file ends at {self.at + len(self._buffer):,} while it is read", self.at)
        self.at += length
        self._tick(1)
        return self._buffer[start : start + length]

    def skip(self, length: int) -> None:
        """Step over bytes without reading them.

        Raises:
            Malformed: they are not there.
        """
        if length < 0 or length > self.size - self.at:
            raise Malformed(
                f"{length:,} bytes ought to follow at {self.at:,}, and {max(0, self.size - self.at):,} do",
                self.at,
            )
        self.at += length

    def number(self, kind: str) -> int:
        """The next whole number; `kind` is a letter of `struct`, such as `I`, `Q` or `i`."""
        one = self._structs[kind]
        value: int = one.unpack(self.take(one.size))[0]
        return value

    def real(self, kind: str) -> float:
        """The next floating-point number; `kind` is `f` or `d`."""
        one = self._structs[kind]
        value: float = one.unpack(self.take(one.size))[0]
        return value

    def skip_texts(self, count: int, length: str) -> None:
        """Step over `count` texts, each after its length: a vocabulary of a million in well under a second.

        Raises:
            Malformed: one of them would end past the end.
        """
        one = self._structs[length]
        unpack, width, size = one.unpack_from, one.size, self.size
        if count > (size - self.at) // width:
            raise Malformed(
                f"{count:,} texts ought to follow at {self.at:,}, more than there are bytes for", self.at
            )
        at, base, buffer = self.at, self._base, self._buffer
        for done in range(count):
            start = at - base
            if start < 0 or start + width > len(buffer):
                base, buffer, start = at, self._source.read(at, _PIECE), 0
                if len(buffer) < width:
                    raise Malformed(f"the file ends at {at:,}, in the {done + 1:,}th of {count:,} texts", at)
            at += width + unpack(buffer, start)[0]
            if at > size:
                raise Malformed(f"the {done + 1:,}th of {count:,} texts would end past the end", base + start)
            if not done & 1023:
                self._tick(1024)
        self.at, self._base, self._buffer = at, base, buffer
