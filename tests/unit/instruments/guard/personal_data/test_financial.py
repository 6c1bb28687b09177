"""Cards, bank accounts and crypto-currency addresses prove themselves by check digits."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from alcaide.instruments.guard.detectors.personal_data.financial import issuer_of, keccak256, luhn
from tests.unit.instruments.guard.personal_data.finding import found, kinds

NAMELESS = PersonalData(names=False)


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "3400 000000 00009", "6011000000000004",
     "3530111333300000", "30000000000004", "2223003122003222"],
)  # fmt: skip
def test_a_card_is_found_as_it_is_written(number: str) -> None:
    assert ("CREDIT_CARD", number) in found(f"charge {number} please", detector=NAMELESS)


def test_a_number_whose_luhn_digit_is_wrong_is_no_card_unless_called_one() -> None:
    assert "CREDIT_CARD" not in kinds("4111111111111112", detector=NAMELESS)
    assert "CREDIT_CARD" in kinds("my credit card 4111111111111112", detector=NAMELESS)


@pytest.mark.parametrize(
    "text", ["ISBN 9783161484100", "tracking number 4111111111111111", "9999999999999995"]
)
def test_other_long_numbers_are_no_cards(text: str) -> None:
    assert "CREDIT_CARD" not in kinds(text, detector=NAMELESS)


@pytest.mark.parametrize(
    "number", ["GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "fr1420041010050500013m02606"]
)
def test_a_bank_account_is_found_with_and_without_spaces(number: str) -> None:
    assert ("IBAN_CODE", number) in found(f"pay to {number} today", detector=NAMELESS)


def test_a_bank_account_with_a_wrong_digit_needs_its_name() -> None:
    assert "IBAN_CODE" not in kinds("DE89370400440532013001", detector=NAMELESS)
    assert "IBAN_CODE" in kinds("IBAN: DE89370400440532013001", detector=NAMELESS)


@pytest.mark.parametrize(
    "address",
    ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
     "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"],
)  # fmt: skip
def test_a_crypto_address_is_found_only_with_its_checksum(address: str) -> None:
    broken = address[:-3] + ("x" if address[-3] != "x" else "y") + address[-2:]

    assert ("CRYPTO", address) in found(f"send to {address}", detector=NAMELESS)
    assert "CRYPTO" not in kinds(f"send to {broken}", detector=NAMELESS)


def test_keccak_gives_the_published_digests() -> None:
    # The Keccak team's ShortMsgKAT_256: the empty message, and "abc" as commonly published.
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


def test_luhn_and_issuers() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert issuer_of("4111111111111111") == "Visa"
    assert issuer_of("9111111111111111") == ""
