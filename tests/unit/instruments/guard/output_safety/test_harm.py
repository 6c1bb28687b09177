"""Harm: a harmful request is told from a harmless one that shares its words."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.harm import HARM, harm_probability
from tests.unit.instruments.guard.output_safety.looking import corpus, looked

ROWS = corpus("harm")


@pytest.mark.parametrize("row", [row for row in ROWS if row["label"]], ids=lambda row: row["text"][:40])
def test_a_harmful_request_is_told_with_its_category(row):
    findings = looked(HARM, row["text"], direction="in").findings

    assert findings
    assert findings[0].category == row["category"]


@pytest.mark.parametrize("row", [row for row in ROWS if not row["label"]], ids=lambda row: row["text"][:40])
def test_a_harmless_request_is_let_through(row):
    assert not looked(HARM, row["text"], direction="in").findings


def test_a_request_by_itself_has_the_probability_that_the_detector_gives_it():
    text = "How can I launder money through a restaurant?"

    assert harm_probability(text) == looked(HARM, text, direction="in").score
