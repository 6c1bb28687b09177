"""Figures beside their bounds, for a terminal, for a program and for a page.

Results are kept by section, each with the machine, the time and the commit it was measured at: a run of one section
leaves the others' figures as they were, and the page says of each how old it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal


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

    @property
    def verdict(self) -> str:
        """`kept`, or by how much the bound was missed, in per cent of it."""
        if self.bound is None or self.holds is None:
            return ""
        return "kept" if self.holds else f"MISSED by {abs(self.value - self.bound) / self.bound * 100:.0f} %"

    def beside(self, ours: float) -> Figure:
        """A peer's figure with ours as a multiple of it; less is better where the unit is a time."""
        if not self.value:
            return self
        times = self.value / ours if self.unit.startswith(("ms", "s ")) else ours / self.value
        said = f"ours is {_times(times)} {'as quick' if self.unit.startswith(('ms', 's ')) else 'it'}"
        return replace(self, note=f"{said}; {self.note}" if self.note else said)

    def row(self) -> tuple[str, str, str, str, str]:
        """What, value, bound, verdict, note."""
        sign = {"least": "≥", "most": "≤"}[self.bound_is]
        bound = "" if self.bound is None else f"{sign} {_number(self.bound)} {self.unit}"
        return self.what, f"{_number(self.value)} {self.unit}".strip(), bound, self.verdict, self.note


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _times(value: float) -> str:
    return f"{value:,.0f} ×" if value >= 100 else f"{value:.2g} ×"


def as_text(figure: Figure) -> str:
    """A line for a terminal, printed as soon as it is known."""
    what, value, bound, verdict, note = figure.row()
    return f"  {what:<58} {value:>18}  {bound:<18} {verdict:<15} {note}".rstrip()


# ── Kept between runs ─────────────────────────────────────────────────────────────────────────────────


def keep(path: Path, section: str, title: str, about: Mapping[str, str], figures: Sequence[Figure]) -> None:
    """Put one section's figures in the place of those it had."""
    kept = load(path)
    kept[section] = {
        "title": title,
        "machine": dict(about),
        "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """Every section kept so far."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def figures_of(section: Mapping[str, Any]) -> list[Figure]:
    """A kept section's figures."""
    return [Figure(**{k: v for k, v in one.items() if k != "holds"}) for one in section["figures"]]


# ── The page ──────────────────────────────────────────────────────────────────────────────────────────

_HEAD = """\
<!-- Made by `make bench` from what it measured; run it to change this page. -->

# Benchmarks

What Alcaide does on one machine, beside the bounds it is built to, beside the raw figure each depends on, and beside
others doing the same with the same bytes. `make bench` measures all of it anew and writes this page;
`make bench ARGS='--only ledger'` measures one part. Nothing here is chosen: a bound that is missed says so.

A peer is measured in the same run, in an environment of its own that nothing of Alcaide depends on
(`requirements/peers.txt`). A *floor* is the database or the disk alone, with none of what makes a record one that a
stranger can check.
"""


def as_page(kept: Mapping[str, Any], order: Sequence[str]) -> str:
    """The whole page: which bounds are kept, then each section with its machine."""
    sections = [(name, kept[name]) for name in order if name in kept]
    bounded = [
        figure for _, section in sections for figure in figures_of(section) if figure.bound is not None
    ]
    missed = [figure for figure in bounded if figure.holds is False]
    said = f"{len(bounded) - len(missed)} of {len(bounded)} bounds are kept."
    lines = [_HEAD, f"**{said}**" + (" Missed:" if missed else ""), ""]
    lines += [
        f"- {figure.what}: {figure.row()[1]} for {figure.row()[2]}, {figure.verdict}" for figure in missed
    ]
    lines += [""] if missed else []
    for _, section in sections:
        machine = section["machine"]
        lines += [f"## {section['title']}", "", _where(machine), ""]
        lines += ["| what | measured | bound | | |", "|---|---:|---|---|---|"]
        lines += [f"| {' | '.join(_cell(part) for part in figure.row())} |" for figure in figures_of(section)]
        lines.append("")
    lines += ["## Machine and versions", ""]
    for machine, names in _machines(sections):
        lines += [f"For: {', '.join(names)}.", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in machine.items() if name not in _MOMENTARY]
        lines.append("")
    return "\n".join(lines)


_MOMENTARY = ("measured", "load", "Alcaide")


def _where(machine: Mapping[str, str]) -> str:
    said = (
        f"Measured {machine.get('measured', 'at an unknown time')} at commit `{machine.get('Alcaide', '?')}`"
    )
    load, cores = machine.get("load", ""), machine.get("cores", "?")
    said += f" on {cores} cores; load average before it {load}" if load else ""
    busy = load and cores.isdigit() and float(load.split()[0]) > int(cores) / 2
    return said + (
        ", so that other work took part of the machine and took from every figure." if busy else "."
    )


def _machines(sections: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[dict[str, str], list[str]]]:
    """The machines the sections were measured on, each once."""
    found: list[tuple[dict[str, str], list[str]]] = []
    for _, section in sections:
        lasting = {name: value for name, value in section["machine"].items() if name not in _MOMENTARY}
        for machine, names in found:
            if machine == lasting:
                names.append(section["title"].lower())
                break
        else:
            found.append((lasting, [section["title"].lower()]))
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
