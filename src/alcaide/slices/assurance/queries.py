"""Which policies there are, and what the guard's detectors were measured to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from alcaide.instruments.guard.policy import (
    POLICY_BYTES,
    GuardPolicy,
    parse_policy,
    shipped_policies,
    shipped_policy,
)
from alcaide.instruments.guard.registry import BUILT_IN, GuardDetector, load_detectors
from alcaide.kernel.errors import AlcaideError, NotFound
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance
from alcaide.predicates.guard_evaluated import GuardEvaluated
from alcaide.slices.assurance.model import Measured, PolicyChoice

FOLDER = "guard"
"""Inside the data folder: the organisation's own guard policies, one YAML file each."""


def own_folder(instance: Instance) -> Path:
    """Where the organisation's own policies lie."""
    return instance.config.data / FOLDER


def registered(instance: Instance) -> tuple[GuardDetector, ...]:
    """The list of detectors: the plug-ins', in their order."""
    found = instance.plugins_like(GuardDetector)
    return found or BUILT_IN


def policies(instance: Instance) -> tuple[PolicyChoice, ...]:
    """Every policy that can be chosen, the organisation's own first. One that cannot be read says so as its title."""
    own = []
    folder = own_folder(instance)
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        try:
            policy = _read(path)
            own.append(PolicyChoice(path.stem, policy.title, own=True))
        except AlcaideError as error:
            own.append(PolicyChoice(path.stem, f"cannot be read: {error}", own=True))
    taken = {one.name for one in own}
    return (
        *own,
        *(
            PolicyChoice(name, shipped_policy(name).title, own=False)
            for name in shipped_policies()
            if name not in taken
        ),
    )


def policy(instance: Instance, name: str) -> GuardPolicy:
    """A policy by name, the organisation's own before a shipped one. Raises NotFound or InvalidInput."""
    if name.isidentifier() or all(part.isalnum() for part in name.split("-")):
        path = own_folder(instance) / f"{name}.yaml"
        if path.is_file():
            return _read(path)
    return shipped_policy(name)


def _read(path: Path) -> GuardPolicy:
    try:
        with path.open("rb") as file:
            return parse_policy(file.read(POLICY_BYTES + 1), name=path.name)
    except OSError as error:
        raise NotFound(f"policy `{path.name}` cannot be read: {error.strerror}") from error


def subject_of(detector: str, version: str) -> Subject:
    """What evidence about a detector is about."""
    return Subject.described(
        f"guardrail:alcaide-{detector}@{version}", {"detector": detector, "version": version}
    )


def measured(conn: Connection, instance: Instance) -> tuple[Measured, ...]:
    """The latest evaluation of every installed detector, over each set of rows; detectors never measured are absent."""
    found: list[Measured] = []
    for detector in load_detectors(registered(instance)):
        key = f"name:{subject_of(detector.name, detector.version).name}"
        view = instance.view(conn, [key], [GuardEvaluated.TYPE])
        latest: dict[tuple[str, ...], Measured] = {}
        for record in view.records:
            said = GuardEvaluated.read(record.statement)
            rows = tuple(corpus.sha256 for corpus in said.corpora)
            latest[rows] = Measured(detector.name, detector.version, record.index, record.recorded_at, said)
        found.extend(latest.values())
    return tuple(found)
