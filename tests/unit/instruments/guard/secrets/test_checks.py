"""Checksums: what holds holds, and one changed character is noticed."""

from __future__ import annotations

from random import Random

import pytest

from alcaide.instruments.guard.detectors.secrets import checks
from tests.unit.instruments.guard.secrets.examples import EXAMPLES, example
from tests.unit.instruments.guard.secrets.made import jwt

SUMMED = (
    "github-token", "npm-token", "age-secret-key", "nostr-secret-key", "bitcoin-extended-key", "bitcoin-private-key",
    "stellar-secret", "nats-seed",
)  # fmt: skip


@pytest.mark.parametrize("name", SUMMED)
def test_a_made_key_holds_its_checksum_and_a_changed_one_does_not(name):
    row = EXAMPLES[name]
    check = checks.CHECKS[row.check]
    key = example(row, Random(7))
    assert check(key) is True
    middle = len(key) // 2
    changed = key[:middle] + ("Q" if key[middle].upper() != "Q" else "P") + key[middle + 1 :]
    if key.islower():
        changed = changed.lower()
    assert check(changed) is False


def test_an_aws_key_id_tells_its_account():
    # Published by those who found the encoding out; the second is the one in the provider's manuals.
    assert checks.aws_account("ASIA" + "QNZGKIQY56JQ7WML") == "029608264753"
    assert checks.aws_account("AKIA" + "IOSFODNN7EXAMPLE") == "581039954779"


def test_what_is_no_base_32_has_no_account():
    assert checks.aws_account("AKIA" + "1890189018901890") is None


def test_a_token_is_read_and_a_likeness_is_not():
    token = jwt(Random(1))
    header, claims = checks.jwt_parts(token)
    assert header["alg"] == "HS256"
    assert claims["scope"] == "read"
    assert checks.jwt_parts("eyJhbGciOiJub25lIn" + "!" + token) is None
    assert checks.jwt_parts("eyJub3QianNvbg.eyJub3QianNvbg.sig") is None


def test_the_address_form_of_a_bitcoin_key_is_that_of_the_published_example():
    # The example of the Bitcoin wiki's page on the wallet import format (0C28FCA3…AA1D).
    octets = bytes.fromhex("800c28fca386c7a227600b2fe50b7cae11ec86d3bf1fbe471be89827e19d72aa1d")
    assert checks.base58check(octets) == "5Hue" + "CGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"


def test_bech32_writes_the_published_example():
    # BIP 173, test vectors: "a" with no data.
    assert checks.bech32("a", []) == "a12uel5l"


def test_a_google_key_holds_its_structure_and_one_with_a_stray_last_character_does_not():
    key = example(EXAMPLES["google-api-key"], Random(7))
    check = checks.CHECKS["google"]
    assert check(key) is True
    assert check(key[:-1] + "B") is False
    assert check(key[:4] + "Xy" + key[6:]) is False
