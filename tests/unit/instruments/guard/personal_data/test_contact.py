"""E-mail addresses, telephone numbers, machines' addresses and people's pages."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from tests.unit.instruments.guard.personal_data.finding import findings, found, kinds

NAMELESS = PersonalData(names=False)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("write to jane.doe+x@mail.example.com.", "jane.doe+x@mail.example.com"),
        ("<jürgen@bücher.example>", "jürgen@bücher.example"),
        ("jane at corp dot com", "jane at corp dot com"),
        ("jane.doe[at]corp[dot]com", "jane.doe[at]corp[dot]com"),
        ("mailto:a_b@c-d.example?subject=x", "a_b@c-d.example"),
    ],
)
def test_an_address_is_found_whole(text: str, written: str) -> None:
    assert ("EMAIL_ADDRESS", written) in found(text, detector=NAMELESS)


@pytest.mark.parametrize(
    "text", ["meet me at example.com", "@app.route('/')", "x = a @ b", "user@", "look at that dot"]
)
def test_an_at_sign_or_word_alone_is_no_address(text: str) -> None:
    assert "EMAIL_ADDRESS" not in kinds(text, detector=NAMELESS)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("call (555) 123-4567", "(555) 123-4567"),
        ("phone: 555-1234", "555-1234"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
        ("reach me on +1-650-253-0000 x12", "+1-650-253-0000 x12"),
        ("Tel. 030/90 12 34 56", "030/90 12 34 56"),
        ("my mobile is 07700 900 982", "07700 900 982"),
        ("Fax: 9498777106", "9498777106"),
        ("650-253-0000", "650-253-0000"),
        ("+4915123456789", "+4915123456789"),
    ],
)
def test_a_telephone_number_is_found_whole(text: str, written: str) -> None:
    assert ("PHONE_NUMBER", written) in found(text, detector=NAMELESS)


@pytest.mark.parametrize(
    "text",
    [
        "order 555123987",
        "policy number is 987654321. Phone us any time",
        "2023-10-01 12:00:00",
        "pages 123-4567 of the log",
        "ISBN 0-306-40615-2",
        "ratio 3.1415926535",
        "version 10.15.7",
        "call 12 people in 2019",
        "1234567 rows",
    ],
)
def test_other_numbers_are_no_telephone(text: str) -> None:
    assert "PHONE_NUMBER" not in kinds(text, detector=NAMELESS)


def test_a_national_number_is_asked_of_the_country_that_is_known() -> None:
    detector = NAMELESS.configured({"home": ["FR"]})

    (one,) = findings("01 70 18 99 00", detector=detector)

    assert (one.category, one.evidence["valid"]) == ("PHONE_NUMBER", True)


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("from 203.0.113.77 at night", "IP_ADDRESS", "203.0.113.77"),
        ("2001:db8:85a3::8a2e:370:7334", "IP_ADDRESS", "2001:db8:85a3::8a2e:370:7334"),
        ("fe80::1ff:fe23:4567:890a%eth0", "IP_ADDRESS", "fe80::1ff:fe23:4567:890a"),
        ("card 00:1B:44:11:3A:B7 is up", "MAC_ADDRESS", "00:1B:44:11:3A:B7"),
        ("see https://www.linkedin.com/in/jane-doe.", "URL", "https://www.linkedin.com/in/jane-doe"),
        ("ping @jane_doe92 later", "USERNAME", "@jane_doe92"),
    ],
)
def test_addresses_of_machines_and_pages(text: str, kind: str, written: str) -> None:
    assert (kind, written) in found(text, detector=NAMELESS)


@pytest.mark.parametrize(
    "text", ["version 1.2.3.4", "at 12:30:45", "std::vector::at", "a::b", "10:20:30:40", "999.1.1.1"]
)
def test_versions_clocks_and_scopes_are_no_addresses(text: str) -> None:
    assert not kinds(text, detector=NAMELESS) & {"IP_ADDRESS", "MAC_ADDRESS"}


def test_a_page_of_a_person_matters_more_than_a_page() -> None:
    (person,) = findings("https://github.com/jane-doe", detector=NAMELESS)
    (page,) = findings("https://docs.example.org/guide", detector=NAMELESS)

    assert (person.level, page.level) == ("warning", "note")
