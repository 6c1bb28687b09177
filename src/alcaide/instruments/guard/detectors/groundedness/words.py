"""An answer and its sources as words: what is said, where it stands, and in which form it can be compared.

Two texts are compared by *stems* ("organised", "organises" and "organisation" are one), numbers by value ("1,000",
"1000" and "one thousand" are one), and names by their capital letters. The stemmer is deliberately coarse: it only
has to put the same word into the same class on both sides, never to show anything.

Left out on purpose: languages whose words change at the front or inside (Arabic, Hebrew, Turkish vowel harmony).
They are compared word by word, so an answer in them looks less supported than it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

SYMBOLS = "%?$€£"
"""Signs that are tokens; they need no support."""

_TOKEN = re.compile(
    r"[^\W\d_\u3040-\u30ff\u3400-\u9fff][^\W_\u3040-\u30ff\u3400-\u9fff]{0,60}"
    # An apostrophe or stop inside a word is part of it ("don't", "U.S"), at its end it is not.
    r"(?:['’.][^\W\d_][^\W_\u3040-\u30ff\u3400-\u9fff]{0,60}){0,8}"
    r"|\d[\d.,:/]{0,30}(?:st|nd|rd|th|s|k|m|bn|b|%)?"
    # A Han or kana character is a token of its own: no spaces show where a word ends.
    r"|[\u3040-\u30ff\u3400-\u9fff]"
    r"|[%?$€£]"
)

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]{0,3}\s|[。！？]|\n")


def _lists() -> dict[str, frozenset[str]]:
    """The word lists beside this file: a heading in brackets, then words until the next."""
    text = resources.files(__package__).joinpath("words.txt").read_text(encoding="utf-8")
    parts = [part.partition("]") for part in text.split("[")[1:]]
    return {heading: frozenset(words.split()) for heading, _, words in parts}


_LISTS = _lists()

_ABBREVIATION = _LISTS["abbreviation"]

STOPWORDS = _LISTS["stopwords"]

NEGATIONS = _LISTS["negations"]

QUANTIFIERS = _LISTS["quantifiers"]

OPINIONS = _LISTS["opinions"]

_NUMBER_WORDS = {
    "zero": "0",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
    "thirteen": "13",
    "fourteen": "14",
    "fifteen": "15",
    "sixteen": "16",
    "seventeen": "17",
    "eighteen": "18",
    "nineteen": "19",
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
    "dozen": "12",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "billion": "1000000000",
    "trillion": "1000000000000",
}
_SCALES = {
    "k": 1e3,
    "m": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
}

CALENDAR = _LISTS["calendar"]

_MONTHS = {
    word: month
    for month in _LISTS["calendar"]
    if not month.endswith("day") and (len(month) > 4 or month in ("june", "july"))
    for word in (month[:3], month[:4])
    if word in _LISTS["calendar"]
}

_IRREGULAR = {
    word: line.split(":")[0] for line in _LISTS["irregular"] for word in line.split(":")[1].split(",")
}

_SUFFIXES = (
    ("ization", "iz"),
    ("isation", "iz"),
    ("ational", ""),
    ("ations", ""),
    ("ation", ""),
    ("ities", ""),
    ("iness", ""),
    ("ness", ""),
    ("ments", ""),
    ("ment", ""),
    ("ising", "iz"),
    ("izing", "iz"),
    ("ised", "iz"),
    ("ized", "iz"),
    ("ises", "iz"),
    ("izes", "iz"),
    ("ise", "iz"),
    ("ize", "iz"),
    ("ingly", ""),
    ("edly", ""),
    ("ings", ""),
    ("ing", ""),
    ("ions", ""),
    ("ion", ""),
    ("ied", ""),
    ("ies", ""),
    ("ity", ""),
    ("ily", ""),
    ("ers", ""),
    ("ors", ""),
    ("er", ""),
    ("or", ""),
    ("ed", ""),
    ("ly", ""),
    ("es", ""),
    ("s", ""),
    ("y", ""),
    ("e", ""),
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The class of a lower-case word. A number's class is its value."""
    if word[0].isdigit():
        return _number_text(word)
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    word = word.replace("’", "'")
    word = word.removesuffix("'s")
    word = _IRREGULAR.get(word, word)
    word = word.replace(".", "") if "." in word else word
    word = _MONTHS.get(word, word)
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith(("ss", "us", "is")):
        return word
    for suffix, kept in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            root = word[: len(word) - len(suffix)] + kept
            if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz":
                root = root[:-1]
            return root[:-1] if len(root) > 3 and root[-1] in "ei" else root
    return word


def _number_text(word: str) -> str:
    value = number_value(word)
    return word if value is None else f"{value:.10g}"


@lru_cache(maxsize=16384)
def number_value(word: str) -> float | None:
    """The value of a number token, `12k` scaled; None for dates, times and ordinals."""
    body = word.rstrip("%.,:/")
    scale = 1.0
    for suffix in ("bn", "k", "m", "b"):
        if body.endswith(suffix) and len(body) > len(suffix):
            body, scale = body[: -len(suffix)], _SCALES[suffix]
            break
    if ":" in body or "/" in body:
        return None
    if "," in body:
        parts = body.split(",")
        if all(len(part.split(".")[0]) == 3 for part in parts[1:]):
            body = "".join(parts)
        elif len(parts) == 2 and "." not in body:
            body = ".".join(parts)  # a decimal comma
        else:
            return None
    try:
        return float(body) * scale
    except ValueError:
        return None


class Token(NamedTuple):
    """One token of an answer: `start` and `end` in characters, and what kind of thing it looks like."""

    start: int
    end: int
    lower: str
    stem: str
    capital: bool
    first: bool
    number: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters `start` to `end` and the tokens `low` to `high` (exclusive) of the text."""

    start: int
    end: int
    low: int
    high: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text with their places."""
    found: list[Token] = []
    first = True
    last_end = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        gap = text[last_end:start]
        if gap not in (" ", "", ", ") and any(mark in gap for mark in '.!?\n:•"“'):
            first = True
        word = match.group()
        lower = word.lower()
        number = lower[0].isdigit() or lower in _NUMBER_WORDS
        found.append(Token(start, end, lower, stem(lower), word[0].isupper(), first, number))
        first = False
        last_end = end
    return _scaled(found)


def _scaled(tokens: list[Token]) -> list[Token]:
    """With `5 million` as two tokens of one value."""
    for at in range(len(tokens) - 1):
        number, unit = tokens[at], tokens[at + 1]
        if number.number and unit.lower in _SCALES and len(unit.lower) > 2 and unit.start - number.end <= 2:
            value = number_value(_NUMBER_WORDS.get(number.lower, number.lower))
            if value is not None:
                stated = f"{value * _SCALES[unit.lower]:.10g}"
                tokens[at], tokens[at + 1] = number._replace(stem=stated), unit._replace(stem=stated)
    return tokens


def words_of(text: str) -> list[str]:
    """The tokens of a source, lower-cased, without places: what a source is compared by."""
    if '":' in text:
        # A record's keys are words run together: `OutdoorSeating`.
        text = _JOINED.sub(r"\1 \2", text)
    return _TOKEN.findall(text.lower())


_JOINED = re.compile(r"([a-z])([A-Z])")


def sentences_of(text: str, tokens: list[Token]) -> list[Sentence]:
    """The sentences that hold at least one token, in order."""
    ends: list[int] = []
    for match in _SENTENCE_END.finditer(text):
        if match.group()[0] == ".":
            word = text[max(0, match.start() - 12) : match.start()].rsplit(None, 1)[-1:]
            before = word[0].lower().lstrip("(\"'") if word else ""
            if before in _ABBREVIATION or (len(before) == 1 and before.isalpha()):
                continue
        ends.append(match.end())
    ends.append(len(text))
    sentences: list[Sentence] = []
    low = 0
    count = len(tokens)
    for end in ends:
        high = low
        while high < count and tokens[high].start < end:
            high += 1
        if high > low:
            sentences.append(Sentence(tokens[low].start, len(text[:end].rstrip()), low, high))
        low = high
    return sentences


def values_of(words: list[str]) -> dict[str, float]:
    """The values that a text states, by the stem that stands for them: `5 million` states 5,000,000 as well as 5."""
    values: dict[str, float] = {}
    stating = {word for word in set(words) if word[0].isdigit() or word in _NUMBER_WORDS}
    for index in [index for index, word in enumerate(words) if word in stating]:
        word = words[index]
        if ":" in word or "/" in word:
            for part in re.split(r"[:/]", word):
                if part.isdigit():
                    values.setdefault(f"{int(part):.10g}", float(part))
        value = number_value(_NUMBER_WORDS.get(word, word))
        if value is None:
            continue
        values[f"{value:.10g}"] = value
        following = words[index + 1] if index + 1 < len(words) else ""
        if following in _SCALES:
            scaled = value * _SCALES[following]
            values[f"{scaled:.10g}"] = scaled
        elif following in ("pm", "p.m") and value < 12:
            values[f"{value + 12:.10g}"] = value + 12
    return values
