"""The sample repository holds what its README says: every document is read, and the signature fits the model."""

from __future__ import annotations

from pathlib import Path

from tests.unit.exchange.test_cyclonedx import schema_error

from alcaide.instruments.exchange import read_document
from alcaide.instruments.scan.provenance.folder import check_folder
from alcaide.instruments.scan.provenance.verifying import read_manifest
from alcaide.kernel.evidence.public_keys import load_public_key
from alcaide.slices.inventory.service import declare

EXAMPLE = Path(__file__).parents[3] / "examples" / "harbour-berths"
REPORTS = EXAMPLE / "reports"


def test_the_bill_is_valid_and_gives_the_digests_of_the_files_beside_it():
    data = (REPORTS / "bom.cdx.json").read_bytes()
    assert schema_error(data, "1.6") is None
    read = read_document(data)
    declared = declare.read_document((EXAMPLE / "alcaide.yaml").read_bytes(), base=EXAMPLE)
    assert read.outcome == "passed"
    for component in read.components:
        if component.digest:
            assert component.digest in repr(declared)


def test_the_scan_is_clean():
    assert read_document((REPORTS / "scan.sarif").read_bytes()).outcome == "passed"


def test_the_signature_holds_under_its_key_and_fits_the_model():
    signature = (REPORTS / "berth-planner.sig").read_bytes()
    trusted = {"harbour-signer": load_public_key((REPORTS / "signer.pub").read_bytes())}
    assert read_document(signature, trusted=trusted).outcome == "passed"
    assert check_folder(EXAMPLE / "models" / "berth-planner", read_manifest(signature)).outcome == "passed"
