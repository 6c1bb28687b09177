"""Many entries at once over HTTP: `alcaide.yaml`, spreadsheets, bills of material."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.api.shapes import ApplyOut, BomOut, ConfirmOut, Id, ImportOut, Name, answers
from alcaide.slices.inventory.rules.sheet import MAX_COLUMNS, SheetPlan
from alcaide.slices.inventory.rules.validate import NAME
from alcaide.slices.inventory.service import bulk, declare, exchange
from alcaide.ui.deps import allow, get_instance
from alcaide.ui.exact import Flag

router = APIRouter()
Importer = Annotated[Actor, Depends(allow("inventory.import"))]
Viewer = Annotated[Actor, Depends(allow("inventory.view"))]
Why = Annotated[str, Query(max_length=1_000, description="Why; kept in the evidence of the change.")]
Map = Annotated[
    list[str],
    Query(
        alias="map",
        max_length=MAX_COLUMNS,
        description="What a column means, as `Column=field`; `#3=owner` is the third, `Column=` leaves one out.",
    ),
]
_SHOWN = 1_000


@router.get(
    "/schema",
    summary="The JSON Schema of alcaide.yaml",
    response_class=Response,
    responses={**answers(), 200: {"description": "The schema", "content": {"application/schema+json": {}}}},
)
def schema(_: Viewer) -> Response:
    """The JSON Schema that ships, for editors and pipelines to check an `alcaide.yaml` against."""
    import json

    return Response(json.dumps(declare.schema(), indent=2), media_type="application/schema+json")


@router.post("/apply", summary="Apply an alcaide.yaml", responses=answers(409, 413))
def apply(
    request: Request,
    actor: Importer,
    document: Annotated[
        bytes, Body(media_type="application/yaml", description="The text of an `alcaide.yaml`.")
    ],
    dry_run: Annotated[Flag, Query(description="Say what would change and change nothing.")] = False,
    reason: Why = "",
) -> ApplyOut:
    """Make the register say what the document says. Applying it again changes nothing. `path:` is refused here."""
    declaration = declare.read_document(document, what="the document")
    plan = declare.apply(get_instance(request), declaration, actor=actor, reason=reason, dry_run=dry_run)
    return ApplyOut.model_validate(
        {
            "dry_run": dry_run,
            **{
                action: sum(item.action == action for item in plan)
                for action in ("create", "change", "unchanged")
            },
            "items": [_item(item) for item in plan],
        }
    )


@router.post("/imports", status_code=201, summary="Upload a spreadsheet for preview", responses=answers(413))
def upload(
    request: Request,
    response: Response,
    actor: Importer,
    content: Annotated[
        bytes,
        Body(media_type="text/csv", description="CSV with a header line; at most 20 MiB and 50,000 rows."),
    ],
    sheet: Annotated[str, Query(pattern="^(systems|components)$")] = "systems",
    filename: Annotated[str, Query(max_length=200)] = "upload.csv",
    named: Map = [],  # noqa: B006 - FastAPI copies it
) -> ImportOut:
    """Keep a CSV file and say what each row would do. Nothing is written to the register until it is confirmed."""
    instance = get_instance(request)
    kept = bulk.keep_upload(instance, content, sheet=sheet, filename=filename, actor=actor)
    response.headers["Location"] = f"/api/v1/inventory/imports/{kept.id}"
    return _preview(instance, kept.id, named)


@router.get("/imports/{import_id}", summary="What an upload would do", responses=answers(404))
def preview(
    request: Request,
    _: Importer,
    import_id: Id,
    named: Map = [],  # noqa: B006 - FastAPI copies it
) -> ImportOut:
    """Plan an upload again, against the register as it is now, with columns that mean what you say."""
    return _preview(get_instance(request), import_id, named)


@router.post(
    "/imports/{import_id}/confirm", summary="Write the rows of an upload", responses=answers(404, 409)
)
def confirm(
    request: Request,
    actor: Importer,
    import_id: Id,
    reason: Why = "",
    named: Map = [],  # noqa: B006 - FastAPI copies it
) -> ConfirmOut:
    """Write every row that is not rejected, in one transaction. Confirming again returns the same answer.

    Give the `map` that you looked at: what is confirmed is read anew.
    """
    outcome = bulk.confirm(get_instance(request), import_id, actor=actor, reason=reason, named=named)
    return ConfirmOut.model_validate(outcome)


@router.get(
    "/imports/{import_id}/rejected",
    summary="The rejected rows as a file",
    response_class=Response,
    responses={**answers(404), 200: {"description": "CSV", "content": {"text/csv": {}}}},
)
def rejected(
    request: Request,
    _: Importer,
    import_id: Id,
    named: Map = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """As they came, with the line and why, to be corrected and sent again."""
    with get_instance(request).read() as conn:
        planned = bulk.preview(conn, import_id, named=named)[1]
    return Response("".join(bulk.rejected_file(planned)), media_type="text/csv; charset=utf-8")


@router.post(
    "/systems/{name}/bom", summary="Take the components of a bill of material in", responses=answers(409, 413)
)
def import_bom(
    request: Request,
    actor: Importer,
    name: Name,
    bom: Annotated[
        bytes, Body(media_type="application/vnd.cyclonedx+json", description="CycloneDX 1.5 to 1.7, JSON.")
    ],
    reason: Why = "",
) -> BomOut:
    """Make the components of a CycloneDX bill those of a system, registering the system if it is not there."""
    if not NAME.match(name):
        raise InvalidInput(
            f"`{name[:64]}` is no usable name", {"name": "use lower-case letters, digits and inner dashes"}
        )
    parsed = exchange.read_bom(bom)
    done = get_instance(request).write(
        lambda tx: exchange.import_bom(tx, parsed, name, actor=actor, reason=reason)
    )
    return BomOut.model_validate(
        {"items": [_item(i) for i in done.plan], "left_out": list(done.left_out), "notes": list(done.notes)}
    )


def _preview(instance: Any, import_id: str, named: Sequence[str]) -> ImportOut:
    with instance.read() as conn:
        kept, planned = bulk.preview(conn, import_id, named=named)
    return ImportOut.model_validate(
        {
            "id": kept.id,
            "sheet": kept.sheet,
            "filename": kept.filename,
            "encoding": planned.sheet.encoding,
            "delimiter": planned.sheet.delimiter,
            "ignored": list(planned.sheet.ignored),
            "columns": [
                {"header": cell, "field": name}
                for cell, name in zip(planned.sheet.header, planned.sheet.columns, strict=True)
            ],
            "problem": planned.sheet.problem,
            **{action: planned.count(action) for action in ("create", "change", "unchanged", "rejected")},
            "applied": kept.applied_at is not None,
            "rows": _rows(planned),
        }
    )


def _rows(planned: SheetPlan) -> list[dict[str, Any]]:
    first = sorted(planned.rows, key=lambda row: row.action != "rejected")[:_SHOWN]
    return [
        {
            "line": row.row.line,
            "action": row.action,
            "name": row.name,
            "why": dict(row.why),
            "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in row.changes],
        }
        for row in first
    ]


def _item(item: declare.PlanItem) -> dict[str, Any]:
    return {
        "action": item.action,
        "subject": item.subject,
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in item.changes],
    }
