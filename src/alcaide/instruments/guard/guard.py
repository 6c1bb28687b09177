"""The guard: give it what is about to be read or said, and it answers what to do and why.

    1. What was given becomes passages (`passages.py`).
    2. Each passage becomes layers: as written, unescaped, decoded… (`normalise`).
    3. One pass over each layer finds every detector's patterns (`engine.py`).
    4. Each detector looks at each layer with its own hits.
    5. Detectors that compare (with sources, with other tools) look at everything at once.
    6. The policy decides.

A guard is made once and used from any number of threads: nothing in it changes after it is made. A detector that
fails, is not installed or does not get its turn in time is Unknown in the report, and the policy says what that does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from alcaide.instruments.guard.detector import Detector, Examination, ExchangeDetector, NeedsContext
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import (
    Context,
    Decision,
    Finding,
    Passage,
    Report,
    Unknowable,
)
from alcaide.instruments.guard.normalise import readings
from alcaide.instruments.guard.passages import Given, in_their_parts, passages_of, whole
from alcaide.instruments.guard.policy import GuardPolicy, find_policy
from alcaide.instruments.guard.redaction import Pseudonyms, Redacted, redacted
from alcaide.instruments.guard.registry import BUILT_IN, GuardDetector, load_detectors
from alcaide.kernel.errors import AlcaideError

if TYPE_CHECKING:
    from alcaide.instruments.guard.stream import Stream

_log = logging.getLogger("alcaide.guard")

NO_CONTEXT = Context()

_Key = tuple[str, str, int, int]
"""What tells findings apart: detector, rule, and where they begin and end."""


class Guard:
    """Checks text, messages, tool calls, tool results and tool descriptions against one policy.

    `policy` is a GuardPolicy, the name of a shipped one or the path of a file. `detectors` is the list to draw from,
    the built-in ones if absent. Raises InvalidInput for a policy that is wrong or an option that a detector does not
    take, ConfigError for a detector that cannot be loaded.
    """

    def __init__(
        self,
        policy: GuardPolicy | str = "default",
        *,
        detectors: Sequence[GuardDetector] = BUILT_IN,
    ) -> None:
        self.policy: GuardPolicy = find_policy(policy) if isinstance(policy, str) else policy
        known = {detector.name: detector for detector in load_detectors(detectors)}
        self._missing = tuple(
            Unknowable(
                name, "no such detector is installed; correct its name or add it to the list of plug-ins"
            )
            for name in self.policy.detectors
            if name not in known
        )
        # In the order of the list, cheapest first: what runs out of time is what costs most.
        used = [
            detector.configured(self.policy.detectors[name].options)
            for name, detector in known.items()
            if name in self.policy.detectors
        ]
        self._detectors = tuple(detector for detector in used if isinstance(detector, Detector))
        self._comparing = tuple(detector for detector in used if isinstance(detector, ExchangeDetector))
        self.needing = tuple(detector for detector in used if isinstance(detector, NeedsContext))
        self._engine = PatternEngine({detector.name: detector.patterns for detector in self._detectors})
        self._looking: dict[tuple[str, str], tuple[tuple[Detector, str, bool], ...]] = {}
        self._named: dict[tuple[str, str, bool], frozenset[str]] = {}

    @property
    def detectors(self) -> Mapping[str, str]:
        """Name and version of every detector that this guard runs."""
        versions = {detector.name: detector.version for detector in self._detectors}
        return versions | {detector.name: detector.version for detector in self._comparing}

    def detector(self, name: str) -> Detector | ExchangeDetector | None:
        """One of the detectors it runs, with the policy's options applied; None if it does not run it."""
        both: tuple[Detector | ExchangeDetector, ...] = (*self._detectors, *self._comparing)
        return next((one for one in both if one.name == name), None)

    def check(self, given: Given, *, context: Context = NO_CONTEXT) -> Report:
        """Look at all of it and say what was found and what to do.

        Raises InvalidInput only for a value of a shape that the guard does not know; whatever the text is, there is
        a report. Scores and spans depend on nothing but what was given, the context and the policy.
        """
        return self._check(given, context, parts=True, comparing=True)

    def _check(self, given: Given, context: Context, *, parts: bool, comparing: bool) -> Report:
        check = _Check(self, context, perf_counter())
        passages, missed = passages_of(given, context)
        check.unknown.extend((*self._missing, *missed))
        if parts:
            for passage in passages:
                check.look_at(passage)
        if comparing:
            check.compare(passages)
        return check.report(passages)

    def redact(
        self, given: str, *, context: Context = NO_CONTEXT, pseudonyms: Pseudonyms | None = None
    ) -> Redacted:
        """The text with what the policy redacts replaced by pseudonyms, and the report it stands on.

        The same value gets the same pseudonym as long as the same `pseudonyms` are handed in, and `restore` brings
        it back. Where the report's action is stricter than redact, the text is redacted all the same; whether it may
        go on is the caller's to ask of the report.
        """
        report = self.check(given, context=context)
        # An empty table is a table: a new one is made only where none was given.
        table = Pseudonyms() if pseudonyms is None else pseudonyms
        # Whole, as it was looked at and as a stream gives it: half a character can be sent nowhere.
        return redacted(whole(given), report, self.policy, context, table)

    def restore(self, text: str, pseudonyms: Pseudonyms) -> str:
        """The text with every pseudonym of this conversation replaced by what it stands for."""
        return pseudonyms.restore(text)

    def stream(
        self, *, context: Context | None = None, pseudonyms: Pseudonyms | None = None, window: int = 512
    ) -> Stream:
        """Check text that arrives in pieces; see `stream.Stream` for what is released when."""
        from alcaide.instruments.guard.stream import Stream

        table = Pseudonyms() if pseudonyms is None else pseudonyms
        return Stream(self, context or Context(direction="out"), table, window)

    # ── for the stream and the check alone ──

    def check_part(self, text: str, *, context: Context) -> Report:
        """`check` of a piece of a longer text: what compares the text as a whole is left out."""
        return self._check(text, context, parts=True, comparing=False)

    def check_whole(self, text: str, *, context: Context) -> Report:
        """What `check_part` left out."""
        return self._check(text, context, parts=False, comparing=True)

    @property
    def text_detectors(self) -> tuple[Detector, ...]:
        """The detectors that look at one layer at a time."""
        return self._detectors

    def looking(self, passage: Passage) -> tuple[tuple[Detector, str, bool], ...]:
        """The detectors that the policy sends to passages like this one: each with its name, and if it reads guesses.

        Worked out once for each direction and kind; two threads that do so at once come to the same.
        """
        key = (passage.direction, passage.kind)
        known = self._looking.get(key)
        if known is None:
            known = self._looking[key] = tuple(
                (detector, detector.name, bool(getattr(detector, "reads_guesses", True)))
                for detector in self._detectors
                if passage.direction in (use := self.policy.detectors[detector.name]).directions
                and passage.kind in use.kinds
            )
        return known

    def named(self, layer: Layer) -> frozenset[str]:
        """The names of the detectors that look at layers like this one; worked out once, as `looking` is."""
        key = (layer.passage.direction, layer.passage.kind, layer.guess)
        known = self._named.get(key)
        if known is None:
            known = self._named[key] = frozenset(
                name
                for _, name, reads_guesses in self.looking(layer.passage)
                if reads_guesses or not layer.guess
            )
        return known

    @property
    def comparing_detectors(self) -> tuple[ExchangeDetector, ...]:
        """The detectors that look at everything at once."""
        return self._comparing

    @property
    def engine(self) -> PatternEngine:
        """The pattern pass."""
        return self._engine


class _Check:
    """One check on its way. Not shared between threads."""

    def __init__(self, guard: Guard, context: Context, began: float) -> None:
        self.guard = guard
        self.context = context
        self.began = began
        self.limits = guard.policy.limits
        self.findings: list[tuple[Finding, Passage]] = []
        self.unknown: list[Unknowable] = []
        self.scores: dict[str, float] = {}
        self.seconds: dict[str, float] = {"normalise": 0.0, "patterns": 0.0}
        self.layers: dict[str, None] = {}
        # What there is nothing to compare with has no turn: no score, and Unknown only where the policy asks for it.
        self.lacking: dict[str, str] = {}
        for detector in guard.needing:
            reason = detector.lacking(context)
            if reason is not None:
                self.lacking[detector.name] = reason
                if guard.policy.detectors[detector.name].required:
                    self._cannot(detector.name, reason)

    def look_at(self, passage: Passage) -> None:
        """Every layer of a passage through every detector that the policy sends there."""
        wanted = self.guard.looking(passage)
        if not wanted:
            return
        started = perf_counter()
        layers, reasons = readings(passage, self.limits)
        seconds = self.seconds
        ended = perf_counter()
        seconds["normalise"] += ended - started
        if reasons:
            self.unknown.extend(Unknowable("normalise", reason) for reason in reasons)
        found: dict[_Key, Finding] = {}
        for layer in layers:
            self.layers["/".join(layer.path) or "as written"] = None
            hits = self.guard.engine.hits(layer, self.guard.named(layer))
            started, ended = ended, perf_counter()
            seconds["patterns"] += ended - started
            for detector, name, reads_guesses in wanted:
                if (layer.guess and not reads_guesses) or name in self.lacking:
                    continue
                # One look at the clock ends a detector's turn and begins the next one's.
                if ended - self.began > self.limits.seconds:
                    self._cannot(name, f"did not get its turn within {self.limits.seconds:g} s")
                    continue
                try:
                    examination = detector.examine(layer, hits.get(name, ()), self.context)
                except Exception as error:  # noqa: BLE001 - a stranger's detector may raise anything; it becomes Unknown
                    self._failed(name, error)
                    examination = None
                started, ended = ended, perf_counter()
                seconds[name] = seconds.get(name, 0.0) + ended - started
                if examination is not None:
                    self._take(name, layer, examination, found)
        if not found:
            return
        kept = sorted(found.values(), key=lambda one: -one.score)
        if len(kept) > self.limits.findings:
            self.unknown.append(
                Unknowable(
                    "findings",
                    f"{len(kept)} findings in one passage; the first {self.limits.findings} were kept",
                )
            )
            kept = kept[: self.limits.findings]
        self.findings.extend((finding, passage) for finding in sorted(kept, key=_place))

    def _take(self, name: str, layer: Layer, examination: Examination, found: dict[_Key, Finding]) -> None:
        """Keep what a detector said of one layer."""
        self._score(name, examination)
        for finding in examination.findings:
            if layer.path and not finding.layers:
                finding = replace(finding, layers=layer.path)
            _keep(found, finding)

    def compare(self, passages: Sequence[Passage]) -> None:
        """What needs everything at once: sources and answer, one tool beside another."""
        for detector in self.guard.comparing_detectors:
            use = self.guard.policy.detectors[detector.name]
            looked_at = [p for p in passages if p.direction in use.directions and p.kind in use.kinds]
            if not looked_at or detector.name in self.lacking:
                continue
            if perf_counter() - self.began > self.limits.seconds:
                self._cannot(detector.name, f"did not get its turn within {self.limits.seconds:g} s")
                continue
            started = perf_counter()
            try:
                examination = detector.examine_exchange(looked_at, self.context)
            except Exception as error:  # noqa: BLE001 - as above
                self._failed(detector.name, error)
                continue
            finally:
                self.seconds[detector.name] = self.seconds.get(detector.name, 0.0) + perf_counter() - started
            self._score(detector.name, examination)
            by_where = {passage.where: passage for passage in looked_at}
            self.findings.extend(
                (finding, by_where.get(finding.where, looked_at[0])) for finding in examination.findings
            )

    def _score(self, name: str, examination: Examination) -> None:
        score = max(examination.score, self.scores.get(name, 0.0))
        for finding in examination.findings:
            if finding.score > score:
                score = finding.score
        self.scores[name] = score

    def _failed(self, name: str, error: Exception) -> None:
        if not isinstance(error, AlcaideError):
            _log.warning("detector %s failed: %s", name, type(error).__name__, exc_info=error)
            self._cannot(name, f"failed with {type(error).__name__}")
        else:
            self._cannot(name, str(error))

    def _cannot(self, name: str, reason: str) -> None:
        one = Unknowable(name, reason)
        if one not in self.unknown:
            self.unknown.append(one)

    def report(self, passages: tuple[Passage, ...]) -> Report:
        decision: Decision = self.guard.policy.decide(
            ((finding, passage.direction, passage.kind) for finding, passage in self.findings),
            self.unknown,
            self.context,
        )
        self.seconds["total"] = perf_counter() - self.began
        return Report(
            decision=decision,
            findings=in_their_parts(self.findings),
            scores=self.scores,
            unknown=tuple(self.unknown),
            seconds=self.seconds,
            passages=passages,
            policy=self.guard.policy.name,
            layers=tuple(self.layers),
        )


def _keep(found: dict[_Key, Finding], finding: Finding) -> None:
    """One finding per rule and place: what a plainer layer showed is not said again by a deeper one, unless surer."""
    key = (finding.detector, finding.rule, finding.span.start, finding.span.end)
    known = found.get(key)
    if known is None or finding.score > known.score:
        found[key] = finding


def _place(finding: Finding) -> tuple[int, int, float]:
    return finding.span.start, finding.span.end, -finding.score
