"""A person says that something holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.attested import Attested
from alcaide.predicates.base import By, at
from alcaide.slices.evidence.service.subjects import resolve

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

MAX_CLAIM = 4_000


def attest(
    instance: Instance,
    actor: Actor,
    subjects: Sequence[str],
    claim: str,
    *,
    outcome: str = "passed",
    ref: str = "",
    until: datetime | None = None,
    reason: str = "",
) -> int:
    """Record a claim under this actor's name; returns its leaf. Raises InvalidInput with the fields at fault."""
    instance.authorizer.require(actor, "evidence.attest", None)
    fields: dict[str, str] = {}
    claim = claim.strip()
    wanted = [one for one in subjects if one.strip()]
    if not claim or len(claim) > MAX_CLAIM:
        fields["claim"] = f"say what holds, in at most {MAX_CLAIM} characters"
    if not wanted:
        fields["subject"] = "say what it is about, as `system:loan-desk`"
    said: Literal["passed", "failed"] = "passed" if outcome == "passed" else "failed"
    if outcome not in ("passed", "failed"):
        fields["outcome"] = "choose `passed` if it holds, `failed` if it does not"
    if until is not None and until <= instance.clock():
        fields["until"] = "choose a day in the future"
    if len(ref) > 200:
        fields["ref"] = "at most 200 characters"
    if fields:
        raise InvalidInput(next(iter(fields.values())), fields)
    with instance.read() as conn:
        about = [resolve(conn, instance, one) for one in wanted]

    def work(tx: Tx) -> int:
        return tx.append(
            Attested(
                at=at(tx.now),
                by=By.of(actor),
                reason=reason.strip()[:2000],
                claim=claim,
                outcome=said,
                ref=ref.strip(),
                until=at(until) if until else "",
            ).about(about)
        )

    return instance.write(work)
