"""`access-event`: somebody signed in, or what somebody may do here changed.

The subject is `user:<id>`. The log is for ever and people leave, so neither the statement nor its subject
holds a name, an e-mail address or an internet address: who the id belongs to is in the access slice's tables,
which can be corrected and erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.evidence import Statement, Subject, canonical
from alcaide.predicates.base import By, Predicate, at

EVENTS: Mapping[str, str] = {
    "user-created": "account created",
    "user-changed": "account details changed",
    "user-disabled": "account disabled",
    "user-enabled": "account enabled",
    "roles-changed": "roles changed",
    "signed-in": "signed in",
    "sign-in-failed": "sign-in failed",
    "signed-out": "signed out",
    "session-revoked": "session ended",
    "password-changed": "password changed",
    "totp-enabled": "second factor switched on",
    "totp-removed": "second factor switched off",
    "recovery-codes-made": "recovery codes made",
    "recovery-code-used": "recovery code used",
    "token-created": "API token created",
    "token-revoked": "API token revoked",
    "link-created": "one-time link made",
    "link-used": "one-time link used",
    "identity-linked": "linked to single sign-on",
}
"""Every event there is, and how it reads."""

UNKNOWN_ACCOUNT = "unknown"
"""Stands for every address that no account has: their failed sign-ins are counted together under `user:unknown`."""


class AccessEvent(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """`event` is one of `EVENTS`; `details` differ by event and never hold personal data or a secret."""

    TYPE: ClassVar[str] = "urn:alcaide:access-event:v1"
    TITLE: ClassVar[str] = "Access event"

    event: str
    details: dict[str, Any] = msgspec.field(default_factory=dict)


def user_subject(user_id: str) -> Subject:
    """The subject for a user: named by id, with the digest of that id's description."""
    name = f"user:{user_id}"
    return Subject(name, {"sha256": sha256(canonical({"user": user_id})).hexdigest()})


def access_event(
    event: str,
    user_id: str,
    *,
    by: Actor,
    moment: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> Statement:
    """The Statement that `event` happened to the account `user_id`."""
    if event not in EVENTS:
        raise ValueError(f"no access event is called {event}")
    said = AccessEvent(
        at=at(moment),
        by=_nameless(by),
        reason=reason,
        event=event,
        details=dict(details or {}),
    )
    return said.about([user_subject(user_id)])


def _nameless(actor: Actor) -> By:
    # The console's id is `cli:<name of the operating system's user>`: a name, so only the kind of it is kept.
    shown = actor.id.partition(":")[0] if actor.kind == "system" else actor.id
    return By(kind=actor.kind, id=shown)
