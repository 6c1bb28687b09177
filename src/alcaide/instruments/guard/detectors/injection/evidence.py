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
    reading = linear.read(layer, attack)
    if not len(reading.sums):
        return None
    asked = linear.read(layer, request)
    a2, a4, a16 = (linear.windows(reading, attack, size) + biases[0] for size in SIZES)
    r2, r4 = (linear.windows(asked, request, size) + biases[1] for size in SIZES[:2])
    a_whole = _whole(reading, attack) + biases[0]
    r_whole = _whole(asked, request) + biases[1]
    best, most = int(a4.argmax()), int(r4.argmax())
    values = np.array(
        (
            a2.max(),
            a4[best],
            a16.max(),
            a_whole,
            r2.max(),
            r4[most],
            r_whole,
            r4[most] - np.quantile(r4, 0.25),
            r4[min(best, len(r4) - 1)],
            a4[best] - np.quantile(a4, 0.25),
            np.log2(max(8.0, float(reading.sizes.sum()))),
        )
    )
    return Evidence(values, _window(reading, best, float(a4[best])), _window(asked, most, float(r4[most])))


def _whole(reading: Reading, head: Head) -> float:
    return head.scale * float(reading.sums.sum()) / float(reading.sizes.sum()) ** 0.5


def _window(reading: Reading, at: int, score: float) -> Window:
    last = min(at + SIZES[1], len(reading.sums)) - 1
    return Window(int(reading.starts[at]), int(reading.stops[last]), score)
