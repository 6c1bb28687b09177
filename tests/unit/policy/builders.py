"""Evidence for tests of rules: only the facts that matter are spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.policy import EvidenceView, Record
from alcaide.kernel.policy.evaluate import Explanation, Scope, SubjectRef, evaluate
from alcaide.kernel.policy.requirement import Requirement, predicate_type_of, read_requirements
from alcaide.kernel.policy.source import read_yaml

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SYSTEM = "system:loan-desk"
MODEL = "model:scorer@3"


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


THIS = SubjectRef(SYSTEM, digest_of("loan-desk"))
SCORER = SubjectRef(MODEL, digest_of("scorer"), kind="model", environments=("production",), tags=("credit",))
TABLE = SubjectRef("dataset:loans@1", digest_of("loans"), kind="dataset")
SCOPE = Scope(THIS, (SCORER, TABLE))


def a_requirement(**parts: Any) -> Requirement:
    """One requirement, read from its YAML as a person would have written it."""
    import json

    document = {"id": "asked", "title": "Asked", "evidence": "attested", **parts}
    (requirement,) = read_requirements(read_yaml(json.dumps([document]), "asked.yaml"))
    return requirement


def a_record(
    evidence: str = "attested",
    *,
    about: SubjectRef = THIS,
    index: int = 0,
    at: datetime | None = NOON,
    by: str = "ada",
    foreign: bool = False,
    signed_by: str = "instance",
    recorded_at: datetime | None = None,
    imported: Mapping[str, Any] | None = None,
    said: Mapping[str, Any] | None = None,
    **predicate: Any,
) -> Record:
    predicate |= said or {}
    body: dict[str, Any] = dict(predicate)
    if not foreign:
        body = {"at": rfc3339(at)} if at else {}
        body |= {"by": {"kind": "user", "id": by, "name": by.title()}, **predicate}
    statement = Statement(
        (Subject(about.name, {"sha256": about.digest or digest_of("unknown")}),),
        predicate_type_of(evidence),
        body,
    )
    return Record(index, statement, recorded_at or at or NOON, signed_by, foreign, imported)


def a_view(*records: Record, scope: Scope = SCOPE, complete: bool = True) -> EvidenceView:
    """The records in the order given, as leaves 0, 1, 2…"""
    numbered = tuple(
        Record(i, r.statement, r.recorded_at, r.signed_by, r.foreign, r.imported)
        for i, r in enumerate(records)
    )
    subjects = (scope.this, *scope.components)
    keys = {f"name:{s.name}" for s in subjects} | {f"sha256:{s.digest}" for s in subjects if s.digest}
    return EvidenceView(
        numbered, complete, None if complete else "a leaf is missing", len(numbered), b"", frozenset(keys)
    )


def without(view: EvidenceView, *gone: int) -> EvidenceView:
    """The view that somebody would see from whom these leaves were hidden, and who checked."""
    left = tuple(record for record in view.records if record.index not in gone)
    return EvidenceView(left, False, "leaves are missing", view.size, view.root, view.keys)


def answer(
    requirement: Requirement, *records: Record, now: datetime = NOON, scope: Scope = SCOPE
) -> Explanation:
    return evaluate(requirement, scope, a_view(*records, scope=scope), now=now)


def days(number: float) -> timedelta:
    return timedelta(days=number)
