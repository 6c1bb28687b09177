"""Systems: register, edit, retire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import Stage, Status, System, SystemDetail, SystemFields
from alcaide.slices.inventory.rules.describe import (
    field_changes,
    graph_of,
    keys_text,
    search_text,
    system_json,
)
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service.work import (
    Saying,
    changed_statement,
    check_version,
    record_changed,
    record_registered,
    record_retired,
    registered_statement,
)


def register_system(
    tx: Tx, fields: SystemFields, *, actor: Actor, reason: str = "", via: str = "", announce: bool = True
) -> SystemDetail:
    """Enter a system into the register. Raises Conflict if the name is taken.

    With `announce=False` nothing is said yet: the caller adds parts in the same work and then calls
    `record_registered` itself, so that the first Statement shows the system whole.
    """
    if fields.status is Status.RETIRED:
        raise InvalidInput(
            "a new system cannot be retired already; register it as `active` and retire it",
            {"status": "retired"},
        )
    if queries.find_system(tx.conn, fields.name) is not None:
        raise Conflict(f"there is a system `{fields.name}` already; choose another name, or edit that one")
    insert_system(tx, fields, actor=actor)
    if not announce:
        return queries.system_detail(tx.conn, fields.name)
    return record_registered(tx, fields.name, Saying(actor=actor, reason=checked_reason(reason), via=via))


def edit_system(
    tx: Tx,
    name: str,
    fields: SystemFields,
    *,
    expected: int | None,
    actor: Actor,
    reason: str = "",
    via: str = "",
) -> SystemDetail:
    """Set the fields of a system. `expected` is the version the edit was made from.

    Raises EditConflict with the current state if somebody else came first. An edit that changes nothing is not
    recorded. A retired system is brought back by an edit that gives it another status, and by nothing else.
    """
    saying = Saying(actor=actor, reason=checked_reason(reason), via=via)
    before = queries.system_detail(tx.conn, name)
    system = before.system
    check_version(
        f"system `{name}`",
        expected,
        system.version,
        system_json(system.fields) | {"version": system.version, "updated_by": system.updated_by},
    )
    fields = replace(fields, name=system.name)
    was_retired = system.fields.status is Status.RETIRED
    if was_retired and fields.status is Status.RETIRED:
        raise Conflict(f"system `{name}` is retired; give it another status to bring it back into use")
    if fields.status is Status.RETIRED:
        raise InvalidInput(
            f"system `{name}` is retired by `retire`, which asks for a reason", {"status": "use retire"}
        )
    update_fields(tx, system.id, fields)
    if was_retired:
        tx.conn.execute(sa.update(t.system).where(t.system.c.id == system.id).values(retired_at=None))
    return record_changed(tx, before, field_changes(system_json(system.fields), system_json(fields)), saying)


def retire_system(
    tx: Tx, name: str, *, actor: Actor, reason: str, expected: int | None = None, via: str = ""
) -> SystemDetail:
    """Take a system out of use: end its deployments and say why. Retiring twice is a Conflict."""
    text = checked_reason(reason, needed="is missing; say why the system is retired")
    before = queries.system_detail(tx.conn, name)
    system = before.system
    check_version(
        f"system `{name}`", expected, system.version, system_json(system.fields) | {"version": system.version}
    )
    if system.fields.status is Status.RETIRED:
        raise Conflict(f"system `{name}` is retired already; its history says by whom and why")
    d = t.deployment.c
    tx.conn.execute(
        sa.update(t.deployment).where(d.system_id == system.id, d.ended_at.is_(None)).values(ended_at=tx.now)
    )
    tx.conn.execute(
        sa.update(t.system)
        .where(t.system.c.id == system.id)
        .values(status=str(Status.RETIRED), retired_at=tx.now)
    )
    return record_retired(tx, before, Saying(actor=actor, reason=text, via=via))


def record_stage(tx: Tx, name: str, stage: str) -> None:
    """Remember the stage of a system, for lists and filters: the `record-stage` capability.

    The Statement that the system passed a gate is the caller's; this is a copy of what it says, and so says nothing
    itself and leaves version and digest alone.
    """
    system = queries.get_system(tx.conn, name.removeprefix("system:"))
    tx.conn.execute(sa.update(t.system).where(t.system.c.id == system.id).values(stage=str(Stage(stage))))


def register_many(tx: Tx, many: Sequence[SystemFields], saying: Saying) -> None:
    """Enter systems that are not there yet and have no parts: one statement a chunk, one Statement each.

    The caller has looked, in this work, that none of the names is taken. What a new system is made of is known to
    be nothing, so its digest needs no reading back; a file of 50,000 rows would otherwise hold the log for minutes.
    """
    details = [_new(tx, fields, saying) for fields in many]
    rows = [
        {
            "id": detail.system.id,
            "name": detail.system.name,
            "stage": str(Stage.DESIGN),
            "digest": detail.system.digest,
            "version": 1,
            "created_at": tx.now,
            "updated_at": tx.now,
            "updated_by": detail.system.updated_by,
            **_columns(detail.system.fields),
        }
        for detail in details
    ]
    if rows:
        tx.conn.execute(sa.insert(t.system), rows)
    for detail in details:
        tx.append(registered_statement(tx, detail, saying))


def edit_many(tx: Tx, wanted: Mapping[str, SystemFields], saying: Saying) -> None:
    """Set the fields of systems that are in use, whatever version they are at. Those that do not differ are left."""
    known = queries.systems_named(tx.conn, wanted)
    rows: list[dict[str, Any]] = []
    for before in queries.system_details(tx.conn, [system.id for system in known.values()]):
        system = before.system
        fields = replace(wanted[system.name], name=system.name)
        changes = field_changes(system_json(system.fields), system_json(fields))
        if not changes:
            continue
        after = replace(before, system=replace(system, fields=fields))
        subject = graph_of(after).subject
        rows.append(
            {
                "b_id": system.id,
                "digest": subject.sha256,
                "version": system.version + 1,
                "updated_at": tx.now,
                "updated_by": saying.actor.name[:200],
                **_columns(fields),
            }
        )
        tx.append(
            changed_statement(
                tx, subject, changes, saying, digest_before=system.digest, digest_after=subject.sha256 or ""
            )
        )
    if rows:
        tx.conn.execute(sa.update(t.system).where(t.system.c.id == sa.bindparam("b_id")), rows)


def _new(tx: Tx, fields: SystemFields, saying: Saying) -> SystemDetail:
    system = System(
        id=new_id(),
        fields=fields,
        stage=Stage.DESIGN,
        version=1,
        digest="",
        created_at=tx.now,
        updated_at=tx.now,
        updated_by=saying.actor.name[:200],
        retired_at=None,
    )
    detail = SystemDetail(system=system, components=(), flows=(), environments=(), deployments=())
    return replace(detail, system=replace(system, digest=graph_of(detail).digest))


def insert_system(tx: Tx, fields: SystemFields, *, actor: Actor) -> str:
    """The row alone, without its evidence. INVARIANT: `record_registered` follows in the same work."""
    system_id = new_id()
    tx.conn.execute(
        sa.insert(t.system).values(
            id=system_id,
            name=fields.name,
            stage=str(Stage.DESIGN),
            digest="",
            version=1,
            created_at=tx.now,
            updated_at=tx.now,
            updated_by=actor.name[:200],
            **_columns(fields),
        )
    )
    return system_id


def update_fields(tx: Tx, system_id: str, fields: SystemFields) -> None:
    """The columns alone, without evidence. INVARIANT: `record_changed` follows in the same work."""
    tx.conn.execute(sa.update(t.system).where(t.system.c.id == system_id).values(**_columns(fields)))


def _columns(fields: SystemFields) -> dict[str, Any]:
    return {
        "title": fields.title,
        "title_key": fields.title.casefold()[:200],
        "purpose": fields.purpose,
        "owner": fields.owner,
        "deputy": fields.deputy,
        "unit": fields.unit,
        "role": str(fields.role),
        "users_affected": fields.users_affected,
        "autonomy": str(fields.autonomy),
        "exposure": str(fields.exposure),
        "regions": list(fields.regions),
        "region_keys": keys_text(fields.regions),
        "status": str(fields.status),
        "tags": list(fields.tags),
        "tag_keys": keys_text(fields.tags),
        "search": search_text(
            fields.name, fields.title, fields.purpose, fields.owner, fields.deputy, fields.unit, fields.tags
        ),
    }
