"""The three predicates keep their form: golden files, and the pages that quote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.evidence import parse_statement
from alcaide.kernel.instance import Instance
from alcaide.predicates.changed import Changed
from alcaide.predicates.intake_decided import IntakeDecided
from alcaide.predicates.registered import Registered
from alcaide.predicates.retired import Retired
from alcaide.slices.inventory import service
from alcaide.slices.inventory.rules.validate import system_fields

GOLDEN = Path(__file__).parent / "golden"
PAGES = Path(__file__).parents[3] / "docs" / "predicates"
PREDICATES = {"registered": Registered, "changed": Changed, "retired": Retired}


@pytest.fixture
def said(instance: Instance, lead: Actor) -> dict[str, Any]:
    """The Statements of a system's whole life, by kind."""
    first = system_fields(
        {"name": "loan-desk", "title": "Loan desk", "purpose": "Sorts applications", "owner": "Ada"}
    )
    later = system_fields(
        {"name": "loan-desk", "title": "Loan desk", "purpose": "Sorts applications", "owner": "Bo"}
    )

    def life(tx: Any) -> None:
        service.register_system(tx, first, actor=lead, reason="first entry", via="page")
        service.edit_system(tx, "loan-desk", later, expected=1, actor=lead, reason="handed over", via="page")
        service.retire_system(tx, "loan-desk", actor=lead, reason="replaced by a rule", via="page")

    instance.write(life)
    with instance.read() as conn:
        records = instance.view(conn, {"name:system:loan-desk"}).records
    return {record.predicate_type.split(":")[2]: record.statement for record in records}


@pytest.mark.parametrize("kind", PREDICATES)
def test_what_is_written_today_equals_the_golden_file(kind: str, said: dict[str, Any]):
    assert said[kind].to_json() == json.loads((GOLDEN / f"{kind}.json").read_text())


@pytest.mark.parametrize("kind", PREDICATES)
def test_the_golden_file_reads_as_its_predicate(kind: str):
    statement = parse_statement((GOLDEN / f"{kind}.json").read_bytes())

    read = PREDICATES[kind].read(statement)

    assert read.about(statement.subjects).to_bytes() == statement.to_bytes()


@pytest.mark.parametrize("kind", PREDICATES)
def test_the_page_names_every_field_and_quotes_the_golden_file(kind: str):
    page = (PAGES / f"{kind}.md").read_text()

    assert PREDICATES[kind].TYPE in page
    assert (GOLDEN / f"{kind}.json").read_text().strip() in page
    for field in PREDICATES[kind].__struct_fields__:
        assert f"`{field}`" in page, field


def test_the_decision_about_a_request_keeps_its_form():
    golden = (GOLDEN / "intake-decided.json").read_text()
    page = (PAGES / "intake-decided.md").read_text()
    statement = parse_statement(golden.encode())

    assert IntakeDecided.read(statement).about(statement.subjects).to_json() == json.loads(golden)
    assert golden.strip() in page
    for field in IntakeDecided.__struct_fields__:
        assert f"`{field}`" in page, field


def test_each_digest_of_a_life_is_the_one_before_the_next(said: dict[str, Any]):
    registered, changed, retired = (said[kind] for kind in PREDICATES)

    assert registered.subjects[0].sha256 == changed.predicate["digest_before"]
    assert (
        changed.predicate["digest_after"] == changed.subjects[0].sha256 == retired.predicate["digest_before"]
    )
