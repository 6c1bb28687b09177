"""`waived`: a person let a requirement go unmet, for a reason and until a day.

A waiver never turns a verdict green. Requirements keep their verdict and show the waiver beside it, and count
as met only while it lasts. To take one back, waive the same thing again with an `until` that is now: the
latest speaks.
"""

from __future__ import annotations

from typing import ClassVar

from alcaide.predicates.approved import Named
from alcaide.predicates.base import Predicate


class Waived(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is the system; `component`, where given, narrows the waiver to one component at one digest.

    `requirement_digest` binds the waiver to the requirement as it was written then: whoever tightens the
    requirement asks everybody again. `reason` is never empty here.
    """

    TYPE: ClassVar[str] = "urn:alcaide:waived:v1"
    TITLE: ClassVar[str] = "Waived"

    requirement: str
    until: str
    requirement_digest: str = ""
    component: Named | None = None
