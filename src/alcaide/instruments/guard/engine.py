"""One pass over a text for the patterns of every detector.

    1. An Aho-Corasick automaton over all anchors runs once over the lower-cased bytes (hundreds of MB/s, linear).
    2. Around each anchor found, the patterns it belongs to are tried within the window they declare.

So the cost is that of the text plus that of what looks suspicious, whatever the number of patterns. A pattern whose
backtracking is plainly linear runs on `re`, which is quicker to call on a short window; any other runs on RE2, which
is linear by construction. Nothing here can be made slow by its input beyond that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import ahocorasick_rs
import re2

from alcaide.instruments.guard.backtracking import plainly_linear
from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.kernel.errors import InvalidInput

HITS_PER_PATTERN = 20_000
"""A text that repeats one thing for megabytes has been understood long before; more hits add nothing but time."""

BLOCK = 1 << 20
"""Bytes given to the automaton at once, so that a text made of anchors cannot fill memory with their places."""

SWEEP_FROM = 32
"""Anchors of an RE2 pattern from which on it may be cheaper to run the pattern over the whole text once."""

TRIES = 20_000
"""Anchors around which a pattern is tried one by one; the rest of such a text is swept on RE2.

There `\\b`, `\\w` and `\\s` know ASCII alone, as they do in every pattern that always runs on RE2.
"""


class _Compiled:
    """A pattern, compiled when it is first needed: most patterns never meet one of their anchors."""

    def __init__(self, owner: int, name: str, pattern: Pattern) -> None:
        if not pattern.anchors or any(not anchor or anchor != anchor.lower() for anchor in pattern.anchors):
            raise InvalidInput(
                f"pattern `{name}/{pattern.rule}` needs at least one lower-case anchor; "
                "give a literal that is part of every match"
            )
        self.owner = owner
        self.name = name
        self.pattern = pattern
        self.reach = pattern.before + pattern.after + max(map(len, pattern.anchors))

    @cached_property
    def backtracking(self) -> Any | None:
        """The pattern on `re`, where that is safe."""
        return re.compile(self.pattern.regex) if plainly_linear(self.pattern.regex) else None

    @cached_property
    def linear(self) -> Any:
        """The pattern on RE2. Raises InvalidInput for what RE2 does not take."""
        try:
            return re2.compile(self.pattern.regex)
        except re2.error as error:
            raise InvalidInput(
                f"pattern `{self.name}/{self.pattern.rule}` does not compile: {error}; "
                "RE2 has no look-around and no back-references"
            ) from error

    def search(self, text: str, low: int, high: int) -> Hit | None:
        """The first match that begins at `low` or later and ends at `high` or earlier."""
        if self.backtracking is not None:
            # The whole text with bounds, so that a word boundary at the window's start is seen for what it is.
            match = self.backtracking.search(text, low, high)
            return None if match is None else _hit(self.pattern.rule, match, 0)
        # RE2 would encode the whole text at each call. One character more ahead keeps word boundaries true.
        shift = max(0, low - 1)
        match = self.linear.search(text[shift:high], low - shift)
        return None if match is None else _hit(self.pattern.rule, match, shift)


class PatternEngine:
    """All patterns of some detectors. Safe to share between threads.

    `patterns` maps a detector's name to what it wants looked for. Raises InvalidInput naming the rule for a pattern
    without a usable anchor; one that does not compile is named by `check`.
    """

    def __init__(self, patterns: Mapping[str, Sequence[Pattern]]) -> None:
        self._owners = tuple(patterns)
        by_anchor: dict[bytes, list[int]] = defaultdict(list)
        self._compiled: list[_Compiled] = []
        for owner, (name, wanted) in enumerate(patterns.items()):
            for pattern in wanted:
                self._compiled.append(_Compiled(owner, name, pattern))
                for anchor in dict.fromkeys(pattern.anchors):
                    by_anchor[anchor.encode()].append(len(self._compiled) - 1)
        anchors = sorted(by_anchor)
        self._by_anchor = tuple(tuple(by_anchor[anchor]) for anchor in anchors)
        self._lengths = tuple(len(anchor.decode()) for anchor in anchors)
        self._longest = max(map(len, anchors), default=0)
        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick(anchors, matchkind=ahocorasick_rs.MatchKind.Standard)
            if anchors
            else None
        )

    def check(self) -> None:
        """Compile everything now. Raises InvalidInput naming the first rule that does not compile."""
        for compiled in self._compiled:
            _ = compiled.linear, compiled.backtracking

    def hits(self, layer: Layer, wanted: frozenset[str] | None = None) -> dict[str, list[Hit]]:
        """Every match in one layer, by detector, ordered by start. Detectors without a match are absent.

        `wanted` are the detectors that will look at this layer, None for all: for others nothing is tried.
        """
        places = self._anchors_in(layer)
        found: dict[str, list[Hit]] = {}
        for number, at in places.items():
            compiled = self._compiled[number]
            if wanted is not None and compiled.name not in wanted:
                continue
            if (
                len(at) > SWEEP_FROM
                and compiled.backtracking is None
                and len(at) * compiled.reach > len(layer.text)
            ):
                hits = _sweep(compiled, layer)
            elif len(at) > TRIES:
                at.sort()
                hits = _confirm(compiled, layer, at[:TRIES])
                hits += _sweep(compiled, layer, after=max(at[TRIES - 1][1], hits[-1].end if hits else 0))
                del hits[HITS_PER_PATTERN:]
            else:
                hits = _confirm(compiled, layer, at)
            if hits:
                found.setdefault(self._owners[compiled.owner], []).extend(hits)
        for hits in found.values():
            hits.sort(key=_by_place)
        return found

    def _anchors_in(self, layer: Layer) -> dict[int, list[tuple[int, int]]]:
        """For each pattern, where one of its anchors lies, in characters."""
        places: dict[int, list[tuple[int, int]]] = {}
        if self._automaton is None:
            return places
        octets = layer.octets
        for block in range(0, max(1, len(octets)), BLOCK):
            # Blocks overlap by an anchor less one byte: each anchor lies whole in exactly one block's own part.
            piece = octets if len(octets) <= BLOCK else octets[block : block + BLOCK + self._longest - 1]
            for anchor, start, _ in self._automaton.find_matches_as_indexes(piece, overlapping=True):
                if start >= BLOCK:
                    continue
                at = layer.character(block + start)
                end = at + self._lengths[anchor]
                for number in self._by_anchor[anchor]:
                    if (known := places.get(number)) is None:
                        places[number] = [(at, end)]
                    else:
                        known.append((at, end))
        return places


def _by_place(hit: Hit) -> tuple[int, int]:
    return hit.start, hit.end


def _confirm(compiled: _Compiled, layer: Layer, places: list[tuple[int, int]]) -> list[Hit]:
    """Try the pattern around each of its anchors; a match counts if it holds the anchor."""
    pattern = compiled.pattern
    text = layer.text if pattern.case_sensitive else layer.lower
    hits: list[Hit] = []
    reached = 0
    for at, end in sorted(places) if len(places) > 1 else places:
        if at < reached:
            continue  # inside the match this pattern already gave
        # One character more than a match may reach: a word that goes on there does not end at the window.
        low, high = max(reached, at - pattern.before), end + pattern.after + 1
        hit = compiled.search(text, low, high)
        while hit is not None and hit.end < end and hit.start < at:
            hit = compiled.search(text, hit.start + 1, high)
        if hit is None or hit.start > at or hit.end < end:
            continue
        hits.append(hit)
        reached = hit.end
        if len(hits) >= HITS_PER_PATTERN:
            break
    return hits


def _sweep(compiled: _Compiled, layer: Layer, *, after: int = 0) -> list[Hit]:
    """Run the pattern over the whole text on RE2: for texts so full of its anchors that windows would overlap."""
    pattern = compiled.pattern
    text = layer.text if pattern.case_sensitive else layer.lower
    hits = []
    for match in compiled.linear.finditer(text[after:] if after else text):
        if match.end() - match.start() <= compiled.reach:
            hits.append(_hit(pattern.rule, match, after))
            if len(hits) >= HITS_PER_PATTERN:
                break
    return hits


def _hit(rule: str, match: Any, shift: int) -> Hit:
    groups = {
        name: (match.start(number) + shift, match.end(number) + shift)
        for name, number in match.re.groupindex.items()
        if match.start(number) >= 0
    }
    return Hit(rule, match.start() + shift, match.end() + shift, groups)
