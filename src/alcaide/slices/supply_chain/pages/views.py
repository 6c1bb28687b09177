"""A scan's report as its page draws it: findings, the tree of what is inside, calls as a graph. Bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("critical", "high", "medium", "low", "unknown")
KINDS = {"critical": "danger", "high": "danger", "medium": "warn", "low": "", "unknown": "info"}
SHOWN_FINDINGS = 200
SHOWN_ROWS = 400
SHOWN_CALLS = 60


@dataclass(frozen=True)
class Shown:
    """One finding with the rule behind it."""

    level: str
    kind: str
    file: str
    place: str
    offset: int | None
    message: str
    rule: str
    title: str
    why: str
    remedy: str
    taxonomy: Sequence[str]


@dataclass(frozen=True)
class Row:
    """One line of the tree: how deep it lies, what it is, and the worst that was found in it."""

    depth: int
    name: str
    size: int
    formats: Sequence[str]
    level: str
    facts: Sequence[tuple[str, str]]
    left_out: int


@dataclass(frozen=True)
class Call:
    """A callable that loading would reach."""

    file: str
    callable: str
    how: str
    arguments: str
    offset: int | None
    verdict: str


def findings(report: Mapping[str, Any] | None, level: str = "") -> tuple[list[Shown], int]:
    """The worst findings, and how many more there are."""
    if report is None:
        return [], 0
    rules = report["rules"]
    found = [
        (LEVELS.index(one["level"]) if one["level"] != "unknown" else 2.5, artifact["path"], one)
        for artifact in report["artifacts"]
        for one in artifact["findings"]
        if not level or one["level"] == level
    ]
    found.sort(key=lambda item: (item[0], item[1]))
    shown = []
    for _, path, one in found[:SHOWN_FINDINGS]:
        rule = rules.get(one["rule"], {})
        shown.append(
            Shown(
                one["level"],
                KINDS[one["level"]],
                path,
                one["place"],
                one["offset"],
                one["message"],
                one["rule"],
                rule.get("title", one["rule"]),
                rule.get("why", ""),
                rule.get("remedy", ""),
                one["taxonomy"],
            )
        )
    return shown, len(found) - len(shown)


def tree(report: Mapping[str, Any] | None) -> tuple[list[Row], int]:
    """What is inside of what, files with findings first, and how many lines more there would be."""
    if report is None:
        return [], 0
    rows: list[Row] = []
    left = 0
    artifacts = sorted(report["artifacts"], key=lambda one: (_rank(_worst(one["findings"])), one["path"]))
    for artifact in artifacts:
        by_place: dict[str, list[str]] = {}
        for finding in artifact["findings"]:
            by_place.setdefault(finding["place"], []).append(finding["level"])
        for depth, place, node in _nodes(artifact["content"], 0, ""):
            if len(rows) >= SHOWN_ROWS:
                left += 1
                continue
            levels = [level for where, found in by_place.items() if _within(where, place) for level in found]
            rows.append(
                Row(
                    depth,
                    artifact["path"] if depth == 0 else node["name"],
                    node["size"],
                    node["formats"],
                    _worst_of(levels),
                    _facts(node["facts"]),
                    node["left_out"],
                )
            )
    return rows, left


def calls(report: Mapping[str, Any] | None) -> list[Call]:
    """The callables that loading would reach, the worst first."""
    if report is None:
        return []
    found = []
    for artifact in report["artifacts"]:
        for _, place, node in _nodes(artifact["content"], 0, ""):
            for one in node["facts"].get("calls", ()):
                if isinstance(one, Mapping) and "callable" in one:
                    where = f"{artifact['path']}/{place}" if place else artifact["path"]
                    found.append(
                        Call(
                            where,
                            str(one["callable"]),
                            str(one.get("how", "")),
                            _arguments(one.get("arguments")),
                            one.get("offset") if isinstance(one.get("offset"), int) else None,
                            str(one.get("verdict", "")),
                        )
                    )
    found.sort(key=lambda call: (_rank(call.verdict), call.file, call.offset or 0))
    return found[:SHOWN_CALLS]


def drawing(title: str, found: Sequence[Call]) -> dict[str, Any]:
    """The calls as a graph: which part of which file reaches what."""
    nodes: dict[str, dict[str, Any]] = {}
    edges: dict[tuple[str, str], int] = {}
    for call in found:
        file, target = f"file {call.file}", f"call {call.callable}"
        nodes.setdefault(
            file, {"id": file, "label": call.file.rsplit("/", 1)[-1], "title": call.file, "kind": "file"}
        )
        known = nodes.setdefault(
            target, {"id": target, "label": call.callable, "kind": "call", "level": call.verdict}
        )
        if _rank(call.verdict) < _rank(known["level"]):
            known["level"] = call.verdict
        edges[file, target] = edges.get((file, target), 0) + 1
    return {
        "title": title,
        "nodes": list(nodes.values()),
        "edges": [
            {"source": source, "target": target, "count": count} for (source, target), count in edges.items()
        ],
    }


def files(report: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Every file with its outcome, for the list of digests."""
    return [] if report is None else list(report["artifacts"][:SHOWN_ROWS])


def _nodes(node: Mapping[str, Any], depth: int, place: str) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    waiting = [(depth, place, node)]
    while waiting:
        level, where, one = waiting.pop()
        yield level, where, one
        waiting += [
            (level + 1, f"{where}/{child['name']}" if where else child["name"], child)
            for child in reversed(one["children"])
        ]


def _within(where: str, place: str) -> bool:
    return not place or where == place or where.startswith(place + "/")


def _worst(found: Sequence[Mapping[str, Any]]) -> str:
    return _worst_of([one["level"] for one in found])


def _worst_of(levels: Sequence[str]) -> str:
    return min(levels, key=_rank, default="")


def _rank(level: str) -> int:
    order = ("critical", "dangerous", "high", "medium", "unlisted", "unknown", "low")
    return order.index(level) if level in order else len(order)


def _facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Short facts as words; long ones have places of their own or none."""
    shown = []
    for name, value in facts.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) <= 80:
            shown.append((name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value)))
    return shown[:6]


def _arguments(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ", ".join(str(one) for one in value)
    return str(value)
