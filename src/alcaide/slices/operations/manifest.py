"""What the operations slice offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="operations",
    title="Operations",
    question="What is the machine doing, and is it well?",
    icon="activity",
    order=90,
    tables="alcaide.slices.operations.tables",
    api="alcaide.slices.operations.api:router",
    pages="alcaide.slices.operations.pages:router",
    cli="alcaide.slices.operations.cli:app",
    jobs="alcaide.slices.operations.jobs:JOBS",
    actions=(
        Action("ops.view", "see background jobs, the log's health and backups"),
        Action("ops.act", "retry and cancel jobs, verify the log, make backups and schedule them"),
    ),
    nav=(NavItem("Operations", "/operations", "activity", "ops.view", "o"),),
    attention="alcaide.slices.operations.queries:attention",
)
