"""Conversations and preferences: which columns hold turns, what they say as text, and whether they are in form.

Known shapes: a list of turns with a role and a content (`messages`, `conversations` with `from` and `value`), pairs
(`prompt` and `response`, `instruction` and `output`), and preferences (`chosen` and `rejected`).
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alcaide.instruments.scan.data.engine import literal, quoted
from alcaide.instruments.scan.data.sources.table import ROW, Field, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alcaide.instruments.scan.data.report import ColumnProfile

_ROLES = (
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
    "human",
    "gpt",
    "bot",
    "model",
    "observation",
    "function_call",
    "chatgpt",
    "ipython",
)
_PAIRS = (
    ("prompt", "response"),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("input", "output"),
)


@dataclass(slots=True)
class Turns:
    """A column that holds a list of turns."""

    field: Field
    role: str
    content: str

    @property
    def text(self) -> str:
        """What was said, turn after turn, in SQL."""
        return (
            f"array_to_string(list_transform({self.field.sql}, "
            f"lambda t: coalesce(t.{quoted(self.content)}::VARCHAR, '')), chr(10))"
        )


@dataclass(slots=True)
class Conversations:
    """What of a table is conversation."""

    turns: list[Turns] = field(default_factory=list)
    prompt: Field | None = None
    response: Field | None = None
    chosen: Field | None = None
    rejected: Field | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.turns or self.chosen or self.response)

    def texts(self) -> dict[str, str]:
        """By column, the SQL of its text."""
        return {turn.field.name: turn.text for turn in self.turns}


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that is not in form."""

    what: str
    count: int
    rows: tuple[int, ...]


def conversations_of(table: Table, columns: Sequence[ColumnProfile]) -> Conversations:
    """Recognise them; a column that holds turns gets the role `conversation`."""
    found = Conversations()
    for column, source in zip(columns, table.columns, strict=True):
        turns = _turns(source)
        if turns is not None:
            found.turns.append(turns)
            column.role = "conversation"
    for prompt, response in _PAIRS:
        one, other = table.column(prompt), table.column(response)
        if one is not None and other is not None and one.is_text and other.is_text:
            found.prompt, found.response = one, other
            break
    found.chosen, found.rejected = table.column("chosen"), table.column("rejected")
    if found.chosen is None or found.rejected is None:
        found.chosen = found.rejected = None
    return found


def _turns(source: Field) -> Turns | None:
    if not (source.type.startswith("STRUCT(") and source.type.endswith(")[]")):
        return None
    names = {name.lower(): name for name in re.findall(r'(?:\(|, )"?([A-Za-z_]\w*)"? [A-Z]', source.type)}
    for role, content in (("role", "content"), ("from", "value"), ("role", "text"), ("speaker", "text")):
        if role in names and content in names:
            return Turns(source, names[role], names[content])
    return None


def oddities(table: Table, found: Conversations) -> list[Oddity]:
    """What is not in form, with row numbers."""
    conditions: list[tuple[str, str]] = []
    for turns in found.turns:
        name, role, content = turns.field.sql, quoted(turns.role), quoted(turns.content)
        known = ", ".join(literal(one) for one in _ROLES)
        conditions += [
            (f"have no turn in `{turns.field.name}`", f"{name} IS NULL OR len({name}) = 0"),
            (
                f"have an empty turn in `{turns.field.name}`",
                f"len(list_filter({name}, lambda t: trim(coalesce(t.{content}::VARCHAR, '')) = '')) > 0",
            ),
            (
                f"have a turn of an unknown role in `{turns.field.name}`",
                f"len(list_filter({name}, lambda t: lower(coalesce(t.{role}::VARCHAR, '')) NOT IN ({known}))) > 0",
            ),
            (
                f"have a system turn after the first in `{turns.field.name}`",
                f"len(list_filter({name}[2:], lambda t: lower(t.{role}::VARCHAR) IN ('system', 'developer'))) > 0",
            ),
        ]
    if found.response is not None:
        conditions.append(
            (f"have an empty `{found.response.name}`", f"trim(coalesce({found.response.sql}, '')) = ''")
        )
    if found.chosen is not None and found.rejected is not None:
        one, other = f"{found.chosen.sql}::VARCHAR", f"{found.rejected.sql}::VARCHAR"
        conditions.append(("have a chosen answer equal to the rejected one", f"{one} = {other}"))
        conditions.append(("have no chosen or no rejected answer", f"{one} IS NULL OR {other} IS NULL"))
    result = []
    for what, condition in conditions:
        (count,) = table.engine.row(f"SELECT count(*) FROM {table.relation} WHERE {condition}")
        if count:
            rows = table.engine.rows(
                f"SELECT {quoted(ROW)} FROM {table.relation} WHERE {condition} ORDER BY 1 LIMIT 1000"
            )
            result.append(Oddity(what, int(count), tuple(int(row) for (row,) in rows)))
    return result
