"""How values are written for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alcaide.ui import filters

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=31), "2026-05-01"),
        (-timedelta(days=2), "in 2 days"),
        (-timedelta(days=2) + timedelta(seconds=5), "in 2 days"),
        (-timedelta(minutes=90), "in 1 h"),
    ],
)
def test_times_are_said_as_people_say_them(before, said):
    assert filters.relative(NOON - before, NOON) == said


def test_a_time_keeps_its_exact_value_beside_the_words():
    text = filters.when(NOON)
    assert 'datetime="2026-06-01T12:00:00Z"' in text
    assert 'title="2026-06-01 12:00:00 UTC"' in text


def test_a_time_that_never_was_says_so():
    assert "never" in filters.when(None)
    assert "not yet" in filters.when(None, "not yet")


def test_text_that_is_no_time_is_shown_escaped():
    assert filters.when("<b>soon</b>") == "&lt;b&gt;soon&lt;/b&gt;"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        filters.when(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (1234567, "1,234,567"), (0.5, "0.5"), (12.345, "12.35"), (None, "–"), (3.0, "3")],
)
def test_numbers_have_their_thousands_apart_and_nothing_is_not_zero(value, said):
    assert filters.n(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.084, "84 ms"),
        (1, "1 s"),
        (59.95, "60 s"),
        (61, "1 min 1 s"),
        (7200, "2 h"),
        (7384, "2 h 3 min"),
        (90_061, "1 d 1 h"),
        (timedelta(days=30), "30 d"),
    ],
)
def test_durations_have_two_units_at_most(seconds, said):
    assert filters.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (4_200_000, "4.2 MB"), (512_000, "512 kB"), (10**15, "1000 TB")],
)
def test_sizes_take_the_unit_that_fits(count, said):
    assert filters.size(count) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ines Okafor", "IO"),
        ("mei", "ME"),
        ("ci-bot@example.org", "CO"),
        ("", "?"),
        ("Åsa", "ÅS"),
        ("--", "?"),
    ],
)
def test_initials_are_two_letters_of_the_name(name, said):
    assert filters.initials(name) == said


def test_json_for_scripts_cannot_end_its_block():
    text = filters.script_json({"x": "</script><!--\u2028&"})
    assert "<" not in text
    assert ">" not in text
    assert "&" not in text
    assert "\u2028" not in text


def test_highlighted_json_escapes_everything():
    text = filters.highlight_json({"<k>": ["<v>", 1.5, True, None]})
    assert "<k>" not in text
    assert '<span class="k">&#34;&lt;k&gt;&#34;</span>' in text
    assert '<span class="w">true</span>' in text


def test_a_document_longer_than_a_page_is_cut_and_says_so():
    text = filters.pretty_json("x" * (filters.LONGEST_JSON + 10))
    assert len(text) < filters.LONGEST_JSON + 100
    assert "cut here" in text


def test_a_difference_shows_signs_and_texts():
    assert list(filters.diff_lines("a\nb", "a\nc"))[1:] == [(" ", "a"), ("-", "b"), ("+", "c")]
    assert list(filters.diff_lines("same", "same")) == []


def test_lines_that_look_like_diff_headers_are_kept():
    assert ("-", "-- ") in list(filters.diff_lines("-- \nx", "x"))


def test_a_difference_of_huge_texts_is_not_tried():
    assert [sign for sign, _ in filters.diff_lines("x\n" * 5000, "")] == ["@"]


def test_backticks_become_code_and_nothing_else_becomes_markup():
    assert filters.code_spans("run `a<b` & go") == "run <code>a&lt;b</code> &amp; go"
