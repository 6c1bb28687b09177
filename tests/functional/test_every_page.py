"""Every page that can be reached by links, with a register that holds something: nothing serious on any of them.

The walk starts at the first page and follows links on this site, one address for each route, so a page that nobody
links is not looked at here, and a new page is as soon as somebody links it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from alcaide.kernel.access.actor import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory.service import declare

DOCUMENT = b"""
systems:
  - name: loan-desk
    title: Loan desk assistant
    purpose: Suggests an answer to loan applications; a clerk decides.
    owner: Ines Okafor
    deputy: Tomas Brandt
    unit: Retail lending
    role: deployer
    autonomy: human-in-the-loop
    exposure: internal
    regions: [eu, uk]
    status: active
    tags: [lending]
    components:
      - kind: model
        name: fraud-scorer
        version: 3
        digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        licence: Apache-2.0
      - prompt:greeting@4
    flows:
      - from: party:Applicants
        to: model:fraud-scorer
        data: [personal]
        purpose: scoring
    environments:
      - name: production
        region: eu
        deployed: [model:fraud-scorer@3, prompt:greeting]
  - name: shift-planner
    title: Shift planner
    purpose: Proposes shifts.
"""
# Files and streams, and the account of somebody who was not really signed in: not pages to look at here.
LEFT_OUT = re.compile(
    r"^/account|\.(csv|json|yaml|zip|xml)$|/export|/vsa$|/tile/|/checkpoint$|/envelope$|/originals/|/metrics$|/healthz$|/readyz$"
)


@pytest.fixture
def filled(instance: Instance, admin: Actor) -> None:
    declare.apply(instance, declare.read_document(DOCUMENT), actor=admin)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_every_page_that_links_lead_to_stands(app, filled, browser_page, check_page, who):
    page = browser_page(who)
    route_of = routes(app)
    waiting, seen, problems = ["/", "/inventory/systems/loan-desk"], set(), []
    while waiting:
        path = waiting.pop(0)
        route = route_of(urlsplit(path).path)
        if route is None or route in seen:
            continue
        seen.add(route)
        try:
            check_page(page, path, name=f"{who}{path}")
        except AssertionError as error:
            problems.append(str(error).partition("\nassert")[0])
        links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map((a) => a.href)")
        here = urlsplit(page.url).netloc
        waiting += [
            urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl()
            for link in links
            if urlsplit(link).netloc == here
        ]
    assert not problems, "\n".join(problems)
    assert len(seen) > 5


@pytest.mark.parametrize("path", ["/sign-in", "/intake"])
def test_pages_for_somebody_unknown_stand(browser_page, check_page, path):
    check_page(browser_page(None), path, name=f"nobody{path}")


def routes(app: Any) -> Callable[[str], str | None]:
    """Path → the route that serves it as a page, or None."""
    pages = {
        re.compile(re.sub(r"\{[^}]*\}", "[^/]+", str(context.path)) + r"\Z"): str(context.path)
        for context in iter_route_contexts(app.routes)
        if "GET" in (context.methods or ()) and not str(context.path).startswith(("/api/", "/static/"))
    }

    def find(path: str) -> str | None:
        if LEFT_OUT.search(path):
            return None
        fitting = [route for pattern, route in pages.items() if pattern.match(path)]
        return min(fitting, key=lambda route: route.count("{"), default=None)

    return find
