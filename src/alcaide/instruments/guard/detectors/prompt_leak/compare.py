"""An answer beside a system prompt: what of the one stands in the other.

Words are compared as lower-case tokens, so that punctuation, bullets, JSON and capitals make no difference. Runs are
found through shingles of four words, hashed once a prompt. Thresholds come from the shapes of leaks (a sentence has
about a dozen words) and were checked on the development set, whose texts are made from templates and therefore good
for coverage and useless for measuring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.words import STOPWORDS, stem

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]{1,60}")
_CANARY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ANCHOR = re.compile(
    r"https?://[^\s\"'<>)\]]{4,200}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{2,40}|\d[\d.,:/]{0,20}|[A-Z][\w'-]{2,40}"
)

SHINGLE = 4
LONG_RUN = 12
"""Words in a row that are no coincidence: an English sentence has about 15 to 20."""
SHORT_RUN = 7
PROMPT_CHARACTERS = 200_000

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system prompt prepared for comparing. `shingles` are sorted; those that the question holds are left out."""

    size: int
    ids: dict[str, int]
    shingles: Ints
    backwards: Ints
    weights: dict[str, float]
    mass: float
    canaries: tuple[str, ...]
    anchors: tuple[str, ...]
    question: frozenset[str]
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
    text = text[:PROMPT_CHARACTERS]
    words = _WORD.findall(text.lower())
    ids: dict[str, int] = {}
    sequence = np.array([ids.setdefault(word, len(ids) + 1) for word in words], dtype=np.int64)
    asked_words = _WORD.findall(question[:PROMPT_CHARACTERS].lower())
    asked = _shingles(np.array([ids.get(word, 0) for word in asked_words], dtype=np.int64))
    shingles = np.setdiff1d(_shingles(sequence), asked)
    backwards_ids = np.array([ids[word] for word in reversed(words)], dtype=np.int64)
    weights: dict[str, float] = {}
    known = lexicon()
    for word in words:
        if word not in STOPWORDS and len(word) > 2:
            base = stem(word)
            weights.setdefault(base, known.rarity(known.number(word, base)))
    for word in asked_words:
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
    anchors = tuple(
        dict.fromkeys(one.strip(".,:/") for one in _ANCHOR.findall(text) if one.lower() not in STOPWORDS)
    )
    return Prompt(
        len(words),
        ids,
        shingles,
        _shingles(backwards_ids),
        weights,
        sum(weights.values()),
        canaries[:50],
        tuple(one for one in anchors if one and one.lower() not in question.lower())[:400],
        frozenset(asked_words),
        sum(bool(line.strip()) for line in text.splitlines()),
    )


def _shingles(ids: Ints) -> Ints:
    return np.unique(_rolled(ids))


def _rolled(ids: Ints) -> Ints:
    """Each run of SHINGLE ids as one number; 0 where a word of it is unknown."""
    if len(ids) < SHINGLE:
        return ids[:0]
    total = np.zeros(len(ids) - SHINGLE + 1, dtype=np.int64)
    known = np.ones(len(total), dtype=np.bool_)
    for step in range(SHINGLE):
        part = ids[step : step + len(total)]
        total = total * np.int64(1_000_003) + part
        known &= part > 0
    total[~known] = 0
    return total


def leaks(text: str, prompt: Prompt, *, decoded: bool) -> list[Leak]:
    """Every way in which `text` gives the prompt away, surest first. A decoded layer is believed a little sooner."""
    places = [match.span() for match in _WORD.finditer(text)]
    lower = text.lower() if len(text.lower()) == len(text) else text
    words = [lower[start:end].lower() for start, end in places]
    ids = np.array([prompt.ids.get(word, 0) for word in words], dtype=np.int64)
    found: list[Leak] = []
    if len(ids) and np.count_nonzero(ids) >= min(3, prompt.size):
        for rule, shingles in (("verbatim", prompt.shingles), ("reversed", prompt.backwards)):
            leak = _verbatim(rule, ids, places, shingles, prompt, decoded=decoded)
            if leak is not None:
                found.append(leak)
    found.extend(_canaries(text, prompt))
    if not found or max(one.score for one in found) < 0.5:
        others = (_paraphrased(words, places, prompt), _translated(text, ids, prompt))
        found.extend(one for one in others if one is not None)
    if not decoded and len(text) <= 20_000 and (not found or max(one.score for one in found) < 0.5):
        found.extend(one for one in (_mirrored(text, prompt), _rotated(text, prompt)) if one is not None)
    return sorted(found, key=lambda one: -one.score)


def _verbatim(
    rule: str, ids: Ints, places: list[tuple[int, int]], shingles: Ints, prompt: Prompt, *, decoded: bool
) -> Leak | None:
    rolled = _rolled(ids)
    if not len(rolled) or not len(shingles):
        return None
    at = np.minimum(shingles.searchsorted(rolled), len(shingles) - 1)
    hit = (shingles[at] == rolled) & (rolled != 0)
    if not hit.any():
        return None
    covered = len(np.unique(rolled[hit])) / len(shingles)
    edges = np.flatnonzero(np.diff(np.r_[False, hit, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts + SHINGLE - 1
    longest = int(lengths.max())
    share = float(np.count_nonzero(hit)) / len(hit)
    # Short prompts: most of them is a leak even where it is but a few words.
    needed = min(LONG_RUN, max(SHINGLE + 1, int(0.7 * prompt.size)))
    strength = (longest - needed) / 4.0 + 6.0 * max(0.0, covered - 0.12) + 1.5 * max(0.0, share - 0.4)
    if longest < min(SHORT_RUN, needed):
        strength -= 2.0
    if decoded:
        strength += 1.0
    score = float(1.0 / (1.0 + np.exp(-(strength + 0.4))))
    worth = np.flatnonzero(lengths >= min(SHINGLE + 1, longest))
    first, last = int(starts[worth[0]]), int(ends[worth[-1]]) + SHINGLE - 2
    if covered < 0.3:
        # Little of the prompt: show the longest run, not everything between two stray ones.
        best = int(lengths.argmax())
        first, last = int(starts[best]), int(ends[best]) + SHINGLE - 2
    return Leak(rule, places[first][0], places[min(last, len(places) - 1)][1], score, covered, longest)


def _mirrored(text: str, prompt: Prompt) -> Leak | None:
    """The prompt with its letters back to front."""
    backwards = text[::-1]
    places = [match.span() for match in _WORD.finditer(backwards)]
    ids = np.array([prompt.ids.get(backwards[start:end].lower(), 0) for start, end in places], dtype=np.int64)
    if not len(ids):
        return None
    leak = _verbatim("reversed", ids, places, prompt.shingles, prompt, decoded=True)
    if leak is None:
        return None
    return Leak("reversed", len(text) - leak.end, len(text) - leak.start, leak.score, leak.covered, leak.run)


_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")


def _rotated(text: str, prompt: Prompt) -> Leak | None:
    """The prompt in rot13: cheaper to try against a known prompt than to guess whether a text is so encoded."""
    rotated = text.lower().translate(_ROT13)
    if len(rotated) != len(text):
        return None
    places = [match.span() for match in _WORD.finditer(rotated)]
    ids = np.array([prompt.ids.get(rotated[start:end], 0) for start, end in places], dtype=np.int64)
    return _verbatim("encoded", ids, places, prompt.shingles, prompt, decoded=True) if len(ids) else None


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


def _paraphrased(words: list[str], places: list[tuple[int, int]], prompt: Prompt) -> Leak | None:
    """How much of what the prompt says is said. Needs most of it: a subject shares words, a rendering nearly all."""
    if prompt.mass < 6.0 or len(words) < 8:
        return None
    where: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        if len(word) > 2:
            base = stem(word)
            if base in prompt.weights:
                where.setdefault(base, []).append(at)
    covered = sum(prompt.weights[base] for base in where) / prompt.mass
    distinct = {stem(word) for word in words if word not in STOPWORDS and len(word) > 2}
    own = len(where) / max(1, len(distinct))
    if covered < 0.3:
        return None
    score = float(1.0 / (1.0 + np.exp(-(14.0 * (covered - 0.62) + 4.0 * (own - 0.5)))))
    firsts = [at[0] for at in where.values()]
    return Leak(
        "paraphrased",
        places[min(firsts)][0],
        places[max(at[-1] for at in where.values())][1],
        score,
        covered,
        0,
    )


def _translated(text: str, ids: Ints, prompt: Prompt) -> Leak | None:
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
    known = float(np.count_nonzero(ids)) / max(1, len(ids))
    ordered = float(np.mean(np.diff(found) > 0)) if len(found) > 1 else 0.0
    lines = sum(bool(line.strip()) for line in text.splitlines())
    alike = 1.0 if prompt.lines > 3 and abs(lines - prompt.lines) <= max(1, prompt.lines // 5) else 0.0
    score = float(
        1.0 / (1.0 + np.exp(-(8.0 * (share - 0.6) + 3.0 * (ordered - 0.7) + alike + 0.1 * (len(found) - 6))))
    )
    return Leak("translated", first, last, score * (1.0 if known < 0.6 else 0.8), share, 0)
