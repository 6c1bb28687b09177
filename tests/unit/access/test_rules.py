"""Good passwords, addresses, roles from claims, and how guessing slows down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.slices.access import rules

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "password",
    [
        "violet harbour lantern 42",
        "quiet marmalade orbit",
        "Tr4ubled&Zebra-Fjord",
        "xk7#mQ9!vLp2",
        "пароль который никто не угадает",
        "鯨と灯台と古い地図の物語です",
        "h8w2k9d7q4x1",
    ],
)
def test_passwords_that_will_do(password):
    assert rules.password_problems(password, ("Ada Harbour", "ada@example.org")) == ()


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "password1234",
        "Password1234!",
        "P@ssw0rd2026!!",
        "passwordpassword",
        "qwertyuiop123",
        "1234567890123",
        "aaaaaaaaaaaaaaa",
        "abababababab",
        "abcdefghijklmnop",
        "letmein-letmein",
        "welcome2alcaide",
        "Summer2026Winter!",
        "correcthorsebatterystaple",
        "admin1234admin",
        "adaharbour2026",
        "ada.harbour@example.org",
        "x" * 257,
    ],
)
def test_passwords_that_are_tried_first(password):
    assert rules.password_problems(password, ("Ada Harbour", "ada@example.org", "ada.harbour@example.org"))


def test_a_password_with_ones_own_name_is_weak_for_oneself_alone():
    assert rules.password_problems("ada-harbour-2026", ("Ada Harbour",))
    assert not rules.password_problems("zephyrina-quill-2026", ("Ada Harbour",))
    assert rules.password_problems("zephyrina-quill-2026", ("Zephyrina Quill",))


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text):
    rules.password_problems(text, (text,))
    rules.email_address(text)
    rules.person_name(text)
    assert rules.safe_path(text).startswith("/")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ada@Example.ORG ", "ada@example.org"),
        ("a+b@localhost", "a+b@localhost"),
        ("ada", None),
        ("@example.org", None),
        ("ada@", None),
        ("ada@-example.org", None),
        ("ada@exam_ple.org", None),
        ("a b@example.org", None),
        ("ada@example.org\nbcc: x@y", None),
        ("ada@example.org, eve@example.org", None),
        ("<ada@example.org>", None),
        ("", None),
    ],
)
def test_addresses(typed, kept):
    assert rules.email_address(typed) == kept


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/inventory?q=a%20b", "/inventory?q=a%20b"),
        (None, "/"),
        ("", "/"),
        ("inventory", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("https://evil.example", "/"),
        ("/" + "x" * 500, "/"),
    ],
)
def test_where_to_go_after_signing_in(wanted, path):
    assert rules.safe_path(wanted) == path


def claims(**change):
    return rules.roles_by_claims(
        **{
            "email": "grace@example.org",
            "email_verified": True,
            "groups": ("ml",),
            "group_roles": {"ml": ["ml-engineer"]},
            "email_roles": {"@example.org": ["viewer"], "grace@example.org": ["auditor"]},
            "default_roles": ["viewer"],
            **change,
        }
    )


def test_roles_come_from_groups_and_verified_addresses_together():
    assert claims() == ("auditor", "ml-engineer", "viewer")
    assert claims(email_verified=False) == ("ml-engineer",)
    assert claims(email="Grace@EXAMPLE.org", groups=()) == ("auditor", "viewer")


def test_default_roles_are_for_those_who_get_none_otherwise():
    nothing = {"group_roles": {}, "email_roles": {}}
    assert claims(**nothing) == ("viewer",)
    assert claims(**nothing, default_roles=()) == ()
    assert claims(default_roles=["admin"], email_roles={}) == ("ml-engineer",)


@pytest.mark.parametrize(
    "email", ["eve@evil-example.org", "eve@example.org.evil.net", "grace@example.org@evil.net"]
)
def test_a_domain_is_the_whole_domain(email):
    assert claims(email=email, groups=()) == ("viewer",)
    assert claims(email=email, groups=(), default_roles=()) == ()


def test_waiting_doubles_to_its_limit_and_failures_are_forgotten():
    tally, waits = rules.Tally(), []
    moment = NOON
    for _ in range(14):
        tally = rules.after_failure(tally, rules.FROM_HERE, moment)
        waits.append(rules.seconds_blocked(tally, moment))
        moment += timedelta(seconds=waits[-1])
    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4:8] == [31, 61, 121, 241]
    assert waits[-1] == 901

    later = moment + timedelta(hours=3)
    assert rules.after_failure(tally, rules.FROM_HERE, later).failures == 1


@given(
    st.integers(0, 10_000),
    st.sampled_from([rules.FROM_HERE, rules.ANYWHERE, rules.ADDRESS, rules.SECOND_FACTOR]),
)
def test_more_failures_never_mean_less_waiting(failures, limit):
    fewer = rules.after_failure(rules.Tally(failures, NOON), limit, NOON)
    more = rules.after_failure(rules.Tally(failures + 1, NOON), limit, NOON)

    assert rules.seconds_blocked(more, NOON) >= rules.seconds_blocked(fewer, NOON)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_what_counts_as_one_address(address, group):
    assert rules.address_group(address) == group


def test_nobody_raises_their_own_roles_and_somebody_administers():
    assert rules.own_rise(own=True, before=["viewer"], after=["viewer", "admin"]) == ("admin",)
    assert rules.own_rise(own=True, before=["admin", "viewer"], after=["viewer"]) == ()
    assert rules.own_rise(own=False, before=[], after=["admin"]) == ()
    assert rules.leaves_no_admin(was_admin=True, stays_admin=False, other_admins=0)
    assert not rules.leaves_no_admin(was_admin=True, stays_admin=False, other_admins=1)
    assert not rules.leaves_no_admin(was_admin=False, stays_admin=False, other_admins=0)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/18 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("curl/8.9", "curl"),
        ("something else", "something else"),
        ("", "unknown"),
    ],
)
def test_what_people_call_their_browser(agent, name):
    assert rules.browser_name(agent) == name
