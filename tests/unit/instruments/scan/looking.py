"""Looking at bytes in a test, and saying what came out."""

from __future__ import annotations

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Artifact, Level
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import Memory, Source


class Folder:
    """Neighbours at hand."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def names(self):
        return iter(sorted(self._files))

    def open(self, name: str) -> Source | None:
        data = self._files.get(name)
        return None if data is None else Memory(data)


def look(
    data: bytes, name: str = "thing.bin", *, beside: dict[str, bytes] | None = None, **limits
) -> Artifact:
    """One file, looked at."""
    policy = ScanPolicy(limits=Limits(**limits)) if limits else None
    return examine_artifact(Memory(data), name, policy=policy, folder=Folder(beside) if beside else None)


def found(artifact: Artifact) -> set[str]:
    """The rules that were broken."""
    return {finding.rule for finding in artifact.findings}


def levels(artifact: Artifact, rule: str) -> set[Level]:
    """How badly one rule was broken."""
    return {finding.level for finding in artifact.findings if finding.rule == rule}


def worst(artifact: Artifact) -> Level | None:
    """The worst level of all."""
    return max((finding.level for finding in artifact.findings), key=lambda level: level.rank, default=None)


def is_quiet(artifact: Artifact) -> bool:
    """Nothing above low, and nothing unknown."""
    return all(finding.level is Level.LOW for finding in artifact.findings)


def all_places(artifact: Artifact) -> set[str]:
    """The names of everything inside."""
    return {node.name for node in artifact.node.walk()}
