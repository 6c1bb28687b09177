"""Dates, dates of birth and ages.

A date by itself is a note: it says something of a person only beside one. A date of birth or an age is the person's.
"""

from __future__ import annotations

import re

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|"
    "januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|"
    "septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|"
    "noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|januari|februari|"
    "maart|mei|augustus|januára|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|"
    "listopada|grudnia|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|augusti|oktober"
)
_MONTH = rf"(?:{_MONTHS})\b\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.|er|º|ª)?"
_CLOCK = (
    r"(?:,?[ t](?:at )?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,6})?(?:\s?[ap]\.?m\b\.?)?(?:z|[+-]\d{2}:?\d{2})?)?"
)

_DAY_MONTH = re.compile(
    rf"{_DAY}[ -](?:of |de |di )?{_MONTH}(?:,?[ -](?:de |of )?(?:\d{{4}}|'?\d{{2}})\b)?{_CLOCK}"
)
_MONTH_BEFORE = re.compile(rf"\b{_MONTH}[ -]$")
_AFTER_MONTH = re.compile(rf"(?:{_DAY}(?:,? \d{{4}}\b)?|\d{{4}}\b){_CLOCK}")
_NUMERIC = re.compile(
    r"(?P<y>(?:1[89]|20)\d\d)([-./])(?P<m>\d{1,2})\2(?P<d>\d{1,2})|"
    r"(?P<a>\d{1,2})([-./])(?P<b>\d{1,2})\6(?P<yy>\d{4}|\d{2})"
)
_BIRTH = re.compile(
    r"(?:\bborn\b|\bbirth(?:day|date)?\b|\bd\.?o\.?b\b\.?|geboren|geburtsdatum|\bgeb\.|\bné\b|\bnée\b|\bnacid[oa]\b|"
    r"\bnato\b|\bnata\b|nascid[oa]|nacimiento|naissance|nascita|nascimento|geboortedatum|\burodz|\bfødt\b|\bfödd\b|"
    r"syntynyt|doğum|出生|生年月日|дата рождения|родился|родилась|data urodzenia|\bbday\b|\bb\.)"
    r"[^.;\n]{0,24}$"
)


_BIRTH_PARTS = (
    "ob", "o.b", "b.", "born", "birth", "geb", "né", "nac", "nat", "nas", "nai", "urodz", "født", "född", "synt",
    "doğum", "出生", "生年", "рожд", "роди", "bday",
)  # fmt: skip
"""One of which is in whatever `_BIRTH` matches: to look for them takes a tenth of the time it takes to fail."""


def _of_birth(before: str) -> bool:
    return any(map(before.__contains__, _BIRTH_PARTS)) and _BIRTH.search(before) is not None


_APART = frozenset(" -\n")
"""What the last character is where a word and one blank or hyphen end a text; `$` stands before a line break too."""


def date(lower: str, start: int, end: int) -> Candidate | None:
    """A date around the number at `start`…`end`: numeric, or with the month's name."""
    found = _numeric(lower, start, end) or _named(lower, start)
    return None if found is None else _dated(lower, *found)


def in_words(lower: str, start: int) -> Candidate | None:
    """A date with the month's name, around the day or the year at `start`."""
    found = _named(lower, start)
    return None if found is None else _dated(lower, *found)


def _dated(lower: str, low: int, high: int) -> Candidate:
    birth = _of_birth(lower[max(0, low - 48) : low])
    if birth:
        return Candidate(
            low,
            high,
            "DATE_OF_BIRTH",
            "date-of-birth",
            0.95,
            "is a date of birth",
            "warning",
            evidence={"named": True},
        )
    return Candidate(low, high, "DATE_TIME", "date", 0.85, "is a date", "note")


def _numeric(lower: str, start: int, end: int) -> tuple[int, int] | None:
    written = lower[start:end]
    match = _NUMERIC.match(written)
    if match is None:
        return None
    rest = written[match.end() :]
    if rest and not rest.startswith(" "):
        return None
    groups = match.groupdict()
    if groups["y"]:
        plausible = 1 <= int(groups["m"]) <= 12 and 1 <= int(groups["d"]) <= 31
    else:
        first, second = int(groups["a"]), int(groups["b"])
        plausible = 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12
        if len(groups["yy"]) == 2 and match[6] != "/":
            # `1.2.30` and `1-2-30` are versions and ranges as often as dates.
            plausible = plausible and len(written) == 8
    if not plausible:
        return None
    stop = start + match.end()
    clock = _CLOCK_ONLY.match(lower, stop)
    return start, clock.end() if clock else stop


_CLOCK_ONLY = re.compile(
    r",?[ t](?:at )?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,6})?(?:\s?[ap]\.?m\b\.?)?(?:z\b|[+-]\d{2}:?\d{2})?"
)


def _named(lower: str, start: int) -> tuple[int, int] | None:
    match = _DAY_MONTH.match(lower, start, start + 64)
    if match is not None:
        return start, match.end()
    if not start or lower[start - 1] not in _APART:
        return None
    behind = _MONTH_BEFORE.search(lower[max(0, start - 14) : start])
    if behind is not None:
        after = _AFTER_MONTH.match(lower, start, start + 64)
        if after is not None:
            return max(0, start - 14) + behind.start(), after.end()
    return None


_YEAR_BEFORE = re.compile(
    r"\b(?:in|since|until|till|from|by|year|circa|around|before|after|during|early|late|mid|of|a|the|seit|depuis|"
    r"desde|jahr|en|founded|©|\(c\))[ -]$"
)
_COUNTED = re.compile(
    r"[ -]?(?:[%€$£°]|\d|(?:people|persons?|items?|cases|students|users|words|tokens|dollars|"
    r"euros|pounds|copies|customers|"
    r"employees|members|votes|points|rows|lines|bytes|k[gm]|m[lm]|cm|miles|meters|metres|feet|"
    r"calories|steps|times|units|"
    r"pieces|pages|characters|hours|minutes|seconds|ms|days|years|mah|rpm|hz|mhz|watts?|volts?|series|edition model)\b)"
)


def year(written: str, before: str, after: str, start: int) -> Candidate | None:
    """A year, where the word before it makes it one and the word after it does not count something."""
    if before[-1:] not in _APART or not (written.isdigit() and 1900 <= int(written) <= 2049):
        return None
    if not _YEAR_BEFORE.search(before[-12:]):
        return None
    if _COUNTED.match(after) or after[:1].isalpha():
        return None
    birth = _of_birth(before[-40:])
    return Candidate(
        start,
        start + 4,
        "DATE_OF_BIRTH" if birth else "DATE_TIME",
        "date-of-birth" if birth else "year",
        0.85 if birth else 0.6,
        "is a year of birth" if birth else "is a year",
        "warning" if birth else "note",
    )


DAYS = Pattern(
    "weekday",
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    before=0,
    after=2,
)


CLOCK = Pattern(
    "clock",
    r"(?:\b(?:at|by|around|from|until|till|to|say|about|is|before|after|and|for)|[,–-])\s?"
    r"(?P<value>\d{1,2}(?::\d{2})?\s?[ap]\.?m\b)",
    tuple(
        f"{digit}{space}{half}"
        for digit in "0123456789"
        for space in ("", " ")
        for half in ("am", "pm", "a.m", "p.m")
    ),
    before=14,
    after=2,
)


def clock(hit: Hit) -> Candidate:
    """An hour that something happens at."""
    start, end = hit.groups["value"]
    return Candidate(start, end, "DATE_TIME", "clock", 0.6, "is a time of day", "note")


def weekday(hit: Hit) -> Candidate:
    """A day of the week: a date to those who know the week."""
    return Candidate(hit.start, hit.end, "DATE_TIME", "weekday", 0.6, "is a day of the week", "note")


_LEADS = frozenset(
    [
        "age",
        "aged",
        "ages",
        "turn",
        "turns",
        "turned",
        "turning",
        "alter",
        "âge",
        "edad",
        "età",
        "wiek",
        "leeftijd",
        "is",
        "was",
        "am",
        "were",
        "i'm",
        "he's",
        "she's",
        "who's",
        "i’m",
        "now",
        "only",
        "just",
    ]
) | frozenset(_MONTHS.split("|"))
_YEAR_LEADS = frozenset(
    [
        "in",
        "since",
        "until",
        "till",
        "from",
        "by",
        "year",
        "circa",
        "around",
        "before",
        "after",
        "during",
        "early",
        "late",
        "mid",
        "of",
        "a",
        "the",
        "seit",
        "depuis",
        "desde",
        "jahr",
        "en",
        "founded",
        "©",
        "(c)",
    ]
)
_FOLLOWS = re.compile(
    r"(?:st|nd|rd|th|\.|er|º|ª)?[ -]?(?:of |de |di )?(?:year|yr|y[./]?o\b|jahr|jähr|ans\b|año|"
    r"anni|jaar|lat\b|anos|år|" + "|".join(sorted({month[:3] for month in _MONTHS.split("|")})) + ")"
)


def worth_a_look(before: str, after: str, digits: int) -> bool:
    """Whether a short number could be an age, a year or part of a date: one look at the words on either side."""
    words = before[-14:].rstrip(" :,.-").rsplit(None, 1)
    lead = words[-1] if words else ""
    return (
        lead in _LEADS
        or lead == "of"
        or (digits == 4 and lead in _YEAR_LEADS)
        or _FOLLOWS.match(after) is not None
    )


_AGE_AFTER = re.compile(
    r"[ -]?(?:years?[ -]old|year[ -]olds?|yrs?[ -]old|yrs?\b old|y[./]?o\b|y/o\b|years of age|jahre alt|jährig|"
    r"ans\b(?! d)|años|anni\b|jaar oud|lat\b|anos de idade|år gammel|år gammal)"
)
_AGE_BEFORE = re.compile(
    r"(?:\bage[ds]?(?: of| is|:| =)?|\bturn(?:ed|s|ing)?(?: just)?|\balter:?|\bâge:?|\bedad:?|"
    r"\betà:?|\bwiek:?|\bleeftijd:?|"
    r"\bwhen (?:he|she|i|they|we) (?:was|were|am|is)|\b(?:he|she|who)(?: is|'s| was)(?: now| only| just)?|"
    r"\bi(?:'m| am|’m)(?: now| only| just)?)[\s:]{1,2}$"
)
_UNIT = re.compile(
    r"[ -]?(?:%|percent|minutes?|hours?|hrs?|days?|weeks?|months?|years? (?!old)|km|kg|cm|mm|miles?|feet|ft|points?|"
    r"of\b|out\b|times|th\b|st\b|nd\b|rd\b|am\b|pm\b|euros?|dollars?|[a-z]{2,}s\b|\d|[.:]\d|[°€$£/])"
)


def age(written: str, before: str, after: str, start: int) -> Candidate | None:
    """How old somebody is: one to three digits with the words that say so."""
    if not (written.isdigit() and len(written) <= 3 and int(written) <= 120):
        return None
    if _AGE_AFTER.match(after):
        score = 0.93
    elif (
        before
        and (before[-1] == ":" or before[-1].isspace())
        and _AGE_BEFORE.search(before[-24:])
        and not _UNIT.match(after)
    ):
        score = 0.75
    else:
        return None
    return Candidate(start, start + len(written), "AGE", "age", score, "is somebody's age", "note")
