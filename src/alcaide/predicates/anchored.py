"""`anchored`: a checkpoint of this log was left with somebody or something outside it.

Whoever later takes the newest leaves away, or tells two stories, is found out by what was left outside.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate


class Anchored(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `log:<origin>` with the SHA-256 of the checkpoint's text, without signatures.

    `anchor` is its name in the settings; `cosignature` is the witness's signature line, if it is one.
    """

    TYPE: ClassVar[str] = "urn:alcaide:anchored:v1"
    TITLE: ClassVar[str] = "Anchored"

    anchor: str
    kind: Literal["file", "witness"]
    size: int
    root: str
    cosignature: str = ""
