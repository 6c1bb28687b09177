"""Which waivers count now. A waiver never changes a verdict; it stands beside one, with its leaf and its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import canonical
from alcaide.kernel.policy.explanation import Scope, Waiver
from alcaide.kernel.policy.reading import SKEW, field_of, moment
from alcaide.kernel.policy.requirement import Requirement
from alcaide.kernel.policy.view import EvidenceView, Record

WAIVED = "urn:alcaide:waived:v1"


def waivers_in_force(
    requirement: Requirement, scope: Scope, view: EvidenceView, *, now: datetime
) -> dict[str | None, Waiver]:
    """The waivers of one requirement that count now, by component name; under None the one for the whole.

    The latest waiver for the same thing speaks, so a waiver is taken back by one that ends at once. A waiver
    for a component counts only for the digest it was given for, and one that names the requirement's text
    only for that text.
    """
    if not requirement.waivable or not view.complete:
        return {}
    latest: dict[str | None, Record] = {}
    for record in view.about(f"name:{scope.this.name}"):
        if record.predicate_type != WAIVED or record.foreign:
            continue
        if record.predicate.get("requirement") != requirement.id:
            continue
        latest[_component_named(record.predicate)] = record
    found: dict[str | None, Waiver] = {}
    for component, record in latest.items():
        waiver = _waiver(record, requirement, component, scope, now)
        if waiver is not None:
            found[component] = waiver
    return found


def requirement_digest(requirement: Requirement) -> str:
    """What a waiver may be bound to: the digest of the requirement as it was written."""
    return sha256(canonical(dict(requirement.document or {"id": requirement.id}))).hexdigest()


def _component_named(predicate: Mapping[str, Any]) -> str | None:
    name = field_of(predicate, "component.name")
    return name if isinstance(name, str) and name else None


def _waiver(
    record: Record, requirement: Requirement, component: str | None, scope: Scope, now: datetime
) -> Waiver | None:
    said = record.predicate
    try:
        given, until = moment(said, "at"), moment(said, "until")
    except InvalidInput:
        return None
    if given is None or until is None or given > now + SKEW or until <= now:
        return None
    of_text = said.get("requirement_digest")
    if of_text is not None and of_text != requirement_digest(requirement):
        return None
    if component is not None:
        current = next((c.digest for c in scope.components if c.name == component), None)
        if current is None or field_of(said, "component.sha256") != current:
            return None
    elif "component" in said:
        return None  # meant for one component, and it cannot be read which
    by = field_of(said, "by.name") or field_of(said, "by.id")
    if not isinstance(by, str):
        return None
    return Waiver(record.index, requirement.id, component, until, by, str(said.get("reason", ""))[:500])
