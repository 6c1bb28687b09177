"""Every component in every state, on one page at `/-/design`.

It is what to look at before building a page, and what the tests render and audit, so that no component is only right
where somebody happened to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from alcaide.kernel.clock import utcnow
from alcaide.kernel.errors import NotAllowed
from alcaide.kernel.policy.verdict import Failed, Passed, Unknown, Verdict
from alcaide.ui.deps import allow
from alcaide.ui.rendering import redirect, render

router = APIRouter(include_in_schema=False, dependencies=[Depends(allow("ops.view"))])

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_STAGES = ("design", "data", "training", "validation", "safety", "deployment", "operation", "retired")


@dataclass(frozen=True)
class ExampleRow:
    """A row of the example table."""

    name: str
    title: str
    owner: str
    stage: str
    verdict: Verdict
    components: int
    digest: str
    changed_at: Any


@dataclass(frozen=True)
class GalleryPage:
    """What the gallery shows; each field feeds one component."""

    rows: list[ExampleRow]
    sort: str
    q: str
    owner: str
    history: list[dict[str, Any]]
    verdicts: list[Verdict]
    stages: tuple[str, ...]
    digest_value: str
    long_word: str
    document: dict[str, Any]
    before: str
    after: str
    moments: list[Any]


def example_rows(count: int) -> list[ExampleRow]:
    """Rows that differ in owner, stage and verdict, so that every variant of a cell occurs."""
    now = utcnow()
    verdicts: tuple[Verdict, ...] = (
        Passed((12, 40)),
        Unknown("no scan of `model:fraud-scorer@3` on record; run one"),
        Failed("suite `jailbreak` failed", (7,)),
    )
    names = (
        "loan-desk",
        "claims-triage",
        "help-centre-assistant",
        "contract-reader",
        "shift-planner",
        "fraud-watch",
    )
    owners = ("Ines Okafor", "Tomas Brandt", "Mei Lindqvist", "")
    return [
        ExampleRow(
            name=f"{names[i % 6]}-{i}" if i >= 6 else names[i],
            title=names[i % 6].replace("-", " ").capitalize(),
            owner=owners[i % 4],
            stage=_STAGES[i % 8],
            verdict=verdicts[i % 3],
            components=(i * 7) % 23,
            digest=f"{i:02x}{_DIGEST[2:]}"[:64],
            changed_at=now - timedelta(hours=i * 9 + 1),
        )
        for i in range(count)
    ]


@router.get("/-/design")
def gallery(request: Request, sort: str = "name", q: str = "", owner: str = "") -> HTMLResponse:
    """Show every component."""
    now = utcnow()
    page = GalleryPage(
        rows=example_rows(6),
        sort=sort,
        q=q,
        owner=owner,
        history=[
            {
                "at": now - timedelta(minutes=4),
                "title": "Approved for deployment",
                "actor": "Ines Okafor",
                "text": "Scan and suites were read together with the vendor's answers.",
                "icon": "check",
                "kind": "passed",
            },
            {
                "at": now - timedelta(hours=5),
                "title": "Suite jailbreak failed",
                "actor": "pipeline",
                "icon": "x",
                "kind": "failed",
                "href": "#history",
            },
            {"at": now - timedelta(days=2), "title": "Owner changed", "actor": "Tomas Brandt"},
            {
                "at": now - timedelta(days=90),
                "title": "Registered",
                "actor": "Tomas Brandt",
                "icon": "plus",
                "text": "From the intake form.",
            },
        ],
        verdicts=[
            Passed((3, 12, 40)),
            Failed("suite `jailbreak` failed; see its three findings", (7,)),
            Unknown("no scan of `model:fraud-scorer@3` within 30 days; run one"),
            Passed(tuple(range(100, 140))),
        ],
        stages=_STAGES,
        digest_value=_DIGEST,
        long_word="averylongnamewithoutasinglespacethatwouldpushanarrowscreenwideropen" * 2,
        document={
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "model:fraud-scorer@3", "digest": {"sha256": _DIGEST}}],
            "predicate": {"passed": True, "score": 0.93, "note": None, "said": 'with "quotes" & <tags>'},
        },
        before="name: loan-desk\nowner: tomas\nstage: validation\nregions:\n  - eu\n",
        after="name: loan-desk\nowner: ines\nstage: deployment\nregions:\n  - eu\n  - uk\n",
        moments=[now, now - timedelta(minutes=3), now + timedelta(days=2), now - timedelta(days=400), None],
    )
    return render(request, "ui/gallery.html", page)


@router.get("/-/design/denied")
def denied() -> Response:
    """The page somebody sees who may not do something."""
    raise NotAllowed(
        "`Mei Lindqvist` may not do `lifecycle.approve` here",
        rule="approver-is-not-requester",
        owner="security-lead",
        next_step="ask another approver; the request is already on their list",
    )


@router.post("/-/design")
def acted() -> Response:
    """Where the example forms lead: changes nothing, and says so."""
    return redirect("/-/design", flash="the example form was sent; nothing was changed", flash_kind="info")
