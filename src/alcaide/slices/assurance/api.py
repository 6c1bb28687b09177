"""The guard over HTTP: look at a text, and see what its detectors were measured to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from alcaide.instruments.guard.model import Context
from alcaide.instruments.guard.showing import report_json
from alcaide.slices.assurance import queries, service
from alcaide.slices.assurance.model import MAX_TEXT, Direction
from alcaide.ui.deps import allow, get_instance

router = APIRouter(prefix="/guard", tags=["guard"])
USE = [Depends(allow("guard.use"))]
VIEW = [Depends(allow("assurance.view"))]


class CheckIn(BaseModel):
    """What to look at, and what is known beside it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_TEXT)
    policy: str = Field(default="default", max_length=100)
    direction: Direction = "in"
    data_class: str | None = Field(default=None, max_length=200)
    audience: str | None = Field(default=None, max_length=200)
    system_prompt: str | None = Field(default=None, max_length=MAX_TEXT)
    sources: list[Annotated[str, Field(max_length=MAX_TEXT)]] = Field(default=[], max_length=100)
    question: str | None = Field(default=None, max_length=MAX_TEXT)
    samples: list[Annotated[str, Field(max_length=MAX_TEXT)]] = Field(default=[], max_length=20)


class FindingOut(BaseModel):
    """One finding; `start` and `end` count Unicode code points of the text as given."""

    detector: str
    rule: str
    category: str
    where: str
    start: int
    end: int
    score: float
    level: Literal["note", "warning", "error"]
    message: str
    layers: list[str]
    taxonomy: list[str]
    entity: str | None
    evidence: dict[str, Any]


class UnknownOut(BaseModel):
    """A detector that could not answer, and why."""

    detector: str
    reason: str


class ReportOut(BaseModel):
    """What was found and what the policy does."""

    action: Literal["allow", "redact", "hold", "block"]
    rules: list[str]
    messages: list[str]
    policy: str
    findings: list[FindingOut]
    unknown: list[UnknownOut]
    scores: dict[str, float]
    seconds: dict[str, float]
    layers: list[str]


class PolicyOut(BaseModel):
    """A policy that can be named in a check."""

    name: str
    title: str
    own: bool = Field(description="Whether the organisation wrote it, rather than it coming with Alcaide.")


class FigureOut(BaseModel):
    """A figure with its 95 % interval."""

    name: str
    value: float | None
    low: float | None
    high: float | None


class MeasuredOut(BaseModel):
    """The latest evaluation of a detector on some rows."""

    detector: str
    version: str
    leaf: int
    at: datetime
    rows: int
    corpora: list[str]
    outcome: Literal["measured", "passed", "failed"]
    figures: list[FigureOut]


@router.post("/check", dependencies=USE)
def check(request: Request, asked: CheckIn) -> ReportOut:
    """Look at a text. Nothing of it is kept."""
    context = Context(
        direction=asked.direction,
        data_class=asked.data_class,
        audience=asked.audience,
        system_prompt=asked.system_prompt,
        sources=tuple(asked.sources),
        question=asked.question,
        samples=tuple(asked.samples),
    )
    report = service.look(get_instance(request), asked.text, policy=asked.policy, context=context)
    return ReportOut.model_validate(report_json(report))


@router.get("/policies", dependencies=USE)
def policies(request: Request) -> list[PolicyOut]:
    """Every policy that a check can name."""
    return [
        PolicyOut(name=one.name, title=one.title, own=one.own)
        for one in queries.policies(get_instance(request))
    ]


@router.get("/evaluations", dependencies=VIEW)
def evaluations(request: Request) -> list[MeasuredOut]:
    """What the installed detectors were last measured to do."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.measured(conn, instance)
    return [
        MeasuredOut(
            detector=one.detector,
            version=one.version,
            leaf=one.leaf,
            at=one.at,
            rows=one.said.rows,
            corpora=[corpus.name for corpus in one.said.corpora],
            outcome=one.said.outcome,
            figures=[
                FigureOut(name=figure.name, value=figure.value, low=figure.low, high=figure.high)
                for figure in one.said.figures
            ],
        )
        for one in found
    ]
