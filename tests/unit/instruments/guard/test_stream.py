"""A text that arrives in pieces is treated as if it had arrived whole, and nothing is let go too early."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard import Action, Context, Pseudonyms
from alcaide.kernel.errors import Conflict, InvalidInput
from tests.unit.instruments.guard.test_guard import BLOCK, KEY, REDACT, a_guard

WORDS = st.sampled_from(
    ["hello ", "key-", "abcd1234 ", KEY + " ", "key-" + "x" * 50 + " ", "é ", "k", "ey-0000\n", "fire "]
)


@given(st.lists(WORDS, max_size=80).map("".join), st.lists(st.integers(1, 90), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_however_it_is_cut_the_outcome_is_that_of_the_whole(text, cuts):
    guard = a_guard(REDACT)
    whole = guard.redact(text, context=Context(direction="out"))

    stream = guard.stream(window=64, pseudonyms=Pseudonyms())
    out, at = "", 0
    for number in range(len(text)):
        size = cuts[number % len(cuts)]
        if at >= len(text):
            break
        out += stream.feed(text[at : at + size])
        at += size
    out += stream.close()

    assert out == whole.text
    assert [(f.rule, f.span) for f in stream.report.findings] == [
        (f.rule, f.span) for f in whole.report.findings
    ]


@given(st.text(alphabet="ab key-19", max_size=400), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_a_character_that_can_still_become_part_of_a_finding_is_held(text, size):
    guard = a_guard(REDACT)
    stream = guard.stream(window=64)
    out = ""
    for at in range(0, len(text), size):
        out += stream.feed(text[at : at + size])
        assert len(out.replace("[SECRET_", "")) <= max(0, at + size)
        assert "key-" not in out or not guard.check(out, context=Context(direction="out")).findings


def test_a_secret_cut_in_five_is_redacted_before_a_character_of_it_leaves():
    stream = a_guard(REDACT).stream(window=64)
    pieces = ["Your key is k", "ey-a", "bcd", "12", "34. Keep it safe. " + "Bye. " * 40]

    sent = [stream.feed(piece) for piece in pieces]
    sent.append(stream.close())

    assert sent[:4] == ["", "", "", ""]
    assert "".join(sent).startswith("Your key is [SECRET_1]. Keep it safe.")
    assert "key-" not in "".join(sent).replace("Your key is", "")


def test_nothing_follows_once_a_rule_blocks():
    stream = a_guard(BLOCK).stream(window=32)
    before = stream.feed("a" * 200)
    after = stream.feed(" fire! " + "b" * 300) + stream.feed("c" * 300) + stream.close()

    assert before == "a" * 168
    assert after == ""
    assert stream.stopped
    assert stream.report.action is Action.BLOCK


def test_the_lag_is_what_it_says():
    stream = a_guard(REDACT).stream(window=100)
    sent = 0
    for count in range(1, 2000):
        sent += len(stream.feed("x"))
        assert count - sent <= stream.lag


def test_a_growing_finding_is_held_until_it_ends():
    stream = a_guard(REDACT).stream(window=16)
    out = stream.feed("start " + "z " * 60 + "key-" + "a" * 50)
    held = stream.feed("b" * 5)
    rest = stream.feed(" end " + "y " * 60) + stream.close()

    assert "key-" not in out + held
    assert "[SECRET_1] end" in out + held + rest


def test_a_failing_detector_stops_the_stream_where_the_policy_holds_on_unknown():
    stream = a_guard(REDACT, detectors={"broken": None, "codeword": None}).stream(window=16)

    assert stream.feed("hello " * 40) + stream.close() == ""
    assert stream.report.action is Action.HOLD


def test_what_needs_the_whole_is_asked_when_it_is_complete():
    guard = a_guard(
        {"id": "e", "detector": "echo", "action": "block"}, detectors={"echo": None, "codeword": None}
    )
    stream = guard.stream(context=Context(direction="out", question="what? " * 40), window=32)
    stream.feed("what? " * 40)

    assert stream.close() == ""
    assert stream.report.action is Action.BLOCK


def test_a_closed_stream_takes_nothing_more():
    stream = a_guard(REDACT).stream()
    stream.close()

    assert stream.close() == ""
    with pytest.raises(Conflict):
        stream.feed("x")


@pytest.mark.parametrize("window", [0, 15, 10**9])
def test_a_window_without_sense_is_refused(window):
    with pytest.raises(InvalidInput):
        a_guard(REDACT).stream(window=window)
