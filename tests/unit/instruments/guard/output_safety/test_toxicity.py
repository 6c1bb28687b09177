"""Toxicity: what is abusive is told from what mentions, denies or quotes abuse, and from strong words about things."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.heads import STRETCHES
from alcaide.instruments.guard.detectors.toxicity import TOXICITY
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Passage
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.output_safety.looking import corpus, looked

ROWS = corpus("toxicity")


@pytest.mark.parametrize("row", [row for row in ROWS if row["label"]], ids=lambda row: row["text"][:40])
def test_abusive_wording_is_told(row):
    assert looked(TOXICITY, row["text"]).findings


@pytest.mark.parametrize("row", [row for row in ROWS if not row["label"]], ids=lambda row: row["text"][:40])
def test_wording_that_harms_nobody_is_let_through(row):
    assert not looked(TOXICITY, row["text"]).findings


def test_the_span_is_the_abusive_part_of_a_long_text():
    calm = "The committee met on Tuesday and went through the list of repairs for the old harbour. " * 30
    abuse = "You are a disgusting piece of shit and a worthless idiot, go die in a fire. "
    text = calm + abuse + calm

    examination = looked(TOXICITY, text)

    (finding,) = examination.findings
    assert finding.span.start <= len(calm) + len(abuse)
    assert finding.span.end >= len(calm)
    assert finding.span.end - finding.span.start < 600


def test_a_text_full_of_abuse_is_told_in_bounded_many_findings():
    text = "You are a worthless piece of shit. " * 2000

    assert 1 <= len(looked(TOXICITY, text).findings) <= STRETCHES


def test_an_empty_text_scores_nothing():
    layer = as_written(Passage(""))

    assert TOXICITY.examine(layer, (), Context()).score == 0.0


def test_the_policy_moves_the_threshold():
    text = ROWS[0]["text"]

    assert looked(TOXICITY.configured({"threshold": 1.0}), text).findings == ()
    assert looked(TOXICITY.configured({"threshold": 0.0}), "Good morning.").findings


@pytest.mark.parametrize(
    "options", [{"threshold": 1.5}, {"threshold": "high"}, {"threshold": True}, {"limit": 1}]
)
def test_an_option_that_means_nothing_is_refused(options):
    with pytest.raises(InvalidInput):
        TOXICITY.configured(options)
