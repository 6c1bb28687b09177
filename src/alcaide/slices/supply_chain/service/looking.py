"""What the job does: scan, keep the report, put it on record if it is about something."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from alcaide.instruments.scan.data.report import DataReport
from alcaide.kernel.errors import AlcaideError, InvalidInput, NotFound
from alcaide.kernel.jobs import JobContext, JobStopped
from alcaide.predicates.base import By
from alcaide.slices.supply_chain import queries, tables
from alcaide.slices.supply_chain.model import UNFINISHED, DataAsked, ScanLine
from alcaide.slices.supply_chain.service import recording
from alcaide.slices.supply_chain.service.datasets import append_data, kept_data, look_at_data
from alcaide.slices.supply_chain.service.sources import SOURCES, Bringing, Brought
from alcaide.slices.supply_chain.service.uploads import upload_folder

if TYPE_CHECKING:
    from alcaide.instruments.scan.model import Artifact, ScanReport
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.ledger.log import Tx


def run_scan(ctx: JobContext) -> dict[str, Any]:
    """Scan what was asked for, keep the report, put it on record if it is about something; delete an upload.

    An upload stays until its scan has ended for good: a worker that is killed finds it there at the next try.
    """
    instance: Instance = ctx.instance
    scan_id = str(ctx.payload["scan"])
    with instance.read() as conn:
        line = queries.scan(conn, scan_id)
        asked = queries.asked(conn, scan_id)
    if line.state not in UNFINISHED:
        return {"outcome": line.outcome}
    _mark(instance, scan_id, state="running")
    try:
        brought = _bring(line, ctx)
        report: ScanReport | DataReport
        if line.kind == "dataset":
            report = look_at_data(
                DataAsked(source=str(brought.path)),
                check=ctx.check,
                say=lambda said: ctx.progress(None, said),
            )
        else:
            report = look(
                [brought.path],
                check=ctx.check,
                progress=ctx.progress,
                within=brought.within,
                expected=brought.expected,
            )
        _keep(instance, line, report, asked, ctx)
    except JobStopped:
        raise
    except AlcaideError as error:
        _end(instance, line, str(error))
        return {"problem": str(error)}
    except Exception as error:
        if ctx.run.attempts >= ctx.run.max_attempts:
            _end(instance, line, f"the scan failed ({type(error).__name__}); see the job `{line.job}`")
        raise
    finally:
        if line.origin != "upload":
            _drop_fetched(instance, line)
    _drop_upload(line)
    return {"outcome": report.outcome.value}


def _bring(line: ScanLine, ctx: JobContext) -> Brought:
    """What is to be scanned, where it can be read: fetched first if it lies elsewhere."""
    if line.origin == "upload":
        if not Path(line.place).exists():
            raise NotFound(f"`{line.title}` is not there any more; upload it again")
        return Brought(Path(line.place))
    # A worker that was killed may have left a part of it.
    _drop_fetched(ctx.instance, line)
    folder = upload_folder(ctx.instance) / line.id
    bringing = Bringing(ctx.instance, folder, ctx.check, lambda note: ctx.progress(None, note))
    return SOURCES[line.source].bring(line.place, bringing)


def _drop_fetched(instance: Instance, line: ScanLine) -> None:
    shutil.rmtree(upload_folder(instance) / line.id, ignore_errors=True)


def _end(instance: Instance, line: ScanLine, problem: str) -> None:
    """A scan that ended without a report."""
    _mark(instance, line.id, state="failed", problem=problem[:2_000], done_at=instance.clock())
    _drop_upload(line)


def _drop_upload(line: ScanLine) -> None:
    if line.origin == "upload":
        shutil.rmtree(Path(line.place).parent, ignore_errors=True)


def look(
    paths: Sequence[Path],
    *,
    check: Callable[[], None] = lambda: None,
    progress: Callable[[float | None, str], None] = lambda _fraction, _note: None,
    within: Path | None = None,
    expected: Mapping[str, str] | None = None,
) -> ScanReport:
    """Scan files and folders with digests, in confined processes."""
    from alcaide.instruments.scan.scanner import ScanFailedError, scan

    count = 0

    def each(artifact: Artifact) -> None:
        nonlocal count
        count += 1
        check()
        progress(None, f"{count:,} files, last `{artifact.path[-80:]}`")

    try:
        return scan(paths, digests=True, progress=each, within=within, expected=expected)
    except ScanFailedError as error:
        raise InvalidInput(str(error)) from error


def _keep(
    instance: Instance,
    line: ScanLine,
    report: ScanReport | DataReport,
    asked: Mapping[str, str],
    ctx: JobContext,
) -> None:
    """The report beside the scan and, if it is about something, a statement in the log, in one transaction."""
    values = kept_data(report) if isinstance(report, DataReport) else recording.kept(report)
    subject = str(ctx.payload.get("subject", ""))
    if not subject:
        _mark(instance, line.id, state="done", done_at=instance.clock(), **values)
        return

    def work(tx: Tx) -> None:
        by = By.of(asked)
        if isinstance(report, DataReport):
            leaf, _ = append_data(tx, instance, by, report, subject, reason=line.reason)
        else:
            leaf, _ = recording.append(tx, instance, by, report, subject, reason=line.reason)
        tx.conn.execute(
            tables.scan.update()
            .where(tables.scan.c.id == line.id)
            .values(state="done", done_at=tx.now, leaf=leaf, **values)
        )

    try:
        ctx.write("record", work)
    except InvalidInput as error:
        # What was found is not lost where it cannot be put on record.
        _mark(instance, line.id, state="done", done_at=instance.clock(), problem=str(error)[:2_000], **values)


def _mark(instance: Instance, scan_id: str, **values: Any) -> None:
    with instance.db.transaction() as conn:
        conn.execute(tables.scan.update().where(tables.scan.c.id == scan_id).values(**values))


def tidy(ctx: JobContext) -> dict[str, Any]:
    """Delete scans past their time that are not on record, and uploads and fetched files that no scan waits for."""
    instance: Instance = ctx.instance
    keep = timedelta(days=queries.settings(instance).keep_days)
    with instance.db.transaction() as conn:
        gone = conn.execute(
            tables.scan.delete().where(
                tables.scan.c.done_at < instance.clock() - keep, tables.scan.c.leaf.is_(None)
            )
        ).rowcount
        waiting = set(
            conn.execute(sa.select(tables.scan.c.id).where(tables.scan.c.state.in_(UNFINISHED))).scalars()
        )
    dropped = 0
    for folder in upload_folder(instance).iterdir():
        ctx.check()
        # One that is being written has no scan yet: leave it for an hour.
        with suppress(OSError):
            old = instance.clock().timestamp() - folder.stat().st_mtime > 3_600
            if folder.name not in waiting and old:
                shutil.rmtree(folder, ignore_errors=True)
                dropped += 1
    return {"scans": gone, "uploads": dropped}
