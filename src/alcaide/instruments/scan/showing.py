"""A scan's report as people and programs read it: a table in the terminal, and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.context import printable
from alcaide.instruments.scan.examine import rules
from alcaide.instruments.scan.model import Level, Node, ScanReport

if TYPE_CHECKING:
    from collections.abc import Callable

# SGR codes, ECMA-48 §8.3.117.
_STYLE = {Level.CRITICAL: "1;31", Level.HIGH: "31", Level.MEDIUM: "33", Level.LOW: "2", Level.UNKNOWN: "35"}
_OUTCOME_STYLE = {"passed": "32", "failed": "1;31", "unknown": "35"}


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
        "rules": {name: known[name]._asdict() for name in used if name in known},
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


def draw(
    write: Callable[[str], object], report: ScanReport, *, color: bool = False, verbose: bool = False
) -> None:
    """The findings by file, worst first, then the outcome and what was looked at.

    Args:
        write: takes one piece of text after another.
        report: what was found.
        color: whether the terminal shows colours; words say everything without.
        verbose: also what is mere hygiene.
    """

    def styled(style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if color else text

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
        write(f"{styled('1', printable(artifact.path, 400))}  {styled('2', inside)}\n")
        for finding in findings:
            where = finding.place if finding.offset is None else f"{finding.place} @{finding.offset:,}"
            level = styled(_STYLE[finding.level], f"{finding.level.value:<8}")
            write(
                f"  {level} {finding.message}{styled('2', f'  {where.strip()}') if where.strip() else ''}\n"
            )
            write(f"           {styled('2', finding.rule)}\n")
            told.add(finding.rule)
        write("\n")
    for name in sorted(told):
        if name in known:
            write(f"{styled('2', f'{name}:')} {known[name].why} {known[name].remedy}\n")
    if told:
        write("\n")
    said = ", ".join(f"{count:,} {level}" for level, count in report.counts().items() if count)
    count = len(report.artifacts)
    write(
        f"{styled(_OUTCOME_STYLE[report.outcome.value], report.outcome.value)}  {count:,} "
        f"{'file' if count == 1 else 'files'}, {said or 'nothing found'}, {report.seconds:.2f} s\n"
    )
    if hidden:
        write(styled("2", f"{hidden:,} findings of hygiene are not shown; --verbose shows them") + "\n")
    if not report.artifacts:
        write("there was no file to look at; nothing looked at is nothing known\n")
    if report.left_out:
        names = ", ".join(report.left_out[:5]) + (" …" if len(report.left_out) > 5 else "")
        write(styled("2", f"left out, as nothing loads from it: {printable(names, 400)}") + "\n")
