"""Reading people, sessions, tokens and access events.

Nothing here writes, and nothing here returns a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access import ROLES, Actor
from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.instance import Instance
from alcaide.kernel.slice import AttentionItem
from alcaide.slices.access import rules
from alcaide.slices.access.model import Event, Link, OwnRole, Page, Session, Token, User
from alcaide.slices.access.tables import (
    events,
    links,
    pending,
    roles,
    sessions,
    tallies,
    tokens,
    unrecorded,
    users,
)

PAGE = 50
LONGEST_PAGE = 200
_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Credentials:
    """What a sign-in is checked against. Never leaves the service."""

    user: User
    password_hash: str | None
    totp_sealed: bytes | None
    totp_waiting: bytes | None
    totp_last_step: int


@dataclass(frozen=True)
class Presented:
    """The session or token that a request presented, with whose it is."""

    user: User
    id: str
    last_at: datetime | None
    scopes: tuple[str, ...] | None


def user_by_id(conn: Connection, user_id: str) -> User:
    """The account. Raises NotFound."""
    row = (
        conn.execute(sa.select(users).where(users.c.id == rules.plain_text(user_id, 40)))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"no user has the id `{user_id[:60]}`; see the list under Access")
    return _user(row)


def user_by_email(conn: Connection, email: str) -> User | None:
    """The account under this address, if there is one."""
    row = conn.execute(sa.select(users).where(users.c.email == email)).mappings().one_or_none()
    return None if row is None else _user(row)


def user_by_subject(conn: Connection, issuer: str, subject: str) -> User | None:
    """The account linked to this person of an OpenID provider, if there is one."""
    query = sa.select(users).where(users.c.sso_issuer == issuer, users.c.sso_subject == subject)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _user(row)


def find_user(conn: Connection, text: str) -> User:
    """By id or by e-mail address, for people at a console. Raises NotFound."""
    query = sa.select(users).where(
        sa.or_(users.c.id == rules.plain_text(text, 40), users.c.email == (rules.email_address(text) or ""))
    )
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no user has the id or address `{text[:120]}`; run `alcaide access user list`")
    return _user(row)


def credentials(conn: Connection, user_id: str) -> Credentials:
    """What to check a password or code of this account against. Raises NotFound."""
    row = conn.execute(sa.select(users).where(users.c.id == user_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("this account is gone; ask an administrator")
    return Credentials(
        _user(row), row["password_hash"], row["totp_sealed"], row["totp_waiting"], row["totp_last_step"]
    )


def anybody_yet(conn: Connection) -> bool:
    """Whether any person has an account: until one does, the first-run link is the only way in.

    Service accounts do not count: they never sign in, and making one first must not lock everybody out.
    """
    return conn.execute(sa.select(users.c.id).where(users.c.kind == "person").limit(1)).first() is not None


def other_admins(conn: Connection, user_id: str) -> int:
    """How many accounts besides this one can administer."""
    query = sa.select(sa.func.count()).select_from(users)
    query = query.where(users.c.is_admin.is_(True), users.c.disabled_at.is_(None), users.c.id != user_id)
    return int(conn.execute(query).scalar_one())


def list_users(
    conn: Connection,
    *,
    search: str = "",
    role: str = "",
    state: str = "",
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page:
    """Accounts, oldest first. `state` is `enabled`, `disabled` or empty for both."""
    wanted = []
    if search.strip():
        text = _like(rules.plain_text(search.strip().lower(), 120))
        wanted.append(
            sa.or_(sa.func.lower(users.c.name).like(text, escape="\\"), users.c.email.like(text, escape="\\"))
        )
    if role:
        wanted.append(
            users.c.roles.cast(sa.Text).like(f'%"{_escaped(rules.plain_text(role, 40))}"%', escape="\\")
        )
    if state == "enabled":
        wanted.append(users.c.disabled_at.is_(None))
    elif state == "disabled":
        wanted.append(users.c.disabled_at.is_not(None))
    total = int(conn.execute(sa.select(sa.func.count()).select_from(users).where(*wanted)).scalar_one())
    query = sa.select(users).where(*wanted)
    if cursor:
        query = query.where(users.c.id > _cursor(cursor))
    limit = max(1, min(limit, LONGEST_PAGE))
    rows = conn.execute(query.order_by(users.c.id).limit(limit + 1)).mappings().all()
    return Page(
        items=tuple(_user(row) for row in rows[:limit]),
        total=total,
        next_cursor=rows[limit - 1]["id"] if len(rows) > limit else None,
    )


def sessions_of(
    conn: Connection, user_id: str, now: datetime, current: str | None = None
) -> tuple[Session, ...]:
    """The live sessions of an account, newest first."""
    query = sa.select(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at > now)
    found = conn.execute(query.order_by(sessions.c.created_at.desc())).mappings().all()
    return tuple(
        Session(
            id=row["id"],
            user_id=row["user_id"],
            created_at=row["created_at"],
            seen_at=row["seen_at"],
            expires_at=row["expires_at"],
            method=row["method"],
            address=row["address"],
            agent=row["agent"],
            current=row["id"] == current,
        )
        for row in found
    )


def tokens_of(conn: Connection, user_id: str) -> tuple[Token, ...]:
    """The tokens of an account, newest first, those revoked or expired included."""
    query = sa.select(tokens).where(tokens.c.user_id == user_id).order_by(tokens.c.id.desc())
    return tuple(_token(row) for row in conn.execute(query).mappings())


def token_by_id(conn: Connection, token_id: str) -> Token:
    """The token. Raises NotFound."""
    row = (
        conn.execute(sa.select(tokens).where(tokens.c.id == rules.plain_text(token_id, 40)))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"no token has the id `{token_id[:60]}`; see the list under Account")
    return _token(row)


def presented_session(conn: Connection, digest: str) -> tuple[Presented, datetime] | None:
    """Whose session this is and when it ends: one indexed query. Says nothing of whether it is still good."""
    query = sa.select(
        users, sessions.c.id.label("session_id"), sessions.c.seen_at, sessions.c.expires_at
    ).join_from(sessions, users, sessions.c.user_id == users.c.id)
    row = conn.execute(query.where(sessions.c.digest == digest)).mappings().one_or_none()
    if row is None:
        return None
    return Presented(_user(row), row["session_id"], row["seen_at"], None), row["expires_at"]


def presented_token(conn: Connection, token_id: str) -> tuple[Presented, str, Token] | None:
    """Whose token this is, the digest its secret must have, and the token: one indexed query."""
    named = [column.label(f"token_{column.name}") for column in tokens.c]
    query = sa.select(users, *named).join_from(tokens, users, tokens.c.user_id == users.c.id)
    row = conn.execute(query.where(tokens.c.id == rules.plain_text(token_id, 40))).mappings().one_or_none()
    if row is None:
        return None
    token = _token({column.name: row[f"token_{column.name}"] for column in tokens.c})
    return Presented(_user(row), token.id, token.last_used_at, token.scopes), row["token_digest"], token


def link_by_digest(conn: Connection, digest: str, now: datetime) -> Link | None:
    """The link, if it is still good."""
    query = sa.select(links).where(links.c.digest == digest, links.c.expires_at > now)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else Link(row["id"], row["purpose"], row["user_id"], row["expires_at"])


def pending_by_digest(
    conn: Connection, digest: str, kind: str, now: datetime
) -> tuple[str | None, dict[str, Any]] | None:
    """The half-finished sign-in of this kind, if it is still good: whose, and what was noted."""
    query = sa.select(pending).where(
        pending.c.digest == digest, pending.c.kind == kind, pending.c.expires_at > now
    )
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else (row["user_id"], dict(row["memo"]))


def tally(conn: Connection, key: str) -> rules.Tally:
    """Failures so far under this key."""
    row = conn.execute(sa.select(tallies).where(tallies.c.key == key)).mappings().one_or_none()
    return (
        rules.Tally() if row is None else rules.Tally(row["failures"], row["last_at"], row["blocked_until"])
    )


def unrecorded_failures(conn: Connection, user_id: str) -> tuple[int, datetime | None]:
    """Failed sign-ins of this account that no statement counts yet, and when one last did."""
    row = conn.execute(sa.select(unrecorded).where(unrecorded.c.user_id == user_id)).mappings().one_or_none()
    return (0, None) if row is None else (row["failures"], row["recorded_at"])


def accounts_with_unrecorded(conn: Connection) -> tuple[str, ...]:
    """The accounts whose failures wait to be counted in the log."""
    return tuple(conn.execute(sa.select(unrecorded.c.user_id).where(unrecorded.c.failures > 0)).scalars())


def list_events(
    conn: Connection,
    *,
    user_id: str = "",
    event: str = "",
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page:
    """Access events, newest first."""
    wanted = []
    if user_id:
        wanted.append(events.c.user_id == rules.plain_text(user_id, 40))
    if event:
        wanted.append(events.c.event == rules.plain_text(event, 40))
    total = int(conn.execute(sa.select(sa.func.count()).select_from(events).where(*wanted)).scalar_one())
    query = sa.select(events).where(*wanted)
    if cursor:
        text = _cursor(cursor)
        if not text.isdecimal() or len(text) > 18:
            raise InvalidInput(f"cursor `{text[:40]}` is not one this list gave; start from the first page")
        query = query.where(events.c.leaf < int(text))
    limit = max(1, min(limit, LONGEST_PAGE))
    rows = conn.execute(query.order_by(events.c.leaf.desc()).limit(limit + 1)).mappings().all()
    return Page(
        items=tuple(_event(row) for row in rows[:limit]),
        total=total,
        next_cursor=str(rows[limit - 1]["leaf"]) if len(rows) > limit else None,
    )


def names_of(conn: Connection, user_ids: frozenset[str]) -> dict[str, str]:
    """What to call these accounts today. One that is gone is absent."""
    query = sa.select(users.c.id, users.c.name).where(users.c.id.in_(sorted(user_ids)))
    return {row.id: row.name for row in conn.execute(query)}


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """What of access waits for this actor: own tokens about to run out, and administrators without second factor."""
    found = []
    soon = sa.select(tokens.c.id, tokens.c.name, tokens.c.expires_at).where(
        tokens.c.user_id == actor.id,
        tokens.c.revoked_at.is_(None),
        tokens.c.expires_at > now,
        tokens.c.expires_at <= now + _SOON,
    )
    for _, name, expires_at in conn.execute(soon.order_by(tokens.c.expires_at).limit(10)):
        detail = f"runs out on {expires_at:%d %B}; make its successor before what uses it stops"
        found.append(AttentionItem("waiting", f"Token {name}", detail, "/account#tokens", expires_at))
    if instance.authorizer.decide(actor, "access.manage"):
        bare = sa.select(sa.func.count()).select_from(users)
        bare = bare.where(users.c.is_admin.is_(True), users.c.disabled_at.is_(None), users.c.kind == "person")
        count = int(
            conn.execute(
                bare.where(users.c.totp_sealed.is_(None), users.c.sso_subject.is_(None))
            ).scalar_one()
        )
        if count:
            title = "Administrators without a second factor"
            detail = "a password alone opens every account; switch one on under Account"
            found.append(AttentionItem("unknown", title, detail, "/access?role=admin", None, count))
    return found


def _user(row: Mapping[Any, Any]) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        kind=row["kind"],
        roles=tuple(row["roles"]),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        last_sign_in_at=row["last_sign_in_at"],
        has_password=row["password_hash"] is not None,
        has_totp=row["totp_sealed"] is not None,
        sso=row["sso_subject"] is not None,
        roles_from_sso=row["roles_from_sso"],
    )


def _token(row: Mapping[Any, Any]) -> Token:
    return Token(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


def _event(row: Mapping[Any, Any]) -> Event:
    return Event(
        index=row["leaf"],
        event=row["event"],
        user_id=row["user_id"],
        by_kind=row["by_kind"],
        by_id=row["by_id"],
        at=row["at"],
        reason=row["reason"],
        details=dict(row["details"]),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _like(text: str) -> str:
    return f"%{_escaped(text)}%"


def _cursor(text: str) -> str:
    if len(text) > 64 or not text.isascii() or not text.isprintable():
        raise InvalidInput("the cursor is not one this list gave; start from the first page")
    return text


# Roles -----------------------------------------------------------------------------------------------


def own_roles(conn: Connection) -> tuple[OwnRole, ...]:
    """The roles of this installation's own making, by name."""
    found = conn.execute(sa.select(roles).order_by(roles.c.name)).mappings().all()
    return tuple(_own_role(conn, row) for row in found)


def own_role(conn: Connection, name: str) -> OwnRole:
    """One of them. Raises NotFound."""
    named = rules.plain_text(name, 40)
    row = conn.execute(sa.select(roles).where(roles.c.name == named)).mappings().one_or_none()
    if row is None:
        shipped = "; that one ships with Alcaide and cannot be changed" if name in ROLES else ""
        raise NotFound(
            f"there is no role `{name[:40]}` of your own making{shipped}; see the list under Access"
        )
    return _own_role(conn, row)


def known_roles(conn: Connection) -> dict[str, str]:
    """Every role that an account may have, with what it is for: those that ship, then one's own by name."""
    own = conn.execute(sa.select(roles.c.name, roles.c.title).order_by(roles.c.name)).all()
    return {**ROLES, **{name: title for name, title in own if name not in ROLES}}


def granted(conn: Connection, held: Collection[str]) -> frozenset[str]:
    """The actions that somebody's roles of own making name. No statement at all for those who have none."""
    own = [role for role in held if role not in ROLES]
    if not own:
        return frozenset()
    found = conn.execute(sa.select(roles.c.actions).where(roles.c.name.in_(own))).scalars()
    # What could be granted when the role was made may be so no longer: the rule of today counts.
    return frozenset(rules.grantable(action for actions in found for action in actions))


def _own_role(conn: Connection, row: Mapping[Any, Any]) -> OwnRole:
    having = users.c.roles.cast(sa.Text).like(f'%"{_escaped(row["name"])}"%', escape="\\")
    holders = conn.execute(sa.select(sa.func.count()).select_from(users).where(having)).scalar_one()
    return OwnRole(
        name=row["name"],
        title=row["title"],
        actions=tuple(row["actions"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        holders=int(holders),
    )
