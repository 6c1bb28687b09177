"""The API held against its own description: whatever fits the schema or just misses it, each answer is as it says.

schemathesis sends, for every operation, the boundary cases of every parameter and body (its coverage phase: the same
each time), methods the address does not have, requests without a sign-in, and a few of hypothesis's own. All of its
checks are asked but one:

- `positive_data_acceptance` wants whatever fits the schema to be taken. A schema cannot say that a cursor came from
  the page before, that a key is one, that a document is a bill of materials or that a role exists; each of those is
  refused with a sentence, and each slice's own tests hold which.

`ALCAIDE_API_EXAMPLES=200 make test ARGS=tests/contract/test_api_under_fuzz.py` sends that many at random instead.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from tests.conftest import installed

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.slice import load
from alcaide.ui.deps import allow

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
WITH_API = {manifest.name: manifest.api for manifest in installed() if manifest.api is not None}
AT_RANDOM = os.environ.get("ALCAIDE_API_EXAMPLES", "")
EXAMPLES = 1  # for each operation, beside the coverage phase's some twenty
UNKNOWN_METHODS = [
    "delete",
    "patch",
    "trace",
]  # some an address has, one that none has, one that is dangerous
HERE = "127.0.0.1:8808"
PLANTED = "/api/v1/planted"


def sweep(app: Any, actor: Actor, path: str) -> tuple[Counter[int], dict[str, str]]:
    """How often each status was answered under `path`, and what the checks found: check and operation → message."""
    real = app.state.identify
    app.state.identify = lambda request: (
        actor if request.headers.get("authorization") == "Bearer alc_sweep" else real(request)
    )
    config = SchemathesisConfig.from_dict(
        {
            "base-url": f"http://{HERE}",
            "auth": {"openapi": {"token": {"bearer": "alc_sweep"}}},
            "workers": 1,
            "continue-on-failure": True,
            "request-timeout": 120,  # a busy machine is no fault
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "phases": {"stateful": {"enabled": False}, "coverage": {"unexpected-methods": UNKNOWN_METHODS}},
            "generation": {
                "max-examples": int(AT_RANDOM or EXAMPLES),
                "deterministic": not AT_RANDOM,
                "no-shrink": True,
                "database": "none",
            },
        }
    )
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", app, config=config, headers={"host": HERE}
    ).include(path_regex=f"^{path}(/|$)")
    statuses: Counter[int] = Counter()
    faults: dict[str, str] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for sent in event.recorder.interactions.values():
                if sent.response is not None:
                    statuses[sent.response.status_code] += 1
            for case_id, checked in event.recorder.checks.items():
                for check in checked:
                    if check.failure_info is not None and not _any_text_will_do(
                        check.name, event.recorder.cases[case_id].value
                    ):
                        failure = check.failure_info.failure
                        told = f"{failure.message}\n{check.failure_info.code_sample}"
                        faults.setdefault(f"{check.name}: {failure.operation}", told)
        elif isinstance(event, events.NonFatalError):
            faults[f"error: {event.label}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception
    return statuses, faults


def _any_text_will_do(check: str, case: Any) -> bool:
    """A body of CSV or YAML is text of whatever kind; "an object instead of text" is text as well."""
    return check == "negative_data_rejection" and str(case.media_type or "").startswith(
        ("text/", "application/yaml")
    )


@pytest.mark.parametrize("name", WITH_API)
def test_every_answer_is_as_the_description_says(app: Any, admin: Actor, name: str) -> None:
    statuses, faults = sweep(app, admin, f"/api/v1{load(WITH_API[name]).prefix}")

    assert not faults, "\n\n".join(f"{where}\n{what}" for where, what in faults.items())
    assert {200, 401, 405} <= set(statuses), f"the sweep did not get everywhere: {dict(statuses)}"


def test_no_area_of_the_api_is_left_out(app: Any) -> None:
    paths = {"/" + path.split("/")[3] for path in app.openapi()["paths"] if path.startswith("/api/v1/")}

    assert paths == {load(api).prefix for api in WITH_API.values()}


class Planted(BaseModel):
    number: int


def test_answers_that_are_not_as_described_are_found(app: FastAPI, admin: Actor) -> None:
    @app.get(f"{PLANTED}/shape", dependencies=[Depends(allow("access.me"))])
    def shape() -> Planted:
        return Planted.model_construct(number="none")  # type: ignore[arg-type]

    @app.get(f"{PLANTED}/anybody", openapi_extra={"security": [{"token": []}]})
    def anybody() -> dict[str, str]:
        return {}

    @app.post(f"{PLANTED}/lax", dependencies=[Depends(allow("access.me"))])
    def lax(body: dict[str, Any]) -> dict[str, str]:
        return {}

    @app.get(f"{PLANTED}/broken", dependencies=[Depends(allow("access.me"))])
    def broken() -> dict[str, str]:
        raise ZeroDivisionError

    app.openapi_schema = None
    described = app.openapi()["paths"]
    described[f"{PLANTED}/shape"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "required": ["more"],
    }
    described[f"{PLANTED}/lax"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    }
    _, faults = sweep(app, admin, PLANTED)

    assert f"response_schema_conformance: GET {PLANTED}/shape" in faults
    assert f"ignored_auth: GET {PLANTED}/anybody" in faults
    assert f"negative_data_rejection: POST {PLANTED}/lax" in faults
    assert any(f"GET {PLANTED}/broken" in where for where in faults)
