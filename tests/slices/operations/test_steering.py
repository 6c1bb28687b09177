"""Who interferes with a job is evidence, with the reason; and what is not done is not said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.evidence import parse_statement
from alcaide.kernel.instance import Instance
from alcaide.kernel.jobs import State, enqueue, store
from alcaide.predicates.job_steered import JobSteered
from alcaide.slices.operations import service

GOLDEN = Path(__file__).parent / "golden" / "job-steered.json"
PAGE = Path(__file__).parents[3] / "docs" / "predicates" / "job-steered.md"


def a_job(instance: Instance) -> str:
    with instance.db.transaction() as conn:
        return enqueue(conn, instance.clock(), "test", {})


def said_of(instance: Instance, job_id: str) -> list[JobSteered]:
    with instance.read() as conn:
        view = instance.view(conn, [f"name:job:{job_id}"])
    assert view.complete
    return [JobSteered.read(record.statement) for record in view.records]


def size(instance: Instance) -> int:
    with instance.read() as conn:
        return instance.ledger.checkpoint(conn).size


@pytest.mark.both_databases
def test_what_a_person_does_to_a_job_is_in_the_log_in_order_with_who_and_why(instance: Instance, admin: Any):
    job_id = a_job(instance)

    service.run_job_now(instance, admin, job_id)
    service.cancel_job(instance, admin, job_id, reason="  the disk is\nneeded ")
    service.retry_job(instance, admin, job_id, reason="it is free again")

    said = said_of(instance, job_id)
    assert [(one.action, one.state, one.reason) for one in said] == [
        ("brought-forward", "queued", ""),
        ("cancelled", "queued", "the disk is needed"),
        ("retried", "cancelled", "it is free again"),
    ]
    assert {(one.by.id, one.job, one.kind) for one in said} == {(admin.id, job_id, "test")}
    with instance.read() as conn:
        assert store.get(conn, job_id).state is State.QUEUED


def test_a_cancellation_without_a_reason_changes_and_says_nothing(instance: Instance, admin: Any):
    job_id, before = a_job(instance), size(instance)

    with pytest.raises(InvalidInput) as refused:
        service.cancel_job(instance, admin, job_id, reason=" ")

    assert "reason" in refused.value.fields
    assert size(instance) == before
    with instance.read() as conn:
        assert store.get(conn, job_id).state is State.QUEUED


def test_what_cannot_be_done_is_not_said(instance: Instance, admin: Any):
    job_id, before = a_job(instance), size(instance)

    with pytest.raises(Conflict):
        service.retry_job(instance, admin, job_id, reason="again")
    with pytest.raises(NotFound):
        service.cancel_job(instance, admin, "nothing", reason="x")
    with pytest.raises(InvalidInput):
        service.run_job_now(instance, admin, job_id, reason="x" * 3_000)

    assert size(instance) == before


def test_the_page_and_the_api_ask_for_the_reason_of_a_cancellation(instance: Instance, client: Any):
    job_id = a_job(instance)
    page = client.get(f"/operations/jobs/{job_id}").text
    client.headers["X-CSRF-Token"] = page.split('name="csrf-token" content="')[1].split('"')[0]
    base = f"/api/v1/operations/jobs/{job_id}"

    assert "Why is it cancelled?" in page
    assert client.post(f"{base}/cancel").status_code == 422
    assert client.post(f"{base}/cancel", json={"reason": " "}).status_code in (400, 422)
    assert "say why" in client.post(f"/operations/jobs/{job_id}/cancel").text
    assert said_of(instance, job_id) == []
    assert client.post(f"{base}/run", json={"reason": "now"}).json()["state"] == "queued"
    client.post(f"/operations/jobs/{job_id}/cancel", data={"reason": "not needed"})
    assert [one.reason for one in said_of(instance, job_id)] == ["now", "not needed"]


def test_its_golden_file_reads_as_its_predicate_and_its_page_quotes_it():
    statement = parse_statement(GOLDEN.read_bytes())
    page = PAGE.read_text()

    assert JobSteered.read(statement).about(statement.subjects).to_json() == json.loads(GOLDEN.read_text())
    assert GOLDEN.read_text().strip() in page
    for field in JobSteered.__struct_fields__:
        assert f"`{field}`" in page, field
