"""What is watched beside folders: caches, layouts, registries and stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say of each watch and each scan how its place is read; those there are read as folders."""
    op.add_column(
        "supply_chain__watch", sa.Column("kind", sa.String(12), nullable=False, server_default="folder")
    )
    op.add_column(
        "supply_chain__scan", sa.Column("source", sa.String(12), nullable=False, server_default="folder")
    )
