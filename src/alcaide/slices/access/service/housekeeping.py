"""What is left over: failures that no statement counts yet, and rows that have run out."""

from __future__ import annotations

from alcaide.kernel.instance import Instance
from alcaide.slices.access import queries
from alcaide.slices.access.model import SESSION_IDLE
from alcaide.slices.access.service.throttle import forget_old_tallies, record_failures
from alcaide.slices.access.tables import links, pending, sessions


def tidy(instance: Instance) -> dict[str, int]:
    """Record waiting failures and delete what nobody can use any more. Says how much of each."""
    now = instance.clock()
    with instance.read() as conn:
        waiting = queries.accounts_with_unrecorded(conn)
    for account in waiting:
        record_failures(instance, account)
    with instance.db.transaction() as conn:
        idle = sessions.c.seen_at < now - SESSION_IDLE
        return {
            "accounts_recorded": len(waiting),
            "sessions": int(
                conn.execute(sessions.delete().where((sessions.c.expires_at < now) | idle)).rowcount
            ),
            "links": int(conn.execute(links.delete().where(links.c.expires_at < now)).rowcount),
            "pending": int(conn.execute(pending.delete().where(pending.c.expires_at < now)).rowcount),
            "tallies": forget_old_tallies(conn, now),
        }
