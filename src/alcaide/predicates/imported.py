"""`imported`: a document that somebody else made was taken in, and this is what it says of itself.

The log holds the digest of the document's bytes, what was read from it, and whether a signature by a trusted key
holds. The bytes themselves are kept beside the log, or, for an envelope with a trusted signature, as a leaf.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from alcaide.predicates.base import Predicate

Outcome = Literal["passed", "failed", "unknown"]
SignatureState = Literal["none", "trusted", "unknown-key"]


class VerifiedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted key whose signature held: its name here, and the SHA-256 of its public half."""

    name: str
    sha256: str


class Imported(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are those the importer named (`named`) and those the document names.

    `outcome` is what the document claims, read without goodwill, and `passed` only if a format that carries
    signatures carries one by a trusted key over the subject. `leaf` is where the envelope lies that was kept
    byte for byte, and is absent where none was. `summary` is bounded and differs by `kind`.
    """

    TYPE: ClassVar[str] = "urn:alcaide:imported:v1"
    TITLE: ClassVar[str] = "Imported"

    kind: str
    title: str
    media_type: str
    sha256: str
    size: int
    outcome: Outcome
    signature: SignatureState
    filename: str = ""
    outcome_reason: str = ""
    named: tuple[str, ...] = ()
    verified_by: tuple[VerifiedBy, ...] = ()
    leaf: int | None = None
    summary: dict[str, Any] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()
