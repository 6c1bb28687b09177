"""Accounts: made, given roles, disabled.

Administrators only; every act is evidence with who did it and why.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.access.passwords import hash_password, verify_password
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import User, UserKind
from alcaide.slices.access.service.record import record
from alcaide.slices.access.service.sessions import end_sessions
from alcaide.slices.access.service.throttle import charge, refund, second_factor_charges
from alcaide.slices.access.tables import links, users


def create_user(
    instance: Instance,
    actor: Actor,
    *,
    email: str,
    name: str,
    roles: Collection[str],
    kind: UserKind = "person",
    reason: str = "",
) -> User:
    """Make an account without a password; a one-time link (`links.make_link`) lets its owner choose one."""
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": ""})
    with instance.read() as conn:
        known = queries.known_roles(conn)
    address, shown, wanted = checked_details(email, name, roles, known)
    user_id = new_id()

    def work(tx: Tx) -> User:
        return add_user(
            tx, user_id, email=address, name=shown, roles=wanted, kind=kind, by=actor, reason=reason.strip()
        )

    return instance.write(work)


def set_roles(instance: Instance, actor: Actor, user_id: str, roles: Collection[str], *, reason: str) -> User:
    """Give an account exactly these roles.

    Raises NotAllowed when somebody would give a role to themselves, Conflict when nobody could administer any
    more.
    """
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": user_id})
    why = checked_reason(reason)

    def work(tx: Tx) -> User:
        wanted = _known(roles, queries.known_roles(tx.conn))
        user = queries.user_by_id(tx.conn, user_id)
        rise = rules.own_rise(
            own=actor.kind != "system" and actor.id == user_id, before=user.roles, after=wanted
        )
        if rise:
            raise NotAllowed(
                f"you may not give yourself `{rise[0]}`; ask another administrator",
                rule="nobody raises their own roles",
                owner="administrator",
                next_step="ask another administrator",
            )
        if user.roles_from_sso:
            raise Conflict("this account's roles come from single sign-on; change its groups there")
        return change_roles(tx, user, wanted, by=actor, reason=why)

    return instance.write(work)


def disable_user(instance: Instance, actor: Actor, user_id: str, *, reason: str) -> User:
    """Shut an account. Its sessions end and its tokens stop with this call, not when they expire."""
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": user_id})
    why = checked_reason(reason)

    def work(tx: Tx) -> User:
        user = queries.user_by_id(tx.conn, user_id)
        if not user.enabled:
            raise Conflict(f"the account of {user.name} is disabled already; reload the page")
        _keep_an_admin(tx.conn, user, stays_admin=False)
        tx.conn.execute(users.update().where(users.c.id == user_id).values(disabled_at=tx.now))
        ended = end_sessions(tx, user_id)
        tx.conn.execute(links.delete().where(links.c.user_id == user_id))
        record(tx, "user-disabled", user_id, by=actor, reason=why, details={"sessions_ended": ended})
        return queries.user_by_id(tx.conn, user_id)

    return instance.write(work)


def enable_user(instance: Instance, actor: Actor, user_id: str, *, reason: str) -> User:
    """Open a disabled account again.

    Tokens that were not revoked or expired work again; sessions do not return.
    """
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": user_id})
    why = checked_reason(reason)

    def work(tx: Tx) -> User:
        user = queries.user_by_id(tx.conn, user_id)
        if user.enabled:
            raise Conflict(f"the account of {user.name} is enabled already; reload the page")
        tx.conn.execute(users.update().where(users.c.id == user_id).values(disabled_at=None))
        record(tx, "user-enabled", user_id, by=actor, reason=why)
        return queries.user_by_id(tx.conn, user_id)

    return instance.write(work)


def rename(instance: Instance, actor: Actor, name: str) -> User:
    """Change one's own name. The log says that it changed, not what it is."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    shown = rules.person_name(name)
    if shown is None:
        raise InvalidInput("the name cannot be used; type one of 1 to 120 characters", {"name": _BAD_NAME})

    def work(tx: Tx) -> User:
        if queries.user_by_id(tx.conn, actor.id).name != shown:
            tx.conn.execute(users.update().where(users.c.id == actor.id).values(name=shown))
            record(tx, "user-changed", actor.id, by=actor, details={"fields": ["name"]})
        return queries.user_by_id(tx.conn, actor.id)

    return instance.write(work)


def change_password(
    instance: Instance, actor: Actor, *, present: str, new: str, keep_session: str | None = None
) -> None:
    """Change one's own password, with the present one. Other sessions end."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    now = instance.clock()
    with instance.read() as conn:
        held = queries.credentials(conn, actor.id)
    check_password(new, (held.user.name, held.user.email))
    if held.password_hash is not None:
        charges = second_factor_charges(actor.id)
        charge(instance, charges, now)
        if not verify_password(held.password_hash, present):
            raise InvalidInput(
                "the present password is wrong; type it again", {"present": "this is not your password"}
            )
        refund(instance, charges, now)
    hashed = hash_password(new)
    instance.write(lambda tx: set_password(tx, actor.id, hashed, by=actor, keep_session=keep_session))


def add_user(
    tx: Tx,
    user_id: str,
    *,
    email: str,
    name: str,
    roles: Collection[str],
    kind: UserKind,
    by: Actor,
    reason: str = "",
    password_hash: str | None = None,
    sso: tuple[str, str] | None = None,
) -> User:
    """Insert an account whose details were checked. Raises Conflict if the address is taken."""
    if queries.user_by_email(tx.conn, email) is not None:
        raise Conflict(f"`{email}` has an account already; find it in the list")
    tx.conn.execute(
        users.insert().values(
            id=user_id,
            email=email,
            name=name,
            kind=kind,
            roles=sorted(roles),
            is_admin="admin" in roles,
            roles_from_sso=sso is not None,
            password_hash=password_hash,
            totp_last_step=0,
            sso_issuer=sso[0] if sso else None,
            sso_subject=sso[1] if sso else None,
            created_at=tx.now,
        )
    )
    record(tx, "user-created", user_id, by=by, reason=reason, details={"kind": kind, "roles": sorted(roles)})
    return queries.user_by_id(tx.conn, user_id)


def change_roles(tx: Tx, user: User, wanted: Collection[str], *, by: Actor, reason: str) -> User:
    """Write the roles and say so; nothing is said if nothing changes.

    Raises Conflict for the last administrator.
    """
    if set(wanted) == set(user.roles):
        return user
    _keep_an_admin(tx.conn, user, stays_admin="admin" in wanted)
    tx.conn.execute(
        users.update().where(users.c.id == user.id).values(roles=sorted(wanted), is_admin="admin" in wanted)
    )
    details = {"before": sorted(user.roles), "after": sorted(wanted)}
    record(tx, "roles-changed", user.id, by=by, reason=reason, details=details)
    return queries.user_by_id(tx.conn, user.id)


def set_password(
    tx: Tx, user_id: str, hashed: str, *, by: Actor, keep_session: str | None = None, reason: str = ""
) -> None:
    """Replace the password and end the account's other sessions: whoever knew the old one is out."""
    tx.conn.execute(users.update().where(users.c.id == user_id).values(password_hash=hashed))
    ended = end_sessions(tx, user_id, keep=keep_session)
    record(tx, "password-changed", user_id, by=by, reason=reason, details={"sessions_ended": ended})


def check_password(password: str, about: Collection[str]) -> None:
    """Raises InvalidInput, with a reason for the `password` field, for a password that will not do."""
    problems = rules.password_problems(password, about)
    if problems:
        raise InvalidInput(f"the password will not do: {problems[0]}", {"password": "; ".join(problems)})


def checked_details(
    email: str, name: str, roles: Collection[str], known: Collection[str]
) -> tuple[str, str, tuple[str, ...]]:
    """Address, name and roles as they are kept. Raises InvalidInput naming every field at fault."""
    address, shown = rules.email_address(email), rules.person_name(name)
    unknown = rules.unknown_roles(roles, known)
    fields = {}
    if address is None:
        fields["email"] = f"`{email[:60]}` is not an e-mail address; write it like ada@example.org"
    if shown is None:
        fields["name"] = _BAD_NAME
    if unknown:
        fields["roles"] = f"`{unknown[0][:40]}` is no role; choose from {', '.join(known)}"
    if address is None or shown is None or unknown:
        raise InvalidInput("the account cannot be made; " + next(iter(fields.values())), fields)
    return address, shown, tuple(sorted(set(roles)))


_BAD_NAME = "type a name of 1 to 120 characters, on one line"


def _known(roles: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    unknown = rules.unknown_roles(roles, known)
    if unknown:
        problem = f"`{unknown[0][:40]}` is no role; choose from {', '.join(known)}"
        raise InvalidInput(problem, {"roles": problem})
    return tuple(sorted(set(roles)))


def checked_reason(reason: str) -> str:
    """The reason, as it is kept. Raises InvalidInput without one."""
    if not reason.strip():
        raise InvalidInput("a reason is needed; it is kept with the event", {"reason": "say why"})
    if len(reason) > 500:
        raise InvalidInput(
            "the reason is longer than 500 characters; shorten it", {"reason": "at most 500 characters"}
        )
    return reason.strip()


def _keep_an_admin(conn: Connection, user: User, *, stays_admin: bool) -> None:
    # INVARIANT: asked inside the unit of work. The head row is locked, so two of these cannot pass each
    # other.
    was_admin = user.enabled and "admin" in user.roles
    others = queries.other_admins(conn, user.id)
    if rules.leaves_no_admin(was_admin=was_admin, stays_admin=stays_admin, other_admins=others):
        raise Conflict(f"{user.name} is the last administrator; make somebody else one first")
