"""Dates and ages, and numbers that only their label makes what they are."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from tests.unit.instruments.guard.personal_data.finding import findings, found, kinds

NAMELESS = PersonalData(names=False)


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("born on 05/12/1985", "DATE_OF_BIRTH", "05/12/1985"),
        ("DOB: 1985-05-12", "DATE_OF_BIRTH", "1985-05-12"),
        ("geboren am 3. März 1970", "DATE_OF_BIRTH", "3. März 1970"),
        ("on May 5, 1999 we met", "DATE_TIME", "May 5, 1999"),
        ("2023-10-01T12:00:00Z", "DATE_TIME", "2023-10-01T12:00:00Z"),
        ("the 3rd of January 2020", "DATE_TIME", "3rd of January 2020"),
        ("founded in 1987.", "DATE_TIME", "1987"),
        ("see you on Tuesday", "DATE_TIME", "Tuesday"),
        ("meet at 6:30 PM", "DATE_TIME", "6:30 PM"),
        ("a 28 year old woman", "AGE", "28"),
        ("she turned 79", "AGE", "79"),
        ("I'm 54 y/o", "AGE", "54"),
        ("age: 33", "AGE", "33"),
        ("Account Number: 123456789", "ACCOUNT_NUMBER", "123456789"),
        ("policy number POL123456", "POLICY_NUMBER", "POL123456"),
        ("MRN: 00458231", "MEDICAL_RECORD_NUMBER", "00458231"),
        ("Patient ID: 789012", "MEDICAL_RECORD_NUMBER", "789012"),
        ("employee id E-10442", "EMPLOYEE_ID", "E-10442"),
        ("username: jdoe_92", "USERNAME", "jdoe_92"),
        ("my passport number is 512345678", "PASSPORT_NUMBER", "512345678"),
        ("driver's license number is A56319335", "US_DRIVER_LICENSE", "A56319335"),
        ("zip code 90210", "ZIP_CODE", "90210"),
        ("London SW1A 1AA", "ZIP_CODE", "SW1A 1AA"),
        ("VIN 1HGCM82633A004352", "VEHICLE_ID", "1HGCM82633A004352"),
        ("license plate: B-AB 1234", "LICENSE_PLATE", "B-AB 1234"),
        ("diagnosed with type 2 diabetes", "MEDICAL_CONDITION", "diabetes"),
        ("she is a devout catholic", "RELIGION", "catholic"),
        ("he is openly gay", "SEXUAL_ORIENTATION", "gay"),
    ],
)
def test_what_the_words_beside_it_make_it(text: str, kind: str, written: str) -> None:
    assert (kind, written) in found(text, detector=NAMELESS)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("version 1.2.30", "DATE_TIME"),
        ("40-50-60", "DATE_TIME"),
        ("in 2000 cases", "DATE_TIME"),
        ("a 28 minute walk", "AGE"),
        ("it turned 180 degrees", "AGE"),
        ("my account is closed", "ACCOUNT_NUMBER"),
        ("username is required", "USERNAME"),
        ("the patient is stable", "MEDICAL_RECORD_NUMBER"),
        ("diabetes is a disease", "MEDICAL_CONDITION"),
        ("the catholic church in Rome", "RELIGION"),
        ("license plates are metal", "LICENSE_PLATE"),
    ],
)
def test_without_those_words_it_is_not(text: str, kind: str) -> None:
    assert kind not in kinds(text, detector=NAMELESS)


def test_special_categories_carry_the_article() -> None:
    (one,) = findings("diagnosed with asthma", detector=NAMELESS)

    assert "gdpr:2016-679/art-9" in one.taxonomy
