"""Pages of the guard: paste a text and see what is in it; see how good the detectors are known to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from alcaide.instruments.guard.model import Context, Finding, Report
from alcaide.instruments.guard.normalise import readings
from alcaide.instruments.guard.policy import Limits
from alcaide.instruments.guard.registry import load_detectors
from alcaide.instruments.guard.showing import visible
from alcaide.kernel.errors import AlcaideError, InvalidInput
from alcaide.kernel.instance import Instance
from alcaide.slices.assurance import queries, service
from alcaide.slices.assurance.model import MAX_TEXT, Direction, Measured
from alcaide.ui import render
from alcaide.ui.deps import allow, get_instance

router = APIRouter(include_in_schema=False)
USE = [Depends(allow("guard.use"))]
VIEW = [Depends(allow("assurance.view"))]
LongText = Annotated[str, Form(max_length=MAX_TEXT)]

SHOWN_TEXT = 20_000
"""Characters of a text that the page draws, around its first finding; all of it was looked at."""
SHOWN_LAYER = 600
SHOWN_FINDINGS = 200


@dataclass(frozen=True)
class Piece:
    """A stretch of the text: plain, or what a finding points at. `number` is the finding's in the list."""

    text: str
    finding: Finding | None = None
    number: int = 0


@dataclass(frozen=True)
class Reading:
    """Another reading of the text, and how it was come by."""

    how: str
    text: str
    cut: bool


@dataclass(frozen=True)
class Score:
    """One detector: its highest score, how long it took, and why it could not answer if it could not."""

    detector: str
    score: float | None
    microseconds: float
    unknown: str = ""


@dataclass(frozen=True)
class GuardPage:
    """The form, and what the last text showed."""

    policies: Sequence[tuple[str, str]]
    policy: str
    direction: Direction
    text: str
    system_prompt: str
    sources: str
    report: Report | None = None
    verdict: str = ""
    pieces: Sequence[Piece] = ()
    cut_before: int = 0
    cut_after: int = 0
    layers: Sequence[Reading] = ()
    scores: Sequence[Score] = ()
    milliseconds: float = 0.0
    listed: Sequence[tuple[int, Finding]] = ()
    more_findings: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    limit: int = MAX_TEXT


@dataclass(frozen=True)
class EvaluationsPage:
    """What the detectors were measured to do."""

    measured: Sequence[Measured]
    detectors: Sequence[tuple[str, str]]


@router.get("/guard", response_class=HTMLResponse, dependencies=USE)
def guard(request: Request) -> HTMLResponse:
    """The form."""
    choices = _choices(get_instance(request))
    return render(
        request,
        "assurance/guard.html",
        GuardPage(choices, choices[0][0], "in", text="", system_prompt="", sources=""),
    )


@router.post("/guard", response_class=HTMLResponse, dependencies=USE)
def look(
    request: Request,
    text: LongText = "",
    policy: Annotated[str, Form(max_length=100)] = "default",
    direction: Annotated[Direction, Form()] = "in",
    system_prompt: LongText = "",
    sources: LongText = "",
) -> HTMLResponse:
    """What the guard says of the text. The text comes back on the page and is kept nowhere."""
    instance = get_instance(request)
    # A form sends line ends as CRLF (HTML §4.10.21.8); offsets are those of the text as it was typed.
    text = text.replace("\r\n", "\n")
    page = GuardPage(
        policies=_choices(instance),
        policy=policy,
        direction=direction,
        text=text,
        system_prompt=system_prompt,
        sources=sources,
    )
    try:
        if not text.strip():
            raise InvalidInput("there is no text to look at", {"text": "paste or type a text"})
        return render(request, "assurance/guard.html", _looked(instance, page))
    except AlcaideError as error:
        fields = getattr(error, "fields", None) or {"text": str(error)}
        return render(
            request, "assurance/guard.html", replace(page, errors=dict(fields)), status=error.status
        )


@router.get("/guard/evaluations", response_class=HTMLResponse, dependencies=VIEW)
def evaluations(request: Request) -> HTMLResponse:
    """How good the detectors are known to be."""
    instance = get_instance(request)
    with instance.read() as conn:
        measured = queries.measured(conn, instance)
    installed = [(one.name, one.version) for one in load_detectors(queries.registered(instance))]
    return render(request, "assurance/evaluations.html", EvaluationsPage(measured, installed))


def _choices(instance: Instance) -> list[tuple[str, str]]:
    """Policies to choose from: the organisation's own, then the default, then the others."""
    found = sorted(queries.policies(instance), key=lambda one: (not one.own, one.name != "default"))
    return [(one.name, f"{one.name}: {one.title}" if one.title else one.name) for one in found]


def _looked(instance: Instance, page: GuardPage) -> GuardPage:
    context = Context(
        direction=page.direction,
        system_prompt=page.system_prompt or None,
        sources=(page.sources,) if page.sources.strip() else (),
    )
    report = service.look(instance, page.text, policy=page.policy, context=context)
    findings = report.findings[:SHOWN_FINDINGS]
    pieces, before, after = _pieces(page.text, findings)
    unknown = {one.detector: one.reason for one in report.unknown}
    named = [name for name in report.seconds if name not in ("normalise", "patterns", "total")]
    others = [name for name in unknown if name not in named]
    return replace(
        page,
        report=report,
        verdict=_VERDICTS[report.action.value],
        pieces=pieces,
        cut_before=before,
        cut_after=after,
        layers=_readings(report),
        scores=[
            *(
                Score(name, report.scores.get(name), report.seconds[name] * 1e6, unknown.get(name, ""))
                for name in named
            ),
            *(Score(name, None, 0.0, unknown[name]) for name in others),
        ],
        milliseconds=report.seconds["total"] * 1e3,
        listed=list(enumerate(findings, start=1)),
        more_findings=len(report.findings) - len(findings),
    )


_VERDICTS = {"allow": "passed", "redact": "waived", "hold": "unknown", "block": "failed"}


def _pieces(text: str, findings: Sequence[Finding]) -> tuple[list[Piece], int, int]:
    """The text in pieces around its findings, and how many characters were left out before and after.

    Where findings overlap, the one that begins first has the stretch; all of them are in the list below.
    """
    first = max(0, min((one.span.start for one in findings), default=0) - SHOWN_TEXT // 4)
    last = min(len(text), first + SHOWN_TEXT)
    pieces: list[Piece] = []
    at = first
    for number, finding in sorted(enumerate(findings, start=1), key=lambda one: one[1].span.start):
        start, end = max(finding.span.start, at), min(finding.span.end, last)
        if start >= end:
            continue
        pieces += (Piece(visible(text[at:start])), Piece(visible(text[start:end]), finding, number))
        at = end
    pieces.append(Piece(visible(text[at:last])))
    return [piece for piece in pieces if piece.text], first, len(text) - last


def _readings(report: Report) -> list[Reading]:
    found = []
    for passage in report.passages:
        for layer in readings(passage, Limits())[0][1:]:
            shown = visible(layer.text[:SHOWN_LAYER])
            found.append(Reading(" in ".join(reversed(layer.path)), shown, len(layer.text) > SHOWN_LAYER))
    return found
