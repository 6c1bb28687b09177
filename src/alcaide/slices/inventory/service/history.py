"""What the ledger says happened to an entry of the register: who, when, why, and which fields.

Read from evidence and not from a table beside it, so that the history on the page is the one that can be proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from alcaide.predicates.changed import Changed
from alcaide.predicates.registered import Registered
from alcaide.predicates.retired import Retired
from alcaide.slices.inventory.model import Change

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.policy.view import Record

TYPES = (Registered.TYPE, Changed.TYPE, Retired.TYPE)
_TITLES = {Registered.TYPE: "Registered", Changed.TYPE: "Changed", Retired.TYPE: "Retired"}
_ICONS = {Registered.TYPE: "plus", Changed.TYPE: "pencil", Retired.TYPE: "archive"}
MAX_ENTRIES = 500


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One Statement about the entry. `leaf` is where it stands in the log."""

    leaf: int
    at: datetime
    title: str
    icon: str
    subject: str
    actor: str
    reason: str
    via: str
    digest: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """Newest first. `complete` is False where the ledger could not show that nothing is missing."""

    entries: tuple[Entry, ...]
    complete: bool
    why_incomplete: str
    total: int


def history(
    instance: Instance, conn: Connection, subjects: Iterable[str], *, limit: int = MAX_ENTRIES
) -> History:
    """The history of some subjects together, such as a component and all its versions."""
    view = instance.view(conn, {f"name:{subject}" for subject in subjects}, TYPES)
    wanted = [record for record in view.records if record.predicate_type in TYPES and not record.foreign]
    newest = list(reversed(wanted))[:limit]
    return History(
        entries=tuple(_entry(record) for record in newest),
        complete=view.complete,
        why_incomplete=view.why_incomplete or "",
        total=len(wanted),
    )


def history_json(entry: Entry) -> dict[str, Any]:
    """An entry as API and command line show it."""
    return {
        "leaf": entry.leaf,
        "at": entry.at.isoformat(),
        "what": entry.title.lower(),
        "subject": entry.subject,
        "by": entry.actor,
        "reason": entry.reason,
        "via": entry.via,
        "digest": entry.digest,
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in entry.changes],
    }


def _entry(record: Record) -> Entry:
    predicate = record.statement.predicate
    by = predicate.get("by")
    changes = predicate.get("fields") if record.predicate_type == Changed.TYPE else ()
    subject = record.statement.subjects[0]
    return Entry(
        leaf=record.index,
        at=record.recorded_at,
        title=_TITLES[record.predicate_type],
        icon=_ICONS[record.predicate_type],
        subject=subject.name,
        actor=str(by.get("name") or by.get("id") or "") if isinstance(by, dict) else "",
        reason=str(predicate.get("reason") or ""),
        via=str(predicate.get("via") or ""),
        digest=subject.sha256 or "",
        changes=tuple(
            Change(str(one.get("field", "")), one.get("before"), one.get("after"))
            for one in changes or ()
            if isinstance(one, dict)
        ),
    )
