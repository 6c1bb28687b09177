"""Access events as a list, folded from the log.

Replayable: `rebuild` on an empty table gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.evidence import Statement
from alcaide.predicates.access_event import AccessEvent
from alcaide.slices.access.tables import events


def apply(conn: Connection, leaf: int, statement: Statement) -> None:
    """Take in one statement of the log. Statements of other kinds change nothing."""
    if statement.predicate_type != AccessEvent.TYPE:
        return
    said = AccessEvent.read(statement)
    conn.execute(
        events.insert().values(
            leaf=leaf,
            event=said.event,
            user_id=statement.subjects[0].name.removeprefix("user:"),
            by_kind=said.by.kind,
            by_id=said.by.id,
            at=parse_rfc3339(said.at),
            reason=said.reason,
            details=said.details,
        )
    )


def rebuild(conn: Connection, records: Iterable[tuple[int, Statement]]) -> None:
    """Make the list again from the log's statements in order."""
    conn.execute(events.delete())
    for leaf, statement in records:
        apply(conn, leaf, statement)
