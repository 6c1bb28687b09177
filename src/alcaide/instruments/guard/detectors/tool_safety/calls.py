"""What a call carries: data where the tool needs none, hidden in an address, an encoded blob or a spare parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import re2

from alcaide.instruments.guard.detectors.tool_safety.finding import in_layer, in_passage
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Passage, ToolCall, ToolDescription

# RE2: on a text full of runs that are a little too short, backtracking would read each of them 200 times.
_BLOB: Final = re2.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>]{4,4000}")
_VALUE: Final = re.compile(r"[?&#;][^=&#;\s]{0,64}=([^&#;\s]*)")
CARRIED: Final = 48
"""Characters of one value in an address above which it is more than an identifier (SHA-256 in base64 has 44)."""
RUN: Final = 12
"""Words in a row that two texts share by more than chance: longer than most quotations of a title or a phrase."""
SPARE: Final = frozenset(
    ("context", "notes", "note", "sidenote", "metadata", "debug", "feedback", "comment", "comments", "extra", "info",
     "trace", "log", "reason", "reasoning", "thought", "history", "background", "telemetry", "tag", "tags", "label",
     "memo", "purpose", "intent")
)  # fmt: skip
"""Parameters that say nothing of what a tool does, and that poisoned descriptions ask for by such names."""


def examined(layer: Layer) -> Iterator[Finding]:
    """What one reading of a call's arguments shows by itself."""
    if layer.path:
        return
    text = layer.text
    for match in _ADDRESS.finditer(text):
        for value in _VALUE.finditer(match[0]):
            carried = value[1]
            if len(carried) >= CARRIED and (
                "%20" in carried
                or "+" in carried
                or "{" in carried
                or _BLOB.search(carried)
                or len(carried) >= 120
            ):
                start = match.start() + value.start(1)
                yield in_layer(
                    layer,
                    "data-in-address",
                    start,
                    start + len(carried),
                    0.7 if "%20" in carried or "+" in carried else 0.5,
                    "An address in this call carries a text in its query; whoever answers there can read it.",
                )
                break
    for match in _BLOB.finditer(text):
        if not _in_address(text, match.start()):
            yield in_layer(
                layer,
                "encoded-argument",
                match.start(),
                match.end(),
                0.4,
                "An argument of this call is a long encoded run; decode it before it leaves.",
            )


def _in_address(text: str, at: int) -> bool:
    begin = max(text.rfind(mark, max(0, at - 400), at) for mark in " \n\"'<>") + 1
    return "://" in text[begin:at]


def compared(passages: Sequence[Passage], context: Context) -> Iterator[Finding]:
    """What shows only beside the prompt, the conversation and the tools on offer."""
    offered = {tool.name: tool for tool in context.tools}
    prompt = _runs([context.system_prompt] if context.system_prompt else [])
    said = _runs(
        [one.text for one in passages if one.kind == "message" and one.role in ("user", "assistant")]
    )
    trusted = _runs([one.text for one in passages if one.trusted])
    for passage in passages:
        call = passage.tool
        if passage.kind != "tool-call" or not isinstance(call, ToolCall):
            continue
        if offered:
            yield from _beside(passage, call, offered)
        for start, end, path in _fields(passage):
            text = passage.text[start:end]
            if at := _shared(text, prompt | trusted):
                yield in_passage(
                    passage,
                    "prompt-in-argument",
                    start + at[0],
                    start + at[1],
                    0.9,
                    "An argument of this call repeats the system prompt.",
                )
            elif said and path.rsplit("/", 1)[-1].lower() in SPARE and (at := _shared(text, said)):
                yield in_passage(
                    passage,
                    "conversation-in-argument",
                    start + at[0],
                    start + at[1],
                    0.6,
                    f"The parameter `{path.rsplit('/', 1)[-1]}` of this call carries the conversation along.",
                )


def _beside(passage: Passage, call: ToolCall, offered: Mapping[str, ToolDescription]) -> Iterator[Finding]:
    tool = offered.get(call.name)
    if tool is None:
        yield in_passage(
            passage,
            "unknown-tool",
            0,
            len(passage.text),
            0.6,
            f"The tool `{call.name[:80]}` is not on offer.",
        )
        return
    properties = tool.schema.get("properties")
    if not isinstance(properties, Mapping) or tool.schema.get("additionalProperties") not in (None, False):
        return
    for start, end, path in _fields(passage):
        name = path.removeprefix(f"{passage.where}/").split("/")[0]
        if name and name not in properties and path != passage.where:
            yield in_passage(
                passage,
                "unknown-argument",
                start,
                end,
                0.5,
                f"The parameter `{name[:80]}` is not in the schema of `{call.name[:80]}`.",
            )


def _fields(passage: Passage) -> Iterator[tuple[int, int, str]]:
    """Where each field of a laid-out passage begins and ends, and its path."""
    parts = passage.parts or ((0, passage.where),)
    for number, (start, path) in enumerate(parts):
        end = parts[number + 1][0] - 1 if number + 1 < len(parts) else len(passage.text)
        yield start, end, path


_TOKEN: Final = re.compile(r"\w+")
_LOOKED_AT: Final = 20_000
"""Words of a text that are compared; a prompt longer than that repeats itself."""


def _runs(texts: Sequence[str | None]) -> frozenset[tuple[str, ...]]:
    """Every run of RUN words."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = [match[0].lower() for match in islice(_TOKEN.finditer(text or ""), _LOOKED_AT)]
        found.update(tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
    return frozenset(found)


def _shared(text: str, runs: frozenset[tuple[str, ...]]) -> tuple[int, int] | None:
    """The stretch of `text` from the first run it shares to the last; None if it shares none."""
    if not runs:
        return None
    found = islice(_TOKEN.finditer(text), _LOOKED_AT)
    places = [(match[0].lower(), match.start(), match.end()) for match in found]
    words: list[Any] = [word for word, _, _ in places]
    shared = [at for at in range(len(words) - RUN + 1) if tuple(words[at : at + RUN]) in runs]
    return (places[shared[0]][1], places[shared[-1] + RUN - 1][2]) if shared else None
