"""What was scanned and what was found. Reads only."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.config import Config
from alcaide.kernel.errors import NotFound
from alcaide.kernel.instance import Instance
from alcaide.kernel.slice import AttentionItem
from alcaide.slices.supply_chain import rules, tables
from alcaide.slices.supply_chain.model import ScanLine, Settings, Watch

PAGE = 50
_LINE = [column for column in tables.scan.c if column.name not in ("report", "asked_json", "watch")]


def settings(instance: Instance) -> Settings:
    """The slice's own settings."""
    return rules.settings(instance.config.section("supply_chain"))


def check_settings(instance: Instance) -> None:
    """Run when an instance opens: a wrong setting stops the start, and not the first scan."""
    settings(instance)


def large_bodies(config: Config) -> dict[str, int]:
    """The one route that takes more than a form does: it writes what it gets to disk, piece by piece."""
    limit = rules.settings(config.section("supply_chain")).max_upload_mib << 20
    return {"/api/v1/scans/uploads": max(limit, config.max_upload_mib << 20)}


def scans(
    conn: Connection,
    *,
    outcome: str = "",
    kind: str = "",
    q: str = "",
    subject: str = "",
    limit: int = PAGE,
    cursor: str = "",
) -> tuple[list[ScanLine], str, int]:
    """Scans, newest first: a page of them, where the next one begins, and how many there are."""
    table = tables.scan
    wanted: list[sa.ColumnElement[bool]] = []
    if outcome:
        wanted.append(
            table.c.outcome == outcome if outcome != "waiting" else table.c.state.in_(("waiting", "running"))
        )
    if kind:
        wanted.append(table.c.kind == kind)
    if subject:
        wanted.append(table.c.subject == subject)
    if q.strip():
        like = "%" + q.strip()[:200].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        wanted.append(
            sa.or_(
                table.c.title.ilike(like, escape="\\"),
                table.c.subject.ilike(like, escape="\\"),
                table.c.sha256 == q.strip().removeprefix("sha256:").lower(),
            )
        )
    total = conn.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one()
    if cursor:
        # Ids are made in the order of time: the id alone is the place in the list.
        wanted.append(table.c.id < cursor[:26])
    rows = conn.execute(sa.select(*_LINE).where(*wanted).order_by(table.c.id.desc()).limit(limit + 1)).all()
    lines = [_line(row) for row in rows[:limit]]
    return lines, (lines[-1].id if len(rows) > limit else ""), total


def scan(conn: Connection, scan_id: str) -> ScanLine:
    """One scan. Raises NotFound."""
    row = conn.execute(sa.select(*_LINE).where(tables.scan.c.id == scan_id[:26])).one_or_none()
    if row is None:
        raise NotFound(f"there is no scan `{scan_id[:40]}`; it may have been deleted, see the list of scans")
    return _line(row)


def report(conn: Connection, scan_id: str) -> dict[str, Any] | None:
    """What a scan found, as `report_json` gives it; None while it has not ended."""
    packed = conn.execute(
        sa.select(tables.scan.c.report).where(tables.scan.c.id == scan_id[:26])
    ).scalar_one_or_none()
    if packed is None:
        return None
    found: dict[str, Any] = json.loads(zlib.decompress(packed))
    return found


def asked(conn: Connection, scan_id: str) -> Mapping[str, str]:
    """Who asked for a scan, as an actor's JSON."""
    found = conn.execute(sa.select(tables.scan.c.asked_json).where(tables.scan.c.id == scan_id)).scalar_one()
    return dict(found)


def newest_about(conn: Connection, digests: Sequence[str]) -> dict[str, ScanLine]:
    """The newest ended scan of each of these digests."""
    if not digests:
        return {}
    table = tables.scan
    rows = conn.execute(
        sa.select(*_LINE)
        .where(table.c.sha256.in_(list(digests)[:500]), table.c.state == "done")
        .order_by(table.c.id)
    ).all()
    return {row.sha256: _line(row) for row in rows}


def watches(conn: Connection) -> list[Watch]:
    """The watched places, by name."""
    counted = (
        sa.select(tables.watched.c.watch, sa.func.count().label("entries"))
        .group_by(tables.watched.c.watch)
        .subquery()
    )
    rows = conn.execute(
        sa.select(tables.watch, sa.func.coalesce(counted.c.entries, 0).label("entries"))
        .join(counted, counted.c.watch == tables.watch.c.id, isouter=True)
        .order_by(tables.watch.c.name)
    ).all()
    return [
        Watch(
            row.id,
            row.name,
            row.kind,
            row.path,
            row.every_minutes,
            row.added_at,
            row.added_by,
            row.last_at,
            row.problem,
            row.entries,
        )
        for row in rows
    ]


def seen(conn: Connection, watch_id: str) -> dict[str, str]:
    """What was last scanned in a watched place: fingerprints by entry."""
    table = tables.watched
    rows = conn.execute(sa.select(table.c.entry, table.c.fingerprint).where(table.c.watch == watch_id)).all()
    return {row.entry: row.fingerprint for row in rows}


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """Scans that failed or could not look at everything, of the last week; places that cannot be read."""
    if not instance.authorizer.decide(actor, "scan.view", None).allowed:
        return []
    table = tables.scan
    items: list[AttentionItem] = []
    rows = conn.execute(
        sa.select(table.c.id, table.c.title, table.c.outcome, table.c.state, table.c.done_at, table.c.problem)
        .where(
            table.c.done_at >= now - timedelta(days=7),
            sa.or_(table.c.outcome.in_(("failed", "unknown")), table.c.state == "failed"),
        )
        .order_by(table.c.id.desc())
        .limit(20)
    ).all()
    for row in rows:
        failed = row.outcome == "failed"
        items.append(
            AttentionItem(
                "failed" if failed else "unknown",
                f"The scan of `{row.title}` {'found something' if failed else 'could not look at everything'}",
                row.problem
                or (
                    "it acts when loaded or used, or breaks its format"
                    if failed
                    else "what was not looked at can hold anything"
                ),
                f"/scans/{row.id}",
                row.done_at,
            )
        )
    items += [
        AttentionItem(
            "unknown",
            f"What is watched as `{watch.name}` cannot be read",
            watch.problem,
            "/scans/watches",
            watch.last_at,
        )
        for watch in watches(conn)
        if watch.problem
    ]
    return items


def _line(row: Any) -> ScanLine:
    return ScanLine(
        row.id, row.kind, row.state, row.origin, row.title, row.place, row.subject, row.sha256, row.outcome,
        dict(row.counts), row.files, row.bytes, row.edition, row.asked_at, row.asked_by, row.done_at, row.problem,
        row.leaf, row.job, row.reason, row.source,
    )  # fmt: skip
