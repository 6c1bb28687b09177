"""Tampering is noticed: whatever is altered under a gate that was passed, the answer is no longer a pass.

Goes through the database itself, as somebody with the file would: the envelope, the leaf's hash, the index that says
which leaves speak about a subject, and the checkpoint that vouches for all of it.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from tests.slices.lifecycle.builders import ADA, LEO, MIA, a_system, ready_to_deploy

from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger import tables as ledger
from alcaide.slices.lifecycle import queries, service


@pytest.fixture
def passed(house: Instance) -> Instance:
    ready_to_deploy(house, a_system())
    found = service.request_move(house, ADA, "loan-desk", "deployment", "ready")
    assert found.request is not None
    for actor in (LEO, MIA):
        service.decide(house, actor, "loan-desk", found.request.id, "approved")
    assert outcome(house) == "passed"
    return house


def outcome(house: Instance) -> str:
    house.ledger._verified = None  # a new process would not remember that it has checked this checkpoint
    with house.read() as conn:
        return queries.standing(house, conn, "loan-desk", "deployment", now=house.clock()).outcome


def alter(house: Instance, statement: Any) -> int:
    with house.db.transaction() as conn:
        return int(conn.execute(statement).rowcount)


def relevant(house: Instance) -> list[int]:
    """The leaves that the gate's view is made of."""
    from alcaide.slices.lifecycle import rules

    with house.read() as conn:
        graph = queries.graph_of(house, conn, "loan-desk")
        view = house.view(conn, rules.keys_of(graph, queries.gates_in_force(house).gates))
    return [record.index for record in view.records]


def test_one_flipped_byte_in_any_envelope_is_noticed(passed: Instance) -> None:
    for index in relevant(passed):
        with passed.read() as conn:
            original = bytes(
                conn.execute(sa.select(ledger.leaf.c.envelope).where(ledger.leaf.c.idx == index)).scalar_one()
            )
        place = len(original) // 2
        forged = original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :]
        at = sa.update(ledger.leaf).where(ledger.leaf.c.idx == index)
        assert alter(passed, at.values(envelope=forged)) == 1
        assert outcome(passed) == "unknown", f"leaf {index}"
        alter(passed, at.values(envelope=original))
    assert outcome(passed) == "passed"


def test_an_envelope_swapped_together_with_its_hash_is_noticed(passed: Instance) -> None:
    from alcaide.kernel.ledger.merkle import leaf_hash

    for index in relevant(passed):
        with passed.read() as conn:
            row = conn.execute(sa.select(ledger.leaf).where(ledger.leaf.c.idx == index)).one()
        forged = bytes(row.envelope).replace(b'"sig":"', b'"sig":"A', 1)
        at = sa.update(ledger.leaf).where(ledger.leaf.c.idx == index)
        alter(passed, at.values(envelope=forged, leaf_hash=leaf_hash(forged)))
        assert outcome(passed) == "unknown", f"leaf {index}"
        alter(passed, at.values(envelope=row.envelope, leaf_hash=row.leaf_hash))
    assert outcome(passed) == "passed"


def test_a_hidden_leaf_is_noticed_even_with_its_index_entries(passed: Instance) -> None:
    for index in relevant(passed):
        with passed.read() as conn:
            entries = (
                conn.execute(sa.select(ledger.entry).where(ledger.entry.c.idx == index)).mappings().all()
            )
            leaf = conn.execute(sa.select(ledger.leaf).where(ledger.leaf.c.idx == index)).mappings().one()
        alter(passed, sa.delete(ledger.entry).where(ledger.entry.c.idx == index))
        assert outcome(passed) == "unknown", f"entries of leaf {index}"
        alter(passed, sa.delete(ledger.leaf).where(ledger.leaf.c.idx == index))
        assert outcome(passed) == "unknown", f"leaf {index}"
        alter(passed, sa.insert(ledger.leaf).values(**leaf))
        for entry in entries:
            alter(passed, sa.insert(ledger.entry).values(**entry))
    assert outcome(passed) == "passed"


def test_a_forged_count_is_noticed(passed: Instance) -> None:
    from alcaide.kernel.ledger.subject_index import extend, key_hash

    key = "name:system:loan-desk"
    with passed.read() as conn:
        of_key = sa.select(ledger.entry).where(ledger.entry.c.key_hash == key_hash(key))
        newest = conn.execute(of_key.order_by(ledger.entry.c.idx.desc()).limit(1)).mappings().one()
    at = sa.update(ledger.entry).where(
        ledger.entry.c.key_hash == newest["key_hash"], ledger.entry.c.idx == newest["idx"]
    )
    alter(passed, at.values(count=newest["count"] - 1))
    assert outcome(passed) == "unknown"
    alter(passed, at.values(count=newest["count"], acc=extend(bytes(newest["acc"]), 1, bytes(32))))
    assert outcome(passed) == "unknown"
    alter(passed, at.values(acc=newest["acc"]))
    assert outcome(passed) == "passed"


def test_a_forged_checkpoint_is_noticed(passed: Instance) -> None:
    with passed.read() as conn:
        text = conn.execute(sa.select(ledger.head.c.checkpoint)).scalar_one()
    for forged in (text.replace("\n", "x\n", 1), text[:-5] + "AAAA\n", ""):
        alter(passed, sa.update(ledger.head).values(checkpoint=forged))
        assert outcome(passed) == "unknown"
    alter(passed, sa.update(ledger.head).values(checkpoint=text))
    assert outcome(passed) == "passed"
