"""Looking at what lies inside of an archive, one member at a time, without one broken member hiding the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.formats.archives.rules import BESIDE, DAMAGED, NESTED
from alcaide.instruments.scan.limits import Malformed, OverBudget, ScanStop, Truncated
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source


class Salvage:
    """Pieces of a member up to where they can be had; why no more came is kept, not raised.

    A loader acts on the good part of a broken stream before it notices, so that part must be looked at.
    """

    __slots__ = ("_pieces", "count", "stop")

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.stop: ScanStop | None = None
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self.count += len(piece)
                yield piece
        except OverBudget:
            raise
        except ScanStop as stop:
            self.stop = stop


class Members:
    """The looks at an archive's members, and the first reason why one could not be looked at."""

    __slots__ = ("_context", "stop")

    def __init__(self, context: Context) -> None:
        self._context = context
        self.stop: ScanStop | None = None

    def look(self, name: str, source: Source) -> None:
        """Look at one member.

        Raises:
            OverBudget: there are too many, they are nested too deep, or the time is up.
        """
        look_inside(self._context, name, source)

    def later(self, stop: ScanStop, name: str = "") -> None:
        """A member could not be looked at: go on with the others if there is anything left to pay with.

        Raises:
            OverBudget: there is not.
        """
        context = self._context
        if isinstance(stop, OverBudget):
            context.budget.check_time()
            if context.budget.spent:
                raise stop
        if isinstance(stop, Malformed | Truncated) and name:
            context.find(DAMAGED, f"`{name}` cannot be unpacked whole: {stop.message}", member=name)
        elif self.stop is None:
            self.stop = stop

    def finish(self) -> None:
        """Say that not all was seen, if so.

        Raises:
            ScanStop: why.
        """
        if self.stop is not None:
            raise self.stop


def look_inside(context: Context, name: str, source: Source) -> None:
    """Look at something inside of an archive; too deep is a finding besides being the end.

    Raises:
        OverBudget: too many things, too deep, or the time is up.
    """
    if context.depth + 1 > context.budget.limits.depth:
        context.find(NESTED, f"it holds `{name}`, more than {context.budget.limits.depth} archives deep")
        raise OverBudget(f"it is nested more than {context.budget.limits.depth} deep")
    context.child(name, source)


def beside(context: Context, source: Source, start: int, what: str) -> None:
    """Report bytes from `start` to the end that are no part of the archive, and look at them.

    Nothing but zeros or line ends is padding, and padding is what honest tools leave.
    """
    if source.size - start <= 0:
        return
    rest = Window(source, start)
    head = rest.read(0, 1 << 16)
    if not head.strip(b"\0\r\n \x1a") and rest.size <= len(head):
        return
    context.find(BESIDE, f"{rest.size:,} bytes lie after {what}", offset=start, bytes=rest.size)
    look_inside(context, "after the end", rest)
