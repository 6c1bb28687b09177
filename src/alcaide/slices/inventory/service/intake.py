"""Requests for a new AI use: taken from anybody in the house, decided on by somebody signed in.

A request is not evidence. Nothing of it enters the ledger before a moderator decides about it, so that whoever floods
the form fills a bounded queue and not a log that never forgets. The decision is evidence whichever way it goes
(`intake-decided`): it names the request by reference and digest, and neither its words nor who asked. Accepting
registers a system besides, like any other door does.

The limits count what was let in, in the database, so that a restart does not forget them.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.clock import parse_rfc3339, rfc3339
from alcaide.kernel.db import Database
from alcaide.kernel.errors import ConfigError, Conflict, InvalidInput, NotFound, TooMany
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.slice import AttentionItem
from alcaide.predicates.base import By, at
from alcaide.predicates.intake_decided import Decision, IntakeDecided
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import Page, Status, System, SystemDetail, SystemFields
from alcaide.slices.inventory.rules.describe import search_text
from alcaide.slices.inventory.rules.paging import decode_cursor, encode_cursor
from alcaide.slices.inventory.rules.validate import Checks, clean
from alcaide.slices.inventory.rules.validate import reason as checked_reason
from alcaide.slices.inventory.service.systems import register_system

CONTACT_KEPT = timedelta(days=90)
"""After a decision, name and address of the requester stay this long for questions, then go."""
REFERENCE_LETTERS = (
    "23456789abcdefghjkmnpqrstvwxyz"  # read over the phone: no 0 and o, no 1, i and l, no u and v alike
)
ACTION = "inventory.intake"
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\".]+(?:\.[^@\s,;<>\".]+)+\Z")
_WORD = re.compile(r"\w{4,40}")
_COMMON = frozenset(
    {
        "about",
        "from",
        "have",
        "into",
        "like",
        "more",
        "should",
        "that",
        "their",
        "them",
        "they",
        "this",
        "tool",
    }
    | {"using", "want", "will", "with", "your"}
)
_SIMILAR = 5


class State(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    MERGED = "merged"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class IntakeSettings:
    """Section `intake` of the settings."""

    enabled: bool = True
    per_address_per_hour: int = 5
    per_hour: int = 60
    per_day: int = 300
    waiting_limit: int = 500
    minimum_seconds: int = 4
    notice: str = ""

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> IntakeSettings:
        """Read the section. Raises ConfigError naming the setting at fault."""
        defaults = {field.name: field.default for field in dataclass_fields(cls)}
        known: dict[str, Any] = {}
        for name, value in section.items():
            default = defaults.get(str(name))
            if default is None:
                raise ConfigError(f"`intake.{name}` is no setting; the settings page lists those there are")
            if type(value) is not type(default):
                raise ConfigError(f"setting `intake.{name}` must be like `{default!r}`, not `{value!r}`")
            if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= 1_000_000:
                raise ConfigError(f"setting `intake.{name}` is `{value}`; choose 0 to 1000000")
            known[name] = value
        return cls(**known)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a requester says, checked."""

    title: str
    purpose: str
    people_affected: str
    data_used: str
    supplier: str
    unit: str
    requester: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it stands. `system_name` is the system it became, or was merged into."""

    id: str
    reference: str
    state: State
    wish: Wish
    submitted_at: datetime
    decided_at: datetime | None
    decided_by: str
    decision_reason: str
    system_name: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the requester takes away. The token is told once and kept nowhere."""

    reference: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Similar:
    """What may be the same wish: systems on record, and other requests that wait."""

    systems: tuple[System, ...]
    requests: tuple[Request, ...]


def check_settings(instance: Instance) -> None:
    """Run when an instance opens: a wrong setting stops the start, and not the first visitor."""
    IntakeSettings.of(instance.config.section("intake"))


def wish_of(values: Mapping[str, Any]) -> Wish:
    """Check what a form or a client sends. Raises InvalidInput naming every field at fault."""
    checks = Checks(values)
    wish = Wish(
        title=checks.line("title", limit=120, needed="is missing; name the tool or the use in a few words"),
        purpose=checks.prose("purpose", needed="is missing; say what it is to do, and for whom"),
        people_affected=checks.prose("people_affected", limit=1_000),
        data_used=checks.prose("data_used", limit=2_000),
        supplier=checks.line("supplier"),
        unit=checks.line("unit"),
        requester=checks.line("requester", needed="is missing; whom may we ask?"),
        email=checks.line("email", limit=254),
    )
    if wish.email and not _EMAIL.match(wish.email):
        checks.refuse("email", f"`{wish.email[:80]}` is not an e-mail address; correct it or leave it empty")
    checks.done("this request")
    return wish


def submit(db: Database, wish: Wish, *, now: datetime, address_key: str, settings: IntakeSettings) -> Receipt:
    """Put a request into the queue. Raises TooMany past a limit, and NotFound where requests are not taken.

    `address_key` stands for where it came from and is opaque here. Not a unit of work of the ledger on purpose.
    """
    if not settings.enabled:
        raise NotFound("requests are not taken here; ask the security lead")
    token = secrets.token_urlsafe(24)
    reference = "R-" + "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(8))
    with db.transaction() as conn:
        _housekeep(conn, now)
        _within_limits(conn, now, address_key, settings)
        conn.execute(
            sa.insert(t.intake_attempt).values(id=new_id(), address_key=address_key, attempted_at=now)
        )
        conn.execute(
            sa.insert(t.intake_request).values(
                id=new_id(),
                reference=reference,
                token_sha256=sha256(token.encode()).hexdigest(),
                state=str(State.WAITING),
                title=wish.title,
                purpose=wish.purpose,
                people_affected=wish.people_affected,
                data_used=wish.data_used,
                supplier=wish.supplier,
                unit=wish.unit,
                requester=wish.requester,
                email=wish.email,
                search=search_text(wish.title, wish.purpose, wish.supplier, wish.unit),
                submitted_at=now,
            )
        )
    return Receipt(reference=reference, token=token)


def accept(
    tx: Tx, reference: str, fields: SystemFields, *, actor: Actor, reason: str = "", via: str = "intake"
) -> SystemDetail:
    """Register the system that was asked for, as proposed. The evidence names the request, not the requester."""
    said = checked_reason(reason)
    if fields.status is not Status.PROPOSED:
        raise InvalidInput(
            "an accepted request starts as `proposed`; change the status later", {"status": "proposed"}
        )
    text = f"asked for as {clean(reference)[:12]}" + (f": {said}" if said else "")
    detail = register_system(tx, fields, actor=actor, reason=text[:1_000], via=via)
    _decide(tx, reference, "accepted", actor=actor, reason=said, system_name=fields.name)
    return detail


def merge(tx: Tx, reference: str, system_name: str, *, actor: Actor, reason: str = "") -> System:
    """Say that the wish is met by a system on record. The register does not change."""
    system = queries.get_system(tx.conn, clean(system_name).removeprefix("system:"))
    said = checked_reason(reason)
    _decide(tx, reference, "merged", actor=actor, reason=said, system_name=system.name)
    return system


def reject(tx: Tx, reference: str, *, actor: Actor, reason: str) -> None:
    """Turn a request down. The reason is what the requester reads."""
    said = checked_reason(reason, needed="is missing; the requester reads it")
    _decide(tx, reference, "rejected", actor=actor, reason=said, system_name="")


def get_request(conn: Connection, reference: str) -> Request:
    """The request of this reference, however it was typed. Raises NotFound."""
    row = conn.execute(sa.select(t.intake_request).where(_called(reference))).one_or_none()
    if row is None:
        raise NotFound(f"there is no request `{clean(reference)[:12]}`; the queue lists those there are")
    return _request(row)


def opened(conn: Connection, reference: str, token: str) -> Request:
    """The request that a requester's link opens. A wrong token is as good as a wrong reference."""
    row = conn.execute(sa.select(t.intake_request).where(_called(reference))).one_or_none()
    given = sha256(token.encode("utf-8", "replace")).hexdigest()
    right = row.token_sha256 if row is not None else "0" * 64
    if not hmac.compare_digest(given, right) or row is None:
        raise NotFound("this link opens no request; check that it was copied whole")
    return _request(row)


def list_requests(
    conn: Connection, *, state: str = "", limit: int = 50, cursor: str | None = None
) -> Page[Request]:
    """One page of requests: those that wait oldest first, decided ones newest first."""
    r = t.intake_request.c
    where = [r.state == str(_state(state))] if state else []
    total = conn.scalar(sa.select(sa.func.count()).select_from(t.intake_request).where(*where)) or 0
    waiting = state == State.WAITING
    order = (r.submitted_at, r.id) if waiting else (r.submitted_at.desc(), r.id.desc())
    statement = sa.select(t.intake_request).where(*where).order_by(*order).limit(limit + 1)
    sort = "oldest" if waiting else "newest"
    if cursor:
        value, row_id = decode_cursor(cursor, sort)
        moment = parse_rfc3339(value)
        later = r.submitted_at > moment if waiting else r.submitted_at < moment
        beyond = r.id > row_id if waiting else r.id < row_id
        statement = statement.where(sa.or_(later, sa.and_(r.submitted_at == moment, beyond)))
    rows = conn.execute(statement).all()
    shown = [_request(row) for row in rows[:limit]]
    last = shown[-1] if len(rows) > limit else None
    return Page(
        items=tuple(shown),
        next_cursor=encode_cursor(sort, rfc3339(last.submitted_at), last.id) if last else None,
        total=total,
    )


def tallies(conn: Connection) -> dict[str, int]:
    """How many requests stand in each state."""
    rows = conn.execute(
        sa.select(t.intake_request.c.state, sa.func.count()).group_by(t.intake_request.c.state)
    )
    found = {str(state): 0 for state in State}
    return found | {row[0]: row[1] for row in rows}


def similar(conn: Connection, request: Request) -> Similar:
    """Systems and waiting requests that share words with this one, most in common first.

    Words and not meaning: a moderator reads five suggestions faster than anybody explains a score.
    """
    words = _words(request.wish.title) | set(sorted(_words(request.wish.purpose))[:20])
    if not words:
        return Similar(systems=(), requests=())
    s, r = t.system.c, t.intake_request.c
    systems = conn.execute(sa.select(s.name, s.search).where(_any(s.search, words)).limit(500)).all()
    ranked = sorted(systems, key=lambda row: (-_common(words, row.search), row.name))[:_SIMILAR]
    by_name = queries.systems_named(conn, [row.name for row in ranked])
    waiting = conn.execute(
        sa.select(t.intake_request)
        .where(r.state == str(State.WAITING), r.id != request.id, _any(r.search, words))
        .limit(500)
    ).all()
    others = sorted(waiting, key=lambda row: (-_common(words, row.search), row.id))[:_SIMILAR]
    return Similar(
        systems=tuple(by_name[row.name] for row in ranked), requests=tuple(_request(row) for row in others)
    )


def attention(conn: Connection, instance: Instance, actor: Actor, now: datetime) -> list[AttentionItem]:
    """What the first screen shows of this slice: the gaps of the register, and requests that wait for a decision."""
    items = queries.attention(conn, instance, actor, now)
    if not instance.authorizer.decide(actor, ACTION, None).allowed:
        return items
    r = t.intake_request.c
    count, oldest = conn.execute(
        sa.select(sa.func.count(), sa.func.min(r.submitted_at)).where(r.state == str(State.WAITING))
    ).one()
    if count:
        title = f"{count:,} request{'s' if count > 1 else ''} for a new AI use"
        since = parse_rfc3339(oldest) if isinstance(oldest, str) else oldest
        items.append(
            AttentionItem("waiting", title, "somebody waits for an answer", "/inventory/intake", since, count)
        )
    return items


def _decide(
    tx: Tx, reference: str, decision: Decision, *, actor: Actor, reason: str, system_name: str
) -> None:
    """Move a request out of the queue and say so. Raises Conflict if somebody else has decided meanwhile."""
    before = get_request(tx.conn, reference)
    changed = tx.conn.execute(
        sa.update(t.intake_request)
        .where(t.intake_request.c.id == before.id, t.intake_request.c.state == str(State.WAITING))
        .values(
            state=str(State(decision)),
            decided_at=tx.now,
            decided_by=actor.name[:200],
            decision_reason=reason,
            system_name=system_name,
        )
    )
    if changed.rowcount != 1:
        raise Conflict(
            f"request `{before.reference}` is {before.state} already, by {before.decided_by}; see its page"
        )
    decided = IntakeDecided(
        at=at(tx.now),
        by=By.of(actor),
        reason=reason,
        request=before.reference,
        decision=decision,
        system=system_name,
    )
    tx.append(decided.about([subject_of(before)]))


def subject_of(request: Request) -> Subject:
    """What the evidence about a decision is about: the reference, and the digest of what was asked for."""
    wish = request.wish
    asked = {
        "title": wish.title,
        "purpose": wish.purpose,
        "people_affected": wish.people_affected,
        "data_used": wish.data_used,
        "supplier": wish.supplier,
        "unit": wish.unit,
    }
    return Subject.described(f"intake:{request.reference}", asked)


def _within_limits(conn: Connection, now: datetime, address_key: str, settings: IntakeSettings) -> None:
    a = t.intake_attempt.c
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)

    def count(since: datetime, *more: sa.ColumnElement[bool]) -> int:
        statement = (
            sa.select(sa.func.count()).select_from(t.intake_attempt).where(a.attempted_at > since, *more)
        )
        return conn.scalar(statement) or 0

    if count(hour, a.address_key == address_key) >= settings.per_address_per_hour:
        raise TooMany(
            "several requests came from your address within the hour; try again later", retry_after=3_600
        )
    if count(hour) >= settings.per_hour:
        raise TooMany("many requests came in within the hour; try again later", retry_after=3_600)
    if count(day) >= settings.per_day:
        raise TooMany("many requests came in today; try again tomorrow", retry_after=86_400)
    r = t.intake_request.c
    waiting = sa.select(sa.func.count()).select_from(t.intake_request).where(r.state == str(State.WAITING))
    if (conn.scalar(waiting) or 0) >= settings.waiting_limit:
        raise TooMany(
            "too many requests wait for a decision; ask the security lead directly", retry_after=86_400
        )


def _housekeep(conn: Connection, now: datetime) -> None:
    """Forget attempts a day old, and the contact of requests decided long ago."""
    a, r = t.intake_attempt.c, t.intake_request.c
    conn.execute(sa.delete(t.intake_attempt).where(a.attempted_at <= now - timedelta(days=1)))
    conn.execute(
        sa.update(t.intake_request)
        .where(
            r.decided_at.is_not(None),
            r.decided_at <= now - CONTACT_KEPT,
            sa.or_(r.requester != "", r.email != ""),
        )
        .values(requester="", email="")
    )


def _called(reference: str) -> sa.ColumnElement[bool]:
    """References are read aloud and typed again: case and surrounding space do not matter."""
    text = clean(reference)[:12].strip().lower()
    return t.intake_request.c.reference == ("R-" + text.removeprefix("r-"))


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise InvalidInput(
            f"`{text[:40]}` is no state of a request; use one of {', '.join(State)}",
            {"state": "is none of them"},
        ) from None


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if word not in _COMMON}


def _common(words: set[str], text: str) -> int:
    return sum(word in text for word in words)


def _any(column: sa.Column[str], words: set[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.contains(word, autoescape=True) for word in sorted(words)[:24]))


def _request(row: sa.Row[Any]) -> Request:
    return Request(
        id=row.id,
        reference=row.reference,
        state=State(row.state),
        wish=Wish(
            title=row.title,
            purpose=row.purpose,
            people_affected=row.people_affected,
            data_used=row.data_used,
            supplier=row.supplier,
            unit=row.unit,
            requester=row.requester,
            email=row.email,
        ),
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
        system_name=row.system_name,
    )
