"""How values are written for people: times, numbers, sizes, names, JSON.

Each filter is a pure function of its arguments, except `when`, which asks the clock how long ago something was.
All return text that is safe to put into a page: either plain text, which the template escapes, or `Markup`
whose every variable part was escaped here.
"""

from __future__ import annotations

import difflib
import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from markupsafe import Markup, escape

from alcaide.kernel.clock import parse_rfc3339, utcnow
from alcaide.kernel.errors import InvalidInput

LONGEST_JSON = 256 * 1024
"""Characters of JSON shown on a page. A browser lays out this much at once; longer documents are for download."""
LONGEST_DIFF = 2_000
"""Lines on either side of a shown difference: difflib's time grows with their product."""

_STEPS = (
    (60.0, 1.0, "s"),
    (3_600.0, 60.0, "min"),
    (86_400.0, 3_600.0, "h"),
    (30 * 86_400.0, 86_400.0, "d"),
)
_WORDS = {"s": "second", "min": "minute", "h": "hour", "d": "day"}

KIND_ICONS = {
    "system": "box-model-2",
    "model": "brain",
    "dataset": "database",
    "prompt": "message-2",
    "agent": "robot",
    "tool": "tool",
    "tool-server": "server-2",
    "vector-store": "vector-triangle",
    "service": "cloud",
    "guardrail": "shield-half",
    "user": "user",
    "token": "key",
    "person": "user",
    "environment": "stack-2",
    "party": "building",
}


def when(moment: datetime | str | None, never: str = "never") -> Markup:
    """A time as people say it (`3 min ago`, `in 2 days`), with the exact UTC time on hover and for machines.

    Beyond thirty days the date itself says more than a count, so the date is shown.
    """
    if moment is None or moment == "":
        return Markup('<span class="muted">{}</span>').format(never)
    if isinstance(moment, str):
        try:
            moment = parse_rfc3339(moment)
        except InvalidInput:
            return escape(moment)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    moment = moment.astimezone(UTC)
    # A table has hundreds of these, and Markup's own formatting costs five times as much.
    exact, hover = moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    said = relative(moment, utcnow())
    return Markup(f'<time datetime="{exact}" title="{hover}">{said}</time>')  # noqa: S704 - digits and our own words


def relative(moment: datetime, now: datetime) -> str:
    """How long before or after `now`, in the largest whole unit; the date when it is over thirty days."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 10:
        return "just now"
    for limit, unit, short in _STEPS:
        if size < limit:
            count = int((size + unit / 100) // unit)  # a moment that was 2 days away when stored stays 2 days
            word = f"{_WORDS[short]}{'' if count == 1 else 's'}" if short == "d" else short
            return f"{count} {word} ago" if seconds > 0 else f"in {count} {word}"
    return moment.strftime("%Y-%m-%d")


def day(moment: datetime | date | str | None, none: str = "–") -> str:
    """A date on its own: `2026-11-25`."""
    if moment is None or moment == "":
        return none
    if isinstance(moment, str):
        return moment[:10]
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.strftime("%Y-%m-%d")


def n(value: float | None, none: str = "–") -> str:
    """A number with thousands separated: `12,345`. Nothing is written as a dash, never as zero."""
    if value is None:
        return none
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration(value: float | timedelta | None, none: str = "–") -> str:
    """A length of time in its two largest units: `2 h 5 min`, `840 ms`."""
    if value is None:
        return none
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + " s"
    whole = int(seconds)
    units = (("d", whole // 86_400), ("h", whole // 3_600 % 24), ("min", whole // 60 % 60), ("s", whole % 60))
    shown = [f"{count} {unit}" for unit, count in units]
    first = next(i for i, (_, count) in enumerate(units) if count)
    return " ".join(
        text for text, (_, count) in zip(shown[first : first + 2], units[first:], strict=False) if count
    )


def size(value: int | None, none: str = "–") -> str:
    """Bytes in the unit that leaves one to three digits: `4.2 MB` (powers of ten, as disks are sold)."""
    if value is None:
        return none
    amount, unit = float(value), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def initials(name: str) -> str:
    """Two letters for a round mark: of the first and last word, or of the only one."""
    words = [word for word in re.split(r"[\s._@:-]+", name.strip()) if word[:1].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


def tone(name: str) -> int:
    """A stable number from 0 to 7 for a name, so that the same person always has the same colour."""
    return zlib.crc32(name.encode()) % 8


def kind_icon(kind: str) -> str:
    """The icon of a subject kind; a cube for kinds that came later."""
    return KIND_ICONS.get(kind, "cube")


def short(text: str | None, length: int = 80) -> str:
    """The beginning of a text, ending in an ellipsis where something was cut."""
    text = text or ""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def pretty_json(value: Any) -> str:
    """Indented JSON, cut at `LONGEST_JSON` with a line that says so."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) > LONGEST_JSON:
        return text[:LONGEST_JSON] + "\n… cut here; the whole document is longer than a page can show"
    return text


_JSON_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d[\d.eE+-]*)')


def highlight_json(value: Any) -> Markup:
    """`pretty_json` with keys, strings, numbers and words marked for the style sheet."""
    text = pretty_json(value)
    parts: list[str] = []
    at = 0
    for token in _JSON_TOKEN.finditer(text):
        parts.append(str(escape(text[at : token.start()])))
        cls = "k" if token[2] else "s" if token[1] else "w" if token[3] else "d"
        parts.append(f'<span class="{cls}">{escape(token[1] or token[0])}</span>{token[2] or ""}')
        at = token.end()
    parts.append(str(escape(text[at:])))
    return Markup("".join(parts))  # noqa: S704 - every part was escaped above


def script_json(value: Any) -> Markup:
    """JSON for a `<script type="application/json">` block: nothing in it can end the block or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    for risky, safe in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(risky, safe)
    return Markup(text)  # noqa: S704 - the characters that HTML reads were replaced above


def diff_lines(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The lines of a unified difference as (sign, text), signs being `+`, `-`, `@` and space."""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > LONGEST_DIFF:
        yield "@", f"too long to compare here: {len(before):,} and {len(after):,} lines"
        return
    # The first two lines name files, and here there are none.
    for line in islice(difflib.unified_diff(before, after, lineterm="", n=3), 2, None):
        yield (line[0], line[1:]) if line[0] in "+- " else ("@", line)


_BACKTICKS = re.compile(r"`([^`\n]{1,400})`")


def code_spans(text: str) -> Markup:
    """A message whose quoted parts (in backticks, as all our errors write them) are set as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


FILTERS = {
    "code_spans": code_spans,
    "when": when,
    "day": day,
    "n": n,
    "duration": duration,
    "size": size,
    "initials": initials,
    "tone": tone,
    "kind_icon": kind_icon,
    "short": short,
    "pretty_json": pretty_json,
    "highlight_json": highlight_json,
    "script_json": script_json,
}
