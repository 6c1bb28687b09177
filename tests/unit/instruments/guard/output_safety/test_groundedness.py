"""Groundedness: statements that the sources make pass, changed ones do not, and the change itself is shown."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard import Guard
from alcaide.instruments.guard.detectors.groundedness import GROUNDEDNESS
from alcaide.instruments.guard.detectors.groundedness.features import NAMES, compare
from alcaide.instruments.guard.detectors.groundedness.sources import Sources
from alcaide.instruments.guard.detectors.groundedness.words import number_value, sentences_of, stem, tokens_of
from alcaide.instruments.guard.model import Context, Passage
from alcaide.instruments.guard.policy import parse_policy
from alcaide.kernel.errors import InvalidInput, TooLarge

SOURCE = (
    "The cable car at Brienz opened on 14 June 1908 and was rebuilt in 1973 after a fire. It climbs 1,350 metres in "
    "eleven minutes and carried 412,000 passengers last year. Anna Berger has led the company since 2011; before "
    "her, Lukas Frei was its director for two decades. The upper station has a restaurant with 90 seats, which is "
    "closed in November. Dogs travel free of charge, bicycles cost 6 francs. The company plans a second cabin, but "
    "the canton has not approved it yet."
)
SUPPORTED = (
    "The cable car opened in June 1908. Anna Berger has led the company since 2011. The restaurant at the upper "
    "station is closed in November."
)


def examined(answer: str, **context):
    passage = Passage(answer, direction="out", where="answer")
    return GROUNDEDNESS.examine_exchange([passage], Context(direction="out", **context))


def test_an_answer_that_its_sources_make_scores_low():
    examination = examined(SUPPORTED, sources=(SOURCE,))

    assert examination.score < 0.5
    assert examination.findings == ()


@pytest.mark.parametrize(
    ("statement", "rule", "word"),
    [
        ("It carried 870,000 passengers last year.", "number", "870,000"),
        ("The cable car at Brienz opened on 14 August 1908.", "date", "August"),
        ("Maria Sutter has led the company since 2011.", "name", "Sutter"),
    ],
)
def test_the_changed_word_of_a_statement_is_shown(statement, rule, word):
    examination = examined(f"{SUPPORTED} {statement}", sources=(SOURCE,))

    shown = {
        (finding.rule, f"{SUPPORTED} {statement}"[finding.span.start : finding.span.end])
        for finding in examination.findings
    }
    assert (f"groundedness/{rule}", word) in shown
    assert ("groundedness/sentence", statement) in shown


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("Dogs travel free of charge.", "Cats and horses pay half the fare on Sundays."),
        ("It climbs 1350 metres in 11 minutes.", "It climbs 2,700 metres in 45 minutes."),
        ("The canton has not approved a second cabin.", "The federal court in Lausanne ordered its closure."),
        ("Lukas Frei was director for two decades.", "Lukas Frei was sentenced for fraud in Zurich."),
    ],
)
def test_a_changed_statement_scores_above_the_true_one(true, false):
    assert examined(false, sources=(SOURCE,)).score > examined(true, sources=(SOURCE,)).score + 0.15


def test_what_no_source_says_is_unsupported_though_it_be_true():
    assert examined("Paris is the capital of France.", sources=(SOURCE,)).score > 0.6


def test_with_samples_alone_an_answer_is_held_against_them():
    samples = (
        "The lighthouse was built in 1874 by the engineer Hugo Brandt.",
        "Hugo Brandt, an engineer, built the lighthouse in 1874.",
        "It was in 1874 that the lighthouse was built; the engineer was Hugo Brandt.",
    )

    agreed = examined("The lighthouse was built in 1874 by Hugo Brandt.", samples=samples)
    alone = examined("The tower collapsed in a storm in 1921 and killed nine sailors.", samples=samples)

    assert agreed.score < alone.score
    assert alone.findings
    assert "other samples" in alone.findings[0].message


def test_without_sources_or_samples_nothing_is_said_and_what_is_lacking_is_named():
    assert examined(SUPPORTED).score == 0.0
    assert "sources" in (GROUNDEDNESS.lacking(Context()) or "")
    assert GROUNDEDNESS.lacking(Context(sources=("x",))) is None


@pytest.mark.parametrize("context", [{"sources": ("  ",)}, {"samples": ("", "\n")}])
def test_sources_without_text_are_an_error_rather_than_support(context):
    with pytest.raises(InvalidInput):
        examined(SUPPORTED, **context)


def test_only_answers_are_compared():
    question = Passage("What about the moon landing in Nevada?", direction="in")

    assert GROUNDEDNESS.examine_exchange([question], Context(sources=(SOURCE,))).findings == ()


def test_less_source_never_makes_an_answer_better_supported():
    whole = examined(SUPPORTED, sources=(SOURCE,)).score
    part = examined(SUPPORTED, sources=(SOURCE[:90],)).score

    assert part > whole


def test_too_much_to_compare_is_unknown_rather_than_supported():
    with pytest.raises(TooLarge):
        examined("word " * 20_000, sources=(SOURCE,))


def test_the_guard_reports_too_much_as_unknown():
    policy = parse_policy(
        "schema: alcaide-guard-policy/1\nname: t\ndetectors: {groundedness: }\nrules:\n"
        "  - {id: g, detector: groundedness, action: hold}\n"
    )

    report = Guard(policy).check("word " * 20_000, context=Context(direction="out", sources=(SOURCE,)))

    assert [one.detector for one in report.unknown] == ["groundedness"]


@pytest.mark.parametrize("answer", ["", "   ", "!!!", "🙂🙂", "\ud800".encode("utf8", "replace").decode()])
def test_an_answer_without_words_is_not_unsupported(answer):
    assert examined(answer, sources=(SOURCE,)).score < 0.5


@pytest.mark.parametrize("options", [{"threshold": 2}, {"threshold": "x"}, {"most": 0}, {"depth": 1}])
def test_an_option_that_means_nothing_is_refused(options):
    with pytest.raises(InvalidInput):
        GROUNDEDNESS.configured(options)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("organised", "organises"),
        ("1,000", "1000"),
        ("twelve", "12"),
        ("companies", "company"),
        ("wrote", "written"),
        ("running", "runs"),
    ],
)
def test_forms_of_one_word_have_one_stem(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("word", "value"), [("12k", 12000.0), ("3.5", 3.5), ("1,350", 1350.0), ("10:30", None)]
)
def test_numbers_are_compared_by_value(word, value):
    assert number_value(word) == value


def test_abbreviations_do_not_end_a_sentence():
    text = "Dr. Frei met Mr. Sutter. They talked."

    assert [text[one.start : one.end] for one in sentences_of(text, tokens_of(text))] == [
        "Dr. Frei met Mr. Sutter.",
        "They talked.",
    ]


def test_a_value_with_another_unit_word_is_found():
    sources = Sources(("The fund holds 5,000,000 francs.",))

    row = compare("The fund holds 5 million francs.", sources).rows[0]

    assert row[NAMES.index("numbers_missing")] == 0
