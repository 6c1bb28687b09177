from __future__ import annotations

from typing import Any

import pytest
from tests.unit.exchange.corpus import content, dumped

from alcaide.instruments.exchange.sarif import Sarif
from alcaide.kernel.errors import InvalidInput


def report(*results: dict[str, Any], **run: Any) -> bytes:
    body = {
        "tool": {
            "driver": {
                "name": "checker",
                "version": "1",
                "rules": [
                    {"id": "loud", "defaultConfiguration": {"level": "error"}},
                    {"id": "quiet", "defaultConfiguration": {"level": "note"}},
                    {"id": "plain"},
                ],
            },
            "extensions": [
                {"name": "more", "rules": [{"id": "ext", "defaultConfiguration": {"level": "error"}}]}
            ],
        },
        "results": list(results),
    } | run
    return dumped(
        {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [body]}
    )


def result(rule_id: str = "loud", /, **more: Any) -> dict[str, Any]:
    return {"ruleId": rule_id, "message": {"text": "found"}} | more


def level_of(data: bytes) -> str:
    return str(Sarif().read(data).summary["findings"][0]["level"])


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (result("loud"), "error"),
        (result("quiet"), "note"),
        (result("plain"), "warning"),
        (result("nowhere"), "warning"),
        (result("loud/deep/er"), "error"),
        (result("loud", level="note"), "note"),
        (result("", ruleIndex=1), "note"),
        ({"message": {"text": "x"}}, "warning"),
        (result("loud", kind="pass"), "none"),
        (result("loud", kind="review", level="error"), "none"),
        (result("x", rule={"index": 0, "toolComponent": {"index": 0}}), "error"),
        (result("x", rule={"index": 0, "toolComponent": {"name": "more"}}), "error"),
        (result("ext"), "error"),
        (result("loud", rule={"id": "loud", "toolComponent": {"name": "absent"}}), "error"),
    ],
)
def test_the_level_of_a_result_is_worked_out_as_the_standard_says(found: dict[str, Any], level: str) -> None:
    assert level_of(report(found)) == level


def test_an_override_of_the_run_beats_the_default_of_the_rule_and_not_the_result() -> None:
    override = {"configuration": {"level": "note"}, "descriptor": {"id": "loud"}}
    invocations = [{"executionSuccessful": True, "ruleConfigurationOverrides": [override]}]
    assert level_of(report(result("loud"), invocations=invocations)) == "note"
    assert level_of(report(result("loud", level="error"), invocations=invocations)) == "error"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([], "passed"),
        ([result("quiet"), result("plain")], "passed"),
        ([result("loud")], "failed"),
        ([result("loud", suppressions=[])], "failed"),
        ([result("loud", suppressions=[{"kind": "external"}])], "passed"),
        ([result("loud", suppressions=[{"kind": "external", "status": "rejected"}])], "failed"),
        (
            [
                result(
                    "loud", suppressions=[{"kind": "inSource"}, {"kind": "external", "status": "underReview"}]
                )
            ],
            "failed",
        ),
        ([result("loud", baselineState="absent")], "passed"),
        ([result("loud", baselineState="unchanged")], "failed"),
        ([result("loud", kind="open")], "unknown"),
        ([result("loud", kind="review")], "unknown"),
        ([result("loud", kind="review", suppressions=[{"kind": "external"}])], "passed"),
        ([result("loud", kind="notApplicable")], "passed"),
    ],
)
def test_only_what_stands_now_and_unaccepted_decides(found: list[dict[str, Any]], outcome: str) -> None:
    assert Sarif().read(report(*found)).outcome == outcome


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (
            {"invocations": [{"executionSuccessful": False, "exitCode": 2}]},
            "did not run to its end (exit code 2)",
        ),
        ({"invocations": [{}]}, "does not say whether it ran to its end"),
        ({"results": None}, "gives no list of results"),
        (
            {"externalPropertyFileReferences": {"results": [{"location": {"uri": "r.json"}}]}},
            "in other files",
        ),
    ],
)
def test_a_run_that_proves_nothing_is_unknown_and_errors_in_it_still_fail(
    run: dict[str, Any], why: str
) -> None:
    read = Sarif().read(report(**run))
    assert read.outcome == "unknown"
    assert why in read.reason
    if run.get("results", "") is not None:
        assert Sarif().read(report(result("loud"), **run)).outcome == "failed"


def test_a_report_without_runs_or_with_inline_externals_is_unknown() -> None:
    assert Sarif().read(dumped({"version": "2.1.0", "runs": []})).outcome == "unknown"
    inline = {"version": "2.1.0", "runs": [], "inlineExternalProperties": [{}]}
    assert Sarif().read(dumped(inline)).outcome == "unknown"


def test_a_real_scanners_report_is_read() -> None:
    read = Sarif().read(content("sarif", "bandit.sarif"))
    assert (read.outcome, read.title) == ("failed", "Report of Bandit 1.9.4")
    assert read.summary["by_level"] == {"error": 1, "warning": 2, "note": 2}
    worst = read.summary["findings"][0]
    assert (worst["rule_id"], worst["locations"]) == ("B602", ["harbour/ingest.py:18"])
    assert "external/cwe/cwe-78" in worst["tags"]


def test_fingerprints_places_and_files_are_taken_over() -> None:
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}},
        "logicalLocations": [{"name": "f"}],
    }
    found = result(
        "quiet",
        fingerprints={"b": "2", "a": "1"},
        partialFingerprints={"p": "9"},
        locations=[place, {"logicalLocations": [{"fullyQualifiedName": "m.f"}]}, {}],
    )
    artifacts = [{"location": {"uri": "a.py"}, "hashes": {"sha-256": "A" * 64}}]
    provenance = [{"repositoryUri": "https://code.example/h", "revisionId": "c" * 40}]
    read = Sarif().read(report(found, artifacts=artifacts, versionControlProvenance=provenance))
    assert read.summary["findings"][0]["fingerprint"] == "a:1"
    assert read.summary["findings"][0]["locations"] == ["a.py:3", "m.f"]
    assert [(s.name, dict(s.digest)) for s in read.subjects] == [
        ("a.py", {"sha256": "a" * 64}),
        ("https://code.example/h", {"gitCommit": "c" * 40}),
    ]


def test_the_worst_findings_are_listed_when_not_all_are() -> None:
    read = Sarif().read(report(*[result("quiet")] * 300, result("loud")))
    assert read.summary["findings"][0]["level"] == "error"
    assert (len(read.summary["findings"]), read.summary["listed_in_full"]) == (200, False)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (dumped({"version": "2.0.0", "runs": []}), "`2.0.0` is not read"),
        (dumped({"version": "2.1.0", "runs": [{}]}), r"`runs\[0\].tool` is missing"),
        (
            dumped({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}),
            r"`runs\[0\].tool.driver.name` is missing",
        ),
        (report(result(level="fatal")), "none of error, warning"),
        (report(result(kind="maybe")), "none of fail"),
        (report(result(ruleIndex=99)), "no such rule"),
        (report(result(suppressions=[{"status": "later"}])), "none of accepted"),
        (report(result(fingerprints={"a": 1})), "fingerprints.a` must be text"),
        (report(artifacts=[{"location": {"uri": "a"}, "hashes": {"sha-256": "12"}}]), "not 64 hex"),
    ],
)
def test_a_report_with_a_fault_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Sarif().read(data)
