"""What was verified and what was backed up."""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import UtcDateTime, metadata

verification = sa.Table(
    "operations__verification",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("job_id", sa.String(26)),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("intact", sa.Boolean, nullable=False),
    sa.Column("first_bad", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_operations__verification_finished_at", "finished_at"),
)

backup = sa.Table(
    "operations__backup",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("job_id", sa.String(26)),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("log_size", sa.BigInteger, nullable=False),
    sa.Column("holds_secret", sa.Boolean, nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.Index("ix_operations__backup_made_at", "made_at"),
)
