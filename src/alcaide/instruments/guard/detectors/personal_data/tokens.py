"""Tokens of letters and digits: account numbers, crypto-currency addresses, identity cards, postcodes, vehicles."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from alcaide.instruments.guard.detectors.personal_data import dates, financial
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate
from alcaide.instruments.guard.detectors.personal_data.identifiers import AFTER, BEFORE, LONGEST, recognise
from alcaide.instruments.guard.detectors.personal_data.reading import Reading

WORTH = 0.2
"""Below this nothing said of a number is kept even for comparison."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which countries' identifiers to look for (none named: all), and which ones the text is known to concern."""

    countries: frozenset[str]
    preferred: frozenset[str]


def around(reading: Reading, start: int, end: int) -> tuple[str, str]:
    """The lower-case text before and after a number, as far as a word there still speaks of it."""
    return reading.lower[max(0, start - BEFORE) : start], reading.lower[end : end + AFTER]


def identified(written: str, beside: tuple[str, str], start: int, where: Where) -> Iterator[Candidate]:
    """The national identifiers that a number may be."""
    return iter(recognise(written, beside, start, where.countries, where.preferred, least=WORTH))


_TOKEN = re.compile(r"[A-Za-z0-9]{1,100}(?:[-./][A-Za-z0-9]{1,40}){0,6}")
_OF_TOKENS = string.ascii_letters + string.digits
_UP_TO_THREE = re.compile(r"\d{1,3}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IBAN_HEAD = re.compile(r"[A-Za-z]{2}\d{2}(?![0-9])")
_POSTCODE_UK = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-BD-HJLNP-UW-Z]{2}\b")
_POSTCODE_CA = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d\b")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")


@dataclass(slots=True)
class Tokens:
    """The tokens of one block, asked about from left to right.

    `reached` is how far the last one reaches: the place of its digit where that may be a number of its own. `known`
    is where it begins: nothing is said of it again when another of its digits leads to it. `plain_end` is its end if
    it is nothing but letters and digits.
    """

    reading: Reading
    where: Where
    reached: int = 0
    known: int = -1
    plain_end: int = 0

    def ask(self, at: int) -> Iterator[Candidate]:
        """What the token around the digit at `at` may be. It begins at `reached` or later, which then moves on."""
        if at < self.plain_end:
            return self._rest(at)
        return self._whole(at)

    def _whole(self, at: int) -> Iterator[Candidate]:
        reading, where = self.reading, self.where
        text = reading.text
        start = _beginning(text, at, max(self.reached, at - 100))
        match = _TOKEN.match(text, start)
        if match is None or match.end() <= at:
            self.reached = at
            return
        word, end = match[0], match.end()
        known, self.known, self.reached = self.known, start, end
        if len(word) > 90 or (len(word) == 36 and _UUID.fullmatch(word)):
            return
        if start != known:
            beside = around(reading, start, end)
            proved = _proved(text, word, start, beside)
            if proved is not None:
                self.reached = proved.end
                yield proved
                return
            yield from identified(word, beside, start, where)
            if "/" not in word and len(word) <= 10:
                yield from _postcode(reading, start)
            if len(word) == 17:
                yield from _vehicle(word.upper(), beside, start)
        if not word[0].isdigit():
            return
        # `3rd of May`, `54yo`: the digits are a number of their own, and what follows the token is looked at again.
        self.reached = at
        self.plain_end = end if word.isalnum() else 0
        yield from self._number(at, start, word, known)

    def _rest(self, at: int) -> Iterator[Candidate]:
        """What `_whole` says of a token of letters and digits from its last number on.

        That begins with a digit, so that it is no bank account and no postcode.
        """
        reading = self.reading
        start, end = self.reached, self.plain_end
        word = reading.text[start:end]
        known, self.known = self.known, start
        if start != known:
            if len(word) >= 26 and (len(word) <= 35 or word[1] == "x"):
                coin = financial.crypto(word, start)
                if coin is not None:
                    self.reached = coin.end
                    yield coin
                    return
            if len(word) <= LONGEST:
                beside = around(reading, start, end)
                yield from identified(word, beside, start, self.where)
                if len(word) == 17:
                    yield from _vehicle(word.upper(), beside, start)
        self.reached = at
        yield from self._number(at, start, word, known)

    def _number(self, at: int, start: int, word: str, known: int) -> Iterator[Candidate]:
        lower = self.reading.lower
        day = dates.in_words(lower, at)
        if day is not None:
            yield day
        if start == known or len(word) > 12:
            return
        digits = _UP_TO_THREE.match(word)
        if digits is not None:
            high = start + digits.end()
            one = dates.age(digits[0], lower[max(0, start - 24) : start], lower[high : high + 20], start)
            if one is not None:
                yield one


def _beginning(text: str, at: int, floor: int) -> int:
    """Where the token that holds `at` begins: letters and digits, and what hyphens join to them."""
    start = _run_beginning(text, at, floor)
    while start > floor + 1 and text[start - 1] in "-./" and text[start - 2].isalnum() and at - start < 20:
        start = _run_beginning(text, start - 1, floor)
    return start


def _run_beginning(text: str, start: int, floor: int) -> int:
    return floor + len(text[floor:start].rstrip(_OF_TOKENS)) if start > floor else start


def _proved(text: str, word: str, start: int, beside: tuple[str, str]) -> Candidate | None:
    """What check digits of their own prove."""
    if len(word) >= 26:
        coin = financial.crypto(word, start)
        if coin is not None:
            return coin
    if _IBAN_HEAD.match(word) or (len(word) >= 15 and word[:2].isalpha() and word[2:4].isdigit()):
        return financial.iban(text, start, beside[0])
    return None


def _vehicle(word: str, beside: tuple[str, str], start: int) -> Iterator[Candidate]:
    if not _VIN.fullmatch(word):
        return
    named = re.search(r"\bvin\b|\bvehicle|\bchassis", beside[0]) is not None
    holds = vin_holds(word)
    if named or holds:
        yield Candidate(
            start,
            start + len(word),
            "VEHICLE_ID",
            "vin",
            0.95 if named else 0.8,
            "is a vehicle's identification number" + (" whose check digit holds" if holds else ""),
            evidence={"checksum": "holds" if holds else "fails", "named": named},
        )


def _postcode(reading: Reading, start: int) -> Iterator[Candidate]:
    for pattern, country in ((_POSTCODE_UK, "GB"), (_POSTCODE_CA, "CA")):
        match = pattern.match(reading.text, start)
        if match is not None and len(match[0]) >= 5:
            spaced = " " in match[0]
            named = re.search(r"post ?code|postal|zip", reading.lower[max(0, start - 30) : start]) is not None
            yield Candidate(
                start,
                match.end(),
                "ZIP_CODE",
                "postcode",
                0.9 if named else 0.72 if spaced else 0.3,
                "has the form of a postcode",
                "note",
                evidence={"country": country, "named": named},
            )


_VIN_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ0123456789",
        (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)),
        strict=True,
    )
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin_holds(token: str) -> bool:
    """Whether the ninth character is the check digit of a vehicle identification number (49 CFR 565.15)."""
    total = sum(_VIN_VALUES[one] * weight for one, weight in zip(token, _VIN_WEIGHTS, strict=True))
    return token[8] == "0123456789X"[total % 11]
