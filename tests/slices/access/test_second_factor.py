"""The second factor: each code once, recovery codes, and getting out of it."""

from __future__ import annotations

import pyotp
import pytest
from tests.slices.access.people import CONSOLE, HERE, PASSWORD, actor_of

from alcaide.kernel.errors import Conflict, Corrupt, InvalidInput, NotAllowed, TooMany
from alcaide.slices.access import queries, service
from alcaide.slices.access.model import SecondStep
from alcaide.slices.access.tables import users


@pytest.fixture
def guarded(instance, make_user, clock):
    """An account with a second factor: (user, its app, its recovery codes)."""
    user = make_user("viewer")
    setup = service.start_totp(instance, actor_of(user))
    app = pyotp.TOTP(setup.secret)
    codes = service.confirm_totp(instance, actor_of(user), app.at(clock()))
    clock.advance(seconds=60)
    return user, app, codes


def first_step(instance, user):
    outcome = service.sign_in(
        instance, email=user.email, password=PASSWORD, visitor=HERE, next_path="/inventory"
    )
    assert isinstance(outcome, SecondStep)
    return outcome.pending


def second_step(instance, pending, code):
    return service.finish_sign_in(instance, pending_secret=pending, code=code, visitor=HERE)


@pytest.mark.both_databases
def test_password_and_code_open_a_session(instance, guarded, clock):
    user, app, _ = guarded

    signed_in = second_step(instance, first_step(instance, user), app.at(clock()))

    assert signed_in.user.id == user.id
    assert signed_in.next_path == "/inventory"


def test_the_password_alone_opens_nothing(instance, guarded):
    user, _, _ = guarded
    first_step(instance, user)

    with instance.read() as conn:
        assert queries.sessions_of(conn, user.id, instance.clock()) == ()


def test_a_code_is_good_once(instance, guarded, clock):
    user, app, _ = guarded
    code = app.at(clock())
    second_step(instance, first_step(instance, user), code)

    with pytest.raises(service.SignInRefused, match="wrong or was used"):
        second_step(instance, first_step(instance, user), code)


def test_an_earlier_code_is_dead_once_a_later_one_was_used(instance, guarded, clock):
    user, app, _ = guarded
    earlier = app.at(clock())
    clock.advance(seconds=30)
    second_step(instance, first_step(instance, user), app.at(clock()))

    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), earlier)


def test_the_code_that_switched_it_on_signs_nobody_in(instance, make_user, clock):
    user = make_user("viewer")
    setup = service.start_totp(instance, actor_of(user))
    code = pyotp.TOTP(setup.secret).at(clock())
    service.confirm_totp(instance, actor_of(user), code)

    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), code)


@pytest.mark.parametrize("seconds", [-60, 60, 3600])
def test_a_code_of_another_time_is_refused(instance, guarded, clock, seconds):
    from datetime import timedelta

    user, app, _ = guarded
    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), app.at(clock() + timedelta(seconds=seconds)))


@pytest.mark.parametrize("code", ["", "000000x", "12345", "1234567", "١٢٣٤٥٦", "' or 1=1 --", "9" * 5000])
def test_what_is_no_code_is_refused(instance, guarded, code):
    user, _, _ = guarded
    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), code)


def test_a_wrong_code_may_be_corrected(instance, guarded, clock):
    user, app, _ = guarded
    pending = first_step(instance, user)
    with pytest.raises(service.SignInRefused):
        second_step(instance, pending, "000000" if app.at(clock()) != "000000" else "111111")

    assert second_step(instance, pending, app.at(clock())).user.id == user.id


def test_guessing_codes_is_slowed_down_across_new_sign_ins(instance, guarded, clock):
    user, app, _ = guarded
    wrong = "000000" if app.at(clock()) != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(service.SignInRefused):
            second_step(instance, first_step(instance, user), wrong)

    with pytest.raises(TooMany):
        second_step(instance, first_step(instance, user), app.at(clock()))


def test_a_half_finished_sign_in_ends_after_ten_minutes(instance, guarded, clock):
    user, app, _ = guarded
    pending = first_step(instance, user)
    clock.advance(minutes=10)

    with pytest.raises(service.SignInRefused, match="took too long"):
        second_step(instance, pending, app.at(clock()))


def test_a_half_finished_sign_in_is_used_up(instance, guarded, clock):
    user, app, _ = guarded
    pending = first_step(instance, user)
    second_step(instance, pending, app.at(clock()))
    clock.advance(seconds=60)

    with pytest.raises(service.SignInRefused):
        second_step(instance, pending, app.at(clock()))


def test_disabling_between_the_steps_is_noticed(instance, guarded, clock):
    user, app, _ = guarded
    pending = first_step(instance, user)
    service.disable_user(instance, CONSOLE, user.id, reason="left")

    with pytest.raises(service.SignInRefused):
        second_step(instance, pending, app.at(clock()))


def test_a_recovery_code_is_good_once_and_however_it_is_typed(instance, guarded):
    user, _, codes = guarded
    typed = codes[0].upper().replace("-", " ").replace("0", "O")
    second_step(instance, first_step(instance, user), typed)

    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), codes[0])
    second_step(instance, first_step(instance, user), codes[1])


def test_somebody_elses_recovery_code_is_refused(instance, guarded, make_user, clock):
    _, _, codes = guarded
    other = make_user("auditor")
    setup = service.start_totp(instance, actor_of(other))
    service.confirm_totp(instance, actor_of(other), pyotp.TOTP(setup.secret).at(clock()))

    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, other), codes[0])


def test_new_recovery_codes_replace_the_old_and_need_the_password(instance, guarded):
    user, _, old = guarded
    with pytest.raises(InvalidInput, match="password is wrong"):
        service.renew_recovery_codes(instance, actor_of(user), "something else entirely")

    new = service.renew_recovery_codes(instance, actor_of(user), PASSWORD)

    assert len(set(new)) == 10
    with pytest.raises(service.SignInRefused):
        second_step(instance, first_step(instance, user), old[0])
    second_step(instance, first_step(instance, user), new[0])


def test_it_is_not_on_before_a_code_proved_it(instance, make_user, enter):
    user = make_user("viewer")
    service.start_totp(instance, actor_of(user))
    enter(user)

    with pytest.raises(InvalidInput, match="does not match"):
        service.confirm_totp(instance, actor_of(user), "not it")
    enter(user)


def test_switching_it_off_needs_the_password(instance, guarded, enter):
    user, _, _ = guarded
    with pytest.raises(InvalidInput):
        service.remove_totp(instance, actor_of(user), "something else entirely")
    first_step(instance, user)

    service.remove_totp(instance, actor_of(user), PASSWORD)

    enter(user)


def test_it_cannot_be_replaced_while_it_is_on(instance, guarded):
    user, _, _ = guarded
    with pytest.raises(Conflict):
        service.start_totp(instance, actor_of(user))


def test_an_administrator_switches_it_off_with_a_reason_and_a_viewer_cannot(
    instance, guarded, enter, viewer, admin
):
    user, _, _ = guarded
    with pytest.raises(NotAllowed):
        service.remove_totp_of(instance, viewer, user.id, reason="please")
    with pytest.raises(InvalidInput, match="reason"):
        service.remove_totp_of(instance, admin, user.id, reason=" ")

    service.remove_totp_of(instance, admin, user.id, reason="showed a passport")

    enter(user)


def test_a_secret_moved_to_another_account_does_not_open(instance, guarded, make_user, clock):
    user, app, _ = guarded
    thief = make_user("auditor")
    with instance.db.transaction() as conn:
        sealed = queries.credentials(conn, user.id).totp_sealed
        conn.execute(users.update().where(users.c.id == thief.id).values(totp_sealed=sealed))

    with pytest.raises(Corrupt):
        second_step(instance, first_step(instance, thief), app.at(clock()))


def test_the_secret_is_not_readable_in_the_database_and_survives_a_new_signing_key(instance, guarded, clock):
    user, app, _ = guarded
    with instance.read() as conn:
        sealed = queries.credentials(conn, user.id).totp_sealed
    assert app.secret.encode() not in sealed

    instance.ledger.rotate_key(by={"kind": "system", "id": "test"}, reason="yearly")

    assert second_step(instance, first_step(instance, user), app.at(clock())).user.id == user.id
