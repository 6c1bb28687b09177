"""Bundles over HTTP: made here for a stranger, and a stranger's checked here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from alcaide.slices.evidence import service
from alcaide.slices.evidence.api.shapes import PLAIN, CheckOut, Exporter, Outcome, Viewer, download
from alcaide.slices.evidence.model import TrustChoice
from alcaide.ui.deps import get_instance
from alcaide.ui.exact import Flag

router = APIRouter()


class BundleIn(BaseModel):
    """What a bundle is about."""

    model_config = ConfigDict(extra="forbid")
    subjects: list[Annotated[str, Field(max_length=2048, pattern=PLAIN)]] = Field(
        min_length=1, max_length=200
    )
    originals: StrictBool = True
    witnesses: StrictBool = False


@router.post("/bundles", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def bundle(request: Request, actor: Exporter, wanted: BundleIn) -> Response:
    """One file with all that the log says about some subjects, which a stranger can check offline."""
    name, content = service.export_bundle(
        get_instance(request),
        actor,
        wanted.subjects,
        originals=wanted.originals,
        witnesses=wanted.witnesses,
    )
    return download(content, "application/zip", name)


class WitnessedOut(BaseModel):
    """A witness that cosigned the bundle's checkpoint."""

    name: str
    at: datetime


class BundleCheckOut(BaseModel):
    """What a bundle shows. What follows `checks` is empty unless everything held."""

    outcome: Outcome = Field(description="`passed` needs a key that you named; without one it is `unknown`.")
    reason: str
    intact: bool
    pinned: bool
    checks: list[CheckOut]
    origin: str
    size: int
    root: str
    at: str
    about: list[str]
    keys: list[str] = Field(description="The log's keys in order; the last one signed the bundle.")
    trusted: list[str] = Field(description="Which of the keys that you named vouch for it.")
    leaves: list[int]
    originals: list[str]
    witnesses: list[WitnessedOut]


@router.post("/bundles/verify")
def verify_bundle(
    request: Request,
    actor: Viewer,
    file: Annotated[UploadFile, File(description="The bundle, as it is.")],
    own: Annotated[Flag, Form(description="Trust the keys of this log.")] = False,
    named: Annotated[list[str], Form(max_length=64, description="Trust keys named here.")] = [],  # noqa: B006 - FastAPI copies it
    told: Annotated[
        str, Form(max_length=65_536, description="Key ids, verifier keys and public keys in PEM, one a line.")
    ] = "",
) -> BundleCheckOut:
    """Check a bundle that somebody made. One that does not hold is an answer, `failed`, that names leaf or member."""
    choice = TrustChoice(own, tuple(named), told)
    found = service.check_bundle(get_instance(request), actor, file.file.read(), choice)
    return BundleCheckOut(**found.as_json())
