"""What the assurance slice speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alcaide.predicates.guard_evaluated import GuardEvaluated

MAX_TEXT = 5_000_000
"""Characters that one look takes over the web: the guard takes more, a browser's form should not."""

Direction = Literal["in", "out", "tool"]


@dataclass(frozen=True)
class PolicyChoice:
    """A guard policy that can be chosen: its name, its title, and whether the organisation wrote it."""

    name: str
    title: str
    own: bool


@dataclass(frozen=True)
class Measured:
    """What one detector, as it is installed, was last measured to do, and the leaf that says so."""

    detector: str
    version: str
    leaf: int
    at: datetime
    said: GuardEvaluated
