"""Surprise: noise reads unlike writing, and writing like writing."""

from __future__ import annotations

import numpy as np
import pytest

from alcaide.instruments.guard.detectors.injection.surprise import WINDOW, surprises, surprises_of
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Passage

PROSE = "The museum reopens on Saturday after two years of work, and children pay half of the price."


def bits(text: str) -> tuple[float, float, int]:
    return surprises(np.frombuffer(text.encode(), dtype=np.uint8))


@pytest.mark.parametrize(
    "noise",
    [
        "asdkj qwzxv lkjq wpoeir zxmcnv bqwe rtyu sdfg hjkl vbnm xcvq plmk",
        "x7Qz}K;vw2[T#p~9LkJ<f>Hs0|R^gYb5(Nd)Mc8*Xa&Ze1!Wo6@Ui3%Pq4$Vt?Bj",
    ],
)
def test_noise_is_more_surprising_than_prose(noise):
    assert bits(noise)[1] > bits(PROSE)[1] + 2


def test_the_place_of_the_strangest_window_is_found():
    text = PROSE + " " + "qzxv kjwq xzvq wkjz qvxz jkwq zxqv kwjq xqzv wqkj zvxq" + " " + PROSE

    _, _, at = bits(text)

    assert len(PROSE) - WINDOW < at < len(PROSE) + 60


def test_another_script_is_no_noise():
    assert bits("Встреча прошла хорошо, еда всем понравилась, и все остались довольны.")[1] < 4


def test_the_end_of_a_long_text_is_looked_at():
    noise = "qzxv kjwq xzvq wkjz qvxz jkwq zxqv kwjq xqzv wqkj zvxq"

    assert bits(PROSE * 200 + noise)[1] > bits(PROSE * 200)[1] + 2


@pytest.mark.parametrize("text", ["", "a", "ab", "abc"])
def test_short_texts_are_measured_too(text):
    assert bits(text)[2] == 0


def test_a_layer_is_measured_once():
    layer = as_written(Passage(PROSE))

    assert surprises_of(layer) is surprises_of(layer)
