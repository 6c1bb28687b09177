"""A system as other parts may know it: its components with digests, its flows, its deployments.

Not evidence itself: the neutral description that the inventory derives, whose canonical digest is the
digest of the system, and which gates, exporters and drawings read without knowing the inventory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from alcaide.kernel.evidence import Subject, canonical

COMPONENT_KINDS = (
    "model",
    "dataset",
    "prompt",
    "agent",
    "tool",
    "tool-server",
    "vector-store",
    "service",
    "guardrail",
)
DATA_CLASSES = ("public", "internal", "confidential", "personal", "special-category", "secret")
STAGES = ("design", "data", "training", "validation", "safety", "deployment", "operation", "retired")


@dataclass(frozen=True, slots=True)
class ComponentRef:
    """One version of one component. `digest` is SHA-256 hex of its bytes, or of its description."""

    kind: str
    name: str
    version: str
    digest: str | None
    title: str = ""
    tags: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()  # where this version is deployed for this system
    supplier: str = ""
    licence: str = ""
    source: str = ""

    @property
    def subject_name(self) -> str:
        return f"{self.kind}:{self.name}@{self.version}"

    @property
    def subject(self) -> Subject | None:
        """None where no digest is known: nothing can be bound to it."""
        return Subject(self.subject_name, {"sha256": self.digest}) if self.digest else None


@dataclass(frozen=True, slots=True)
class FlowRef:
    """Data moving from one component or outside party to another."""

    source: str  # a component's `kind:name`, or `party:<name>`
    target: str
    data_classes: tuple[str, ...]
    crosses_boundary: bool = False
    purpose: str = ""
    encrypted: bool | None = None


@dataclass(frozen=True, slots=True)
class SystemGraph:
    """One AI system with everything it is made of."""

    name: str
    title: str
    status: str
    owner: str = ""
    description: dict[str, Any] = field(default_factory=dict)  # the rest of the register's entry, as JSON
    components: tuple[ComponentRef, ...] = ()
    flows: tuple[FlowRef, ...] = ()

    @property
    def subject_name(self) -> str:
        return f"system:{self.name}"

    def canonical_description(self) -> dict[str, Any]:
        """What the system's digest is computed over: order of components and flows does not matter."""
        return {
            "name": self.name,
            "title": self.title,
            "status": self.status,
            "owner": self.owner,
            "description": self.description,
            "components": sorted(
                ([c.subject_name, c.digest or "", sorted(c.environments)] for c in self.components),
                key=repr,
            ),
            "flows": sorted(
                (
                    [f.source, f.target, sorted(f.data_classes), f.crosses_boundary, f.purpose]
                    for f in self.flows
                ),
                key=repr,
            ),
        }

    @property
    def digest(self) -> str:
        return sha256(canonical(self.canonical_description())).hexdigest()

    @property
    def subject(self) -> Subject:
        return Subject(self.subject_name, {"sha256": self.digest})
