"""The one way in which an access event reaches the log, and its list with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alcaide.kernel.access import Actor
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.access_event import access_event
from alcaide.slices.access import projection, rules


def record(
    tx: Tx,
    event: str,
    user_id: str,
    *,
    by: Actor,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> int:
    """Say that `event` happened to this account, in the same unit of work as the change it tells of."""
    statement = access_event(
        event, user_id, by=by, moment=tx.now, reason=rules.plain_text(reason, 500), details=details
    )
    leaf = tx.append(statement)
    projection.apply(tx.conn, leaf, statement)
    return leaf
