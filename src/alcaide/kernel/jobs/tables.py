"""Jobs, their finished steps, their schedules and the workers that run them."""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import JsonDoc, UtcDateTime, metadata

job = sa.Table(
    "jobs__job",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("key", sa.String(200)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("payload", JsonDoc, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    # Empty means at once. A time would not do: the ledger's clock never goes back, but a worker's may.
    sa.Column("run_at", UtcDateTime),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("losses", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("timeout_s", sa.Integer, nullable=False),
    sa.Column("progress", sa.Float),
    sa.Column("note", sa.String(300), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("result", JsonDoc),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("worker", sa.String(26)),
    # INVARIANT: `lease` grows by one with each claim; whoever holds an older number may not write.
    sa.Column("lease", sa.Integer, nullable=False),
    sa.Column("lease_until", UtcDateTime),
    sa.UniqueConstraint("kind", "key", name="uq_jobs__job_kind_key"),
    sa.Index("ix_jobs__job_state_run_at", "state", "run_at"),
    sa.Index("ix_jobs__job_kind_state", "kind", "state"),
)

step = sa.Table(
    "jobs__step",
    metadata,
    sa.Column("job_id", sa.String(26), sa.ForeignKey("jobs__job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("result", JsonDoc, nullable=False),
    sa.Column("finished_at", UtcDateTime, nullable=False),
)

schedule = sa.Table(
    "jobs__schedule",
    metadata,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("cron", sa.String(100), nullable=False),
    sa.Column("payload", JsonDoc, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    # Set by a person: a later default from the code then no longer replaces cron and payload.
    sa.Column("customised", sa.Boolean, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime),
    sa.Column("last_job", sa.String(26)),
)

worker = sa.Table(
    "jobs__worker",
    metadata,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("stopped_at", UtcDateTime),
)
