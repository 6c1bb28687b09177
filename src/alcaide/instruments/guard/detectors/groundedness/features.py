"""How well each sentence of an answer is borne out by its sources, as numbers a small model can judge.

    1. Answer and sources become tokens; each distinct word of the answer is compared once with each distinct word of
       the sources (`vocabulary`).
    2. The best window of the sources is found for each sentence: what supports a statement stands close together.
    3. Of sentence and window a row of figures is made: what is covered, what is not and how much it matters
       (numbers, names, dates, opposites, negation), whether neighbours in the one are neighbours in the other.

Nothing here knows what an answer ought to be; `model` turns the figures into a probability.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log1p

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import Floats
from alcaide.instruments.guard.detectors.groundedness.sources import Longs, Sources, among, negates
from alcaide.instruments.guard.detectors.groundedness.vocabulary import FOUND, Vocabulary, vocabulary
from alcaide.instruments.guard.detectors.groundedness.words import (
    CALENDAR,
    OPINIONS,
    QUANTIFIERS,
    STOPWORDS,
    Sentence,
    Token,
    sentences_of,
    stem,
    tokens_of,
    words_of,
)

HALF = 16
"""Tokens in half a window. Windows of 32 tokens overlap by half: about one long sentence, or two short ones."""

JOINED = 6
TORN = 16
"""Words between two neighbours of the answer, in the sources: up to the one they are still together, beyond the other
no longer."""

COMMON = 6000
"""Rank up to which a word at the beginning of a sentence is taken for an ordinary one in spite of its capital."""

_BLOCK = 4096
"""Source tokens compared at a time, so that memory is bounded whatever the sources' length."""

NAMES = (
    "words",
    "mass",
    "cover",
    "cover_window",
    "cover_wide",
    "soft",
    "soft_window",
    "weakest",
    "second_weakest",
    "missing",
    "missing_mass",
    "missing_rare",
    "pairs",
    "bigrams",
    "trigrams",
    "longest",
    "numbers",
    "numbers_missing",
    "numbers_elsewhere",
    "names",
    "names_missing",
    "names_elsewhere",
    "calendar_missing",
    "negation_differs",
    "negated",
    "opposite_window",
    "opposite",
    "sister",
    "slot",
    "quantifiers_missing",
    "opinions",
    "asks",
    "in_question",
    "cover_new",
    "soft_new",
    "question_window",
    "question_elsewhere",
    "order",
    "concentration",
    "source_size",
    "tokens",
    "missing_share",
    "weakest_window",
    "soft_gap",
    "window_extra",
    "copied",
    "joined",
    "torn",
    "farthest",
    "particulars_torn",
)


@dataclass(frozen=True, slots=True)
class Support:
    """How each token of the answer is supported: 1 as it stands, 0 not at all, NaN where nothing need support it.

    `rows` has the figures of each sentence, in the order of NAMES; `opposed` are the tokens whose opposite stands
    where their sentence's support does.
    """

    tokens: list[Token]
    sentences: list[Sentence]
    anywhere: Floats
    rows: npt.NDArray[np.float64]
    opposed: frozenset[int]


@dataclass(slots=True)
class _Comparison:
    """What all sentences of one answer share."""

    tokens: list[Token]
    words: Vocabulary
    sources: Sources
    windows: Floats
    wide: Floats
    asked: set[str]
    asked_rows: Floats
    slots: list[int]
    """Each token's place in the vocabulary, -1 for tokens without meaning of their own."""
    pair: list[bool]
    triple: list[bool]
    """Whether a token and its one or two followers are neighbours in the sources, too."""


def compare(answer: str, sources: Sources, question: str | None = None) -> Support:
    """Compare an answer with its sources, sentence by sentence. An answer without a word has no rows."""
    tokens = tokens_of(answer)
    sentences = sentences_of(answer, tokens)
    words = vocabulary(tokens, sources)
    halves = _halves(words, sources)
    windows = halves.copy()
    np.maximum(windows[:-1], halves[1:], out=windows[:-1])
    wide = windows.copy()
    for step in (2, 4):
        wide[:-step] = np.maximum(wide[:-step], windows[step:])
    asked = {stem(word) for word in words_of(question or "") if word not in STOPWORDS and word[0].isalnum()}
    pair, triple = _runs(tokens, sources)
    slots = [-1 if token.lower in STOPWORDS else words.place.get(token.stem, -1) for token in tokens]
    known = _Comparison(
        tokens,
        words,
        sources,
        windows,
        wide,
        asked,
        _asked(asked, sources, len(windows)),
        slots,
        pair,
        triple,
    )
    best_windows = _best_windows(known, sentences)
    rows = np.zeros((len(sentences), len(NAMES)))
    opposed: set[int] = set()
    for line, (sentence, window) in enumerate(zip(sentences, best_windows, strict=True)):
        held = set(sources.sequence[window * HALF : (window + 2) * HALF].tolist())
        value = _figures(known, sentence, window, held)
        rows[line] = [value[name] for name in NAMES]
        if words.opposite:
            opposed.update(
                at
                for at in range(sentence.low, sentence.high)
                if slots[at] in words.opposite and not held.isdisjoint(words.opposite[slots[at]])
            )
    anywhere = np.array([words.best[slot] if slot >= 0 else np.nan for slot in slots], dtype=np.float32)
    return Support(tokens, sentences, anywhere, rows, frozenset(opposed))


def _halves(words: Vocabulary, sources: Sources) -> Floats:
    """For each half window, how well it supports each distinct word of the answer."""
    count = -(-len(sources.sequence) // HALF)
    halves: Floats = np.zeros((max(count, 1), len(words.stems)), dtype=np.float32)
    if not words.stems:
        return halves
    by_source = np.ascontiguousarray(words.similar.T)
    for begin in range(0, len(sources.sequence), _BLOCK):
        ids = sources.sequence[begin : begin + _BLOCK]
        whole = len(ids) // HALF
        at = begin // HALF
        if whole:
            shape = (whole, HALF, len(words.stems))
            halves[at : at + whole] = by_source[ids[: whole * HALF]].reshape(shape).max(axis=1)
        if len(ids) % HALF:
            halves[at + whole] = by_source[ids[whole * HALF :]].max(axis=0)
    return halves


def _asked(asked: set[str], sources: Sources, count: int) -> Floats:
    """The share of the question's words in each stretch of three halves."""
    share: Floats = np.zeros(count, dtype=np.float32)
    if not asked or not len(sources.sequence):
        return share
    order, starts = sources.by_word
    for word in asked:
        number = sources.local.get(word)
        if number is None:
            continue
        where = np.array(order[starts[number] : starts[number + 1]]) // HALF
        held = np.zeros(count, dtype=np.bool_)
        for shift in (0, 1, 2):
            held[np.maximum(where - shift, 0)] = True
        share += held
    return share / np.float32(len(asked))


def _runs(tokens: list[Token], sources: Sources) -> tuple[list[bool], list[bool]]:
    """For each token, whether it and the next one, or two, are neighbours in the sources, too."""
    ids: Longs = np.array([sources.local.get(token.stem, -1) for token in tokens], dtype=np.int64)
    base = max(len(sources.stems), 1)
    known = ids >= 0
    pair = known[:-1] & known[1:] & among(ids[:-1] * base + ids[1:], sources.pairs)
    triple = known[:-2] & known[1:-1] & known[2:]
    triple &= among((ids[:-2] * base + ids[1:-1]) * base + ids[2:], sources.triples)
    return pair.tolist(), triple.tolist()


def _best_windows(known: _Comparison, sentences: list[Sentence]) -> list[int]:
    """Where each sentence finds most support; what the question asks about counts a little."""
    words = known.words
    if not words.stems or not sentences:
        return [0] * len(sentences)
    weight: Floats = np.zeros((len(words.stems), len(sentences)), dtype=np.float32)
    for line, sentence in enumerate(sentences):
        for slot in known.slots[sentence.low : sentence.high]:
            if slot >= 0:
                weight[slot, line] = words.weight[slot]
    scores = known.windows @ weight
    if known.asked:
        scores += np.outer(known.asked_rows, np.float32(0.3) * weight.sum(axis=0))
    found: list[int] = scores.argmax(axis=0).tolist()
    return found


_FULL = (
    "cover",
    "cover_window",
    "cover_wide",
    "soft",
    "soft_window",
    "weakest",
    "weakest_window",
    "second_weakest",
    "pairs",
    "bigrams",
    "trigrams",
    "cover_new",
    "soft_new",
    "copied",
    "joined",
)


def _figures(known: _Comparison, sentence: Sentence, window: int, held: set[int]) -> dict[str, float]:
    words, sources = known.words, known.sources
    part = known.tokens[sentence.low : sentence.high]
    value = dict.fromkeys(NAMES, 0.0)
    value["tokens"] = log1p(len(part))
    value["source_size"] = log1p(len(sources.words))
    value["asks"] = float(any(token.lower == "?" for token in part))
    value["opinions"] = float(sum(token.lower in OPINIONS for token in part))
    negative = sum(negates(token.lower) for token in part)
    value["negated"] = float(negative)
    slots = [slot for slot in known.slots[sentence.low : sentence.high] if slot >= 0]
    if not slots or not sources.stems:
        # Nothing to support, or nothing to support it with: the figures of full, respectively no, support.
        value.update(dict.fromkeys(_FULL, 0.0 if slots else 1.0))
        value["missing_share"] = float(bool(slots))
        value["words"] = float(len(slots))
        return value
    distinct = sorted(set(slots))
    _coverage(value, known, distinct, window)
    _neighbours(value, known, sentence, part)
    _particulars(value, known, sentence, window)
    _contradictions(value, known, distinct, held, negative)
    lowers = {token.lower for token in part}
    value["quantifiers_missing"] = float(
        sum(word in QUANTIFIERS and stem(word) not in sources.local for word in lowers)
    )
    value["window_extra"] = float(sources.content[list(held)].sum()) / (len(distinct) + 1.0)
    value["order"] = _order(slots, words, window * HALF, min(len(sources.sequence), (window + 2) * HALF))
    _joints(value, known, sentence)
    return value


def _coverage(value: dict[str, float], known: _Comparison, distinct: list[int], window: int) -> None:
    """How much of the sentence's words is in the sources, in the window, and beyond what the question says."""
    words = known.words
    weight = [words.weight[slot] for slot in distinct]
    best = [words.best[slot] for slot in distinct]
    exact = [bool(one) for one in (words.local[distinct] >= 0).tolist()]
    inside: list[float] = known.windows[window, distinct].tolist()
    around: list[float] = known.wide[max(0, window - 2), distinct].tolist()
    mass = sum(weight)
    value["words"] = float(len(distinct))
    value["mass"] = mass
    value["cover"] = sum(w for w, one in zip(weight, exact, strict=True) if one) / mass
    value["cover_window"] = sum(w for w, one in zip(weight, inside, strict=True) if one >= 1.0) / mass
    value["cover_wide"] = sum(w for w, one in zip(weight, around, strict=True) if one > 0.89) / mass
    value["soft"] = sum(w * one for w, one in zip(weight, best, strict=True)) / mass
    value["soft_window"] = sum(w * one for w, one in zip(weight, inside, strict=True)) / mass
    ordered = sorted(best)
    value["weakest"] = ordered[0]
    value["second_weakest"] = ordered[1] if len(ordered) > 1 else 1.0
    value["weakest_window"] = min(inside)
    gone = [at for at, one in enumerate(best) if one < FOUND]
    value["missing"] = float(len(gone))
    value["missing_share"] = len(gone) / len(distinct)
    value["missing_mass"] = mass * (1.0 - value["soft"])
    value["missing_rare"] = float(sum(weight[at] > 0.93 for at in gone))
    value["sister"] = max(
        (max(words.near[distinct[at]], float(words.sister[distinct[at]])) for at in gone), default=0.0
    )
    value["soft_gap"] = mass * (value["soft"] - value["soft_window"])
    value["concentration"] = value["soft_window"] / max(value["soft"], 1e-6)
    new = [at for at, slot in enumerate(distinct) if words.stems[slot] not in known.asked]
    fresh = sum(weight[at] for at in new)
    value["in_question"] = 1.0 - fresh / mass
    value["cover_new"] = sum(weight[at] for at in new if exact[at]) / fresh if new else 1.0
    value["soft_new"] = sum(weight[at] * best[at] for at in new) / fresh if new else 1.0
    if known.asked:
        value["question_window"] = float(known.asked_rows[window])
        value["question_elsewhere"] = float(known.asked_rows.max()) - value["question_window"]


def _neighbours(value: dict[str, float], known: _Comparison, sentence: Sentence, part: list[Token]) -> None:
    """Runs of words that stand in the sources, too; and frames of which the middle was exchanged."""
    sources = known.sources
    pair = known.pair[sentence.low : sentence.high - 1]
    triple = known.triple[sentence.low : sentence.high - 2]
    meaning: Longs = np.array(
        [
            sources.local.get(token.stem, -1)
            for at, token in enumerate(part, sentence.low)
            if known.slots[at] >= 0
        ],
        dtype=np.int64,
    )
    if pair:
        value["bigrams"] = sum(pair) / len(pair)
        run = longest = 0
        for matched in pair:
            run = run + 1 if matched else 0
            longest = max(longest, run)
        value["longest"] = float(longest + 1) if longest else 0.0
        value["copied"] = longest / len(pair)
    if triple:
        value["trigrams"] = sum(triple) / len(triple)
    base = len(sources.stems)
    if len(meaning) < 2:
        value["pairs"] = value["bigrams"] = value["trigrams"] = float(len(meaning) and meaning[0] >= 0)
        return
    there = meaning >= 0
    hit = there[:-1] & there[1:] & among(meaning[:-1] * base + meaning[1:], sources.content_pairs)
    value["pairs"] = int(np.count_nonzero(hit)) / len(hit)
    if not there.all() and len(meaning) > 2:
        framed = there[:-2] & there[2:] & ~there[1:-1]
        value["slot"] = float(
            np.count_nonzero(framed & among(meaning[:-2] * base + meaning[2:], sources.slots))
        )


def _particulars(value: dict[str, float], known: _Comparison, sentence: Sentence, window: int) -> None:
    """Numbers, names and dates: what can be wrong in one word."""
    words = known.words
    for at in range(sentence.low, sentence.high):
        token, slot = known.tokens[at], known.slots[at]
        if slot < 0:
            continue
        found = words.best[slot]
        if token.number:
            value["numbers"] += 1.0
            value["numbers_missing"] += found < FOUND
            value["numbers_elsewhere"] += found >= FOUND and known.windows[window, slot] < FOUND
        elif token.lower in CALENDAR:
            value["calendar_missing"] += found < FOUND
        elif is_name(token, int(words.number[slot])):
            value["names"] += 1.0
            if found >= FOUND:
                value["names_elsewhere"] += bool(known.windows[window, slot] < FOUND)
            elif not spelled_out(token, known.sources):
                value["names_missing"] += 1.0


def is_name(token: Token, number: int) -> bool:
    """Whether a token looks like a name: a capital inside a sentence, or one at its start that is no common word."""
    return token.capital and (not token.first or number < 0 or number > COMMON)


def spelled_out(token: Token, sources: Sources) -> bool:
    """Whether the sources have words that begin with an abbreviation's letters, in a row."""
    letters = token.lower.replace(".", "")
    return 3 <= len(letters) <= 6 and letters.isalpha() and letters in sources.initials


def _contradictions(
    value: dict[str, float], known: _Comparison, distinct: list[int], held: set[int], negative: int
) -> None:
    there = not held.isdisjoint(known.sources.negative)
    if negative:
        value["negation_differs"] = 0.0 if there else 1.0
    elif there:
        # The window may negate something else.
        value["negation_differs"] = 0.5
    opposite = known.words.opposite
    if opposite:
        opposed = [slot for slot in distinct if slot in opposite]
        value["opposite"] = float(len(opposed))
        value["opposite_window"] = float(sum(not held.isdisjoint(opposite[slot]) for slot in opposed))


def _order(slots: list[int], words: Vocabulary, low: int, high: int) -> float:
    """From 1, the words that both have come in one order, to -1, in the reverse order; 0 where fewer than two do."""
    places: list[int] = []
    for slot in slots:
        where = words.places[slot]
        at = bisect_left(where, low)
        if at < len(where) and where[at] < high:
            places.append(where[at])
    if len(places) < 2:
        return 0.0
    places = places[:60]
    total = 0
    for at, one in enumerate(places):
        for other in places[at + 1 :]:
            total += (other > one) - (other < one)
    return 2.0 * total / (len(places) * (len(places) - 1))


def _joints(value: dict[str, float], known: _Comparison, sentence: Sentence) -> None:
    """Whether what stands side by side in the sentence stands together in the sources: who did what to whom."""
    words = known.words
    content = [at for at in range(sentence.low, sentence.high) if known.slots[at] >= 0]
    slots = [known.slots[at] for at in content]
    gaps = [
        inf if left == right else _gap(words.places[left], words.places[right])
        for left, right in pairwise(slots)
    ]
    if not gaps:
        value["joined"] = 1.0
        return
    met = [gap for gap in gaps if gap < inf]
    value["joined"] = sum(gap <= JOINED for gap in met) / len(gaps)
    value["torn"] = float(sum(gap > TORN for gap in met))
    value["farthest"] = log1p(min(max(met), 400.0)) if met else 0.0
    for at, place in enumerate(content):
        token = known.tokens[place]
        if token.number or is_name(token, int(words.number[slots[at]])):
            nearest = min((gap for gap in gaps[max(0, at - 1) : at + 1] if gap < inf), default=0.0)
            value["particulars_torn"] += nearest > TORN


def _gap(left: list[int], right: list[int]) -> float:
    """The shortest way between an occurrence of the one and of the other; infinite where one is nowhere."""
    if not left or not right:
        return inf
    if len(left) > len(right):
        left, right = right, left
    shortest = inf
    for place in left:
        at = bisect_left(right, place)
        if at < len(right):
            shortest = min(shortest, right[at] - place)
        if at:
            shortest = min(shortest, place - right[at - 1])
    return float(shortest)
