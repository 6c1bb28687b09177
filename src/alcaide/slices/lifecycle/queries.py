"""Reading: which gates are in force, how a system stands, and what waits for whom.

A decision is always made on a view that the ledger has shown to be complete; the tables only make lists
quick.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import ConfigError, InvalidInput, NotFound, TooLarge
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger import tables as ledger_tables
from alcaide.kernel.policy.signers import signer_keys
from alcaide.kernel.policy.source import MAX_CHARACTERS, PolicyInvalid, Problem, read_yaml
from alcaide.kernel.policy.view import EvidenceView
from alcaide.kernel.slice import AttentionItem
from alcaide.predicates.graph import STAGES, SystemGraph
from alcaide.slices.lifecycle import rules, tables
from alcaide.slices.lifecycle.model import RETIRED, Gate, GateSet, override, read_gates
from alcaide.slices.lifecycle.rules import Standing, Story

MAX_GATE_FILES = 50
EXPIRING = timedelta(days=7)
"""An approval that ends within a week while its gate is still open is worth saying: people are away for a
week.
"""
MAX_ATTENTION = 20

_gates: dict[Path, tuple[tuple[tuple[str, int, int], ...], GateSet]] = {}
_gates_lock = threading.Lock()


@dataclass(frozen=True)
class OverviewRow:
    """A system as the overview shows it. `as_of` is None where nobody has looked yet."""

    system: str
    title: str
    stage: str
    since: datetime | None
    to_stage: str
    outcome: str
    reason: str
    voided: bool
    as_of: datetime | None
    as_of_size: int


@dataclass(frozen=True)
class Waiting:
    """A request that still waits, as the queue shows it."""

    id: str
    system: str
    gate: str
    from_stage: str
    to_stage: str
    requester: str
    requester_name: str
    reason: str
    requested_at: datetime
    until: datetime | None


# ── gates
# ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def gates_in_force(instance: Instance) -> GateSet:
    """The shipped gates, with those from `policies/gates/*.yaml` of the data folder in their place.

    Files are read again when they change. A file that cannot be used does not silently bring the shipped gate
    back: its problems are in the result, and no gate passes until it is mended.
    """
    folder = instance.config.data / "policies" / "gates"
    try:
        stamp = _stamp(folder)
    except ConfigError as problem:
        return GateSet(shipped_gates(), (Problem(str(folder), 1, "", str(problem)),))
    with _gates_lock:
        known = _gates.get(folder)
        if known is not None and known[0] == stamp:
            return known[1]
    found = _read_folder(folder, [name for name, _, _ in stamp])
    with _gates_lock:
        _gates[folder] = (stamp, found)
    return found


def shipped_gates() -> tuple[Gate, ...]:
    """The gates that come with Alcaide."""
    text = shipped_text()
    return read_gates(read_yaml(text, "gates.yaml"), origin="shipped")


def shipped_text() -> str:
    """The shipped gate file as it is written, comments included."""
    return resources.files(__package__).joinpath("policies/gates.yaml").read_text(encoding="utf-8")


def read_gate_file(path: Path) -> tuple[Gate, ...]:
    """The gates of a file somebody wrote. Raises PolicyInvalid, TooLarge or InvalidInput."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= 4 * MAX_CHARACTERS else None
    except OSError as problem:
        raise InvalidInput(
            f"`{path}` cannot be read: {problem.strerror}; check its name and rights"
        ) from None
    if raw is None:
        raise TooLarge(f"`{path}` is larger than a gate file can be; split it into several")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"`{path}` is not UTF-8; save it as UTF-8 text") from None
    return read_gates(read_yaml(text, path.name), origin=path.name)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    try:
        paths = sorted(path for path in folder.glob("*.yaml") if path.is_file())
        paths += sorted(path for path in folder.glob("*.yml") if path.is_file())
        found = tuple((p.name, (s := p.stat()).st_mtime_ns, s.st_size) for p in paths[: MAX_GATE_FILES + 1])
    except OSError as problem:
        raise ConfigError(
            f"gate files cannot be read: {problem.strerror}; check the folder's rights"
        ) from None
    if len(found) > MAX_GATE_FILES:
        raise ConfigError(f"there are more than {MAX_GATE_FILES} gate files; put several gates into one")
    return found


def _read_folder(folder: Path, names: Sequence[str]) -> GateSet:
    own: list[Gate] = []
    problems: list[Problem] = []
    for name in names:
        try:
            own += read_gate_file(folder / name)
        except PolicyInvalid as problem:
            problems += problem.problems
        except InvalidInput as problem:
            problems.append(Problem(name, 1, "", str(problem)))
    shipped = shipped_gates()
    for position, gate in enumerate(own):
        for other in own[:position]:
            if gate.id == other.id or (
                gate.to_stage == other.to_stage and set(gate.from_stages) & set(other.from_stages)
            ):
                told = f"gate `{gate.id}` stands in the way of `{other.id}` in {other.origin}; keep one of the two"
                problems.append(Problem(gate.origin, 1, "", told))
    return GateSet(override(shipped, own), tuple(dict.fromkeys(problems)))


# ── one system
# ─────────────────────────────────────────────────────────────────────────────────────────────────────


def graph_of(instance: Instance, conn: Connection, system: str) -> SystemGraph:
    """What the system is made of now. Raises NotFound."""
    found = instance.capability("system-graph")(conn, system.removeprefix("system:"))
    if not isinstance(found, SystemGraph):
        raise NotFound(f"there is no system `{system[:80]}` in the register; look it up under Systems")
    return found


def gate_for(gates: GateSet, story: Story, to_stage: str) -> Gate:
    """The gate to a stage for a system where it is. Raises InvalidInput, NotFound."""
    if to_stage not in STAGES:
        raise InvalidInput(
            f"`{to_stage[:40]}` is no stage; use one of {', '.join(STAGES)}", {"to": "no stage"}
        )
    if gates.problems:
        raise ConfigError(f"the gates cannot be used until this is mended: {gates.problems[0]}")
    gate = gates.leading_to(to_stage, at=story.stage)
    if gate is None:
        # A system beyond the stage is still judged by the gate it came through: its pass may no longer stand.
        gate = next((g for g in gates.gates if g.to_stage == to_stage), None)
    if gate is None:
        raise NotFound(f"no gate leads to `{to_stage}`; see `alcaide gate list` for those there are")
    return gate


def standing(
    instance: Instance, conn: Connection, system: str, to_stage: str | None = None, *, now: datetime
) -> Standing:
    """How a system stands before the gate to a stage, or before the next if none is named.

    Raises NotFound for a system or gate there is not, ConfigError for gates that cannot be read.
    """
    story, all_standing = standings(instance, conn, system, now=now, only=to_stage)
    if to_stage is None and not all_standing:
        raise NotFound(f"`{system[:80]}` is at stage `{story.stage}`, and no gate leads on from there")
    return all_standing[0]


def standings(
    instance: Instance, conn: Connection, system: str, *, now: datetime, only: str | None = None
) -> tuple[Story, tuple[Standing, ...]]:
    """A system's story, and how it stands before every gate ahead of it, the nearest first.

    The gate it last came through is the first of them while the pass no longer stands: that is what to mend
    first.
    """
    graph = graph_of(instance, conn, system)
    gates = gates_in_force(instance)
    view = view_with_signers(instance, conn, rules.keys_of(graph, gates.gates))
    story = rules.story_of(graph.subject_name, view)
    if only is not None:
        chosen: list[Gate] = [gate_for(gates, story, only)]
    elif gates.problems:
        raise ConfigError(f"the gates cannot be used until this is mended: {gates.problems[0]}")
    else:
        chosen = [*gates.onward(story.stage)] if story.stage != RETIRED else []
        came_through = gates.leading_to(story.stage, at=story.stage)
        if came_through is not None and story.stage != RETIRED:
            now_at = rules.assess(graph, came_through, story, view, now=now)
            if not now_at.stands:
                chosen.insert(0, came_through)
    return story, tuple(rules.assess(graph, gate, story, view, now=now) for gate in chosen)


def view_with_signers(instance: Instance, conn: Connection, keys: Collection[str]) -> EvidenceView:
    """All evidence under some keys, and what is said about the keys of those who signed it.

    Read in two steps on one snapshot: who signed is known only once the evidence is read.
    """
    view = instance.view(conn, keys)
    signers = signer_keys(view.records) - view.keys
    return instance.view(conn, {*keys, *signers}) if signers else view


def stage_of(conn: Connection, instance: Instance, system: str) -> str | None:
    """The `lifecycle-stage` capability: where the log has a system; None if that cannot be shown."""
    name = f"system:{system.removeprefix('system:')}"
    view = instance.view(conn, [f"name:{name}"], rules.KINDS.keys())
    return rules.story_of(name, view).stage if view.complete else None


# ── lists
# ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def overview(
    conn: Connection,
    *,
    stage: str = "",
    outcome: str = "",
    q: str = "",
    limit: int = 20,
    cursor: str | None = None,
) -> tuple[tuple[OverviewRow, ...], str | None, int]:
    """Systems with what blocks them, the unknown first; a page, the cursor of the next, and how many in all."""
    columns = tables.standing.c
    where = []
    if stage:
        where.append(columns.stage == stage)
    else:
        where.append(columns.stage != RETIRED)
    if outcome:
        where.append(columns.outcome == outcome)
    if q:
        pattern = "%" + q.lower().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")[:100] + "%"
        where.append(
            sa.func.lower(columns.system).like(pattern, escape="\\")
            | sa.func.lower(columns.title).like(pattern, escape="\\")
        )
    total = conn.execute(sa.select(sa.func.count()).select_from(tables.standing).where(*where)).scalar_one()
    if cursor:
        urgency, _, last = cursor.partition("~")
        if not urgency.isascii() or not urgency.isdigit() or len(urgency) > 2:
            raise InvalidInput("the cursor is not one that was given out; start again without it")
        where.append(sa.tuple_(columns.urgency, columns.system) > (int(urgency), last))
    rows = conn.execute(
        sa.select(tables.standing).where(*where).order_by(columns.urgency, columns.system).limit(limit + 1)
    ).all()
    more = rows[limit - 1] if len(rows) > limit else None
    return (
        tuple(_overview_row(row) for row in rows[:limit]),
        f"{more.urgency}~{more.system}" if more is not None else None,
        total,
    )


def stage_counts(conn: Connection) -> Mapping[str, int]:
    """How many systems are at each stage."""
    columns = tables.standing.c
    rows = conn.execute(sa.select(columns.stage, sa.func.count()).group_by(columns.stage)).all()
    return {row[0]: row[1] for row in rows}


def outcome_counts(conn: Connection) -> Mapping[str, int]:
    """How many systems in use stand how before their next gate, as last assessed."""
    columns = tables.standing.c
    rows = conn.execute(
        sa.select(columns.outcome, sa.func.count()).where(columns.stage != RETIRED).group_by(columns.outcome)
    ).all()
    return {row[0]: row[1] for row in rows}


def to_assess(conn: Connection, now: datetime, *, limit: int) -> tuple[str, ...]:
    """Systems that something was said about since they were looked at, or that nobody looked at for an hour.

    The hour is for what does not say the system's name: evidence about a component alone, and evidence that
    goes stale by itself. The longest ago comes first.
    """
    columns, subject = tables.standing.c, ledger_tables.subject.c
    since = subject.key == sa.literal("name:system:").concat(columns.system)
    rows = conn.execute(
        sa.select(columns.system)
        .outerjoin_from(tables.standing, ledger_tables.subject, since)
        .where(
            sa.or_(
                ledger_tables.newest_about(subject.key_hash) >= columns.assessed_size,
                columns.assessed_at.is_(None),
                columns.assessed_at < now - timedelta(hours=1),
            )
        )
        .order_by(columns.assessed_size, columns.system)
        .limit(limit)
    ).scalars()
    return tuple(rows)


def about_request(
    conn: Connection, instance: Instance, actor: Actor, system: str, request_id: str
) -> Mapping[str, str]:
    """What policies are asked about before anybody decides about a request: whose it is, and the actor's part in it.

    `seat` is the first role of its gate that the actor has, `author` the actor where they have approved it. Read from
    the lists and not from the log: it opens the route, and the service asks once more about what the log says.
    """
    about = {"kind": "system", "id": system.removeprefix("system:")}
    requests, words = tables.request, tables.word
    row = conn.execute(sa.select(requests).where(requests.c.id == request_id)).first()
    if row is None or row.system != about["id"]:
        return about
    about["requester"] = row.requester
    gate = gates_in_force(instance).named(row.gate)
    seat = next((role for role in gate.roles if role in actor.roles), "") if gate is not None else ""
    if seat:
        about["seat"] = seat
    mine = sa.select(words.c.decision).where(words.c.request == row.id, words.c.person == actor.id)
    if conn.execute(mine.order_by(words.c.leaf.desc()).limit(1)).scalar() == "approved":
        about["author"] = actor.id
    return about


def open_requests(conn: Connection, now: datetime, *, limit: int = 200) -> tuple[Waiting, ...]:
    """Requests that wait, the longest-waiting first."""
    columns = tables.request.c
    rows = conn.execute(
        sa.select(tables.request)
        .where(columns.state == "open", sa.or_(columns.until.is_(None), columns.until > now))
        .order_by(columns.leaf)
        .limit(limit)
    ).all()
    return tuple(_waiting(row) for row in rows)


def waiting_for(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> tuple[Waiting, ...]:
    """The open requests in which this person could take a seat and has not spoken yet."""
    gates = gates_in_force(instance)
    spoken = set(
        conn.execute(sa.select(tables.word.c.request).where(tables.word.c.person == actor.id)).scalars()
    )
    found = []
    for waiting in open_requests(conn, now):
        gate = gates.named(waiting.gate)
        if gate is None or waiting.id in spoken or waiting.requester == actor.id:
            continue
        if actor.roles.intersection(gate.roles):
            found.append(waiting)
    return tuple(found)


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """What waits for this person, and what has come undone, for the first screen."""
    items = [
        AttentionItem(
            "waiting",
            f"{waiting.system}: approve the move to {waiting.to_stage}",
            f"asked for by {waiting.requester_name}: {waiting.reason}",
            f"/lifecycle/{waiting.system}?to={waiting.to_stage}",
            waiting.requested_at,
        )
        for waiting in waiting_for(conn, instance, actor, now)[:MAX_ATTENTION]
    ]
    if not instance.authorizer.decide(actor, "lifecycle.view").allowed:
        return items
    columns = tables.standing.c
    voided = conn.execute(
        sa.select(tables.standing).where(columns.voided, columns.stage != RETIRED).order_by(columns.system)
    ).all()
    items += [
        AttentionItem(
            "failed",
            f"{row.system}: no longer what was approved for {row.to_stage}",
            row.voided_why,
            f"/lifecycle/{row.system}?to={row.to_stage}",
            row.assessed_at,
        )
        for row in voided[:MAX_ATTENTION]
    ]
    items += _behind(conn)
    items += _expiring(conn, now)
    for problem in gates_in_force(instance).problems[:3]:
        items.append(
            AttentionItem("failed", "A gate file cannot be used", str(problem), "/lifecycle/-/gates")
        )
    return items


def _behind(conn: Connection) -> list[AttentionItem]:
    """Systems of which the log says something newer than their standing: until they are assessed, unknown."""
    standing, subject = tables.standing.c, ledger_tables.subject.c
    named = sa.literal("name:system:").concat(standing.system)
    count = conn.execute(
        sa.select(sa.func.count())
        .select_from(tables.standing)
        .join(ledger_tables.subject, subject.key == named)
        .where(
            standing.stage != RETIRED,
            ledger_tables.newest_about(subject.key_hash) >= standing.assessed_size,
        )
    ).scalar_one()
    if not count:
        return []
    title = "1 system changed" if count == 1 else f"{count} systems changed"
    return [
        AttentionItem(
            "unknown",
            f"{title} since its gate was last assessed"
            if count == 1
            else f"{title} since their gates were assessed",
            "assessed again within a minute or two while the worker runs",
            "/lifecycle",
            count=count,
        )
    ]


def _expiring(conn: Connection, now: datetime) -> list[AttentionItem]:
    words, requests = tables.word.c, tables.request.c
    rows = conn.execute(
        sa.select(words.role, words.until, requests.system, requests.to_stage)
        .join_from(tables.word, tables.request, words.request == requests.id)
        .where(requests.state == "open", words.decision == "approved")
        .where(words.until > now, words.until <= now + EXPIRING)
        .order_by(words.until)
        .limit(MAX_ATTENTION)
    ).all()
    return [
        AttentionItem(
            "waiting",
            f"{row.system}: an approval for {row.to_stage} ends soon",
            f"given as {row.role}, until {row.until:%Y-%m-%d}; it counts no more after that",
            f"/lifecycle/{row.system}?to={row.to_stage}",
            row.until,
        )
        for row in rows
    ]


def _overview_row(row: Row) -> OverviewRow:  # type: ignore[type-arg]
    return OverviewRow(
        row.system, row.title, row.stage, row.stage_since, row.to_stage, row.outcome, row.reason, row.voided,
        row.assessed_at, row.assessed_size,
    )  # fmt: skip


def _waiting(row: Row) -> Waiting:  # type: ignore[type-arg]
    return Waiting(
        row.id, row.system, row.gate, row.from_stage, row.to_stage, row.requester, row.requester_name,
        row.reason, row.requested_at, row.until,
    )  # fmt: skip
