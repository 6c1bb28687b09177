"""People, sessions, tokens and links, as plain values. Nothing here holds a secret or its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

UserKind = Literal["person", "service"]
LinkPurpose = Literal["first-run", "invite", "reset"]
PENDING_LIFE = timedelta(minutes=10)
"""How long a half-finished sign-in waits for its second step.

RFC 6749 §4.1.2 gives codes at most ten minutes too.
"""

SESSION_IDLE = timedelta(hours=12)
SESSION_LIFE = timedelta(days=7)
SESSIONS_EACH = 20
LINK_LIFE = {
    "first-run": timedelta(hours=24),
    "invite": timedelta(days=7),
    "reset": timedelta(hours=24),
}
TOKEN_LIFE_DEFAULT = timedelta(days=90)
TOKEN_LIFE_LONGEST = timedelta(days=366)
TOKENS_EACH = 50
RECOVERY_CODES = 10


@dataclass(frozen=True)
class Visitor:
    """Where a request came from, as far as we know: for rate limits, and for people to recognise their sessions."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class User:
    """An account. `kind` is `service` for a pipeline's account, which has tokens and never signs in."""

    id: str
    email: str
    name: str
    kind: UserKind
    roles: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    last_sign_in_at: datetime | None
    has_password: bool
    has_totp: bool
    sso: bool
    roles_from_sso: bool

    @property
    def enabled(self) -> bool:
        """Whether the account can be used at all."""
        return self.disabled_at is None


@dataclass(frozen=True)
class Session:
    """A signed-in browser, as its owner sees it in the list."""

    id: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    method: str
    address: str
    agent: str
    current: bool = False


@dataclass(frozen=True)
class Token:
    """An API token without its secret."""

    id: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime) -> bool:
        """Whether the token would be accepted at `now`, its owner's account permitting."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True)
class NewToken:
    """A token just made: the only time its text exists outside its owner's hands."""

    token: Token
    text: str


@dataclass(frozen=True)
class Link:
    """A one-time link that lets its holder set a password."""

    id: str
    purpose: LinkPurpose
    user_id: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Event:
    """One access event as listed. `index` is its leaf in the log, where it can be proved."""

    index: int
    event: str
    user_id: str
    by_kind: str
    by_id: str
    at: datetime
    reason: str
    details: dict[str, Any]


@dataclass(frozen=True)
class OwnRole:
    """A role of this installation's own making: a list of actions. `holders` counts the accounts that have it."""

    name: str
    title: str
    actions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    holders: int


@dataclass(frozen=True)
class Page:
    """A stretch of a list, and where the next one starts."""

    items: tuple[Any, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class SignedIn:
    """A session just opened. `cookie` goes to the browser and is kept nowhere else."""

    user: User
    cookie: str
    session_id: str
    next_path: str = "/"


@dataclass(frozen=True)
class SecondStep:
    """The password was right and a second factor is still to come; `pending` names this half-finished sign-in."""

    pending: str


@dataclass(frozen=True)
class TotpSetup:
    """What a person needs to put the secret into an authenticator app."""

    secret: str
    uri: str
    qr: str
