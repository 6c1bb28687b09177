"""What every predicate of Alcaide's own shares: a type URI, a time, somebody who says it, and why.

A predicate is a past fact. Fields are only ever added; a field's meaning never changes; a new meaning
is a new version. Each kind has one file here, one page in `docs/predicates/` and one golden file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

import msgspec

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, Subject


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who says it. `id` is stable; `name` is what to call them where the log may hold a name."""

    kind: str
    id: str
    name: str = ""

    @classmethod
    def of(cls, actor: Mapping[str, str] | Any) -> By:
        """From an Actor (anything with `as_json`) or its JSON."""
        values = actor if isinstance(actor, Mapping) else actor.as_json()
        return cls(kind=values["kind"], id=values["id"], name=values.get("name", ""))


class Predicate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all own predicates. `at` is when it happened; `reason` is the speaker's, in their words."""

    TYPE: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""

    at: str
    by: By
    reason: str = ""

    def about(self, subjects: Iterable[Subject]) -> Statement:
        """The Statement that this holds of `subjects`."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return Statement(tuple(subjects), self.TYPE, body)

    @classmethod
    def read(cls, statement: Statement) -> Self:
        """The typed predicate of a Statement of this kind; unknown fields of later versions are ignored."""
        if statement.predicate_type != cls.TYPE:
            raise InvalidInput(f"`{statement.predicate_type[:120]}` is not `{cls.TYPE}`")
        try:
            return msgspec.convert(statement.predicate, cls)
        except msgspec.ValidationError as problem:
            raise InvalidInput(f"predicate `{cls.TYPE}`: {str(problem).lower()}") from None


def at(moment: datetime) -> str:
    """The spelling of a time inside a predicate."""
    return rfc3339(moment)
