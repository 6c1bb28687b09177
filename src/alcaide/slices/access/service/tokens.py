"""API tokens: made for oneself or for a service account, narrowed by scopes, always with an end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from alcaide.kernel.access import Actor
from alcaide.kernel.access.credentials import digest, new_secret, token_text
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import (
    TOKEN_LIFE_DEFAULT,
    TOKEN_LIFE_LONGEST,
    TOKENS_EACH,
    NewToken,
    Token,
    User,
)
from alcaide.slices.access.service.record import record
from alcaide.slices.access.tables import tokens

SCOPES_MOST = 50


def create_token(
    instance: Instance,
    actor: Actor,
    *,
    user_id: str,
    name: str,
    scopes: Collection[str],
    life: timedelta = TOKEN_LIFE_DEFAULT,
) -> NewToken:
    """Make a token for an account. Its text is returned here once; the database keeps a digest.

    What it may do is what its owner may do, at the time of each use, narrowed to `scopes`: taking a role away
    from the owner takes it from the token as well.
    """
    with instance.read() as conn:
        owner = queries.user_by_id(conn, user_id)
    _require(instance, actor, owner)
    shown, wanted = _checked(instance, name, scopes, life)
    token_id, secret = new_id(), new_secret()

    def work(tx: Tx) -> Token:
        still = queries.user_by_id(tx.conn, user_id)
        if not still.enabled:
            raise Conflict(f"the account of {still.name} is disabled; enable it first")
        live = (
            sa.select(sa.func.count())
            .select_from(tokens)
            .where(tokens.c.user_id == user_id, tokens.c.revoked_at.is_(None), tokens.c.expires_at > tx.now)
        )
        if int(tx.conn.execute(live).scalar_one()) >= TOKENS_EACH:
            raise Conflict(f"this account has {TOKENS_EACH} live tokens; revoke one that is not used")
        tx.conn.execute(
            tokens.insert().values(
                id=token_id,
                digest=digest(secret),
                user_id=user_id,
                name=shown,
                scopes=list(wanted),
                created_at=tx.now,
                expires_at=tx.now + life,
            )
        )
        details = {
            "token": token_id,
            "scopes": list(wanted),
            "life_days": round(life.total_seconds() / 86400, 3),
        }
        record(tx, "token-created", user_id, by=actor, details=details)
        return queries.token_by_id(tx.conn, token_id)

    return NewToken(instance.write(work), token_text(token_id, secret))


def revoke_token(instance: Instance, actor: Actor, token_id: str, *, reason: str = "") -> Token:
    """Stop a token for good.

    Its owner may, and so may an administrator: a leaked token cannot wait for its owner.
    """
    with instance.read() as conn:
        token = queries.token_by_id(conn, token_id)
        owner = queries.user_by_id(conn, token.user_id)
    if not instance.authorizer.decide(actor, "access.manage", {"kind": "user", "id": owner.id}):
        _require(instance, actor, owner)

    def work(tx: Tx) -> Token:
        live = tokens.update().where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        if not tx.conn.execute(live.values(revoked_at=tx.now)).rowcount:
            raise Conflict("this token is revoked already; reload the page")
        record(tx, "token-revoked", owner.id, by=actor, reason=reason.strip(), details={"token": token_id})
        return queries.token_by_id(tx.conn, token_id)

    return instance.write(work)


def _require(instance: Instance, actor: Actor, owner: User) -> None:
    kind = "service-account" if owner.kind == "service" else "user"
    instance.authorizer.require(actor, "access.account", {"kind": kind, "id": owner.id})


def _checked(
    instance: Instance, name: str, scopes: Collection[str], life: timedelta
) -> tuple[str, tuple[str, ...]]:
    fields = {}
    shown = rules.person_name(name)
    if shown is None or len(shown) > 80:
        fields["name"] = "say in 1 to 80 characters what this token is for"
    wanted = tuple(sorted({scope.strip() for scope in scopes if scope.strip()}))
    unknown = rules.scope_problems(wanted[:SCOPES_MOST], tuple(instance.authorizer.actions))
    if not wanted:
        fields["scopes"] = "choose at least one scope; a token without one could do nothing"
    elif len(wanted) > SCOPES_MOST:
        fields["scopes"] = f"at most {SCOPES_MOST} scopes; use a wildcard such as `inventory.*`"
    elif unknown:
        fields["scopes"] = (
            f"`{unknown[0][:60]}` names no action; write one, or `inventory.*`, `*.view` or `*`"
        )
    if not timedelta(minutes=1) <= life <= TOKEN_LIFE_LONGEST:
        fields["life"] = f"choose between one minute and {TOKEN_LIFE_LONGEST.days} days"
    if fields or shown is None:
        raise InvalidInput("the token cannot be made; " + next(iter(fields.values())), fields)
    return shown, wanted
