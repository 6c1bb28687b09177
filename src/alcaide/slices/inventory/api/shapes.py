"""What goes over the wire. Validation that needs more than a type is the service's, and answers 422 by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.responses import JSONResponse

from alcaide.kernel.errors import AlcaideError, InvalidInput
from alcaide.slices.inventory.model import (
    Autonomy,
    Component,
    DataClass,
    Deployment,
    Environment,
    Exposure,
    Flow,
    Kind,
    Role,
    Stage,
    Status,
    System,
    SystemDetail,
    Version,
)
from alcaide.slices.inventory.rules.describe import (
    component_json,
    environment_json,
    flow_json,
    system_json,
    version_json,
)
from alcaide.slices.inventory.service import EditConflict
from alcaide.ui.exact import Moment

Line: TypeAlias = Annotated[str, Field(max_length=200)]
Text: TypeAlias = Annotated[str, Field(max_length=4_000)]
Word: TypeAlias = Annotated[str, Field(max_length=49, pattern=r"^[A-Za-z0-9][A-Za-z0-9 .:/+_-]*$")]
Reason: TypeAlias = Annotated[
    str, Field(max_length=1_000, description="Why; kept in the evidence of the change.")
]
NeededReason: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=1_000, description="Why; kept in the evidence of the change.")
]
Name: TypeAlias = Annotated[
    str, Path(max_length=64, description="The system's short name, like `loan-desk`.")
]
Id: TypeAlias = Annotated[str, Path(max_length=64, description="The id as given in answers of this API.")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="Entries per page.")]
Cursor: TypeAlias = Annotated[
    str | None,
    Query(max_length=1_200, description="`next_cursor` of the page before; leave out for the first page."),
]
IfMatch: TypeAlias = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=80,
        description='The `ETag` the edit was made from, like `"7"`; `*` to overwrite whatever is there.',
    ),
]


class ErrorBody(BaseModel):
    """What went wrong, in words for a person."""

    code: str
    message: str = Field(description="What is wrong and what to do next, for a person.")
    fields: dict[str, str] | None = Field(None, description="What is wrong with each field.")
    rule: str | None = None
    owner: str | None = None
    next_step: str | None = None


class Problem(BaseModel):
    """How every error looks."""

    error: ErrorBody


class ConflictBody(ErrorBody):
    """What stands in the way; for an edit, both sides of it."""

    expected: int | None = Field(None, description="The version the edit was made from.")
    found: int | None = Field(None, description="The version it has now.")
    current: dict[str, Any] | None = Field(None, description="What is stored now.")
    yours: dict[str, Any] | None = Field(None, description="What was sent.")


class ConflictProblem(BaseModel):
    """How a conflict looks."""

    error: ConflictBody


Responses: TypeAlias = dict[int | str, dict[str, Any]]

_TOLD: dict[int, str] = {
    400: "The request cannot be understood",
    401: "Sign in, or send a token",
    403: "A rule denies this; the answer names the rule, its owner and the next step",
    404: "There is no such entry",
    409: "It is in the way of something that exists, or was changed by somebody else meanwhile",
    413: "Larger than the stated bound",
    415: "The body is of another media type than described",
    422: "Some values cannot be used; `fields` says which and why",
    428: "An edit must name the version it was made from, in `If-Match`",
    429: "Too many requests; wait for `Retry-After` seconds",
    503: "Not available right now; try again",
}


def answers(*statuses: int) -> Responses:
    """The errors a route can answer with, for OpenAPI. Those that every route can are always among them."""
    always = (400, 401, 403, 422, 429, 503)
    return {
        status: {"model": ConflictProblem if status == 409 else Problem, "description": _TOLD[status]}
        for status in sorted({*always, *statuses})
    }


class PreconditionNeeded(AlcaideError):
    """An edit without `If-Match` could overwrite somebody else's unseen."""

    status = 428
    code = "precondition-required"


def expected_version(if_match: str | None) -> int | None:
    """The version an edit was made from; None for `*`. Raises PreconditionNeeded or InvalidInput."""
    if if_match is None:
        raise PreconditionNeeded(
            "an edit must name the version it was made from; send the `ETag` as `If-Match`"
        )
    text = if_match.strip().removeprefix("W/").strip('"')
    if text == "*":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidInput(
            f"`If-Match` is `{if_match[:40]}`; send the `ETag` as you got it", {"If-Match": "is no version"}
        )
    return int(text)


def set_etag(response: Response, version: int) -> None:
    """Name the version in the answer, for the next edit to send back."""
    response.headers["ETag"] = f'"{version}"'


def conflict(problem: EditConflict, yours: BaseModel) -> JSONResponse:
    """409 with both sides: what is stored and what was sent."""
    body = {
        "code": problem.code,
        "message": str(problem),
        "expected": problem.expected,
        "found": problem.found,
        "current": problem.current,
        "yours": yours.model_dump(mode="json"),
    }
    headers = {"ETag": f'"{problem.found}"', "Cache-Control": "no-store"}
    return JSONResponse({"error": body}, status_code=409, headers=headers)


class Strict(BaseModel):
    """A body in which a misspelt field is an error and not ignored."""

    model_config = ConfigDict(extra="forbid")


class SystemEdit(Strict):
    """What is said about a system. A field left out becomes empty, or `unknown`."""

    title: Line = Field(
        "", description="What people call it; the short name if left out.", examples=["Loan desk assistant"]
    )
    purpose: Text = Field("", description="What it is for, in a sentence or two.")
    owner: Line = Field("", description="Who answers for it.")
    deputy: Line = Field("", description="Who answers when the owner is away.")
    unit: Line = Field("", description="The business unit.")
    role: Role = Field(
        Role.UNKNOWN, description="What the organisation is to it under Regulation (EU) 2024/1689, Article 3."
    )
    users_affected: str = Field("", max_length=1_000, description="Whom it affects.")
    autonomy: Autonomy = Field(
        Autonomy.UNKNOWN, description="Where the person stands between its output and the effect."
    )
    exposure: Exposure = Field(Exposure.UNKNOWN, description="Who can reach it.")
    regions: list[Word] = Field(
        default_factory=list, max_length=64, description="Where it is used.", examples=[["eu", "uk"]]
    )
    status: Status = Field(Status.PROPOSED, description="Whether it is in use. To retire it, use `retire`.")
    tags: list[Word] = Field(default_factory=list, max_length=32)
    reason: Reason = ""


class SystemNew(SystemEdit):
    """A system to register."""

    name: str = Field(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
        max_length=64,
        description="Its identity in evidence and addresses; never changes.",
        examples=["loan-desk"],
    )


class SystemPatch(Strict):
    """Fields to change; those left out stay as they are."""

    title: Line | None = None
    purpose: Text | None = None
    owner: Line | None = None
    deputy: Line | None = None
    unit: Line | None = None
    role: Role | None = None
    users_affected: Annotated[str, Field(max_length=1_000)] | None = None
    autonomy: Autonomy | None = None
    exposure: Exposure | None = None
    regions: Annotated[list[Word], Field(max_length=64)] | None = None
    status: Status | None = None
    tags: Annotated[list[Word], Field(max_length=32)] | None = None
    reason: Reason = ""


class WithReason(Strict):
    """Why something is taken out of use."""

    reason: NeededReason


class SystemOut(BaseModel):
    """A system as it stands in the register."""

    name: str
    title: str
    purpose: str
    owner: str
    deputy: str
    unit: str
    role: Role
    users_affected: str
    autonomy: Autonomy
    exposure: Exposure
    regions: list[str]
    status: Status
    tags: list[str]
    stage: Stage
    version: int = Field(description="Counts every change; the `ETag` of the system.")
    digest: str = Field(description="sha256 of the canonical description, components and flows included.")
    component_count: int
    kinds: dict[str, int] = Field(description="How many components of each kind; only in lists.")
    created_at: datetime
    updated_at: datetime
    updated_by: str
    retired_at: datetime | None


class VersionOut(BaseModel):
    """One version of a component."""

    id: str
    component_id: str
    ref: str = Field(description="`kind:name@version`, the name under which Statements speak about it.")
    kind: Kind
    name: str
    version: str
    digest: str = Field(description="sha256 of the bytes; empty if not known.")
    identity: str = Field(
        description="The digest Statements carry: that of the bytes, or else of the description."
    )
    source: str
    licence: str
    released_at: datetime | None
    notes: str
    row_version: int = Field(description="Counts corrections to this entry; its `ETag`.")
    created_at: datetime
    retired_at: datetime | None


class FlowOut(BaseModel):
    """Data moving from one place to another."""

    id: str
    source: str = Field(description="`kind:name` of a component, or `party:Name`.")
    target: str
    data: list[DataClass]
    purpose: str
    crosses_boundary: bool
    encrypted: bool


class EnvironmentOut(BaseModel):
    """A place where versions of a system run."""

    id: str
    name: str
    region: str
    description: str


class DeploymentOut(BaseModel):
    """A version running in an environment, or one that ran there."""

    id: str
    environment: str
    ref: str
    version_id: str
    deployed_at: datetime
    ended_at: datetime | None
    note: str


class SystemWhole(SystemOut):
    """A system with everything it is made of."""

    components: list[VersionOut]
    flows: list[FlowOut]
    environments: list[EnvironmentOut]
    deployments: list[DeploymentOut]


class SystemPage(BaseModel):
    """One page of systems."""

    items: list[SystemOut]
    next_cursor: str | None
    total: int = Field(description="How many there are on all pages together.")


class VersionEdit(Strict):
    """What is said about a version. Its label never changes."""

    digest: Annotated[
        str, Field(pattern=r"^([0-9a-f]{64})?$", description="sha256 of the bytes, in hex.")
    ] = ""
    source: Annotated[str, Field(max_length=2_000, description="Where it comes from.")] = ""
    licence: Line = ""
    released_at: Moment | None = Field(None, description="With a time zone.")
    notes: Text = ""
    reason: Reason = ""


class VersionNew(VersionEdit):
    """A version to add."""

    version: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9._+:/-]+$")] = Field(
        "1", examples=["3", "2026-11"]
    )


class ComponentEdit(Strict):
    """What is said about a component whatever its version."""

    title: Line = ""
    description: Text = ""
    owner: Line = ""
    supplier: Line = ""
    tags: list[Word] = Field(default_factory=list, max_length=32)
    reason: Reason = ""


class ComponentNew(ComponentEdit):
    """A component with its first version."""

    kind: Kind
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")] = (
        Field(examples=["fraud-scorer"])
    )
    version: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9._+:/-]+$")] = "1"
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    source: Annotated[str, Field(max_length=2_000)] = ""
    licence: Line = ""
    released_at: datetime | None = None
    notes: Text = ""


class ComponentOut(BaseModel):
    """A component as it stands in the register."""

    id: str
    kind: Kind
    name: str
    title: str
    description: str
    owner: str
    supplier: str
    tags: list[str]
    latest: str = Field(description="Label of the newest version in use.")
    version_count: int
    system_count: int
    undigested: int = Field(description="How many of its versions have no known digest of their bytes.")
    version: int = Field(description="Counts edits of this entry; its `ETag`.")
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class ComponentWhole(ComponentOut):
    """A component with its versions."""

    versions: list[VersionOut]


class ComponentPage(BaseModel):
    """One page of components."""

    items: list[ComponentOut]
    next_cursor: str | None
    total: int


class Use(Strict):
    """A component version that a system uses, by id or by reference."""

    version_id: Annotated[str, Field(max_length=64)] = ""
    ref: Annotated[
        str, Field(max_length=400, description="`kind:name@version`; without a version the newest.")
    ] = ""
    reason: Reason = ""


class Replace(Strict):
    """The version to use instead."""

    version_id: Annotated[str, Field(max_length=64, description="The version to use from now on.")]
    reason: Reason = ""


class FlowNew(Strict):
    """A flow to add."""

    source: Annotated[
        str, Field(min_length=1, max_length=240, description="`kind:name` of a component, or `party:Name`.")
    ]
    target: Annotated[str, Field(min_length=1, max_length=240)]
    data: list[DataClass] = Field(min_length=1, max_length=6)
    purpose: Annotated[str, Field(max_length=1_000)] = ""
    crosses_boundary: StrictBool = Field(
        False, description="Whether it leaves the organisation's trust boundary."
    )
    encrypted: StrictBool = False
    reason: Reason = ""


class EnvironmentNew(Strict):
    """An environment to add."""

    name: Annotated[str, Field(max_length=80, pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$")]
    region: Annotated[str, Field(max_length=49, pattern=r"^([A-Za-z0-9][A-Za-z0-9 .:/+_-]*)?$")] = ""
    description: Annotated[str, Field(max_length=1_000)] = ""
    reason: Reason = ""


class Deploy(Strict):
    """A deployment to record."""

    environment: Annotated[
        str, Field(max_length=80, description="Name or id of an environment of the system.")
    ]
    version_id: Annotated[str, Field(max_length=64, description="A version that the system uses.")]
    deployed_at: datetime | None = Field(None, description="With a time zone; now if left out.")
    note: Annotated[str, Field(max_length=1_000)] = ""
    reason: Reason = ""


class ChangeOut(BaseModel):
    """One field, before and after."""

    field: str
    before: Any
    after: Any


class HistoryEntry(BaseModel):
    """One Statement about an entry of the register."""

    leaf: int = Field(description="Where the Statement stands in the log.")
    at: datetime
    what: str
    subject: str
    by: str
    reason: str
    via: str
    digest: str
    changes: list[ChangeOut]


class HistoryOut(BaseModel):
    """What the ledger says happened."""

    items: list[HistoryEntry]
    complete: bool = Field(description="Whether the ledger shows that nothing is missing.")
    why_incomplete: str
    total: int


class UserOut(BaseModel):
    """A system that uses a component."""

    system: str
    title: str
    version: str


class UsersOut(BaseModel):
    """The systems that use a component, a page of them."""

    items: list[UserOut]
    next_cursor: str | None
    total: int


class PlanOut(BaseModel):
    """What happened, or would happen, to one subject."""

    action: str
    subject: str
    changes: list[ChangeOut]


class ApplyOut(BaseModel):
    """What applying a document did, or would do."""

    dry_run: bool
    create: int
    change: int
    unchanged: int
    items: list[PlanOut]


class RowOut(BaseModel):
    """What one row of a spreadsheet would do."""

    line: int
    action: str
    name: str
    why: dict[str, str]
    changes: list[ChangeOut]


class ColumnOut(BaseModel):
    """A column of an upload and what it is taken for; an empty field leaves it out."""

    header: str
    field: str


class ImportOut(BaseModel):
    """An upload and what it would do."""

    id: str
    sheet: str
    filename: str
    encoding: str
    delimiter: str
    ignored: list[str] = Field(description="Columns that mean nothing here and are left out.")
    columns: list[ColumnOut]
    problem: str = Field(
        description="Why the columns cannot be used as they are; say what they mean with `map`."
    )
    create: int
    change: int
    unchanged: int
    rejected: int
    applied: bool
    rows: list[RowOut] = Field(description="The first 1,000 rows, rejected ones first.")


class ConfirmOut(BaseModel):
    """What an upload did."""

    rows: int
    create: int
    change: int
    unchanged: int
    rejected: int


class BomOut(BaseModel):
    """What a bill of material was made into."""

    items: list[PlanOut]
    left_out: list[str]
    notes: list[str]


def system_out(system: System) -> dict[str, Any]:
    """A system as the wire has it."""
    return system_json(system.fields) | {
        "stage": system.stage,
        "version": system.version,
        "digest": system.digest,
        "component_count": system.component_count,
        "kinds": dict(system.kinds),
        "created_at": system.created_at,
        "updated_at": system.updated_at,
        "updated_by": system.updated_by,
        "retired_at": system.retired_at,
    }


def whole_out(detail: SystemDetail) -> dict[str, Any]:
    """A system with everything it is made of, as the wire has it."""
    return system_out(detail.system) | {
        "components": [version_out(v) for v in detail.components],
        "flows": [flow_out(f) for f in detail.flows],
        "environments": [environment_out(e) for e in detail.environments],
        "deployments": [deployment_out(d) for d in detail.deployments],
    }


def version_out(version: Version) -> dict[str, Any]:
    """A version as the wire has it."""
    return version_json(version.fields) | {
        "id": version.id,
        "component_id": version.component_id,
        "ref": version.subject,
        "kind": version.kind,
        "name": version.name,
        "identity": version.identity,
        "row_version": version.row_version,
        "released_at": version.fields.released_at,
        "created_at": version.created_at,
        "retired_at": version.retired_at,
    }


def component_out(component: Component) -> dict[str, Any]:
    """A component as the wire has it."""
    return component_json(component.fields) | {
        "id": component.id,
        "latest": component.latest,
        "version_count": component.version_count,
        "system_count": component.system_count,
        "undigested": component.undigested,
        "version": component.version,
        "created_at": component.created_at,
        "updated_at": component.updated_at,
        "retired_at": component.retired_at,
    }


def flow_out(flow: Flow) -> dict[str, Any]:
    """A flow as the wire has it."""
    values = flow_json(flow.fields)
    return {"id": flow.id, "source": values.pop("from"), "target": values.pop("to"), **values}


def environment_out(environment: Environment) -> dict[str, Any]:
    """An environment as the wire has it."""
    return {"id": environment.id} | environment_json(environment.fields)


def deployment_out(deployment: Deployment) -> dict[str, Any]:
    """A deployment as the wire has it."""
    return {
        "id": deployment.id,
        "environment": deployment.environment,
        "ref": deployment.ref,
        "version_id": deployment.version_id,
        "deployed_at": deployment.deployed_at,
        "ended_at": deployment.ended_at,
        "note": deployment.note,
    }


def given(body: BaseModel, *without: str) -> Mapping[str, Any]:
    """The fields of a body as the service takes them."""
    return body.model_dump(exclude={"reason", *without})
