"""The access slice's tables. Secrets are kept as digests, passwords as Argon2id, TOTP secrets sealed."""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import JsonDoc, UtcDateTime, metadata

_ID = sa.String(32)
_DIGEST = sa.String(64)

users = sa.Table(
    "access__user",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("roles", JsonDoc, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False, index=True),
    sa.Column("roles_from_sso", sa.Boolean, nullable=False, default=False),
    sa.Column("password_hash", sa.String(200)),
    sa.Column("totp_sealed", sa.LargeBinary),
    sa.Column("totp_waiting", sa.LargeBinary),
    sa.Column("totp_last_step", sa.BigInteger, nullable=False, default=0),
    sa.Column("sso_issuer", sa.String(300)),
    sa.Column("sso_subject", sa.String(255)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("disabled_at", UtcDateTime),
    sa.Column("last_sign_in_at", UtcDateTime),
    sa.UniqueConstraint("sso_issuer", "sso_subject"),
)
"""`is_admin` repeats whether `roles` has `admin`, so that "is another one left?" is a count and not a scan."""

roles = sa.Table(
    "access__role",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("actions", JsonDoc, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
"""Roles of this installation's own making. Those that ship stand in the code, and no row may take their names."""

sessions = sa.Table(
    "access__session",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("digest", _DIGEST, nullable=False, unique=True),
    sa.Column("user_id", _ID, nullable=False, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("method", sa.String(30), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("agent", sa.String(200), nullable=False),
)

tokens = sa.Table(
    "access__token",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("digest", _DIGEST, nullable=False),
    sa.Column("user_id", _ID, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("scopes", JsonDoc, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

recovery_codes = sa.Table(
    "access__recovery_code",
    metadata,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("user_id", _ID, nullable=False, index=True),
)

links = sa.Table(
    "access__link",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("digest", _DIGEST, nullable=False, unique=True),
    sa.Column("purpose", sa.String(12), nullable=False),
    sa.Column("user_id", _ID, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)
"""A used link is a deleted row: it can be found once."""

pending = sa.Table(
    "access__pending",
    metadata,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("user_id", _ID),
    sa.Column("memo", JsonDoc, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
)
"""Half-finished sign-ins: a second factor to come, or a provider's answer to come.

Used once, kept ten minutes.
"""

tallies = sa.Table(
    "access__tally",
    metadata,
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False, index=True),
    sa.Column("blocked_until", UtcDateTime),
)

unrecorded = sa.Table(
    "access__unrecorded",
    metadata,
    sa.Column("user_id", _ID, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("recorded_at", UtcDateTime),
)
"""Failed sign-ins that no statement counts yet, per account: the log takes one statement a minute about each."""

events = sa.Table(
    "access__event",
    metadata,
    sa.Column("leaf", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event", sa.String(30), nullable=False),
    sa.Column("user_id", _ID, nullable=False),
    sa.Column("by_kind", sa.String(12), nullable=False),
    sa.Column("by_id", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("details", JsonDoc, nullable=False),
    sa.Index("ix_access__event_user", "user_id", "leaf"),
    sa.Index("ix_access__event_event", "event", "leaf"),
)
"""The list of access events, folded from the log; `projection.rebuild` makes it again from nothing."""
