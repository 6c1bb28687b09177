"""Shows a text to one detector as the guard would: its patterns found in one pass, its layer as written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alcaide.instruments.guard.detector import Detector, Examination
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Context, Passage

CORPUS = Path(__file__).parents[4] / "corpus" / "guard"


def looked(
    detector: Detector, text: str, *, direction: str = "out", role: str | None = None, **context: Any
) -> Examination:
    layer = as_written(Passage(text, direction=direction, role=role))
    hits = PatternEngine({detector.name: detector.patterns}).hits(layer)
    return detector.examine(layer, hits.get(detector.name, []), Context(direction=direction, **context))


def rules(examination: Examination) -> set[str]:
    return {finding.rule.split("/", 1)[1] for finding in examination.findings}


def corpus(name: str) -> list[dict[str, Any]]:
    lines = (CORPUS / f"{name}.jsonl").read_text(encoding="utf8").splitlines()
    return [json.loads(line) for line in lines]
