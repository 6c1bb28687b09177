"""The guard under fuzz: texts, messages, streams, policies, rows and tables of pseudonyms, as strangers send them.

A detector that raises does not reach the caller, it becomes Unknown: that is right in a running guard and would hide
every fault from fuzzing, so it is a fault here.
"""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

from alcaide.instruments.guard.evaluate import Row, parsed
from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.model import Action, Context, Direction, Report, ToolCall
from alcaide.instruments.guard.passages import whole
from alcaide.instruments.guard.policy import SCHEMA, GuardPolicy, Limits, Rule, Use, parse_policy
from alcaide.instruments.guard.redaction import Pseudonyms
from alcaide.instruments.guard.showing import report_json, sarif
from alcaide.kernel.errors import InvalidInput

_BY_PATTERN: dict[str, dict[str, Any]] = {
    "hidden-text": {},
    "secrets": {},
    "classification": {},
    "active-content": {},
    "text-shape": {},
    "tool-safety": {},
    "personal-data": {"names": False},
    "code-risk": {},
}
_DIRECTIONS: tuple[Direction, ...] = ("in", "out", "tool")


@cache
def by_pattern() -> Guard:
    """Every detector that looks without a learned model: hundreds of texts a second, so fuzzing gets far."""
    uses = {name: Use(options=options) for name, options in _BY_PATTERN.items()}
    rules = tuple(
        Rule(f"replace-{name}", Action.REDACT, detector=(name,)) for name in ("secrets", "personal-data")
    )
    return Guard(GuardPolicy(SCHEMA, "by pattern", uses, rules, limits=Limits(seconds=1e6)))


@cache
def default() -> Guard:
    """The default policy, learned models and all."""
    return Guard()


def read_text(guard: Guard, data: bytes) -> None:
    """The bytes as a text, as messages or as a tool's arguments if they are JSON, in every direction.

    Refuses only JSON lists that are not messages.
    """
    text = data.decode("utf-8", "surrogateescape")
    direction = _DIRECTIONS[len(data) % 3]
    context = Context(direction=direction, system_prompt="You plan berths.", sources=("Berth 12 is free.",))
    value = _json(text)
    if isinstance(value, list):
        _sound(guard.check(value, context=context))
        return
    if isinstance(value, dict):
        _sound(guard.check(ToolCall("lookup", value), context=context))
        return
    report = guard.check(text, context=context)
    _sound(report)
    assert report.passages[0].text == whole(text), "offsets are those of the text as it was given"
    names = Pseudonyms()
    hidden = guard.redact(text, context=context, pseudonyms=names)
    guard.restore(hidden.text, names).encode()


def _json(text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _sound(report: Report, length: int | None = None) -> None:
    """What every report promises. A stream's passages are of its last look, its offsets of all that arrived."""
    for one in report.unknown:
        assert not one.reason.startswith("failed with"), f"{one.detector} {one.reason}"
    for finding in report.findings:
        longest = max(
            (len(passage.text) for passage in report.passages if finding.where.startswith(passage.where)),
            default=0,
        )
        end = longest if length is None else length
        assert 0 <= finding.span.start <= finding.span.end <= end, f"{finding.rule} is out of the text"
        assert 0.0 <= finding.score <= 1.0, f"{finding.rule} is no probability"
    for name, score in report.scores.items():
        assert 0.0 <= score <= 1.0, f"the score of {name} is no probability"
    json.dumps(report_json(report), allow_nan=False).encode()
    json.dumps(sarif({"fuzz": report}, version="0", versions={}), allow_nan=False).encode()


def read_stream(data: bytes) -> None:
    """A text in pieces; its first two bytes are the window and the length of the pieces.

    What has nothing to replace in it arrives as it was sent, whatever the pieces.
    """
    window, step = (data + b"\0\0")[:2]
    text = data[2:].decode("utf-8", "surrogateescape")
    stream = by_pattern().stream(window=window)
    out = ""
    for at in range(0, len(text), step + 1):
        out += stream.feed(text[at : at + step + 1])
        assert len(out) <= at + step + 1 or len(stream.report.findings), "nothing comes out before it went in"
    out += stream.close()
    _sound(stream.report, len(text))
    whole_report = by_pattern().check(text, context=Context(direction="out"))
    if not whole_report.findings and not stream.report.findings:
        assert out == whole(text), "what is harmless comes out as it went in"


def read_guard_policy(data: bytes) -> None:
    """A policy as somebody wrote it, and a guard made of it."""
    policy = parse_policy(data, name="fuzz.yaml")
    guard = Guard(policy)
    report = guard.check("Write to odalys@example.org.")
    assert report.policy == policy.name


def read_rows(data: bytes) -> None:
    """Labelled rows."""
    for row in parsed(io.BytesIO(data), name="fuzz.jsonl"):
        assert isinstance(row, Row)
        row.text.encode()
        assert all(0 <= start <= end <= len(row.text) for start, end, _ in row.spans)


def read_pseudonyms(data: bytes) -> None:
    """A table of pseudonyms that somebody kept, or changed."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput("this is not JSON; give what `to_json` wrote") from None
    names = Pseudonyms.from_json(document)
    kept = names.to_json()
    assert Pseudonyms.from_json(kept).to_json() == kept, "a table survives being written"
    for token, value in kept["tokens"].items():
        assert names.restore(token) == value, "a pseudonym stands for its value"
    assert names.token("EMAIL_ADDRESS", "\0new") not in kept["tokens"], "nobody gets another's pseudonym"
