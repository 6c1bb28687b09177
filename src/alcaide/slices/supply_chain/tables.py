"""Scans and their reports, and the places that are watched.

What a scan that was put on record found is in the log as well; the rest can be had again by scanning.
"""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import JsonDoc, UtcDateTime, metadata

scan = sa.Table(
    "supply_chain__scan",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("origin", sa.String(10), nullable=False),
    sa.Column("title", sa.String(400), nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("subject", sa.String(400), nullable=False, server_default=""),
    sa.Column("sha256", sa.String(64), nullable=False, server_default=""),
    sa.Column("outcome", sa.String(10), nullable=False, server_default=""),
    sa.Column("counts", JsonDoc, nullable=False),
    sa.Column("files", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("edition", sa.String(60), nullable=False, server_default=""),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("asked_by", sa.String(400), nullable=False),
    sa.Column("asked_json", JsonDoc, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("done_at", UtcDateTime),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("leaf", sa.BigInteger),
    sa.Column("job", sa.String(40), nullable=False, server_default=""),
    sa.Column("watch", sa.String(26), nullable=False, server_default=""),
    sa.Column("report", sa.LargeBinary),
    sa.Column("source", sa.String(12), nullable=False, server_default="folder"),
    sa.Index("ix_supply_chain__scan_asked", "asked_at", "id"),
    sa.Index("ix_supply_chain__scan_sha256", "sha256"),
    sa.Index("ix_supply_chain__scan_subject", "subject", "asked_at"),
)

watch = sa.Table(
    "supply_chain__watch",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("every_minutes", sa.Integer, nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("added_by", sa.String(400), nullable=False),
    sa.Column("last_at", UtcDateTime),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.String(12), nullable=False, server_default="folder"),
)

watched = sa.Table(
    "supply_chain__watched",
    metadata,
    sa.Column("watch", sa.String(26), primary_key=True),
    sa.Column("entry", sa.String(400), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("scan", sa.String(26), nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)
