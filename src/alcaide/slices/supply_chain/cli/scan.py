"""`alcaide scan`: look at models, datasets and repositories without loading them.

Needs no data folder unless something is put on record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from alcaide.instruments.scan.cache import KnownResults
    from alcaide.instruments.scan.model import ScanReport
    from alcaide.instruments.scan.policy import ScanPolicy

app = App(name="scan", help="Say whether models, datasets and repositories are safe to take in.")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Fail = Literal["low", "medium", "high", "critical"]
Format = Literal["table", "json", "sarif", "cyclonedx"]

EXIT = {"passed": 0, "failed": 1, "unknown": 2}


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
    report = _scanned(
        paths, _policy(policy, fail_on), digests or bool(record) or format == "cyclonedx", workers, cache
    )
    if record:
        _record(report, record, paths, reason, data)
    _give(report, format, output, verbose=verbose)
    return EXIT[report.outcome.value]


@app.command(name="formats")
def list_formats() -> None:
    """List the formats that are recognised."""
    from alcaide.instruments.scan.examine import formats

    for form in sorted(formats(), key=lambda one: one.title.lower()):
        _say(f"{form.name:<24}{form.title}")


@app.command(name="rules")
def list_rules(*, format: Annotated[Literal["table", "json"], Parameter(name="--format")] = "table") -> None:
    """List every rule: what it finds, how bad it is, why it matters."""
    from dataclasses import asdict

    from alcaide.instruments.scan.examine import rules

    known = sorted(rules().values(), key=lambda rule: (-rule.level.rank, rule.id))
    if format == "json":
        _say(json.dumps([asdict(rule) for rule in known], indent=2, ensure_ascii=False))
        return
    for rule in known:
        _say(f"{rule.level.value:<9}{rule.id:<40}{rule.title}")


def _policy(path: Path | None, fail_on: Fail | None) -> ScanPolicy:
    """The policy asked for; the level given beside it wins."""
    from dataclasses import replace

    from alcaide.instruments.scan.model import Level
    from alcaide.instruments.scan.policy import POLICY_BYTES, ScanPolicy, parse_policy

    policy = ScanPolicy()
    if path is not None:
        try:
            with path.open("rb") as file:
                policy = parse_policy(file.read(POLICY_BYTES + 1), name=str(path))
        except OSError as error:
            raise NotFound(
                f"scan policy `{path}` cannot be read: {error.strerror}; check the path"
            ) from error
    return policy if fail_on is None else replace(policy, fail_on=Level(fail_on))


def _scanned(
    paths: list[Path], policy: ScanPolicy, digests: bool, workers: int | None, cache: bool
) -> ScanReport:
    """Scan, with a line of progress on a terminal."""
    from alcaide.instruments.scan.scanner import ScanFailedError, scan

    if workers is not None and not 1 <= workers <= 32:
        raise InvalidInput(f"`--workers` is {workers}; choose 1 to 32")
    known = _known(policy) if cache and digests else None
    try:
        if not sys.stderr.isatty():
            return scan(paths, policy=policy, digests=digests, workers=workers, known=known)
        from rich.console import Console

        seen = 0
        with Console(stderr=True).status("scanning") as status:

            def each(artifact: Any) -> None:
                nonlocal seen
                seen += 1
                if seen % 20 == 0 or artifact.seconds > 1:
                    status.update(f"{seen:,} files, {artifact.path[-60:]}")

            return scan(paths, policy=policy, digests=digests, workers=workers, known=known, progress=each)
    except ScanFailedError as error:
        raise InvalidInput(str(error)) from error


def _known(policy: ScanPolicy) -> KnownResults:
    """What earlier scans of this account found."""
    import os

    from alcaide.instruments.scan.cache import KnownResults, ScanCache
    from alcaide.instruments.scan.edition import edition

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alcaide"
    return KnownResults(ScanCache(folder), policy, edition(), digests=True)


def _record(report: ScanReport, subject: str, paths: list[Path], reason: str, data: Path | None) -> None:
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import service

    title = ", ".join(path.name or str(path) for path in paths)
    with open_for_cli(data) as instance:
        _, leaf = service.record_report(instance, cli_actor(), report, subject, title=title, reason=reason)
    sys.stderr.write(f"on record as leaf {leaf}\n")


def _give(report: ScanReport, format: Format, output: Path | None, *, verbose: bool) -> None:
    """Print the report or write it to a file."""
    from alcaide.instruments.scan.showing import draw, report_json

    if format == "table":
        from rich.console import Console

        if output is None:
            draw(Console(highlight=False), report, verbose=verbose)
            return
        try:
            with output.open("w", encoding="utf-8") as file:
                draw(Console(file=file, highlight=False, width=120), report, verbose=verbose)
        except OSError as error:
            raise InvalidInput(f"`{output}` cannot be written: {error.strerror}") from error
        return
    if format == "json":
        document: Any = report_json(report)
    elif format == "sarif":
        from alcaide.instruments.scan.report_sarif import sarif

        document = sarif(report)
    else:
        from alcaide.slices.supply_chain.service.boms import ml_bom

        document = ml_bom(report)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if output is None:
        _say(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"`{output}` cannot be written: {error.strerror}; check the path") from error


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
