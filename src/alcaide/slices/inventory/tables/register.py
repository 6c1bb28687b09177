"""Systems, components and what ties them together, as they stand now. How they came to stand so is in the ledger.

`search` holds the searchable text of a row in lower case; a search asks of every row whether the words occur in it.
On 100,000 components that reads some 20 MB in about 30 ms, means the same on both databases, and finds parts of words,
which a full-text index would not.
`region_keys` and `tag_keys` hold `|a|b|` beside the JSON list, so that one filter needs no second table.

Every text column is NOT NULL with '' for "not said": keyset pagination compares columns, and NULL does not compare.
"""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import JsonDoc, UtcDateTime, metadata


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text, nullable=False, server_default="")


system = sa.Table(
    "inventory__system",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    _text("title", 200),
    _text("title_key", 200),
    _text("purpose"),
    _text("owner", 200),
    _text("deputy", 200),
    _text("unit", 200),
    _text("role", 40),
    _text("users_affected"),
    _text("autonomy", 40),
    _text("exposure", 20),
    sa.Column("regions", JsonDoc, nullable=False),
    _text("region_keys"),
    _text("status", 20),
    _text("stage", 20),
    sa.Column("tags", JsonDoc, nullable=False),
    _text("tag_keys"),
    _text("search"),
    sa.Column("component_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    _text("updated_by", 200),
    sa.Column("retired_at", UtcDateTime),
    sa.Index("ix_inventory__system_title_key", "title_key", "id"),
    sa.Index("ix_inventory__system_updated_at", "updated_at", "id"),
    sa.Index("ix_inventory__system_owner", "owner", "id"),
    sa.Index("ix_inventory__system_status", "status", "id"),
    sa.Index("ix_inventory__system_unit", "unit"),
)

component = sa.Table(
    "inventory__component",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    _text("name_key", 200),
    _text("title", 200),
    _text("description"),
    _text("owner", 200),
    _text("supplier", 200),
    sa.Column("tags", JsonDoc, nullable=False),
    _text("search"),
    _text("latest", 100),
    sa.Column("version_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("undigested", sa.Integer, nullable=False, server_default="0"),
    sa.Column("system_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    _text("updated_by", 200),
    sa.Column("retired_at", UtcDateTime),
    sa.UniqueConstraint("kind", "name"),
    sa.Index("ix_inventory__component_name_key", "name_key", "id"),
    sa.Index("ix_inventory__component_kind_name_key", "kind", "name_key", "id"),
    # The first screen asks for models without a digest: usually none, out of all components.
    sa.Index("ix_inventory__component_undigested", "kind", "undigested"),
    sa.Index("ix_inventory__component_updated_at", "updated_at", "id"),
)

component_version = sa.Table(
    "inventory__component_version",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("component_id", sa.ForeignKey("inventory__component.id"), nullable=False),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    _text("digest", 64),
    sa.Column("identity", sa.String(64), nullable=False),
    _text("source", 2000),
    _text("licence", 200),
    sa.Column("released_at", UtcDateTime),
    _text("notes"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("retired_at", UtcDateTime),
    sa.UniqueConstraint("component_id", "label"),
    sa.Index("ix_inventory__component_version_digest", "digest"),
)

system_component = sa.Table(
    "inventory__system_component",
    metadata,
    sa.Column("system_id", sa.ForeignKey("inventory__system.id"), primary_key=True),
    sa.Column("version_id", sa.ForeignKey("inventory__component_version.id"), primary_key=True),
    sa.Column("component_id", sa.ForeignKey("inventory__component.id"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Index("ix_inventory__system_component_version_id", "version_id"),
    sa.Index("ix_inventory__system_component_component_id", "component_id", "system_id"),
    sa.Index("ix_inventory__system_component_kind", "kind", "system_id"),
)

flow = sa.Table(
    "inventory__flow",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("system_id", sa.ForeignKey("inventory__system.id"), nullable=False),
    sa.Column("source_kind", sa.String(20), nullable=False),
    sa.Column("source_name", sa.String(200), nullable=False),
    sa.Column("target_kind", sa.String(20), nullable=False),
    sa.Column("target_name", sa.String(200), nullable=False),
    sa.Column("data", JsonDoc, nullable=False),
    _text("purpose"),
    sa.Column("crosses_boundary", sa.Boolean, nullable=False),
    sa.Column("encrypted", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index("ix_inventory__flow_system_id", "system_id"),
)

environment = sa.Table(
    "inventory__environment",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("system_id", sa.ForeignKey("inventory__system.id"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    _text("region", 40),
    _text("description"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("system_id", "name"),
)

deployment = sa.Table(
    "inventory__deployment",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("system_id", sa.ForeignKey("inventory__system.id"), nullable=False),
    sa.Column("environment_id", sa.ForeignKey("inventory__environment.id"), nullable=False),
    sa.Column("version_id", sa.ForeignKey("inventory__component_version.id"), nullable=False),
    sa.Column("deployed_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    _text("note"),
    sa.Index("ix_inventory__deployment_system_id", "system_id"),
    sa.Index("ix_inventory__deployment_version_id", "version_id"),
    sa.Index("ix_inventory__deployment_environment_id", "environment_id"),
)

upload = sa.Table(
    "inventory__upload",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("sheet", sa.String(20), nullable=False),
    sa.Column("filename", sa.String(200), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("uploaded_by", sa.String(200), nullable=False),
    sa.Column("uploaded_at", UtcDateTime, nullable=False),
    sa.Column("applied_at", UtcDateTime),
    sa.Column("outcome", JsonDoc),
    sa.Index("ix_inventory__upload_uploaded_at", "uploaded_at"),
)
