"""Time at the rim: the only place that reads the wall clock, and the one spelling of a time in text.

Rules never import this module's `utcnow`; they are handed `now`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from alcaide.kernel.errors import InvalidInput

_SHORT = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w|y)\Z")
_ISO = re.compile(r"P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?\Z")
_UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def rfc3339(moment: datetime) -> str:
    """`2026-11-25T04:10:00.123456Z`: RFC 3339 in UTC with microseconds, so that text order is time order."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no place in evidence")
    # Not strftime: its %Y does not pad years before 1000, and what it writes then cannot be read again.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time with a zone; raises InvalidInput otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InvalidInput(
            f"`{str(text)[:60]}` is not a time; write it like `2026-11-25T04:10:00Z`"
        ) from None
    if moment.tzinfo is None:
        raise InvalidInput(f"`{text[:60]}` has no time zone; add `Z` or an offset like `+01:00`")
    return moment.astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `15min`, `12h`, `30d`, `2w`, `1y` (365 days) or ISO 8601 `P30D`, `PT12H`."""
    cleaned = str(text).strip()
    if short := _SHORT.match(cleaned):
        return timedelta(seconds=int(short[1]) * _UNIT_SECONDS[short[2]])
    iso = _ISO.match(cleaned)
    if iso and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (int(g or 0) for g in iso.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    raise InvalidInput(f"`{cleaned[:40]}` is not a duration; write it like `30d`, `12h` or `P30D`")
