"""Changing a text while keeping the way back: what was replaced by what, for a whole text at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer, Origin

Positions = npt.NDArray[np.int64]


LONG = 4096
"""Characters from which on a reading holds the neighbourhood of what it changed, rather than everything again."""

REACH = 600
"""Characters around a change that are read with it: a sentence or two before and after."""


class Edits:
    """Stretches of a text and what stands in their place, in order and without overlaps."""

    def __init__(
        self, starts: Sequence[int] | Positions, ends: Sequence[int] | Positions, texts: Sequence[str]
    ) -> None:
        self.starts: Positions = np.asarray(starts, dtype=np.int64)
        self.ends: Positions = np.asarray(ends, dtype=np.int64)
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)


def edited(layer: Layer, edits: Edits, step: str, *, guess: bool = False) -> Layer:
    """The layer that the edits make of this one.

    Each character of a replacement comes from the whole stretch it replaces, so that a finding on it covers all of
    what was written there. Of a long text only what lies within `REACH` of an edit is in the new layer: the rest reads
    as it did, and has been looked at.
    """
    text = layer.text
    if len(text) > LONG:
        layer, edits = _near(layer, edits)
        text = layer.text
    pieces: list[str] = []
    at = 0
    for start, end, new in zip(edits.starts.tolist(), edits.ends.tolist(), edits.texts, strict=True):
        pieces += (text[at:start], new)
        at = end
    pieces.append(text[at:])
    path = (*layer.path, step)
    if layer.whole is not None:
        return Layer(layer.passage, "".join(pieces), path, whole=layer.whole, guess=guess or layer.guess)
    origin = _origin(len(text), edits).within(layer.origin)
    return Layer(layer.passage, "".join(pieces), path, origin=origin, guess=guess or layer.guess)


def _near(layer: Layer, edits: Edits) -> tuple[Layer, Edits]:
    """The stretches of a long text around its edits, a line each, and the edits within them."""
    windows: list[list[int]] = []
    for start, end in zip(edits.starts.tolist(), edits.ends.tolist(), strict=True):
        if windows and start - REACH <= windows[-1][1]:
            windows[-1][1] = max(windows[-1][1], end + REACH)
        else:
            windows.append([max(0, start - REACH), end + REACH])
    if sum(end - start for start, end in windows) * 2 > len(layer.text):
        return layer, edits
    windows[-1][1] = min(windows[-1][1], len(layer.text))
    bounds = np.asarray(windows, dtype=np.int64)
    lengths = bounds[:, 1] - bounds[:, 0] + 1  # with the line break that ends each
    offsets = np.concatenate(([0], np.cumsum(lengths)[:-1])) - bounds[:, 0]
    shift = offsets[np.searchsorted(bounds[:, 0], edits.starts, side="right") - 1]
    text = "".join(f"{layer.text[start:end]}\n" for start, end in windows)
    within = np.arange(len(text), dtype=np.int64) - np.repeat(offsets, lengths)
    starts = np.minimum(within, max(0, len(layer.text) - 1)).astype(np.int32)
    origin = Origin(starts, (starts + 1).astype(np.int32)).within(layer.origin)
    cut = Layer(
        layer.passage,
        text,
        layer.path,
        origin=None if layer.whole is not None else origin,
        whole=layer.whole,
        guess=layer.guess,
    )
    return cut, Edits(edits.starts + shift, edits.ends + shift, edits.texts)


def _origin(length: int, edits: Edits) -> Origin:
    new = np.fromiter(map(len, edits.texts), dtype=np.int64, count=len(edits))
    # How many characters of the old text survive ahead of each position.
    removed = np.zeros(length + 1, dtype=np.int64)
    np.add.at(removed, edits.starts, 1)
    np.add.at(removed, edits.ends, -1)
    kept = np.cumsum(removed[:-1]) == 0
    survivors = np.flatnonzero(kept)
    kept_before = np.concatenate(([0], np.cumsum(kept)))
    added_before = np.concatenate(([0], np.cumsum(new)))
    total = len(survivors) + int(added_before[-1])
    starts = np.empty(total, dtype=np.int32)
    ends = np.empty(total, dtype=np.int32)
    # A survivor at i comes after the additions of all edits that begin at or before it.
    place = np.arange(len(survivors)) + added_before[np.searchsorted(edits.starts, survivors, side="right")]
    starts[place] = survivors
    ends[place] = survivors + 1
    first = kept_before[edits.starts] + added_before[:-1]
    places = np.repeat(first, new) + (np.arange(int(added_before[-1])) - np.repeat(added_before[:-1], new))
    starts[places] = np.repeat(edits.starts, new)
    ends[places] = np.repeat(edits.ends, new)
    return Origin(starts, ends)


def only(layer: Layer, spans: Sequence[tuple[int, int]], step: str) -> Layer:
    """The layer that holds nothing but these stretches, a line each."""
    starts: list[int] = []
    ends: list[int] = []
    texts: list[str] = []
    at = 0
    for start, end in spans:
        if start > at or at:
            starts.append(at)
            ends.append(start)
            texts.append("\n" if at else "")
        at = end
    if at < len(layer.text):
        starts.append(at)
        ends.append(len(layer.text))
        texts.append("")
    return edited(layer, Edits(starts, ends, texts), step)
