"""The learned tagger: names, places, organisations, addresses, and capitals that are none of these."""

from __future__ import annotations

import numpy as np
import pytest

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from alcaide.instruments.guard.detectors.personal_data.reading import Reading
from alcaide.instruments.guard.detectors.personal_data.tagger import features as seeing
from alcaide.instruments.guard.detectors.personal_data.tagger.model import CLASSES, shipped, tag
from tests.unit.instruments.guard.personal_data.finding import found, kinds


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("My name is Oluwaseun Fashanu-Reid and I am late.", "PERSON", "Oluwaseun Fashanu-Reid"),
        ("Please ask Dr. Marguerite Delacroix about it.", "PERSON", "Marguerite Delacroix"),
        ("please tell monika that i am late", "PERSON", "monika"),
        ("She moved from Ljubljana to Montevideo.", "LOCATION", "Montevideo"),
        ("I ordered it from Harrowgate Foods Ltd. last week", "ORGANIZATION", "Harrowgate Foods Ltd."),
        ("He married a Hungarian woman.", "NRP", "Hungarian"),
        ("To 48 Larkspur Lane, Dayton, OH 45402 please.", "STREET_ADDRESS", "48 Larkspur Lane, Dayton, OH 45402"),
        ("Ich wohne in der Lindenstraße 14, 50674 Köln.", "STREET_ADDRESS", "Lindenstraße 14, 50674 Köln"),
        ("Mrs. Pettigrew left.", "TITLE", "Mrs."),
    ],
)  # fmt: skip
def test_names_are_found_whole(text: str, kind: str, written: str) -> None:
    assert (kind, written) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please Read The Terms And Conditions Carefully.",
        "Explain how Kubernetes schedules pods on Linux.",
        "Convert 100 Fahrenheit to Celsius.",
        "Der Preis beträgt 20 Euro, das Mehl kostet 3 Euro.",
        "ERROR: Connection Refused",
        "200 磅胡萝卜要分配给某座城市的 40 家餐厅",
    ],
)
def test_other_capitals_are_nobodys(text: str) -> None:
    assert not kinds(text) & {"PERSON", "STREET_ADDRESS", "ORGANIZATION"}


def test_without_names_only_what_has_a_form_is_found() -> None:
    text = "Jessica Alvarez, jessica@example.com"

    assert kinds(text, detector=PersonalData(names=False)) == {"EMAIL_ADDRESS"}
    assert "PERSON" in kinds(text)


def test_a_hash_depends_on_the_word_alone_and_not_on_where_it_stands() -> None:
    text = "Anna met anna; ANNA met Annabel"
    words = seeing.Words(Reading(text, text.lower()))
    hashes = words.hashes.tolist()

    assert hashes[0] == hashes[2] == hashes[3]
    assert hashes[5] != hashes[0]
    assert words.hash(words.starts, np.minimum(words.starts + 4, words.ends)).tolist()[5] == hashes[0]


def test_words_are_the_same_in_ascii_and_beside_other_letters() -> None:
    plain, mixed = "Tom was in Paris 2019", "Tom was in Paris 2019 · é"
    one, other = (seeing.Words(Reading(text, text.lower())) for text in (plain, mixed))

    assert other.hashes[: one.count].tolist() == one.hashes.tolist()
    assert other.kinds[: len(plain)].tolist() == one.kinds.tolist()


def test_a_long_text_is_tagged_as_a_short_one_is() -> None:
    line = "Yesterday Tobias Kühn met Elena Marchetti in Rotterdam about the contract.\n"
    short = {(one.entity, line[one.start : one.end]) for one in tag(Reading(line, line.lower()))}
    text = line * 300

    long = {(one.entity, text[one.start : one.end]) for one in tag(Reading(text, text.lower()))}

    assert ("PERSON", "Tobias Kühn") in short
    assert long == short


def test_the_weights_are_small_and_whole() -> None:
    weights = shipped()

    assert weights.table.shape == (1 << seeing.HASH_BITS, CLASSES)
    assert np.isfinite(weights.second).all()
    assert (np.diff(weights.calibration) >= 0).all()
