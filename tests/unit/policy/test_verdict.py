from __future__ import annotations

from itertools import product

import pytest

from alcaide.kernel.policy import Failed, Passed, Unknown, Verdict, all_of, any_of

P, F, U = Passed((1,)), Failed("broken", (2,)), Unknown("nobody looked", (3,))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((P, P), Passed((1,))),
        ((P, U), Unknown("nobody looked", (3,))),
        ((P, F), Failed("broken", (2,))),
        ((U, F), Failed("broken", (2,))),
        ((F, F), Failed("broken", (2,))),
    ],
)
def test_all_of_says_the_worst_with_its_reasons_and_leaves(
    given: tuple[Verdict, ...], expected: Verdict
) -> None:
    assert all_of(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((P, F), Passed((1,))),
        ((P, U), Passed((1,))),
        ((U, F), Unknown("nobody looked", (3,))),
        ((F, F), Failed("broken", (2,))),
    ],
)
def test_any_of_needs_one_pass_and_never_calls_an_open_question_failed(
    given: tuple[Verdict, ...], expected: Verdict
) -> None:
    assert any_of(given) == expected


@pytest.mark.parametrize("combine", [all_of, any_of])
def test_nothing_asked_is_unknown_and_not_passed(combine: object) -> None:
    assert isinstance(combine([]), Unknown)  # type: ignore[operator]


@pytest.mark.parametrize("combine", [all_of, any_of])
def test_turning_a_verdict_into_a_worse_one_never_makes_the_whole_pass(combine: object) -> None:
    for verdicts in product([P, F, U], repeat=3):
        if isinstance(combine(verdicts), Passed):  # type: ignore[operator]
            continue
        for position in range(3):
            for worse in (F, U):
                changed = [*verdicts[:position], worse, *verdicts[position + 1 :]]
                assert not isinstance(combine(changed), Passed)  # type: ignore[operator]


def test_reasons_are_told_once_each_in_the_order_they_came() -> None:
    verdict = all_of([Unknown("b", (9,)), Unknown("a", (4,)), Unknown("b", (4,))])
    assert verdict == Unknown("b; a", (4, 9))
