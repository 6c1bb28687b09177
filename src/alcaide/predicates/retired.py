"""`retired`: an entry of the register is no longer in use. What was said of it before stays true of its time."""

from __future__ import annotations

from typing import ClassVar

from alcaide.predicates.base import Predicate


class Retired(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject carries the digest it had when it was retired; `reason` is never empty here."""

    TYPE: ClassVar[str] = "urn:alcaide:retired:v1"
    TITLE: ClassVar[str] = "Retired"

    digest_before: str = ""
    via: str = ""
