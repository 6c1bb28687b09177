"""Originals of what was taken in, whose keys are believed, and where checkpoints are left.

`imported` is a read model: it can be dropped and folded again from the log (`projection.replay`).
"""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import JsonDoc, UtcDateTime, metadata

blob = sa.Table(
    "evidence__blob",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.String(200), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
)

imported = sa.Table(
    "evidence__imported",
    metadata,
    sa.Column("leaf", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("foreign_leaf", sa.BigInteger),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("title", sa.String(400), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("filename", sa.String(400), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("signature", sa.String(20), nullable=False),
    sa.Column("verified_by", JsonDoc, nullable=False),
    sa.Column("summary", JsonDoc, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by_name", sa.String(400), nullable=False),
    sa.Index("ix_evidence__imported_foreign_leaf", "foreign_leaf"),
    sa.Index("ix_evidence__imported_sha256", "sha256"),
    sa.Index("ix_evidence__imported_signature", "signature", "leaf"),
    sa.Index("ix_evidence__imported_kind", "kind", "leaf"),
)

trusted_key = sa.Table(
    "evidence__trusted_key",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),  # never given to another key
    sa.Column("algorithm", sa.String(20), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("pem", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("added_by", sa.String(400), nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revoked_by", sa.String(400), nullable=False, server_default=""),
    sa.Column("leaf", sa.BigInteger, nullable=False),
)

anchor = sa.Table(
    "evidence__anchor",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("vkey", sa.Text, nullable=False, server_default=""),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("added_by", sa.String(400), nullable=False),
    sa.Column("last_size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last_at", UtcDateTime),
    sa.Column("tried_at", UtcDateTime),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("broken", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("next_size", sa.BigInteger, nullable=False, server_default="0"),
)

known_log = sa.Table(
    "evidence__known_log",
    metadata,
    sa.Column("origin", sa.String(200), primary_key=True),
    sa.Column("vkey", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("added_by", sa.String(400), nullable=False),
    sa.Column("seen_at", UtcDateTime),
)
