"""What the numbers of a text are: each cluster of digits is shown to those who may know it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alcaide.instruments.guard.detectors.personal_data import contact, dates, financial, network, tokens
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate
from alcaide.instruments.guard.detectors.personal_data.identifiers import pack, shape_of
from alcaide.instruments.guard.detectors.personal_data.reading import Reading
from alcaide.instruments.guard.detectors.personal_data.tokens import Where

_SMALL = 4
"""Digits of a number that may be an age, a year or a day, and nothing else."""
_LONGEST = 44
"""No number of interest is written longer; a longer cluster is a row of numbers, looked at field by field."""
_FIELDS = 6
"""How many fields of a short row may belong to one number."""
_ATTEMPTS = 3000
"""How many groupings of fields are tried in one block; beyond it only whole clusters are looked at."""


def numbers(reading: Reading, where: Where) -> Iterator[Candidate]:
    """Candidates from every cluster of digits in a block."""
    budget = [_ATTEMPTS]
    asked = tokens.Tokens(reading, where)
    for start, end, mixed in reading.clusters:
        if mixed:
            if start < asked.reached:
                continue
            yield from asked.ask(start)
            if asked.reached > end:
                continue
        # Most numbers in the midst of a text are nobody's, as the words on either side say.
        if (
            end - start <= _SMALL
            and reading.text[start:end].isdigit()
            and not dates.worth_a_look(*tokens.around(reading, start, end), end - start)
        ):
            continue
        if end - start <= _LONGEST:
            yield from _cluster(reading, start, end, where, budget)
        else:
            yield from _row(reading, start, end, where)


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
    text = reading.text
    while end > start and not text[end - 1].isdigit():
        end -= 1
    written = text[start:end]
    around = tokens.around(reading, start, end)
    digits = len(written) if written.isdigit() else sum(map(str.isdigit, written))
    if digits <= _SMALL and len(written) == digits:
        if not dates.worth_a_look(*around, digits):
            return
        one = dates.age(written, *around, start) or dates.year(written, *around, start)
        if one is not None:
            yield one
            return
    if digits <= 14:
        day = dates.date(reading.lower, start, end)
        if day is not None:
            yield day
            return
    if digits >= 6 and not _fraction(written, digits):
        yield from _long(reading, written, digits, around, start, where)


def _fraction(written: str, digits: int) -> bool:
    return written.count(".") == 1 and len(written) == digits + 1 and written.index(".") < 6


def _long(
    reading: Reading, written: str, digits: int, around: tuple[str, str], start: int, where: Where
) -> Iterator[Candidate]:
    """What six digits and more may be, dates apart."""
    end = start + len(written)
    if written.count(".") == 3:
        address = network.ipv4(written, around, start)
        if address is not None:
            yield address
    if 12 <= digits <= 19:
        yield from financial.card(written, around, start)
    yield from tokens.identified(written, around, start, where)
    yield from _with_letters_apart(reading, start, end, where)
    call = contact.phone(written, around, start, reading.text, where.preferred)
    if call is not None and call.score >= tokens.WORTH:
        yield call


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
            around = tokens.around(reading, first, last)
            yield from tokens.identified(written, around, first, where)
