"""One pass finds what each pattern would find alone, whatever the text does to slow it down."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.backtracking import plainly_linear
from alcaide.instruments.guard.detector import Pattern
from alcaide.instruments.guard.engine import HITS_PER_PATTERN, PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Passage
from alcaide.kernel.errors import InvalidInput

PATTERNS = (
    Pattern("key", r"\bkey-[a-z0-9]{4,20}\b", ("key-",), after=20),
    Pattern("mail", r"\b[a-z.]{1,20}@[a-z]{1,20}\.com\b", ("@",), before=20, after=24),
    Pattern(
        "ignore",
        r"\b(?:ignore|disregard)\s{1,3}(?:all\s{1,3})?(?P<what>rules|orders)\b",
        ("ignore", "disregard"),
    ),
    Pattern("nested", r"\bx(?:-[a-z]{1,9}){2,4}\b", ("x-",), after=44),
    Pattern("Case", r"\bKEY[0-9]{2,4}\b", ("key",), case_sensitive=True),
)
ENGINE = PatternEngine({"one": PATTERNS[:2], "two": PATTERNS[2:]})


def hits(text: str) -> list[tuple[str, str]]:
    found = ENGINE.hits(as_written(Passage(text)))
    return [(hit.rule, text[hit.start : hit.end]) for one in ("one", "two") for hit in found.get(one, [])]


def alone(text: str) -> set[tuple[str, int, int]]:
    """What `re` finds for each pattern by itself: leftmost and without overlaps."""
    return {
        (pattern.rule, *match.span())
        for pattern in PATTERNS
        for match in re.finditer(
            pattern.regex,
            text if pattern.case_sensitive else text.lower(),
            # What is not plainly linear runs on RE2, whose word boundary knows ASCII alone.
            0 if plainly_linear(pattern.regex) else re.ASCII,
        )
    }


PIECES = st.sampled_from(
    [
        "key-",
        "abcd",
        "1234",
        " ",
        "@",
        "a.b",
        "x.com",
        "ignore ",
        "all ",
        "rules",
        "Orders",
        "x-",
        "x-ab-cd",
        "-ef",
        "KEY12",
        "é",
        "日",
        "\n",
        ".",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=200, deadline=None)
def test_it_finds_what_each_pattern_finds_alone(text):
    found = {
        (hit.rule, hit.start, hit.end)
        for one in ENGINE.hits(as_written(Passage(text))).values()
        for hit in one
    }

    assert found == alone(text)


@given(st.lists(PIECES, min_size=60, max_size=400).map("".join))
@settings(max_examples=30, deadline=None)
def test_a_text_so_full_of_anchors_that_it_is_swept_gives_the_same(text):
    text = ("key-key-@@ " * 40) + text
    found = {
        (hit.rule, hit.start, hit.end)
        for one in ENGINE.hits(as_written(Passage(text))).values()
        for hit in one
    }

    assert found == alone(text)


def test_groups_are_given_in_offsets_of_the_text():
    text = "é please Ignore  all orders"
    (hit,) = ENGINE.hits(as_written(Passage(text)))["two"]

    start, end = hit.groups["what"]
    assert text[start:end] == "orders"


def test_an_anchor_on_the_border_of_two_blocks_is_found():
    text = "a" * ((1 << 20) - 3) + " key-abcd "

    assert hits(text) == [("key", "key-abcd")]


def test_a_text_of_nothing_but_matches_gives_a_bounded_number():
    text = "key-abcd " * 100_000

    assert len(hits(text)) == HITS_PER_PATTERN


@pytest.mark.parametrize("text", ["key-" * 100_000, "@" * 200_000, "x-a" * 100_000, "ignore all " * 50_000])
def test_a_text_made_of_anchors_ends(text):
    hits(text)


def test_a_pattern_without_an_anchor_is_refused_by_name():
    with pytest.raises(InvalidInput, match="`d/free`"):
        PatternEngine({"d": [Pattern("free", "a+", ())]})
    with pytest.raises(InvalidInput, match="`d/upper`"):
        PatternEngine({"d": [Pattern("upper", "A", ("A",))]})


@pytest.mark.parametrize("regex", [r"(a)\1", r"(?=a)a", "(", "a{5000}{5000}"])
def test_what_re2_does_not_take_is_refused_by_name(regex):
    engine = PatternEngine({"d": [Pattern("bad", regex, ("a",))]})

    with pytest.raises(InvalidInput, match="`d/bad`"):
        engine.check()


@pytest.mark.parametrize(
    "regex", [r"(a+)+b", r"(a|a)*b", r"(\w+\s+)+x", r"a*a*b", r"(?:x[a-z]{0,99}){9,99}", r"(a)\1", "("]
)
def test_a_pattern_that_may_explode_is_not_called_linear(regex):
    assert not plainly_linear(regex)


@pytest.mark.parametrize(
    "regex", [r"key-[a-z]{4,40}", r"a+b", r"(?:ab|cd)e?", r"x{3}[0-9]+", r"[a-z]{1,8}=[a-z]{1,8}"]
)
def test_a_pattern_with_one_open_end_is_linear(regex):
    assert plainly_linear(regex)


def test_every_pattern_that_ships_compiles_on_re2():
    from alcaide.instruments.guard.detector import Detector
    from alcaide.instruments.guard.registry import load_detectors

    found = [one for one in load_detectors() if isinstance(one, Detector)]

    PatternEngine({one.name: one.patterns for one in found}).check()
    assert sum(len(one.patterns) for one in found) > 300


def test_only_what_is_wanted_is_looked_for():
    layer = as_written(Passage("key-abcd and ignore all rules"))
    assert set(ENGINE.hits(layer)) == {"one", "two"}
    assert set(ENGINE.hits(layer, frozenset(("two",)))) == {"two"}
    assert ENGINE.hits(layer, frozenset()) == {}
