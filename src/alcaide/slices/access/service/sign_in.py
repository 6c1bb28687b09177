"""Signing in here: password, then the second factor where there is one.

Whoever fails learns one thing only: that it was wrong. Unknown address, wrong password, disabled account and
service account take the same time, count against the same limits and give the same message.
"""

from __future__ import annotations

from datetime import datetime

from alcaide.kernel.access import Actor
from alcaide.kernel.access.credentials import digest, new_secret, plain_recovery_code
from alcaide.kernel.access.passwords import hash_password, needs_rehash, verify_password
from alcaide.kernel.access.sealing import unseal
from alcaide.kernel.access.totp import verify_totp
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import PENDING_LIFE, SecondStep, SignedIn, Visitor
from alcaide.slices.access.service.record import record
from alcaide.slices.access.service.second_factor import recovery_digest, totp_context
from alcaide.slices.access.service.sessions import SignInRefused, open_session
from alcaide.slices.access.service.throttle import (
    charge,
    count_failure,
    refund,
    second_factor_charges,
    sign_in_charges,
)
from alcaide.slices.access.tables import pending, recovery_codes, users

_WRONG = "e-mail address or password is wrong; try again, or ask an administrator for a reset link"
_WRONG_CODE = "this code is wrong or was used already; wait for the next one and try again"
_TOO_LATE = "this sign-in took too long; start again"


def sign_in(
    instance: Instance,
    *,
    email: str,
    password: str,
    visitor: Visitor,
    replaces: str | None = None,
    next_path: str = "/",
) -> SignedIn | SecondStep:
    """Check an address and a password.

    1. The try is charged against account and address; one that has to wait goes no further.
    2. The password is verified, or something that takes as long.
    3. With a second factor the answer is `SecondStep`; without, a session is opened.
    """
    now = instance.clock()
    address = rules.email_address(email) or ""
    charges = sign_in_charges(address or email.strip().lower()[:254], visitor)
    charge(instance, charges, now)
    with instance.read() as conn:
        user = queries.user_by_email(conn, address) if address else None
        held = queries.credentials(conn, user.id) if user else None
    able = held is not None and held.user.enabled and held.user.kind == "person"
    right = verify_password(held.password_hash if held is not None and able else None, password)
    if held is None or not right:
        count_failure(instance, user.id if user else None, now)
        raise SignInRefused(_WRONG)
    refund(instance, charges, now)
    if held.totp_sealed is not None:
        return SecondStep(_hold(instance, held.user.id, rules.safe_path(next_path), now))
    secret, stored = new_secret(), held.password_hash
    fresh = hash_password(password) if stored is not None and needs_rehash(stored) else None

    def work(tx: Tx) -> SignedIn:
        if fresh is not None:
            tx.conn.execute(users.update().where(users.c.id == held.user.id).values(password_hash=fresh))
        return open_session(
            tx, held.user, secret=secret, method="password", visitor=visitor, replaces=replaces
        )

    signed_in = instance.write(work)
    return SignedIn(signed_in.user, secret, signed_in.session_id, rules.safe_path(next_path))


def finish_sign_in(
    instance: Instance, *, pending_secret: str, code: str, visitor: Visitor, replaces: str | None = None
) -> SignedIn:
    """Check the second factor of a half-finished sign-in: a six-digit code, or a recovery code, each good once."""
    now = instance.clock()
    held_under = digest(pending_secret[:128])
    with instance.read() as conn:
        waiting = queries.pending_by_digest(conn, held_under, "totp", now)
        held = queries.credentials(conn, waiting[0]) if waiting and waiting[0] else None
    if waiting is None or held is None or held.totp_sealed is None:
        raise SignInRefused(_TOO_LATE)
    user_id, charges = held.user.id, second_factor_charges(held.user.id)
    charge(instance, charges, now)
    recovery = plain_recovery_code(code)
    secret = new_secret()
    step = None
    if recovery is None:
        sealed = unseal(instance.keys, held.totp_sealed, context=totp_context(user_id))
        step = verify_totp(sealed.decode(), code, now, held.totp_last_step)

    def work(tx: Tx) -> SignedIn | None:
        # INVARIANT: each code opens one session: the row changes under the same lock in which the session is
        # made.
        if not tx.conn.execute(pending.delete().where(pending.c.digest == held_under)).rowcount:
            return None
        if recovery is not None:
            spent = recovery_codes.delete().where(
                recovery_codes.c.digest == recovery_digest(user_id, recovery),
                recovery_codes.c.user_id == user_id,
            )
            if not tx.conn.execute(spent).rowcount:
                raise _NotThisTime
            actor = Actor("user", user_id, held.user.name, frozenset(held.user.roles))
            record(tx, "recovery-code-used", user_id, by=actor)
        else:
            used = users.update().where(users.c.id == user_id, users.c.totp_last_step < step)
            if step is None or not tx.conn.execute(used.values(totp_last_step=step)).rowcount:
                raise _NotThisTime
        method = "password+recovery-code" if recovery is not None else "password+totp"
        return open_session(tx, held.user, secret=secret, method=method, visitor=visitor, replaces=replaces)

    try:
        signed_in = instance.write(work) if recovery is not None or step is not None else None
    except _NotThisTime:
        signed_in = None
    if signed_in is None:
        count_failure(instance, user_id, now)
        raise SignInRefused(_WRONG_CODE)
    refund(instance, charges, now)
    return SignedIn(signed_in.user, secret, signed_in.session_id, str(waiting[1].get("next", "/")))


class _NotThisTime(Exception):
    """Undoes the unit of work: the half-finished sign-in stays, for another try."""


def _hold(instance: Instance, user_id: str, next_path: str, now: datetime) -> str:
    secret = new_secret()
    with instance.db.transaction() as conn:
        conn.execute(
            pending.insert().values(
                digest=digest(secret),
                kind="totp",
                user_id=user_id,
                memo={"next": next_path},
                expires_at=now + PENDING_LIFE,
            )
        )
    return secret
