"""Reading a statement with care: fields that may not be there, and times that their senders chose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.errors import InvalidInput

SKEW = timedelta(minutes=5)
"""How far ahead of us another machine's clock may be before its evidence is not believed yet."""


def moment(said: Mapping[str, Any], field: str) -> datetime | None:
    """The time in a field, None where it says none. Raises InvalidInput for what is no time."""
    value = field_of(said, field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"`{field}` is not text")
    return parse_rfc3339(value)


def field_of(value: Any, dotted: str) -> Any:
    """What stands in a field, however deep; None where there is no such field."""
    for part in dotted.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
