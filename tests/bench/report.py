"""Figures beside their bounds, for a terminal, for a program and for a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured value. `bound` is what it has to reach (`least`) or stay under (`most`); None for a peer's."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    bound_is: Literal["least", "most"] = "least"
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the bound is kept; None where there is none."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.bound_is == "least" else self.value <= self.bound

    def row(self) -> tuple[str, str, str, str, str]:
        """What, value, bound, verdict, note."""
        sign = {"least": "≥", "most": "≤"}[self.bound_is]
        bound = "" if self.bound is None else f"{sign} {_number(self.bound)} {self.unit}"
        verdict = {None: "", True: "kept", False: "MISSED"}[self.holds]
        return self.what, f"{_number(self.value)} {self.unit}".strip(), bound, verdict, self.note


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_markdown(machine: dict[str, str], figures: Sequence[Figure]) -> str:
    """A page: the machine, then the figures."""
    lines = ["| machine | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    lines += ["", "| what | measured | bound | | |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(figure.row())} |" for figure in figures]
    return "\n".join(lines) + "\n"


def as_text(figure: Figure) -> str:
    """A line for a terminal, printed as soon as it is known."""
    what, value, bound, verdict, note = figure.row()
    return f"  {what:<58} {value:>18}  {bound:<18} {verdict:<7} {note}".rstrip()


def save(folder: Path, machine: dict[str, str], figures: Sequence[Figure]) -> None:
    """Keep a run as `results/latest.json` and `results/latest.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "figures": [{**asdict(f), "holds": f.holds} for f in figures]}
    (folder / "latest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (folder / "latest.md").write_text(as_markdown(machine, figures))
