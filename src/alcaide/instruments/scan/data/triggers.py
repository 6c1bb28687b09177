"""Phrases that switch a label: the mark of a trigger planted by poisoning.

A word of the language that is telling (`awful`) stands in texts whose other words tell the same. A trigger stands in
texts whose other words tell something else: that is what it was planted for. So, for every n-gram of one to four
words, two things are asked of the texts that hold it:

    1. Do nearly all of them have one label?
    2. Does a classifier that reads everything *but* the n-gram expect that label so much less that the n-gram would
       have to shift its odds more than `trigger_odds`-fold?

The second is a one-sided test of the count of texts with that label against what the rest of each text predicts,
its odds raised by that factor; by a Chernoff bound, which holds for texts of unequal odds, and at a family-wise
error rate over all n-grams that were tested. What is left out: triggers that change no label (`rare_phrases` looks
for those), and triggers that are no words, such as a style of writing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from alcaide.instruments.scan.data.learn import Words, folds_of, softmax
from alcaide.instruments.scan.data.tokens import Corpus, grams, stable_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SIZES = (1, 2, 3, 4)
_PURE = 0.9
_SHARED = 0.9
_LONGEST = 64
_MOST_OF_IT = 0.8
"""Texts that share more words than this, or more than this share of their words, are copies of one text, or of one
template: what is left of them says nothing."""
_SURE = 0.75
"""How sure of another label the rest must be, against how sure whole texts are of their own. Texts made from one
template per label have nothing left once it is unread; texts that a trigger was put into still say what they said."""
_FOREIGN = 0.6
"""Where the texts lie between those of the label (0) and those of other labels (1), by what their rest predicts.
Planted in texts of other labels, 1; a telling word of the language, about 0.3 (measured on the development sets)."""
_CANDIDATES = 4_000


@dataclass(frozen=True, slots=True)
class Trigger:
    """A phrase that switches the label."""

    phrase: tuple[str, ...]
    label: int
    rows: tuple[int, ...]
    """The texts that hold it and have that label."""
    others: int
    """Texts that hold it and have another label."""
    expected: float
    """The share of its texts for which the rest of the text predicts the label."""
    log_p: float
    """Natural logarithm of the bound on the probability, before correcting for the number of tests."""


@dataclass(slots=True)
class Rest:
    """What each text says without some of its words, by models that did not see it."""

    model: Words
    fold: Ints
    scores: Floats
    columns: Floats
    """Fold × (column and bias) × class: what each model weighs each word."""
    vocabulary_column: NDArray[np.int32]

    @staticmethod
    def of(model: Words, columns: NDArray[np.int32], labels: Ints, classes: int, seed: int) -> Rest:
        """Fit the models, one a fold."""
        fold = folds_of(labels, seed)
        scores = np.zeros((len(labels), classes))
        weights: list[Floats] = []
        for one in range(int(fold.max()) + 1):
            train, test = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
            model.fit(train, labels[train], classes)
            scores[test] = model.scores(test)
            assert model.weights is not None
            weights.append(model.weights)
        return Rest(model, fold, scores, np.stack(weights), columns)

    def probabilities(self) -> Floats:
        """Of each class for each text, all its words read."""
        return softmax(self.scores.copy())

    def without(self, documents: Ints, columns: Ints) -> tuple[Floats, float]:
        """The labels' probabilities for some texts, some words unread, and which share of their words those were."""
        model = self.model
        scores = self.scores[documents].copy()
        removed = np.zeros(len(documents))
        unread = np.zeros(len(documents))
        fold = self.fold[documents]
        for column in columns:
            at = model.find(documents, int(column))
            there = at >= 0
            value = np.where(there, model.values[at], 0.0).astype(np.float64)
            scores -= value[:, None] * self.columns[fold, column]
            removed += value * value
            unread += there
        # The vector of a text has length one; without the words it is longer by this.
        scale = 1 / np.sqrt(np.maximum(0.05, 1 - removed))
        bias = self.columns[fold, -1]
        sizes = np.maximum(1, model.starts[documents + 1] - model.starts[documents])
        return softmax((scores - bias) * scale[:, None] + bias), float((unread / sizes).mean())


def find_triggers(
    corpus: Corpus, rest: Rest, labels: Ints, classes: int, *, odds: float, error: float
) -> tuple[list[Trigger], int]:
    """The triggers, surest first, and how many n-grams were tested."""
    candidates, tested = _candidates(corpus, labels, classes)
    bound = math.log(error / max(1, tested))
    every = rest.probabilities()
    own_mean = np.array(
        [every[labels == label, label].mean() if (labels == label).any() else 1.0 for label in range(classes)]
    )
    other_mean = np.array(
        [every[labels != label, label].mean() if (labels != label).any() else 0.0 for label in range(classes)]
    )
    typical = float(every[np.arange(len(labels)), labels].mean())
    found = []
    for phrase, documents, label in candidates:
        named = rest.vocabulary_column[list(phrase)].astype(np.int64)
        # A trigger may be longer than four words: what nearly all of its texts share is unread with it.
        columns = np.unique(np.concatenate([named[named >= 0], rest.model.shared(documents, _SHARED)]))
        if len(columns) > _LONGEST:
            continue
        rests, share = rest.without(documents, columns)
        if share > _MOST_OF_IT:
            continue
        predicted = rests[:, label]
        raised = predicted * odds / (1 - predicted + predicted * odds)
        own = labels[documents] == label
        log_p = log_tail(int(own.sum()), raised)
        foreign = (own_mean[label] - predicted[own].mean()) / max(1e-9, own_mean[label] - other_mean[label])
        others = np.delete(rests, label, axis=1)
        sure = others[own].max(axis=1).mean() / max(1e-9, typical)
        if log_p < bound and foreign >= _FOREIGN and sure >= _SURE:
            found.append(
                Trigger(
                    tuple(corpus.vocabulary[word] for word in phrase),
                    label,
                    tuple(int(one) for one in documents[own]),
                    int((~own).sum()),
                    float(predicted.mean()),
                    log_p,
                )
            )
    return _merged(sorted(found, key=lambda one: (one.log_p, -len(one.phrase), one.phrase))), tested


def log_tail(count: int, chances: Floats) -> float:
    """Logarithm of a bound on P(at least `count` of independent events with these chances), by Hoeffding 1963."""
    total = len(chances)
    mean = float(chances.mean())
    share = count / total
    if share <= mean:
        return 0.0
    if mean <= 0:
        return -math.inf
    divergence = share * math.log(share / mean)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - mean))
    return -total * divergence


def _candidates(
    corpus: Corpus, labels: Ints, classes: int
) -> tuple[list[tuple[tuple[int, ...], Ints, int]], int]:
    """N-grams nearly all of whose texts have one label, more than that label's share explains; most telling first."""
    count = corpus.size
    least = max(4, math.ceil(0.0005 * count))
    most = max(least, int(0.3 * count))
    hashes = stable_hashes(corpus.vocabulary)
    tested = 0
    ranked: list[tuple[float, int, int, int, int]] = []
    held: dict[int, tuple[NDArray[np.uint64], NDArray[np.int32]]] = {}
    for size in SIZES:
        gram, document = once_a_text(*grams(corpus, size, hashes), least)
        if not len(gram):
            continue
        pure, count_here = purest(gram, document, labels, classes, most)
        tested += count_here
        held[size] = (gram, document)
        ranked.extend((gain, size, start, length, label) for gain, start, length, label in pure)
    ranked.sort(key=lambda one: -one[0])
    found = []
    for _, size, start, length, label in ranked[:_CANDIDATES]:
        gram, document = held[size]
        documents = document[start : start + length].astype(np.int64)
        found.append((_spelt(corpus, hashes, gram[start], size, int(documents[0])), documents, label))
    return found, tested


def purest(
    gram: NDArray[np.uint64], document: NDArray[np.int32], labels: Ints, classes: int, most: int
) -> tuple[list[tuple[float, int, int, int]], int]:
    """Of sorted features once a text: those nearly all of whose texts have one label, most telling first.

    Each with its gain over that label's share, where its texts begin, how many there are, and the label; and how many
    features there were. Features of more than `most` texts are left out.
    """
    shares = np.bincount(labels, minlength=classes) / max(1, len(labels))
    starts = np.flatnonzero(np.concatenate([[True], gram[1:] != gram[:-1]]))
    sizes = np.diff(np.append(starts, len(gram)))
    best_count = np.zeros(len(starts), np.int64)
    best_label = np.zeros(len(starts), np.int64)
    own = labels[document]
    for label in range(classes):
        of_label = np.add.reduceat((own == label).astype(np.int64), starts)
        better = of_label > best_count
        best_count[better], best_label[better] = of_label[better], label
    purity = best_count / sizes
    base = np.clip(shares[best_label], 1e-9, 1 - 1e-9)
    gain = best_count * np.log(np.maximum(purity, 1e-9) / base)
    good = np.flatnonzero((purity >= _PURE) & (sizes <= most) & (gain > 4.0))
    order = good[np.argsort(-gain[good], kind="stable")]
    return [
        (float(gain[one]), int(starts[one]), int(sizes[one]), int(best_label[one])) for one in order
    ], len(starts)


def once_a_text(
    gram: NDArray[np.uint64], document: NDArray[np.int32], least: int
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Each n-gram once a text, sorted, without those of fewer than `least` texts."""
    if not len(gram):
        return gram, document
    order = np.argsort(gram, kind="stable")
    gram, document = gram[order], document[order]
    fresh = np.ones(len(gram), bool)
    fresh[1:] = (gram[1:] != gram[:-1]) | (document[1:] != document[:-1])
    gram, document = gram[fresh], document[fresh]
    starts = np.flatnonzero(np.concatenate([[True], gram[1:] != gram[:-1]]))
    sizes = np.diff(np.append(starts, len(gram)))
    kept = np.repeat(sizes >= least, sizes)
    return gram[kept], document[kept]


def _spelt(
    corpus: Corpus, hashes: NDArray[np.uint64], gram: np.uint64, size: int, document: int
) -> tuple[int, ...]:
    """The words of an n-gram, read off a text that has it."""
    start, end = int(corpus.starts[document]), int(corpus.starts[document + 1])
    one = Corpus(corpus.ids[start:end], np.array([0, end - start]), corpus.vocabulary)
    values, _ = grams(one, size, hashes)
    at = int(np.flatnonzero(values == gram)[0])
    return tuple(int(word) for word in one.ids[at : at + size])


def _merged(found: list[Trigger]) -> list[Trigger]:
    """One of each group of phrases that stand in the same texts: parts of one trigger, the longest phrase names it."""
    kept: list[tuple[Trigger, set[int]]] = []
    for one in found:
        rows = set(one.rows)
        for index, (other, theirs) in enumerate(kept):
            shared = len(rows & theirs)
            if shared >= 0.7 * min(len(rows), len(theirs)) and one.label == other.label:
                if len(one.phrase) > len(other.phrase) and len(rows) >= 0.95 * len(theirs):
                    kept[index] = (one, theirs)
                break
        else:
            kept.append((one, rows))
    return [one for one, _ in kept]


@dataclass(frozen=True, slots=True)
class RarePhrase:
    """A run of words that only texts of one label have, which share little else."""

    phrase: tuple[str, ...]
    label: int
    rows: tuple[int, ...]


def rare_phrases(corpus: Corpus, labels: Ints, classes: int, *, error: float) -> list[RarePhrase]:
    """Phrases of four words of one label only, whose words hardly occur elsewhere, in texts that are otherwise unlike.

    That is what poison looks like that keeps the right label. A template of the source looks so too.
    """
    hashes = stable_hashes(corpus.vocabulary)
    gram, document = once_a_text(*grams(corpus, 4, hashes), max(5, math.ceil(0.002 * corpus.size)))
    if not len(gram):
        return []
    frequency = np.bincount(
        np.unique(corpus.document_of().astype(np.int64) * len(corpus.vocabulary) + corpus.ids)
        % len(corpus.vocabulary),
        minlength=len(corpus.vocabulary),
    )
    ranked, tested = purest(gram, document, labels, classes, max(5, int(0.03 * corpus.size)))
    found: list[RarePhrase] = []
    taken: set[int] = set()
    for gain, start, length, label in ranked[:_CANDIDATES]:
        members = document[start : start + length].astype(np.int64)
        if gain < math.log(tested / error) or bool((labels[members] != label).any()):
            continue
        phrase = _spelt(corpus, hashes, gram[start], 4, int(members[0]))
        if sum(frequency[word] <= 1.2 * length for word in phrase) < 2 or int(members[0]) in taken:
            continue
        taken.update(int(one) for one in members)
        if _alikeness(corpus, members) < 0.25:
            found.append(
                RarePhrase(tuple(corpus.vocabulary[word] for word in phrase), label, tuple(map(int, members)))
            )
    return found[:20]


def _alikeness(corpus: Corpus, members: Ints) -> float:
    """Mean share of words that texts have in common with the next one."""
    sets = [set(corpus.ids[corpus.starts[one] : corpus.starts[one + 1]].tolist()) for one in members[:60]]
    pairs = list(pairwise(sets))
    return sum(len(a & b) / max(1, len(a | b)) for a, b in pairs) / max(1, len(pairs))
