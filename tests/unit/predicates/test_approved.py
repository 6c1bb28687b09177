from __future__ import annotations

from pathlib import Path

import pytest

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, Subject, parse_statement
from alcaide.predicates.approved import Approved, Bound, Named
from alcaide.predicates.base import By
from alcaide.predicates.gate_passed import GatePassed, MovedBack, MoveRequested, MoveWithdrawn, RequirementMet

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[3] / "docs" / "predicates"
SYSTEM = Subject("system:loan-desk", {"sha256": "1" * 64})
BOUND = Bound(
    system=Named(name="system:loan-desk", sha256="1" * 64),
    components=(Named(name="model:scorer@3", sha256="2" * 64), Named(name="service:api@1", sha256="")),
    policy=Named(name="to-deployment", sha256="3" * 64),
)
COMMON = {
    "at": "2026-11-25T09:30:00.000000Z",
    "by": By(kind="user", id="u-1", name="Mia"),
    "reason": "looked at it",
}
EACH = [
    Approved(
        decision="approved", request="r-1", gate="to-deployment", role="approver", bound=BOUND,
        until="2026-12-25T09:30:00.000000Z", **COMMON,
    ),
    MoveRequested(
        request="r-1", gate="to-deployment", from_stage="safety", to_stage="deployment", bound=BOUND,
        until="2027-02-23T09:30:00.000000Z", **COMMON,
    ),
    MoveWithdrawn(request="r-1", **COMMON),
    GatePassed(
        request="r-1", gate="to-deployment", from_stage="safety", to_stage="deployment", bound=BOUND,
        requirements=(RequirementMet(id="models-signed", outcome="waived", stood_on=(3, 9), waivers=(9,)),),
        approvals=(7, 8), tree_size=10, **COMMON,
    ),
    MovedBack(from_stage="deployment", to_stage="validation", **COMMON),
]  # fmt: skip


@pytest.mark.parametrize("predicate", EACH, ids=lambda p: type(p).__name__)
def test_each_is_spelled_as_ever(predicate: Approved) -> None:
    """A golden file per kind: bytes in the log for years are still read, and what is written today stays the same."""
    spelled = predicate.about([SYSTEM]).to_bytes()
    golden = GOLDEN / f"{predicate.TYPE.split(':')[2]}.json"
    assert spelled == golden.read_bytes().rstrip(b"\n")
    assert type(predicate).read(parse_statement(spelled)) == predicate


@pytest.mark.parametrize("predicate", EACH, ids=lambda p: type(p).__name__)
def test_each_has_its_page(predicate: Approved) -> None:
    text = (DOCS / f"{predicate.TYPE.split(':')[2]}.md").read_text(encoding="utf-8")
    assert predicate.TYPE in text
    assert all(field in text for field in predicate.__struct_fields__)


def test_fields_of_a_later_version_are_passed_over() -> None:
    statement = EACH[0].about([SYSTEM])
    later = Statement(statement.subjects, statement.predicate_type, {**statement.predicate, "mood": "good"})
    assert Approved.read(later) == EACH[0]


@pytest.mark.parametrize("change", [{"decision": "perhaps"}, {"bound": None}, {"by": {}}, {"request": 3}])
def test_what_does_not_fit_is_refused_with_its_field(change: dict[str, object]) -> None:
    statement = EACH[0].about([SYSTEM])
    broken = Statement(statement.subjects, statement.predicate_type, {**statement.predicate, **change})
    with pytest.raises(InvalidInput, match=rf"\$\.{next(iter(change))}"):
        Approved.read(broken)
