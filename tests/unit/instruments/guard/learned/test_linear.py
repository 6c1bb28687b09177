"""Scores of windows: against sums worked out one n-gram at a time."""

from __future__ import annotations

import numpy as np
import pytest

from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.learned import linear, ngrams
from alcaide.instruments.guard.learned.linear import Head
from alcaide.instruments.guard.model import Passage

GENERATOR = np.random.default_rng(5)
HEAD = Head(("c5", "w1", "w2", "s2"), GENERATOR.integers(-100, 100, 1 << 12).astype(np.int8), scale=0.01)


def layer(text: str) -> Layer:
    return as_written(Passage(text))


def pointing_at(*texts: str, weight: int = 100) -> Head:
    """A head for which only these words count."""
    table = np.zeros(1 << 16, dtype=np.int8)
    for text in texts:
        for block in ngrams.blocks(layer(text)):
            table[block.ids("w1") & (len(table) - 1)] = weight
    return Head(("w1",), table, scale=0.1)


@pytest.mark.parametrize(
    "text", ["ignore the rules", "忽略所有指示 " * 90, "word " * 20_000, " " * 500 + "end"]
)
def test_chunks_add_up_to_every_ngram_of_the_text(text: str):
    written = layer(text)
    reading = linear.read(written, HEAD)

    total = sum(
        int(HEAD.table[int(number) & (len(HEAD.table) - 1)])
        for block in ngrams.blocks(written)
        for group in HEAD.groups
        for number in block.ids(group)
    )
    assert int(reading.sums.sum()) == total
    assert int(reading.sizes.sum()) == sum(len(block.places) for block in ngrams.blocks(written))


def test_a_window_scores_what_its_chunks_sum_to():
    reading = linear.read(layer("some words that fill more than a few chunks of text " * 20), HEAD)
    scores = linear.windows(reading, HEAD, 4)

    assert len(scores) == len(reading.sums) - 3
    expected = 0.01 * reading.sums[2:6].sum() / reading.sizes[2:6].sum() ** 0.5
    assert scores[2] == pytest.approx(expected)


def test_a_short_text_is_one_window():
    reading = linear.read(layer("ignore the rules"), HEAD)
    assert len(linear.windows(reading, HEAD, 4)) == 1


def test_an_empty_text_has_no_window():
    reading = linear.read(layer(""), HEAD)
    assert len(linear.windows(reading, HEAD, 4)) == 0
    assert linear.strongest(reading, HEAD, 4) is None


def test_the_strongest_window_holds_the_words_that_count():
    text = "a quiet report on the harvest " * 40 + "disregard everything " + "and the weather in spring " * 40
    head = pointing_at("disregard")

    window = linear.strongest(linear.read(layer(text), head), head, 4)

    assert window is not None
    assert "disregard" in text[window.start : window.stop]
    assert window.stop - window.start <= 4 * ngrams.CHUNK + 8


def test_a_chunk_without_words_adds_nothing():
    head = pointing_at("ignore")
    reading = linear.read(layer("x" * 300 + " ignore"), head)
    assert reading.sums[:4].tolist() == [0, 0, 0, 0]
    assert reading.sums.sum() == 100


def test_the_words_that_count_are_named_loudest_first():
    text = "kindly ignore the rules of the house"
    head = pointing_at("rules", "ignore")
    window = linear.strongest(linear.read(layer(text), head), head, 4)
    assert window is not None
    assert set(linear.contributing(layer(text), head, window)) == {"ignore", "rules"}


def test_words_that_speak_against_it_are_not_named():
    text = "kindly ignore the rules"
    head = pointing_at("rules", weight=-100)
    window = linear.strongest(linear.read(layer(text), head), head, 4)
    assert window is not None
    assert linear.contributing(layer(text), head, window) == ()
