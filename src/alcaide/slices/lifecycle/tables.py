"""Read models for lists. All of it can be dropped and folded again from the ledger (`projection.replay`).

No verdict stands on these tables: gates are decided on views of the ledger. `outcome` here is what such a
decision said last, with the time and the size of the log it was said at.
"""

from __future__ import annotations

import sqlalchemy as sa

from alcaide.kernel.db import UtcDateTime, metadata

standing = sa.Table(
    "lifecycle__standing",
    metadata,
    sa.Column("system", sa.String(200), primary_key=True),  # the name, without `system:`
    sa.Column("title", sa.String(200), nullable=False, server_default=""),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("stage_since", UtcDateTime),
    sa.Column("stage_leaf", sa.BigInteger, nullable=False, server_default="-1"),
    sa.Column("to_stage", sa.String(20), nullable=False, server_default=""),  # of the gate that is assessed
    sa.Column("outcome", sa.String(10), nullable=False, server_default="unknown"),
    sa.Column("urgency", sa.Integer, nullable=False, server_default="1"),  # the order of the overview
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("voided", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("voided_why", sa.Text, nullable=False, server_default=""),
    sa.Column("assessed_at", UtcDateTime),
    sa.Column("assessed_size", sa.BigInteger, nullable=False, server_default="-1"),
    sa.Index("ix_lifecycle__standing_order", "urgency", "system"),
    sa.Index("ix_lifecycle__standing_stage", "stage", "urgency", "system"),
)

request = sa.Table(
    "lifecycle__request",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(200), nullable=False),
    sa.Column("gate", sa.String(80), nullable=False),
    sa.Column("from_stage", sa.String(20), nullable=False),
    sa.Column("to_stage", sa.String(20), nullable=False),
    sa.Column("requester", sa.String(200), nullable=False),
    sa.Column("requester_name", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Column(
        "state", sa.String(10), nullable=False
    ),  # open, withdrawn or passed; a lapsed one is still `open`
    sa.Column("leaf", sa.BigInteger, nullable=False),
    sa.Index("ix_lifecycle__request_system", "system", "leaf"),
    sa.Index("ix_lifecycle__request_state", "state", "leaf"),
)

word = sa.Table(
    "lifecycle__word",
    metadata,
    sa.Column("leaf", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("request", sa.String(40), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("role", sa.String(64), nullable=False),
    sa.Column("decision", sa.String(10), nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Index("ix_lifecycle__word_request", "request", "leaf"),
)

followed = sa.Table(
    "lifecycle__followed",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("next_leaf", sa.BigInteger, nullable=False),
)
