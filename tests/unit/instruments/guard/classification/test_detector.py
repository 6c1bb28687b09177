"""Markings by how they stand, words of an organisation, canaries; and files that a policy pins."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from alcaide.instruments.guard.detectors.classification import (
    CLASSIFICATION,
    CanaryRegister,
    Classification,
    Dictionary,
    make_canary,
)
from alcaide.instruments.guard.detectors.classification.canaries import KINDS, Canary
from alcaide.instruments.guard.detectors.classification.commands import build_fingerprints
from alcaide.instruments.guard.detectors.classification.commands import make_canary as register_canary
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.model import Context, Finding, Passage, Span
from alcaide.kernel.errors import InvalidInput, NotFound
from tests.unit.instruments.guard.classification.texts import PLAN, SAME_TRADE, edited

CORPUS = Path(__file__).parents[4] / "corpus" / "guard" / "classification.jsonl"
ROWS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def seen(text: str, detector: Classification = CLASSIFICATION, layer: Layer | None = None) -> list[Finding]:
    layer = layer or as_written(Passage(text))
    hits = PatternEngine({"classification": detector.patterns}).hits(layer).get("classification", ())
    return [one for one in detector.examine(layer, hits, Context()).findings if one.score >= 0.5]


def parts(text: str, detector: Classification) -> list[str]:
    return [text[finding.span.start : finding.span.end] for finding in seen(text, detector)]


# ── Markings ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", [row for row in ROWS if row["marking"]], ids=lambda row: row["id"])
def test_a_marking_is_recognised_by_how_it_stands(row):
    assert f"classification/marking-{row['marking']}" in {finding.rule for finding in seen(row["text"])}


@pytest.mark.parametrize("row", [row for row in ROWS if not row["marking"]], ids=lambda row: row["id"])
def test_talk_about_secrecy_is_no_marking(row):
    assert seen(row["text"]) == []


def test_markings_can_be_left_out():
    assert seen("TLP:RED\nx", CLASSIFICATION.configured({"markings": False})) == []


# ── Dictionaries ─────────────────────────────────────────────────────────────────────────────────────────────────


def words(*terms: str, **options: object) -> Classification:
    return CLASSIFICATION.configured(
        {"dictionaries": [{"label": "projects", "terms": list(terms), **options}]}
    )


def test_terms_are_found_whole_in_any_case_and_across_a_line_end():
    text = "merkur, MERKUR and the Blue\nHeron; not Merkurius"
    assert parts(text, words("Merkur", "blue heron")) == ["merkur", "MERKUR", "Blue\nHeron"]


def test_case_and_word_ends_matter_only_as_the_dictionary_says():
    assert parts("merkur Merkur", words("Merkur", case_sensitive=True)) == ["Merkur"]
    assert parts("xMerkury", words("merkur", whole_words=False)) == ["Merkur"]


def test_the_longest_of_overlapping_terms_is_told_and_the_shorter_where_the_longer_does_not_fit():
    detector = words("new york", "new york city")
    assert parts("new york city", detector) == ["new york city"]
    assert parts("new york cityscape", detector) == ["new york"]


def test_a_hundred_thousand_terms_are_one_dictionary():
    terms = [f"part {number:06d}" for number in range(100_000)]
    detector = Classification().holding(
        dictionaries=[Dictionary.of(terms, name="parts", label="part numbers")]
    )
    assert parts("order part 004711 and part 999999", detector) == ["part 004711"]


def test_a_term_can_be_given_an_entity_to_be_replaced_by():
    (finding,) = seen("merkur", words("merkur", entity="PROJECT"))
    assert finding.entity == "PROJECT"
    assert finding.evidence["label"] == "projects"


# ── Canaries ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_is_recognised_and_another_is_not(kind):
    planted, other = make_canary(kind, label="crm export"), make_canary(kind, label="other")
    detector = Classification().holding(registers=[CanaryRegister([planted])])
    (finding,) = [one for one in seen(f"see {planted.value} there", detector) if one.category == "canary"]
    assert "crm export" in finding.message
    assert not [one for one in seen(f"see {other.value} there", detector) if one.category == "canary"]


def test_a_canary_spelled_apart_and_in_other_case_is_recognised_with_its_whole_extent():
    planted = make_canary("uuid", label="x")
    detector = Classification().holding(registers=[CanaryRegister([planted])])
    disguised = planted.value.replace("-", " \n").upper()
    assert parts(f"a {disguised} b", detector) == [disguised]


def test_a_canary_inside_a_decoded_layer_is_told_at_the_encoded_run():
    planted = make_canary("sentence", label="x")
    detector = Classification().holding(registers=[CanaryRegister([planted])])
    encoded = base64.b64encode(planted.value.encode()).decode()
    layer = Layer(Passage(f"q {encoded}"), planted.value, ("base64",), whole=Span(2, 2 + len(encoded)))
    (finding,) = seen("", detector, layer)
    assert finding.span == Span(2, 2 + len(encoded))
    assert finding.layers == ("base64",)


def test_a_kind_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(InvalidInput, match="sentence"):
        make_canary("parrot", label="x")


def test_a_canary_too_short_to_be_sure_is_refused():
    with pytest.raises(InvalidInput, match="too few"):
        CanaryRegister([Canary("uuid", "abc-123", "x")])


# ── Files and commands ───────────────────────────────────────────────────────────────────────────────────────────


def a_store(folder: Path) -> tuple[Path, str]:
    (folder / "plan").mkdir()
    for index, text in enumerate(PLAN):
        (folder / "plan" / f"{index}.txt").write_text(text, encoding="utf-8")
    built = build_fingerprints([folder / "plan"], "board papers", folder / "store.fpr")
    assert built.documents == len(PLAN)
    return built.path, built.sha256


def test_documents_in_a_folder_are_recognised_through_a_policy(tmp_path):
    path, digest = a_store(tmp_path)
    detector = CLASSIFICATION.configured({"fingerprints": [{"path": str(path), "sha256": digest}]})
    (finding,) = seen(edited(PLAN[0], 0.2, 1), detector)
    assert finding.category == "confidential-document"
    assert "board papers" in finding.message
    assert seen(SAME_TRADE[0], detector) == []


def test_adding_documents_keeps_those_that_were_there(tmp_path):
    path, _ = a_store(tmp_path)
    extra = tmp_path / "extra.txt"
    extra.write_text(SAME_TRADE[0], encoding="utf-8")
    built = build_fingerprints([extra], "papers", path)
    assert built.documents == len(PLAN) + 1
    detector = CLASSIFICATION.configured({"fingerprints": [{"path": str(path)}]})
    assert seen(PLAN[1], detector)
    assert seen(SAME_TRADE[0], detector)


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path):
    path, digest = a_store(tmp_path)
    with pytest.raises(InvalidInput, match="not the file that was pinned"):
        CLASSIFICATION.configured({"fingerprints": [{"path": str(path), "sha256": "0" * 64}]})
    assert CLASSIFICATION.configured({"fingerprints": [{"path": str(path), "sha256": digest}]}).stores


@pytest.mark.parametrize("cut", [4, 40, -4, -40])
def test_a_store_cut_short_is_refused(tmp_path, cut):
    path, _ = a_store(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidInput):
        CLASSIFICATION.configured({"fingerprints": [{"path": str(path)}]})


def test_a_missing_file_is_told_by_its_name(tmp_path):
    with pytest.raises(NotFound, match=r"nowhere\.fpr"):
        CLASSIFICATION.configured({"fingerprints": [{"path": str(tmp_path / "nowhere.fpr")}]})


def test_a_canary_is_remembered_and_recognised_through_a_policy(tmp_path):
    register = tmp_path / "canaries.json"
    first = register_canary("uuid", "payroll", register)
    second = register_canary("email", "crm", register, host="canary.example.org")
    assert hashlib.sha256(register.read_bytes()).hexdigest() == second.sha256
    detector = CLASSIFICATION.configured({"canaries": [{"path": str(register), "sha256": second.sha256}]})
    found = seen(f"{first.canary.value} {second.canary.value}", detector)
    assert [finding.evidence["label"] for finding in found] == ["payroll", "crm"]


def test_terms_come_from_a_file_with_remarks(tmp_path):
    path = tmp_path / "projects.txt"
    path.write_text("# names\n\nMerkur\nBlue Heron\n", encoding="utf-8")
    detector = CLASSIFICATION.configured({"dictionaries": [{"path": str(path), "label": "projects"}]})
    assert parts("blue heron # names", detector) == ["blue heron"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dictionary": []}, "`dictionary`"),
        ({"markings": "yes"}, "`markings`"),
        ({"dictionaries": {}}, "`dictionaries`"),
        ({"dictionaries": [{"terms": ["x"]}]}, "`label`"),
        ({"dictionaries": [{"label": "x"}]}, "`path`"),
        ({"dictionaries": [{"label": "x", "terms": []}]}, "no terms"),
        ({"fingerprints": [{"sha256": "0"}]}, "`path`"),
        ({"canaries": [{"path": 1}]}, "`path`"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(InvalidInput, match=said):
        CLASSIFICATION.configured(options)
