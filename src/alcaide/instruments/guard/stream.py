"""Checking text that arrives in pieces, without letting go of a character too early.

What is promised: a finding of at most `window` characters is found whole before any of its characters is released,
however the text is cut into pieces. The argument: characters are released only up to `window` before the end of what
has arrived, and never past the beginning of a finding that lies across that line. A finding of characters [s, e) with
e - s <= window is seen as soon as character e - 1 has arrived; until then at most e - 1 - window < s are out.

What it costs: the reader is `window` characters behind the model (`lag`), plus up to `stride`, since the text is
looked at again only every `stride` characters. Both are stated, neither is hidden.

A finding longer than the window may begin in what is already out; then what is left of it is still replaced. One that
keeps growing is held until it ends; if it grows past `HELD` characters the policy's answer to Unknown decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from alcaide.instruments.guard.model import Action, Context, Finding, Report, Span, Unknowable
from alcaide.instruments.guard.passages import whole
from alcaide.instruments.guard.policy import GuardPolicy
from alcaide.instruments.guard.redaction import Pseudonyms, Replacement, replaced, replacements
from alcaide.kernel.errors import Conflict, InvalidInput

STRIDE = 64
"""Characters between two looks: at 400 µs a look this keeps one core ahead of a thousand streams of a model's speed."""

HELD = 256 * 1024
"""The longest that one finding may grow while its end has not come, e.g. a private key that is being printed."""

WHOLE_TEXT = 4 * 1024 * 1024
"""Characters kept for the detectors that compare the answer as a whole when it is complete."""


class Checker(Protocol):
    """What a stream needs of a guard."""

    @property
    def policy(self) -> GuardPolicy: ...
    @property
    def comparing_detectors(self) -> Sequence[object]: ...
    def check_part(self, text: str, *, context: Context) -> Report: ...
    def check_whole(self, text: str, *, context: Context) -> Report: ...


class Stream:
    """One text on its way. Not for several threads at once.

    Feed it what arrives and pass on what it gives back; `close` gives the rest. Once `action` is hold or block it
    gives nothing more. `report` holds what has been settled so far, in offsets of the text as it arrived.
    """

    def __init__(self, guard: Checker, context: Context, pseudonyms: Pseudonyms, window: int) -> None:
        if not 16 <= window <= HELD:
            raise InvalidInput(f"`window` is {window}; give between 16 and {HELD} characters")
        self._guard = guard
        self._context = context
        self._pseudonyms = pseudonyms
        self.window = window
        self._tail = ""  # already out, kept as context for what follows
        self._held = ""  # not out yet
        self._out = 0  # characters that are out, so the offset of `_held`
        self._looked = 0  # characters of `_held` at the last look
        self._whole: list[str] | None = [] if guard.comparing_detectors else None
        self._whole_length = 0
        self._settled: dict[tuple[str, str, int, int], Finding] = {}
        self._unknown: dict[Unknowable, None] = {}
        self._scores: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._last: Report | None = None
        self._closed = False
        self.action = Action.ALLOW

    @property
    def lag(self) -> int:
        """How many characters a reader may be behind: the price of looking before letting go."""
        return self.window + STRIDE

    @property
    def stopped(self) -> bool:
        """Whether nothing more will be released."""
        return self.action.strictness >= Action.HOLD.strictness

    def feed(self, piece: str) -> str:
        """Take what arrived, give what may go out. Raises Conflict after `close`."""
        if self._closed:
            raise Conflict("this stream is closed; open a new one for a new text")
        if self.stopped or not piece:
            return ""
        piece = whole(piece)
        self._remember(piece)
        self._held += piece
        if len(self._held) - self._looked < STRIDE or len(self._held) <= self.window:
            return ""
        return self._look(final=False)

    def close(self) -> str:
        """The rest, and the end: detectors that need the whole text have their turn, then the report is complete."""
        if self._closed:
            return ""
        out = "" if self.stopped else self._look(final=True)
        self._closed = True
        self._compare()
        return "" if self.stopped else out

    @property
    def report(self) -> Report:
        """What has been settled so far. Findings that may still grow are not in it yet."""
        decision = self._guard.policy.decide(
            ((finding, self._context.direction, "text") for finding in self._settled.values()),
            self._unknown,
            self._context,
        )
        if self.action.strictness > decision.action.strictness:
            decision = replace(decision, action=self.action)
        return Report(
            decision=decision,
            findings=tuple(sorted(self._settled.values(), key=lambda one: (one.span.start, one.span.end))),
            scores=self._scores,
            unknown=tuple(self._unknown),
            seconds=self._seconds,
            passages=self._last.passages if self._last else (),
            policy=self._guard.policy.name,
            layers=self._last.layers if self._last else (),
        )

    # ── one look ──

    def _look(self, *, final: bool) -> str:
        text = self._tail + self._held
        self._looked = len(self._held)
        if not text:
            return ""
        report = self._guard.check_part(text, context=self._context)
        self._last = report
        self._note(report)
        wanted = replacements(report, self._guard.policy, self._context)
        cut = len(text) if final else self._cut(text, wanted)
        if report.action.strictness >= Action.HOLD.strictness:
            self.action = report.action
            self._settle(report, len(text))
            return ""
        self._settle(report, cut)
        if wanted and any(one.end <= cut for one in wanted):
            self.action = Action.REDACT
        return self._release(text, cut, wanted)

    def _cut(self, text: str, wanted: list[Replacement]) -> int:
        """Up to where the text may go out: a window before its end, and not into a finding."""
        cut = max(len(self._tail), len(text) - self.window)
        # What only has a span, without being replaced, may be cut through: nothing is done to it.
        for one in reversed(wanted):
            if one.start < cut and (one.end > cut or one.end == len(text)):
                cut = max(len(self._tail), one.start)
        if len(text) - cut > HELD:
            self._unknown[Unknowable("stream", f"a finding grew past {HELD} characters without an end")] = (
                None
            )
            if self._guard.policy.unknown.strictness >= Action.HOLD.strictness:
                self.action = self._guard.policy.unknown
            return len(text) - self.window
        return cut

    def _release(self, text: str, cut: int, wanted: list[Replacement]) -> str:
        if self.stopped:
            return ""
        pieces: list[str] = []
        at = len(self._tail)
        for one in wanted:
            if one.start >= cut or one.end <= at:
                continue
            start, end = max(one.start, at), min(one.end, cut)
            pieces += (text[at:start], replaced(text, replace(one, start=start, end=end), self._pseudonyms))
            at = end
        pieces.append(text[at:cut])
        self._out += cut - len(self._tail)
        self._held = text[cut:]
        self._looked = len(self._held)
        self._tail = text[max(0, cut - self.window) : cut]
        return "".join(pieces)

    def _settle(self, report: Report, cut: int) -> None:
        base = self._out - len(self._tail)
        for finding in report.findings:
            if finding.span.end > cut:
                continue
            span = Span(finding.span.start + base, finding.span.end + base)
            if span.start < self._out and self._known(finding, span):
                continue  # what is already out is read again without its beginning, and may look different
            self._settled.setdefault(
                (finding.detector, finding.rule, span.start, span.end), replace(finding, span=span)
            )

    def _known(self, finding: Finding, span: Span) -> bool:
        return any(
            one.detector == finding.detector and one.span.start < span.end and span.start < one.span.end
            for one in self._settled.values()
        )

    def _note(self, report: Report) -> None:
        for name, score in report.scores.items():
            self._scores[name] = max(self._scores.get(name, 0.0), score)
        for name, spent in report.seconds.items():
            self._seconds[name] = self._seconds.get(name, 0.0) + spent
        self._unknown.update(dict.fromkeys(report.unknown))

    # ── the whole ──

    def _remember(self, piece: str) -> None:
        if self._whole is None:
            return
        self._whole_length += len(piece)
        if self._whole_length > WHOLE_TEXT:
            reason = f"the text is longer than {WHOLE_TEXT} characters, so it was not compared as a whole"
            self._unknown[Unknowable("stream", reason)] = None
            self._whole = None
        else:
            self._whole.append(piece)

    def _compare(self) -> None:
        if self._whole is None:
            return
        report = self._guard.check_whole("".join(self._whole), context=self._context)
        self._note(report)
        for finding in report.findings:
            self._settled.setdefault(
                (finding.detector, finding.rule, finding.span.start, finding.span.end), finding
            )
        if report.action.strictness > self.action.strictness:
            self.action = report.action
