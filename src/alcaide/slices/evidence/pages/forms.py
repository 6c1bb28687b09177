"""What the pages share: who may, the tabs, files to keep."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from alcaide.kernel.access import Actor
from alcaide.kernel.instance import Instance
from alcaide.ui.deps import allow

Viewer = Annotated[Actor, Depends(allow("evidence.view"))]
Importer = Annotated[Actor, Depends(allow("evidence.import"))]
Attester = Annotated[Actor, Depends(allow("evidence.attest"))]
Exporter = Annotated[Actor, Depends(allow("evidence.export"))]
KeyKeeper = Annotated[Actor, Depends(allow("evidence.manage-keys"))]

TABS = (
    ("Log", "/evidence"),
    ("Imports", "/evidence/imports"),
    ("Bundles", "/evidence/bundles"),
    ("Keys", "/evidence/keys"),
    ("Anchors", "/evidence/anchors"),
)


def may(instance: Instance, actor: Actor, action: str) -> bool:
    """Whether a button is worth showing; the route behind it asks again."""
    return instance.authorizer.decide(actor, action, None).allowed


def download(content: bytes, media_type: str, filename: str) -> Response:
    """A file to keep, never to be shown as a page of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)
