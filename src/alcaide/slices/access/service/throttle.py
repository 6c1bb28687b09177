"""Slowing guessers down, in the database so that a restart does not give them a fresh start.

A try is charged before it is checked and refunded if it was right: a hundred tries sent at once are a hundred
charges, not a hundred looks at a tally that nobody has raised yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access import ANONYMOUS
from alcaide.kernel.access.credentials import digest
from alcaide.kernel.errors import TooMany
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.access_event import UNKNOWN_ACCOUNT
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import Visitor
from alcaide.slices.access.service.record import record
from alcaide.slices.access.tables import tallies, unrecorded

Charge = tuple[str, rules.Limit]
STATEMENT_EVERY = timedelta(minutes=1)
"""At most one statement about failed sign-ins a minute and account: a guesser must not be able to fill the log."""


def sign_in_charges(email: str, visitor: Visitor) -> tuple[Charge, ...]:
    """What a password try counts against. The address given is hashed whether or not anybody has it."""
    account, address = digest(email), rules.address_group(visitor.address)
    return (
        (f"here:{account}:{address}", rules.FROM_HERE),
        (f"account:{account}", rules.ANYWHERE),
        (f"address:{address}", rules.ADDRESS),
    )


def second_factor_charges(user_id: str) -> tuple[Charge, ...]:
    """What a code try counts against."""
    return ((f"code:{user_id}", rules.SECOND_FACTOR),)


def secret_charges(visitor: Visitor) -> tuple[Charge, ...]:
    """What trying one-time links and provider answers counts against: only the address, for there is no account."""
    return ((f"address:{rules.address_group(visitor.address)}", rules.ADDRESS),)


def charge(instance: Instance, charges: Sequence[Charge], now: datetime) -> None:
    """Count a try under each key. Raises TooMany, counting nothing, if any of them has to wait."""
    with instance.db.transaction() as conn:
        held = [(key, limit, _locked(conn, key, now)) for key, limit in charges]
        wait = max(rules.seconds_blocked(tally, now) for _, _, tally in held)
        if wait:
            raise TooMany(f"too many tries; wait {_spoken(wait)} and try again", retry_after=wait)
        for key, limit, tally in held:
            _keep(conn, key, rules.after_failure(tally, limit, now), now)


def refund(instance: Instance, charges: Sequence[Charge], now: datetime) -> None:
    """The try was right: forget what was counted, or, under keys that others share, take this one try off."""
    with instance.db.transaction() as conn:
        for key, limit in charges:
            tally = _locked(conn, key, now)
            failures = max(0, tally.failures - 1) if limit.shared else 0
            blocked = tally.blocked_until if failures >= limit.free else None
            _keep(conn, key, rules.Tally(failures, tally.last_at, blocked), now)


def count_failure(instance: Instance, user_id: str | None, now: datetime) -> None:
    """Take note of a failed sign-in; the log hears of it now, or with the others when the minute is over."""
    account = user_id or UNKNOWN_ACCOUNT
    with instance.db.transaction() as conn:
        _ensure(conn, unrecorded, {"user_id": account, "failures": 0})
        conn.execute(
            unrecorded.update()
            .where(unrecorded.c.user_id == account)
            .values(failures=unrecorded.c.failures + 1)
        )
        _, recorded_at = queries.unrecorded_failures(conn, account)
    if recorded_at is None or now - recorded_at >= STATEMENT_EVERY:
        record_failures(instance, account)


def record_failures(instance: Instance, account: str) -> None:
    """Put the failures counted so far into one statement, unless one was made within the minute."""

    def work(tx: Tx) -> None:
        failures, recorded_at = queries.unrecorded_failures(tx.conn, account)
        if not failures or (recorded_at is not None and tx.now - recorded_at < STATEMENT_EVERY):
            return
        tx.conn.execute(
            unrecorded.update()
            .where(unrecorded.c.user_id == account)
            .values(failures=unrecorded.c.failures - failures, recorded_at=tx.now)
        )
        record(tx, "sign-in-failed", account, by=ANONYMOUS, details={"count": failures})

    instance.write(work)


def forget_old_tallies(conn: Connection, now: datetime) -> int:
    """Delete tallies that no limit remembers any more."""
    oldest = now - timedelta(hours=24)
    return int(conn.execute(tallies.delete().where(tallies.c.last_at < oldest)).rowcount)


def _locked(conn: Connection, key: str, now: datetime) -> rules.Tally:
    _ensure(conn, tallies, {"key": key, "failures": 0, "last_at": now})
    row = conn.execute(sa.select(tallies).where(tallies.c.key == key).with_for_update()).mappings().one()
    return rules.Tally(row["failures"], row["last_at"], row["blocked_until"])


def _keep(conn: Connection, key: str, tally: rules.Tally, now: datetime) -> None:
    conn.execute(
        tallies.update()
        .where(tallies.c.key == key)
        .values(failures=tally.failures, last_at=tally.last_at or now, blocked_until=tally.blocked_until)
    )


def _ensure(conn: Connection, table: sa.Table, values: dict[str, object]) -> None:
    """Insert the row unless it is there, without a race between the two."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert

        conn.execute(pg_insert(table).values(**values).on_conflict_do_nothing())
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        conn.execute(sqlite_insert(table).values(**values).on_conflict_do_nothing())


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"
