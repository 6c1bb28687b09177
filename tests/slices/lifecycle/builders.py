"""A register of one's own for tests of gates, and evidence as other parts of Alcaide would bring it.

The graph is an honest stand-in for the inventory: a function of what a test put in, read in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from alcaide.kernel.access import Actor
from alcaide.kernel.clock import rfc3339
from alcaide.kernel.config import Config
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.slice import Manifest
from alcaide.predicates.base import By
from alcaide.predicates.graph import ComponentRef, SystemGraph
from alcaide.predicates.registered import Registered
from alcaide.slices.lifecycle.manifest import MANIFEST

ADA = Actor("user", "u-ada", "Ada", frozenset({"ml-engineer"}))
LEO = Actor("user", "u-leo", "Leo", frozenset({"security-lead"}))
MIA = Actor("user", "u-mia", "Mia", frozenset({"approver"}))
PAT = Actor("user", "u-pat", "Pat", frozenset({"approver", "security-lead"}))
EVE = Actor("user", "u-eve", "Eve", frozenset({"viewer"}))

_GRAPHS: dict[str, SystemGraph] = {}


class _Register(Manifest):
    """Offers the one capability that gates need."""

    @property
    def package(self) -> str:
        return "tests"


REGISTER = _Register(
    name="register",
    title="Register",
    question="What is there?",
    capabilities={"system-graph": "tests.slices.lifecycle.builders:system_graph"},
)


def system_graph(conn: object, name: str) -> SystemGraph | None:
    return _GRAPHS.get(name.removeprefix("system:"))


def sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def a_model(
    name: str = "scorer", version: str = "3", content: str = "weights", *, deployed: bool = True
) -> ComponentRef:
    return ComponentRef(
        "model", name, version, sha(content), environments=("production",) if deployed else ()
    )


def a_system(name: str = "loan-desk", *components: ComponentRef) -> SystemGraph:
    graph = SystemGraph(name, name.replace("-", " ").title(), "active", components=components or (a_model(),))
    _GRAPHS[name] = graph
    return graph


def replaced(graph: SystemGraph, *components: ComponentRef, **changed: Any) -> SystemGraph:
    """The same system after somebody changed it in the register."""
    graph = replace(graph, components=components or graph.components, **changed)
    _GRAPHS[graph.name] = graph
    return graph


@contextmanager
def gated(data: Path, clock: Any, url: str = "") -> Iterator[Instance]:
    """An instance with gates and the stand-in register, and nothing else."""
    _GRAPHS.clear()
    config = Config(data=data, database_url=url, origin="log.test/gates")
    instance = open_instance(config, manifests=(REGISTER, MANIFEST), clock=clock, migrate=False)
    try:
        yield instance
    finally:
        instance.close()


def registered(instance: Instance, graph: SystemGraph) -> None:
    """What the inventory says when a system and its components are entered."""

    def work(tx: Tx) -> None:
        by, at = By.of(ADA), rfc3339(tx.now)
        tx.append(Registered(at=at, by=by, description=graph.canonical_description()).about([graph.subject]))
        for component in graph.components:
            if component.subject is not None:
                tx.append(
                    Registered(at=at, by=by, description={"name": component.name}).about([component.subject])
                )

    instance.write(work)


def imported(instance: Instance, kind: str, *subjects: Subject, outcome: str = "passed", **more: Any) -> int:
    """What the evidence slice says when a document was taken in."""

    def work(tx: Tx) -> int:
        predicate = {
            "at": rfc3339(tx.now), "by": ADA.as_json(),
            "kind": kind, "outcome": outcome, "named": [s.name for s in subjects], **more,
        }  # fmt: skip
        return tx.append(Statement(subjects, "urn:alcaide:imported:v1", predicate))

    return instance.write(work)


def ready_to_deploy(instance: Instance, graph: SystemGraph) -> None:
    """All the evidence that the shipped gate to deployment asks for."""
    registered(instance, graph)
    imported(instance, "cyclonedx", graph.subject)
    imported(instance, "sarif", graph.subject)
    for component in graph.components:
        if component.kind == "model" and component.subject is not None:
            imported(instance, "model-signature", component.subject)


def in_days(moment: datetime, days: float) -> datetime:
    from datetime import timedelta

    return moment + timedelta(days=days)
