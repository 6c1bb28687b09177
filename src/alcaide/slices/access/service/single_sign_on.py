"""Signing in through the organisation's OpenID provider, and whose account its people get here.

The half-finished sign-in is a row that is deleted before the provider's answer is looked at, and it is bound
to the browser it began in by a cookie: an answer that is replayed, or slipped to somebody else, finds
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from alcaide.kernel.access import ROLES, Actor
from alcaide.kernel.access.credentials import digest, new_secret, same
from alcaide.kernel.access.oidc import Claims, OidcClient, OidcRefused, OidcSettings, settings_from
from alcaide.kernel.errors import ConfigError, Conflict, NotFound
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.access import queries, rules
from alcaide.slices.access.model import PENDING_LIFE, SignedIn, User, Visitor
from alcaide.slices.access.service.people import add_user, change_roles
from alcaide.slices.access.service.record import record
from alcaide.slices.access.service.sessions import end_sessions, open_session
from alcaide.slices.access.service.throttle import charge, refund, secret_charges
from alcaide.slices.access.tables import pending, users

CALLBACK_PATH = "/sign-in/callback"


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and the cookie that binds the answer to it."""

    url: str
    cookie: str


def provider(instance: Instance) -> OidcSettings | None:
    """The configured provider, or None. Raises ConfigError if the `oidc:` section cannot be used."""
    section = instance.config.section("oidc")
    if not section:
        return None
    return _client(_frozen(section)).settings


def start_sso(instance: Instance, *, next_path: str, visitor: Visitor) -> Departure:
    """Begin a sign-in: note state, nonce and PKCE verifier, and say where the provider is."""
    client, now = _installed_client(instance), instance.clock()
    # Beginnings are counted as tries: each writes a row, and nobody needs sixty in a row.
    charges = secret_charges(visitor)
    charge(instance, charges, now)
    state, nonce, verifier, cookie = new_secret(), new_secret(), new_secret(), new_secret()
    url = client.authorization_url(
        redirect_uri=_redirect_uri(instance), state=state, nonce=nonce, verifier=verifier, now=now
    )
    memo = {
        "nonce": nonce,
        "verifier": verifier,
        "browser": digest(cookie),
        "next": rules.safe_path(next_path),
    }
    with instance.db.transaction() as conn:
        conn.execute(
            pending.insert().values(
                digest=digest(state), kind="oidc", user_id=None, memo=memo, expires_at=now + PENDING_LIFE
            )
        )
    return Departure(url, cookie)


def finish_sso(
    instance: Instance,
    *,
    answer: Mapping[str, str],
    cookie: str,
    visitor: Visitor,
    replaces: str | None = None,
) -> SignedIn:
    """Take the provider's answer.

    1. The state is one we gave, to this browser, not long ago, and is used up now.
    2. The provider did not report an error.
    3. The code is traded and the ID token verified.
    4. The person's account is found, linked or made, and its roles brought up to date.
    5. A session is opened.
    """
    client, now = _installed_client(instance), instance.clock()
    held_under = digest(answer.get("state", "")[:128])
    with instance.db.transaction() as conn:
        waiting = queries.pending_by_digest(conn, held_under, "oidc", now)
        conn.execute(pending.delete().where(pending.c.digest == held_under, pending.c.kind == "oidc"))
    if waiting is None or not same(cookie[:128], str(waiting[1]["browser"])):
        raise OidcRefused("this sign-in was finished, took too long or began in another browser; start again")
    memo = waiting[1]
    if answer.get("error"):
        said = "".join(letter for letter in answer["error"][:40] if letter.isalnum() or letter in "_-")
        raise OidcRefused(f"the provider did not sign you in (`{said}`); try again, or ask its administrator")
    if not answer.get("code"):
        raise OidcRefused("the provider's answer has no code; start again from the sign-in page")
    claims = client.exchange(
        code=answer["code"][:4096],
        redirect_uri=_redirect_uri(instance),
        verifier=memo["verifier"],
        nonce=memo["nonce"],
        issuer_said=answer.get("iss"),
        now=now,
    )
    secret, new_user_id = new_secret(), new_id()

    def work(tx: Tx) -> SignedIn | None:
        user = _account(tx, claims, client.settings, new_user_id)
        if not user.roles and user.roles_from_sso:
            # Losing every group is a fact that must stand, so the work commits and the refusal comes after.
            end_sessions(tx, user.id)
            return None
        return open_session(tx, user, secret=secret, method="oidc", visitor=visitor, replaces=replaces)

    signed_in = instance.write(work)
    if signed_in is None:
        raise OidcRefused(_NO_ROLE)
    refund(instance, secret_charges(visitor), now)
    return SignedIn(signed_in.user, secret, signed_in.session_id, str(memo["next"]))


def _account(tx: Tx, claims: Claims, settings: OidcSettings, new_user_id: str) -> User:
    roles = rules.roles_by_claims(
        email=claims.email,
        email_verified=claims.email_verified,
        groups=claims.groups,
        group_roles=settings.group_roles,
        email_roles=settings.email_roles,
        default_roles=settings.default_roles,
    )
    user = queries.user_by_subject(tx.conn, claims.issuer, claims.subject)
    if user is None:
        user = _by_verified_address(tx, claims)
    if user is None:
        return _new_account(tx, claims, settings, roles, new_user_id)
    if not user.enabled:
        raise OidcRefused("this account is disabled; ask an administrator")
    return _bring_up_to_date(tx, user, roles) if user.roles_from_sso else user


def _by_verified_address(tx: Tx, claims: Claims) -> User | None:
    """An account made here under the address that the provider has verified becomes this person's, once."""
    address = rules.email_address(claims.email) if claims.email_verified else None
    user = queries.user_by_email(tx.conn, address) if address else None
    if user is None or user.kind != "person":
        return None
    if user.sso:
        raise OidcRefused("this address belongs to an account of another person there; ask an administrator")
    if not user.enabled:
        raise OidcRefused("this account is disabled; ask an administrator")
    tx.conn.execute(
        users.update()
        .where(users.c.id == user.id)
        .values(sso_issuer=claims.issuer, sso_subject=claims.subject)
    )
    record(tx, "identity-linked", user.id, by=_person(user))
    return queries.user_by_id(tx.conn, user.id)


def _new_account(
    tx: Tx, claims: Claims, settings: OidcSettings, roles: tuple[str, ...], user_id: str
) -> User:
    address = rules.email_address(claims.email)
    if not settings.create_users:
        raise OidcRefused("you have no account here yet; ask an administrator to make one")
    if address is None or not claims.email_verified:
        raise OidcRefused(
            "the provider gave no verified e-mail address; ask its administrator for the `email` scope"
        )
    if not roles:
        raise OidcRefused(_NO_ROLE)
    name = rules.person_name(claims.name) or address
    by = Actor("user", user_id, name, frozenset(roles))
    return add_user(
        tx,
        user_id,
        email=address,
        name=name,
        roles=roles,
        kind="person",
        by=by,
        reason="first sign-in through the provider",
        sso=(claims.issuer, claims.subject),
    )


def _bring_up_to_date(tx: Tx, user: User, roles: tuple[str, ...]) -> User:
    """The provider decides the roles of accounts it brought. It cannot take the last administrator away."""
    by = Actor("system", "alcaide", "alcaide", frozenset({"admin"}))
    try:
        return change_roles(tx, user, roles, by=by, reason="groups at the provider")
    except Conflict:
        return change_roles(
            tx, user, (*roles, "admin"), by=by, reason="groups at the provider; last administrator"
        )


_NO_ROLE = "none of your groups gives you a role here; ask an administrator which group does"


def _installed_client(instance: Instance) -> OidcClient:
    section = instance.config.section("oidc")
    if not section:
        raise NotFound("single sign-on is not set up; sign in with e-mail and password")
    with instance.read() as conn:
        known = tuple(queries.known_roles(conn))
    return _client(_frozen(section), known)


def _redirect_uri(instance: Instance) -> str:
    return str(instance.config.url) + CALLBACK_PATH


@lru_cache(maxsize=8)
def _client(section: Any, known: tuple[str, ...] = tuple(ROLES)) -> OidcClient:
    settings = settings_from(_thawed(section), os.environ)
    given = (*settings.default_roles, *(r for roles in settings.group_roles.values() for r in roles))
    given = (*given, *(r for roles in settings.email_roles.values() for r in roles))
    unknown = rules.unknown_roles(given, known)
    if unknown:
        raise ConfigError(
            f"`oidc` gives the role `{unknown[0]}`, which is none; choose from {', '.join(known)}"
        )
    return OidcClient(settings)


def _frozen(value: Any) -> Any:
    """Settings as something that can be a cache key."""
    if isinstance(value, Mapping):
        return ("map", tuple(sorted((str(key), _frozen(item)) for key, item in value.items())))
    if isinstance(value, list | tuple):
        return ("list", tuple(_frozen(item) for item in value))
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "map":
        return {key: _thawed(item) for key, item in value[1]}
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "list":
        return [_thawed(item) for item in value[1]]
    return value


def _person(user: User) -> Actor:
    return Actor("user", user.id, user.name, frozenset(user.roles))
