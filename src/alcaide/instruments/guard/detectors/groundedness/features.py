"""How well each sentence of an answer is borne out by its sources, as numbers a small model can judge.

    1. Answer and sources become tokens; each distinct word of the answer is compared once with each distinct word of
       the sources: the same stem, a synonym or wider word, a near spelling, a near meaning.
    2. The best window of the sources is found for each sentence: what supports a statement stands close together.
    3. Of sentence and window a row of figures is made: what is covered, what is not and how much it matters
       (numbers, names, dates, opposites, negation), whether neighbours in the one are neighbours in the other.

Nothing here knows what an answer ought to be; the figures are turned into a probability by `trees`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import Floats, Lexicon, lexicon
from alcaide.instruments.guard.detectors.groundedness.words import (
    CALENDAR,
    NEGATIONS,
    OPINIONS,
    QUANTIFIERS,
    STOPWORDS,
    Sentence,
    Token,
    sentences_of,
    stem,
    tokens_of,
    values_of,
    words_of,
)

HALF = 16
"""Tokens in half a window. Windows of 32 tokens overlap by half: about one long sentence, or two short ones."""

NEAR = 0.5
"""Cosine below which two words have nothing to do with each other, as judged on the lexicon's own vectors."""

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
MONOTONE = {
    "cover": -1,
    "soft": -1,
    "cover_window": -1,
    "soft_window": -1,
    "bigrams": -1,
    "trigrams": -1,
    "pairs": -1,
    "weakest": -1,
    "weakest_window": -1,
    "missing": 1,
    "missing_mass": 1,
    "numbers_missing": 1,
    "names_missing": 1,
    "opposite_window": 1,
    "negation_differs": 1,
    "calendar_missing": 1,
    "slot": 1,
    "question_elsewhere": 1,
    "copied": -1,
    "joined": -1,
    "torn": 1,
    "farthest": 1,
    "particulars_torn": 1,
}
"""In which direction a figure may move the probability that a sentence is unsupported, whatever the data say."""


@dataclass(frozen=True, slots=True)
class Support:
    """How each token of the answer is supported: 1 as it stands, 0 not at all, NaN where nothing need support it."""

    tokens: list[Token]
    sentences: list[Sentence]
    anywhere: Floats
    nearby: Floats
    rows: npt.NDArray[np.float64]
    opposed: frozenset[int]


class Sources:
    """The sources of an exchange, prepared for comparing. Made once an exchange."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.words: list[str] = []
        self.parts: list[tuple[int, int]] = []
        for text in texts:
            begin = len(self.words)
            self.words.extend(words_of(text))
            self.parts.append((begin, len(self.words)))
        self.local: dict[str, int] = {}
        surfaces: list[str] = []
        sequence: list[int] = []
        cache: dict[str, int] = {}
        local = self.local
        for word in self.words:
            at = cache.get(word)
            if at is None:
                base = stem(word)
                at = local.get(base)
                if at is None:
                    at = local[base] = len(surfaces)
                    surfaces.append(word)
                cache[word] = at
            sequence.append(at)
        self.surfaces = surfaces
        self.stems = list(local)
        self.sequence = np.array(sequence, dtype=np.int32)
        self.values = values_of(self.words)

    @cached_property
    def content(self) -> npt.NDArray[np.bool_]:
        """Which distinct words carry meaning of their own."""
        return np.array(
            [word not in STOPWORDS and word[0] not in "%?$€£" for word in self.surfaces], dtype=np.bool_
        )

    @cached_property
    def negation(self) -> npt.NDArray[np.bool_]:
        return np.array([_negative(word) for word in self.surfaces], dtype=np.bool_)

    @cached_property
    def numbers(self) -> npt.NDArray[np.int32]:
        """Each distinct word's number in the lexicon, -1 where unknown."""
        known = lexicon()
        return np.array(
            [known.number(word, base) for word, base in zip(self.surfaces, self.stems, strict=True)],
            dtype=np.int32,
        )

    @cached_property
    def by_word(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
        """The tokens' places, word by word, and where each word's begin."""
        order = np.argsort(self.sequence, kind="stable").astype(np.int32)
        return order, self.sequence[order].searchsorted(np.arange(len(self.stems) + 1))

    @cached_property
    def initials(self) -> str:
        """The first letters of all words but the smallest: a name's letters stand in it where the name does."""
        return "".join(word[0] for word in self.words if word not in ("of", "the", "and", "for", "in"))

    @cached_property
    def prefixes(self) -> dict[str, list[int]]:
        """Distinct words by their first four letters, for spellings that differ only in the ending."""
        found: dict[str, list[int]] = {}
        for at, base in enumerate(self.stems):
            if len(base) >= 5 and base[0].isalpha():
                found.setdefault(base[:4], []).append(at)
        return found

    @cached_property
    def pairs(self) -> npt.NDArray[np.int64]:
        """Every two neighbouring words, as one number; sorted."""
        return np.unique(_joined(self.sequence, len(self.stems)))

    @cached_property
    def triples(self) -> npt.NDArray[np.int64]:
        base = np.int64(len(self.stems))
        ids = self.sequence.astype(np.int64)
        return np.unique((ids[:-2] * base + ids[1:-1]) * base + ids[2:]) if len(ids) > 2 else ids[:0]

    @cached_property
    def content_sequence(self) -> npt.NDArray[np.int32]:
        return self.sequence[self.content[self.sequence]] if len(self.sequence) else self.sequence

    @cached_property
    def content_pairs(self) -> npt.NDArray[np.int64]:
        """Neighbours once words without meaning of their own are left out."""
        return np.unique(_joined(self.content_sequence, len(self.stems)))

    @cached_property
    def slots(self) -> npt.NDArray[np.int64]:
        """Meaningful words with exactly one other between them: the frame around a slot."""
        ids = self.content_sequence.astype(np.int64)
        return np.unique(ids[:-2] * len(self.stems) + ids[2:]) if len(ids) > 2 else ids[:0]


def _joined(ids: npt.NDArray[np.int32], base: int) -> npt.NDArray[np.int64]:
    wide = ids.astype(np.int64)
    return wide[:-1] * base + wide[1:]


def _negative(word: str) -> bool:
    return word in NEGATIONS or word.endswith(("n't", "n’t"))


def _among(wanted: npt.NDArray[np.int64], ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.bool_)
    at = np.minimum(ordered.searchsorted(wanted), len(ordered) - 1)
    same: npt.NDArray[np.bool_] = ordered[at] == wanted
    return same


@dataclass(slots=True)
class _Vocabulary:
    """The distinct meaningful words of an answer, compared with those of the sources."""

    place: dict[str, int]
    stems: list[str]
    weight: Floats
    number: npt.NDArray[np.int32]
    local: npt.NDArray[np.int32]
    similar: Floats
    near: Floats
    sister: Floats
    opposite: list[list[int]]
    places: list[npt.NDArray[np.int32]]


def _vocabulary(tokens: list[Token], sources: Sources, known: Lexicon) -> _Vocabulary:
    place: dict[str, int] = {}
    stems: list[str] = []
    surfaces: list[str] = []
    for token in tokens:
        if token.lower in STOPWORDS or token.lower[0] in "%?$€£" or token.stem in place:
            continue
        place[token.stem] = len(stems)
        stems.append(token.stem)
        surfaces.append(token.lower)
    number = np.array(
        [known.number(word, base) for word, base in zip(surfaces, stems, strict=True)], dtype=np.int32
    )
    weight = np.array([known.rarity(int(at)) for at in number], dtype=np.float32)
    local = np.array([sources.local.get(base, -1) for base in stems], dtype=np.int32)
    size = len(sources.stems)
    similar = np.zeros((len(stems), size), dtype=np.float32)
    near = np.zeros(len(stems), dtype=np.float32)
    opposite: list[list[int]] = [[] for _ in stems]
    sister = np.zeros(len(stems), dtype=np.float32)
    if not stems or not size:
        return _Vocabulary(place, stems, weight, number, local, similar, near, sister, opposite, [])
    mine = np.flatnonzero(number >= 0)
    theirs = np.flatnonzero((sources.numbers >= 0) & sources.content)
    if len(mine) and len(theirs):
        cosine = known.vectors[number[mine]] @ known.vectors[sources.numbers[theirs]].T
        # A near meaning is worth less than the word itself: siblings are as near as synonyms.
        worth = np.where(cosine > NEAR, (cosine - NEAR) * 1.2, 0.0)
        similar[np.ix_(mine, theirs)] = np.minimum(worth, 0.6)
        near[mine] = cosine.max(axis=1)
    _relate(similar, opposite, sister, number, local, sources, known)
    for at, base in enumerate(stems):
        if local[at] >= 0:
            similar[at, local[at]] = 1.0
        elif base[0].isdigit():
            if base in sources.values:
                # The value is stated, though with another scale or unit word: found wherever it stands.
                similar[at, :] = np.maximum(similar[at, :], _stating(base, sources))
        elif len(base) >= 5:
            for other in sources.prefixes.get(base[:4], ()):
                shared = _shared_prefix(base, sources.stems[other])
                if shared >= 5 or shared >= 0.7 * max(len(base), len(sources.stems[other])):
                    similar[at, other] = max(similar[at, other], 0.75)
    places = _places(similar, sources)
    return _Vocabulary(place, stems, weight, number, local, similar, near, sister, opposite, places)


def _places(similar: Floats, sources: Sources) -> list[npt.NDArray[np.int32]]:
    """For each distinct word of the answer, where in the sources it stands, or a word that says the same."""
    order, starts = sources.by_word
    found: list[npt.NDArray[np.int32]] = []
    for row in similar >= 0.75:
        columns = np.flatnonzero(row)[:8]
        parts = [order[starts[at] : starts[at + 1]] for at in columns.tolist()]
        found.append(np.sort(np.concatenate(parts)[:400]) if parts else order[:0])
    return found


def _stating(base: str, sources: Sources) -> Floats:
    value = sources.values[base]
    found = np.zeros(len(sources.stems), dtype=np.float32)
    for at, other in enumerate(sources.stems):
        if other[0].isdigit():
            stated = sources.values.get(other)
            if stated and (value % stated == 0) and value / stated in (1e2, 1e3, 1e6, 1e9, 1e12):
                found[at] = 0.9
            elif ":" in other or "/" in other:
                found[at] = 0.9 if base in other.replace("/", ":").split(":") else 0.0
    if not found.any():
        found[np.array([stem_[0].isdigit() for stem_ in sources.stems])] = 0.8
    return found


def _relate(
    similar: Floats,
    opposite: list[list[int]],
    sister: Floats,
    number: npt.NDArray[np.int32],
    local: npt.NDArray[np.int32],
    sources: Sources,
    known: Lexicon,
) -> None:
    """Add what WordNet says: the same or a wider word supports, an opposite or a sister speaks against."""
    column = np.full(len(known.index), -1, dtype=np.int32)
    theirs = np.flatnonzero(sources.numbers >= 0)
    column[known.lemma[sources.numbers[theirs]]] = theirs
    column[sources.numbers[theirs]] = theirs
    for at in np.flatnonzero((number >= 0) & (local < 0)):
        word = int(number[at])
        against = column[known.tails("opposite", word)]
        against = against[against >= 0]
        sisters = column[known.tails("sister", word)]
        sisters = sisters[sisters >= 0]
        if len(sisters):
            similar[at, sisters] = np.minimum(similar[at, sisters], 0.25)
            sister[at] = 1.0
        for relation, worth in (("wider", 0.8), ("same", 0.9)):
            found = column[known.tails(relation, word)]
            found = found[found >= 0]
            if len(found):
                similar[at, found] = np.maximum(similar[at, found], worth)
        if len(against):
            similar[at, against] = 0.0
            opposite[at] = [int(other) for other in against]


def _shared_prefix(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def compare(answer: str, sources: Sources, question: str | None = None) -> Support:
    """Compare an answer with its sources, sentence by sentence. An answer without a word has no rows."""
    known = lexicon()
    tokens = tokens_of(answer)
    sentences = sentences_of(answer, tokens)
    words = _vocabulary(tokens, sources, known)
    halves = _halves(words, sources)
    windows = halves.copy()
    windows[:-1] = np.maximum(windows[:-1], halves[1:])
    wide = windows.copy()
    for step in (2, 4):
        wide[:-step] = np.maximum(wide[:-step], windows[step:])
    asked = {stem(word) for word in words_of(question or "") if word not in STOPWORDS and word[0].isalnum()}
    best = words.similar.max(axis=1) if words.similar.size else np.zeros(len(words.stems), dtype=np.float32)
    asked_rows = _question_windows(asked, sources, len(windows))
    anywhere = np.full(len(tokens), np.nan, dtype=np.float32)
    nearby = np.full(len(tokens), np.nan, dtype=np.float32)
    rows = np.zeros((len(sentences), len(NAMES)))
    opposed: set[int] = set()
    for line, sentence in enumerate(sentences):
        part = tokens[sentence.low : sentence.high]
        row, window = _row(part, words, sources, best, windows, wide, asked, asked_rows)
        rows[line] = row
        held = set(sources.sequence[window * HALF : (window + 2) * HALF].tolist())
        for at, token in enumerate(part, sentence.low):
            slot = words.place.get(token.stem)
            if slot is not None and token.lower not in STOPWORDS:
                anywhere[at] = best[slot]
                nearby[at] = windows[window, slot]
                if words.opposite[slot] and not held.isdisjoint(words.opposite[slot]):
                    opposed.add(at)
    return Support(tokens, sentences, anywhere, nearby, rows, frozenset(opposed))


def _halves(words: _Vocabulary, sources: Sources) -> Floats:
    """For each half window, how well it supports each distinct word of the answer."""
    count = -(-len(sources.sequence) // HALF)
    halves = np.zeros((max(count, 1), len(words.stems)), dtype=np.float32)
    if not words.stems:
        return halves
    by_source = np.ascontiguousarray(words.similar.T)
    for begin in range(0, len(sources.sequence), _BLOCK):
        ids = sources.sequence[begin : begin + _BLOCK]
        starts = np.arange(0, len(ids), HALF)
        halves[begin // HALF : begin // HALF + len(starts)] = np.maximum.reduceat(
            by_source[ids], starts, axis=0
        )
    return halves


def _question_windows(asked: set[str], sources: Sources, count: int) -> Floats:
    """The share of the question's words in each wide window."""
    if not asked or not len(sources.sequence):
        return np.zeros(count, dtype=np.float32)
    wanted = np.array([sources.local[word] for word in asked if word in sources.local], dtype=np.int32)
    share: Floats = np.zeros(count, dtype=np.float32)
    for word in wanted:
        held = np.zeros(count, dtype=np.bool_)
        where = np.flatnonzero(sources.sequence == word) // HALF
        for shift in (0, 1, 2):
            held[np.maximum(where - shift, 0)] = True
        share += held
    return share / np.float32(len(asked))


def _row(
    part: list[Token],
    words: _Vocabulary,
    sources: Sources,
    best: Floats,
    windows: Floats,
    wide: Floats,
    asked: set[str],
    asked_rows: Floats,
) -> tuple[npt.NDArray[np.float64], int]:
    value = dict.fromkeys(NAMES, 0.0)
    value["tokens"] = float(np.log1p(len(part)))
    value["source_size"] = float(np.log1p(len(sources.words)))
    value["asks"] = float(any(token.lower == "?" for token in part))
    value["opinions"] = float(sum(token.lower in OPINIONS for token in part))
    lowers = {token.lower for token in part}
    negative = sum(_negative(token.lower) for token in part)
    value["negated"] = float(negative)
    content = [token for token in part if token.stem in words.place and token.lower not in STOPWORDS]
    if not content or not sources.stems:
        # Nothing to support, or nothing to support it with: the figures of full, respectively no, support.
        full = 0.0 if content else 1.0
        for name in (
            "cover",
            "cover_window",
            "cover_wide",
            "soft",
            "soft_window",
            "weakest",
            "weakest_window",
        ):
            value[name] = full
        for name in ("second_weakest", "pairs", "bigrams", "trigrams", "cover_new", "soft_new", "copied"):
            value[name] = full
        value["missing_share"] = 1.0 - full
        value["words"] = float(len(content))
        return np.array([value[name] for name in NAMES]), 0
    slots = np.array([words.place[token.stem] for token in content], dtype=np.int32)
    distinct = np.unique(slots)
    weight = words.weight[distinct]
    mass = float(weight.sum())
    scores = windows[:, distinct] @ weight
    if asked:
        scores = scores + 0.3 * mass * asked_rows
    window = int(scores.argmax())
    inside = windows[window, distinct]
    everywhere = best[distinct]
    exact = words.local[distinct] >= 0
    value["words"] = float(len(distinct))
    value["mass"] = mass
    value["cover"] = float((weight * exact).sum()) / mass
    value["cover_window"] = float((weight * (inside >= 1.0)).sum()) / mass
    value["cover_wide"] = float((weight * (wide[max(0, window - 2), distinct] >= 0.9)).sum()) / mass
    value["soft"] = float((weight * everywhere).sum()) / mass
    value["soft_window"] = float((weight * inside).sum()) / mass
    order = np.argsort(everywhere, kind="stable")
    value["weakest"] = float(everywhere[order[0]])
    value["second_weakest"] = float(everywhere[order[1]]) if len(order) > 1 else 1.0
    value["weakest_window"] = float(inside.min())
    lacking = everywhere < 0.7
    value["missing"] = float(lacking.sum())
    value["missing_share"] = float(lacking.mean())
    value["missing_mass"] = float((weight * (1.0 - everywhere)).sum())
    value["missing_rare"] = float((lacking & (weight > 0.93)).sum())
    value["soft_gap"] = float((weight * (everywhere - inside)).sum())
    value["concentration"] = value["soft_window"] / max(value["soft"], 1e-6)
    _neighbours(value, part, content, sources)
    _particulars(value, content, slots, words, sources, best, windows[window])
    low, high = window * HALF, min(len(sources.sequence), (window + 2) * HALF)
    held = np.unique(sources.sequence[low:high])
    there = float(sources.negation[held].sum())
    value["negation_differs"] = float((negative > 0) != (there > 0)) if (negative or there) else 0.0
    if not negative and there:
        value["negation_differs"] = 0.5
    opposed = [at for at in distinct if words.opposite[at]]
    value["opposite"] = float(len(opposed))
    members = set(held.tolist())
    value["opposite_window"] = float(sum(bool(members.intersection(words.opposite[at])) for at in opposed))
    gone = distinct[lacking]
    value["sister"] = float(np.maximum(words.near[gone], words.sister[gone]).max()) if len(gone) else 0.0
    value["quantifiers_missing"] = float(
        sum(word in QUANTIFIERS and stem(word) not in sources.local for word in lowers)
    )
    value["window_extra"] = float(sources.content[held].sum()) / (len(distinct) + 1.0)
    new = np.array([words.stems[at] not in asked for at in distinct])
    value["in_question"] = 1.0 - float(weight[new].sum()) / mass
    if new.any():
        fresh = float(weight[new].sum())
        value["cover_new"] = float((weight * exact)[new].sum()) / fresh
        value["soft_new"] = float((weight * everywhere)[new].sum()) / fresh
    else:
        value["cover_new"] = value["soft_new"] = 1.0
    if asked:
        value["question_window"] = float(asked_rows[window])
        value["question_elsewhere"] = float(asked_rows.max() - asked_rows[window])
    value["order"] = _order(slots, words, low, high)
    _joints(value, content, slots, words)
    return np.array([value[name] for name in NAMES]), window


def _neighbours(value: dict[str, float], part: list[Token], content: list[Token], sources: Sources) -> None:
    base = np.int64(len(sources.stems))
    ids = np.array(
        [sources.local.get(token.stem, -1) for token in part if token.lower not in "%?$€£"], dtype=np.int64
    )
    pair_known = (ids[:-1] >= 0) & (ids[1:] >= 0)
    if len(ids) > 1:
        hit = pair_known & _among(ids[:-1] * base + ids[1:], sources.pairs)
        value["bigrams"] = float(hit.mean())
        run = longest = 0
        for matched in hit.tolist():
            run = run + 1 if matched else 0
            longest = max(longest, run)
        value["longest"] = float(longest + 1) if longest else 0.0
        value["copied"] = longest / (len(ids) - 1)
    if len(ids) > 2:
        known = pair_known[:-1] & (ids[2:] >= 0)
        value["trigrams"] = float(
            (known & _among((ids[:-2] * base + ids[1:-1]) * base + ids[2:], sources.triples)).mean()
        )
    meaning = np.array([sources.local.get(token.stem, -1) for token in content], dtype=np.int64)
    if len(meaning) > 1:
        hit = (
            (meaning[:-1] >= 0)
            & (meaning[1:] >= 0)
            & _among(meaning[:-1] * base + meaning[1:], sources.content_pairs)
        )
        value["pairs"] = float(hit.mean())
    else:
        value["pairs"] = value["bigrams"] = value["trigrams"] = float(bool(len(meaning)) and meaning[0] >= 0)
    if len(meaning) > 2:
        framed = (meaning[:-2] >= 0) & (meaning[2:] >= 0) & (meaning[1:-1] < 0)
        value["slot"] = float((framed & _among(meaning[:-2] * base + meaning[2:], sources.slots)).sum())


def _particulars(
    value: dict[str, float],
    content: list[Token],
    slots: npt.NDArray[np.int32],
    words: _Vocabulary,
    sources: Sources,
    best: Floats,
    window: Floats,
) -> None:
    """Numbers, names and dates: what can be wrong in one word."""
    for token, slot in zip(content, slots, strict=True):
        found, nearby = float(best[slot]), float(window[slot])
        if token.number:
            value["numbers"] += 1.0
            value["numbers_missing"] += found < 0.7
            value["numbers_elsewhere"] += found >= 0.7 and nearby < 0.7
        elif token.lower in CALENDAR:
            value["calendar_missing"] += found < 0.7
        elif is_name(token, int(words.number[slot])):
            if found < 0.7 and _spelled_out(token, sources):
                found = nearby = 0.9
            value["names"] += 1.0
            value["names_missing"] += found < 0.7
            value["names_elsewhere"] += found >= 0.7 and nearby < 0.7


def is_name(token: Token, number: int) -> bool:
    """Whether a token looks like a name: a capital inside a sentence, or one at its start that is no common word."""
    return token.capital and (not token.first or number < 0 or number > 6000)


def _spelled_out(token: Token, sources: Sources) -> bool:
    letters = token.lower.replace(".", "")
    return 3 <= len(letters) <= 6 and letters.isalpha() and letters in sources.initials


def _order(slots: npt.NDArray[np.int32], words: _Vocabulary, low: int, high: int) -> float:
    """From 1, the words that both have come in one order, to -1, in the reverse order; 0 where fewer than two do."""
    places: list[int] = []
    for slot in slots.tolist():
        where = words.places[slot]
        at = int(where.searchsorted(low))
        if at < len(where) and where[at] < high:
            places.append(int(where[at]))
    if len(places) < 2:
        return 0.0
    array = np.array(places)
    upper = np.sign(array[None, :] - array[:, None])[np.triu_indices(len(array), 1)]
    return float(upper.mean())


JOINED = 6
TORN = 16
"""Words between two neighbours of the answer, in the sources: up to the one they are still together, beyond the other
no longer."""


def _joints(
    value: dict[str, float], content: list[Token], slots: npt.NDArray[np.int32], words: _Vocabulary
) -> None:
    """Whether what stands side by side in the sentence stands together in the sources: who did what to whom."""
    gaps: list[float] = []
    for left, right in zip(slots[:-1].tolist(), slots[1:].tolist(), strict=True):
        gaps.append(np.nan if left == right else _gap(words.places[left], words.places[right]))
    if not gaps:
        value["joined"] = 1.0
        return
    array = np.array(gaps)
    known = np.isfinite(array)
    value["joined"] = float((array[known] <= JOINED).sum()) / len(array)
    value["torn"] = float((array[known] > TORN).sum())
    value["farthest"] = float(np.log1p(min(float(array[known].max()), 400.0))) if known.any() else 0.0
    for at, token in enumerate(content):
        if token.number or is_name(token, int(words.number[slots[at]])):
            beside = array[max(0, at - 1) : at + 1]
            beside = beside[np.isfinite(beside)]
            value["particulars_torn"] += bool(len(beside)) and float(beside.min()) > TORN


def _gap(left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> float:
    """The shortest way between an occurrence of the one and of the other; NaN where one is nowhere."""
    if not len(left) or not len(right):
        return float("nan")
    at = right.searchsorted(left)
    after = np.abs(right[np.minimum(at, len(right) - 1)] - left).min()
    before = np.abs(right[np.maximum(at - 1, 0)] - left).min()
    return float(min(after, before))
