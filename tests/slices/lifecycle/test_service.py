"""A move from asking to passing, and everything that can come between. Each story has its negative twin."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from tests.slices.lifecycle.builders import (
    ADA,
    EVE,
    LEO,
    MIA,
    PAT,
    a_model,
    a_system,
    imported,
    ready_to_deploy,
    replaced,
)

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from alcaide.kernel.evidence import parse_envelope, verify
from alcaide.kernel.instance import Instance
from alcaide.slices.lifecycle import projection, queries, service
from alcaide.slices.lifecycle.rules import Standing

pytestmark = pytest.mark.both_databases


def standing(house: Instance, to: str = "deployment") -> Standing:
    with house.read() as conn:
        return queries.standing(house, conn, "loan-desk", to, now=house.clock())


def ask(house: Instance, actor: Actor = ADA, to: str = "deployment") -> str:
    found = service.request_move(house, actor, "loan-desk", to, "the pilot went well")
    assert found.request is not None
    return found.request.id


def approve(house: Instance, request: str, *actors: Actor) -> Standing:
    for actor in actors:
        service.decide(house, actor, "loan-desk", request, "approved")
    return standing(house)


def test_two_people_and_the_evidence_let_a_system_through(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    request = ask(house)

    approve(house, request, LEO)
    assert standing(house).outcome == "unknown"
    found = approve(house, request, MIA)

    assert found.outcome == "passed"
    assert found.stage == "deployment"
    assert found.stands


def test_a_system_nobody_asked_about_is_unknown_with_every_reason(house: Instance) -> None:
    a_system()
    found = standing(house)
    assert found.outcome == "unknown"
    assert "nobody has asked for this move" in found.verdict.reason
    assert {e.requirement.id: e.outcome for e in found.explanations} == {
        "ml-bom-imported": "unknown",
        "models-signed": "unknown",
        "scanned-without-errors": "unknown",
    }


def test_a_changed_component_fails_the_gate_and_says_which_from_what_to_what(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    approve(house, ask(house), LEO, MIA)

    replaced(graph, a_model(content="other weights"))

    found = standing(house)
    assert found.outcome == "failed"
    was, now = a_model().digest or "", a_model(content="other weights").digest or ""
    assert f"`model:scorer@3` changed from {was[:12]} to {now[:12]}" in found.verdict.reason
    assert not found.stands


def test_a_component_that_changes_between_two_approvals_voids_the_first(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    request = ask(house)
    approve(house, request, LEO)

    changed = replaced(graph, a_model(content="other weights"))
    imported(house, "model-signature", changed.components[0].subject)  # type: ignore[arg-type]
    found = approve(house, request, MIA)

    assert found.outcome == "failed"
    assert (
        "approval by Leo no longer fits what was approved: `model:scorer@3` changed" in found.verdict.reason
    )
    assert [s.state for s in found.approvals.words] == ["void", "counts"]
    assert approve(house, request, LEO).outcome == "passed"


def test_a_changed_gate_voids_approvals(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO)
    folder = house.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    text = queries.shipped_text().replace("fresh: 30d", "fresh: 31d")
    (folder / "ours.yaml").write_text(text)

    found = standing(house)

    assert [s.state for s in found.approvals.words] == ["void"]
    assert "`gate to-deployment` changed from" in found.approvals.words[0].why


def test_an_unreadable_gate_file_lets_nothing_through(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    folder = house.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text("gates: [")

    with pytest.raises(Exception, match=r"ours.yaml:1"):
        standing(house)


def test_whoever_asks_does_not_approve(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house, PAT)

    with pytest.raises(NotAllowed) as denied:
        approve(house, request, PAT)

    assert denied.value.rule == "lifecycle-approver-is-not-requester"


def test_one_person_with_two_roles_takes_one_seat(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)

    service.decide(house, PAT, "loan-desk", request, "approved", role="approver")
    service.decide(house, PAT, "loan-desk", request, "approved", role="security-lead")

    found = standing(house)
    assert found.outcome == "unknown"
    assert [s.state for s in found.approvals.words] == ["superseded", "counts"]


@pytest.mark.parametrize("actor", [ADA, EVE, Actor("system", "cli:root", "root", frozenset({"admin"}))])
def test_nobody_approves_without_a_seat(house: Instance, actor: Actor) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house, LEO)
    with pytest.raises(NotAllowed):
        approve(house, request, actor)


def test_a_seat_cannot_be_taken_with_somebody_elses_role(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    with pytest.raises(NotAllowed, match="you act as none of them here"):
        service.decide(house, MIA, "loan-desk", request, "approved", role="security-lead")


def test_a_no_fails_the_gate_until_the_person_changes_their_mind(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO)
    service.decide(house, MIA, "loan-desk", request, "rejected", reason="the report is thin")

    found = approve(house, request, PAT)
    assert found.outcome == "failed"
    assert "Mia rejected it: the report is thin" in found.verdict.reason

    assert approve(house, request, MIA).outcome == "passed"


def test_a_no_without_a_reason_is_refused(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    with pytest.raises(InvalidInput, match="a reason is needed"):
        service.decide(house, MIA, "loan-desk", ask(house), "rejected", reason="  ")


def test_an_approval_taken_back_undoes_a_passed_gate(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO, MIA)

    service.decide(house, MIA, "loan-desk", request, "revoked", reason="I was shown old figures")

    found = standing(house)
    assert found.outcome == "failed"
    assert "Mia took the approval back: I was shown old figures" in found.verdict.reason


def test_nobody_takes_back_anothers_approval(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO)
    with pytest.raises(Conflict, match="you have not approved"):
        service.decide(house, MIA, "loan-desk", request, "revoked", reason="x")


def test_approvals_end(house: Instance, clock: Any) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO)
    clock.advance(days=31)
    imported(house, "sarif", a_system().subject)

    found = approve(house, request, MIA)

    assert found.outcome == "unknown"
    assert "approval by Leo: it ended on" in found.verdict.reason


def test_a_request_lapses(house: Instance, clock: Any) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    clock.advance(days=91)
    with pytest.raises(Conflict, match="the request is lapsed"):
        approve(house, request, LEO)
    ask(house)


def test_what_a_person_did_not_see_they_do_not_approve(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    request = ask(house)
    seen = standing(house).bound_digest
    replaced(graph, a_model(content="other weights"))

    with pytest.raises(Conflict, match="has changed since"):
        service.decide(house, LEO, "loan-desk", request, "approved", seen=seen)


def test_a_request_is_made_once_and_can_be_withdrawn(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    request = ask(house)
    approve(house, request, LEO)
    with pytest.raises(Conflict, match="Ada has asked for this already"):
        ask(house, LEO)

    with pytest.raises(NotAllowed):
        service.withdraw(house, MIA, "loan-desk", request, "not mine")
    service.withdraw(house, ADA, "loan-desk", request, "too early")

    with pytest.raises(Conflict, match="the request is withdrawn"):
        approve(house, request, MIA)
    second = ask(house)
    assert standing(house).approvals.words == ()
    assert second != request


def test_evidence_that_comes_after_the_approvals_completes_the_move(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    imported(house, "sarif", graph.subject, outcome="failed")
    request = ask(house)
    approve(house, request, LEO, MIA)
    assert standing(house).outcome == "failed"
    assert not service.settle(house, ADA, "loan-desk", "deployment")

    imported(house, "sarif", graph.subject)

    assert service.settle(house, ADA, "loan-desk", "deployment")
    assert standing(house).stage == "deployment"
    assert not service.settle(house, ADA, "loan-desk", "deployment")


def test_evidence_that_goes_stale_turns_a_passed_gate_unknown(house: Instance, clock: Any) -> None:
    ready_to_deploy(house, a_system())
    approve(house, ask(house), LEO, MIA)
    clock.advance(days=31)

    found = standing(house)

    assert found.outcome == "unknown"
    assert "it is 31 days old" in found.verdict.reason


def test_a_waiver_counts_and_shows(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    imported(house, "sarif", graph.subject, outcome="failed")
    service.waive(
        house,
        LEO,
        "loan-desk",
        "deployment",
        "scanned-without-errors",
        until="7d",
        reason="false positive, ticket 7",
    )
    found = approve(house, ask(house), LEO, MIA)

    assert found.outcome == "waived"
    assert found.verdict.outcome == "passed"
    assert found.stands
    scan = found.explanations[2]
    assert scan.verdict.outcome == "failed"
    assert "waived by Leo until" in scan.reason


def test_a_waiver_ends_and_the_verdict_is_back(house: Instance, clock: Any) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    imported(house, "sarif", graph.subject, outcome="failed")
    service.waive(house, LEO, "loan-desk", "deployment", "scanned-without-errors", until="7d", reason="x")
    assert standing(house).explanations[2].outcome == "waived"

    service.waive(
        house, LEO, "loan-desk", "deployment", "scanned-without-errors", until="now", reason="fixed"
    )
    assert standing(house).explanations[2].outcome == "failed"
    service.waive(house, LEO, "loan-desk", "deployment", "scanned-without-errors", until="7d", reason="x")
    clock.advance(days=8)
    assert standing(house).explanations[2].outcome == "failed"


@pytest.mark.parametrize(
    ("actor", "requirement", "until", "problem"),
    [
        (ADA, "scanned-without-errors", "7d", NotAllowed),
        (LEO, "no-such", "7d", NotFound),
        (LEO, "scanned-without-errors", "400d", InvalidInput),
        (LEO, "scanned-without-errors", "2020-01-01", InvalidInput),
        (LEO, "scanned-without-errors", "soon", InvalidInput),
    ],
)
def test_a_waiver_that_may_not_be_is_refused(
    house: Instance, actor: Actor, requirement: str, until: str, problem: type[Exception]
) -> None:
    ready_to_deploy(house, a_system())
    with pytest.raises(problem):
        service.waive(house, actor, "loan-desk", "deployment", requirement, until=until, reason="x")


def test_whoever_asks_does_not_waive(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    ask(house, LEO)
    with pytest.raises(NotAllowed):
        service.waive(house, LEO, "loan-desk", "deployment", "models-signed", until="7d", reason="x")


def test_a_requirement_that_cannot_be_waived_is_not(house: Instance) -> None:
    a_system()
    with pytest.raises(NotAllowed, match="cannot be waived"):
        service.waive(house, LEO, "loan-desk", "data", "system-registered", until="7d", reason="x")


def test_going_back_ends_the_pass(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    approve(house, ask(house), LEO, MIA)

    with pytest.raises(NotAllowed):
        service.move_back(house, ADA, "loan-desk", "validation", "drift")
    service.move_back(house, LEO, "loan-desk", "validation", "drift")

    found = standing(house)
    assert (found.stage, found.outcome) == ("validation", "unknown")
    assert "the system was moved back to validation" in found.verdict.reason
    with pytest.raises(Conflict):
        service.move_back(house, LEO, "loan-desk", "operation", "forward")
    approve(house, ask(house), LEO, MIA)
    assert standing(house).stage == "deployment"


def test_a_retired_system_asks_for_nothing(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    service.move_back(house, LEO, "loan-desk", "retired", "replaced")
    with pytest.raises(Conflict, match="the system is retired"):
        ask(house)


def test_a_passed_gate_leaves_as_a_signed_summary(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    with pytest.raises(Conflict, match="not passed"):
        service.verification_summary(house, "loan-desk", "deployment")
    approve(house, ask(house), LEO, MIA)

    content = service.verification_summary(house, "loan-desk", "deployment").to_bytes()

    envelope = parse_envelope(content)
    keys = {key.keyid: key.verifier() for key in house.keys.public_keys().values()}
    assert verify(envelope, keys) in keys
    statement = json.loads(b64decode(json.loads(content)["payload"]))
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert {s["name"]: s["digest"]["sha256"] for s in statement["subject"]} == {
        "system:loan-desk": graph.digest,
        "model:scorer@3": graph.components[0].digest,
    }
    said = statement["predicate"]
    assert said["verificationResult"] == "PASSED"
    assert said["policy"]["digest"]["sha256"] == standing(house).gate.digest
    assert said["verifiedLevels"] == ["ALCAIDE_GATE_TO_DEPLOYMENT"]
    assert len(said["inputAttestations"]) == 6  # bill, signature, report, two approvals, the pass
    assert service.verification_summary(house, "loan-desk", "deployment").to_bytes() == content

    replaced(graph, a_model(content="other weights"))
    with pytest.raises(Conflict, match="not what was let through"):
        service.verification_summary(house, "loan-desk", "deployment")


def test_the_lists_can_be_folded_again_from_nothing(house: Instance) -> None:
    ready_to_deploy(house, a_system())
    approve(house, ask(house), LEO, MIA)
    service.move_back(house, LEO, "loan-desk", "safety", "drift")
    ask(house)
    projection.follow(house)
    before = _tables(house)

    projection.replay(house)

    assert _tables(house) == before
    assert before["lifecycle__standing"][0][2] == "safety"


def _tables(house: Instance) -> dict[str, list[tuple[Any, ...]]]:
    import sqlalchemy as sa

    from alcaide.slices.lifecycle import tables

    with house.read() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]
            for table in (tables.standing, tables.request, tables.word)
        }


def test_a_document_that_only_names_the_system_itself_does_not_count(house: Instance) -> None:
    graph = a_system()
    ready_to_deploy(house, graph)
    imported(house, "sarif", graph.subject, outcome="passed", named=["model:scorer@3"])
    imported(house, "cyclonedx", graph.subject, outcome="failed", named=[])
    found = standing(house)
    assert [e.outcome for e in found.explanations] == ["passed", "passed", "passed"]
    assert found.explanations[2].verdict.stood_on != (7,)
