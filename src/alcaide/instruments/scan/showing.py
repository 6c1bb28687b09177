"""A scan's report as people and programs read it: a table in the terminal, and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.examine import rules
from alcaide.instruments.scan.model import Level, Node, ScanReport

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {
    Level.CRITICAL: "bold red",
    Level.HIGH: "red",
    Level.MEDIUM: "yellow",
    Level.LOW: "dim",
    Level.UNKNOWN: "magenta",
}
_OUTCOME_STYLE = {"passed": "green", "failed": "bold red", "unknown": "magenta"}


def report_json(report: ScanReport) -> dict[str, Any]:
    """Everything a scan found, as JSON values."""
    known = rules()
    used = sorted({finding.rule for _, finding in report.findings})
    return {
        "outcome": report.outcome.value,
        "fail_on": report.fail_on.value,
        "counts": report.counts(),
        "edition": report.edition,
        "policy": report.policy,
        "seconds": round(report.seconds, 4),
        "left_out": list(report.left_out),
        "artifacts": [
            {
                "path": artifact.path,
                "sha256": artifact.sha256,
                "size": artifact.node.size,
                "outcome": artifact.outcome(report.fail_on).value,
                "seconds": round(artifact.seconds, 4),
                "content": node_json(artifact.node),
                "findings": [
                    {
                        "rule": finding.rule,
                        "level": finding.level.value,
                        "message": finding.message,
                        "place": finding.place,
                        "offset": finding.offset,
                        "detail": dict(finding.detail),
                        "taxonomy": list(known[finding.rule].taxonomy) if finding.rule in known else [],
                    }
                    for finding in artifact.findings
                ],
            }
            for artifact in report.artifacts
        ],
        "rules": {name: asdict(known[name]) for name in used if name in known},
    }


def node_json(node: Node) -> dict[str, Any]:
    """What lies inside of a file, as JSON values."""
    return {
        "name": node.name,
        "size": node.size,
        "formats": list(node.formats),
        "facts": dict(node.facts),
        "children": [node_json(child) for child in node.children],
        "left_out": node.left_out,
    }


def draw(console: Console, report: ScanReport, *, verbose: bool = False) -> None:
    """The findings by file, worst first, then the outcome and what was looked at."""
    from rich.markup import escape

    known = rules()
    shown: set[str] = set()
    hidden = 0
    told: set[str] = set()
    for artifact, _ in report.findings:
        if artifact.path in shown:
            continue
        shown.add(artifact.path)
        findings = [one for one in artifact.findings if verbose or one.level is not Level.LOW]
        hidden += len(artifact.findings) - len(findings)
        if not findings:
            continue
        inside = ", ".join(artifact.node.formats) or "no known format"
        console.print(f"[bold]{escape(artifact.path)}[/bold]  [dim]{escape(inside)}[/dim]", soft_wrap=True)
        for finding in findings:
            style = _STYLE[finding.level]
            where = escape(finding.place)
            if finding.offset is not None:
                where += f" @{finding.offset:,}"
            console.print(
                f"  [{style}]{finding.level.value:<8}[/{style}] {escape(finding.message)}"
                + (f"  [dim]{where.strip()}[/dim]" if where.strip() else ""),
                soft_wrap=True,
            )
            console.print(f"           [dim]{escape(finding.rule)}[/dim]")
            told.add(finding.rule)
        console.print()
    for name in sorted(told):
        if name in known:
            console.print(
                f"[dim]{escape(name)}:[/dim] {escape(known[name].why)} {escape(known[name].remedy)}"
            )
    if told:
        console.print()
    counts = report.counts()
    said = ", ".join(f"{count:,} {level}" for level, count in counts.items() if count)
    count = len(report.artifacts)
    style = _OUTCOME_STYLE[report.outcome.value]
    console.print(
        f"[{style}]{report.outcome.value}[/{style}]  {count:,} {'file' if count == 1 else 'files'}, "
        f"{said or 'nothing found'}, {report.seconds:.2f} s",
        soft_wrap=True,
    )
    if hidden:
        console.print(f"[dim]{hidden:,} findings of hygiene are not shown; --verbose shows them[/dim]")
    if not report.artifacts:
        console.print("there was no file to look at; nothing looked at is nothing known")
    if report.left_out:
        names = ", ".join(report.left_out[:5]) + (" …" if len(report.left_out) > 5 else "")
        console.print(f"[dim]left out, as nothing loads from it: {escape(names)}[/dim]")
