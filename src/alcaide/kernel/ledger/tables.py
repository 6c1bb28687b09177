"""The ledger's tables. Only `log.py` writes them."""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db.metadata import metadata

# SQLite keeps a table in the order of an INTEGER key; a BIGINT key would be an index beside it, a page more.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

head = sa.Table(
    "ledger__head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("checkpoint", sa.Text, nullable=False),  # the signed note that vouches for everything below it
    sa.Column("frontier", sa.LargeBinary, nullable=False),
    sa.Column("keyid", sa.String(80), nullable=False),  # the key that signs what comes next
    sa.Column("last_at", sa.String(27), nullable=False),  # time never runs backwards past this
    # How many leaves `ledger__node` takes in.
    sa.Column("nodes_size", sa.BigInteger, nullable=False, server_default="0"),
)

# `recorded_at` rises with `idx` and needs no index of its own: see `reader.first_since`.
leaf = sa.Table(
    "ledger__leaf",
    metadata,
    sa.Column("idx", _ROW_NUMBER, primary_key=True, autoincrement=False),
    sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("predicate_type", sa.String(512), nullable=False),
    sa.Column("recorded_at", sa.String(27), nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
    sa.Column("index_step", sa.LargeBinary),  # on a commit's last leaf: the index nodes it changed
    sa.Index("ix_ledger__leaf_type", "predicate_type", "idx"),
)

# The subject index: how many leaves speak about a key up to this one, and the running hash over them. A
# bucket of the index is a range of `key_hash`, so the primary key finds it, and the newest entry of each key.
entry = sa.Table(
    "ledger__entry",
    metadata,
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("acc", sa.LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

# Names in clear (`name:…`), for lists; a digest is found by its hash alone.
subject = sa.Table(
    "ledger__subject",
    metadata,
    sa.Column("key_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Index("ix_ledger__subject_key", "key"),
    sqlite_with_rowid=False,
)

# The index's two upper levels as they were at `nodes_size` leaves; `index_step` leads on from there.
node = sa.Table(
    "ledger__node",
    metadata,
    sa.Column("node_id", _ROW_NUMBER, primary_key=True, autoincrement=False),
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


def newest_about(key_hash: sa.ColumnElement[bytes]) -> sa.ScalarSelect[int]:
    """The newest leaf filed under a key hash of an outer query."""
    newest: sa.ScalarSelect[int] = (
        sa.select(sa.func.max(entry.c.idx)).where(entry.c.key_hash == key_hash).scalar_subquery()
    )
    return newest
