"""Folders on the server whose models are scanned when they appear or change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import JobContext
from alcaide.slices.supply_chain import queries, rules, tables
from alcaide.slices.supply_chain.model import Entry, Watch
from alcaide.slices.supply_chain.service.asking import ask, readable

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance


def add_watch(instance: Instance, actor: Actor, name: str, path: str, *, every_minutes: int = 15) -> str:
    """Watch a folder: each file and folder directly in it is scanned when it appears or changes.

    Raises InvalidInput with the fields at fault, Conflict if the name is taken.
    """
    instance.authorizer.require(actor, "scan.watch", None)
    cleaned = rules.check_watch(name, every_minutes)
    real = readable(instance, path)
    if not Path(real).is_dir():
        raise InvalidInput(
            f"`{path[:200]}` is not a folder", {"path": "is a file; give the folder it lies in"}
        )
    watch_id = new_id()
    with instance.db.transaction() as conn:
        if conn.execute(sa.select(tables.watch.c.id).where(tables.watch.c.name == cleaned)).first():
            raise Conflict(f"a watch named `{cleaned}` exists already; choose another name")
        conn.execute(
            tables.watch.insert().values(
                id=watch_id,
                name=cleaned,
                path=real,
                every_minutes=every_minutes,
                added_at=instance.clock(),
                added_by=actor.name[:400],
            )
        )
    return watch_id


def remove_watch(instance: Instance, actor: Actor, watch_id: str) -> None:
    """Stop watching; scans that were made stay. Raises NotFound."""
    instance.authorizer.require(actor, "scan.watch", None)
    with instance.db.transaction() as conn:
        gone = conn.execute(tables.watch.delete().where(tables.watch.c.id == watch_id[:26])).rowcount
        if not gone:
            raise NotFound("there is no such watch; it was removed already")
        conn.execute(tables.watched.delete().where(tables.watched.c.watch == watch_id[:26]))


def look_into_watches(ctx: JobContext) -> dict[str, Any]:
    """Ask for a scan of whatever is new or changed in the watched folders whose time has come."""
    instance: Instance = ctx.instance
    actor = system_actor("supply-chain", "Alcaide")
    asked = 0
    with instance.read() as conn:
        watches = [watch for watch in queries.watches(conn) if rules.due(watch, instance.clock())]
    for watch in watches:
        ctx.check()
        problem = ""
        entries: list[Entry] = []
        try:
            entries = list(_entries(readable(instance, watch.path), ctx.check))
        except (InvalidInput, OSError) as error:
            problem = str(error)[:2_000]
        asked += _ask_for_changed(instance, actor, watch, entries, problem)
    return {"watches": len(watches), "asked": asked}


def _entries(folder: str, check: Callable[[], None]) -> Iterable[Entry]:
    """What lies directly in a folder, each with a fingerprint of everything below it."""
    for child in sorted(os.scandir(folder), key=lambda one: one.name):
        check()
        if child.name.startswith(".") or child.is_symlink():
            continue
        if child.is_file(follow_symlinks=False):
            about = child.stat(follow_symlinks=False)
            yield Entry(child.name[:400], rules.fingerprint([("", about.st_size, about.st_mtime_ns)]))
        elif child.is_dir(follow_symlinks=False):
            yield Entry(child.name[:400], rules.fingerprint(_listing(child.path)))


def _listing(folder: str) -> Iterable[tuple[str, int, int]]:
    for base, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                about = Path(base, name).lstat()
                yield f"{base}/{name}", about.st_size, about.st_mtime_ns


def _ask_for_changed(
    instance: Instance, actor: Actor, watch: Watch, entries: Sequence[Entry], problem: str
) -> int:
    """Queue the changed ones and remember all, in one transaction: a killed worker asks twice for nothing."""
    with instance.db.transaction() as conn:
        now = instance.clock()
        conn.execute(
            tables.watch.update().where(tables.watch.c.id == watch.id).values(last_at=now, problem=problem)
        )
        wanted = rules.changed(entries, queries.seen(conn, watch.id))
        for entry in wanted:
            scan_id = ask(
                instance,
                actor,
                new_id(),
                "artifact",
                "watch",
                f"{watch.name}/{entry.name}",
                f"{watch.path}/{entry.name}",
                "",
                f"watched folder {watch.name}",
                watch=watch.id,
                with_conn=conn,
            )
            conn.execute(
                tables.watched.delete().where(
                    tables.watched.c.watch == watch.id, tables.watched.c.entry == entry.name
                )
            )
            conn.execute(
                tables.watched.insert().values(
                    watch=watch.id, entry=entry.name, fingerprint=entry.fingerprint, scan=scan_id, seen_at=now
                )
            )
    return len(wanted)
