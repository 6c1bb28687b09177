"""What the detector finds in a text, as pairs of category and words."""

from __future__ import annotations

from functools import lru_cache

from alcaide.instruments.guard.detectors.personal_data import PersonalData
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Finding, Passage


@lru_cache(maxsize=1)
def engine() -> PatternEngine:
    return PatternEngine({"personal-data": PersonalData().patterns})


def findings(
    text: str, *, detector: PersonalData | None = None, context: Context | None = None
) -> tuple[Finding, ...]:
    detector = detector or PersonalData()
    layer = as_written(Passage(text))
    hits = engine().hits(layer).get("personal-data", [])
    return detector.examine(layer, hits, context or Context()).findings


def found(
    text: str, *, detector: PersonalData | None = None, context: Context | None = None
) -> set[tuple[str, str]]:
    """Category and text of every finding."""
    return {
        (one.category, text[one.span.start : one.span.end])
        for one in findings(text, detector=detector, context=context)
    }


def kinds(text: str, *, detector: PersonalData | None = None, context: Context | None = None) -> set[str]:
    return {kind for kind, _ in found(text, detector=detector, context=context)}
