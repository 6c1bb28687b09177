"""What the guard is given and what it says: plain frozen values, no behaviour that could fail.

A caller hands over text, chat messages, a tool call, a tool's result or a tool's description. Each becomes one or
more *passages*, a passage becomes one or more *layers* (as written, unescaped, decoded…), detectors look at layers,
and what they find is said in offsets of the passage as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Direction = Literal["in", "out", "tool"]
"""Where a passage comes from: a person's prompt (`in`), the model's answer (`out`), or a tool (`tool`)."""

Level = Literal["note", "warning", "error"]
"""How much a finding matters, in SARIF's words (SARIF 2.1.0 §3.27.10)."""

Kind = Literal["text", "message", "tool-call", "tool-result", "tool-description"]


class Action(StrEnum):
    """What to do with what was checked, mildest first. Comparison is by strictness, never by spelling."""

    ALLOW = "allow"
    REDACT = "redact"
    HOLD = "hold"
    BLOCK = "block"

    @property
    def strictness(self) -> int:
        """0 for allow … 3 for block."""
        return _STRICTNESS[self]


_STRICTNESS = {Action.ALLOW: 0, Action.REDACT: 1, Action.HOLD: 2, Action.BLOCK: 3}


def strictest(actions: list[Action] | tuple[Action, ...]) -> Action:
    """The strictest of some actions; of none, allow."""
    return max(actions, key=lambda action: action.strictness, default=Action.ALLOW)


# ── What is given ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat. `role` is `system`, `developer`, `user`, `assistant` or `tool`."""

    role: str
    content: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants to make: the tool's name and its arguments as decoded JSON."""

    name: str
    arguments: Mapping[str, Any]
    server: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back, as text or decoded JSON."""

    name: str
    content: Any
    server: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """What a tool says about itself: a model reads it as it reads a prompt, so it is checked like one."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the exchange beside the text itself. Everything is optional; what is absent is unknown.

    `data_class` and `audience` are the organisation's own words and select rules of the policy. `system_prompt`,
    `sources`, `question` and `samples` are what leak and groundedness detectors compare with. `tools` are the other
    tools on offer (to see one shadow another) and `pinned` the descriptions that were let through, by
    `server/name`. `conversation` keys pseudonyms, so that a person stays the same person within one conversation.
    """

    direction: Direction = "in"
    data_class: str | None = None
    audience: str | None = None
    system_prompt: str | None = None
    sources: tuple[str, ...] = ()
    question: str | None = None
    samples: tuple[str, ...] = ()
    tools: tuple[ToolDescription, ...] = ()
    pinned: Mapping[str, ToolDescription] = field(default_factory=dict)
    conversation: str | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One piece of text to look at, and what it is part of.

    `where` is a JSON-Pointer-like path into what was given (`messages/2/content`, `arguments/url`, empty for plain
    text). `trusted` is true only of system and developer messages: instructions belong there. `parts` is set where
    several fields of a JSON value were laid out in one text: where each begins, and its path.
    """

    text: str
    where: str = ""
    kind: Kind = "text"
    role: str | None = None
    direction: Direction = "in"
    trusted: bool = False
    tool: ToolCall | ToolResult | ToolDescription | None = None
    parts: tuple[tuple[int, str], ...] = ()


# ── What is said ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of the passage as given, counted in code points from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where, how sure the detector is, and why.

    Attributes:
        detector: name of the detector, e.g. `secrets`.
        rule: stable identifier within it, e.g. `secrets/aws-access-key-id`.
        category: what the policy and people speak of: `prompt-injection`, `jailbreak`, `secret`, `EMAIL_ADDRESS`…
        span: in the passage as given. For a decoded layer, the encoded run as a whole.
        score: probability in [0, 1] that this is what it says, calibrated on development data.
        level: how much it matters if true.
        message: one sentence for a person; never repeats a secret or personal data.
        where: the passage's path.
        layers: how the detector came to see it, outermost first: () as written, ("base64", "html")…
        layer_span: the same place within that layer, for showing.
        taxonomy: edition-pinned identifiers, e.g. `owasp-llm:2025/LLM01`.
        entity: set where the span can be replaced: the type a pseudonym is made of.
        evidence: further facts, JSON values only (contributing words, checksum that held…).
    """

    detector: str
    rule: str
    category: str
    span: Span
    score: float
    level: Level
    message: str
    where: str = ""
    layers: tuple[str, ...] = ()
    layer_span: Span | None = None
    taxonomy: tuple[str, ...] = ()
    entity: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknowable:
    """A detector that could not answer: it failed, ran out of time, or lacks what it needs. Never a pass."""

    detector: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of a report, and the rules that made it so."""

    action: Action
    rules: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one check found.

    `scores` holds, for every detector that ran, its highest score in [0, 1], also where nothing was reported.
    `seconds` holds wall time per detector and for `normalise`, `patterns` and `total`.
    """

    decision: Decision
    findings: tuple[Finding, ...]
    scores: Mapping[str, float]
    unknown: tuple[Unknowable, ...]
    seconds: Mapping[str, float]
    passages: tuple[Passage, ...]
    policy: str
    layers: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        """The policy's answer."""
        return self.decision.action
