"""The log as people read it: a list, one leaf with its proof, and all there is about a subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ledger.reader import SignedCheckpoint
from alcaide.predicates.imported import Imported
from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.model import (
    ACCESS_EVENT,
    ImportLine,
    LeafDetail,
    LeafFilter,
    LeafLine,
    LeafPage,
    Step,
    title_of,
)
from alcaide.slices.evidence.pages.forms import TABS, Exporter, Viewer, download, may
from alcaide.slices.evidence.rules.paths import label_of, subject_key
from alcaide.ui import redirect, render
from alcaide.ui.deps import get_instance

router = APIRouter(prefix="/evidence")
PER_PAGE = 50
MAX_LISTED = 500

_ROW, _WIDTH, _BOX, _HEIGHT = 62, 640, 176, 34  # pixels of the drawn proof
_MIDDLE = (_WIDTH - _BOX) // 2


@dataclass(frozen=True)
class LogPage:
    """The log, a page of it."""

    page: LeafPage
    narrow: LeafFilter
    types: Sequence[tuple[str, str]]
    checkpoint: SignedCheckpoint
    since: str
    until: str
    paged: bool
    problem: str
    tabs: Sequence[tuple[str, str]]
    may_import: bool
    may_attest: bool
    may_export: bool


@dataclass(frozen=True)
class Box:
    """A node of the drawn proof: where it stands, its hash, and what it is."""

    x: int
    y: int
    label: str
    hash: str
    kind: str


@dataclass(frozen=True)
class Drawing:
    """The way from a leaf to the root, as boxes and the lines between them."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[tuple[int, int, int, int]]
    box: tuple[int, int]


@dataclass(frozen=True)
class LeafContext:
    """One leaf."""

    leaf: LeafDetail
    drawing: Drawing
    subjects: Sequence[Subject]
    hidden: int
    imported: ImportLine | None
    previous: int | None
    next: int | None
    may_export: bool


@dataclass(frozen=True)
class SubjectContext:
    """All about one subject."""

    key: str
    label: str
    complete: bool
    why_incomplete: str
    size: int
    lines: Sequence[LeafLine]
    total: int
    kinds: Sequence[tuple[str, int]]
    related: Sequence[str]
    may_export: bool
    may_attest: bool
    may_import: bool


@router.get("", response_class=HTMLResponse)
def log(
    request: Request,
    actor: Viewer,
    subject: Annotated[str, Query(max_length=2048)] = "",
    type: Annotated[str, Query(max_length=512)] = "",
    since: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
    cursor: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """Every leaf, newest first."""
    instance = get_instance(request)
    problem = ""
    narrow = LeafFilter(predicate_type=type, subject=subject.strip())
    try:
        narrow = LeafFilter(type, subject.strip(), _day(since), _day(until, after=True))
        if narrow.subject:
            subject_key(narrow.subject)
    except InvalidInput as wrong:
        problem, narrow = str(wrong), LeafFilter(predicate_type=type)
    with_access = queries.may_see_all(instance, actor)
    with instance.read() as conn:
        page = queries.list_leaves(
            conn, instance, narrow, with_access=with_access, limit=PER_PAGE, cursor=cursor
        )
        types = queries.predicate_types(conn, with_access=with_access)
        checkpoint = instance.ledger.checkpoint(conn)
    context = LogPage(
        page=page,
        narrow=narrow,
        types=sorted(((one, title_of(one)) for one in types), key=lambda pair: pair[1]),
        checkpoint=checkpoint,
        since=since,
        until=until,
        paged=bool(cursor),
        problem=problem,
        tabs=TABS,
        may_import=may(instance, actor, "evidence.import"),
        may_attest=may(instance, actor, "evidence.attest"),
        may_export=may(instance, actor, "evidence.export"),
    )
    return render(request, "evidence/log.html", context)


def _day(text: str, *, after: bool = False) -> datetime | None:
    """Midnight of a day, or of the next: filters name days, times lie within them."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"`{text[:20]}` is no day; write it like `2026-11-25`") from None
    return day + timedelta(days=1) if after else day


@router.get("/leaves/{index}", response_class=HTMLResponse)
def leaf(request: Request, actor: Viewer, index: int) -> HTMLResponse:
    """One leaf: what it says, and why it can be believed that this is what was said."""
    instance = get_instance(request)
    with instance.read() as conn:
        found = queries.leaf_detail(conn, instance, index, with_access=queries.may_see_all(instance, actor))
        at = found.imported_at if found.foreign else found.index
        imported = None
        if at is not None and (found.foreign or found.predicate_type == Imported.TYPE):
            try:
                imported = queries.import_line(conn, at)
            except NotFound:
                imported = None
    subjects = found.statement.subjects
    context = LeafContext(
        leaf=found,
        drawing=drawing_of(found.leaf_hash, found.path, found.index),
        subjects=subjects[:20],
        hidden=max(len(subjects) - 20, 0),
        imported=imported,
        previous=index - 1 if index > 0 else None,
        next=index + 1 if index + 1 < found.size else None,
        may_export=may(instance, actor, "evidence.export"),
    )
    return render(request, "evidence/leaf.html", context)


def drawing_of(leaf_hash: str, path: Sequence[Step], index: int) -> Drawing:
    """Lay the proof out: the root on top, the leaf at the bottom, each sibling on its own side."""
    height = len(path) * _ROW + _HEIGHT + 8
    y = height - _HEIGHT - 4
    root = "leaf and root" if not path else f"leaf {index}"
    boxes = [Box(_MIDDLE, y, root, leaf_hash, "leaf")]
    lines = []
    for number, step in enumerate(path):
        side = 4 if step.left else _WIDTH - _BOX - 4
        boxes.append(Box(side, y, "sibling", step.sibling, "sibling"))
        above = y - _ROW
        lines += [(x + _BOX // 2, y, _MIDDLE + _BOX // 2, above + _HEIGHT) for x in (_MIDDLE, side)]
        last = number == len(path) - 1
        boxes.append(Box(_MIDDLE, above, "root" if last else "node", step.node, "root" if last else "node"))
        y = above
    return Drawing(_WIDTH, height, boxes, lines, (_BOX, _HEIGHT))


@router.get("/leaves/{index}/envelope")
def envelope(request: Request, actor: Viewer, index: int) -> Response:
    """The envelope's bytes, as they were logged."""
    instance = get_instance(request)
    with instance.read() as conn:
        queries.leaf_detail(conn, instance, index, with_access=queries.may_see_all(instance, actor))
        content = instance.ledger.leaf(conn, index).envelope
    return download(content, "application/vnd.dsse.envelope.v1+json", f"leaf-{index}.dsse.json")


@router.get("/subject", response_class=HTMLResponse)
def subject(request: Request, actor: Viewer, key: Annotated[str, Query(max_length=2048)] = "") -> Response:
    """All that the log says about one name or digest, and whether it is shown to be all.

    Without a name or digest there is nothing to show: the log's own page has the search for one.
    """
    if not key.strip():
        return redirect("/evidence")
    instance = get_instance(request)
    wanted = subject_key(key)
    with_access = queries.may_see_all(instance, actor)
    with instance.read() as conn:
        view = instance.view(conn, [wanted])
        lines = queries.newest_about(conn, instance, [wanted], with_access=with_access, limit=MAX_LISTED)
    kinds: dict[str, int] = {}
    for record in view.records:
        if with_access or record.predicate_type != ACCESS_EVENT:
            title = title_of(record.predicate_type)
            kinds[title] = kinds.get(title, 0) + 1
    related = {
        name: None
        for record in view.records
        for one in record.subjects
        if wanted in one.keys
        for name in one.keys
        if name != wanted
    }
    context = SubjectContext(
        key=wanted,
        label=label_of(wanted),
        complete=view.complete,
        why_incomplete=view.why_incomplete or "",
        size=view.size,
        lines=lines,
        total=sum(kinds.values()),
        kinds=sorted(kinds.items(), key=lambda pair: -pair[1]),
        related=list(related)[:20],
        may_export=may(instance, actor, "evidence.export"),
        may_attest=may(instance, actor, "evidence.attest"),
        may_import=may(instance, actor, "evidence.import"),
    )
    return render(request, "evidence/subject.html", context)


@router.post("/export")
def export(
    request: Request,
    actor: Exporter,
    subject: Annotated[list[str], Form(max_length=200)],
    originals: Annotated[str, Form()] = "on",
) -> Response:
    """A bundle, to keep."""
    name, content = service.export_bundle(
        get_instance(request), actor, subject, originals=originals == "on", witnesses=True
    )
    return download(content, "application/zip", name)
