"""What the gates offer the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="lifecycle",
    title="Gates",
    question="May this version move on, and who approved?",
    icon="git-merge",
    order=30,
    tables="alcaide.slices.lifecycle.tables",
    api="alcaide.slices.lifecycle.api:router",
    pages="alcaide.slices.lifecycle.pages:router",
    cli="alcaide.slices.lifecycle.cli:app",
    jobs="alcaide.slices.lifecycle.jobs:JOBS",
    actions=(
        Action("lifecycle.view", "see stages, gates and who approved"),
        Action("lifecycle.request", "ask for a system to move on"),
        Action("lifecycle.withdraw", "withdraw a request for a move"),
        Action("lifecycle.approve", "approve or reject a move"),
        Action("lifecycle.take-back", "take back an approval of one's own"),
        Action("lifecycle.waive", "let a requirement go unmet for a while"),
        Action("lifecycle.move-back", "return a system to an earlier stage, or retire it"),
        Action("lifecycle.settle", "record a move for which everything is there"),
        Action("lifecycle.export", "export the summary of a passed gate"),
    ),
    nav=(NavItem("Gates", "/lifecycle", "git-merge", "lifecycle.view", "l"),),
    attention="alcaide.slices.lifecycle.queries:attention",
    panels="alcaide.slices.lifecycle.pages:PANELS",
    capabilities={"lifecycle-stage": "alcaide.slices.lifecycle.queries:stage_of"},
)
