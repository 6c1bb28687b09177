"""Read SARIF 2.1.0: what a static analyser or scanner found, and whether that is a pass.

A reader of SARIF must work out what the writer left out. Sections are of the OASIS standard, version 2.1.0:

1. the level of a result is its own, else an override of the run, else its rule's default, else `warning`
   (§3.27.10);
2. a `kind` other than `fail` has no level (§3.27.9);
3. a result is suppressed only if every suppression of it is accepted (§3.27.23, §3.35.3);
4. a result whose `baselineState` is `absent` is no longer there (§3.27.24);
5. a run without `results` did not scan, which is not the same as finding nothing (§3.14.23).

Left out on purpose: code flows, graphs, fixes and web requests, which stay in the document. Results kept in
other files (§3.15) are not fetched; the outcome is then Unknown, as nobody here has seen them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from alcaide.instruments.exchange.document import MAX_LISTED, Outcome, ParsedDocument, subjects_of
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence import Subject
from alcaide.kernel.strict import Fields, strict_json

LEVELS = ("error", "warning", "note", "none")
KINDS = ("fail", "open", "review", "pass", "informational", "notApplicable")
BASELINES = ("new", "unchanged", "updated", "absent")
MAX_RESULTS = 250_000
MAX_LOCATIONS = 3
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_UNDECIDED = frozenset({"open", "review"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One result, with everything the writer left to the reader worked out."""

    tool: str
    rule_id: str
    level: str
    kind: str
    message: str
    locations: tuple[str, ...]
    fingerprint: str
    suppressed: bool
    baseline: str
    tags: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether it is there now and nobody has accepted it."""
        return not self.suppressed and self.baseline != "absent"


@dataclass(frozen=True, slots=True)
class _Rule:
    id: str
    level: str
    tags: tuple[str, ...]


class Sarif:
    """The reader. `kind` of its documents is `sarif`."""

    name = "sarif"
    title = "SARIF report"
    media_types: tuple[str, ...] = ("application/sarif+json",)

    def sniff(self, data: bytes) -> bool:
        return b'"runs"' in data and (b"sarif" in data[:4096].lower() or b'"2.1.0"' in data)

    def read(self, data: bytes, **options: Any) -> ParsedDocument:
        if options:
            raise TypeError(f"the SARIF reader takes no {', '.join(options)}")
        log = Fields(strict_json(data, what="the report"))
        version = log.needed("version", limit=40)
        if version != "2.1.0":
            raise InvalidInput(f"SARIF `{version}` is not read; have the tool write 2.1.0")
        notes: list[str] = []
        runs = list(log.objects("runs", limit=1_000))
        findings: list[Finding] = []
        doubts: list[str] = []
        if "inlineExternalProperties" in log:
            doubts.append("parts of the report are kept as inline external properties, which are not read")
        for run in runs:
            findings.extend(_findings(run))
            if len(findings) > MAX_RESULTS:
                raise TooLarge(f"the report has more than {MAX_RESULTS} results; split it")
            doubts.extend(_doubts(run))
        outcome, reason = _outcome(runs, findings, doubts)
        tools = tuple(dict.fromkeys(_tool(run) for run in runs))
        return ParsedDocument(
            kind=self.name,
            title=f"Report of {', '.join(tools)}"[:200] if tools else "Report without a run",
            media_type=self.media_types[0],
            sha256=sha256(data).hexdigest(),
            subjects=_subjects(runs, notes),
            summary=_summary(runs, findings, tools),
            outcome=outcome,
            reason=reason,
            notes=(*notes, *doubts)[:MAX_LISTED],
        )


def _tool(run: Fields) -> str:
    """The driver's name and version; a run must name its tool (§3.14.6)."""
    if "tool" not in run:
        raise InvalidInput(f"`{run.at('tool')}` is missing; a run must name the tool that made it")
    driver = run.object("tool").object("driver")
    version = driver.text("semanticVersion", limit=200) or driver.text("version", limit=200)
    return f"{driver.needed('name', limit=200)} {version}".strip()


def _findings(run: Fields) -> Iterator[Finding]:
    tool = _tool(run)
    rules = _Rules(run)
    for result in run.objects("results", limit=MAX_RESULTS):
        rule_id = result.text("ruleId", limit=500) or result.object("rule").text("id", limit=500)
        rule = rules.of(result, rule_id)
        kind = _one_of(result, "kind", KINDS, "fail")
        suppressions = list(result.objects("suppressions", limit=1_000))
        accepted = [
            _one_of(s, "status", ("accepted", "underReview", "rejected"), "accepted") for s in suppressions
        ]
        yield Finding(
            tool=tool,
            rule_id=rule_id or (rule.id if rule else ""),
            level=_level(result, kind, rule, rules),
            kind=kind,
            message=_message(result),
            locations=tuple(_locations(result)),
            fingerprint=_fingerprint(result),
            suppressed=bool(accepted) and set(accepted) == {"accepted"},
            baseline=_one_of(result, "baselineState", BASELINES, ""),
            tags=rule.tags if rule else (),
        )


class _Rules:
    """The rules of one run: the driver's, the extensions', and the overrides its invocations made."""

    def __init__(self, run: Fields) -> None:
        tool = run.object("tool")
        components = [tool.object("driver"), *tool.objects("extensions", limit=10_000)]
        self._names = [
            (component.text("guid", limit=100), component.text("name", limit=500)) for component in components
        ]
        self._lists = [[_rule(entry) for entry in c.objects("rules", limit=100_000)] for c in components]
        self._by_id: list[dict[str, _Rule]] = [{r.id: r for r in reversed(rules)} for rules in self._lists]
        self._overrides: list[dict[str, str]] = [
            dict(_overrides(invocation)) for invocation in run.objects("invocations", limit=1_000)
        ]

    def of(self, result: Fields, rule_id: str) -> _Rule | None:
        """The rule a result means: by component and index, else by id or its longest known prefix."""
        reference = result.object("rule")
        where = self._component(reference.object("toolComponent"))
        index = reference.whole("index")
        if index is None:
            index = result.whole("ruleIndex")
        if index is not None and index >= 0:
            if where >= len(self._lists) or index >= len(self._lists[where]):
                raise InvalidInput(f"`{result.at('ruleIndex')}` is {index}, but the tool has no such rule")
            return self._lists[where][index]
        places = [where, *(n for n in range(len(self._by_id)) if n != where)]
        while rule_id:
            for place in places:
                if place < len(self._by_id) and rule_id in self._by_id[place]:
                    return self._by_id[place][rule_id]
            rule_id = rule_id.rpartition("/")[0]
        return None

    def override(self, result: Fields, rule: _Rule | None) -> str:
        """The level an override gives `rule` in the invocation that made `result` (§3.20.5), or ''."""
        invocation = result.object("provenance").whole("invocationIndex")
        if invocation is None and len(self._overrides) == 1:
            invocation = 0
        if rule is None or invocation is None or not 0 <= invocation < len(self._overrides):
            return ""
        return self._overrides[invocation].get(rule.id, "")

    def _component(self, reference: Fields) -> int:
        """0 is the driver, n the n-th extension (§3.54).

        A component that is not there gives a place beyond.
        """
        index = reference.whole("index")
        if index is not None and index >= 0:
            return index + 1
        guid, name = reference.text("guid", limit=100), reference.text("name", limit=500)
        for place, (its_guid, its_name) in enumerate(self._names):
            if (guid and guid == its_guid) or (not guid and name and name == its_name):
                return place
        return len(self._lists) if guid or name else 0


def _rule(entry: Fields) -> _Rule:
    configuration = entry.object("defaultConfiguration")
    tags = entry.object("properties").values.get("tags")
    return _Rule(
        id=entry.needed("id", limit=500),
        level=_one_of(configuration, "level", LEVELS, ""),
        tags=tuple(t[:120] for t in tags if isinstance(t, str))[:20] if isinstance(tags, list) else (),
    )


def _overrides(invocation: Fields) -> Iterator[tuple[str, str]]:
    for override in invocation.objects("ruleConfigurationOverrides", limit=100_000):
        level = _one_of(override.object("configuration"), "level", LEVELS, "")
        rule_id = override.object("descriptor").text("id", limit=500)
        if rule_id and level:
            yield rule_id, level


def _level(result: Fields, kind: str, rule: _Rule | None, rules: _Rules) -> str:
    if kind != "fail":
        return "none"
    said = _one_of(result, "level", LEVELS, "")
    return said or rules.override(result, rule) or (rule.level if rule else "") or "warning"


def _message(result: Fields) -> str:
    message = result.object("message")
    return (
        message.prose("text", limit=500)
        or message.prose("markdown", limit=500)
        or message.prose("id", limit=200)
    )


def _locations(result: Fields) -> Iterator[str]:
    for position, location in enumerate(result.objects("locations", limit=10_000)):
        if position == MAX_LOCATIONS:
            return
        physical = location.object("physicalLocation")
        uri = physical.object("artifactLocation").prose("uri", limit=500)
        line = physical.object("region").whole("startLine")
        logical = [
            entry.prose("fullyQualifiedName", limit=300) or entry.prose("name", limit=300)
            for entry in location.objects("logicalLocations", limit=1_000)
        ]
        where = f"{uri}:{line}" if uri and line else uri or (logical[0] if logical else "")
        if where:
            yield where


def _fingerprint(result: Fields) -> str:
    """What makes this the same finding tomorrow: the writer's fingerprint, in full before partial."""
    for key in ("fingerprints", "partialFingerprints"):
        marks = result.object(key)
        for name in sorted(marks.values):
            mark = marks.text(name, limit=2_000)
            if mark:
                return f"{name[:80]}:{mark[:120]}"
    return ""


def _doubts(run: Fields) -> Iterator[str]:
    """Why an empty list of errors from this run would prove nothing."""
    tool = _tool(run)
    if run.object("externalPropertyFileReferences").values:
        yield f"{tool} keeps parts of its report in other files, which are not read"
    if "results" not in run:
        yield f"{tool} gives no list of results, so it did not scan"
    for invocation in run.objects("invocations", limit=1_000):
        successful = invocation.flag("executionSuccessful")
        if successful is None:
            yield f"{tool} does not say whether it ran to its end"
        elif not successful:
            why = (
                invocation.prose("exitCodeDescription", limit=200)
                or f"exit code {invocation.whole('exitCode')}"
            )
            yield f"{tool} did not run to its end ({why})"


def _outcome(runs: list[Fields], findings: list[Finding], doubts: list[str]) -> tuple[Outcome, str]:
    standing = [f for f in findings if f.counts]
    errors = [f for f in standing if f.level == "error"]
    if errors:
        rules = ", ".join(dict.fromkeys(f"`{f.rule_id[:80]}`" for f in errors[:50]))
        return "failed", f"{len(errors)} results at level error: {rules[:300]}"
    if not runs:
        return "unknown", "the report holds no run"
    if doubts:
        return "unknown", doubts[0]
    undecided = [f for f in standing if f.kind in _UNDECIDED]
    if undecided:
        return "unknown", f"{len(undecided)} results are left open or for a person to review"
    return "passed", ""


def _subjects(runs: list[Fields], notes: list[str]) -> tuple[Subject, ...]:
    """Files with a SHA-256, and the commits that were scanned."""
    found: dict[tuple[str, str], Subject] = {}
    for run in runs:
        for artifact in run.objects("artifacts", limit=100_000):
            digest = artifact.object("hashes").text("sha-256", limit=100).lower()
            name = artifact.object("location").text("uri")
            if digest and not _SHA256.match(digest):
                raise InvalidInput(f"`{artifact.at('hashes')}` `sha-256` is not 64 hex digits")
            if digest and name:
                found[name, digest] = Subject(name, {"sha256": digest})
        for source in run.objects("versionControlProvenance", limit=1_000):
            name, revision = source.text("repositoryUri"), source.text("revisionId", limit=200).lower()
            if name and _COMMIT.match(revision):
                found[name, revision] = Subject(name, {"gitCommit": revision})
    return subjects_of(found, notes)


def _summary(runs: list[Fields], findings: list[Finding], tools: tuple[str, ...]) -> Mapping[str, Any]:
    standing = [f for f in findings if f.counts]
    shown = sorted(standing, key=lambda f: LEVELS.index(f.level))
    return {
        "runs": len(runs),
        "tools": [name[:200] for name in tools[:20]],
        "results": len(findings),
        "by_level": dict(Counter(f.level for f in standing if f.kind == "fail")),
        "by_kind": dict(Counter(f.kind for f in standing)),
        "by_rule": dict(Counter(f.rule_id for f in standing if f.kind == "fail").most_common(50)),
        "suppressed": sum(f.suppressed for f in findings),
        "absent": sum(f.baseline == "absent" for f in findings),
        "new": sum(f.baseline == "new" for f in standing),
        "findings": [_finding_json(f) for f in shown[:MAX_LISTED]],
        "listed_in_full": len(shown) <= MAX_LISTED,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    found = asdict(finding)
    found["locations"] = list(finding.locations)
    found["tags"] = list(finding.tags)
    return found


def _one_of(fields: Fields, key: str, allowed: tuple[str, ...], default: str) -> str:
    value = fields.text(key, limit=60)
    if value and value not in allowed:
        raise InvalidInput(f"`{fields.at(key)}` `{value}` is none of {', '.join(allowed)}")
    return value or default
