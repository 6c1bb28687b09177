"""What one part of the detector believes it saw, and which beliefs survive when they overlap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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


_SURE = 0.6


def addresses_cut(candidates: list[Candidate], text: str) -> list[Candidate]:
    """The same, postal addresses ending where a telephone number, an identifier or an e-mail address begins.

    An address grows over the lines below it; what is surely something else there ends it.
    """
    addresses = [one for one in candidates if one.tier is Tier.ADDRESS]
    if not addresses:
        return candidates
    others = sorted(
        (
            one
            for one in candidates
            if one.tier is not Tier.ADDRESS
            and one.score >= _SURE
            and (one.level == "error" or one.entity in _NEVER_WITHIN)
        ),
        key=lambda one: one.start,
    )
    starts = [one.start for one in others]
    kept = [one for one in candidates if one.tier is not Tier.ADDRESS]
    for address in addresses:
        start, end = address.start, address.end
        for other in others[max(0, bisect_left(starts, start) - 1) :]:
            if other.start >= end:
                break
            if other.end <= start:
                continue
            if other.start - start >= 6:
                end = other.start
            else:
                start = other.end
        written = text[start:end]
        start += len(written) - len(written.lstrip(" \n\r\t,;-"))
        end = start + len(written.strip(" \n\r\t,;-"))
        if end - start >= 4:
            kept.append(replace(address, start=start, end=end))
    return kept


_NEVER_WITHIN = frozenset(
    {"PHONE_NUMBER", "EMAIL_ADDRESS", "URL", "DATE_OF_BIRTH", "CREDIT_CARD", "IBAN_CODE", "US_SSN"}
)


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
