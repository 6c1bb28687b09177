"""What a format is: a way to recognise it by its content, and a reader that says what is wrong with it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.source import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.model import Rule
    from alcaide.instruments.scan.source import Source


class Glance:
    """The first look at some bytes, shared by all formats that are asked whether it is theirs."""

    def __init__(self, source: Source, name: str) -> None:
        self.source = source
        self.name = name
        """The last part of the name, as given. A hint that may add a format and may never take one away."""
        self.size = source.size
        self.head = source.read(0, HEAD)

    @cached_property
    def tail(self) -> bytes:
        """The last 64 KiB and a little: where a zip's directory must begin to be found."""
        length = min(self.size, (1 << 16) + 22)
        return self.source.read(self.size - length, length)

    @cached_property
    def lower_tail(self) -> bytes:
        """The tail in lower case."""
        return self.tail.lower()

    @cached_property
    def lower_name(self) -> str:
        """The name in lower case."""
        return self.name.lower()

    @cached_property
    def text(self) -> str | None:
        """The head as text if it is some: UTF-8 (or UTF-16/32 with a mark), no control characters but white space."""
        data = self.head
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data.decode(encoding, "replace").lstrip("\ufeff")
        if b"\0" in data:
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            # A character that the end of the head cut in two is no reason to call it binary.
            if self.size <= len(data) or error.start < len(data) - 4:
                return None
            text = data[: error.start].decode("utf-8")
        return None if _CONTROL.intersection(text) else text


_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_CONTROL = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r\f\v\x1b\b")


class Starts:
    """Recognises what begins with certain bytes; such a format is not asked about anything that begins otherwise."""

    __slots__ = ("heads",)

    def __init__(self, *heads: bytes) -> None:
        self.heads = heads

    def __call__(self, glance: Glance) -> bool:
        return glance.head.startswith(self.heads)


class Format(NamedTuple):
    """One format.

    A file is examined by every format that recognises it: what one program reads as a picture another reads as an
    archive. `fallback` formats (plain text, raw bytes) are asked only where no other format recognised it.
    """

    name: str
    title: str
    sniff: Callable[[Glance], bool]
    examine: Callable[[Source, Context], None]
    rules: tuple[Rule, ...] = ()
    fallback: bool = False
    begins: tuple[bytes, ...] | Callable[[bytes], bool] = ()
    """How everything that `sniff` recognises begins, where there is no other way, or whether it can with these two
    bytes: it is asked about nothing else."""

    def may_begin(self, first: bytes) -> bool:
        """Whether bytes of this format may begin with these, at most two."""
        if callable(self.begins):
            return self.begins(first)
        heads = self.sniff.heads if isinstance(self.sniff, Starts) else self.begins
        return not heads or len(first) < 2 or any(first.startswith(head[:2]) for head in heads)
