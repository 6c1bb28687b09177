"""Who is asking, and keeping them signed in: sessions and the answer to `identify`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from alcaide.kernel.access import ANONYMOUS, Actor
from alcaide.kernel.access.credentials import TOKEN_PREFIX, digest, parse_token, same
from alcaide.kernel.errors import AlcaideError, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import SESSION_IDLE, SESSION_LIFE, SESSIONS_EACH, SignedIn, User, Visitor
from alcaide.slices.access.service.record import record
from alcaide.slices.access.tables import sessions, tokens, users

_SECURE_COOKIE = "__Host-alcaide_session"
_PLAIN_COOKIE = "alcaide_session"
_TOUCH_SESSION_EVERY = timedelta(minutes=5)
_TOUCH_TOKEN_EVERY = timedelta(minutes=1)


class SignInRefused(AlcaideError):
    """Whoever this is did not prove it.

    Says the same whatever was wrong, so that nobody learns who has an account.
    """

    status = 401
    code = "sign-in-refused"


def session_cookie(url: str) -> str:
    """The name of the session cookie of an installation whose people type `url`.

    Over https the `__Host-` prefix makes browsers refuse it from anything but this host, over https, for
    every path. Plain http is for a loopback or closed-network installation; only the one name that fits is
    ever read.
    """
    return _SECURE_COOKIE if url.startswith("https://") else _PLAIN_COOKIE


def identify(request: Request) -> Actor:
    """Whoever sent this request: by bearer token if there is one, else by session cookie, else nobody.

    A token that is wrong, expired, revoked or whose owner is disabled is nobody, even with a good cookie
    beside it: a caller that presents a token means to act with its rights alone.
    """
    return who(
        request.app.state.instance,
        authorization=request.headers.get("authorization"),
        cookies=request.cookies,
    )


def who(instance: Instance, *, authorization: str | None, cookies: Mapping[str, str]) -> Actor:
    """`identify` without the web: from the value of `Authorization` and the cookies."""
    now = instance.clock()
    if authorization is not None:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() == "bearer" and text.strip().startswith(TOKEN_PREFIX):
            return _by_token(instance, text.strip(), now)
        return ANONYMOUS
    cookie = cookies.get(session_cookie(instance.config.url))
    return _by_cookie(instance, cookie, now) if cookie else ANONYMOUS


def session_id_of(instance: Instance, cookies: Mapping[str, str]) -> str | None:
    """The id of the session that these cookies belong to, if it is a live one."""
    cookie = cookies.get(session_cookie(instance.config.url))
    if not cookie or len(cookie) > 128:
        return None
    with instance.read() as conn:
        found = queries.presented_session(conn, digest(cookie))
    return found[0].id if found else None


def open_session(
    tx: Tx, user: User, *, secret: str, method: str, visitor: Visitor, replaces: str | None = None
) -> SignedIn:
    """Sign `user` in within this unit of work. Every sign-in makes a new session; the one before it ends.

    Raises SignInRefused if the account was disabled since it was looked at.
    """
    still = queries.user_by_id(tx.conn, user.id)
    if not still.enabled:
        raise SignInRefused("this account is disabled; ask an administrator")
    if replaces:
        tx.conn.execute(
            sessions.delete().where(sessions.c.digest == digest(replaces), sessions.c.user_id == user.id)
        )
    session_id = new_id()
    tx.conn.execute(
        sessions.insert().values(
            id=session_id,
            digest=digest(secret),
            user_id=user.id,
            created_at=tx.now,
            seen_at=tx.now,
            expires_at=tx.now + SESSION_LIFE,
            method=method,
            address=visitor.address[:64],
            agent=rules.plain_text(visitor.agent, 200),
        )
    )
    oldest = sa.select(sessions.c.id).where(sessions.c.user_id == user.id)
    oldest = oldest.order_by(sessions.c.created_at.desc(), sessions.c.id.desc()).offset(SESSIONS_EACH)
    surplus = tx.conn.execute(oldest).scalars().all()
    tx.conn.execute(sessions.delete().where(sessions.c.id.in_(surplus)))
    tx.conn.execute(users.update().where(users.c.id == user.id).values(last_sign_in_at=tx.now))
    actor = Actor("user", user.id, user.name, frozenset(still.roles))
    record(tx, "signed-in", user.id, by=actor, details={"method": method, "session": session_id})
    return SignedIn(still, secret, session_id)


def sign_out(instance: Instance, cookies: Mapping[str, str]) -> None:
    """End the session of these cookies, whoever's it is. Signing out twice is not an error."""
    cookie = cookies.get(session_cookie(instance.config.url))
    if not cookie or len(cookie) > 128:
        return
    with instance.read() as conn:
        found = queries.presented_session(conn, digest(cookie))
    if found is None:
        return
    user, session_id = found[0].user, found[0].id
    actor = Actor("user", user.id, user.name, frozenset(user.roles))

    def work(tx: Tx) -> None:
        if tx.conn.execute(sessions.delete().where(sessions.c.id == session_id)).rowcount:
            record(tx, "signed-out", user.id, by=actor, details={"session": session_id})

    instance.write(work)


def revoke_session(instance: Instance, actor: Actor, session_id: str) -> None:
    """End one of one's own sessions, elsewhere or here. Raises NotFound for anybody else's."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})

    def work(tx: Tx) -> None:
        mine = sessions.delete().where(
            sessions.c.id == rules.plain_text(session_id, 40), sessions.c.user_id == actor.id
        )
        if not tx.conn.execute(mine).rowcount:
            raise NotFound("this session has ended already; reload the page")
        record(tx, "session-revoked", actor.id, by=actor, details={"session": session_id})

    instance.write(work)


def end_sessions(tx: Tx, user_id: str, *, keep: str | None = None) -> int:
    """End every session of an account but `keep`: after a password change, or when it is disabled."""
    ended = sessions.delete().where(sessions.c.user_id == user_id)
    if keep is not None:
        ended = ended.where(sessions.c.id != keep)
    return int(tx.conn.execute(ended).rowcount)


def _by_cookie(instance: Instance, cookie: str, now: datetime) -> Actor:
    if len(cookie) > 128:
        return ANONYMOUS
    with instance.read() as conn:
        found = queries.presented_session(conn, digest(cookie))
        granted = queries.granted(conn, found[0].user.roles) if found else frozenset()
    if found is None:
        return ANONYMOUS
    presented, expires_at = found
    seen_at = presented.last_at or now
    # INVARIANT: disabled accounts, ended and idle sessions are nobody from the very next request on.
    if not presented.user.enabled or now >= expires_at or now - seen_at >= SESSION_IDLE:
        return ANONYMOUS
    if now - seen_at >= _TOUCH_SESSION_EVERY:
        _touch(instance, sessions.update().where(sessions.c.id == presented.id).values(seen_at=now))
    user = presented.user
    return Actor("user", user.id, user.name, frozenset(user.roles), granted=granted)


def _by_token(instance: Instance, text: str, now: datetime) -> Actor:
    parts = parse_token(text)
    if parts is None:
        return ANONYMOUS
    with instance.read() as conn:
        found = queries.presented_token(conn, parts.id)
        granted = queries.granted(conn, found[0].user.roles) if found else frozenset()
    if found is None:
        return ANONYMOUS
    presented, stored, token = found
    if not same(parts.secret, stored) or not token.works(now) or not presented.user.enabled:
        return ANONYMOUS
    if presented.last_at is None or now - presented.last_at >= _TOUCH_TOKEN_EVERY:
        _touch(instance, tokens.update().where(tokens.c.id == token.id).values(last_used_at=now))
    user = presented.user
    return Actor(
        "token",
        user.id,
        user.name,
        frozenset(user.roles),
        frozenset(token.scopes),
        via=token.id,
        granted=granted,
    )


def _touch(instance: Instance, change: sa.Update) -> None:
    """Note a last use.

    Not evidence, and not worth failing a request for when the database is busy or full.
    """
    try:
        with instance.db.transaction() as conn:
            conn.execute(change)
    except OperationalError:
        return


def end_other_sessions(instance: Instance, actor: Actor, keep: str | None) -> int:
    """End all of one's own sessions but this one; returns how many."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})

    def work(tx: Tx) -> int:
        ended = end_sessions(tx, actor.id, keep=keep)
        if ended:
            record(tx, "session-revoked", actor.id, by=actor, details={"sessions_ended": ended})
        return ended

    return instance.write(work)
