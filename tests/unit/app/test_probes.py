"""Alive, ready, and numbers: what a monitor gets, and what it does not get from afar."""

from __future__ import annotations

import pytest

from alcaide.app import health
from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Corrupt
from tests.unit.app.test_home import note_verification

AFAR = ("203.0.113.9", 40_000)


def a_token(*scopes: str) -> Actor:
    return Actor("token", "u-1", "scraper", frozenset({"viewer"}), frozenset(scopes))


def test_alive_asks_nothing_of_the_database(visit, nobody, monkeypatch):
    client = visit(actor=nobody)
    client.app.state.instance.db.close()

    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_a_monitor_may_ask_for_the_head_alone(visit, nobody, path):
    answer = visit(actor=nobody).head(path)

    assert answer.status_code == 200
    assert answer.content == b""


def test_ready_names_its_three_checks(visit, nobody, monkeypatch):
    monkeypatch.setattr("alcaide.kernel.db.migrate.is_current", lambda database: True)

    answer = visit(actor=nobody).get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "passed", "migrations": "passed", "ledger": "passed"}


def test_a_database_of_another_form_is_not_ready(visit, nobody, monkeypatch):
    monkeypatch.setattr("alcaide.kernel.db.migrate.is_current", lambda database: False)

    answer = visit(actor=nobody).get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "failed"


def test_a_head_that_does_not_verify_is_not_ready(visit, nobody, monkeypatch):
    monkeypatch.setattr("alcaide.kernel.db.migrate.is_current", lambda database: True)
    client = visit(actor=nobody)

    def forged(conn: object) -> None:
        raise Corrupt("the head's signature does not verify")

    monkeypatch.setattr(client.app.state.instance.ledger, "checkpoint", forged)
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["ledger"] == "failed"
    assert answer.json()["problems"] == {"ledger": "the head's signature does not verify"}


def test_why_it_is_not_ready_is_told_to_this_machine_alone(visit, nobody, monkeypatch):
    monkeypatch.setattr("alcaide.kernel.db.migrate.is_current", lambda database: False)

    assert "problems" not in visit(actor=nobody, client=AFAR).get("/readyz").json()


def test_metrics_are_given_to_this_machine_without_sign_in(visit, nobody):
    answer = visit(actor=nobody).get("/metrics")

    assert answer.status_code == 200
    assert "alcaide_ledger_leaves 1.0" in answer.text
    assert 'alcaide_jobs{state="queued"} 0.0' in answer.text


@pytest.mark.parametrize(
    ("actor", "status"),
    [
        (a_token("metrics"), 200),
        (a_token("metrics", "inventory.view"), 200),
        (a_token("inventory.view"), 401),
        (Actor("token", "u-1", "unnarrowed", frozenset({"admin"}), None), 401),
        (Actor("user", "u-1", "somebody", frozenset({"admin"})), 401),
    ],
)
def test_metrics_from_afar_need_a_token_with_that_scope(visit, actor, status):
    assert visit(actor=actor, client=AFAR).get("/metrics").status_code == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"])
def test_a_proxy_on_this_machine_does_not_make_others_local(visit, nobody, header):
    assert visit(actor=nobody).get("/metrics", headers={header: "for=203.0.113.9"}).status_code == 401


def test_a_public_name_is_not_this_machine_even_over_loopback(visit, nobody):
    client = visit(actor=nobody, settings={"public_url": "https://alcaide.test"})

    assert client.get("/metrics", headers={"Host": "alcaide.test"}).status_code == 401


def test_requests_are_counted_by_route_and_never_by_path(visit, nobody):
    client = visit(actor=nobody)
    client.get("/static/ui/nothing-1.js")
    client.get("/static/ui/nothing-2.js")

    text = client.get("/metrics").text

    assert 'alcaide_responses_total{method="GET",route="/static",status="404"} 2.0' in text
    assert "nothing-1" not in text


@pytest.mark.parametrize(("intact", "shown"), [(True, "1.0"), (False, "0.0")])
def test_the_latest_verification_is_a_number_to_alarm_on(visit, nobody, intact, shown):
    client = visit(actor=nobody)
    note_verification(client.app.state.instance, intact=intact)

    text = client.get("/metrics").text

    assert f"alcaide_ledger_intact {shown}" in text
    assert "alcaide_ledger_verified_age_seconds 60.0" in text


def test_a_log_that_nobody_verified_has_no_such_number(visit, nobody):
    assert "alcaide_ledger_intact" not in visit(actor=nobody).get("/metrics").text


def test_a_method_nobody_knows_does_not_become_a_label(visit, nobody):
    client = visit(actor=nobody)
    client.request("FORGED", "/healthz")

    assert "FORGED" not in client.get("/metrics").text


def test_a_database_that_is_away_is_absent_not_zero(visit, nobody, monkeypatch):
    client = visit(actor=nobody)

    def away(*_: object) -> None:
        raise Corrupt("gone")

    monkeypatch.setattr(health, "log_state", away)
    text = client.get("/metrics").text

    assert "alcaide_up{" in text
    assert "} 0.0" in text.split("alcaide_up{", 1)[1].splitlines()[0]
    assert "alcaide_ledger_leaves" not in text
