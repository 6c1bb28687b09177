"""`attested`: a person says that something holds, and puts their name to it.

For what no instrument can see: a contract was read, a review was held. It is worth as much as the person.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate


class Attested(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are what the claim is about, as they stood.

    `outcome` says whether what is asked holds (`passed`) or does not (`failed`); `ref` names the control or
    requirement it answers; after `until` it no longer counts.
    """

    TYPE: ClassVar[str] = "urn:alcaide:attested:v1"
    TITLE: ClassVar[str] = "Attested"

    claim: str
    outcome: Literal["passed", "failed"]
    ref: str = ""
    until: str = ""
