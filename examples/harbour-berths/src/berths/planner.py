"""Hours at berth from draught, tide, wind and moves: a linear model, small enough to read."""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "models" / "berth-planner"


def hours(ship: dict[str, float]) -> float:
    """Expected hours at berth; a missing input counts as zero."""
    weights = json.loads((FOLDER / "weights.json").read_text(encoding="utf-8"))
    inputs = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))["inputs"]
    return weights["bias"] + sum(weights[name] * ship.get(name, 0.0) for name in inputs)
