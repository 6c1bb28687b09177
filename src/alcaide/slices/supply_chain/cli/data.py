"""`alcaide scan data`: what is in a dataset, and what is wrong with it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from alcaide.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from alcaide.instruments.scan.data.report import ColumnProfile, DataReport

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
EXIT = {"passed": 0, "failed": 1, "unknown": 2}


def data(
    source: Annotated[str, Parameter(help="A file, a folder, or the URL of a table.")],
    *,
    labels: Annotated[str, Parameter(help="The column of labels; guessed if not said.")] = "",
    text: Annotated[list[str], Parameter(help="A column of free text; repeatable.", negative="")] = [],  # noqa: B006
    against: Annotated[
        list[str],
        Parameter(help="A set that must not overlap with it, as test=test.csv; repeatable.", negative=""),
    ] = [],  # noqa: B006 - cyclopts copies it
    reference: Annotated[str, Parameter(help="An earlier version, to compare with.")] = "",
    accept: Annotated[
        list[str],
        Parameter(
            help="What is permitted in it, as data/personal-data:EMAIL_ADDRESS; repeatable.", negative=""
        ),
    ] = [],  # noqa: B006 - cyclopts copies it
    format: Annotated[Literal["table", "json", "sarif"], Parameter(name="--format")] = "table",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the report here.")] = None,
    fail_on: Annotated[
        Literal["low", "medium", "high", "critical"],
        Parameter(name="--fail-on", help="Findings from here on fail."),
    ] = "medium",
    rows: Annotated[int, Parameter(help="Row numbers shown with each finding.")] = 8,
    record: Annotated[str, Parameter(help="Put it on record about this: `dataset:name@version`.")] = "",
    reason: Annotated[str, Parameter(help="Why, kept with the record.")] = "",
    folder: Data = None,
) -> int:
    """Look at a dataset: columns and what is in them, copies, leakage, wrong labels, poison, instructions, origin.

    Nothing of the rows leaves the machine, and no value of a personal column is repeated. Ends with 0 if nothing was
    found at the level or above, 1 if something was, 2 if a part was not looked at, 3 if it could not be done.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import service
    from alcaide.slices.supply_chain.model import DataAsked

    if "://" not in source and not Path(source).exists():
        raise InvalidInput(f"there is nothing at `{source}`; check the path")
    asked = DataAsked(
        source=_absolute(source),
        labels=labels,
        text=tuple(text),
        against=dict(_named(one) for one in against),
        reference=_absolute(reference) if reference else "",
        accepts=tuple(accept),
        fail_on=fail_on,
    )
    say = _progress if sys.stderr.isatty() else (lambda _line: None)
    report = replace(service.look_at_data(asked, say=say), source=source)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K")
    if record:
        with open_for_cli(folder) as instance:
            _, leaf = service.record_data(
                instance, cli_actor(), report, record, title=Path(source).name or source, reason=reason
            )
        sys.stderr.write(f"on record as leaf {leaf}\n")
    _give(report, format, output, rows)
    return EXIT[report.outcome.value]


def _named(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals:
        return Path(text).stem, _absolute(text)
    if not name or not path:
        raise InvalidInput(f"`{text}` is no set to compare with; write it as test=test.csv")
    return name, _absolute(path)


def _absolute(source: str) -> str:
    return source if "://" in source else str(Path(source).resolve())


def _progress(line: str) -> None:
    sys.stderr.write(f"\r\x1b[2K{line[:100]}")
    sys.stderr.flush()


def _give(report: DataReport, format: str, output: Path | None, rows: int) -> None:
    if format == "table":
        text = "".join(_drawn(report, rows, color=output is None and _colored()))
    elif format == "json":
        text = json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"
    else:
        from alcaide.instruments.scan.report_sarif import data_sarif

        text = json.dumps(data_sarif(report), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"`{output}` cannot be written: {error.strerror}; check the path") from error


_STYLE = {"critical": "1;31", "high": "31", "medium": "33", "low": "2", "unknown": "35"}
_OUTCOME = {"passed": "32", "failed": "1;31", "unknown": "35"}


def _drawn(report: DataReport, rows: int, *, color: bool) -> Any:
    """Columns, findings, and what was looked at."""

    def styled(style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if color else text

    yield f"{styled('1', report.source)}  {report.kind}, {report.rows:,} rows, {len(report.columns):,} columns\n\n"
    for column in report.columns[:60]:
        yield f"  {column.name[:32]:<32} {column.type[:14]:<14} {column.role:<13}{_about(column)}\n"
    if len(report.columns) > 60:
        yield f"  and {len(report.columns) - 60:,} more columns; --format json has them all\n"
    yield "\n"
    for finding in sorted(report.findings, key=lambda one: one.sort_key()):
        yield f"  {styled(_STYLE[finding.level.value], f'{finding.level.value:<8}')} {finding.message}\n"
        listed = finding.detail.get("rows") or ()
        shown = ", ".join(str(row) for row in list(listed)[:rows])
        more = " …" if len(listed) > rows else ""
        yield f"           {styled('2', finding.rule + (f'  rows {shown}{more}' if shown else ''))}\n"
    said = ", ".join(f"{count:,} {level}" for level, count in report.counts().items() if count)
    outcome = styled(_OUTCOME[report.outcome.value], report.outcome.value)
    yield f"\n{outcome}  {said or 'nothing found'}, {report.seconds:.1f} s\n"


def _about(column: ColumnProfile) -> str:
    seen = ", ".join(dict.fromkeys(one.category for one in column.sightings))
    empty = f"{column.nulls / column.rows:.0%} empty" if column.rows and column.nulls else ""
    distinct = f"{column.distinct:,} values" if column.distinct else ""
    return "  ".join(part for part in (distinct, empty, f"[{seen}]" if seen else "") if part)


def _colored() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
