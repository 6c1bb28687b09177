"""`/healthz`, `/readyz` and `/metrics`: for load balancers and monitors, which do not sign in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alcaide.app.health import readiness
from alcaide.app.metrics import CONTENT_TYPE, Metrics
from alcaide.app.middleware import host_name
from alcaide.kernel.errors import SignInNeeded
from alcaide.ui.deps import current_actor, get_instance, public
from alcaide.ui.errors import error_json

router = APIRouter(include_in_schema=False)

METRICS_SCOPE = "metrics"
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "[::1]", "localhost"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

AnybodyMayAskHealth = Annotated[None, Depends(public("a load balancer learns nothing but yes or no"))]
MetricsAskThemselves = Annotated[
    None, Depends(public("answers this machine itself, or a token with its scope"))
]


@router.api_route("/healthz", methods=["GET", "HEAD"])
def healthz(_: AnybodyMayAskHealth) -> Response:
    """The process answers. Says nothing about the database: a restart would not heal that."""
    return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
def readyz(request: Request, _: AnybodyMayAskHealth) -> Response:
    """Everything a request needs is there. Names the check that failed, and tells details to this machine only."""
    checks = readiness(get_instance(request))
    ready = all(check.passed for check in checks)
    body: dict[str, object] = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: "passed" if check.passed else "failed" for check in checks},
    }
    if not ready and from_this_machine(request):
        body["problems"] = {check.name: check.problem for check in checks if not check.passed}
    return JSONResponse(body, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})


@router.api_route("/metrics", methods=["GET", "HEAD"])
def metrics(request: Request, _: MetricsAskThemselves) -> Response:
    """Prometheus text. From this machine without sign-in, from elsewhere with a token of scope `metrics`."""
    if not from_this_machine(request):
        actor = current_actor(request)
        if actor.kind != "token" or actor.scopes is None or METRICS_SCOPE not in actor.scopes:
            return _token_needed()
    numbers: Metrics = request.app.state.metrics
    return Response(numbers.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _token_needed() -> Response:
    """A scraper cannot follow the way to a sign-in page, so it is answered as the API answers."""
    error = SignInNeeded(
        "metrics need a token of scope `metrics` from anywhere but this machine; make one under Tokens"
    )
    headers = {"WWW-Authenticate": 'Bearer realm="alcaide"', "Cache-Control": "no-store"}
    return JSONResponse(error_json(error), status_code=401, headers=headers)


def from_this_machine(request: Request) -> bool:
    """Whether the asker sits on this machine, and no proxy here speaks for somebody elsewhere.

    A proxy on the same machine also comes from loopback; it gives itself away by the name it asks for or by what
    it forwards. In doubt the answer is no.
    """
    client = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in _FORWARDED)
    return client in _LOOPBACK and host_name(request.scope) in _LOOPBACK_NAMES and not forwarded
