"""A report as evidence: bound to bytes, bounded, and with the identity of each finding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alcaide.instruments.scan.data.report import ColumnProfile, Coverage, DataReport, Sighting
from alcaide.instruments.scan.evidence import artifact_scanned, dataset_scanned, files_of, fingerprint
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node, Rule, ScanReport
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Subject, parse_statement
from alcaide.predicates.artifact_scanned import MAX_FINDINGS, ArtifactScanned
from alcaide.predicates.base import By
from alcaide.predicates.content import listing_digest, root_digest
from alcaide.predicates.dataset_scanned import DatasetScanned

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BY = By(kind="user", id="u-1", name="Mia")
RULES = {"pickle/call": Rule("pickle/call", Level.CRITICAL, "t", "w", "r", ("cwe/CWE-502",))}
FILES = [("a.json", "1" * 64), ("model.pkl", "2" * 64)]


def an_artifact(path: str, digest: str | None, *findings: Finding) -> Artifact:
    return Artifact(path, Node(path.rpartition("/")[2], 10, ["zip", "pickle"]), list(findings), digest)


def a_report(*findings: Finding) -> ScanReport:
    first, second = FILES
    return ScanReport([an_artifact(*first), an_artifact(*second, *findings)], "0.1+e", "d" * 64)


def found(level: Level = Level.CRITICAL, **more: Any) -> Finding:
    return Finding("pickle/call", level, "loading it calls `os.system`", **more)


def said(report: ScanReport) -> ArtifactScanned:
    statement = artifact_scanned(
        report, "model:m@1", moment=NOON, by=BY, reason="before release", rules=RULES
    )
    return ArtifactScanned.read(parse_statement(statement.to_bytes()))


def test_it_is_about_the_bytes_and_says_what_was_found() -> None:
    report = a_report(found(place="data.pkl", offset=7), found(Level.LOW))
    statement = artifact_scanned(report, "model:m@1", moment=NOON, by=BY, rules=RULES)
    assert [s.sha256 for s in statement.subjects] == [listing_digest(FILES), root_digest(FILES)]
    read = said(report)
    assert (read.outcome, read.counts["critical"], read.findings_total, read.files, read.bytes) == (
        "failed",
        1,
        2,
        2,
        20,
    )
    assert read.outcome_reason == "1 critical, 1 low; loading it calls `os.system`"
    assert (read.findings[0].file, read.findings[0].place, read.findings[0].offset) == (
        "model.pkl",
        "data.pkl",
        7,
    )
    assert read.findings[0].taxonomy == ("cwe/CWE-502",)
    assert read.formats == {"pickle": 2, "zip": 2}


def test_a_clean_scan_passes_and_one_with_an_unseen_part_or_without_files_does_not() -> None:
    assert (said(a_report()).outcome, said(a_report()).outcome_reason) == ("passed", "")
    unseen = said(a_report(Finding("scan/encrypted", Level.UNKNOWN, "`x` is encrypted"), found(Level.LOW)))
    assert (unseen.outcome, unseen.outcome_reason) == ("unknown", "1 low, 1 unknown; `x` is encrypted")
    with pytest.raises(InvalidInput, match="there is no file"):
        said(ScanReport([], "0.1+e"))


def test_one_file_goes_by_its_own_digest() -> None:
    report = ScanReport([an_artifact("model.pkl", "2" * 64)], "0.1+e")
    assert files_of(report) == [(".", "2" * 64)]
    assert said(report).root == "2" * 64


def test_a_file_without_a_digest_is_not_bound_and_refused() -> None:
    report = a_report()
    report.artifacts[1].sha256 = None
    with pytest.raises(InvalidInput, match=r"1 of the scanned files have no digest, such as `model\.pkl`"):
        said(report)


def test_the_list_is_bounded_and_the_worst_come_first() -> None:
    low = [found(Level.LOW, offset=n) for n in range(MAX_FINDINGS + 100)]
    read = said(a_report(*low, found(Level.HIGH)))
    assert (len(read.findings), read.findings_total, read.findings[0].level) == (
        MAX_FINDINGS,
        MAX_FINDINGS + 101,
        "high",
    )


def test_hostile_names_and_numbers_can_be_signed() -> None:
    odd = Finding("r/x", Level.HIGH, "\ud800" * 600, place="\udcff", offset=1 << 60)
    report = ScanReport([an_artifact("\udcfe/x", "1" * 64, odd)], "e")
    statement = artifact_scanned(report, "model:m@1", moment=NOON, by=BY)
    assert statement.to_bytes()
    assert ArtifactScanned.read(statement).findings[0].offset is None


def test_a_fingerprint_tells_what_is_concerned_and_not_where_it_moved_to() -> None:
    first = fingerprint("m.pkl", found(offset=1, detail={"callable": "os.system"}))
    assert fingerprint("m.pkl", found(offset=2, detail={"callable": "os.system"})) == first
    assert fingerprint("m.pkl", found(detail={"callable": "os.popen"})) != first
    assert fingerprint("n.pkl", found(detail={"callable": "os.system"})) != first


DATA = [Subject("dataset:loans@1", {"sha256": "5" * 64})]


def a_data_report(*findings: Finding) -> DataReport:
    report = DataReport("loans.csv", "csv", rows=100, size=999, findings=list(findings), edition="0.1+e")
    report.coverage.append(Coverage("duplicates", 80, 100))
    report.columns.append(
        ColumnProfile("mail", "VARCHAR", sightings=[Sighting("EMAIL_ADDRESS", "personal", "guard", 98, 100)])
    )
    report.figures.update(
        {"exact-duplicate-share": 0.25, "drawn": {"x": [1]}, "odd": float("nan"), "flag": True}
    )
    return report


def test_a_dataset_is_said_with_its_columns_figures_and_rows_by_number() -> None:
    finding = Finding(
        "labels/error",
        Level.HIGH,
        "5 labels are probably wrong",
        detail={"rows": list(range(50)), "column": "y", "count": 5},
    )
    statement = dataset_scanned(a_data_report(finding), DATA, moment=NOON, by=BY)
    read = DatasetScanned.read(parse_statement(statement.to_bytes()))
    assert (read.outcome, read.rows, read.rows_read, read.columns_total) == ("failed", 100, 80, 1)
    assert (read.findings[0].columns, read.findings[0].count, len(read.findings[0].rows)) == (("y",), 5, 20)
    assert read.columns[0].classes == {"EMAIL_ADDRESS": 0.98}
    assert [(one.name, one.value) for one in read.measures] == [("exact-duplicate-share", 0.25)]


def test_a_dataset_that_nobody_looked_at_is_unknown_and_one_without_a_digest_refused() -> None:
    report = a_data_report()
    report.coverage.clear()
    read = DatasetScanned.read(dataset_scanned(report, DATA, moment=NOON, by=BY))
    assert (read.outcome, read.outcome_reason) == ("unknown", "nothing was looked at")
    with pytest.raises(InvalidInput, match="no digest to bind"):
        dataset_scanned(report, [Subject("dataset:loans@1", {})], moment=NOON, by=BY)
