"""What the supply-chain slice offers the rest of Alcaide."""

from __future__ import annotations

from alcaide.kernel.manifest import Action, Manifest, NavItem, Word

MANIFEST = Manifest(
    name="supply_chain",
    title="Supply chain",
    question="What is it made of, is it safe and signed?",
    icon="package-import",
    order=45,
    tables="alcaide.slices.supply_chain.tables",
    api="alcaide.slices.supply_chain.api:router",
    pages="alcaide.slices.supply_chain.pages:router",
    words=(
        Word(
            "scan",
            "say whether models, datasets and repositories are safe",
            "alcaide.slices.supply_chain.cli.scan:app",
            "alcaide.slices.supply_chain.cli.quick:scan",
        ),
        Word("sign", "sign a model or dataset (OpenSSF)", "alcaide.slices.supply_chain.cli.signing:sign"),
        Word(
            "verify",
            "verify a model's or dataset's signature",
            "alcaide.slices.supply_chain.cli.signing:verify",
        ),
    ),
    jobs="alcaide.slices.supply_chain.jobs:JOBS",
    actions=(
        Action("scan.view", "see scans and what they found"),
        Action("scan.run", "upload files to be scanned, and scan what lies in the folders that may be read"),
        Action("scan.record", "put a scan on record as evidence about a component"),
        Action("scan.watch", "choose which places are watched"),
    ),
    nav=(NavItem("Scans", "/scans", "package-import", "scan.view", "n"),),
    large_bodies="alcaide.slices.supply_chain.queries:large_bodies",
    start="alcaide.slices.supply_chain.queries:check_settings",
    attention="alcaide.slices.supply_chain.queries:attention",
    panels="alcaide.slices.supply_chain.pages.panels:PANELS",
)
