"""Text from outside becomes the values of model.py here, whichever skin it came through.

Every check collects what is wrong per field, so that a person fixes a form once and not once per mistake.
The bounds are generous for people and small for machines; they are also the widths of the columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.model import (
    PARTY,
    Autonomy,
    ComponentFields,
    DataClass,
    End,
    EnvironmentFields,
    Exposure,
    FlowFields,
    Kind,
    Role,
    Status,
    SystemFields,
    VersionFields,
)

E = TypeVar("E", bound=StrEnum)

MAX_LINE = 200
MAX_TEXT = 4_000
MAX_TAGS = 32
MAX_REGIONS = 64
MAX_REASON = 1_000
EARLIEST_YEAR = 1900  # an earlier date is a slip of the keyboard, or somebody trying what happens
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")
_ENVIRONMENT = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?\Z")
_TAG = re.compile(r"[\w][\w .:/+-]{0,48}\Z")
_SHA256 = re.compile(r"(?:sha-?256[:=-])?([0-9a-f]{64})\Z")
_JOINERS = "\u200c\u200d"  # Persian and several Indic scripts are not written right without them
_KEPT = frozenset("\n\t" + _JOINERS)
_SPLIT = re.compile(r"[,;|\n]")


class Checks:
    """Collects what is wrong with a set of fields and raises it all at once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.wrong: dict[str, str] = {}

    def refuse(self, field: str, why: str) -> None:
        self.wrong.setdefault(field, why)

    def line(self, field: str, *, limit: int = MAX_LINE, needed: str = "") -> str:
        """One line of text, trimmed. `needed` is what to say when it is empty and may not be."""
        text = self.text(field)
        if "\n" in text:
            self.refuse(field, "must be one line; remove the line break")
            return ""
        return self._bounded(field, text, limit, needed)

    def prose(self, field: str, *, limit: int = MAX_TEXT, needed: str = "") -> str:
        return self._bounded(field, self.text(field), limit, needed)

    def member(self, field: str, kind: type[E], default: E) -> E:
        """A member of an enumeration, by value, forgiving case, spaces and underscores."""
        text = self.text(field)
        if not text:
            return default
        spelled = "-".join(text.lower().replace("_", "-").split())
        try:
            return kind(spelled)
        except ValueError:
            self.refuse(field, f"`{text[:60]}` is none of {_listed(kind)}")
            return default

    def words(self, field: str, *, limit: int, lower: bool = True) -> tuple[str, ...]:
        """A list, or text split at commas, semicolons, bars and line ends. Sorted, without duplicates."""
        value = self.values.get(field)
        if value is None:
            return ()
        given: Iterable[Any] = (
            value if isinstance(value, list | tuple | set | frozenset) else _SPLIT.split(str(value))
        )
        words: set[str] = set()
        for count, one in enumerate(given):
            if count > limit * 4 or len(words) > limit:
                self.refuse(field, f"has more than {limit} entries; keep at most {limit}")
                break
            word = " ".join(clean(one).split())
            word = word.lower() if lower else word
            if not word:
                continue
            if not _TAG.match(word):
                self.refuse(
                    field, f"`{word[:60]}` is not usable; use letters, digits and - . : / +, at most 49"
                )
                continue
            words.add(word)
        if len(words) > limit:
            self.refuse(field, f"has more than {limit} entries; keep at most {limit}")
        return tuple(sorted(words))

    def flag(self, field: str) -> bool:
        value = self.values.get(field)
        if isinstance(value, bool):
            return value
        text = self.text(field).lower()
        if text in ("", "no", "false", "0", "off", "n"):
            return False
        if text in ("yes", "true", "1", "on", "y", "x"):
            return True
        self.refuse(field, f"`{text[:40]}` is neither yes nor no")
        return False

    def moment(self, field: str) -> datetime | None:
        """A date or a time. A date alone is midnight UTC; a time must name its zone."""
        value = self.values.get(field)
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
        else:
            text = self.text(field)
            if not text:
                return None
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                self.refuse(field, f"`{text[:40]}` is not a date; write it like `2026-11-25`")
                return None
            if moment.tzinfo is None and len(text) <= 10:
                moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            self.refuse(field, "has no time zone; add `Z` or an offset like `+01:00`")
            return None
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            self.refuse(field, "is outside the calendar; write it like `2026-11-25`")
            return None
        if moment.year < EARLIEST_YEAR:
            self.refuse(field, f"is before {EARLIEST_YEAR}; write it like `2026-11-25`")
            return None
        return moment

    def digest(self, field: str) -> str:
        text = self.text(field)
        if not text:
            return ""
        match = _SHA256.match(text.lower())
        if match:
            return match[1]
        self.refuse(
            field, f"`{text[:80]}` is not a sha256; give 64 hex digits, as `sha256sum FILE` prints them"
        )
        return ""

    def done(self, what: str) -> None:
        if self.wrong:
            first, why = next(iter(self.wrong.items()))
            more = f" (and {len(self.wrong) - 1} more)" if len(self.wrong) > 1 else ""
            raise InvalidInput(f"{what}: `{first}` {why}{more}; correct it and try again", self.wrong)

    def text(self, field: str) -> str:
        """The field as cleaned text, whatever its length; '' if it is not there."""
        value = self.values.get(field)
        if value is None:
            return ""
        if isinstance(value, bool | dict | list | tuple):
            self.refuse(field, "must be text")
            return ""
        return clean(value)

    def _bounded(self, field: str, text: str, limit: int, needed: str) -> str:
        if needed and not text:
            self.refuse(field, needed)
        if len(text) > limit:
            self.refuse(field, f"has {len(text)} characters; keep it to {limit}")
            return ""
        return text


def clean(value: object) -> str:
    """NFC, one kind of line end, no control characters, no lone surrogates, no invisible direction marks.

    Those are dropped and not refused: they come from copying out of documents, and nobody can see them to remove
    them. What is kept is what a person sees.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text.strip()
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cs", "Cf", "Co", "Cn"))
    return "".join(" " if c == "\t" else c for c in kept).strip()


def system_fields(values: Mapping[str, Any]) -> SystemFields:
    """A whole system. Raises InvalidInput naming every field at fault."""
    checks = Checks(values)
    name = checks.line("name", limit=64, needed="is missing; a short name like `loan-desk`")
    if name and not NAME.match(name):
        checks.refuse(
            "name",
            f"`{name[:64]}` is not usable; use lower-case letters, digits and inner dashes, at most 64",
        )
    status = checks.member("status", Status, Status.PROPOSED)
    fields = SystemFields(
        name=name,
        title=checks.line("title") or name,
        purpose=checks.prose("purpose"),
        owner=checks.line("owner"),
        deputy=checks.line("deputy"),
        unit=checks.line("unit"),
        role=checks.member("role", Role, Role.UNKNOWN),
        users_affected=checks.prose("users_affected", limit=1_000),
        autonomy=checks.member("autonomy", Autonomy, Autonomy.UNKNOWN),
        exposure=checks.member("exposure", Exposure, Exposure.UNKNOWN),
        regions=checks.words("regions", limit=MAX_REGIONS),
        status=status,
        tags=checks.words("tags", limit=MAX_TAGS),
    )
    checks.done("this system cannot be registered" if not name else f"system `{name[:64]}`")
    return fields


def component_fields(values: Mapping[str, Any]) -> ComponentFields:
    """What is said about a component. Raises InvalidInput naming every field at fault."""
    checks = Checks(values)
    kind = _kind(checks, "kind")
    name = checks.line("name", needed="is missing; what people call it, like `fraud-scorer`")
    name = name.translate(dict.fromkeys(map(ord, _JOINERS)))  # two names must not look alike and differ
    fields = ComponentFields(
        kind=kind,
        name=name,
        title=checks.line("title"),
        description=checks.prose("description"),
        owner=checks.line("owner"),
        supplier=checks.line("supplier"),
        tags=checks.words("tags", limit=MAX_TAGS),
    )
    checks.done(f"component `{name[:80]}`" if name else "this component")
    return fields


def version_fields(values: Mapping[str, Any], *, what: str = "this version") -> VersionFields:
    """One version of a component; without a label it is version `1`."""
    checks = Checks(values)
    label = checks.line("version", limit=100) or "1"
    if "@" in label or any(c.isspace() for c in label):
        checks.refuse("version", f"`{label[:60]}` may not hold `@` or spaces; write it like `3` or `2026-11`")
    fields = VersionFields(
        version=label,
        digest=checks.digest("digest"),
        source=checks.line("source", limit=2_000),
        licence=checks.line("licence"),
        released_at=checks.moment("released_at"),
        notes=checks.prose("notes"),
    )
    checks.done(what)
    return fields


def flow_fields(values: Mapping[str, Any]) -> FlowFields:
    """A flow. That its ends exist is for the service to see."""
    checks = Checks(values)
    source = _end(checks, "source")
    target = _end(checks, "target")
    if source.name and source == target:
        checks.refuse("target", "is the same as the source; a flow goes from one place to another")
    fields = FlowFields(
        source=source,
        target=target,
        data=_data(checks),
        purpose=checks.prose("purpose", limit=1_000),
        crosses_boundary=checks.flag("crosses_boundary"),
        encrypted=checks.flag("encrypted"),
    )
    checks.done("this flow")
    return fields


def environment_fields(values: Mapping[str, Any]) -> EnvironmentFields:
    """An environment. Its name is lower-cased, because people mean the same by `Production`."""
    checks = Checks(values)
    name = checks.line("name", limit=80, needed="is missing; for example `production`").lower()
    if name and not _ENVIRONMENT.match(name):
        checks.refuse("name", f"`{name[:80]}` is not usable; use lower-case letters, digits and inner dashes")
    regions = checks.words("region", limit=1)
    fields = EnvironmentFields(
        name=name,
        region=regions[0] if regions else "",
        description=checks.prose("description", limit=1_000),
    )
    checks.done("this environment")
    return fields


def reason(value: object, *, needed: str = "") -> str:
    """The speaker's reason. Where one is needed, an empty one is refused with the text of `needed`."""
    checks = Checks({"reason": value})
    text = checks.prose("reason", limit=MAX_REASON, needed=needed)
    checks.done("the reason")
    return text


def end(text: str) -> End:
    """An end of a flow as written in text: `model:fraud-scorer`, `party:Applicants`, or just `Applicants`."""
    checks = Checks({"end": text})
    found = _end(checks, "end")
    checks.done("this end of a flow")
    return found


def data_classes(value: object) -> tuple[DataClass, ...]:
    """Data classes in the order of their sensitivity."""
    checks = Checks({"data": value})
    found = _data(checks)
    checks.done("this flow")
    return found


def component_ref(text: str) -> tuple[Kind, str, str]:
    """`kind:name@version` taken apart; the version may be missing and is then ''."""
    head, _, tail = clean(text).partition(":")
    name, at, version = tail.rpartition("@")
    if not at:
        name, version = tail, ""
    try:
        kind = Kind(head.strip().lower())
    except ValueError:
        raise InvalidInput(
            f"`{text[:80]}` does not name a component; write `kind:name@version`, with a kind of {_listed(Kind)}"
        ) from None
    if not name:
        raise InvalidInput(f"`{text[:80]}` has no name; write `kind:name@version`")
    return kind, name, version


def _kind(checks: Checks, field: str) -> Kind:
    if not checks.text(field):
        checks.refuse(field, f"is missing; one of {_listed(Kind)}")
    return checks.member(field, Kind, Kind.MODEL)


def _end(checks: Checks, field: str) -> End:
    text = checks.line(field, limit=240, needed="is missing; `model:fraud-scorer` or `party:Applicants`")
    head, colon, name = text.partition(":")
    kind = head.strip().lower()
    if colon and (kind == PARTY or kind in set(Kind)):
        name = name.strip()
    else:
        kind, name = PARTY, text
    if text and not name:
        checks.refuse(field, f"`{text[:60]}` has no name after the colon")
    if len(name) > MAX_LINE:
        checks.refuse(field, f"has {len(name)} characters; keep it to {MAX_LINE}")
    return End(kind=kind, name=name)


def _data(checks: Checks) -> tuple[DataClass, ...]:
    """Data classes in the order of their sensitivity, whatever order they came in."""
    found: set[DataClass] = set()
    for word in checks.words("data", limit=len(DataClass)):
        spelled = "-".join(word.replace("_", "-").split())
        try:
            found.add(DataClass(spelled))
        except ValueError:
            checks.refuse("data", f"`{word[:40]}` is none of {_listed(DataClass)}")
    if not found:
        checks.refuse("data", f"is missing; one or more of {_listed(DataClass)}")
    return tuple(c for c in DataClass if c in found)


def _listed(kind: type[StrEnum]) -> str:
    return ", ".join(f"`{member.value}`" for member in kind)
