"""`registered`: something appeared in the register for the first time, and this is what was said of it."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from alcaide.predicates.base import Predicate


class Registered(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject's first entry.

    `description` is exactly what the subject's digest is computed over (RFC 8785, SHA-256), unless `digest_of` is
    `bytes`: then the digest is that of the artifact itself and `description` says what it is called. `record` holds
    what was said beside it and does not bind: notes, tags, where it came from.
    """

    TYPE: ClassVar[str] = "urn:alcaide:registered:v1"
    TITLE: ClassVar[str] = "Registered"

    description: dict[str, Any]
    record: dict[str, Any] = msgspec.field(default_factory=dict)
    digest_of: str = "description"
    via: str = ""
