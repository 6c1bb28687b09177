"""What people ask for: a scan of an upload or of something on the server, once more, or no longer."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import enqueue, store
from alcaide.slices.supply_chain import queries, tables
from alcaide.slices.supply_chain.model import SCAN_JOB, UNFINISHED, Kind, Origin, SourceKind
from alcaide.slices.supply_chain.service.sources.disk import readable
from alcaide.slices.supply_chain.service.uploads import Quarantined

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance

MAX_REASON = 2_000


def scan_upload(
    instance: Instance,
    actor: Actor,
    upload: Quarantined,
    *,
    subject: str = "",
    kind: Kind = "artifact",
    reason: str = "",
) -> str:
    """Have an upload scanned; it is deleted once it was. Returns the scan's id.

    Raises InvalidInput for an empty file or an unknown subject; the upload is then dropped.
    """
    upload.done()
    try:
        instance.authorizer.require(actor, "scan.run", None)
        if upload.size == 0:
            raise InvalidInput("the file is empty", {"file": "is empty; choose another"})
        known = _subject(instance, actor, subject)
        return ask(instance, actor, upload.id, kind, "upload", upload.name, str(upload.path), known, reason)
    except BaseException:
        upload.drop()
        raise


def scan_folder(
    instance: Instance,
    actor: Actor,
    path: str,
    *,
    subject: str = "",
    kind: Kind = "artifact",
    reason: str = "",
) -> str:
    """Have a file or folder scanned that lies on the server. Returns the scan's id.

    Raises InvalidInput if it lies in no folder that may be scanned (`supply_chain.folders`), or is not there.
    """
    instance.authorizer.require(actor, "scan.run", None)
    real = readable(instance, path)
    known = _subject(instance, actor, subject)
    return ask(instance, actor, new_id(), kind, "folder", Path(real).name or real, real, known, reason)


def _subject(instance: Instance, actor: Actor, text: str) -> str:
    """What a scan is to be put on record about, if anything is known under that name; empty if it is not to be."""
    wanted = text.strip()
    if wanted:
        instance.authorizer.require(actor, "scan.record", None)
        with instance.read() as conn:
            instance.capability("resolve-subject")(conn, instance, wanted)
    return wanted


def ask(
    instance: Instance,
    actor: Actor,
    scan_id: str,
    kind: Kind,
    origin: Origin,
    title: str,
    place: str,
    subject: str,
    reason: str,
    *,
    source: SourceKind = "folder",
    watch: str = "",
    with_conn: Connection | None = None,
) -> str:
    """Put a scan into the queue, with its job, in one transaction."""
    if len(reason) > MAX_REASON:
        raise InvalidInput("the reason is too long", {"reason": f"has more than {MAX_REASON:,} characters"})

    def work(conn: Connection) -> None:
        now = instance.clock()
        job = enqueue(conn, now, SCAN_JOB, {"scan": scan_id, "subject": subject})
        conn.execute(
            tables.scan.insert().values(
                id=scan_id,
                kind=kind,
                state="waiting",
                origin=origin,
                title=title[:400],
                place=place,
                subject=subject.partition("=sha256:")[0][:400],
                counts={},
                asked_at=now,
                asked_by=actor.name[:400],
                asked_json=actor.as_json(),
                reason=" ".join(reason.split()),
                job=job,
                watch=watch,
                source=source,
            )
        )

    if with_conn is not None:
        work(with_conn)
    else:
        with instance.db.transaction() as conn:
            work(conn)
    return scan_id


def scan_again(instance: Instance, actor: Actor, scan_id: str) -> str:
    """Scan the same place once more. Raises Conflict for an upload, whose bytes are gone."""
    instance.authorizer.require(actor, "scan.run", None)
    with instance.read() as conn:
        line = queries.scan(conn, scan_id)
    if line.origin not in ("folder", "watch"):
        raise Conflict("the bytes of this scan are not kept; upload the file again to scan it again")
    if line.source == "folder":
        return scan_folder(instance, actor, line.place, subject=line.subject, kind=line.kind)
    known = _subject(instance, actor, line.subject)
    # Whether the place may still be read is asked again when it is.
    return ask(
        instance,
        actor,
        new_id(),
        line.kind,
        line.origin,
        line.title,
        line.place,
        known,
        "",
        source=line.source,
    )


def cancel_scan(instance: Instance, actor: Actor, scan_id: str) -> None:
    """Stop a scan that waits or runs. Raises Conflict once it has ended."""
    instance.authorizer.require(actor, "scan.run", None)
    with instance.db.transaction() as conn:
        line = queries.scan(conn, scan_id)
        if line.state not in UNFINISHED:
            raise Conflict(f"the scan has ended already, {line.outcome or line.state}")
        with suppress(Conflict, NotFound):
            store.cancel(conn, instance.clock(), line.job)
        conn.execute(
            tables.scan.update()
            .where(tables.scan.c.id == scan_id)
            .values(state="cancelled", done_at=instance.clock(), problem=f"stopped by {actor.name}"[:400])
        )
    if line.origin == "upload":
        shutil.rmtree(Path(line.place).parent, ignore_errors=True)
