"""From what a caller hands over to the passages that detectors look at.

A tool's arguments, results and schemas are JSON; the texts in them are laid out one after another in one passage, a
line each, because an attack may be cut in two over neighbouring fields and because a table of a thousand cells must
not cost a thousand checks. `parts` keeps which characters are which field, so that a finding is said in offsets of
the field it is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alcaide.instruments.guard.model import (
    Context,
    Direction,
    Finding,
    Message,
    Passage,
    Span,
    ToolCall,
    ToolDescription,
    ToolResult,
    Unknowable,
)
from alcaide.kernel.errors import InvalidInput

Given = str | ToolCall | ToolResult | ToolDescription | Sequence[Message | Mapping[str, Any]]

DEPTH = 64
FIELDS = 20_000
"""A JSON value deeper or wider than this is not looked through whole, and the report says so."""

_ROLES: Mapping[str, Direction] = {
    "system": "in",
    "developer": "in",
    "user": "in",
    "assistant": "out",
    "tool": "tool",
    "function": "tool",
}
_TRUSTED = frozenset({"system", "developer"})


def passages_of(given: Given, context: Context) -> tuple[tuple[Passage, ...], tuple[Unknowable, ...]]:
    """Every passage of what was given, and what of it could not be looked at.

    Raises InvalidInput for a value of a shape that is not known, naming it.
    """
    match given:
        case str():
            return (Passage(whole(given), direction=context.direction),), ()
        case ToolCall():
            return _fields(given.arguments, Passage("", "arguments", "tool-call", None, "out", False, given))
        case ToolResult():
            if isinstance(given.content, str):
                return (
                    Passage(whole(given.content), "content", "tool-result", "tool", "tool", False, given),
                ), ()
            return _fields(given.content, Passage("", "content", "tool-result", "tool", "tool", False, given))
        case ToolDescription():
            described = {"description": given.description, "schema": dict(given.schema)}
            return _fields(described, Passage("", "", "tool-description", "tool", "tool", False, given))
        case list() | tuple():
            found: list[Passage] = []
            missed: list[Unknowable] = []
            for number, turn in enumerate(given):
                if not isinstance(turn, Message | Mapping):
                    raise InvalidInput(
                        f"`messages/{number}` is not a message; each needs `role` and `content`"
                    )
                passages, unknown = _turn(turn, f"messages/{number}")
                found.extend(passages)
                missed.extend(unknown)
            return tuple(found), tuple(missed)
    raise InvalidInput(
        f"the guard cannot check a `{type(given).__name__}`; give text, a list of messages, a tool call, a tool "
        "result or a tool description"
    )


def _turn(
    turn: Message | Mapping[str, Any], where: str
) -> tuple[tuple[Passage, ...], tuple[Unknowable, ...]]:
    if isinstance(turn, Message):
        return (_message(turn.content, turn.role, f"{where}/content"),), ()
    if not isinstance(turn.get("role"), str):
        raise InvalidInput(f"`{where}` is not a message; each needs `role` and `content`")
    role, content = turn["role"], turn.get("content")
    found: list[Passage] = []
    missed: list[Unknowable] = []
    if isinstance(content, str):
        found.append(_message(content, role, f"{where}/content"))
    elif isinstance(content, list):
        # Parts as in the chat APIs: those with text are looked at, others are named as not looked at.
        for number, part in enumerate(content):
            if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                found.append(_message(part["text"], role, f"{where}/content/{number}/text"))
            else:
                kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
                missed.append(
                    Unknowable("content", f"`{where}/content/{number}` is of type `{kind}`, not text")
                )
    elif content is not None:
        raise InvalidInput(f"`{where}/content` is neither text nor a list of parts; give one of them")
    for number, call in enumerate(turn.get("tool_calls") or ()):
        passages, unknown = _call(call, f"{where}/tool_calls/{number}")
        found.extend(passages)
        missed.extend(unknown)
    return tuple(found), tuple(missed)


def _call(call: Any, where: str) -> tuple[tuple[Passage, ...], tuple[Unknowable, ...]]:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidInput(f"`{where}` is not a tool call; it needs `function.name` and `function.arguments`")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        # Not decoded here: a model's arguments need not be JSON, and as text they are looked at just as well.
        tool = ToolCall(function["name"], {"arguments": arguments})
        return (
            Passage(whole(arguments), f"{where}/function/arguments", "tool-call", None, "out", False, tool),
        ), ()
    tool = ToolCall(function["name"], arguments)
    return _fields(
        arguments, Passage("", f"{where}/function/arguments", "tool-call", None, "out", False, tool)
    )


def _message(content: str, role: str, where: str) -> Passage:
    # A role that is not known is treated as the least trusted one.
    return Passage(whole(content), where, "message", role, _ROLES.get(role, "tool"), role in _TRUSTED)


def _fields(value: Any, like: Passage) -> tuple[tuple[Passage, ...], tuple[Unknowable, ...]]:
    texts: list[str] = []
    parts: list[tuple[int, str]] = []
    missed: tuple[Unknowable, ...] = ()
    at = 0
    for path, text in _leaves(value, like.where):
        if len(parts) >= FIELDS:
            missed = (
                Unknowable(
                    "content", f"`{like.where}` has more than {FIELDS} texts; the rest was not looked at"
                ),
            )
            break
        parts.append((at, path))
        texts.append(whole(text))
        at += len(text) + 1
    else:
        if _deeper(value, DEPTH):
            missed = (
                Unknowable(
                    "content", f"`{like.where}` is nested deeper than {DEPTH}; not looked at below that"
                ),
            )
    return (replace(like, text="\n".join(texts), parts=tuple(parts)),), missed


def _leaves(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif depth >= DEPTH:
        return
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            step = f"{path}/{_escaped(str(key))}" if path else _escaped(str(key))
            yield from _leaves(inner, step, depth + 1)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{number}", depth + 1)


def _deeper(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if left <= 0:
        return bool(inner)
    return any(_deeper(one, left - 1) for one in inner if isinstance(one, Mapping | list | tuple))


def _escaped(key: str) -> str:
    # RFC 6901 §3: `~` and `/` inside a key.
    return key.replace("~", "~0").replace("/", "~1")


def whole(text: str) -> str:
    """The text with lone surrogates replaced, which no encoding can carry; every offset stays what it was."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def in_their_parts(found: Iterable[tuple[Finding, Passage]]) -> tuple[Finding, ...]:
    """Findings of laid-out passages, said in offsets of the field each begins in and cut off at that field's end."""
    told: list[Finding] = []
    of: Passage | None = None
    starts: list[int] = []
    for finding, passage in found:
        if not passage.parts:
            told.append(finding if finding.where == passage.where else replace(finding, where=passage.where))
            continue
        if passage is not of:
            of, starts = passage, [start for start, _ in passage.parts]
        number = max(0, bisect_right(starts, finding.span.start) - 1)
        start, where = passage.parts[number]
        stop = (starts[number + 1] - 1 if number + 1 < len(starts) else len(passage.text)) - start
        span = Span(min(finding.span.start - start, stop), min(finding.span.end - start, stop))
        told.append(replace(finding, where=where, span=span))
    return tuple(told)
