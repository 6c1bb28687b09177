"""Checking a bundle, an anchor file, or the whole log."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from alcaide.slices.evidence.cli.base import (
    OUTCOME_CODES,
    Data,
    Format,
    Trusted,
    app,
    complain,
    read_file,
    say,
    say_json,
)

if TYPE_CHECKING:
    from alcaide.slices.evidence.model import BundleReport


@app.command(name="verify")
def verify(
    bundle: Path | None = None,
    *,
    trusted: Trusted = None,
    own: Annotated[
        bool, Parameter(name="--own", help="Trust the keys of the log in the data folder.", negative="")
    ] = False,
    named: Annotated[
        list[str] | None,
        Parameter(name="--named", help="Trust a key that `keys trust` gave this name.", negative=""),
    ] = None,
    anchors: Annotated[
        Path | None, Parameter(name="--anchors", help="Hold this anchor file against the log.")
    ] = None,
    processes: Annotated[
        int | None, Parameter(name="--processes", help="Worker processes; all cores.")
    ] = None,
    format: Format = "table",
    data: Data = None,
) -> int:
    """Check a bundle offline; or, without one, the whole log from its first leaf."""
    if bundle is not None:
        return _verify_bundle(bundle, trusted or [], own, named or [], format, data)
    if anchors is not None:
        return _verify_anchors(anchors, format, data)
    return _verify_log(processes, format, data)


def _verify_bundle(
    path: Path, trusted: Sequence[str], own: bool, named: Sequence[str], format: str, data: Path | None
) -> int:
    from alcaide.slices.evidence.model import TrustChoice
    from alcaide.slices.evidence.rules.bundle import examine_bundle, read_trusted

    content = read_file(path)
    keys = read_trusted("\n".join(_trusted(trusted)))
    if own or named:
        from alcaide.kernel.instance import open_for_cli
        from alcaide.slices.evidence import service

        with open_for_cli(data) as instance:
            keys += service.trusted_by(instance, TrustChoice(own, tuple(named)))
    found = examine_bundle(content, keys)
    if format == "json":
        say_json(found.as_json())
    elif found.report is None:
        complain(f"refused: {found.reason}")
    else:
        _show_bundle(found.report)
    return OUTCOME_CODES[found.outcome]


def _trusted(given: Sequence[str]) -> list[str]:
    """What was given, files replaced by what they hold."""
    return [read_file(Path(one)).decode("utf-8", "replace") if Path(one).is_file() else one for one in given]


def _show_bundle(report: BundleReport) -> None:
    say(f"intact: all that log {report.origin} says about {', '.join(report.about)} up to size {report.size}")
    say(
        f"  leaves     {len(report.leaves)}, the newest {report.leaves[-1].index if report.leaves else 'none'}"
    )
    say(f"  as of      {report.at}")
    say(f"  signed by  {', '.join(report.keys)}")
    for name, at in report.witnesses:
        say(f"  witness    {name}, at {at:%Y-%m-%d %H:%M:%S} UTC")
    if report.pinned:
        say(f"  trusted    {', '.join(report.trusted)}")
    else:
        say("unknown: these may be anybody's keys. Compare them with what you were told by other means,")
        say("and name one with --trusted")


def _verify_anchors(path: Path, format: str, data: Path | None) -> int:
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        findings = service.check_anchor_file(instance, read_file(path))
    if format == "json":
        say_json(
            [{"line": f.line, "size": f.size, "outcome": f.outcome, "reason": f.reason} for f in findings]
        )
    else:
        for finding in findings:
            if finding.outcome != "passed":
                say(f"line {finding.line}, size {finding.size}: {finding.outcome}, {finding.reason}")
        good = sum(f.outcome == "passed" for f in findings)
        newest = max(f.size for f in findings)
        say(f"{good} of {len(findings)} anchored checkpoints hold; the newest is of size {newest}")
    said = {f.outcome for f in findings}
    return 1 if "failed" in said else 2 if "unknown" in said else 0


def _verify_log(processes: int | None, format: str, data: Path | None) -> int:
    from alcaide.kernel.instance import open_for_cli
    from alcaide.kernel.ledger.verify import verify_log

    shown = format == "table" and sys.stderr.isatty()

    def progress(done: int, of: int, what: str) -> None:
        if shown:
            sys.stderr.write(f"\r{done:,} of {of:,} {what}   ")
            sys.stderr.flush()

    with open_for_cli(data) as instance:
        report = verify_log(instance.ledger, progress, processes=processes)
    if shown:
        sys.stderr.write("\r" + " " * 48 + "\r")
    if format == "json":
        say_json(
            {
                "intact": report.intact,
                "size": report.size,
                "root": report.root,
                "first_bad": report.first_bad,
                "reason": report.reason,
            }
        )
    elif report.intact:
        say(f"intact: {report.size} leaves about {report.keys} subjects, root {report.root}")
    else:
        complain(f"the log does not verify: {report.reason}")
        if report.first_bad is not None:
            complain(
                f"the first bad leaf is {report.first_bad}; see `alcaide evidence show {report.first_bad}`"
            )
    return 0 if report.intact else 1
