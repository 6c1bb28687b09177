"""One tool beside the others, and beside what was let through.

Tools of several servers stand in one list before the model, and nothing keeps a server from offering a tool with
another's name, nearly that name, or a description that speaks of another's tool. And a tool that was harmless when
it was let through may say something else today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alcaide.instruments.guard.detectors.tool_safety.finding import in_passage
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Passage, ToolDescription
from alcaide.instruments.guard.normalise.folding import folded

_SHORTEST: Final = 5
"""Letters of a name below which one letter more or less makes another word."""
_DIRECTING: Final = re.compile(
    r"\b(?:instead|before|after|whenever|when|always|never|must|should|do not|don't|first|"
    r"replace[sd]?|deprecated|broken|call|use|using|"
    r"calling|prefer|avoid|change|recipient|parameter|argument|ignore|also|then)\b"
)
_SHOWN: Final = 200
"""Characters of a change that are shown."""


def compared(passages: Sequence[Passage], context: Context) -> Iterator[Finding]:
    """Shadowing among the tools given and on offer, and drift from those let through."""
    given = [(one, one.tool) for one in passages if isinstance(one.tool, ToolDescription)]
    offered = [tool for _, tool in given] + list(context.tools)
    for passage, tool in given:
        yield from _shadows(passage, tool, offered)
        if context.pinned:
            yield from _drift(passage, tool, context.pinned)


# ── Shadowing ────────────────────────────────────────────────────────────────────────────────────────────────────


def _shadows(
    passage: Passage, tool: ToolDescription, offered: Sequence[ToolDescription]
) -> Iterator[Finding]:
    seen: set[tuple[str | None, str]] = set()
    for other in offered:
        if (
            other is tool
            or (other.server, other.name) in seen
            or (other.server == tool.server and other.name == tool.name)
        ):
            continue
        seen.add((other.server, other.name))
        whose = f"`{other.name[:80]}`" + (f" of `{other.server[:80]}`" if other.server else "")
        if other.server != tool.server and other.name == tool.name:
            yield in_passage(
                passage,
                "same-name",
                0,
                len(passage.text),
                0.7,
                f"This tool has the name of {whose}; one hides the other.",
            )
        elif (score := _alike(tool.name, other.name, same_server=other.server == tool.server)) > 0:
            yield in_passage(
                passage,
                "look-alike-name",
                0,
                len(passage.text),
                score,
                f"The name `{tool.name[:80]}` looks like that of {whose}.",
            )
        if other.server != tool.server or tool.server is None:
            yield from _names(passage, tool, other, whose)


def plain_name(name: str) -> str:
    """A name as it looks: look-alike letters folded, case and what joins words left out."""
    layer = folded(Layer(Passage(name[:256]), name[:256]))
    seen = (layer.text if layer is not None else name[:256]).lower()
    return re.sub(r"[\s_.\-]+", "", seen)


_SAME_SHAPE: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e", "4": "a"})


def _alike(one: str, other: str, *, same_server: bool) -> float:
    """How likely it is that a name is meant to be taken for another; 0 for names that are just similar."""
    if one == other:
        return 0.0
    first, second = plain_name(one), plain_name(other)
    if first == second:
        # Only look-alike letters, or only case and joints, set them apart.
        return 0.9 if not (one.isascii() and other.isascii()) else 0.0 if same_server else 0.6
    if same_server or min(len(first), len(second)) < _SHORTEST:
        return 0.0
    if first.translate(_SAME_SHAPE) == second.translate(_SAME_SHAPE):
        return 0.85
    return 0.55 if one_edit_apart(first, second) and first.rstrip("s") != second.rstrip("s") else 0.0


def one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter changed, added, left out, or two neighbours swapped turn one into the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    left, right = one[start:], other[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[1:] == shorter


def _names(passage: Passage, tool: ToolDescription, other: ToolDescription, whose: str) -> Iterator[Finding]:
    """A description that speaks of another server's tool by name."""
    if len(other.name) < _SHORTEST or other.name == tool.name:
        return
    lower, name = passage.text.lower(), other.name.lower()
    at = lower.find(name)
    while at >= 0:
        end = at + len(name)
        whole = not (at and (lower[at - 1].isalnum() or lower[at - 1] == "_")) and not (
            end < len(lower) and (lower[end].isalnum() or lower[end] == "_")
        )
        # A name of one ordinary word (`search`, `weather`) is no sign that the tool is meant.
        if whole and not name.isalpha():
            directing = _DIRECTING.search(lower[max(0, at - 80) : end + 80])
            yield in_passage(
                passage,
                "names-another-tool",
                at,
                end,
                0.75 if directing and tool.server != other.server else 0.35,
                f"The description speaks of {whose}, which is not its own.",
            )
            return
        at = lower.find(name, end)


# ── Drift ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _drift(
    passage: Passage, tool: ToolDescription, pinned: Mapping[str, ToolDescription]
) -> Iterator[Finding]:
    known = pinned.get(f"{tool.server}/{tool.name}") or pinned.get(tool.name)
    if known is None:
        yield in_passage(
            passage,
            "not-let-through",
            0,
            len(passage.text),
            0.9,
            f"The tool `{tool.name[:80]}` has not been let through.",
        )
        return
    changes = changed(known, tool)
    if not changes:
        return
    start, end = _first_difference(known.description, tool.description)
    if start == end:
        start, end = 0, len(passage.text)
    yield in_passage(
        passage,
        "changed",
        start,
        end,
        1.0,
        f"The tool `{tool.name[:80]}` is not what was let through: {'; '.join(changes[:5])}"
        + (f"; and {len(changes) - 5} more." if len(changes) > 5 else "."),
        {"changes": changes[:50]},
    )


def changed(before: ToolDescription, now: ToolDescription) -> list[str]:
    """Every difference between two descriptions of a tool, each in words; empty if there is none."""
    told = []
    if before.description != now.description:
        start, end = _first_difference(before.description, now.description)
        old_start, old_end = _first_difference(now.description, before.description)
        told.append(
            f"the description says {_quote(now.description[start:end])} where it said "
            f"{_quote(before.description[old_start:old_end])}"
        )
    told.extend(_schema_changes(before.schema, now.schema, "schema"))
    return told


def _first_difference(before: str, now: str) -> tuple[int, int]:
    """The stretch of `now` that is not in `before`: what lies between their common beginning and common end."""
    start = 0
    while start < min(len(before), len(now)) and before[start] == now[start]:
        start += 1
    tail = 0
    while tail < min(len(before), len(now)) - start and before[-1 - tail] == now[-1 - tail]:
        tail += 1
    return start, len(now) - tail


def _schema_changes(before: Any, now: Any, path: str, depth: int = 0) -> list[str]:
    if before == now:
        return []
    if depth < 32 and isinstance(before, Mapping) and isinstance(now, Mapping):
        told = []
        for key in sorted(set(before) | set(now), key=str):
            where = f"{path}/{key}"
            if key not in before:
                told.append(f"`{where}` was added: {_quote(now[key])}")
            elif key not in now:
                told.append(f"`{where}` was taken away")
            else:
                told.extend(_schema_changes(before[key], now[key], where, depth + 1))
        return told
    return [f"`{path}` is {_quote(now)} and was {_quote(before)}"]


def _quote(value: Any) -> str:
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    )
    return f"`{text[:_SHOWN]}…`" if len(text) > _SHOWN else f"`{text}`" if text else "nothing"
