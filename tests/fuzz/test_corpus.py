"""Everything that fuzzing kept, through the parser it was kept for: read or refused as declared, nothing else."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

from alcaide.instruments.scan.examine import formats
from alcaide.slices.evidence.rules.archive import read_archive, write_archive
from tests.fuzz.artifact_mutators import mutate_artifact
from tests.fuzz.mutators import mutate_bundle, mutate_json, sealed
from tests.fuzz.scan import FAMILIES, FAMILY_OF
from tests.fuzz.targets import KEPT, TARGETS, seeds_of


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_is_read_or_refused_as_declared(name: str) -> None:
    target = TARGETS[name]
    kept = sorted((KEPT / name).iterdir())
    outcomes = {path: target(path.read_bytes()) for path in [*kept, *seeds_of(target)]}

    assert len(kept) >= 2
    assert set(outcomes.values()) == {True, False}, "the corpus holds what is read and what is refused"


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b"\xf0\x9f" * 50]
)
def test_nothing_in_particular_is_read_or_refused_as_declared(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_no_folder_of_the_corpus_is_without_a_target() -> None:
    assert {path.name for path in KEPT.iterdir()} == set(TARGETS)


def test_files_of_every_format_that_is_recognised_are_fuzzed() -> None:
    known = {form.name for form in formats()}

    assert set(FAMILY_OF) == known, "give each format a family in `tests/fuzz/scan.py`"


@pytest.mark.parametrize("family", FAMILIES)
def test_files_changed_in_their_structure_give_findings_and_no_fault(family: str) -> None:
    dice = random.Random(family)
    kept = [path.read_bytes() for path in sorted((KEPT / family).iterdir())]
    for _ in range(25):
        changed = mutate_artifact(dice.choice(kept), dice, lambda part: part[1:] + part[:1])
        if changed is not None:
            TARGETS[family](changed)


def test_a_bundle_sealed_anew_by_the_owner_of_its_log_is_taken() -> None:
    members = read_archive((KEPT / "bundle/seed-0").read_bytes())

    assert TARGETS["bundle"](write_archive(sealed(members)))
    members["leaves/000000000001.json"] += b" "
    assert not TARGETS["bundle"](write_archive(members))


@pytest.mark.parametrize("seed", range(40))
def test_documents_changed_in_their_structure_are_read_or_refused_as_declared(seed: int) -> None:
    dice = random.Random(seed)
    for target in TARGETS.values():
        mutate = {"json": mutate_json, "bundle": mutate_bundle}.get(target.shape)
        for path in sorted((KEPT / target.name).glob("seed-*")) if mutate else ():
            changed = mutate(path.read_bytes(), dice, lambda part: part[1:])
            if changed is not None:
                target(changed)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: pip install atheris"
)
def test_the_driver_finds_a_planted_fault(tmp_path: Path) -> None:
    import subprocess
    import sys

    planted = (
        "import sys;"
        "sys.argv = ['drive', 'note', '-runs=20000', '-seed=1', sys.argv[1], '-artifact_prefix=' + sys.argv[1]];"
        "import tests.fuzz.drive as drive, dataclasses;"
        "whole = drive.TARGETS['note'];"
        "broken = lambda data: (whole.read(data), 1 / 0)[0];"
        "drive.TARGETS['note'] = dataclasses.replace(whole, read=broken);"
        "drive.main()"
    )
    (tmp_path / "seed").write_bytes((KEPT / "note/seed-0").read_bytes())
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", planted, f"{tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 77
    assert "ZeroDivisionError" in run.stdout + run.stderr
