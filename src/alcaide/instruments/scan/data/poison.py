"""Signs of poison beside triggers: patches in images, odd corners of a class's representation, foreign neighbours.

    patches              small windows of pixels that come back at the same place with the same label, tested as
                         phrases are: the rest of the image must contradict the label
    spectral signatures  rows far out along a class's first directions of variance (Tran, Li & Madry 2018)
    activation clusters  a class that falls in two, the smaller part close together (Chen et al. 2018)
    neighbours           rows all of whose nearest neighbours have another label

The last three need embeddings: given with the data, or a column of vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alcaide.instruments.scan.data.learn import Dense, folds_of, softmax
from alcaide.instruments.scan.data.tokens import mixed
from alcaide.instruments.scan.data.triggers import log_tail, once_a_text, purest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

WINDOW = 3
IMAGES_MOST = 20_000
CLUSTER_LEAST = 5


@dataclass(frozen=True, slots=True)
class Patch:
    """A window of pixels that switches the label."""

    left: int
    top: int
    """In the image scaled to 32 × 32."""
    label: int
    members: tuple[int, ...]
    others: int
    expected: float
    log_p: float


def find_patches(
    colours: Bytes, labels: Ints, classes: int, *, odds: float, error: float, seed: int
) -> tuple[list[Patch], int]:
    """The patches, surest first, and how many windows were tested. `colours` is n × side × side × 3."""
    count, side = len(colours), colours.shape[1]
    flat = colours.astype(np.float64).mean(axis=3).reshape(count, -1)
    mean, deviation = flat.mean(axis=0), np.maximum(flat.std(axis=0), 8.0)
    standard = (flat - mean) / deviation
    fold = folds_of(labels, seed)
    model = Dense(standard, 10.0)
    folds = int(fold.max()) + 1
    weights = np.stack(
        [model.fit(train := np.flatnonzero(fold != one), labels[train], classes) for one in range(folds)]
    )
    scores = np.empty((count, classes))
    for one in range(folds):
        test = np.flatnonzero(fold == one)
        scores[test] = standard[test] @ weights[one, :-1] + weights[one, -1]
    every = softmax(scores.copy())
    foreign = _foreignness(every, labels, classes)
    gram, document = _windows(colours)
    gram, document = once_a_text(gram, document, max(4, math.ceil(0.0005 * count)))
    if not len(gram):
        return [], 0
    ranked, tested = purest(gram, document, labels, classes, max(4, int(0.3 * count)))
    bound = math.log(error / max(1, tested))
    found = []
    for _, start, length, label in ranked[:4_000]:
        members = document[start : start + length].astype(np.int64)
        place = int(gram[start] >> np.uint64(48))
        top, left = divmod(place, side)
        around = _around(top, left, side)
        rest = scores[members].copy()
        for one in range(folds):
            of_fold = fold[members] == one
            rest[of_fold] -= standard[np.ix_(members[of_fold], around)] @ weights[one, around]
        predicted = softmax(rest)[:, label]
        own = labels[members] == label
        log_p = log_tail(int(own.sum()), predicted * odds / (1 - predicted + predicted * odds))
        if log_p < bound and foreign(label, float(predicted[own].mean())):
            found.append(
                Patch(
                    left,
                    top,
                    label,
                    tuple(map(int, members[own])),
                    int((~own).sum()),
                    float(predicted.mean()),
                    log_p,
                )
            )
    return _apart(sorted(found, key=lambda one: (one.log_p, one.top, one.left))), tested


def _foreignness(every: Floats, labels: Ints, classes: int):  # type: ignore[no-untyped-def]
    """A test of whether texts or images that predict a label this much are more like those of other labels."""
    own = [every[labels == one, one].mean() if (labels == one).any() else 1.0 for one in range(classes)]
    other = [every[labels != one, one].mean() if (labels != one).any() else 0.0 for one in range(classes)]

    def test(label: int, predicted: float) -> bool:
        return bool((own[label] - predicted) >= 0.6 * (own[label] - other[label]))

    return test


def _windows(colours: Bytes) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """For each image and place the window there as a number, the place in its highest bits; even ones are left out."""
    count, side = len(colours), colours.shape[1]
    coarse = (colours >> 5).astype(np.uint64)
    pixel = (coarse[..., 0] << np.uint64(6)) | (coarse[..., 1] << np.uint64(3)) | coarse[..., 2]
    wide = side - WINDOW + 1
    value = np.zeros((count, wide, wide), np.uint64)
    varied = np.zeros((count, wide, wide), bool)
    first = pixel[:, :wide, :wide]
    with np.errstate(over="ignore"):
        for row in range(WINDOW):
            for column in range(WINDOW):
                part = pixel[:, row : row + wide, column : column + wide]
                value = mixed(value * np.uint64(0x9E3779B97F4A7C15) + part)
                varied |= part != first
    place = (np.arange(wide)[:, None] * side + np.arange(wide)[None, :]).astype(np.uint64)
    value = (value >> np.uint64(16)) | (place << np.uint64(48))[None]
    document = np.broadcast_to(np.arange(count, dtype=np.int32)[:, None, None], value.shape)
    return value[varied], document[varied]


def _around(top: int, left: int, side: int, margin: int = 2) -> Ints:
    """The pixels of a window and of those next to it."""
    rows = np.arange(max(0, top - margin), min(side, top + WINDOW + margin))
    columns = np.arange(max(0, left - margin), min(side, left + WINDOW + margin))
    found: Ints = (rows[:, None] * side + columns[None, :]).ravel()
    return found


def _apart(found: list[Patch]) -> list[Patch]:
    """One patch of those that lie in the same images."""
    kept: list[tuple[Patch, set[int]]] = []
    for one in found:
        members = set(one.members)
        if not any(len(members & theirs) >= 0.5 * min(len(members), len(theirs)) for _, theirs in kept):
            kept.append((one, members))
    return [one for one, _ in kept]


@dataclass(frozen=True, slots=True)
class Corner:
    """A part of a class that lies apart from it."""

    label: int
    members: tuple[int, ...]
    share: float
    """Of the class."""
    distance: float
    """How far out it lies, in robust deviations of the class along the direction."""
    towards: int | None
    """The other class that it lies nearer to than to its own, if there is one."""


def find_corners(vectors: Floats, labels: Ints, classes: int, *, far: float = 5.0) -> list[Corner]:
    """Parts of classes that lie apart, along the first directions of variance of each class."""
    centres = np.stack(
        [
            np.median(vectors[labels == one], axis=0)
            if (labels == one).any()
            else np.full(vectors.shape[1], np.inf)
            for one in range(classes)
        ]
    )
    found = []
    for label in range(classes):
        members = np.flatnonzero(labels == label)
        if len(members) < 30:
            continue
        centred = vectors[members] - centres[label]
        best: Corner | None = None
        for direction in _directions(centred, 5):
            along = centred @ direction
            middle = float(np.median(along))
            spread = 1.4826 * float(np.median(np.abs(along - middle)))
            if spread <= 0:
                continue
            for sign in (1.0, -1.0):
                z = sign * (along - middle) / spread
                out = np.flatnonzero(z > far)
                if not CLUSTER_LEAST <= len(out) <= 0.33 * len(members) or not _close(centred, out):
                    continue
                centre = np.median(vectors[members[out]], axis=0)
                to = np.linalg.norm(centres - centre, axis=1)
                to[~np.isfinite(to)] = np.inf
                nearest = int(to.argmin())
                corner = Corner(
                    label,
                    tuple(int(one) for one in members[out[np.argsort(-z[out], kind="stable")]]),
                    len(out) / len(members),
                    float(np.median(z[out])),
                    nearest if nearest != label else None,
                )
                if best is None or corner.distance > best.distance:
                    best = corner
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda one: -one.distance)


def _directions(centred: Floats, count: int) -> Floats:
    """The first right singular vectors, from the smaller of the two products."""
    rows = centred if len(centred) <= 4_000 else centred[:: len(centred) // 4_000 + 1]
    if rows.shape[0] >= rows.shape[1]:
        _, vectors = np.linalg.eigh(rows.T @ rows)
        found: Floats = vectors[:, ::-1][:, :count].T
        return found
    values, left = np.linalg.eigh(rows @ rows.T)
    top = left[:, ::-1][:, :count]
    scale = np.sqrt(np.maximum(values[::-1][:count], 1e-12))
    return (rows.T @ top / scale).T  # type: ignore[no-any-return]


def _close(centred: Floats, out: Ints) -> bool:
    """Whether the far rows lie together: their spread is less than their distance from the rest."""
    part = centred[out]
    centre = part.mean(axis=0)
    spread = float(np.sqrt(((part - centre) ** 2).sum(axis=1).mean()))
    return spread < float(np.linalg.norm(centre))


def foreign_neighbours(vectors: Floats, labels: Ints, *, neighbours: int = 10) -> Ints:
    """Rows all of whose nearest neighbours have one other label, in order."""
    near = nearest(vectors, min(neighbours, len(vectors) - 1))
    theirs = labels[near]
    found: Ints = np.flatnonzero((theirs == theirs[:, :1]).all(axis=1) & (theirs[:, 0] != labels))
    return found


def nearest(vectors: Floats, count: int) -> Ints:
    """For each row the places of its nearest others, by Euclidean distance, nearest first."""
    data = vectors.astype(np.float32)
    squares = (data**2).sum(axis=1)
    found = np.empty((len(data), count), np.int64)
    for start in range(0, len(data), 512):
        block = data[start : start + 512]
        distance = squares[None, :] - 2 * block @ data.T
        distance[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        part = np.argpartition(distance, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(distance, part, axis=1), axis=1, kind="stable")
        found[start : start + 512] = np.take_along_axis(part, order, axis=1)
    return found


def rows_of(rows: Ints, members: Sequence[int]) -> tuple[int, ...]:
    """Places as row numbers."""
    return tuple(int(rows[one]) for one in members)
