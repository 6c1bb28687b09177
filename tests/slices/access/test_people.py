"""Accounts, roles, and the administrator who must always be there."""

from __future__ import annotations

import threading

import pytest
from tests.conftest import person
from tests.slices.access.people import CONSOLE, COOKIE, HERE, PASSWORD, actor_of

from alcaide.kernel.access import ANONYMOUS, ROLES
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from alcaide.slices.access import projection, queries, service
from alcaide.slices.access.tables import events as events_table


def said_about(instance, user_id):
    with instance.read() as conn:
        return [event.event for event in queries.list_events(conn, user_id=user_id).items]


@pytest.mark.both_databases
def test_an_account_is_made_with_its_roles_and_the_log_says_so(instance, admin):
    user = service.create_user(
        instance, admin, email=" Grace@Example.ORG ", name="Grace  Pier", roles=["viewer", "auditor"]
    )

    assert (user.email, user.name, user.roles) == ("grace@example.org", "Grace Pier", ("auditor", "viewer"))
    assert said_about(instance, user.id) == ["user-created"]


@pytest.mark.parametrize("role", [r for r in ROLES if r != "admin"])
def test_only_administrators_change_accounts(instance, make_user, role):
    user, actor = make_user("viewer", email="target@example.org"), person(role)

    for attempt in (
        lambda: service.create_user(instance, actor, email="x@example.org", name="X", roles=[]),
        lambda: service.set_roles(instance, actor, user.id, ["admin"], reason="x"),
        lambda: service.disable_user(instance, actor, user.id, reason="x"),
        lambda: service.enable_user(instance, actor, user.id, reason="x"),
        lambda: service.make_link(instance, actor, user.id, base_url="http://x"),
        lambda: service.remove_totp_of(instance, actor, user.id, reason="x"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):
        service.create_user(instance, ANONYMOUS, email="x@example.org", name="X", roles=[])


def test_an_address_is_taken_once_whatever_its_case(instance, make_user, admin):
    make_user("viewer", email="grace@example.org")

    with pytest.raises(Conflict):
        service.create_user(instance, admin, email="GRACE@example.org", name="Other", roles=[])


@pytest.mark.parametrize(
    ("email", "name", "roles", "field"),
    [
        ("not an address", "Ada", [], "email"),
        ("a@b@c", "Ada", [], "email"),
        ("ada@exa mple.org", "Ada", [], "email"),
        ("ada\x00@example.org", "Ada", [], "email"),
        (f"{'a' * 65}@example.org", "Ada", [], "email"),
        ("ada@example.org", " ", [], "name"),
        ("ada@example.org", "A\x00da", [], "name"),
        ("ada@example.org", "a\u202edb", [], "name"),
        ("ada@example.org", "x" * 121, [], "name"),
        ("ada@example.org", "Ada", ["king"], "roles"),
        ("ada@example.org", "Ada", ["Admin"], "roles"),
    ],
)
def test_what_cannot_be_an_account_is_refused_by_field(instance, admin, email, name, roles, field):
    with pytest.raises(InvalidInput) as refused:
        service.create_user(instance, admin, email=email, name=name, roles=roles)
    assert field in refused.value.fields


def test_a_role_change_takes_effect_on_the_next_request_and_says_before_and_after(
    instance, make_user, enter, admin
):
    user = make_user("viewer")
    cookie = enter(user).cookie

    service.set_roles(instance, admin, user.id, ["auditor"], reason="audit season")

    assert service.who(instance, authorization=None, cookies={COOKIE: cookie}).roles == {"auditor"}
    with instance.read() as conn:
        change = queries.list_events(conn, event="roles-changed").items[0]
    assert change.details == {"before": ["viewer"], "after": ["auditor"]}
    assert (change.by_kind, change.by_id, change.reason) == ("user", admin.id, "audit season")


def test_setting_the_roles_that_are_there_says_nothing(instance, make_user, admin):
    user = make_user("viewer")

    service.set_roles(instance, admin, user.id, ["viewer"], reason="again")

    assert "roles-changed" not in said_about(instance, user.id)


def test_a_reason_is_needed(instance, make_user, admin):
    user = make_user("viewer")
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidInput):
            service.set_roles(instance, admin, user.id, [], reason=reason)


def test_nobody_gives_themselves_a_role(instance, make_user):
    one, _other = make_user("admin"), make_user("admin", email="other@example.org")

    with pytest.raises(NotAllowed, match="may not give yourself `approver`"):
        service.set_roles(instance, actor_of(one), one.id, ["admin", "approver"], reason="quicker")


def test_an_administrator_may_step_down_while_another_is_left(instance, make_user):
    one, other = make_user("admin"), make_user("admin", email="other@example.org")

    service.set_roles(instance, actor_of(one), one.id, [], reason="enough")

    with pytest.raises(Conflict, match="last administrator"):
        service.set_roles(instance, CONSOLE, other.id, ["viewer"], reason="enough")


def test_the_last_administrator_cannot_be_disabled(instance, make_user):
    one, other = make_user("admin"), make_user("admin", email="other@example.org")
    service.disable_user(instance, CONSOLE, one.id, reason="left")

    with pytest.raises(Conflict, match="last administrator"):
        service.disable_user(instance, CONSOLE, other.id, reason="left")


@pytest.mark.both_databases
def test_two_administrators_removing_each_other_at_once_leave_one(instance, make_user):
    one, other = make_user("admin"), make_user("admin", email="other@example.org")
    barrier, failed = threading.Barrier(2), []

    def remove(actor, target):
        barrier.wait()
        try:
            service.disable_user(instance, actor_of(actor), target.id, reason="mine")
        except Conflict as problem:
            failed.append(problem)

    threads = [threading.Thread(target=remove, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(failed) == 1
    with instance.read() as conn:
        assert queries.other_admins(conn, "") == 1


def test_a_disabled_account_returns_without_its_sessions(instance, make_user, enter, admin):
    user = make_user("viewer")
    cookie = enter(user).cookie
    service.disable_user(instance, admin, user.id, reason="leave")

    service.enable_user(instance, admin, user.id, reason="back")

    assert service.who(instance, authorization=None, cookies={COOKIE: cookie}) is ANONYMOUS
    enter(user)
    assert said_about(instance, user.id)[:3] == ["signed-in", "user-enabled", "user-disabled"]


def test_a_name_change_keeps_the_name_out_of_the_log(instance, make_user):
    user = make_user("viewer")

    assert service.rename(instance, actor_of(user), "Grace Pier").name == "Grace Pier"

    with instance.read() as conn:
        assert queries.list_events(conn, event="user-changed").items[0].details == {"fields": ["name"]}


@pytest.mark.both_databases
def test_the_list_searches_filters_and_pages(instance, make_user):
    for number in range(5):
        service.create_user(
            instance, CONSOLE, email=f"p{number}@example.org", name=f"Person {number}", roles=["viewer"]
        )
    odd = service.create_user(instance, CONSOLE, email="100%_odd@example.org", name="Odd", roles=["auditor"])

    with instance.read() as conn:
        assert queries.list_users(conn, search="PERSON 3").items[0].email == "p3@example.org"
        assert [u.id for u in queries.list_users(conn, search="%_").items] == [odd.id]
        assert [u.id for u in queries.list_users(conn, role="auditor").items] == [odd.id]
        assert queries.list_users(conn, role='"').total == 0
        assert queries.list_users(conn, state="disabled").total == 0
        first = queries.list_users(conn, limit=4)
        second = queries.list_users(conn, limit=4, cursor=first.next_cursor)
        assert (first.total, len(first.items), len(second.items), second.next_cursor) == (6, 4, 2, None)
        with pytest.raises(InvalidInput):
            queries.list_users(conn, cursor="x" * 65)
        with pytest.raises(InvalidInput):
            queries.list_events(conn, cursor="not a number")


def test_the_event_list_is_the_same_when_it_is_made_again_from_the_log(instance, make_user, enter):
    enter(make_user("viewer"))
    from alcaide.kernel.evidence import parse_envelope, parse_statement

    with instance.read() as conn:
        before = queries.list_events(conn).items
        size = instance.ledger.checkpoint(conn).size
        log = [parse_statement(parse_envelope(raw).payload) for raw in instance.ledger.entries(conn, 0, size)]

    with instance.db.transaction() as conn:
        projection.rebuild(conn, enumerate(log))
        assert queries.list_events(conn).items == before
        conn.execute(events_table.delete())


# -- one-time links ------------------------------------------------------------------------------------------------


def key_of(link):
    return link.partition("=")[2]


@pytest.mark.both_databases
def test_the_first_run_link_makes_the_first_administrator_and_signs_them_in(instance):
    link = service.first_run_link(instance, "http://127.0.0.1:8808/")
    assert link.startswith("http://127.0.0.1:8808/first-run?key=")

    signed_in = service.use_first_run_link(
        instance, key_of(link), email="ada@example.org", name="Ada", password=PASSWORD, visitor=HERE
    )

    assert signed_in.user.roles == ("admin",)
    assert service.who(instance, authorization=None, cookies={COOKIE: signed_in.cookie}).has_role("admin")
    assert service.first_run_link(instance, "http://127.0.0.1:8808") is None


def test_the_first_run_link_works_once(instance):
    key = key_of(service.first_run_link(instance, "http://x"))
    service.use_first_run_link(
        instance, key, email="a@example.org", name="A", password=PASSWORD, visitor=HERE
    )

    with pytest.raises(NotFound):
        service.use_first_run_link(
            instance, key, email="b@example.org", name="B", password=PASSWORD, visitor=HERE
        )


def test_of_two_people_with_the_first_run_link_one_becomes_administrator(instance):
    key = key_of(service.first_run_link(instance, "http://x"))
    barrier, made, failed = threading.Barrier(2), [], []

    def use(name):
        barrier.wait()
        try:
            made.append(
                service.use_first_run_link(
                    instance, key, email=f"{name}@example.org", name=name, password=PASSWORD, visitor=HERE
                )
            )
        except NotFound as problem:
            failed.append(problem)

    threads = [threading.Thread(target=use, args=(name,)) for name in ("ada", "bea")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(failed)) == (1, 1)


def test_the_first_run_link_runs_out_after_a_day_and_a_new_one_ends_the_old(instance, clock):
    old = key_of(service.first_run_link(instance, "http://x"))
    new = key_of(service.first_run_link(instance, "http://x"))
    with pytest.raises(NotFound):
        service.look_at_link(instance, old, HERE)
    service.look_at_link(instance, new, HERE)

    clock.advance(hours=24)

    with pytest.raises(NotFound):
        service.look_at_link(instance, new, HERE)


def test_once_there_is_an_account_an_old_first_run_link_is_dead(instance, make_user):
    key = key_of(service.first_run_link(instance, "http://x"))
    make_user("viewer")

    with pytest.raises(NotFound):
        service.use_first_run_link(
            instance, key, email="b@example.org", name="B", password=PASSWORD, visitor=HERE
        )


def test_a_weak_password_does_not_use_the_link_up(instance):
    key = key_of(service.first_run_link(instance, "http://x"))
    for weak in ("short", "password1234", "ada@example.org", "aaaaaaaaaaaaaaaa"):
        with pytest.raises(InvalidInput):
            service.use_first_run_link(
                instance, key, email="ada@example.org", name="Ada", password=weak, visitor=HERE
            )

    service.use_first_run_link(
        instance, key, email="ada@example.org", name="Ada", password=PASSWORD, visitor=HERE
    )


def test_a_reset_link_changes_the_password_ends_sessions_and_works_once(instance, make_user, enter, admin):
    user = make_user("viewer")
    cookie = enter(user).cookie
    key = key_of(service.make_link(instance, admin, user.id, base_url="http://x"))
    assert service.who(instance, authorization=None, cookies={COOKIE: cookie}).signed_in

    service.use_link(instance, key, password="quiet marmalade orbit 7", visitor=HERE)

    assert service.who(instance, authorization=None, cookies={COOKIE: cookie}) is ANONYMOUS
    enter(user, "quiet marmalade orbit 7")
    with pytest.raises(service.SignInRefused):
        service.sign_in(instance, email=user.email, password=PASSWORD, visitor=HERE)
    with pytest.raises(NotFound):
        service.use_link(instance, key, password="another marmalade orbit 8", visitor=HERE)


def test_a_link_of_a_disabled_account_is_dead(instance, make_user, admin):
    user = make_user("viewer")
    key = key_of(service.make_link(instance, admin, user.id, base_url="http://x"))
    service.disable_user(instance, admin, user.id, reason="left")

    with pytest.raises(NotFound):
        service.use_link(instance, key, password="quiet marmalade orbit 7", visitor=HERE)
    with pytest.raises(Conflict):
        service.make_link(instance, admin, user.id, base_url="http://x")


def test_a_reset_link_is_no_first_run_link_and_the_other_way_round(instance, make_user, admin):
    first = key_of(service.first_run_link(instance, "http://x"))
    with pytest.raises(NotFound):
        service.use_link(instance, first, password=PASSWORD, visitor=HERE)
    user = make_user("viewer")
    reset = key_of(service.make_link(instance, admin, user.id, base_url="http://x"))
    with pytest.raises(NotFound):
        service.use_first_run_link(
            instance, reset, email="b@example.org", name="B", password=PASSWORD, visitor=HERE
        )
