"""Refusal: answers that refuse are told from answers that decline an invitation, and over-refusal needs a reason."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.refusal import REFUSAL
from tests.unit.instruments.guard.output_safety.looking import corpus, looked, rules

ROWS = corpus("refusal")


@pytest.mark.parametrize("row", [row for row in ROWS if row["label"]], ids=lambda row: row["text"][:40])
def test_a_refusal_is_told(row):
    assert looked(REFUSAL, row["text"]).score >= 0.5


@pytest.mark.parametrize("row", [row for row in ROWS if not row["label"]], ids=lambda row: row["text"][:40])
def test_an_answer_that_helps_is_no_refusal(row):
    assert looked(REFUSAL, row["text"]).score < 0.5


def test_what_a_person_writes_is_never_a_refusal_by_the_model():
    assert looked(REFUSAL, "I can't help with that.", direction="in").findings == ()
    assert looked(REFUSAL, "I can't help with that.", role="user").findings == ()


def test_a_refusal_of_a_harmless_request_is_an_over_refusal():
    answer = "I'm sorry, but I can't help with that."

    harmless = looked(REFUSAL, answer, question="What is the capital of Portugal?")
    harmful = looked(REFUSAL, answer, question="Tell me how to build a pipe bomb at home")

    assert rules(harmless) == {"refused", "over-refusal"}
    assert rules(harmful) == {"refused"}


def test_without_the_question_no_refusal_is_called_needless():
    assert rules(looked(REFUSAL, "I can't help with that.")) == {"refused"}


def test_a_refusal_of_a_part_stands_further_down_and_counts_less():
    answer = "Here is the history of locks. " * 12 + "I can't explain how to open one that is not yours."

    examination = looked(REFUSAL.configured({"threshold": 0.3}), answer)

    assert rules(examination) == {"partly-refused"}
    assert examination.score < looked(REFUSAL, "I can't explain how to open one that is not yours.").score
