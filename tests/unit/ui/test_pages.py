"""Rendering, errors, permissions and static files, as a browser and a program meet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import Depends, HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient

from alcaide.kernel import errors as kernel_errors
from alcaide.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge, TooMany, Unavailable
from alcaide.ui import redirect, render
from alcaide.ui.deps import allow, public
from alcaide.ui.rendering import is_local, letters, menu
from tests.unit.ui.site import NAV, a_site


def a_client(app: Any = None, **options: Any) -> TestClient:
    return TestClient(app or a_site(), follow_redirects=False, **options)


def failing(error: Exception) -> TestClient:
    app = a_site()

    def fail() -> None:
        raise error

    app.get("/broken")(fail)
    app.get("/api/v1/broken")(fail)
    return a_client(app)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("`x` is no name; use letters"), 400, "invalid-input"),
        (InvalidInput("correct these", {"name": "is empty"}), 422, "invalid-input"),
        (NotAllowed("no", rule="r", owner="o", next_step="n"), 403, "not-allowed"),
        (NotFound("no `x` here; look at the list"), 404, "not-found"),
        (Conflict("changed; load again"), 409, "conflict"),
        (TooLarge("over 10 MB; send less"), 413, "too-large"),
        (TooMany("slow down", retry_after=7), 429, "too-many"),
        (Unavailable("the store does not answer; try again"), 503, "unavailable"),
        (kernel_errors.Corrupt("leaf 3 does not verify; run verify"), 500, "corrupt"),
        (HTTPException(404), 404, "not-found"),
        (HTTPException(418, "Short and stout"), 400, "invalid-input"),
        (RuntimeError("secret inside"), 500, "internal"),
    ],
)
def test_every_error_has_a_page_and_a_twin_for_programs(error, status, code):
    client = failing(error)
    page = client.get("/broken")
    twin = client.get("/api/v1/broken")
    assert (page.status_code, twin.status_code) == (status, status)
    assert page.headers["content-type"].startswith("text/html")
    assert twin.json()["error"]["code"] == code
    for answer in (page, twin):
        assert "Traceback" not in answer.text
        assert "secret inside" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_an_unforeseen_error_is_logged_under_the_reference_that_is_shown(caplog):
    answer = failing(RuntimeError("secret inside")).get("/api/v1/broken")
    reference = answer.json()["error"]["message"].split("`")[1]
    assert any(getattr(record, "reference", "") == reference for record in caplog.records)


def test_a_denial_teaches_rule_owner_and_next_step():
    error = NotAllowed(
        "no", rule="approver-is-not-requester", owner="security-lead", next_step="ask another approver"
    )
    client = failing(error)
    page, twin = client.get("/broken").text, client.get("/api/v1/broken").json()["error"]
    for said in ("approver-is-not-requester", "security-lead", "ask another approver"):
        assert said in page
        assert said in twin.values()


def test_fields_at_fault_are_named_to_programs_and_people():
    client = failing(InvalidInput("correct these", {"name": "is empty"}))
    assert client.get("/api/v1/broken").json()["error"]["fields"] == {"name": "is empty"}
    assert "is empty" in client.get("/broken").text


def test_a_bad_query_value_is_a_422_that_names_it():
    app = a_site()

    @app.get("/api/v1/list")
    def listing(limit: int) -> int:
        return limit

    answer = a_client(app).get("/api/v1/list?limit=many")
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == ["limit"]


def test_somebody_unknown_signs_in_and_comes_back():
    client = a_client(headers={"x-nobody": "1"})
    answer = client.get("/-/design?sort=name")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/-/design%3Fsort%3Dname"


def test_a_program_that_is_unknown_gets_a_401():
    app = a_site()
    app.get("/api/v1/x", dependencies=[Depends(allow("inventory.view"))])(lambda: 1)
    answer = a_client(app, headers={"x-nobody": "1"}).get("/api/v1/x")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_htmx_error_lands_among_the_messages():
    answer = failing(NotFound("no `x` here")).get("/broken", headers={"hx-request": "true"})
    assert answer.status_code == 404
    assert answer.headers["hx-retarget"] == "#messages"
    assert "<html" not in answer.text
    assert "<code>x</code>" in answer.text


def test_an_error_page_stands_even_when_the_session_cannot_be_read(caplog):
    app = a_site()

    def broken(request: Request) -> None:
        raise RuntimeError("the store is gone")

    app.state.identify = broken
    answer = a_client(app).get("/nowhere")
    assert answer.status_code == 404
    assert "<h1>Not here</h1>" in answer.text
    assert "the store is gone" not in answer.text


def test_the_link_back_never_leads_to_another_site():
    client = failing(NotFound("no"))
    for referer, back in (
        ("http://testserver/inventory?q=1", "/inventory?q=1"),
        ("http://evil.example/inventory", "/"),
        ("http://testserver//evil.example", "/"),
        ("", "/"),
    ):
        text = client.get("/broken", headers={"referer": referer}).text
        assert f'href="{back}"><svg' in text or f'href="{back}"><span>Back' in text


# ── permissions ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_route_says_what_it_asks():
    assert allow("inventory.view").alcaide_action == "inventory.view"  # type: ignore[attr-defined]
    assert public("anybody may ask for an AI use").alcaide_public == "anybody may ask for an AI use"  # type: ignore[attr-defined]


def test_a_public_route_without_a_reason_is_refused():
    with pytest.raises(ValueError, match="reason"):
        public("  ")


def test_the_policies_decide_with_the_resource_the_route_names():
    app = a_site()

    def resource(request: Request) -> dict[str, str]:
        return {"kind": "system", "id": request.path_params["name"]}

    app.get("/systems/{name}", dependencies=[Depends(allow("inventory.view", resource))])(lambda name: name)
    assert a_client(app).get("/systems/loan-desk").status_code == 200
    assert ("inventory.view", {"kind": "system", "id": "loan-desk"}) in app.state.instance.authorizer.asked


def test_a_denied_action_is_a_403_with_the_rule():
    app = a_site()
    app.get("/api/v1/people", dependencies=[Depends(allow("access.manage"))])(lambda: 1)
    answer = a_client(app).get("/api/v1/people")
    assert answer.status_code == 403
    assert answer.json()["error"]["rule"] == "people-managed-by-admins"


def test_the_actor_is_found_once_a_request():
    app = a_site()
    real, calls = app.state.identify, []

    def counting(request: Request) -> Any:
        calls.append(1)
        return real(request)

    app.state.identify = counting
    a_client(app).get("/-/design")
    assert len(calls) == 1


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_menu_shows_what_the_actor_may_open_and_marks_where_it_is():
    links = menu(NAV, "/inventory/systems/loan-desk", lambda action: action != "access.manage")
    assert [link.label for link in links] == ["Overview", "Systems", "Evidence", "Gates", "Design"]
    assert [link.label for link in links if link.current] == ["Systems"]
    assert [link.label for link in menu(NAV, "/", lambda _: True) if link.current] == ["Overview"]
    assert [link.label for link in menu(NAV, "/inventories", lambda _: True) if link.current] == []


def test_menu_keys_are_single_and_the_same_for_everybody():
    keys = letters(NAV)
    assert keys[1] == "i"
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("/", True),
        ("/inventory?q=1#x", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/\t/evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_redirects_stay_on_this_site(url, local):
    assert is_local(url) is local
    if not local:
        with pytest.raises(ValueError, match="own pages"):
            redirect(url)


def test_a_context_is_a_dataclass_or_a_mapping():
    @dataclass(frozen=True, slots=True)
    class Page:
        layout: str = "ui/plain.html"
        status: int = 404
        heading: str = "A heading"
        message: str = "m"
        rule: str = ""
        owner: str = ""
        next_step: str = ""
        back: str = "/"
        fields: tuple[()] = ()

    app = a_site()
    app.add_route("/page", lambda request: render(request, "ui/error.html", Page()))
    assert "A heading" in a_client(app).get("/page").text
    app.add_route("/wrong", lambda request: render(request, "ui/error.html", ["no"]))
    assert a_client(app).get("/wrong").status_code == 500


def test_the_theme_comes_from_a_cookie_that_can_say_nothing_else():
    def page(cookie: str) -> str:
        return a_client().get("/-/design", headers={"cookie": f"alcaide_theme={cookie}"}).text

    assert '<html lang="en" data-theme="dark">' in page("dark")
    assert '<html lang="en">' in page("x onload=")


def test_pages_are_not_kept_by_browsers_and_files_are():
    client = a_client()
    page = client.get("/-/design")
    assert page.headers["cache-control"] == "no-store"
    url = page.text.split('href="/static/ui/alcaide.css')[1].split('"')[0]
    assert "immutable" in client.get(f"/static/ui/alcaide.css{url}").headers["cache-control"]
    assert client.get("/static/ui/alcaide.css?v=000000000000").headers["cache-control"] == "public, no-cache"
    etag = client.get("/static/ui/alcaide.css").headers["etag"]
    assert client.get("/static/ui/alcaide.css", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/static/ui/../gallery.py",
        "/static/ui/%2e%2e/gallery.py",
        "/static/ui/..%2fgallery.py",
        "/static/ui/.gitignore",
        "/static/ui/vendor/.stamp",
        "/static/ui",
        "/static/ui/",
        "/static/nobody/x.css",
        "/static/ui/a%00.css",
        "/static/ui/..\\gallery.py",
    ],
)
def test_only_static_files_are_served(path):
    assert a_client().get(path).status_code == 404


def test_pages_stand_without_the_built_files(tmp_path, monkeypatch):
    from alcaide.ui import look
    from alcaide.ui.assets import UI_STATIC

    for name in ("alcaide.css", "alcaide.js", "mark.svg"):
        (tmp_path / name).write_bytes((UI_STATIC / name).read_bytes())
    monkeypatch.setattr(look, "UI_STATIC", tmp_path)
    text = a_client(a_site()).get("/-/design").text
    assert "static/ui/vendor" not in text
    assert "Passed" in text
    assert "☰" in text


def test_https_is_remembered_for_a_year():
    assert "strict-transport-security" not in a_client().get("/-/design").headers
    assert "strict-transport-security" in a_client(base_url="https://testserver").get("/-/design").headers
