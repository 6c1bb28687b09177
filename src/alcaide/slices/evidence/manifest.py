"""What the evidence offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem

MANIFEST = Manifest(
    name="evidence",
    title="Evidence",
    question="What was said, and is it intact?",
    icon="certificate",
    order=40,
    tables="alcaide.slices.evidence.tables",
    api="alcaide.slices.evidence.api:router",
    pages="alcaide.slices.evidence.pages:router",
    cli="alcaide.slices.evidence.cli:app",
    jobs="alcaide.slices.evidence.jobs:JOBS",
    actions=(
        Action("evidence.view", "read the log"),
        Action("evidence.view-all", "read every leaf of the log, who signed in included"),
        Action("evidence.import", "take in documents that others made"),
        Action("evidence.attest", "say that something holds, under one's own name"),
        Action("evidence.export", "export bundles that outsiders can check"),
        Action("evidence.manage-keys", "choose whose signatures count, change the signing key, set anchors"),
    ),
    nav=(NavItem("Evidence", "/evidence", "certificate", "evidence.view", "e"),),
    attention="alcaide.slices.evidence.queries:attention",
    panels="alcaide.slices.evidence.pages.panels:PANELS",
    capabilities={
        "resolve-subject": "alcaide.slices.evidence.service.subjects:resolve",
        "trusted-signers": "alcaide.slices.evidence.queries:trusted_pems",
    },
)
