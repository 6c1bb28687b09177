"""An index for what the first screen asks of all components: which models have no digest."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_inventory__component_undigested", "inventory__component", ["kind", "undigested"])
