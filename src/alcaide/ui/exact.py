"""Values over HTTP taken exactly as the published schema describes them, where the framework would take more.

A number read as a moment, or `on` read as true, is a misreading that nobody notices: the caller meant something else
and is told that it worked. What a program sends is either what the schema says, or refused.

In the body of a request pydantic's `StrictBool` does the same for a flag.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AwareDatetime, BeforeValidator

_SHORTEST = len("2026-06-01T12:00:00Z")  # RFC 3339


def _written_out(value: Any) -> Any:
    if isinstance(value, str) and len(value) < _SHORTEST:
        raise ValueError("write the moment like 2026-06-01T12:00:00Z")
    if isinstance(value, int | float):
        raise ValueError("write the moment as text, like 2026-06-01T12:00:00Z")  # noqa: TRY004 - pydantic's word for it
    return value


def _true_or_false(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("write true or false")


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A moment with its time zone, in text."""
Flag: TypeAlias = Annotated[bool, BeforeValidator(_true_or_false)]
"""`true` or `false`, in a query or a form."""
