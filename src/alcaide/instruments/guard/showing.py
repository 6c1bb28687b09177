"""A report for people and for other tools: drawn in a terminal, as JSON, as SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from alcaide.instruments.guard.model import Finding, Passage, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLOUR = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_ANSWER = {"allow": "bold green", "redact": "bold cyan", "hold": "bold yellow", "block": "bold red"}
SHOWN = 2000
"""Characters of a passage drawn around its first finding; a long document is not printed whole."""


def report_json(report: Report) -> dict[str, Any]:
    """Everything in a report but the texts themselves, with JSON values only. Scores and seconds are rounded."""
    return {
        "action": report.action.value,
        "rules": list(report.decision.rules),
        "messages": list(report.decision.messages),
        "policy": report.policy,
        "findings": [finding_json(finding) for finding in report.findings],
        "unknown": [asdict(one) for one in report.unknown],
        "scores": {name: round(score, 4) for name, score in report.scores.items()},
        "seconds": {name: round(spent, 6) for name, spent in report.seconds.items()},
        "layers": list(report.layers),
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding as JSON values."""
    return {
        "detector": finding.detector,
        "rule": finding.rule,
        "category": finding.category,
        "where": finding.where,
        "start": finding.span.start,
        "end": finding.span.end,
        "score": round(finding.score, 4),
        "level": finding.level,
        "message": finding.message,
        "layers": list(finding.layers),
        "taxonomy": list(finding.taxonomy),
        "entity": finding.entity,
        "evidence": dict(finding.evidence),
    }


def sarif(reports: Mapping[str, Report], *, version: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """Reports by the name of what was checked, as one SARIF run. Columns are not given: offsets are exact."""
    rules: dict[str, Finding] = {}
    results = []
    for name, report in reports.items():
        for finding in report.findings:
            rules.setdefault(finding.rule, finding)
            region = {"charOffset": finding.span.start, "charLength": finding.span.end - finding.span.start}
            results.append(
                {
                    "ruleId": finding.rule,
                    "level": finding.level,
                    "message": {"text": finding.message},
                    "locations": [
                        {
                            "physicalLocation": {"artifactLocation": {"uri": name}, "region": region},
                            **(
                                {"logicalLocations": [{"fullyQualifiedName": finding.where}]}
                                if finding.where
                                else {}
                            ),
                        }
                    ],
                    "rank": round(finding.score * 100, 2),
                    "properties": {"detector": finding.detector, "layers": list(finding.layers)},
                }
            )
    driver = {
        "name": "Alcaide guard",
        "semanticVersion": version,
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": finding.message},
                "properties": {"tags": [finding.category, *finding.taxonomy]},
            }
            for rule, finding in sorted(rules.items())
        ],
        "properties": {"detectors": dict(versions)},
    }
    notifications = [
        {"level": "warning", "message": {"text": f"{one.detector}: {one.reason}"}}
        for report in reports.values()
        for one in report.unknown
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
                "results": results,
            }
        ],
    }


def draw(console: Console, report: Report, *, verbose: bool = False) -> None:
    """The answer, the text with what was found marked in it, and a line for each finding."""
    from rich.text import Text

    answer = report.action.value
    console.print(Text.assemble((answer.upper(), _ANSWER[answer]), f"  under policy {report.policy}"))
    for message in report.decision.messages:
        console.print(Text(f"  {message}"))
    for passage in report.passages:
        mine = [finding for finding in report.findings if _of(finding, passage)]
        if mine:
            console.print()
            console.print(marked(passage, mine))
    if report.findings:
        console.print()
    for number, finding in enumerate(report.findings, start=1):
        through = f" in {' in '.join(reversed(finding.layers))}" if finding.layers else ""
        where = f" {finding.where}" if finding.where else ""
        console.print(
            Text.assemble(
                (f"{number:>3} ", "dim"),
                (finding.rule, _COLOUR[finding.level]),
                f"  {finding.score:.0%}  {finding.span.start}–{finding.span.end}{where}{through}",
            )
        )
        console.print(Text(f"    {finding.message}", style="dim"))
    for one in report.unknown:
        console.print(Text.assemble(("unknown ", "bold magenta"), f"{one.detector}: {one.reason}"))
    if verbose:
        draw_scores(console, report)


def draw_scores(console: Console, report: Report) -> None:
    """Every detector's score and the time it took."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("detector", "score", "time"):
        table.add_column(column, justify="left" if column == "detector" else "right")
    for name, spent in report.seconds.items():
        score = report.scores.get(name)
        table.add_row(name, "" if score is None else f"{score:.3f}", f"{spent * 1e6:,.0f} µs")
    console.print()
    console.print(table)
    if len(report.layers) > 1:
        console.print(f"readings: {', '.join(report.layers)}")


def _of(finding: Finding, passage: Passage) -> bool:
    return finding.where == passage.where or any(finding.where == where for _, where in passage.parts)


def marked(passage: Passage, findings: Sequence[Finding]) -> Text:
    """A passage with its findings underlined, cut to what is around the first of them if it is long."""
    from rich.text import Text

    begins = {where: start for start, where in passage.parts}
    spans = [
        (
            finding.span.start + begins.get(finding.where, 0),
            finding.span.end + begins.get(finding.where, 0),
            finding.level,
        )
        for finding in findings
    ]
    first = max(0, min(start for start, _, _ in spans) - SHOWN // 4)
    last = min(len(passage.text), first + SHOWN)
    text = Text("…" if first else "")
    at = first
    for start, end, level in sorted(spans):
        start, end = max(start, at), min(end, last)
        if start >= end:
            continue
        text.append(visible(passage.text[at:start]))
        text.append(visible(passage.text[start:end]), style=f"{_COLOUR[level]} underline")
        at = end
    text.append(visible(passage.text[at:last]))
    if last < len(passage.text):
        text.append(f"… ({len(passage.text) - last:,} more characters)", style="dim")
    return text


def visible(text: str) -> str:
    """The text as it may be shown: what would steer a terminal or show nothing is named instead."""
    return "".join(
        letter
        if letter.isprintable() or letter == "\n"
        else " "
        if letter == "\t"
        else f"‹{ord(letter):04x}›"
        for letter in text
    )
