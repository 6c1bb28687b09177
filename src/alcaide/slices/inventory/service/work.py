"""What every write shares: the version check, the new digest, the Statement.

A write to a system is always the same three steps: read the system whole, change its tables, and `record` the
changes, which reads it whole again. The digest in the row and in the Statement therefore comes from what is stored
and not from what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.base import By, at
from alcaide.predicates.changed import Changed, FieldChange
from alcaide.predicates.registered import Registered
from alcaide.predicates.retired import Retired
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import Change, Status, SystemDetail
from alcaide.slices.inventory.rules.describe import graph_of, system_json


@dataclass(frozen=True, kw_only=True)
class Saying:
    """Who writes, why, and through which door (`page`, `api`, `cli`, `csv`, `alcaide.yaml`, `bom`, `intake`)."""

    actor: Actor
    reason: str = ""
    via: str = ""


class EditConflict(Conflict):
    """Somebody else changed the entry in between. Holds both sides, for a page or a client to show."""

    code = "edit-conflict"

    def __init__(self, what: str, *, expected: int, found: int, current: Mapping[str, Any]) -> None:
        super().__init__(
            f"{what} was changed meanwhile: you edited version {expected}, it is now version {found}. "
            "Compare the two and save again"
        )
        self.expected = expected
        self.found = found
        self.current = dict(current)


def check_version(what: str, expected: int | None, found: int, current: Mapping[str, Any]) -> None:
    """Refuse an edit made from an older version. None is for callers that mean to set a state whatever it was."""
    if expected is not None and expected != found:
        raise EditConflict(what, expected=expected, found=found, current=current)


def open_system(tx: Tx, name: str, expected: int | None) -> SystemDetail:
    """The system whole, if it may be changed. Raises NotFound, EditConflict, or Conflict if it is retired."""
    detail = queries.system_detail(tx.conn, name)
    system = detail.system
    check_version(f"system `{name}`", expected, system.version, _conflict_view(detail))
    if system.fields.status is Status.RETIRED:
        raise Conflict(f"system `{name}` is retired; edit its status first to bring it back into use")
    return detail


def record_registered(tx: Tx, name: str, saying: Saying) -> SystemDetail:
    """Give a new system its digest and say that it is there."""
    detail = refresh(tx, name, saying, version=1)
    tx.append(registered_statement(tx, detail, saying))
    return detail


def registered_statement(tx: Tx, detail: SystemDetail, saying: Saying) -> Statement:
    """The Statement that a system is in the register, with the very description its digest is of."""
    graph = graph_of(detail)
    description = graph.canonical_description()
    return Registered(
        at=at(tx.now), by=By.of(saying.actor), reason=saying.reason, description=description, via=saying.via
    ).about([Subject(graph.subject_name, {"sha256": detail.system.digest})])


def record_changed(tx: Tx, before: SystemDetail, changes: Sequence[Change], saying: Saying) -> SystemDetail:
    """Count the change, renew the digest and say what differs. Without a difference nothing is written or said."""
    if not changes:
        return before
    detail = refresh(tx, before.system.name, saying, version=before.system.version + 1)
    tx.append(
        changed_statement(
            tx,
            graph_of(detail).subject,
            changes,
            saying,
            digest_before=before.system.digest,
            digest_after=detail.system.digest,
        )
    )
    return detail


def record_retired(tx: Tx, before: SystemDetail, saying: Saying) -> SystemDetail:
    """Count the change and say that the system is out of use."""
    detail = refresh(tx, before.system.name, saying, version=before.system.version + 1)
    statement = Retired(
        at=at(tx.now),
        by=By.of(saying.actor),
        reason=saying.reason,
        digest_before=before.system.digest,
        via=saying.via,
    ).about([graph_of(detail).subject])
    tx.append(statement)
    return detail


def refresh(tx: Tx, name: str, saying: Saying, *, version: int) -> SystemDetail:
    """Bring what is derived up to date: digest, counts, version, time and author. Says nothing by itself."""
    detail = queries.system_detail(tx.conn, name)
    digest = graph_of(detail).digest
    values: dict[str, Any] = {
        "digest": digest,
        "component_count": len(detail.components),
        "version": version,
        "updated_at": tx.now,
        "updated_by": saying.actor.name[:200],
    }
    tx.conn.execute(sa.update(t.system).where(t.system.c.id == detail.system.id).values(**values))
    return replace(detail, system=replace(detail.system, **values))


def changed_statement(
    tx: Tx,
    subject: Subject,
    changes: Iterable[Change],
    saying: Saying,
    *,
    digest_before: str,
    digest_after: str,
    digest_of: str = "description",
) -> Statement:
    """The Statement that a subject differs from what it was, in these fields."""
    return Changed(
        at=at(tx.now),
        by=By.of(saying.actor),
        reason=saying.reason,
        fields=tuple(FieldChange(field=c.field, before=c.before, after=c.after) for c in changes),
        digest_before=digest_before,
        digest_after=digest_after,
        digest_of=digest_of,
        via=saying.via,
    ).about([subject])


def _conflict_view(detail: SystemDetail) -> dict[str, Any]:
    return system_json(detail.system.fields) | {
        "version": detail.system.version,
        "updated_by": detail.system.updated_by,
    }
