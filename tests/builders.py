"""Small makers of valid things; a test changes only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement, Subject

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_digest(of: str = "bytes") -> str:
    return sha256(of.encode()).hexdigest()


def a_subject(name: str = "model:fraud-scorer@1", of: str | None = None) -> Subject:
    return Subject(name, {"sha256": a_digest(of or name)})


def a_statement(
    name: str = "model:fraud-scorer@1",
    kind: str = "urn:alcaide:attested:v1",
    at: datetime = NOON,
    **predicate: Any,
) -> Statement:
    body = {"at": rfc3339(at), "by": {"kind": "user", "id": "u-1", "name": "one"}, **predicate}
    return Statement((a_subject(name),), kind, body)
