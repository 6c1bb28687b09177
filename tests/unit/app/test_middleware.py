"""What every request passes and every answer carries."""

from __future__ import annotations

import json
import logging
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from starlette.requests import Request

from alcaide.kernel.slice import Manifest
from alcaide.ui.deps import allow, public

pages = APIRouter()
api = APIRouter()


@pages.get("/plain/{name}")
def plain(name: str, _: Annotated[None, Depends(public("for a test"))]) -> str:
    return name * 10


@pages.get("/large")
def large(_: Annotated[None, Depends(public("for a test"))]) -> str:
    return "a" * 100_000


@pages.get("/broken")
def broken(_: Annotated[None, Depends(public("for a test"))]) -> str:
    raise RuntimeError("detail of the inside")


@api.post("/echo")
async def echo(request: Request, _: Annotated[None, Depends(public("for a test"))]) -> int:
    return len(await request.body())


@api.get("/guarded")
def guarded(_: Annotated[object, Depends(allow("test.view"))]) -> str:
    return "in"


TEST = Manifest(name="test", title="Test", question="?", pages=f"{__name__}:pages", api=f"{__name__}:api")


def test_every_answer_says_how_it_may_be_used(visit):
    headers = visit(TEST).get("/plain/a").headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    "path", ["/plain/a", "/nothing-here", "/broken", "/api/v1/guarded", "/static/ui/nothing.js"]
)
def test_the_headers_are_there_whatever_the_answer(visit, path):
    assert "content-security-policy" in visit(TEST).get(path).headers


def test_strict_transport_is_asked_for_over_https_alone(visit):
    over_http = visit(TEST).get("/plain/a")
    over_https = visit(
        TEST, settings={"public_url": "https://alcaide.test"}, base_url="https://alcaide.test"
    ).get("/plain/a")

    assert "strict-transport-security" not in over_http.headers
    assert over_https.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8808", "localhost", "LOCALHOST:1", "[::1]:8808", "alcaide.test", "second.test:443"]
)
def test_the_instance_answers_to_its_own_names(visit, host):
    client = visit(
        TEST, settings={"public_url": "https://alcaide.test", "allowed_hosts": "second.test, third.test"}
    )

    assert client.get("/plain/a", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "", "alcaide.test.evil.test", "[::2]"])
def test_a_name_that_is_not_the_instances_is_refused(visit, host):
    client = visit(TEST, settings={"public_url": "https://alcaide.test"})

    answer = client.get("/plain/a", headers={"Host": host})

    assert answer.status_code == 421
    assert answer.json()["error"]["code"] == "unknown-host"


def test_a_body_within_the_limit_is_read(visit):
    assert (
        visit(TEST, settings={"max_upload_mib": 1}).post("/api/v1/echo", content=b"x" * 2**20).json() == 2**20
    )


def test_a_body_that_declares_too_much_is_refused_before_it_is_read(visit):
    answer = visit(TEST, settings={"max_upload_mib": 1}).post("/api/v1/echo", content=b"x" * (2**20 + 1))

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too-large"


def test_a_body_that_declares_nothing_is_counted_as_it_arrives(visit):
    def endless():
        for _ in range(40):
            yield b"x" * 2**16

    answer = visit(TEST, settings={"max_upload_mib": 1}).post("/api/v1/echo", content=endless())

    assert answer.status_code == 413


def test_a_request_has_an_id_and_says_how_long_it_took(visit):
    headers = visit(TEST).get("/plain/a").headers

    assert len(headers["x-request-id"]) == 26
    assert headers["server-timing"].startswith("app;dur=")


def test_an_id_that_a_proxy_gave_is_kept_if_it_looks_like_one(visit):
    client = visit(TEST)

    assert (
        client.get("/plain/a", headers={"X-Request-Id": "proxy-0001"}).headers["x-request-id"] == "proxy-0001"
    )
    assert client.get("/plain/a", headers={"X-Request-Id": 'a b"}{'}).headers["x-request-id"] != 'a b"}{'


def test_the_access_log_names_path_status_and_actor_and_never_the_query(visit, caplog):
    caplog.set_level(logging.INFO, logger="alcaide.access")

    visit(TEST).get("/plain/a?token=secret")

    (record,) = caplog.records
    assert (record.fields["path"], record.fields["status"]) == ("/plain/a", 200)
    assert "secret" not in json.dumps(record.fields)


def test_large_answers_are_compressed_and_small_ones_are_not(visit):
    client = visit(TEST)

    assert client.get("/large", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/plain/a", headers={"Accept-Encoding": "gzip"}).headers


def test_an_error_of_ours_tells_nothing_of_the_inside(visit):
    answer = visit(TEST).get("/broken")

    assert answer.status_code == 500
    assert "detail of the inside" not in answer.text
    assert "Traceback" not in answer.text


def test_the_api_has_its_place_and_the_pages_have_theirs(visit):
    client = visit(TEST)

    assert client.get("/api/v1/guarded").status_code == 200
    assert client.get("/guarded").status_code == 404


def test_the_api_asks_a_stranger_to_sign_in_in_its_own_words(visit, nobody):
    answer = visit(TEST, actor=nobody).get("/api/v1/guarded")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "sign-in-needed"


def test_the_description_of_the_api_is_openapi_3_1_and_says_who_may_ask(visit):
    schema = visit(TEST).get("/api/v1/openapi.json").json()

    assert schema["openapi"] == "3.1.0"
    assert set(schema["components"]["securitySchemes"]) == {"token", "session"}
    assert schema["paths"]["/api/v1/guarded"]["get"]["x-alcaide-action"] == "test.view"
    assert schema["paths"]["/api/v1/echo"]["post"]["security"] == []
    assert "/plain/{name}" not in schema["paths"]
