"""The predicates of this slice keep their form: golden files, and the pages that quote them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.evidence import Statement, Subject, parse_statement
from alcaide.predicates.anchored import Anchored
from alcaide.predicates.attested import Attested
from alcaide.predicates.base import By
from alcaide.predicates.imported import Imported, VerifiedBy
from alcaide.predicates.key_event import KeyEvent, TrustedKey

GOLDEN = Path(__file__).parent / "golden"
PAGES = Path(__file__).parents[3] / "docs" / "predicates"

AT = "2026-06-01T12:00:00.000000Z"
BY = By(kind="user", id="u-security-lead", name="security-lead person")
MODEL = Subject("model:fraud-scorer@3", {"sha256": "c" * 64})

EXAMPLES: dict[str, Statement] = {
    "imported": Imported(
        at=AT,
        by=BY,
        reason="before the move to deployment",
        kind="model-signature",
        title="Signature of model fraud-scorer",
        media_type="application/vnd.dev.sigstore.bundle.v0.3+json",
        sha256="d" * 64,
        size=5120,
        outcome="passed",
        signature="trusted",
        filename="fraud-scorer.sig",
        named=("model:fraud-scorer@3",),
        verified_by=(VerifiedBy(name="model-team", sha256="e" * 64),),
        leaf=41,
        summary={"files": 3, "method": "files"},
    ).about([MODEL]),
    "attested": Attested(
        at=AT,
        by=BY,
        reason="contract no. 4711, read on 3 May",
        claim="The supplier's contract covers training on our data.",
        outcome="passed",
        ref="data-processing-agreement",
        until="2027-06-01T00:00:00.000000Z",
    ).about([Subject("system:loan-desk", {"sha256": "a" * 64})]),
    "anchored": Anchored(
        at=AT,
        by=By(kind="system", id="evidence", name="Alcaide"),
        anchor="audit office",
        kind="witness",
        size=120,
        root="b" * 64,
        cosignature="— log.example.org/b/witness AAECAw==",
    ).about([Subject("log:log.example.org/a", {"sha256": "f" * 64})]),
    "key-event": KeyEvent(
        at=AT,
        by=BY,
        reason="yearly",
        event="rotated",
        keyid="ed25519:66687aadf862bd776c8fc18b8e9f8e20",
        public="0" * 64,
    ).about(
        [
            Subject(
                "key:ed25519:66687aadf862bd776c8fc18b8e9f8e20",
                {"sha256": "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"},
            )
        ]
    ),
    "trusted-key": TrustedKey(
        at=AT, by=BY, reason="handed over in person", event="trusted", name="model-team", algorithm="ed25519"
    ).about([Subject("trusted-key:model-team", {"sha256": "e" * 64})]),
}
READERS: dict[str, Any] = {
    "imported": Imported,
    "attested": Attested,
    "anchored": Anchored,
    "key-event": KeyEvent,
    "trusted-key": TrustedKey,
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_written_today_equals_the_golden_file(kind: str):
    assert json.loads(EXAMPLES[kind].to_bytes()) == json.loads((GOLDEN / f"{kind}.json").read_text())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_golden_file_reads_as_its_predicate(kind: str):
    statement = parse_statement((GOLDEN / f"{kind}.json").read_bytes())

    assert READERS[kind].read(statement).about(statement.subjects).to_bytes() == statement.to_bytes()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_its_page_names_every_field_and_quotes_the_golden_file(kind: str):
    page = (PAGES / f"{kind}.md").read_text()
    quoted = re.findall(r"```json\n(.*?)```", page, re.DOTALL)

    assert [json.loads(text) for text in quoted] == [json.loads((GOLDEN / f"{kind}.json").read_text())]
    for field in READERS[kind].__struct_fields__:
        assert f"`{field}`" in page, field


@pytest.mark.parametrize("kind", ["created", "rotated"])
def test_what_the_ledger_says_of_its_keys_reads_as_a_key_event(instance: Any, admin: Any, kind: str):
    from alcaide.slices.evidence import queries, service

    service.rotate_key(instance, admin, reason="yearly")
    with instance.read() as conn:
        chain = queries.key_chain(conn)
        said = [KeyEvent.read(instance.ledger.leaf(conn, key.leaf).statement()) for key in chain]

    assert [one.event for one in said] == ["created", "rotated"]
    assert kind in {one.event for one in said}
