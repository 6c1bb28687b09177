"""Only our own pages can change something: a truth table of where a request may come from, and what it carries."""

from __future__ import annotations

import re

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from alcaide.ui import csrf
from tests.unit.ui.site import KEY, a_site

PAGE = "/-/design"


@pytest.fixture
def client() -> TestClient:
    app = a_site(csrf_exempt=("/witness",))
    for path in ("/witness/add", "/witnesses", "/api/v1/things"):
        app.add_route(path, lambda _: PlainTextResponse("done"), methods=["POST"])
    return TestClient(app, follow_redirects=False)


def token_of(client: TestClient) -> str:
    found = re.search(r'name="csrf-token" content="([\w-]{43})"', client.get(PAGE).text)
    assert found is not None
    return found[1]


def test_a_form_with_its_token_is_accepted(client):
    assert client.post(PAGE, data={"csrf_token": token_of(client)}).status_code == 303


def test_a_form_without_one_is_not(client):
    token_of(client)
    assert client.post(PAGE, data={"name": "x"}).status_code == 403
    assert client.post(PAGE).status_code == 403


@pytest.mark.parametrize("change", ["first", "last", "empty", "longer"])
def test_one_changed_character_is_refused(client, change):
    token = token_of(client)
    given = {
        "first": ("A" if token[0] != "A" else "B") + token[1:],
        "last": token[:-1] + ("A" if token[-1] not in "AB" else "Z"),
        "empty": "",
        "longer": token + "A",
    }[change]
    assert client.post(PAGE, data={"csrf_token": given}).status_code == 403


def test_the_token_may_come_in_a_header(client):
    token = token_of(client)
    assert client.post(PAGE, headers={"X-CSRF-Token": token}).status_code == 303
    assert client.post(PAGE, headers={"X-CSRF-Token": token[::-1]}).status_code == 403


def test_a_multipart_form_is_read_for_its_token_and_handed_on_whole(client):
    token = token_of(client)
    files = {"file": ("big.bin", b"x" * 300_000)}
    assert client.post(PAGE, data={"csrf_token": token}, files=files).status_code == 303
    assert client.post(PAGE, data={"csrf_token": token[::-1]}, files=files).status_code == 403


def test_the_body_reaches_the_route_unchanged():
    app = a_site()

    async def echo(request):
        return PlainTextResponse(str(len(await request.body())))

    app.add_route("/echo", echo, methods=["POST"])
    client = TestClient(app)
    token = token_of(client)

    def parts():
        yield f"csrf_token={token}&text=".encode()
        for _ in range(40):
            yield b"y" * 10_000

    sent = client.post(
        "/echo", content=parts(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert sent.text == str(len(f"csrf_token={token}&text=") + 400_000)


def test_a_token_of_one_session_is_worth_nothing_in_another(client):
    client.cookies.set("alcaide_session", "one")
    token = token_of(client)
    seed = client.cookies[csrf.COOKIE]
    client.cookies.clear()
    for session, status in (("one", 303), ("two", 403), ("", 403)):
        answer = client.post(
            PAGE,
            data={"csrf_token": token},
            headers={"cookie": f"{csrf.COOKIE}={seed}; alcaide_session={session}"},
        )
        assert answer.status_code == status


def test_a_token_made_with_another_key_is_refused(client):
    token_of(client)
    forged = csrf.sign(b"another key of thirty-two bytes!", client.cookies[csrf.COOKIE], "")
    right = csrf.sign(KEY, client.cookies[csrf.COOKIE], "")
    assert client.post(PAGE, data={"csrf_token": forged}).status_code == 403
    assert client.post(PAGE, data={"csrf_token": right}).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://testserver"}, 303),
        ({"origin": "https://alcaide.example.org"}, 303),
        ({"origin": "http://testserver.evil.example"}, 403),
        ({"origin": "https://testserver"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
def test_the_browsers_word_comes_before_the_token(headers, status):
    client = TestClient(a_site(public_origin="https://alcaide.example.org"), follow_redirects=False)
    assert client.post(PAGE, data={"csrf_token": token_of(client)}, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/things", {}, 200),  # nobody's rights to abuse; the route asks who it is
        ("/api/v1/things", {"cookie": "alcaide_session=s"}, 403),
        ("/api/v1/things", {"authorization": "Bearer alc_x", "cookie": "alcaide_session=s"}, 200),
        ("/api/v1/things", {"authorization": "Basic eA==", "cookie": "alcaide_session=s"}, 403),
        ("/witness/add", {"cookie": "alcaide_session=s"}, 200),
        ("/witnesses", {"cookie": "alcaide_session=s"}, 403),
    ],
)
def test_who_needs_no_token(client, path, headers, status):
    assert client.post(path, headers=headers).status_code == status


def test_the_api_is_told_in_json_and_a_person_on_a_page(client):
    answer = client.post("/api/v1/things", headers={"cookie": "alcaide_session=s"})
    assert answer.json()["error"]["code"] == "not-allowed"
    assert "open the page again" in answer.json()["error"]["next_step"]
    page = client.post(PAGE)
    assert "open the page again" in page.text
    assert "Content-Security-Policy" in page.headers


def test_a_message_is_shown_once_and_only_if_we_signed_it(client):
    client.post(PAGE, data={"csrf_token": token_of(client)})
    assert "nothing was changed" in client.get(PAGE).text
    assert "nothing was changed" not in client.get(PAGE).text
    forged = csrf.pack_flash(b"another key of thirty-two bytes!", '[["danger", "call this number"]]')
    client.cookies.set(csrf.FLASH_COOKIE, forged)
    assert "call this number" not in client.get(PAGE).text


@pytest.mark.parametrize("value", ["", ".", "x.y", "é.z", "a" * 5000, "W10.", "W10=.0"])
def test_a_broken_message_cookie_breaks_no_page(value):
    client = TestClient(a_site())
    answer = client.get(PAGE, headers={"cookie": f"{csrf.FLASH_COOKIE}={value}".encode("latin-1")})
    assert answer.status_code == 200


def test_no_internal_header_leaves_the_house(client):
    answer = client.post(PAGE, data={"csrf_token": token_of(client)})
    assert csrf.FLASH_HEADER not in answer.headers
    assert "HttpOnly" in answer.headers["set-cookie"]
