"""Readings that are only supposed: leet spelling, spaced-out letters, rot13, reversed text.

Each has a sign that is cheap to look for; without it no reading is made. A guess is good for finding sentences and
bad for identifiers, so detectors of keys and personal data do not look at it.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

import numpy as np

from alcaide.instruments.guard.layer import Layer, Origin
from alcaide.instruments.guard.normalise import classes
from alcaide.instruments.guard.normalise.edits import LONG, Edits, edited

# A word in which a figure or sign stands for a letter: within it, or in its first place.
_LEET_WORD = re.compile(
    r"(?<![a-z0-9@$!|+])"
    r"(?:[a-z][a-z0-9@$!|+]{0,20}[013457@$!|+][a-z0-9@$!|+]{0,20}|[013457@$][a-z@$!013457]{2,20})"
)
_LEET = str.maketrans("0134578@$!|+", "oieastbasilt")
_LEET_WORDS = 3
_LEET_LONGEST = 18

# Six or more single characters, each apart from the next. Bounded twice, and entered only where there are some.
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_][ \t.\-_*~|/\u00b7\n]{1,4}){5,400}[^\W_](?![^\W_])")
_GAP = re.compile(r"[ \t.\-_*~|/\u00b7\n]{1,4}")
# Begins with one class, which the engine then looks for by itself: twenty times quicker than a repeat in front.
_EMPHASIS = re.compile(r"[*~`][*~`]{0,2}(?=[a-z])")


def unleeted(layer: Layer) -> Layer | None:
    """Figures and signs that stand for letters, read as letters. None unless several words are written so."""
    if classes.leet_words(layer) < _LEET_WORDS - 1:
        return None
    lower = layer.lower
    found: list[tuple[int, int]] = []
    sure = 0
    for match in _LEET_WORD.finditer(lower):
        word = match.group()
        letters = sum(map(str.isalpha, word))
        if not letters or len(word) > _LEET_LONGEST:
            continue
        found.append(match.span())
        if len(word) >= 3 and letters * 2 >= len(word) and not word.rstrip("0123456789").isalpha():
            sure += 1
            if sure >= _LEET_WORDS and len(lower) <= LONG:
                return _same_length(layer, lower.translate(_LEET), "leet")
    if sure < _LEET_WORDS:
        return None
    # In a long text the words themselves and what is around them; identifiers elsewhere are nobody's disguise.
    texts = [lower[start:end].translate(_LEET) for start, end in found]
    edits = Edits([start for start, _ in found], [end for _, end in found], texts)
    return edited(layer, edits, "leet", guess=True)


def unspaced(layer: Layer) -> Layer | None:
    """Letters that were set apart, joined to words. None if there are no such runs.

    Where the gaps are of one kind, a wider gap is taken for the end of a word.
    """
    text = layer.text
    edits: list[tuple[int, int, str]] = []
    reached = 0
    for at in classes.letters_apart(layer):
        match = _SPACED.match(text, at) if at >= reached else None
        if match is not None:
            edits += _joined(text, match.start(), match.end())
            reached = match.end()
    if not edits and ("*" in text or "~~" in text or "`" in text):
        lower = layer.lower
        edits = [
            (match.start(), match.end(), "")
            for match in _EMPHASIS.finditer(lower)
            if match.start() and "a" <= lower[match.start() - 1] <= "z"
        ]
    if not edits:
        return None
    return edited(
        layer,
        Edits([e[0] for e in edits], [e[1] for e in edits], [e[2] for e in edits]),
        "joined",
        guess=True,
    )


def _joined(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """Edits that take out the gaps of a run. The commonest gap parts letters, any other parts words."""
    gaps = list(_GAP.finditer(text, start, end))
    common, _ = Counter(gap.group() for gap in gaps).most_common(1)[0]
    return [
        (gap.start(), gap.end(), "" if gap.group() == common or len(gap.group()) < len(common) else " ")
        for gap in gaps
    ]


def unrotated(layer: Layer) -> Layer | None:
    """rot13 undone, if words of it are there."""
    if classes.signs(layer)[0] < 2:
        return None
    return _same_length(layer, codecs.encode(layer.lower, "rot13"), "rot13")


def turned_round(layer: Layer) -> Layer | None:
    """The text from its end to its beginning, if words of it read so."""
    if classes.signs(layer)[1] < 2:
        return None
    origin = layer.origin
    length = len(layer.text)
    if layer.whole is None:
        base = origin or Origin(np.arange(length, dtype=np.int32), np.arange(1, length + 1, dtype=np.int32))
        # Read backwards, a stretch begins where its last character lies; spans are put in order by `span`.
        origin = Origin(base.starts[::-1].copy(), base.ends[::-1].copy())
    return Layer(
        layer.passage,
        layer.text[::-1],
        (*layer.path, "reversed"),
        origin=origin,
        whole=layer.whole,
        guess=True,
    )


def _same_length(layer: Layer, text: str, step: str) -> Layer:
    return Layer(layer.passage, text, (*layer.path, step), origin=layer.origin, whole=layer.whole, guess=True)
