"""What the pages share: who may, and the tabs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from alcaide.kernel.access import Actor
from alcaide.kernel.instance import Instance
from alcaide.ui.deps import allow

Viewer = Annotated[Actor, Depends(allow("scan.view"))]
Scanner = Annotated[Actor, Depends(allow("scan.run"))]
Watcher = Annotated[Actor, Depends(allow("scan.watch"))]

TABS = (("Scans", "/scans"), ("Watched places", "/scans/watches"))


def may(instance: Instance, actor: Actor, action: str) -> bool:
    """Whether a button is worth showing; the route behind it asks again."""
    return instance.authorizer.decide(actor, action, None).allowed
