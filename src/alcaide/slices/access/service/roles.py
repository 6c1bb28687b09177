"""Roles of this installation's own making: a name, what it is for, and the actions that it names.

A role is data; what it means is one Cedar policy (`role-of-own-making`), so that everything else that policies say,
above all what they forbid, holds for it too. A change counts from the next request of whoever has it.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from alcaide.kernel.access import ROLES, Actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.base import By, at
from alcaide.predicates.role_defined import RoleDefined
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import OwnRole
from alcaide.slices.access.service.people import checked_reason
from alcaide.slices.access.tables import roles

MOST_ROLES = 100


def define_role(
    instance: Instance,
    actor: Actor,
    name: str,
    *,
    title: str,
    actions: Collection[str],
    reason: str,
    new: bool | None = None,
) -> OwnRole:
    """Make a role, or give one that is there another title and exactly these actions.

    `new` says which of the two is meant; None means either. Raises InvalidInput naming every field at fault, Conflict,
    NotFound, and NotAllowed where somebody would widen a role that they have themselves.
    """
    instance.authorizer.require(actor, "access.manage", {"kind": "role", "id": name[:40]})
    named, told, wanted = _checked(instance, name, title, actions)
    why = checked_reason(reason)

    def work(tx: Tx) -> OwnRole:
        before = next((role for role in queries.own_roles(tx.conn) if role.name == named), None)
        if before is None and new is False:
            return queries.own_role(tx.conn, named)  # raises NotFound, in its words
        if before is not None and new:
            raise Conflict(f"there is a role `{named}` already; open it to change it")
        if before is None and len(queries.own_roles(tx.conn)) >= MOST_ROLES:
            raise Conflict(f"there are {MOST_ROLES} roles, which is the limit; remove one first")
        if before is not None and (before.title, before.actions) == (told, wanted):
            return before
        _check_not_own(actor, named, before.actions if before else (), wanted)
        values = {"title": told, "actions": list(wanted), "updated_at": tx.now}
        if before is None:
            tx.conn.execute(sa.insert(roles).values(name=named, created_at=tx.now, **values))
        else:
            tx.conn.execute(sa.update(roles).where(roles.c.name == named).values(**values))
        _say(tx, actor, "made" if before is None else "changed", named, told, wanted, before, why)
        return queries.own_role(tx.conn, named)

    return instance.write(work)


def remove_role(instance: Instance, actor: Actor, name: str, *, reason: str) -> None:
    """Remove a role that nobody has. Raises NotFound, and Conflict while an account has it."""
    instance.authorizer.require(actor, "access.manage", {"kind": "role", "id": name[:40]})
    why = checked_reason(reason)

    def work(tx: Tx) -> None:
        role = queries.own_role(tx.conn, name)
        if role.holders:
            raise Conflict(f"{role.holders} accounts have the role `{role.name}`; give them others first")
        tx.conn.execute(sa.delete(roles).where(roles.c.name == role.name))
        _say(tx, actor, "removed", role.name, role.title, (), role, why)

    instance.write(work)


def _say(
    tx: Tx,
    actor: Actor,
    event: str,
    name: str,
    title: str,
    actions: tuple[str, ...],
    before: OwnRole | None,
    reason: str,
) -> None:
    said = RoleDefined(
        at=at(tx.now),
        by=By.of(actor),
        reason=reason,
        event="made" if event == "made" else "changed" if event == "changed" else "removed",
        role=name,
        title=title,
        actions=actions,
        before=before.actions if before else (),
    )
    described = {"name": name, "title": title, "actions": list(actions)}
    tx.append(said.about([Subject.described(f"role:{name}", described)]))


def _checked(
    instance: Instance, name: str, title: str, actions: Collection[str]
) -> tuple[str, str, tuple[str, ...]]:
    named, told = rules.role_name(name), rules.person_name(title)
    allowed = rules.grantable(instance.authorizer.actions)
    strange = sorted(set(actions) - set(allowed))
    wrong: dict[str, str] = {}
    if named is None:
        wrong["name"] = "use 2 to 40 lower-case letters, digits and dashes, beginning with a letter"
    elif named in ROLES:
        wrong["name"] = f"`{named}` ships with Alcaide and cannot be changed; choose another name"
    if told is None:
        wrong["title"] = "say what it is for, in 1 to 120 characters on one line"
    if strange:
        known = strange[0] in instance.authorizer.actions
        why = (
            "is not given by a role of one's own making"
            if known
            else "is no action; see the list under Rules"
        )
        wrong["actions"] = f"`{strange[0][:60]}` {why}"
    elif not actions:
        wrong["actions"] = "choose at least one action; a role that names none means nothing"
    if wrong or named is None or told is None:
        raise InvalidInput(f"the role cannot be kept: {next(iter(wrong.values()))}", wrong)
    return named, told, tuple(sorted(set(actions)))


def _check_not_own(actor: Actor, name: str, before: Collection[str], after: Collection[str]) -> None:
    own = actor.kind != "system" and name in actor.roles
    if rise := rules.widens_own_role(own=own, before=before, after=after):
        raise NotAllowed(
            f"you have the role `{name}`, so you may not add `{rise[0]}` to it; ask another administrator",
            rule="nobody raises their own roles",
            owner="administrator",
            next_step="ask another administrator",
        )
