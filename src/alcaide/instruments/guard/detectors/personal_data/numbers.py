"""What the numbers of a text are: each cluster of digits is shown to those who may know it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from alcaide.instruments.guard.detectors.personal_data import contact, dates, financial, network
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate
from alcaide.instruments.guard.detectors.personal_data.identifiers import (
    AFTER,
    BEFORE,
    pack,
    recognise,
    shape_of,
)
from alcaide.instruments.guard.detectors.personal_data.reading import Reading

_LONGEST = 44
"""No number of interest is written longer; a longer cluster is a row of numbers, looked at field by field."""
_FIELDS = 6
"""How many fields of a short row may belong to one number."""
_ATTEMPTS = 3000
"""How many groupings of fields are tried in one block; beyond it only whole clusters and single fields are looked at."""
_TOKEN = re.compile(r"[A-Za-z0-9]{1,100}(?:[-./][A-Za-z0-9]{1,40}){0,6}")
_WORTH = 0.2
"""Below this nothing said of a number is kept even for comparison."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which countries' identifiers to look for (none named: all), and which ones the text is known to concern."""

    countries: frozenset[str]
    preferred: frozenset[str]


def numbers(reading: Reading, where: Where) -> Iterator[Candidate]:
    """Candidates from every cluster of digits in a block."""
    clusters = reading.clusters
    # A lone short number between punctuation is a table's, not a person's.
    wanted = (clusters.digits >= 6) | clusters.near_letter
    reached = 0
    budget = [_ATTEMPTS]
    for index in np.flatnonzero(wanted).tolist():
        start, end = int(clusters.starts[index]), int(clusters.ends[index])
        if clusters.mixed[index]:
            if start < reached:
                continue
            reached = yield from _mixed(reading, start, where)
            if reached > end:
                continue
        if end - start <= _LONGEST:
            yield from _cluster(reading, start, end, where, budget)
        else:
            yield from _row(reading, start, end, where)


def _around(reading: Reading, start: int, end: int) -> tuple[str, str]:
    return reading.lower[max(0, start - BEFORE) : start], reading.lower[end : end + AFTER]


def _cluster(reading: Reading, start: int, end: int, where: Where, budget: list[int]) -> Iterator[Candidate]:
    found = list(_one(reading, start, end, where))
    yield from found
    if any(one.score >= 0.5 for one in found):
        return
    borders = [match.span() for match in _FIELD.finditer(reading.text, start, end)]
    if len(borders) > 1:
        yield from _fields(reading, borders, where, budget)


_FIELD = re.compile("[^ \u00a0]+")


def _fields(
    reading: Reading, borders: list[tuple[int, int]], where: Where, budget: list[int]
) -> Iterator[Candidate]:
    """Every run of neighbouring fields that is worth something, longest first."""
    text = reading.text
    first = 0
    while first < len(borders):
        for last in range(min(len(borders), first + _FIELDS) - 1, first - 1, -1):
            if budget[0] <= 0:
                return
            low, high = borders[first][0], borders[last][1]
            while low < high and not (text[low].isdigit() or text[low] == "("):
                low += 1
            if not 7 <= high - low <= _LONGEST:
                continue
            budget[0] -= 1
            found = [one for one in _one(reading, low, high, where) if one.score >= 0.5]
            if found:
                yield from found
                first = last
                break
        first += 1


_GROUPED = re.compile(r"\b(?:\d{4}[ -]){3}\d{4}\b|\b\d{3}[ -]\d{2}[ -]\d{4}\b|\b\d{6,19}\b")


def _row(reading: Reading, start: int, end: int, where: Where) -> Iterator[Candidate]:
    """A long row of numbers: whole fields and the commonest groupings only, in one linear step."""
    for match in _GROUPED.finditer(reading.text, start, end):
        yield from _one(reading, match.start(), match.end(), where)


def _one(reading: Reading, start: int, end: int, where: Where) -> Iterator[Candidate]:
    """All that the number at `start`…`end`, without letters, may be."""
    text, lower = reading.text, reading.lower
    while end > start and not text[end - 1].isdigit():
        end -= 1
    written = text[start:end]
    around = _around(reading, start, end)
    before, after = around
    digits = sum(one.isdigit() for one in written)
    if digits <= 4 and len(written) == digits:
        if not dates.worth_a_look(before, after, digits):
            return
        one = dates.age(written, before, after, start) or dates.year(written, before, after, start)
        if one is not None:
            yield one
            return
    if digits <= 14:
        day = dates.date(text, lower, start, end, before)
        if day is not None:
            yield day
            return
    if digits < 6:
        return
    if written.count(".") == 3 and len(written) == digits + 3:
        address = network.ipv4(written, around, start)
        if address is not None:
            yield address
    if written.count(".") == 1 and len(written) == digits + 1 and written.index(".") < 6:
        return  # a decimal fraction
    yield from financial.card(written, around, start)
    yield from _worthwhile(recognise(written, around, start, where.countries, where.preferred))
    yield from _with_letters_apart(reading, start, end, where)
    if digits <= 15:
        call = contact.phone(written, around, start, text, where.preferred)
        if call is not None and call.score >= _WORTH:
            yield call


def _worthwhile(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    return (one for one in candidates if one.score >= _WORTH)


_LETTERS_BEFORE = re.compile(r"[A-Z]{1,4}[ -]?$")
_LETTERS_AFTER = re.compile(r"[ -]?[A-Z]{1,3}\b|\)|\([0-9A-Z]\)")


def _with_letters_apart(reading: Reading, start: int, end: int, where: Where) -> Iterator[Candidate]:
    """`QQ 12 34 56 C`: letters that belong to the number, set apart from it."""
    text = reading.text
    ahead = _LETTERS_BEFORE.search(text[max(0, start - 5) : start])
    behind = _LETTERS_AFTER.match(text[end : end + 5])
    low = start - (len(ahead[0]) if ahead else 0)
    high = end + (behind.end() if behind else 0)
    known = pack(where.countries)
    for first, last in {(low, high), (low, end), (start, high)} - {(start, end)}:
        written = text[first:last]
        if shape_of(written) in known and (first == 0 or not text[first - 1].isalnum()):
            around = _around(reading, first, last)
            yield from _worthwhile(recognise(written, around, first, where.countries, where.preferred))


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IBAN_HEAD = re.compile(r"[A-Za-z]{2}\d{2}(?![0-9])")
_POSTCODE_UK = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-BD-HJLNP-UW-Z]{2}\b")
_POSTCODE_CA = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d\b")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")


def _mixed(reading: Reading, at: int, where: Where) -> Iterator[Candidate]:
    """A token of letters and digits around `at`; returns how far it reaches."""
    text = reading.text
    start = at
    floor = max(0, at - 100)
    while start > floor and text[start - 1].isalnum() and text[start - 1].isascii():
        start -= 1
    while (
        start > floor
        and text[start - 1] in "-./"
        and text[start - 2 : start - 1].isalnum()
        and at - start < 20
    ):
        start -= 1
        while start > floor and text[start - 1].isalnum() and text[start - 1].isascii():
            start -= 1
    match = _TOKEN.match(text, start)
    if match is None or match.end() <= at:
        return at
    token, end = match[0], match.end()
    if len(token) > 90 or _UUID.fullmatch(token):
        return end
    around = _around(reading, start, end)
    if len(token) >= 26:
        coin = financial.crypto(token, start, around)
        if coin is not None:
            yield coin
            return end
    if _IBAN_HEAD.match(token) or (len(token) >= 15 and token[:2].isalpha() and token[2:4].isdigit()):
        account = financial.iban(text, start, around[0])
        if account is not None:
            yield account
            return account.end
    yield from _worthwhile(recognise(token, around, start, where.countries, where.preferred))
    if "/" not in token and len(token) <= 10:
        yield from _postcode(reading, start)
    if len(token) == 17 and _VIN.fullmatch(token.upper()):
        named = re.search(r"\bvin\b|\bvehicle|\bchassis", around[0]) is not None
        holds = vin_holds(token.upper())
        if named or holds:
            yield Candidate(
                start, end, "VEHICLE_ID", "vin", 0.95 if named else 0.8,
                "is a vehicle's identification number" + (" whose check digit holds" if holds else ""),
                evidence={"checksum": "holds" if holds else "fails", "named": named},
            )  # fmt: skip
    day = dates.date(text, reading.lower, at, at + 1, around[0]) if token[0].isdigit() else None
    if day is not None:
        yield day
    if token[0].isdigit() and len(token) <= 12:
        digits = re.match(r"\d{1,3}", token)
        if digits is not None:
            high = start + digits.end()
            one = dates.age(
                digits[0], reading.lower[max(0, start - 24) : start], reading.lower[high : high + 20], start
            )
            if one is not None:
                yield one
    # What a digit run within the token reaches beyond it (an extension, an ordinal) is looked at again.
    return max(end if not token[0].isdigit() else at, at)


def _postcode(reading: Reading, start: int) -> Iterator[Candidate]:
    for pattern, country in ((_POSTCODE_UK, "GB"), (_POSTCODE_CA, "CA")):
        match = pattern.match(reading.text, start)
        if match is not None and len(match[0]) >= 5:
            spaced = " " in match[0]
            named = re.search(r"post ?code|postal|zip", reading.lower[max(0, start - 30) : start]) is not None
            yield Candidate(
                start, match.end(), "ZIP_CODE", "postcode", 0.9 if named else 0.72 if spaced else 0.3,
                "has the form of a postcode", "note", evidence={"country": country, "named": named},
            )  # fmt: skip


_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)), strict=True))  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin_holds(token: str) -> bool:
    """Whether the ninth character is the check digit of a vehicle identification number (49 CFR 565.15)."""
    total = sum(_VIN_VALUES[one] * weight for one, weight in zip(token, _VIN_WEIGHTS, strict=True))
    return token[8] == "0123456789X"[total % 11]
