"""A text as one of its readers would see it, with the way back to the text as it was given.

The first layer is always the passage as written. Others are made by `normalise`: the same text with look-alike
letters folded, hidden characters taken out, or what an encoded run decodes to. A layer knows, for each of its
characters, where in the original it came from, so that a finding can be shown, cut out or replaced there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.model import Passage, Span

Offsets = npt.NDArray[np.int32]


T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - used as a decorator, like property
    """An attribute computed on first use. Unlike `functools.cached_property` of Python 3.11 it takes no lock.

    Two threads that ask at the same moment may both compute it and get equal values.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


@dataclass(frozen=True, slots=True)
class Origin:
    """Where each character of a layer came from: characters `starts[i]` to `ends[i]` of the passage as given."""

    starts: Offsets
    ends: Offsets

    def within(self, outer: Origin | None) -> Origin:
        """This origin, which points into a layer, seen through that layer's own."""
        if outer is None or not len(self.starts):
            return self
        last = np.maximum(self.ends - 1, self.starts)
        return Origin(outer.starts[self.starts], outer.ends[last])


class Layer:
    """One reading of a passage. Immutable; what is costly is computed on first use and kept.

    `path` says how it was made, outermost first; () is the passage as written. `origin` is None where character i
    is character i of the passage. `whole` is set on decoded layers, whose characters have no counterpart of their
    own: every span of such a layer is the encoded run as a whole. `guess` marks readings that are only supposed
    (leet, rot13, Morse, reversed…): good for sentences, bad for identifiers and keys.
    """

    def __init__(
        self,
        passage: Passage,
        text: str,
        path: tuple[str, ...] = (),
        *,
        origin: Origin | None = None,
        whole: Span | None = None,
        guess: bool = False,
    ) -> None:
        self.passage = passage
        self.text = text
        self.path = path
        self.origin = origin
        self.whole = whole
        self.guess = guess

    def __repr__(self) -> str:
        return f"Layer({'/'.join(self.path) or 'as written'}, {len(self.text)} characters)"

    def span(self, start: int, end: int) -> Span:
        """Where characters `start` to `end` of this layer lie in the passage as given.

        What was taken out between two kept characters belongs to the span; what lies beyond its last does not.
        """
        if self.whole is not None:
            return self.whole
        if self.origin is None:
            return Span(start, end)
        starts, ends = self.origin.starts, self.origin.ends
        if not len(starts):
            return Span(0, 0)
        if end <= start:
            at = int(starts[start]) if start < len(starts) else int(ends[-1])
            return Span(at, at)
        first, last = int(starts[start]), int(ends[end - 1])
        # A layer may read backwards, and two encoded runs in a row may be one finding: the outermost places count.
        return Span(min(first, int(starts[end - 1])), max(last, int(ends[start])))

    @lazy
    def lower(self) -> str:
        """The text in lower case, character for character: a letter whose lower case is longer stays as it is."""
        lowered = self.text.lower()
        if len(lowered) == len(self.text):
            return lowered
        return "".join(low if len(low := letter.lower()) == 1 else letter for letter in self.text)

    @lazy
    def ascii(self) -> bool:
        """Whether every character is ASCII, so that bytes and characters are counted alike."""
        return self.text.isascii()

    @lazy
    def octets(self) -> bytes:
        """`lower` as UTF-8. The guard has replaced lone surrogates before a layer is made."""
        return self.lower.encode("utf-8", "surrogatepass")

    @lazy
    def octet_array(self) -> npt.NDArray[np.uint8]:
        """`octets` without a copy, for vectorised work."""
        return np.frombuffer(self.octets, dtype=np.uint8)

    @lazy
    def _character_of_octet(self) -> npt.NDArray[np.int32]:
        # A character starts at every byte that is not a UTF-8 continuation byte (RFC 3629 §3).
        starts = (self.octet_array & 0xC0) != 0x80
        return np.append(np.cumsum(starts, dtype=np.int32) - 1, np.int32(len(self.text)))

    def character(self, octet: int) -> int:
        """The offset in characters of the byte at `octet` of `octets`; the end for the end."""
        return octet if self.ascii else int(self._character_of_octet[octet])

    def characters(self, octets: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """`character` for many offsets at once."""
        return octets if self.ascii else self._character_of_octet[octets]

    @lazy
    def notes(self) -> dict[str, object]:
        """A place where code shared by several detectors keeps what it computed for this layer (n-gram hashes…)."""
        return {}


def as_written(passage: Passage) -> Layer:
    """The layer that every passage has."""
    return Layer(passage, passage.text)
