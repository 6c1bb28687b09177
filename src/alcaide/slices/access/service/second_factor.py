"""The optional second factor: an authenticator app, and recovery codes for when the phone is gone."""

from __future__ import annotations

from alcaide.kernel.access import Actor
from alcaide.kernel.access.credentials import digest, new_recovery_code
from alcaide.kernel.access.passwords import verify_password
from alcaide.kernel.access.sealing import seal, unseal
from alcaide.kernel.access.totp import new_totp_secret, provisioning_uri, qr_data_uri, verify_totp
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries
from alcaide.slices.access.model import RECOVERY_CODES, TotpSetup
from alcaide.slices.access.service.record import record
from alcaide.slices.access.service.throttle import charge, refund, second_factor_charges
from alcaide.slices.access.tables import recovery_codes, users


def totp_context(user_id: str) -> str:
    """What a TOTP secret is sealed to: this account, so that a box copied to another row does not open."""
    return f"totp:{user_id}"


def recovery_digest(user_id: str, code: str) -> str:
    """What is kept of a recovery code."""
    return digest(f"{user_id}:{code}")


def start_totp(instance: Instance, actor: Actor) -> TotpSetup:
    """Make a secret to put into an authenticator app.

    Nothing changes until `confirm_totp` proves it arrived.
    """
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    secret = new_totp_secret()
    with instance.read() as conn:
        signer = instance.keys.signer(instance.ledger.checkpoint(conn).keyid)
    sealed = seal(signer, secret.encode(), context=totp_context(actor.id))
    with instance.db.transaction() as conn:
        user = queries.user_by_id(conn, actor.id)
        if user.has_totp:
            raise Conflict("a second factor is on already; switch it off first to set up another")
        conn.execute(users.update().where(users.c.id == actor.id).values(totp_waiting=sealed))
    return _setup(secret, user.email)


def waiting_totp(instance: Instance, actor: Actor) -> TotpSetup | None:
    """The secret that waits to be confirmed, to show the same QR code again after a mistyped code."""
    with instance.read() as conn:
        held = queries.credentials(conn, actor.id)
    if held.totp_waiting is None:
        return None
    secret = unseal(instance.keys, held.totp_waiting, context=totp_context(actor.id)).decode()
    return _setup(secret, held.user.email)


def confirm_totp(instance: Instance, actor: Actor, code: str) -> tuple[str, ...]:
    """Switch the second factor on, with a code from the app.

    Returns the recovery codes: shown once, kept nowhere.
    """
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    now = instance.clock()
    with instance.read() as conn:
        held = queries.credentials(conn, actor.id)
    if held.totp_waiting is None:
        raise Conflict("there is no second factor to confirm; start setting one up")
    secret = unseal(instance.keys, held.totp_waiting, context=totp_context(actor.id)).decode()
    step = verify_totp(secret, code, now, 0)
    if step is None:
        raise InvalidInput(
            "the code does not match; check the phone's clock and type the next code",
            {"code": "this is not the code the app shows now"},
        )
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    waiting = held.totp_waiting

    def work(tx: Tx) -> None:
        switched = users.update().where(users.c.id == actor.id, users.c.totp_waiting == waiting)
        switched = switched.values(totp_sealed=waiting, totp_waiting=None, totp_last_step=step)
        if not tx.conn.execute(switched).rowcount:
            raise Conflict("the second factor was set up in another window; reload the page")
        _replace_codes(tx, actor.id, codes)
        record(tx, "totp-enabled", actor.id, by=actor)

    instance.write(work)
    return codes


def renew_recovery_codes(instance: Instance, actor: Actor, password: str) -> tuple[str, ...]:
    """New recovery codes in place of the old. Needs the password again: codes outlive the session."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    _password_again(instance, actor, password)
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))

    def work(tx: Tx) -> None:
        if not queries.user_by_id(tx.conn, actor.id).has_totp:
            raise Conflict("the second factor is off; switch it on first")
        _replace_codes(tx, actor.id, codes)
        record(tx, "recovery-codes-made", actor.id, by=actor)

    instance.write(work)
    return codes


def remove_totp(instance: Instance, actor: Actor, password: str) -> None:
    """Switch one's own second factor off. Needs the password again."""
    instance.authorizer.require(actor, "access.account", {"kind": "user", "id": actor.id})
    _password_again(instance, actor, password)
    instance.write(lambda tx: _remove(tx, actor.id, actor, ""))


def remove_totp_of(instance: Instance, actor: Actor, user_id: str, *, reason: str) -> None:
    """Switch somebody's second factor off who has lost it. An administrator's act, with a reason."""
    instance.authorizer.require(actor, "access.manage", {"kind": "user", "id": user_id})
    if not reason.strip():
        raise InvalidInput("a reason is needed; say how you know who asked", {"reason": "say why"})
    instance.write(lambda tx: _remove(tx, user_id, actor, reason.strip()))


def _remove(tx: Tx, user_id: str, actor: Actor, reason: str) -> None:
    if not queries.user_by_id(tx.conn, user_id).has_totp:
        raise Conflict("the second factor is off already; reload the page")
    tx.conn.execute(
        users.update()
        .where(users.c.id == user_id)
        .values(totp_sealed=None, totp_waiting=None, totp_last_step=0)
    )
    tx.conn.execute(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
    record(tx, "totp-removed", user_id, by=actor, reason=reason)


def _password_again(instance: Instance, actor: Actor, password: str) -> None:
    now = instance.clock()
    with instance.read() as conn:
        held = queries.credentials(conn, actor.id)
    if held.password_hash is None:
        # Signed in through a provider and without a password here: the session is all the proof there is.
        return
    charges = second_factor_charges(actor.id)
    charge(instance, charges, now)
    if not verify_password(held.password_hash, password):
        raise InvalidInput(
            "the password is wrong; type your present one", {"password": "this is not your password"}
        )
    refund(instance, charges, now)


def _replace_codes(tx: Tx, user_id: str, codes: tuple[str, ...]) -> None:
    tx.conn.execute(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
    tx.conn.execute(
        recovery_codes.insert(),
        [{"digest": recovery_digest(user_id, code), "user_id": user_id} for code in codes],
    )


def _setup(secret: str, email: str) -> TotpSetup:
    uri = provisioning_uri(secret, email, "Alcaide")
    return TotpSetup(secret, uri, qr_data_uri(uri))
