"""What the assurance slice offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="assurance",
    title="Assurance",
    question="Does it withstand our tests?",
    icon="shield-check",
    order=50,
    api="alcaide.slices.assurance.api:router",
    pages="alcaide.slices.assurance.pages:router",
    cli="alcaide.slices.assurance.cli:app",
    actions=(
        Action("guard.use", "have a text looked at by the guard"),
        Action("assurance.view", "see what the guard's detectors were measured to do"),
    ),
    nav=(NavItem("Guard", "/guard", "shield-check", "guard.use", "u"),),
)
