"""API tokens: what they may do, and that they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.slices.access.people import CONSOLE, COOKIE, actor_of

from alcaide.kernel.access import ANONYMOUS
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from alcaide.slices.access import queries, service


def who(instance, text):
    return service.who(instance, authorization=f"Bearer {text}", cookies={})


def token(instance, user, *scopes, by=None, life=timedelta(days=30)):
    return service.create_token(
        instance,
        by or actor_of(user),
        user_id=user.id,
        name="pipeline",
        scopes=scopes or ("*.view",),
        life=life,
    )


@pytest.mark.both_databases
def test_a_token_acts_for_its_owner_narrowed_to_its_scopes(instance, make_user):
    user = make_user("admin")

    actor = who(instance, token(instance, user, "access.view").text)

    assert (actor.kind, actor.id, actor.roles) == ("token", user.id, frozenset({"admin"}))
    assert instance.authorizer.decide(actor, "access.view")
    refused = instance.authorizer.decide(actor, "access.manage")
    assert not refused
    assert refused.rule == "token-scope"


def test_a_scope_gives_nothing_that_its_owner_may_not_do(instance, make_user):
    actor = who(instance, token(instance, make_user("viewer"), "*").text)

    assert not instance.authorizer.decide(actor, "access.manage")


def test_taking_a_role_away_takes_it_from_the_token(instance, make_user):
    user = make_user("auditor")
    made = token(instance, user, "*")
    assert instance.authorizer.decide(who(instance, made.text), "access.view")

    service.set_roles(instance, CONSOLE, user.id, ["viewer"], reason="moved")

    assert not instance.authorizer.decide(who(instance, made.text), "access.view")


def test_its_text_names_it_and_the_database_does_not_hold_it(instance, make_user):
    made = token(instance, make_user("viewer"))

    assert made.text.startswith(f"alc_{made.token.id}_")
    secret = made.text.rpartition("_")[2]
    content = b"".join(path.read_bytes() for path in instance.config.data.glob("alcaide.db*"))
    assert secret.encode() not in content


def test_disabling_the_owner_stops_the_token_at_once(instance, make_user):
    user = make_user("viewer")
    made = token(instance, user)
    assert who(instance, made.text).signed_in

    service.disable_user(instance, CONSOLE, user.id, reason="left")

    assert who(instance, made.text) is ANONYMOUS


def test_a_revoked_token_stops_and_stays_stopped(instance, make_user):
    user = make_user("viewer")
    made = token(instance, user)

    service.revoke_token(instance, actor_of(user), made.token.id)

    assert who(instance, made.text) is ANONYMOUS
    with pytest.raises(Conflict):
        service.revoke_token(instance, actor_of(user), made.token.id)


def test_a_token_runs_out(instance, make_user, clock):
    made = token(instance, make_user("viewer"), life=timedelta(hours=1))
    clock.advance(minutes=59)
    assert who(instance, made.text).signed_in

    clock.advance(minutes=1)

    assert who(instance, made.text) is ANONYMOUS


@pytest.mark.parametrize("change", ["secret", "id", "case", "cut", "longer", "prefix"])
def test_a_token_changed_anywhere_is_nobody(instance, make_user, change):
    text = token(instance, make_user("viewer")).text
    prefix, token_id, secret = text.split("_")
    changed = {
        "secret": f"{prefix}_{token_id}_{'0' * 64}",
        "id": f"{prefix}_{token_id[:-1]}{'0' if token_id[-1] != '0' else '1'}_{secret}",
        "case": f"{prefix}_{token_id}_{secret.upper()}" if secret.upper() != secret else text + "x",
        "cut": text[:-1],
        "longer": text + "0",
        "prefix": "ALC" + text[3:],
    }[change]

    assert who(instance, changed) is ANONYMOUS


def test_a_bad_token_beside_a_good_cookie_is_nobody(instance, make_user, enter):
    cookie = enter(make_user("viewer")).cookie

    for value in ("Bearer alc_x_y", "Bearer", "Basic YTpi", "alc_x"):
        assert service.who(instance, authorization=value, cookies={COOKIE: cookie}) is ANONYMOUS


def test_last_use_is_noted_at_most_once_a_minute(instance, make_user, clock):
    made = token(instance, make_user("viewer"))

    def last_used():
        with instance.read() as conn:
            return queries.token_by_id(conn, made.token.id).last_used_at

    assert last_used() is None
    who(instance, made.text)
    first = last_used()
    clock.advance(seconds=59)
    who(instance, made.text)
    assert last_used() == first
    clock.advance(seconds=1)
    who(instance, made.text)
    assert last_used() == clock()


def test_a_use_writes_nothing_to_the_log(instance, make_user):
    made = token(instance, make_user("viewer"))
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn).size

    who(instance, made.text)

    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).size == before


def test_a_token_cannot_make_or_widen_tokens_even_with_every_scope(instance, make_user):
    user = make_user("admin")
    actor = who(instance, token(instance, user, "*").text)

    with pytest.raises(NotAllowed):
        service.create_token(instance, actor, user_id=user.id, name="child", scopes=("*",))
    with pytest.raises(NotAllowed):
        service.change_password(instance, actor, present="x", new="quiet marmalade orbit 7")
    robot = make_user("ml-engineer", kind="service")
    with pytest.raises(NotAllowed):
        service.create_token(instance, actor, user_id=robot.id, name="child", scopes=("*",))


def test_an_administrator_cannot_make_a_token_that_acts_for_another_person(instance, make_user, admin):
    person, robot = make_user("security-lead"), make_user("ml-engineer", kind="service")

    with pytest.raises(NotAllowed):
        token(instance, person, by=admin)
    assert who(instance, token(instance, robot, by=admin).text).id == robot.id


def test_an_administrator_revokes_a_leaked_token_and_a_colleague_cannot(instance, make_user, admin, lead):
    made = token(instance, make_user("viewer"))
    with pytest.raises(NotAllowed):
        service.revoke_token(instance, lead, made.token.id)

    service.revoke_token(instance, admin, made.token.id, reason="found in a paste")

    assert who(instance, made.text) is ANONYMOUS


@pytest.mark.parametrize(
    ("name", "scopes", "life", "field"),
    [
        ("", ["*"], 30, "name"),
        ("x" * 81, ["*"], 30, "name"),
        ("ci", [], 30, "scopes"),
        ("ci", ["inventory.veiw"], 30, "scopes"),
        ("ci", ["inv*"], 30, "scopes"),
        ("ci", ["*.*"], 30, "scopes"),
        ("ci", ["*"], 0, "life"),
        ("ci", ["*"], 367, "life"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(instance, make_user, name, scopes, life, field):
    user = make_user("viewer")
    with pytest.raises(InvalidInput) as refused:
        service.create_token(
            instance, actor_of(user), user_id=user.id, name=name, scopes=scopes, life=timedelta(days=life)
        )
    assert field in refused.value.fields


def test_making_and_revoking_are_in_the_log_without_the_secret(instance, make_user):
    user = make_user("viewer")
    made = token(instance, user, "inventory.*")
    service.revoke_token(instance, actor_of(user), made.token.id)

    with instance.read() as conn:
        said = queries.list_events(conn, user_id=user.id).items
    assert [event.event for event in said[:2]] == ["token-revoked", "token-created"]
    assert said[1].details == {"token": made.token.id, "scopes": ["inventory.*"], "life_days": 30.0}


def test_an_unknown_token_is_not_found(instance, admin):
    with pytest.raises(NotFound):
        service.revoke_token(instance, admin, "nothing")
