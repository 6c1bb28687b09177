"""Which words are names, places, organisations, nationalities, job titles or parts of an address.

Two linear models, one upon the other. The first sees a word and its neighbours through hashed features and gives each
word seven probabilities; the second sees the first's answers for five words in a row, so that what is said of a word
agrees with what is said beside it. Both are whole-array steps over the words worth a look; Python runs only over the
words found.

The weights were trained by tools/guard/train_names.py; docs/guard/personal-data.md has the recipe and the figures.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier
from alcaide.instruments.guard.detectors.personal_data.reading import Reading
from alcaide.instruments.guard.detectors.personal_data.tagger.features import (
    CASELESS,
    PAD,
    SPACE_ALONE,
    STREET,
    Looks,
    Words,
    features,
    looks,
    neighbourhood,
)
from alcaide.instruments.guard.detectors.personal_data.tagger.features import (
    TITLE as TITLE_FLAG,
)
from alcaide.instruments.guard.model import Level

LABELS = ("", "PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE", "STREET_ADDRESS")
NONE, PERSON, LOCATION, ORGANIZATION, NRP, TITLE, ADDRESS = range(7)
CLASSES = 8
"""One more than there are labels: rows of eight are read in one load."""
SECOND_INPUTS = 7 * CLASSES + 1

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """A trained tagger. `calibration` gives, for scores 0, 0.1 … 1, how often they were right."""

    table: npt.NDArray[np.int16]
    scale: float
    bias: Floats
    second: Floats
    calibration: Floats


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The weights in the package."""
    octets = (resources.files(__package__) / "weights.npz").read_bytes()
    with np.load(io.BytesIO(octets), allow_pickle=False) as stored:
        return Weights(
            stored["table"].astype(np.int16),
            float(stored["scale"]),
            stored["bias"].astype(np.float32),
            stored["second"].astype(np.float32),
            stored["calibration"].astype(np.float32),
        )


def first_logits(rows: npt.NDArray[np.intp], weights: Weights) -> Floats:
    """The first model's answer for each candidate: the sum of the rows its features point at."""
    total = np.add.reduce(weights.table.take(rows, axis=0), axis=0, dtype=np.int16)
    logits: Floats = total.astype(np.float32)
    logits *= np.float32(weights.scale)
    logits += weights.bias
    return logits


def softmax(logits: Floats) -> Floats:
    """Probabilities; the unused last class gets none."""
    powers: Floats = logits - np.maximum.reduce(logits[:, : CLASSES - 1], axis=1, keepdims=True)
    np.exp(powers, out=powers)
    powers[:, CLASSES - 1] = 0
    powers /= np.add.reduce(powers, axis=1, keepdims=True)
    return powers


def second_inputs(field: Floats, places: npt.NDArray[np.intp], seen: Looks) -> Floats:
    """What the second model sees: the first one's answers for the word, two to each side, and tight neighbours.

    `field` holds the first model's answer for every word, two rows of certain nothing before and behind.
    """
    around = field.take(places[:, None] + _AROUND, axis=0)
    inputs = np.empty((places.size, SECOND_INPUTS), dtype=np.float32)
    inputs[:, : 5 * CLASSES] = around.reshape(places.size, 5 * CLASSES)
    # The third place holds logarithms: the answer for the word itself is in the first.
    np.log(around[:, 0] + np.float32(1e-4), out=inputs[:, 2 * CLASSES : 3 * CLASSES])
    tight = (seen.seen[3].take(places[:, None] + _SIDES) == SPACE_ALONE)[:, :, None]
    inputs[:, 5 * CLASSES : 7 * CLASSES] = (around[:, 1:4:2] * tight).reshape(places.size, 2 * CLASSES)
    inputs[:, -1] = 1
    return inputs


_AROUND = np.array([2, 1, 2, 3, 4])
_SIDES = np.array([PAD, PAD + 1])


def empty_field(count: int) -> Floats:
    """Every word certainly nothing."""
    field = np.zeros((count + 4, CLASSES), dtype=np.float32)
    field[:, NONE] = 1
    return field


_ROWS = 512
"""Rows multiplied at once: a larger product is spread over threads, which costs more than it saves here."""


def second_logits(inputs: Floats, weights: Weights) -> Floats:
    """The second model's answer."""
    if len(inputs) <= _ROWS:
        return inputs @ weights.second
    return np.concatenate([inputs[at : at + _ROWS] @ weights.second for at in range(0, len(inputs), _ROWS)])


_FEW = 32
"""With so few words in question their neighbours are answered for at once: calls cost more than words here."""
_CERTAIN = 0.97
"""A word that is nothing with this probability is not looked at further, nor are its neighbours."""


def tag(reading: Reading, weights: Weights | None = None) -> Iterator[Candidate]:
    """Entities of one block.

    1. The first model answers for the words that could be an entity's by themselves.
    2. It answers for the neighbours of those that it is not certain are nothing (at once where there are few).
    3. The second model decides on both.
    """
    words = Words(reading)
    seen = looks(words)
    if seen is None:
        return
    weights = weights or shipped()
    field = empty_field(words.count)
    if seen.seeds.size <= _FEW:
        places = neighbourhood(seen.seeds, words.count).nonzero()[0]
        field[places + 2] = _first(words, seen, places, weights)
        if not (field[seen.seeds + 2, NONE] < _CERTAIN).any():
            return
    else:
        field[seen.seeds + 2] = _first(words, seen, seen.seeds, weights)
        hot = seen.seeds[field[seen.seeds + 2, NONE] < _CERTAIN]
        if not hot.size:
            return
        near = neighbourhood(hot, words.count)
        rest = near.copy()
        rest[seen.seeds] = False
        others = np.flatnonzero(rest)
        if others.size:
            field[others + 2] = _first(words, seen, others, weights)
        places = np.flatnonzero(near)
    second = softmax(second_logits(second_inputs(field, places, seen), weights))
    best = second.argmax(axis=1)
    found = best.nonzero()[0]
    if not found.size:
        return
    found = found[seen.seen[1, places[found] + PAD] != CASELESS]
    labels = dict(zip(places[found].tolist(), best[found].tolist(), strict=True))
    scores = dict(zip(places[found].tolist(), second[found, best[found]].tolist(), strict=True))
    yield from entities(reading, words, seen, labels, scores, weights.calibration)


def _first(words: Words, seen: Looks, places: npt.NDArray[np.intp], weights: Weights) -> Floats:
    pieces = [first_logits(rows, weights) for rows in features(words, seen, places)]
    return softmax(pieces[0] if len(pieces) == 1 else np.concatenate(pieces))


# ── From words to entities ───────────────────────────────────────────────────────────────────────────────────────

_GAPS = {
    PERSON: re.compile(r"[ \u00a0]|\. ?|['’-]"),
    LOCATION: re.compile(r"[ \u00a0]|\. ?|['’-]"),
    ORGANIZATION: re.compile(r"[ \u00a0]|\. ?|['’/+&-]| [&+-] |, "),
    NRP: re.compile(r"[ -]"),
    TITLE: re.compile(r"[ /-]|, | & "),
    ADDRESS: re.compile(r"[^\w]{0,3}|\s{0,4}[,.\-–/#]?\s{0,4}"),
}
_ENTITY: dict[int, tuple[str, str, str, Level, Tier]] = {
    PERSON: ("PERSON", "person", "reads like a person's name", "warning", Tier.WORD),
    LOCATION: ("LOCATION", "location", "reads like a place", "note", Tier.WORD),
    ORGANIZATION: ("ORGANIZATION", "organization", "reads like an organisation", "note", Tier.WORD),
    NRP: ("NRP", "nrp", "names a nationality, a faith or a political group", "note", Tier.WORD),
    TITLE: ("TITLE", "job-title", "reads like a job title", "note", Tier.WORD),
    ADDRESS: ("STREET_ADDRESS", "postal-address", "reads like a postal address", "warning", Tier.ADDRESS),
}
_MONEY = frozenset("$€£¥")
_DOTTED = frozenset(["inc", "ltd", "co", "corp", "jr", "sr", "llc", "st", "bros"])
_JOIN = re.compile(r"[\s,.\-–]{1,5}|\s?\(")
_POSTAL = re.compile(r"\d{3,6}|[A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]?|\d[A-Z]{2}")


@dataclass(slots=True)
class _Run:
    label: int
    first: int
    last: int
    score: float


def entities(
    reading: Reading,
    words: Words,
    seen: Looks,
    labels: dict[int, int],
    scores: dict[int, float],
    calibration: Floats,
) -> Iterator[Candidate]:
    """Neighbouring words of one label as one entity; an address takes in the place and the postcode that follow it."""
    text = reading.text
    knots = calibration.tolist()
    runs = _runs(text, words, labels, scores)
    at = 0
    while at < len(runs):
        run = runs[at]
        at += 1
        if run.label == ADDRESS:
            at = _whole_address(text, words, run, runs, at)
            if not _like_an_address(text, words, seen, run):
                continue
        low, high = int(words.starts[run.first]), int(words.ends[run.last])
        if run.label == PERSON:
            title = _title(text, words, seen, run)
            if title is not None:
                yield title
                low = max(low, int(words.starts[run.first]))
        elif run.label == LOCATION:
            code = _postcode_beside(text, words, run)
            if code is not None:
                yield code
        if text[high : high + 1] == "." and text[int(words.starts[run.last]) : high].lower() in _DOTTED:
            high += 1
        entity, rule, reason, level, tier = _ENTITY[run.label]
        yield Candidate(low, high, entity, rule, _calibrated(run.score, knots), reason, level, tier)


def _like_an_address(text: str, words: Words, seen: Looks, run: _Run) -> bool:
    """Whether a run of an address's words can be one.

    What can only be a place is made one; what may be a quantity is believed less.
    """
    low, high = int(words.starts[run.first]), int(words.ends[run.last])
    written = text[low:high]
    if not any(map(str.isalpha, written)) or text[low - 1 : low] in _MONEY:
        return False  # a number without a word of its address, or a price
    if any(int(flag) & STREET for flag in seen.flags[run.first : run.last + 1]):
        return True
    if not any(map(str.isdigit, written)):
        run.label = LOCATION
    elif run.last - run.first < 2 and written[0].isdigit():
        run.score *= 0.5  # `100 Fahrenheit` is written like `12 Broadway`
    return True


def _title(text: str, words: Words, seen: Looks, run: _Run) -> Candidate | None:
    """The form of address before a name, or the first word of the name taken for a part of it."""
    within = bool(int(seen.flags[run.first]) & TITLE_FLAG) and run.last > run.first
    place = run.first if within else run.first - 1
    if place < 0 or not int(seen.flags[place]) & TITLE_FLAG:
        return None
    title = _honorific(text, int(words.starts[place]), int(words.ends[place]), int(words.starts[place + 1]))
    if title is not None and within:
        run.first += 1
    return title


def _calibrated(score: float, knots: list[float]) -> float:
    """Between the two nearest of the equally spaced knots."""
    place = min(max(score, 0.0), 1.0) * (len(knots) - 1)
    low = min(int(place), len(knots) - 2)
    return round(knots[low] + (knots[low + 1] - knots[low]) * (place - low), 3)


def _runs(text: str, words: Words, labels: dict[int, int], scores: dict[int, float]) -> list[_Run]:
    runs: list[_Run] = []
    for word, label in labels.items():
        score = scores[word]
        if runs and runs[-1].label == label and runs[-1].last == word - 1:
            gap = text[int(words.ends[word - 1]) : int(words.starts[word])]
            if len(gap) < 9 and _GAPS[label].fullmatch(gap):
                previous = runs[-1]
                length = word - previous.first
                previous.last = word
                previous.score = (previous.score * length + score) / (length + 1)
                continue
        runs.append(_Run(label, word, word, score))
    return runs


def _whole_address(text: str, words: Words, run: _Run, runs: list[_Run], at: int) -> int:
    """Let an address take in what belongs to it; returns the next run that does not."""
    while True:
        following = run.last + 1
        if following >= words.count or not _JOIN.fullmatch(
            text[int(words.ends[run.last]) : int(words.starts[following])]
        ):
            return at
        if at < len(runs) and runs[at].first == following and runs[at].label in (LOCATION, ADDRESS):
            run.last = runs[at].last
            at += 1
            continue
        if (at >= len(runs) or runs[at].first > following) and _POSTAL.fullmatch(
            text[int(words.starts[following]) : int(words.ends[following])]
        ):
            run.last = following
            continue
        return at


_DIGITS = re.compile(r"\d{4,6}")


def _postcode_beside(text: str, words: Words, run: _Run) -> Candidate | None:
    """`Bjert 6091`, `10115 Berlin`: a number beside a place, one space apart."""
    for word, gap in ((run.last + 1, (run.last, run.last + 1)), (run.first - 1, (run.first - 1, run.first))):
        if not 0 <= word < words.count:
            continue
        start, end = int(words.starts[word]), int(words.ends[word])
        apart = text[int(words.ends[gap[0]]) : int(words.starts[gap[1]])]
        if apart == " " and _DIGITS.fullmatch(text, start, end) and not 1900 <= int(text[start:end]) <= 2030:
            return Candidate(
                start, end, "ZIP_CODE", "postcode", 0.6, "is a number beside a place", "note", Tier.WORD
            )
    return None


_HONORIFIC = re.compile(
    r"mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|mme|mlle|herr|frau|señora?|sra?|sig|"
    r"signora?|rev|hon|capt|sgt|lt|lady|lord|mister",
    re.IGNORECASE,
)


def _honorific(text: str, start: int, end: int, following: int) -> Candidate | None:
    if not _HONORIFIC.fullmatch(text, start, end) or text[end:following] not in (" ", ". ", "."):
        return None
    stop = end + (text[end] == ".")
    return Candidate(
        start, stop, "TITLE", "honorific", 0.8, "is a form of address before a name", "note", Tier.WORD
    )
