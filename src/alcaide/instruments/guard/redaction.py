"""Replacing what must not be read, so that it can be brought back for those who may.

A pseudonym is `[ENTITY_1]`: the kind of thing it was and a number. Within one conversation the same value is always
the same pseudonym, so that an answer about `[PERSON_2]` makes sense and can be restored. The table of pseudonyms is
as secret as what it stands for: whoever keeps it keeps the data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alcaide.instruments.guard.model import Context, Finding, Report
from alcaide.instruments.guard.policy import GuardPolicy
from alcaide.kernel.errors import InvalidInput

_TOKEN = re.compile(r"\[([A-Z][A-Z0-9_]{0,47})_([0-9]{1,9})\]", re.IGNORECASE)


class Pseudonyms:
    """The pseudonyms of one conversation: which value each stands for. Not for several threads at once."""

    def __init__(self) -> None:
        self._by_value: dict[tuple[str, str], str] = {}
        self._by_token: dict[str, str] = {}
        self._next: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def token(self, entity: str, value: str, *, avoid: str = "") -> str:
        """The pseudonym of a value. `avoid` is the text it goes into: a token that it already holds is not used."""
        key = (entity, _same(value))
        known = self._by_value.get(key)
        if known is not None:
            return known
        number = self._next.get(entity, 0) + 1
        while (token := f"[{entity}_{number}]") in avoid:
            number += 1
        self._next[entity] = number
        self._by_value[key] = token
        self._by_token[token] = value
        return token

    def restore(self, text: str) -> str:
        """Every pseudonym of this conversation replaced by its value, as it was first seen.

        A token that this conversation never gave out stays as it is: it is somebody else's text.
        """
        return _TOKEN.sub(lambda match: self._by_token.get(match.group(0).upper(), match.group(0)), text)

    def to_json(self) -> dict[str, Any]:
        """The table, to be kept encrypted. `from_json` reads it."""
        return {"tokens": dict(self._by_token)}

    @classmethod
    def from_json(cls, document: object) -> Pseudonyms:
        """A table that `to_json` wrote. Raises InvalidInput if it is not one."""
        tokens = document.get("tokens") if isinstance(document, Mapping) else None
        if not isinstance(tokens, Mapping):
            raise InvalidInput(
                "this is not a table of pseudonyms: `tokens` is missing; give what `to_json` wrote"
            )
        made = cls()
        for token, value in tokens.items():
            match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
            # `restore` takes a model's spelling of a token for the one given out, which is in capitals.
            if match is None or token != token.upper() or not isinstance(value, str):
                shown = str(token)[:80].encode("utf-8", "replace").decode()
                raise InvalidInput(f"`{shown}` is not a pseudonym; give what `to_json` wrote")
            entity, number = match.group(1), int(match.group(2))
            value = value.encode("utf-8", "replace").decode()  # half a character can be sent nowhere
            made._by_token[token] = value
            made._by_value[entity, _same(value)] = token
            made._next[entity] = max(made._next.get(entity, 0), number)
        return made


def _same(value: str) -> str:
    """What makes two spellings one value: case, spacing and Unicode form do not."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with what had to be replaced replaced, and the report it stands on.

    `replaced` counts what was, by entity.
    """

    text: str
    report: Report
    pseudonyms: Pseudonyms
    replaced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Replacement:
    """One stretch of text to be replaced."""

    start: int
    end: int
    finding: Finding
    reversible: bool


def replacements(report: Report, policy: GuardPolicy, context: Context) -> list[Replacement]:
    """What the policy wants replaced in a plain text, in order, without overlaps.

    Stretches that overlap become one, named after the surest finding in it, and lasting if any of them is.
    """
    direction = report.passages[0].direction if report.passages else context.direction
    kind = report.passages[0].kind if report.passages else "text"
    wanted = [
        Replacement(finding.span.start, finding.span.end, finding, rule.reversible)
        for finding in report.findings
        if finding.span.end > finding.span.start
        and (rule := policy.redacts(finding, direction, kind, context)) is not None
    ]
    wanted.sort(key=lambda one: (one.start, -one.end))
    merged: list[Replacement] = []
    for one in wanted:
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            surest = max(last.finding, one.finding, key=lambda finding: finding.score)
            merged[-1] = Replacement(
                last.start, max(last.end, one.end), surest, last.reversible and one.reversible
            )
        else:
            merged.append(one)
    return merged


def redacted(
    text: str, report: Report, policy: GuardPolicy, context: Context, pseudonyms: Pseudonyms
) -> Redacted:
    """The text with every replacement made."""
    pieces: list[str] = []
    counts: dict[str, int] = {}
    at = 0
    for one in replacements(report, policy, context):
        pieces += (text[at : one.start], replaced(text, one, pseudonyms))
        entity = one.finding.entity or "REDACTED"
        counts[entity] = counts.get(entity, 0) + 1
        at = one.end
    pieces.append(text[at:])
    return Redacted("".join(pieces), report, pseudonyms, counts)


def replaced(text: str, one: Replacement, pseudonyms: Pseudonyms) -> str:
    """What stands in a replacement's place: a pseudonym, or the bare entity where it may not come back."""
    entity = one.finding.entity or "REDACTED"
    if not one.reversible:
        return f"[{entity}]"
    return pseudonyms.token(entity, text[one.start : one.end], avoid=text)
