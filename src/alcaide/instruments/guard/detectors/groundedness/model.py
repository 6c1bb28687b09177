"""From figures to probabilities: a logistic model on piecewise linear figures, sentence by sentence and folded.

Trained by tools/guard/train_groundedness.py. Boosted trees were half a
point of AUROC better on sources held out, for a hundred times the work.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.features import NAMES

Array = npt.NDArray[np.float64]

LIMIT = 4.0
"""Standard deviations beyond which a figure says no more."""


def basis(scaled: Array, knots: Array) -> Array:
    """A figure and, for each knot, by how much it is beyond it: a weighted sum of these bends at the knots."""
    return np.hstack([scaled, *(np.maximum(scaled - knot, 0.0) for knot in knots)])


@dataclass(frozen=True, slots=True)
class Model:
    """The weights, and what they say of figures."""

    mean: Array
    deviation: Array
    knots: Array
    weight: Array
    bias: float
    slope: float
    intercept: float

    def sentences(self, rows: Array) -> Array:
        """For each row of figures the logit that the sentence is not supported."""
        scaled = np.clip((rows - self.mean) / self.deviation, -LIMIT, LIMIT)
        return basis(scaled, self.knots) @ self.weight + self.bias

    def chance(self, logit: float) -> float:
        """A sentence's logit as a probability, on answers of which half are unsupported."""
        return probability(self.slope * logit + self.intercept)

    def answer(self, logits: Array) -> float:
        """The probability that something in the answer is not supported: that of its worst sentence.

        Folding in the mean or the number of sentences was tried and was worse on sources held out.
        """
        return self.chance(float(logits.max()))


def probability(logit: float) -> float:
    """The logistic function."""
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


@lru_cache(maxsize=1)
def model() -> Model:
    """The weights that ship with the package."""
    packed = resources.files(__package__).joinpath("weights.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        assert tuple(arrays["names"].tolist()) == NAMES, "weights are of another set of figures; train again"
        kept = {name: arrays[name].astype(np.float64) for name in arrays.files if name != "names"}
    return Model(
        kept["mean"],
        kept["deviation"],
        kept["knots"],
        kept["weight"],
        float(kept["bias"]),
        float(kept["slope"]),
        float(kept["intercept"]),
    )
