"""`alcaide scan`: look at models, datasets and repositories without loading them.

Needs no data folder unless something is put on record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from alcaide.slices.supply_chain.cli.data import data
from alcaide.slices.supply_chain.cli.watch import app as watch
from alcaide.slices.supply_chain.cli.work import Asked, run

app = App(name="scan", help="Say whether models, datasets and repositories are safe to take in.")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Fail = Literal["low", "medium", "high", "critical"]
Format = Literal["table", "json", "sarif", "cyclonedx"]


@app.default
def scan(
    paths: Annotated[list[Path], Parameter(help="Files and folders.")],
    *,
    format: Annotated[Format, Parameter(name="--format")] = "table",
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="Write the report here instead of printing it.")
    ] = None,
    fail_on: Annotated[
        Fail | None, Parameter(name="--fail-on", help="Findings from this level on fail; medium if not said.")
    ] = None,
    policy: Annotated[
        Path | None, Parameter(help="A scan policy: limits, allowed callables, how bad fails.")
    ] = None,
    record: Annotated[
        str, Parameter(help="Put it on record about this: a system, `model:name@version`, or a digest.")
    ] = "",
    reason: Annotated[str, Parameter(help="Why, kept with the record.")] = "",
    workers: Annotated[
        int | None, Parameter(help="Processes to read with; as many as processors if not said.")
    ] = None,
    on: Annotated[
        str,
        Parameter(
            help="Read on a Ray cluster that sees the same files: `ray://host:10001`, or `ray` for this machine."
        ),
    ] = "",
    digests: Annotated[bool, Parameter(help="Also take every file's SHA-256.", negative="")] = False,
    cache: Annotated[
        bool, Parameter(help="Remember what was found in which bytes, and do not look twice.")
    ] = True,
    verbose: Annotated[
        bool, Parameter(name=["--verbose", "-v"], help="Show hygiene too.", negative="")
    ] = False,
    data: Data = None,
) -> int:
    """Scan files and folders for what would happen if somebody loaded them. Nothing is ever loaded.

    Ends with 0 if nothing was found at the level or above, 1 if something was, 2 if a part could not be looked at,
    3 if it could not be done.
    """
    return run(
        Asked(
            tuple(paths),
            format,
            output,
            fail_on,
            policy,
            record,
            reason,
            workers,
            digests,
            cache,
            verbose,
            data,
            on,
        )
    )


app.command(data)
app.command(watch)


@app.command(name="formats")
def list_formats() -> None:
    """List the formats that are recognised."""
    from alcaide.instruments.scan.examine import formats

    for form in sorted(formats(), key=lambda one: one.title.lower()):
        _say(f"{form.name:<24}{form.title}")


@app.command(name="rules")
def list_rules(*, format: Annotated[Literal["table", "json"], Parameter(name="--format")] = "table") -> None:
    """List every rule: what it finds, how bad it is, why it matters."""
    from alcaide.instruments.scan.examine import rules

    known = sorted(rules().values(), key=lambda rule: (-rule.level.rank, rule.id))
    if format == "json":
        _say(json.dumps([rule._asdict() for rule in known], indent=2, ensure_ascii=False))
        return
    for rule in known:
        _say(f"{rule.level.value:<9}{rule.id:<40}{rule.title}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
