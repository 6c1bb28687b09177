"""The pages of stages and gates.

Thin: each page asks the queries and shows what they say. A button that is not there is explained: `Ability`
carries why somebody may not, in the words of the rule that says no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import AlcaideError, ConfigError, Conflict, InvalidInput, NotFound
from alcaide.kernel.instance import Instance
from alcaide.kernel.policy.evaluate import Explanation
from alcaide.kernel.policy.source import Problem
from alcaide.kernel.slice import Panel, PanelContext
from alcaide.predicates.graph import STAGES, SystemGraph
from alcaide.slices.lifecycle import projection, queries, rules, service
from alcaide.slices.lifecycle.model import RETIRED, STAGE_TITLES, Gate
from alcaide.slices.lifecycle.queries import OverviewRow, Waiting
from alcaide.slices.lifecycle.rules import Request as MoveRequest
from alcaide.slices.lifecycle.rules import Standing, Story
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, current_actor, get_instance

router = APIRouter(include_in_schema=False)

Viewer = Annotated[Actor, Depends(allow("lifecycle.view"))]
Requester = Annotated[Actor, Depends(allow("lifecycle.request"))]
Settler = Annotated[Actor, Depends(allow("lifecycle.settle"))]
Waiver = Annotated[Actor, Depends(allow("lifecycle.waive"))]
Mover = Annotated[Actor, Depends(allow("lifecycle.move-back"))]


def _named(request: Request) -> Mapping[str, str]:
    """The request for a move that the address names, as policies are asked about it."""
    instance, named = get_instance(request), request.path_params
    with instance.read() as conn:
        actor = current_actor(request)
        return queries.about_request(conn, instance, actor, named["system"], named["move"])


Decider = Annotated[Actor, Depends(allow("lifecycle.approve", _named))]
Withdrawer = Annotated[Actor, Depends(allow("lifecycle.withdraw", _named))]
Author = Annotated[Actor, Depends(allow("lifecycle.take-back", _named))]

System = Annotated[str, Path(max_length=200)]
Move = Annotated[str, Path(max_length=40)]
Line = Annotated[str, Form(max_length=300)]
Text = Annotated[str, Form(max_length=4 * service.MAX_REASON)]

PAGE_SIZE = 20
SECONDS_TO_LOOK_AGAIN = 0.06
"""How long one view of the overview may look at systems anew. With the list itself it stays within 150 ms;
what is not reached shows since when its answer stands, and the job reaches it."""
LEAF = "/evidence/leaves/"
MAX_EVENTS = 100
_SAID = {
    "approved": ("Approved the move", "check", "passed"),
    "rejected": ("Rejected the move", "x", "failed"),
    "revoked": ("Took back the approval of the move", "arrow-back-up", "failed"),
}


@dataclass(frozen=True)
class Ability:
    """Whether the person looking may do something now, and if not, why not and what to do instead."""

    allowed: bool
    why: str = ""


@dataclass(frozen=True)
class OverviewPage:
    """Every system with what blocks it, the unknown first."""

    rows: tuple[OverviewRow, ...]
    total: int
    next_cursor: str | None
    outcomes: Mapping[str, int]
    stages: tuple[tuple[str, str, int], ...]
    stage: str
    outcome: str
    q: str
    waiting: tuple[Waiting, ...]
    problems: tuple[Problem, ...]
    titles: Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """One entry of a system's way so far."""

    at: datetime
    title: str
    actor: str = ""
    text: str = ""
    href: str = ""
    icon: str = ""
    kind: str = ""


@dataclass(frozen=True)
class SystemPage:
    """One system before one gate."""

    name: str
    title: str
    graph: SystemGraph
    story: Story
    standing: Standing | None
    explanations: tuple[Explanation, ...]
    ahead: tuple[Standing, ...]
    stage_titles: tuple[str, ...]
    abilities: Mapping[str, Ability]
    seats: tuple[str, ...]
    mine: str
    behind: tuple[str, ...]
    events: tuple[Event, ...]
    problem: str
    leaf: str
    titles: Mapping[str, str]


@dataclass(frozen=True)
class GatesPage:
    """The gates in force, and what is wrong with gate files."""

    gates: tuple[Gate, ...]
    problems: tuple[Problem, ...]
    folder: str
    titles: Mapping[str, str]


@dataclass(frozen=True)
class GatePage:
    """One gate, as it was written."""

    gate: Gate
    text: str
    titles: Mapping[str, str]


@router.get("/lifecycle", response_model=None)
def overview(
    request: Request,
    actor: Viewer,
    stage: Annotated[str, Query(max_length=20)] = "",
    outcome: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=250)] = None,
) -> Response:
    """Which system is where, and what keeps it there."""
    instance = get_instance(request)
    now = instance.clock()
    projection.follow(instance)
    wanted: dict[str, Any] = {
        "stage": stage,
        "outcome": outcome,
        "q": q,
        "limit": PAGE_SIZE,
        "cursor": cursor,
    }
    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        rows, _, _ = queries.overview(conn, **wanted)
    old = [row.system for row in rows if row.as_of is None or row.as_of_size < size]
    begun = monotonic()
    for name in old:
        if monotonic() - begun > SECONDS_TO_LOOK_AGAIN:
            break
        service.assess_again(instance, name)
    with instance.read() as conn:
        rows, following, total = queries.overview(conn, **wanted)
        counts = queries.stage_counts(conn)
        context = OverviewPage(
            rows=rows,
            total=total,
            next_cursor=following,
            outcomes=queries.outcome_counts(conn),
            stages=tuple((name, STAGE_TITLES[name], counts.get(name, 0)) for name in STAGES),
            stage=stage,
            outcome=outcome,
            q=q,
            waiting=queries.waiting_for(conn, instance, actor, now),
            problems=queries.gates_in_force(instance).problems,
            titles=STAGE_TITLES,
        )
        return render(request, "lifecycle/overview.html", context)


@router.get("/lifecycle/-/gates", response_model=None, dependencies=[Depends(allow("lifecycle.view"))])
def gates(request: Request) -> Response:
    """The gates in force."""
    instance = get_instance(request)
    found = queries.gates_in_force(instance)
    folder = "policies/gates"
    return render(
        request, "lifecycle/gates.html", GatesPage(found.gates, found.problems, folder, STAGE_TITLES)
    )


@router.get(
    "/lifecycle/-/gates/{gate_id}", response_model=None, dependencies=[Depends(allow("lifecycle.view"))]
)
def gate(request: Request, gate_id: Annotated[str, Path(max_length=80)]) -> Response:
    """One gate: what it asks, and its text."""
    found = queries.gates_in_force(get_instance(request)).named(gate_id)
    if found is None:
        raise NotFound(f"there is no gate `{gate_id}`; see the list of gates for those there are")
    return render(request, "lifecycle/gate.html", GatePage(found, _as_yaml(found), STAGE_TITLES))


@router.get("/lifecycle/{system}", response_model=None)
def system_page(
    request: Request, actor: Viewer, system: System, to: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """A system before its gates: what is asked, what is there, who said what."""
    instance = get_instance(request)
    with instance.read() as conn:
        context = _system_page(instance, conn, actor, system, to)
        return render(request, "lifecycle/system.html", context)


@router.get("/lifecycle/{system}/vsa", response_model=None, dependencies=[Depends(allow("lifecycle.export"))])
def vsa(request: Request, system: System, to: Annotated[str, Query(max_length=20)]) -> Response:
    """The signed summary of a passed gate, for download."""
    envelope = service.verification_summary(get_instance(request), system, to)
    name = f"{system.removeprefix('system:')}-{to}-vsa.json"
    return Response(
        envelope.to_bytes(),
        media_type="application/vnd.dsse.envelope.v1+json",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )


@router.post("/lifecycle/{system}/request", response_model=None)
def ask(request: Request, actor: Requester, system: System, to: Line, reason: Text = "") -> Response:
    """Ask for a move."""
    return _do(
        system, to, f"asked for the move to {to}",
        lambda: service.request_move(get_instance(request), actor, system, to, reason),
    )  # fmt: skip


@router.post("/lifecycle/{system}/requests/{move}/decide", response_model=None)
def decide(
    request: Request,
    actor: Decider,
    system: System,
    move: Move,
    to: Line,
    decision: Annotated[Literal["approved", "rejected"], Form()],
    role: Line = "",
    reason: Text = "",
    seen: Line = "",
) -> Response:
    """Approve or reject."""
    return _do(
        system, to, decision,
        lambda: service.decide(
            get_instance(request), actor, system, move, decision, role=role, reason=reason, seen=seen
        ),
    )  # fmt: skip


@router.post("/lifecycle/{system}/requests/{move}/take-back", response_model=None)
def take_back(
    request: Request, actor: Author, system: System, move: Move, to: Line, reason: Text = ""
) -> Response:
    """Take one's own approval back."""
    return _do(
        system, to, "approval taken back",
        lambda: service.decide(get_instance(request), actor, system, move, "revoked", reason=reason),
    )  # fmt: skip


@router.post("/lifecycle/{system}/requests/{move}/withdraw", response_model=None)
def withdraw(
    request: Request, actor: Withdrawer, system: System, move: Move, to: Line, reason: Text = ""
) -> Response:
    """Take a request back: one's own, or any for those who may."""
    return _do(
        system, to, "request withdrawn",
        lambda: service.withdraw(get_instance(request), actor, system, move, reason),
    )  # fmt: skip


@router.post("/lifecycle/{system}/settle", response_model=None)
def settle(request: Request, actor: Settler, system: System, to: Line) -> Response:
    """Record a move for which everything is there."""
    return _do(system, to, f"moved to {to}", lambda: service.settle(get_instance(request), actor, system, to))


@router.post("/lifecycle/{system}/waive", response_model=None)
def waive(
    request: Request,
    actor: Waiver,
    system: System,
    to: Line,
    requirement: Line,
    until: Line = "",
    reason: Text = "",
    component: Line = "",
) -> Response:
    """Let a requirement go unmet until a day."""
    return _do(
        system, to, "waived" if until != "now" else "waiver ended",
        lambda: service.waive(
            get_instance(request), actor, system, to, requirement,
            until=until, reason=reason, component=component,
        ),
    )  # fmt: skip


@router.post("/lifecycle/{system}/back", response_model=None)
def back(request: Request, actor: Mover, system: System, to: Line, reason: Text = "") -> Response:
    """Return to an earlier stage, or retire."""
    return _do(
        system, "", f"moved back to {to}",
        lambda: service.move_back(get_instance(request), actor, system, to, reason),
    )  # fmt: skip


def system_panel(context: PanelContext) -> tuple[str, Mapping[str, Any]] | None:
    """On a system's own page: its stage, and how it stands before the next gate."""
    if not context.subject.startswith("system:"):
        return None
    name = context.subject.removeprefix("system:")
    try:
        story, ahead = queries.standings(context.instance, context.conn, name, now=context.now)
        problem = ""
    except (NotFound, ConfigError) as error:
        story, ahead, problem = None, (), str(error)
    return "lifecycle/system_panel.html", {
        "name": name,
        "story": story,
        "standing": ahead[0] if ahead else None,
        "titles": STAGE_TITLES,
        "problem": problem,
    }


PANELS: Sequence[Panel] = (Panel("system", "Next gate", 10, "lifecycle.view", system_panel),)


# ── what the pages share
# ───────────────────────────────────────────────────────────────────────────────────────────


def _system_page(instance: Instance, conn: Any, actor: Actor, system: str, to: str) -> SystemPage:
    now = instance.clock()
    graph = queries.graph_of(instance, conn, system)
    problem = ""
    standing: Standing | None = None
    ahead: tuple[Standing, ...] = ()
    try:
        story, ahead = queries.standings(instance, conn, system, now=now)
        standing = next((s for s in ahead if s.gate.to_stage == to), None)
        if to and standing is None:
            _, (standing,) = queries.standings(instance, conn, system, now=now, only=to)
        standing = standing or _first_to_act_on(ahead)
    except ConfigError as error:
        view = instance.view(conn, [f"name:{graph.subject_name}"])
        story, problem = rules.story_of(graph.subject_name, view), str(error)
    request = standing.request if standing else None
    behind = (*(s for s in STAGES if STAGES.index(s) < STAGES.index(story.stage)), RETIRED)
    return SystemPage(
        name=graph.name,
        title=graph.title or graph.name,
        graph=graph,
        story=story,
        standing=standing,
        explanations=_blocking_first(standing.explanations) if standing else (),
        ahead=ahead,
        stage_titles=tuple(STAGE_TITLES[stage] for stage in STAGES),
        abilities=_abilities(instance, actor, story, standing),
        seats=rules.free_seats(standing.gate, standing.approvals, actor.roles)
        if standing and request
        else (),
        mine=_own_word(actor, request or (standing.passed if standing else None)),
        behind=behind if story.stage != RETIRED else (),
        events=_events(story),
        problem=problem,
        leaf=LEAF,
        titles=STAGE_TITLES,
    )


def _first_to_act_on(ahead: Sequence[Standing]) -> Standing | None:
    """The gate to show first: one that somebody has asked for, else the nearest."""
    return next((s for s in ahead if s.request is not None), ahead[0] if ahead else None)


def _abilities(
    instance: Instance, actor: Actor, story: Story, standing: Standing | None
) -> Mapping[str, Ability]:
    request = standing.request if standing else None
    about = {
        "kind": "system",
        "id": (standing.system if standing else "").removeprefix("system:"),
        "stage": story.stage,
    }
    asked = {**about, "requester": request.requester} if request else about
    free = rules.free_seats(standing.gate, standing.approvals, actor.roles) if standing and request else ()

    def may(action: str, resource: Mapping[str, str]) -> Ability:
        decision = instance.authorizer.decide(actor, action, resource)
        return Ability(True) if decision.allowed else Ability(False, decision.next_step)

    found = {
        "request": may("lifecycle.request", about),
        "approve": may("lifecycle.approve", {**asked, "seat": free[0]} if free else asked),
        "withdraw": may("lifecycle.withdraw", asked),
        "waive": may("lifecycle.waive", asked),
        "back": may("lifecycle.move-back", about),
        "settle": may("lifecycle.settle", about),
        "export": may("lifecycle.export", about),
    }
    if standing is None:
        return found
    if found["request"].allowed:
        found["request"] = _may_ask(standing, story)
    if request is not None and found["approve"].allowed and not free:
        wanted = " or ".join(standing.gate.roles)
        found["approve"] = Ability(False, f"this gate asks for {wanted}, and you are none of them here")
    return found


def _may_ask(standing: Standing, story: Story) -> Ability:
    if story.stage == RETIRED:
        return Ability(False, "the system is retired")
    if not standing.gate.leads_from(story.stage):
        return Ability(False, f"this gate does not lead from {story.stage}")
    if standing.request is not None:
        return Ability(False, "somebody has asked already")
    if standing.passed is not None:
        return Ability(False, "the gate is passed and still stands")
    return Ability(True)


def _own_word(actor: Actor, request: MoveRequest | None) -> str:
    """What the person looking said last about the request."""
    words = [word.decision for word in request.words if word.person == actor.id] if request else []
    return words[-1] if words else ""


def _events(story: Story) -> tuple[Event, ...]:
    """Everything that happened, the latest first."""
    found: dict[int, Event] = {}
    for request in story.requests:
        to = STAGE_TITLES[request.to_stage].lower()
        asked = f"Asked to move to {to}"
        found[request.leaf] = _event(
            request.leaf, request.at, asked, request.requester_name, request.reason, "send"
        )
        for word in request.words:
            title, icon, kind = _SAID[word.decision]
            found[word.leaf] = _event(
                word.leaf, word.at, f"{title} to {to}, as {word.role}", word.name, word.reason, icon, kind
            )
        if (passed := request.passed) is not None:
            let_through = f"Passed the gate to {to}"
            found[passed.leaf] = _event(
                passed.leaf, passed.at, let_through, passed.by, passed.ended, "lock-open", "passed"
            )
    for move in story.moves:
        back = f"Moved back to {STAGE_TITLES[move.to_stage].lower()}"
        title = "Retired" if move.to_stage == RETIRED else back
        found.setdefault(move.leaf, _event(move.leaf, move.at, title, move.by, move.reason, "arrow-back-up"))
    return tuple(found[leaf] for leaf in sorted(found, reverse=True)[:MAX_EVENTS])


def _event(leaf: int, at: datetime, title: str, actor: str, text: str, icon: str, kind: str = "") -> Event:
    return Event(at, title, actor, text, f"{LEAF}{leaf}", icon, kind)


def _do(system: str, to: str, done: str, act: Any) -> Response:
    """Do it and come back to the page; what cannot be done now is said there, a denial is a page of its own."""
    address = f"/lifecycle/{quote(system)}" + (f"?{urlencode({'to': to})}" if to else "")
    try:
        result = act()
    except (InvalidInput, Conflict, ConfigError) as error:
        return redirect(address, flash=_message(error), flash_kind="danger")
    if result is False:
        return redirect(address, flash="not everything is there yet; nothing was changed", flash_kind="warn")
    return redirect(address, flash=done)


def _message(error: AlcaideError) -> str:
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return "; ".join([str(error), *(v for v in fields.values() if v not in str(error))])


def _as_yaml(found: Gate) -> str:
    import yaml

    from alcaide.kernel.policy.cel import plain

    text: str = yaml.safe_dump(
        {"gates": [plain(found.document or {})]}, sort_keys=False, allow_unicode=True, width=100
    )
    return text


def _blocking_first(explanations: Sequence[Explanation]) -> tuple[Explanation, ...]:
    """What blocks comes first: failed, unknown, waived, passed; within each as the gate has them."""
    order = {"failed": 0, "unknown": 1, "waived": 2, "passed": 3}
    return tuple(sorted(explanations, key=lambda explanation: order[explanation.outcome]))
