"""Where checkpoints are left outside, and for whom this is the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.ledger.reader import SignedCheckpoint
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import ANCHOR_JOB, AnchorState, KnownLog
from alcaide.slices.evidence.pages.forms import TABS, KeyKeeper, Viewer, may
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/evidence/anchors")


@dataclass(frozen=True)
class AnchorsPage:
    """The anchors page."""

    states: Sequence[AnchorState]
    logs: Sequence[KnownLog]
    checkpoint: SignedCheckpoint
    witness_url: str
    witness_key: str
    errors: Mapping[str, str]
    values: Mapping[str, str]
    form: str
    tabs: Sequence[tuple[str, str]]
    may_manage: bool


@router.get("", response_class=HTMLResponse)
def anchors(request: Request, actor: Viewer) -> HTMLResponse:
    """Both lists."""
    return _page(request, may(get_instance(request), actor, "evidence.manage-keys"))


@router.post("/witness")
def add_witness(
    request: Request,
    actor: KeyKeeper,
    name: Annotated[str, Form(max_length=200)] = "",
    target: Annotated[str, Form(max_length=2_000)] = "",
    vkey: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Have checkpoints cosigned by a witness from now on."""
    try:
        service.add_anchor(get_instance(request), actor, name, kind="witness", target=target, vkey=vkey)
    except (InvalidInput, Conflict) as problem:
        fields = problem.fields if isinstance(problem, InvalidInput) else {"name": str(problem)}
        values = {"name": name, "target": target, "vkey": vkey}
        return _page(request, True, errors=fields, values=values, form="witness", status=422)
    _run(request)
    return redirect("/evidence/anchors", flash=f"checkpoints go to `{name.strip()}` from now on")


@router.post("/log")
def add_log(
    request: Request, actor: KeyKeeper, log_key: Annotated[str, Form(max_length=1_000)] = ""
) -> Response:
    """Be the witness of another log from now on."""
    try:
        origin = service.add_known_log(get_instance(request), actor, log_key)
    except (InvalidInput, Conflict) as problem:
        values = {"log_key": log_key}
        return _page(request, True, errors={"log_key": str(problem)}, values=values, form="log", status=422)
    return redirect("/evidence/anchors", flash=f"checkpoints of `{origin}` are cosigned here from now on")


@router.post("/remove")
def remove(request: Request, actor: KeyKeeper, id: Annotated[str, Form(max_length=26)]) -> Response:
    """Leave no more checkpoints there."""
    service.remove_anchor(get_instance(request), actor, id)
    return redirect("/evidence/anchors", flash="removed; what lies there stays")


@router.post("/log/remove")
def remove_log(request: Request, actor: KeyKeeper, origin: Annotated[str, Form(max_length=200)]) -> Response:
    """Witness a log no longer."""
    service.remove_known_log(get_instance(request), actor, origin)
    return redirect("/evidence/anchors", flash=f"`{origin}` is witnessed no longer")


@router.post("/run")
def run(request: Request, _: KeyKeeper) -> Response:
    """Leave the newest checkpoint everywhere, in the background."""
    _run(request)
    return redirect("/evidence/anchors", flash="the newest checkpoint is on its way", flash_kind="info")


def _run(request: Request) -> None:
    get_instance(request).write(lambda tx: tx.enqueue(ANCHOR_JOB, {}))


def _page(
    request: Request,
    may_manage: bool,
    *,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    form: str = "",
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    with instance.read() as conn:
        checkpoint = instance.ledger.checkpoint(conn)
        states = queries.anchor_states(conn, instance, instance.clock())
        logs = queries.known_logs(conn)
    context = AnchorsPage(
        states=states,
        logs=logs,
        checkpoint=checkpoint,
        witness_url=f"{instance.config.url}/api/v1/evidence/witness",
        witness_key=queries.witness_key(instance, checkpoint.keyid).to_text(),
        errors=errors or {},
        values={"name": "", "target": "", "vkey": "", "log_key": "", **(values or {})},
        form=form,
        tabs=TABS,
        may_manage=may_manage,
    )
    return render(request, "evidence/anchors.html", context, status=status)
