"""Identifiers are known by shape, checksum and the words beside them; each has a twin that is none."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from alcaide.instruments.guard.detectors.personal_data.identifiers import IDENTIFIERS, pack, shape_of
from alcaide.instruments.guard.model import Context
from tests.unit.instruments.guard.personal_data.finding import findings, found, kinds

NAMELESS = PersonalData(names=False)

NAMED = [
    ("my SSN is 123-45-6789", "US_SSN", "123-45-6789"),
    ("ITIN: 912-70-1234", "US_ITIN", "912-70-1234"),
    ("EIN 04-2103594", "US_EIN", "04-2103594"),
    ("his NHS number is 943 476 5919", "UK_NHS", "943 476 5919"),
    ("national insurance number AB 12 34 56 C", "UK_NINO", "AB 12 34 56 C"),
    ("SIN 046 454 286", "CA_SIN", "046 454 286"),
    ("Steuer-ID 36 574 261 809", "DE_TAX_ID", "36 574 261 809"),
    ("numéro de sécurité sociale 2 95 10 99 126 111 93", "FR_NIR", "2 95 10 99 126 111 93"),
    ("DNI 54362315K", "ES_NIF", "54362315K"),
    ("NIE X-2482300W", "ES_NIE", "X-2482300W"),
    ("codice fiscale RCCMNL83S18D969H", "IT_FISCAL_CODE", "RCCMNL83S18D969H"),
    ("BSN 111222333", "NL_BSN", "111222333"),
    ("rijksregister 85.07.30-033.28", "BE_NATIONAL_NUMBER", "85.07.30-033.28"),
    ("PESEL 44051401359", "PL_PESEL", "44051401359"),
    ("NIP 526-104-08-28", "PL_NIP", "526-104-08-28"),
    ("personnummer 880320-0016", "SE_PERSONNUMMER", "880320-0016"),
    ("fødselsnummer 15108695088", "NO_FODSELSNUMMER", "15108695088"),
    ("CPR 211062-5629", "DK_CPR", "211062-5629"),
    ("hetu 131052-308T", "FI_HETU", "131052-308T"),
    ("AHV-Nummer 756.9217.0769.85", "CH_AHV", "756.9217.0769.85"),
    ("rodné číslo 710319/2745", "CZ_BIRTH_NUMBER", "710319/2745"),
    ("CNP 1630615123457", "RO_CNP", "1630615123457"),
    ("AMKA 01013099997", "GR_AMKA", "01013099997"),
    ("Aadhaar 2341 2341 2346", "IN_AADHAAR", "2341 2341 2346"),
    ("PAN ACUPA7085R", "IN_PAN", "ACUPA7085R"),
    ("身份证 360426199101010071", "CN_RESIDENT_ID", "360426199101010071"),
    ("RRN 971013-9019902", "KR_RRN", "971013-9019902"),
    ("CPF 390.533.447-05", "BR_CPF", "390.533.447-05"),
    ("CNPJ 16.727.230/0001-97", "BR_CNPJ", "16.727.230/0001-97"),
    ("CURP BOXW310820HNERXN09", "MX_CURP", "BOXW310820HNERXN09"),
    ("TFN 123 456 782", "AU_TFN", "123 456 782"),
    ("Medicare 2123 45670 1", "AU_MEDICARE", "2123 45670 1"),
    ("ID number 7503305044089", "ZA_ID", "7503305044089"),
    ("NRIC S1234567D", "SG_NRIC", "S1234567D"),
    ("T.C. kimlik no 17291716060", "TR_TCKN", "17291716060"),
    ("teudat zehut 123456782", "IL_ID", "123456782"),
]


@pytest.mark.parametrize(("text", "kind", "written"), NAMED)
def test_an_identifier_that_is_spoken_of_is_found_whole(text: str, kind: str, written: str) -> None:
    assert (kind, written) in found(text, detector=NAMELESS)


@pytest.mark.parametrize(
    "text",
    [
        "order 123456789 shipped",
        "build 20231105 of version 10.4.2.1",
        "the invoice total is 1234567.89",
        "ISBN 978-3-16-148410-0",
        "commit 3f2504e04f8964ba and 9c8b7a6d5e4f",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "2.718281828459045 and 3.14159265",
        "1, 2, 3, 4, 5, 6, 7, 8, 9",
        "timestamp 1699999999999",
        "part number 12-345-678 rev 4",
        "8.8 × 10^12 and 1000000 tokens",
    ],
)
def test_other_numbers_are_nobodys(text: str) -> None:
    assert not kinds(text, detector=NAMELESS) - {"DATE_TIME"}


def test_a_failed_checksum_lowers_the_score_and_says_so() -> None:
    (right,) = findings("PESEL: 44051401359", detector=NAMELESS)
    (wrong,) = findings("PESEL: 44051401358", detector=NAMELESS)

    assert right.score > 0.95 > wrong.score >= 0.5
    assert (right.evidence["checksum"], wrong.evidence["checksum"]) == ("holds", "fails")
    assert "do not hold" in wrong.message


def test_without_a_word_nine_digits_are_no_social_insurance_number() -> None:
    assert "CA_SIN" not in kinds("046454286", detector=NAMELESS)
    assert "CA_SIN" in kinds("046454286 is her social insurance", detector=NAMELESS)


def test_a_country_that_the_text_concerns_is_believed_on_less() -> None:
    text = "klient 44051401359 dzwonił"

    assert "PL_PESEL" not in kinds(text, detector=NAMELESS)
    assert "PL_PESEL" in kinds(text, detector=NAMELESS, context=Context(countries=("PL",)))


def test_a_country_pack_left_out_finds_nothing() -> None:
    german = NAMELESS.configured({"countries": ["DE"]})

    assert "PL_PESEL" not in kinds("PESEL 44051401359", detector=german)
    assert "DE_TAX_ID" in kinds("Steuer-ID 36 574 261 809", detector=german)


def test_every_shape_is_written_in_digits_letters_and_separators() -> None:
    for one in IDENTIFIERS:
        assert one.words, one.entity
        assert one.entity == one.entity.upper()
        for shape in one.shapes:
            assert one in pack(frozenset())[shape]


def test_a_shape_keeps_separators_and_forgets_the_rest() -> None:
    assert shape_of("AB 12-3c") == "AA 99-9A"


def test_messages_never_repeat_what_was_found() -> None:
    for text, _, written in NAMED:
        for one in findings(text, detector=NAMELESS):
            assert written not in one.message
            assert written not in str(dict(one.evidence))
