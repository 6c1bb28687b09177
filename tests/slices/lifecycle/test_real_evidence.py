"""The shipped gate to deployment on documents of real tools, taken in the way people take them in.

A bill of materials and a scan report as they are, and a signature made by the `model-signing` command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.slices.lifecycle.builders import ADA, LEO, MIA

from alcaide.kernel.access import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence.service.imports import import_document
from alcaide.slices.evidence.service.trust import trust_key
from alcaide.slices.inventory.service import declare
from alcaide.slices.lifecycle import queries, service

CORPUS = Path(__file__).parents[2] / "corpus"
ROOT = "e6733b6748660149c6ad07aa0c5820c8097b059bb3156e22afec29b7828becb7"  # what `model-signing` computed
REGISTER = f"""
systems:
  - name: berths
    title: Berth planning
    components:
      - kind: model
        name: berth-planner
        version: 1
        digest: sha256:{ROOT}
""".encode()
CLEAN = b"""{"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [
  {"tool": {"driver": {"name": "scanner", "version": "1"}}, "results": [%s]}]}"""
ERROR = b'{"level": "error", "ruleId": "R1", "message": {"text": "loads code from a pickle"}}'


@pytest.fixture
def berths(instance: Instance, admin: Actor) -> Instance:
    declare.apply(instance, declare.read_document(REGISTER), actor=admin)
    trust_key(instance, admin, "p256", (CORPUS / "model_signature" / "p256.pub").read_text())
    return instance


def bring(instance: Instance, *parts: str, data: bytes = b"", **options: Any) -> Any:
    content = data or CORPUS.joinpath(*parts).read_bytes()
    return import_document(instance, LEO, content, filename=parts[-1] if parts else "report.sarif", **options)


def outcomes(instance: Instance) -> dict[str, str]:
    with instance.read() as conn:
        standing = queries.standing(instance, conn, "berths", "deployment", now=instance.clock())
    return {e.requirement.id: e.outcome for e in standing.explanations} | {"gate": standing.outcome}


def test_real_documents_and_two_people_pass_the_gate_and_one_change_undoes_it(
    berths: Instance, admin: Actor
) -> None:
    bring(berths, "cyclonedx", "foreign-1.5.json", about=["system:berths"])
    bring(berths, "model_signature", "p256.sig")
    bring(berths, data=CLEAN % b"", about=["system:berths"])
    asked = service.request_move(berths, ADA, "berths", "deployment", "ready")
    assert asked.request is not None
    for actor in (LEO, MIA):
        service.decide(berths, actor, "berths", asked.request.id, "approved")
    assert set(outcomes(berths).values()) == {"passed"}

    declare.apply(
        berths,
        declare.read_document(
            REGISTER.replace(ROOT.encode(), b"0" * 64).replace(b"version: 1", b"version: 2")
        ),
        actor=admin,
    )
    found = outcomes(berths)
    assert (found["gate"], found["models-signed"]) == ("failed", "unknown")


def test_a_report_with_errors_fails_with_the_reports_own_words(berths: Instance) -> None:
    bring(berths, data=CLEAN % b"", about=["system:berths"])
    bring(berths, data=CLEAN % ERROR, about=["system:berths"])
    with berths.read() as conn:
        found = queries.standing(berths, conn, "berths", "deployment", now=berths.clock()).explanations[2]
    assert found.outcome == "failed"
    assert "1 results at level error: `R1`" in found.reason


def test_documents_about_something_else_do_not_count(berths: Instance) -> None:
    bring(berths, "cyclonedx", "foreign-1.5.json", about=[f"model:berth-planner=sha256:{ROOT}"])
    bring(berths, data=CLEAN % b"", about=[f"model:berth-planner=sha256:{ROOT}"])
    assert set(outcomes(berths).values()) == {"unknown"}


def test_a_signature_by_nobody_known_does_not_count_and_takes_nothing_away(berths: Instance) -> None:
    bring(berths, "model_signature", "p384.sig")
    assert outcomes(berths)["models-signed"] == "unknown"
    bring(berths, "model_signature", "p256.sig")
    assert outcomes(berths)["models-signed"] == "passed"
    bring(berths, "model_signature", "shards.sig")
    assert outcomes(berths)["models-signed"] == "passed"
