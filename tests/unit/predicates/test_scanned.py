"""What scans and checks of signatures say: spelled as ever, on a page, and never better than what was found."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, parse_statement
from alcaide.predicates.artifact_scanned import MAX_FINDINGS, ArtifactScanned, ScanFinding
from alcaide.predicates.base import By, Predicate
from alcaide.predicates.content import ITSELF, listing_digest, root_digest, subjects_of_files
from alcaide.predicates.dataset_scanned import ColumnClass, DataFinding, DatasetScanned, Measure
from alcaide.predicates.imported import VerifiedBy
from alcaide.predicates.signature_verified import Difference, SignatureVerified

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[3] / "docs" / "predicates"
FILES = [("config.json", "1" * 64), ("model.pkl", "2" * 64)]
MODEL = subjects_of_files("model:fraud-scorer@3", FILES)
COMMON: dict[str, Any] = {
    "at": "2026-11-25T09:30:00.000000Z",
    "by": By(kind="user", id="u-1", name="Mia"),
    "reason": "before the move to deployment",
}
LOAD = ScanFinding(
    rule="pickle/call",
    level="critical",
    message="loading it calls `os.system` with `'id'`",
    file="model.pkl",
    place="data.pkl",
    offset=42,
    fingerprint="0123456789abcdef0123456789abcdef",
    taxonomy=("cwe/CWE-502",),
)
NONE = {"critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0}
SCANNED = ArtifactScanned(
    edition="0.1.0+3f2a9c1b7d04", fail_on="medium", outcome="failed", counts={**NONE, "critical": 1, "low": 2},
    findings=(LOAD,), findings_total=3, files=2, bytes=5120, root=listing_digest(FILES),
    formats={"json": 1, "pickle": 1}, outcome_reason="1 critical, 2 low; loading it calls `os.system` with `'id'`",
    policy="d" * 64, left_out=(".git/",), facts={"library": "scikit-learn"}, **COMMON,
)  # fmt: skip
DATA = DatasetScanned(
    edition="0.1.0+3f2a9c1b7d04", fail_on="high", outcome="passed", counts={**NONE, "medium": 1},
    findings=(
        DataFinding(
            rule="labels/error", level="medium", message="5 labels are probably wrong", columns=("income",),
            count=5, rows=("7", "40"), fingerprint="f" * 32, taxonomy=("mitre-atlas/AML.T0020",),
        ),
    ),
    findings_total=1, rows=48_842, root="3" * 64,
    columns=(ColumnClass(name="e-mail", type="VARCHAR", classes={"EMAIL_ADDRESS": 0.98}),), columns_total=15,
    measures=(Measure(name="exact-duplicate-share", value=0.001), Measure(name="leakage-share")),
    outcome_reason="", policy="d" * 64, rows_read=48_842, files=1, bytes=3_974_305, format="csv",
    source="s3://open-data/adult.csv", against={"test set": "4" * 64}, facts={"delimiter": ","}, **COMMON,
)  # fmt: skip
VERIFIED = SignatureVerified(
    kind="model-signature", way="certificate", outcome="failed", signature="5" * 64,
    outcome_reason="1 file is not as signed: `model.pkl`", verified_by=(VerifiedBy(name="model-ca", sha256="6" * 64),),
    signer="CN=model team", issuer="CN=model CA", signed_at="2026-11-24T08:00:00.000000Z", files=2,
    changed=Difference(count=1, files=("model.pkl",)), missing=Difference(count=1, files=("a",)),
    unsigned=Difference(count=1, files=("b",)), predicate_type="https://model_signing/signature/v1.0",
    builder="https://ci.example.org/builder/v1", source="git+https://git.example.org/models", **COMMON,
)  # fmt: skip
EACH: list[Predicate] = [SCANNED, DATA, VERIFIED]


def name_of(predicate: Predicate) -> str:
    return predicate.TYPE.split(":")[2]


@pytest.mark.parametrize("predicate", EACH, ids=name_of)
def test_each_is_spelled_as_ever(predicate: Predicate) -> None:
    spelled = predicate.about(MODEL).to_bytes()
    assert spelled == (GOLDEN / f"{name_of(predicate)}.json").read_bytes().rstrip(b"\n")
    assert type(predicate).read(parse_statement(spelled)) == predicate


@pytest.mark.parametrize("predicate", EACH, ids=name_of)
def test_each_has_its_page_with_every_field_and_the_golden_example(predicate: Predicate) -> None:
    page = (DOCS / f"{name_of(predicate)}.md").read_text(encoding="utf-8")
    assert predicate.TYPE in page
    fields = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(predicate.__struct_fields__) <= set(fields)
    quoted = re.search(r"^## Example\n.*?```json\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    assert quoted is not None
    assert json.loads(quoted[1]) == json.loads((GOLDEN / f"{name_of(predicate)}.json").read_bytes())


@pytest.mark.parametrize("predicate", EACH, ids=name_of)
def test_fields_of_a_later_version_are_passed_over(predicate: Predicate) -> None:
    said = predicate.about(MODEL)
    later = Statement(said.subjects, said.predicate_type, {**said.predicate, "mood": "good"})
    assert type(predicate).read(later) == predicate


@pytest.mark.parametrize(
    ("counts", "files", "at_best"),
    [
        ({}, 1, "passed"),
        ({"low": 3}, 1, "passed"),
        ({"medium": 1}, 1, "failed"),
        ({"critical": 1, "unknown": 1}, 1, "failed"),
        ({"unknown": 1}, 1, "unknown"),
        ({}, 0, "unknown"),
    ],
)
@pytest.mark.parametrize("outcome", ["passed", "unknown", "failed"])
def test_no_outcome_is_better_than_what_was_found(
    counts: dict[str, int], files: int, at_best: str, outcome: str
) -> None:
    change: dict[str, Any] = {
        "counts": {**NONE, **counts}, "files": files, "outcome": outcome, "findings": (),
        "findings_total": sum(counts.values()),
    }  # fmt: skip
    order = ["passed", "unknown", "failed"]
    if order.index(outcome) < order.index(at_best):
        with pytest.raises(InvalidInput, match=f"by what was found it is `{at_best}`"):
            msgspec.structs.replace(SCANNED, **change)
    else:
        assert msgspec.structs.replace(SCANNED, **change).outcome == outcome


@pytest.mark.parametrize(
    "change",
    [
        {"findings_total": 2},
        {
            "findings": (LOAD,) * (MAX_FINDINGS + 1),
            "counts": {**NONE, "critical": 501},
            "findings_total": 501,
        },
        {"counts": {"fatal": 1, "critical": 2}},
        {"counts": {**NONE, "low": -1, "critical": 4}},
        {"fail_on": "unknown"},
    ],
)
def test_figures_that_contradict_each_other_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        msgspec.structs.replace(SCANNED, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"verified_by": ()},
        {"changed": Difference(count=1, files=("a",))},
        {"missing": Difference(count=1, files=("a",))},
        {"unsigned": Difference(count=1, files=())},
    ],
)
def test_a_signature_passes_only_with_a_signer_and_every_file_as_signed(change: dict[str, Any]) -> None:
    good: dict[str, Any] = {"changed": None, "missing": None, "unsigned": None, "outcome": "passed"}
    assert msgspec.structs.replace(VERIFIED, **good).outcome == "passed"
    with pytest.raises(InvalidInput, match="cannot be `passed`"):
        msgspec.structs.replace(VERIFIED, **{**good, **change})


def test_more_rows_or_files_than_may_be_named_are_refused() -> None:
    with pytest.raises(InvalidInput, match="over the limit of 20"):
        DataFinding(rule="r", level="low", message="m", rows=("1",) * 21)
    with pytest.raises(InvalidInput, match="at most 50"):
        Difference(count=60, files=("a",) * 51)


def test_a_listing_digest_is_what_coreutils_compute(tmp_path: Path) -> None:
    from hashlib import sha256

    contents = {"a b/c": b"1", "a": b"22", "b\nc": b"3", "ü": b"4", "A": b""}
    contents = {("x/" + name if name == "a" else name): data for name, data in contents.items()}
    for name, data in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    command = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    files = [(name, sha256(data).hexdigest()) for name, data in contents.items()]
    assert listing_digest(files) == done.stdout.split()[0]


def test_a_renamed_file_changes_the_listing_digest_and_not_the_root() -> None:
    renamed = [("config.json", "1" * 64), ("modeling.py", "2" * 64)]
    assert root_digest(renamed) == root_digest(FILES)
    assert listing_digest(renamed) != listing_digest(FILES)


def test_what_lies_beside_the_content_does_not_change_what_a_folder_is_known_by() -> None:
    beside = [
        ("model.sig", "8" * 64),
        (".gitattributes", "9" * 64),
        (".git/HEAD", "a" * 64),
        (".github/x", "b" * 64),
    ]
    assert subjects_of_files("model:fraud-scorer@3", [*FILES, *beside]) == MODEL
    for content in (("deep/model.sig", "8" * 64), ("deep/.gitattributes", "9" * 64), (".gitx", "a" * 64)):
        assert subjects_of_files("model:fraud-scorer@3", [*FILES, content]) != MODEL


def test_one_file_goes_by_its_own_digest_and_a_folder_by_its_listing() -> None:
    assert next(s.sha256 for s in subjects_of_files("model:m@1", [(ITSELF, "7" * 64)])) == "7" * 64
    assert [s.sha256 for s in MODEL] == [listing_digest(FILES), root_digest(FILES)]
    assert {s.name for s in MODEL} == {"model:fraud-scorer@3"}
    for wrong in ([], [("a", "1" * 64), ("a", "2" * 64)]):
        with pytest.raises(InvalidInput):
            subjects_of_files("model:m@1", wrong)
