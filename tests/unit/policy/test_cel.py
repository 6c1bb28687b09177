from __future__ import annotations

from typing import Any

import pytest

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.policy.cel import Undecided, compile_condition

REPORT = {
    "format": "sarif",
    "count": 2,
    "runs": [{"results": [{"level": "warning"}, {"level": "note"}]}, {"results": []}],
}


def holds(text: str, predicate: Any = REPORT) -> bool | Undecided:
    return compile_condition(text).holds(predicate=predicate, subject={"name": "model:x@1"}, statement={})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predicate.format == 'sarif'", True),
        ("predicate.count > 2", False),
        ("has(predicate.nothing)", False),
        ("predicate.runs.all(r, r.results.all(x, x.level != 'error'))", True),
        ("predicate.runs.exists(r, r.results.exists(x, x.level in ['note', 'none']))", True),
        ("size(predicate.runs.filter(r, size(r.results) > 0)) == 1", True),
        ("subject.name.startsWith('model:')", True),
        ("subject.name.matches('^model:.*@1$')", True),
    ],
)
def test_conditions_see_predicate_and_subject(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("predicate.nothing == 1", "there is no field `nothing`"),
        ("predicate.format > 3", "no such overload"),
        ("predicate.count / 0 == 1", "division by zero"),
        ("predicate.format", "neither true nor false"),
    ],
)
def test_a_condition_that_has_no_answer_says_why_instead_of_raising(text: str, reason: str) -> None:
    answer = holds(text)
    assert isinstance(answer, Undecided)
    assert reason in answer.reason


@pytest.mark.parametrize(
    "text",
    [
        "now() > 1",
        "predicate.x.map(y, y)",
        "env.HOME == ''",
        "(" * 60 + "true" + ")" * 60,
        "1 +",
        "x" * 1001,
        "",
    ],
)
def test_what_cannot_be_evaluated_safely_is_refused_or_undecided(text: str) -> None:
    try:
        answer = holds(text)
    except InvalidInput:
        return
    assert isinstance(answer, Undecided)


def test_loops_that_multiply_over_large_evidence_are_not_run() -> None:
    many = {"l": list(range(3000))}
    assert holds("predicate.l.all(a, a >= 0)", many) is True
    assert isinstance(holds("predicate.l.all(a, predicate.l.all(b, a + b >= 0))", many), Undecided)
    assert isinstance(holds("predicate.l.all(a, a in predicate.l)", many), Undecided)


def test_loops_that_walk_down_one_tree_are_run_however_large_it_is() -> None:
    many = {"runs": [{"results": [{"level": "note"}] * 3000}] * 3}
    assert holds("predicate.runs.all(r, r.results.all(x, x.level != 'error'))", many) is True


def test_brackets_and_macros_in_strings_are_only_text() -> None:
    assert holds("predicate.format != '((((.map(x, .all(a,'") is True
