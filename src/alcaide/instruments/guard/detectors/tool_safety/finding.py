"""How this detector says what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Finding, Level, Passage, Span

NAME: Final = "tool-safety"
_POISONED: Final = (
    "owasp-llm:2025/LLM01",
    "owasp-llm:2025/LLM03",
    "mitre-atlas/AML.T0051.001",
    "mitre-atlas/AML.T0110",
)
_CARRIES: Final = ("owasp-llm:2025/LLM02", "owasp-llm:2025/LLM06", "mitre-atlas/AML.T0086")
TAXONOMY: Final[Mapping[str, tuple[str, ...]]] = {
    "instruction-to-model": _POISONED,
    "hidden-text": _POISONED,
    "greedy-parameter": (*_POISONED, "owasp-llm:2025/LLM02"),
    "same-name": _POISONED,
    "look-alike-name": _POISONED,
    "names-another-tool": _POISONED,
    "changed": ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0110"),
    "not-let-through": ("owasp-llm:2025/LLM03",),
    "unknown-tool": ("owasp-llm:2025/LLM06",),
    "unknown-argument": _CARRIES,
    "encoded-argument": _CARRIES,
    "data-in-address": _CARRIES,
    "prompt-in-argument": ("owasp-llm:2025/LLM07", *_CARRIES),
    "conversation-in-argument": _CARRIES,
}
CATEGORY: Final[Mapping[str, str]] = {
    "changed": "tool-drift",
    "not-let-through": "tool-drift",
    "unknown-tool": "tool-drift",
    "same-name": "tool-shadowing",
    "look-alike-name": "tool-shadowing",
    "names-another-tool": "tool-shadowing",
    "instruction-to-model": "tool-poisoning",
    "hidden-text": "tool-poisoning",
    "greedy-parameter": "tool-poisoning",
}


def in_layer(
    layer: Layer,
    rule: str,
    start: int,
    end: int,
    score: float,
    message: str,
    evidence: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding at a place of a layer."""
    return _finding(
        rule, layer.span(start, end), score, message, Span(start, end), layer.passage.where, evidence
    )


def in_passage(
    passage: Passage,
    rule: str,
    start: int,
    end: int,
    score: float,
    message: str,
    evidence: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding at a place of a passage as given."""
    return _finding(rule, Span(start, end), score, message, None, passage.where, evidence)


def _finding(
    rule: str,
    span: Span,
    score: float,
    message: str,
    layer_span: Span | None,
    where: str,
    evidence: Mapping[str, Any] | None,
) -> Finding:
    level: Level = "error" if score >= 0.6 else "warning" if score >= 0.4 else "note"
    return Finding(
        detector=NAME,
        rule=f"{NAME}/{rule}",
        category=CATEGORY.get(rule, "tool-exfiltration"),
        span=span,
        score=round(min(score, 1.0), 3),
        level=level,
        message=message,
        where=where,
        layer_span=layer_span,
        taxonomy=TAXONOMY[rule],
        evidence=evidence or {},
    )
