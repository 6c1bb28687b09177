"""The detector as a whole: overlaps, options, and any input whatever."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier, without_overlaps
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Passage
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.personal_data.finding import engine, findings, found, kinds

NAMELESS = PersonalData(names=False)


def test_a_name_inside_an_address_belongs_to_the_address() -> None:
    kept = without_overlaps(
        [
            Candidate(0, 4, "PERSON", "x", 0.99, "r", tier=Tier.WORD),
            Candidate(0, 20, "EMAIL_ADDRESS", "y", 0.6, "r", tier=Tier.STRUCTURED),
            Candidate(30, 34, "PERSON", "x", 0.6, "r", tier=Tier.WORD),
        ]
    )

    assert [one.entity for one in kept] == ["EMAIL_ADDRESS", "PERSON"]


spans = st.tuples(
    st.integers(0, 60), st.integers(1, 12), st.sampled_from("ABC"), st.floats(0, 1), st.sampled_from(Tier)
)


@given(st.lists(spans, max_size=30))
def test_what_is_kept_never_overlaps_whatever_came_in(raw: list[tuple[int, int, str, float, Tier]]) -> None:
    candidates = [Candidate(a, a + n, kind, "r", score, "r", tier=tier) for a, n, kind, score, tier in raw]

    kept = without_overlaps(candidates)

    assert all(one.end <= other.start for one, other in itertools.pairwise(kept))
    assert without_overlaps(reversed(candidates)) == kept
    assert bool(kept) == bool(candidates)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"threshold": 2}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"countries": ["ZZ"]}, "ZZ"),
        ({"countries": "DE"}, "countries"),
        ({"entities": [1]}, "entities"),
        ({"names": "yes"}, "names"),
        ({"speed": 1}, "speed"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        PersonalData().configured(options)


def test_options_choose_what_is_reported() -> None:
    text = "mail a@b.example or call (555) 123-4567"

    assert kinds(text, detector=NAMELESS.configured({"entities": ["EMAIL_ADDRESS"]})) == {"EMAIL_ADDRESS"}
    assert kinds(text, detector=NAMELESS.configured({"without": ["email_address"]})) == {"PHONE_NUMBER"}
    assert not kinds(text, detector=NAMELESS.configured({"threshold": 0.999}))


def test_a_text_with_nothing_in_it_says_nothing() -> None:
    layer = as_written(Passage("the quick brown fox jumps over the lazy dog"))

    examined = PersonalData().examine(layer, [], Context())

    assert (examined.findings, examined.score) == ((), 0.0)


def test_what_lies_across_a_block_border_is_found_once() -> None:
    filler = "lorem ipsum dolor sit amet " * 5000
    for cut in range(65536 - 12, 65536 + 12, 3):
        text = filler[:cut] + " 4111 1111 1111 1111 " + filler

        assert [text[one.span.start : one.span.end] for one in findings(text, detector=NAMELESS)] == [
            "4111 1111 1111 1111"
        ]


MARKS = st.text(alphabet="0123456789 -.()/+@:ABab\n", max_size=300)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), MARKS))
def test_any_text_gives_whole_spans_apart_from_each_other(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    ones = findings(text)

    for one in ones:
        assert 0 <= one.span.start < one.span.end <= len(text)
        assert 0 <= one.score <= 1
        assert one.entity == one.category
    assert all(one.span.end <= other.span.start for one, other in itertools.pairwise(ones))


@pytest.mark.parametrize(
    "piece",
    [
        "1234567890",
        "a@",
        "A",
        "Ab Cd ",
        "1 ",
        "1.",
        "ab1",
        "a@b.co ",
        "1:",
        "(1)",
        "12 34 56 78, ",
        "::",
        "Mr. ",
    ],
)
def test_a_long_row_of_one_thing_is_read_to_its_end(piece: str) -> None:
    text = piece * (20_000 // len(piece)) + " mail jane@corp.example"

    assert ("EMAIL_ADDRESS", "jane@corp.example") in found(text)


def test_its_patterns_compile_in_the_shared_pass() -> None:
    assert engine()
