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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ahocorasick_rs
import re2

from alcaide.instruments.guard.backtracking import plainly_linear
from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.kernel.errors import InvalidInput

HITS_PER_PATTERN = 2000
"""A text that repeats one anchor for megabytes has been understood long before; the rest adds nothing but time."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    owner: int
    pattern: Pattern
    search: Any


class PatternEngine:
    """All patterns of some detectors, compiled. Immutable and safe to share between threads.

    `patterns` maps a detector's name to what it wants looked for. Raises InvalidInput naming the rule for a pattern
    that does not compile or has no usable anchor.
    """

    def __init__(self, patterns: Mapping[str, Sequence[Pattern]]) -> None:
        self._owners = tuple(patterns)
        by_anchor: dict[bytes, list[_Compiled]] = defaultdict(list)
        for owner, (name, wanted) in enumerate(patterns.items()):
            for pattern in wanted:
                compiled = _Compiled(owner, pattern, _search(name, pattern))
                for anchor in pattern.anchors:
                    by_anchor[anchor.encode()].append(compiled)
        anchors = sorted(by_anchor)
        self._by_anchor = tuple(tuple(by_anchor[anchor]) for anchor in anchors)
        self._lengths = tuple(len(anchor.decode()) for anchor in anchors)
        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick(anchors, matchkind=ahocorasick_rs.MatchKind.Standard)
            if anchors
            else None
        )

    def hits(self, layer: Layer) -> dict[str, list[Hit]]:
        """Every match in one layer, by detector, ordered by start. Detectors without a match are absent."""
        if self._automaton is None or not layer.text:
            return {}
        found: dict[tuple[int, str], dict[tuple[int, int], Hit]] = {}
        reached: dict[int, int] = {}
        for anchor, start, _ in self._automaton.find_matches_as_indexes(layer.octets, overlapping=True):
            at = layer.character(start)
            for compiled in self._by_anchor[anchor]:
                if at < reached.get(id(compiled), -1):
                    continue  # inside the match this pattern already gave
                hit = _confirm(compiled, layer, at, self._lengths[anchor])
                if hit is None:
                    continue
                kept = found.setdefault((compiled.owner, compiled.pattern.rule), {})
                if len(kept) < HITS_PER_PATTERN:
                    kept.setdefault((hit.start, hit.end), hit)
                reached[id(compiled)] = hit.end
        result: dict[str, list[Hit]] = defaultdict(list)
        for (owner, _), kept in found.items():
            result[self._owners[owner]].extend(kept.values())
        for hits in result.values():
            hits.sort(key=lambda hit: (hit.start, hit.end))
        return dict(result)


def _confirm(compiled: _Compiled, layer: Layer, at: int, length: int) -> Hit | None:
    pattern = compiled.pattern
    text = layer.text if pattern.case_sensitive else layer.lower
    low = max(0, at - pattern.before)
    # One character more on each side, so that a word boundary is seen for what it is.
    margin = 1 if low else 0
    window = text[low - margin : at + length + pattern.after + 1]
    for match in compiled.search(window):
        start, end = match.span()
        start, end = start + low - margin, end + low - margin
        if start > at:
            return None
        if end >= at + length:
            groups = {
                name: (match.start(name) + low - margin, match.end(name) + low - margin)
                for name in match.re.groupindex
                if match.start(name) >= 0
            }
            return Hit(pattern.rule, start, end, groups)
    return None


def _search(owner: str, pattern: Pattern) -> Any:
    if not pattern.anchors or any(not anchor or anchor != anchor.lower() for anchor in pattern.anchors):
        raise InvalidInput(
            f"pattern `{owner}/{pattern.rule}` needs at least one lower-case anchor; "
            "give a literal that is part of every match"
        )
    try:
        if plainly_linear(pattern.regex):
            return re.compile(pattern.regex).finditer
        return re2.compile(pattern.regex).finditer
    except (re.error, re2.error) as error:
        raise InvalidInput(
            f"pattern `{owner}/{pattern.rule}` does not compile: {error}; RE2 has no look-around and no "
            "back-references"
        ) from error


def rules_of(patterns: Iterable[Pattern]) -> frozenset[str]:
    """The identifiers of some patterns."""
    return frozenset(pattern.rule for pattern in patterns)
