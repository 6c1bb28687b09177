"""Bundles: where one is taken out, and where one that somebody sent is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import BundleExamination, BundleLeaf, TrustChoice, title_of
from alcaide.slices.evidence.pages.forms import TABS, Viewer, may
from alcaide.ui import render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/evidence/bundles")
SHOWN = 200  # leaves in the answer; all of them are in the bundle's own index.html


@dataclass(frozen=True)
class BundlesPage:
    """Both forms, and what the last bundle showed."""

    filename: str
    found: BundleExamination | None
    leaves: Sequence[tuple[BundleLeaf, str, Sequence[str]]]
    hidden: int
    known: Mapping[str, str]
    """Key id to what it is called here, for keys of the bundle that are known here."""
    keys: Sequence[tuple[str, str]]
    values: TrustChoice
    errors: Mapping[str, str]
    limit: int
    tabs: Sequence[tuple[str, str]]
    may_export: bool


@router.get("", response_class=HTMLResponse)
def bundles(request: Request, actor: Viewer) -> HTMLResponse:
    """Both forms."""
    instance = get_instance(request)
    return _page(request, TrustChoice(own=True), may_export=may(instance, actor, "evidence.export"))


@router.post("", response_class=HTMLResponse)
def check(
    request: Request,
    actor: Viewer,
    file: Annotated[UploadFile, File()],
    own: Annotated[str, Form(max_length=10)] = "",
    named: Annotated[list[str], Form(max_length=64)] = [],  # noqa: B006 - FastAPI copies it
    told: Annotated[str, Form(max_length=70_000)] = "",
) -> Response:
    """What the bundle shows. A bundle that does not hold is an answer; keys that cannot be read are an error."""
    instance = get_instance(request)
    may_export = may(instance, actor, "evidence.export")
    choice = TrustChoice(own == "on", tuple(named), told)
    try:
        found = service.check_bundle(instance, actor, file.file.read(), choice)
    except (InvalidInput, NotFound) as problem:
        fields = problem.fields if isinstance(problem, InvalidInput) else {"named": str(problem)}
        return _page(request, choice, errors=fields, may_export=may_export, status=422)
    return _page(request, choice, found=found, filename=file.filename or "the bundle", may_export=may_export)


def _page(
    request: Request,
    choice: TrustChoice,
    *,
    may_export: bool,
    found: BundleExamination | None = None,
    filename: str = "",
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    instance = get_instance(request)
    own, named = _known_keys(instance)
    leaves = found.report.leaves if found and found.report else ()
    context = BundlesPage(
        filename=filename[:200],
        found=found,
        leaves=[_line(leaf) for leaf in leaves[:SHOWN]],
        hidden=max(len(leaves) - SHOWN, 0),
        known={**{keyid: f"trusted key {name}" for name, keyid in named}, **own},
        keys=[(name, name) for name, _ in named],
        values=choice,
        errors=errors or {},
        limit=instance.config.max_upload_mib,
        tabs=TABS,
        may_export=may_export,
    )
    return render(request, "evidence/bundles.html", context, status=status)


def _known_keys(instance: Instance) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Key ids of this log with what to call them; names and key ids of those trusted keys that a log could have."""
    with instance.read() as conn:
        own = {key.keyid: "a key of this log" for key in queries.key_chain(conn)}
        trusted = queries.trusted_keys(conn)
    named = [
        (key.name, service.trusted_by(instance, TrustChoice(named=(key.name,)))[0])
        for key in trusted
        if key.algorithm == "ed25519"
    ]
    return own, named


def _line(leaf: BundleLeaf) -> tuple[BundleLeaf, str, Sequence[str]]:
    subjects = [s.name or f"sha256:{s.sha256}" for s in leaf.statement.subjects[:3]]
    return leaf, title_of(leaf.statement.predicate_type), subjects
