"""A report as evidence: the Statement that goes into the ledger, and what identifies a finding over time."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.artifact_scanned import MAX_FINDINGS, ArtifactScanned, ScanFinding
from alcaide.predicates.base import at
from alcaide.predicates.content import ITSELF, listing_digest, subjects_of_files
from alcaide.predicates.dataset_scanned import (
    MAX_COLUMNS,
    MAX_ROWS,
    ColumnClass,
    DataFinding,
    DatasetScanned,
    Measure,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from alcaide.instruments.scan.data.report import DataReport
    from alcaide.instruments.scan.model import Artifact, Finding, Rule, ScanReport
    from alcaide.kernel.evidence import Statement, Subject
    from alcaide.predicates.base import By

_SAYS_WHAT = ("callable", "operator", "module", "member", "tag", "url", "key", "column")
"""Details that tell one case of a rule from another, where a finding has them; its message otherwise."""


def fingerprint(path: str, finding: Finding) -> str:
    """32 hex digits that stay the same while the problem does: from one scan, and one edition, to the next.

    Made of the rule, the way to the part, and what is concerned, not of offsets and wording, which move when a file is
    written again.
    """
    what = [f"{name}={finding.detail[name]}" for name in _SAYS_WHAT if name in finding.detail]
    parts = (finding.rule, path, finding.place, *(what or [finding.message]))
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def files_of(report: ScanReport) -> list[tuple[str, str]]:
    """Path and digest of each scanned file; a report about one file names it `.`, as it is the whole thing.

    Raises InvalidInput where a file has no digest: evidence is bound to bytes.
    """
    without = [artifact.path for artifact in report.artifacts if artifact.sha256 is None]
    if without:
        raise InvalidInput(
            f"{len(without)} of the scanned files have no digest, such as `{without[0][:120]}`; scan with digests, "
            "and make every file readable"
        )
    alone = len(report.artifacts) == 1 and "/" not in report.artifacts[0].path
    return [(ITSELF if alone else artifact.path, artifact.sha256 or "") for artifact in report.artifacts]


def artifact_scanned(
    report: ScanReport,
    name: str,
    *,
    moment: datetime,
    by: By,
    reason: str = "",
    rules: Mapping[str, Rule] | None = None,
    also: Sequence[Subject] = (),
) -> Statement:
    """The Statement that an artifact was scanned.

    Args:
        report: with the digests of all files.
        name: what the artifact is called: `model:fraud-scorer@3`.
        moment: when it was scanned.
        by: who had it scanned.
        reason: why, in their words.
        rules: the rules by id, for the identifiers of taxonomies.
        also: further subjects: the system that the scan is recorded for.

    Raises:
        InvalidInput: there are no files, or one of them has no digest.
    """
    files = files_of(report)
    subjects = subjects_of_files(name, files)
    formats: dict[str, int] = {}
    for artifact in report.artifacts:
        for form in artifact.node.formats:
            formats[form] = formats.get(form, 0) + 1
    found = report.findings
    said = ArtifactScanned(
        at=at(moment),
        by=by,
        reason=reason,
        edition=report.edition,
        fail_on=report.fail_on.value,
        outcome=report.outcome.value,
        outcome_reason=why(report.counts(), [finding for _, finding in found], report.outcome.value),
        counts=report.counts(),
        findings=tuple(
            _finding(artifact, finding, rules or {}, len(files) == 1)
            for artifact, finding in found[:MAX_FINDINGS]
        ),
        findings_total=len(found),
        files=len(report.artifacts),
        bytes=sum(artifact.node.size for artifact in report.artifacts),
        root=files[0][1] if files[0][0] == ITSELF else listing_digest(files),
        formats=dict(sorted(formats.items())),
        policy=report.policy,
        left_out=tuple(report.left_out[:50]),
    )
    return said.about((*subjects, *also))


def dataset_scanned(
    report: DataReport,
    subjects: Sequence[Subject],
    *,
    moment: datetime,
    by: By,
    reason: str = "",
    rules: Mapping[str, Rule] | None = None,
    policy: str = "",
    against: Mapping[str, str] | None = None,
) -> Statement:
    """The Statement that a dataset was scanned, about `subjects`: the dataset by its digests.

    Raises InvalidInput where no subject is given.
    """
    if not subjects or subjects[0].sha256 is None:
        raise InvalidInput(
            "the dataset has no digest to bind the scan to; give its files, or register it first"
        )
    found = sorted(report.findings, key=lambda finding: finding.sort_key())
    said = DatasetScanned(
        at=at(moment),
        by=by,
        reason=reason,
        edition=report.edition,
        fail_on=report.fail_on.value,
        outcome=report.outcome.value,
        outcome_reason=why(report.counts(), found, report.outcome.value),
        counts=report.counts(),
        findings=tuple(_data_finding(finding, rules or {}) for finding in found[:MAX_FINDINGS]),
        findings_total=len(found),
        rows=report.rows,
        rows_read=max((one.looked for one in report.coverage if one.unit == "rows"), default=0),
        root=subjects[0].sha256,
        columns=tuple(
            ColumnClass(
                name=column.name[:200],
                type=column.type[:60],
                classes={
                    seen.category: round(seen.rows / max(1, report.rows), 6) for seen in column.sightings[:20]
                },
            )
            for column in report.columns[:MAX_COLUMNS]
        ),
        columns_total=len(report.columns),
        measures=tuple(
            Measure(name=name[:80], value=float(value))
            for name, value in list(report.figures.items())[:100]
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
        policy=policy,
        bytes=report.size,
        format=report.kind,
        source=report.source[:500],
        against=dict(against or {}),
    )
    return said.about(subjects)


def why(counts: Mapping[str, int], worst_first: Sequence[Finding], outcome: str) -> str:
    """A sentence for the reason of an outcome that is not passed: how many of what, and the worst of them."""
    if outcome == "passed":
        return ""
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    if not told:
        return "nothing was looked at"
    unknown = [finding for finding in worst_first if finding.level.value == "unknown"]
    first = unknown[0] if outcome == "unknown" and unknown else worst_first[0]
    return f"{told}; {_utf8(first.message[:300])}"


def _finding(artifact: Artifact, finding: Finding, rules: Mapping[str, Rule], alone: bool) -> ScanFinding:
    rule = rules.get(finding.rule)
    return ScanFinding(
        rule=finding.rule,
        level=finding.level.value,
        message=_utf8(finding.message[:500]),
        file=ITSELF if alone else _utf8(artifact.path)[:500],
        place=_utf8(finding.place)[:500],
        offset=finding.offset if finding.offset is None or finding.offset < 1 << 53 else None,
        fingerprint=fingerprint(artifact.path, finding),
        taxonomy=rule.taxonomy if rule else (),
    )


def _data_finding(finding: Finding, rules: Mapping[str, Rule]) -> DataFinding:
    rule = rules.get(finding.rule)
    detail: Mapping[str, Any] = finding.detail
    rows = detail.get("rows")
    columns = detail.get("columns") or ([detail["column"]] if detail.get("column") else [])
    count = detail.get("count")
    return DataFinding(
        rule=finding.rule,
        level=finding.level.value,
        message=_utf8(finding.message[:500]),
        columns=tuple(str(name)[:200] for name in list(columns)[:50]),
        count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        rows=tuple(str(row)[:80] for row in list(rows if isinstance(rows, list | tuple) else ())[:MAX_ROWS]),
        fingerprint=fingerprint(finding.place, finding),
        taxonomy=rule.taxonomy if rule else (),
    )


def _utf8(text: str) -> str:
    """A path as canonical JSON can hold it: names need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
