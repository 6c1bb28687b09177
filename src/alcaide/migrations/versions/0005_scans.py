"""Scans of models and datasets, and the folders that are watched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from alcaide.kernel.db import JsonDoc, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "supply_chain__scan",
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
    )
    op.create_index("ix_supply_chain__scan_asked", "supply_chain__scan", ["asked_at", "id"])
    op.create_index("ix_supply_chain__scan_sha256", "supply_chain__scan", ["sha256"])
    op.create_index("ix_supply_chain__scan_subject", "supply_chain__scan", ["subject", "asked_at"])
    op.create_table(
        "supply_chain__watch",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("every_minutes", sa.Integer, nullable=False),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.Column("added_by", sa.String(400), nullable=False),
        sa.Column("last_at", UtcDateTime),
        sa.Column("problem", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "supply_chain__watched",
        sa.Column("watch", sa.String(26), primary_key=True),
        sa.Column("entry", sa.String(400), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("scan", sa.String(26), nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
    )
