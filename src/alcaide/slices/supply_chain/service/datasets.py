"""Looking at datasets: in a process of their own, and on record by the digest of the bytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from alcaide.instruments.scan.data.report import DataReport
from alcaide.instruments.scan.data.rules import all_rules
from alcaide.instruments.scan.evidence import dataset_scanned
from alcaide.kernel.errors import InvalidInput, Unavailable
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ids import new_id
from alcaide.predicates.base import By
from alcaide.slices.supply_chain import tables
from alcaide.slices.supply_chain.model import DataAsked

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.ledger.log import Tx

LONGEST = 3_600.0
"""Seconds after which the process is ended; the look itself keeps to the limits of its policy before."""


def look_at_data(
    asked: DataAsked, *, check: Callable[[], None] = lambda: None, say: Callable[[str], None] = lambda _: None
) -> DataReport:
    """Look at a dataset in a process of its own.

    Raises:
        Unavailable: the process ended without an answer; says how.
    """
    temporary = tempfile.mkdtemp(prefix="alcaide-data-")
    environment = {name: value for name, value in os.environ.items() if name in _KEPT}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as answer,
            subprocess.Popen(
                [sys.executable, "-m", "alcaide.slices.supply_chain.service.dataset_child", temporary],
                stdin=_filled(given, msgspec.json.encode(asked)),
                stdout=answer,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            ) as process,
        ):
            last = _followed(process, check, say)
            answer.seek(0)
            data = answer.read()
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode or not data:
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit {process.returncode}"
        raise Unavailable(
            f"the process that looked at the data ended ({how}); the last it said: {last[:300]}"
        )
    return msgspec.json.decode(data, type=DataReport)


_KEPT = frozenset(
    {"PATH", "LANG", "LC_ALL", "HOME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
)


def _filled(file: Any, data: bytes) -> Any:
    file.write(data)
    file.seek(0)
    return file


def _followed(process: subprocess.Popen[bytes], check: Callable[[], None], say: Callable[[str], None]) -> str:
    """Pass on what it says until it ends; end it if the caller is stopped. Returns the last line."""
    assert process.stderr is not None
    last, begun = "", time.monotonic()
    try:
        for line in process.stderr:
            last = line.decode("utf-8", "replace").strip() or last
            say(last)
            check()
            if time.monotonic() - begun > LONGEST:
                raise Unavailable(
                    f"looking at the data took over {LONGEST:,.0f} seconds; look at a part of them"
                )
        process.wait()
    except BaseException:
        process.kill()
        raise
    return last


def kept_data(report: DataReport) -> dict[str, Any]:
    """The columns of an ended look."""
    document = {
        **report.to_json(),
        "rules": {name: msgspec.to_builtins(rule._asdict()) for name, rule in _rules(report).items()},
    }
    return {
        "outcome": report.outcome.value,
        "counts": report.counts(),
        "files": 1,
        "bytes": report.size,
        "edition": report.edition[:60],
        "sha256": report.sha256 or "",
        "report": zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6),
    }


def _rules(report: DataReport) -> dict[str, Any]:
    known = all_rules()
    return {finding.rule: known[finding.rule] for finding in report.findings if finding.rule in known}


def append_data(
    tx: Tx, instance: Instance, by: By, report: DataReport, subject: str, *, reason: str = ""
) -> tuple[int, str]:
    """Append the statement; returns its leaf and the name it is about.

    Raises InvalidInput if nothing is known under that name, or the bytes are not those it stands for.
    """
    if not report.sha256:
        raise InvalidInput(
            "these data have no digest, so nothing can be said about them; export them to a file first"
        )
    resolved = instance.capability("resolve-subject")(tx.conn, instance, subject)
    name = str(resolved.name) or subject.strip()
    if resolved.sha256 != report.sha256:
        raise InvalidInput(
            f"these data are not those of `{name}`: registered is sha256 {resolved.sha256}, looked at was "
            f"{report.sha256}; look at what is registered, or register what was looked at"
        )
    about = [Subject(name, {"sha256": report.sha256})]
    said = dataset_scanned(report, about, moment=tx.now, by=by, reason=reason, rules=all_rules())
    return tx.append(said), name


def record_data(
    instance: Instance, actor: Actor, report: DataReport, subject: str, *, title: str, reason: str = ""
) -> tuple[str, int]:
    """Keep a report that was made here and put it on record. Returns the scan's id and the leaf."""
    instance.authorizer.require(actor, "scan.record", None)
    scan_id = new_id()
    values = kept_data(report)

    def work(tx: Tx) -> int:
        leaf, name = append_data(tx, instance, By.of(actor), report, subject, reason=reason)
        tx.conn.execute(
            tables.scan.insert().values(
                id=scan_id,
                kind="dataset",
                state="done",
                origin="command",
                title=title[:400],
                place="",
                subject=name[:400],
                asked_at=tx.now,
                asked_by=actor.name[:400],
                asked_json=actor.as_json(),
                reason=reason,
                done_at=tx.now,
                leaf=leaf,
                **values,
            )
        )
        return leaf

    return scan_id, instance.write(work)
