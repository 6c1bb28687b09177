"""Bills of material out: valid by other people's checkers, true to the scan, and complete only where they are."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alcaide.instruments.exchange.cyclonedx import CycloneDx
from alcaide.instruments.scan.data.report import ColumnProfile, DataReport, Sighting
from alcaide.instruments.scan.described import Described, as_files, licence_reference, spdx_licence
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node, Rule, ScanReport
from alcaide.instruments.scan.provenance.lineage import Descent, Lineage, Origin
from alcaide.instruments.scan.report_cyclonedx import ml_bom
from alcaide.instruments.scan.report_spdx import spdx
from alcaide.predicates.content import listing_digest, root_digest
from tests.unit.exchange.test_cyclonedx import schema_error

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALL = Rule(
    "pickle/call", Level.CRITICAL, "runs code when loaded", "Loading it runs what the sender chose.", "Do not load it.",
    ("cwe/CWE-502", "owasp-llm:2025/LLM03"),
)  # fmt: skip
RULES = {CALL.id: CALL}
ABOUT = Described(
    "fraud-scorer",
    "3",
    "model",
    "Harbour Office",
    "https://models.example.org/fraud-scorer",
    "apache-2.0",
    NOON,
    NOON,
)
LINEAGE = Lineage(
    (
        Descent("adapter-of", Origin("model", "base/llama", "main"), "adapter_config.json"),
        Descent("quantised-from", Origin("model", "base/other"), "model.gguf"),
        Descent("trained-on", Origin("dataset", "acme/loans", digest="7" * 64), "README.md"),
        Descent("produced-by", Origin("run", "8f3a"), "MLmodel"),
        Descent("derived-from", Origin("source", "git+https://git.example.org/m"), "provenance"),
    ),
    "llama3",
)
FILES = [("config.json", "1" * 64), ("a b/ü.gguf", "2" * 64)]


def a_report(
    *findings: Finding, files: list[tuple[str, str]] | None = None, digests: bool = True
) -> ScanReport:
    artifacts = [
        Artifact(
            path,
            Node(path.rpartition("/")[2], 10, ["gguf"], {"architecture": "llama"}),
            [],
            digest if digests else None,
        )
        for path, digest in (FILES if files is None else files)
    ]
    artifacts[0].findings.extend(findings)
    return ScanReport(artifacts, "0.1.0+3f2a9c1b7d04")


def found(level: Level = Level.CRITICAL, **more: Any) -> Finding:
    return Finding("pickle/call", level, "loading it calls `os.system`", **more)


def bill(
    report: ScanReport, about: Described | None = ABOUT, lineage: Lineage | None = LINEAGE
) -> dict[str, Any]:
    document = ml_bom(report, about, lineage=lineage, rules=RULES, moment=NOON)
    assert schema_error(json.dumps(document).encode(), "1.7") is None
    return document


CASES = [
    a_report(),
    a_report(found(), found(offset=3), found(Level.UNKNOWN), found(Level.LOW, place="x/\ud800")),
    a_report(files=[("model.pkl", "3" * 64)]),
    a_report(digests=False),
    a_report(files=[("\udcff\x07.pkl", "3" * 64)]),
]


@pytest.mark.parametrize("report", CASES, ids=["clean", "findings", "one-file", "no-digests", "odd-name"])
@pytest.mark.parametrize(
    "about",
    [
        ABOUT,
        None,
        Described("adult", "1", "dataset"),
        Described("x", source="not a url", licence="§ own words"),
    ],
    ids=["model", "nothing-known", "dataset", "odd"],
)
@pytest.mark.parametrize("lineage", [LINEAGE, None], ids=["lineage", "no-lineage"])
def test_both_bills_are_valid_whatever_was_scanned(
    report: ScanReport, about: Described | None, lineage: Lineage | None
) -> None:
    bill(report, about, lineage)
    graph_of(spdx(report, about, lineage=lineage, moment=NOON))


def test_a_file_and_a_folder_carry_the_digests_they_are_known_by() -> None:
    one = bill(a_report(files=[("model.pkl", "3" * 64)]))["metadata"]["component"]
    assert one["hashes"] == [{"alg": "SHA-256", "content": "3" * 64}]
    folder = bill(a_report())
    properties = {entry["name"]: entry["value"] for entry in folder["metadata"]["properties"]}
    assert properties["alcaide:digest:listing:sha256"] == listing_digest(FILES)
    assert properties["alcaide:digest:root:sha256"] == root_digest(FILES)
    assert [part["hashes"][0]["content"] for part in folder["components"][:2]] == ["1" * 64, "2" * 64]


def test_findings_are_read_back_as_what_is_wrong_with_their_file() -> None:
    document = bill(a_report(found(), found(Level.LOW, offset=9)))
    entries = document["vulnerabilities"]
    assert [entry["ratings"][0]["severity"] for entry in entries] == ["critical", "low"]
    assert entries[0]["cwes"] == [502]
    assert entries[0]["recommendation"] == "Do not load it."
    (ref,) = entries[0]["affects"]
    assert (
        next(part["name"] for part in document["components"] if part["bom-ref"] == ref["ref"])
        == "config.json"
    )
    assert CycloneDx().read(json.dumps(document).encode()).outcome == "failed"
    assert CycloneDx().read(json.dumps(bill(a_report())).encode()).outcome == "passed"


def test_what_was_not_seen_makes_the_bill_incomplete_and_not_clean() -> None:
    assert bill(a_report())["compositions"][0]["aggregate"] == "complete"
    unseen = bill(a_report(found(Level.UNKNOWN)))
    assert unseen["compositions"][0]["aggregate"] == "incomplete"
    assert CycloneDx().read(json.dumps(unseen).encode()).outcome != "passed"


def test_the_model_card_and_pedigree_name_what_it_was_made_from() -> None:
    document = bill(a_report())
    subject = document["metadata"]["component"]
    assert [one["name"] for one in subject["pedigree"]["ancestors"]] == ["base/llama", "base/other"]
    (ref,) = [one["ref"] for one in subject["modelCard"]["modelParameters"]["datasets"]]
    assert next(part["name"] for part in document["components"] if part["bom-ref"] == ref) == "acme/loans"
    assert subject["modelCard"]["modelParameters"]["modelArchitecture"] == "llama"


def test_equal_reports_at_equal_times_give_equal_bills() -> None:
    assert bill(a_report(found())) == bill(a_report(found()))
    assert spdx(a_report(), ABOUT, moment=NOON) == spdx(a_report(), ABOUT, moment=NOON)
    assert bill(a_report())["serialNumber"] != bill(a_report(files=[("m", "4" * 64)]))["serialNumber"]


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("apache-2.0", "Apache-2.0"), ("MIT", "MIT"), ("gpl-3.0", "GPL-3.0-only"), ("llama3", ""), ("", "")],
)
def test_a_licence_by_any_case_is_the_one_of_the_list_and_others_are_their_own(
    text: str, identifier: str
) -> None:
    assert spdx_licence(text) == identifier
    assert licence_reference("llama 3/community ") == "LicenseRef-llama-3-community"


def graph_of(document: dict[str, Any]) -> Any:
    """The document as SPDX's own model reads and writes it: unknown names, wrong types and counts are refused."""
    model = pytest.importorskip("spdx_python_model").v3_0_1
    found = model.SHACLObjectSet()
    model.JSONLDDeserializer().deserialize_data(json.loads(json.dumps(document)), found)
    missing = {str(one) for one in found.link()}
    assert missing <= {"https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"}
    model.JSONLDSerializer().write(found, io.BytesIO())
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda element: element.update(colour="red"),
        lambda element: element.update(software_primaryPurpose="toy"),
        lambda element: element.update(name=3),
        lambda element: element.update(verifiedUsing=[{"type": "Hash", "algorithm": "sha256"}]),
        lambda element: element.pop("creationInfo"),
    ],
)
def test_the_checker_of_spdx_bites(spoil: Any) -> None:
    document = spdx(a_report(), ABOUT, moment=NOON)
    (package,) = elements(document, "ai_AIPackage")
    spoil(package)
    with pytest.raises(Exception):  # noqa: B017 - it raises what it likes
        graph_of(document)


def elements(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in document["@graph"] if one["type"] == kind]


def test_a_profile_is_claimed_only_with_all_that_it_demands() -> None:
    (whole,) = elements(spdx(a_report(), ABOUT, moment=NOON), "SpdxDocument")
    assert "ai" in whole["profileConformance"]
    for lacking in (
        Described("fraud-scorer", "3"),
        Described("fraud-scorer", "", "model", "Harbour Office", "https://x.example.org", "", NOON),
    ):
        (document,) = elements(spdx(a_report(), lacking, moment=NOON), "SpdxDocument")
        assert "ai" not in document["profileConformance"]
    data = Described(
        "adult", "1", "dataset", "Harbour Office", "https://x.example.org", "cc-by-4.0", NOON, NOON
    )
    (document,) = elements(spdx(a_report(), data, moment=NOON), "SpdxDocument")
    assert "dataset" in document["profileConformance"]


def test_every_package_of_ai_has_one_declared_and_one_concluded_licence() -> None:
    document = spdx(a_report(), ABOUT, lineage=LINEAGE, moment=NOON)
    packages = {one["spdxId"] for one in elements(document, "ai_AIPackage")}
    for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
        related = [
            one["from"] for one in elements(document, "Relationship") if one["relationshipType"] == kind
        ]
        assert sorted(related) == sorted(packages)


def test_a_dataset_says_how_large_it_is_and_what_sensitive_data_was_seen_in_it() -> None:
    data = DataReport("s3://open-data/loans.csv", "csv", rows=100, size=999, sha256="5" * 64, edition="1")
    data.columns = [
        ColumnProfile(
            "mail", "VARCHAR", "text", sightings=[Sighting("EMAIL_ADDRESS", "personal", "guard", 9, 100)]
        ),
        ColumnProfile("income", "DOUBLE", "number"),
    ]
    data.findings.append(found(Level.HIGH))
    about = Described("loans", "1", "dataset")
    document = spdx(as_files(data), about, data=data, moment=NOON)
    graph_of(document)
    (package,) = elements(document, "dataset_DatasetPackage")
    assert package["dataset_datasetType"] == ["text", "structured"]
    assert (package["dataset_datasetSize"], package["dataset_hasSensitivePersonalInformation"]) == (
        100,
        "yes",
    )
    assert package["verifiedUsing"][0]["hashValue"] == "5" * 64

    written = ml_bom(as_files(data), about, data=data, rules=RULES, moment=NOON)
    assert schema_error(json.dumps(written).encode(), "1.7") is None
    assert written["metadata"]["component"]["data"][0]["sensitiveData"] == ["EMAIL_ADDRESS"]
    assert written["components"][0]["name"] == "loans.csv"


def test_nothing_seen_is_no_proof_that_nothing_sensitive_is_there() -> None:
    data = DataReport("x.csv", "csv", rows=1)
    (package,) = elements(
        spdx(as_files(data), Described("x", kind="dataset"), data=data, moment=NOON), "dataset_DatasetPackage"
    )
    assert package["dataset_hasSensitivePersonalInformation"] == "noAssertion"
    assert package["dataset_datasetType"] == ["noAssertion"]


def test_relationships_findings_and_files_are_there() -> None:
    document = spdx(a_report(found()), ABOUT, lineage=LINEAGE, moment=NOON)
    kinds = {one["relationshipType"] for one in elements(document, "Relationship")}
    assert {"contains", "trainedOn", "dependsOn", "descendantOf"} <= kinds
    (note,) = elements(document, "Annotation")
    assert note["statement"] == "critical pickle/call: loading it calls `os.system`"
    assert [one["name"] for one in elements(document, "software_File")] == ["config.json", "a b/ü.gguf"]
