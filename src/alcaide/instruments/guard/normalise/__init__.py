"""The readings of a text: as written, as it looks, as it decodes.

An attack need only be readable by a model, and models read base64, look-alike letters and hidden comments. So each
passage is looked at in every reading that its own characters give reason for, nested to a bounded depth. A plain text
has one reading and costs a few microseconds; every limit that cuts something off is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from alcaide.instruments.guard.layer import Layer, Origin, as_written
from alcaide.instruments.guard.model import Passage
from alcaide.instruments.guard.normalise import encodings, flow, folding, guesses, markup
from alcaide.instruments.guard.policy import Limits

GUESSES_IN_A_ROW = 2
"""Leet within spaced-out letters is seen in the wild; a third supposition finds only noise."""


def readings(passage: Passage, limits: Limits) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Every layer of a passage, the passage as written first, and what limits kept from being read, in words."""
    first = as_written(passage)
    layers = [first]
    reasons: dict[str, None] = {}
    seen = {passage.text}
    queue: deque[tuple[Layer, int]] = deque([(first, 0)])
    decoded = 0
    while queue:
        layer, depth = queue.popleft()
        for child, deeper in _children(layer):
            if child.text in seen or not child.text.strip():
                continue
            if deeper and depth >= limits.depth:
                reasons[f"encodings are nested deeper than {limits.depth}"] = None
                continue
            if len(layers) >= limits.layers:
                reasons[f"there are more than {limits.layers} readings of one text"] = None
                return tuple(layers), tuple(reasons)
            decoded += len(child.text) if deeper else 0
            if decoded > limits.decoded:
                reasons[f"decoded text is longer than {limits.decoded} characters"] = None
                return tuple(layers), tuple(reasons)
            seen.add(child.text)
            layers.append(child)
            queue.append((child, depth + int(deeper)))
    return tuple(layers), tuple(reasons)


def _children(layer: Layer) -> Iterator[tuple[Layer, bool]]:
    """Readings of a reading; with each whether it was decoded, which counts towards the depth.

    Disguises are undone one after another, not in every combination: a text with accents, entities and tags has one
    plain reading. Guesses start from that, since what is still disguised after it is not written plainly anywhere.
    """
    if layer.guess:
        yield from _guessed(layer)
        return
    yield from ((one, False) for one in folding.smuggled(layer))
    plain = layer
    for change in (folding.folded, markup.unescaped, markup.stripped):
        plain = change(plain) or plain
    if plain is not layer:
        yield plain, False  # and its guesses with it, in its own turn
    if "hidden" not in layer.path:
        concealed = markup.hidden(layer)
        if concealed is not None:
            yield concealed, False
    yield from _decoded(layer)
    if plain is layer:
        yield from _guessed(layer)


def _guessed(layer: Layer) -> Iterator[tuple[Layer, bool]]:
    if sum(step in _GUESSED for step in layer.path) >= GUESSES_IN_A_ROW:
        return
    for guess in (
        guesses.unleeted,
        guesses.unspaced,
        guesses.unrotated,
        guesses.turned_round,
        folding.unaccented,
        flow.flowed,
    ):
        one = guess(layer)
        if one is not None:
            yield one, False


_GUESSED = frozenset(("leet", "joined", "rot13", "reversed", "unaccented", "flowed"))

RUNS_APART = 16
"""Decoded runs that each get a layer; with more, they are laid out in one, which costs one look instead of hundreds."""


def _decoded(layer: Layer) -> Iterator[tuple[Layer, bool]]:
    found = list(encodings.decoded(layer))
    if len(found) <= RUNS_APART:
        for step, start, end, text in found:
            yield (
                Layer(
                    layer.passage,
                    text,
                    (*layer.path, step),
                    whole=layer.span(start, end),
                    guess=step == "morse",
                ),
                True,
            )
        return
    spans = [layer.span(start, end) for _, start, end, _ in found]
    yield (
        _laid_out(layer, [text for _, _, _, text in found], [(span.start, span.end) for span in spans]),
        True,
    )


def _laid_out(layer: Layer, texts: list[str], spans: list[tuple[int, int]]) -> Layer:
    """Many decoded texts as one layer, a line each; every character comes from the run it was decoded from."""
    lengths = [len(text) + 1 for text in texts]
    origin = Origin(
        np.repeat(np.asarray([start for start, _ in spans], dtype=np.int32), lengths),
        np.repeat(np.asarray([end for _, end in spans], dtype=np.int32), lengths),
    )
    joined = "".join(f"{text}\n" for text in texts)
    return Layer(layer.passage, joined, (*layer.path, "decoded runs"), origin=origin)
