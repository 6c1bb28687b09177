"""Bundles over HTTP: made here for a stranger, and a stranger's checked here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alcaide.slices.evidence import service
from alcaide.slices.evidence.api.shapes import PLAIN, Exporter, download
from alcaide.ui.deps import get_instance

router = APIRouter()


class BundleIn(BaseModel):
    """What a bundle is about."""

    model_config = ConfigDict(extra="forbid")
    subjects: list[Annotated[str, Field(max_length=2048, pattern=PLAIN)]] = Field(
        min_length=1, max_length=200
    )
    originals: bool = True
    witnesses: bool = False


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
