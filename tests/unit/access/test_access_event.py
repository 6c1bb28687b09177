"""The predicate: spelled as ever, with a page, and without anybody's name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alcaide.kernel.access import ANONYMOUS, Actor, system_actor
from alcaide.kernel.evidence import parse_statement
from alcaide.predicates.access_event import EVENTS, AccessEvent, access_event

GOLDEN = Path(__file__).parent / "golden" / "access-event.json"
PAGE = Path(__file__).parents[3] / "docs" / "predicates" / "access-event.md"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ADMIN = Actor("user", "01k9m3v4c2t8w5x1y7z0a6b3d5", "Ada Harbour", frozenset({"admin"}))


def an_event(event="roles-changed", by=ADMIN, **more):
    return access_event(event, "01k9m3v4c2t8w5x1y7z0a6b3d4", by=by, moment=NOON, **more)


def test_it_is_spelled_as_ever():
    statement = an_event(reason="audit season", details={"before": ["viewer"], "after": ["auditor"]})

    assert statement.to_bytes() == GOLDEN.read_bytes().rstrip(b"\n")
    read = AccessEvent.read(parse_statement(statement.to_bytes()))
    assert (read.event, read.details["after"], read.by.id) == ("roles-changed", ["auditor"], ADMIN.id)


@pytest.mark.parametrize(
    "by", [ADMIN, ANONYMOUS, system_actor("cli:ada", "ada"), system_actor("alcaide", "alcaide")]
)
def test_it_never_holds_a_name(by):
    statement = an_event(by=by)

    assert statement.predicate["by"].get("name", "") == ""
    assert b"ada" not in statement.to_bytes().lower()


def test_an_event_nobody_defined_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="no access event"):
        an_event("signed-sideways")


def test_fields_of_later_versions_are_ignored():
    statement = an_event()
    later = type(statement)(
        statement.subjects, statement.predicate_type, {**statement.predicate, "weather": "fair"}
    )

    assert AccessEvent.read(later).event == "roles-changed"


def test_its_page_names_every_event_and_field():
    text = PAGE.read_text(encoding="utf-8")

    assert AccessEvent.TYPE in text
    assert [event for event in EVENTS if f"`{event}`" not in text] == []
    assert [field for field in AccessEvent.__struct_fields__ if f"`{field}`" not in text] == []
