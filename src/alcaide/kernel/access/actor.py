"""Who is acting: the one value that every service takes and every piece of evidence names.

Left out on purpose: where an actor comes from (the access slice reads cookies and tokens) and what it may do
(`authorizer`). An `Actor` is a claim already checked; code that holds one may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["user", "token", "system", "anonymous"]

ROLES: Mapping[str, str] = {
    "admin": "runs this installation: people, roles, keys, settings",
    "security-lead": "answers for the AI in use: registers it, sets gates and policies, waives",
    "ml-engineer": "builds: registers systems and components, brings evidence, asks for gates",
    "approver": "lets versions through gates, never their own request",
    "auditor": "reads everything, access events included, and changes nothing",
    "viewer": "reads the register",
}
"""The roles that ship, with what each is for.

Roles are data: a policy file may name others, a user may hold several.
"""


@dataclass(frozen=True)
class Actor:
    """A person, a token acting for one, the installation itself, or nobody.

    `id` is the user's id for kinds `user` and `token` alike, so that "approver is not the requester" cannot
    be walked around by asking in the browser and approving with a token. Which token it was stands in `via`.

    `scopes` is `None` for no narrowing; otherwise the actor may do only what its roles permit *and* a scope
    names.

    `granted` are the actions that the roles of this installation's own making name, as they were when the actor
    was read. The roles that ship need no such list: policies speak of them by name.
    """

    kind: ActorKind
    id: str
    name: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    via: str | None = None
    granted: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, str]:
        """What evidence says about who did it: kind, id and name, and the token's id when one was used."""
        said = {"kind": self.kind, "id": self.id, "name": self.name}
        if self.via is not None:
            said["via"] = self.via
        return said

    def has_role(self, *names: str) -> bool:
        """Whether one of these roles is held."""
        return not self.roles.isdisjoint(names)

    @property
    def signed_in(self) -> bool:
        """Whether this is anybody at all."""
        return self.kind != "anonymous"

    def in_scope(self, action: str) -> bool:
        """Whether the actor's own narrowing, if any, leaves `action` in."""
        return self.scopes is None or scope_covers(self.scopes, action)


ANONYMOUS = Actor("anonymous", "anonymous", "nobody")


def system_actor(actor_id: str, name: str) -> Actor:
    """The installation acting by itself (a job, first run) or someone at its console, who holds its keys anyway."""
    return Actor("system", actor_id, name, frozenset({"admin"}))


def scope_covers(scopes: Iterable[str], action: str) -> bool:
    """Whether one of `scopes` names `action`: exactly, by slice (`inventory.*`), by verb (`*.view`), or `*` for all.

    A pattern has at most one star, and only as a whole side of the dot; anything else matches nothing, so
    that a mistyped scope narrows and never widens.
    """
    area, dot, verb = action.partition(".")
    if not (area and dot and verb):
        return False
    wanted = {action, f"{area}.*", f"*.{verb}", "*"}
    return any(scope in wanted for scope in scopes)
