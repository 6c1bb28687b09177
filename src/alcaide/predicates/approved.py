"""`approved`: a person decided about a request to move on, for exactly these digests.

One kind of evidence for the three things a person can say about a request, told apart by `decision`: a no is
as much a fact as a yes, and whoever asks for the latest word of a person has to see all of them in one row.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from alcaide.predicates.base import Predicate

Decision = Literal["approved", "rejected", "revoked"]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A thing as it stood: its name, and the SHA-256 of its bytes or description ("" for none known)."""

    name: str
    sha256: str


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision was given for. If any of it is different now, the decision no longer speaks.

    `components` is sorted by name. `policy` is the gate: its id, and the digest of its canonical text.
    """

    system: Named
    components: tuple[Named, ...]
    policy: Named


class Approved(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are the system and every component with a digest, as they stood.

    `role` is the seat the person took: one of the roles the gate asks for, which they held at the time.
    `until` is when an approval stops counting for a gate that has not been passed by then. A `revoked` takes
    back that person's own earlier approval; both that and a `rejected` say why in `reason`.
    """

    TYPE: ClassVar[str] = "urn:alcaide:approved:v1"
    TITLE: ClassVar[str] = "Approved"

    decision: Decision
    request: str
    gate: str
    role: str
    bound: Bound
    until: str = ""
