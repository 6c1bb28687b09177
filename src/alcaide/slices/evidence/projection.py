"""The list of imports, folded from the log: one row for each `imported` that this instance signed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.evidence import Statement
from alcaide.kernel.ledger import tables as ledger_tables
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.ledger.reader import read_leaves
from alcaide.predicates.imported import Imported
from alcaide.slices.evidence import tables as t

_PAGE = 500


def note_import(conn: Connection, leaf: int, statement: Statement) -> None:
    """Add the row of one `imported` statement."""
    said = Imported.read(statement)
    conn.execute(
        t.imported.insert().values(
            leaf=leaf,
            foreign_leaf=said.leaf,
            kind=said.kind,
            title=said.title[:400],
            sha256=said.sha256,
            size=said.size,
            filename=said.filename[:400],
            outcome=said.outcome,
            reason=said.outcome_reason,
            signature=said.signature,
            verified_by=[key.name for key in said.verified_by],
            summary=said.summary,
            at=parse_rfc3339(said.at),
            by_name=(said.by.name or said.by.id)[:400],
        )
    )


def replay(tx: Tx) -> int:
    """Fold the list anew from the log; returns how many imports there are."""
    tx.conn.execute(t.imported.delete())
    column = ledger_tables.leaf.c
    query = sa.select(column.idx).where(column.predicate_type == Imported.TYPE).order_by(column.idx)
    indices = [int(index) for index in tx.conn.execute(query).scalars()]
    for start in range(0, len(indices), _PAGE):
        for leaf in read_leaves(tx.conn, indices[start : start + _PAGE]):
            note_import(tx.conn, leaf.index, leaf.statement())
    return len(indices)
