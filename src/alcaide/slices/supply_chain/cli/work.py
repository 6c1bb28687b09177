"""What `alcaide scan` does once it knows what was asked for. Loads no command-line library: that costs more."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alcaide.kernel.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from alcaide.instruments.scan.known import KnownResults
    from alcaide.instruments.scan.model import Artifact, ScanReport
    from alcaide.instruments.scan.policy import ScanPolicy
    from alcaide.instruments.scan.scanner import Spread

EXIT = {"passed": 0, "failed": 1, "unknown": 2}


class Asked(NamedTuple):
    """The options of `alcaide scan`."""

    paths: tuple[Path, ...]
    format: str = "table"
    output: Path | None = None
    fail_on: str | None = None
    policy: Path | None = None
    record: str = ""
    reason: str = ""
    workers: int | None = None
    digests: bool = False
    cache: bool = True
    verbose: bool = False
    data: Path | None = None
    on: str = ""


def run(asked: Asked) -> int:
    """Scan, put it on record if that was asked for, give the report; the exit code says the outcome."""
    if asked.workers is not None and not 1 <= asked.workers <= 32:
        raise InvalidInput(f"`--workers` is {asked.workers}; choose 1 to 32")
    report = _scanned(asked, _policy(asked.policy, asked.fail_on))
    if asked.record:
        _record(report, asked)
    _give(report, asked)
    return EXIT[report.outcome.value]


def _policy(path: Path | None, fail_on: str | None) -> ScanPolicy:
    """The policy asked for; the level given beside it wins."""
    from alcaide.instruments.scan.model import Level
    from alcaide.instruments.scan.policy import ScanPolicy

    policy = ScanPolicy()
    if path is not None:
        from alcaide.instruments.scan.policy_file import POLICY_BYTES, parse_policy

        try:
            with path.open("rb") as file:
                policy = parse_policy(file.read(POLICY_BYTES + 1), name=str(path))
        except OSError as error:
            raise NotFound(
                f"scan policy `{path}` cannot be read: {error.strerror}; check the path"
            ) from error
    return policy if fail_on is None else policy._replace(fail_on=Level(fail_on))


def _scanned(asked: Asked, policy: ScanPolicy) -> ScanReport:
    """Scan, with a line of progress on a terminal."""
    from alcaide.instruments.scan.scanner import ScanFailedError, scan

    digests = asked.digests or bool(asked.record) or asked.format == "cyclonedx"
    known = _known(policy) if asked.cache and digests else None
    show = _Progress() if sys.stderr.isatty() else None
    try:
        return scan(
            asked.paths,
            policy=policy,
            digests=digests,
            workers=asked.workers,
            known=known,
            progress=show.one if show else None,
            spread=_spread(asked),
        )
    except ScanFailedError as error:
        raise InvalidInput(str(error)) from error
    finally:
        if show:
            show.end()


def _spread(asked: Asked) -> Spread | None:
    """Who reads: a cluster, or the processes of this machine."""
    if not asked.on:
        return None
    from alcaide.instruments.scan.on_ray import OnRay

    return OnRay(asked.on, asked.workers)


class _Progress:
    """One line on the terminal, written over and over; nothing for what takes no time."""

    def __init__(self) -> None:
        self._begun = self._written = time.monotonic()
        self._count = 0

    def one(self, artifact: Artifact) -> None:
        """One more file was looked at."""
        self._count += 1
        now = time.monotonic()
        if now - self._written > 0.2:
            self._written = now
            sys.stderr.write(f"\r\x1b[2K{self._count:,} files, {artifact.path[-60:]}")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._written != self._begun:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def _known(policy: ScanPolicy) -> KnownResults:
    """What earlier scans of this account found."""
    from alcaide.instruments.scan.cache import ScanCache
    from alcaide.instruments.scan.edition import edition
    from alcaide.instruments.scan.known import KnownResults

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alcaide"
    return KnownResults(ScanCache(folder), policy, edition(), digests=True)


def _record(report: ScanReport, asked: Asked) -> None:
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import service

    title = ", ".join(path.name or str(path) for path in asked.paths)
    with open_for_cli(asked.data) as instance:
        _, leaf = service.record_report(
            instance, cli_actor(), report, asked.record, title=title, reason=asked.reason
        )
    sys.stderr.write(f"on record as leaf {leaf}\n")


def _give(report: ScanReport, asked: Asked) -> None:
    """Print the report or write it to a file."""
    import json

    from alcaide.instruments.scan.showing import draw, report_json

    output = asked.output
    if asked.format == "table":
        if output is None:
            draw(sys.stdout.write, report, color=_colored(), verbose=asked.verbose)
            return
        try:
            with output.open("w", encoding="utf-8") as file:
                draw(file.write, report, verbose=asked.verbose)
        except OSError as error:
            raise InvalidInput(f"`{output}` cannot be written: {error.strerror}; check the path") from error
        return
    if asked.format == "json":
        document: Any = report_json(report)
    elif asked.format == "sarif":
        from alcaide.instruments.scan.report_sarif import sarif

        document = sarif(report)
    else:
        from alcaide.instruments.scan.report_cyclonedx import ml_bom

        document = ml_bom(report)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if output is None:
        _say(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"`{output}` cannot be written: {error.strerror}; check the path") from error


def _colored() -> bool:
    """Whether the terminal wants colours (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
