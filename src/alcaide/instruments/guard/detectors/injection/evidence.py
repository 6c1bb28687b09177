"""What the learned heads say of a text, as a short row of numbers for the combination that comes after them.

Two heads read every window. *attack* was trained on attacks against harmless texts of all kinds. *request* tells
what people ask of an assistant from what stands in documents: in a prompt a request is what one expects, in a table
or a mail it is the sign that somebody speaks to the model from there. So what counts of the second head is contrast:
one stretch that asks, among others that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.learned import linear
from alcaide.instruments.guard.learned.linear import Head, Reading, Window

SIZES: Final = (2, 4, 16)
"""Windows in chunks of 64 bytes: a sentence, a paragraph, a page."""

NAMES: Final = (
    "attack-sentence",
    "attack-paragraph",
    "attack-page",
    "attack-whole",
    "request-sentence",
    "request-paragraph",
    "request-whole",
    "request-contrast",
    "request-at-attack",
    "attack-contrast",
    "length",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers, in the order of `NAMES`, and the windows they come from."""

    values: npt.NDArray[np.float64]
    attack: Window
    request: Window


def gathered(layer: Layer, attack: Head, request: Head, biases: tuple[float, float]) -> Evidence | None:
    """What the heads say of a layer; None for one without text. `biases` are the heads' intercepts."""
    reading, asked = linear.read_all(layer, (attack, request))
    chunks = len(reading.sums)
    if not chunks:
        return None
    # Both heads at once: cumulative sums, and every window from their differences.
    sums = np.zeros((3, chunks + 1))
    np.cumsum(reading.sums, out=sums[0, 1:])
    np.cumsum(asked.sums, out=sums[1, 1:])
    np.cumsum(reading.sizes, out=sums[2, 1:])
    scales = np.array(((attack.scale,), (request.scale,)))
    offsets = np.array(((biases[0],), (biases[1],)))
    made: dict[int, npt.NDArray[np.float64]] = {}
    for size in (*SIZES, chunks):
        fitting = min(size, chunks)
        if fitting not in made:
            made[fitting] = _scored(sums, fitting, scales, offsets)
    (a2, r2), (a4, r4), (a16, _), (a_whole, r_whole) = (made[min(size, chunks)] for size in (*SIZES, chunks))
    best, most = int(a4.argmax()), int(r4.argmax())
    quarter = len(a4) // 4
    values = np.array(
        (
            a2.max(),
            a4[best],
            a16.max(),
            a_whole[0],
            r2.max(),
            r4[most],
            r_whole[0],
            r4[most] - np.partition(r4, quarter)[quarter],
            r4[best],
            a4[best] - np.partition(a4, quarter)[quarter],
            np.log2(max(8.0, float(sums[2, -1]))),
        )
    )
    return Evidence(values, _window(reading, best, float(a4[best])), _window(asked, most, float(r4[most])))


def _scored(
    sums: npt.NDArray[np.float64],
    size: int,
    scales: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Both heads' scores of every window of `size` chunks."""
    over = sums[:, size:] - sums[:, : sums.shape[1] - size]
    scores: npt.NDArray[np.float64] = over[:2] * scales
    scores /= np.sqrt(over[2])
    scores += offsets
    return scores


def _window(reading: Reading, at: int, score: float) -> Window:
    last = min(at + SIZES[1], len(reading.sums)) - 1
    return Window(int(reading.starts[at]), int(reading.stops[last]), score)
