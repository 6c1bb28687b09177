"""Holding the log against what lies outside, and changing the key that signs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.slices.evidence.model import AnchorFinding
from alcaide.slices.evidence.rules.anchors import check_anchored, read_anchor_file

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance


def check_anchor_file(instance: Instance, data: bytes) -> tuple[AnchorFinding, ...]:
    """Hold every checkpoint in an anchor file against this log. Raises InvalidInput if there is none in it."""
    notes = read_anchor_file(data)
    if not notes:
        raise InvalidInput("there is no checkpoint in the anchor file; give one that anchoring wrote")
    ledger = instance.ledger
    keys = [key.note_key(ledger.origin) for key in instance.keys.public_keys().values()]
    with instance.read() as conn:
        return check_anchored(
            notes,
            keys,
            origin=ledger.origin,
            size=ledger.checkpoint(conn).size,
            root_at=lambda size: ledger.root_at(conn, size),
        )


def rotate_key(instance: Instance, actor: Actor, *, reason: str) -> str:
    """Sign with a new key from now on; the old one says so with its last statement. Returns the new key's id."""
    instance.authorizer.require(actor, "evidence.manage-keys", None)
    if not reason.strip():
        raise InvalidInput("say why the key is changed", {"reason": "say why"})
    return instance.ledger.rotate_key(by=actor.as_json(), reason=reason.strip()[:2000])
