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

_TOKEN = re.compile(
    # A Han or kana character is a token of its own: no spaces show where a word ends.
    r"[\u3040-\u30ff\u3400-\u9fff]"
    r"|\d[\d.,:/]{0,30}(?:st|nd|rd|th|s|k|m|bn|b|%)?"
    r"|[^\W\d_\u3040-\u30ff\u3400-\u9fff](?:[^\W_\u3040-\u30ff\u3400-\u9fff]|['’.](?=[^\W\d_])){0,60}"
    r"|[%?$€£]"
)
"""Bounded on every side; the look-ahead keeps the stop of "U.S." inside and that of "end." outside."""

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]{0,3}\s|[。！？]|\n")

_ABBREVIATION = frozenset(
    "mr mrs ms dr prof st sr jr vs etc inc ltd co corp no fig vol al e.g i.e u.s u.k gen sen rep gov capt sgt dept "
    "approx jan feb mar apr jun jul aug sep sept oct nov dec ca cf".split()
)

STOPWORDS = frozenset(
    "a an the this that these those it its itself he him his himself she her hers herself they them their theirs "
    "we us our ours you your yours i me my mine of in on at by for with from to into onto upon about as than and or "
    "but if then so because while although though since until when where which who whom whose what why how is am "
    "are was were be been being do does did done doing have has had having will would shall should can could may "
    "might must there here also too very just such some any each other another both either more most much many "
    "own same up down out off over under again further once during before after between through above below "
    "not no nor n't 's 're 've 'd 'll 'm s t d ll m re ve o one ones yes yeah well however thus therefore "
    "der die das ein eine und oder zu von mit auf für im am den dem des ist sind war le la les un une et ou de du "
    "des en au aux est sont el los las y o es son del al que qu se il lo gli di da e è".split()
)

NEGATIONS = frozenset(
    "not no never none nobody nothing nowhere neither nor without cannot can't won't don't doesn't didn't isn't "
    "aren't wasn't weren't hasn't haven't hadn't couldn't wouldn't shouldn't n't fail fails failed lack lacks lacked "
    "unable refuse refused deny denied hardly barely rarely seldom nicht kein keine nie pas jamais aucun sin nunca "
    "ningún non mai".split()
)

QUANTIFIERS = frozenset(
    "all every always never none only entirely completely exclusively solely most majority minority few several "
    "first last second third best worst largest smallest biggest highest lowest greatest oldest youngest longest "
    "shortest richest poorest exactly at-least least half double twice triple nearly almost over under less more "
    "fewer increase decrease both neither sometimes often usually rarely".split()
)

OPINIONS = frozenset(
    "i i'm i've i'd i'll me my mine we we're love like loved liked enjoy think thought feel felt believe guess hope "
    "wish cool great awesome amazing yeah yes yep oh wow haha lol sure maybe favorite favourite wonder interesting "
    "definitely agree bet hi hello hey thanks thank sorry really pretty".split()
)

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

CALENDAR = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul "
    "aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday".split()
)

_MONTHS = {
    short: long
    for long in (
        "january february march april june july august september october november december".split()  # noqa: SIM905
    )
    for short in ({long[:3], "sept"} if long == "september" else {long[:3]})
}

_IRREGULAR = {
    word: base
    for base, words in {
        "win": "won winning",
        "write": "wrote written",
        "begin": "began begun",
        "become": "became",
        "make": "made",
        "take": "took taken",
        "give": "gave given",
        "go": "went gone goes",
        "come": "came",
        "see": "saw seen",
        "know": "knew known",
        "grow": "grew grown",
        "hold": "held",
        "lead": "led",
        "leave": "left",
        "lose": "lost",
        "buy": "bought",
        "sell": "sold",
        "tell": "told",
        "say": "said",
        "find": "found",
        "get": "got gotten",
        "keep": "kept",
        "kill": "killed killing",
        "bring": "brought",
        "build": "built",
        "teach": "taught",
        "think": "thought",
        "fight": "fought",
        "catch": "caught",
        "run": "ran",
        "sing": "sang sung",
        "swim": "swam swum",
        "speak": "spoke spoken",
        "break": "broke broken",
        "choose": "chose chosen",
        "drive": "drove driven",
        "rise": "rose risen",
        "fall": "fell fallen",
        "feel": "felt",
        "meet": "met",
        "pay": "paid",
        "send": "sent",
        "spend": "spent",
        "stand": "stood",
        "understand": "understood",
        "throw": "threw thrown",
        "draw": "drew drawn",
        "fly": "flew flown",
        "eat": "ate eaten",
        "wear": "wore worn",
        "bear": "bore born borne",
        "steal": "stole stolen",
        "shoot": "shot",
        "sit": "sat",
        "die": "died dying dies death dead",
        "child": "children",
        "man": "men",
        "woman": "women",
        "person": "people persons",
        "foot": "feet",
        "tooth": "teeth",
        "mouse": "mice",
        "life": "lives",
        "wife": "wives",
        "good": "better best",
        "bad": "worse worst",
        "american": "america usa u.s u.s.a",
        "british": "britain uk u.k",
        "french": "france",
        "german": "germany",
        "chinese": "china",
        "english": "england",
        "spanish": "spain",
    }.items()
    for word in words.split()
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
    if word.endswith("'s"):
        word = word[:-2]
    word = _IRREGULAR.get(word, word)
    word = word.replace(".", "") if "." in word else word
    word = _MONTHS.get(word, word)
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ss") or word.endswith("us") or word.endswith("is"):
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
    """The value of a number token: separators of thousands dropped, `12k` scaled; None for dates, times and ordinals."""
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


@dataclass(frozen=True, slots=True)
class Token:
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
        word = match.group()
        if found and any(mark in text[last_end:start] for mark in ".!?\n:•\"“"):
            first = True
        lower = word.lower()
        number = lower[0].isdigit() or lower in _NUMBER_WORDS
        found.append(Token(start, end, lower, stem(lower), word[0].isupper(), first, number))
        first = False
        last_end = end
    return found


def words_of(text: str) -> list[str]:
    """The tokens of a source, lower-cased, without places: what a source is compared by."""
    return _TOKEN.findall(text.lower())


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
    for index, word in enumerate(words):
        value = number_value(_NUMBER_WORDS.get(word, word)) if (word[0].isdigit() or word in _NUMBER_WORDS) else None
        if value is None:
            continue
        values[f"{value:.10g}"] = value
        following = words[index + 1] if index + 1 < len(words) else ""
        if following in _SCALES:
            scaled = value * _SCALES[following]
            values[f"{scaled:.10g}"] = scaled
        elif following in ("pm", "p.m") and value < 12:
            values[f"{value + 12:.10g}"] = value + 12
    for word in words:
        if ":" in word or "/" in word:
            for part in re.split(r"[:/]", word):
                if part.isdigit():
                    values.setdefault(f"{int(part):.10g}", float(part))
    return values
