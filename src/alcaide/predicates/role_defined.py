"""`role-defined`: a role of this installation's own making was made, changed or removed.

Who has a role is said by `access-event`s about accounts; what the role means is said here. The two together answer who
might do what at any time.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate


class RoleDefined(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `role:<name>` with the digest of its canonical description `{"actions", "name", "title"}`.

    `actions` are those it names from now on, in order; none for `removed`. `before` are those it named until now.
    """

    TYPE: ClassVar[str] = "urn:alcaide:role-defined:v1"
    TITLE: ClassVar[str] = "Role defined"

    event: Literal["made", "changed", "removed"]
    role: str
    title: str
    actions: tuple[str, ...]
    before: tuple[str, ...] = ()
