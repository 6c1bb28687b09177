"""What somebody means who names a subject: the register's present version of it, with its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ledger.reader import leaves_about, read_leaves
from alcaide.predicates.changed import Changed
from alcaide.predicates.registered import Registered
from alcaide.slices.evidence.queries import system_graph
from alcaide.slices.evidence.rules.paths import label_of, subject_key

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance


def resolve(conn: Connection, instance: Instance, text: str) -> Subject:
    """The subject that `text` names, with a digest; raises InvalidInput if none is known.

    A system, by its short name or as `system:name`; anything registered, by name; `name=sha256:<hex>` for what the
    register does not know; or a bare digest. Only the register's own statements are asked for a digest: what an
    imported document calls itself is its writer's choice.
    """
    name, separator, digest = text.strip().partition("=sha256:")
    if separator:
        key = subject_key(digest)
        if key.startswith("name:"):
            raise InvalidInput(f"`{digest[:80]}` is not a SHA-256 digest; give 64 hex characters")
        return Subject(label_of(subject_key(name)), {"sha256": key.removeprefix("sha256:")})
    key = subject_key(text)
    if key.startswith("sha256:"):
        return Subject("", {"sha256": key.removeprefix("sha256:")})
    graph = system_graph(conn, instance, label_of(key))
    if graph is not None:
        return graph.subject
    found = _registered(conn, instance, key)
    if found is None:
        raise InvalidInput(
            f"nothing is registered as `{label_of(key)[:120]}`; register it first, or give its digest as "
            f"`{label_of(key)[:60]}=sha256:…`"
        )
    return found


def _registered(conn: Connection, instance: Instance, key: str) -> Subject | None:
    """The newest digest that the register gave this name."""
    own = instance.keys.public_keys()
    indices = [index for index, _ in leaves_about(conn, key)]
    for start in range(len(indices), 0, -100):
        for leaf in reversed(list(read_leaves(conn, indices[max(start - 100, 0) : start]))):
            if leaf.predicate_type not in (Registered.TYPE, Changed.TYPE) or not own:
                continue
            for subject in leaf.statement().subjects:
                if subject.name == label_of(key) and subject.sha256:
                    return subject
    return None
