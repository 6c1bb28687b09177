"""The only writer of the register. Every function here takes a unit of work and leaves its Statement in it.

A function changes the tables and appends what it did in the same `Tx`, so that neither can exist without the other.
Skins call `instance.write(lambda tx: register_system(tx, …))`; several calls in one work commit together.

Left out on purpose: who may (the skins ask before), and reading (queries).
"""

from __future__ import annotations

from alcaide.slices.inventory.service.components import (
    add_version,
    edit_component,
    edit_version,
    register_component,
    retire_component,
    retire_version,
)
from alcaide.slices.inventory.service.parts import (
    add_environment,
    add_flow,
    deploy,
    end_deployment,
    remove_component,
    remove_environment,
    remove_flow,
    replace_component,
    use_component,
)
from alcaide.slices.inventory.service.systems import edit_system, record_stage, register_system, retire_system
from alcaide.slices.inventory.service.work import EditConflict

__all__ = [
    "EditConflict",
    "add_environment",
    "add_flow",
    "add_version",
    "deploy",
    "edit_component",
    "edit_system",
    "edit_version",
    "end_deployment",
    "record_stage",
    "register_component",
    "register_system",
    "remove_component",
    "remove_environment",
    "remove_flow",
    "replace_component",
    "retire_component",
    "retire_system",
    "retire_version",
    "use_component",
]
