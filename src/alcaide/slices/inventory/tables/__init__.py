"""The tables of the register. Importing this module declares all of them on the one MetaData."""

from __future__ import annotations

from alcaide.slices.inventory.tables.intake import intake_attempt, intake_request
from alcaide.slices.inventory.tables.register import (
    component,
    component_version,
    deployment,
    environment,
    flow,
    system,
    system_component,
    upload,
)

__all__ = [
    "component",
    "component_version",
    "deployment",
    "environment",
    "flow",
    "intake_attempt",
    "intake_request",
    "system",
    "system_component",
    "upload",
]
