"""`gate-passed`, and the other facts of a system's way through its stages.

A system's stage is nowhere typed in: it is what these statements add up to, in the order of the log.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from alcaide.predicates.approved import Bound
from alcaide.predicates.base import Predicate


class RequirementMet(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement as it was answered: `passed`, or `waived` with the waivers' leaves."""

    id: str
    outcome: str
    stood_on: tuple[int, ...] = ()
    waivers: tuple[int, ...] = ()


class MoveRequested(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody asked for a system to move on. `until` is when the request lapses if not granted."""

    TYPE: ClassVar[str] = "urn:alcaide:move-requested:v1"
    TITLE: ClassVar[str] = "Move requested"

    request: str
    gate: str
    from_stage: str
    to_stage: str
    bound: Bound
    until: str = ""


class MoveWithdrawn(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """A request was taken back before it was granted."""

    TYPE: ClassVar[str] = "urn:alcaide:move-withdrawn:v1"
    TITLE: ClassVar[str] = "Move withdrawn"

    request: str


class GatePassed(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """Every requirement counted as met, the approvals were there, and the system is at `to_stage`.

    `requirements` and `approvals` name the leaves that were stood on, so that the decision can be replayed
    from the log as it was at `tree_size`. `by` is whoever's act completed it, often the last approver.
    """

    TYPE: ClassVar[str] = "urn:alcaide:gate-passed:v1"
    TITLE: ClassVar[str] = "Gate passed"

    request: str
    gate: str
    from_stage: str
    to_stage: str
    bound: Bound
    requirements: tuple[RequirementMet, ...]
    approvals: tuple[int, ...]
    tree_size: int
    until: str = ""


class MovedBack(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """A person returned a system to an earlier stage, or retired it. Needs no gate: none is passed."""

    TYPE: ClassVar[str] = "urn:alcaide:moved-back:v1"
    TITLE: ClassVar[str] = "Moved back"

    from_stage: str
    to_stage: str
