"""The only writer: asking for a move, deciding about it, waiving, moving back; each with its evidence.

Every function asks the authorizer about the very system and request, whatever the skin has asked before. What
was decided on is read inside the unit of work that records it: the ledger has one writer at a time, so
nothing can change between the look and the signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from alcaide import __version__
from alcaide.kernel.access import Actor
from alcaide.kernel.clock import parse_duration, parse_rfc3339
from alcaide.kernel.errors import ConfigError, Conflict, InvalidInput, NotAllowed, NotFound
from alcaide.kernel.evidence import Envelope, Statement, Subject, sign
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.policy import Passed
from alcaide.kernel.policy.evaluate import requirement_digest
from alcaide.predicates.approved import Approved, Bound, Named
from alcaide.predicates.base import By, at
from alcaide.predicates.gate_passed import GatePassed, MovedBack, MoveRequested, MoveWithdrawn, RequirementMet
from alcaide.predicates.graph import STAGES, SystemGraph
from alcaide.predicates.waived import Waived
from alcaide.slices.lifecycle import projection, queries, rules
from alcaide.slices.lifecycle.model import RETIRED
from alcaide.slices.lifecycle.rules import Request, Standing, Story

MAX_REASON = 2_000
LONGEST_WAIVER = timedelta(days=366)
"""A waiver is for now. What is waived for longer than a year is a change of policy, and belongs into the
gate.
"""
VSA_TYPE = "https://slsa.dev/verification_summary/v1"

Word = Literal["approved", "rejected", "revoked"]


def request_move(instance: Instance, actor: Actor, system: str, to_stage: str, reason: str) -> Standing:
    """Ask for a system to move on; returns how it then stands.

    What is asked for is bound to the system as it is now, so that everybody decides about the same. Raises
    Conflict if the same move waits already, or has been granted and still stands.
    """
    said = _reason(reason, "say why the system should move on")

    def work(tx: Tx) -> None:
        standing, story = _look(instance, tx, system, to_stage)
        instance.authorizer.require(actor, "lifecycle.request", _about(standing.system, story))
        _check_askable(standing, story)
        gate = standing.gate
        requested = MoveRequested(
            at=at(tx.now),
            by=By.of(actor),
            reason=said,
            request=new_id(),
            gate=gate.id,
            from_stage=story.stage,
            to_stage=gate.to_stage,
            bound=standing.bound,
            until=at(tx.now + gate.request_lasts),
        )
        _record(tx, requested.about(_subjects(standing.bound)))

    instance.write(work)
    return _now(instance, system, to_stage)


def decide(
    instance: Instance,
    actor: Actor,
    system: str,
    request_id: str,
    word: Word,
    *,
    role: str = "",
    reason: str = "",
    seen: str = "",
) -> Standing:
    """Approve or reject an open request, or take one's own approval back; returns how the system then stands.

    An approval takes a seat: `role`, or the first unfilled one the actor may take. With the last seat filled
    and every requirement met, the gate is passed and the system moves in the same breath (`settle`).

    `seen` is the digest over what the person was shown (`Standing.bound_digest`): if anything has changed
    since they looked, Conflict, as they would decide about something they have not seen.
    """
    said = _reason(reason, "say why") if word != "approved" else reason.strip()[:MAX_REASON]
    to_stage = ""

    def work(tx: Tx) -> None:
        nonlocal to_stage
        story, graph = _story(instance, tx, system)
        request = _find(story, request_id)
        to_stage = request.to_stage
        _check_decidable(request, word, tx.now)
        until = ""
        if word == "revoked":
            seat, bound = _own_approval(request, actor), request.bound
            own = {**_about(graph.subject_name, story, request), "author": actor.id}
            instance.authorizer.require(actor, "lifecycle.take-back", own)
        else:
            standing, _ = _look(instance, tx, system, to_stage)
            seat, bound = _seat(instance, actor, standing, story, request, role), standing.bound
            if seen and seen != standing.bound_digest:
                raise Conflict("what you looked at has changed since; look again before you decide")
            until = at(tx.now + standing.gate.approval_lasts) if word == "approved" else ""
        decided = Approved(
            at=at(tx.now),
            by=By.of(actor),
            reason=said,
            decision=word,
            request=request.id,
            gate=request.gate,
            role=seat,
            bound=bound,
            until=until,
        )
        _record(tx, decided.about(_subjects(bound)))

    instance.write(work)
    if word == "approved":
        _settle(instance, actor, system, to_stage)
    return _now(instance, system, to_stage)


def withdraw(instance: Instance, actor: Actor, system: str, request_id: str, reason: str) -> None:
    """Take an open request back; its approvals say nothing any more. Raises Conflict if it no longer waits."""
    said = _reason(reason, "say why the request is withdrawn")

    def work(tx: Tx) -> None:
        story, graph = _story(instance, tx, system)
        request = _find(story, request_id)
        about = _about(graph.subject_name, story, request)
        instance.authorizer.require(actor, "lifecycle.withdraw", about)
        if request.state(tx.now) in ("passed", "withdrawn"):
            raise Conflict(f"request `{request.id}` is {request.state(tx.now)} already; load the page again")
        withdrawn = MoveWithdrawn(at=at(tx.now), by=By.of(actor), reason=said, request=request.id)
        _record(tx, withdrawn.about([graph.subject]))

    instance.write(work)


def settle(instance: Instance, actor: Actor, system: str, to_stage: str) -> bool:
    """Record that a gate is passed and move the system, if everything is there now; returns whether it was.

    By hand or by the job, where evidence came after the approvals; each approval tries it by itself.
    """
    instance.authorizer.require(
        actor, "lifecycle.settle", {"kind": "system", "id": system.removeprefix("system:")}
    )
    return _settle(instance, actor, system, to_stage)


def _settle(instance: Instance, actor: Actor, system: str, to_stage: str) -> bool:
    def work(tx: Tx) -> bool:
        standing, story = _look(instance, tx, system, to_stage)
        request = standing.request
        if not standing.complete or request is None:
            return False
        gate = standing.gate
        if not gate.leads_from(story.stage):
            raise Conflict(f"the system is at `{story.stage}` now, and this gate does not lead from there")
        met = tuple(
            RequirementMet(
                id=explanation.requirement.id,
                outcome=explanation.outcome,
                stood_on=explanation.counts_as.stood_on,
                waivers=tuple(waiver.index for waiver in explanation.waivers),
            )
            for explanation in standing.explanations
        )
        passed = GatePassed(
            at=at(tx.now),
            by=By.of(actor),
            reason=request.reason,
            request=request.id,
            gate=gate.id,
            from_stage=story.stage,
            to_stage=gate.to_stage,
            bound=standing.bound,
            requirements=met,
            approvals=tuple(word.leaf for word in standing.approvals.counting),
            tree_size=standing.tree_size,
            until=at(tx.now + gate.pass_lasts) if gate.pass_lasts else "",
        )
        _record(tx, passed.about(_subjects(standing.bound)))
        _tell_stage(instance, tx, standing.system, gate.to_stage)
        return True

    return instance.write(work)


def waive(
    instance: Instance,
    actor: Actor,
    system: str,
    to_stage: str,
    requirement_id: str,
    *,
    until: str,
    reason: str,
    component: str = "",
) -> Standing:
    """Let a requirement of a gate go unmet until a time, or take a waiver back with `now`.

    `until` is a time or a duration from now. The waiver is bound to the requirement as it is written, and,
    where it is for one component, to that component's digest.
    """
    said = _reason(reason, "say why it may go unmet")

    def work(tx: Tx) -> None:
        standing, story = _look(instance, tx, system, to_stage)
        about = _about(standing.system, story, standing.request)
        instance.authorizer.require(actor, "lifecycle.waive", about)
        requirement = next((r for r in standing.gate.requirements if r.id == requirement_id), None)
        if requirement is None:
            raise NotFound(
                f"gate `{standing.gate.id}` has no requirement `{requirement_id[:80]}`; pick one of its own"
            )
        if not requirement.waivable:
            raise NotAllowed(
                f"`{requirement.id}` cannot be waived; its gate says so",
                rule=standing.gate.id,
                owner="security-lead",
                next_step="bring the evidence it asks for",
            )
        ends = _ends(until, tx.now)
        waived = Waived(
            at=at(tx.now),
            by=By.of(actor),
            reason=said,
            requirement=requirement.id,
            until=at(ends),
            requirement_digest=requirement_digest(requirement),
            component=_component(standing.bound, component) if component else None,
        )
        _record(tx, waived.about([_system_subject(standing.bound)]))

    instance.write(work)
    return _now(instance, system, to_stage)


def move_back(instance: Instance, actor: Actor, system: str, to_stage: str, reason: str) -> Story:
    """Return a system to an earlier stage, or retire it. Passes of gates beyond that stage stand no more."""
    said = _reason(reason, "say why the system goes back")
    if to_stage not in STAGES:
        raise InvalidInput(
            f"`{to_stage[:40]}` is no stage; use one of {', '.join(STAGES)}", {"to": "no stage"}
        )

    def work(tx: Tx) -> None:
        story, graph = _story(instance, tx, system)
        instance.authorizer.require(actor, "lifecycle.move-back", _about(graph.subject_name, story))
        forward = STAGES.index(to_stage) >= STAGES.index(story.stage)
        if to_stage == story.stage or (forward and to_stage != RETIRED):
            raise Conflict(f"`{to_stage}` is not behind `{story.stage}`; to move on, ask for the gate")
        moved = MovedBack(
            at=at(tx.now), by=By.of(actor), reason=said, from_stage=story.stage, to_stage=to_stage
        )
        _record(tx, moved.about([graph.subject]))
        _tell_stage(instance, tx, graph.subject_name, to_stage)

    instance.write(work)
    with instance.read() as conn:
        return queries.standings(instance, conn, system, now=instance.clock())[0]


def verification_summary(instance: Instance, system: str, to_stage: str) -> Envelope:
    """A SLSA VSA that the system passed the gate, signed with the instance's key.

    Only for a gate that is passed and still stands: a summary made today of what held last month would be
    believed today. The same pass gives the same bytes while the key is the same. Raises Conflict with the
    reason otherwise.
    """
    with instance.read() as conn:
        standing = queries.standing(instance, conn, system, to_stage, now=instance.clock())
        passed = standing.passed.passed if standing.passed else None
        if not standing.stands or passed is None:
            why = standing.verdict.reason or "nobody has asked for this move"
            raise Conflict(f"there is no summary of a gate that is not passed: {why}")
        leaves = sorted({*passed.stood_on, *passed.approvals, passed.leaf})
        inputs = [
            {
                "uri": f"{instance.config.url}/evidence/leaves/{index}",
                "digest": {"sha256": sha256(instance.ledger.leaf(conn, index).envelope).hexdigest()},
            }
            for index in leaves
        ]
        keyid = instance.ledger.checkpoint(conn).keyid
    gate = standing.gate
    predicate: dict[str, Any] = {
        "verifier": {"id": instance.config.public_url or f"urn:alcaide:log:{instance.ledger.origin}",
                     "version": {"alcaide": __version__}},
        "timeVerified": at(passed.at),
        "resourceUri": f"urn:alcaide:{standing.system}",
        "policy": {"uri": f"urn:alcaide:gate:{gate.id}", "digest": {"sha256": gate.digest}},
        "inputAttestations": inputs,
        "verificationResult": "PASSED",
        "verifiedLevels": [f"ALCAIDE_GATE_{gate.id.upper().replace('-', '_')}"],
        "slsaVersion": "1.1",
    }  # fmt: skip
    statement = Statement(tuple(_subjects(passed.bound)), VSA_TYPE, predicate)
    return sign(statement.to_bytes(), instance.keys.signer(keyid))


def refresh(instance: Instance, *, limit: int = 1_000) -> int:
    """Follow the log to its end and look again at systems whose place in the overview is out of date.

    Returns how many were looked at.
    """
    while projection.follow(instance):
        pass
    with instance.read() as conn:
        names = queries.to_assess(conn, instance.clock(), limit=limit)
    for name in names:
        assess_again(instance, name)
    return len(names)


def assess_again(instance: Instance, system: str) -> None:
    """Decide anew how one system stands before its next gate, and remember it for the overview."""
    now = instance.clock()
    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        try:
            _, ahead = queries.standings(instance, conn, system, now=now)
        except (NotFound, ConfigError):
            return  # gone from the register, or gates that cannot be read: the page says so where it is met
    with instance.db.transaction() as conn:
        projection.keep_standing(conn, system, ahead[0] if ahead else None, size=size, now=now)


# ── what the functions above share
# ─────────────────────────────────────────────────────────────────────────────────


def _look(instance: Instance, tx: Tx, system: str, to_stage: str) -> tuple[Standing, Story]:
    story, (standing,) = queries.standings(instance, tx.conn, system, now=tx.now, only=to_stage)
    return standing, story


def _story(instance: Instance, tx: Tx, system: str) -> tuple[Story, SystemGraph]:
    graph = queries.graph_of(instance, tx.conn, system)
    view = instance.view(tx.conn, [f"name:{graph.subject_name}"])
    if not view.complete:
        raise Conflict(f"the evidence about `{system}` cannot be shown to be complete: {view.why_incomplete}")
    return rules.story_of(graph.subject_name, view), graph


def _now(instance: Instance, system: str, to_stage: str) -> Standing:
    with instance.read() as conn:
        return queries.standing(instance, conn, system, to_stage, now=instance.clock())


def _record(tx: Tx, statement: Statement) -> None:
    projection.enter(tx.conn, tx.append(statement), statement)


def _tell_stage(instance: Instance, tx: Tx, system: str, stage: str) -> None:
    """Let whoever lists systems know their stage. Nobody has to be there to be told."""
    try:
        tell = instance.capability("record-stage")
    except ConfigError:
        return
    tell(tx, system, stage)


def _about(system: str, story: Story, request: Request | None = None, seat: str = "") -> Mapping[str, str]:
    about = {"kind": "system", "id": system.removeprefix("system:"), "stage": story.stage}
    if request is not None:
        about["requester"] = request.requester
    if seat:
        about["seat"] = seat
    return about


def _subjects(bound: Bound) -> list[Subject]:
    """The system and every component with a digest, so that what is said is found from each of them."""
    named = [bound.system, *bound.components]
    return [Subject(n.name, {"sha256": n.sha256}) for n in named if n.sha256]


def _system_subject(bound: Bound) -> Subject:
    return Subject(bound.system.name, {"sha256": bound.system.sha256})


def _find(story: Story, request_id: str) -> Request:
    request = story.request(request_id)
    if request is None:
        raise NotFound(f"there is no request `{request_id[:40]}` for this system; load the page again")
    return request


def _check_askable(standing: Standing, story: Story) -> None:
    gate = standing.gate
    if story.stage == RETIRED:
        raise Conflict("the system is retired; register it anew to use it again")
    if not gate.leads_from(story.stage):
        raise Conflict(
            f"the system is at `{story.stage}`, and gate `{gate.id}` leads to `{gate.to_stage}` only from "
            f"{', '.join(gate.from_stages)}"
        )
    if standing.request is not None:
        raise Conflict(
            f"{standing.request.requester_name} has asked for this already; withdraw that request to ask anew"
        )
    passed = story.last_pass(gate.to_stage)
    if passed is not None and isinstance(standing.approvals.verdict, Passed):
        raise Conflict(f"gate `{gate.id}` is passed and still stands; nothing needs to be asked for")


def _check_decidable(request: Request, word: Word, now: datetime) -> None:
    state = request.state(now)
    if word == "revoked":
        if state not in ("open", "passed"):
            raise Conflict(f"the request is {state}; nothing stands on your approval any more")
        return
    if state != "open":
        raise Conflict(f"the request is {state}; it can no longer be decided about")


def _own_approval(request: Request, actor: Actor) -> str:
    """The seat of the actor's standing approval. Nobody takes back another's word."""
    latest = next((word for word in reversed(request.words) if word.person == actor.id), None)
    if latest is None or latest.decision != "approved":
        raise Conflict("you have not approved this request, so there is nothing to take back")
    return latest.role


def _seat(
    instance: Instance, actor: Actor, standing: Standing, story: Story, request: Request, role: str
) -> str:
    """The seat the actor takes, checked: one the gate has, whose role they hold, and not their own request."""
    gate = standing.gate
    if gate.id != request.gate:
        raise Conflict(f"gate `{request.gate}` is no longer in force; withdraw the request and ask anew")
    free = rules.free_seats(gate, standing.approvals, actor.roles)
    seat = role or (free[0] if free else "")
    instance.authorizer.require(actor, "lifecycle.approve", _about(standing.system, story, request, seat))
    if actor.id == request.requester:
        raise NotAllowed(
            "whoever asks for a move does not decide about it",
            rule="lifecycle-approver-is-not-requester",
            owner="security-lead",
            next_step="ask another approver",
        )
    if not seat or seat not in gate.roles or seat not in actor.roles:
        wanted = ", ".join(f"`{r}`" for r in gate.roles)
        raise NotAllowed(
            f"gate `{gate.id}` asks for {wanted}, and you act as none of them here",
            rule=gate.id,
            owner="security-lead",
            next_step=f"ask somebody who is {' or '.join(gate.roles)}",
        )
    return seat


def _component(bound: Bound, name: str) -> Named:
    found = next((c for c in bound.components if c.name == name), None)
    if found is None:
        raise NotFound(f"the system has no component `{name[:120]}`; pick one of its own")
    if not found.sha256:
        raise InvalidInput(f"`{name}` has no digest a waiver could be bound to; record its digest first")
    return found


def _ends(until: str, now: datetime) -> datetime:
    text = until.strip()
    if text == "now":
        return now
    try:
        ends = parse_rfc3339(text) if "T" in text and "-" in text else _day_or_duration(text, now)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"until": str(problem)}) from None
    if ends <= now or ends > now + LONGEST_WAIVER:
        told = "a waiver ends in the future, and within a year; write `now` to take one back"
        raise InvalidInput(told, {"until": told})
    return ends


def _day_or_duration(text: str, now: datetime) -> datetime:
    if len(text) == 10 and text[4:5] == "-":
        return parse_rfc3339(f"{text}T23:59:59Z")
    return now + parse_duration(text)


def _reason(text: str, ask: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise InvalidInput(f"a reason is needed; {ask}", {"reason": ask})
    if len(said) > MAX_REASON:
        raise InvalidInput(
            f"the reason has {len(said)} characters, over the limit of {MAX_REASON}; shorten it",
            {"reason": "too long"},
        )
    return said
