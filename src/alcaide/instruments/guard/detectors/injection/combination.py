"""One log-odds from what the heads, the signatures and the structure of a text say.

    1. Heads and signatures are there for every text: a weighted sum of them decides what is plainly harmless.
    2. Only for the rest the structure of the strongest stretch is measured, and a second sum has the last word, half of
       it a weighted sum again and half a few hundred small decision trees.

The weighted sums carry over better to new kinds of attack, the trees see what counts only together (a request *and* a
table around it). All are fitted on sources that the heads had not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.injection import evidence, signatures, structure
from alcaide.instruments.guard.detectors.injection.evidence import Evidence
from alcaide.instruments.guard.detectors.injection.signatures import Sighting
from alcaide.instruments.guard.detectors.injection.surprise import surprises_within
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.learned.linear import Window
from alcaide.instruments.guard.model import Passage

Values = npt.NDArray[np.float64]

NAMES: Final = (*evidence.NAMES, "request-in-document", "signatures", *signatures.FEATURE_NAMES)
"""What the first sum sees, in order; a model made for other names is refused."""

_ABOUT_THE_PASSAGE: Final = frozenset(
    (
        "hidden-layer",
        "decoded-layer",
        "supposed-layer",
        "in-tool-data",
        "in-tool-description",
        "in-user-message",
    )
)
_KEPT: Final = np.array(
    [place for place, name in enumerate(structure.NAMES) if name not in _ABOUT_THE_PASSAGE], dtype=np.intp
)
STRUCTURE_NAMES: Final = tuple(structure.NAMES[place] for place in _KEPT.tolist())
"""What the second sum sees besides. Where a text was found is not among it: the training texts do not say."""

AROUND: Final = 768
"""Bytes of a text whose structure is measured, around its strongest window."""

PLAINLY: Final = -1.0
"""What the first sum says at most of a text whose structure is not worth measuring."""

_REQUEST: Final = evidence.NAMES.index("request-paragraph")
_CONTRAST: Final = evidence.NAMES.index("request-contrast")


@dataclass(frozen=True, slots=True)
class Combination:
    """A weight for each number, and a constant."""

    slopes: Values
    intercept: float

    def __call__(self, values: Values) -> float:
        """The log-odds."""
        return float(values @ self.slopes) + self.intercept


QUESTIONS: Final = 8
"""A tree of up to so many questions has its answers in one octet, which leads to its leaf in one look-up."""


class _Asked(NamedTuple):
    """The questions of small trees, `QUESTIONS` places for each; and for each tree the leaf that answers lead to."""

    feature: npt.NDArray[np.intp]
    threshold: Values
    leaf: Values
    rows: npt.NDArray[np.intp]


class _Nodes(NamedTuple):
    """The nodes of all trees in a row; children and roots by their place in it."""

    roots: npt.NDArray[np.intp]
    feature: npt.NDArray[np.intp]
    threshold: Values
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    value: Values


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted decision trees, one a row; a leaf is its own child.

    Attributes:
        feature, threshold: a text goes to `left` where the number is at most the threshold, else to `right`.
        value: what a leaf adds.
        base: what is there before any tree.
        depth: steps from a root to the deepest leaf.
    """

    feature: npt.NDArray[np.int16]
    threshold: Values
    left: npt.NDArray[np.int16]
    right: npt.NDArray[np.int16]
    value: Values
    base: float
    depth: int
    _nodes: _Nodes = field(init=False, repr=False, compare=False)
    _asked: _Asked | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        count, width = self.feature.shape
        roots = np.arange(0, count * width, width)
        object.__setattr__(
            self,
            "_nodes",
            _Nodes(
                roots,
                self.feature.reshape(-1).astype(np.intp),
                self.threshold.reshape(-1),
                (self.left.astype(np.intp) + roots[:, None]).reshape(-1),
                (self.right.astype(np.intp) + roots[:, None]).reshape(-1),
                self.value.reshape(-1),
            ),
        )
        object.__setattr__(self, "_asked", self._all_asked())

    def __call__(self, values: Values) -> float:
        """The sum over all trees.

        Every question is answered, asked or not: that is two steps over all of them. Small trees have their leaves by
        the pattern of their answers; larger ones walk all at once, one look-up for each level.
        """
        asked = self._asked
        if asked is not None:
            answers = np.packbits(values.take(asked.feature) <= asked.threshold)
            return self.base + float(np.add.reduce(asked.leaf.take(asked.rows + answers)))
        nodes = self._nodes
        onward = np.where(values.take(nodes.feature) <= nodes.threshold, nodes.left, nodes.right)
        at = nodes.roots
        for _ in range(self.depth):
            at = onward.take(at)
        return self.base + float(np.add.reduce(nodes.value.take(at)))

    def _all_asked(self) -> _Asked | None:
        """The trees by the patterns of their answers; None where one has more questions than an octet has bits."""
        nodes, (count, width) = self._nodes, self.feature.shape
        inner = (nodes.left != np.arange(count * width)).reshape(count, width)
        if count == 0 or int(inner.sum(axis=1).max()) > QUESTIONS:
            return None
        # The places of each tree's questions first, in their order; what is left over is asked and never heard.
        order = np.argsort(~inner, axis=1, kind="stable")
        if width < QUESTIONS:
            order = np.pad(order, ((0, 0), (0, QUESTIONS - width)), mode="edge")
        bit = np.zeros((count, width), dtype=np.intp)
        for place in range(min(width, QUESTIONS) - 1, -1, -1):
            bit[np.arange(count), order[:, place]] = QUESTIONS - 1 - place
        of_node = bit.reshape(-1)
        patterns = np.arange(1 << QUESTIONS)
        at = np.repeat(nodes.roots[:, None], len(patterns), axis=1)
        for _ in range(self.depth):
            yes = (patterns >> of_node[at]) & 1
            at = np.where(yes == 1, nodes.left[at], nodes.right[at])
        asked = (order[:, :QUESTIONS] + nodes.roots[:, None]).reshape(-1)
        return _Asked(
            nodes.feature[asked],
            nodes.threshold[asked],
            nodes.value[at].reshape(-1),
            np.arange(count) * len(patterns),
        )


@dataclass(frozen=True, slots=True)
class Blend:
    """A weighted sum and trees, added."""

    linear: Combination
    trees: Trees

    def __call__(self, values: Values) -> float:
        """The log-odds."""
        return self.linear(values) + self.trees(values)


def numbers(gathered: Evidence, seen: Sequence[Sighting]) -> Values:
    """What the first sum sees, in the order of `NAMES`.

    `request-in-document` is large only where a stretch asks something and the rest of a text does not.
    """
    size = len(gathered.values)
    values = np.zeros(len(NAMES))
    values[:size] = gathered.values
    rest = gathered.values[_REQUEST] - gathered.values[_CONTRAST]
    values[size] = max(0.0, gathered.values[_REQUEST]) ** 0.5 * max(0.0, -rest) ** 0.5
    if seen:
        values[size + 1] = signatures.combined(seen)
        values[size + 2 :] = signatures.features(seen)
    return values


def structured(layer: Layer, window: Window) -> Values:
    """What the second sum sees besides: the structure of the stretch around a window, in `STRUCTURE_NAMES` order."""
    size = len(layer.octets)
    if size <= AROUND:
        return structure.structure(layer).vector().take(_KEPT).astype(np.float64)
    middle = (window.start + window.stop) // 2
    low = max(0, min(middle - AROUND // 2, size - AROUND))
    text = layer.text[layer.character(low) : layer.character(min(size, low + AROUND))]
    stretch = as_written(Passage(text))
    if layer.ascii:
        known = surprises_within(layer, low, min(size, low + AROUND))
        if known is not None:
            stretch.notes["surprise"] = known
    return structure.structure(stretch).vector().take(_KEPT).astype(np.float64)
