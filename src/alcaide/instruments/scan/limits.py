"""How much one scanned file may cost, and the errors that end a look before its end.

Everything a stranger's file says about sizes and counts is a lie until it has been paid for from these budgets. What
they do not pay for ends as an `Unknown` finding with the name of the limit, never as a file called clean.
"""

from __future__ import annotations

import time
from typing import NamedTuple


class Limits(NamedTuple):
    """The most that one scanned file may cost."""

    seconds: float = 60.0
    """Processor-independent: wall-clock seconds."""
    depth: int = 12
    """Archives within archives."""
    members: int = 200_000
    """Things inside of it, over all depths."""
    unpacked: int = 4 << 30
    """Bytes that come out of compressed parts, over all depths."""
    ratio: int = 300
    """How many bytes one compressed byte may become, once more than `ratio_from` came out."""
    ratio_from: int = 64 << 20
    findings: int = 2_000
    """Findings kept; one more says that there were more."""


GROWS = 500
GROWS_FROM = 16 << 20
"""What grows so much is no model: weights do not compress, and zeros that would be are not kept in such numbers."""


def grows(count: int, packed: int) -> bool:
    """Whether so many bytes out of so few are a bomb, however much room there is for them."""
    return count >= GROWS_FROM and count > GROWS * max(1, packed)


class ScanStop(Exception):
    """The look at one part ends here. `message` is for people; `offset` is where, within that part."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Malformed(ScanStop):
    """The bytes violate their own format: a medium finding."""


class Truncated(ScanStop):
    """The bytes end before their format says they do: Unknown."""


class Encrypted(ScanStop):
    """The bytes can be read only with a secret: Unknown."""


class Unsupported(ScanStop):
    """A variant of the format that is recognised and not read: Unknown."""


class OverBudget(ScanStop):
    """A limit was reached: Unknown."""


class Budget:
    """What is left of the limits while one file is looked at."""

    __slots__ = ("_deadline", "_ticks", "limits", "members", "size", "unpacked")

    def __init__(self, limits: Limits, size: int = 1 << 62) -> None:
        self.limits = limits
        self.size = size
        """Bytes of the scanned file, against which what comes out of it is held."""
        self._deadline = time.monotonic() + limits.seconds
        self._ticks = 0
        self.members = limits.members
        self.unpacked = limits.unpacked

    def tick(self, steps: int = 1) -> None:
        """Call it in every loop whose length the file decides; looks at the clock once in 2,048 steps.

        Raises:
            OverBudget: the time is up.
        """
        self._ticks += steps
        if self._ticks >= 2048:
            self._ticks = 0
            self.check_time()

    def check_time(self) -> None:
        """Look at the clock now.

        Raises:
            OverBudget: the time is up.
        """
        if time.monotonic() > self._deadline:
            raise OverBudget(f"looking at it takes more than {self.limits.seconds:g} seconds")

    def take_member(self) -> None:
        """One more thing inside.

        Raises:
            OverBudget: there are more than the limit.
        """
        self.members -= 1
        if self.members < 0:
            raise OverBudget(f"it holds more than {self.limits.members:,} things")
        self.tick()

    def take_unpacked(self, count: int) -> None:
        """`count` more bytes came out of a compressed part.

        Raises:
            OverBudget: more came out, over all parts, than the limit or than the file can honestly hold.
        """
        self.unpacked -= count
        if self.unpacked < 0:
            raise OverBudget(f"its compressed parts unpack to more than {self.limits.unpacked >> 20:,} MiB")
        if self.grown:
            out = self.limits.unpacked - self.unpacked
            raise OverBudget(f"its {self.size:,} bytes unpack to more than {out:,}: a decompression bomb")
        self.check_time()

    @property
    def grown(self) -> bool:
        """Whether more came out of the file than can honestly be in it: each of its parts may grow by little."""
        return grows(self.limits.unpacked - self.unpacked, self.size)

    @property
    def spent(self) -> bool:
        """Whether there is nothing left to look at further parts with."""
        return self.unpacked < 0 or self.members < 0 or self.grown
