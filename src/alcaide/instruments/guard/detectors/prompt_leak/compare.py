"""An answer beside a system prompt: what of the one stands in the other.

Runs of words are compared as the guard's hashed n-grams, which a layer has anyway: punctuation, bullets, JSON and
capitals make no difference, digits count as one. Only where that finds nothing are the costlier ways tried, each
behind a cheap sign that it could succeed.

Thresholds come from the shapes of leaks (a sentence has about a dozen words) and were checked on the development
set, whose texts are made from templates and therefore good for coverage and useless for measuring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.words import STOPWORDS, stem
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.learned import ngrams
from alcaide.instruments.guard.model import Passage

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]{1,60}")
_CANARY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ANCHOR = re.compile(
    r"https?://[^\s\"'<>)\]]{4,200}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{2,40}|\d[\d.,:/]{0,20}|[A-Z][\w'-]{2,40}"
)

RUN = 4
"""Words in the runs that are compared: the n-gram group `w4`."""
LONG_RUN = 12
"""Words in a row that are no coincidence: an English sentence has about 15 to 20."""
SHORT_RUN = 7
PROMPT_CHARACTERS = 200_000
CLOSELY = 20_000
"""Characters that are looked at in the costlier ways; of a longer text, the part densest in the prompt's words."""

SHARED = 0.15
"""Share of the prompt's words below which nobody looks for a paraphrase: one that is reported has three fifths."""

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system prompt prepared for comparing. `runs` and `words` are hashes, sorted, without what the question holds.

    `weights` are the stems of its meaningful words; `probes` its longest words, by which a respelling is recognised.
    """

    size: int
    runs: Ints
    words: Ints
    weights: dict[str, float]
    mass: float
    canaries: tuple[str, ...]
    anchors: tuple[str, ...]
    probes: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Characters `start` to `end` of the text, by which way they leak, how surely, and how much of the prompt."""

    rule: str
    start: int
    end: int
    score: float
    covered: float
    run: int


@lru_cache(maxsize=64)
def prepared(text: str, question: str) -> Prompt:
    """A prompt prepared once for all layers and answers of a conversation."""
    text, question = text[:PROMPT_CHARACTERS], question[:PROMPT_CHARACTERS]
    layer, asked = _layer(text), _layer(question)
    spoken = _WORD.findall(text.lower())
    weights: dict[str, float] = {}
    known = lexicon()
    meaningful = [word for word in dict.fromkeys(spoken) if word not in STOPWORDS and len(word) > 2]
    for word in meaningful:
        base = stem(word)
        weights.setdefault(base, known.rarity(known.number(word, base)))
    for word in _WORD.findall(question.lower()):
        weights.pop(stem(word), None)
    canaries = tuple(
        dict.fromkeys(
            token
            for token in _CANARY.findall(text)
            if any(sign.isdigit() for sign in token)
            and sum(sign.isalpha() for sign in token) >= 3
            and token not in question
        )
    )
    anchors = dict.fromkeys(
        one.strip(".,:/") for one in _ANCHOR.findall(text) if one.lower() not in STOPWORDS
    )
    return Prompt(
        len(spoken),
        np.setdiff1d(_hashes(layer, "w4"), _hashes(asked, "w4")),
        np.setdiff1d(_hashes(_layer(" ".join(meaningful)), "w1"), _hashes(asked, "w1")),
        weights,
        sum(weights.values()),
        canaries[:50],
        tuple(one for one in anchors if one and one.lower() not in question.lower())[:200],
        tuple(sorted(meaningful, key=len, reverse=True)[:12]),
        sum(bool(line.strip()) for line in text.splitlines()),
    )


def _layer(text: str) -> Layer:
    return as_written(Passage(text))


def _hashes(layer: Layer, group: str) -> Ints:
    parts = [block.ids(group) for block in ngrams.blocks(layer)]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.intp)


def _among(wanted: Ints, ordered: Ints) -> npt.NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.bool_)
    at = ordered.searchsorted(wanted)
    np.minimum(at, len(ordered) - 1, out=at)
    same: npt.NDArray[np.bool_] = ordered[at] == wanted
    return same


def leaks(layer: Layer, prompt: Prompt) -> list[Leak]:
    """Every way in which a layer gives the prompt away, surest first. A decoded one is believed a little sooner."""
    found = [
        one for one in (_verbatim("verbatim", layer, prompt, decoded=bool(layer.path)),) if one is not None
    ]
    found.extend(_canaries(layer.text, prompt))
    if not found or max(one.score for one in found) < 0.5:
        start, stop = _densest(layer, prompt)
        part = layer.text[start:stop]
        others = [_translated(part, prompt)]
        if _shared(layer, prompt) >= SHARED:
            others.append(_paraphrased(part, prompt))
        if not layer.path:
            others += [_mirrored(part, prompt), _rotated(part, prompt)]
        found.extend(
            Leak(one.rule, one.start + start, one.end + start, one.score, one.covered, one.run)
            for one in others
            if one is not None
        )
    return sorted(found, key=lambda one: -one.score)


def _shared(layer: Layer, prompt: Prompt) -> float:
    """The share of the prompt's words that a layer has as they stand: no rendering is without a part of them."""
    if not len(prompt.words):
        return 0.0
    met = [block.ids("w1")[_among(block.ids("w1"), prompt.words)] for block in ngrams.blocks(layer)]
    return len(np.unique(np.concatenate(met))) / len(prompt.words) if met else 0.0


def _densest(layer: Layer, prompt: Prompt) -> tuple[int, int]:
    """The part of a long layer that holds most of the prompt's words."""
    if len(layer.text) <= CLOSELY:
        return 0, len(layer.text)
    places = [
        block.word_places()[0][_among(block.ids("w1"), prompt.words)]
        for block in ngrams.blocks(layer)
        if block.words
    ]
    at = np.concatenate(places) if places else np.empty(0, dtype=np.intp)
    if not len(at):
        return 0, CLOSELY
    inside = at.searchsorted(at + CLOSELY) - np.arange(len(at))
    start = layer.character(int(at[int(inside.argmax())]))
    return start, min(len(layer.text), start + CLOSELY)


def _verbatim(rule: str, layer: Layer, prompt: Prompt, *, decoded: bool) -> Leak | None:
    hits: list[npt.NDArray[np.bool_]] = []
    ids: list[Ints] = []
    begins: list[Ints] = []
    ends: list[Ints] = []
    for block in ngrams.blocks(layer):
        if not block.words:
            continue
        run = block.ids("w4")
        hit = np.zeros(block.words, dtype=np.bool_)
        hit[: len(run)] = _among(run, prompt.runs)
        hits.append(hit)
        ids.append(run[hit[: len(run)]])
        begin, end = block.word_places()
        begins.append(begin)
        ends.append(end)
    if not any(hit.any() for hit in hits):
        return None
    hit = np.concatenate(hits)
    covered = len(np.unique(np.concatenate(ids))) / len(prompt.runs)
    edges = np.flatnonzero(np.diff(np.r_[False, hit, False].astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    lengths = stops - starts + RUN - 1
    longest = int(lengths.max())
    share = float(np.count_nonzero(hit)) / len(hit)
    # Short prompts: most of them is a leak even where it is but a few words.
    needed = min(LONG_RUN, max(RUN + 1, int(0.7 * prompt.size)))
    strength = (longest - needed) / 4.0 + 6.0 * max(0.0, covered - 0.12) + 1.5 * max(0.0, share - 0.4)
    if longest < min(SHORT_RUN, needed):
        strength -= 2.0
    if decoded:
        strength += 1.0
    score = float(1.0 / (1.0 + np.exp(-(strength + 0.4))))
    worth = np.flatnonzero(lengths >= min(RUN + 1, longest))
    if covered < 0.3:
        # Little of the prompt: show the longest run, not everything between two stray ones.
        worth = worth[[int(lengths[worth].argmax())]]
    first, last = int(starts[worth[0]]), int(stops[worth[-1]]) + RUN - 2
    begin, end = np.concatenate(begins), np.concatenate(ends)
    return Leak(
        rule,
        layer.character(int(begin[first])),
        layer.character(int(end[min(last, len(end) - 1)])),
        score,
        covered,
        longest,
    )


def _mirrored(text: str, prompt: Prompt) -> Leak | None:
    """The prompt with its letters back to front."""
    lower = text.lower()
    if sum(probe[::-1] in lower for probe in prompt.probes) < min(2, len(prompt.probes)):
        return None
    leak = _verbatim("reversed", _layer(text[::-1]), prompt, decoded=True)
    if leak is None:
        return None
    return Leak("reversed", len(text) - leak.end, len(text) - leak.start, leak.score, leak.covered, leak.run)


_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM",
)


def _rotated(text: str, prompt: Prompt) -> Leak | None:
    """The prompt in rot13: cheaper to try against a known prompt than to guess whether a text is so encoded."""
    lower = text.lower()
    if sum(probe.translate(_ROT13) in lower for probe in prompt.probes) < min(2, len(prompt.probes)):
        return None
    return _verbatim("encoded", _layer(text.translate(_ROT13)), prompt, decoded=True)


def _canaries(text: str, prompt: Prompt) -> list[Leak]:
    found: list[Leak] = []
    for token in prompt.canaries:
        at = text.find(token)
        if at >= 0:
            rare = len(token) >= 12 or (
                any(sign.isupper() for sign in token) and any(sign.islower() for sign in token)
            )
            found.append(Leak("canary", at, at + len(token), 0.9 if rare else 0.65, 0.0, 1))
    return found[:5]


def _paraphrased(text: str, prompt: Prompt) -> Leak | None:
    """How much of what the prompt says is said. Needs most of it: a subject shares words, a rendering nearly all."""
    if prompt.mass < 6.0:
        return None
    where: dict[str, list[tuple[int, int]]] = {}
    distinct: set[str] = set()
    for match in _WORD.finditer(text.lower() if len(text.lower()) == len(text) else text):
        word = match.group()
        if len(word) > 2 and word not in STOPWORDS:
            base = stem(word)
            distinct.add(base)
            if base in prompt.weights:
                where.setdefault(base, []).append(match.span())
    covered = sum(prompt.weights[base] for base in where) / prompt.mass
    own = len(where) / max(1, len(distinct))
    if covered < 0.3:
        return None
    score = float(1.0 / (1.0 + np.exp(-(14.0 * (covered - 0.62) + 4.0 * (own - 0.5)))))
    return Leak(
        "paraphrased",
        min(spans[0][0] for spans in where.values()),
        max(spans[-1][1] for spans in where.values()),
        score,
        covered,
        0,
    )


def _translated(text: str, prompt: Prompt) -> Leak | None:
    """Numbers, names and addresses survive translation; the more of them in the prompt's order, the surer."""
    if len(prompt.anchors) < 5:
        return None
    found: list[int] = []
    first, last = len(text), 0
    for anchor in prompt.anchors:
        at = text.find(anchor)
        if at >= 0:
            found.append(at)
            first, last = min(first, at), max(last, at + len(anchor))
    share = len(found) / len(prompt.anchors)
    if len(found) < 4 or share < 0.4:
        return None
    ordered = float(np.mean(np.diff(found) > 0)) if len(found) > 1 else 0.0
    lines = sum(bool(line.strip()) for line in text.splitlines())
    alike = 1.0 if prompt.lines > 3 and abs(lines - prompt.lines) <= max(1, prompt.lines // 5) else 0.0
    score = float(
        1.0 / (1.0 + np.exp(-(8.0 * (share - 0.6) + 3.0 * (ordered - 0.7) + alike + 0.1 * (len(found) - 6))))
    )
    return Leak("translated", first, last, score, share, 0)
