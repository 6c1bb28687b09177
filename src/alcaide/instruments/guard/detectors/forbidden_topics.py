"""Is a text about something that this organisation does not want talked about?

A policy names topics; without one nothing is looked for. A topic is told by

    keywords      words or phrases; one that stands there by itself is told, as it is written or in another ending
    description   what the topic is about, and
    examples      things people say about it: their words count by how rare they are, and so do words that mean the
                  same, and a stretch of text that has enough of them is told

No model is asked and nothing is learned: a topic is as good as the words its author gave it, and one told in none of
these words passes.

    options:
      topics:
        - name: mergers
          description: takeovers, mergers and acquisitions that are not public
          keywords: [due diligence, data room]
          examples: [Are we buying the company in Leeds?]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.words import STOPWORDS, stem
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput

MOST_TOPICS = 200
MOST_WORDS = 2_000
"""Keywords and examples of one topic, and their length in characters."""

WINDOW = 60
"""Words in a stretch: a paragraph."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]{2,40}")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as the policy gives it. `threshold` is on the score of a stretch without a keyword."""

    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    threshold: float = 0.6


@dataclass(frozen=True, slots=True)
class _Compiled:
    topics: tuple[Topic, ...]
    automaton: Any
    owners: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    weights: tuple[dict[str, float], ...]
    needed: tuple[float, ...]
    bounded: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ForbiddenTopics:
    """The detector. Without `topics` it finds nothing and costs nothing."""

    topics: tuple[Topic, ...] = ()
    name: str = "forbidden-topics"
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    def configured(self, options: dict[str, Any]) -> ForbiddenTopics:
        """With the policy's `topics`. Raises InvalidInput naming the topic for one that cannot be looked for."""
        for key in options:
            if key != "topics":
                raise InvalidInput(f"`forbidden-topics` has no option `{key}`; it takes `topics`")
        given = options.get("topics", [])
        if not isinstance(given, list) or len(given) > MOST_TOPICS:
            raise InvalidInput(
                f"option `topics` must be a list of at most {MOST_TOPICS} topics; correct the policy"
            )
        return replace(self, topics=tuple(_topic(one) for one in given))

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Look for each topic's keywords, then for stretches that have enough of its words."""
        if not self.topics or not layer.text:
            return NOTHING
        compiled = _compiled(self.topics)
        findings: list[Finding] = []
        told: set[int] = set()
        for topic, start, end in _keywords(layer, compiled):
            told.add(topic)
            findings.append(self._finding(layer, self.topics[topic], start, end, 0.9, "keyword"))
        highest = 0.9 if findings else 0.0
        for topic, start, end, score in _stretches(layer, compiled):
            highest = max(highest, score)
            if topic not in told and score >= self.topics[topic].threshold:
                findings.append(self._finding(layer, self.topics[topic], start, end, score, "words"))
        findings.sort(key=lambda one: one.span.start)
        return Examination(tuple(findings), highest)

    def _finding(self, layer: Layer, topic: Topic, start: int, end: int, score: float, by: str) -> Finding:
        return Finding(
            self.name,
            f"{self.name}/{topic.name}",
            "forbidden-topic",
            layer.span(start, end),
            round(score, 4),
            "warning",
            f"about `{topic.name}`, which the policy does not want talked about",
            where=layer.passage.where,
            evidence={"topic": topic.name, "by": by},
        )


def _topic(given: Any) -> Topic:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not given["name"].strip():
        raise InvalidInput("a topic has no `name`; give each topic of `forbidden-topics` a name")
    name = given["name"].strip()
    for key in given:
        if key not in ("name", "description", "keywords", "examples", "threshold"):
            raise InvalidInput(
                f"topic `{name}` has no `{key}`; it takes `description`, `keywords`, `examples` and `threshold`"
            )
    description = given.get("description", "")
    threshold = given.get("threshold", 0.6)
    if not isinstance(description, str) or len(description) > MOST_WORDS:
        raise InvalidInput(
            f"the `description` of topic `{name}` must be text of up to {MOST_WORDS} characters"
        )
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise InvalidInput(f"the `threshold` of topic `{name}` must be above 0 and at most 1")
    lists: list[tuple[str, ...]] = []
    for key in ("keywords", "examples"):
        values = given.get(key, [])
        if (
            not isinstance(values, list)
            or len(values) > MOST_WORDS
            or not all(isinstance(one, str) and 2 <= len(one.strip()) <= MOST_WORDS for one in values)
        ):
            raise InvalidInput(
                f"`{key}` of topic `{name}` must be a list of texts of at least two characters"
            )
        lists.append(tuple(one.strip() for one in values))
    if not any((description.strip(), *lists)):
        raise InvalidInput(
            f"topic `{name}` says nothing to look for; give it keywords, a description or examples"
        )
    return Topic(name, description, lists[0], lists[1], float(threshold))


@lru_cache(maxsize=16)
def _compiled(topics: tuple[Topic, ...]) -> _Compiled:
    owners: dict[bytes, list[int]] = {}
    weights: list[dict[str, float]] = []
    needed: list[float] = []
    known = lexicon()
    for at, topic in enumerate(topics):
        for keyword in topic.keywords:
            owners.setdefault(" ".join(keyword.lower().split()).encode(), []).append(at)
        words: dict[str, float] = {}
        for text, share in ((topic.description, 1.0), *((one, 1.0) for one in topic.examples)):
            for word in _WORD.findall(text.lower()):
                if word in STOPWORDS:
                    continue
                base = stem(word)
                number = known.number(word, base)
                words[base] = max(words.get(base, 0.0), share * max(0.0, known.rarity(number) - 0.45))
                if number >= 0:
                    for other in known.tails("same", number)[:12].tolist():
                        near = float(known.vectors[number] @ known.vectors[other])
                        if near > 0.4:
                            synonym = stem(_spelled()[other])
                            words.setdefault(synonym, 0.6 * words[base])
        weights.append(words)
        strongest = sorted(words.values(), reverse=True)
        # Three or four of a topic's tellings words in one paragraph: its subject, rather than a mention.
        needed.append(max(sum(strongest[:4]), 0.8))
    anchors = sorted(owners)
    automaton = (
        ahocorasick_rs.BytesAhoCorasick(anchors, matchkind=ahocorasick_rs.MatchKind.Standard)
        if anchors
        else None
    )
    texts = [anchor.decode() for anchor in anchors]
    return _Compiled(
        topics,
        automaton,
        tuple(tuple(owners[anchor]) for anchor in anchors),
        tuple(map(len, texts)),
        tuple(weights),
        tuple(needed),
        tuple(text[0].isascii() for text in texts),
    )


@lru_cache(maxsize=1)
def _spelled() -> tuple[str, ...]:
    return tuple(lexicon().index)


_ENDINGS = ("", "s", "es", "'s", "ed", "ing", "en", "e", "er", "n")


def _keywords(layer: Layer, compiled: _Compiled) -> list[tuple[int, int, int]]:
    if compiled.automaton is None:
        return []
    found: list[tuple[int, int, int]] = []
    text = layer.lower
    for anchor, start, _ in compiled.automaton.find_matches_as_indexes(layer.octets, overlapping=True):
        at = layer.character(start)
        end = at + compiled.lengths[anchor]
        if compiled.bounded[anchor]:
            if at and text[at - 1].isalnum():
                continue
            stop = end
            while stop < min(len(text), end + 4) and (text[stop].isalnum() or text[stop] in "'’"):
                stop += 1
            if text[end:stop].replace("’", "'") not in _ENDINGS:
                continue
            end = stop
        found.extend((topic, at, end) for topic in compiled.owners[anchor])
        if len(found) > 500:
            break
    return found


def _stretches(layer: Layer, compiled: _Compiled) -> list[tuple[int, int, int, float]]:
    """For each topic its best stretch, and that stretch's score."""
    wanted = [at for at, words in enumerate(compiled.weights) if words]
    if not wanted:
        return []
    places = [match.span() for match in _WORD.finditer(layer.lower)]
    if not places:
        return []
    stems = [stem(layer.lower[start:end]) for start, end in places]
    found: list[tuple[int, int, int, float]] = []
    for topic in wanted:
        words = compiled.weights[topic]
        value: npt.NDArray[np.float64] = np.array([words.get(base, 0.0) for base in stems])
        at = np.flatnonzero(value)
        if len({stems[int(one)] for one in at}) < 2:
            continue
        best, left, right = 0.0, 0, 0
        seen: dict[str, int] = {}
        low, total = 0, 0.0
        for high, place in enumerate(at.tolist()):
            base = stems[place]
            total += 0.0 if seen.get(base) else value[place]
            seen[base] = seen.get(base, 0) + 1
            while place - int(at[low]) > WINDOW:
                gone = stems[int(at[low])]
                seen[gone] -= 1
                total -= 0.0 if seen[gone] else value[int(at[low])]
                low += 1
            if total > best:
                best, left, right = total, int(at[low]), place
            del high
        score = float(1.0 / (1.0 + np.exp(-6.0 * (best / compiled.needed[topic] - 0.75))))
        found.append((topic, places[left][0], places[right][1], score))
    return found


FORBIDDEN_TOPICS = ForbiddenTopics()
