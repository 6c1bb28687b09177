"""The marks of a block: the same whether they are looked at one by one or in whole-array steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.personal_data import reading
from alcaide.instruments.guard.detectors.personal_data.reading import Reading

TEXTS = st.text(st.sampled_from("0123459 -./()abcAF@:é\u0301中\n\u00a0٣_"), max_size=60)


def of_short_and_long(text: str, mark: str) -> tuple[object, object]:
    short, long = Reading(text, text.lower()), Reading(text, text.lower())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading, "_SHORT", -1)
        by_arrays = getattr(long, mark)
    return getattr(short, mark), by_arrays


@pytest.mark.parametrize("mark", ["clusters", "ats", "handles", "colons"])
@given(text=TEXTS)
def test_a_short_text_has_the_marks_that_a_long_one_has(mark: str, text: str):
    one_by_one, by_arrays = of_short_and_long(text, mark)
    assert one_by_one == by_arrays


def test_a_number_is_a_cluster_if_it_is_long_or_has_a_letter_near():
    text = "[5, 6, 123456] 7 rows"
    assert [text[start:end] for start, end, _ in Reading(text, text).clusters] == ["123456", "7"]
