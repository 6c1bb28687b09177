"""`alcaide access`: accounts, tokens and links from the machine's own console.

Whoever can read the data folder holds its keys, so the console acts with an administrator's rights and the
log says that it was the console.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.clock import parse_duration, rfc3339
from alcaide.kernel.instance import cli_actor, open_for_cli
from alcaide.slices.access import queries, service
from alcaide.slices.access.model import Token, User

app = App(name="access", help="Accounts, API tokens and one-time links.")
user = App(name="user", help="Accounts.")
token = App(name="token", help="API tokens.")
role = App(name="role", help="Roles of this installation's own making.")
app.command(user)
app.command(token)
app.command(role)

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Format = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print.")]


@user.command(name="add")
def add(
    email: str,
    *,
    name: str,
    role: Annotated[list[str] | None, Parameter(name="--role", help="May be given several times.")] = None,
    service_account: Annotated[bool, Parameter(name="--service", negative="")] = False,
    reason: str = "made at the console",
    data: Data = None,
) -> None:
    """Make an account; for a person, print the link by which they choose a password."""
    with open_for_cli(data) as instance:
        actor = cli_actor()
        made = service.create_user(
            instance,
            actor,
            email=email,
            name=name,
            roles=role or [],
            kind="service" if service_account else "person",
            reason=reason,
        )
        _say(f"account {made.id} is made for {made.name} <{made.email}>")
        if made.kind == "person":
            link = service.make_link(instance, actor, made.id, base_url=instance.config.url, reason=reason)
            _say(f"one-time link, good for 7 days: {link}")
        else:
            _say(f"next: alcaide access token create {made.email} --name … --scope …")


@user.command(name="list")
def list_users(
    *,
    search: str = "",
    role: str = "",
    state: Literal["", "enabled", "disabled"] = "",
    format: Format = "table",
    data: Data = None,
) -> None:
    """List accounts."""
    found: list[User] = []
    with open_for_cli(data) as instance, instance.read() as conn:
        cursor: str | None = None
        while True:
            page = queries.list_users(
                conn, search=search, role=role, state=state, limit=queries.LONGEST_PAGE, cursor=cursor
            )
            found.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
    if format == "json":
        _say(json.dumps([_user_json(one) for one in found], indent=2, ensure_ascii=False))
        return
    rows = [
        (one.id, one.email, one.name, ", ".join(one.roles) or "–", "enabled" if one.enabled else "disabled")
        for one in found
    ]
    _table(("id", "address", "name", "roles", "state"), rows, empty="no account fits")


@user.command(name="role")
def set_roles(
    who: Annotated[str, Parameter(help="Id or e-mail address.")],
    role: Annotated[list[str], Parameter(help="The roles the account shall have, all of them.")],
    /,
    *,
    reason: str,
    data: Data = None,
) -> None:
    """Give an account exactly these roles."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        changed = service.set_roles(instance, cli_actor(), found.id, role, reason=reason)
        _say(f"{changed.name} now has: {', '.join(changed.roles) or 'no role'}")


@user.command(name="disable")
def disable(
    who: Annotated[str, Parameter(help="Id or e-mail address.")], *, reason: str, data: Data = None
) -> None:
    """Shut an account: its sessions and tokens stop at once."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        service.disable_user(instance, cli_actor(), found.id, reason=reason)
        _say(f"{found.name} can no longer sign in; sessions and tokens have stopped")


@user.command(name="enable")
def enable(
    who: Annotated[str, Parameter(help="Id or e-mail address.")], *, reason: str, data: Data = None
) -> None:
    """Open a disabled account again."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        service.enable_user(instance, cli_actor(), found.id, reason=reason)
        _say(f"{found.name} can sign in again")


@token.command(name="create")
def create_token(
    who: Annotated[str, Parameter(help="The account it acts for: id or e-mail address.")],
    *,
    name: Annotated[str, Parameter(help="What it is for.")],
    scope: Annotated[list[str], Parameter(name="--scope", help="An action, `inventory.*`, `*.view` or `*`.")],
    life: Annotated[str, Parameter(help="How long it works, as 90d or 12h.")] = "90d",
    format: Format = "table",
    data: Data = None,
) -> None:
    """Make an API token and print it, this once."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        made = service.create_token(
            instance, cli_actor(), user_id=found.id, name=name, scopes=scope, life=parse_duration(life)
        )
    if format == "json":
        _say(json.dumps(_token_json(made.token) | {"token": made.text}, indent=2, ensure_ascii=False))
        return
    sys.stderr.write(f"this is the only time it is shown; it runs out on {made.token.expires_at:%Y-%m-%d}\n")
    _say(made.text)


@token.command(name="list")
def list_tokens(
    who: Annotated[str, Parameter(help="Id or e-mail address.")],
    *,
    format: Format = "table",
    data: Data = None,
) -> None:
    """List an account's tokens, without their text."""
    with open_for_cli(data) as instance, instance.read() as conn:
        found = queries.tokens_of(conn, queries.find_user(conn, who).id)
        now = instance.clock()
    if format == "json":
        _say(json.dumps([_token_json(one) for one in found], indent=2, ensure_ascii=False))
        return
    rows = [
        (
            one.id,
            one.name,
            ", ".join(one.scopes),
            f"{one.expires_at:%Y-%m-%d}",
            f"{one.last_used_at:%Y-%m-%d %H:%M}" if one.last_used_at else "never",
            "works" if one.works(now) else ("revoked" if one.revoked_at else "run out"),
        )
        for one in found
    ]
    _table(("id", "name", "scopes", "runs out", "last used", "state"), rows, empty="no token")


@token.command(name="revoke")
def revoke_token(
    token_id: Annotated[str, Parameter(help="Its id: the part between the underscores.")],
    *,
    reason: str = "revoked at the console",
    data: Data = None,
) -> None:
    """Stop a token for good."""
    with open_for_cli(data) as instance:
        stopped = service.revoke_token(instance, cli_actor(), token_id, reason=reason)
        _say(f"token {stopped.name} ({stopped.id}) is revoked")


@app.command(name="reset-link")
def reset_link(
    who: Annotated[str, Parameter(help="Id or e-mail address.")],
    *,
    reason: str = "made at the console",
    data: Data = None,
) -> None:
    """Print a one-time link by which somebody chooses a password: the way back in for a locked-out administrator."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        _say(service.make_link(instance, cli_actor(), found.id, base_url=instance.config.url, reason=reason))


@app.command(name="remove-second-factor")
def remove_second_factor(
    who: Annotated[str, Parameter(help="Id or e-mail address.")], *, reason: str, data: Data = None
) -> None:
    """Switch off the second factor of somebody who lost it."""
    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = queries.find_user(conn, who)
        service.remove_totp_of(instance, cli_actor(), found.id, reason=reason)
        _say(f"the second factor of {found.name} is off")


def _user_json(one: User) -> dict[str, Any]:
    return {
        "id": one.id,
        "email": one.email,
        "name": one.name,
        "kind": one.kind,
        "roles": list(one.roles),
        "created_at": rfc3339(one.created_at),
        "disabled_at": rfc3339(one.disabled_at) if one.disabled_at else None,
        "last_sign_in_at": rfc3339(one.last_sign_in_at) if one.last_sign_in_at else None,
        "second_factor": one.has_totp,
        "single_sign_on": one.sso,
    }


def _token_json(one: Token) -> dict[str, Any]:
    return {
        "id": one.id,
        "user_id": one.user_id,
        "name": one.name,
        "scopes": list(one.scopes),
        "created_at": rfc3339(one.created_at),
        "expires_at": rfc3339(one.expires_at),
        "last_used_at": rfc3339(one.last_used_at) if one.last_used_at else None,
        "revoked_at": rfc3339(one.revoked_at) if one.revoked_at else None,
    }


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    if not rows:
        _say(empty)
        return
    widths = [max(len(str(row[at])) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        line = "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        _say(line.rstrip())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


@role.command(name="list")
def list_roles(*, format: Format = "table", data: Data = None) -> None:
    """List roles of this installation's own making, with the actions that they name."""
    with open_for_cli(data) as instance, instance.read() as conn:
        found = queries.own_roles(conn)
    if format == "json":
        shown = [
            {"name": r.name, "title": r.title, "actions": list(r.actions), "holders": r.holders}
            for r in found
        ]
        sys.stdout.write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
        return
    rows = [(r.name, r.title, ", ".join(r.actions), str(r.holders)) for r in found]
    _table(("name", "what it is for", "actions", "accounts"), rows, empty="only the roles that ship")


@role.command(name="define")
def define_role(
    name: str,
    *,
    title: str,
    action: Annotated[
        list[str], Parameter(name="--action", help="All that it may do. Repeatable.", negative="")
    ],
    reason: str = "defined at the console",
    data: Data = None,
) -> None:
    """Make a role, or give one that is there another title and exactly these actions."""
    with open_for_cli(data) as instance:
        kept = service.define_role(instance, cli_actor(), name, title=title, actions=action, reason=reason)
    _say(f"role {kept.name} names {len(kept.actions)} actions; give it with `alcaide access user set-roles`")


@role.command(name="remove")
def remove_role(name: str, *, reason: str = "removed at the console", data: Data = None) -> None:
    """Remove a role that no account has."""
    with open_for_cli(data) as instance:
        service.remove_role(instance, cli_actor(), name, reason=reason)
    _say(f"role {name} is removed")
