"""What the tests of access share beside fixtures: the console, a place to come from, a good password."""

from __future__ import annotations

from alcaide.kernel.access.actor import Actor, system_actor
from alcaide.slices.access.model import User, Visitor

CONSOLE = system_actor("cli:test", "test")
HERE = Visitor("192.0.2.7", "a browser")
ELSEWHERE = Visitor("198.51.100.9", "another browser")
PASSWORD = "violet harbour lantern 42"
COOKIE = "alcaide_session"


def actor_of(user: User) -> Actor:
    return Actor("user", user.id, user.name, frozenset(user.roles))
