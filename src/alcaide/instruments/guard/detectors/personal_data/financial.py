"""Payment cards, bank accounts and crypto-currency addresses: what is proved by its own check digits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier

CARD_WORDS = re.compile(
    r"\b(?:cards?|visa|mastercard|master card|amex|american express|credit|debit|cc|ccn|pan|"
    r"kreditkarte|karten?nummer|"
    r"tarjeta|carte|carta di credito|cartão|karta|diners|discover|maestro|jcb|kreditkort)\b"
)
_NOT_CARD_WORDS = re.compile(
    r"\b(?:isbn|imei|order|tracking|invoice|serial|iccid|ean|upc|gtin|barcode|session|trace|request|build|timestamp|"
    r"hash|token|transaction id|reference|version|epoch)\b"
)


def card(written: str, around: tuple[str, str], start: int) -> Iterable[Candidate]:
    """A payment card number: a length and a beginning that an issuer uses, and the Luhn digit (ISO/IEC 7812-1)."""
    digits = re.sub(r"\D", "", written)
    if not 12 <= len(digits) <= 19 or not _grouped_like_a_card(written):
        return
    before, after = around
    named = CARD_WORDS.search(before) is not None or CARD_WORDS.search(after) is not None
    holds = luhn(digits)
    issuer = issuer_of(digits)
    if holds and issuer:
        score = 0.98 if named else 0.92
        if not named and (_NOT_CARD_WORDS.search(before[-40:]) or len(digits) < 14):
            score = 0.35
        reason = f"has the length, beginning and check digit of a {issuer} card"
    elif holds and named:
        issuer, score, reason = "unknown", 0.85, "is spoken of as a card and its check digit holds"
    elif (
        named
        and 13 <= len(digits) <= 16
        and len(set(digits)) > 1
        and not _NOT_CARD_WORDS.search(before[-30:])
    ):
        score, reason = 0.65, "is spoken of as a card, though its check digit does not hold"
    else:
        return
    yield Candidate(
        start,
        start + len(written),
        "CREDIT_CARD",
        "card",
        score,
        reason,
        "error",
        Tier.STRUCTURED if holds else Tier.NUMBER,
        {"issuer": issuer or "unknown", "checksum": "holds" if holds else "fails", "named": named},
    )


_GROUPINGS = re.compile(
    r"\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{4}([ -])\d{4}\3\d{4}\3\d{4}\3\d{3}"
)


def _grouped_like_a_card(written: str) -> bool:
    return _GROUPINGS.fullmatch(written.replace("\u00a0", " ")) is not None


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the rest."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


_ISSUERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(regex))
    for name, regex in (
        # Ranges as the schemes publish them; lengths as they are issued.
        ("Visa", r"4(?:\d{12}|\d{15}|\d{18})"),
        ("Mastercard", r"(?:5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12})"),
        ("American Express", r"3[47]\d{13}"),
        ("Diners Club", r"(?:3(?:0[0-5]|[68]\d)\d{11}|3095\d{10}|3[89]\d{12})"),
        ("Discover", r"(?:6011|65\d\d|64[4-9]\d|622\d)\d{12,15}"),
        ("JCB", r"(?:35(?:2[89]|[3-8]\d)\d{12,15}|(?:2131|1800)\d{11})"),
        ("UnionPay", r"(?:62|81)\d{14,17}"),
        ("Maestro", r"(?:5018|5020|5038|5893|6304|6759|676[1-3]|0604)\d{8,15}"),
        ("Mir", r"220[0-4]\d{12,15}"),
        ("RuPay", r"(?:60|81|82|508)\d{13,14}"),
    )
)


def issuer_of(digits: str) -> str:
    """The scheme that issues such numbers; empty if none does."""
    return next((name for name, pattern in _ISSUERS if pattern.fullmatch(digits)), "")


_IBAN = re.compile(r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?")
_IBAN_WORDS = re.compile(r"\biban\b|\baccount\b|\bbank|\bkonto\b|\bcompte\b|\bcuenta\b|\brekening")


def iban(text: str, start: int, before: str) -> Candidate | None:
    """A bank account number (ISO 13616): its country's length and structure and both check digits."""
    length = _LENGTHS.get(text[start : start + 2].upper(), 0)
    match = _IBAN.match(text, start, start + 48) if length else None
    if match is None:
        return None
    letters = [place for place in range(start, match.end()) if text[place].isalnum()]
    if len(letters) < length:
        return None
    end = letters[length - 1] + 1
    compact = re.sub("[ -]", "", text[start:end]).upper()
    if text[end : end + 1].isalnum() or not compact[2:4].isdigit():
        return None
    holds = _mod_97(compact)
    if holds:
        from stdnum import iban as stdnum_iban

        holds = bool(stdnum_iban.is_valid(compact, check_country=False))
    if not holds and not _IBAN_WORDS.search(before[-30:]):
        return None
    return Candidate(
        start,
        end,
        "IBAN_CODE",
        "iban",
        0.99 if holds else 0.66,
        "is a bank account number whose check digits hold"
        if holds
        else "is spoken of as a bank account number, though its check digits do not hold",
        "error",
        Tier.STRUCTURED if holds else Tier.NUMBER,
        {"country": compact[:2], "checksum": "holds" if holds else "fails"},
    )


# How many characters each country's numbers have (IBAN registry, release 99).
_LENGTHS = {
    country: int(length)
    for length, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FO FI GL NL SD FK"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ XK LT LU MN"),
        ("21", "HR LV LI CH"),
        ("22", "BH BG CR GE DE IE ME RS GB VA"),
        ("23", "TL GI IQ IL OM AE SO"),
        ("24", "AD CZ MD PK RO SA SK ES SE TN VG"),
        ("25", "PT LY"),
        ("26", "IS TR"),
        ("27", "FR GR IT MR MC SM BI DJ"),
        ("28", "AL AZ BY CY DO SV GT HU LB PL NI HN"),
        ("29", "BR EG PS QA UA"),
        ("30", "JO KW MU YE"),
        ("31", "MT SC"),
        ("32", "LC"),
        ("33", "RU"),
    )
    for country in countries.split()
}


def _mod_97(compact: str) -> bool:
    """ISO 7064 MOD 97-10, a letter counting as two digits; asked first, since the structures take longer to look up."""
    return int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 == 1


# ── Crypto-currencies ────────────────────────────────────────────────────────────────────────────────────────────

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BASE58_TOKEN = re.compile(r"[1-9A-HJ-NP-Za-km-z]{25,35}")
_ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
_VERSIONS = {
    0: "Bitcoin",
    5: "Bitcoin",
    48: "Litecoin",
    50: "Litecoin",
    30: "Dogecoin",
    65: "Tron",
    76: "Dash",
}


def crypto(token: str, start: int) -> Candidate | None:
    """A crypto-currency address whose checksum holds; an Ethereum address in one case carries none."""
    coin, score = "", 0.97
    if _ETHEREUM.fullmatch(token):
        digits = token[2:]
        if digits in (digits.lower(), digits.upper()):
            coin, score = "Ethereum", 0.8
        elif _eip55(digits.lower()) == digits:
            coin = "Ethereum"
    elif token[:3].lower() in ("bc1", "ltc") and 26 <= len(token) <= 90:
        from stdnum import bitcoin

        if token.lower().startswith("bc1") and bitcoin.is_valid(token):
            coin = "Bitcoin"
    elif _BASE58_TOKEN.fullmatch(token):
        version = _base58check(token, _BASE58)
        coin = _VERSIONS.get(version, "") if version is not None else ""
        if not coin and token[0] == "r" and _base58check(token, _RIPPLE) == 0:
            coin = "XRP"
    if not coin:
        return None
    return Candidate(
        start,
        start + len(token),
        "CRYPTO",
        "crypto-address",
        score,
        f"has the form{' and checksum' if score > 0.9 else ''} of {'an' if coin[0] in 'EX' else 'a'} {coin} address",
        "warning",
        Tier.STRUCTURED,
        {"coin": coin},
    )


def _base58check(token: str, alphabet: str) -> int | None:
    """The version byte of a Base58Check string whose checksum holds; None of any other."""
    number = 0
    for letter in token:
        place = alphabet.find(letter)
        if place < 0:
            return None
        number = number * 58 + place
    if number >> 200:
        return None
    octets = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(octets[:21]).digest()).digest()
    return octets[0] if digest[:4] == octets[21:] else None


def _eip55(digits: str) -> str:
    """The mixed-case spelling that carries the checksum (EIP-55)."""
    digest = keccak256(digits.encode()).hex()
    return "".join(
        one.upper() if int(nibble, 16) > 7 else one for one, nibble in zip(digits, digest, strict=False)
    )


_ROTATIONS = (1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44)
_LANES = (10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1)
_WORD = (1 << 64) - 1


def keccak256(message: bytes) -> bytes:
    """Keccak-256 with the original padding, which Ethereum uses and hashlib's SHA3-256 does not.

    One block only: at most 135 bytes, which is three addresses' worth.
    """
    rate = 136
    block = bytearray(message.ljust(rate, b"\0"))
    block[len(message)] ^= 0x01
    block[-1] ^= 0x80
    state = [int.from_bytes(block[at : at + 8], "little") for at in range(0, rate, 8)] + [0] * 8
    register = 1
    for _ in range(24):
        columns = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        for x in range(5):
            mixed = columns[(x + 4) % 5] ^ _rotated(columns[(x + 1) % 5], 1)
            for y in range(0, 25, 5):
                state[x + y] ^= mixed
        carried = state[1]
        for lane, turns in zip(_LANES, _ROTATIONS, strict=True):
            state[lane], carried = _rotated(carried, turns), state[lane]
        for y in range(0, 25, 5):
            row = state[y : y + 5]
            for x in range(5):
                state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        constant = 0
        for bit in range(7):
            if register & 1:
                constant ^= 1 << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        state[0] ^= constant
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


def _rotated(lane: int, turns: int) -> int:
    return ((lane << turns) | (lane >> (64 - turns))) & _WORD
