"""One-time links: the first administrator's, and those by which people choose a password.

A link's secret is printed or shown once and kept as a digest; using it deletes it, in the unit of work that
acts on it, so it works once whoever clicks twice.
"""

from __future__ import annotations

from alcaide.kernel.access import ROLES, Actor, system_actor
from alcaide.kernel.access.credentials import digest, new_secret
from alcaide.kernel.access.passwords import hash_password
from alcaide.kernel.errors import Conflict, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries
from alcaide.slices.access.model import LINK_LIFE, Link, LinkPurpose, SignedIn, User, Visitor
from alcaide.slices.access.service.people import add_user, check_password, checked_details, set_password
from alcaide.slices.access.service.record import record
from alcaide.slices.access.service.sessions import open_session
from alcaide.slices.access.service.throttle import charge, refund, secret_charges
from alcaide.slices.access.tables import links

FIRST_RUN_PATH = "/first-run?key="
LINK_PATH = "/set-password?key="
# In the query, because the access log keeps paths and drops queries.
_GONE = "this link was used or has run out; ask for a new one"
_INSTALLATION = system_actor("alcaide", "alcaide")


def first_run_link(instance: Instance, base_url: str) -> str | None:
    """The address by which the first administrator is made, or None once anybody has an account.

    Each call makes a new link and ends the one before: what an older terminal shows no longer works.
    """
    secret, link_id, user_id = new_secret(), new_id(), new_id()

    def work(tx: Tx) -> bool:
        if queries.anybody_yet(tx.conn):
            return False
        tx.conn.execute(links.delete().where(links.c.purpose == "first-run"))
        _insert(tx, link_id, secret, "first-run", user_id)
        record(tx, "link-created", user_id, by=_INSTALLATION, details={"purpose": "first-run"})
        return True

    with instance.read() as conn:
        if queries.anybody_yet(conn):
            return None
    made = instance.write(work)
    return base_url.rstrip("/") + FIRST_RUN_PATH + secret if made else None


def make_link(instance: Instance, actor: Actor, user_id: str, *, base_url: str, reason: str = "") -> str:
    """The address by which an account's owner chooses a password: an invitation, or a reset if there is one.

    The present password keeps working until the link is used; a second link ends the first.
    """
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": user_id})
    secret, link_id = new_secret(), new_id()

    def work(tx: Tx) -> None:
        user = queries.user_by_id(tx.conn, user_id)
        if not user.enabled:
            raise Conflict(f"the account of {user.name} is disabled; enable it first")
        if user.kind != "person":
            raise Conflict(f"{user.name} is a service account and never signs in; make it a token")
        tx.conn.execute(links.delete().where(links.c.user_id == user_id))
        purpose: LinkPurpose = "reset" if user.has_password else "invite"
        _insert(tx, link_id, secret, purpose, user_id)
        record(tx, "link-created", user_id, by=actor, reason=reason.strip(), details={"purpose": purpose})

    instance.write(work)
    return base_url.rstrip("/") + LINK_PATH + secret


def look_at_link(instance: Instance, secret: str, visitor: Visitor) -> tuple[Link, User | None]:
    """What a link is for, without using it up. Raises NotFound if it is not good."""
    now = instance.clock()
    charges = secret_charges(visitor)
    charge(instance, charges, now)
    with instance.read() as conn:
        link = queries.link_by_digest(conn, digest(secret[:128]), now)
        if link is None or (link.purpose == "first-run" and queries.anybody_yet(conn)):
            raise NotFound(_GONE)
        user = (
            queries.user_by_id(conn, link.user_id) if link.user_id and link.purpose != "first-run" else None
        )
    refund(instance, charges, now)
    return link, user


def use_first_run_link(
    instance: Instance, secret: str, *, email: str, name: str, password: str, visitor: Visitor
) -> SignedIn:
    """Make the first administrator and sign them in."""
    link, _ = look_at_link(instance, secret, visitor)
    address, shown, roles = checked_details(email, name, ("admin",), ROLES)
    check_password(password, (shown, address))
    hashed, cookie = hash_password(password), new_secret()
    user_id = link.user_id or new_id()

    def work(tx: Tx) -> SignedIn:
        if queries.anybody_yet(tx.conn) or link.purpose != "first-run":
            raise NotFound(_GONE)
        _spend(tx, link)
        user = add_user(
            tx,
            user_id,
            email=address,
            name=shown,
            roles=roles,
            kind="person",
            by=_INSTALLATION,
            reason="first run",
            password_hash=hashed,
        )
        record(tx, "link-used", user_id, by=_person(user), details={"purpose": "first-run"})
        return open_session(tx, user, secret=cookie, method="first-run", visitor=visitor)

    return instance.write(work)


def use_link(instance: Instance, secret: str, *, password: str, visitor: Visitor) -> User:
    """Choose a password by invitation or reset. Sessions end; a second factor, where there is one, stays."""
    link, user = look_at_link(instance, secret, visitor)
    if user is None or link.purpose == "first-run":
        raise NotFound(_GONE)
    check_password(password, (user.name, user.email))
    hashed = hash_password(password)

    def work(tx: Tx) -> User:
        still = queries.user_by_id(tx.conn, user.id)
        if not still.enabled:
            raise NotFound(_GONE)
        _spend(tx, link)
        record(tx, "link-used", user.id, by=_person(user), details={"purpose": link.purpose})
        set_password(tx, user.id, hashed, by=_person(user))
        return queries.user_by_id(tx.conn, user.id)

    return instance.write(work)


def _insert(tx: Tx, link_id: str, secret: str, purpose: LinkPurpose, user_id: str) -> None:
    tx.conn.execute(
        links.insert().values(
            id=link_id,
            digest=digest(secret),
            purpose=purpose,
            user_id=user_id,
            created_at=tx.now,
            expires_at=tx.now + LINK_LIFE[purpose],
        )
    )


def _spend(tx: Tx, link: Link) -> None:
    good = links.delete().where(links.c.id == link.id, links.c.expires_at > tx.now)
    if not tx.conn.execute(good).rowcount:
        raise NotFound(_GONE)


def _person(user: User) -> Actor:
    return Actor("user", user.id, user.name, frozenset(user.roles))
