"""What happens without anybody looking: lists that keep up, and moves that complete themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.slices.lifecycle.builders import (
    ADA,
    LEO,
    MIA,
    a_model,
    a_system,
    imported,
    ready_to_deploy,
    registered,
    replaced,
)

from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.lifecycle import jobs, projection, queries, service

pytestmark = pytest.mark.both_databases


class Context:
    """What a job gets from the worker, as far as these look at it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.notes: list[str] = []

    def check(self) -> None:
        """Nobody cancels here."""

    def progress(self, fraction: float | None, note: str = "") -> None:
        self.notes.append(note)


def run(job: Any, house: Instance) -> dict[str, Any]:
    return dict(job(Context(house)))


def row(house: Instance, system: str = "loan-desk") -> queries.OverviewRow:
    with house.read() as conn:
        rows, _, _ = queries.overview(conn, q=system)
    return rows[0]


def test_the_overview_keeps_up_with_what_is_said(house: Instance, clock: Any) -> None:
    graph = a_system()
    registered(house, graph)
    assert run(jobs.assess, house) == {"systems": 1}
    assert row(house).to_stage == "data"
    assert run(jobs.assess, house) == {"systems": 0}

    imported(house, "sarif", graph.subject)
    assert run(jobs.assess, house) == {"systems": 1}
    clock.advance(minutes=61)
    assert run(jobs.assess, house) == {"systems": 1}


def test_what_was_let_through_and_changed_is_marked(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    asked = service.request_move(house, ADA, "loan-desk", "deployment", "ready").request
    assert asked is not None
    for actor in (LEO, MIA):
        service.decide(house, actor, "loan-desk", asked.id, "approved")
    changed = replaced(graph, a_model(content="other"))
    registered(house, changed)

    run(jobs.assess, house)

    assert row(house).voided
    with house.read() as conn:
        told = queries.attention(conn, house, LEO, house.clock())
    assert [(item.level, item.title) for item in told] == [
        ("failed", "loan-desk: no longer what was approved for deployment")
    ]
    assert "`model:scorer@3` changed from" in told[0].detail


def test_a_move_completes_itself_when_its_evidence_has_come(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    imported(house, "sarif", graph.subject, outcome="failed")
    asked = service.request_move(house, ADA, "loan-desk", "deployment", "ready").request
    assert asked is not None
    for actor in (LEO, MIA):
        service.decide(house, actor, "loan-desk", asked.id, "approved")
    assert run(jobs.settle, house) == {"moved": []}

    imported(house, "sarif", graph.subject)

    assert run(jobs.settle, house) == {"moved": ["loan-desk to deployment"]}
    with house.read() as conn:
        assert queries.stage_of(conn, house, "loan-desk") == "deployment"


def test_one_request_that_cannot_be_settled_keeps_nobody_waiting(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    service.request_move(house, ADA, "loan-desk", "deployment", "ready")
    from tests.slices.lifecycle import builders

    builders._GRAPHS.clear()
    assert run(jobs.settle, house) == {"moved": []}
    assert run(jobs.assess, house) == {"systems": 1}


def test_following_in_small_steps_comes_to_the_same(house: Instance) -> None:
    for number in range(7):
        registered(house, a_system(f"s-{number}"))
    steps = 0
    while projection.follow(house, batch=2):
        steps += 1
    assert steps == 6
    with house.read() as conn:
        _, _, total = queries.overview(conn)
    assert total == 7


def test_a_strangers_statement_enters_no_list(house: Instance) -> None:
    """An envelope that somebody else signed is in the log, and moves nothing."""
    from alcaide.kernel.clock import rfc3339
    from alcaide.kernel.evidence import Statement, sign
    from alcaide.kernel.ledger.keys import KeyStore
    from alcaide.predicates.base import By
    from alcaide.predicates.gate_passed import MovedBack

    graph = a_system()
    registered(house, graph)
    stranger = KeyStore(house.config.data / "elsewhere").create(rfc3339(house.clock()))
    forged = MovedBack(
        at=rfc3339(house.clock()), by=By.of(LEO), reason="x", from_stage="design", to_stage="retired"
    ).about([graph.subject])

    def work(tx: Tx) -> None:
        leaf = tx.append_foreign(sign(forged.to_bytes(), stranger).to_bytes(), forged)
        said = {"at": rfc3339(tx.now), "by": ADA.as_json(), "leaf": leaf, "kind": "dsse"}
        tx.append(Statement((graph.subject,), "urn:alcaide:imported:v1", said))

    house.write(work)
    projection.follow(house)
    assert row(house).stage == "design"
    with house.read() as conn:
        assert queries.stage_of(conn, house, "loan-desk") == "design"
