"""How a detector looks: what it declares, what it is shown, what it gives back.

A built-in detector registers exactly as a stranger's does: an object in the list that `app/plugins.py` names. It
declares the patterns it wants looked for; all detectors' patterns are found in one pass over the text, and each
detector is then shown its own hits. What it does beyond patterns (statistics, a learned model) it does on the layer.

A detector is pure: no file, no network, no clock. What it needs (weights, word lists) it loads once, when it is made
or first used, from its own package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Passage


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing to look for in the shared pass.

    Attributes:
        rule: identifier within the detector, given back on each hit.
        regex: matched with `re` or RE2 syntax common to both, on lower-cased text unless `case_sensitive`. Letters
            in it must then be lower case. It may not contain back-references or look-around.
        anchors: lower-case literals, at least three characters where possible, one of which is part of every
            match. The pass looks for anchors; only around one is the regex tried. No anchor, no match.
        before: characters ahead of the anchor's start that a match may begin at. 0 if the anchor is its beginning.
        after: characters after the anchor's end that a match may reach to.
        case_sensitive: match the text as written rather than lower-cased.
    """

    rule: str
    regex: str
    anchors: tuple[str, ...]
    before: int = 0
    after: int = 256
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern's match: offsets in the layer's text, and the named groups that took part, with their spans."""

    rule: str
    start: int
    end: int
    groups: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Examination:
    """What one detector says of one layer: its findings, and its score in [0, 1] even when it reports nothing."""

    findings: tuple[Finding, ...] = ()
    score: float = 0.0


NOTHING = Examination()


@runtime_checkable
class Detector(Protocol):
    """Looks at one layer of one passage."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def patterns(self) -> Sequence[Pattern]: ...
    def configured(self, options: dict[str, Any]) -> Detector:
        """A detector with the policy's `options` applied. Raises InvalidInput, naming the option, for a bad one."""
        ...

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        """Look at one layer.

        `hits` are this detector's, ordered by start. Findings carry spans made by `layer.span(start, end)`.
        """
        ...


@runtime_checkable
class ExchangeDetector(Protocol):
    """Looks at everything that was given at once: what compares passages with each other or with the context."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def configured(self, options: dict[str, Any]) -> ExchangeDetector: ...
    def examine_exchange(self, passages: Sequence[Passage], context: Context) -> Examination: ...


@runtime_checkable
class NeedsContext(Protocol):
    """What a detector has beside the above if it compares with something that a caller may not have handed over."""

    @property
    def name(self) -> str: ...
    def lacking(self, context: Context) -> str | None:
        """What is missing, in words that say what to hand over; None if nothing is."""
        ...
