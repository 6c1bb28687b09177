"""What one part of the detector believes it saw, and which beliefs survive when they overlap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from alcaide.instruments.guard.model import Level


class Tier(IntEnum):
    """Who wins where candidates overlap, weakest first.

    A name inside an e-mail address is part of the address, a town inside a postal address part of that: the kind
    that contains beats the kind that is contained, whatever their scores, so that an entity is replaced whole.
    """

    WORD = 0
    NUMBER = 1
    ADDRESS = 2
    STRUCTURED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible entity: characters `start` to `end` of the text under examination."""

    start: int
    end: int
    entity: str
    rule: str
    score: float
    reason: str
    level: Level = "warning"
    tier: Tier = Tier.NUMBER
    evidence: Mapping[str, Any] = field(default_factory=dict)


def without_overlaps(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates that remain when each place belongs to one entity: by tier, then score, then length.

    The order of what comes in does not matter. The result is sorted by start.
    """
    ranked = sorted(
        candidates,
        key=lambda one: (-one.tier, -one.score, one.start - one.end, one.start, one.entity, one.rule),
    )
    starts: list[int] = []
    kept: list[Candidate] = []
    for one in ranked:
        at = bisect_left(starts, one.start)
        free_before = at == 0 or kept[at - 1].end <= one.start
        free_after = at == len(starts) or one.end <= starts[at]
        if free_before and free_after and one.start < one.end:
            starts.insert(at, one.start)
            kept.insert(at, one)
    return kept
