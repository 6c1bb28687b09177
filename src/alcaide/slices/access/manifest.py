"""What the access slice offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="access",
    title="Access",
    question="Who may do what?",
    icon="users",
    order=80,
    tables="alcaide.slices.access.tables",
    api="alcaide.slices.access.api:router",
    pages="alcaide.slices.access.pages:router",
    cli="alcaide.slices.access.cli:app",
    jobs="alcaide.slices.access.jobs:JOBS",
    actions=(
        Action("access.me", "see your own account"),
        Action("access.account", "change your own password, second factor, sessions and tokens"),
        Action("access.view", "see people, roles and the rules in force"),
        Action("access.manage", "make and disable accounts, give roles, make reset links"),
        Action("access.audit", "see access events"),
    ),
    nav=(NavItem("Access", "/access", "users", "access.view", "a"),),
    attention="alcaide.slices.access.queries:attention",
    capabilities={"user-names": "alcaide.slices.access.queries:names_of"},
)
