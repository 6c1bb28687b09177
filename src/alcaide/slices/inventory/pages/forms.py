"""What forms send, as text: everything is checked by the rules, so that all skins refuse with the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from pydantic import BaseModel, Field

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.model import (
    LABELS,
    Autonomy,
    DataClass,
    Exposure,
    Kind,
    Role,
    Stage,
    Status,
)
from alcaide.ui.deps import allow

Viewer = Annotated[Actor, Depends(allow("inventory.view"))]
Editor = Annotated[Actor, Depends(allow("inventory.edit"))]
Importer = Annotated[Actor, Depends(allow("inventory.import"))]
Retirer = Annotated[Actor, Depends(allow("inventory.retire"))]

Options = tuple[tuple[str, str], ...]


def options(kind: type[Any], *, without: tuple[str, ...] = ()) -> Options:
    """The members of an enumeration for a select, as (value, text)."""
    return tuple((str(m), LABELS.get(str(m), str(m))) for m in kind if str(m) not in without)


ROLES = options(Role)
AUTONOMY = options(Autonomy)
EXPOSURES = options(Exposure)
STATUSES = options(Status)
EDITABLE_STATUSES = options(Status, without=("retired",))
STAGES = options(Stage)
KINDS = options(Kind)
DATA_CLASSES = options(DataClass)


class ReasonForm(BaseModel):
    """Why."""

    reason: str = ""


class SystemForm(ReasonForm):
    """A system, with the version the form was made from."""

    name: str = ""
    title: str = ""
    purpose: str = ""
    owner: str = ""
    deputy: str = ""
    unit: str = ""
    role: str = ""
    users_affected: str = ""
    autonomy: str = ""
    exposure: str = ""
    regions: str = ""
    status: str = ""
    tags: str = ""
    version: str = ""


class VersionForm(ReasonForm):
    """A version; `row` is the count of corrections the form was made from."""

    version: str = ""
    digest: str = ""
    source: str = ""
    licence: str = ""
    released_at: str = ""
    notes: str = ""
    row: str = ""


class ComponentForm(VersionForm):
    """A component and its first version; `row` is the version the form was made from."""

    kind: str = ""
    name: str = ""
    title: str = ""
    description: str = ""
    owner: str = ""
    supplier: str = ""
    tags: str = ""
    system: str = ""


class UseForm(ReasonForm):
    """A component version to use, by reference."""

    ref: str = ""


class ReplaceForm(ReasonForm):
    """The version to use instead, by id."""

    to: str = ""


class FlowForm(ReasonForm):
    """A flow."""

    source: str = ""
    target: str = ""
    data: list[str] = Field(default_factory=list)
    purpose: str = ""
    crosses_boundary: str = ""
    encrypted: str = ""


class EnvironmentForm(ReasonForm):
    """An environment."""

    name: str = ""
    region: str = ""
    description: str = ""


class DeployForm(ReasonForm):
    """A deployment."""

    environment: str = ""
    version_id: str = ""
    deployed_at: str = ""
    note: str = ""


class AcceptForm(ReasonForm):
    """What a moderator makes of a request for a new use: the first fields of a system."""

    name: str = ""
    title: str = ""
    purpose: str = ""
    owner: str = ""
    unit: str = ""
    users_affected: str = ""


class MergeForm(ReasonForm):
    """The system on record that meets the wish."""

    system: str = ""


class WishForm(BaseModel):
    """What the public form sends. `website` is the field that people do not see."""

    title: str = ""
    purpose: str = ""
    people_affected: str = ""
    data_used: str = ""
    supplier: str = ""
    unit: str = ""
    requester: str = ""
    email: str = ""
    website: str = ""
    opened: str = ""


def version_number(text: str) -> int:
    """The version a form was made from. A form without one did not come from our page."""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise InvalidInput(
        "this form does not say which version it was made from; open the page again and repeat the edit"
    )


def values_of(form: BaseModel) -> Mapping[str, Any]:
    """The fields of a form as the rules take them."""
    return form.model_dump()


def errors_of(problem: InvalidInput) -> dict[str, str]:
    """What the form shows; a message that fits no field stands at the top under an empty name."""
    return dict(problem.fields) or {"": str(problem)}
