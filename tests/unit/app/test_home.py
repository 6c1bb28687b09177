"""The first page: what needs somebody comes first, and silence is never taken for nothing to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alcaide.app.home import Figure, figures
from alcaide.kernel.errors import Corrupt
from alcaide.kernel.slice import AttentionItem, Manifest, Panel
from alcaide.slices.operations.tables import verification
from tests.builders import NOON

ITEMS = [
    AttentionItem(
        "waiting", "an approval waits", "for the security lead", "/gates/1", NOON - timedelta(days=2)
    ),
    AttentionItem(
        "unknown", "no scan on record", "for model:fraud-scorer@3", "/systems/a", NOON - timedelta(days=1)
    ),
    AttentionItem("unknown", "an older question", "", "/systems/b", NOON - timedelta(days=9), count=3),
    AttentionItem("failed", "a suite failed", "", "/systems/c", None),
]


def some(conn: Any, instance: Any, actor: Any, now: Any) -> list[AttentionItem]:
    return list(ITEMS)


def many(conn: Any, instance: Any, actor: Any, now: Any) -> list[AttentionItem]:
    return [AttentionItem("unknown", f"question {n:02}", "", f"/systems/{n}") for n in range(20)]


def breaks(conn: Any, instance: Any, actor: Any, now: Any) -> list[AttentionItem]:
    raise RuntimeError("detail of the inside")


def refuses(conn: Any, instance: Any, actor: Any, now: Any) -> list[AttentionItem]:
    raise Corrupt("leaf 7 does not match its hash")


PANELS = [
    Panel("home", "Shown", 1, "test.view", lambda ctx: ("test/panel.html", {"name": "<b>loan-desk</b>"})),
    Panel("system", "Elsewhere", 1, "test.view", lambda ctx: ("nowhere.html", {})),
    Panel("home", "Empty", 2, "test.view", lambda ctx: None),
]


def a_slice(attention: str = "", panels: bool = False) -> Manifest:
    return Manifest(
        name="test",
        title="Testing",
        question="?",
        attention=f"{__name__}:{attention}" if attention else None,
        panels=f"{__name__}:PANELS" if panels else None,
    )


def note_verification(instance: Any, *, intact: bool) -> None:
    row = {
        "id": "v1",
        "job_id": None,
        "started_at": NOON - timedelta(minutes=2),
        "finished_at": NOON - timedelta(minutes=1),
        "size": 1,
        "root": "00",
        "intact": intact,
        "first_bad": None if intact else 0,
        "reason": "" if intact else "leaf 0 does not match its hash",
    }
    with instance.db.transaction() as conn:
        conn.execute(verification.insert().values(**row))


def test_failed_comes_before_unknown_before_waiting_and_the_oldest_first(visit):
    text = visit(a_slice("some")).get("/").text

    places = [
        text.index(title)
        for title in ("a suite failed", "an older question", "no scan on record", "an approval waits")
    ]
    assert places == sorted(places)


def test_figures_count_things_rather_than_lines():
    assert figures(ITEMS) == (Figure("failed", 1), Figure("unknown", 4), Figure("waiting", 1))


def test_a_level_nobody_knows_counts_as_unknown():
    assert figures([AttentionItem("fine", "?", "", "/")]) == (
        Figure("failed", 0),
        Figure("unknown", 1),
        Figure("waiting", 0),
    )


def test_nothing_to_do_is_said_in_words(visit):
    assert "Nothing needs attention" in visit(a_slice()).get("/").text


def test_a_slice_that_breaks_is_unknown_and_not_silent(visit):
    text = visit(a_slice("breaks")).get("/").text

    assert "Testing cannot be read" in text
    assert "detail of the inside" not in text
    assert "Nothing needs attention" not in text


def test_a_slice_that_refuses_says_why(visit):
    assert "leaf 7 does not match its hash" in visit(a_slice("refuses")).get("/").text


def test_a_long_list_is_cut_and_says_by_how_much(visit):
    client = visit(a_slice("many"))

    assert "Show 8 more" in client.get("/").text
    assert "question 19" not in client.get("/").text
    assert "question 19" in client.get("/?everything=true").text


def test_a_log_that_does_not_verify_is_the_first_thing_said(visit, monkeypatch):
    client = visit(a_slice())

    def forged(conn: object) -> None:
        raise Corrupt("the head's signature does not verify")

    monkeypatch.setattr(client.app.state.instance.ledger, "checkpoint", forged)
    text = client.get("/").text

    assert "The log does not verify" in text
    assert "the head&#39;s signature does not verify" in text


def test_a_log_that_nobody_verified_is_unknown(visit):
    assert "never been verified" in visit(a_slice()).get("/").text


def test_a_log_that_was_verified_says_when(visit):
    client = visit(a_slice())
    note_verification(client.app.state.instance, intact=True)
    text = client.get("/").text

    assert "never been verified" not in text
    assert "1 from the first on" in text


def test_panels_of_this_place_are_filled_in_and_escaped(visit, tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test/panel.html").write_text("{{ name }} by {{ mark() }}")
    client = visit(a_slice(panels=True))
    client.app.state.look.more_templates["test"] = tmp_path

    assert "&lt;b&gt;loan-desk&lt;/b&gt; by <svg" in client.get("/").text


def test_a_stranger_is_asked_to_sign_in(visit, nobody):
    answer = visit(a_slice(), actor=nobody).get("/")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
