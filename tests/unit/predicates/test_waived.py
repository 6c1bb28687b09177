from __future__ import annotations

from pathlib import Path

from alcaide.kernel.evidence import Subject, parse_statement
from alcaide.predicates.approved import Named
from alcaide.predicates.base import By
from alcaide.predicates.waived import Waived

ONE = Waived(
    at="2026-11-25T09:30:00.000000Z",
    by=By(kind="user", id="u-1", name="Leo"),
    reason="false positive",
    requirement="scanned-without-errors",
    until="2026-12-15T23:59:59.000000Z",
    requirement_digest="5" * 64,
    component=Named(name="model:scorer@3", sha256="2" * 64),
)


def test_it_is_spelled_as_ever() -> None:
    spelled = ONE.about([Subject("system:loan-desk", {"sha256": "1" * 64})]).to_bytes()
    assert spelled == (Path(__file__).parent / "golden" / "waived.json").read_bytes().rstrip(b"\n")
    assert Waived.read(parse_statement(spelled)) == ONE


def test_it_has_its_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "predicates" / "waived.md").read_text(encoding="utf-8")
    assert Waived.TYPE in page
    assert all(field in page for field in Waived.__struct_fields__)
