"""Shows the signatures a text as the guard does."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.injection import signatures
from alcaide.instruments.guard.detectors.injection.signatures import Sighting
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.model import Passage
from alcaide.instruments.guard.normalise import readings
from alcaide.instruments.guard.policy import Limits

SHIPPED = 0.5
ENGINE = PatternEngine({"injection": signatures.PATTERNS})


def seen_in(layer: Layer) -> tuple[Sighting, ...]:
    return signatures.sightings(layer, ENGINE.hits(layer).get("injection", ()))


def seen(text: str, **passage: object) -> tuple[Sighting, ...]:
    return seen_in(as_written(Passage(text, **passage)))  # type: ignore[arg-type]


def score(text: str, **passage: object) -> float:
    return signatures.combined(seen(text, **passage))


def families(text: str, **passage: object) -> set[str]:
    """Families that say enough by themselves."""
    return {one.family.rule for one in seen(text, **passage) if one.score >= SHIPPED}


def score_in_any_reading(text: str) -> float:
    layers, _ = readings(Passage(text), Limits())
    return max(signatures.combined(seen_in(layer)) for layer in layers)
