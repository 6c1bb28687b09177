"""`guard-evaluated`: a detector of the guard was run on labelled rows, and these are the figures.

Anyone with the rows can run them again: the digests say which rows and which detector, and there is no chance in it
but the bootstrap's, whose seed is fixed. A figure without its interval, or of a detector that has since changed, says
little; both are here so that a requirement can ask for them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from alcaide.predicates.base import Predicate

Outcome = Literal["measured", "passed", "failed"]


class Corpus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of labelled rows: its name, the SHA-256 of its bytes, how many rows of each label."""

    name: str
    sha256: str
    positives: int
    negatives: int


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure with its 95 % interval; `value` is absent where the rows cannot support it."""

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a figure beforehand: at least this much."""

    figure: str
    at_least: float


class GuardEvaluated(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `guardrail:alcaide-<detector>@<version>` with the digest of its canonical description.

    `outcome` is `measured` where nothing was asked beforehand; else `passed` if every bound is reached by the figure
    itself, and `failed` if one is not, or if its figure has no value. `unanswered` rows, on which the detector could
    not answer, are in no figure and count against a pass: with any of them the outcome is not `passed`.
    """

    TYPE: ClassVar[str] = "urn:alcaide:guard-evaluated:v1"
    TITLE: ClassVar[str] = "Guard evaluated"

    detector: str
    version: str
    threshold: float
    corpora: tuple[Corpus, ...]
    rows: int
    figures: tuple[Figure, ...]
    outcome: Outcome = "measured"
    bounds: tuple[Bound, ...] = ()
    unanswered: int = 0
