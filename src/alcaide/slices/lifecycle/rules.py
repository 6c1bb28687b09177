"""What the Statements about a system add up to: its stage, its requests, and whether a gate is passed.

Everything is folded from an `EvidenceView`, in the order of the log, and nothing is remembered elsewhere.
Evidence, gates and the time come in; a verdict comes out.

What a caller may rely on:

- An approval speaks only for what it was given for. It is bound to the system's digest, to every component
  with its digest, and to the text of the gate; `changes` says which of them is different now, from what to
  what.
- One person has one word per request, the latest; takes one seat, one whose role they held; and never
  approves what they asked for. Statements signed elsewhere never count as somebody's word here.
- A gate that was passed stays passed while nothing it was bound to changes, nobody who approved takes it
  back, and every requirement still counts as met. Evidence that goes stale turns it Unknown again by itself.

Left out on purpose: who may do what (policies/lifecycle.cedar) and recording anything (service).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import canonical
from alcaide.kernel.policy import EvidenceView, Failed, Passed, Record, Unknown, Verdict, all_of
from alcaide.kernel.policy.evaluate import (
    SKEW,
    Explanation,
    Scope,
    SubjectRef,
    evaluate_all,
    keys_needed,
    verdict_of,
)
from alcaide.kernel.policy.verdict import as_json
from alcaide.predicates.approved import Approved, Bound, Named
from alcaide.predicates.base import Predicate
from alcaide.predicates.gate_passed import GatePassed, MovedBack, MoveRequested, MoveWithdrawn
from alcaide.predicates.graph import STAGES, SystemGraph
from alcaide.predicates.retired import Retired
from alcaide.slices.lifecycle.model import FIRST_STAGE, RETIRED, Gate

KINDS: Mapping[str, type[Predicate]] = {
    kind.TYPE: kind for kind in (MoveRequested, MoveWithdrawn, Approved, GatePassed, MovedBack, Retired)
}
"""The evidence this slice's own story is told by."""

RequestState = Literal["open", "withdrawn", "lapsed", "passed"]
WordState = Literal[
    "counts", "void", "expired", "revoked", "rejected", "superseded", "no-seat", "own-request"
]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a decision was bound to that is different now. Empty text: it was not there."""

    name: str
    was: str
    now: str

    def __str__(self) -> str:
        if not self.was:
            return f"`{self.name}` was added"
        if not self.now:
            return f"`{self.name}` was removed"
        return f"`{self.name}` changed from {self.was[:12]} to {self.now[:12]}"


@dataclass(frozen=True, slots=True)
class Word:
    """One decision of one person about one request, as it lies in the log."""

    leaf: int
    person: str
    name: str
    role: str
    decision: Literal["approved", "rejected", "revoked"]
    at: datetime
    until: datetime | None
    reason: str
    bound: Bound


@dataclass(frozen=True, slots=True)
class Pass:
    """A gate that was passed. `ended` says why it no longer stands whatever the evidence (moved back since)."""

    leaf: int
    at: datetime
    by: str
    bound: Bound
    until: datetime | None
    approvals: tuple[int, ...]
    stood_on: tuple[int, ...]
    waivers: tuple[int, ...]
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asked for a move, and everything that was said about it since."""

    id: str
    leaf: int
    gate: str
    from_stage: str
    to_stage: str
    requester: str
    requester_name: str
    at: datetime
    until: datetime | None
    reason: str
    bound: Bound
    words: tuple[Word, ...] = ()
    withdrawn: str | None = None
    passed: Pass | None = None

    def state(self, now: datetime) -> RequestState:
        """A request lapses by itself: nobody has to remember to close it."""
        if self.passed is not None:
            return "passed"
        if self.withdrawn is not None:
            return "withdrawn"
        return "lapsed" if self.until is not None and self.until <= now else "open"


@dataclass(frozen=True, slots=True)
class Move:
    """A change of stage that happened."""

    leaf: int
    from_stage: str
    to_stage: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """A system's way so far. `unreadable` lists leaves of our own kinds that did not make sense."""

    stage: str
    since: datetime | None
    since_leaf: int | None
    requests: tuple[Request, ...]
    moves: tuple[Move, ...]
    unreadable: tuple[int, ...] = ()

    def request(self, request_id: str) -> Request | None:
        return next((request for request in self.requests if request.id == request_id), None)

    def open_request(self, to_stage: str, now: datetime) -> Request | None:
        """The latest request to a stage, if it still waits."""
        latest = next((r for r in reversed(self.requests) if r.to_stage == to_stage), None)
        return latest if latest is not None and latest.state(now) == "open" else None

    def last_pass(self, to_stage: str) -> Request | None:
        passed = [r for r in self.requests if r.to_stage == to_stage and r.passed is not None]
        return max(passed, key=lambda r: r.passed.leaf if r.passed else -1, default=None)


@dataclass(frozen=True, slots=True)
class Seated:
    """A word with what it is worth now, and why."""

    word: Word
    state: WordState
    why: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class SeatCount:
    """How far one seat of the gate is filled."""

    role: str
    wanted: int
    taken_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of a gate: the verdict, every word with its worth, and the seats."""

    verdict: Verdict
    words: tuple[Seated, ...]
    seats: tuple[SeatCount, ...]
    people: int
    quorum: int

    @property
    def counting(self) -> tuple[Word, ...]:
        return tuple(seated.word for seated in self.words if seated.state == "counts")

    @property
    def void(self) -> tuple[Seated, ...]:
        return tuple(seated for seated in self.words if seated.state == "void")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a system stands before one gate: everything a page, a command or a pipeline shows."""

    system: str
    gate: Gate
    stage: str
    bound: Bound
    explanations: tuple[Explanation, ...]
    approvals: Approvals
    request: Request | None
    passed: Request | None
    verdict: Verdict
    as_of: datetime
    tree_size: int

    @property
    def outcome(self) -> str:
        """`waived` where the gate is passed only because something was waived."""
        if isinstance(self.verdict, Passed) and any(e.outcome == "waived" for e in self.explanations):
            return "waived"
        return self.verdict.outcome

    @property
    def bound_digest(self) -> str:
        """One digest over everything a decision made now would be bound to: what a person has seen."""
        return sha256(canonical(bound_json(self.bound))).hexdigest()

    @property
    def stands(self) -> bool:
        """Whether the gate was passed and still is."""
        return isinstance(self.verdict, Passed) and self.passed is not None

    @property
    def complete(self) -> bool:
        """Whether everything is there for an open request to be granted now."""
        return isinstance(self.verdict, Passed) and self.passed is None and self.request is not None

    def as_json(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "stage": self.stage,
            "to": self.gate.to_stage,
            "gate": {"id": self.gate.id, "title": self.gate.title, "sha256": self.gate.digest},
            "outcome": self.verdict.outcome,
            "waived": self.outcome == "waived",
            "reason": self.verdict.reason,
            "stood_on": list(self.verdict.stood_on),
            "requirements": [explanation.as_json() for explanation in self.explanations],
            "approvals": approvals_json(self.approvals),
            "request": request_json(self.request, self.as_of) if self.request else None,
            "passed": request_json(self.passed, self.as_of) if self.passed else None,
            "bound": bound_json(self.bound),
            "bound_sha256": self.bound_digest,
            "as_of": rfc3339(self.as_of),
            "tree_size": self.tree_size,
        }


def scope_of(graph: SystemGraph) -> Scope:
    """A system and its components, as the requirement language asks about them."""
    return Scope(
        SubjectRef(graph.subject_name, graph.digest, kind="system"),
        tuple(
            SubjectRef(c.subject_name, c.digest, c.kind, tuple(c.tags), tuple(c.environments))
            for c in graph.components
        ),
    )


def bound_to(graph: SystemGraph, gate: Gate) -> Bound:
    """What a decision about this system before this gate is bound to, as things stand."""
    components = sorted((c.subject_name, c.digest or "") for c in graph.components)
    return Bound(
        system=Named(name=graph.subject_name, sha256=graph.digest),
        components=tuple(Named(name=name, sha256=digest) for name, digest in components),
        policy=Named(name=gate.id, sha256=gate.digest),
    )


def changes(was: Bound, now: Bound) -> tuple[Change, ...]:
    """What is different, components first: a changed component changes the system's digest too.

    So the system itself is named only where no component explains it: then it is its description that
    changed.
    """
    before = {c.name: c.sha256 for c in was.components}
    after = {c.name: c.sha256 for c in now.components}
    found = [
        Change(name, _there(before, name), _there(after, name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    found = _versions(found)
    if not found and was.system != now.system:
        found.append(Change(now.system.name, was.system.sha256, now.system.sha256))
    if was.policy != now.policy:
        found.append(Change(f"gate {now.policy.name}", was.policy.sha256, now.policy.sha256))
    return tuple(found)


def _there(digests: Mapping[str, str], name: str) -> str:
    return "" if name not in digests else digests[name] or "no digest"


def _versions(found: Sequence[Change]) -> list[Change]:
    """One version that went and one of the same component that came are one change, from version to version."""
    gone = {_unversioned(c.name): c for c in found if not c.now}
    come = {_unversioned(c.name): c for c in found if not c.was}
    paired = gone.keys() & come.keys()
    merged = [
        Change(f"{gone[name].name} → {come[name].name.rpartition('@')[2]}", gone[name].was, come[name].now)
        for name in sorted(paired)
    ]
    return [*merged, *(c for c in found if (c.was and c.now) or _unversioned(c.name) not in paired)]


def _unversioned(name: str) -> str:
    return name.rpartition("@")[0] or name


def story_of(system: str, view: EvidenceView) -> Story:
    """Fold the Statements about `system:<name>` into its story. Only Statements made here count.

    A Statement of ours that does not make sense is left out and listed: leaving out can only take from what
    is there.
    """
    stage, since, since_leaf = FIRST_STAGE, None, None
    requests: dict[str, Request] = {}
    moves: list[Move] = []
    unreadable: list[int] = []
    for record in view.about(f"name:{system}"):
        kind = KINDS.get(record.predicate_type)
        if kind is None or record.foreign:
            continue
        try:
            said: Any = kind.read(record.statement)
            at = parse_rfc3339(said.at)
            moved = _apply(record, said, at, requests)
        except InvalidInput:
            unreadable.append(record.index)
            continue
        if moved is not None and moved != stage:
            moves.append(Move(record.index, stage, moved, at, said.by.name or said.by.id, said.reason))
            if moved == RETIRED or STAGES.index(moved) < STAGES.index(stage):
                requests = {key: _ended(request, moved, at) for key, request in requests.items()}
            stage, since, since_leaf = moved, at, record.index
    return Story(stage, since, since_leaf, tuple(requests.values()), tuple(moves), tuple(unreadable))


def _apply(record: Record, said: Any, at: datetime, requests: dict[str, Request]) -> str | None:
    """Enter one Statement into the requests; returns the stage it moves the system to, if any."""
    match said:
        case MoveRequested():
            if said.to_stage not in STAGES or said.request in requests:
                raise InvalidInput("a request must be new and lead to a stage; leave it out")
            requests[said.request] = Request(
                said.request, record.index, said.gate, said.from_stage, said.to_stage,
                said.by.id, said.by.name or said.by.id, at, _until(said.until), said.reason, said.bound,
            )  # fmt: skip
        case MoveWithdrawn():
            request = requests[said.request] if said.request in requests else _unknown(said.request)
            requests[said.request] = replace(request, withdrawn=said.reason or "withdrawn")
        case Approved():
            request = requests[said.request] if said.request in requests else _unknown(said.request)
            word = Word(
                record.index, said.by.id, said.by.name or said.by.id, said.role, said.decision, at,
                _until(said.until), said.reason, said.bound,
            )  # fmt: skip
            requests[said.request] = replace(request, words=(*request.words, word))
        case GatePassed():
            request = requests[said.request] if said.request in requests else _unknown(said.request)
            given = {w.leaf for w in request.words if w.decision == "approved" and w.bound == said.bound}
            if (
                said.to_stage != request.to_stage
                or not given.issuperset(said.approvals)
                or not said.approvals
            ):
                raise InvalidInput("a pass must be of what was asked for and approved; leave it out")
            stood_on = sorted({leaf for met in said.requirements for leaf in met.stood_on})
            waivers = sorted({leaf for met in said.requirements for leaf in met.waivers})
            passed = Pass(
                record.index, at, said.by.name or said.by.id, said.bound, _until(said.until),
                tuple(said.approvals), tuple(stood_on), tuple(waivers),
            )  # fmt: skip
            requests[said.request] = replace(request, passed=passed)
            return request.to_stage
        case MovedBack():
            if said.to_stage not in STAGES:
                raise InvalidInput("a move must lead to a stage; leave it out")
            return str(said.to_stage)
        case Retired():
            return RETIRED
    return None


def _unknown(request_id: str) -> Request:
    raise InvalidInput(f"request `{request_id[:40]}` is not known; leave it out")


def _until(text: str) -> datetime | None:
    return parse_rfc3339(text) if text else None


def _ended(request: Request, moved_to: str, at: datetime) -> Request:
    """A pass ends when the system goes back behind it; so does a request that was still open."""
    why = f"the system was moved back to {moved_to} on {at:%Y-%m-%d}"
    if moved_to == RETIRED:
        why = f"the system was retired on {at:%Y-%m-%d}"
    elif STAGES.index(request.to_stage) <= STAGES.index(moved_to):
        return request
    if request.passed is not None:
        return (
            request if request.passed.ended else replace(request, passed=replace(request.passed, ended=why))
        )
    return request if request.withdrawn is not None else replace(request, withdrawn=why)


def weigh(gate: Gate, request: Request, bound: Bound, *, now: datetime) -> Approvals:
    """What the words about an open request are worth now.

    1. Each person's latest word speaks, the earlier ones are superseded.
    2. A no that is bound to what is there now fails it, whoever else agrees.
    3. A yes counts if it is for what is there now, has not ended, is by somebody else than the requester, and
      takes a
       seat the gate has.
    4. Every seat filled and the quorum reached is Passed. Otherwise approvals that were there and no longer
      fit fail
       it, saying what changed; and approvals that nobody has given leave it Unknown.
    """
    latest = {word.person: word.leaf for word in request.words}
    seated = tuple(
        _seat(gate, request, word, bound, now)
        if latest[word.person] == word.leaf
        else Seated(word, "superseded", "a later word of the same person speaks")
        for word in request.words
    )
    counting = [s.word for s in seated if s.state == "counts"]
    seats = tuple(
        SeatCount(seat.role, seat.count, tuple(w.name for w in counting if w.role == seat.role))
        for seat in gate.seats
    )
    verdict = _approved(gate, seated, seats, len(counting))
    return Approvals(verdict, seated, seats, len(counting), gate.quorum)


def _seat(gate: Gate, request: Request, word: Word, bound: Bound, now: datetime) -> Seated:
    different = changes(word.bound, bound)
    if word.decision == "revoked":
        return Seated(word, "revoked", word.reason)
    if word.at > now + SKEW:
        return Seated(word, "no-seat", "it is dated in the future")
    if different:
        return Seated(word, "void", "; ".join(map(str, different)), different)
    if word.decision == "rejected":
        return Seated(word, "rejected", word.reason)
    if word.person == request.requester:
        return Seated(word, "own-request", "whoever asks for a move does not approve it")
    if word.role not in gate.roles:
        return Seated(word, "no-seat", f"the gate asks for no `{word.role}`")
    if word.until is not None and word.until <= now:
        return Seated(word, "expired", f"it ended on {word.until:%Y-%m-%d}")
    return Seated(word, "counts")


def _approved(gate: Gate, seated: Sequence[Seated], seats: Sequence[SeatCount], people: int) -> Verdict:
    rejected = [s for s in seated if s.state == "rejected"]
    if rejected:
        reasons = "; ".join(f"{s.word.name} rejected it: {s.word.reason}" for s in rejected)
        return Failed(reasons, tuple(s.word.leaf for s in rejected))
    counting = tuple(s.word.leaf for s in seated if s.state == "counts")
    lacking = [seat for seat in seats if len(seat.taken_by) < seat.wanted]
    if not lacking and people >= gate.quorum:
        return Passed(counting)
    void = [s for s in seated if s.state == "void" and s.word.decision == "approved"]
    if void:
        reasons = "; ".join(
            dict.fromkeys(
                f"approval by {s.word.name} no longer fits what was approved: {change}"
                for s in void
                for change in s.changes
            )
        )
        return Failed(reasons, tuple(s.word.leaf for s in void))
    missing = ", ".join(f"{seat.wanted - len(seat.taken_by)} × {seat.role}" for seat in lacking)
    if not missing:
        missing = f"{gate.quorum - people} more, by different people"
    ended = "; ".join(f"approval by {s.word.name}: {s.why}" for s in seated if s.state == "expired")
    return Unknown(f"approvals missing: {missing}" + (f" ({ended})" if ended else ""), counting)


def assess(graph: SystemGraph, gate: Gate, story: Story, view: EvidenceView, *, now: datetime) -> Standing:
    """How a system stands before a gate.

    1. Every requirement is answered from the evidence as it is now.
    2. A pass on record that still stands is as good as the approvals it was given on.
    3. Otherwise an open request's approvals are weighed; with neither, the reason is that of the pass, or
      that nobody
       has asked.
    4. Both together are the verdict. Less evidence never helps: the view is complete, or everything is
      Unknown.
    """
    bound = bound_to(graph, gate)
    explanations = evaluate_all(gate.requirements, scope_of(graph), view, now=now)
    request = story.open_request(gate.to_stage, now)
    passed, standing_pass = story.last_pass(gate.to_stage), None
    approvals = _still_approved(gate, passed, bound, now) if passed is not None else _nobody_asked(gate)
    if isinstance(approvals.verdict, Passed):
        standing_pass = passed
    elif request is not None:
        approvals = weigh(gate, request, bound, now=now)
    if not view.complete or not view.covers({f"name:{graph.subject_name}"}):
        standing_pass, approvals = (
            None,
            replace(_nobody_asked(gate), verdict=Unknown("evidence is incomplete")),
        )
    verdict = all_of([verdict_of(explanations), approvals.verdict])
    return Standing(
        graph.subject_name, gate, story.stage, bound, explanations, approvals,
        request, standing_pass, verdict, now, view.size,
    )  # fmt: skip


def _still_approved(gate: Gate, request: Request, bound: Bound, now: datetime) -> Approvals:
    """Whether a pass still stands: nothing it was bound to is different, and nobody took their word back."""
    passed = request.passed
    if passed is None:
        return _nobody_asked(gate)
    weighed = weigh(gate, request, passed.bound, now=passed.at)
    revoked = [s.word for s in weighed.words if s.word.decision == "revoked" and s.word.leaf > passed.leaf]
    different = changes(passed.bound, bound)
    if passed.ended:
        verdict: Verdict = Unknown(f"{passed.ended}; ask for the move again", (passed.leaf,))
    elif revoked:
        reasons = "; ".join(f"{word.name} took the approval back: {word.reason}" for word in revoked)
        verdict = Failed(reasons, (passed.leaf, *(word.leaf for word in revoked)))
    elif different:
        told = "; ".join(map(str, different))
        verdict = Failed(f"not what was let through: {told}; ask for the move again", (passed.leaf,))
        words = tuple(
            replace(s, state="void", why=told, changes=different) if s.state == "counts" else s
            for s in weighed.words
        )
        emptied = tuple(replace(seat, taken_by=()) for seat in weighed.seats)
        return replace(weighed, verdict=verdict, words=words, seats=emptied, people=0)
    elif passed.until is not None and passed.until <= now:
        verdict = Unknown(
            f"the pass ended on {passed.until:%Y-%m-%d}; ask for the move again", (passed.leaf,)
        )
    else:
        verdict = Passed((passed.leaf,))
    return replace(weighed, verdict=verdict)


def _nobody_asked(gate: Gate) -> Approvals:
    seats = tuple(SeatCount(seat.role, seat.count, ()) for seat in gate.seats)
    return Approvals(Unknown("nobody has asked for this move"), (), seats, 0, gate.quorum)


def keys_of(graph: SystemGraph, gates: Iterable[Gate]) -> frozenset[str]:
    """The keys of the evidence that says how a system stands before these gates."""
    scope = scope_of(graph)
    keys = {f"name:{graph.subject_name}"}
    for gate in gates:
        keys |= keys_needed(gate.requirements, scope)
    return frozenset(keys)


def free_seats(gate: Gate, approvals: Approvals, roles: Iterable[str]) -> tuple[str, ...]:
    """The seats somebody with these roles could take, the unfilled first."""
    held = set(roles)
    lacking = [s.role for s in approvals.seats if len(s.taken_by) < s.wanted and s.role in held]
    return tuple(lacking) + tuple(role for role in gate.roles if role in held and role not in lacking)


def bound_json(bound: Bound) -> dict[str, Any]:
    """What a decision is bound to, for API and pages."""
    return {
        "system": {"name": bound.system.name, "sha256": bound.system.sha256},
        "components": [{"name": c.name, "sha256": c.sha256} for c in bound.components],
        "policy": {"name": bound.policy.name, "sha256": bound.policy.sha256},
    }


def approvals_json(approvals: Approvals) -> dict[str, Any]:
    """The approvals as API and command line show them."""
    return {
        **as_json(approvals.verdict),
        "people": approvals.people,
        "quorum": approvals.quorum,
        "seats": [
            {"role": seat.role, "wanted": seat.wanted, "taken_by": list(seat.taken_by)}
            for seat in approvals.seats
        ],
        "words": [
            {
                "leaf": seated.word.leaf,
                "by": {"id": seated.word.person, "name": seated.word.name},
                "role": seated.word.role,
                "decision": seated.word.decision,
                "at": rfc3339(seated.word.at),
                "until": rfc3339(seated.word.until) if seated.word.until else None,
                "reason": seated.word.reason,
                "state": seated.state,
                "why": seated.why,
                "changes": [{"name": c.name, "was": c.was, "now": c.now} for c in seated.changes],
            }
            for seated in approvals.words
        ],
    }


def request_json(request: Request, now: datetime) -> dict[str, Any]:
    """A request as API and command line show it."""
    return {
        "id": request.id,
        "leaf": request.leaf,
        "gate": request.gate,
        "from": request.from_stage,
        "to": request.to_stage,
        "by": {"id": request.requester, "name": request.requester_name},
        "at": rfc3339(request.at),
        "until": rfc3339(request.until) if request.until else None,
        "reason": request.reason,
        "state": request.state(now),
        "passed_leaf": request.passed.leaf if request.passed else None,
    }
