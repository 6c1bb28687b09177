"""From Statements to the lists: follow the log, and enter what it says about stages and requests.

Entering the same Statement twice changes nothing, so the writer enters its own at once, in the same unit of
work, and whoever follows later may meet it again. From empty tables, following from leaf 0 gives the same
rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, parse_envelope, parse_statement
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger import tables as ledger_tables
from alcaide.kernel.ledger.reader import read_leaves
from alcaide.kernel.policy import Failed, Passed
from alcaide.predicates.approved import Approved
from alcaide.predicates.base import Predicate
from alcaide.predicates.gate_passed import GatePassed, MovedBack, MoveRequested, MoveWithdrawn
from alcaide.predicates.registered import Registered
from alcaide.predicates.retired import Retired
from alcaide.slices.lifecycle import rules, tables
from alcaide.slices.lifecycle.model import FIRST_STAGE, RETIRED
from alcaide.slices.lifecycle.rules import Standing

_KINDS: dict[str, type[Predicate]] = {**rules.KINDS, Registered.TYPE: Registered}
FOLLOWED = tuple(_KINDS)
BATCH = 2_000
"""Leaves entered at a time: some tenths of a second, so that a page which finds the lists behind stays quick."""

URGENCY = {"unknown": 1, "failed": 2, "waived": 3, "passed": 4}
"""The order of the overview: first what nobody knows, then what is known to be wrong."""


def follow(instance: Instance, *, batch: int = BATCH) -> bool:
    """Enter what the log has said since last time; returns whether there is more to come.

    Costs one small read when there is nothing new. Leaves are read and parsed before the writer's lock is
    taken, and only entered under it: nobody who appends evidence waits for a list.
    """
    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        start = _next_leaf(conn)
        if start >= size:
            return False
        columns = ledger_tables.leaf.c
        due = sa.select(columns.idx).where(columns.predicate_type.in_(FOLLOWED), columns.idx >= start)
        found = conn.execute(due.order_by(columns.idx).limit(batch + 1)).scalars().all()
        said = [
            (leaf.index, statement)
            for leaf in read_leaves(conn, found[:batch])
            if (statement := _own_statement(instance, leaf.envelope)) is not None and _system_of(statement)
        ]
    more = len(found) > batch
    with instance.db.transaction() as conn:
        if _next_leaf(conn, lock=True) != start:
            return True  # somebody else has followed meanwhile; what is left is found from there
        for index, statement in said:
            enter(conn, index, statement)
        conn.execute(sa.update(tables.followed).values(next_leaf=found[batch] if more else size))
    return more


def _own_statement(instance: Instance, envelope: bytes) -> Statement | None:
    """The statement, if it was made here: a stranger's word moves nothing."""
    opened = parse_envelope(envelope)
    own = any(instance.keys.public_key(signature.keyid) for signature in opened.signatures)
    return parse_statement(opened.payload) if own else None


def replay(instance: Instance) -> None:
    """Forget the lists and fold them again from the first leaf."""
    with instance.db.transaction() as conn:
        for table in (tables.word, tables.request, tables.standing, tables.followed):
            conn.execute(sa.delete(table))
    while follow(instance):
        pass


def enter(conn: Connection, leaf: int, statement: Statement) -> None:
    """Enter one Statement of ours. One that does not make sense is passed over, as the rules do."""
    kind, system = _KINDS.get(statement.predicate_type), _system_of(statement)
    if kind is None or not system:
        return
    try:
        said: Any = kind.read(statement)
        at = parse_rfc3339(said.at)
        _enter(conn, leaf, system, said, at)
    except InvalidInput:
        return


def _system_of(statement: Statement) -> str:
    """The name of the system a statement is about; empty for one about something else."""
    named = (s.name for s in statement.subjects if s.name.startswith("system:"))
    return next(named, "").removeprefix("system:")


def _enter(conn: Connection, leaf: int, system: str, said: Any, at: datetime) -> None:
    match said:
        case Registered():
            # A move may have been entered before: its writer does not wait for whoever follows.
            title = str(said.description.get("title", ""))[:200]
            _add(conn, tables.standing, system=system, stage=FIRST_STAGE)
            named = tables.standing.c.system == system
            conn.execute(sa.update(tables.standing).where(named).values(title=title))
            unmoved = named & (tables.standing.c.stage_leaf < 0)
            conn.execute(sa.update(tables.standing).where(unmoved).values(stage_since=at))
        case MoveRequested():
            _add(
                conn, tables.request, id=said.request, system=system, gate=said.gate,
                from_stage=said.from_stage, to_stage=said.to_stage, requester=said.by.id,
                requester_name=said.by.name or said.by.id, reason=said.reason, requested_at=at,
                until=parse_rfc3339(said.until) if said.until else None, state="open", leaf=leaf,
            )  # fmt: skip
        case MoveWithdrawn():
            _close(conn, said.request, "withdrawn")
        case Approved():
            _add(
                conn, tables.word, leaf=leaf, request=said.request, person=said.by.id, role=said.role,
                decision=said.decision, until=parse_rfc3339(said.until) if said.until else None,
            )  # fmt: skip
        case GatePassed():
            _close(conn, said.request, "passed")
            _move(conn, leaf, system, said.to_stage, at)
        case MovedBack():
            _move(conn, leaf, system, said.to_stage, at)
        case Retired():
            _move(conn, leaf, system, RETIRED, at)


def _move(conn: Connection, leaf: int, system: str, stage: str, at: datetime) -> None:
    _add(conn, tables.standing, system=system, stage=FIRST_STAGE)
    columns = tables.standing.c
    conn.execute(
        sa.update(tables.standing)
        .where(columns.system == system, columns.stage_leaf < leaf)
        .values(stage=stage, stage_since=at, stage_leaf=leaf, assessed_size=-1)
    )


def _close(conn: Connection, request_id: str, state: str) -> None:
    columns = tables.request.c
    conn.execute(
        sa.update(tables.request).where(columns.id == request_id, columns.state == "open").values(state=state)
    )


def keep_standing(
    conn: Connection, system: str, standing: Standing | None, *, size: int, now: datetime
) -> None:
    """Remember for the overview what a decision just said. None: no gate lies ahead."""
    values: dict[str, Any] = {"assessed_at": now, "assessed_size": size}
    if standing is None:
        values |= {"to_stage": "", "outcome": "passed", "reason": "", "voided": False, "voided_why": ""}
    else:
        void = dict.fromkeys(seated.why for seated in standing.approvals.void)
        voided = bool(void) and isinstance(standing.approvals.verdict, Failed)
        values |= {
            "to_stage": standing.gate.to_stage,
            "outcome": standing.outcome,
            "reason": "" if isinstance(standing.verdict, Passed) else standing.verdict.reason[:2000],
            "voided": voided,
            "voided_why": "; ".join(void)[:2000] if voided else "",
        }
    values["urgency"] = URGENCY[values["outcome"]]
    columns = tables.standing.c
    conn.execute(
        sa.update(tables.standing)
        .where(columns.system == system, columns.assessed_size <= size)
        .values(**values)
    )


def _add(conn: Connection, table: Table, **values: Any) -> None:
    """Insert unless the row is there."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        conn.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())
    else:
        from sqlalchemy.dialects import sqlite

        conn.execute(sqlite.insert(table).values(**values).on_conflict_do_nothing())


def _next_leaf(conn: Connection, *, lock: bool = False) -> int:
    query = sa.select(tables.followed.c.next_leaf)
    if lock:
        _add(conn, tables.followed, id=1, next_leaf=0)
        query = query.with_for_update()  # two followers would enter the same leaves; the second waits
    return conn.execute(query).scalar_one_or_none() or 0
