"""The ledger's tables. Only `log.py` writes them."""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db.metadata import metadata

head = sa.Table(
    "ledger__head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("checkpoint", sa.Text, nullable=False),  # the signed note that vouches for everything below it
    sa.Column("frontier", sa.LargeBinary, nullable=False),
    sa.Column("keyid", sa.String(80), nullable=False),  # the key that signs what comes next
    sa.Column("last_at", sa.String(27), nullable=False),  # time never runs backwards past this
)

leaf = sa.Table(
    "ledger__leaf",
    metadata,
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("predicate_type", sa.String(512), nullable=False),
    sa.Column("recorded_at", sa.String(27), nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
    sa.Index("ix_ledger__leaf_type", "predicate_type", "idx"),
    sa.Index("ix_ledger__leaf_recorded_at", "recorded_at"),
)

entry = sa.Table(
    "ledger__entry",
    metadata,
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# A bucket of the index is a range of `key_hash`, so the primary key finds it without another index.
subject = sa.Table(
    "ledger__subject",
    metadata,
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("acc", sa.LargeBinary(32), nullable=False),
    sa.Column("last_idx", sa.BigInteger, nullable=False),
    sa.Index("ix_ledger__subject_key", "key"),
    sqlite_with_rowid=False,
)

node = sa.Table(
    "ledger__node",
    metadata,
    sa.Column("node_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("children", sa.LargeBinary, nullable=False),
)

tile = sa.Table(
    "ledger__tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
