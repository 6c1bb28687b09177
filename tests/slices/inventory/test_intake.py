"""The public form, its limits, and the queue behind it: nothing of it is evidence before somebody has decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.errors import ConfigError, Conflict, InvalidInput, NotFound, TooMany
from alcaide.kernel.instance import Instance
from alcaide.predicates.intake_decided import IntakeDecided
from alcaide.slices.inventory import queries
from alcaide.slices.inventory import tables as t
from alcaide.slices.inventory.model import Status
from alcaide.slices.inventory.rules.validate import system_fields
from alcaide.slices.inventory.service import intake, register_system
from alcaide.slices.inventory.service.intake import IntakeSettings, State, wish_of

ASKED = {
    "title": "Summaries of tender documents",
    "purpose": "Summarise tender documents for the purchasing unit",
    "requester": "Ada Berth",
    "unit": "Purchasing",
    "email": "ada@harbour.example",
}
Ask = Callable[..., intake.Receipt]


@pytest.fixture
def ask(instance: Instance) -> Ask:
    """`ask(title="…")`: one request from one address."""

    def send(address: str = "a", settings: IntakeSettings | None = None, **fields: str) -> intake.Receipt:
        return intake.submit(
            instance.db,
            wish_of(ASKED | fields),
            now=instance.clock(),
            address_key=address,
            settings=settings or IntakeSettings(),
        )

    return send


def leaves(instance: Instance) -> int:
    with instance.read() as conn:
        return instance.ledger.checkpoint(conn).size


def decisions(instance: Instance, reference: str) -> list[IntakeDecided]:
    with instance.read() as conn:
        view = instance.view(conn, [f"name:intake:{reference}"])
    assert view.complete
    return [IntakeDecided.read(record.statement) for record in view.records]


def request_of(instance: Instance, reference: str) -> intake.Request:
    with instance.read() as conn:
        return intake.get_request(conn, reference)


# ── what is taken ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_a_request_waits_outside_the_ledger_until_it_is_accepted(instance: Instance, ask: Ask, lead: Actor):
    before = leaves(instance)
    receipt = ask()
    assert leaves(instance) == before
    assert request_of(instance, receipt.reference).state is State.WAITING

    fields = system_fields({"name": "tender-summaries", "title": "Tender summaries"})
    instance.write(lambda tx: intake.accept(tx, receipt.reference, fields, actor=lead, reason="useful"))

    assert leaves(instance) == before + 2
    assert [said.decision for said in decisions(instance, receipt.reference)] == ["accepted"]
    decided = request_of(instance, receipt.reference)
    assert (decided.state, decided.system_name) == (State.ACCEPTED, "tender-summaries")
    with instance.read() as conn:
        assert queries.get_system(conn, "tender-summaries").fields.status == "proposed"
        view = instance.view(conn, {"name:system:tender-summaries"})
    said = view.records[-1].predicate
    assert said["reason"] == f"asked for as {receipt.reference}: useful"
    assert said["via"] == "intake"
    assert "Ada Berth" not in repr(said)
    assert "ada@harbour.example" not in repr(said)


@pytest.mark.both_databases
def test_every_decision_is_evidence_and_names_neither_the_words_nor_the_requester(
    instance: Instance, ask: Ask, lead: Actor
):
    fields = system_fields({"name": "summaries", "title": "Summaries"})
    instance.write(lambda tx: register_system(tx, fields, actor=lead))
    before = leaves(instance)
    first, second = ask(), ask()

    instance.write(lambda tx: intake.reject(tx, first.reference, actor=lead, reason="not now"))
    instance.write(lambda tx: intake.merge(tx, second.reference, "system:summaries", actor=lead))

    assert leaves(instance) == before + 2
    assert [(d.decision, d.reason, d.system) for d in decisions(instance, first.reference)] == [
        ("rejected", "not now", "")
    ]
    (merged,) = decisions(instance, second.reference)
    assert (merged.decision, merged.system, merged.by.id) == ("merged", "summaries", lead.id)
    request = request_of(instance, second.reference)
    with instance.read() as conn:
        (record,) = instance.view(conn, [f"name:intake:{second.reference}"]).records
    assert record.statement.subjects == (intake.subject_of(request),)
    changed = replace(request, wish=replace(request.wish, purpose="something else"))
    assert record.statement.subjects != (intake.subject_of(changed),)
    for private in (request.wish.title, request.wish.purpose, "Ada Berth", "ada@harbour.example"):
        assert private not in record.statement.to_bytes().decode()
    assert request_of(instance, first.reference).decision_reason == "not now"
    assert request_of(instance, second.reference).system_name == "summaries"


def test_a_request_is_decided_once(instance: Instance, ask: Ask, lead: Actor):
    receipt = ask()
    instance.write(lambda tx: intake.reject(tx, receipt.reference, actor=lead, reason="no"))
    with pytest.raises(Conflict, match="is rejected already, by security-lead person"):
        instance.write(lambda tx: intake.reject(tx, receipt.reference, actor=lead, reason="no"))

    before = leaves(instance)
    fields = system_fields({"name": "late", "title": "Late"})
    with pytest.raises(Conflict):
        instance.write(lambda tx: intake.accept(tx, receipt.reference, fields, actor=lead))
    assert leaves(instance) == before
    with instance.read() as conn:
        assert queries.find_system(conn, "late") is None


def test_turning_down_needs_a_reason_and_merging_a_system(instance: Instance, ask: Ask, lead: Actor):
    receipt = ask()
    with pytest.raises(InvalidInput, match="the requester reads it"):
        instance.write(lambda tx: intake.reject(tx, receipt.reference, actor=lead, reason=" "))
    with pytest.raises(NotFound, match="there is no system `absent`"):
        instance.write(lambda tx: intake.merge(tx, receipt.reference, "absent", actor=lead))
    fields = replace(system_fields({"name": "x"}), status=Status.ACTIVE)
    with pytest.raises(InvalidInput, match="starts as `proposed`"):
        instance.write(lambda tx: intake.accept(tx, receipt.reference, fields, actor=lead))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("title", "", "is missing"),
        ("title", "x" * 121, "keep it to 120"),
        ("title", "two\nlines", "must be one line"),
        ("purpose", "", "is missing"),
        ("purpose", "x" * 4_001, "keep it to 4000"),
        ("requester", " ", "whom may we ask"),
        ("data_used", "x" * 2_001, "keep it to 2000"),
        ("email", "nobody", "is not an e-mail address"),
        ("email", "a@b@c.example", "is not an e-mail address"),
        ("email", "a@" + "b" * 260 + ".example", "keep it to 254"),
    ],
)
def test_a_request_with_a_fault_is_refused_by_field(field: str, value: str, why: str):
    with pytest.raises(InvalidInput) as refused:
        wish_of(ASKED | {field: value})
    assert why in refused.value.fields[field]


# ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_one_address_is_limited_by_the_hour_and_others_are_not(instance: Instance, ask: Ask, clock: Any):
    for _ in range(5):
        ask("a")
    with pytest.raises(TooMany, match="from your address") as refused:
        ask("a")
    assert refused.value.retry_after == 3_600
    ask("b")
    clock.advance(minutes=61)
    ask("a")


def test_all_addresses_together_are_limited_by_hour_day_and_backlog(instance: Instance, ask: Ask, clock: Any):
    settings = IntakeSettings(per_hour=2, per_day=3, waiting_limit=4)
    ask("a", settings), ask("b", settings)
    with pytest.raises(TooMany, match="within the hour"):
        ask("c", settings)
    clock.advance(hours=2)
    ask("c", settings)
    with pytest.raises(TooMany, match="today"):
        ask("d", settings)
    clock.advance(hours=25)
    ask("d", settings)
    clock.advance(hours=25)
    with pytest.raises(TooMany, match="ask the security lead directly"):
        ask("e", settings)


def test_limits_survive_a_restart_as_they_are_counted_in_the_database(instance: Instance, ask: Ask):
    for _ in range(5):
        ask("a")
    with instance.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.intake_attempt)) == 5


def test_a_refused_request_leaves_nothing_behind(instance: Instance, ask: Ask):
    settings = IntakeSettings(per_address_per_hour=1)
    ask("a", settings)
    with pytest.raises(TooMany):
        ask("a", settings)
    with instance.read() as conn:
        assert intake.tallies(conn)["waiting"] == 1


def test_attempts_are_forgotten_in_a_day_and_contacts_90_days_after_the_decision(
    instance: Instance, ask: Ask, lead: Actor, clock: Any
):
    receipt = ask()
    instance.write(lambda tx: intake.reject(tx, receipt.reference, actor=lead, reason="no"))
    clock.advance(days=89)
    ask("b")
    assert request_of(instance, receipt.reference).wish.requester == "Ada Berth"
    clock.advance(days=2)
    ask("c")
    assert request_of(instance, receipt.reference).wish.requester == ""
    assert request_of(instance, receipt.reference).wish.email == ""
    with instance.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.intake_attempt)) == 1


# ── the requester's link ───────────────────────────────────────────────────────────────────────────────────────


def test_only_the_token_opens_a_request(instance: Instance, ask: Ask):
    receipt = ask()
    other = ask()
    with instance.read() as conn:
        assert intake.opened(conn, receipt.reference, receipt.token).wish.title == ASKED["title"]
        for reference, token in (
            (receipt.reference, other.token),
            (receipt.reference, ""),
            ("R-22222222", receipt.token),
            (receipt.reference, "\ud800"),
        ):
            with pytest.raises(NotFound, match="opens no request"):
                intake.opened(conn, reference, token)
        kept = conn.execute(sa.select(t.intake_request)).all()
    assert receipt.token not in repr(kept)


def test_a_reference_is_found_however_it_was_typed(instance: Instance, ask: Ask):
    reference = ask().reference
    for typed in (reference.upper(), f" {reference} ", reference.removeprefix("R-")):
        assert request_of(instance, typed).reference == reference


# ── the queue ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_the_queue_shows_the_oldest_first_page_by_page(instance: Instance, ask: Ask, clock: Any):
    sent = []
    for n in range(5):
        sent.append(ask(str(n)).reference)
        clock.advance(minutes=1 if n != 2 else 0)
    seen, cursor = [], None
    with instance.read() as conn:
        while True:
            page = intake.list_requests(conn, state="waiting", limit=2, cursor=cursor)
            seen += [request.reference for request in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        newest = [r.reference for r in intake.list_requests(conn).items]
        with pytest.raises(InvalidInput, match="no state of a request"):
            intake.list_requests(conn, state="lost")
    assert sorted(seen) == sorted(sent)
    assert seen[:2] == sent[:2]
    assert newest[-2:] == [sent[1], sent[0]]
    assert page.total == 5


def test_systems_and_requests_with_words_in_common_are_suggested(instance: Instance, ask: Ask, lead: Actor):
    def fields(name: str, purpose: str) -> Any:
        return system_fields({"name": name, "title": name, "purpose": purpose})

    instance.write(
        lambda tx: register_system(tx, fields("tender-reader", "Reads tender documents"), actor=lead)
    )
    instance.write(lambda tx: register_system(tx, fields("berth-desk", "Plans berths"), actor=lead))
    receipt = ask()
    other = ask(title="Tender documents in other languages", purpose="Translate them")
    ask(title="Crane noises", purpose="Listen to cranes", unit="")
    with instance.read() as conn:
        found = intake.similar(conn, intake.get_request(conn, receipt.reference))
        none = intake.similar(
            conn,
            replace(
                intake.get_request(conn, receipt.reference),
                wish=wish_of(ASKED | {"title": "a %", "purpose": "_ %"}),
            ),
        )
    assert [system.name for system in found.systems] == ["tender-reader"]
    assert [request.reference for request in found.requests] == [other.reference]
    assert none.systems == ()


def test_requests_that_wait_are_on_the_first_screen_of_those_who_decide(
    instance: Instance, ask: Ask, lead: Actor, viewer: Actor, clock: Any
):
    def titles(actor: Actor) -> list[str]:
        with instance.read() as conn:
            return [i.title for i in intake.attention(conn, instance, actor, clock())]

    assert titles(lead) == []
    sent = clock()
    ask(), ask()
    clock.advance(days=1)
    assert titles(lead) == ["2 requests for a new AI use"]
    assert titles(viewer) == []
    with instance.read() as conn:
        assert intake.attention(conn, instance, lead, clock())[0].since == sent


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"colour": "blue"}, "`intake.colour` is no setting"),
        ({"enabled": "yes"}, "`intake.enabled` must be like `True`"),
        ({"per_hour": True}, "`intake.per_hour` must be like `60`"),
        ({"per_hour": -1}, "choose 0 to"),
        ({1: 2}, "`intake.1` is no setting"),
        ({"of": 1}, "`intake.of` is no setting"),
    ],
)
def test_a_wrong_setting_is_named(section: dict[Any, Any], why: str):
    with pytest.raises(ConfigError, match=re.escape(why)):
        IntakeSettings.of(section)


def test_settings_are_taken_over():
    assert IntakeSettings.of({"enabled": False, "notice": "Ask first"}) == IntakeSettings(
        enabled=False, notice="Ask first"
    )


# ── the pages ──────────────────────────────────────────────────────────────────────────────────────────────────


class Visitor:
    """Somebody without an account, with a browser."""

    def __init__(self, app: Any, clock: Any, host: str = "192.0.2.7") -> None:
        from starlette.testclient import TestClient

        self.client = TestClient(app, base_url="http://127.0.0.1:8808", client=(host, 50_000))
        self.clock = clock

    def hidden(self) -> dict[str, str]:
        page = self.client.get("/intake")
        assert page.status_code == 200, page.text[:2_000]
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))

    def send(self, *, wait: float = 30, **fields: str) -> Any:
        hidden = self.hidden()
        self.clock.advance(seconds=wait)
        return self.client.post("/intake", data=hidden | ASKED | fields)


@pytest.fixture
def visitor(app: Any, clock: Any) -> Visitor:
    return Visitor(app, clock)


def test_a_visitor_asks_and_follows_the_answer(visitor: Visitor, instance: Instance, client_as: Any):
    sent = visitor.send()
    assert sent.status_code == 200
    assert "Waiting for a decision" in sent.text
    link = sent.url.path
    reference = link.split("/")[2]
    assert sent.headers["cache-control"] == "no-store"

    lead = client_as("security-lead")
    queue = lead.get("/inventory/intake")
    assert "Summaries of tender documents" in queue.text
    page = lead.get(f"/inventory/intake/{reference}")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    values = {
        "csrf_token": token[1],
        "name": "tender-summaries",
        "title": "Tender summaries",
        "owner": "Ada Berth",
    }
    done = lead.post(f"/inventory/intake/{reference}/accept", data=values)
    assert done.url.path == "/inventory/systems/tender-summaries"

    assert "tender-summaries" in visitor.client.get(link).text
    assert "tender-summaries" in lead.get("/inventory/intake?state=accepted").text
    assert (
        "That was not done"
        in lead.post(f"/inventory/intake/{reference}/accept", data=values | {"name": "again"}).text
    )


def test_decisions_with_a_fault_show_the_page_again(visitor: Visitor, client_as: Any):
    reference = visitor.send().url.path.split("/")[2]
    lead = client_as("security-lead")
    page = lead.get(f"/inventory/intake/{reference}")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    for decision, fields, why in (
        ("accept", {"name": "Not A Name"}, "is not usable"),
        ("merge", {"system": "absent"}, "there is no system"),
        ("reject", {"reason": ""}, "the requester reads it"),
    ):
        again = lead.post(
            f"/inventory/intake/{reference}/{decision}", data={"csrf_token": token[1], **fields}
        )
        assert again.status_code in (404, 422)
        assert why in again.text


@pytest.mark.parametrize(
    ("fields", "wait", "why"),
    [
        ({"website": "https://spam.example"}, 30, "must stay empty"),
        ({}, 1, "faster than anybody types"),
        ({}, 90_000, "more than a day"),
        ({"opened": "1.abc"}, 30, "was not opened here"),
        ({"opened": "²." + "0" * 64}, 30, "was not opened here"),
        ({"opened": ""}, 30, "was not opened here"),
        ({"title": ""}, 30, "is missing"),
        ({"purpose": "x" * 5_000}, 30, "keep it to 4000"),
    ],
)
def test_a_form_no_person_would_send_is_shown_again_and_not_queued(
    visitor: Visitor, instance: Instance, fields: dict[str, str], wait: float, why: str
):
    again = visitor.send(wait=wait, **fields)
    assert again.status_code == 422
    assert why in again.text
    assert "Ada Berth" in again.text
    with instance.read() as conn:
        assert intake.tallies(conn)["waiting"] == 0


def test_a_flood_from_one_address_is_answered_with_429(visitor: Visitor, app: Any, clock: Any):
    for _ in range(5):
        assert visitor.send().status_code == 200
    refused = visitor.send()
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "3600"
    assert Visitor(app, clock, "198.51.100.1").send().status_code == 200


def test_neighbours_of_one_ipv6_network_count_as_one(app: Any, clock: Any):
    for n in range(5):
        assert Visitor(app, clock, f"2001:db8::{n + 1}").send().status_code == 200
    assert Visitor(app, clock, "2001:db8::ffff").send().status_code == 429
    assert Visitor(app, clock, "2001:db8:0:1::1").send().status_code == 200


def test_a_form_without_its_token_is_refused(visitor: Visitor):
    hidden = visitor.hidden()
    hidden.pop("csrf_token")
    assert visitor.client.post("/intake", data=hidden | ASKED).status_code == 403


def test_a_form_that_is_switched_off_takes_nothing(instance: Instance, client_as: Any, clock: Any):
    from alcaide.app.web import create_app

    instance.config = replace(instance.config, sections={"intake": {"enabled": False}})
    visitor = Visitor(create_app(instance), clock)
    page = visitor.client.get("/intake")
    assert page.status_code == 404
    assert "not taken here" in page.text
    assert "The form is switched off" in client_as("security-lead").get("/inventory/intake").text


@pytest.mark.parametrize("role", ["viewer", "ml-engineer", "approver", "auditor"])
def test_others_than_the_lead_do_not_see_the_queue(client_as: Any, role: str, ask: Ask):
    reference = ask().reference
    client = client_as(role)
    for path in ("/inventory/intake", f"/inventory/intake/{reference}", "/api/v1/inventory/intake"):
        assert client.get(path).status_code == 403


def test_a_stranger_is_asked_to_sign_in_to_the_queue_and_reads_no_request(visitor: Visitor, ask: Ask):
    reference = ask().reference
    assert visitor.client.get("/api/v1/inventory/intake").status_code == 401
    assert visitor.client.get(f"/intake/{reference}/wrong").status_code == 404


def test_markup_in_a_request_stays_text(visitor: Visitor, client_as: Any):
    text = "<script>alert(1)</script>"
    sent = visitor.send(title=text, purpose=text, data_used=text)
    reference = sent.url.path.split("/")[2]
    for page in (sent.text, client_as("security-lead").get(f"/inventory/intake/{reference}").text):
        assert text not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize("state", ["waiting", "accepted", "merged", "rejected"])
def test_an_empty_queue_says_so(client_as: Any, state: str):
    page = client_as("security-lead").get(f"/inventory/intake?state={state}")
    assert page.status_code == 200
    assert ("Nobody waits" in page.text) == (state == "waiting")


# ── the API ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_lists_shows_and_decides(client_as: Any, ask: Ask):
    first, second, third = (ask().reference for _ in range(3))
    client = client_as("security-lead")
    page = client.get("/intake")
    headers = {"x-csrf-token": re.search(r'name="csrf-token" content="([^"]+)"', page.text)[1]}  # type: ignore[index]
    base = "/api/v1/inventory/intake"

    listed = client.get(base, params={"state": "waiting", "limit": 2}).json()
    assert (listed["total"], len(listed["items"])) == (3, 2)
    assert client.get(f"{base}/{first}").json()["similar_requests"] == sorted(
        [second, third], key=client.get(f"{base}/{first}").json()["similar_requests"].index
    )

    accepted = client.post(f"{base}/{first}/accept", json={"name": "summaries"}, headers=headers)
    assert (accepted.status_code, accepted.json()["system"]) == (200, "summaries")
    merged = client.post(f"{base}/{second}/merge", json={"system": "summaries"}, headers=headers)
    assert (merged.status_code, merged.json()["state"]) == (200, "merged")
    rejected = client.post(f"{base}/{third}/reject", json={"reason": "no"}, headers=headers)
    assert (rejected.status_code, rejected.json()["state"]) == (200, "rejected")

    again = client.post(f"{base}/{third}/reject", json={"reason": "no"}, headers=headers)
    assert again.status_code == 409
    assert client.post(f"{base}/R-22222222/reject", json={"reason": "no"}, headers=headers).status_code == 404
    assert client.post(f"{base}/{third}/reject", json={"reason": ""}, headers=headers).status_code == 422


def test_the_time_a_decision_was_made_is_the_ledgers(instance: Instance, ask: Ask, lead: Actor, clock: Any):
    receipt = ask()
    clock.advance(hours=3)
    instance.write(lambda tx: intake.reject(tx, receipt.reference, actor=lead, reason="no"))
    decided = request_of(instance, receipt.reference)
    assert decided.decided_at is not None
    assert decided.decided_at - decided.submitted_at == timedelta(hours=3)
