"""Places whose models are scanned when they appear or change: folders, caches, layouts, registries, stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.errors import AlcaideError, Conflict, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.jobs import JobContext
from alcaide.slices.supply_chain import queries, rules, tables
from alcaide.slices.supply_chain.model import Entry, SourceKind, Watch
from alcaide.slices.supply_chain.service.asking import ask
from alcaide.slices.supply_chain.service.sources import SOURCES

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance


def add_watch(
    instance: Instance,
    actor: Actor,
    name: str,
    path: str,
    *,
    kind: SourceKind = "folder",
    every_minutes: int = 15,
) -> str:
    """Watch a place: each of its entries (which those are is the kind's to say) is scanned when it appears or changes.

    Raises InvalidInput with the fields at fault, Conflict if the name is taken.
    """
    instance.authorizer.require(actor, "scan.watch", None)
    cleaned = rules.check_watch(name, every_minutes)
    place = SOURCES[kind].place(instance, path)
    watch_id = new_id()
    with instance.db.transaction() as conn:
        if conn.execute(sa.select(tables.watch.c.id).where(tables.watch.c.name == cleaned)).first():
            raise Conflict(f"a watch named `{cleaned}` exists already; choose another name")
        conn.execute(
            tables.watch.insert().values(
                id=watch_id,
                name=cleaned,
                kind=kind,
                path=place,
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
    """Ask for a scan of whatever is new or changed in the watched places whose time has come."""
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
            entries.extend(SOURCES[watch.kind].entries(instance, watch.path, ctx.check))
        except (AlcaideError, OSError) as error:
            # What was met before is scanned all the same.
            problem = str(error)[:2_000]
        asked += _ask_for_changed(instance, actor, watch, entries, problem)
    return {"watches": len(watches), "asked": asked}


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
                entry.place,
                "",
                f"watched as {watch.name}",
                source=watch.kind,
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
