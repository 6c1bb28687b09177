"""Is it alive, is it ready, how is the log? Three questions for a load balancer, a monitor and the first screen.

Alive asks nothing of the database: restarting a process does not heal one. Ready asks all that a request needs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alcaide.kernel.errors import AlcaideError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.instance import Instance

log = logging.getLogger("alcaide.health")


@dataclass(frozen=True)
class LogState:
    """The ledger at a glance, its head's signature checked."""

    origin: str
    size: int
    keyid: str
    last_at: datetime
    checkpoint_age: timedelta | None


@dataclass(frozen=True)
class Check:
    """One thing readiness needs. `problem` is for the log and for people; it never holds a password."""

    name: str
    passed: bool
    problem: str = ""


def log_state(instance: Instance, conn: Connection) -> LogState:
    """Raises Corrupt if the head does not verify: a figure from a log not to be believed is not a figure."""
    head = instance.ledger.checkpoint(conn)
    age = max(instance.clock() - head.last_at, timedelta(0))
    return LogState(instance.ledger.origin, head.size, head.keyid, head.last_at, age)


def jobs_by_state(conn: Connection) -> dict[str, int]:
    """How many background jobs are in each state."""
    from alcaide.kernel.jobs import store

    return {str(state): count for state, count in store.counts(conn).items()}


def readiness(instance: Instance) -> list[Check]:
    """1. the database answers  2. it is in the form this version needs  3. the ledger's head verifies."""
    from alcaide.kernel.db.migrate import is_current

    def answers() -> bool:
        with instance.read() as conn:
            conn.exec_driver_sql("SELECT 1")
        return True

    def head_verifies() -> bool:
        with instance.read() as conn:
            log_state(instance, conn)
        return True

    return [
        _checked("database", answers, "the database does not answer"),
        _checked(
            "migrations", lambda: is_current(instance.db), "the database needs `alcaide up` to migrate it"
        ),
        _checked("ledger", head_verifies, "the ledger's head does not verify"),
    ]


def _checked(name: str, question: Callable[[], bool], problem: str) -> Check:
    try:
        passed = question()
    except AlcaideError as error:
        return Check(name, False, str(error))
    except Exception:
        log.exception("readiness: %s", name)
        return Check(name, False, problem)
    return Check(name, passed, "" if passed else problem)
