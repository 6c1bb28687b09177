"""What an organisation has classified: its markings, its words, its documents, its canaries.

The detector looks and opens nothing: dictionaries, fingerprint stores and canary registers are handed in, by
`configured` from the files that a policy names and pins, or by a caller who has them already (`holding`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.classification import markings
from alcaide.instruments.guard.detectors.classification.canaries import CanaryRegister
from alcaide.instruments.guard.detectors.classification.dictionaries import Dictionary
from alcaide.instruments.guard.detectors.classification.fingerprints import FingerprintStore
from alcaide.instruments.guard.detectors.classification.shingles import shingles
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput

NAME = "classification"
REPORTED = 0.3
TAXONOMY = ("owasp-llm:2025/LLM02",)
LEAST_WORDS = 12
"""A layer with fewer characters than this many words would need is not compared with documents."""

_OPTIONS = frozenset({"markings", "dictionaries", "fingerprints", "canaries"})
_DICTIONARY = frozenset(
    {"path", "sha256", "terms", "name", "label", "whole_words", "case_sensitive", "level", "score", "entity"}
)


@dataclass(frozen=True, slots=True)
class Classification:
    """The detector. Without options it knows the markings of governments, alliances and companies."""

    dictionaries: tuple[Dictionary, ...] = ()
    stores: tuple[FingerprintStore, ...] = ()
    registers: tuple[CanaryRegister, ...] = ()
    patterns: Sequence[Pattern] = field(default_factory=markings.patterns, repr=False)
    name: str = NAME
    version: str = "1"

    def holding(
        self,
        *,
        dictionaries: Sequence[Dictionary] = (),
        stores: Sequence[FingerprintStore] = (),
        registers: Sequence[CanaryRegister] = (),
    ) -> Classification:
        """This detector with more to look for."""
        return replace(
            self,
            dictionaries=(*self.dictionaries, *dictionaries),
            stores=(*self.stores, *stores),
            registers=(*self.registers, *registers),
        )

    def configured(self, options: dict[str, Any]) -> Classification:
        """Options: `markings`, `dictionaries`, `fingerprints`, `canaries`; docs/guard/classification.md explains them.

        Files are opened now, once. Raises InvalidInput naming the option that is wrong, NotFound for a missing file.
        """
        from alcaide.instruments.guard.detectors.classification import storage

        if unknown := options.keys() - _OPTIONS:
            raise InvalidInput(
                f"detector `classification` has no option `{min(unknown)}`; use {', '.join(sorted(_OPTIONS))}"
            )
        shown = options.get("markings", True)
        if not isinstance(shown, bool):
            raise InvalidInput(
                "option `markings` of detector `classification` is not true or false; write one of them"
            )
        dictionaries = []
        for entry in _entries(options, "dictionaries", _DICTIONARY):
            told = {key: value for key, value in entry.items() if key not in ("path", "sha256", "terms")}
            if "label" not in told:
                raise InvalidInput(
                    "a dictionary of detector `classification` has no `label`; say what its terms are"
                )
            if "path" in entry:
                dictionaries.append(
                    storage.open_dictionary(Path(entry["path"]), sha256=entry.get("sha256"), **told)
                )
            else:
                dictionaries.append(Dictionary.of(_terms(entry), **({"name": entry["label"]} | told)))
        stores = [
            storage.open_store(Path(entry["path"]), sha256=entry.get("sha256"))
            for entry in _entries(options, "fingerprints", frozenset({"path", "sha256"}), path=True)
        ]
        registers = [
            storage.open_register(Path(entry["path"]), sha256=entry.get("sha256"))
            for entry in _entries(options, "canaries", frozenset({"path", "sha256"}), path=True)
        ]
        made = self.holding(dictionaries=dictionaries, stores=stores, registers=registers)
        return made if shown else replace(made, patterns=())

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Markings, words, documents and canaries in one layer."""
        findings = tuple(
            finding
            for part in (
                _marked(layer, hits),
                self._named(layer),
                self._copied(layer),
                self._canaries(layer),
            )
            for finding in part
            if finding.score >= REPORTED
        )
        return Examination(findings, max((finding.score for finding in findings), default=0.0))

    def _named(self, layer: Layer) -> Iterator[Finding]:
        for dictionary in self.dictionaries:
            for start, end in dictionary.found(layer):
                yield Finding(
                    NAME,
                    f"{NAME}/dictionary",
                    "classified-term",
                    layer.span(start, end),
                    dictionary.score,
                    dictionary.level,
                    f"A term of the dictionary “{dictionary.name}” ({dictionary.label}).",
                    where=layer.passage.where,
                    layers=layer.path,
                    taxonomy=TAXONOMY,
                    entity=dictionary.entity,
                    evidence={"dictionary": dictionary.name, "label": dictionary.label},
                )

    def _copied(self, layer: Layer) -> Iterator[Finding]:
        if not self.stores or len(layer.text) < LEAST_WORDS * 2:
            return
        made = shingles(layer.lower)
        for store in self.stores:
            for match in store.matches_of(made):
                yield Finding(
                    NAME,
                    f"{NAME}/fingerprint",
                    "confidential-document",
                    layer.span(match.start, match.end),
                    round(match.score, 3),
                    "error",
                    f"Text taken from a document labelled “{match.document.label}”.",
                    where=layer.passage.where,
                    layers=layer.path,
                    taxonomy=TAXONOMY,
                    evidence={
                        "document": match.document.id,
                        "label": match.document.label,
                        "similarity": round(match.similarity, 3),
                        "matches": match.matches,
                    },
                )

    def _canaries(self, layer: Layer) -> Iterator[Finding]:
        for register in self.registers:
            for start, end, canary in register.found(layer):
                yield Finding(
                    NAME,
                    f"{NAME}/canary",
                    "canary",
                    layer.span(start, end),
                    0.999,
                    "error",
                    f"A canary that was put into “{canary.label}” and nowhere else.",
                    where=layer.passage.where,
                    layers=layer.path,
                    taxonomy=TAXONOMY,
                    entity="CANARY",
                    evidence={"kind": canary.kind, "label": canary.label},
                )


CLASSIFICATION = Classification()
"""The detector as `DETECTORS` lists it."""


def _marked(layer: Layer, hits: Sequence[Hit]) -> Iterator[Finding]:
    reached = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.end <= reached:
            continue  # `SECRET` within `TOP SECRET`
        found = markings.judged(hit, layer.text, layer.lower)
        if found is None:
            continue
        marking, start, end, score = found
        reached = end
        yield Finding(
            NAME,
            f"{NAME}/marking-{marking.rule}",
            "document-marking",
            layer.span(start, end),
            round(score, 3),
            marking.level,
            f"A protective marking: {marking.title}.",
            where=layer.passage.where,
            layers=layer.path,
            taxonomy=TAXONOMY,
            evidence={"marking": marking.title},
        )


def _entries(
    options: dict[str, Any], option: str, known: frozenset[str], *, path: bool = False
) -> list[dict[str, Any]]:
    entries = options.get(option, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInput(
            f"option `{option}` of detector `classification` is not a list of entries; see its page"
        )
    for entry in entries:
        if unknown := entry.keys() - known:
            raise InvalidInput(
                f"option `{option}` of detector `classification` has an entry with `{min(unknown)}`; "
                f"use {', '.join(sorted(known))}"
            )
        for key in ("path", "sha256"):
            if key in entry and not isinstance(entry[key], str):
                raise InvalidInput(f"`{key}` in option `{option}` of detector `classification` is not a text")
        if path and "path" not in entry:
            raise InvalidInput(
                f"option `{option}` of detector `classification` has an entry without `path`; name the file"
            )
    return entries


def _terms(entry: dict[str, Any]) -> list[str]:
    terms = entry.get("terms")
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        raise InvalidInput(
            "a dictionary of detector `classification` has neither `path` nor a list `terms`; give one"
        )
    return terms
