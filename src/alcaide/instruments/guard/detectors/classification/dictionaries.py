"""An organisation's own words: project names, customers, part numbers, hundreds of thousands if need be.

All terms of a dictionary are found in one pass (Aho and Corasick, "Efficient String Matching", CACM 1975), so the
number of terms costs memory and hardly time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ahocorasick_rs

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Level
from alcaide.kernel.errors import InvalidInput

LONGEST = 400
"""Octets of a term; a longer text is a document and belongs into the fingerprints."""
_BLANKS = bytes(32 if octet in b"\t\n\r\x0b\x0c" else octet for octet in range(256))


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Terms with one label.

    Attributes:
        name: how the dictionary is called in findings.
        label: the organisation's own label of what the terms stand for.
        whole_words: a term is found only where no letter or digit touches it.
        case_sensitive: `Merkur` is not `merkur`.
        level, score: what a finding says.
        entity: set where terms are to be replaced, e.g. `PROJECT`.
    """

    name: str
    label: str
    terms: tuple[bytes, ...] = field(repr=False)
    whole_words: bool = True
    case_sensitive: bool = False
    level: Level = "warning"
    score: float = 0.9
    entity: str | None = None
    automaton: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        terms: Iterable[str],
        *,
        name: str,
        label: str,
        whole_words: bool = True,
        case_sensitive: bool = False,
        level: Level = "warning",
        score: float = 0.9,
        entity: str | None = None,
    ) -> Dictionary:
        """A dictionary ready to search. Raises InvalidInput for no terms, and for a term that is empty or too long."""
        wanted = set()
        for term in terms:
            plain = " ".join(term.split())
            octets = (plain if case_sensitive else _lower(plain)).encode("utf-8", "surrogatepass")
            if not octets or len(octets) > LONGEST:
                raise InvalidInput(
                    f"term `{term[:40]}` of dictionary `{name}` has {len(octets)} octets; give 1 to {LONGEST}"
                )
            wanted.add(octets)
        if not wanted:
            raise InvalidInput(f"dictionary `{name}` has no terms; give at least one")
        ordered = tuple(sorted(wanted))
        automaton = ahocorasick_rs.BytesAhoCorasick(ordered, matchkind=ahocorasick_rs.MatchKind.Standard)
        return cls(name, label, ordered, whole_words, case_sensitive, level, score, entity, automaton)

    def found(self, layer: Layer) -> Iterator[tuple[int, int]]:
        """Extents, in characters of the layer, of every term, the longest where several begin or overlap."""
        if self.case_sensitive:
            octets = layer.text.encode("utf-8", "surrogatepass")
            same = len(octets) == len(layer.octets)
        else:
            octets, same = layer.octets, True
        octets = octets.translate(_BLANKS)
        text = layer.text
        spans = []
        for _, start, end in self.automaton.find_matches_as_indexes(octets, overlapping=True):
            if same:
                first, last = layer.character(start), layer.character(end)
            else:
                first = len(octets[:start].decode("utf-8", "surrogatepass"))
                last = first + len(octets[start:end].decode("utf-8", "surrogatepass"))
            if self.whole_words and (
                (first and text[first - 1].isalnum() and text[first].isalnum())
                or (last < len(text) and text[last].isalnum() and text[last - 1].isalnum())
            ):
                continue
            spans.append((first, last))
        reached = -1
        for first, last in sorted(spans, key=lambda span: (span[0], -span[1])):
            if first >= reached:
                yield first, last
                reached = last


def _lower(text: str) -> str:
    """Lower case as layers have it: a letter whose lower case is longer stays as it is."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
