"""What the register offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="inventory",
    title="Inventory",
    question="Which AI do we run, from what, for what?",
    icon="list-details",
    order=20,
    tables="alcaide.slices.inventory.tables",
    api="alcaide.slices.inventory.api:router",
    pages="alcaide.slices.inventory.pages:router",
    cli="alcaide.slices.inventory.cli:app",
    actions=(
        Action("inventory.view", "see the register"),
        Action("inventory.edit", "register and change systems and components"),
        Action(
            "inventory.import",
            "register many at once, from a spreadsheet, a repository or a bill of material",
        ),
        Action("inventory.retire", "take systems and components out of use"),
        Action("inventory.intake", "decide on requests for a new AI use"),
    ),
    nav=(
        NavItem("Systems", "/inventory", "list-details", "inventory.view", "s"),
        NavItem("Components", "/inventory/components", "packages", "inventory.view", "c"),
        NavItem("Requests", "/inventory/intake", "inbox", "inventory.intake", "r"),
    ),
    attention="alcaide.slices.inventory.service.intake:attention",
    panels="alcaide.slices.inventory.pages.panels:PANELS",
    start="alcaide.slices.inventory.service.intake:check_settings",
    capabilities={
        "system-graph": "alcaide.slices.inventory.queries:system_graph",
        "record-stage": "alcaide.slices.inventory.service:record_stage",
    },
)
