"""`changed`: an entry of the register differs from what it was, in these fields, for this reason."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from alcaide.predicates.base import Predicate


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field, before and after. For lists of things (`components`, `flows`) only what left and what came."""

    field: str
    before: Any
    after: Any


class Changed(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject carries the digest after the change; `digest_before` is the one it had.

    The two may be equal: a field that is not part of what the digest covers may change alone.
    """

    TYPE: ClassVar[str] = "urn:alcaide:changed:v1"
    TITLE: ClassVar[str] = "Changed"

    fields: tuple[FieldChange, ...]
    digest_before: str
    digest_after: str
    digest_of: str = "description"
    via: str = ""
