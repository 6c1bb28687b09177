"""The pages of access, walked as people walk them: with a browser that keeps cookies and the real sign-in."""

from __future__ import annotations

import html
import re

import pyotp
import pytest
from tests.slices.access.people import CONSOLE, COOKIE, PASSWORD, actor_of

from alcaide.kernel.instance import open_instance
from alcaide.slices.access import queries, service


def text_of(page):
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_from_the_first_run_link_to_a_signed_in_administrator(instance, browser):
    link = service.first_run_link(instance, "http://127.0.0.1:8808")
    browser.get(link.removeprefix("http://127.0.0.1:8808"))
    key = link.partition("=")[2]

    weak = browser.post("/first-run", key=key, email="ada@example.org", name="Ada", password="password1234")
    assert weak.status_code == 422
    assert "tried first" in weak.text
    assert "password1234" not in weak.text
    done = browser.post("/first-run", key=key, email="ada@example.org", name="Ada", password=PASSWORD)

    assert done.status_code == 200
    assert "Welcome, Ada" in done.text
    assert browser.get(f"/first-run?key={key}").status_code == 404


def test_signing_in_goes_where_it_was_meant_to_and_nowhere_else(instance, make_user, new_browser):
    user = make_user("admin")
    for wanted, got in (
        ("/access?q=a", "/access?q=a"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        browser = new_browser()
        browser.http.follow_redirects = False
        browser.get("/sign-in")
        answer = browser.post("/sign-in", email=user.email, password=PASSWORD, next=wanted)
        assert (answer.status_code, answer.headers["location"]) == (303, got)


def test_the_session_cookie_is_for_the_server_alone(make_user, browser):
    user = make_user("viewer")
    browser.http.follow_redirects = False
    browser.get("/sign-in")

    cookie = browser.post("/sign-in", email=user.email, password=PASSWORD).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Path=/" in cookie
    assert "domain" not in cookie.lower()


def test_over_https_the_cookie_is_a_host_cookie(config, clock, make_user, instance):
    from dataclasses import replace

    from starlette.testclient import TestClient
    from tests.slices.access.conftest import Browser

    from alcaide.app.web import create_app

    user = make_user("viewer")
    secure = open_instance(
        replace(config, public_url="https://alcaide.example.org"),
        manifests=instance.manifests,
        clock=clock,
        migrate=False,
    )
    try:
        browser = Browser(create_app(secure))
        browser.http = TestClient(
            browser.http.app, base_url="https://alcaide.example.org", follow_redirects=False
        )
        browser.get("/sign-in")
        answer = browser.post("/sign-in", email=user.email, password=PASSWORD)
        cookie = next(c for c in answer.headers.get_list("set-cookie") if "__Host-alcaide_session=" in c)
        assert "Secure" in cookie
        assert browser.get("/account").status_code == 200
    finally:
        secure.close()


def test_a_wrong_password_is_told_on_the_form_and_the_password_is_not_repeated(make_user, browser):
    user = make_user("viewer")

    answer = browser.sign_in(user.email, "quite wrong indeed")

    assert answer.status_code == 401
    assert "is wrong" in answer.text
    assert user.email in answer.text
    assert "quite wrong indeed" not in answer.text


def test_too_many_tries_say_when_to_come_back(make_user, browser):
    user = make_user("viewer")
    for _ in range(5):
        browser.sign_in(user.email, "quite wrong indeed")

    answer = browser.sign_in(user.email)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 31
    assert "wait" in answer.text


def test_a_post_without_the_forms_token_does_nothing(make_user, browser):
    user = make_user("viewer")
    browser.get("/sign-in")
    browser.page = ""

    answer = browser.post("/sign-in", email=user.email, password=PASSWORD)

    assert answer.status_code == 403
    assert COOKIE not in browser.http.cookies


def test_the_second_factor_from_setting_up_to_signing_in(instance, make_user, browser, new_browser, clock):
    user = make_user("viewer")
    browser.sign_in(user.email)
    browser.get("/account")
    page = browser.post("/account/totp/start").text
    assert "data:image/svg+xml" in page
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    app = pyotp.TOTP(secret)
    assert browser.post("/account/totp", code="000 000x").status_code == 422
    codes_page = browser.post("/account/totp", code=app.at(clock())).text
    codes = re.findall(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4}){3}\b", codes_page)
    assert len(set(codes)) == 10
    assert codes[0] not in browser.get("/account").text

    clock.advance(seconds=60)
    other = new_browser()
    page = other.sign_in(user.email).text
    assert "Second step" in page
    assert other.http.cookies.get(COOKIE) is None
    assert other.post("/sign-in/code", code="nonsense").status_code == 401
    assert other.post("/sign-in/code", code=app.at(clock())).status_code == 200
    assert other.get("/account").status_code == 200
    assert other.http.cookies.get("alcaide_step") is None


def test_a_token_is_shown_once_and_works(instance, make_user, browser):
    user = make_user("admin")
    browser.sign_in(user.email)
    browser.get("/account")

    made = browser.post("/account/tokens", name="release pipeline", days="30", scopes=["access.me"])

    text = re.search(r"alc_[0-9a-z]+_[0-9a-f]{64}", made.text)[0]
    assert text not in browser.get("/account").text
    assert "release pipeline" in browser.page
    assert service.who(instance, authorization=f"Bearer {text}", cookies={}).id == user.id


@pytest.mark.parametrize(
    "fields", [{"name": "", "days": "30"}, {"name": "ci", "days": "many"}, {"name": "ci"}]
)
def test_a_token_that_makes_no_sense_is_told_on_the_form(make_user, browser, fields):
    browser.sign_in(make_user("viewer").email)
    browser.get("/account")

    answer = browser.post("/account/tokens", **fields)

    assert answer.status_code == 422
    assert "another look" in answer.text


def test_ending_other_sessions_from_the_account(instance, make_user, browser, new_browser):
    user = make_user("viewer")
    other = new_browser()
    other.sign_in(user.email)
    browser.sign_in(user.email)
    assert browser.get("/account").text.count('data-label="Last seen"') == 2

    answer = browser.post("/account/sessions/end-others")

    assert "1 other session" in answer.text
    assert "Sign in" in text_of(other.get("/account").text)
    assert browser.get("/account").status_code == 200


def test_signing_out_needs_the_forms_token_and_ends_the_session(make_user, browser):
    browser.sign_in(make_user("viewer").email)
    browser.get("/account")

    answer = browser.post("/sign-out")

    assert "You are signed out" in answer.text
    assert "Sign in" in text_of(browser.get("/account").text)


def test_an_administrator_makes_an_account_changes_it_and_disables_it(
    instance, make_user, browser, new_browser
):
    browser.sign_in(make_user("admin").email)
    assert "No account fits" in browser.get("/access?q=nobody-like-that").text
    browser.get("/access/new")
    assert browser.post("/access/new", email="no address", name="Grace").status_code == 422
    made = browser.post("/access/new", email="grace@example.org", name="Grace Pier", roles=["viewer"])
    link = re.search(r"http://127\.0\.0\.1:8808(/set-password\?key=[0-9a-f]{64})", made.text)[1]
    grace = new_browser()
    grace.get(link)
    key = link.partition("=")[2]
    assert grace.post("/set-password", key=key, password="short").status_code == 422
    assert "Your password is set" in grace.post("/set-password", key=key, password=PASSWORD).text
    grace.sign_in("grace@example.org")
    assert grace.get("/account").status_code == 200

    with instance.read() as conn:
        user = queries.user_by_email(conn, "grace@example.org")
    here = f"/access/users/{user.id}"
    browser.get(here)
    assert browser.post(f"{here}/roles", roles=["auditor"]).status_code == 422
    changed = browser.post(f"{here}/roles", roles=["auditor"], reason="audit season")
    assert "are changed" in changed.text
    assert "audit season" in changed.text
    assert grace.get("/access").status_code == 200
    browser.get(here)
    assert "can no longer sign in" in browser.post(f"{here}/disable", reason="left").text
    assert "Sign in" in text_of(grace.get("/account").text)
    assert "can sign in again" in browser.post(f"{here}/enable", reason="back").text


def test_a_service_account_gets_its_token_from_an_administrator(instance, make_user, browser):
    browser.sign_in(make_user("admin").email)
    browser.get("/access/new")
    made = browser.post(
        "/access/new", email="ml@example.org", name="Pipeline", kind="service", roles=["ml-engineer"]
    )
    assert "Make it a token" in made.text
    here = made.url.path

    page = browser.post(f"{here}/tokens", name="ci", days="7", scopes=["*.view"]).text

    text = re.search(r"alc_([0-9a-z]+)_[0-9a-f]{64}", page)
    assert service.who(instance, authorization=f"Bearer {text[0]}", cookies={}).signed_in
    assert "is revoked" in browser.post(f"{here}/tokens/{text[1]}/revoke").text
    assert not service.who(instance, authorization=f"Bearer {text[0]}", cookies={}).signed_in


def test_the_rules_and_events_pages_show_what_is_in_force_and_what_happened(instance, make_user, browser):
    user = make_user("auditor", name="<b>Bold</b> & co")
    browser.sign_in(user.email)

    rules = browser.get("/access/rules").text
    assert "access-manage" in rules
    assert "token-scope" in rules
    events = browser.get("/access/events").text
    assert "signed in" in events
    assert "<b>Bold" not in events
    assert "&lt;b&gt;Bold" in events
    assert browser.get(f"/access/events?user={user.id}&event=signed-in").status_code == 200
    assert browser.get("/access/events?event=nothing").status_code == 200
    assert browser.get("/access/new").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/access/users/nobody",
        "/access/users/%00",
        "/access?cursor=%00",
        "/access/events?cursor=x",
        "/access?q=%00%ff",
    ],
)
def test_odd_addresses_get_an_answer_and_no_traceback(make_user, browser, path):
    browser.sign_in(make_user("admin").email)

    assert browser.get(path).status_code in (200, 400, 404)


def test_the_list_of_many_pages(instance, make_user, browser):
    browser.sign_in(make_user("admin").email)
    for number in range(60):
        service.create_user(instance, CONSOLE, email=f"p{number}@example.org", name=f"P {number}", roles=[])

    first = browser.get("/access").text
    onward = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])

    assert "61" in text_of(first)
    assert browser.get(onward).status_code == 200


def test_what_waits_for_an_administrator(instance, make_user, clock):
    from datetime import timedelta

    user = make_user("admin")
    service.create_token(
        instance, actor_of(user), user_id=user.id, name="ci", scopes=["*"], life=timedelta(days=3)
    )

    with instance.read() as conn:
        found = queries.attention(conn, instance, actor_of(user), clock())
        nobody = queries.attention(conn, instance, actor_of(make_user("viewer")), clock())

    assert [item.title for item in found] == ["Token ci", "Administrators without a second factor"]
    assert nobody == []
