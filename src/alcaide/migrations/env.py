"""Runs migrations on the connection that `kernel.db.migrate` opened and will commit."""

from __future__ import annotations

from alembic import context

from alcaide.kernel.db.metadata import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
