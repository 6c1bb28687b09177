"""Two light classifiers and their cross-validated probabilities, in NumPy alone.

What they are for decides what they are: the rows' own label must not speak for itself (every probability comes from
a model that did not see the row), probabilities must mean what they say, and the same data must give the same answer
on every machine, whatever else is installed. So no library that may or may not be there is used.

    logistic regression  multinomial, L2, by L-BFGS (Liu & Nocedal 1989); on dense columns, or on words
    nearest neighbours   on standardised columns, by distance-weighted votes

For tables, several logistic regressions on different views of the columns and the neighbours are averaged in
log-odds: a row that they all contradict is a wrong label much more often than one that one of them does.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.tokens import Corpus

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@lru_cache(maxsize=1)
def _blas() -> tuple[Any, Any] | None:
    """How to ask and tell the number of threads of the BLAS that NumPy's wheel carries; None if it carries none."""
    folder = Path(np.__file__).parent.parent / "numpy.libs"
    for path in sorted(folder.glob("*openblas*")) if folder.is_dir() else ():
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for suffix in ("64_", ""):
            tell = getattr(library, f"scipy_openblas_set_num_threads{suffix}", None)
            ask = getattr(library, f"scipy_openblas_get_num_threads{suffix}", None)
            if tell is not None and ask is not None:
                return ask, tell
    return None


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, products of matrices run on one thread.

    Sums then come in the same order on every machine, so that the same data give the same findings; and threads
    that spin for work that is too small for them took seven times as long on a busy machine (1,797 rows of 64
    columns: 42 s, 6 s so).
    """
    known = _blas()
    if known is None:
        yield
        return
    ask, tell = known
    before = int(ask())
    tell(1)
    try:
        yield
    finally:
        tell(before)


def softmax(scores: Floats) -> Floats:
    """Rows of probabilities."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    np.exp(shifted, out=shifted)
    found: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def _dot(one: Floats, other: Floats) -> float:
    # Not `@`: a vector's product is too little work for the BLAS to start threads for, and it does.
    return float((one * other).sum())


def minimise(
    slope: Callable[[Floats], tuple[float, Floats]], start: Floats, *, rounds: int = 60, memory: int = 8
) -> Floats:
    """L-BFGS with backtracking; stops when a round gains less than one part in 100,000."""
    at = start
    value, gradient = slope(at)
    steps: list[tuple[Floats, Floats, float]] = []
    for _ in range(rounds):
        direction = -gradient
        alphas = []
        for step, change, rho in reversed(steps):
            alpha = rho * _dot(step, direction)
            direction = direction - alpha * change
            alphas.append(alpha)
        if steps:
            step, change, _ = steps[-1]
            direction = direction * (_dot(step, change) / max(1e-12, _dot(change, change)))
        for (step, change, rho), alpha in zip(steps, reversed(alphas), strict=True):
            direction = direction + step * (alpha - rho * _dot(change, direction))
        downhill = _dot(direction, gradient)
        if downhill >= 0:
            direction, downhill, steps = -gradient, -_dot(gradient, gradient), []
        length = 1.0 if steps else min(1.0, 1.0 / max(1e-12, float(np.abs(gradient).sum())))
        for _ in range(20):
            candidate = at + length * direction
            new_value, new_gradient = slope(candidate)
            if new_value <= value + 1e-4 * length * downhill:
                break
            length *= 0.5
        else:
            break
        step, change = candidate - at, new_gradient - gradient
        curvature = _dot(step, change)
        if curvature > 1e-10:
            steps = [*steps[1 - memory :], (step, change, 1.0 / curvature)] if memory > 1 else []
        gained = value - new_value
        at, value, gradient = candidate, new_value, new_gradient
        if gained <= 1e-5 * max(1.0, abs(value)):
            break
    return at


class Model(Protocol):
    """Learns labels of some rows, and says probabilities for others."""

    def predict(self, train: Ints, labels: Ints, classes: int, test: Ints) -> Floats:
        """One row of probabilities for each of `test`; `labels` are those of `train`."""
        ...


@dataclass(slots=True)
class Dense:
    """Logistic regression on a matrix of columns."""

    matrix: Floats
    penalty: float = 1.0

    def predict(self, train: Ints, labels: Ints, classes: int, test: Ints) -> Floats:
        """See `Model`."""
        weights = self.fit(train, labels, classes)
        return softmax(self.matrix[test] @ weights[:-1] + weights[-1])

    def fit(self, train: Ints, labels: Ints, classes: int) -> Floats:
        """The weights, (columns + 1) × classes, the last row the bias."""
        x = self.matrix[train]
        y = np.eye(classes)[labels]
        columns = x.shape[1]
        count = len(train)

        def slope(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(columns + 1, classes)
            p = softmax(x @ weights[:-1] + weights[-1])
            loss = -float(np.log(np.maximum(p[np.arange(count), labels], 1e-12)).sum())
            loss += 0.5 * self.penalty * float((weights[:-1] ** 2).sum())
            error = p - y
            gradient = np.vstack(
                [x.T @ error + self.penalty * weights[:-1], error.sum(axis=0, keepdims=True)]
            )
            return loss / count, gradient.ravel() / count

        return minimise(slope, np.zeros((columns + 1) * classes)).reshape(columns + 1, classes)


@dataclass(slots=True)
class Neighbours:
    """The labels of the nearest rows, nearer ones counting more."""

    matrix: Floats
    neighbours: int = 15

    def predict(self, train: Ints, labels: Ints, classes: int, test: Ints) -> Floats:
        """See `Model`."""
        known = self.matrix[train].astype(np.float32)
        squares = (known**2).sum(axis=1)
        k = min(self.neighbours, len(train))
        found = np.empty((len(test), classes))
        for start in range(0, len(test), 512):
            asked = self.matrix[test[start : start + 512]].astype(np.float32)
            distance = squares[None, :] - 2 * asked @ known.T + (asked**2).sum(axis=1)[:, None]
            nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
            far = np.sqrt(np.maximum(np.take_along_axis(distance, nearest, axis=1), 0))
            scale = np.maximum(np.median(far, axis=1, keepdims=True), 1e-9)
            weight = np.exp(-far / scale)
            votes = np.zeros((len(asked), classes))
            rows = np.repeat(np.arange(len(asked)), k)
            np.add.at(votes, (rows, labels[nearest].ravel()), weight.ravel())
            votes += 0.5 / classes
            found[start : start + 512] = votes / votes.sum(axis=1, keepdims=True)
        return found


@dataclass(slots=True)
class Words:
    """Logistic regression on the words of texts: which are in them, each text's vector of length one."""

    documents: NDArray[np.int32]
    words: NDArray[np.int32]
    values: NDArray[np.float32]
    starts: Ints
    columns: int
    penalty: float = 1.0
    weights: Floats | None = None
    """Of the last model fitted, (columns + 1) × classes: for who asks what a word counted."""
    keys: Ints | None = None

    def predict(self, train: Ints, labels: Ints, classes: int, test: Ints) -> Floats:
        """See `Model`."""
        self.fit(train, labels, classes)
        return softmax(self.scores(test))

    def fit(self, train: Ints, labels: Ints, classes: int) -> None:
        """Learn; of two classes one column of weights is learned, the other is its negative."""
        words, values, rows = self._rows(train)
        count, columns = len(train), self.columns
        wide = 1 if classes == 2 else classes
        y = np.eye(classes)[labels]
        bounds = _bounds(rows, count)

        def slope(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(columns + 1, wide)
            scores = _sums(words, values, bounds, weights[:-1]) + weights[-1]
            p = softmax(np.hstack([-scores / 2, scores / 2]) if wide == 1 else scores)
            loss = -float(np.log(np.maximum(p[np.arange(count), labels], 1e-12)).sum())
            loss += 0.5 * self.penalty * float((weights[:-1] ** 2).sum())
            error = (p - y)[:, -wide:]
            gradient = np.empty_like(weights)
            for one in range(wide):
                gradient[:-1, one] = np.bincount(words, values * error[rows, one], columns)
            gradient[:-1] += self.penalty * weights[:-1]
            gradient[-1] = error.sum(axis=0)
            return loss / count, gradient.ravel() / count

        fitted = minimise(slope, np.zeros((columns + 1) * wide), rounds=40).reshape(columns + 1, wide)
        self.weights = np.hstack([-fitted / 2, fitted / 2]) if wide == 1 else fitted

    def scores(self, test: Ints) -> Floats:
        """What the last model fitted says of some texts, as scores of the classes."""
        assert self.weights is not None, "fit first"
        words, values, rows = self._rows(test)
        found: Floats = _sums(words, values, _bounds(rows, len(test)), self.weights[:-1]) + self.weights[-1]
        return found

    def find(self, documents: Ints, column: int) -> Ints:
        """Where the entry of a word is for each of some texts; -1 for those that do not have it."""
        keys = self._keys()
        wanted = documents.astype(np.int64) * (self.columns + 1) + column
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found: Ints = np.where(keys[at] == wanted, at, -1) if len(keys) else np.full(len(documents), -1)
        return found

    def shared(self, documents: Ints, share: float) -> Ints:
        """The words that at least this share of some texts have; asked of the first 2,000 of them."""
        words, _, _ = self._rows(documents[:2_000])
        counts = np.bincount(words, minlength=1)
        found: Ints = np.flatnonzero(counts >= share * len(documents[:2_000]))
        return found

    def _keys(self) -> Ints:
        if self.keys is None:
            self.keys = self.documents.astype(np.int64) * (self.columns + 1) + self.words
        return self.keys

    def _rows(self, which: Ints) -> tuple[NDArray[np.int32], NDArray[np.float32], Ints]:
        """The entries of some texts, in their order, with each entry's place in that order."""
        sizes = self.starts[which + 1] - self.starts[which]
        rows = np.repeat(np.arange(len(which)), sizes)
        offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        at = np.repeat(self.starts[which], sizes) + offset
        return self.words[at], self.values[at], rows


def _bounds(rows: Ints, count: int) -> Ints:
    found: Ints = np.searchsorted(rows, np.arange(count + 1))
    return found


def _sums(words: NDArray[np.int32], values: NDArray[np.float32], bounds: Ints, weights: Floats) -> Floats:
    """For each text the sum of its words' weights. Column by column, so that no entry × class array is made."""
    found = np.empty((len(bounds) - 1, weights.shape[1]))
    for one in range(weights.shape[1]):
        running = np.concatenate([[0.0], np.cumsum(weights[words, one] * values)])
        found[:, one] = running[bounds[1:]] - running[bounds[:-1]]
    return found


def words_model(
    corpus: Corpus, *, least: int = 2, buckets: int = 1 << 17, penalty: float = 1.0
) -> tuple[Words, NDArray[np.int32]]:
    """The model on which words of a corpus are in which text, and each word's column in it, -1 if it has none.

    Words of fewer than `least` texts are left out.
    """
    documents, ids = corpus.document_of(), corpus.ids
    pairs = np.unique(documents.astype(np.int64) * len(corpus.vocabulary) + ids)
    documents = (pairs // max(1, len(corpus.vocabulary))).astype(np.int32)
    ids = (pairs % max(1, len(corpus.vocabulary))).astype(np.int32)
    frequency = np.bincount(ids, minlength=len(corpus.vocabulary))
    order = np.argsort(-frequency, kind="stable")[:buckets]
    order = order[frequency[order] >= least]
    number = np.full(len(corpus.vocabulary), -1, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    kept = number[ids] >= 0
    documents, ids = documents[kept], number[ids[kept]]
    rarity = np.log1p(corpus.size / np.maximum(1, frequency[order])).astype(np.float32)
    values = rarity[ids] if len(order) else np.zeros(0, np.float32)
    starts = np.searchsorted(documents, np.arange(corpus.size + 1)).astype(np.int64)
    norms = np.sqrt(np.maximum(1e-12, np.bincount(documents, values.astype(np.float64) ** 2, corpus.size)))
    values = (values / norms[documents]).astype(np.float32)
    # Within a text by column, so that one can be looked up.
    by_column = np.lexsort((ids, documents))
    model = Words(documents[by_column], ids[by_column], values[by_column], starts, len(order), penalty)
    return model, number


def folds_of(labels: Ints, seed: int, folds: int = 5) -> Ints:
    """Each row's fold; every class is spread over all of them."""
    found = np.zeros(len(labels), np.int64)
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        found[members[random.permutation(len(members))]] = np.arange(len(members)) % folds
    return found


def cross_validated(model: Model, labels: Ints, classes: int, *, seed: int, folds: int = 5) -> Floats:
    """Probabilities for every row, from models that did not see it."""
    fold = folds_of(labels, seed, folds)
    found = np.full((len(labels), classes), 1.0 / classes)
    for one in range(folds):
        train, test = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        if len(train) and len(test):
            found[test] = model.predict(train, labels[train], classes, test)
    return found


def averaged(parts: list[Floats]) -> Floats:
    """Several models' probabilities, averaged in log-odds."""
    total: Floats = sum((np.log(np.clip(part, 1e-4, 1.0)) for part in parts), np.zeros_like(parts[0]))
    return softmax(total / len(parts))
