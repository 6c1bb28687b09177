"""Places whose models are scanned when they appear or change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import Conflict, InvalidInput, Unavailable
from alcaide.slices.supply_chain import queries, rules, service
from alcaide.slices.supply_chain.model import SOURCES, SourceKind, StoreAddress, Watch
from alcaide.slices.supply_chain.pages.forms import TABS, Viewer, Watcher, may
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/scans/watches")


@dataclass(frozen=True)
class WatchesPage:
    """The watched places, and the form to add one."""

    watches: Sequence[Watch]
    folders: Sequence[str]
    stores: Sequence[StoreAddress]
    kinds: Mapping[SourceKind, str]
    tabs: Sequence[tuple[str, str]]
    may_watch: bool
    values: Mapping[str, str]
    errors: Mapping[str, str]


@router.get("", response_class=HTMLResponse)
def watches(request: Request, actor: Viewer) -> HTMLResponse:
    """All of them."""
    return _page(request, may(get_instance(request), actor, "scan.watch"))


@router.post("")
def add(
    request: Request,
    actor: Watcher,
    name: Annotated[str, Form(max_length=200)] = "",
    path: Annotated[str, Form(max_length=4_096)] = "",
    kind: Annotated[str, Form(max_length=20)] = "folder",
    every_minutes: Annotated[str, Form(max_length=10)] = "15",
) -> Response:
    """Watch one more."""
    values = {"name": name, "path": path, "kind": kind, "every_minutes": every_minutes}
    minutes = int(every_minutes) if every_minutes.isdecimal() else 0
    try:
        service.add_watch(
            get_instance(request),
            actor,
            name,
            path.strip(),
            kind=rules.source_kind(kind),
            every_minutes=minutes,
        )
    except InvalidInput as problem:
        return _page(request, True, values, problem.fields or {"path": str(problem)}, status=422)
    except Unavailable as problem:
        return _page(request, True, values, {"path": str(problem)}, status=problem.status)
    except Conflict as problem:
        return _page(request, True, values, {"name": str(problem)}, status=409)
    return redirect("/scans/watches", flash="watched from now on; what lies in it is scanned within a minute")


@router.post("/{watch_id}/remove")
def remove(request: Request, actor: Watcher, watch_id: str) -> Response:
    """Stop watching one."""
    service.remove_watch(get_instance(request), actor, watch_id)
    return redirect("/scans/watches", flash="no longer watched; its scans stay")


def _page(
    request: Request,
    may_watch: bool,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    settings = queries.settings(instance)
    with instance.read() as conn:
        found = queries.watches(conn)
    page = WatchesPage(
        watches=found,
        folders=settings.folders,
        stores=settings.stores,
        kinds=SOURCES,
        tabs=TABS,
        may_watch=may_watch,
        values=values or {"name": "", "path": "", "kind": "folder", "every_minutes": "15"},
        errors=errors or {},
    )
    return render(request, "supply_chain/watches.html", page, status=status)
