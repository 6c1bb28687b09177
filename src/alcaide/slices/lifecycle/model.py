"""The nouns of moving on: stages, gates, seats, and gate files as people write them.

A gate is read from YAML into a frozen value. Its digest is that of what was written, so that an approval
given under one text of a gate says nothing under another.

Left out on purpose: where gate files lie (queries) and what a gate decides (rules).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib import resources
from typing import Any

from alcaide.kernel.clock import parse_duration
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import canonical
from alcaide.kernel.policy.requirement import Requirement, parse_requirements
from alcaide.kernel.policy.source import Path, PolicyInvalid, Problem, Source, check_against
from alcaide.predicates.graph import STAGES

FIRST_STAGE = STAGES[0]
RETIRED = STAGES[-1]
STAGE_TITLES: Mapping[str, str] = {stage: stage.capitalize() for stage in STAGES}
SHIPPED = "shipped"

REQUEST_LASTS = timedelta(days=90)
APPROVAL_LASTS = timedelta(days=30)
"""A decision about a system nobody has touched for a month is still about that system: it is bound to its
digests. The end is there so that an approval forgotten in a drawer does not complete a gate that has grown
around it."""


@dataclass(frozen=True, slots=True)
class Seat:
    """So many people of this role have to approve."""

    role: str
    count: int


@dataclass(frozen=True)
class Gate:
    """The way to one stage, from any of some others.

    `quorum` is how many different people in all have to approve; it is never less than the seats add up to.
    That an approver is not the requester, and that one person takes one seat, is not a setting.
    """

    id: str
    title: str
    to_stage: str
    from_stages: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    seats: tuple[Seat, ...]
    quorum: int
    why: str = ""
    approval_lasts: timedelta = APPROVAL_LASTS
    request_lasts: timedelta = REQUEST_LASTS
    pass_lasts: timedelta | None = None
    document: Mapping[str, Any] | None = None
    origin: str = SHIPPED

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the gate as it was written, in canonical JSON."""
        return sha256(canonical(dict(self.document or {}))).hexdigest()

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(seat.role for seat in self.seats)

    def leads_from(self, stage: str) -> bool:
        """Whether a system at `stage` may ask for it: from before, or again after something changed."""
        return stage in self.from_stages or stage == self.to_stage


@dataclass(frozen=True)
class GateSet:
    """The gates in force.

    With a problem in any file no gate answers: which one would have been meant is not known.
    """

    gates: tuple[Gate, ...]
    problems: tuple[Problem, ...] = ()

    def named(self, gate_id: str) -> Gate | None:
        return next((gate for gate in self.gates if gate.id == gate_id), None)

    def leading_to(self, stage: str, *, at: str) -> Gate | None:
        """The gate that a system at one stage has to pass to reach another."""
        return next((gate for gate in self.gates if gate.to_stage == stage and gate.leads_from(at)), None)

    def onward(self, at: str) -> tuple[Gate, ...]:
        """The gates ahead of a system at a stage, nearest stage first."""
        ahead = [gate for gate in self.gates if at in gate.from_stages]
        return tuple(sorted(ahead, key=lambda gate: STAGES.index(gate.to_stage)))


def read_gates(source: Source, *, origin: str) -> tuple[Gate, ...]:
    """The gates of one file. Raises PolicyInvalid with every problem found."""
    if not isinstance(source.value, dict) or "gates" not in source.value:
        raise PolicyInvalid(
            [source.problem((), "must be a mapping with `gates`; write `gates:` and a list below")]
        )
    wrong = check_against(source, gates_schema())
    if wrong:
        raise PolicyInvalid(wrong)
    problems: list[Problem] = []
    gates: list[Gate] = []
    for position, entry in enumerate(source.value["gates"]):
        try:
            gates.append(_gate(source, ("gates", position), entry, origin))
        except PolicyInvalid as problem:
            problems += problem.problems
    problems += _clashes(source, gates)
    if problems:
        raise PolicyInvalid(problems)
    return tuple(gates)


def override(shipped: Sequence[Gate], own: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates in force.

    An installation's own gate to a stage takes the place of every shipped one to that stage, and never of a
    part of it: two sets of approvals for one move would let people choose the easier one.
    """
    taken = {gate.to_stage for gate in own}
    gates = [gate for gate in shipped if gate.to_stage not in taken] + list(own)
    return tuple(sorted(gates, key=lambda gate: (STAGES.index(gate.to_stage), gate.id)))


@lru_cache(maxsize=1)
def gates_schema() -> Mapping[str, Any]:
    """The JSON Schema of a gate file, as shipped."""
    text = resources.files(__package__).joinpath("policies/gates.schema.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _gate(source: Source, at: Path, entry: Mapping[str, Any], origin: str) -> Gate:
    to_stage, from_stages = entry["to"], tuple(entry["from"])
    later = [stage for stage in from_stages if STAGES.index(stage) >= STAGES.index(to_stage)]
    if later:
        raise PolicyInvalid(
            [source.problem((*at, "from"), f"`{later[0]}` is not before `{to_stage}`; a gate leads forward")]
        )
    seats = tuple(Seat(seat["role"], seat.get("count", 1)) for seat in entry["approvals"])
    repeated = [
        seat.role for position, seat in enumerate(seats) if seat.role in {s.role for s in seats[:position]}
    ]
    if repeated:
        raise PolicyInvalid(
            [source.problem((*at, "approvals"), f"names role `{repeated[0]}` twice; add up its `count`")]
        )
    asked = sum(seat.count for seat in seats)
    quorum = entry.get("quorum", asked)
    if quorum < asked:
        raise PolicyInvalid(
            [
                source.problem(
                    (*at, "quorum"), f"`{quorum}` is less than the {asked} approvals asked for; raise it"
                )
            ]
        )
    return Gate(
        id=entry["id"],
        title=entry["title"],
        why=entry.get("why", ""),
        to_stage=to_stage,
        from_stages=from_stages,
        requirements=parse_requirements(source, (*at, "requirements"), entry["requirements"]),
        seats=seats,
        quorum=quorum,
        approval_lasts=_lasts(source, (*at, "approval_lasts"), entry) or APPROVAL_LASTS,
        request_lasts=_lasts(source, (*at, "request_lasts"), entry) or REQUEST_LASTS,
        pass_lasts=_lasts(source, (*at, "pass_lasts"), entry),
        document=entry,
        origin=origin,
    )


def _lasts(source: Source, at: Path, entry: Mapping[str, Any]) -> timedelta | None:
    text = entry.get(str(at[-1]))
    if text is None:
        return None
    try:
        lasts = parse_duration(text)
    except InvalidInput as problem:
        raise PolicyInvalid([source.problem(at, str(problem))]) from None
    if lasts <= timedelta(0):
        raise PolicyInvalid([source.problem(at, f"`{text}` is no time at all; write a duration like `30d`")])
    return lasts


def _clashes(source: Source, gates: Sequence[Gate]) -> list[Problem]:
    found: list[Problem] = []
    for position, gate in enumerate(gates):
        for other in gates[:position]:
            both = [stage for stage in gate.from_stages if stage in other.from_stages]
            if other.id == gate.id:
                found.append(
                    source.problem(("gates", position, "id"), f"`{gate.id}` is taken; rename one of the two")
                )
            elif other.to_stage == gate.to_stage and both:
                found.append(
                    source.problem(
                        ("gates", position, "from"),
                        f"`{both[0]}` to `{gate.to_stage}` has gate `{other.id}` already; keep one of the two",
                    )
                )
    return found
