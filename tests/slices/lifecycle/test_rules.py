"""What words about a request are worth, as a truth table, and what a story is folded from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from tests.unit.policy.builders import NOON, digest_of

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement
from alcaide.kernel.policy import EvidenceView, Passed, Record
from alcaide.predicates.approved import Approved, Bound, Named
from alcaide.predicates.base import By
from alcaide.predicates.gate_passed import GatePassed, MovedBack, MoveRequested, MoveWithdrawn
from alcaide.predicates.graph import ComponentRef, SystemGraph
from alcaide.slices.lifecycle import queries, rules

GATE = next(gate for gate in queries.shipped_gates() if gate.id == "to-deployment")
GRAPH = SystemGraph(
    "loan-desk", "Loan desk", "active",
    components=(ComponentRef("model", "scorer", "3", digest_of("weights")),),
)  # fmt: skip
BOUND = rules.bound_to(GRAPH, GATE)
OTHER = rules.bound_to(
    replace(GRAPH, components=(ComponentRef("model", "scorer", "3", digest_of("other")),)), GATE
)


def by(person: str) -> By:
    return By(kind="user", id=person, name=person.title())


def asked(person: str = "ada", at: datetime = NOON, **more: Any) -> MoveRequested:
    return MoveRequested(
        at=rfc3339(at), by=by(person), reason="ready", request="r1", gate=GATE.id, from_stage="design",
        to_stage="deployment", bound=BOUND, **more,
    )  # fmt: skip


def said(
    person: str,
    role: str,
    decision: Any = "approved",
    *,
    bound: Bound = BOUND,
    at: datetime = NOON,
    **more: Any,
) -> Approved:
    return Approved(
        at=rfc3339(at),
        by=by(person),
        decision=decision,
        request="r1",
        gate=GATE.id,
        role=role,
        bound=bound,
        **more,
    )


def passed(*approvals: int) -> GatePassed:
    return GatePassed(
        at=rfc3339(NOON), by=by("mia"), request="r1", gate=GATE.id, from_stage="design", to_stage="deployment",
        bound=BOUND, requirements=(), approvals=approvals, tree_size=9,
    )  # fmt: skip


def view_of(*predicates: Any, foreign: bool = False) -> EvidenceView:
    records = tuple(
        Record(i, p if isinstance(p, Statement) else p.about([GRAPH.subject]), NOON, "instance", foreign)
        for i, p in enumerate(predicates)
    )
    return EvidenceView(records, True, None, len(records), b"", rules.keys_of(GRAPH, [GATE]))


def story_of(*predicates: Any, foreign: bool = False) -> rules.Story:
    return rules.story_of("system:loan-desk", view_of(*predicates, foreign=foreign))


def weighed(*words: Approved, bound: Bound = BOUND, now: datetime = NOON) -> rules.Approvals:
    request = story_of(asked(), *words).request("r1")
    assert request is not None
    return rules.weigh(GATE, request, bound, now=now)


LEO, MIA = said("leo", "security-lead"), said("mia", "approver")


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ((), "unknown"),
        ((LEO,), "unknown"),
        ((MIA,), "unknown"),
        ((LEO, MIA), "passed"),
        ((LEO, said("bo", "security-lead")), "unknown"),
        ((LEO, said("leo", "approver")), "unknown"),
        ((LEO, said("ada", "approver")), "unknown"),
        ((LEO, said("mia", "viewer")), "unknown"),
        ((LEO, said("mia", "approver", at=NOON + timedelta(hours=1))), "unknown"),
        ((LEO, said("mia", "approver", until=rfc3339(NOON))), "unknown"),
        ((LEO, said("mia", "approver", until=rfc3339(NOON + timedelta(days=1)))), "passed"),
        ((LEO, MIA, said("mia", "approver", "revoked", reason="x")), "unknown"),
        ((LEO, MIA, said("bo", "approver", "rejected", reason="x")), "failed"),
        ((LEO, said("mia", "approver", "rejected", reason="x"), MIA), "passed"),
        ((LEO, said("mia", "approver", bound=OTHER)), "failed"),
        ((LEO, MIA, said("bo", "approver", "rejected", reason="x", bound=OTHER)), "passed"),
        ((LEO, MIA, said("bo", "approver", bound=OTHER)), "passed"),
    ],
)
def test_words_add_up(words: tuple[Approved, ...], outcome: str) -> None:
    assert weighed(*words).verdict.outcome == outcome


def test_less_said_never_helps_unless_it_was_said_against() -> None:
    """Taking approvals away never turns a no into a yes; hiding a no makes the view incomplete, which is Unknown."""
    words = (LEO, said("mia", "approver", bound=OTHER), said("ada", "approver"), said("bo", "viewer"))
    for size in range(len(words) + 1):
        for some in combinations(words, size):
            assert not isinstance(weighed(*some).verdict, Passed)


def test_hiding_any_leaf_leaves_the_gate_unknown() -> None:
    whole = view_of(asked(), LEO, MIA, said("bo", "approver", "rejected", reason="x"), passed(1, 2))
    for gone in range(len(whole.records)):
        left = tuple(r for r in whole.records if r.index != gone)
        view = EvidenceView(left, False, "a leaf is missing", whole.size, b"", whole.keys)
        standing = rules.assess(GRAPH, GATE, rules.story_of("system:loan-desk", view), view, now=NOON)
        assert standing.verdict.outcome == "unknown"


def test_a_stranger_tells_no_story() -> None:
    assert story_of(asked(), LEO, MIA, passed(1, 2), foreign=True).stage == "design"


def test_a_pass_without_the_approvals_it_names_is_not_believed() -> None:
    for forged in (passed(), passed(7), passed(2)):
        story = story_of(asked(), LEO, said("mia", "approver", bound=OTHER), forged)
        assert (story.stage, story.unreadable) == ("design", (3,))


def test_statements_that_make_no_sense_are_left_out_and_listed() -> None:
    broken = Statement((GRAPH.subject,), MoveRequested.TYPE, {"at": "never"})
    unasked = MoveWithdrawn(at=rfc3339(NOON), by=by("ada"), request="r9")
    nowhere = MovedBack(at=rfc3339(NOON), by=by("leo"), from_stage="design", to_stage="moon")
    assert story_of(broken, unasked, nowhere, asked(), asked()).unreadable == (0, 1, 2, 4)


def test_the_stage_is_what_the_statements_add_up_to() -> None:
    back = MovedBack(
        at=rfc3339(NOON), by=by("leo"), reason="drift", from_stage="deployment", to_stage="training"
    )
    story = story_of(asked(), LEO, MIA, passed(1, 2), back)
    assert (story.stage, story.since_leaf) == ("training", 4)
    assert [(m.from_stage, m.to_stage) for m in story.moves] == [
        ("design", "deployment"),
        ("deployment", "training"),
    ]
    last = story.last_pass("deployment")
    assert last is not None
    assert last.passed is not None
    assert last.passed.ended.startswith("the system was moved back to training")


@pytest.mark.parametrize(
    ("components", "told"),
    [
        ((("scorer", "3", "other"),), ["`model:scorer@3` changed from"]),
        ((("scorer", "4", "other"),), ["`model:scorer@3 → 4` changed from"]),
        ((("scorer", "3", "weights"), ("judge", "1", "j")), ["`model:judge@1` was added"]),
        ((), ["`model:scorer@3` was removed"]),
        ((("scorer", "3", None),), ["`model:scorer@3` changed from"]),
        ((("scorer", "3", "weights"),), []),
    ],
)
def test_what_changed_is_named_from_what_to_what(components: tuple[Any, ...], told: list[str]) -> None:
    now = rules.bound_to(
        replace(
            GRAPH,
            components=tuple(
                ComponentRef("model", n, v, digest_of(c) if c else None) for n, v, c in components
            ),
        ),
        GATE,
    )
    found = [str(change) for change in rules.changes(BOUND, now)]
    assert len(found) == len(told)
    assert all(text.startswith(start) for text, start in zip(found, told, strict=True))


def test_a_changed_description_is_named_where_no_component_explains_it() -> None:
    now = rules.bound_to(replace(GRAPH, owner="somebody else"), GATE)
    assert [c.name for c in rules.changes(BOUND, now)] == ["system:loan-desk"]
    gate = Bound(
        system=BOUND.system, components=BOUND.components, policy=Named(name=GATE.id, sha256="0" * 64)
    )
    assert [c.name for c in rules.changes(gate, BOUND)] == [f"gate {GATE.id}"]
