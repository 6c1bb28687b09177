"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from alcaide.kernel.clock import parse_rfc3339, rfc3339


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC. Kept as RFC 3339 text with microseconds, so text order is time order.

    Text on PostgreSQL too: evidence quotes times literally, and a value must read the same after a
    backup of one database is restored into the other.
    """

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else rfc3339(value)

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        return None if value is None else parse_rfc3339(value).astimezone(UTC)


class JsonDoc(TypeDecorator[Any]):
    """A JSON document kept as text, so that both databases give back exactly what was put in."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)
