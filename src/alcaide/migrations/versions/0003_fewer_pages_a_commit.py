"""The ledger in fewer pages a commit: running hashes beside entries, index nodes stored now and then.

What the log says and what its checkpoints sign stays as it is; only where the index lies changes. The
newest entry of a key takes the place of the row that counted and hashed for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PAGE = 5_000
_ZERO = bytes(32)
_LOWEST_NODES = 2 << 32  # node ids of the level that is computed from entries from now on


def upgrade() -> None:
    """Move the index; an altered one stays altered, and is found out as before."""
    _entries()
    _subjects()
    _leaves_and_nodes()


def _entries() -> None:
    conn = op.get_bind()
    sqlite = conn.dialect.name == "sqlite"
    op.create_table(
        "ledger__entry_next",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("acc", sa.LargeBinary(length=32), nullable=False),
        # Constraints share one name space on PostgreSQL, where the old table still has its own.
        sa.PrimaryKeyConstraint("key_hash", "idx", name=op.f(f"pk_ledger__entry{'' if sqlite else '_next'}")),
        sqlite_with_rowid=False,
    )
    into = sa.table(
        "ledger__entry_next", *(sa.column(n) for n in ("key_hash", "idx", "count", "acc"))
    ).insert()
    current, count, acc = b"", 0, _ZERO
    for page in _pages(conn):
        rows = []
        for hashed, index, leaf_hash in page:
            if hashed != current:
                current, count, acc = hashed, 0, _ZERO
            count += 1
            acc = sha256(b"\x04" + acc + index.to_bytes(8, "big") + leaf_hash).digest()
            rows.append({"key_hash": hashed, "idx": index, "count": count, "acc": acc})
        conn.execute(into, rows)
    op.drop_table("ledger__entry")
    op.rename_table("ledger__entry_next", "ledger__entry")
    if not sqlite:
        op.execute("ALTER TABLE ledger__entry RENAME CONSTRAINT pk_ledger__entry_next TO pk_ledger__entry")


def _pages(conn: sa.Connection) -> Iterator[Sequence[tuple[bytes, int, bytes]]]:
    """Entries with their leaves' hashes, by key and in log order."""
    page = sa.text(
        "SELECT e.key_hash, e.idx, l.leaf_hash FROM ledger__entry e JOIN ledger__leaf l ON l.idx = e.idx "
        "WHERE (e.key_hash, e.idx) > (:hash, :idx) ORDER BY e.key_hash, e.idx LIMIT :page"
    )
    after: tuple[bytes, int] = (b"", -1)
    while rows := conn.execute(page, {"hash": after[0], "idx": after[1], "page": _PAGE}).all():
        yield [(bytes(hashed), index, bytes(leaf)) for hashed, index, leaf in rows]
        after = (bytes(rows[-1][0]), rows[-1][1])


def _subjects() -> None:
    op.execute("DELETE FROM ledger__subject WHERE key NOT LIKE 'name:%'")
    for column in ("count", "acc", "last_idx"):
        op.drop_column("ledger__subject", column)


def _leaves_and_nodes() -> None:
    conn = op.get_bind()
    op.drop_index("ix_ledger__leaf_recorded_at", "ledger__leaf")
    op.execute(f"DELETE FROM ledger__node WHERE node_id >= {_LOWEST_NODES}")  # noqa: S608 - a number of ours
    if conn.dialect.name == "sqlite":
        _in_row_order()
    else:
        op.add_column("ledger__leaf", sa.Column("index_step", sa.LargeBinary(), nullable=True))
    op.add_column(
        "ledger__head", sa.Column("nodes_size", sa.BigInteger(), nullable=False, server_default="0")
    )
    text = conn.execute(sa.text("SELECT checkpoint FROM ledger__head")).scalar_one_or_none()
    if text is not None:
        size = int(text.split("\n")[1])  # a checkpoint's second line
        conn.execute(sa.text("UPDATE ledger__head SET nodes_size = :size"), {"size": size})


def _in_row_order() -> None:
    """SQLite keeps a table in the order of an INTEGER key, where a BIGINT key was an index beside it."""
    op.drop_index("ix_ledger__leaf_type", "ledger__leaf")
    op.rename_table("ledger__leaf", "ledger__leaf_before")
    op.create_table(
        "ledger__leaf",
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("predicate_type", sa.String(length=512), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("index_step", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_ledger__leaf")),
    )
    columns = "idx, leaf_hash, predicate_type, recorded_at, envelope"
    every = f"SELECT {columns} FROM ledger__leaf_before ORDER BY idx"  # noqa: S608 - names of ours
    op.execute(f"INSERT INTO ledger__leaf ({columns}) {every}")
    op.drop_table("ledger__leaf_before")
    op.create_index("ix_ledger__leaf_type", "ledger__leaf", ["predicate_type", "idx"], unique=False)
    op.rename_table("ledger__node", "ledger__node_before")
    op.create_table(
        "ledger__node",
        sa.Column("node_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("children", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_ledger__node")),
    )
    op.execute("INSERT INTO ledger__node SELECT node_id, children FROM ledger__node_before")
    op.drop_table("ledger__node_before")
