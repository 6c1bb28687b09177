"""What the parts of the detector hand each other: a place in a layer that holds a secret, before it is a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alcaide.instruments.guard.detectors.secrets.formats.format import Kind, Level


@dataclass(frozen=True, slots=True)
class Find:
    """Characters `start` to `end` of the layer are the secret itself, without name, quotes or prefix words.

    `specific` is 2 for a provider's format, 1 for a structure, 0 for what only its name gives away: where two
    overlap, the more specific is kept.
    """

    rule: str
    start: int
    end: int
    score: float
    message: str
    kind: Kind = "API_KEY"
    level: Level = "error"
    specific: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
