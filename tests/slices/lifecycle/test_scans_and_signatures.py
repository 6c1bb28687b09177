"""A gate that asks for a fresh, passed scan and a verified signature of every model."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from tests.slices.lifecycle.builders import ADA, a_system

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import Instance
from alcaide.predicates.artifact_scanned import ArtifactScanned
from alcaide.predicates.base import By
from alcaide.predicates.content import root_digest, subjects_of_files
from alcaide.predicates.graph import ComponentRef
from alcaide.predicates.imported import VerifiedBy
from alcaide.predicates.key_event import TrustedKey
from alcaide.predicates.signature_verified import Difference, SignatureVerified
from alcaide.slices.lifecycle import queries

GATE = """
gates:
  - id: to-deployment
    title: Deploy
    from: [design, safety]
    to: deployment
    requirements:
      - id: models-scanned
        title: Every model was scanned in the last 30 days, and nothing was found
        evidence: artifact-scanned
        about: { components: { kind: [model] } }
        fresh: 30d
      - id: models-verified
        title: Every model was held against a signature that is trusted here, in the last 30 days
        evidence: signature-verified
        where: predicate.kind == 'model-signature'
        about: { components: { kind: [model] } }
        fresh: 30d
    approvals:
      - { role: security-lead }
"""
GOOD = [("config.json", sha256(b"{}").hexdigest()), ("weights", sha256(b"good").hexdigest())]
TAMPERED = [GOOD[0], ("weights", sha256(b"evil").hexdigest())]
KEY = VerifiedBy(name="model-team", sha256="e" * 64)
NONE = {"critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0}


@pytest.fixture
def gate(house: Instance) -> Instance:
    folder = house.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text(GATE)
    return house


def of(files: list[tuple[str, str]]) -> tuple[Subject, ...]:
    return subjects_of_files("model:scorer@3", files)


def deployed(files: list[tuple[str, str]], digest: str | None = None) -> None:
    a_system("loan-desk", ComponentRef("model", "scorer", "3", digest or of(files)[0].sha256))


def say(house: Instance, make: Any) -> None:
    def work(tx: Any) -> int:
        statement: Statement = make(rfc3339(tx.now))
        return int(tx.append(statement))

    house.write(work)


def scanned(house: Instance, files: list[tuple[str, str]], **counts: int) -> None:
    outcome: Any = "failed" if counts.get("critical") else "unknown" if counts.get("unknown") else "passed"
    say(
        house,
        lambda at: ArtifactScanned(
            at=at, by=By.of(ADA), edition="1", fail_on="medium", outcome=outcome, counts={**NONE, **counts},
            findings=(), findings_total=sum(counts.values()), files=2, bytes=6, root=of(files)[0].sha256 or "",
            outcome_reason="loading it calls `os.system`" if outcome == "failed" else "",
        ).about(of(files)),
    )  # fmt: skip


def verified(house: Instance, files: list[tuple[str, str]], **change: Any) -> None:
    say(
        house,
        lambda at: msgspec.structs.replace(
            SignatureVerified(
                at=at, by=By.of(ADA), kind="model-signature", way="key", outcome="passed", signature="5" * 64,
                verified_by=(KEY,), files=2,
            ),
            **change,
        ).about(of(files)),
    )  # fmt: skip


def answers(house: Instance) -> tuple[str, str]:
    with house.read() as conn:
        found = queries.standing(house, conn, "loan-desk", "deployment", now=house.clock())
    by_id = {one.requirement.id: one for one in found.explanations}
    return by_id["models-scanned"].outcome, by_id["models-verified"].outcome


def reasons(house: Instance) -> str:
    with house.read() as conn:
        found = queries.standing(house, conn, "loan-desk", "deployment", now=house.clock())
    return " ".join(getattr(one.verdict, "reason", "") for one in found.explanations)


def test_a_scanned_and_verified_model_passes(gate: Instance) -> None:
    deployed(GOOD)
    scanned(gate, GOOD)
    verified(gate, GOOD)
    assert answers(gate) == ("passed", "passed")


def test_it_passes_too_where_the_register_has_the_root_digest_of_the_signature(gate: Instance) -> None:
    deployed(GOOD, root_digest(GOOD))
    scanned(gate, GOOD)
    verified(gate, GOOD)
    assert answers(gate) == ("passed", "passed")


def test_a_tampered_model_is_not_let_through_by_what_was_said_of_the_good_one(gate: Instance) -> None:
    deployed(TAMPERED)
    scanned(gate, GOOD)
    verified(gate, GOOD)
    assert answers(gate) == ("unknown", "unknown")
    assert "on record is about digest" in reasons(gate)


def test_a_tampered_model_that_was_looked_at_fails_with_the_file(gate: Instance) -> None:
    deployed(TAMPERED)
    scanned(gate, TAMPERED, critical=1)
    verified(
        gate, TAMPERED, outcome="failed", outcome_reason="1 file is not as signed: `weights`",
        changed=Difference(count=1, files=("weights",)),
    )  # fmt: skip
    assert answers(gate) == ("failed", "failed")
    assert "loading it calls `os.system`" in reasons(gate)
    assert "`weights`" in reasons(gate)


def test_without_either_it_is_unknown(gate: Instance) -> None:
    deployed(GOOD)
    assert answers(gate) == ("unknown", "unknown")


def test_what_could_not_be_looked_at_and_an_unknown_signer_are_unknown(gate: Instance) -> None:
    deployed(GOOD)
    scanned(gate, GOOD, unknown=1)
    verified(gate, GOOD, outcome="unknown", verified_by=())
    assert answers(gate) == ("unknown", "unknown")


def test_both_are_stale_after_thirty_days(gate: Instance, clock: Any) -> None:
    deployed(GOOD)
    scanned(gate, GOOD)
    verified(gate, GOOD)
    clock.advance(days=31)
    assert answers(gate) == ("unknown", "unknown")
    scanned(gate, GOOD)
    assert answers(gate) == ("passed", "unknown")


def test_a_later_bad_scan_is_not_excused_by_an_older_good_one(gate: Instance) -> None:
    deployed(GOOD)
    scanned(gate, GOOD)
    scanned(gate, GOOD, critical=1)
    assert answers(gate)[0] == "failed"


def test_a_compromised_key_takes_back_what_was_verified_under_it(gate: Instance) -> None:
    deployed(GOOD)
    verified(gate, GOOD)
    assert answers(gate)[1] == "passed"
    say(
        gate,
        lambda at: TrustedKey(
            at=at,
            by=By.of(ADA),
            event="distrusted",
            name=KEY.name,
            algorithm="ed25519",
            because="compromised",
        ).about([Subject(f"trusted-key:{KEY.name}", {"sha256": KEY.sha256})]),
    )
    assert answers(gate)[1] == "unknown"
    assert "was compromised" in reasons(gate)
