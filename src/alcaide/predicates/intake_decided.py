"""`intake-decided`: a request for a new AI use was accepted, merged with a system on record, or turned down.

The request itself is no evidence: anybody may make one, and the log never forgets. What a moderator decided about it
is, with the digest of what was asked for, so that the words in the queue can be held against it while they are kept.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate

Decision = Literal["accepted", "merged", "rejected"]


class IntakeDecided(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `intake:<reference>` with the digest of the wish, name and address of the requester left out.

    `system` is the short name of the system it became or was merged with; empty for `rejected`, whose `reason` is
    never empty: the requester reads it.
    """

    TYPE: ClassVar[str] = "urn:alcaide:intake-decided:v1"
    TITLE: ClassVar[str] = "Request for a new use decided"

    request: str
    decision: Decision
    system: str = ""
