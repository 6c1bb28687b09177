"""Forbidden topics: what a policy names is found, what it does not name is not."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.forbidden_topics import FORBIDDEN_TOPICS
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.output_safety.looking import looked

TOPICS = {
    "topics": [
        {
            "name": "mergers",
            "description": "takeovers, mergers and acquisitions of companies, due diligence, shareholders, bids",
            "keywords": ["data room", "hostile takeover"],
            "examples": ["Which company are we going to acquire next year?"],
        },
        {"name": "project-heron", "keywords": ["Projekt Heron", "鹭计划"]},
    ]
}
DETECTOR = FORBIDDEN_TOPICS.configured(TOPICS)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("The data room opens on Monday.", "mergers"),
        ("They fear hostile takeovers.", "mergers"),
        ("Is PROJEKT HERON still alive?", "project-heron"),
        ("关于鹭计划的消息", "project-heron"),
        (
            "The shareholders vote on the acquisition, and the bidder's lawyers began their diligence of the company.",
            "mergers",
        ),
    ],
)
def test_a_text_about_a_topic_is_told(text, topic):
    assert {finding.evidence["topic"] for finding in looked(DETECTOR, text).findings} == {topic}


@pytest.mark.parametrize(
    "text",
    [
        "The database room is cold.",
        "The heron stood in the river, waiting for a fish.",
        "Which company makes the best bicycles?",
        "We planted tomatoes and beans next to the shed last year.",
    ],
)
def test_a_text_about_something_else_is_let_through(text):
    assert looked(DETECTOR, text).findings == ()


def test_a_keyword_inside_another_word_does_not_count():
    detector = FORBIDDEN_TOPICS.configured({"topics": [{"name": "cats", "keywords": ["cat"]}]})

    assert looked(detector, "Concatenate the catalogue.").findings == ()
    assert len(looked(detector, "Two cats and a cat.").findings) == 2


def test_the_span_is_the_keyword_as_it_stands_there():
    text = "Hostile takeovers scare them."

    (finding,) = looked(DETECTOR, text).findings

    assert text[finding.span.start : finding.span.end] == "Hostile takeovers"


def test_without_topics_nothing_is_looked_for():
    assert looked(FORBIDDEN_TOPICS, "The data room opens on Monday.").score == 0.0


@pytest.mark.parametrize(
    "options",
    [
        {"topics": "mergers"},
        {"topics": [{"keywords": ["x y"]}]},
        {"topics": [{"name": "empty"}]},
        {"topics": [{"name": "odd", "keywords": ["ab"], "color": "red"}]},
        {"topics": [{"name": "odd", "keywords": [7]}]},
        {"topics": [{"name": "odd", "keywords": ["ab"], "threshold": 2}]},
        {"subjects": []},
    ],
)
def test_a_topic_that_cannot_be_looked_for_is_refused(options):
    with pytest.raises(InvalidInput):
        FORBIDDEN_TOPICS.configured(options)
