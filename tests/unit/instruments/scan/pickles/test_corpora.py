"""Every attack of the corpus that lives in a pickle is found at its level, and every honest pickle is let through."""

from __future__ import annotations

from pathlib import Path

import pytest

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Finding, Level
from alcaide.instruments.scan.source import File, Memory
from tests.corpora.models import attacks, benign
from tests.unit.instruments.scan.looking import Folder

FAMILIES = ("pickle", "pickle-streams", "torch", "pickle-libraries", "pickle-callables", "skops")
ENDINGS = (
    ".pkl",
    ".pickle",
    ".joblib",
    ".npy",
    ".npz",
    ".pt",
    ".pth",
    ".bin",
    ".ptl",
    ".pt2",
    ".skops",
    ".dill",
    ".model",
)

OURS = [attack for attack in attacks.all() if attack.family in FAMILIES]


@pytest.mark.parametrize("attack", OURS, ids=lambda attack: attack.id)
def test_an_attack_is_found_at_its_level(attack: attacks.Attack):
    made = attack.make()
    files = {f"{attack.id}{attack.suffix}": made} if isinstance(made, bytes) else made
    findings: list[Finding] = []
    for name, content in files.items():
        findings += examine_artifact(Memory(content), name, folder=Folder(files)).findings

    assert "scan/fault" not in {finding.rule for finding in findings}
    assert max(finding.level.rank for finding in findings) >= Level(attack.level).rank


def test_honest_pickles_are_let_through(tmp_path: Path):
    refused = {}
    for model in benign.unpack(tmp_path):
        for path in [model.path] if model.path.is_file() else sorted(model.path.rglob("*")):
            if not path.is_file() or path.suffix not in ENDINGS:
                continue
            with File(path) as source:
                bad = [
                    finding.message
                    for finding in examine_artifact(source, path.name).findings
                    if finding.level is Level.UNKNOWN or finding.level.rank >= Level.MEDIUM.rank
                ]
            if bad:
                refused[str(path.relative_to(tmp_path))] = bad

    assert not refused
