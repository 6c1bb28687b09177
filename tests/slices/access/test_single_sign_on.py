"""Signing in through a provider: the whole flow over real HTTP, and every lie a provider or an attacker can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey
from tests.slices.access.people import CONSOLE, ELSEWHERE, HERE, PASSWORD
from tests.slices.access.provider import CLIENT_SECRET, SharedKey, hmac_key_from_public

from alcaide.kernel.access.oidc import OidcRefused
from alcaide.kernel.errors import ConfigError, NotFound, Unavailable
from alcaide.slices.access import queries, service


@pytest.fixture
def sso(instance, provider, monkeypatch):
    """`sso(**settings)` sets the provider up; `sso.go()` walks the flow to its end."""
    monkeypatch.setenv("TEST_OIDC_SECRET", CLIENT_SECRET)

    class Flow:
        def __call__(self, **more):
            sections = {"oidc": provider.settings(**more)}
            instance.config = replace(instance.config, sections=sections)
            return self

        def start(self, next_path="/"):
            return service.start_sso(instance, next_path=next_path, visitor=HERE)

        def approve(self, departure):
            url = provider.approve(departure.url, now=instance.clock().timestamp())
            return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

        def finish(self, answer, cookie, visitor=HERE):
            return service.finish_sso(instance, answer=answer, cookie=cookie, visitor=visitor)

        def go(self, next_path="/"):
            departure = self.start(next_path)
            return self.finish(self.approve(departure), departure.cookie)

    provider.person["groups"] = ["ml", "everybody"]
    return Flow()()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_new_person_gets_an_account_with_the_roles_of_their_groups(instance, sso, provider, algorithm):
    provider.algorithm = algorithm

    signed_in = sso.go("/inventory?q=1")

    assert signed_in.user.email == "grace@example.org"
    assert signed_in.user.roles == ("ml-engineer",)
    assert signed_in.next_path == "/inventory?q=1"
    assert service.who(instance, authorization=None, cookies={"alcaide_session": signed_in.cookie}).has_role(
        "ml-engineer"
    )
    with instance.read() as conn:
        events = [event.event for event in queries.list_events(conn, user_id=signed_in.user.id).items]
    assert events == ["signed-in", "user-created"]


@pytest.mark.both_databases
def test_the_same_person_comes_back_to_the_same_account_even_with_a_new_address(sso, provider):
    first = sso.go()
    provider.person["email"] = "grace.new@example.org"

    assert sso.go().user.id == first.user.id


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-client"}, "does not verify"),
        ({"aud": None}, "does not verify"),
        ({"aud": ["alcaide-test", "other"]}, "another application"),
        ({"aud": ["alcaide-test", "other"], "azp": "other"}, "another application"),
        ({"azp": "other"}, "another application"),
        ({"iss": "https://evil.example"}, "does not verify"),
        ({"iss": None}, "does not verify"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "does not verify"),
        ({"exp": "tomorrow"}, "does not verify"),
        ({"iat": None}, "does not verify"),
        ({"iat": 9_999_999_999}, "does not verify"),
        ({"nbf": 9_999_999_999}, "does not verify"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "does not verify"),
        ({"nonce": ["x"]}, "another sign-in|does not verify"),
        ({"sub": None}, "does not verify"),
        ({"sub": ""}, "empty or too long|does not verify"),
        ({"sub": "x" * 256}, "empty or too long"),
        ({"sub": 7}, "does not verify"),
    ],
)
def test_an_id_token_with_a_wrong_claim_signs_nobody_in(instance, sso, provider, claims, why):
    provider.claims = claims

    with pytest.raises(OidcRefused, match=why):
        sso.go()

    with instance.read() as conn:
        assert queries.list_users(conn).total == 0


def test_a_token_for_several_clients_that_names_us_is_taken(sso, provider):
    provider.claims = {"aud": ["alcaide-test", "other"], "azp": "alcaide-test"}

    assert sso.go().user.email == "grace@example.org"


def test_a_little_clock_skew_is_forgiven_and_more_is_not(instance, sso, provider):
    now = int(instance.clock().timestamp())
    provider.claims = {"exp": now - 30}
    sso.go()

    provider.claims = {"exp": now - 61}
    with pytest.raises(OidcRefused):
        sso.go()


def test_an_unsigned_token_is_refused(sso, provider):
    provider.algorithm = "none"

    with pytest.raises(OidcRefused, match="`none`"):
        sso.go()


def test_a_token_signed_with_the_public_key_as_a_password_is_refused(sso, provider):
    provider.algorithm = "HS256"
    provider.sign_with = hmac_key_from_public(provider.rsa)

    with pytest.raises(OidcRefused, match="`HS256`"):
        sso.go()


def test_a_symmetric_key_among_the_published_verifies_nothing(sso, provider):
    shared = OctKey.generate_key(256, {"kid": "oct-1"})
    provider.published.append(shared)
    provider.algorithm, provider.sign_with = "HS256", SharedKey("oct-1", shared.raw_value)

    with pytest.raises(OidcRefused):
        sso.go()


def test_a_token_signed_by_a_stranger_under_a_known_key_id_is_refused(sso, provider):
    provider.sign_with = provider.stranger

    with pytest.raises(OidcRefused, match="does not verify"):
        sso.go()


@pytest.mark.parametrize("header", [{"kid": "ec-1"}, {"kid": "unknown"}, {"alg": "ES256"}])
def test_a_token_whose_header_lies_about_its_key_is_refused(sso, provider, header):
    if "alg" in header:
        provider.id_token = None
        provider.algorithm, provider.sign_with = "ES256", provider.ec
        provider.headers = {"kid": "rsa-1"}
    else:
        provider.headers = header

    with pytest.raises(OidcRefused):
        sso.go()


def test_a_key_that_is_for_encryption_verifies_nothing(sso, provider):
    key = RSAKey.generate_key(2048, {"kid": "enc-1"})
    provider.published.append(RSAKey.import_key({**key.as_dict(private=False), "use": "enc"}))
    provider.sign_with = key

    with pytest.raises(OidcRefused):
        sso.go()


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 70_000, "eyJhbGciOiJSUzI1NiJ9..", "{}", "a.b", "é.é.é"])
def test_what_is_no_token_is_refused(sso, provider, token):
    provider.id_token = token

    with pytest.raises(OidcRefused):
        sso.go()


def test_a_flipped_byte_is_noticed_wherever_it_is(sso, provider, instance):
    departure = sso.start()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    good = provider.token_for({**asked, "now": str(instance.clock().timestamp())})
    client = __import__(
        "alcaide.slices.access.service.single_sign_on", fromlist=["_installed_client"]
    )._installed_client(instance)
    assert client.claims(good, nonce=asked["nonce"], now=instance.clock()).subject == "p-1"

    for position in range(0, len(good) - 1, 7):
        flipped = "A" if good[position] != "A" else "B"
        if good[position] == ".":
            flipped = "A"
        bad = good[:position] + flipped + good[position + 1 :]
        with pytest.raises(OidcRefused):
            client.claims(bad, nonce=asked["nonce"], now=instance.clock())


def test_an_answer_works_once(sso):
    departure = sso.start()
    answer = sso.approve(departure)
    sso.finish(answer, departure.cookie)

    with pytest.raises(OidcRefused, match="was finished"):
        sso.finish(answer, departure.cookie)


def test_an_answer_slipped_to_another_browser_signs_nobody_in_and_is_used_up(sso):
    departure = sso.start()
    answer = sso.approve(departure)
    other = sso.start()

    with pytest.raises(OidcRefused):
        sso.finish(answer, other.cookie, ELSEWHERE)
    with pytest.raises(OidcRefused):
        sso.finish(answer, departure.cookie)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "guess"},
        {"state": ""},
        {"code": ""},
        {"code": "guess"},
        {"iss": "https://evil.example"},
        {"iss": None},
    ],
)
def test_an_answer_changed_on_its_way_is_refused(sso, change):
    departure = sso.start()
    answer = {k: v for k, v in {**sso.approve(departure), **change}.items() if v is not None}

    with pytest.raises(OidcRefused):
        sso.finish(answer, departure.cookie)


def test_an_answer_after_ten_minutes_is_refused(sso, clock):
    departure = sso.start()
    answer = sso.approve(departure)
    clock.advance(minutes=10)

    with pytest.raises(OidcRefused):
        sso.finish(answer, departure.cookie)


def test_the_providers_own_refusal_is_told_without_its_markup(sso):
    departure = sso.start()
    answer = {**sso.approve(departure), "error": "access_denied<script>", "error_description": "<b>no</b>"}

    with pytest.raises(OidcRefused, match="`access_deniedscript`"):
        sso.finish(answer, departure.cookie)


def test_a_code_of_another_sign_in_does_not_fit_this_ones_verifier(sso):
    mine, theirs = sso.start(), sso.start()
    answer = {**sso.approve(mine), "code": sso.approve(theirs)["code"]}

    with pytest.raises(OidcRefused, match="invalid_grant"):
        sso.finish(answer, mine.cookie)


# -- whose account, which roles ------------------------------------------------------------------------------------


def test_roles_follow_the_groups_at_each_sign_in(instance, sso, provider):
    user = sso.go().user
    provider.person["groups"] = ["security"]

    assert sso.go().user.roles == ("security-lead",)
    with instance.read() as conn:
        assert queries.list_events(conn, user_id=user.id, event="roles-changed").total == 1


def test_losing_every_group_ends_the_sessions_and_lets_nobody_in(instance, sso, provider):
    signed_in = sso.go()
    provider.person["groups"] = ["everybody"]

    with pytest.raises(OidcRefused, match="none of your groups"):
        sso.go()

    actor = service.who(instance, authorization=None, cookies={"alcaide_session": signed_in.cookie})
    assert not actor.signed_in
    with instance.read() as conn:
        assert queries.user_by_id(conn, signed_in.user.id).roles == ()


def test_somebody_without_a_mapped_group_gets_no_account(instance, sso, provider):
    provider.person["groups"] = ["everybody"]

    with pytest.raises(OidcRefused, match="none of your groups"):
        sso.go()

    with instance.read() as conn:
        assert queries.list_users(conn).total == 0


def test_the_provider_cannot_take_the_last_administrator_away(sso, provider):
    provider.person["groups"] = ["ops"]
    assert sso.go().user.roles == ("admin",)
    provider.person["groups"] = ["ml"]

    assert sso.go().user.roles == ("admin", "ml-engineer")


def test_an_address_gives_roles_only_when_verified(sso, provider):
    sso(group_roles={}, email_roles={"@example.org": ["viewer"], "Grace@example.org": ["auditor"]})
    assert sso.go().user.roles == ("auditor", "viewer")

    provider.person |= {"sub": "p-2", "email": "other@example.org", "email_verified": False}
    with pytest.raises(OidcRefused, match="no verified e-mail address"):
        sso.go()


def test_an_existing_account_is_linked_by_verified_address_and_keeps_its_roles(
    instance, sso, make_user, provider
):
    user = make_user("auditor", email="grace@example.org")

    signed_in = sso.go()

    assert (signed_in.user.id, signed_in.user.roles) == (user.id, ("auditor",))
    with instance.read() as conn:
        assert queries.list_events(conn, user_id=user.id, event="identity-linked").total == 1


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_unverified_address_takes_over_nobodys_account(instance, sso, make_user, provider, verified):
    user = make_user("admin", email="grace@example.org")
    provider.person["email_verified"] = verified

    with pytest.raises(OidcRefused):
        sso.go()

    with instance.read() as conn:
        assert not queries.user_by_id(conn, user.id).sso


def test_a_second_person_with_the_same_address_is_refused(sso, provider):
    sso.go()
    provider.person["sub"] = "p-2"

    with pytest.raises(OidcRefused, match="another person"):
        sso.go()


def test_a_disabled_account_stays_out(instance, sso):
    user = sso.go().user
    service.disable_user(instance, CONSOLE, user.id, reason="left")

    with pytest.raises(OidcRefused, match="disabled"):
        sso.go()


def test_a_service_account_is_not_taken_over(sso, make_user):
    make_user("ml-engineer", email="grace@example.org", kind="service")

    with pytest.raises(Exception, match="has an account already"):
        sso.go()


def test_without_create_users_only_known_people_come_in(sso, make_user, provider):
    sso(create_users=False)
    with pytest.raises(OidcRefused, match="no account here yet"):
        sso.go()

    make_user("auditor", email="grace@example.org")

    assert sso.go().user.roles == ("auditor",)


# -- the provider itself -------------------------------------------------------------------------------------------


def test_rotated_keys_are_noticed_and_forgeries_do_not_relay_a_flood(sso, provider, clock):
    sso.go()
    fetched = provider.asked.count("GET /keys")
    new = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig"})
    provider.published, provider.sign_with = [new], new
    clock.advance(minutes=2)
    sso.go()
    assert provider.asked.count("GET /keys") == fetched + 1

    provider.sign_with = RSAKey.generate_key(2048, {"kid": "rsa-9"})
    for _ in range(5):
        with pytest.raises(OidcRefused):
            sso.go()
    assert provider.asked.count("GET /keys") == fetched + 1


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/.well-known/openid-configuration", 500, b"{}"),
        ("/.well-known/openid-configuration", 200, b"<html>"),
        ("/.well-known/openid-configuration", 200, b"[" * 100_000),
        ("/.well-known/openid-configuration", 200, b"[]"),
        ("/.well-known/openid-configuration", 200, b" " * (1 << 21)),
        ("/.well-known/openid-configuration", 302, b""),
        ("/keys", 200, b'{"keys": 7}'),
        ("/keys", 200, b'{"keys": [{"kty": "RSA"}]}'),
        ("/keys", 200, b'{"keys": []}'),
        ("/keys", 404, b"{}"),
        ("/token", 500, b""),
    ],
)
def test_a_broken_provider_is_told_apart_from_a_lying_one(sso, provider, path, status, body):
    provider.answers[path] = (status, body)

    with pytest.raises(Unavailable):
        sso.go()


def test_metadata_of_another_issuer_is_refused(sso, provider):
    provider.metadata = {"issuer": "https://evil.example"}

    with pytest.raises(OidcRefused, match=r"calls itself `https://evil\.example`"):
        sso.go()


def test_endpoints_without_tls_are_refused(sso, provider):
    provider.metadata = {"token_endpoint": "http://evil.example/token"}

    with pytest.raises(ConfigError, match="must be an https address"):
        sso.go()


def test_a_provider_that_wants_the_secret_in_the_form_does_not_get_it_in_a_header(sso, provider):
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    with pytest.raises(
        OidcRefused, match="invalid_client"
    ):  # ours knows only the header, so this shows what was sent
        sso.go()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"issuer": "http://id.example.org"}, "must be an https address"),
        ({"issuer": None}, "both needed"),
        ({"client_id": ""}, "both needed"),
        ({"scopes": ["email"]}, "lacks `openid`"),
        ({"group_roles": {"ml": ["king"]}}, "gives the role `king`"),
        ({"group_roles": ["ml"]}, "maps each name"),
        ({"group_roles": {"ml": "admin"}}, "list of names"),
        ({"default_roles": "admin"}, "list of names"),
        ({"create_users": "maybe"}, "true or false"),
        ({"client_secret_env": "NOT_SET_ANYWHERE"}, "is empty"),
        ({"client_secret": "in the file"}, "is not known"),
        ({"rolemap": {}}, "is not known"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_name(instance, sso, more, why):
    sso(**more)

    with pytest.raises(ConfigError, match=why):
        service.provider(instance)


def test_the_secret_may_lie_in_a_file(instance, sso, tmp_path):
    path = tmp_path / "secret"
    path.write_text(CLIENT_SECRET + "\n")
    sso(client_secret_env=None, client_secret_file=str(path))

    assert sso.go().user.email == "grace@example.org"


def test_without_settings_there_is_no_single_sign_on(instance):
    assert service.provider(instance) is None
    with pytest.raises(NotFound):
        service.start_sso(instance, next_path="/", visitor=HERE)


def test_through_the_pages(instance, sso, provider, browser):
    page = browser.get("/sign-in?next=/account").text
    assert "Continue with Harbour ID" in page
    browser.http.follow_redirects = False
    departure = browser.get("/sign-in/sso?next=/account")
    assert departure.status_code == 303
    back = provider.approve(departure.headers["location"], now=instance.clock().timestamp())

    answer = browser.get(back.replace("http://127.0.0.1:8808", ""))

    assert answer.status_code == 303
    assert answer.headers["location"] == "/account"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert browser.get("/account").status_code == 200
    again = browser.get(back.replace("http://127.0.0.1:8808", ""))
    assert again.status_code == 401
    assert "was finished" in again.text


def test_the_address_at_the_provider_holds_no_secret(sso):
    query = parse_qs(urlsplit(sso.start().url).query)

    assert set(query) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert CLIENT_SECRET not in json.dumps(query)
    assert PASSWORD not in json.dumps(query)
