"""Requests for a new AI use, before anybody has decided on them. Nothing here is evidence, and nothing here is signed.

`token_sha256` stands for the token in the requester's link: whoever reads the table cannot open the link. Attempts
hold a keyed digest of an address, so that the limits survive a restart, and are gone a day later.
"""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import UtcDateTime, metadata


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text, nullable=False, server_default="")


intake_request = sa.Table(
    "inventory__intake_request",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("reference", sa.String(12), nullable=False, unique=True),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    _text("title", 200),
    _text("purpose"),
    _text("people_affected"),
    _text("data_used"),
    _text("supplier", 200),
    _text("unit", 200),
    _text("requester", 200),
    _text("email", 254),
    _text("search"),
    sa.Column("submitted_at", UtcDateTime, nullable=False),
    sa.Column("decided_at", UtcDateTime),
    _text("decided_by", 200),
    _text("decision_reason"),
    _text("system_name", 80),
    sa.Index("ix_inventory__intake_request_state", "state", "submitted_at", "id"),
)

intake_attempt = sa.Table(
    "inventory__intake_attempt",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("address_key", sa.String(64), nullable=False),
    sa.Column("attempted_at", UtcDateTime, nullable=False),
    sa.Index("ix_inventory__intake_attempt_attempted_at", "attempted_at", "address_key"),
)
