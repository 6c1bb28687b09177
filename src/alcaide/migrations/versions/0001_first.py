"""The first form of the database: ledger, jobs, access, inventory, evidence, lifecycle, operations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "access__event",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("by_kind", sa.String(length=12), nullable=False),
        sa.Column("by_id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_access__event")),
    )
    op.create_index("ix_access__event_event", "access__event", ["event", "leaf"], unique=False)
    op.create_index("ix_access__event_user", "access__event", ["user_id", "leaf"], unique=False)
    op.create_table(
        "access__link",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access__link")),
        sa.UniqueConstraint("digest", name=op.f("uq_access__link_digest")),
    )
    op.create_index(op.f("ix_access__link_user_id"), "access__link", ["user_id"], unique=False)
    op.create_table(
        "access__pending",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access__pending")),
    )
    op.create_index(op.f("ix_access__pending_expires_at"), "access__pending", ["expires_at"], unique=False)
    op.create_table(
        "access__recovery_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access__recovery_code")),
    )
    op.create_index(
        op.f("ix_access__recovery_code_user_id"), "access__recovery_code", ["user_id"], unique=False
    )
    op.create_table(
        "access__session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("method", sa.String(length=30), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access__session")),
        sa.UniqueConstraint("digest", name=op.f("uq_access__session_digest")),
    )
    op.create_index(op.f("ix_access__session_expires_at"), "access__session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_access__session_user_id"), "access__session", ["user_id"], unique=False)
    op.create_table(
        "access__tally",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=False),
        sa.Column("blocked_until", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_access__tally")),
    )
    op.create_index(op.f("ix_access__tally_last_at"), "access__tally", ["last_at"], unique=False)
    op.create_table(
        "access__token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("last_used_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access__token")),
    )
    op.create_index(op.f("ix_access__token_user_id"), "access__token", ["user_id"], unique=False)
    op.create_table(
        "access__unrecorded",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_access__unrecorded")),
    )
    op.create_table(
        "access__user",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("roles_from_sso", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_waiting", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("sso_issuer", sa.String(length=300), nullable=True),
        sa.Column("sso_subject", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("disabled_at", sa.String(length=27), nullable=True),
        sa.Column("last_sign_in_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access__user")),
        sa.UniqueConstraint("email", name=op.f("uq_access__user_email")),
        sa.UniqueConstraint("sso_issuer", "sso_subject", name=op.f("uq_access__user_sso_issuer_sso_subject")),
    )
    op.create_index(op.f("ix_access__user_is_admin"), "access__user", ["is_admin"], unique=False)
    op.create_table(
        "evidence__anchor",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("vkey", sa.Text(), server_default="", nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.Column("added_by", sa.String(length=400), nullable=False),
        sa.Column("last_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=True),
        sa.Column("tried_at", sa.String(length=27), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("broken", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("next_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence__anchor")),
        sa.UniqueConstraint("name", name=op.f("uq_evidence__anchor_name")),
    )
    op.create_table(
        "evidence__blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence__blob")),
    )
    op.create_table(
        "evidence__imported",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("foreign_leaf", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=400), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=20), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("by_name", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_evidence__imported")),
    )
    op.create_index(
        "ix_evidence__imported_foreign_leaf", "evidence__imported", ["foreign_leaf"], unique=False
    )
    op.create_index("ix_evidence__imported_kind", "evidence__imported", ["kind", "leaf"], unique=False)
    op.create_index("ix_evidence__imported_sha256", "evidence__imported", ["sha256"], unique=False)
    op.create_index(
        "ix_evidence__imported_signature", "evidence__imported", ["signature", "leaf"], unique=False
    )
    op.create_table(
        "evidence__known_log",
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.Column("added_by", sa.String(length=400), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_evidence__known_log")),
    )
    op.create_table(
        "evidence__trusted_key",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("algorithm", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.Column("added_by", sa.String(length=400), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("revoked_by", sa.String(length=400), server_default="", nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_evidence__trusted_key")),
    )
    op.create_table(
        "inventory__component",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), server_default="", nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.String(length=200), server_default="", nullable=False),
        sa.Column("supplier", sa.String(length=200), server_default="", nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
        sa.Column("latest", sa.String(length=100), server_default="", nullable=False),
        sa.Column("version_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("undigested", sa.Integer(), server_default="0", nullable=False),
        sa.Column("system_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("updated_at", sa.String(length=27), nullable=False),
        sa.Column("updated_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("retired_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__component")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_inventory__component_kind_name")),
    )
    op.create_index(
        "ix_inventory__component_kind_name_key",
        "inventory__component",
        ["kind", "name_key", "id"],
        unique=False,
    )
    op.create_index(
        "ix_inventory__component_name_key", "inventory__component", ["name_key", "id"], unique=False
    )
    op.create_index(
        "ix_inventory__component_updated_at", "inventory__component", ["updated_at", "id"], unique=False
    )
    op.create_table(
        "inventory__intake_attempt",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("attempted_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__intake_attempt")),
    )
    op.create_index(
        "ix_inventory__intake_attempt_attempted_at",
        "inventory__intake_attempt",
        ["attempted_at", "address_key"],
        unique=False,
    )
    op.create_table(
        "inventory__intake_request",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("people_affected", sa.Text(), server_default="", nullable=False),
        sa.Column("data_used", sa.Text(), server_default="", nullable=False),
        sa.Column("supplier", sa.String(length=200), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=200), server_default="", nullable=False),
        sa.Column("requester", sa.String(length=200), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
        sa.Column("submitted_at", sa.String(length=27), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("decided_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("decision_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("system_name", sa.String(length=80), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__intake_request")),
        sa.UniqueConstraint("reference", name=op.f("uq_inventory__intake_request_reference")),
    )
    op.create_index(
        "ix_inventory__intake_request_state",
        "inventory__intake_request",
        ["state", "submitted_at", "id"],
        unique=False,
    )
    op.create_table(
        "inventory__system",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("title_key", sa.String(length=200), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.String(length=200), server_default="", nullable=False),
        sa.Column("deputy", sa.String(length=200), server_default="", nullable=False),
        sa.Column("unit", sa.String(length=200), server_default="", nullable=False),
        sa.Column("role", sa.String(length=40), server_default="", nullable=False),
        sa.Column("users_affected", sa.Text(), server_default="", nullable=False),
        sa.Column("autonomy", sa.String(length=40), server_default="", nullable=False),
        sa.Column("exposure", sa.String(length=20), server_default="", nullable=False),
        sa.Column("regions", sa.Text(), nullable=False),
        sa.Column("region_keys", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(length=20), server_default="", nullable=False),
        sa.Column("stage", sa.String(length=20), server_default="", nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("tag_keys", sa.Text(), server_default="", nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
        sa.Column("component_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("updated_at", sa.String(length=27), nullable=False),
        sa.Column("updated_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("retired_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__system")),
        sa.UniqueConstraint("name", name=op.f("uq_inventory__system_name")),
    )
    op.create_index("ix_inventory__system_owner", "inventory__system", ["owner", "id"], unique=False)
    op.create_index("ix_inventory__system_status", "inventory__system", ["status", "id"], unique=False)
    op.create_index("ix_inventory__system_title_key", "inventory__system", ["title_key", "id"], unique=False)
    op.create_index("ix_inventory__system_unit", "inventory__system", ["unit"], unique=False)
    op.create_index(
        "ix_inventory__system_updated_at", "inventory__system", ["updated_at", "id"], unique=False
    )
    op.create_table(
        "inventory__upload",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("sheet", sa.String(length=20), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=200), nullable=False),
        sa.Column("uploaded_at", sa.String(length=27), nullable=False),
        sa.Column("applied_at", sa.String(length=27), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__upload")),
    )
    op.create_index("ix_inventory__upload_uploaded_at", "inventory__upload", ["uploaded_at"], unique=False)
    op.create_table(
        "jobs__job",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("run_at", sa.String(length=27), nullable=True),
        sa.Column("started_at", sa.String(length=27), nullable=True),
        sa.Column("finished_at", sa.String(length=27), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("timeout_s", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(length=26), nullable=True),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs__job")),
        sa.UniqueConstraint("kind", "key", name="uq_jobs__job_kind_key"),
    )
    op.create_index("ix_jobs__job_kind_state", "jobs__job", ["kind", "state"], unique=False)
    op.create_index("ix_jobs__job_state_run_at", "jobs__job", ["state", "run_at"], unique=False)
    op.create_table(
        "jobs__schedule",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("customised", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=True),
        sa.Column("last_job", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_jobs__schedule")),
    )
    op.create_table(
        "jobs__worker",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.Column("seen_at", sa.String(length=27), nullable=False),
        sa.Column("stopped_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs__worker")),
    )
    op.create_table(
        "ledger__entry",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "idx", name=op.f("pk_ledger__entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger__head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("keyid", sa.String(length=80), nullable=False),
        sa.Column("last_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger__head")),
    )
    op.create_table(
        "ledger__leaf",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("predicate_type", sa.String(length=512), nullable=False),
        sa.Column("recorded_at", sa.String(length=27), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_ledger__leaf")),
    )
    op.create_index("ix_ledger__leaf_recorded_at", "ledger__leaf", ["recorded_at"], unique=False)
    op.create_index("ix_ledger__leaf_type", "ledger__leaf", ["predicate_type", "idx"], unique=False)
    op.create_table(
        "ledger__node",
        sa.Column("node_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("children", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_ledger__node")),
    )
    op.create_table(
        "ledger__subject",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("acc", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_idx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_ledger__subject")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ledger__subject_key", "ledger__subject", ["key"], unique=False)
    op.create_table(
        "ledger__tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_ledger__tile")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lifecycle__followed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lifecycle__followed")),
    )
    op.create_table(
        "lifecycle__request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("gate", sa.String(length=80), nullable=False),
        sa.Column("from_stage", sa.String(length=20), nullable=False),
        sa.Column("to_stage", sa.String(length=20), nullable=False),
        sa.Column("requester", sa.String(length=200), nullable=False),
        sa.Column("requester_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.String(length=27), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lifecycle__request")),
    )
    op.create_index("ix_lifecycle__request_state", "lifecycle__request", ["state", "leaf"], unique=False)
    op.create_index("ix_lifecycle__request_system", "lifecycle__request", ["system", "leaf"], unique=False)
    op.create_table(
        "lifecycle__standing",
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("stage_since", sa.String(length=27), nullable=True),
        sa.Column("stage_leaf", sa.BigInteger(), server_default="-1", nullable=False),
        sa.Column("to_stage", sa.String(length=20), server_default="", nullable=False),
        sa.Column("outcome", sa.String(length=10), server_default="unknown", nullable=False),
        sa.Column("urgency", sa.Integer(), server_default="1", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("voided", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("voided_why", sa.Text(), server_default="", nullable=False),
        sa.Column("assessed_at", sa.String(length=27), nullable=True),
        sa.Column("assessed_size", sa.BigInteger(), server_default="-1", nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_lifecycle__standing")),
    )
    op.create_index(
        "ix_lifecycle__standing_order", "lifecycle__standing", ["urgency", "system"], unique=False
    )
    op.create_index(
        "ix_lifecycle__standing_stage", "lifecycle__standing", ["stage", "urgency", "system"], unique=False
    )
    op.create_table(
        "lifecycle__word",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_lifecycle__word")),
    )
    op.create_index("ix_lifecycle__word_request", "lifecycle__word", ["request", "leaf"], unique=False)
    op.create_table(
        "operations__backup",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_id", sa.String(length=26), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("holds_secret", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations__backup")),
    )
    op.create_index("ix_operations__backup_made_at", "operations__backup", ["made_at"], unique=False)
    op.create_table(
        "operations__verification",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("job_id", sa.String(length=26), nullable=True),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.Column("finished_at", sa.String(length=27), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("intact", sa.Boolean(), nullable=False),
        sa.Column("first_bad", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations__verification")),
    )
    op.create_index(
        "ix_operations__verification_finished_at", "operations__verification", ["finished_at"], unique=False
    )
    op.create_table(
        "inventory__component_version",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("component_id", sa.String(length=26), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=2000), server_default="", nullable=False),
        sa.Column("licence", sa.String(length=200), server_default="", nullable=False),
        sa.Column("released_at", sa.String(length=27), nullable=True),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("updated_at", sa.String(length=27), nullable=False),
        sa.Column("retired_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["inventory__component.id"],
            name=op.f("fk_inventory__component_version_component_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__component_version")),
        sa.UniqueConstraint(
            "component_id", "label", name=op.f("uq_inventory__component_version_component_id_label")
        ),
    )
    op.create_index(
        "ix_inventory__component_version_digest", "inventory__component_version", ["digest"], unique=False
    )
    op.create_table(
        "inventory__environment",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("region", sa.String(length=40), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["inventory__system.id"], name=op.f("fk_inventory__environment_system_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__environment")),
        sa.UniqueConstraint("system_id", "name", name=op.f("uq_inventory__environment_system_id_name")),
    )
    op.create_table(
        "inventory__flow",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.String(length=26), nullable=False),
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source_name", sa.String(length=200), nullable=False),
        sa.Column("target_kind", sa.String(length=20), nullable=False),
        sa.Column("target_name", sa.String(length=200), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("crosses_boundary", sa.Boolean(), nullable=False),
        sa.Column("encrypted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["system_id"], ["inventory__system.id"], name=op.f("fk_inventory__flow_system_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__flow")),
    )
    op.create_index("ix_inventory__flow_system_id", "inventory__flow", ["system_id"], unique=False)
    op.create_table(
        "jobs__step",
        sa.Column("job_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs__job.id"], name=op.f("fk_jobs__step_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_jobs__step")),
    )
    op.create_table(
        "inventory__deployment",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("system_id", sa.String(length=26), nullable=False),
        sa.Column("environment_id", sa.String(length=26), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("deployed_at", sa.String(length=27), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["inventory__environment.id"],
            name=op.f("fk_inventory__deployment_environment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["inventory__system.id"], name=op.f("fk_inventory__deployment_system_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["inventory__component_version.id"],
            name=op.f("fk_inventory__deployment_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory__deployment")),
    )
    op.create_index(
        "ix_inventory__deployment_environment_id", "inventory__deployment", ["environment_id"], unique=False
    )
    op.create_index(
        "ix_inventory__deployment_system_id", "inventory__deployment", ["system_id"], unique=False
    )
    op.create_index(
        "ix_inventory__deployment_version_id", "inventory__deployment", ["version_id"], unique=False
    )
    op.create_table(
        "inventory__system_component",
        sa.Column("system_id", sa.String(length=26), nullable=False),
        sa.Column("version_id", sa.String(length=26), nullable=False),
        sa.Column("component_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["inventory__component.id"],
            name=op.f("fk_inventory__system_component_component_id"),
        ),
        sa.ForeignKeyConstraint(
            ["system_id"], ["inventory__system.id"], name=op.f("fk_inventory__system_component_system_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["inventory__component_version.id"],
            name=op.f("fk_inventory__system_component_version_id"),
        ),
        sa.PrimaryKeyConstraint("system_id", "version_id", name=op.f("pk_inventory__system_component")),
    )
    op.create_index(
        "ix_inventory__system_component_component_id",
        "inventory__system_component",
        ["component_id", "system_id"],
        unique=False,
    )
    op.create_index(
        "ix_inventory__system_component_kind",
        "inventory__system_component",
        ["kind", "system_id"],
        unique=False,
    )
    op.create_index(
        "ix_inventory__system_component_version_id",
        "inventory__system_component",
        ["version_id"],
        unique=False,
    )
