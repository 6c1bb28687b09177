"""A paragraph of a confidential document is known again though edited; its like in the same trade is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.classification import Document, FingerprintStore
from alcaide.instruments.guard.detectors.classification.shingles import SHINGLE, WINDOW, shingles
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.classification.texts import PLAN, SAME_TRADE, edited


def a_store(*texts: str) -> FingerprintStore:
    return FingerprintStore.of_texts(
        (Document(f"plan-{index}", "board"), text) for index, text in enumerate(texts)
    )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("paragraph", range(len(PLAN)))
def test_a_paragraph_with_a_fifth_of_its_words_changed_is_recognised(paragraph, seed):
    store = a_store(*PLAN)
    pasted = f"Hello, could you shorten this for me? {edited(PLAN[paragraph], 0.2, seed)} Thanks a lot!"
    surest, *others = store.match(pasted.lower())
    assert {match.document.id for match in (surest, *others)} == {f"plan-{paragraph}"}
    assert surest.score >= 0.5


@pytest.mark.parametrize("text", SAME_TRADE)
def test_a_text_of_the_same_trade_is_not(text):
    assert a_store(*PLAN).match(text.lower()) == []


def test_the_span_is_what_was_pasted_and_not_what_stands_around_it():
    before, after = (
        "Dear all, lunch is at noon today as always. ",
        " See you there, and bring your own mug please.",
    )
    (match,) = a_store(*PLAN).match((before + PLAN[0] + after).lower())
    found = (before + PLAN[0] + after)[match.start : match.end]
    assert found in PLAN[0]
    assert len(found) > 0.9 * len(PLAN[0])


def test_case_punctuation_and_line_breaks_do_not_matter():
    disguised = PLAN[1].upper().replace(" ", "  \n").replace(",", " –")
    (match,) = a_store(*PLAN).match(disguised.lower())
    assert match.similarity > 0.9


def test_japanese_is_recognised_though_it_has_no_spaces():
    text = "来期の新製品は三月に発表する予定であり、価格は九百八十円とする。競合他社には発表まで一切知らせないこと。"
    (match,) = a_store(text).match("参考までに。" + text[:40] + "以上です。")
    assert match.score >= 0.5
    assert a_store(text).match("来期の天気は三月まで寒い予定であり、暖房の価格は上がるとみられている。") == []


def test_any_run_of_copied_words_shares_a_fingerprint_with_its_source():
    words = PLAN[0].lower().split()
    source = set(shingles(PLAN[0].lower()).hashes.tolist())
    length = SHINGLE + WINDOW - 1
    for start in range(len(words) - length):
        copied = (
            "quite other words before this one "
            + " ".join(words[start : start + length])
            + " and after it all"
        )
        assert source & set(shingles(copied).hashes.tolist())


def test_boilerplate_in_many_documents_says_nothing():
    footer = (
        "this message is intended only for the person to whom it is addressed and may hold privileged matter"
    )
    store = FingerprintStore.of_texts(
        (Document(f"mail-{index}", "mail"), f"{footer} number {index} {PLAN[0] if index == 0 else ''}")
        for index in range(12)
    )
    assert store.match(footer) == []
    assert store.match(PLAN[0].lower())[0].document.id == "mail-0"


def test_merging_keeps_both_and_the_newer_of_a_document_that_both_have():
    old = FingerprintStore.of_texts([(Document("a", "old"), PLAN[0]), (Document("b", "old"), PLAN[1])])
    new = FingerprintStore.of_texts([(Document("a", "new"), SAME_TRADE[0])])
    merged = old.merged(new)
    assert sorted((document.id, document.label) for document in merged.documents) == [
        ("a", "new"),
        ("b", "old"),
    ]
    assert merged.match(PLAN[0].lower()) == []
    assert merged.match(SAME_TRADE[0].lower())[0].document == Document("a", "new")
    assert merged.match(PLAN[1].lower())[0].document == Document("b", "old")


def test_every_fingerprint_of_a_store_passes_its_filter_and_few_strangers_do():
    random = np.random.default_rng(1)
    hashes = random.integers(0, 2**63, 50_000, dtype=np.uint64) * np.uint64(2)
    store = FingerprintStore.of_arrays(hashes, np.zeros(len(hashes), dtype=np.uint32), [Document("a", "b")])
    assert store._may_hold(store.hashes).all()
    strangers = random.integers(0, 2**63, 50_000, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    assert store._may_hold(strangers).mean() < 0.05


@pytest.mark.parametrize("texts", [[], ["three words only"]])
def test_nothing_to_recognise_by_is_refused(texts):
    with pytest.raises(InvalidInput):
        a_store(*texts)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_shingles_within_it(text):
    made = shingles(text.lower())
    assert len(made.hashes) == len(made.words)
    assert (made.starts < made.ends).all()
    assert not len(made.ends) or made.ends[-1] <= len(text.lower())


def test_a_text_longer_than_a_block_is_read_through_the_seam():
    filler = "so it goes on and on without end " * 9000
    (match,) = a_store(*PLAN).match(filler + PLAN[0].lower() + filler)
    assert match.document.id == "plan-0"
