"""A dataset's report as its page draws it. Bounded, and without a value of a personal column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alcaide.slices.supply_chain.pages.views import KINDS, LEVELS

SHOWN_COLUMNS = 300
SHOWN_FINDINGS = 200
SHOWN_ROWS = 20
SHOWN_LABELS = 24
SIGHTING_KINDS = {"secret": "danger", "special": "danger", "personal": "warn", "instruction": "danger"}


@dataclass(frozen=True)
class Found:
    """One finding, with the rows it means."""

    level: str
    kind: str
    message: str
    rule: str
    title: str
    why: str
    remedy: str
    taxonomy: Sequence[str]
    rows: Sequence[int]
    more_rows: int


@dataclass(frozen=True)
class Column:
    """One column: what it is for, how full, how varied, what was seen in it."""

    name: str
    type: str
    role: str
    filled: float
    distinct: int
    range: str
    seen: Sequence[tuple[str, str, str]]
    """What, the colour of its tag, and how it is known."""


@dataclass(frozen=True)
class Bar:
    """One bar of a drawing: what it stands for, its length from 0 to 1, the figure in words."""

    label: str
    share: float
    figure: str
    kind: str = ""


@dataclass(frozen=True)
class DatasetView:
    """Everything the page draws."""

    found: Sequence[Found]
    left: int
    columns: Sequence[Column]
    columns_left: int
    labels: Sequence[Bar]
    label_column: str
    shift: Sequence[Bar]
    coverage: Sequence[Mapping[str, Any]]
    kind: str
    rows: int
    facts: Sequence[tuple[str, str]]


def view(report: Mapping[str, Any]) -> DatasetView:
    """From a report as it is kept."""
    rules = report.get("rules", {})
    order = [*LEVELS[:3], "unknown", "low"]
    findings = sorted(report["findings"], key=lambda one: order.index(one["level"]))
    columns = report["columns"]
    figures = report["figures"]
    label = report["facts"].get("label") or {}
    return DatasetView(
        found=[_found(one, rules.get(one["rule"], {})) for one in findings[:SHOWN_FINDINGS]],
        left=max(0, len(findings) - SHOWN_FINDINGS),
        columns=[_column(one) for one in columns[:SHOWN_COLUMNS]],
        columns_left=max(0, len(columns) - SHOWN_COLUMNS),
        labels=_labels(figures.get("labels") or []),
        label_column=str(label.get("column", "")),
        shift=_shift(figures.get("shift") or []),
        coverage=report["coverage"],
        kind=report["kind"],
        rows=report["rows"],
        facts=_facts(report),
    )


def _found(one: Mapping[str, Any], rule: Mapping[str, Any]) -> Found:
    rows = one["detail"].get("rows") or []
    count = one["detail"].get("count")
    whole = count if isinstance(count, int) and not isinstance(count, bool) else len(rows)
    return Found(
        one["level"],
        KINDS[one["level"]],
        one["message"],
        one["rule"],
        rule.get("title", one["rule"]),
        rule.get("why", ""),
        rule.get("remedy", ""),
        rule.get("taxonomy", ()),
        rows[:SHOWN_ROWS],
        max(0, max(whole, len(rows)) - SHOWN_ROWS) if rows else 0,
    )


def _column(one: Mapping[str, Any]) -> Column:
    rows = one["rows"] or 1
    low, high = one["minimum"], one["maximum"]
    span = "" if low is None or high is None else f"{_short(low)} to {_short(high)}"
    if not span and one["length"]:
        least, _, most = one["length"]
        span = f"{least:,} to {most:,} characters"
    return Column(
        one["name"],
        one["type"],
        one["role"],
        1 - one["nulls"] / rows,
        one["distinct"],
        span,
        [
            (
                seen["category"],
                SIGHTING_KINDS.get(seen["kind"], ""),
                f"about {seen['rows']:,} rows, by {seen['by']}, {seen['score']:.0%} sure",
            )
            for seen in one["sightings"][:8]
        ],
    )


def _labels(found: Sequence[Mapping[str, Any]]) -> list[Bar]:
    most = max((one["rows"] for one in found), default=1) or 1
    return [
        Bar(str(one["label"])[:60], one["rows"] / most, f"{one['rows']:,}") for one in found[:SHOWN_LABELS]
    ]


def _shift(found: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Population stability per column: from 0.25 on a major shift."""
    bars = []
    for one in found:
        value = one.get("psi")
        if isinstance(value, int | float):
            kind = "failed" if value >= 0.25 else "unknown" if value >= 0.1 else "passed"
            bars.append(Bar(str(one.get("column", ""))[:60], min(1.0, value), f"PSI {value:.2f}", kind))
    return sorted(bars, key=lambda bar: -bar.share)[:SHOWN_LABELS]


def _facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = report["facts"]
    shown = []
    for name in ("encoding", "delimiter", "label_model"):
        value = facts.get(name)
        if isinstance(value, Mapping) and "accuracy" in value:
            shown.append(("label model agrees with", f"{value['accuracy']:.0%} of the labels"))
        elif isinstance(value, str):
            shown.append((name, value if value.isprintable() and value.strip() else repr(value)))
    return shown


def _short(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)[:40]
