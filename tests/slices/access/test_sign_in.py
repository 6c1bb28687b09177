"""Signing in with a password, and what guessing costs."""

from __future__ import annotations

import statistics
import time

import pytest
from tests.slices.access.people import CONSOLE, COOKIE, ELSEWHERE, HERE, PASSWORD, actor_of

from alcaide.kernel.access import ANONYMOUS
from alcaide.kernel.db import metadata
from alcaide.kernel.errors import TooMany
from alcaide.slices.access import queries, service
from alcaide.slices.access.model import SignedIn


def who(instance, cookie):
    return service.who(instance, authorization=None, cookies={COOKIE: cookie})


def events(instance, **about):
    with instance.read() as conn:
        return list(queries.list_events(conn, **about).items)


def fail(instance, email, visitor=HERE):
    with pytest.raises(service.SignInRefused) as refused:
        service.sign_in(instance, email=email, password="not the password", visitor=visitor)
    return str(refused.value)


@pytest.mark.both_databases
def test_the_right_password_opens_a_session_and_says_so_in_the_log(instance, make_user, enter):
    user = make_user("viewer")

    signed_in = enter(user)

    assert who(instance, signed_in.cookie) == actor_of(user)
    newest = events(instance, user_id=user.id)[0]
    assert newest.event == "signed-in"
    assert newest.details["method"] == "password"
    with instance.read() as conn:
        view = instance.view(conn, [f"name:user:{user.id}"])
    assert view.complete
    assert view.records[-1].predicate["event"] == "signed-in"


def test_nothing_of_the_person_is_in_the_log(instance, make_user, enter):
    user = make_user("viewer", email="grace@example.org", name="Grace Pier")
    enter(user)

    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        log = b"".join(instance.ledger.entries(conn, 0, size))
    import base64
    import json

    said = ""
    for envelope in log.split(b'{"payload":')[1:]:
        said += base64.b64decode(json.loads(b'{"payload":' + envelope)["payload"]).decode()

    assert user.id in said
    for private in ("grace", "Pier", HERE.address, HERE.agent, PASSWORD, "test"):
        assert private not in said.replace("log.test", "")


def test_a_wrong_password_opens_nothing(instance, make_user):
    user = make_user("viewer")

    fail(instance, user.email)

    with instance.read() as conn:
        assert queries.sessions_of(conn, user.id, instance.clock()) == ()


def test_unknown_disabled_and_service_accounts_fail_with_the_same_words(instance, make_user, admin):
    real = make_user("viewer")
    gone = make_user("auditor")
    robot = make_user("ml-engineer", kind="service")
    service.disable_user(instance, CONSOLE, gone.id, reason="left")

    said = {
        fail(instance, email)
        for email in (real.email, gone.email, robot.email, "nobody@example.net", "not an address")
    }

    assert len(said) == 1


def test_a_disabled_account_with_the_right_password_gets_the_same_words_as_a_wrong_one(instance, make_user):
    user = make_user("viewer")
    words = fail(instance, user.email)
    service.disable_user(instance, CONSOLE, user.id, reason="left")

    with pytest.raises(service.SignInRefused, match=words.replace("?", r"\?")):
        service.sign_in(instance, email=user.email, password=PASSWORD, visitor=HERE)


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(instance, make_user, monkeypatch):
    from alcaide.kernel.access import passwords

    monkeypatch.setattr(passwords, "COST", passwords.Cost(passes=2, memory_kib=4096, lanes=1))
    user = make_user("viewer")

    def took(email, count=4):
        times = []
        for number in range(count):
            began = time.perf_counter()
            fail(instance, email, visitor=service_visitor(number, email))
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    def service_visitor(number, email):
        from alcaide.slices.access.model import Visitor

        return Visitor(f"203.0.113.{number + (100 if email == user.email else 0)}", "")

    took("warm@example.net", 1)
    known, unknown = took(user.email), took("nobody@example.net")

    assert 0.3 < known / unknown < 3


def test_the_sixth_try_has_to_wait_even_with_the_right_password(instance, make_user, clock):
    user = make_user("viewer")
    for _ in range(5):
        fail(instance, user.email)

    with pytest.raises(TooMany) as waiting:
        service.sign_in(instance, email=user.email, password=PASSWORD, visitor=HERE)

    assert 1 <= waiting.value.retry_after <= 31
    clock.advance(seconds=31)
    assert isinstance(service.sign_in(instance, email=user.email, password=PASSWORD, visitor=HERE), SignedIn)


def test_the_waiting_is_the_same_for_an_address_nobody_has(instance, make_user):
    user = make_user("viewer")
    waits = []
    for email in (user.email, "nobody@example.net"):
        for _ in range(5):
            fail(instance, email)
        with pytest.raises(TooMany) as waiting:
            service.sign_in(instance, email=email, password="x", visitor=HERE)
        waits.append(waiting.value.retry_after)

    assert waits[0] == waits[1]


def test_a_guesser_does_not_lock_the_owner_out(instance, make_user):
    user = make_user("viewer")
    for _ in range(5):
        fail(instance, user.email, visitor=ELSEWHERE)

    assert isinstance(service.sign_in(instance, email=user.email, password=PASSWORD, visitor=HERE), SignedIn)


def test_one_address_that_tries_every_account_is_slowed_down(instance):
    for number in range(60):
        fail(instance, f"somebody{number}@example.net")

    with pytest.raises(TooMany):
        service.sign_in(instance, email="somebody-else@example.net", password="x", visitor=HERE)


def test_owning_one_account_does_not_buy_more_guesses_at_the_others(instance, make_user, enter):
    mine = make_user("viewer")
    with pytest.raises(TooMany):
        for number in range(80):
            fail(instance, f"somebody{number}@example.net")
            enter(mine)


def test_a_restart_does_not_forget_the_guesses(instance, make_user, config, clock):
    from alcaide.kernel.instance import open_instance

    user = make_user("viewer")
    for _ in range(5):
        fail(instance, user.email)

    again = open_instance(config, manifests=instance.manifests, clock=clock, migrate=False)
    try:
        with pytest.raises(TooMany):
            service.sign_in(again, email=user.email, password=PASSWORD, visitor=HERE)
    finally:
        again.close()


@pytest.mark.both_databases
def test_failures_reach_the_log_once_a_minute_with_their_number(instance, make_user, clock):
    user = make_user("viewer")
    for _ in range(4):
        fail(instance, user.email)
    failed = events(instance, user_id=user.id, event="sign-in-failed")
    assert [event.details["count"] for event in failed] == [1]

    clock.advance(minutes=2)
    service.tidy(instance)

    failed = events(instance, user_id=user.id, event="sign-in-failed")
    assert [event.details["count"] for event in failed] == [3, 1]


def test_a_thousand_unknown_addresses_cannot_fill_the_log(instance, clock):
    from alcaide.slices.access.model import Visitor

    for number in range(120):
        fail(instance, f"somebody{number}@example.net", visitor=Visitor(f"203.0.{number}.1", ""))

    assert len(events(instance, event="sign-in-failed")) == 1
    clock.advance(minutes=2)
    service.tidy(instance)
    counts = [event.details["count"] for event in events(instance, event="sign-in-failed", user_id="unknown")]
    assert sum(counts) == 120


def test_signing_in_again_ends_the_session_the_browser_had(instance, make_user, enter):
    user = make_user("viewer")
    before = enter(user)

    after = service.sign_in(
        instance, email=user.email, password=PASSWORD, visitor=HERE, replaces=before.cookie
    )

    assert who(instance, before.cookie) is ANONYMOUS
    assert who(instance, after.cookie).id == user.id
    assert before.cookie != after.cookie


def test_a_session_somebody_else_owns_is_not_ended_by_presenting_it(instance, make_user, enter):
    victim, attacker = make_user("viewer"), make_user("auditor")
    theirs = enter(victim)

    service.sign_in(instance, email=attacker.email, password=PASSWORD, visitor=HERE, replaces=theirs.cookie)

    assert who(instance, theirs.cookie).id == victim.id


def test_an_idle_session_ends_after_twelve_hours(instance, make_user, enter, clock):
    cookie = enter(make_user("viewer")).cookie
    clock.advance(hours=11, minutes=59)
    assert who(instance, cookie).signed_in

    clock.advance(hours=12)

    assert who(instance, cookie) is ANONYMOUS


def test_a_session_in_use_ends_after_seven_days(instance, make_user, enter, clock):
    cookie = enter(make_user("viewer")).cookie
    for _ in range(167):
        clock.advance(hours=1)
        assert who(instance, cookie).signed_in

    clock.advance(hours=1)

    assert who(instance, cookie) is ANONYMOUS


def test_disabling_an_account_ends_its_sessions_at_once(instance, make_user, enter):
    user = make_user("viewer")
    cookie = enter(user).cookie

    service.disable_user(instance, CONSOLE, user.id, reason="left")

    assert who(instance, cookie) is ANONYMOUS


def test_only_the_digest_of_a_session_is_kept(instance, make_user, enter):
    cookie = enter(make_user("viewer")).cookie

    content = b"".join(file.read_bytes() for file in instance.config.data.glob("alcaide.db*"))
    with instance.read() as conn:
        for table in metadata.sorted_tables:
            content += repr(conn.execute(table.select()).all()).encode()

    assert cookie.encode() not in content
    assert PASSWORD.encode() not in content


def test_signing_out_ends_the_session_and_twice_is_no_error(instance, make_user, enter):
    user = make_user("viewer")
    cookie = enter(user).cookie

    service.sign_out(instance, {COOKIE: cookie})
    service.sign_out(instance, {COOKIE: cookie})

    assert who(instance, cookie) is ANONYMOUS
    assert events(instance, user_id=user.id)[0].event == "signed-out"


@pytest.mark.parametrize("cookie", ["", "x", "0" * 64, "é" * 40, "0" * 100_000, "\x00"])
def test_a_cookie_we_did_not_give_is_nobody(instance, cookie):
    assert who(instance, cookie) is ANONYMOUS


def test_over_https_a_plain_cookie_is_not_read(instance, make_user, enter):
    from dataclasses import replace

    cookie = enter(make_user("viewer")).cookie
    instance.config = replace(instance.config, public_url="https://alcaide.example.org")

    assert service.who(instance, authorization=None, cookies={COOKIE: cookie}) is ANONYMOUS
    assert service.who(instance, authorization=None, cookies={"__Host-alcaide_session": cookie}).signed_in


def test_changing_the_password_ends_the_other_sessions(instance, make_user, enter):
    user = make_user("viewer")
    here, there = enter(user), enter(user)

    service.change_password(
        instance,
        actor_of(user),
        present=PASSWORD,
        new="quiet marmalade orbit 7",
        keep_session=here.session_id,
    )

    assert who(instance, here.cookie).signed_in
    assert who(instance, there.cookie) is ANONYMOUS
    enter(user, "quiet marmalade orbit 7")


def test_at_most_twenty_sessions_each(instance, make_user, enter, clock):
    user = make_user("viewer")
    cookies = []
    for _ in range(21):
        clock.advance(seconds=1)
        cookies.append(enter(user).cookie)

    assert who(instance, cookies[0]) is ANONYMOUS
    assert who(instance, cookies[1]).signed_in


def test_a_password_hash_is_made_again_when_the_cost_was_raised(instance, make_user, enter, monkeypatch):
    from alcaide.kernel.access import passwords

    user = make_user("viewer")
    monkeypatch.setattr(passwords, "COST", passwords.Cost(passes=2, memory_kib=128, lanes=1))
    enter(user)

    with instance.read() as conn:
        assert "m=128,t=2,p=1" in queries.credentials(conn, user.id).password_hash
