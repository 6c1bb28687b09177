"""SARIF out: valid, understood by our own reader, the same for the same findings, and never cleaner than the scan."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from alcaide.instruments.exchange.sarif import Sarif
from alcaide.instruments.scan.data.report import Coverage, DataReport
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node, Rule, ScanReport
from alcaide.instruments.scan.report_sarif import data_sarif, sarif

CALL = Rule(
    "pickle/call", Level.CRITICAL, "runs code when loaded", "Loading it runs what the sender chose.", "Do not load it.",
    ("cwe/CWE-502", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003"),
)  # fmt: skip
CUT = Rule(
    "scan/truncated",
    Level.UNKNOWN,
    "ends too early",
    "What was not looked at can hold anything.",
    "Get it again.",
)
RULES = {rule.id: rule for rule in (CALL, CUT)}


def an_artifact(path: str, *findings: Finding) -> Artifact:
    return Artifact(path, Node(path.rsplit("/", 1)[-1], 100, ["zip"]), list(findings), "a" * 64)


def found(level: Level = Level.CRITICAL, rule: str = "pickle/call", **more: Any) -> Finding:
    message = more.pop("message", "loading it calls `os.system` with `'id'`")
    return Finding(rule, level, message, **more)


def a_report(*artifacts: Artifact) -> ScanReport:
    return ScanReport(list(artifacts), "0.1.0+3f2a9c1b7d04", "d" * 64, left_out=[".git/"])


def text(required: bool = True) -> dict[str, Any]:
    return {"type": "string", **({"minLength": 1} if required else {})}


def shape(required: str, **properties: Any) -> dict[str, Any]:
    """An object of SARIF with these properties and no others, so that a misspelt one shows."""
    return {
        "type": "object", "properties": properties, "required": required.split(), "additionalProperties": False,
    }  # fmt: skip


def listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


INDEX = {"type": "integer", "minimum": 0}
MESSAGE = shape("text", text=text(), markdown=text())
LEVEL = {"enum": ["none", "note", "warning", "error"]}
BAG = {"type": "object"}
URI = shape("uri", uri={"type": "string", "pattern": r"^([!#-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2})+$"}, index=INDEX)
COMPONENT = shape("name", name=text(), index=INDEX)
RULE = shape(
    "id shortDescription fullDescription help defaultConfiguration", id=text(), name=text(), properties=BAG,
    shortDescription=MESSAGE, fullDescription=MESSAGE, help=MESSAGE, defaultConfiguration=shape("level", level=LEVEL),
    relationships=listed(
        shape(
            "target kinds", kinds=listed(text()),
            target=shape("id index toolComponent", id=text(), index=INDEX, toolComponent=COMPONENT),
        )
    ),
)  # fmt: skip
REGION = shape("", startLine={"type": "integer", "minimum": 1}, byteOffset=INDEX, byteLength=INDEX)
RESULT = shape(
    "ruleId ruleIndex kind level message locations fingerprints", ruleId=text(), ruleIndex=INDEX, level=LEVEL,
    kind={"enum": ["fail", "review"]}, message=MESSAGE, fingerprints=BAG, partialFingerprints=BAG, properties=BAG,
    locations=listed(
        shape(
            "physicalLocation", physicalLocation=shape("artifactLocation", artifactLocation=URI, region=REGION),
            logicalLocations=listed(shape("fullyQualifiedName", fullyQualifiedName=text(), kind=text())),
        )
    ),
)  # fmt: skip
RUN = shape(
    "tool results", columnKind={"enum": ["unicodeCodePoints"]}, properties=BAG, results=listed(RESULT),
    automationDetails=shape("id", id=text()),
    tool=shape(
        "driver",
        driver=shape(
            "name", name=text(), version=text(), rules=listed(RULE), supportedTaxonomies=listed(COMPONENT)
        ),
    ),
    invocations=listed(
        shape(
            "executionSuccessful", executionSuccessful={"type": "boolean"},
            toolExecutionNotifications=listed(shape("message", level=LEVEL, message=MESSAGE)),
        )
    ),
    taxonomies=listed(
        shape(
            "name", name=text(), fullName=text(), version=text(), organization=text(), informationUri=text(),
            isComprehensive={"type": "boolean"}, taxa=listed(shape("id", id=text())),
        )
    ),
    artifacts=listed(shape("location", location=URI, length=INDEX, hashes=BAG, properties=BAG)),
)  # fmt: skip
LOG = shape("version runs", **{"$schema": text(), "version": {"const": "2.1.0"}, "runs": listed(RUN)})


def check(document: dict[str, Any]) -> dict[str, Any]:
    """The run of a document that is valid: by the shapes above, and by the official schema where its path is given."""
    document = json.loads(json.dumps(document, allow_nan=False))
    Draft202012Validator(LOG).validate(document)
    official = os.environ.get("ALCAIDE_SARIF_SCHEMA")
    if official:
        Draft4Validator(json.loads(Path(official).read_text(encoding="utf-8"))).validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


LEVELS = [
    (Level.CRITICAL, "fail", "error", "failed"),
    (Level.HIGH, "fail", "error", "failed"),
    (Level.MEDIUM, "fail", "warning", ""),
    (Level.LOW, "fail", "note", ""),
    (Level.UNKNOWN, "review", "none", "unknown"),
]


@pytest.mark.parametrize(("level", "kind", "written", "read_as"), LEVELS)
def test_each_level_has_its_word_and_our_own_reader_understands_it(
    level: Level, kind: str, written: str, read_as: str
) -> None:
    document = sarif(a_report(an_artifact("m/model.pkl", found(level))), rules=RULES)
    run = check(document)
    assert [(r["kind"], r["level"]) for r in run["results"]] == [(kind, written)]
    read = Sarif().read(json.dumps(document).encode())
    if read_as:
        assert read.outcome == read_as


def test_a_clean_report_passes_and_one_with_an_unseen_part_says_so_twice() -> None:
    clean = sarif(a_report(an_artifact("model.safetensors")), rules=RULES)
    assert check(clean)["results"] == []
    assert Sarif().read(json.dumps(clean).encode()).outcome == "passed"

    cut = sarif(a_report(an_artifact("m.bin", found(Level.UNKNOWN, "scan/truncated"))), rules=RULES)
    (notice,) = check(cut)["invocations"][0]["toolExecutionNotifications"]
    assert "1 parts were not looked at whole" in notice["message"]["text"]


def test_a_rule_says_why_and_what_to_do_and_refers_to_its_taxonomies() -> None:
    run = check(sarif(a_report(an_artifact("model.pkl", found())), rules=RULES))
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("pickle/call", "PickleCall")
    assert "**What to do:** Do not load it." in rule["help"]["markdown"]
    assert rule["properties"]["security-severity"] == "9.5"
    for relationship in rule["relationships"]:
        target = relationship["target"]
        taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
        assert taxonomy["name"] == target["toolComponent"]["name"]
        assert taxonomy["taxa"][target["index"]] == {"id": target["id"]}
    assert {one["name"] for one in run["taxonomies"]} == {"CWE", "OWASP-LLM", "MITRE-ATLAS"}
    assert next(one for one in run["taxonomies"] if one["name"] == "OWASP-LLM")["version"] == "2025"


def test_a_fingerprint_stays_over_offsets_and_wording_and_differs_by_what_is_called() -> None:
    def of(finding: Finding, path: str = "model.pkl") -> str:
        run = check(sarif(a_report(an_artifact(path, finding)), rules=RULES))
        return str(run["results"][0]["fingerprints"]["alcaide/v1"])

    first = of(found(offset=7, detail={"callable": "os.system"}))
    assert of(found(offset=99, message="loads and calls it", detail={"callable": "os.system"})) == first
    for other in (
        of(found(detail={"callable": "os.popen"})),
        of(found(detail={"callable": "os.system"}, place="data.pkl")),
        of(found(detail={"callable": "os.system"}), "other.pkl"),
    ):
        assert other != first


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ü#1.pkl", "a%20b/%C3%BC%231.pkl"),
        ("/models/m.pkl", "file:///models/m.pkl"),
        ("c:x", "c%3Ax"),
        ("s3://bucket/a b", "s3://bucket/a%20b"),
        ("\udcff.pkl", "%FF.pkl"),
    ],
)
def test_every_name_of_a_file_is_a_valid_reference(path: str, uri: str) -> None:
    run = check(sarif(a_report(an_artifact(path, found())), rules=RULES))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": uri,
        "index": 0,
    }


def test_a_place_within_an_archive_is_named_and_a_byte_only_where_it_is_one_of_the_file() -> None:
    inside = found(place="a.zip/data.pkl", offset=3)
    lined = found(detail={"line": 12}, offset=3)
    run = check(sarif(a_report(an_artifact("m", inside, found(offset=3), lined)), rules=RULES))
    locations = [result["locations"][0] for result in run["results"]]
    regions = [location["physicalLocation"].get("region") for location in locations]
    assert {"startLine": 12} in regions
    assert {"byteOffset": 3, "byteLength": 0} in regions
    named = next(one for one in locations if "logicalLocations" in one)
    assert named["logicalLocations"][0]["fullyQualifiedName"] == "a.zip/data.pkl"
    assert "region" not in named["physicalLocation"]


def test_a_rule_that_is_not_in_the_list_and_hostile_names_are_still_written() -> None:
    finding = found(rule="stranger/odd-thing", place="\ud800/x", message="\udcff`", detail={"name": "x"})
    run = check(sarif(a_report(an_artifact("\udcfe", finding)), rules={}))
    assert run["tool"]["driver"]["rules"][0]["id"] == "stranger/odd-thing"
    assert json.dumps(run).encode("utf-8")


def test_the_worst_come_first_and_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from alcaide.instruments.scan import report_sarif

    monkeypatch.setattr(report_sarif, "MAX_RESULTS", 2)
    findings = (found(Level.LOW), found(Level.MEDIUM), found(Level.CRITICAL))
    run = check(sarif(a_report(an_artifact("m", *findings)), rules=RULES))
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    assert "1 more findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_dataset_is_reported_with_the_rows_that_are_meant() -> None:
    report = DataReport("data/loans.csv", "csv", rows=10, size=99, sha256="b" * 64, edition="1")
    report.coverage.append(Coverage("duplicates", 10, 10))
    report.findings.append(found(Level.HIGH, "labels/error", detail={"rows": [1, 7]}))
    run = check(data_sarif(report))
    assert run["results"][0]["properties"]["detail"] == {"rows": [1, 7]}
    assert run["artifacts"][0]["hashes"] == {"sha-256": "b" * 64}
    assert run["properties"]["rows"] == 10


def test_equal_reports_give_equal_documents() -> None:
    report = a_report(an_artifact("a", found()), an_artifact("b", found(Level.LOW)))
    assert sarif(report, rules=RULES) == sarif(report, rules=dict(reversed(RULES.items())))
