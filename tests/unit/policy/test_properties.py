"""Three properties, swept over every requirement that ships: less evidence never helps, replay gives the same answer,
and tampering is noticed.

A file of requirements or gates anywhere under `src/alcaide` is found by itself; a new one is swept without a change
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.policy.builders import (
    NOON,
    SCORER,
    TABLE,
    THIS,
    a_record,
    a_requirement,
    a_view,
    days,
    digest_of,
    without,
)

import alcaide
from alcaide.kernel.clock import rfc3339
from alcaide.kernel.policy import EvidenceView, Passed, Record
from alcaide.kernel.policy.evaluate import Explanation, Scope, SubjectRef, evaluate
from alcaide.kernel.policy.requirement import Requirement, parse_requirements, read_requirements
from alcaide.kernel.policy.source import Path as SourcePath
from alcaide.kernel.policy.source import Source, read_yaml

ROOT = Path(alcaide.__file__).parent


def _requirement_lists(value: Any, at: SourcePath = ()) -> Iterator[tuple[SourcePath, Any]]:
    """Every part of a document that is called `requirements`, wherever a slice has put it."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "requirements":
                yield (*at, key), part
            else:
                yield from _requirement_lists(part, (*at, key))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _requirement_lists(part, (*at, position))


def _shipped() -> Iterator[tuple[str, Requirement]]:
    for path in sorted([*ROOT.rglob("policies/**/*.yaml"), *(ROOT / "catalog").rglob("*.yaml")]):
        source: Source = read_yaml(path.read_text(encoding="utf-8"), path.name)
        for at, part in _requirement_lists(source.value):
            for requirement in parse_requirements(source, at, part):
                where = ".".join(str(p) for p in at)
                yield f"{path.relative_to(ROOT)}:{where}:{requirement.id}", requirement


# Beside what ships, one of every construct the language has, so that no construct waits for a file to be swept.
CONSTRUCTS = [
    a_requirement(id="judged"),
    a_requirement(id="any", about="components", match="any", outcome="present"),
    a_requirement(id="ever", only_latest=False),
    a_requirement(id="people", count={"at_least": 2, "by": "people"}),
    a_requirement(id="signers", count={"at_least": 2, "by": "signers"}, **{"from": "anywhere"}),
    a_requirement(id="statements", count=2, fresh="10d"),
    a_requirement(id="that", outcome={"that": "predicate.n > 1"}, where="has(predicate.n)"),
    a_requirement(id="field", outcome={"field": "result", "passed": ["passed"], "failed": ["failed"]}),
    a_requirement(id="deployed", about="deployed", outcome="present", fresh="10d"),
]
SHIPPED = [*_shipped(), *((f"construct:{r.id}", r) for r in CONSTRUCTS)]
SCOPE = Scope(THIS, (SCORER, TABLE))
OTHER = SubjectRef(SCORER.name, digest_of("other bytes"))


def test_there_is_something_to_sweep() -> None:
    assert len(SHIPPED) > len(CONSTRUCTS)


def _records_for(requirement: Requirement) -> st.SearchStrategy[Record]:
    """Evidence that has a fair chance to matter to this requirement: right kinds, near misses, and waivers."""
    kinds = st.sampled_from([*requirement.evidence, *requirement.evidence, "urn:alcaide:other:v1"])
    documents = st.sampled_from(["cyclonedx", "sarif", "model-signature"])
    words = st.sampled_from(["passed", "failed", "unknown", "perhaps"])

    @st.composite
    def one(draw: st.DrawFn) -> Record:
        about = draw(st.sampled_from([THIS, SCORER, TABLE, OTHER]))
        foreign = draw(st.booleans()) if draw(st.integers(0, 3)) == 0 else False
        at = NOON - days(draw(st.sampled_from([0, 1, 20, 60, 400, -1])))
        if draw(st.integers(0, 5)) == 0:
            until = NOON + days(draw(st.sampled_from([-1, 0, 5])))
            return a_record(
                "waived",
                about=THIS,
                at=at,
                foreign=foreign,
                requirement=requirement.id,
                until=rfc3339(until),
                reason="x",
            )
        said = {
            "outcome": draw(words),
            "kind": draw(documents),
            "named": [about.name],
            "n": draw(st.integers(0, 3)),
        }
        by, signer = draw(st.sampled_from(["ada", "bo"])), draw(st.sampled_from(["k1", "k2"]))
        return a_record(draw(kinds), about=about, at=at, foreign=foreign, by=by, signed_by=signer, said=said)

    return one()


def answer(requirement: Requirement, view: EvidenceView) -> Explanation:
    return evaluate(requirement, SCOPE, view, now=NOON)


SWEEP = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ids = [name for name, _ in SHIPPED]


@pytest.mark.parametrize("requirement", [r for _, r in SHIPPED], ids=ids)
@SWEEP
@given(data=st.data())
def test_less_evidence_never_helps(requirement: Requirement, data: st.DataObject) -> None:
    records = data.draw(st.lists(_records_for(requirement), max_size=7))
    view = a_view(*records, scope=SCOPE)
    for size in range(1, min(len(records), 3) + 1):
        for gone in combinations(range(len(records)), size):
            less = answer(requirement, without(view, *gone))
            assert not isinstance(less.counts_as, Passed)
    assert not isinstance(answer(requirement, without(view)).counts_as, Passed)


@pytest.mark.parametrize("requirement", [r for _, r in SHIPPED], ids=ids)
@SWEEP
@given(data=st.data())
def test_replay_gives_the_same_answer(requirement: Requirement, data: st.DataObject) -> None:
    records = data.draw(st.lists(_records_for(requirement), max_size=7))
    once = answer(requirement, a_view(*records, scope=SCOPE))
    again = answer(_read_again(requirement), a_view(*records, scope=SCOPE))
    assert once.as_json() == again.as_json()


@pytest.mark.parametrize("requirement", [r for _, r in SHIPPED], ids=ids)
@SWEEP
@given(data=st.data())
def test_a_pass_stands_on_leaves_that_are_there_and_each_requirement_passes_on_nothing_less(
    requirement: Requirement, data: st.DataObject
) -> None:
    records = data.draw(st.lists(_records_for(requirement), max_size=7))
    said = answer(requirement, a_view(*records, scope=SCOPE))
    assert set(said.counts_as.stood_on) <= set(range(len(records)))
    if isinstance(said.counts_as, Passed):
        assert said.counts_as.stood_on
    assert not isinstance(answer(requirement, a_view(scope=SCOPE)).counts_as, Passed)


@pytest.mark.parametrize("requirement", [r for _, r in SHIPPED], ids=ids)
@SWEEP
@given(data=st.data())
def test_evidence_about_other_things_changes_nothing(requirement: Requirement, data: st.DataObject) -> None:
    """A view that also holds what nobody asked about gives the same answer: no rule counts by accident."""
    records = data.draw(st.lists(_records_for(requirement), max_size=5))
    stranger = a_record("approved", about=SubjectRef("system:other", digest_of("x")), outcome="passed")
    with_stranger = a_view(*records, stranger, scope=SCOPE)
    assert (
        answer(requirement, with_stranger).as_json()
        == answer(requirement, a_view(*records, scope=SCOPE)).as_json()
    )


def _read_again(requirement: Requirement) -> Requirement:
    """The requirement as another process would read it from the same text."""
    import json

    (again,) = read_requirements(read_yaml(json.dumps([requirement.document]), "again.yaml"))
    return again
