"""What the routes share: who may, bounds on what is given, files to keep."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from alcaide.kernel.access import Actor
from alcaide.ui.deps import allow

Viewer = Annotated[Actor, Depends(allow("evidence.view"))]
Importer = Annotated[Actor, Depends(allow("evidence.import"))]
Attester = Annotated[Actor, Depends(allow("evidence.attest"))]
Exporter = Annotated[Actor, Depends(allow("evidence.export"))]
KeyKeeper = Annotated[Actor, Depends(allow("evidence.manage-keys"))]

PLAIN = r"^[^\x00-\x1f\x7f]*$"
Index: TypeAlias = Annotated[int, Path(ge=0, le=2**53, description="The leaf's place in the log, from 0.")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=500)]
Cursor: TypeAlias = Annotated[str, Query(max_length=20, description="`next_cursor` of the page before.")]
Outcome: TypeAlias = Literal["passed", "failed", "unknown"]
ReasonText: TypeAlias = Annotated[str, Field(max_length=2000, pattern=PLAIN)]


class CheckOut(BaseModel):
    """One thing that was checked of a leaf."""

    name: str
    outcome: Outcome
    text: str


class LeafRef(BaseModel):
    """Where a statement lies."""

    leaf: int


class RotationIn(BaseModel):
    """Why the key is changed."""

    model_config = ConfigDict(extra="forbid")
    reason: ReasonText = Field(min_length=1)


def download(content: bytes, media_type: str, filename: str) -> Response:
    """A file to keep, never to be shown as a page of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)
