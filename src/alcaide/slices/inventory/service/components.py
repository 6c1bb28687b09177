"""Components and their versions. A component may be part of many systems; a change to a version reaches them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import Conflict
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.base import By, at
from alcaide.predicates.registered import Registered
from alcaide.predicates.retired import Retired
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import (
    Change,
    Component,
    ComponentFields,
    Version,
    VersionFields,
)
from alcaide.slices.inventory.rules.describe import (
    component_description,
    component_digest,
    component_json,
    field_changes,
    list_change,
    search_text,
    version_description,
    version_identity,
    version_json,
)
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service.work import Saying, changed_statement, check_version, record_changed


def register_component(
    tx: Tx, fields: ComponentFields, first: VersionFields, *, actor: Actor, reason: str = "", via: str = ""
) -> Version:
    """Enter a component with its first version. Raises Conflict if kind and name are taken."""
    if queries.find_component(tx.conn, fields.kind, fields.name) is not None:
        raise Conflict(
            f"there is a component `{fields.kind}:{fields.name}` already; add a version to that one"
        )
    saying = Saying(actor=actor, reason=checked_reason(reason), via=via)
    return register_many(tx, [(fields, first)], saying)[0]


def register_many(
    tx: Tx, many: Sequence[tuple[ComponentFields, VersionFields]], saying: Saying
) -> list[Version]:
    """Enter components that are not there yet, each with its first version, in two statements.

    The caller has looked, in this work, that none of them is there, and names none twice.
    """
    made: list[Version] = []
    components: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    for fields, first in many:
        component_id = new_id()
        version = _new_version(tx, component_id, fields, first)
        made.append(version)
        components.append(
            {
                "id": component_id,
                "kind": str(fields.kind),
                "name": fields.name,
                "name_key": fields.name.casefold()[:200],
                "latest": first.version,
                "version_count": 1,
                "undigested": int(version.described),
                "version": 1,
                "created_at": tx.now,
                "updated_at": tx.now,
                "updated_by": saying.actor.name[:200],
                **_columns(fields),
            }
        )
        versions.append(_version_row(tx, version))
    if made:
        tx.conn.execute(sa.insert(t.component), components)
        tx.conn.execute(sa.insert(t.component_version), versions)
    for version, (fields, _) in zip(made, many, strict=True):
        tx.append(_registered(tx, version, fields, saying))
    return made


def add_version(
    tx: Tx, component_id: str, fields: VersionFields, *, actor: Actor, reason: str = "", via: str = ""
) -> Version:
    """Add a version to a component. Raises Conflict if the component has one of that label, or is retired."""
    component = queries.get_component(tx.conn, component_id)
    if component.retired_at is not None:
        raise Conflict(f"component `{component.subject}` is retired; register a new one")
    if queries.find_version(tx.conn, component.kind, component.name, fields.version) is not None:
        raise Conflict(
            f"there is a version `{component.subject}@{fields.version}` already; choose another label"
        )
    saying = Saying(actor=actor, reason=checked_reason(reason), via=via)
    return _insert_version(tx, component_id, component.fields, fields, saying)


def edit_component(
    tx: Tx,
    component_id: str,
    fields: ComponentFields,
    *,
    expected: int | None,
    actor: Actor,
    reason: str = "",
    via: str = "",
) -> Component:
    """Set what is said about a component. Kind and name stay: they are how evidence refers to it."""
    before = queries.get_component(tx.conn, component_id)
    fields = replace(fields, kind=before.kind, name=before.name)
    check_version(
        f"component `{before.subject}`",
        expected,
        before.version,
        component_json(before.fields) | {"version": before.version},
    )
    changes = field_changes(component_json(before.fields), component_json(fields))
    if not changes:
        return before
    values = _columns(fields) | {
        "version": before.version + 1,
        "updated_at": tx.now,
        "updated_by": actor.name[:200],
    }
    tx.conn.execute(sa.update(t.component).where(t.component.c.id == component_id).values(**values))
    tx.append(
        changed_statement(
            tx,
            Subject.described(before.subject, component_description(fields)),
            changes,
            Saying(actor=actor, reason=checked_reason(reason), via=via),
            digest_before=component_digest(before.fields),
            digest_after=component_digest(fields),
        )
    )
    return queries.get_component(tx.conn, component_id)


def edit_version(
    tx: Tx,
    version_id: str,
    fields: VersionFields,
    *,
    expected: int | None,
    actor: Actor,
    reason: str = "",
    via: str = "",
) -> Version:
    """Correct what is said about a version. Its label stays.

    If the digest of the version changes by this, so does that of every system using it: each gets its own
    `changed`, so that whatever was approved for the old digest no longer matches, in each of them.
    """
    before = queries.get_version(tx.conn, version_id)
    fields = replace(fields, version=before.fields.version)
    check_version(
        f"version `{before.subject}`",
        expected,
        before.row_version,
        version_json(before.fields) | {"row_version": before.row_version},
    )
    changes = field_changes(version_json(before.fields), version_json(fields))
    if not changes:
        return before
    saying = Saying(actor=actor, reason=checked_reason(reason), via=via)
    identity = version_identity(before.kind, before.name, fields)
    users = (
        queries.system_details(tx.conn, queries.system_ids_using(tx.conn, version_id))
        if identity != before.identity
        else []
    )
    tx.conn.execute(
        sa.update(t.component_version)
        .where(t.component_version.c.id == version_id)
        .values(
            **_version_columns(fields), identity=identity, version=before.row_version + 1, updated_at=tx.now
        )
    )
    _recount(tx, before.component_id)
    after = replace(before, fields=fields, identity=identity, row_version=before.row_version + 1)
    tx.append(
        changed_statement(
            tx,
            _subject(after),
            changes,
            saying,
            digest_before=before.identity,
            digest_after=identity,
            digest_of=_digest_of(after),
        )
    )
    for system in users:
        change = list_change("components", [_pin(before)], [_pin(after)])
        record_changed(tx, system, [change], saying)
    return after


def retire_version(tx: Tx, version_id: str, *, actor: Actor, reason: str, via: str = "") -> Version:
    """Mark a version as no longer to be used. Refused while a system uses it: that system would run it unseen."""
    text = checked_reason(reason, needed="is missing; say why the version is retired")
    version = queries.get_version(tx.conn, version_id)
    if version.retired_at is not None:
        raise Conflict(f"version `{version.subject}` is retired already")
    users = queries.system_ids_using(tx.conn, version_id)
    if users:
        raise Conflict(
            f"version `{version.subject}` is used by {len(users)} system(s); replace it there first"
        )
    tx.conn.execute(
        sa.update(t.component_version).where(t.component_version.c.id == version_id).values(retired_at=tx.now)
    )
    _recount(tx, version.component_id)
    saying = Saying(actor=actor, reason=text, via=via)
    tx.append(_retired(tx, _subject(version), saying, version.identity))
    return replace(version, retired_at=tx.now)


def retire_component(
    tx: Tx, component_id: str, *, actor: Actor, reason: str, expected: int | None = None, via: str = ""
) -> Component:
    """Retire a component with all its versions. Refused while a system uses one of them."""
    text = checked_reason(reason, needed="is missing; say why the component is retired")
    component = queries.get_component(tx.conn, component_id)
    check_version(
        f"component `{component.subject}`",
        expected,
        component.version,
        component_json(component.fields) | {"version": component.version},
    )
    if component.retired_at is not None:
        raise Conflict(f"component `{component.subject}` is retired already")
    if component.system_count:
        raise Conflict(
            f"component `{component.subject}` is used by {component.system_count} system(s); remove it there first"
        )
    saying = Saying(actor=actor, reason=text, via=via)
    for version in queries.versions_of(tx.conn, [component_id]).get(component_id, []):
        if version.retired_at is None:
            tx.append(_retired(tx, _subject(version), saying, version.identity))
    v = t.component_version.c
    tx.conn.execute(
        sa.update(t.component_version)
        .where(v.component_id == component_id, v.retired_at.is_(None))
        .values(retired_at=tx.now)
    )
    tx.conn.execute(
        sa.update(t.component)
        .where(t.component.c.id == component_id)
        .values(
            retired_at=tx.now, version=component.version + 1, updated_at=tx.now, updated_by=actor.name[:200]
        )
    )
    subject = Subject.described(component.subject, component_description(component.fields))
    tx.append(_retired(tx, subject, saying, subject.sha256 or ""))
    return queries.get_component(tx.conn, component_id)


def ensure_version(
    tx: Tx, fields: ComponentFields, version: VersionFields, saying: Saying
) -> tuple[Version, tuple[Change, ...]]:
    """The version as described, made or corrected if need be, and what that changed. For documents that state a wish.

    Fields left empty in the wish leave what is known alone: a document that names no digest does not take one away.
    """
    component = queries.find_component(tx.conn, fields.kind, fields.name)
    who = {"actor": saying.actor, "reason": saying.reason, "via": saying.via}
    if component is None:
        made = register_component(tx, fields, version, **who)  # type: ignore[arg-type]
        return made, (Change(made.subject, None, made.identity),)
    found = queries.find_version(tx.conn, fields.kind, fields.name, version.version)
    if found is None:
        made = add_version(tx, component.id, version, **who)  # type: ignore[arg-type]
        return made, (Change(made.subject, None, made.identity),)
    wanted = merged_version(found.fields, version)
    if wanted == found.fields:
        return found, ()
    edited = edit_version(tx, found.id, wanted, expected=None, **who)  # type: ignore[arg-type]
    return edited, (Change(edited.subject, found.identity, edited.identity),)


def merged_version(known: VersionFields, wanted: VersionFields) -> VersionFields:
    """What is known, with what is wished laid over it where the wish says something."""
    return VersionFields(
        version=known.version,
        digest=wanted.digest or known.digest,
        source=wanted.source or known.source,
        licence=wanted.licence or known.licence,
        released_at=wanted.released_at or known.released_at,
        notes=wanted.notes or known.notes,
    )


def _insert_version(
    tx: Tx, component_id: str, component: ComponentFields, fields: VersionFields, saying: Saying
) -> Version:
    version = _new_version(tx, component_id, component, fields)
    v = t.component_version.c
    number = sa.select(sa.func.coalesce(sa.func.max(v.number), 0) + 1).where(v.component_id == component_id)
    row = _version_row(tx, version) | {"number": number.scalar_subquery()}
    tx.conn.execute(sa.insert(t.component_version).values(**row))
    _recount(tx, component_id)
    tx.append(_registered(tx, version, component, saying))
    return version


def _new_version(tx: Tx, component_id: str, component: ComponentFields, fields: VersionFields) -> Version:
    return Version(
        id=new_id(),
        component_id=component_id,
        kind=component.kind,
        name=component.name,
        fields=fields,
        identity=version_identity(component.kind, component.name, fields),
        row_version=1,
        created_at=tx.now,
        retired_at=None,
        title=component.title,
        supplier=component.supplier,
        tags=component.tags,
    )


def _version_row(tx: Tx, version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "component_id": version.component_id,
        "label": version.fields.version,
        "number": 1,
        "identity": version.identity,
        "version": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
        **_version_columns(version.fields),
    }


def _registered(tx: Tx, version: Version, component: ComponentFields, saying: Saying) -> Statement:
    said = version_json(version.fields) | component_json(component)
    bound = ("kind", "name", "version", "source", "licence")
    return Registered(
        at=at(tx.now),
        by=By.of(saying.actor),
        reason=saying.reason,
        description=version_description(component.kind, component.name, version.fields),
        record={key: value for key, value in said.items() if value and key not in bound},
        digest_of=_digest_of(version),
        via=saying.via,
    ).about([_subject(version)])


def _recount(tx: Tx, component_id: str) -> None:
    """Bring up to date what the list of components shows about versions."""
    v = t.component_version.c
    mine = v.component_id == component_id
    newest = (
        sa.select(v.label).where(mine, v.retired_at.is_(None)).order_by(v.number.desc()).limit(1)
    ).scalar_subquery()
    undigested = (
        sa.select(sa.func.count()).where(mine, v.digest == "", v.retired_at.is_(None)).scalar_subquery()
    )
    tx.conn.execute(
        sa.update(t.component)
        .where(t.component.c.id == component_id)
        .values(
            latest=sa.func.coalesce(newest, ""),
            version_count=sa.select(sa.func.count()).where(mine).scalar_subquery(),
            undigested=undigested,
        )
    )


def _subject(version: Version) -> Subject:
    return Subject(version.subject, {"sha256": version.identity})


def _digest_of(version: Version) -> str:
    return "description" if version.described else "bytes"


def _pin(version: Version) -> str:
    return f"{version.subject} sha256:{version.identity}"


def _retired(tx: Tx, subject: Subject, saying: Saying, digest: str) -> Statement:
    return Retired(
        at=at(tx.now), by=By.of(saying.actor), reason=saying.reason, digest_before=digest, via=saying.via
    ).about([subject])


def _columns(fields: ComponentFields) -> dict[str, Any]:
    return {
        "title": fields.title,
        "description": fields.description,
        "owner": fields.owner,
        "supplier": fields.supplier,
        "tags": list(fields.tags),
        "search": search_text(
            fields.kind,
            fields.name,
            fields.title,
            fields.description,
            fields.owner,
            fields.supplier,
            fields.tags,
        ),
    }


def _version_columns(fields: VersionFields) -> dict[str, Any]:
    return {
        "digest": fields.digest,
        "source": fields.source,
        "licence": fields.licence,
        "released_at": fields.released_at,
        "notes": fields.notes,
    }
