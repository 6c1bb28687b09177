"""Shows the secrets detector a text the way the guard does."""

from __future__ import annotations

from alcaide.instruments.guard.detector import Examination
from alcaide.instruments.guard.detectors.secrets import SECRETS, Secrets
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Finding, Passage

SHIPPED = 0.5
"""The score from which the default policy acts."""

_ENGINE = PatternEngine({"secrets": SECRETS.patterns})


def look(text: str, detector: Secrets = SECRETS) -> Examination:
    engine = _ENGINE if detector is SECRETS else PatternEngine({"secrets": detector.patterns})
    layer = as_written(Passage(text))
    return detector.examine(layer, engine.hits(layer).get("secrets", ()), Context())


def seen(text: str, detector: Secrets = SECRETS) -> list[Finding]:
    """Findings that the default policy acts on."""
    return [finding for finding in look(text, detector).findings if finding.score >= SHIPPED]


def secrets_of(text: str, detector: Secrets = SECRETS) -> list[str]:
    """What would be redacted."""
    return [text[finding.span.start : finding.span.end] for finding in seen(text, detector)]


def rules_of(text: str) -> set[str]:
    return {finding.rule.removeprefix("secrets/") for finding in seen(text)}
