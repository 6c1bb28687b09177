"""What changes in this slice, each with its evidence: imports, attestations, trusted keys, anchors, bundles."""

from __future__ import annotations

from alcaide.slices.evidence.service.anchoring import (
    add_anchor,
    add_known_log,
    anchor_now,
    remove_anchor,
    remove_known_log,
    witness_checkpoint,
)
from alcaide.slices.evidence.service.attest import attest
from alcaide.slices.evidence.service.bundles import check_bundle, export_bundle, trusted_by
from alcaide.slices.evidence.service.imports import import_document
from alcaide.slices.evidence.service.trust import distrust_key, trust_key
from alcaide.slices.evidence.service.verification import check_anchor_file, rotate_key

__all__ = [
    "add_anchor",
    "add_known_log",
    "anchor_now",
    "attest",
    "check_anchor_file",
    "check_bundle",
    "distrust_key",
    "export_bundle",
    "import_document",
    "remove_anchor",
    "remove_known_log",
    "rotate_key",
    "trust_key",
    "trusted_by",
    "witness_checkpoint",
]
